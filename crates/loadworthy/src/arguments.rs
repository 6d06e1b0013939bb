//! The arguments of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use loadworthy_capacity::Target;

/// Tells whether a Node.js app survives a real load, and where it breaks.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Task>,
    #[command(flatten)]
    pub(crate) audit: AuditArguments,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Task {
    /// Audit a project (the default: `loadworthy PATH`).
    Audit(Box<AuditArguments>),
    /// Print the route table: method, full path, place, middleware and handler.
    Routes {
        /// The project's folder.
        #[arg(default_value = ".")]
        path: PathBuf,
        /// Form of the output.
        #[arg(long, value_enum, default_value_t = TableFormat::Terminal)]
        format: TableFormat,
        /// Number of threads; 0 means one a core.
        #[arg(long, default_value_t = 0)]
        threads: usize,
    },
}

/// Options of an audit.
#[derive(Args, Clone)]
pub(crate) struct AuditArguments {
    /// The project's folder.
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Form of the report.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    pub(crate) format: Format,
    /// Run these checks only (code or name; repeatable).
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Leave these checks out (code or name; repeatable).
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,
    /// Leave files and folders out that match (relative to PATH; repeatable).
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// Number of threads; 0 means one a core.
    #[arg(long, default_value_t = 0)]
    pub(crate) threads: usize,
}

/// The load target.
#[derive(Args, Clone)]
pub(crate) struct TargetArguments {
    /// Users active at the same time [default: 1000].
    #[arg(long, help_heading = "Load target")]
    pub(crate) users: Option<u32>,
    /// Requests per second over all routes [default: 100].
    #[arg(long, help_heading = "Load target")]
    pub(crate) rps: Option<f64>,
    /// Seconds the load lasts [default: 300].
    #[arg(long, value_name = "SECONDS", help_heading = "Load target")]
    pub(crate) duration: Option<f64>,
    /// Milliseconds within which 95% of requests must answer [default: 500].
    #[arg(long, value_name = "MILLISECONDS", help_heading = "Load target")]
    pub(crate) p95: Option<f64>,
    /// Largest part of requests that may fail, 0 to 1 [default: 0.01].
    #[arg(long, value_name = "PART", help_heading = "Load target")]
    pub(crate) error_rate: Option<f64>,
}

impl TargetArguments {
    /// `base` with what was given.
    pub(crate) fn over(&self, base: Target) -> Target {
        Target {
            users: self.users.unwrap_or(base.users),
            requests_per_second: self.rps.unwrap_or(base.requests_per_second),
            duration_seconds: self.duration.unwrap_or(base.duration_seconds),
            p95_millis: self.p95.unwrap_or(base.p95_millis),
            error_rate: self.error_rate.unwrap_or(base.error_rate),
        }
    }
}

/// Forms of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Format {
    /// For people, with the code.
    Terminal,
    /// A document for people.
    Markdown,
    /// For tools, schema version 1.
    Json,
}

/// Forms of a table.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// A table for people.
    Terminal,
    /// One JSON object.
    Json,
}
