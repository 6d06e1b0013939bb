//! Caches whose failure fails the request, although what they hold can be had from the database.

use std::collections::BTreeMap;

use loadworthy_analysis::{FunctionRef, Site, Timing};
use loadworthy_capacity::{ExternalWait, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_syntax::FunctionId;

use super::{META, asks_database, is_waited_for};
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Hops to callers that may catch.
const HOPS: usize = 3;
/// Most places that one finding shows.
const SHOWN: usize = 12;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut groups: BTreeMap<Option<Site>, Vec<Site>> = BTreeMap::new();
    for (call, library) in audit.analysis.effects(|effect| effect == Effect::CacheGet) {
        let site = call.site;
        if !is_waited_for(audit, site) || is_caught(audit, site) || !has_other_source(audit, site) {
            continue;
        }
        groups.entry(library.made_at).or_default().push(site);
    }
    for sites in groups.into_values() {
        findings.extend(finding(audit, &sites));
    }
}

/// Whether a `try`, here or in a caller, goes on without the cache.
fn is_caught(audit: &Audit<'_, '_>, site: Site) -> bool {
    let Some(module) = audit.module(site) else { return true };
    if loadworthy_analysis::is_in_try(module, site.1) {
        return true;
    }
    // A handler that catches everything answers with an error; a helper that does, has a fallback.
    let mut level: Vec<FunctionRef> = vec![audit.analysis.owner(site)];
    for _ in 0..HOPS {
        let mut next = Vec::new();
        for function in level {
            let is_handler = audit
                .analysis
                .routes()
                .iter()
                .any(|route| route.handler.iter().any(|handler| handler.functions.contains(&function)));
            if is_handler || function.1 == FunctionId::NONE {
                continue;
            }
            for edge in audit.analysis.graph().callers(function).filter(|edge| edge.timing == Timing::InFlow)
            {
                if super::has_fallback(audit, edge.site) {
                    return true;
                }
                next.push(edge.caller);
            }
        }
        level = next;
    }
    false
}

/// Whether the function around the read asks the database too: the cache is only the faster way.
fn has_other_source(audit: &Audit<'_, '_>, site: Site) -> bool {
    let owner = audit.analysis.owner(site);
    asks_database(audit.analysis.works().of(owner))
}

fn finding(audit: &Audit<'_, '_>, sites: &[Site]) -> Option<Finding> {
    let first = *sites.first()?;
    let mut evidence =
        audit.chain_to(first, format!("reads the cache outside `try`: {}", audit.excerpt(first, 70)));
    for site in sites.iter().skip(1).take(SHOWN) {
        evidence.push(Evidence {
            place: Place::Code(*site),
            note: format!("the same: {}", audit.excerpt(*site, 70)),
        });
    }
    let reached = audit.reached_by(first);
    let words = Words {
        title: format!("{reached} fails when the cache fails"),
        problem: String::from(
            "The cache is read outside of `try`, although the database is asked when it has nothing: a restart of Redis, a full memory or a broken connection turns every request into an error, or lets it wait while commands queue, where it could be a slower answer.",
        ),
        verify: format!(
            "Stop Redis while {reached} is under load: after the change it goes on, slower, and the error rate stays at zero."
        ),
        tradeoff: String::from(
            "Without the cache the full load reaches the database: limit it (single-flight, p-limit) or answer 503 for part of it.",
        ),
    };
    let code = audit.excerpt(first, 90);
    let fix = Fix {
        description: String::from(
            "Treat a failing cache as an empty one: catch, count, and go on to the database; give commands a short timeout.",
        ),
        before: Some(code.clone()),
        after: Some(format!("{code}.catch(() => null)")),
        ..Fix::default()
    };
    let cost = crate::runs::cost_of(audit, sites).external(ExternalWait::Expected(1.0));
    Some(
        Finding::new(&META, first, evidence, cost, words, fix)
            .confidence(Confidence::Medium)
            .at_least(Severity::Medium)
            .at_most(Severity::Medium),
    )
}
