//! The report: one plain model that the command fills, its score and plan, and the formats.
//!
//! Nothing here reads or prints; every renderer returns text.

mod agent;
mod effort;
mod escape;
mod fingerprint;
mod github;
mod gitlab;
mod html;
mod json;
mod junit;
pub mod kit;
mod load_test;
mod markdown;
mod measures;
mod model;
mod plan;
mod rules;
mod sarif;
mod score;
mod terminal;

pub use agent::agent;
pub use effort::effort_minutes;
pub use escape::{markdown_prose, one_line};
pub use fingerprint::{FingerprintOf, fingerprint};
pub use github::{github, github_summary};
pub use gitlab::gitlab;
pub use html::{html, html_script};
pub use json::{json, json_schema};
pub use junit::junit;
pub use load_test::load_test;
pub use markdown::{load_test_text, markdown};
pub use measures::measures;
pub use model::{
    Applicability, Band, Category, Confidence, ConfigChange, Context, Diagnostic, DiagnosticKind, Edit,
    Evidence, Fact, Figure, Finding, Fix, Impact, LeftOut, LoadTest, Location, Measure, MeasureKind,
    MonitorItem, NeedsConfirmation, NewFile, NewPackage, PackageScore, Plan, PlanItem, Report, Route,
    SCHEMA_VERSION, Score, ScoreRange, Severity, Suspicion, Target, TestRequest, Tool, TopFix,
};
pub use plan::plan;
pub use rules::Rule;
pub use sarif::sarif;
pub use score::{Audited, score};
pub use terminal::{Color, Detail, TerminalOptions, terminal};
