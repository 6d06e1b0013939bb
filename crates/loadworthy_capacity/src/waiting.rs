//! Waiting for a connection, for the loop, for something outside.

use crate::assess::Figure;
use crate::background::Background;
use crate::cost::{Cost, ExternalWait, ExtraRequests};
use crate::environment::Environment;
use crate::number::{plain, within_range};
use crate::queueing::{
    Queue, erlang_c, mean_wait_many_servers, mean_wait_single_server, offered_load, servers_needed,
    wait_percentile_many_servers, wait_percentile_single_server,
};
use crate::resources::{Load, Resource, Situation};
use crate::severity::{SLO_AT_RISK, Severity};
use crate::target::Target;

const P95_ABOVE: f64 = 0.05;
/// Squared coefficient of variation of blocking times: as variable as an exponential time.
const BLOCK_VARIATION: f64 = 1.0;

/// The pool as M/M/c: each acquisition is an arrival, its hold the service time.
pub(crate) fn pool(situation: &Situation<'_>) -> Option<Load> {
    let use_of_pool = PoolUse::of(situation)?;
    let alone = Queue {
        arrivals_per_second: situation.rate_per_instance() * use_of_pool.acquisitions,
        service_seconds: use_of_pool.hold_millis / use_of_pool.acquisitions / 1000.0,
        servers: situation.environment.connections(),
    };
    let queue = among_others(&alone, situation);
    let p95 =
        use_of_pool.p95_millis(&queue, within_range(f64::from(situation.cost.queries_at_once)).max(1.0));
    let utilisation = queue.utilisation();
    let own = Severity::of_part(alone.utilisation(), utilisation);
    // A wait that others cause is no finding of this work.
    let latency = Severity::of_latency(p95, situation.objective_millis());
    let alone_p95 = use_of_pool.p95_millis(&alone, f64::from(situation.cost.queries_at_once.max(1)));
    let own_latency = Severity::of_latency(alone_p95, situation.objective_millis());
    let severity = own.max(own_latency).max(latency.min(own));
    Some(Load {
        resource: Resource::ConnectionPool,
        utilisation,
        severity,
        p95_millis: p95.is_finite().then_some(p95),
        figures: pool_figures(situation, &use_of_pool, &alone, &queue),
        assumptions: pool_assumptions(situation),
        text: pool_text(situation, &use_of_pool, [&alone, &queue], p95),
    })
}

/// The 95th percentile in milliseconds of a request's queries, one after the other, beside everything else that the
/// application does, plus its wait for the event loop; `None` where pool or loop don't keep up.
#[must_use]
pub fn response_p95(cost: &Cost, environment: &Environment, background: Background) -> Option<f64> {
    if background.loop_busy >= 1.0 {
        return None;
    }
    // Turns of the loop of about a millisecond each.
    let wait =
        wait_percentile_single_server(background.loop_busy * 1_000.0, 0.001, BLOCK_VARIATION, P95_ABOVE)
            * 1_000.0;
    let target = Target::default();
    let situation = Situation { cost, target: &target, environment, background };
    let Some(used) = PoolUse::of(&situation) else { return Some(wait) };
    let seconds = within_range(cost.query_millis).max(0.1) / 1_000.0;
    let queue = Queue {
        arrivals_per_second: within_range(background.connections_busy) / seconds,
        service_seconds: seconds,
        servers: environment.connections(),
    };
    let millis = used.p95_millis(&queue, 1.0);
    millis.is_finite().then_some(millis + wait)
}

/// What one request asks of the pool.
struct PoolUse {
    queries: f64,
    hold_millis: f64,
    acquisitions: f64,
}

impl PoolUse {
    fn of(situation: &Situation<'_>) -> Option<Self> {
        let cost = situation.cost;
        let queries = cost.queries_per_request.map_or(0.0, |range| within_range(range.likely));
        let extra = within_range(cost.pool_hold_millis.unwrap_or(0.0));
        let hold_millis = queries * within_range(cost.query_millis) + extra;
        let acquisitions = (queries + if extra > 0.0 { 1.0 } else { 0.0 }).max(1.0);
        (hold_millis > 0.0).then_some(Self { queries, hold_millis, acquisitions })
    }

    /// All acquisitions at their mean, one of them at its 95th percentile, `at_once` side by side.
    fn p95_millis(&self, queue: &Queue, at_once: f64) -> f64 {
        let mean = mean_wait_many_servers(queue);
        if !mean.is_finite() {
            return f64::INFINITY;
        }
        let worst = wait_percentile_many_servers(queue, P95_ABOVE).max(mean);
        let rounds = (self.acquisitions / at_once).max(1.0);
        let own_seconds = self.hold_millis / self.acquisitions / 1000.0;
        1000.0 * (rounds * own_seconds + (rounds - 1.0) * mean + worst)
    }
}

