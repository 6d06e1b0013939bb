//! A run as data: what was found in each application and what it cost.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::Failure;
use crate::measure::Usage;

/// A run over several applications, by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The audits.
    pub(super) apps: BTreeMap<String, Audit>,
}

/// The audit of one application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Audit {
    /// The commit audited.
    pub(super) commit: String,
    /// Wall time, processor time, peak memory, exit code.
    pub(super) usage: Usage,
    /// Why there is no report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// Number of routes in the report.
    pub(super) routes: usize,
    /// What the audit could not read or finish, as text.
    pub(super) diagnostics: Vec<String>,
    /// Findings and suspicious patterns, in the order of the report.
    pub(super) items: Vec<Item>,
}

/// Which of the report's two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tier {
    /// Proven from the code.
    Finding,
    /// Decided by a fact that the code does not hold.
    Suspicious,
}

impl Tier {
    /// The name in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Finding => "finding",
            Self::Suspicious => "suspicious",
        }
    }
}

/// A finding, reduced to what is compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    /// The fingerprint.
    pub(super) id: String,
    /// The list it is in.
    pub(super) tier: Tier,
    /// The check ("1A").
    pub(super) check: String,
    /// `CRITICAL`, `HIGH`, `MEDIUM` or `MONITOR`.
    pub(super) severity: String,
    /// `High`, `Medium` or `Low`, as the report has it.
    pub(super) confidence: String,
    /// Relative path.
    pub(super) file: String,
    /// First line.
    pub(super) line: u64,
    /// One line.
    pub(super) title: String,
    /// Hash of all the rest: evidence, problem, impact, fix, …
    pub(super) rest: String,
}

impl Record {
    /// Reads a recorded run.
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let bytes = fs::read(file).map_err(Failure::at(file))?;
        serde_json::from_slice(&bytes)
            .map_err(|error| Failure::Usage(format!("{}: not a recorded run: {error}", file.display())))
    }

    /// Writes it, for later runs.
    pub(super) fn write(&self, file: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Failure::of("xtask eval", error))?;
        fs::write(file, text + "\n").map_err(Failure::at(file))
    }
}

impl Audit {
    /// An audit without a report.
    pub(super) fn failed(commit: &str, usage: Usage, error: String) -> Self {
        Self {
            commit: commit.to_owned(),
            usage,
            error: Some(error),
            routes: 0,
            diagnostics: Vec::new(),
            items: Vec::new(),
        }
    }

    /// From what the program wrote. Only the fields that are compared are looked at, so that an older program's
    /// report can be read too.
    pub(super) fn of(commit: &str, usage: Usage, report: &[u8], errors: &str) -> Self {
        let Ok(report) = serde_json::from_slice::<Value>(report) else {
            return Self::failed(commit, usage, reason(&usage, errors));
        };
        let list = |name: &str| report.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let findings = list("findings").iter().map(|item| Item::of(Tier::Finding, item));
        let suspicious = list("suspicious").iter().map(|item| Item::of(Tier::Suspicious, item));
        Self {
            commit: commit.to_owned(),
            usage,
            error: None,
            routes: list("routes").len(),
            diagnostics: list("diagnostics").iter().map(ToString::to_string).collect(),
            items: findings.chain(suspicious).collect(),
        }
    }
}

fn reason(usage: &Usage, errors: &str) -> String {
    if usage.timed_out {
        return "took too long".to_owned();
    }
    let last = errors.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no report");
    match usage.exit_code {
        Some(code) => format!("exit code {code}: {last}"),
        None => format!("ended by a signal: {last}"),
    }
}

impl Item {
    fn of(tier: Tier, item: &Value) -> Self {
        let word = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
        let place = |name: &str| item.pointer(&format!("/location/{name}"));
        Self {
            id: word("id"),
            tier,
            check: word("check"),
            severity: word("severity"),
            confidence: word("confidence"),
            file: place("file").and_then(Value::as_str).unwrap_or("?").to_owned(),
            line: place("start_line").and_then(Value::as_u64).unwrap_or(0),
            title: word("title"),
            rest: rest(item),
        }
    }
}

/// FNV-1a, 64 bits, of the fields that [`Item`] does not hold.
fn rest(item: &Value) -> String {
    const HELD: [&str; 5] = ["id", "check", "severity", "confidence", "title"];
    let fields = item.as_object().into_iter().flatten().filter(|(name, _)| !HELD.contains(&name.as_str()));
    let texts: Vec<String> = fields.map(|(name, value)| format!("{name}{value}")).collect();
    let hash = texts.iter().flat_map(|text| text.bytes()).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{
        "findings": [{"id": "a1", "check": "1A", "severity": "HIGH", "confidence": "High", "title": "t",
                      "location": {"file": "a.js", "start_line": 3}, "problem": "p"}],
        "suspicious": [{"id": "b2", "check": "2A", "severity": "MEDIUM", "confidence": "Low", "title": "u",
                        "location": {"file": "b.js", "start_line": 9}}],
        "routes": [{}, {}],
        "diagnostics": [{"kind": "not_parsed", "file": "c.js"}]
    }"#;

    fn audit(report: &str) -> Audit {
        Audit::of("c", Usage { exit_code: Some(0), ..Usage::default() }, report.as_bytes(), "")
    }

    #[test]
    fn both_lists_of_a_report_are_read() {
        let audit = audit(REPORT);
        let items: Vec<_> = audit.items.iter().map(|item| (item.id.as_str(), item.tier, item.line)).collect();
        assert_eq!(items, [("a1", Tier::Finding, 3), ("b2", Tier::Suspicious, 9)]);
        assert_eq!((audit.routes, audit.diagnostics.len(), audit.error), (2, 1, None));
    }

    #[test]
    fn the_rest_changes_with_the_text_but_not_with_the_severity() {
        let of = |report: &str| audit(report).items[0].rest.clone();
        assert_ne!(of(REPORT), of(&REPORT.replace("\"p\"", "\"q\"")));
        assert_eq!(of(REPORT), of(&REPORT.replace("HIGH", "CRITICAL")));
    }

    #[test]
    fn a_program_that_dies_is_an_error_with_its_last_words() {
        let usage = Usage { exit_code: Some(3), ..Usage::default() };
        let audit = Audit::of("c", usage, b"half a repo", "note\nerror: no memory\n\n");
        assert_eq!(audit.error.as_deref(), Some("exit code 3: error: no memory"));
        let slow = Usage { timed_out: true, ..Usage::default() };
        assert_eq!(Audit::of("c", slow, b"", "").error.as_deref(), Some("took too long"));
    }

    #[test]
    fn a_record_reads_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.json");
        let record = Record { apps: [("shop".to_owned(), audit(REPORT))].into() };
        record.write(&file).unwrap();
        assert_eq!(Record::read(&file).unwrap(), record);
        fs::write(&file, "{}").unwrap();
        assert!(Record::read(&file).is_err());
    }
}
