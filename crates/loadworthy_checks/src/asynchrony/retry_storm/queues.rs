//! Which queue a job is of, and how often that queue tries its jobs.

use loadworthy_analysis::{Call, FunctionRef, LibraryCall, Site};
use loadworthy_knowledge::Effect;

use super::jobs;
use crate::audit::Audit;

/// The queue whose jobs run a function, by its name.
pub(super) fn of_function(audit: &Audit<'_, '_>, function: FunctionRef) -> Option<String> {
    let way = audit.analysis.reach().way_to(function);
    let entry = way.first().map_or(function, |edge| edge.caller);
    let runs = |call: &&Call<'_>| {
        call.handed.iter().any(|handed| handed.function == entry && handed.runs.is_some())
            && call.library.as_ref().and_then(LibraryCall::effect) == Some(Effect::QueueConsume)
    };
    audit.analysis.calls().iter().find(runs).and_then(|call| name(audit, call))
}

/// The name of the queue that a call makes, fills or empties.
pub(super) fn name(audit: &Audit<'_, '_>, call: &Call<'_>) -> Option<String> {
    let made = call.library.as_ref()?.made_at.unwrap_or(call.site);
    audit.resolver.text_of(audit.resolver.argument(made, 0)?)
}

/// Attempts of both layers from which the product is worth telling.
const PRODUCT: f64 = 10.0;

/// How often the queue tries the job that makes a call, and where that is said, where that many attempts of its own
/// make it a lot.
pub(super) fn attempts_above(audit: &Audit<'_, '_>, call: Site, own: f64) -> Option<(f64, Site)> {
    if !audit.is_per_job(call) {
        return None;
    }
    let function = audit.analysis.owner(call);
    let queue = of_function(audit, function)?;
    let all = jobs::stated(audit).filter(|stated| stated.queue.as_ref() == Some(&queue));
    all.filter_map(|stated| Some((audit.resolver.number_of(stated.attempts)?, stated.attempts)))
        .filter(|(attempts, _)| *attempts > 1.0 && *attempts * own >= PRODUCT)
        .max_by(|a, b| a.0.total_cmp(&b.0))
}
