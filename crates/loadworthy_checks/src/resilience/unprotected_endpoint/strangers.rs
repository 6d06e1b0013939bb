//! Routes that change data and ask nobody who they are: those whose siblings ask, and those that empty a table.

use loadworthy_analysis::{EntryKind, Family, Guard, Handler, Operation, Protections, Query, Route};
use loadworthy_capacity::{Cost, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::PackageId;
use loadworthy_syntax::Kind;

use super::META;
use crate::audit::{Audit, route_name};
use crate::database::rows::table_name;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};
use crate::resilience::error_observability::process::package_of;

/// Which part of the changing routes of a package has to ask, so that the others count as forgotten.
const MOST_ASK: f64 = 0.5;
/// Least of such routes.
const LEAST_ASKING: usize = 2;

pub(super) fn run(audit: &Audit<'_, '_>, protections: &mut Protections<'_, '_>, findings: &mut Vec<Finding>) {
    let mut packages: Vec<PackageId> =
        audit.analysis.routes().iter().filter_map(|route| package_of(audit, route.site)).collect();
    packages.sort_unstable();
    packages.dedup();
    for package in packages {
        let own: Vec<&Route> = audit
            .analysis
            .routes()
            .iter()
            .filter(|route| route.kind == EntryKind::Http && route.is_mounted)
            .filter(|route| package_of(audit, route.site) == Some(package))
            .collect();
        let open: Vec<&Route> =
            own.iter().copied().filter(|route| !asks(audit, protections, route)).collect();
        let wiped = emptied(audit, &open);
        let forgotten: Vec<&Route> = open
            .iter()
            .copied()
            .filter(|route| changes(audit, route) && !wiped.iter().any(|(it, _)| std::ptr::eq(*it, *route)))
            .collect();
        for (at, (route, query)) in wiped.iter().enumerate() {
            let is_told = wiped.iter().take(at).any(|(other, _)| other.site == route.site);
            if !is_told {
                let ways = wiped.iter().filter(|(other, _)| other.site == route.site);
                findings.push(emptying(audit, &ways.map(|(it, _)| *it).collect::<Vec<_>>(), route, query));
            }
        }
        let asking = own
            .iter()
            .filter(|route| changes(audit, route) && !open.iter().any(|it| std::ptr::eq(*it, **route)))
            .count();
        findings.extend(forgetting(audit, &forgotten, asking));
    }
}

/// Whether something before the handler, or the handler, looks at who calls.
fn asks(audit: &Audit<'_, '_>, protections: &mut Protections<'_, '_>, route: &Route) -> bool {
    if protections.of(route).iter().any(|it| it.guard == Guard::Authentication) {
        return true;
    }
    if route.handler.iter().any(|handler| is_wrapped(audit, handler)) {
        return true;
    }
    let handlers = route.middleware.iter().chain(&route.handler).flat_map(|it| &it.functions);
    let mut texts = handlers.filter_map(|(file, function)| {
        let module = audit.program().module(*file)?;
        Some(module.source(module.function(*function)?.node))
    });
    texts.any(|text| {
        let text = text.to_lowercase();
        ASKING.iter().any(|word| text.contains(word))
    })
}

/// Whether a handler is handed to a function of the application that may look at who calls: `withWorkspace(async () => …)`.
fn is_wrapped(audit: &Audit<'_, '_>, handler: &Handler) -> bool {
    handler.functions.iter().any(|(file, function)| {
        let Some(module) = audit.program().module(*file) else { return false };
        let Some(lowered) = module.function(*function) else { return false };
        let Kind::Call { callee, .. } = module.kind(module.parent(lowered.node)) else { return false };
        // `app.get(path, handler)` registers it.
        matches!(module.kind(callee), Kind::Name { .. })
            && !HARMLESS.iter().any(|word| module.source(callee).to_lowercase().contains(word))
    })
}

/// Parts of the names of wrappers that catch errors and do nothing else.
const HARMLESS: [&str; 6] = ["async", "catch", "error", "try", "wrap", "promise"];

/// What code says that looks at who calls, in small letters.
const ASKING: [&str; 22] = [
    "req.user",
    "request.user",
    "req.auth",
    "ctx.user",
    "c.get(\"user\")",
    "c.get('user')",
    "locals.user",
    "session",
    "currentuser",
    "getauth",
    "getuser(",
    "auth(",
    "userid",
    "verifytoken",
    "jwt",
    "authorization",
    "apikey",
    "api-key",
    "api_key",
    "secret",
    "signature",
    "node_env",
];

/// Whether a route changes rows that are there already: what strangers add (an order, a message) may be meant for them.
fn changes(audit: &Audit<'_, '_>, route: &Route) -> bool {
    let is_change = matches!(route.method.as_str(), "PUT" | "PATCH" | "DELETE");
    is_change && !is_public(route) && {
        let works = audit.analysis.works();
        let mut functions = route.handler.iter().flat_map(|handler| &handler.functions);
        functions.any(|function| works.of(*function).any(|effect| matches!(effect, Effect::DbWrite)))
    }
}

/// Words of paths that strangers may call.
fn is_public(route: &Route) -> bool {
    let path = route.path.to_lowercase();
    [
        "login",
        "logout",
        "register",
        "signup",
        "signin",
        "password",
        "verify",
        "confirm",
        "token",
        "webhook",
        "callback",
        "public",
        "guest",
        "unsubscribe",
        "cart",
        "invite",
        "contact",
        "track",
        "view",
        "health",
    ]
    .iter()
    .any(|word| path.contains(word))
}

