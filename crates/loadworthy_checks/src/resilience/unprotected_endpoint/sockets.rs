//! Sockets that anybody may open.

use std::collections::BTreeMap;

use loadworthy_analysis::{EntryKind, Route, Site, Timing};
use loadworthy_capacity::{Cost, Severity};
use loadworthy_project::PackageId;
use loadworthy_syntax::{FunctionId, Kind, Module, NodeId};

use super::META;
use crate::audit::{Audit, route_name};
use crate::finding::{Evidence, Finding, Fix, Place, Words};
use crate::resilience::error_observability::process::package_of;

/// Hops from the connection's handler that may look at who connects.
const HOPS: u32 = 2;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut open: BTreeMap<PackageId, Vec<&Route>> = BTreeMap::new();
    for route in audit.analysis.routes().iter().filter(|route| route.kind == EntryKind::SocketConnection) {
        if let Some(package) = package_of(audit, route.site)
            && !knows_who(audit, route, package)
        {
            open.entry(package).or_default().push(route);
        }
    }
    for routes in open.into_values() {
        findings.extend(finding(audit, &routes));
    }
}

/// Whether anything looks at who connects: the handler, or a middleware of the sockets in the package.
fn knows_who(audit: &Audit<'_, '_>, route: &Route, package: PackageId) -> bool {
    if !route.middleware.is_empty() {
        return true;
    }
    let functions = route.handler.iter().flat_map(|handler| &handler.functions);
    if functions.clone().any(|function| looks(audit, *function, HOPS)) {
        return true;
    }
    if !strangers(audit, package).is_empty() {
        return false;
    }
    // `io.use((socket, next) => …)`, `server.on("upgrade", …)`, `verifyClient`.
    audit.program().modules().any(|(file, module)| {
        let is_own = audit.program().project().file(file).is_some_and(|it| it.package == package);
        is_own
            && [
                "io.use(",
                ".engine.use(",
                "verifyClient",
                "\"upgrade\"",
                "'upgrade'",
                "allowRequest",
                "handleUpgrade",
            ]
            .iter()
            .any(|word| module.text().contains(word))
    })
}

/// Middleware of sockets that lets those pass who bring no token, or a wrong one: `next()` in the other branch of a test of the
/// token, or where its check has failed.
fn strangers(audit: &Audit<'_, '_>, package: PackageId) -> Vec<Site> {
    let mut found = Vec::new();
    for (file, module) in audit.program().modules() {
        let is_own = audit.program().project().file(file).is_some_and(|it| it.package == package);
        if !is_own || !module.text().contains(".use(") || !module.text().contains("handshake") {
            continue;
        }
        for call in module.calls() {
            let Kind::Call { callee, arguments } = module.kind(*call) else { continue };
            let is_use =
                matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name) == "use");
            let handler = module.list(arguments).last().map(|last| (last, module.kind(last)));
            let Some((node, Kind::Function(_))) = handler.filter(|_| is_use) else { continue };
            if module.source(node).contains("handshake") && lets_pass(module, node) {
                found.push((file, *call));
            }
        }
    }
    found
}

fn lets_pass(module: &Module, handler: NodeId) -> bool {
    module.all_nodes(handler).into_iter().any(|node| {
        let Kind::Call { callee, arguments } = module.kind(node) else { return false };
        if module.source(callee) != "next" || !arguments.is_empty() {
            return false;
        }
        let mut inner = node;
        for outer in module.ancestors(node).take_while(|outer| *outer != handler) {
            match module.kind(outer) {
                Kind::Catch { .. } => return true,
                Kind::If { test, otherwise, then } => {
                    let text = module.source(test).to_lowercase();
                    let is_of_token = text.contains("token") || text.contains("auth");
                    let is_negated = text.trim_start().starts_with('!');
                    if is_of_token && (inner == otherwise && !is_negated || inner == then && is_negated) {
                        return true;
                    }
                }
                _ => {}
            }
            inner = outer;
        }
        false
    })
}

fn looks(audit: &Audit<'_, '_>, function: (loadworthy_project::FileId, FunctionId), depth: u32) -> bool {
    let Some(module) = audit.program().module(function.0) else { return true };
    let Some(found) = module.function(function.1) else { return true };
    let text = module.source(found.node).to_lowercase();
    let words = ["token", "auth", "verify", "jwt", "session", "cookie", "unauthorized", "apikey", "api_key"];
    words.iter().any(|word| text.contains(word))
        || depth > 0
            && audit
                .analysis
                .graph()
                .callees(function)
                .filter(|edge| edge.timing == Timing::InFlow)
                .any(|edge| looks(audit, edge.callee, depth - 1))
}

fn finding(audit: &Audit<'_, '_>, routes: &[&Route]) -> Option<Finding> {
    let first = routes.first()?;
    let site = connection(audit, first);
    let mut evidence: Vec<Evidence> = routes
        .iter()
        .map(|route| Evidence {
            place: Place::Code(connection(audit, route)),
            note: format!("{}: nothing looks at who connects", route_name(route)),
        })
        .collect();
    let passing = package_of(audit, first.site).map_or_else(Vec::new, |package| strangers(audit, package));
    evidence.extend(passing.into_iter().map(|site| Evidence {
        place: Place::Code(site),
        note: String::from("lets those pass who bring no token, or a wrong one"),
    }));
    let words = Words {
        title: String::from("anybody may open a socket and keep it"),
        problem: String::from(
            "The connection's handler takes whoever comes, and what a client says of itself (an id in the query) is believed. A script opens thousands of sockets: each holds memory, timers and subscriptions of the process for as long as it likes, and listens to what is sent to others.",
        ),
        verify: String::from(
            "Open 5,000 sockets without a login (`artillery`, or a loop of clients) and watch RSS and event-loop delay: they are refused in the handshake after the change.",
        ),
        tradeoff: String::from(
            "Public pages that need live data get a channel of their own, with a limit by address.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Check the session or token in a middleware of the sockets, take the user from it, and limit sockets per user and messages per second.",
        ),
        before: Some(audit.excerpt(first.site, 120)),
        after: Some(String::from(
            "io.use((socket, next) => {\n  const user = userOf(socket.handshake.auth.token);\n  if (!user) return next(new Error(\"unauthorized\"));\n  socket.data.userId = user.id;\n  next();\n});",
        )),
        ..Fix::default()
    };
    let mut found = Finding::new(&META, site, evidence, Cost::at_share(1.0), words, fix);
    found.routes = Some(routes.iter().map(|route| route_name(route)).collect());
    Some(found.at_least(Severity::Medium).at_most(Severity::Medium))
}

/// The call that registers the handler.
fn connection(audit: &Audit<'_, '_>, route: &Route) -> Site {
    let (file, node) = route.site;
    let Some(module) = audit.module(route.site) else { return route.site };
    let call = std::iter::once(node)
        .chain(module.ancestors(node))
        .find(|at| matches!(module.kind(*at), Kind::Call { .. }));
    (file, call.unwrap_or(node))
}
