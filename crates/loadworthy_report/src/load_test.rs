//! The load test for one application: its routes by their share of the traffic, and the steps from baseline to repeat.

use crate::model::{Finding, LeftOut, LoadTest, Route, Target, TestRequest};

/// Shares below this are not driven: less than one request in a thousand.
const LEAST_SHARE: f64 = 0.001;
/// Connections of the one-line command: enough that slow answers don't hold the rate back.
const CONNECTIONS: u32 = 100;

/// The load test of an application with these routes.
#[must_use]
pub fn load_test(routes: &[Route], findings: &[Finding], target: &Target) -> LoadTest {
    let mut requests: Vec<TestRequest> = Vec::new();
    let mut left_out: Vec<LeftOut> = Vec::new();
    for route in routes {
        match &route.left_out {
            Some(reason) => {
                left_out.push(LeftOut {
                    route: format!("{} {}", route.method, route.path),
                    reason: reason.clone(),
                });
            }
            None if route.traffic_share < LEAST_SHARE => {}
            None => requests.push(TestRequest {
                method: if route.method == "ALL" { String::from("GET") } else { route.method.clone() },
                path: route.path.clone(),
                share: route.traffic_share,
            }),
        }
    }
    let driven: f64 = requests.iter().map(|request| request.share).sum();
    for request in &mut requests {
        request.share = (request.share / driven.max(f64::MIN_POSITIVE) * 1e4).round() / 1e4;
    }
    requests.sort_by(|a, b| {
        b.share.total_cmp(&a.share).then_with(|| (&a.path, &a.method).cmp(&(&b.path, &b.method)))
    });
    LoadTest {
        command: command(&requests, target),
        steps: steps(&requests, target),
        weights: String::new(),
        requests,
        left_out,
        seed: seed(findings),
    }
}

/// A command for the busiest route that needs no parameter, else for the busiest.
fn command(requests: &[TestRequest], target: &Target) -> String {
    let reads = || requests.iter().filter(|request| request.method == "GET");
    let Some(first) = reads().find(|request| !request.path.contains(':')).or_else(|| reads().next()) else {
        return String::new();
    };
    let path = first
        .path
        .split('/')
        .map(|part| if part.starts_with(':') { "1" } else { part })
        .collect::<Vec<_>>()
        .join("/");
    format!(
        "npx autocannon --connections {CONNECTIONS} --overallRate {:.0} --duration {:.0} --renderStatusCodes \"http://localhost:3000{path}\"",
        target.requests_per_second.max(1.0),
        target.duration_seconds.max(1.0),
    )
}

fn steps(requests: &[TestRequest], target: &Target) -> Vec<String> {
    if requests.is_empty() {
        return Vec::new();
    }
    let rate = target.requests_per_second;
    vec![
        String::from(
            "Baseline: start the application as in production (NODE_ENV=production, the production pool size, seeded tables) and run the kit at a tenth of the rate for a minute: `RATE=0.1 node load-test.mjs > baseline.json`. Note p50, p95, errors and the metrics below.",
        ),
        format!(
            "Run: the full target, `node load-test.mjs > run.json`: {rate:.0} requests per second for {:.0} s, weighted as below. It exits with 1 when p95 is over {:.0} ms or more than {:.1} % fail.",
            target.duration_seconds,
            target.p95_millis,
            target.error_rate * 100.0
        ),
        String::from(
            "Compare: p95 of each route against its baseline. What grew most names the resource: pool wait (database), event-loop delay (blocking work), heap (growth), time of outbound calls (dependencies).",
        ),
        String::from(
            "Iterate: mend the first item of Fix Now, run again with the same data, keep the result beside the last; stop when the target holds twice in a row, then raise the rate by half until something saturates: that is the headroom.",
        ),
    ]
}

/// What must be in the tables for the findings to show.
fn seed(findings: &[Finding]) -> Vec<String> {
    let reads_rows =
        findings.iter().any(|finding| matches!(finding.check.as_str(), "1A" | "1B" | "1C" | "5B"));
    if !reads_rows {
        return Vec::new();
    }
    vec![
        String::from(
            "What grows with use (orders, messages, events, logs): 100,000 rows, spread over 1,000 users so that some have thousands.",
        ),
        String::from("What people set up (products, projects, users): 10,000 rows."),
        String::from(
            "`ANALYZE` after loading, and a restart of the application, so that plans and caches are those of the run.",
        ),
    ]
}
