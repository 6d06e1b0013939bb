//! The route table of Express applications: nested routers, mounts, `route()` chains, arrays of handlers, wrappers, and
//! routers that reach another module as a parameter.
//!
//! Other frameworks are not read yet; a router that is mounted nowhere is listed with an unknown prefix.

use loadworthy_project::FileId;
use loadworthy_syntax::{FunctionId, Kind, List, Module, NodeId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::values::{External, Resolver, Root, Site, Step, Value};

/// One method and path, with what serves it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// `GET`, `POST`, …; `ALL` for any.
    pub method: String,
    /// Full path with the prefixes of all mounts; `{?}` stands for a part that is no constant.
    pub path: String,
    /// Where it is registered.
    pub site: Site,
    /// Whether a chain of mounts from an application was found.
    pub is_mounted: bool,
    /// Middleware that runs before, outermost first.
    pub middleware: Vec<Handler>,
    /// The last handler, which answers.
    pub handler: Option<Handler>,
}

/// A function in a route's chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handler {
    /// The expression that was registered.
    pub site: Site,
    /// The functions of the program that it stands for; none for a library's.
    pub functions: Vec<(FileId, FunctionId)>,
    /// Whether another function wraps it where it is registered (`asyncHandler(fn)`).
    pub is_wrapped: bool,
}

/// Stands for a part of a path that is no constant.
const UNKNOWN_PART: &str = "{?}";

/// Deepest nesting of mounts that is followed.
const MAX_MOUNTS: usize = 16;

const VERBS: [&str; 8] = ["get", "post", "put", "patch", "delete", "head", "options", "all"];

/// What is registered on an application or router.
enum Entry {
    Route { site: Site, method: String, paths: Vec<String>, handlers: Vec<Handler> },
    Middleware { paths: Vec<String>, handlers: Vec<Handler> },
    Mount { paths: Vec<String>, router: Site },
}

/// What an Express value is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    App,
    Router,
}

/// Every route of the program, in the order of applications, mounts and registrations.
#[must_use]
pub fn routes(resolver: &Resolver<'_>) -> Vec<Route> {
    let table = Table::new(resolver);
    let mut walk = Walk { table: &table, routes: Vec::new(), seen: FxHashSet::default(), path: Vec::new() };
    for owner in
        table.owners.iter().filter(|owner| owner.1 == Owner::App && !table.mounted.contains(&owner.0))
    {
        walk.owner(owner.0, "", &[], true);
    }
    for owner in &table.owners {
        if !walk.seen.contains(&owner.0) {
            walk.owner(owner.0, UNKNOWN_PART, &[], false);
        }
    }
    walk.routes
}

/// All registrations by their application or router.
struct Table {
    entries: FxHashMap<Site, Vec<Entry>>,
    owners: Vec<(Site, Owner)>,
    mounted: FxHashSet<Site>,
}

impl Table {
    fn new(resolver: &Resolver<'_>) -> Self {
        let mut table =
            Self { entries: FxHashMap::default(), owners: Vec::new(), mounted: FxHashSet::default() };
        for (file, module) in resolver.program().modules() {
            // Calls are numbered head first: `route().get(a).post(b)` would list post before get.
            let mut calls: Vec<_> = module.calls().to_vec();
            calls.sort_by_key(|call| (module.node(*call).span.end, *call));
            for call in calls {
                table.register(resolver, file, module, call);
            }
        }
        table.owners.sort_by_key(|owner| owner.0);
        table
    }

    fn register(&mut self, resolver: &Resolver<'_>, file: FileId, module: &Module, call: NodeId) {
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
            for entry in &entries {
                if let Entry::Mount { router, .. } = entry {
                    self.mounted.insert(*router);
                }
            }
            if !self.entries.contains_key(&owner) {
                self.owners.push((owner, kind));
            }
            self.entries.entry(owner).or_default().extend(entries);
        }
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

/// Follows mounts from an application down, collecting prefixes and middleware.
struct Walk<'t> {
    table: &'t Table,
    routes: Vec<Route>,
    seen: FxHashSet<Site>,
    /// Owners that are being walked: a router mounted in itself ends there.
    path: Vec<Site>,
}

impl Walk<'_> {
    fn owner(&mut self, owner: Site, prefix: &str, outer: &[(String, Handler)], is_mounted: bool) {
        if self.path.contains(&owner) || self.path.len() >= MAX_MOUNTS {
            return;
        }
        self.seen.insert(owner);
        self.path.push(owner);
        let mut middleware = outer.to_vec();
        for entry in self.table.entries.get(&owner).into_iter().flatten() {
            match entry {
                Entry::Middleware { paths, handlers } => {
                    for path in paths {
                        let under = joined(prefix, path);
                        middleware.extend(handlers.iter().map(|handler| (under.clone(), handler.clone())));
                    }
                }
                Entry::Mount { paths, router } => {
                    for path in paths {
                        self.owner(*router, &joined(prefix, path), &middleware, is_mounted);
                    }
                }
                Entry::Route { site, method, paths, handlers } => {
                    for path in paths {
                        self.route(*site, method, &joined(prefix, path), handlers, &middleware, is_mounted);
                    }
                }
            }
        }
        self.path.pop();
    }

    fn route(
        &mut self,
        site: Site,
        method: &str,
        path: &str,
        handlers: &[Handler],
        outer: &[(String, Handler)],
        is_mounted: bool,
    ) {
        let before =
            outer.iter().filter(|(under, _)| covers(under, path)).map(|(_, handler)| handler.clone());
        let own = handlers.iter().take(handlers.len().saturating_sub(1)).cloned();
        self.routes.push(Route {
            method: method.to_owned(),
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
            site,
            is_mounted,
            middleware: before.chain(own).collect(),
            handler: handlers.last().cloned(),
        });
    }
}

/// `/api` + `/users/` is `/api/users`: Express takes a trailing slash for the same path.
fn joined(prefix: &str, path: &str) -> String {
    let path = path.trim_matches('/');
    match path {
        "" => prefix.to_owned(),
        _ => format!("{}/{path}", prefix.trim_end_matches('/')),
    }
}

/// Whether middleware mounted under a path sees requests to another.
fn covers(under: &str, path: &str) -> bool {
    path.strip_prefix(under).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
