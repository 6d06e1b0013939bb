//! `loadworthy routes --protection`: what stands before each route's handler, and what does not.

use std::fmt::Write;

use loadworthy_analysis::{Analysis, Guard, Protections, Resolver, Route};
use serde::Serialize;

use crate::arguments::TableFormat;
use crate::failure::Failure;
use crate::output::json_text;
use crate::routes::{Place, name, place};

/// A route with its guards.
#[derive(Serialize)]
struct Row {
    method: String,
    path: String,
    /// In the order in which they run.
    guards: Vec<Found>,
    /// What none of them does.
    missing: Vec<&'static str>,
}

#[derive(Serialize)]
struct Found {
    guard: &'static str,
    /// The middleware as it was registered.
    by: String,
    at: Place,
    /// Whether it is the handler itself.
    in_handler: bool,
}

/// The matrix of all routes that requests run.
pub(crate) fn matrix(analysis: &Analysis<'_>, format: TableFormat) -> Result<String, Failure> {
    let resolver = Resolver::new(analysis.program());
    let mut protections = Protections::new(analysis, &resolver);
    let routes = analysis.routes().iter().filter(|route| route.kind.is_per_request());
    let rows: Vec<Row> = routes.map(|route| row(analysis, &mut protections, route)).collect();
    if format == TableFormat::Json {
        return json_text(&rows);
    }
    Ok(table(&rows))
}

fn row(analysis: &Analysis<'_>, protections: &mut Protections<'_, '_>, route: &Route) -> Row {
    let program = analysis.program();
    let guards: Vec<Found> = protections
        .of(route)
        .into_iter()
        .filter_map(|guarded| {
            let handler = route.middleware.iter().chain(&route.handler).nth(guarded.order)?;
            let in_handler = guarded.order >= route.middleware.len();
            let by = if in_handler { String::from("its handler") } else { name(program, handler) };
            Some(Found { guard: guarded.guard.as_str(), by, at: place(program, guarded.site), in_handler })
        })
        .collect();
    let missing = Guard::ALL
        .iter()
        .filter(|guard| guard.is_expected())
        .map(|guard| guard.as_str())
        .filter(|guard| guards.iter().all(|found| found.guard != *guard))
        .collect();
    Row { method: route.method.clone(), path: route.path.clone(), guards, missing }
}

fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{} {}", row.method, row.path);
        for found in &row.guards {
            let _ =
                writeln!(text, "  {:<15} {}  ({}:{})", found.guard, found.by, found.at.file, found.at.line);
        }
        if !row.missing.is_empty() {
            let _ = writeln!(text, "  {:<15} {}", "without", row.missing.join(", "));
        }
    }
    let limited = rows.iter().filter(|row| !row.missing.contains(&Guard::RateLimit.as_str())).count();
    let _ = writeln!(text, "{} routes, {limited} with a rate limit", rows.len());
    text
}
