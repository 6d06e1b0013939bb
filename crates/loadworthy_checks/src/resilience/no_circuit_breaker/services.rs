//! Other services, each with everything that calls it.

use std::collections::{BTreeMap, BTreeSet};

use loadworthy_analysis::{Call, Deadline, Deadlines, FunctionRef, LibraryCall, Site};
use loadworthy_capacity::{ExternalWait, Severity};
use loadworthy_knowledge::Effect;

use super::{META, follows_write, has_fallback, is_waited_for};
use crate::audit::Audit;
use crate::dependency::{dependency, is_local, is_relative};
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Milliseconds a call of another service takes on a normal day.
const CALL_MILLIS: f64 = 200.0;
/// Part of the traffic that a dependency may hold before its illness is everybody's.
const FAN_IN: f64 = 0.2;
/// Most call sites that one finding shows.
const SHOWN: usize = 12;

/// What is called.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Mail and messages: the answer does not need them.
    Message,
    /// Anything that the answer needs.
    Needed,
}

struct Caller<'a, 'p> {
    call: &'a Call<'p>,
    has_deadline: bool,
}

pub(super) fn run(audit: &Audit<'_, '_>, isolated: &BTreeSet<FunctionRef>, findings: &mut Vec<Finding>) {
    let deadlines = Deadlines::new(audit.analysis, audit.resolver);
    let mut groups: BTreeMap<(Kind, String), Vec<Caller<'_, '_>>> = BTreeMap::new();
    let trips = audit.analysis.effects(Effect::is_service_call);
    for (call, library) in trips {
        let site = call.site;
        if !is_waited_for(audit, site)
            || isolated.contains(&audit.analysis.owner(site))
            || library.made_at.is_none() && is_relative(audit, site)
        {
            continue;
        }
        let name = dependency(audit, call, library);
        if is_local(&name) || has_fallback(audit, site) {
            continue;
        }
        let name = named(audit, call, library, name);
        let kind = if library.effect() == Some(Effect::MailSend) { Kind::Message } else { Kind::Needed };
        let has_deadline = has_deadline(&deadlines, call, library);
        groups.entry((kind, name)).or_default().push(Caller { call, has_deadline });
    }
    for ((kind, name), callers) in groups {
        findings.extend(match kind {
            Kind::Message => message(audit, &name, &callers),
            Kind::Needed => needed(audit, &name, &callers),
        });
    }
}

/// A name that says more than that of the library by which HTTP is spoken: the address as the code has it.
pub(crate) fn named(
    audit: &Audit<'_, '_>,
    call: &Call<'_>,
    library: &LibraryCall<'_>,
    name: String,
) -> String {
    let is_library = name == audit.knowledge().library(library.lib).id;
    if !is_library || library.effect() != Some(Effect::HttpRequest) {
        return name;
    }
    let address = audit.resolver.argument(call.site, 0).map(|at| audit.excerpt(at, 40)).unwrap_or_default();
    let lower = address.to_lowercase();
    let is_address =
        ["url", "uri", "http", "host", "endpoint", "api", "base"].iter().any(|word| lower.contains(word));
    if is_address { format!("the service at `{}`", address.trim_matches('`')) } else { name }
}

fn has_deadline<'p>(deadlines: &Deadlines<'_, 'p>, call: &Call<'p>, library: &LibraryCall<'p>) -> bool {
    let Some(row) = deadlines.row(call, library) else { return true };
    matches!(deadlines.of(call, library, row), Deadline::Set { .. } | Deadline::Raced(_))
}

fn evidence(audit: &Audit<'_, '_>, callers: &[Caller<'_, '_>], first: Site, what: &str) -> Vec<Evidence> {
    let mut all = audit.chain_to(first, format!("{what}: {}", audit.excerpt(first, 70)));
    for caller in callers.iter().filter(|it| it.call.site != first).take(SHOWN) {
        let note = format!("{what}: {}", audit.excerpt(caller.call.site, 70));
        all.push(Evidence { place: Place::Code(caller.call.site), note });
    }
    all
}

