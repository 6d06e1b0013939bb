//! Memory: what stays after a request, and what is alive during one.

use crate::assess::Figure;
use crate::number::{plain, within_range};
use crate::queueing::offered_load;
use crate::resources::{Load, Resource, Situation};
use crate::severity::Severity;

const BYTES_PER_MB: f64 = 1_048_576.0;
/// A process that a leak ends within a day is visible even when the run is shorter.
const DAY_SECONDS: f64 = 86_400.0;

/// Growth over the run: requests of an instance × bytes, against its heap limit.
pub(crate) fn growth(situation: &Situation<'_>) -> Option<Load> {
    let bytes = within_range(situation.cost.heap_growth_bytes_per_request?);
    let limit = situation.environment.machine.heap_mb();
    let per_second = situation.rate_per_instance() * bytes / BYTES_PER_MB;
    if per_second <= 0.0 {
        return None;
    }
    let grown = situation.runs_per_instance() * bytes / BYTES_PER_MB;
    let seconds_to_limit = limit / per_second;
    Some(Load {
        resource: Resource::Heap,
        utilisation: grown / limit,
        severity: growth_severity(grown / limit, seconds_to_limit),
        p95_millis: None,
        figures: vec![
            Figure::new("heap_growth_over_run", grown, "MB"),
            Figure::new("heap_limit", limit, "MB"),
            Figure::new("time_to_heap_limit", seconds_to_limit, "s"),
        ],
        assumptions: assumptions(situation),
        text: format!(
            "{} req/s per instance × {} kB kept = {} MB after {} s, of a heap limit of {} MB; it is full after {}.",
            plain(situation.rate_per_instance()),
            plain(bytes / 1024.0),
            plain(grown),
            plain(situation.target.duration_seconds),
            plain(limit),
            duration(seconds_to_limit)
        ),
    })
}

fn growth_severity(part: f64, seconds_to_limit: f64) -> Severity {
    let of_run = Severity::of_utilisation(part);
    if seconds_to_limit <= DAY_SECONDS { of_run.max(Severity::Medium) } else { of_run }
}

/// Bytes alive at once: requests in flight by Little's law × bytes of one. The time a request is
/// in flight is taken as the latency objective.
pub(crate) fn in_flight(situation: &Situation<'_>) -> Option<Load> {
    let bytes = within_range(situation.cost.bytes_per_request?);
    let limit = situation.environment.machine.heap_mb();
    let seconds = situation.objective_millis() / 1000.0;
    // A request that is there at all is there as a whole.
    let at_once = offered_load(situation.rate_per_instance(), seconds).max(1.0);
    let alive = at_once * bytes / BYTES_PER_MB;
    let mut assumptions = assumptions(situation);
    assumptions.push(format!("a request is in flight for {} s, the latency objective", plain(seconds)));
    (bytes > 0.0).then(|| Load {
        resource: Resource::Heap,
        utilisation: alive / limit,
        severity: Severity::of_utilisation(alive / limit),
        p95_millis: None,
        figures: vec![
            Figure::new("bytes_per_request", bytes, "bytes"),
            Figure::new("requests_at_once", at_once, "requests"),
            Figure::new("memory_in_flight", alive, "MB"),
            Figure::new("heap_limit", limit, "MB"),
        ],
        assumptions,
        text: format!(
            "{} requests at once per instance × {} MB = {} MB alive, of a heap limit of {} MB.",
            plain(at_once),
            plain(bytes / BYTES_PER_MB),
            plain(alive),
            plain(limit)
        ),
    })
}

fn assumptions(situation: &Situation<'_>) -> Vec<String> {
    let mut assumptions: Vec<String> = situation.instance_assumption().into_iter().collect();
    assumptions.extend(situation.environment.machine.heap_limit_mb.assumption().map(str::to_owned));
    assumptions.push("the whole heap limit is free for it".to_owned());
    assumptions
}

/// Seconds in the largest unit that leaves at least two of it.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{} s", plain(s)),
        s if s < 7200.0 => format!("{} min", plain(s / 60.0)),
        s if s < 2.0 * DAY_SECONDS => format!("{} h", plain(s / 3600.0)),
        s => format!("{} days", plain(s / DAY_SECONDS)),
    }
}
