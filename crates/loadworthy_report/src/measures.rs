//! What to measure before a load test says anything: the metrics, spans and log fields by which its result is read.

use crate::model::{Category, Finding, Measure, MeasureKind, Target};

/// The measures for an application with these findings.
#[must_use]
pub fn measures(findings: &[Finding], target: &Target) -> Vec<Measure> {
    let has = |category: Category| findings.iter().any(|finding| finding.category == category);
    let calls_out = findings.iter().any(|finding| matches!(finding.check.as_str(), "3A" | "3B" | "4B"));
    let millis = target.p95_millis;
    let metric = |name: &str, labels: &[&str], shows: &str, threshold: String| Measure {
        kind: MeasureKind::Metric,
        name: name.to_owned(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        shows: shows.to_owned(),
        threshold: Some(threshold),
    };
    let mut all = vec![
        metric(
            "http_request_duration_seconds",
            &["method", "route", "status"],
            "rate, errors and duration of each route (histogram; the route's pattern, never its raw URL)",
            format!("p95 over {millis:.0} ms, or {:.1} % of status 5xx", target.error_rate * 100.0),
        ),
        metric(
            "nodejs_eventloop_lag_p99_seconds",
            &[],
            "how long requests wait for JavaScript that blocks",
            String::from("over 0.05 s"),
        ),
        metric(
            "nodejs_heap_size_used_bytes",
            &[],
            "growth over the run: compare the minima after full collections",
            String::from("over 70 % of the limit, or still rising at the end"),
        ),
        metric(
            "process_open_fds",
            &[],
            "sockets, files and timers that nobody closes",
            String::from("higher after the run than before it"),
        ),
    ];
    if has(Category::Database) || has(Category::Resilience) {
        all.push(metric(
            "db_pool_connections",
            &["state=used|idle|waiting"],
            "whether requests wait for a connection",
            String::from("waiting over 0 for 10 s, or used over 70 % of the maximum"),
        ));
        all.push(metric(
            "pg_stat_statements (calls, mean_exec_time)",
            &["query"],
            "statements per request and the slow ones; the slow query log on other databases",
            format!("mean over {:.0} ms", millis / 2.0),
        ));
    }
    if calls_out {
        all.push(metric(
            "http_client_request_duration_seconds",
            &["host", "status"],
            "how long the application waits for each other service, and how often it fails",
            format!("p95 over {:.0} ms", millis / 2.0),
        ));
    }
    let span = |name: &str, labels: &[&str], shows: &str| Measure {
        kind: MeasureKind::Span,
        name: name.to_owned(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        shows: shows.to_owned(),
        threshold: None,
    };
    all.push(span(
        "HTTP server",
        &["http.route", "http.response.status_code"],
        "one for each request; sample 5 % under load",
    ));
    all.push(span(
        "database client",
        &["db.system.name", "db.query.summary"],
        "one for each statement: repeated ones are N+1",
    ));
    if calls_out {
        all.push(span(
            "HTTP client",
            &["server.address", "http.response.status_code"],
            "one for each outbound call and each retry",
        ));
    }
    let log = |name: &str, shows: &str| Measure {
        kind: MeasureKind::Log,
        name: name.to_owned(),
        labels: Vec::new(),
        shows: shows.to_owned(),
        threshold: None,
    };
    all.push(log(
        "request_id, route, status, duration_ms, user_id",
        "one structured line for each request, at its end",
    ));
    all.push(log(
        "error.name, error.stack, request_id",
        "one line for each failure, with the id of its request",
    ));
    all
}
