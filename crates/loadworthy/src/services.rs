//! `loadworthy routes --services`: the other services that the server calls, who waits for them and what ends the wait.

use std::fmt::Write;

use loadworthy_analysis::Analysis;
use loadworthy_checks::{Ends, ServiceCall, Setting, services};
use serde::Serialize;

use crate::arguments::TableFormat;
use crate::failure::Failure;
use crate::output::json_text;
use crate::routes::{Place, place};

#[derive(Serialize)]
struct Row {
    service: String,
    calls: Vec<CallRow>,
}

#[derive(Serialize)]
struct CallRow {
    at: Place,
    /// Entry points that wait for it.
    routes: Vec<String>,
    per_request: bool,
    /// What ends it, in words.
    ends: String,
    /// Attempts of its library, the first included.
    attempts: f64,
    breaker: bool,
}

/// The services, as a table or as JSON.
pub(crate) fn listing(
    analysis: &Analysis<'_>,
    setting: &Setting,
    format: TableFormat,
) -> Result<String, Failure> {
    let call = |call: &ServiceCall| CallRow {
        at: place(analysis.program(), call.site),
        routes: call.routes.clone(),
        per_request: call.is_per_request,
        ends: words(call.ends),
        attempts: call.attempts,
        breaker: call.is_isolated,
    };
    let rows: Vec<Row> = services(analysis, setting)
        .iter()
        .map(|service| Row { service: service.name.clone(), calls: service.calls.iter().map(call).collect() })
        .collect();
    if format == TableFormat::Json {
        return json_text(&rows);
    }
    Ok(table(&rows))
}

fn words(ends: Ends) -> String {
    match ends {
        Ends::Set(Some(millis)) => format!("after {millis} ms"),
        Ends::Set(None) => String::from("by the program"),
        Ends::Default(millis) => format!("after {millis} ms, by default"),
        Ends::Nothing => String::from("by nothing"),
        Ends::Unknown => String::from("unknown"),
    }
}

fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    for row in rows {
        let _ = writeln!(text, "{}", row.service);
        for call in &row.calls {
            let attempts =
                if call.attempts > 1.0 { format!(", {} attempts", call.attempts) } else { String::new() };
            let breaker = if call.breaker { ", isolated" } else { "" };
            let waits = match call.routes.as_slice() {
                [] => String::from("no entry point found"),
                routes => routes.join(", "),
            };
            let Place { file, line } = &call.at;
            let _ = writeln!(text, "  {file}:{line}  ends {}{attempts}{breaker}  <- {waits}", call.ends);
        }
    }
    let waiting = |row: &&Row| row.calls.iter().any(|call| call.per_request);
    let count = rows.iter().filter(waiting).count();
    let _ = writeln!(text, "{} other services, requests wait for {count}", rows.len());
    text
}
