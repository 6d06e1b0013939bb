//! What a fix takes, and what to watch, for each check.
//!
//! Minutes are estimates for one developer who knows the code, tests and review included. They
//! order fixes; they promise nothing. A check not listed takes an hour.

use crate::model::{Category, Finding, Target};

/// Minutes to fix one finding of this check.
///
/// | minutes | checks |
/// |---|---|
/// | 15 | 1C index, 2C logging, 3A timeout |
/// | 20 | 2B cache bound, 3D waterfall |
/// | 30 | 1A N+1, 1B limit, 1D pool, 2A handle, 3B retry, 4A rate limit, 4D errors, 5C fetch loop |
/// | 45 | 3C check-then-act, 4C backpressure, 5A re-render, 5B list, 5D state |
/// | 60 | 2D buffering, 3E blocking work, 4B breaker, anything else |
#[must_use]
pub fn effort_minutes(check: &str) -> u32 {
    match check {
        "1C" | "2C" | "3A" => 15,
        "2B" | "3D" => 20,
        "1A" | "1B" | "1D" | "2A" | "3B" | "4A" | "4D" | "5C" => 30,
        "3C" | "4C" | "5A" | "5B" | "5D" => 45,
        _ => 60,
    }
}

/// The metric to watch for a finding and when to act on it.
pub(crate) fn watch(finding: &Finding, target: &Target) -> (&'static str, String) {
    match finding.check.as_str() {
        "1B" => ("rows returned by this query, at its 95th percentile", "over 1,000 rows".to_owned()),
        "1C" => {
            ("mean time of this query (pg_stat_statements or the slow query log)", half_objective(target))
        }
        "2C" => (
            "log lines per second",
            format!("over {} (ten a request)", whole(target.requests_per_second * 10.0)),
        ),
        "3A" | "4B" => ("time of this outbound call, at its 95th percentile", half_objective(target)),
        "4A" => ("requests per client and minute on these routes", "over 60".to_owned()),
        _ => by_category(finding.category, target),
    }
}

fn by_category(category: Category, target: &Target) -> (&'static str, String) {
    match category {
        Category::Database => ("connections in use ÷ pool maximum", "over 0.7 for a minute".to_owned()),
        Category::Memory => ("heap used after a full collection", "over 70% of the heap limit".to_owned()),
        Category::Async => ("p95 of the routes that reach it", half_objective(target)),
        Category::Runtime => ("event loop utilisation (perf_hooks)", "over 0.7 for a minute".to_owned()),
        Category::Resilience => (
            "failed requests ÷ requests",
            format!("over {}%", (target.error_rate * 10_000.0).round() / 100.0),
        ),
        Category::Frontend => ("Interaction to Next Paint (INP), 75th percentile", "over 200 ms".to_owned()),
    }
}

fn half_objective(target: &Target) -> String {
    format!("over {} ms (half of the objective)", whole(target.p95_millis / 2.0))
}

fn whole(value: f64) -> String {
    format!("{value:.0}")
}
