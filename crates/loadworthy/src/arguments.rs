//! The arguments of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use loadworthy_report::Severity;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::capacity::CapacityArguments;
use crate::env::{EnvArguments, KnownArguments};
use crate::load::{ForecastArguments, LoadArguments, TargetArguments};

/// Tells whether a Node.js app survives a real load, and where it breaks.
///
/// `loadworthy PATH` audits a project: it reads the code, never runs it and never uses the network.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Task>,
    #[command(flatten)]
    pub(crate) audit: AuditArguments,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 --fail-on or --min-score was missed; 2 wrong use or configuration; 3 internal error.";

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Task {
    /// Audit a project (what `loadworthy PATH` does, too).
    #[command(after_help = EXIT_CODES)]
    Audit(Box<AuditArguments>),
    /// Apply the fixes that are edits: shows the difference, asks, and writes all of it or nothing.
    #[command(after_help = EXIT_CODES)]
    Fix(Box<FixArguments>),
    /// Print what the application runs on: facts with their evidence, and what is to be confirmed.
    Env(EnvArguments),
    /// Print the route table: method, full path, place, middleware and handler.
    Routes(TableArguments),
    /// Predict what the application carries: use of event loop, database pool and memory, latency, what is used up first.
    Capacity(CapacityArguments),
    /// Write the load-test kit for this application: scripts, requests with their weights, alerts.
    Plan(PlanArguments),
    /// List the checks.
    Checks(ListArguments),
    /// Print the page of a check: what it finds, why that fails under load, examples.
    Explain {
        /// Its code or name ("1A", "n-plus-one").
        check: String,
    },
    /// Write `loadworthy.json` with what the project's files do not tell; with --agents, instructions for coding agents.
    Init(InitArguments),
    /// Print completions for a shell: `loadworthy completions bash > /etc/bash_completion.d/loadworthy`.
    Completions {
        /// Which shell.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page: `loadworthy man | man -l -`.
    Man,
    /// Print the JSON Schema of `loadworthy.json` or of the JSON report, for editors and tools.
    Schema {
        /// Which of them.
        #[arg(value_enum)]
        of: Document,
    },
}

/// Documents with a published schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Document {
    /// The configuration.
    Config,
    /// The report of `--format json`.
    Report,
}

/// Which project, and how it is read.
#[derive(Args, Clone)]
pub(crate) struct ProjectArguments {
    /// The project's folder.
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Leave files and folders out that match (relative to PATH; repeatable).
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Configuration file instead of PATH/loadworthy.json or the key "loadworthy" of PATH/package.json.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Number of threads; 0 means one a core.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) threads: usize,
    /// No progress and no notes; the terminal report shows CRITICAL findings and the summary only.
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// When to colour; `auto` respects `NO_COLOR` and pipes.
    #[arg(long, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    pub(crate) color: When,
}

/// Options of the load-test kit.
#[derive(Args, Clone)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) project: ProjectArguments,
    /// Write the kit's files into this folder; without it, the plan is printed.
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) load: LoadArguments,
}

/// Options of `loadworthy init`.
#[derive(Args, Clone)]
pub(crate) struct InitArguments {
    #[command(flatten)]
    pub(crate) project: ProjectArguments,
    /// Write instructions for coding agents too: AGENTS.md (a part of it), a skill and an editor's rule.
    #[arg(long)]
    pub(crate) agents: bool,
}

/// Options of an audit.
#[derive(Args, Clone)]
pub(crate) struct AuditArguments {
    #[command(flatten)]
    pub(crate) project: ProjectArguments,
    /// Form of the report; repeatable, each with the --output that follows it [default: terminal].
    #[arg(long, value_enum)]
    pub(crate) format: Vec<Format>,
    /// Write the report to a file; without --format before it, the extension decides (.md, .json, .html, .sarif, .xml, .txt).
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Vec<PathBuf>,
    /// Run these checks only (code or name, joined by commas; repeatable).
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Leave these checks out (code or name, joined by commas; repeatable).
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,
    /// Report this severity and above; the score counts all.
    #[arg(long, value_enum, ignore_case = true, value_name = "SEVERITY")]
    pub(crate) severity: Option<Level>,
    /// Exit with 1 if a finding has this severity or above.
    #[arg(long, value_enum, ignore_case = true, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<Level>,
    /// Report only what is not in this earlier report (`--format json`); --fail-on counts the rest alone, the score counts all.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Report only findings whose place or chain touches lines that changed since this revision (git), the working tree
    /// included; --fail-on counts those alone, the score counts all.
    #[arg(long, value_name = "REV")]
    pub(crate) since: Option<String>,
    /// Exit with 1 if the score is below this.
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    pub(crate) min_score: Option<f64>,
    #[command(flatten)]
    pub(crate) load: LoadArguments,
}

