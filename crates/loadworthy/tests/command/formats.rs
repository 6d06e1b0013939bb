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

/// The forms for machines are what their readers expect, on a real run; the details have tests of their own.
#[test]
fn forms_for_machines() {
    let json = |form: &str| -> serde_json::Value {
        serde_json::from_str(&of(&["--only", "1A", "--format", form])).unwrap()
    };
    let sarif = json("sarif");
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "1A");
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap().len(), 21);
    assert_eq!(json("gitlab")[0]["check_name"], "1A n-plus-one");
    assert!(of(&["--only", "1A", "--format", "github"]).starts_with("::error file=src/"));
    assert!(of(&["--only", "1A", "--format", "junit"]).contains("<failure type="));
    let agent = of(&["--only", "1A", "--format", "agent"]);
    assert!(agent.lines().last().unwrap().starts_with("loadworthy: "), "{agent}");
}

#[test]
fn coding_agents_get_their_own_form_unless_another_is_asked_for() {
    let dir = shop(&[]);
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_loadworthy"))
            .args(arguments)
            .arg(dir.path())
            .env("AI_AGENT", "1")
            .output()
            .unwrap();
        text(&output.stdout)
    };
    assert!(run(&[]).lines().last().unwrap().starts_with("loadworthy: "));
    assert!(run(&["--format", "json"]).starts_with('{'));
}

#[test]
fn the_summary_of_a_github_job_goes_to_the_file_that_it_names() {
    let dir = shop(&[]);
    let file = dir.path().join("summary.md");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_loadworthy"))
        .args(["--format", "github"])
        .arg(dir.path())
        .env("GITHUB_STEP_SUMMARY", &file)
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("## Load readiness "));
}