/// The routes that remove every row of a table, with the query that does.
fn emptied<'a>(audit: &'a Audit<'_, '_>, open: &[&'a Route]) -> Vec<(&'a Route, &'a Query)> {
    let wipes = audit.analysis.queries().iter().filter(|query| {
        query.operation == Operation::Delete
            && query.filter.is_empty()
            && !query.is_part
            && is_whole(audit, query)
    });
    let mut found: Vec<(&Route, &Query)> = Vec::new();
    for query in wipes {
        let reaching: Vec<&Route> = audit.analysis.routes_to(query.site).collect();
        for route in open.iter().copied() {
            let is_reached = reaching.iter().any(|it| std::ptr::eq(*it, route));
            if is_reached && !found.iter().any(|(it, _)| std::ptr::eq(*it, route)) {
                found.push((route, query));
            }
        }
    }
    found
}

/// Whether the code says that no row is left out: `deleteMany()`, `deleteMany({})`, `db.delete(table)`, `DELETE FROM table`.
fn is_whole(audit: &Audit<'_, '_>, query: &Query) -> bool {
    let text: String = audit.source(query.whole).split_whitespace().collect();
    let is_call = [
        "deleteMany()",
        "deleteMany({})",
        "destroy({truncate:true})",
        "destroy({where:{}})",
        "remove({})",
        ".clear()",
    ]
    .iter()
    .any(|end| text.ends_with(end));
    let lower = text.to_lowercase();
    let is_text = query.sql.is_some()
        && (lower.contains("deletefrom") || lower.contains("truncate"))
        && !lower.contains("where");
    let is_built = query.family == Family::Drizzle && text.contains(".delete(") && !text.contains(".where(");
    is_call || is_text || is_built
}

/// One handler, mounted as one or more routes.
fn emptying(audit: &Audit<'_, '_>, ways: &[&Route], route: &Route, query: &Query) -> Finding {
    let (name, table) = (route_name(route), table_name(query));
    let mut names: Vec<String> = ways.iter().map(|it| route_name(it)).collect();
    names.sort_unstable();
    names.dedup();
    let words = Words {
        title: format!("anybody can empty `{table}` with {name}"),
        problem: format!(
            "{name} removes every row of `{table}`, and nothing before it asks who calls. A crawler, a health checker or a load test \
             that walks through the routes is enough: the table is empty, and every page that reads it answers with nothing."
        ),
        verify: format!(
            "On a copy of the database: call {name} without a session and count the rows of `{table}`. After the change the answer is 401 (or 404), and the rows are there."
        ),
        tradeoff: String::from(
            "Filling a database for development becomes a command (`npm run seed`) instead of a click.",
        ),
    };
    let statement = audit.statement(route.site);
    let before = audit.lines_around(statement, 0);
    let fix = Fix {
        description: format!(
            "Take {name} out of the application and make it a script that is run by hand; or put it behind the application's own authentication, for administrators only, and never in production."
        ),
        after: Some(format!(
            "if (process.env.NODE_ENV !== 'production') {{\n  {}\n}}",
            before.replace('\n', "\n  ")
        )),
        before: Some(before),
        ..Fix::default()
    };
    let evidence = audit.chain_to(query.site, format!("removes every row of `{table}`"));
    let mut found = Finding::new(&META, route.site, evidence, Cost::at_share(0.0), words, fix)
        .at_least(Severity::High)
        .at_most(Severity::High);
    found.routes = Some(names);
    found
}

fn forgetting(audit: &Audit<'_, '_>, forgotten: &[&Route], asking: usize) -> Option<Finding> {
    let first = forgotten.first()?;
    let all = forgotten.len() + asking;
    #[expect(clippy::cast_precision_loss, reason = "an application has few routes")]
    let is_rule = asking >= LEAST_ASKING && asking as f64 >= all as f64 * MOST_ASK;
    if !is_rule {
        return None;
    }
    let names: Vec<String> = forgotten.iter().map(|route| route_name(route)).collect();
    let what = match names.as_slice() {
        [only] => only.clone(),
        _ => format!("{} routes ({}, …)", names.len(), names.first().map_or("", String::as_str)),
    };
    let evidence: Vec<Evidence> = forgotten
        .iter()
        .map(|route| Evidence {
            place: Place::Code(route.site),
            note: format!("{}: nothing asks who calls", route_name(route)),
        })
        .collect();
    let verb = if names.len() == 1 { "changes" } else { "change" };
    let words = Words {
        title: format!("{what} {verb} data without asking who calls"),
        problem: format!(
            "{asking} of the {all} routes that change rows stand behind authentication; {what} do not, and their handlers do not look at \
             the caller either. One script that counts through the ids changes or removes the rows of everybody, at the full rate that \
             the server gives, and no limit by account can hold it back."
        ),
        verify: format!(
            "Call {} without a session: it must answer 401.",
            names.first().map_or("", String::as_str)
        ),
        tradeoff: String::from("Clients that relied on the open route have to sign in."),
    };
    let statement = audit.statement(first.site);
    let fix = Fix {
        description: String::from(
            "Put the middleware that the sibling routes have in front of these, and check in the handler that the row belongs to the caller.",
        ),
        before: Some(audit.lines_around(statement, 0)).filter(|text| text.lines().count() <= 12),
        ..Fix::default()
    };
    let mut found = Finding::new(&META, first.site, evidence, Cost::at_share(0.0), words, fix)
        .confidence(Confidence::Medium)
        .at_least(Severity::Medium)
        .at_most(Severity::Medium);
    found.routes = Some(names);
    Some(found.assuming("nothing in front of the application (a gateway, a proxy) asks who calls"))
}