/// Options of `loadworthy fix`.
#[derive(Args, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct FixArguments {
    #[command(flatten)]
    pub(crate) project: ProjectArguments,
    /// Fixes that keep the behaviour only; the default.
    #[arg(long, conflicts_with = "review")]
    pub(crate) safe: bool,
    /// Fixes that change a response or a default as well: read the difference.
    #[arg(long)]
    pub(crate) review: bool,
    /// Fixes of these checks only (code or name, joined by commas; repeatable).
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Leave the fixes of these checks out (code or name, joined by commas; repeatable).
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,
    /// The fix of one finding: its id in the JSON report, or how that begins.
    #[arg(long, value_name = "ID")]
    pub(crate) finding: Option<String>,
    /// Print the difference and never ask. So it is, too, where the output is no terminal.
    #[arg(long, conflicts_with = "write")]
    pub(crate) dry_run: bool,
    /// Write without asking.
    #[arg(long)]
    pub(crate) write: bool,
    /// Write even if git knows changes that are not committed.
    #[arg(long)]
    pub(crate) allow_dirty: bool,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = TableFormat::Terminal)]
    pub(crate) format: TableFormat,
    #[command(flatten)]
    pub(crate) known: KnownArguments,
    #[command(flatten)]
    pub(crate) target: TargetArguments,
}

/// Options of a list that needs no project.
#[derive(Args, Clone)]
pub(crate) struct ListArguments {
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = TableFormat::Terminal)]
    pub(crate) format: TableFormat,
}

/// Options of a table about a project.
#[derive(Args, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct TableArguments {
    #[command(flatten)]
    pub(crate) project: ProjectArguments,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = TableFormat::Terminal)]
    pub(crate) format: TableFormat,
    /// Print who calls each route: the requests of the pages with the routes that answer them.
    #[arg(long)]
    pub(crate) clients: bool,
    /// Print what stands before each route (rate limit, authentication, body, upload, compression, timeout), and what does not.
    #[arg(long, conflicts_with = "clients")]
    pub(crate) protection: bool,
    /// Print the other services that the server calls: who waits for each, what ends the wait, attempts, breakers.
    #[arg(long, conflicts_with_all = ["clients", "protection"])]
    pub(crate) services: bool,
    /// Add what `loadworthy capacity` predicts of each route: requests per second, use of loop and pool, p50 and p95.
    #[arg(long, conflicts_with_all = ["clients", "protection", "services"])]
    pub(crate) load: bool,
    #[command(flatten)]
    pub(crate) forecast: ForecastArguments,
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
    /// One HTML file for people, with filters and search.
    Html,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of a GitHub workflow; the job's summary as well, where `GITHUB_STEP_SUMMARY` names its file.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// XML of test runners: a suite for each check.
    Junit,
    /// Short plain text for coding agents.
    Agent,
}

/// Forms of a table.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// A table for people.
    Terminal,
    /// One JSON object.
    Json,
}

/// When to colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Severities as words, small or in capitals.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Fine now; watch the metric.
    #[serde(alias = "MONITOR")]
    Monitor,
    /// Visible, inside the objective.
    #[serde(alias = "MEDIUM")]
    Medium,
    /// The objective is at risk.
    #[serde(alias = "HIGH")]
    High,
    /// A resource saturates or the process dies.
    #[serde(alias = "CRITICAL")]
    Critical,
}

impl Level {
    pub(crate) fn severity(self) -> Severity {
        match self {
            Self::Monitor => Severity::Monitor,
            Self::Medium => Severity::Medium,
            Self::High => Severity::High,
            Self::Critical => Severity::Critical,
        }
    }
}
