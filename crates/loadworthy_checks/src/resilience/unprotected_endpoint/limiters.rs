//! Limiters that are there and do not limit as they should.

use loadworthy_analysis::{Application, Guard, Protections};
use loadworthy_capacity::{Cost, Severity};
use loadworthy_environment::{RateLimiter, TrustProxy};
use loadworthy_project::PackageId;

use super::META;
use crate::audit::Audit;
use crate::finding::{Evidence, Finding, Fix, Place, Words};
use crate::resilience::error_observability::process::package_of;

/// Whether a framework puts a limiter before every route by itself: a plugin or a guard of the whole application.
pub(super) fn is_global(audit: &Audit<'_, '_>, application: Option<&Application>) -> bool {
    let Some(application) = application else { return !audit.facts.rate_limiters.is_empty() };
    let framework = audit.knowledge().library(application.framework).id.as_str();
    framework != "express" && !audit.facts.rate_limiters.is_empty()
}

pub(super) fn run(audit: &Audit<'_, '_>, protections: &mut Protections<'_, '_>, findings: &mut Vec<Finding>) {
    let limiters: Vec<&RateLimiter> = audit.facts.rate_limiters.iter().map(|it| &it.value).collect();
    let Some(first) = limiters.first() else { return };
    let reached: Vec<PackageId> = audit
        .analysis
        .routes()
        .iter()
        .filter(|route| protections.of(route).iter().any(|it| it.guard == Guard::RateLimit))
        .filter_map(|route| package_of(audit, route.site))
        .collect();
    if !reached.is_empty() {
        findings.extend(untrusted(audit, first));
    }
    findings.extend(limiters.iter().find(|it| it.is_in_memory).and_then(|limiter| alone(audit, limiter)));
}

/// Behind a proxy that the application does not trust, every client has the proxy's address.
fn untrusted(audit: &Audit<'_, '_>, limiter: &RateLimiter) -> Option<Finding> {
    let is_behind = audit.facts.behind_proxy.is_stated() && audit.facts.behind_proxy.value;
    let uses_address = limiter.library.name.contains("express");
    if !is_behind || !uses_address || audit.facts.trust_proxy.value != TrustProxy::Off {
        return None;
    }
    let proxy = audit.facts.behind_proxy.evidence.first();
    let mut evidence =
        vec![Evidence { place: line(&limiter.place), note: String::from("counts by the client's address") }];
    evidence.extend(
        proxy.map(|place| Evidence { place: line(place), note: String::from("a proxy stands in front") }),
    );
    let site = audit.analysis.applications(audit.resolver).first()?.site;
    let words = Words {
        title: String::from("the rate limiter counts all users as one: `trust proxy` is not set"),
        problem: String::from(
            "The application runs behind a proxy and does not trust its headers, so every request has the proxy's address and all users share one counter. Under the load the limit is used up within the first seconds, and everybody gets 429.",
        ),
        verify: String::from(
            "Call any route through the proxy with two different clients: `RateLimit-Remaining` counts down for both together now, for each by itself after the change.",
        ),
        tradeoff: String::from(
            "Trust exactly as many proxies as there are: with `true` a client may invent its address.",
        ),
    };
    let fix = Fix {
        description: String::from("Say how many proxies stand in front, before the limiter is mounted."),
        before: Some(audit.lines_around(audit.statement(site), 0)),
        after: Some(format!(
            "{}\napp.set(\"trust proxy\", 1);",
            audit.lines_around(audit.statement(site), 0)
        )),
        ..Fix::default()
    };
    let mut found = Finding::new(&META, site, evidence, Cost::at_share(1.0), words, fix);
    found.routes = Some(Vec::new());
    Some(found.at(line(&limiter.place)).at_least(Severity::High).at_most(Severity::High))
}

/// How many instances would each have counters of their own. Where nothing says how many run, one does.
pub(super) fn counting_apart(audit: &Audit<'_, '_>) -> Option<u32> {
    let instances = audit.facts.instance_count();
    (audit.facts.instances.is_stated() && instances > 1).then_some(instances)
}

/// Counters in the memory of one of several instances.
fn alone(audit: &Audit<'_, '_>, limiter: &RateLimiter) -> Option<Finding> {
    let instances = counting_apart(audit)?;
    let site = audit.analysis.applications(audit.resolver).first()?.site;
    let words = Words {
        title: format!("{} counts in the memory of each instance", limiter.library.name),
        problem: format!(
            "Each instance has counters of its own: with {instances} of them a client may send {instances} times the limit, and each deployment starts all counters at zero."
        ),
        verify: String::from(
            "Send more requests than the limit through the load balancer: the 429 comes at the limit only after the change.",
        ),
        tradeoff: String::from(
            "A shared store costs one round trip to Redis per request (under 1 ms), and must fail open or closed when Redis is away.",
        ),
    };
    let fix = Fix {
        description: format!(
            "Give {} a store that all instances share (`store: new RedisStore({{ … }})`, `storage`, `redis`).",
            limiter.library.name
        ),
        ..Fix::default()
    };
    let evidence =
        vec![Evidence { place: line(&limiter.place), note: String::from("created without a shared store") }];
    let mut found = Finding::new(&META, site, evidence, Cost::at_share(1.0), words, fix);
    found.routes = Some(Vec::new());
    Some(found.at(line(&limiter.place)).at_least(Severity::Medium).at_most(Severity::Medium))
}

fn line(place: &loadworthy_environment::Place) -> Place {
    Place::Line { file: place.file.clone(), first: place.line.unwrap_or(1), last: place.line.unwrap_or(1) }
}
