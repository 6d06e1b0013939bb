//! What the application as a whole asks of its pool and its event loop at the target: the load that each finding comes
//! on top of, and each route's queries.

use std::collections::BTreeMap;

use loadworthy_analysis::{Query, Repeat, Route, Tallies, Trip, TripKind, chosen};
use loadworthy_capacity::{Background, Cost, DEFAULT_QUERY_MILLIS, response_p95};
use loadworthy_project::PackageId;

use crate::audit::Audit;
use crate::database::rows::{Count, count};
use crate::finding::{Finding, Place, Verdict};

/// Milliseconds of JavaScript that a request costs without any finding: routing, parsing, serialising a small answer.
/// Express 4 serves about 10,000 trivial requests a second on one core (0.1 ms); session, validation, an ORM's mapping
/// and JSON make it about one.
pub const BASE_LOOP_MILLIS: f64 = 1.0;

/// Milliseconds that another service takes to answer on a normal day.
pub(crate) const CALL_MILLIS: f64 = 100.0;

/// Rounds of a loop whose source does not tell them.
const UNKNOWN_ROUNDS: f64 = 5.0;

/// The load of the application.
#[derive(Clone, Debug, Default)]
pub struct Forecast {
    /// What everything together keeps busy, for each package that serves.
    backgrounds: BTreeMap<PackageId, Background>,
    /// Likely queries of one request, in the order of the route table.
    queries: Vec<f64>,
    /// Likely calls of other services in one request, likewise.
    calls: Vec<f64>,
}

impl Forecast {
    /// Of a program and what was found in it.
    #[must_use]
    pub fn of(audit: &Audit<'_, '_>, findings: &[Finding]) -> Self {
        let (queries, calls) = sent(audit);
        let instances = f64::from(audit.environment.machine.instances.value.max(1));
        let rate = audit.target.requests_per_second / instances;
        let busy = audit.traffic.by_package(|at| queries.get(at).copied().unwrap_or(0.0));
        let mut backgrounds: BTreeMap<PackageId, Background> = busy
            .into_iter()
            .map(|(package, queries)| {
                let connections_busy = rate * queries * DEFAULT_QUERY_MILLIS / 1000.0;
                (package, Background { connections_busy, loop_busy: rate * BASE_LOOP_MILLIS / 1000.0 })
            })
            .collect();
        for finding in findings.iter().filter(|it| it.verdict == Verdict::Proven) {
            let cost = &finding.cost;
            // What a clock runs, or only an attacker sends, is no part of the target's rate.
            if !cost.is_of_each_request() {
                continue;
            }
            let Some(busy) = package_of(audit, &finding.place).and_then(|it| backgrounds.get_mut(&it)) else {
                continue;
            };
            let of_run = rate * cost.share / 1000.0;
            busy.connections_busy += of_run * cost.pool_hold_millis.unwrap_or(0.0);
            busy.loop_busy += of_run * cost.loop_block_millis.unwrap_or(0.0);
        }
        Self { backgrounds, queries, calls }
    }

    /// What the package keeps busy whose requests run the code at a place; nothing where none does.
    #[must_use]
    pub fn background(&self, audit: &Audit<'_, '_>, place: &Place) -> Background {
        package_of(audit, place).and_then(|it| self.backgrounds.get(&it)).copied().unwrap_or_default()
    }

    /// The predicted 95th percentile of an entry point in milliseconds: its own work with the waits for connections that the
    /// whole application causes. `None` where the pool or the loop does not keep up.
    #[must_use]
    pub fn p95_millis(&self, audit: &Audit<'_, '_>, route: usize) -> Option<f64> {
        let background = audit.traffic.package(route).and_then(|it| self.backgrounds.get(&it)).copied()?;
        let queries = self.queries.get(route).copied().unwrap_or(0.0);
        let calls = self.calls.get(route).copied().unwrap_or(0.0);
        let cost = Cost::at_share(0.0).queries(queries);
        let waits = response_p95(&cost, audit.environment, background)?;
        let millis = BASE_LOOP_MILLIS + waits + calls * CALL_MILLIS;
        Some((millis * 10.0).round() / 10.0)
    }

    /// Likely queries of one request of an entry point, by its place in the route table.
    #[must_use]
    pub fn queries(&self, route: usize) -> Option<f64> {
        self.queries.get(route).copied()
    }
}

/// The package whose requests run the code at a place: that whose traffic reaches it most.
fn package_of(audit: &Audit<'_, '_>, place: &Place) -> Option<PackageId> {
    let Place::Code(site) = place else { return None };
    let reached = audit.analysis.reach().routes(audit.analysis.owner(*site)).iter();
    let busiest = reached
        .copied()
        .max_by(|a, b| audit.traffic.share(*a).total_cmp(&audit.traffic.share(*b)).then_with(|| b.cmp(a)));
    audit.traffic.package(busiest?)
}

/// Likely queries of one request of each entry point, and likely calls of other services.
fn sent(audit: &Audit<'_, '_>) -> (Vec<f64>, Vec<f64>) {
    let mut tallies = Tallies::new(audit.analysis);
    let worth = |trip: &Trip| statements(audit, trip);
    let of_route = |route: &Route| {
        let trips = tallies.of_route(route);
        (worth_of(&trips, TripKind::Query, &worth), worth_of(&trips, TripKind::External, &worth))
    };
    audit.analysis.routes().iter().map(of_route).unzip()
}

/// What the trips of a kind are worth together, on the way through branches on which they are worth most.
pub(crate) fn worth_of(trips: &[Trip], kind: TripKind, worth: &dyn Fn(&Trip) -> f64) -> f64 {
    let own: Vec<&Trip> = trips.iter().filter(|it| it.kind == kind).collect();
    chosen(&own, &worth).into_iter().map(worth).fold(0.0, |sum, it| sum + it)
}

/// Statements that a trip stands for in one request: its own times the rounds of the loops around it.
pub(crate) fn statements(audit: &Audit<'_, '_>, trip: &Trip) -> f64 {
    let own = audit.analysis.queries().at(trip.site).map_or(1.0, |query| f64::from(Query::statements(query)));
    trip.loops.iter().fold(own, |all, repeat| all * rounds(audit, repeat))
}

fn rounds(audit: &Audit<'_, '_>, repeat: &Repeat) -> f64 {
    let Some(source) = repeat.source else { return UNKNOWN_ROUNDS };
    match count(audit, source) {
        Count::Constant(Some(rounds)) => f64::from(u32::try_from(rounds).unwrap_or(u32::MAX)),
        Count::Likely { rounds, .. } => rounds.likely,
        Count::Constant(None) | Count::Unknown => UNKNOWN_ROUNDS,
    }
}
