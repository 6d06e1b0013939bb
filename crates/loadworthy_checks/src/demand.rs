//! What one request of each route uses: its queries and calls with the rounds of its loops, and what findings say of blocked
//! loops, held connections and memory.

use std::collections::BTreeMap;

use loadworthy_analysis::{Site, Tallies, TripKind};
use loadworthy_capacity::{Cost, DEFAULT_QUERY_MILLIS, Demand};

use crate::audit::Audit;
use crate::finding::{Finding, Place, Verdict};
use crate::forecast::{BASE_LOOP_MILLIS, CALL_MILLIS, statements, worth_of};
use crate::services::{Ends, services};
use crate::setting::Setting;

/// Milliseconds of JavaScript for each query after the first, which [`BASE_LOOP_MILLIS`] has in it: writing the message,
/// parsing the rows, waking the promise. Drivers of PostgreSQL and MySQL take 0.05 to 0.2 ms for a row or two.
pub const QUERY_LOOP_MILLIS: f64 = 0.1;

/// Times that no code tells. What is measured on the real thing goes before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// Milliseconds of one query with its round trip.
    pub query_millis: f64,
    /// Milliseconds in which another service answers.
    pub call_millis: f64,
    /// Milliseconds of event loop that a request takes without any finding.
    pub request_millis: f64,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            query_millis: DEFAULT_QUERY_MILLIS,
            call_millis: CALL_MILLIS,
            request_millis: BASE_LOOP_MILLIS,
        }
    }
}

/// What requests of each route use, in the order of the route table, for any times.
#[derive(Clone, Debug)]
pub struct Demands {
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    /// Without what depends on times.
    demand: Demand,
    /// Calls of other services by the milliseconds after which the program gives up; infinite where it does not.
    calls: Vec<(f64, f64)>,
}

impl Demands {
    /// Of a program and what was found in it.
    #[must_use]
    pub fn of(audit: &Audit<'_, '_>, setting: &Setting, findings: &[Finding]) -> Self {
        let deadlines = deadlines(audit, setting);
        let mut tallies = Tallies::new(audit.analysis);
        let mut rows: Vec<Row> = Vec::new();
        for (at, route) in audit.analysis.routes().iter().enumerate() {
            let trips = tallies.of_route(route);
            let queries = worth_of(&trips, TripKind::Query, &|trip| statements(audit, trip));
            let calls = trips.iter().filter(|it| it.kind == TripKind::External);
            let calls: Vec<(f64, f64)> = calls
                .map(|it| (deadlines.get(&it.site).copied().unwrap_or(f64::INFINITY), statements(audit, it)))
                .collect();
            let demand = Demand {
                share: audit.traffic.share(at),
                queries,
                calls: worth_of(&trips, TripKind::External, &|trip| statements(audit, trip)),
                ..Demand::default()
            };
            rows.push(Row { demand, calls });
        }
        for finding in findings.iter().filter(|it| it.verdict == Verdict::Proven) {
            let Place::Code(site) = finding.place else { continue };
            for at in audit.analysis.reach().routes(audit.analysis.owner(site)) {
                if let Some(row) = rows.get_mut(*at) {
                    add(&mut row.demand, &finding.cost);
                }
            }
        }
        Self { rows }
    }

    /// At these times.
    #[must_use]
    pub fn at(&self, times: &Times) -> Vec<Demand> {
        self.rows.iter().map(|row| row.at(times)).collect()
    }
}

impl Row {
    fn at(&self, times: &Times) -> Demand {
        let all: f64 = self.calls.iter().map(|(_, count)| count).sum();
        let waited: f64 = self.calls.iter().map(|(most, count)| count * times.call_millis.min(*most)).sum();
        // Of calls in branches that exclude each other, those of the larger are made.
        let made = if all > 0.0 { waited * self.demand.calls / all } else { 0.0 };
        Demand {
            query_millis: times.query_millis,
            loop_millis: times.request_millis + (self.demand.queries - 1.0).max(0.0) * QUERY_LOOP_MILLIS,
            // A call that holds a connection is waited for once.
            outside_millis: (made - self.demand.hold_millis).max(0.0),
            ..self.demand
        }
    }
}

/// Queries are counted by route; a finding adds what it alone knows.
fn add(demand: &mut Demand, cost: &Cost) {
    if !cost.is_of_each_request() {
        return;
    }
    demand.hold_millis += cost.pool_hold_millis.unwrap_or(0.0);
    demand.block_millis += cost.loop_block_millis.unwrap_or(0.0);
    demand.bytes += cost.bytes_per_request.unwrap_or(0.0);
    demand.growth_bytes += cost.heap_growth_bytes_per_request.unwrap_or(0.0);
}

/// Milliseconds after which each call of another service is given up, where the program or its library does.
fn deadlines(audit: &Audit<'_, '_>, setting: &Setting) -> BTreeMap<Site, f64> {
    let services = services(audit.analysis, setting);
    let calls = services.iter().flat_map(|service| &service.calls);
    calls
        .filter_map(|call| match call.ends {
            Ends::Set(Some(millis)) | Ends::Default(millis) => Some((call.site, millis)),
            _ => None,
        })
        .collect()
}
