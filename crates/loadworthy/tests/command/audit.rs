//! Selection, limits, targets, configuration and determinism.

use std::path::Path;

use crate::support::{N_PLUS_ONE, findings, report, run_in, shop, text};

#[test]
fn the_bare_form_and_the_subcommand_audit_alike() {
    let dir = shop(&[]);
    let bare = run_in(dir.path(), &[".", "--format", "json"]);
    let named = run_in(dir.path(), &["audit", ".", "--format", "json"]);
    assert_eq!(text(&bare.stdout), text(&named.stdout));
    assert_eq!(findings(&report(dir.path(), &["--only", "1A"])), ["1A src/app.ts:8"]);
}

#[test]
fn checks_are_chosen_by_code_or_name() {
    let dir = shop(&[]);
    let has =
        |arguments: &[&str]| findings(&report(dir.path(), arguments)).contains(&"1A src/app.ts:8".to_owned());
    assert!(has(&["--only", "n-plus-one"]) && has(&["--only", "1a"]));
    assert!(!has(&["--skip", "1A"]) && !has(&["--skip", "N-PLUS-ONE"]));
}

#[test]
fn excluded_files_are_left_out() {
    let dir = shop(&[("src/copy.ts", N_PLUS_ONE)]);
    assert_eq!(
        findings(&report(dir.path(), &["--only", "1A", "--exclude", "src/copy.ts"])),
        ["1A src/app.ts:8"]
    );
}

#[test]
fn limits_decide_the_exit_code() {
    let dir = shop(&[]);
    let code =
        |arguments: &[&str]| run_in(dir.path(), &[&["--only", "1A"], arguments].concat()).status.code();
    assert_eq!(code(&[]), Some(0));
    assert_eq!(code(&["--fail-on", "monitor"]), Some(1));
    assert_eq!(code(&["--skip", "1A", "--fail-on", "monitor"]), Some(0));
    assert_eq!(code(&["--min-score", "10"]), Some(1));
    assert_eq!(code(&["--min-score", "1"]), Some(0));
    assert_eq!(code(&["--min-score", "11"]), Some(2));
}

#[test]
fn a_severity_hides_what_is_below_and_leaves_the_score() {
    let dir = shop(&[]);
    let all = report(dir.path(), &["--only", "1A", "--rps", "1"]);
    let severe = report(dir.path(), &["--only", "1A", "--rps", "1", "--severity", "critical"]);
    assert!(findings(&severe).is_empty() && !findings(&all).is_empty());
    assert_eq!(all["score"], severe["score"]);
}

