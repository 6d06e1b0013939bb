//! The forecast for people.

use std::fmt::Write;

use loadworthy_capacity::plain;
use loadworthy_report::{markdown_prose, one_line};

use super::{Forecast, Resource, RouteRow, Served};

/// Tables for a terminal.
pub(super) fn terminal(forecast: &Forecast) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    for served in &forecast.applications {
        if !served.package.is_empty() {
            let _ = writeln!(text, "{}", one_line(&served.package));
        }
        for line in summary(forecast, served) {
            let _ = writeln!(text, "{line}");
        }
        let _ = writeln!(text);
        table(&mut text, &served.routes);
        let _ = writeln!(text);
    }
    if forecast.applications.is_empty() {
        let _ = writeln!(text, "no route that requests run was found");
    }
    let _ = writeln!(text, "Assumed");
    for assumption in &forecast.assumptions {
        let _ = writeln!(text, "  {}", one_line(assumption));
    }
    text
}

/// A document.
pub(super) fn markdown(forecast: &Forecast) -> String {
    let mut text = String::from("# Capacity\n");
    for served in &forecast.applications {
        let name = if served.package.is_empty() { "The application" } else { served.package.as_str() };
        let _ = writeln!(text, "\n## {}\n", markdown_prose(name));
        for line in summary(forecast, served) {
            let _ = writeln!(text, "- {}", markdown_prose(&line));
        }
        let _ = writeln!(text, "\n| {} |\n|{}", HEADINGS.join(" | "), "---|".repeat(HEADINGS.len()));
        for route in &served.routes {
            let _ = writeln!(text, "| {} |", cells(route).map(|cell| markdown_prose(&cell)).join(" | "));
        }
    }
    text.push_str("\n## Assumed\n\n");
    for assumption in &forecast.assumptions {
        let _ = writeln!(text, "- {}", markdown_prose(assumption));
    }
    text
}

fn summary(forecast: &Forecast, served: &Served) -> Vec<String> {
    let first = served.saturates_first.as_ref().map_or_else(
        || String::from("nothing that the model knows is used up"),
        |it| format!("the {} is used up first, at {} req/s", it.name, rate(it)),
    );
    let used: Vec<String> = served.resources.iter().map(in_words).collect();
    vec![
        format!(
            "at {} req/s for {} s: {first}",
            plain(forecast.target.requests_per_second),
            plain(forecast.target.duration_seconds)
        ),
        used.join("; "),
        format!(
            "p50 {}, p95 {} (objective {} ms), {} requests in flight",
            timed(served.p50_millis),
            timed(served.p95_millis),
            plain(forecast.target.p95_millis),
            served.requests_in_flight.map_or_else(|| String::from("more and more"), plain),
        ),
        format!(
            "memory at the end: {} MB of {} MB heap",
            plain(served.heap_mb_at_end),
            plain(served.heap_limit_mb)
        ),
        served.sensitivity.clone(),
    ]
}

fn in_words(it: &Resource) -> String {
    let full = if it.saturates_at_requests_per_second.is_some() {
        format!(", full at {} req/s", rate(it))
    } else {
        String::new()
    };
    format!("{} {}{full}", it.name, percent(it.utilisation))
}

fn rate(it: &Resource) -> String {
    it.saturates_at_requests_per_second.map_or_else(String::new, plain)
}

const HEADINGS: [&str; 8] = ["route", "req/s", "queries", "loop", "pool", "heap", "p50 ms", "p95 ms"];

fn cells(route: &RouteRow) -> [String; 8] {
    [
        route.route.clone(),
        plain(route.requests_per_second),
        plain(route.queries_per_request),
        percent(route.event_loop),
        percent(route.connection_pool),
        percent(route.heap),
        millis(route.p50_millis),
        millis(route.p95_millis),
    ]
}

fn table(text: &mut String, routes: &[RouteRow]) {
    let width = routes.iter().map(|it| it.route.chars().count()).max().unwrap_or(0).clamp(5, 60);
    let mut line = |[route, rest @ ..]: [String; 8]| {
        let _ = write!(text, "{:<width$}", one_line(&route));
        for cell in rest {
            let _ = write!(text, " {cell:>9}");
        }
        let _ = writeln!(text);
    };
    line(HEADINGS.map(str::to_owned));
    for route in routes {
        line(cells(route));
    }
}

/// "12.5%".
pub(crate) fn percent(part: f64) -> String {
    format!("{}%", plain(part * 100.0))
}

/// A time, or that there is none.
pub(crate) fn millis(time: Option<f64>) -> String {
    time.map_or_else(|| String::from("grows"), plain)
}

/// "12.5 ms", or that the time grows.
pub(crate) fn timed(time: Option<f64>) -> String {
    time.map_or_else(|| millis(None), |time| format!("{} ms", plain(time)))
}
