//! Queueing formulas. Rates are per second, times in seconds.
//!
//! Sources: J. Little, "A Proof for the Queuing Formula L = λW" (1961); L. Kleinrock, *Queueing
//! Systems I* (1975), 3.5 (M/M/m) and 5.6 (M/G/1, Pollaczek–Khinchine).

use crate::number::within_range;

/// Most servers a queue is calculated with; the recurrence takes one step for each.
pub const MAX_SERVERS: u32 = 100_000;

/// A queue: arrivals, the mean time one is served, and how many are served at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Queue {
    /// Arrivals per second (λ).
    pub arrivals_per_second: f64,
    /// Mean seconds of service (S).
    pub service_seconds: f64,
    /// Served at the same time (c).
    pub servers: u32,
}

impl Queue {
    /// ρ = λS / c, may exceed 1.
    #[must_use]
    pub fn utilisation(&self) -> f64 {
        offered_load(self.arrivals_per_second, self.service_seconds) / f64::from(self.server_count())
    }

    fn server_count(&self) -> u32 {
        self.servers.clamp(1, MAX_SERVERS)
    }

    /// cμ − λ: how fast a queue drains; `None` when it does not.
    fn drain_rate(&self) -> Option<f64> {
        let service = within_range(self.service_seconds).max(1e-12);
        let rate = f64::from(self.server_count()) / service - within_range(self.arrivals_per_second);
        (rate > 0.0).then_some(rate)
    }
}

/// Little's law, L = λW: the mean number present, in a pool the connections in use (erlangs).
#[must_use]
pub fn offered_load(arrivals_per_second: f64, seconds: f64) -> f64 {
    within_range(arrivals_per_second) * within_range(seconds)
}

/// Erlang C: the chance that an arrival must wait in M/M/c with an offered load of `erlangs`.
///
/// From Erlang B by its recurrence B(0) = 1, B(k) = aB(k−1) / (k + aB(k−1)), which never
/// overflows, then C = B / (1 − ρ(1 − B)). 1 for a queue that does not drain.
#[must_use]
pub fn erlang_c(servers: u32, erlangs: f64) -> f64 {
    let servers = servers.clamp(1, MAX_SERVERS);
    let load = within_range(erlangs);
    let utilisation = load / f64::from(servers);
    if utilisation >= 1.0 {
        return 1.0;
    }
    let blocked = (1..=servers).fold(1.0, |blocked, k| load * blocked / (f64::from(k) + load * blocked));
    (blocked / (1.0 - utilisation * (1.0 - blocked))).clamp(0.0, 1.0)
}

/// Mean wait of M/M/c: W = C / (cμ − λ). Infinite for a queue that does not drain.
#[must_use]
pub fn mean_wait_many_servers(queue: &Queue) -> f64 {
    let load = offered_load(queue.arrivals_per_second, queue.service_seconds);
    queue.drain_rate().map_or(f64::INFINITY, |rate| erlang_c(queue.servers, load) / rate)
}

/// The wait of M/M/c that a share `above` (0.05 for p95) of arrivals exceed:
/// P(W > t) = C·e^(−(cμ − λ)t), so t = ln(C / above) / (cμ − λ).
#[must_use]
pub fn wait_percentile_many_servers(queue: &Queue, above: f64) -> f64 {
    let load = offered_load(queue.arrivals_per_second, queue.service_seconds);
    let chance = erlang_c(queue.servers, load);
    queue.drain_rate().map_or(f64::INFINITY, |rate| (chance / above.clamp(1e-9, 1.0)).ln().max(0.0) / rate)
}

/// Mean wait of M/G/1 by Pollaczek–Khinchine: W = ρS(1 + v) / (2(1 − ρ)), where v is the squared
/// coefficient of variation of the service time (0 fixed, 1 exponential).
#[must_use]
pub fn mean_wait_single_server(arrivals_per_second: f64, service_seconds: f64, variation: f64) -> f64 {
    let utilisation = offered_load(arrivals_per_second, service_seconds);
    if utilisation >= 1.0 {
        return f64::INFINITY;
    }
    utilisation * within_range(service_seconds) * (1.0 + within_range(variation))
        / (2.0 * (1.0 - utilisation))
}

/// The wait of M/G/1 that a share `above` of arrivals exceed, taking the wait of those who wait as
/// exponential with mean W / ρ (exact for exponential service): t = W/ρ · ln(ρ / above).
#[must_use]
pub fn wait_percentile_single_server(
    arrivals_per_second: f64,
    service_seconds: f64,
    variation: f64,
    above: f64,
) -> f64 {
    let utilisation = offered_load(arrivals_per_second, service_seconds);
    if utilisation <= above.clamp(1e-9, 1.0) {
        return 0.0;
    }
    let mean = mean_wait_single_server(arrivals_per_second, service_seconds, variation);
    mean / utilisation * (utilisation / above.clamp(1e-9, 1.0)).ln()
}

/// The fewest servers that keep utilisation within `utilisation` at this offered load.
#[must_use]
pub fn servers_needed(erlangs: f64, utilisation: f64) -> u32 {
    let needed =
        (within_range(erlangs) / utilisation.clamp(0.01, 1.0)).ceil().clamp(1.0, f64::from(MAX_SERVERS));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and MAX_SERVERS after the clamp"
    )]
    let servers = needed as u32;
    servers
}
