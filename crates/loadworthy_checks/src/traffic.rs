//! The traffic mix: which part of the target's requests each entry point takes.
//!
//! Within a package with entry points, reads share four fifths of the traffic and writes one fifth, each evenly: the
//! shopping mix of the TPC-W benchmark (80 % browse, 20 % order). Each user signs in
//! once in the run. What only staff use (by its path, or by a middleware that asks for an administrator) counts a
//! tenth, what machines or nobody call under load (health, metrics, webhooks, seeds) a hundredth. Weights that the user gives go before.

use std::collections::BTreeMap;

use loadworthy_analysis::{Analysis, EntryKind, Route};
use loadworthy_capacity::Target;
use loadworthy_project::PackageId;

/// Part of the traffic that reads take where an application also writes.
pub const READ_PART: f64 = 0.8;
/// Weight of an entry point for staff.
const STAFF: f64 = 0.1;
/// Weight of an entry point that users don't call.
const ASIDE: f64 = 0.01;

/// Weights of entry points by "GET /path", as the user gives them.
pub type Weights = BTreeMap<String, f64>;

/// The part of the target's requests that each entry point takes.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// 0 to 1, in the order of the route table; each package's sum is 1.
    shares: Vec<f64>,
    packages: Vec<PackageId>,
}

impl Traffic {
    /// The mix of a program.
    #[must_use]
    pub fn of(analysis: &Analysis<'_>, target: &Target, weights: &Weights) -> Self {
        let routes = analysis.routes();
        let project = analysis.program().project();
        let packages: Vec<PackageId> = routes
            .iter()
            .map(|route| project.file(route.site.0).map_or(PackageId::new(0), |file| file.package))
            .collect();
        let mut shares = vec![0.0; routes.len()];
        let mut served = packages.clone();
        served.sort_unstable();
        served.dedup();
        for package in served {
            let members: Vec<usize> = (0..routes.len())
                .filter(|at| packages.get(*at) == Some(&package))
                .filter(|at| routes.get(*at).is_some_and(|route| route.kind.is_per_request()))
                .collect();
            for (at, share) in mix(analysis, target, &members, weights) {
                if let Some(slot) = shares.get_mut(at) {
                    *slot = share;
                }
            }
        }
        Self { shares, packages }
    }

    /// The part of the traffic that an entry point takes, by its place in the route table.
    #[must_use]
    pub fn share(&self, route: usize) -> f64 {
        self.shares.get(route).copied().unwrap_or(0.0)
    }

    /// The part of the traffic that reaches any of these entry points: the most among the packages that they are of.
    #[must_use]
    pub fn share_of(&self, routes: impl IntoIterator<Item = usize>) -> f64 {
        let mut reached: Vec<usize> = routes.into_iter().collect();
        reached.sort_unstable();
        reached.dedup();
        let mut sums: BTreeMap<PackageId, f64> = BTreeMap::new();
        for at in reached {
            if let Some(package) = self.package(at) {
                *sums.entry(package).or_default() += self.share(at);
            }
        }
        sums.into_values().fold(0.0, f64::max).min(1.0)
    }

    /// The package that an entry point is of.
    #[must_use]
    pub fn package(&self, route: usize) -> Option<PackageId> {
        self.packages.get(route).copied()
    }

    /// For each package, its part of what `of` gives for its entry points, each at its share.
    #[must_use]
    pub fn by_package(&self, of: impl Fn(usize) -> f64) -> BTreeMap<PackageId, f64> {
        let mut sums = BTreeMap::new();
        for (at, package) in self.packages.iter().enumerate() {
            *sums.entry(*package).or_default() += self.share(at) * of(at);
        }
        sums
    }

    /// What an entry point takes that is like the others: for code which no known entry point leads to.
    #[must_use]
    pub fn typical_share(&self) -> f64 {
        let mut taken: Vec<f64> = self.shares.iter().copied().filter(|share| *share > 0.0).collect();
        taken.sort_by(f64::total_cmp);
        taken.get(taken.len() / 2).copied().unwrap_or(1.0)
    }
}

/// The shares of one package's entry points.
fn mix(analysis: &Analysis<'_>, target: &Target, members: &[usize], weights: &Weights) -> Vec<(usize, f64)> {
    let routes = analysis.routes();
    let given = |at: &usize| {
        routes.get(*at).and_then(|route| weights.get(&format!("{} {}", route.method, route.path)).copied())
    };
    if members.iter().any(|at| given(at).is_some()) {
        let weighed = members.iter().map(|at| (*at, given(at).unwrap_or(0.0).max(0.0)));
        return parts(weighed.collect(), 1.0);
    }
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

fn parts(weighed: Vec<(usize, f64)>, whole: f64) -> Vec<(usize, f64)> {
    let sum: f64 = weighed.iter().map(|(_, weight)| weight).sum();
    weighed.into_iter().map(|(at, weight)| (at, if sum > 0.0 { whole * weight / sum } else { 0.0 })).collect()
}

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
