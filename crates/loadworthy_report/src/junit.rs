//! The report as `JUnit` XML: one suite a check, one test case a finding. What is CRITICAL, HIGH or MEDIUM fails; MONITOR and
//! suspicious patterns are skipped tests.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::escape::{one_line, visible};
use crate::model::{Finding, Report, Severity};
use crate::rules::Rule;

/// The suites, in the order of the checks; a check without findings is a suite with one test that passes.
#[must_use]
pub fn junit(report: &Report, rules: &[Rule]) -> String {
    let mut cases: BTreeMap<&str, Vec<Case<'_>>> = BTreeMap::new();
    for rule in rules {
        cases.entry(&rule.code).or_default();
    }
    for finding in &report.findings {
        let skipped = (finding.severity == Severity::Monitor).then(|| String::from("MONITOR"));
        cases.entry(&finding.check).or_default().push(Case { finding, skipped });
    }
    for suspicion in &report.suspicious {
        let skipped = Some(format!("suspicious, to verify: {}", suspicion.missing_fact));
        cases
            .entry(&suspicion.finding.check)
            .or_default()
            .push(Case { finding: &suspicion.finding, skipped });
    }
    let tests: usize = cases.values().map(|of| of.len().max(1)).sum();
    let failures = cases.values().flatten().filter(|case| case.skipped.is_none()).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string can't fail.
    let _ = writeln!(out, "<testsuites name=\"loadworthy\" tests=\"{tests}\" failures=\"{failures}\">");
    for (check, of) in &cases {
        suite(&mut out, check, of, rules);
    }
    out.push_str("</testsuites>\n");
    out
}

struct Case<'r> {
    finding: &'r Finding,
    /// Why it does not fail.
    skipped: Option<String>,
}

fn suite(out: &mut String, check: &str, cases: &[Case<'_>], rules: &[Rule]) {
    let slug = rules.iter().find(|rule| rule.code == check).map_or("", |rule| rule.slug.as_str());
    let name = escape(&format!("{check} {slug}"));
    let failures = cases.iter().filter(|case| case.skipped.is_none()).count();
    let skipped = cases.len() - failures;
    let tests = cases.len().max(1);
    // Writing to a string can't fail.
    let _ = writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" skipped=\"{skipped}\">"
    );
    if cases.is_empty() {
        let _ = writeln!(out, "    <testcase classname=\"{name}\" name=\"nothing found\"/>");
    }
    for case in cases {
        let finding = case.finding;
        let place = format!("{}:{}", finding.location.file, finding.location.start_line);
        let title = escape(&format!("{} ({place})", one_line(&finding.title)));
        let _ = writeln!(
            out,
            "    <testcase classname=\"{name}\" name=\"{title}\" file=\"{}\" line=\"{}\">",
            escape(&finding.location.file),
            finding.location.start_line
        );
        let text = escape(&format!(
            "{place}\n{}\nImpact: {}\nFix: {}",
            one_line(&finding.problem),
            one_line(&finding.impact.text),
            one_line(&finding.fix.description)
        ));
        let severity = finding.severity.name();
        let _ = match &case.skipped {
            None => writeln!(
                out,
                "      <failure type=\"{severity}\" message=\"{}\">{text}</failure>",
                escape(&one_line(&finding.title))
            ),
            Some(why) => writeln!(out, "      <skipped message=\"{}\"/>", escape(&one_line(why))),
        };
        out.push_str("    </testcase>\n");
    }
    out.push_str("  </testsuite>\n");
}

/// Text in XML; characters that XML 1.0 forbids are shown as escapes.
fn escape(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(visible).collect();
    lines.join("\n").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
