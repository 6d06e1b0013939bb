//! The route table of Express applications: nested routers, mounts, `route()` chains, arrays of handlers, wrappers, and
//! routers that reach another module as a parameter.
//!
//! A router that is mounted nowhere is listed with an unknown prefix.

use loadworthy_project::FileId;
use loadworthy_syntax::{FunctionId, Kind, List, Module, NodeId};

use super::tree::{Entry, Owner, Table};
use super::{Handler, Route, UNKNOWN_PART};
use crate::values::{External, Resolver, Root, Site, Step, Value};

const VERBS: [&str; 8] = ["get", "post", "put", "patch", "delete", "head", "options", "all"];

/// Every route of Express applications.
pub(super) fn routes(resolver: &Resolver<'_>) -> Vec<Route> {
    let Some(framework) = resolver.program().knowledge().library_id("express") else { return Vec::new() };
    let mut table = Table::new(framework);
    for (file, module) in resolver.program().modules() {
        // Calls are numbered head first: `route().get(a).post(b)` would list post before get.
        let mut calls: Vec<_> = module.calls().to_vec();
        calls.sort_by_key(|call| (module.node(*call).span.end, *call));
        for call in calls {
            register(&mut table, resolver, file, module, call);
        }
    }
    table.routes()
}

fn register(table: &mut Table, resolver: &Resolver<'_>, file: FileId, module: &Module, call: NodeId) {
    let Kind::Call { callee, arguments } = module.kind(call) else { return };
    let Kind::Member { object, name } = module.kind(callee) else { return };
    let name = module.str(name);
    if name != "use" && !VERBS.contains(&name) {
        return;
    }
    let chain = route_call(module, object);
    let owner_node = chain.map_or(object, |chain| chain.owner);
    for (owner, kind) in owners(resolver, (file, owner_node)) {
        let registration = Registration { resolver, file, module };
        let entries = match chain {
            Some(chain) => registration.chained(call, name, chain.path, arguments),
            None if name == "use" => registration.mounts(arguments),
            None => registration.verb(call, name, arguments),
        };
        table.add(owner, kind, entries);
    }
}

/// `owner.route(path)` under a chain of verbs.
#[derive(Clone, Copy)]
struct RouteCall {
    owner: NodeId,
    path: NodeId,
}

fn route_call(module: &Module, object: NodeId) -> Option<RouteCall> {
    let mut node = object;
    while let Kind::Call { callee, arguments } = module.kind(node) {
        let Kind::Member { object, name } = module.kind(callee) else { return None };
        let name = module.str(name);
        if name == "route" {
            return module.list(arguments).next().map(|path| RouteCall { owner: object, path });
        }
        if !VERBS.contains(&name) {
            return None;
        }
        node = object;
    }
    None
}

/// The applications and routers that an expression may be, by the place of their creation.
fn owners(resolver: &Resolver<'_>, site: Site) -> Vec<(Site, Owner)> {
    let values = resolver.filled(&resolver.value_of(site));
    values
        .iter()
        .filter_map(|value| match value {
            Value::External(external) => Some((external.site()?, owner(external)?)),
            _ => None,
        })
        .collect()
}

fn owner(external: &External) -> Option<Owner> {
    let Root::Package(package) = &external.root else { return None };
    match (&**package, &*external.steps) {
        ("express", [Step::Call(_)]) => Some(Owner::App),
        ("express", [Step::Get(name), Step::Call(_) | Step::New(_)]) if &**name == "Router" => {
            Some(Owner::Router)
        }
        ("express-promise-router", [Step::Call(_)]) => Some(Owner::Router),
        _ => None,
    }
}

/// Reads the arguments of one registration.
struct Registration<'r, 'p> {
    resolver: &'r Resolver<'p>,
    file: FileId,
    module: &'r Module,
}

impl Registration<'_, '_> {
    fn verb(&self, call: NodeId, name: &str, arguments: List) -> Vec<Entry> {
        let arguments: Vec<_> = self.module.list(arguments).collect();
        // `app.get("setting")` reads a setting.
        let [path, handlers @ ..] = arguments.as_slice() else { return Vec::new() };
        if handlers.is_empty() {
            return Vec::new();
        }
        let handlers = handlers.iter().flat_map(|node| self.handlers(*node)).collect();
        vec![Entry::Route {
            site: (self.file, call),
            method: name.to_uppercase(),
            paths: self.paths(*path),
            handlers,
        }]
    }

