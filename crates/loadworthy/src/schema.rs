//! `loadworthy schema DOCUMENT`: the schemas of what people write and tools read.

use loadworthy_report::json_schema;

use crate::arguments::Document;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{json_text, print_json};

/// Prints a schema.
pub(crate) fn run(of: Document) -> Result<(), Failure> {
    match of {
        Document::Config => print_json(&schemars::schema_for!(Config)),
        Document::Report => print_json(&json_schema()),
    }
}

/// The schema of the configuration, as text.
pub(crate) fn config_text() -> Result<String, Failure> {
    json_text(&schemars::schema_for!(Config))
}
