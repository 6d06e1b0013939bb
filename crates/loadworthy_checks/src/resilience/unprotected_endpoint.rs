//! # Unprotected endpoints
//! Routes that cost much, or that guess at secrets, and that one client may call as often as it likes; routes that change data
//! without asking who calls, where their siblings ask; routes with which anybody can empty a table.
//!
//! ## Why it fails under load
//! Without a limit the target is whatever one client sends. A login that hashes a password takes about 60 ms of a core: 67
//! of them a second fill the four threads of libuv's pool, and files, DNS and every other hash wait behind them. A route
//! that mails, pays or asks a language model turns a loop in a browser into a bill. A limiter behind a proxy that is not
//! trusted sees one address for all users and turns everybody away at once.
//!
//! ## Bad
//! ```ts title="src/app.ts"
//! import bcrypt from "bcrypt";
//! import express from "express";
//! import { findUser } from "./users";
//! const app = express(); // finding: 4A
//! app.post("/login", async (req, res) => {
//!   const user = await findUser(req.body.email);
//!   if (!(await bcrypt.compare(req.body.password, user.hash))) return res.sendStatus(401);
//!   res.json({ id: user.id });
//! });
//! app.listen(3000);
//! ```
//!
//! ## Good
//! ```ts title="src/app.ts"
//! import bcrypt from "bcrypt";
//! import express from "express";
//! import { rateLimit } from "express-rate-limit";
//! import { findUser } from "./users";
//! const app = express();
//! app.use(rateLimit({ windowMs: 60_000, limit: 100 }));
//! app.post("/login", async (req, res) => {
//!   const user = await findUser(req.body.email);
//!   if (!(await bcrypt.compare(req.body.password, user.hash))) return res.sendStatus(401);
//!   res.json({ id: user.id });
//! });
//! app.listen(3000);
//! ```
//!
//! ## Leaves alone
//! Routes behind a limiter of any kind, own ones included; limits in the proxy's configuration; health checks, metrics and
//! webhooks with a signature; reads that cost little; applications of which no route costs much; handlers that look at the
//! caller themselves.

mod exposure;
mod limiters;
mod sockets;
mod strangers;

use loadworthy_analysis::{Application, Guard, Guarded, Protections, Route, Site};
use loadworthy_capacity::{Cost, Severity};
use loadworthy_environment::TrustProxy;
use loadworthy_knowledge::Concern;
use loadworthy_project::PackageId;

use self::exposure::{Exposure, exposure};
use super::error_observability::gaps::wired;
use super::error_observability::process::package_of;
use crate::audit::{Audit, route_name};
use crate::finding::{Applicability, Confidence, Evidence, Finding, Fix, Place, Words};
use crate::meta::{Category, Check, Meta};

pub(crate) struct UnprotectedEndpoint;

static META: Meta = Meta {
    code: "4A",
    slug: "unprotected-endpoint",
    category: Category::Resilience,
    summary: "costly routes that one client may call without limit",
    page: include_str!("unprotected_endpoint.rs"),
};

/// Most paths that the code of the fix lists.
const PATHS_SHOWN: usize = 8;
/// Milliseconds of the event loop, or of a thread of its pool, for a password hash of cost 10.
const HASH_MILLIS: f64 = 60.0;

impl Check for UnprotectedEndpoint {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        let mut protections = Protections::new(audit.analysis, audit.resolver);
        let applications = audit.analysis.applications(audit.resolver);
        let mut packages: Vec<PackageId> = Vec::new();
        for route in audit.analysis.routes() {
            if let Some(package) = package_of(audit, route.site)
                && !packages.contains(&package)
            {
                packages.push(package);
            }
        }
        packages.sort_unstable();
        for package in packages {
            let exposed = Exposed::of(audit, &mut protections, package);
            let application = applications.iter().find(|it| it.package == package);
            exposed.report(audit, application, findings);
        }
        limiters::run(audit, &mut protections, findings);
        sockets::run(audit, findings);
        strangers::run(audit, &mut protections, findings);
    }
}

/// A route that costs much and has no limiter.
struct Open<'a> {
    route: &'a Route,
    exposure: Exposure,
    guards: Vec<Guarded>,
}

/// The routes of one package.
struct Exposed<'a> {
    open: Vec<Open<'a>>,
    /// Whether any route has a limiter.
    has_limiter: bool,
}

impl<'a> Exposed<'a> {
    fn of(audit: &'a Audit<'_, '_>, protections: &mut Protections<'_, '_>, package: PackageId) -> Self {
        let mut exposed = Self { open: Vec::new(), has_limiter: false };
        let own = audit.analysis.routes().iter().filter(|it| package_of(audit, it.site) == Some(package));
        for route in own.filter(|route| route.kind.is_per_request()) {
            let guards = protections.of(route);
            if guards.iter().any(|it| it.guard == Guard::RateLimit) {
                exposed.has_limiter = true;
                continue;
            }
            if let Some(exposure) = exposure(audit, route, &guards) {
                exposed.open.push(Open { route, exposure, guards });
            }
        }
        exposed
    }

