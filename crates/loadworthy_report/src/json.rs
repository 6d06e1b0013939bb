//! The report as JSON, and the schema of that.

use crate::model::Report;

/// The report as indented JSON with a line break at the end; figures that are unbounded are null.
#[must_use]
pub fn json(report: &Report) -> String {
    // The model has string keys and no writer that fails: serialising it cannot fail.
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}

/// The JSON Schema (draft 2020-12) of [`json`]'s output.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Report).into()
}
