//! Every format of the same reports.

mod common;

use common::{ORDERS, empty, only_monitor, sample};
use loadworthy_report::{Color, Detail, Report, TerminalOptions, json, json_schema, markdown, terminal};
use proptest::prelude::*;

fn source(file: &str) -> Option<String> {
    match file {
        "src/orders.ts" => Some(ORDERS.to_owned()),
        "src/ca_che_.ts" => Some("const cache = new Map();\n".repeat(9)),
        _ => None,
    }
}

fn shown(report: &Report, options: TerminalOptions) -> String {
    terminal(report, &options, &source)
}

#[test]
fn markdown_of_a_report() {
    insta::assert_snapshot!(markdown(&sample()));
}

#[test]
fn markdown_of_an_empty_report() {
    insta::assert_snapshot!(markdown(&empty()));
}

#[test]
fn markdown_without_findings_that_lower_the_score() {
    insta::assert_snapshot!(markdown(&only_monitor()));
}

#[test]
fn terminal_without_colour() {
    insta::assert_snapshot!(shown(&sample(), TerminalOptions::default()));
}

#[test]
fn terminal_of_an_empty_report() {
    insta::assert_snapshot!(shown(&empty(), TerminalOptions::default()));
}

#[test]
fn terminal_narrow_and_quiet() {
    insta::assert_snapshot!(shown(
        &sample(),
        TerminalOptions { detail: Detail::Quiet, width: 1, ..TerminalOptions::default() }
    ));
}

#[test]
fn json_of_a_report() {
    insta::assert_snapshot!(json(&sample()));
}

#[test]
fn json_of_an_empty_report() {
    insta::assert_snapshot!(json(&empty()));
}

#[test]
fn json_reads_back_as_the_same_report() {
    let read: Report = serde_json::from_str(&json(&sample())).unwrap();
    assert_eq!(read, sample());
}

#[test]
fn no_escape_of_the_code_reaches_the_terminal() {
    let plain = shown(&sample(), TerminalOptions::default());
    assert!(!plain.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{plain}");
    let coloured = shown(&sample(), TerminalOptions { color: Color::Always, ..TerminalOptions::default() });
    let stripped =
        ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[1;31m", "\u{1b}[31m", "\u{1b}[33m", "\u{1b}[36m"]
            .iter()
            .fold(coloured, |text, style| text.replace(style, ""));
    assert_eq!(stripped, plain);
}

#[test]
fn a_finding_past_the_end_of_its_file_is_still_reported() {
    let mut report = sample();
    report.findings[0].location.start_line = 4000;
    report.findings[0].location.end_line = 10;
    report.findings[0].location.start_column = 0;
    assert!(shown(&report, TerminalOptions::default()).contains("src/orders.ts:4000:0"));
}

#[test]
fn markdown_sections_come_in_their_order() {
    let text = markdown(&sample());
    let places = [
        "## Environment & Assumptions",
        "### Needs Confirmation",
        "## Score",
        "### Top 3 fixes",
        "## Findings",
        "[SEVERITY: CRITICAL]",
        "[SEVERITY: HIGH]",
        "## Suspicious Patterns",
        "## Summary & Action Plan",
        "### Fix Now",
        "### Fix Soon",
        "### Monitor",
        "## Diagnostics",
    ]
    .map(|heading| text.find(heading).unwrap_or_else(|| panic!("{heading}")));
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn each_report_is_valid_against_the_schema() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    for report in [sample(), empty(), only_monitor()] {
        let value = serde_json::from_str(&json(&report)).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn a_report_of_another_shape_is_not_valid() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&json(&sample())).unwrap();
    value["findings"][0]["severity"] = "SEVERE".into();
    assert!(!validator.is_valid(&value));
    let mut value: serde_json::Value = serde_json::from_str(&json(&sample())).unwrap();
    value["suspicious"][0].as_object_mut().unwrap().remove("missing_fact");
    assert!(!validator.is_valid(&value));
}

fn schema_text() -> String {
    format!("{}\n", serde_json::to_string_pretty(&json_schema()).unwrap_or_default())
}

#[test]
fn the_published_schema_is_that_of_the_model() {
    assert!(
        include_str!("../../../docs/report.schema.json") == schema_text(),
        "run: cargo test -p loadworthy_report --test formats -- --ignored write_the_schema"
    );
}

#[test]
#[ignore = "writes docs/report.schema.json"]
#[allow(clippy::disallowed_methods, reason = "the one place that writes the published schema")]
fn write_the_schema() {
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/report.schema.json"), schema_text())
        .unwrap();
}

proptest! {
    #[test]
    fn any_place_in_any_source_is_rendered(
        text in any::<String>(), start in 0u32..4, lines in any::<u32>(), column in 0u32..90_000, end in any::<u32>(),
        width in any::<usize>(),
    ) {
        let mut report = sample();
        report.findings.truncate(1);
        let finding = &mut report.findings[0];
        finding.title.clone_from(&text);
        finding.location.file.clone_from(&text);
        finding.location.start_line = start;
        finding.location.end_line = lines;
        finding.location.start_column = column;
        finding.location.end_column = end;
        let source = format!("{text}{}", "x".repeat(80_000));
        let options = TerminalOptions { width, ..TerminalOptions::default() };
        let shown = terminal(&report, &options, &|_| Some(source.clone()));
        prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n'));
        prop_assert!(!markdown(&report).chars().any(|c| c.is_control() && c != '\n'));
    }
}
