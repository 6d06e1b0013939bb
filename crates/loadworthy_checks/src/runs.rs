//! When a place runs, as a check weighs it, and what several places cost together.

use loadworthy_analysis::{Context, Site};
use loadworthy_capacity::Cost;
use loadworthy_project::FileClass;
use loadworthy_syntax::Kind;

use crate::audit::Audit;

/// When a place runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Runs {
    /// For requests.
    Request,
    /// In jobs, on schedules or on events of the process.
    Job,
    /// In the browser.
    Browser,
    /// Nothing that reaches it was found.
    Unreached,
}

/// When a place runs; `None` if only when the process starts.
pub(crate) fn runs(audit: &Audit<'_, '_>, site: Site) -> Option<Runs> {
    let class = audit.program().class(site.0);
    let contexts = audit.contexts(site);
    if class == Some(FileClass::Client) {
        return Some(Runs::Browser);
    }
    if contexts.contains(&Context::PerRequest) {
        return Some(Runs::Request);
    }
    if contexts.contains(&Context::PerRender) || contexts.contains(&Context::PerEvent) {
        return Some(Runs::Browser);
    }
    if contexts.contains(&Context::PerJob) {
        return Some(Runs::Job);
    }
    if contexts == [Context::Startup] && runs_for_ever(audit, site) {
        return Some(Runs::Job);
    }
    let is_page = class == Some(FileClass::Shared) && has_elements(audit, site);
    contexts.is_empty().then_some(if is_page { Runs::Browser } else { Runs::Unreached })
}

/// Whether a `while (true)` of the process goes through a place: a poller that is started and never ends.
fn runs_for_ever(audit: &Audit<'_, '_>, site: Site) -> bool {
    audit.analysis.repetitions(site).iter().any(|it| {
        let (file, node) = it.repeat.at;
        let Some(module) = audit.module((file, node)) else { return false };
        match module.kind(node) {
            Kind::While { test, .. } | Kind::DoWhile { test, .. } => {
                matches!(module.kind(test), Kind::Bool(true)) || module.source(test) == "1"
            }
            Kind::For(parts) => module.list(parts).nth(1).is_some_and(|test| module.kind(test) == Kind::Hole),
            _ => false,
        }
    })
}

/// Whether a file builds elements of a page.
fn has_elements(audit: &Audit<'_, '_>, site: Site) -> bool {
    audit.module(site).is_some_and(|module| {
        module.text().contains("/>")
            && module.node_ids().any(|node| matches!(module.kind(node), Kind::Element { .. }))
    })
}

/// A cost at the share of the routes that reach any of the places; at that of the first where none does.
pub(crate) fn cost_of(audit: &Audit<'_, '_>, sites: &[Site]) -> Cost {
    let share = audit.share_of(sites);
    let Some(first) = sites.first() else { return Cost::at_share(share) };
    let busiest = sites.iter().copied().find(|site| audit.is_per_request(*site)).unwrap_or(*first);
    let cost = audit.cost_at(busiest);
    Cost { share, ..cost }
}
