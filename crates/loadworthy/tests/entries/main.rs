//! Entry points of small applications of every framework, as `loadworthy routes` prints them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod callbacks;
mod express;
mod fastify;
mod graphql;
mod hono;
mod koa;
mod nest;
mod next;
mod remix;
mod serverless;
mod strays;
mod trpc;

use std::fs;
use std::process::Command;

/// The rows of `loadworthy routes` for an application of these files.
fn report(files: &[(&str, &str)]) -> Vec<serde_json::Value> {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_loadworthy"))
        .args(["routes", "--format", "json"])
        .arg(dir.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    report["routes"].as_array().unwrap().clone()
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// `METHOD path handler-file:line`, sorted; `METHOD path ?` where the handler is no function of the application.
fn table(files: &[(&str, &str)]) -> Vec<String> {
    let line = |row: &serde_json::Value| {
        let head = format!("{} {}", text(&row["method"]), text(&row["path"]));
        if row["resolved"] == true {
            format!("{head} {}:{}", text(&row["handler"]["file"]), row["handler"]["line"])
        } else {
            format!("{head} ?")
        }
    };
    let mut rows: Vec<_> = report(files).iter().map(line).collect();
    rows.sort();
    rows
}

/// `METHOD path: middleware, middleware`, in the order of the table.
fn chains(files: &[(&str, &str)]) -> Vec<String> {
    let line = |row: &serde_json::Value| {
        let middleware: Vec<_> = row["middleware"].as_array().unwrap().iter().map(text).collect();
        format!("{} {}: {}", text(&row["method"]), text(&row["path"]), middleware.join(", "))
    };
    report(files).iter().map(line).collect()
}