#[test]
fn the_target_is_that_of_the_command_line_else_of_the_configuration() {
    let dir =
        shop(&[("loadworthy.json", r#"{ "target": { "rps": 7, "users": 70, "errorRate": 0.5 } } // ours"#)]);
    let target = report(dir.path(), &["--users", "71"])["target"].clone();
    assert_eq!(
        target,
        serde_json::json!({ "users": 71, "requests_per_second": 7.0, "duration_seconds": 300.0, "p95_millis": 500.0, "error_rate": 0.5 })
    );
}

#[test]
fn the_manifest_can_hold_the_configuration() {
    let dir = shop(&[(
        "package.json",
        r#"{ "dependencies": { "express": "4", "@prisma/client": "5" }, "loadworthy": { "only": ["1A"], "failOn": "monitor" } }"#,
    )]);
    assert_eq!(run_in(dir.path(), &[]).status.code(), Some(1));
    let skipped = shop(&[("other.json", r#"{ "skip": ["1A"] }"#)]);
    assert!(findings(&report(skipped.path(), &["--only", "1A", "--config", "other.json"])).is_empty());
}

#[test]
fn the_project_can_teach_what_its_own_packages_do() {
    let app = N_PLUS_ONE.replace("@prisma/client", "@acme/database");
    let knowledge = "[[library]]\nid = \"prisma\"\npackages = [\"@acme/database\"]\n";
    let dir = shop(&[
        ("package.json", r#"{ "dependencies": { "express": "4", "@acme/database": "1" } }"#),
        ("src/app.ts", &app),
        ("config/knowledge.toml", knowledge),
        ("config/loadworthy.json", r#"{ "knowledge": "knowledge.toml" }"#),
    ]);
    let found = |arguments: &[&str]| findings(&report(dir.path(), &[&["--only", "1A"], arguments].concat()));
    assert_eq!(found(&[]), Vec::<String>::new());
    assert_eq!(found(&["--config", "config/loadworthy.json"]), ["1A src/app.ts:8"]);
    let broken = shop(&[("k.toml", "[[nonsense]]"), ("loadworthy.json", r#"{ "knowledge": "k.toml" }"#)]);
    assert_eq!(run_in(broken.path(), &[]).status.code(), Some(2));
}

#[test]
fn several_reports_come_from_one_run() {
    let dir = shop(&[]);
    let output = run_in(
        dir.path(),
        &["--format", "json", "--output", "r.json", "-o", "r.md", "--format", "terminal", "--only", "1A"],
    );
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    assert!(read("r.json").starts_with('{') && read("r.md").starts_with("# Load readiness"));
    assert!(text(&output.stdout).contains("src/app.ts:8"));
}

#[test]
fn the_report_is_the_same_at_any_thread_count() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/storefront");
    let of = |threads: &str| text(&run_in(&demo, &["--format", "json", "--threads", threads]).stdout);
    let one = of("1");
    assert!(one.len() > 1000 && one == of("2") && one == of("8"));
}

#[test]
fn ids_survive_moved_lines_and_tell_twins_apart() {
    let ids = |files: &[(&str, &str)]| -> Vec<String> {
        let report = report(shop(files).path(), &["--only", "1A"]);
        report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let moved = format!("\n\n// moved\n{N_PLUS_ONE}");
    assert_eq!(ids(&[]), ids(&[("src/app.ts", &moved)]));
    let (before, rest) = N_PLUS_ONE.split_once("  for (").unwrap();
    let (body, after) = rest.split_once("  res.json").unwrap();
    let twice = format!("{before}  for ({body}  for ({body}  res.json{after}");
    let twins = ids(&[("src/app.ts", &twice)]);
    assert!(twins.len() == 2 && twins[0] != twins[1] && twins.contains(&ids(&[])[0]), "{twins:?}");
}

#[test]
fn the_report_is_valid_against_its_schema() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = std::fs::read_to_string(here.join("../../docs/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    for folder in [shop(&[]).path(), &here.join("../../examples/storefront")] {
        let report = report(folder, &[]);
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}

#[test]
fn colours_are_for_terminals() {
    let dir = shop(&[]);
    let has_colour = |arguments: &[&str]| text(&run_in(dir.path(), arguments).stdout).contains('\u{1b}');
    assert!(!has_colour(&[]) && !has_colour(&["--color", "never"]));
    assert!(has_colour(&["--color", "always"]));
}

#[test]
fn pages_and_lists_need_no_project() {
    let dir = tempfile::tempdir().unwrap();
    let list = text(&run_in(dir.path(), &["checks"]).stdout);
    assert!(list.lines().any(|line| line.starts_with("1A  n-plus-one")), "{list}");
    let rows: serde_json::Value =
        serde_json::from_slice(&run_in(dir.path(), &["checks", "--format", "json"]).stdout).unwrap();
    for row in rows.as_array().unwrap() {
        let (code, slug) = (row["code"].as_str().unwrap(), row["slug"].as_str().unwrap());
        let page = run_in(dir.path(), &["explain", code]);
        assert_eq!(page.stdout, run_in(dir.path(), &["explain", slug]).stdout);
        assert!(text(&page.stdout).lines().any(|line| line.starts_with("BAD")), "{code}");
    }
}

#[test]
fn the_environment_is_inferred_and_can_be_corrected() {
    let dir = shop(&[("Dockerfile", "FROM node:22-slim\nCMD [\"node\", \"src/app.js\"]\n")]);
    let fact = |arguments: &[&str], name: &str| {
        let report = report(dir.path(), arguments);
        let facts = report["environment"].as_array().unwrap().clone();
        facts.into_iter().find(|it| it["fact"] == name).unwrap()
    };
    let node = fact(&[], "Node.js");
    assert_eq!((&node["value"], &node["evidence"][0]["file"]), (&"22".into(), &"Dockerfile".into()));
    let instances = fact(&["--set", "deployment.instances=4"], "Instances");
    assert!(instances["value"].as_str().unwrap().contains("set by the user"), "{instances}");
    let set = shop(&[("loadworthy.json", r#"{ "environment": { "deployment": { "instances": 4 } } }"#)]);
    assert!(text(&run_in(set.path(), &["env"]).stdout).contains("set by the user"));
    let rows: serde_json::Value =
        serde_json::from_slice(&run_in(dir.path(), &["env", "--format", "json"]).stdout).unwrap();
    assert_eq!(
        rows["environment"].as_array().unwrap().len(),
        report(dir.path(), &[])["environment"].as_array().unwrap().len()
    );
}

#[test]
fn what_runs_it_decides_the_severity() {
    let dir = shop(&[]);
    let severity = |pool: &str| {
        let arguments = ["--only", "1A", "--rps", "20", "--set", &format!("database.pool.max={pool}")];
        report(dir.path(), &arguments)["findings"][0]["severity"].as_str().unwrap().to_owned()
    };
    assert_ne!(severity("1"), severity("100"));
}