/// Mail that the client of the request waits for.
fn message(audit: &Audit<'_, '_>, name: &str, callers: &[Caller<'_, '_>]) -> Option<Finding> {
    let sites: Vec<Site> = callers.iter().map(|it| it.call.site).collect();
    // One that comes after a write shows the harm best.
    let first = *sites.iter().find(|site| follows_write(audit, **site)).or(sites.first())?;
    let after_write = follows_write(audit, first);
    let reached = audit.reached_by_any(&sites);
    let failure = if after_write {
        "What was saved before stays saved, but a mail server that is down turns the answer into an error, and the client sends everything again."
    } else {
        "A mail server that is down turns the answer into an error."
    };
    let words = Words {
        title: format!("{reached} waits until mail is sent ({name})"),
        problem: format!(
            "The client waits for the mail server, which takes from half a second to minutes and is not needed for the answer. {failure} Under load the requests that wait for mail pile up: rate × seconds of them at any time."
        ),
        verify: format!(
            "Stop the mail server (or point it at a port that accepts and stays silent) and call {reached}: after the change it answers as fast as before."
        ),
        tradeoff: String::from(
            "A queue needs a worker, retries and a dead-letter list; until there is one, send without waiting and log failures (`void send().catch(log)`), which loses mail when the process ends.",
        ),
    };
    let before = audit.lines_around(audit.statement(first), 0);
    let fix = Fix {
        description: String::from(
            "Put the message into a queue, or into an outbox table within the same transaction, and answer; a worker sends it with retries.",
        ),
        after: Some(String::from(
            "await mailQueue.add(\"mail\", message, { attempts: 5, backoff: { type: \"exponential\", delay: 1_000 } });",
        )),
        before: Some(before),
        ..Fix::default()
    };
    let cost = crate::runs::cost_of(audit, &sites).external(ExternalWait::Expected(CALL_MILLIS * 5.0));
    let mut found =
        Finding::new(&META, first, evidence(audit, callers, first, "waits for mail"), cost, words, fix)
            .at_least(Severity::Medium)
            .at_most(Severity::High);
    found.routes = Some(audit.route_names_of(&sites));
    Some(found)
}

/// A service that the answer needs, without a breaker.
fn needed(audit: &Audit<'_, '_>, name: &str, callers: &[Caller<'_, '_>]) -> Option<Finding> {
    let sites: Vec<Site> = callers.iter().map(|it| it.call.site).collect();
    let first = *sites
        .iter()
        .max_by(|a, b| audit.share_of(&[**a]).total_cmp(&audit.share_of(&[**b])).then_with(|| b.cmp(a)))?;
    let has_deadline = callers.iter().all(|it| it.has_deadline);
    let reached = audit.reached_by_any(&sites);
    let cost = crate::runs::cost_of(audit, &sites).external(ExternalWait::Expected(CALL_MILLIS));
    let rate = audit.target.rate_at(cost.share);
    let ends = if has_deadline {
        "Each waits until its deadline, again and again, as long as the service is ill."
    } else {
        "Nothing ends the wait."
    };
    let words = Words {
        title: format!("{reached} depends on {name} without a breaker"),
        problem: format!(
            "Each request waits for {name}, with no circuit breaker, no limit of concurrency and no fallback around it. When it slows down to 5 s, {} requests are in flight for it at the target instead of {}, and hold sockets, memory and connections that other routes need. {ends}",
            number(rate * 5.0),
            number(rate * CALL_MILLIS / 1_000.0),
        ),
        verify: format!(
            "Put a proxy that delays by 5 s in front of {name} and load {reached} together with a route that does not use it: the other's p95 must stay where it was, and {reached} must fail fast once the breaker is open."
        ),
        tradeoff: String::from(
            "A breaker needs thresholds that fit (error share, time to try again) and an answer for the time it is open; below a few calls a second a short deadline does as well.",
        ),
    };
    let code = audit.excerpt(first, 90);
    let fix = Fix {
        description: format!(
            "Put one breaker for {name} at module level around the function that calls it, with a deadline below the SLO and a fallback (a cached answer, a default, 503 with `Retry-After`)."
        ),
        before: Some(code.clone()),
        after: Some(String::from(
            "import CircuitBreaker from \"opossum\";\n\nconst breaker = new CircuitBreaker(callService, { timeout: 2_000, errorThresholdPercentage: 50, resetTimeout: 10_000, capacity: 50 });\nbreaker.fallback(() => null);\n\nconst answer = await breaker.fire(input);",
        )),
        ..Fix::default()
    };
    let most = if cost.share >= FAN_IN && !has_deadline { Severity::High } else { Severity::Medium };
    let least = if cost.share >= FAN_IN || !has_deadline { Severity::Medium } else { Severity::Monitor };
    let mut found =
        Finding::new(&META, first, evidence(audit, callers, first, "waits for it"), cost, words, fix)
            .confidence(Confidence::Medium)
            .at_least(least.min(most))
            .at_most(most)
            .assuming(format!("{name} answers within {CALL_MILLIS} ms on a normal day"));
    found.routes = Some(audit.route_names_of(&sites));
    Some(found)
}

fn number(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { crate::database::rows::plain(value) }
}