/// The same work in the queue that the whole application makes: arrivals add up, service is the weighted mean.
fn among_others(alone: &Queue, situation: &Situation<'_>) -> Queue {
    let own = offered_load(alone.arrivals_per_second, alone.service_seconds);
    let others = situation.background.other_connections(own);
    if others <= 0.0 {
        return *alone;
    }
    let other_arrivals = others / (within_range(situation.cost.query_millis).max(0.1) / 1000.0);
    let arrivals = alone.arrivals_per_second + other_arrivals;
    Queue { arrivals_per_second: arrivals, service_seconds: (own + others) / arrivals, ..*alone }
}

fn pool_figures(situation: &Situation<'_>, used: &PoolUse, alone: &Queue, queue: &Queue) -> Vec<Figure> {
    let own = offered_load(alone.arrivals_per_second, alone.service_seconds);
    let busy = offered_load(queue.arrivals_per_second, queue.service_seconds);
    let mut figures = Vec::new();
    if used.queries > 0.0 {
        figures.push(Figure::new("queries_per_request", used.queries, "queries"));
        figures.push(Figure::new("queries_per_second", used.queries * situation.rate(), "queries/s"));
    }
    figures.extend([
        Figure::new("pool_hold", used.hold_millis, "ms"),
        Figure::new("connections_busy", own, "connections"),
        Figure::new("connections_busy_in_all", busy, "connections"),
        Figure::new("pool_size", f64::from(queue.servers), "connections"),
        Figure::new("pool_utilisation", queue.utilisation(), "ratio"),
        Figure::new("wait_probability", erlang_c(queue.servers, busy), "ratio"),
        Figure::new("pool_size_needed", f64::from(servers_needed(busy, SLO_AT_RISK)), "connections"),
    ]);
    figures
}

fn pool_assumptions(situation: &Situation<'_>) -> Vec<String> {
    let cost = situation.cost;
    let mut assumptions = Vec::new();
    if let Some(range) = cost.queries_per_request {
        assumptions.push(format!("{} ms per query", plain(cost.query_millis)));
        if range.low < range.high {
            assumptions.push(format!(
                "{} queries per request, between {} and {}",
                plain(range.likely),
                plain(range.low),
                plain(range.high)
            ));
        }
    }
    assumptions.extend(situation.environment.pool.max.assumption().map(str::to_owned));
    assumptions.extend(situation.instance_assumption());
    assumptions
}

fn pool_text(situation: &Situation<'_>, used: &PoolUse, [alone, queue]: [&Queue; 2], p95: f64) -> String {
    let own = offered_load(alone.arrivals_per_second, alone.service_seconds);
    let busy = offered_load(queue.arrivals_per_second, queue.service_seconds);
    let whole = if busy > own * 1.01 {
        format!(
            " The application as a whole keeps {} busy (utilisation {}).",
            plain(busy),
            plain(queue.utilisation())
        )
    } else {
        String::new()
    };
    let effect = if p95.is_finite() {
        format!(
            "This work takes {} ms at p95, with a {}% chance to wait for a connection.",
            plain(p95),
            plain(100.0 * erlang_c(queue.servers, busy)),
        )
    } else {
        "The pool saturates: requests queue faster than connections come back.".to_owned()
    };
    format!(
        "{} req/s per instance × {} ms of connection time = {} of {} connections busy (utilisation {}).{whole} {effect}",
        plain(situation.rate_per_instance()),
        plain(used.hold_millis),
        plain(own),
        alone.servers,
        plain(alone.utilisation()),
    )
}

/// The event loop as M/G/1: each block is a job, everything else on the instance waits behind it.
pub(crate) fn event_loop(situation: &Situation<'_>) -> Option<Load> {
    let block = within_range(situation.cost.loop_block_millis?);
    if block <= 0.0 {
        return None;
    }
    let speed = situation.environment.machine.loop_speed();
    let (rate, seconds) = (situation.rate_per_instance(), block / speed / 1000.0);
    let own = offered_load(rate, seconds);
    let utilisation = own + situation.background.other_loop(own);
    // What others do in short turns leaves less of the loop to drain the queue that these blocks make.
    let slowed = if utilisation < 1.0 { (1.0 - own) / (1.0 - utilisation) } else { f64::INFINITY };
    let wait = mean_wait_single_server(rate, seconds, BLOCK_VARIATION) * slowed;
    let blocked = wait_percentile_single_server(rate, seconds, BLOCK_VARIATION, P95_ABOVE);
    let p95 = 1000.0 * (seconds + if blocked > 0.0 { blocked * slowed } else { 0.0 });
    let part = Severity::of_part(own, utilisation);
    let own_p95 = Severity::of_latency(1000.0 * (seconds + blocked), situation.objective_millis());
    let mut assumptions: Vec<String> = situation.instance_assumption().into_iter().collect();
    assumptions.extend(situation.environment.machine.cores.assumption().map(str::to_owned));
    Some(Load {
        resource: Resource::EventLoop,
        utilisation,
        severity: part.max(own_p95).max(Severity::of_latency(p95, situation.objective_millis()).min(part)),
        p95_millis: p95.is_finite().then_some(p95),
        figures: vec![
            Figure::new("loop_block", block, "ms"),
            Figure::new("loop_utilisation", own, "ratio"),
            Figure::new("loop_utilisation_in_all", utilisation, "ratio"),
            Figure::new("loop_wait_mean", wait * 1000.0, "ms"),
        ],
        assumptions,
        text: loop_text([rate, seconds * 1000.0, wait * 1000.0], [own, utilisation]),
    })
}

