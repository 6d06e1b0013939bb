//! `loadworthy env` on a small project, in every form.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const FILES: &[(&str, &str)] = &[
    (
        "package.json",
        r#"{"scripts": {"start": "node index.js"}, "dependencies": {"express": "4.21.2", "pg": "8.11.0"}}"#,
    ),
    (
        "index.js",
        "const express = require('express');\nconst { Pool } = require('pg');\nexpress();\nnew Pool({ connectionString: process.env.DATABASE_URL, max: 20 });\n",
    ),
    (".env", "DATABASE_URL=postgres://app:hunter2@db.neon.tech/x\n"),
];

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        fs::write(dir.path().join(path), text).unwrap();
    }
    dir
}

fn run(arguments: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_loadworthy")).args(arguments).arg(dir).output().unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn value(report: &serde_json::Value, key: &str) -> String {
    let facts = report["environment"].as_array().unwrap();
    let fact = facts.iter().find(|fact| fact["key"] == key).unwrap();
    fact["value"].as_str().unwrap().to_owned()
}

#[test]
fn every_form_holds_the_facts_and_no_secret() {
    let dir = project(FILES);
    for format in ["terminal", "markdown", "json"] {
        let text = text(&run(&["env", "--format", format], dir.path()));
        for wanted in ["PostgreSQL", "Neon", "max 20", "index.js"] {
            assert!(text.contains(wanted), "{format} lacks {wanted}:\n{text}");
        }
        assert!(!text.contains("hunter2"), "{format}");
    }
}

#[test]
fn the_command_line_goes_before_the_configuration() {
    let dir = project(FILES);
    let config = r#"{"environment": {"database": {"pool": {"max": 30}}, "deployment.instances": 2}}"#;
    fs::write(dir.path().join("loadworthy.json"), config).unwrap();
    let report = |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&text(&run(arguments, dir.path()))).unwrap()
    };
    let configured = report(&["env", "--format", "json"]);
    assert!(value(&configured, "database.pool").contains("max 30 (set by the user)"));
    assert_eq!(value(&configured, "deployment.instances"), "2 (set by the user)");
    let given = report(&["env", "--format", "json", "--set", "database.pool.max=50"]);
    assert!(value(&given, "database.pool").contains("max 50 (set by the user)"));
}

#[test]
fn an_unknown_fact_is_wrong_use_and_the_known_ones_are_listed() {
    let dir = project(FILES);
    let output = run(&["env", "--set", "pool=5"], dir.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("database.pool.max"));
}

#[test]
fn an_audit_reports_the_facts_it_calculates_with() {
    let dir = project(FILES);
    let report: serde_json::Value =
        serde_json::from_str(&text(&run(&["--format", "json"], dir.path()))).unwrap();
    let facts = report["environment"].as_array().unwrap();
    assert!(facts.iter().any(|fact| fact["fact"] == "Connection pool" && fact["confidence"] == "high"));
    assert!(facts.iter().any(|fact| fact["needs_confirmation"]["look_at"].is_string()));
}
