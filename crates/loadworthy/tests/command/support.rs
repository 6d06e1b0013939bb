//! Projects in temporary folders, and runs of the binary with a time limit.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// Longer than any run takes on a busy machine; a run that hangs fails the test.
const LIMIT: Duration = Duration::from_mins(2);

/// A route that reads the user of each order by itself: one finding of 1A at line 8.
pub(crate) const N_PLUS_ONE: &str = r#"import express from "express";
import { PrismaClient } from "@prisma/client";
const app = express();
const prisma = new PrismaClient();
app.get("/orders", async (_req, res) => {
  const orders = await prisma.order.findMany({ take: 50 });
  for (const order of orders) {
    order.user = await prisma.user.findFirst({ where: { id: order.userId } });
  }
  res.json(orders);
});
app.listen(3000);
"#;

pub(crate) const MANIFEST: &str =
    r#"{ "name": "shop", "dependencies": { "express": "4.18.2", "@prisma/client": "5.10.0" } }"#;

/// A folder with these files.
pub(crate) fn project(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(dir.path(), path, text.as_bytes());
    }
    dir
}

/// The app of [`N_PLUS_ONE`] and these files.
pub(crate) fn shop(files: &[(&str, &str)]) -> TempDir {
    let own = [("package.json", MANIFEST), ("src/app.ts", N_PLUS_ONE)];
    project(&[&own, files].concat())
}

pub(crate) fn write(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Runs the binary in `dir`; the surroundings of the test do not show.
pub(crate) fn run_in(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadworthy"));
    command.args(arguments).current_dir(dir).stdin(Stdio::null());
    let agents = ["CLAUDECODE", "CURSOR_AGENT", "CODEX_SANDBOX", "GEMINI_CLI", "OPENCODE", "AI_AGENT"];
    let others = ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "GITHUB_STEP_SUMMARY"];
    for variable in agents.iter().chain(&others) {
        command.env_remove(variable);
    }
    let (done, answer) = mpsc::channel();
    thread::spawn(move || done.send(command.output()));
    answer.recv_timeout(LIMIT).expect("the run takes too long").unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The JSON report of a run that must succeed without internal errors.
pub(crate) fn report(dir: &Path, arguments: &[&str]) -> Value {
    let output = run_in(dir, &[&["--format", "json"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// "1A src/app.ts:8" of each finding.
pub(crate) fn findings(report: &Value) -> Vec<String> {
    let all = report["findings"].as_array().unwrap().iter();
    all.map(|it| {
        let at = &it["location"];
        format!("{} {}:{}", word(&it["check"]), word(&at["file"]), at["start_line"])
    })
    .collect()
}

/// "src/app.ts:3: message" of each diagnostic.
pub(crate) fn diagnostics(report: &Value) -> Vec<String> {
    let all = report["diagnostics"].as_array().unwrap().iter();
    all.map(|it| format!("{}:{}: {}", word(&it["file"]), it["line"], word(&it["message"]))).collect()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}
