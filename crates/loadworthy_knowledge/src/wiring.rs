//! `[[wiring]]` and `[[ping]]` rows: code that gives an application what it lacks.

use serde::Deserialize;

use crate::closed_sets::closed_set;
use crate::source::File;

closed_set! {
    /// What an application may lack.
    Concern {
        Health = "health", Metrics = "metrics", RequestId = "request-id",
        StructuredLogs = "structured-logs", Tracing = "tracing", ErrorHandler = "error-handler",
        RateLimit = "rate-limit", Compression = "compression",
    }
}

/// Code that gives an application of a framework what it lacks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wiring {
    /// What it lacks.
    pub concern: Concern,
    /// The id of the framework's library; `*` for all.
    pub framework: String,
    /// Packages to install.
    #[serde(default)]
    pub packages: Vec<String>,
    /// `names|module`.
    #[serde(default)]
    pub imports: Vec<String>,
    /// The code; `{app}` is the application's variable, `{check}` a question to the database.
    pub code: String,
    /// Where it goes: behind the creation of the application, `last`, or a file of its own.
    pub place: Option<String>,
}

/// The shortest question to a database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ping {
    /// The library's id.
    pub lib: String,
    /// The expression, a promise; `{db}` is the client's variable.
    pub code: String,
    /// The expression where types are checked, if it differs.
    pub typescript: Option<String>,
    /// `name|module`, where a module itself is asked.
    pub import: Option<String>,
    /// The specifiers whose clients give promises; absent: all.
    #[serde(default)]
    pub from: Vec<String>,
    /// Text in the making of what is no client.
    pub unless_made_by: Option<String>,
}

/// Code by concern and framework.
#[derive(Debug, Default)]
pub(crate) struct WiringRows {
    wiring: Vec<Wiring>,
    pings: Vec<Ping>,
}

impl WiringRows {
    pub(crate) fn new(rows: File) -> Self {
        Self { wiring: rows.wiring, pings: rows.ping }
    }

    pub(crate) fn wiring(&self, concern: Concern, framework: &str) -> Option<&Wiring> {
        let mut rows = self.wiring.iter().filter(|row| row.concern == concern);
        rows.find(|row| row.framework == framework || row.framework == "*")
    }

    pub(crate) fn ping(&self, lib: &str) -> Option<&Ping> {
        self.pings.iter().find(|row| row.lib == lib)
    }
}
