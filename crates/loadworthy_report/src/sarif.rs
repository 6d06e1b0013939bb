//! The report as SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/>), for code scanning.
//!
//! A finding is a result of kind `fail`; a suspicious pattern one of kind `review`, which never fails a build. The evidence
//! chain is a code flow. Fingerprints are the findings' ids, which survive moved lines.

use serde_json::{Value, json};

use crate::escape::one_line;
use crate::model::{Applicability, Edit, Finding, Location, Report, Severity};
use crate::rules::Rule;

/// The report as one SARIF log with one run.
#[must_use]
pub fn sarif(report: &Report, rules: &[Rule]) -> String {
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| result(finding, rules, None))
        .chain(report.suspicious.iter().map(|it| result(&it.finding, rules, Some(&it.missing_fact))))
        .collect();
    let notifications: Vec<Value> = report
        .diagnostics
        .iter()
        .map(|it| {
            let text = one_line(&it.message);
            let mut note = json!({ "level": "warning", "message": { "text": text } });
            if let Some(file) = &it.file {
                let line = it.line.unwrap_or(1);
                put(&mut note, "locations", json!([{ "physicalLocation": { "artifactLocation": artifact(file), "region": { "startLine": line } } }]));
            }
            note
        })
        .collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": report.tool.name,
                "semanticVersion": report.tool.version,
                "rules": rules.iter().map(rule).collect::<Vec<_>>(),
            } },
            "columnKind": "utf16CodeUnits",
            "originalUriBaseIds": { "ROOT": { "description": { "text": "The folder that was audited." } } },
            "invocations": [{ "executionSuccessful": true, "toolExecutionNotifications": notifications }],
            "results": results,
            "properties": { "vibeScore": report.score.value },
        }],
    });
    let mut text = serde_json::to_string_pretty(&log).unwrap_or_default();
    text.push('\n');
    text
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.code,
        "name": rule.slug,
        "shortDescription": { "text": one_line(&rule.summary) },
        "help": { "text": rule.page, "markdown": rule.page },
        "defaultConfiguration": { "level": "warning" },
    })
}

fn result(finding: &Finding, rules: &[Rule], missing_fact: Option<&str>) -> Value {
    let mut message = format!("{}. {}", one_line(&finding.title), one_line(&finding.problem));
    if let Some(fact) = missing_fact {
        message.extend([" To verify: ", &one_line(fact), "."]);
    }
    let mut value = json!({
        "ruleId": finding.check,
        "level": if missing_fact.is_some() { "note" } else { level(finding.severity) },
        "message": { "text": message },
        "locations": [location(&finding.location)],
        "partialFingerprints": { "loadworthy/v1": finding.id },
        "properties": {
            "severity": finding.severity.name(),
            "confidence": finding.confidence.name(),
            "impact": one_line(&finding.impact.text),
            "verify": one_line(&finding.verify),
            "fix": one_line(&finding.fix.description),
            "tradeoff": one_line(&finding.tradeoff),
        },
    });
    if let Some(index) = rules.iter().position(|rule| rule.code == finding.check) {
        put(&mut value, "ruleIndex", json!(index));
    }
    if missing_fact.is_some() {
        // A result that is not `fail` has the level `none`.
        put(&mut value, "kind", json!("review"));
        put(&mut value, "level", json!("none"));
    }
    if finding.evidence.len() > 1 {
        let steps: Vec<Value> = finding
            .evidence
            .iter()
            .map(|step| {
                json!({ "location": {
                    "physicalLocation": {
                        "artifactLocation": artifact(&step.file),
                        "region": { "startLine": step.start_line.max(1), "endLine": step.end_line.max(step.start_line).max(1) },
                    },
                    "message": { "text": one_line(&step.note) },
                } })
            })
            .collect();
        put(&mut value, "codeFlows", json!([{ "threadFlows": [{ "locations": steps }] }]));
    }
    if finding.fix.applicability != Applicability::Manual && !finding.fix.edits.is_empty() {
        put(&mut value, "fixes", json!([fix(&finding.fix.description, &finding.fix.edits)]));
    }
    value
}

/// Offsets of edits are bytes, which SARIF has as `byteOffset`.
fn fix(description: &str, edits: &[Edit]) -> Value {
    let changes: Vec<Value> = edits
        .iter()
        .map(|edit| {
            json!({
                "artifactLocation": artifact(&edit.file),
                "replacements": [{
                    "deletedRegion": {
                        "byteOffset": edit.start_offset,
                        "byteLength": edit.end_offset.saturating_sub(edit.start_offset),
                    },
                    "insertedContent": { "text": edit.replacement },
                }],
            })
        })
        .collect();
    json!({ "description": { "text": one_line(description) }, "artifactChanges": changes })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Monitor => "note",
    }
}

fn location(location: &Location) -> Value {
    let mut region = json!({
        "startLine": location.start_line.max(1),
        "endLine": location.end_line.max(location.start_line).max(1),
    });
    if location.start_column > 0 && location.end_column > 0 {
        put(&mut region, "startColumn", json!(location.start_column));
        put(&mut region, "endColumn", json!(location.end_column));
    }
    json!({ "physicalLocation": { "artifactLocation": artifact(&location.file), "region": region } })
}

fn artifact(file: &str) -> Value {
    json!({ "uri": uri(file), "uriBaseId": "ROOT" })
}

/// Adds a member to an object.
fn put(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(key.to_owned(), value);
    }
}

const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];

/// A relative path as a URI reference (RFC 3986): everything but unreserved characters and `/` is percent-encoded.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend(
                [byte >> 4, byte & 0xF].map(|digit| HEX.get(usize::from(digit)).copied().unwrap_or('0')),
            );
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn paths_are_uri_references() {
        assert_eq!(uri("src/a.ts"), "src/a.ts");
        assert_eq!(uri("app/[id]/größe x.tsx"), "app/%5Bid%5D/gr%C3%B6%C3%9Fe%20x.tsx");
    }
}
