//! The mix where nobody says it: reads share four fifths of the traffic and writes one fifth, each evenly: the
//! shopping mix of the TPC-W benchmark (80 % browse, 20 % order). Each user signs in
//! once in the run. What only staff use (by its path, or by a middleware that asks for an administrator) counts a
//! tenth, what machines or nobody call under load (health, metrics, webhooks, seeds) a hundredth.

use loadworthy_analysis::{Analysis, EntryKind, Route};
use loadworthy_capacity::Target;

use super::parts;

/// Part of the traffic that reads take where an application also writes.
pub const READ_PART: f64 = 0.8;
/// Weight of an entry point for staff.
const STAFF: f64 = 0.1;
/// Weight of an entry point that users don't call.
const ASIDE: f64 = 0.01;

/// The shares of one package's entry points.
pub(super) fn shares(analysis: &Analysis<'_>, target: &Target, members: &[usize]) -> Vec<(usize, f64)> {
    let routes = analysis.routes();
    let (reads, writes): (Vec<usize>, Vec<usize>) =
        members.iter().partition(|at| routes.get(**at).is_some_and(is_read));
    let weigh = |members: Vec<usize>| -> Vec<(usize, f64)> {
        members
            .into_iter()
            .map(|at| (at, routes.get(at).map_or(0.0, |route| weight(analysis, route))))
            .collect()
    };
    let (reads, writes) = (weigh(reads), weigh(writes));
    let heaviest = |members: &[(usize, f64)]| members.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
    // Health checks and the like are not what the other four fifths go to.
    let read_part = match (heaviest(&reads) > ASIDE, heaviest(&writes) > ASIDE) {
        _ if writes.is_empty() => 1.0,
        _ if reads.is_empty() => 0.0,
        (true, true) | (false, false) => READ_PART,
        (true, false) => 0.99,
        (false, true) => 0.01,
    };
    let mut shares = parts(reads, read_part);
    shares.extend(parts(writes, 1.0 - read_part));
    once_a_user(routes, target, shares)
}

/// Each user signs in (or up, or asks for a code) once in the run, however few other routes write: what would be more than that
/// goes to the others.
fn once_a_user(routes: &[Route], target: &Target, mut shares: Vec<(usize, f64)>) -> Vec<(usize, f64)> {
    let requests = target.requests_per_second * target.duration_seconds;
    let most = if requests > 0.0 { (f64::from(target.users) / requests).min(1.0) } else { 1.0 };
    let is_once = |at: usize| routes.get(at).is_some_and(|route| has_word(route, &ONCE_WORDS));
    let mut rest = 0.0;
    for (at, share) in &mut shares {
        if is_once(*at) && *share > most {
            rest += *share - most;
            *share = most;
        }
    }
    let others: f64 = shares.iter().filter(|(at, _)| !is_once(*at)).map(|(_, share)| share).sum();
    for (at, share) in &mut shares {
        if others > 0.0 {
            *share += if is_once(*at) { 0.0 } else { rest * *share / others };
        }
    }
    if others > 0.0 {
        return shares;
    }
    // An application that does nothing else is called for that.
    let sum: f64 = shares.iter().map(|(_, share)| share).sum();
    shares.into_iter().map(|(at, share)| (at, if sum > 0.0 { share / sum } else { share })).collect()
}

/// Whether the path of a route has one of these words.
fn has_word(route: &Route, known: &[&str]) -> bool {
    let path = route.path.to_lowercase().replace(['-', '_'], "");
    path.split(['/', '.']).any(|word| known.contains(&word))
}

/// Words in the paths of what a user does once.
const ONCE_WORDS: [&str; 16] = [
    "login",
    "signin",
    "register",
    "signup",
    "authenticate",
    "forgotpassword",
    "forgetpassword",
    "resetpassword",
    "passwordreset",
    "changepassword",
    "verifyemail",
    "sendotp",
    "verifyotp",
    "otp",
    "createaccount",
    "registration",
];

fn is_read(route: &Route) -> bool {
    match route.kind {
        EntryKind::ServerAction => false,
        EntryKind::Http => matches!(route.method.as_str(), "GET" | "HEAD" | "ALL" | "OPTIONS"),
        EntryKind::GraphqlResolver | EntryKind::Rpc => route.method != "MUTATION",
        _ => true,
    }
}

fn weight(analysis: &Analysis<'_>, route: &Route) -> f64 {
    let words: Vec<String> = route
        .path
        .split(['/', '.', '-', '_', ' '])
        .map(|word| word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase())
        .collect();
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    if has(&ASIDE_WORDS) || matches!(route.method.as_str(), "HEAD" | "OPTIONS") || !route.is_mounted {
        ASIDE
    } else if has(&STAFF_WORDS) || asks_for_staff(analysis, route) {
        STAFF
    } else {
        1.0
    }
}

/// Whether a middleware before the handler lets only staff pass: `isAdmin`, `requireRole("admin")`, `@Roles(Role.ADMIN)`.
fn asks_for_staff(analysis: &Analysis<'_>, route: &Route) -> bool {
    route.middleware.iter().any(|handler| {
        let (file, node) = handler.site;
        let text = analysis.program().module(file).map_or("", |module| module.source(node));
        // A handler that is written in place may name admins for any reason.
        let is_name = text.len() <= LONGEST_NAME && !text.contains("=>") && !text.contains("function");
        let text = text.to_lowercase();
        is_name
            && text.contains("admin")
            && !["user", "customer", "client"].iter().any(|word| text.contains(word))
    })
}

/// Longest text of a middleware that is a name or a call with constants.
const LONGEST_NAME: usize = 80;

/// Words in the paths of what machines, developers or nobody calls under load.
const ASIDE_WORDS: [&str; 27] = [
    "health",
    "healthz",
    "healthcheck",
    "readyz",
    "livez",
    "ready",
    "readiness",
    "liveness",
    "alive",
    "ping",
    "metrics",
    "version",
    "docs",
    "swagger",
    "openapi",
    "favicon",
    "robots",
    "sitemap",
    "webhook",
    "webhooks",
    "cron",
    "seed",
    "debug",
    "test",
    "migrate",
    "setup",
    "install",
];

/// Words in the paths of what only staff use.
const STAFF_WORDS: [&str; 6] =
    ["admin", "administrator", "backoffice", "superadmin", "moderation", "internal"];
