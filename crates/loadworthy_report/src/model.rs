//! The report as data, schema version 1. Paths are relative with `/`; lines and columns count
//! from 1; end columns are exclusive.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of this model that tools read.
pub const SCHEMA_VERSION: u32 = 1;

/// A whole audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of this format: 1.
    pub schema_version: u32,
    /// What wrote it.
    pub tool: Tool,
    /// The load the application was judged against.
    pub target: Target,
    /// What was inferred about the application and its deployment.
    pub environment: Vec<Fact>,
    /// How ready it is.
    pub score: Score,
    /// The score of each deployable package, in a monorepo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<PackageScore>,
    /// Proven problems.
    pub findings: Vec<Finding>,
    /// Risky patterns that one missing fact decides.
    pub suspicious: Vec<Suspicion>,
    /// What to do, in order.
    pub plan: Plan,
    /// The routes found.
    pub routes: Vec<Route>,
    /// What the audit could not read or finish.
    pub diagnostics: Vec<Diagnostic>,
}

/// What wrote a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `loadworthy`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The load target and its objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// Users active at the same time.
    pub users: u32,
    /// Requests per second over all routes.
    pub requests_per_second: f64,
    /// Seconds the run takes.
    pub duration_seconds: f64,
    /// Milliseconds within which 95% of requests must answer.
    pub p95_millis: f64,
    /// Largest part of requests that may fail, 0 to 1.
    pub error_rate: f64,
}

/// Something inferred about the application or its deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fact {
    /// What it is about ("pool size").
    pub fact: String,
    /// What was found, or the default that was calculated with.
    pub value: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// Where it was found.
    pub evidence: Vec<Evidence>,
    /// Set when it could not be inferred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_confirmation: Option<NeedsConfirmation>,
}

/// What would settle a fact that the code does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NeedsConfirmation {
    /// The file or setting to look at.
    pub look_at: String,
    /// What depends on it.
    pub matters_because: String,
}

/// How ready the application is, 1 to 10.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// The score, to one decimal.
    pub value: f64,
    /// The score if every suspicious pattern were real, up to the score.
    pub range: ScoreRange,
    /// What the score means.
    pub band: Band,
    /// Why, with numbers.
    pub justification: Vec<String>,
    /// The fixes that remove most risk for their effort, in order.
    pub top_fixes: Vec<TopFix>,
}

/// Bounds of a score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreRange {
    /// The least.
    pub low: f64,
    /// The most.
    pub high: f64,
}

/// What a score means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// 9 to 10.
    Ready,
    /// 7 to under 9.
    FixFirst,
    /// 5 to under 7.
    Refactor,
    /// 3 to under 5.
    WillFail,
    /// Under 3.
    DoNotDeploy,
}

/// A fix and what it is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TopFix {
    /// Id of the finding it removes.
    pub finding: String,
    /// Its check ("1A").
    pub check: String,
    /// Its title.
    pub title: String,
    /// Points the score loses to the finding.
    pub risk_removed: f64,
    /// Estimated minutes of work.
    pub effort_minutes: u32,
    /// The score after this fix and those before it.
    pub score_after: f64,
}

/// The score of one deployable package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PackageScore {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub path: String,
    /// Its score.
    pub score: Score,
}

/// A proven problem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable fingerprint; survives line moves.
    pub id: String,
    /// Code of the check ("1A").
    pub check: String,
    /// Name of the check ("n-plus-one").
    pub slug: String,
    /// How bad it is at the target load.
    pub severity: Severity,
    /// How sure the arithmetic is.
    pub confidence: Confidence,
    /// What it endangers.
    pub category: Category,
    /// One line.
    pub title: String,
    /// Where it is.
    pub location: Location,
    /// The chain from the route to the location.
    pub evidence: Vec<Evidence>,
    /// When the code runs.
    pub contexts: Vec<Context>,
    /// Routes that reach it ("GET /orders").
    pub routes: Vec<String>,
    /// The problem and its failure mode under the load.
    pub problem: String,
    /// What it costs.
    pub impact: Impact,
    /// How to verify it on this code.
    pub verify: String,
    /// How to fix it.
    pub fix: Fix,
    /// What the fix costs.
    pub tradeoff: String,
}