    fn chained(&self, call: NodeId, name: &str, path: NodeId, arguments: List) -> Vec<Entry> {
        let handlers = self.module.list(arguments).flat_map(|node| self.handlers(node)).collect();
        vec![Entry::Route {
            site: (self.file, call),
            method: name.to_uppercase(),
            paths: self.paths(path),
            handlers,
        }]
    }

    fn mounts(&self, arguments: List) -> Vec<Entry> {
        let mut arguments: Vec<_> = self.module.list(arguments).collect();
        let mut paths = vec![String::new()];
        if let Some(first) = arguments.first().copied()
            && self.is_path(first)
        {
            paths = self.paths(first);
            arguments.remove(0);
        }
        let mut entries = Vec::new();
        for node in arguments.into_iter().flat_map(|node| self.flattened(node)) {
            let routers = owners(self.resolver, node);
            if routers.is_empty() {
                entries.push(Entry::Middleware { paths: paths.clone(), handlers: vec![self.handler(node)] });
            }
            let mounts = routers.into_iter().map(|(router, _)| Entry::Mount { paths: paths.clone(), router });
            entries.extend(mounts);
        }
        entries
    }

    fn is_path(&self, node: NodeId) -> bool {
        match self.module.kind(node) {
            Kind::Regex { .. } | Kind::Template { .. } => true,
            Kind::Array(list) => self.module.list(list).next().is_some_and(|first| self.is_path(first)),
            _ => self.resolver.text_of((self.file, node)).is_some(),
        }
    }

    /// The constant paths of an argument: one text, an array of them, or the source of a pattern.
    fn paths(&self, node: NodeId) -> Vec<String> {
        match self.module.kind(node) {
            Kind::Array(list) => self.module.list(list).flat_map(|item| self.paths(item)).collect(),
            Kind::Regex { pattern, .. } => vec![format!("/{}/", self.module.str(pattern))],
            Kind::Template { strings, values } => {
                let mut values = self.module.list(values);
                let mut path = String::new();
                for part in self.module.atoms(strings) {
                    path.push_str(part);
                    if let Some(value) = values.next() {
                        let text = self.resolver.text_of((self.file, value));
                        path.push_str(text.as_deref().unwrap_or(UNKNOWN_PART));
                    }
                }
                vec![path]
            }
            _ => vec![self.resolver.text_of((self.file, node)).unwrap_or_else(|| UNKNOWN_PART.to_owned())],
        }
    }

    fn handlers(&self, node: NodeId) -> Vec<Handler> {
        self.flattened(node).into_iter().map(|node| self.handler(node)).collect()
    }

    /// `[a, b]` is `a, b`, also through a constant.
    fn flattened(&self, node: NodeId) -> Vec<Site> {
        let node = match self.module.kind(node) {
            Kind::Spread(value) => value,
            _ => node,
        };
        let values = self.resolver.value_of((self.file, node));
        if let [Value::Array(file, array)] = &*values
            && let Some(module) = self.resolver.program().module(*file)
            && let Kind::Array(list) = module.kind(*array)
        {
            return module.list(list).map(|item| (*file, item)).collect();
        }
        vec![(self.file, node)]
    }

    /// `asyncHandler(fn)` is `fn`, wrapped; `makeHandler(options)` is what it gives back.
    fn handler(&self, site: Site) -> Handler {
        let wrapped = self.wrapped(site);
        let is_wrapped = !wrapped.is_empty();
        let functions = if is_wrapped { wrapped } else { functions(&self.resolver.value_of(site)) };
        Handler { site, functions, is_wrapped }
    }

    fn wrapped(&self, (file, node): Site) -> Vec<(FileId, FunctionId)> {
        let Some(module) = self.resolver.program().module(file) else { return Vec::new() };
        let Kind::Call { callee, arguments } = module.kind(node) else { return Vec::new() };
        if matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name) == "bind") {
            return Vec::new();
        }
        module
            .list(arguments)
            .flat_map(|argument| functions(&self.resolver.value_of((file, argument))))
            .collect()
    }
}

fn functions(values: &[Value]) -> Vec<(FileId, FunctionId)> {
    values
        .iter()
        .filter_map(|value| match value {
            Value::Function(file, function) => Some((*file, *function)),
            _ => None,
        })
        .collect()
}