    fn report(&self, audit: &Audit<'_, '_>, application: Option<&Application>, findings: &mut Vec<Finding>) {
        let limits = audit.facts.proxies.iter().filter(|proxy| proxy.is_forwarding && !proxy.is_development);
        if self.open.is_empty() || limits.clone().any(|proxy| proxy.rate_limit.is_some()) {
            return;
        }
        if self.has_limiter {
            for kinds in [&[Exposure::Credentials][..], &[Exposure::Paid], &[Exposure::Heavy]] {
                let open: Vec<&Open<'_>> =
                    self.open.iter().filter(|it| kinds.contains(&it.exposure)).collect();
                findings.extend(self.finding(audit, application, &open));
            }
            return;
        }
        if limiters::is_global(audit, application) {
            return;
        }
        let open: Vec<&Open<'_>> = self.open.iter().collect();
        findings.extend(self.finding(audit, application, &open));
    }

    fn finding(
        &self,
        audit: &Audit<'_, '_>,
        application: Option<&Application>,
        open: &[&Open<'_>],
    ) -> Option<Finding> {
        let worst = open.iter().map(|it| it.exposure).min()?;
        let first = open.iter().find(|it| it.exposure == worst)?;
        let site = match application {
            Some(application) if !self.has_limiter => application.site,
            _ => first.route.site,
        };
        let mut evidence: Vec<Evidence> = Vec::new();
        for it in open {
            let note = format!("{}: {}, no limiter in front", route_name(it.route), it.exposure.words());
            evidence.push(Evidence { place: Place::Code(it.route.site), note });
            if let Some(handler) = it.route.handler.as_ref().filter(|handler| handler.site != it.route.site) {
                let code = handler.functions.first().and_then(|(file, function)| {
                    Some((*file, audit.program().module(*file)?.function(*function)?.node))
                });
                let note = String::from("its handler");
                evidence.push(Evidence { place: Place::Code(code.unwrap_or(handler.site)), note });
            }
        }
        evidence.extend(controllers(audit, open));
        // A handler that answers 401 checks what the client sent; only what stands before it keeps strangers out.
        let is_anonymous = open.iter().any(|it| {
            let before = it.guards.iter().filter(|guard| guard.order < it.route.middleware.len());
            before.clone().all(|guard| guard.guard != Guard::Authentication)
        });
        let share = audit.traffic.share_of(
            audit
                .analysis
                .routes()
                .iter()
                .enumerate()
                .filter(|(_, route)| open.iter().any(|it| std::ptr::eq(it.route, *route)))
                .map(|(at, _)| at),
        );
        let mut cost = Cost::at_share(share);
        if worst == Exposure::Credentials && open.iter().any(|it| exposure::hashes(audit, it.route)) {
            cost = cost.external(loadworthy_capacity::ExternalWait::Expected(HASH_MILLIS));
        }
        let most = if is_anonymous { Severity::High } else { Severity::Medium };
        let least = if is_anonymous && worst != Exposure::Heavy && !self.has_limiter {
            most
        } else {
            Severity::Medium
        };
        let mut found = Finding::new(
            &META,
            site,
            evidence,
            cost,
            words(open, worst, self.has_limiter),
            fix(audit, application, open, self.has_limiter),
        )
        .confidence(Confidence::Medium)
        .at_least(least)
        .at_most(most);
        let mut names: Vec<String> = open.iter().map(|it| route_name(it.route)).collect();
        names.dedup();
        found.routes = Some(names);
        Some(found)
    }
}

/// The classes whose methods the handlers are: where a guard for all of them belongs.
fn controllers(audit: &Audit<'_, '_>, open: &[&Open<'_>]) -> Vec<Evidence> {
    let mut seen = Vec::new();
    let handlers = open.iter().flat_map(|it| &it.route.handler).flat_map(|handler| &handler.functions);
    for (file, function) in handlers {
        let Some(module) = audit.program().module(*file) else { continue };
        let class = module.function(*function).and_then(|lowered| module.class(lowered.class));
        let Some(class) = class.filter(|class| !class.decorators.is_empty()) else { continue };
        let node = class.decorators.first().copied().unwrap_or(class.node);
        if !seen.contains(&(*file, node)) {
            seen.push((*file, node));
        }
    }
    let note = String::from("their controller, where one guard holds for all");
    seen.into_iter().map(|site| Evidence { place: Place::Code(site), note: note.clone() }).collect()
}

fn words(open: &[&Open<'_>], worst: Exposure, has_limiter: bool) -> Words {
    let first = open.first().map(|it| route_name(it.route)).unwrap_or_default();
    let worst_route = open.iter().find(|it| it.exposure == worst).map_or(first, |it| route_name(it.route));
    let count = open.len();
    let of = match (count, worst) {
        (1, _) => worst_route.clone(),
        (_, Exposure::Credentials) => format!("{count} routes ({worst_route}, …)"),
        _ => format!("{count} costly routes ({worst_route}, …)"),
    };
    let others = if has_limiter {
        " Other routes of the application have a limiter."
    } else {
        " The application has none."
    };
    let danger = match worst {
        Exposure::Credentials => {
            "Passwords, codes and e-mail addresses can be tried as fast as the server answers, and each try hashes or mails: a few dozen a second fill the thread pool that all hashes, files and DNS lookups share."
        }
        Exposure::Paid => {
            "Each call costs money or sends a message to somebody else: a retry loop of one client, or a script, multiplies it without end."
        }
        Exposure::Heavy => {
            "Each call takes far more memory, processor or database time than a usual one: a handful of clients that repeat it take the capacity of all others."
        }
    };
    Words {
        title: format!("no rate limit in front of {of}"),
        problem: format!("Nothing limits how often one client calls {of}.{others} {danger}"),
        verify: format!(
            "`npx autocannon -c 50 -d 10` against {worst_route}: after the change the answers beyond the limit are 429 with a `Retry-After` (or `RateLimit`) header, and the p95 of other routes stays where it was."
        ),
        tradeoff: String::from(
            "Users behind one address (an office, a mobile carrier) share a limit by IP: limit by account where there is one, and keep the counters in Redis as soon as two instances run.",
        ),
    }
}

fn fix(
    audit: &Audit<'_, '_>,
    application: Option<&Application>,
    open: &[&Open<'_>],
    has_limiter: bool,
) -> Fix {
    let wired = application.map(|application| wired(audit, Concern::RateLimit, application));
    if let Some(mut fix) = wired.filter(|fix| fix.after.is_some() && !has_limiter) {
        let mut paths: Vec<String> = Vec::new();
        for it in open.iter().filter(|it| it.exposure != Exposure::Heavy || open.len() == 1) {
            let path = format!("\"{}\"", it.route.path);
            if !it.route.path.contains('{') && !paths.contains(&path) && paths.len() < PATHS_SHOWN {
                paths.push(path);
            }
        }
        let listed = paths.join(", ");
        let is_behind = audit.facts.behind_proxy.is_stated() && audit.facts.behind_proxy.value;
        let trusts = audit.facts.trust_proxy.value != TrustProxy::Off;
        let filled = |code: &str| {
            let code = code.replace("{paths}", &listed);
            if is_behind && !trusts { trusting(&code) } else { code }
        };
        fix.after = fix.after.map(|code| filled(&code));
        for edit in &mut fix.edits {
            edit.replacement = filled(&edit.replacement);
        }
        let apart = limiters::counting_apart(audit);
        if let Some(instances) = apart {
            fix.description = format!(
                "{} {instances} instances run: give it a store that they share (`store: new RedisStore({{ … }})`), or each allows the whole limit.",
                fix.description
            );
        }
        if apart.is_some() || paths.is_empty() || paths.len() < limited_routes(open) {
            // A person chooses the shared store, or lists the routes that would stay without.
            fix.edits.clear();
            fix.packages.clear();
            fix.applicability = Applicability::Manual;
        }
        return fix;
    }
    let site = open.first().map(|it| it.route.site);
    Fix {
        description: String::from(
            "Put the application's limiter in front of these routes, with a limit that fits what they cost: about 10 a minute and client for credentials, as many as a person can use for the others.",
        ),
        before: site.map(|site| first_line(audit, site)),
        after: site.and_then(|site| limited(audit, site)),
        ..Fix::default()
    }
}

/// The code with the proxy in front made known: a limiter would count all users as one.
fn trusting(code: &str) -> String {
    let Some(at) = code.find(".use(rateLimit(") else { return code.to_owned() };
    let start = code.get(..at).and_then(|head| head.rfind('\n')).map_or(0, |line| line + 1);
    let (head, tail) = (code.get(..start).unwrap_or_default(), code.get(start..).unwrap_or_default());
    let app = code.get(start..at).unwrap_or_default();
    format!("{head}{app}.set(\"trust proxy\", 1); // one proxy in front\n{tail}")
}

/// How many paths the fix has to list.
fn limited_routes(open: &[&Open<'_>]) -> usize {
    let listed = open.iter().filter(|it| it.exposure != Exposure::Heavy || open.len() == 1);
    let mut paths: Vec<&str> = listed.map(|it| it.route.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    paths.len()
}

/// Where a route is registered, without its handler.
fn first_line(audit: &Audit<'_, '_>, site: Site) -> String {
    audit.source(audit.statement(site)).lines().next().unwrap_or_default().trim().to_owned()
}

/// The route with a limiter before its other handlers: the one that the application has, or a stricter one.
fn limited(audit: &Audit<'_, '_>, site: Site) -> Option<String> {
    let line = first_line(audit, site);
    let (open, quote) =
        ['\'', '"', '`'].iter().filter_map(|quote| Some((line.find(*quote)?, *quote))).min()?;
    let close = open + 1 + line.get(open + 1..)?.find(quote)?;
    let (head, tail) = (line.get(..=close)?, line.get(close + 1..)?);
    tail.trim_start().starts_with(',').then(|| {
        format!(
            "// as strict as the route is costly, e.g. rateLimit({{ windowMs: 60_000, limit: 10 }})\n{head}, strictLimiter{tail}"
        )
    })
}
