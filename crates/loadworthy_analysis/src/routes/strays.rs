//! Handlers whose registration could not be followed: they are shaped like handlers and handed to something, so requests
//! run them, though under which path is not known.

use loadworthy_knowledge::{Kind as LibraryKind, LibId};
use loadworthy_project::{FileClass, FileId};
use loadworthy_syntax::{FunctionId, Kind, Module, NodeId};
use rustc_hash::FxHashSet;

use super::loops::Loops;
use super::registration::Registration;
use super::{EntryKind, Handler, Route, UNKNOWN_PART, calls_in_order};
use crate::handles::Folded;
use crate::links::FunctionRef;
use crate::values::{Resolver, Site, Value};

/// What the parameters of handlers are called, by position.
const REQUESTS: [&str; 6] = ["req", "request", "_req", "_request", "_", "__"];
const RESPONSES: [&str; 5] = ["res", "response", "reply", "_res", "resp"];

/// Members of a response that answer, or prepare to.
const ANSWERING: [&str; 14] = [
    "json",
    "send",
    "status",
    "end",
    "render",
    "redirect",
    "sendStatus",
    "sendFile",
    "download",
    "jsonp",
    "write",
    "writeHead",
    "code",
    "pipe",
];

const VERBS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Routes beside those that were found.
pub(super) fn routes(resolver: &Resolver<'_>, found: &[Route]) -> Vec<Route> {
    let program = resolver.program();
    let webs: Vec<(LibId, &[String])> = program
        .knowledge()
        .libraries()
        .filter(|(_, library)| library.kind == LibraryKind::Web)
        .map(|(id, library)| (id, library.packages.as_slice()))
        .collect();
    let mut known: FxHashSet<FunctionRef> = found
        .iter()
        .flat_map(|route| route.handler.iter().chain(&route.middleware))
        .flat_map(|handler| handler.functions.iter().copied())
        .collect();
    let files: Vec<Strays<'_, '_>> = program
        .modules()
        .filter(|(file, _)| program.class(*file).is_some_and(FileClass::may_be_server))
        .filter_map(|(file, module)| {
            let framework = framework_of(resolver, file, &webs)?;
            Some(Strays { resolver, file, module, framework })
        })
        .collect();
    let mut strays = Vec::new();
    for route in files.iter().flat_map(Strays::registered) {
        let handlers = route.handler.iter().flat_map(|handler| handler.functions.iter().copied());
        let handlers: Vec<FunctionRef> = handlers.collect();
        if !handlers.iter().any(|function| known.contains(function)) {
            known.extend(handlers);
            strays.push(route);
        }
    }
    strays.extend(files.iter().flat_map(|stray| stray.handed(&known)));
    strays
}

/// A web framework that the package of a file depends on.
fn framework_of(resolver: &Resolver<'_>, file: FileId, webs: &[(LibId, &[String])]) -> Option<LibId> {
    let project = resolver.program().project();
    let package = project.file(file)?.package;
    let mut webs = webs.iter();
    webs.find(|(_, packages)| packages.iter().any(|it| project.depends_on(package, it))).map(|(lib, _)| *lib)
}

struct Strays<'r, 'p> {
    resolver: &'r Resolver<'p>,
    file: FileId,
    module: &'p Module,
    framework: LibId,
}

impl Strays<'_, '_> {
    /// `args.app.get("/path", (req, res) => …)` on something of which nothing is known.
    fn registered(&self) -> Vec<Route> {
        let mut found = Vec::new();
        for call in calls_in_order(self.module) {
            let Kind::Call { callee, arguments } = self.module.kind(call) else { continue };
            let Kind::Member { object, name } = self.module.kind(callee) else { continue };
            let verb = self.module.str(name);
            let arguments: Vec<NodeId> = self.module.list(arguments).collect();
            let [path, middleware @ .., last] = arguments.as_slice() else { continue };
            if !VERBS.contains(&verb)
                || !self.module.source(*path).starts_with(['"', '\'', '`'])
                || !self.is_unknown(object)
            {
                continue;
            }
            let registration = Registration {
                resolver: self.resolver,
                file: self.file,
                module: self.module,
                loops: Loops::default(),
            };
            let Some(path) = registration.paths(*path).into_iter().find(|path| path.starts_with('/')) else {
                continue;
            };
            let Some(handler) = registration.handlers(*last).pop() else { continue };
            if !handler.functions.iter().any(|function| is_shaped(self.resolver, *function)) {
                continue;
            }
            found.push(Route {
                kind: EntryKind::Http,
                framework: self.framework,
                method: verb.to_uppercase(),
                path,
                site: (self.file, call),
                is_mounted: false,
                middleware: middleware.iter().flat_map(|node| registration.handlers(*node)).collect(),
                handler: Some(handler),
            });
        }
        found
    }

