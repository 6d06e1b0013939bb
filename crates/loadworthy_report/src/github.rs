//! The report as workflow commands of GitHub Actions (annotations at the findings) and as the summary of a job.

use std::fmt::Write;

use crate::escape::{markdown_prose, one_line};
use crate::model::{Finding, Report, Severity};

/// One workflow command a finding: `::error file=…,line=…::message`. Suspicious patterns are notices.
#[must_use]
pub fn github(report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let command = match finding.severity {
            Severity::Critical | Severity::High => "error",
            Severity::Medium => "warning",
            Severity::Monitor => "notice",
        };
        annotation(&mut out, command, finding, "");
    }
    for suspicion in &report.suspicious {
        let verify = format!(" To verify: {}.", suspicion.missing_fact);
        annotation(&mut out, "notice", &suspicion.finding, &verify);
    }
    let counts = count(report);
    // Writing to a string can't fail.
    let _ = writeln!(out, "Load readiness {:.1}/10: {counts}.", report.score.value);
    out
}

/// The summary of a job, as Markdown for the file that `GITHUB_STEP_SUMMARY` names.
#[must_use]
pub fn github_summary(report: &Report) -> String {
    let mut out = format!("## Load readiness {:.1}/10\n\n{}.\n", report.score.value, count(report));
    let worst: Vec<&Finding> =
        report.findings.iter().filter(|finding| finding.severity >= Severity::Medium).take(50).collect();
    if !worst.is_empty() {
        out.push_str("\n| Severity | Check | Where | What |\n|---|---|---|---|\n");
    }
    for finding in worst {
        let place = format!("{}:{}", finding.location.file, finding.location.start_line);
        // Writing to a string can't fail.
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            finding.severity.name(),
            markdown_prose(&finding.check),
            markdown_prose(&place),
            markdown_prose(&finding.title)
        );
    }
    out
}

fn annotation(out: &mut String, command: &str, finding: &Finding, more: &str) {
    let place = &finding.location;
    let message = format!("{} Fix: {}{more}", one_line(&finding.problem), one_line(&finding.fix.description));
    // Writing to a string can't fail.
    let _ = writeln!(
        out,
        "::{command} file={},line={},endLine={},title={}::{}",
        property(&place.file),
        place.start_line,
        place.end_line,
        property(&format!("{} {}: {}", finding.check, finding.severity.name(), one_line(&finding.title))),
        data(&message)
    );
}

/// "1 critical, 2 high, 0 medium, 3 monitor, 1 suspicious".
pub(crate) fn count(report: &Report) -> String {
    let of = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let parts = Severity::ALL.map(|severity| format!("{} {}", of(severity), severity.name().to_lowercase()));
    format!("{}, {} suspicious", parts.join(", "), report.suspicious.len())
}

/// Escapes of a command's message: no line break of the audited code begins a command of its own.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes of a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
