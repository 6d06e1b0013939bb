//! The routes of Koa: routers with prefixes, nested and mounted ones, middleware in order.

use loadworthy_knowledge::HandleId;
use loadworthy_syntax::Kind;

use super::loops::Loops;
use super::owners::{Kin, Tracer};
use super::registration::{Call, Dialect, Registration, scan};
use super::tree::{Entry, Order, Table};
use super::{Route, is_used};
use crate::handles::Folded;
use crate::values::{Resolver, Site};

const NAMES: [&str; 11] =
    ["use", "param", "prefix", "get", "post", "put", "patch", "delete", "del", "all", "options"];

/// What gives the middleware that serves a router.
const MOUNTABLE: [&str; 2] = ["routes", "middleware"];

/// Every route of Koa applications.
pub(super) fn routes(resolver: &Resolver<'_>) -> Vec<Route> {
    let Some(lib) = is_used(resolver, "koa") else { return Vec::new() };
    let mut table = Table::new(lib, Order::AsRegistered);
    scan(&mut table, resolver, Dialect { lib, kin_of: kin, plugins: &[] }, &NAMES, entries);
    let keys: Vec<_> = table.keys().collect();
    for key in keys {
        if let Some(prefix) = prefix(resolver, key) {
            table.set_prefix(key, &prefix);
        }
    }
    table.routes()
}

fn kin(handle: &str) -> Option<Kin> {
    match handle {
        "app" => Some(Kin::App),
        "router" => Some(Kin::Router),
        _ => None,
    }
}

fn entries(registration: &Registration<'_, '_>, tracer: &Tracer<'_, '_>, call: &Call<'_>) -> Vec<Entry> {
    let arguments: Vec<_> = registration.module.list(call.arguments).collect();
    match (call.name, arguments.as_slice()) {
        ("use", arguments) => uses(registration, tracer, arguments),
        ("param", [name, handler, ..]) => {
            let handlers = registration.handlers(*handler);
            let names = registration.paths(*name).into_iter();
            names.map(|name| Entry::Parameter { name, handlers: handlers.clone() }).collect()
        }
        ("prefix", [prefix, ..]) => {
            vec![Entry::Prefix(registration.paths(*prefix).into_iter().next().unwrap_or_default())]
        }
        (_, [path, rest @ ..]) if !rest.is_empty() && call.name != "prefix" => {
            // `router.get("name", "/path", handler)`
            let is_named = rest.len() > 1 && rest.first().is_some_and(|second| registration.is_path(*second));
            let (path, rest) = match rest {
                [second, rest @ ..] if is_named => (*second, rest),
                _ => (*path, rest),
            };
            let handlers = rest.iter().flat_map(|node| registration.handlers(*node));
            let method = if call.name == "del" { "DELETE".to_owned() } else { call.name.to_uppercase() };
            vec![Entry::Route {
                site: call.site,
                method,
                paths: registration.paths(path),
                handlers: handlers.map(|handler| (0, handler)).collect(),
            }]
        }
        _ => Vec::new(),
    }
}

fn uses(
    registration: &Registration<'_, '_>,
    tracer: &Tracer<'_, '_>,
    arguments: &[loadworthy_syntax::NodeId],
) -> Vec<Entry> {
    let (paths, rest) = match arguments {
        [first, rest @ ..] if registration.is_path(*first) => (registration.paths(*first), rest),
        rest => (vec![String::new()], rest),
    };
    let mut entries = Vec::new();
    let sites = rest.iter().flat_map(|node| registration.flattened((registration.file, *node)));
    for site in sites {
        used(registration, tracer, &paths, site, &mut entries);
    }
    entries
}

fn used(
    registration: &Registration<'_, '_>,
    tracer: &Tracer<'_, '_>,
    paths: &[String],
    site: Site,
    entries: &mut Vec<Entry>,
) {
    let resolver = registration.resolver;
    match made_by(resolver, site) {
        Some(("mounted", call)) => {
            // `mount(app)` is `mount("/", app)`.
            let (path, app) = match (resolver.argument(call, 0), resolver.argument(call, 1)) {
                (Some(path), Some(app)) => (registration.pattern(path), Some(app)),
                (app, _) => (String::new(), app),
            };
            for owner in app.into_iter().flat_map(|app| tracer.owners(app)) {
                entries.push(Entry::Mount { paths: vec![path.clone()], router: owner.key });
            }
        }
        Some(("composed", call)) => {
            let parts =
                resolver.argument(call, 0).map(|list| registration.flattened(list)).unwrap_or_default();
            for part in parts {
                used(registration, tracer, paths, part, entries);
            }
        }
        _ => {
            let routers = tracer.results(site, &MOUNTABLE);
            if routers.is_empty() && tracer.results(site, &["allowedMethods"]).is_empty() {
                let handlers = vec![registration.handler(site)];
                entries.push(Entry::Middleware { paths: paths.to_vec(), phase: 0, handlers });
            }
            let mounts = routers.into_iter().map(|router| router.key);
            entries.extend(mounts.map(|router| Entry::Mount { paths: paths.to_vec(), router }));
        }
    }
}

/// The handle that a call of the library gave, by name.
fn made_by<'r>(resolver: &Resolver<'r>, site: Site) -> Option<(&'r str, Site)> {
    let knowledge = resolver.program().knowledge();
    let folded = resolver.folded(&resolver.value_of(site));
    folded.into_iter().find_map(|folded| match folded {
        Folded::Held(held) if held.handle != HandleId::MODULE => {
            Some((knowledge.handle_name(held.handle), held.made_at?))
        }
        _ => None,
    })
}

/// `new Router({ prefix })`
fn prefix(resolver: &Resolver<'_>, key: Site) -> Option<String> {
    let module = resolver.program().module(key.0)?;
    let (Kind::New { .. } | Kind::Call { .. }) = module.kind(key.1) else { return None };
    let options = resolver.argument(key, 0)?;
    let registration = Registration { resolver, file: key.0, module, loops: Loops::default() };
    registration.option(options, "prefix").map(|prefix| registration.pattern(prefix))
}
