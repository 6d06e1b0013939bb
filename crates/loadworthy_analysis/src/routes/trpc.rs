//! The procedures of tRPC routers: nested and merged routers, middleware in the order of the chain.

use loadworthy_knowledge::LibId;
use loadworthy_syntax::Kind;
use rustc_hash::FxHashSet;

use super::loops::Loops;
use super::objects::properties;
use super::registration::Registration;
use super::{EntryKind, Handler, Route, is_used};
use crate::handles::Folded;
use crate::values::{External, Resolver, Site, Step, Value};

/// Deepest nesting of routers.
const MAX_DEPTH: usize = 12;

/// What ends a chain of a procedure.
const ENDS: [(&str, &str); 3] =
    [("query", "QUERY"), ("mutation", "MUTATION"), ("subscription", "SUBSCRIPTION")];

/// Every procedure, by its path from a router that is in no other.
pub(super) fn routes(resolver: &Resolver<'_>) -> Vec<Route> {
    let Some(lib) = is_used(resolver, "trpc") else { return Vec::new() };
    let reader = Reader { resolver, lib };
    let routers = reader.routers();
    let mut inner = FxHashSet::default();
    for router in &routers {
        for (_, value) in reader.entries(*router) {
            inner.extend(reader.routers_at(value));
        }
        inner.extend(reader.merged(*router));
    }
    let mut found = Vec::new();
    for router in routers.iter().filter(|router| !inner.contains(*router)) {
        reader.walk(*router, "", 0, &mut found);
    }
    found
}

struct Reader<'r, 'p> {
    resolver: &'r Resolver<'p>,
    lib: LibId,
}

impl Reader<'_, '_> {
    /// The calls that make routers.
    fn routers(&self) -> Vec<Site> {
        let mut routers = Vec::new();
        for (file, module) in self.resolver.program().modules() {
            for call in module.calls() {
                let Kind::Call { arguments, .. } = module.kind(*call) else { continue };
                if !arguments.is_empty() && self.routers_at((file, *call)).contains(&(file, *call)) {
                    routers.push((file, *call));
                }
            }
        }
        routers
    }

    /// The calls that made the routers that an expression may be.
    fn routers_at(&self, site: Site) -> Vec<Site> {
        let knowledge = self.resolver.program().knowledge();
        let values = self.resolver.value_of(site);
        let folded = self.resolver.folded(&values).into_iter();
        folded
            .filter_map(|folded| match folded {
                Folded::Held(held)
                    if held.lib == self.lib && knowledge.handle_name(held.handle) == "router" =>
                {
                    held.made_at
                }
                _ => None,
            })
            .collect()
    }

    fn entries(&self, router: Site) -> Vec<(String, Site)> {
        let argument = self.resolver.argument(router, 0).filter(|it| self.routers_at(*it).is_empty());
        argument.map(|argument| properties(self.resolver, argument)).unwrap_or_default()
    }

    /// `mergeRouters(a, b)`
    fn merged(&self, router: Site) -> Vec<Site> {
        let Some(module) = self.resolver.program().module(router.0) else { return Vec::new() };
        let Kind::Call { arguments, .. } = module.kind(router.1) else { return Vec::new() };
        module.list(arguments).flat_map(|argument| self.routers_at((router.0, argument))).collect()
    }

    fn walk(&self, router: Site, prefix: &str, depth: usize, found: &mut Vec<Route>) {
        if depth > MAX_DEPTH {
            return;
        }
        for part in self.merged(router) {
            self.walk(part, prefix, depth + 1, found);
        }
        for (name, value) in self.entries(router) {
            let path = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            let routers = self.routers_at(value);
            if routers.is_empty() {
                found.extend(self.procedure(&path, value));
            }
            for inner in routers {
                self.walk(inner, &path, depth + 1, found);
            }
            for (key, inner) in self.plain(value) {
                found.extend(self.procedure(&format!("{path}.{key}"), inner));
            }
        }
    }

    /// An object literal of procedures stands for a router.
    fn plain(&self, value: Site) -> Vec<(String, Site)> {
        let is_object = self.resolver.value_of(value).iter().any(|value| matches!(value, Value::Object(..)));
        if is_object { properties(self.resolver, value) } else { Vec::new() }
    }

    fn procedure(&self, path: &str, site: Site) -> Option<Route> {
        let values = self.resolver.value_of(site);
        values.iter().find_map(|value| {
            let Value::External(external) = value else { return None };
            self.of_chain(path, site, external)
        })
    }

    fn of_chain(&self, path: &str, site: Site, external: &External) -> Option<Route> {
        let Folded::Held(held) = self.resolver.fold(external) else { return None };
        let knowledge = self.resolver.program().knowledge();
        if held.lib != self.lib || knowledge.handle_name(held.handle) != "procedure builder" {
            return None;
        }
        let mut middleware = Vec::new();
        let mut end = None;
        for pair in external.steps.windows(2) {
            let [Step::Get(name), Step::Call(call)] = pair else { continue };
            let argument = self.resolver.argument(*call, 0);
            if &**name == "use" {
                middleware.extend(argument.and_then(|argument| self.handler(argument)));
            } else if let Some((_, method)) = ENDS.iter().find(|(end, _)| *end == &**name) {
                end = Some((*method, argument.and_then(|argument| self.handler(argument))));
            }
        }
        let (method, handler) = end?;
        Some(Route {
            kind: EntryKind::Rpc,
            framework: self.lib,
            method: method.to_owned(),
            path: path.to_owned(),
            site,
            is_mounted: true,
            middleware,
            handler,
        })
    }

    fn handler(&self, site: Site) -> Option<Handler> {
        let module = self.resolver.program().module(site.0)?;
        let registration =
            Registration { resolver: self.resolver, file: site.0, module, loops: Loops::default() };
        Some(registration.handler(site))
    }
}
