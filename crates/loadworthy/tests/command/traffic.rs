//! `--traffic FILE`: the mix of an access log or a HAR, as a user gives it.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{project, report, run_in, text};

const APP: &str = r#"import express from "express";
import { Pool } from "pg";
const pool = new Pool({ max: 4 });
const app = express();
app.get("/api/orders", async (req, res) => {
  const { rows } = await pool.query("SELECT id, owner FROM orders LIMIT 25");
  for (const order of rows) {
    order.owner = await pool.query("SELECT name FROM users WHERE id = $1", [order.owner]);
  }
  res.json(rows);
});
app.get("/api/orders/:id", async (req, res) => {
  res.json(await pool.query("SELECT id FROM orders WHERE id = $1", [req.params.id]));
});
app.post("/api/orders", async (req, res) => {
  await pool.query("INSERT INTO orders(owner) VALUES ($1)", [req.body.owner]);
  res.sendStatus(201);
});
app.listen(3000);
"#;

const LOG: &str = r#"10.0.0.1 - - [10/Oct/2024:13:55:36 +0000] "GET /api/orders/7?full=1 HTTP/1.1" 200 51 "-" "x"
10.0.0.1 - - [10/Oct/2024:13:55:37 +0000] "GET /api/orders/8/ HTTP/1.1" 200 51 "-" "x"
10.0.0.1 - - [10/Oct/2024:13:55:38 +0000] "HEAD /api/orders/9 HTTP/1.1" 200 0 "-" "x"
10.0.0.1 - - [10/Oct/2024:13:55:38 +0000] "OPTIONS /api/orders HTTP/1.1" 204 0 "-" "x"
10.0.0.1 - - [10/Oct/2024:13:55:40 +0000] "POST /api/orders HTTP/1.1" 201 2 "-" "x"
10.0.0.1 - - [10/Oct/2024:13:55:40 +0000] "GET /static/app.js HTTP/1.1" 200 9 "-" "x"
10.0.0.1 - - [10/Oct/2024:13:55:41 +0000] "\x16\x03\x01" 400 0 "-" "-"
"#;

const JSON_LINES: &str = r#"{"level":30,"time":1728568536000,"req":{"method":"GET","url":"/api/orders?page=2"},"res":{"statusCode":200}}
{"level":30,"time":1728568536500,"msg":"listening"}
{"level":30,"time":1728568537000,"req":{"method":"POST","url":"/api/orders"},"res":{"statusCode":201}}
"#;

const HAR: &str = r#"{ "log": { "version": "1.2", "entries": [
  { "startedDateTime": "2024-10-10T13:55:36Z", "request": { "method": "GET", "url": "https://shop.example/api/orders" } },
  { "startedDateTime": "2024-10-10T13:55:36Z", "request": { "method": "POST", "url": "https://stats.example/api/orders" } },
  { "startedDateTime": "2024-10-10T13:55:38Z", "request": { "method": "GET", "url": "https://shop.example/api/orders/3" } },
  { "startedDateTime": "2024-10-10T13:55:38Z", "request": { "method": "GET", "url": "https://cdn.example/a.js" } }
] } }"#;

fn shop(files: &[(&str, &str)]) -> TempDir {
    let manifest = r#"{"name":"shop","dependencies":{"express":"4.19.2","pg":"8.11.0"}}"#;
    let own = [
        ("package.json", manifest),
        ("app.js", APP),
        ("access.log", LOG),
        ("app.jsonl", JSON_LINES),
        ("a.har", HAR),
    ];
    project(&[&own, files].concat())
}

