//! The report as GitLab's code quality JSON (the Code Climate subset that GitLab reads).

use serde_json::{Value, json};

use crate::escape::one_line;
use crate::model::{Finding, Report, Severity};

/// A list of issues; suspicious patterns are `info`.
#[must_use]
pub fn gitlab(report: &Report) -> String {
    let issues: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| issue(finding, severity(finding.severity)))
        .chain(report.suspicious.iter().map(|it| issue(&it.finding, "info")))
        .collect();
    let mut text = serde_json::to_string_pretty(&issues).unwrap_or_default();
    text.push('\n');
    text
}

fn issue(finding: &Finding, severity: &str) -> Value {
    json!({
        "type": "issue",
        "check_name": format!("{} {}", finding.check, finding.slug),
        "description": one_line(&finding.title),
        "content": { "body": format!("{} Fix: {}", one_line(&finding.problem), one_line(&finding.fix.description)) },
        "fingerprint": finding.id,
        "severity": severity,
        "location": {
            "path": finding.location.file,
            "lines": { "begin": finding.location.start_line, "end": finding.location.end_line },
        },
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "blocker",
        Severity::High => "critical",
        Severity::Medium => "major",
        Severity::Monitor => "minor",
    }
}
