//! A whole application at the target: how much of each resource it uses, what each route answers in, and the rate at which
//! the first resource is used up.
//!
//! Left out: what a busy event loop adds to the time that a connection is held, retries of clients, and the garbage
//! collector near the heap limit. All three make it worse close to saturation, none moves the rate at which it comes.

use crate::environment::Environment;
use crate::number::within_range;
use crate::queueing::{
    Queue, mean_wait_many_servers, mean_wait_single_server, offered_load, wait_percentile_many_servers,
    wait_percentile_single_server,
};
use crate::resources::Resource;
use crate::target::Target;

/// Heap in MB (2^20 bytes) of a process that serves nobody: Node.js itself takes about 5, the modules of a server with an ORM
/// the rest.
pub const IDLE_HEAP_MB: f64 = 60.0;

const BYTES_PER_MB: f64 = 1_048_576.0;
const P95_ABOVE: f64 = 0.05;
const P50_ABOVE: f64 = 0.5;
/// E\[S²\] / S² of an exponential time (Kleinrock, 5.6): turns of the loop are taken to vary that much.
const SECOND_MOMENT: f64 = 2.0;

/// What one request of an entry point uses.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Demand {
    /// Part of the target's requests that it takes, 0 to 1.
    pub share: f64,
    /// Queries, one after the other.
    pub queries: f64,
    /// Milliseconds of one of them.
    pub query_millis: f64,
    /// Milliseconds for which a connection is held beyond its queries.
    pub hold_millis: f64,
    /// Milliseconds of event loop in turns of usual length.
    pub loop_millis: f64,
    /// Milliseconds of event loop in one turn more, in which nothing else runs.
    pub block_millis: f64,
    /// Calls of other services.
    pub calls: f64,
    /// Milliseconds of waiting for them, all together.
    pub outside_millis: f64,
    /// Bytes alive while it is answered.
    pub bytes: f64,
    /// Bytes that it leaves behind for good.
    pub growth_bytes: f64,
}

impl Demand {
    /// Seconds for which a connection is held, all acquisitions together.
    fn hold_seconds(&self) -> f64 {
        (within_range(self.queries) * within_range(self.query_millis) + within_range(self.hold_millis))
            / 1000.0
    }

    /// How often a connection is taken.
    fn acquisitions(&self) -> f64 {
        let held = if self.hold_millis > 0.0 && self.queries < 1.0 { 1.0 } else { 0.0 };
        within_range(self.queries) + held
    }

    /// Turns of the loop without the one that blocks: one for the request and one for each answer it waits for.
    fn turns(&self) -> f64 {
        1.0 + within_range(self.queries) + within_range(self.calls)
    }

    /// Seconds of event loop at `speed` of a core.
    fn loop_seconds(&self, speed: f64) -> f64 {
        (within_range(self.loop_millis) + within_range(self.block_millis)) / 1000.0 / speed
    }

    /// Seconds of an answer while nobody else asks.
    fn idle_seconds(&self, speed: f64) -> f64 {
        self.hold_seconds() + self.loop_seconds(speed) + within_range(self.outside_millis) / 1000.0
    }
}

/// What one resource is used for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Utilisation {
    /// The resource.
    pub resource: Resource,
    /// Use at the target; 1 is all of it.
    pub utilisation: f64,
    /// Requests per second over all instances at which it is used up; `None` where nothing uses it.
    pub saturates_at: Option<f64>,
}

/// What an entry point answers in, and its own part of each resource.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RouteUse {
    /// Requests per second over all instances.
    pub requests_per_second: f64,
    /// Its part of the event loop of an instance.
    pub event_loop: f64,
    /// Its part of the connections of an instance.
    pub connection_pool: f64,
    /// Its part of the heap of an instance at the end of the run.
    pub heap: f64,
    /// Milliseconds within which half of its requests answer; `None` where a queue does not drain.
    pub p50_millis: Option<f64>,
    /// Likewise 95%.
    pub p95_millis: Option<f64>,
}

/// An application at the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Application {
    /// Event loop, connection pool and heap of an instance, in this order.
    pub resources: [Utilisation; 3],
    /// In the order of the demands.
    pub routes: Vec<RouteUse>,
    /// Milliseconds within which routes with half of the traffic answer half of their requests.
    pub p50_millis: Option<f64>,
    /// Milliseconds within which routes with 95% of the traffic answer 95% of theirs: an upper bound of the application's.
    pub p95_millis: Option<f64>,
    /// Requests in flight over all instances; `None` where a queue does not drain.
    pub in_flight: Option<f64>,
    /// MB of heap of an instance at the end of the run, see [`IDLE_HEAP_MB`].
    pub heap_mb_at_end: f64,
    /// MB of heap that an instance may use.
    pub heap_limit_mb: f64,
}

