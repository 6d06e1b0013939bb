//! Each form of the report and each table, whole, on one small app. Of the checks only 1A runs, so that others do not show;
//! the facts of the environment, which have their own tests, are cut.

use insta::assert_snapshot;

use crate::support::{run_in, shop, text};

fn of(arguments: &[&str]) -> String {
    let dir = shop(&[("src/broken.ts", "export const = ;\n")]);
    let output = run_in(dir.path(), arguments);
    let version = env!("CARGO_PKG_VERSION");
    text(&output.stdout).replace(version, "VERSION")
}

#[test]
fn terminal() {
    assert_snapshot!(of(&["--only", "1A"]));
}

#[test]
fn terminal_quiet() {
    assert_snapshot!(of(&["--only", "1A", "--quiet"]));
}

#[test]
fn markdown() {
    let report = of(&["--only", "1A", "--format", "markdown"]);
    let (before, facts) = report.split_once("\n| Fact |").unwrap();
    let (_, after) = facts.split_once("\n## Score").unwrap();
    assert_snapshot!(format!("{before}\n[facts]\n\n## Score{after}"));
}

#[test]
fn json() {
    let mut report: serde_json::Value =
        serde_json::from_str(&of(&["--only", "1A", "--format", "json"])).unwrap();
    assert!(report["environment"].as_array().unwrap().len() > 10);
    report["environment"] = serde_json::json!([]);
    assert_snapshot!(serde_json::to_string_pretty(&report).unwrap());
}

#[test]
fn routes_terminal() {
    assert_snapshot!(of(&["routes"]));
}

#[test]
fn routes_json() {
    assert_snapshot!(of(&["routes", "--format", "json"]));
}