/// A risky pattern that one missing fact decides. `verify` says what to check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Suspicion {
    /// What it would be.
    #[serde(flatten)]
    pub finding: Finding,
    /// The fact that the code does not hold.
    pub missing_fact: String,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// Relative path with `/`.
    pub file: String,
    /// First line, from 1.
    pub start_line: u32,
    /// Last line.
    pub end_line: u32,
    /// First column in characters, from 1.
    pub start_column: u32,
    /// Column after the last.
    pub end_column: u32,
}

/// A step of an evidence chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Relative path with `/`.
    pub file: String,
    /// First line, from 1.
    pub start_line: u32,
    /// Last line.
    pub end_line: u32,
    /// What is there.
    pub note: String,
}

/// What a finding costs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Impact {
    /// The arithmetic in sentences.
    pub text: String,
    /// The numbers by name, in the order of their names.
    pub figures: BTreeMap<String, Figure>,
    /// What was taken for granted.
    pub assumptions: Vec<String>,
}

/// A number with its unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figure {
    /// The value; null where it is unbounded.
    pub value: Option<f64>,
    /// Its unit.
    pub unit: String,
}

impl Figure {
    /// A figure; a value that is not finite is unbounded.
    #[must_use]
    pub fn new(value: f64, unit: impl Into<String>) -> Self {
        Self { value: value.is_finite().then_some(value), unit: unit.into() }
    }
}

/// How to fix a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fix {
    /// What to do.
    pub description: String,
    /// Edits that do it, where they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
    /// Files that it adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<NewFile>,
    /// Packages that it needs and that are not declared yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<NewPackage>,
    /// Or the setting that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigChange>,
    /// The code as it is.
    pub before: Option<String>,
    /// The code as it should be.
    pub after: Option<String>,
    /// Who may apply it.
    pub applicability: Applicability,
}

/// A replacement in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Edit {
    /// Relative path with `/`.
    pub file: String,
    /// First byte replaced, from 0.
    pub start_offset: u32,
    /// Byte after the last one replaced.
    pub end_offset: u32,
    /// What takes their place.
    pub replacement: String,
}

/// A file that a fix adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewFile {
    /// Relative path with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A package that a fix needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewPackage {
    /// Its name.
    pub name: String,
    /// The range of versions that the fix is written for.
    pub range: String,
    /// The `package.json` that has to declare it.
    pub manifest: String,
}

/// A setting to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigChange {
    /// Where it belongs.
    pub file: String,
    /// Its name.
    pub setting: String,
    /// Its new value.
    pub value: String,
}

/// What to do, in order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// Everything CRITICAL and the HIGH findings worth most.
    pub fix_now: Vec<PlanItem>,
    /// Estimated minutes for all of `fix_now`.
    pub fix_now_minutes: u32,
    /// The other HIGH and the MEDIUM findings.
    pub fix_soon: Vec<PlanItem>,
    /// What is fine now.
    pub monitor: Vec<MonitorItem>,
    /// Metrics, spans and log fields to have before the test.
    #[serde(default)]
    pub measure: Vec<Measure>,
    /// The load test for this application.
    #[serde(default)]
    pub load_test: LoadTest,
}

/// Something to measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Measure {
    /// Metric, span or log field.
    pub kind: MeasureKind,
    /// Its name, as a library or OpenTelemetry gives it.
    pub name: String,
    /// Labels or attributes.
    pub labels: Vec<String>,
    /// What it shows.
    pub shows: String,
    /// When the test has failed by it.
    pub threshold: Option<String>,
}

/// Kinds of things to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MeasureKind {
    /// A time series.
    Metric,
    /// A span of a trace.
    Span,
    /// A field of the log line that each request writes.
    Log,
}

impl MeasureKind {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Span => "span",
            Self::Log => "log field",
        }
    }
}

