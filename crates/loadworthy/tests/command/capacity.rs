//! `loadworthy capacity` and `loadworthy routes --load`, as a user runs them.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

const APP: &str = r#"
import express from "express";
import { Pool } from "pg";
const pool = new Pool({ max: 4 });
const app = express();
app.get("/books", async (req, res) => {
  const { rows } = await pool.query("SELECT id, author FROM books LIMIT 25");
  for (const book of rows) {
    book.author = await pool.query("SELECT name FROM authors WHERE id = $1", [book.author]);
  }
  res.json(rows);
});
app.get("/health", (req, res) => res.send("ok"));
app.listen(3000);
"#;

fn run(arguments: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let manifest = r#"{"name":"shop","dependencies":{"express":"4.19.2","pg":"8.11.0"}}"#;
    fs::write(dir.path().join("package.json"), manifest).unwrap();
    fs::write(dir.path().join("app.js"), APP).unwrap();
    let config = r#"{ "traffic": { "GET /books": 1 } }"#;
    fs::write(dir.path().join("loadworthy.json"), config).unwrap();
    Command::new(env!("CARGO_BIN_EXE_loadworthy")).args(arguments).arg(dir.path()).output().unwrap()
}

fn text(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

#[test]
fn the_pool_is_used_up_first_and_at_the_rate_of_its_arithmetic() {
    let report: Value =
        serde_json::from_str(&text(&["capacity", "--format", "json", "--rps", "20"])).unwrap();
    let first = &report["applications"][0]["saturates_first"];
    assert_eq!(first["resource"], "connection pool");
    // 4 connections, 26 queries of 2 ms.
    assert!((number(&first["saturates_at_requests_per_second"]) - 4.0 / 0.052).abs() < 1e-6, "{first}");
    assert!((number(&first["utilisation"]) - 20.0 * 0.052 / 4.0).abs() < 1e-6, "{first}");
}

#[test]
fn measured_times_go_before_assumed_ones_and_the_sensitivity_names_the_time_that_matters() {
    let shown = text(&["capacity", "--query-ms", "1"]);
    assert!(shown.contains("the connection pool is used up first, at 154 req/s"), "{shown}");
    assert!(
        shown.contains("if a query takes 2.5 ms instead of 1, the connection pool is used up at 61.5 req/s"),
        "{shown}"
    );
}

#[test]
fn past_saturation_the_answers_grow() {
    let shown = text(&["capacity", "--format", "markdown", "--rps", "100"]);
    assert!(shown.contains("p95 grows (objective") && shown.contains("| grows |"), "{shown}");
}

#[test]
fn the_route_table_has_the_load_where_it_is_asked_for() {
    assert!(!text(&["routes"]).contains("req/s"));
    let shown = text(&["routes", "--load", "--rps", "20"]);
    assert!(shown.contains("20 req/s, loop 7%, pool 26%"), "{shown}");
}

#[test]
fn a_time_that_is_none_is_refused() {
    let output = run(&["capacity", "--query-ms", "0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("query-ms must be a number above 0"));
}
