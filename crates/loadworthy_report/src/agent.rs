//! The report for coding agents: short plain text, worst first, each finding with its place, cause, steps and the check that
//! it is done. Always ends with one line that says how it stands and what to do next.

use std::fmt::Write;

use crate::escape::{one_line, visible};
use crate::github::count;
use crate::model::{Finding, Report, Severity};

/// Findings that are told in full; the rest by one line each.
const IN_FULL: usize = 40;

/// The whole report as instructions.
#[must_use]
pub fn agent(report: &Report) -> String {
    let mut out = String::new();
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for (at, finding) in findings.iter().enumerate() {
        if at < IN_FULL && finding.severity > Severity::Monitor {
            full(&mut out, finding);
        } else {
            // Writing to a string can't fail.
            let _ = writeln!(
                out,
                "[{}] {} {} {}",
                finding.severity.name(),
                finding.check,
                place(finding),
                one_line(&finding.title)
            );
        }
    }
    for suspicion in &report.suspicious {
        let finding = &suspicion.finding;
        let _ = writeln!(
            out,
            "[VERIFY] {} {} {}: find out {}",
            finding.check,
            place(finding),
            one_line(&finding.title),
            one_line(&suspicion.missing_fact)
        );
    }
    let serious = report.findings.iter().filter(|finding| finding.severity >= Severity::Medium).count();
    let next = if serious == 0 {
        "nothing has to be fixed before the load test"
    } else {
        "fix from the top, then run the same command again; do not silence findings to reach a score"
    };
    let _ = writeln!(out, "loadworthy: {:.1}/10, {}; {next}.", report.score.value, count(report));
    out
}

fn place(finding: &Finding) -> String {
    visible(&format!("{}:{}", finding.location.file, finding.location.start_line))
}

fn full(out: &mut String, finding: &Finding) {
    // Writing to a string can't fail.
    let _ = writeln!(out, "[{}] {} {}", finding.severity.name(), finding.check, one_line(&finding.title));
    let _ = writeln!(out, "at: {}", place(finding));
    let steps = finding.evidence.iter().skip(1);
    for step in steps.take(6) {
        let _ = writeln!(out, "via: {}:{} {}", visible(&step.file), step.start_line, one_line(&step.note));
    }
    let _ = writeln!(out, "cause: {}", one_line(&finding.problem));
    let _ = writeln!(out, "do: {}", one_line(&finding.fix.description));
    if let Some(after) = &finding.fix.after {
        out.push_str("code:\n");
        for line in after.lines() {
            let _ = writeln!(out, "    {}", visible(line));
        }
    }
    let _ = writeln!(out, "done when: {}", one_line(&finding.verify));
    let _ = writeln!(out, "mind: {}\n", one_line(&finding.tradeoff));
}
