//! The routes of Hono: chained registrations, sub-applications, base paths, and routes that are defined by an object.

use loadworthy_syntax::{Kind, NodeId};

use super::owners::{Kin, Tracer};
use super::registration::{Call, Dialect, Registration, scan};
use super::tree::{Entry, Order, Table, joined};
use super::{Route, is_used};
use crate::handles::Folded;
use crate::values::{Resolver, Site};

const NAMES: [&str; 12] =
    ["get", "post", "put", "patch", "delete", "options", "all", "on", "use", "route", "openapi", "mount"];

/// Every route of Hono applications.
pub(super) fn routes(resolver: &Resolver<'_>) -> Vec<Route> {
    let Some(lib) = is_used(resolver, "hono") else { return Vec::new() };
    let mut table = Table::new(lib, Order::ByPattern);
    scan(&mut table, resolver, Dialect { lib, kin_of: kin, plugins: &[] }, &NAMES, entries);
    table.routes()
}

fn kin(handle: &str) -> Option<Kin> {
    (handle == "app").then_some(Kin::App)
}

fn entries(registration: &Registration<'_, '_>, tracer: &Tracer<'_, '_>, call: &Call<'_>) -> Vec<Entry> {
    let base = base_path(registration, &call.owner.chain);
    let arguments: Vec<_> = registration.module.list(call.arguments).collect();
    let under =
        |paths: Vec<String>| -> Vec<String> { paths.iter().map(|path| joined(&base, path)).collect() };
    match (call.name, arguments.as_slice()) {
        ("route", [path, app, ..]) => {
            let paths = under(registration.paths(*path));
            let owners = tracer.owners((registration.file, *app));
            owners
                .into_iter()
                .map(|owner| {
                    let inner = base_path(registration, &owner.chain);
                    let paths = paths.iter().map(|path| joined(path, &inner)).collect();
                    Entry::Mount { paths, router: owner.key }
                })
                .collect()
        }
        ("use", arguments) => {
            let (paths, handlers) = with_path(registration, arguments);
            let paths = under(paths.unwrap_or_else(|| vec!["*".to_owned()]));
            let handlers = handlers.iter().flat_map(|node| registration.handlers(*node)).collect();
            vec![Entry::Middleware { paths, phase: 0, handlers }]
        }
        ("on", [methods, paths, handlers @ ..]) => {
            let paths = under(registration.paths(*paths));
            let methods = registration.paths(*methods).into_iter();
            methods.map(|method| route(registration, call, &method, paths.clone(), handlers)).collect()
        }
        ("openapi", [definition, handler, ..]) => {
            defined(registration, call, (registration.file, *definition), *handler, &base)
                .into_iter()
                .collect()
        }
        ("mount" | "route" | "on" | "openapi", _) => Vec::new(),
        (name, arguments) => {
            let (paths, handlers) = with_path(registration, arguments);
            if handlers.is_empty() {
                return Vec::new();
            }
            let paths = under(paths.unwrap_or_else(|| vec![String::new()]));
            vec![route(registration, call, name, paths, handlers)]
        }
    }
}

fn with_path<'a>(
    registration: &Registration<'_, '_>,
    arguments: &'a [NodeId],
) -> (Option<Vec<String>>, &'a [NodeId]) {
    match arguments {
        [first, rest @ ..] if registration.is_path(*first) => (Some(registration.paths(*first)), rest),
        rest => (None, rest),
    }
}

fn route(
    registration: &Registration<'_, '_>,
    call: &Call<'_>,
    method: &str,
    paths: Vec<String>,
    handlers: &[NodeId],
) -> Entry {
    let handlers = handlers.iter().flat_map(|node| registration.handlers(*node));
    Entry::Route {
        site: call.site,
        method: method.to_uppercase(),
        paths,
        handlers: handlers.map(|handler| (0, handler)).collect(),
    }
}

/// `app.openapi(createRoute({ method, path, middleware }), handler)`
fn defined(
    registration: &Registration<'_, '_>,
    call: &Call<'_>,
    definition: Site,
    handler: NodeId,
    base: &str,
) -> Option<Entry> {
    let resolver = registration.resolver;
    let made =
        resolver.folded(&registration.values(definition)).into_iter().find_map(|folded| match folded {
            Folded::Held(held) => held.options,
            _ => None,
        });
    let options = made.unwrap_or(definition);
    let method = registration.text(registration.option(options, "method")?)?;
    let path = registration.pattern(registration.option(options, "path")?);
    let middleware = registration.option(options, "middleware").map(|list| registration.flattened(list));
    let mut handlers: Vec<_> =
        middleware.unwrap_or_default().into_iter().map(|site| (0, registration.handler(site))).collect();
    handlers.extend(registration.handlers(handler).into_iter().map(|handler| (0, handler)));
    Some(Entry::Route {
        site: call.site,
        method: method.to_uppercase(),
        paths: vec![joined(base, &with_colons(&path))],
        handlers,
    })
}

/// `/users/{id}` as `/users/:id`.
fn with_colons(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).filter(|name| *name != "?") {
            Some(name) => format!(":{name}"),
            None => segment.to_owned(),
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The base paths of a chain of calls.
fn base_path(registration: &Registration<'_, '_>, chain: &[Site]) -> String {
    let program = registration.resolver.program();
    let mut base = String::new();
    for (file, call) in chain {
        let Some(module) = program.module(*file) else { continue };
        let Kind::Call { callee, arguments } = module.kind(*call) else { continue };
        let Kind::Member { name, .. } = module.kind(callee) else { continue };
        if module.str(name) != "basePath" {
            continue;
        }
        let path = module.list(arguments).next().map(|path| registration.pattern((*file, path)));
        base = joined(&base, &path.unwrap_or_default());
    }
    base
}