fn out(dir: &Path, arguments: &[&str]) -> String {
    let output = run_in(dir, arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// "GET /api/orders 0.5" of each route, and the assumption about the mix.
fn forecast(dir: &Path, file: &str) -> (Vec<String>, String) {
    let all: Value =
        serde_json::from_str(&out(dir, &["capacity", "--format", "json", "--traffic", file])).unwrap();
    let routes = all["applications"][0]["routes"].as_array().unwrap().iter();
    let shares =
        routes.map(|it| format!("{} {:.3}", it["route"].as_str().unwrap(), it["share"].as_f64().unwrap()));
    let assumptions = all["assumptions"].as_array().unwrap().iter().filter_map(Value::as_str);
    let of_mix: Vec<&str> = assumptions.filter(|it| it.contains("traffic")).collect();
    (shares.collect(), of_mix.join("\n"))
}

#[test]
fn an_access_log_gives_the_shares() {
    let (shares, assumption) = forecast(shop(&[]).path(), "access.log");
    assert_eq!(shares, ["GET /api/orders 0.001", "GET /api/orders/:id 0.749", "POST /api/orders 0.250"]);
    assert_snapshot!(assumption, @"the traffic mix is from access.log: 4 requests of 5 matched a route; 1 line not read; 1 route that it does not have counts with 0.1% at most; 1 req/s on average");
}

#[test]
fn json_lines_give_the_shares() {
    let (shares, assumption) = forecast(shop(&[]).path(), "app.jsonl");
    assert_eq!(shares, ["GET /api/orders 0.500", "GET /api/orders/:id 0.001", "POST /api/orders 0.500"]);
    assert_snapshot!(assumption, @"the traffic mix is from app.jsonl: 2 requests of 2 matched a route; 0 lines not read; 1 route that it does not have counts with 0.1% at most; 2 req/s on average");
}

#[test]
fn of_a_har_the_host_of_the_application_counts() {
    let (shares, assumption) = forecast(shop(&[]).path(), "a.har");
    assert_eq!(shares, ["GET /api/orders 0.500", "GET /api/orders/:id 0.500", "POST /api/orders 0.001"]);
    assert_snapshot!(assumption, @"the traffic mix is from a.har: 2 requests of 2 matched a route (those of shop.example; 2 of other hosts are left out); 0 entries not read; 1 route that it does not have counts with 0.1% at most; 1 req/s on average");
}

#[test]
fn the_command_line_goes_before_the_configuration() {
    let config = ("loadworthy.json", r#"{ "traffic": { "GET /api/orders": 1 } }"#);
    let (shares, _) = forecast(shop(&[config]).path(), "access.log");
    assert_eq!(shares[1], "GET /api/orders/:id 0.749");
}

#[test]
fn the_report_and_the_plan_say_where_the_shares_are_from() {
    let dir = shop(&[]);
    let report = report(dir.path(), &["--traffic", "access.log"]);
    let facts = report["environment"].as_array().unwrap();
    let mix = facts.iter().find(|it| it["fact"] == "traffic mix").unwrap();
    assert!(mix["value"].as_str().unwrap().starts_with("from access.log: 4 requests of 5 matched"), "{mix}");
    assert_eq!(report["routes"][1]["traffic_share"], 0.7493);
    let plan = out(dir.path(), &["plan", "--traffic", "access.log"]);
    assert!(plan.contains("Shares from access.log: 4 requests of 5 matched a route"), "{plan}");
    run_in(dir.path(), &["plan", "--traffic", "access.log", "--output", "kit"]);
    let kit = fs::read_to_string(dir.path().join("kit/README.md")).unwrap();
    assert!(kit.contains("The weights in `requests.json` are from access.log: 4 requests"), "{kit}");
}

#[test]
fn the_route_table_tells_it_beside_the_load() {
    let dir = shop(&[]);
    let output = run_in(dir.path(), &["routes", "--load", "--traffic", "access.log"]);
    assert!(text(&output.stdout).contains("74.9 req/s"), "{}", text(&output.stdout));
    assert!(
        text(&output.stderr).contains("note: the traffic mix is from access.log"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn severities_follow_what_is_called() {
    let dir = shop(&[]);
    let severity = |file: &str| {
        report(dir.path(), &["--only", "1A", "--rps", "400", "--traffic", file])["findings"][0]["severity"]
            .clone()
    };
    assert_eq!((severity("access.log"), severity("app.jsonl")), ("MEDIUM".into(), "CRITICAL".into()));
}

#[test]
fn what_can_not_be_used_is_refused() {
    let dir = shop(&[
        ("notes.txt", "hello\nworld\n"),
        ("empty.log", ""),
        ("other.log", "GET /shop 200 1 ms\n"),
        ("cut.har", r#"{"log":{"entries":[{"request":"#),
        ("logs/a.log", LOG),
    ]);
    fs::write(dir.path().join("access.log.gz"), b"\x1f\x8b\x08\0").unwrap();
    let refused = |file: &str| {
        let output = run_in(dir.path(), &["capacity", "--quiet", "--traffic", file]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let files = ["nowhere.log", "logs", "empty.log", "notes.txt", "cut.har", "access.log.gz", "other.log"];
    assert_snapshot!(files.map(refused).concat());
}

#[test]
fn bytes_that_are_no_text_are_counted() {
    let dir = shop(&[]);
    fs::write(dir.path().join("mixed.log"), [LOG.as_bytes(), b"\xff\xfe\n\0\n"].concat()).unwrap();
    let (_, assumption) = forecast(dir.path(), "mixed.log");
    assert!(assumption.contains("4 requests of 5 matched a route; 3 lines not read"), "{assumption}");
}