fn loop_text([rate, block_millis, wait_millis]: [f64; 3], [own, all]: [f64; 2]) -> String {
    let whole =
        if all > own * 1.01 { format!(" (with all other work {})", plain(all)) } else { String::new() };
    let use_of_loop = format!(
        "{} req/s per instance × {} ms of blocked event loop = {} of its one thread{whole}",
        plain(rate),
        plain(block_millis),
        plain(own),
    );
    if wait_millis.is_finite() {
        format!(
            "{use_of_loop}; every request of the instance waits {} ms for it on average.",
            plain(wait_millis)
        )
    } else {
        format!("{use_of_loop}: the loop saturates and no request of the instance is answered in time.")
    }
}

/// Requests in flight by Little's law. A stalled dependency is not the normal case: HIGH at most.
pub(crate) fn outside(situation: &Situation<'_>) -> Option<Load> {
    match situation.cost.external_wait? {
        ExternalWait::Expected(millis) => Some(expected_wait(situation, within_range(millis))),
        ExternalWait::Deadline(millis) => Some(stall(situation, Some(within_range(millis) / 1000.0))),
        ExternalWait::Unbounded => Some(stall(situation, None)),
    }
}

fn expected_wait(situation: &Situation<'_>, millis: f64) -> Load {
    let in_flight = offered_load(situation.rate(), millis / 1000.0);
    Load {
        resource: Resource::RequestsInFlight,
        utilisation: in_flight / users(situation),
        severity: Severity::of_latency(millis, situation.objective_millis()),
        p95_millis: Some(millis),
        figures: vec![
            Figure::new("external_wait", millis, "ms"),
            Figure::new("requests_in_flight", in_flight, "requests"),
        ],
        assumptions: Vec::new(),
        text: format!(
            "{} req/s × {} ms outside the process = {} requests waiting at any moment.",
            plain(situation.rate()),
            plain(millis),
            plain(in_flight)
        ),
    }
}

fn stall(situation: &Situation<'_>, deadline_seconds: Option<f64>) -> Load {
    let run = within_range(situation.target.duration_seconds);
    let seconds = deadline_seconds.unwrap_or(run).min(run);
    let in_flight = offered_load(situation.rate(), seconds).min(users(situation));
    let utilisation = in_flight / users(situation);
    let held = deadline_seconds.map_or("with no deadline".to_owned(), |s| format!("for {} s", plain(s)));
    Load {
        resource: Resource::RequestsInFlight,
        utilisation,
        severity: Severity::of_utilisation(utilisation).min(Severity::High),
        p95_millis: None,
        figures: vec![
            Figure::new("requests_in_flight_in_a_stall", in_flight, "requests"),
            Figure::new("users_waiting", utilisation, "ratio"),
        ],
        assumptions: vec!["the dependency stalls once during the run".to_owned()],
        text: format!(
            "While the dependency stalls, {} req/s wait {held}: {} requests in flight, {}% of the users.",
            plain(situation.rate()),
            plain(in_flight),
            plain(utilisation * 100.0)
        ),
    }
}

fn users(situation: &Situation<'_>) -> f64 {
    f64::from(situation.target.users.max(1))
}

/// Added traffic against the rate the target was set for, which stands for the capacity: the same
/// polling weighs less against a higher target.
pub(crate) fn extra_requests(situation: &Situation<'_>) -> Option<Load> {
    let (extra, origin) = match situation.cost.extra_requests? {
        ExtraRequests::PerRequest(more) => {
            let more = within_range(more);
            let origin = format!("{} req/s × {} more for each", plain(situation.rate()), plain(more));
            (situation.rate() * more, origin)
        }
        ExtraRequests::PerUserPerSecond(each) => {
            let reached = users(situation) * within_range(situation.cost.share).min(1.0);
            let origin = format!("{} users × {} req/s each", plain(reached), plain(each));
            (reached * within_range(each), origin)
        }
    };
    let capacity = within_range(situation.target.requests_per_second).max(f64::MIN_POSITIVE);
    let utilisation = (extra / capacity).min(1e9);
    (extra > 0.0).then(|| Load {
        resource: Resource::RequestCapacity,
        utilisation,
        severity: Severity::of_utilisation(utilisation),
        p95_millis: None,
        figures: vec![
            Figure::new("extra_requests", extra, "requests/s"),
            Figure::new("extra_load", utilisation, "ratio"),
        ],
        assumptions: Vec::new(),
        text: format!(
            "{origin} = {} req/s on top of the {} req/s the target allows for.",
            plain(extra),
            plain(capacity)
        ),
    })
}
