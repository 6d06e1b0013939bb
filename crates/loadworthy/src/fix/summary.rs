//! What was fixed, what was not, and what to do next.

use std::fmt::Write as _;

use loadworthy_fix::diff;
use loadworthy_report::{Applicability, Finding, one_line};
use serde_json::{Value, json};

use super::rounds::{Fixed, all};
use crate::arguments::FixArguments;
use crate::failure::Failure;

/// The summary for people.
pub(super) fn text(fixed: &Fixed, arguments: &FixArguments, is_written: bool) -> String {
    let mut text = String::new();
    let applied = fixed.applied.len();
    let files = fixed.changes.len();
    let verb = if is_written { "applied" } else { "to apply" };
    let _ = writeln!(text, "{} {verb}, in {}", count(applied, "fix", "fixes"), count(files, "file", "files"));
    for finding in &fixed.applied {
        let _ = writeln!(text, "  {}", line(finding));
    }
    if !fixed.left_out.is_empty() {
        let _ = writeln!(text, "left out, because they do not hold:");
        for it in &fixed.left_out {
            let _ = writeln!(text, "  {}\n      {}", line(&it.finding), one_line(&it.reason));
        }
    }
    if applied > 0 {
        let (before, after) = (fixed.before.score.value, fixed.after.score.value);
        let _ = writeln!(text, "score {before:.1} → {after:.1} of 10");
    }
    for package in &fixed.packages {
        let _ = writeln!(text, "{} declares {}@{} now", package.manifest, package.name, package.range);
    }
    if !fixed.packages.is_empty() && is_written {
        let _ = writeln!(
            text,
            "install what is declared (`npm install` or your package manager), then run your tests"
        );
    }
    let _ = write!(text, "{}", rest(fixed, arguments));
    text
}

/// What a person has to do.
fn rest(fixed: &Fixed, arguments: &FixArguments) -> String {
    let open = |applicability: Applicability| {
        fixed.after.findings.iter().filter(|it| kind(it) == applicability).count()
    };
    let mut text = String::new();
    let review = open(Applicability::Review);
    if review > 0 && !arguments.review {
        let _ = writeln!(
            text,
            "{} more with --review: read the difference before you keep it",
            count(review, "fix", "fixes")
        );
    }
    let manual = open(Applicability::Manual);
    if manual > 0 {
        let _ =
            writeln!(text, "{} to fix by hand: `loadworthy` shows how", count(manual, "finding", "findings"));
    }
    text
}

/// Who may apply a fix; a person, where there are no edits.
fn kind(finding: &Finding) -> Applicability {
    if finding.fix.edits.is_empty() && finding.fix.files.is_empty() {
        Applicability::Manual
    } else {
        finding.fix.applicability
    }
}

fn line(finding: &Finding) -> String {
    let at = &finding.location;
    format!(
        "{} {:<8} {}:{} {}",
        finding.check,
        finding.severity.name(),
        one_line(&at.file),
        at.start_line,
        one_line(&finding.title)
    )
}

pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// The summary for tools.
pub(super) fn json(fixed: &Fixed, is_written: bool) -> Result<String, Failure> {
    let of = |finding: &Finding| {
        json!({
            "finding": finding.id,
            "check": finding.check,
            "severity": finding.severity,
            "title": finding.title,
            "location": finding.location,
            "applicability": finding.fix.applicability,
        })
    };
    let left_out = fixed.left_out.iter().map(|it| {
        let mut value = of(&it.finding);
        if let Value::Object(members) = &mut value {
            members.insert(String::from("reason"), Value::String(it.reason.clone()));
        }
        value
    });
    let changes = fixed.changes.iter().map(|(path, change)| {
        json!({
            "file": path,
            "is_new": change.before.is_none(),
            "diff": diff(path, change.before.as_deref(), &change.after),
        })
    });
    let by_hand = all(&fixed.after).filter(|it| kind(it) == Applicability::Manual).count();
    let value = json!({
        "schema_version": 1,
        "written": is_written,
        "score": { "before": fixed.before.score.value, "after": fixed.after.score.value },
        "fixes": fixed.applied.iter().map(of).collect::<Vec<_>>(),
        "left_out": left_out.collect::<Vec<_>>(),
        "changes": changes.collect::<Vec<_>>(),
        "packages": fixed.packages,
        "by_hand": by_hand,
    });
    serde_json::to_string_pretty(&value)
        .map(|text| text + "\n")
        .map_err(|error| Failure::internal(error.to_string()))
}