impl Application {
    /// Puts all demands together on the target.
    #[must_use]
    pub fn at(demands: &[Demand], target: &Target, environment: &Environment) -> Self {
        let waits = Waits::of(demands, target, environment);
        let routes: Vec<RouteUse> = demands.iter().map(|it| waits.route(it)).collect();
        let weighed = |of: fn(&RouteUse) -> Option<f64>| {
            demands.iter().zip(&routes).map(move |(demand, route)| (demand.share, of(route)))
        };
        let used = demands.iter().map(|it| waits.rate * within_range(it.share) * waits.heap_mb(it));
        let heap_mb_at_end = IDLE_HEAP_MB + used.sum::<f64>();
        let in_flight = demands.iter().zip(&routes).try_fold(0.0, |sum, (demand, route)| {
            let seconds = if demand.share > 0.0 { route.p50_millis? / 1000.0 } else { 0.0 };
            Some(sum + offered_load(route.requests_per_second, seconds))
        });
        Self {
            resources: waits.resources(demands, heap_mb_at_end),
            p50_millis: quantile(weighed(|it| it.p50_millis), P50_ABOVE),
            p95_millis: quantile(weighed(|it| it.p95_millis), P95_ABOVE),
            routes,
            in_flight,
            heap_mb_at_end,
            heap_limit_mb: environment.machine.heap_mb(),
        }
    }

    /// The resource that is used up first as the rate rises; `None` where nothing is used.
    #[must_use]
    pub fn bottleneck(&self) -> Option<Utilisation> {
        let used = self.resources.iter().filter(|it| it.saturates_at.is_some());
        used.copied().min_by(|a, b| {
            let rate = |it: &Utilisation| it.saturates_at.unwrap_or(f64::INFINITY);
            rate(a).total_cmp(&rate(b))
        })
    }
}

/// The queues that all requests of an instance share, at one rate.
struct Waits {
    /// Requests per second of an instance.
    rate: f64,
    instances: f64,
    duration: f64,
    speed: f64,
    heap_limit: f64,
    pool: Queue,
    /// Waits for a connection in seconds: mean, median, 95th percentile.
    connection: [f64; 3],
    /// Waits of a turn for the loop, likewise.
    turn: [f64; 3],
    /// Utilisation of the loop (ρ).
    loop_busy: f64,
}

impl Waits {
    fn of(demands: &[Demand], target: &Target, environment: &Environment) -> Self {
        let machine = &environment.machine;
        let (instances, speed) = (machine.instance_count(), machine.loop_speed());
        let rate = target.rate_at(1.0) / instances;
        let sum = |of: &dyn Fn(&Demand) -> f64| mean(demands, of) * rate;
        let acquired = sum(&Demand::acquisitions);
        let busy = sum(&Demand::hold_seconds);
        let pool = Queue {
            arrivals_per_second: acquired,
            service_seconds: if acquired > 0.0 { busy / acquired } else { 0.0 },
            servers: environment.connections(),
        };
        let connection = if busy > 0.0 {
            [
                mean_wait_many_servers(&pool),
                wait_percentile_many_servers(&pool, P50_ABOVE),
                wait_percentile_many_servers(&pool, P95_ABOVE),
            ]
        } else {
            [0.0; 3]
        };
        let loop_busy = sum(&|it| it.loop_seconds(speed));
        let turn = turn_waits(
            sum(&|it| it.turns() + f64::from(u8::from(it.block_millis > 0.0))),
            loop_busy,
            sum(&|it| second_moment(it, speed)),
        );
        let duration = within_range(target.duration_seconds);
        Self {
            rate,
            instances,
            duration,
            speed,
            heap_limit: machine.heap_mb(),
            pool,
            connection,
            turn,
            loop_busy,
        }
    }

    /// Every wait in its mean, but one for a connection and the first for the loop at the percentile.
    fn route(&self, demand: &Demand) -> RouteUse {
        let rate = self.rate * within_range(demand.share);
        let answer = |worst: usize| {
            let at = |waits: &[f64; 3]| waits.get(worst).copied().unwrap_or_default();
            let acquired = demand.acquisitions();
            let more = (acquired - 1.0).max(0.0);
            // Nothing times an endless wait is no wait.
            let connections = if more > 0.0 { more * self.connection[0] } else { 0.0 }
                + if acquired > 0.0 { at(&self.connection) } else { 0.0 };
            let seconds =
                demand.idle_seconds(self.speed) + connections + at(&self.turn) + self.later_turns(demand);
            seconds.is_finite().then_some(seconds * 1000.0)
        };
        RouteUse {
            requests_per_second: rate * self.instances,
            event_loop: rate * demand.loop_seconds(self.speed),
            connection_pool: rate * demand.hold_seconds() / f64::from(self.pool.servers.max(1)),
            heap: rate * self.heap_mb(demand) / self.heap_limit,
            p50_millis: answer(1),
            p95_millis: answer(2),
        }
    }

