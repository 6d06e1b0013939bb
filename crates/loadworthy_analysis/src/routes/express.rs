//! The routes of Express: nested routers, mounts, `route()` chains, arrays of handlers, wrappers, parameters, and routers
//! that reach another module as a parameter.

use loadworthy_knowledge::LibId;
use loadworthy_project::FileId;
use loadworthy_syntax::{Kind, List, Module, NodeId};

use super::loops::Loops;
use super::owners::{Kin, Tracer, moment};
use super::registration::Registration;
use super::tree::{Entry, Order, Table};
use super::{Handler, Route, calls_in_order, is_used};
use crate::values::{Resolver, Site};

const VERBS: [&str; 8] = ["get", "post", "put", "patch", "delete", "head", "options", "all"];

/// Every route of Express applications.
pub(super) fn routes(resolver: &Resolver<'_>) -> Vec<Route> {
    let Some(lib) = is_used(resolver, "express") else { return Vec::new() };
    let mut table = Table::new(lib, Order::AsRegistered);
    for (file, module) in resolver.program().modules() {
        for call in calls_in_order(module) {
            register(&mut table, resolver, (file, module), call);
        }
    }
    inherit(&mut table, resolver);
    table.routes()
}

/// A class has the routes that the class it extends registers on the same router.
fn inherit(table: &mut Table, resolver: &Resolver<'_>) {
    let loops = Loops::default();
    let tracer = Tracer { resolver, lib: table.framework(), kin_of: kin, loops: &loops, plugins: &[] };
    let bases: Vec<_> = table.keys().filter_map(|key| Some((key, tracer.inherited(key)?))).collect();
    for (key, base) in bases {
        table.inherit(key, base);
    }
}

fn kin(handle: &str) -> Option<Kin> {
    match handle {
        "app" => Some(Kin::App),
        "router" => Some(Kin::Router),
        _ => None,
    }
}

fn register(table: &mut Table, resolver: &Resolver<'_>, (file, module): (FileId, &Module), call: NodeId) {
    let Kind::Call { callee, arguments } = module.kind(call) else { return };
    let (object, name) = match module.kind(callee) {
        Kind::Member { object, name } => (object, Some(module.str(name))),
        Kind::Index { object, .. } => (object, None),
        _ => return,
    };
    if name.is_some_and(|name| !is_registration(name)) {
        return;
    }
    let chain = route_call(module, object);
    let owner_node = chain.map_or(object, |chain| chain.owner);
    for loops in Loops::around(resolver, (file, call)) {
        let owners = Tracer { resolver, lib: table.framework(), kin_of: kin, loops: &loops, plugins: &[] }
            .owners((file, owner_node));
        if owners.is_empty() {
            continue;
        }
        let registration = Registration { resolver, file, module, loops };
        let computed = || registration.computed_name(callee).filter(|name| is_registration(name));
        let Some(name) = name.map(str::to_owned).or_else(computed) else {
            continue;
        };
        for owner in owners {
            let entries = match chain {
                Some(chain) => registration.chained(call, &name, chain.path, arguments),
                None if name == "use" => registration.mounts(call, arguments, table.framework()),
                None if name == "param" => registration.parameter(arguments),
                None => registration.verb(call, &name, arguments),
            };
            table.add(&owner, &moment(resolver, &owner.via, (file, call)), entries);
        }
    }
}

fn is_registration(name: &str) -> bool {
    matches!(name, "use" | "param") || VERBS.contains(&name)
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

impl Registration<'_, '_> {
    fn verb(&self, call: NodeId, name: &str, arguments: List) -> Vec<Entry> {
        let arguments: Vec<_> = self.module.list(arguments).collect();
        // `app.get("setting")` reads a setting.
        let [path, handlers @ ..] = arguments.as_slice() else { return Vec::new() };
        if handlers.is_empty() {
            return Vec::new();
        }
        let handlers = handlers.iter().flat_map(|node| self.handlers(*node)).collect();
        vec![self.route(call, name, self.paths(*path), handlers)]
    }

    fn chained(&self, call: NodeId, name: &str, path: NodeId, arguments: List) -> Vec<Entry> {
        let handlers = self.module.list(arguments).flat_map(|node| self.handlers(node)).collect();
        vec![self.route(call, name, self.paths(path), handlers)]
    }

    fn route(&self, call: NodeId, name: &str, paths: Vec<String>, handlers: Vec<Handler>) -> Entry {
        let handlers = handlers.into_iter().map(|handler| (0, handler)).collect();
        Entry::Route { site: (self.file, call), method: name.to_uppercase(), paths, handlers }
    }

    fn parameter(&self, arguments: List) -> Vec<Entry> {
        let mut arguments = self.module.list(arguments);
        let (Some(name), Some(handler)) = (arguments.next(), arguments.next()) else { return Vec::new() };
        let handlers = self.handlers(handler);
        let names = self.paths(name).into_iter();
        names.map(|name| Entry::Parameter { name, handlers: handlers.clone() }).collect()
    }

    fn mounts(&self, call: NodeId, arguments: List, lib: LibId) -> Vec<Entry> {
        let mut arguments: Vec<_> = self.module.list(arguments).collect();
        let mut paths = vec![String::new()];
        let has_path = arguments.first().is_some_and(|first| self.is_path(*first));
        if has_path {
            paths = self.paths(arguments.remove(0));
        }
        let mut entries = Vec::new();
        let tracer = Tracer { resolver: self.resolver, lib, kin_of: kin, loops: &self.loops, plugins: &[] };
        for site in arguments.into_iter().flat_map(|node| self.flattened((self.file, node))) {
            let routers = tracer.owners(site);
            if routers.is_empty() {
                let handler = self.handler(site);
                let delegates = self.delegates(&handler, lib);
                entries.extend(
                    delegates.into_iter().map(|router| Entry::Mount { paths: paths.clone(), router }),
                );
                entries.push(if has_path && self.is_last(&handler) {
                    self.route(call, "all", paths.clone(), vec![handler])
                } else {
                    Entry::Middleware { paths: paths.clone(), phase: 0, handlers: vec![handler] }
                });
            }
            entries.extend(
                routers.into_iter().map(|router| Entry::Mount { paths: paths.clone(), router: router.key }),
            );
        }
        entries
    }

    /// Routers that a middleware calls itself: `if (…) return adminRouter(req, res, next)`.
    fn delegates(&self, handler: &Handler, lib: LibId) -> Vec<Site> {
        let mut routers = Vec::new();
        for (file, function) in &handler.functions {
            let Some(module) = self.resolver.program().module(*file) else { continue };
            let calls = module.calls().iter().filter(|call| module.enclosing_function(**call) == *function);
            for call in calls {
                let Kind::Call { callee, arguments } = module.kind(*call) else { continue };
                if arguments.len() == 3 && matches!(module.kind(callee), Kind::Name { .. }) {
                    let tracer = Tracer {
                        resolver: self.resolver,
                        lib,
                        kin_of: kin,
                        loops: &self.loops,
                        plugins: &[],
                    };
                    routers.extend(tracer.owners((*file, callee)).into_iter().map(|owner| owner.key));
                }
            }
        }
        routers
    }

    /// Whether a function can't pass the request on: it takes no `next`.
    fn is_last(&self, handler: &Handler) -> bool {
        !handler.is_wrapped
            && !handler.functions.is_empty()
            && handler.functions.iter().all(|(file, function)| {
                let module = self.resolver.program().module(*file);
                let lowered = module.and_then(|module| module.function(*function));
                lowered.is_some_and(|lowered| matches!(lowered.parameters.len(), 1 | 2))
            })
    }
}
