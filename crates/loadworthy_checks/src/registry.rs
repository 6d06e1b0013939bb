//! Every check, and their running.

use loadworthy_analysis::{Analysis, Resolver, is_development_only};
use rayon::prelude::*;

use crate::audit::Audit;
use crate::finding::{Finding, Place};
use crate::meta::Check;
use crate::setting::Setting;
use crate::{asynchrony, database, frontend, habits, memory, resilience};

/// Every check, one a line, in the order of their codes.
#[rustfmt::skip]
pub const CHECKS: &[&dyn Check] = &[
    &database::n_plus_one::NPlusOne,
    &database::unbounded_fetch::UnboundedFetch,
    &database::missing_index::MissingIndex,
    &database::pool_exhaustion::PoolExhaustion,
    &memory::leaked_handle::LeakedHandle,
    &memory::unbounded_cache::UnboundedCache,
    &memory::log_flooding::LogFlooding,
    &memory::buffered_payload::BufferedPayload,
    &asynchrony::missing_timeout::MissingTimeout,
    &asynchrony::retry_storm::RetryStorm,
    &asynchrony::check_then_act::CheckThenAct,
    &asynchrony::await_waterfall::AwaitWaterfall,
    &asynchrony::event_loop_block::EventLoopBlock,
    &resilience::unprotected_endpoint::UnprotectedEndpoint,
    &resilience::no_circuit_breaker::NoCircuitBreaker,
    &resilience::no_backpressure::NoBackpressure,
    &resilience::error_observability::ErrorObservability,
    &frontend::rerender_storm::RerenderStorm,
    &frontend::unvirtualized_list::UnvirtualizedList,
    &frontend::fetch_loop::FetchLoop,
    &frontend::oversized_state::OversizedState,
];

/// Runs the checks that are wanted, on the threads of the current pool; the findings are in the order of checks and
/// places.
#[must_use]
pub fn run_all(
    analysis: &Analysis<'_>,
    setting: &Setting,
    is_wanted: impl Fn(&'static str) -> bool,
) -> Vec<Finding> {
    let wanted: Vec<&dyn Check> =
        CHECKS.iter().copied().filter(|check| is_wanted(check.meta().code)).collect();
    let found: Vec<Vec<Finding>> = wanted
        .par_iter()
        .map_init(
            || Resolver::new(analysis.program()),
            |resolver, check| {
                let audit = Audit::new(analysis, resolver, setting);
                let mut findings = Vec::new();
                check.run(&audit, &mut findings);
                findings.retain(|finding| is_in_production(&audit, finding));
                findings.sort_by(|a, b| order(a).cmp(&order(b)));
                // The same words about the same place, found on two ways.
                findings.dedup_by(|again, first| order(again) == order(first));
                habits::joined(&audit, findings)
            },
        )
        .collect();
    found.into_iter().flatten().collect()
}

/// Whether a process in production runs the code: routes that nothing mounts and branches for development are none.
fn is_in_production(audit: &Audit<'_, '_>, finding: &Finding) -> bool {
    match &finding.place {
        Place::Code(site) => {
            !audit.analysis.is_abandoned(*site)
                && !is_development_only(audit.program(), audit.resolver, *site)
        }
        Place::Line { .. } => true,
    }
}

type Order<'f> = (usize, u32, &'f str, u32, &'f str);

fn order(finding: &Finding) -> Order<'_> {
    let title = finding.words.title.as_str();
    match &finding.place {
        Place::Code((file, node)) => {
            (file.index(), u32::try_from(node.index()).unwrap_or(u32::MAX), "", 0, title)
        }
        Place::Line { file, first, .. } => (usize::MAX, 0, file, *first, title),
    }
}