    /// Waits of the turns after the first. The loop was free when the turn before ended: what a turn then finds is at most the
    /// work that came while it waited for its query or call, ρ·t, and at most the mean of any arrival.
    fn later_turns(&self, demand: &Demand) -> f64 {
        let waited = demand.hold_seconds() + within_range(demand.outside_millis) / 1000.0;
        let later = demand.turns() - 1.0;
        if later > 0.0 { (self.loop_busy.min(1.0) * waited).min(later * self.turn[0]) } else { 0.0 }
    }

    /// MB at the end of the run for each request per second: what is alive by Little's law, for the time of an answer
    /// while nobody else asks, and what all requests of the run left.
    fn heap_mb(&self, demand: &Demand) -> f64 {
        let alive = within_range(demand.bytes) * demand.idle_seconds(self.speed);
        (alive + within_range(demand.growth_bytes) * self.duration) / BYTES_PER_MB
    }

    fn resources(&self, demands: &[Demand], heap_mb_at_end: f64) -> [Utilisation; 3] {
        let of = |resource, per_request: f64, used: f64, limit: f64| Utilisation {
            resource,
            utilisation: used / limit,
            saturates_at: (per_request > 0.0).then_some(limit / per_request * self.instances),
        };
        let linear = |resource, per_request: f64, limit: f64| {
            of(resource, per_request, per_request * self.rate, limit)
        };
        let room = (self.heap_limit - IDLE_HEAP_MB).max(0.0);
        let heap = linear(Resource::Heap, mean(demands, &|it| self.heap_mb(it)), room);
        [
            linear(Resource::EventLoop, mean(demands, &|it| it.loop_seconds(self.speed)), 1.0),
            linear(
                Resource::ConnectionPool,
                mean(demands, &Demand::hold_seconds),
                f64::from(self.pool.servers.max(1)),
            ),
            Utilisation { utilisation: heap_mb_at_end / self.heap_limit, ..heap },
        ]
    }
}

/// What a request uses on average.
fn mean(demands: &[Demand], of: &dyn Fn(&Demand) -> f64) -> f64 {
    demands.iter().map(|it| within_range(it.share) * of(it)).sum()
}

/// Σ E\[S²\] over the turns of one request: equal turns, and the one that blocks.
fn second_moment(demand: &Demand, speed: f64) -> f64 {
    let turn = within_range(demand.loop_millis) / 1000.0 / speed / demand.turns();
    let block = within_range(demand.block_millis) / 1000.0 / speed;
    SECOND_MOMENT * (demand.turns() * turn * turn + block * block)
}

/// Mean, median and 95th percentile of M/G/1 whose jobs are the turns of all requests; v = E\[S²\] / E\[S\]² − 1.
fn turn_waits(turns: f64, busy: f64, squares: f64) -> [f64; 3] {
    if turns <= 0.0 || busy <= 0.0 {
        return [0.0; 3];
    }
    let turn = busy / turns;
    let variation = squares / turns / (turn * turn) - 1.0;
    [
        mean_wait_single_server(turns, turn, variation),
        wait_percentile_single_server(turns, turn, variation, P50_ABOVE),
        wait_percentile_single_server(turns, turn, variation, P95_ABOVE),
    ]
}

/// The least value that routes with all but `above` of the traffic stay within.
fn quantile(weighed: impl Iterator<Item = (f64, Option<f64>)>, above: f64) -> Option<f64> {
    let mut weighed: Vec<(f64, f64)> =
        weighed.map(|(share, value)| (within_range(share), value.unwrap_or(f64::INFINITY))).collect();
    weighed.sort_by(|a, b| a.1.total_cmp(&b.1));
    let needed = (1.0 - above) * weighed.iter().map(|it| it.0).sum::<f64>();
    let mut reached = 0.0;
    let found = weighed.iter().filter(|it| it.0 > 0.0).find(|it| {
        reached += it.0;
        // Shares are sums of parts: rounding is no route.
        reached >= needed - 1e-9
    });
    found.map(|it| it.1).filter(|value| value.is_finite())
}