/// A load test made for one application.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct LoadTest {
    /// One command that drives the busiest route; empty where there is none.
    pub command: String,
    /// Baseline, run, compare, iterate.
    pub steps: Vec<String>,
    /// Where the shares of the requests are from, where somebody measured them; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub weights: String,
    /// What is driven.
    pub requests: Vec<TestRequest>,
    /// What is not, and why.
    pub left_out: Vec<LeftOut>,
    /// Rows to have in the tables, so that the test shows what production will.
    pub seed: Vec<String>,
}

/// A request of the load test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TestRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, parameters as `:name`.
    pub path: String,
    /// Part of the requests, 0 to 1.
    pub share: f64,
}

/// A route that the load test leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// "DELETE /orders/:id".
    pub route: String,
    /// Why.
    pub reason: String,
}

/// A finding to fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanItem {
    /// Id of the finding.
    pub finding: String,
    /// Its check.
    pub check: String,
    /// Its severity.
    pub severity: Severity,
    /// Its title.
    pub title: String,
    /// Its place.
    pub location: Location,
    /// Estimated minutes of work.
    pub effort_minutes: u32,
}

/// A finding to watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MonitorItem {
    /// Id of the finding.
    pub finding: String,
    /// Its check.
    pub check: String,
    /// Its title.
    pub title: String,
    /// Its place.
    pub location: Location,
    /// What to measure.
    pub metric: String,
    /// When to act.
    pub threshold: String,
}

/// A route of the application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// `GET`, `POST`, …; `*` for all.
    pub method: String,
    /// The whole path, mounts included.
    pub path: String,
    /// Where it is declared.
    pub location: Location,
    /// What runs before the handler, in order.
    pub middleware: Vec<String>,
    /// Queries of one request, where they can be counted.
    pub queries_per_request: Option<f64>,
    /// Predicted 95th percentile in milliseconds at the target; absent where a queue does not drain, or nothing is known.
    pub p95_millis: Option<f64>,
    /// Part of the target's requests that it takes, 0 to 1.
    #[serde(default)]
    pub traffic_share: f64,
    /// Why a load test leaves it out, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// Something the audit could not read or finish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnostic {
    /// What kind it is.
    pub kind: DiagnosticKind,
    /// The file, if it is about one.
    pub file: Option<String>,
    /// The line, if it is about one.
    pub line: Option<u32>,
    /// What happened.
    pub message: String,
}

/// Kinds of diagnostics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiagnosticKind {
    /// A file that could not be read or parsed.
    NotParsed,
    /// A limit of the analysis that was reached.
    LimitReached,
    /// A suppression comment that suppresses nothing.
    UnusedSuppression,
    /// Anything else.
    Note,
}

/// How bad a finding is; `Monitor` is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// Fine now; watch the metric.
    Monitor,
    /// Visible, inside the objective.
    Medium,
    /// The objective is at risk.
    High,
    /// A resource saturates or the process dies.
    Critical,
}

impl Severity {
    /// From the worst to the least.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Medium, Self::Monitor];

    /// The name in reports, in capitals.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Monitor => "MONITOR",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

/// How sure something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Guessed.
    Low,
    /// Likely.
    Medium,
    /// Proven from the code.
    High,
}

impl Confidence {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
        }
    }
}

/// What a finding endangers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Category {
    /// Queries, indexes, pools.
    Database,
    /// The heap.
    Memory,
    /// Waiting and ordering.
    Async,
    /// The event loop and the process.
    Runtime,
    /// Limits, breakers, errors.
    Resilience,
    /// React.
    Frontend,
}

impl Category {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "Database",
            Self::Memory => "Memory",
            Self::Async => "Async",
            Self::Runtime => "Runtime",
            Self::Resilience => "Resilience",
            Self::Frontend => "Frontend",
        }
    }
}

/// When code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Context {
    /// Reachable from a route, resolver, socket message or server action.
    PerRequest,
    /// In a queue or cron job.
    PerJob,
    /// At each render.
    PerRender,
    /// At each scroll, move, keystroke …
    PerEvent,
    /// When the process starts.
    Startup,
}

/// Who may apply a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Applicability {
    /// The tool: behaviour is kept.
    Safe,
    /// The tool, read by a person.
    Review,
    /// A person.
    Manual,
}