    fn is_unknown(&self, object: NodeId) -> bool {
        let values = self.resolver.value_of((self.file, object));
        values.iter().all(|value| matches!(value, Value::Parameter(..) | Value::Interface(..)))
    }

    /// `register(api, "/path", handler)` with a `register` that is not understood.
    fn handed(&self, known: &FxHashSet<FunctionRef>) -> Vec<Route> {
        let links = self.resolver.program().links();
        let all = (0..self.module.functions().len()).map(|at| (self.file, FunctionId::new(at)));
        let stray = all.filter_map(|function| {
            let passed = links.passed_sites(self.file, function.1);
            let is_stray = !known.contains(&function)
                && !passed.is_empty()
                && links.call_sites(self.file, function.1).is_empty()
                && is_shaped(self.resolver, function)
                && passed.iter().all(|passed| self.is_unfollowed(passed.call));
            let node = self.module.function(function.1)?.node;
            is_stray.then(|| Route {
                kind: EntryKind::Http,
                framework: self.framework,
                method: "ALL".to_owned(),
                path: UNKNOWN_PART.to_owned(),
                site: (self.file, node),
                is_mounted: false,
                middleware: Vec::new(),
                // Whatever takes it may catch what it throws.
                handler: Some(Handler {
                    site: (self.file, node),
                    functions: vec![function],
                    is_wrapped: true,
                }),
            })
        });
        stray.collect()
    }

    /// Whether nothing says what a call does with what it is given.
    fn is_unfollowed(&self, (file, call): Site) -> bool {
        let Some(module) = self.resolver.program().module(file) else { return false };
        let Kind::Call { callee, .. } = module.kind(call) else { return false };
        let folded = self.resolver.folded(&self.resolver.value_of((file, callee)));
        !folded.iter().any(|folded| matches!(folded, Folded::Member(..) | Folded::Held(_)))
    }
}

/// Whether a function takes a request and a response and answers, and does not pass the request on.
fn is_shaped(resolver: &Resolver<'_>, (file, function): FunctionRef) -> bool {
    let Some(module) = resolver.program().module(file) else { return false };
    let Some(lowered) = module.function(function) else { return false };
    let parameters: Vec<NodeId> = module.list(lowered.parameters).collect();
    let name = |node: &NodeId| match module.kind(*node) {
        Kind::Binding(binding) => Some((module.source(*node), binding)),
        _ => None,
    };
    let (Some((request, _)), Some((response, binding))) =
        (parameters.first().and_then(name), parameters.get(1).and_then(name))
    else {
        return false;
    };
    let text = |named: &str| named.split([':', '?']).next().unwrap_or(named).trim().to_owned();
    if !REQUESTS.contains(&text(request).as_str())
        || !RESPONSES.contains(&text(response).as_str())
        || parameters.len() > 3
    {
        return false;
    }
    let answers = module.references(binding).iter().any(|name| match module.kind(module.parent(*name)) {
        Kind::Member { object, name: member } => object == *name && ANSWERING.contains(&module.str(member)),
        _ => false,
    });
    let passes_on = parameters.get(2).and_then(name).is_some_and(|(_, next)| {
        module.references(next).iter().any(|name| {
            matches!(module.kind(module.parent(*name)), Kind::Call { callee, arguments } if callee == *name && arguments.is_empty())
        })
    });
    answers && !passes_on
}
