//! `loadworthy fix`: what is planned, what is written, and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{MANIFEST, project, report, run_in, text, write};

/// Two reads that do not depend on each other (3D, safe), a call without a deadline (3A, to review), and a list without a
/// limit (1B).
const APP: &str = r#"import express from "express";
import { PrismaClient } from "@prisma/client";
import axios from "axios";
const app = express();
const prisma = new PrismaClient();
app.get("/overview/:id", async (req, res) => {
  const user = await prisma.user.findUnique({ where: { id: req.params.id } });
  const orders = await prisma.order.count({ where: { userId: req.params.id } });
  res.json({ user, orders });
});
app.get("/rates", async (_req, res) => {
  try {
    const rates = await axios.get("https://rates.example.com/today");
    res.json(rates.data);
  } catch (error) {
    res.status(502).json({ error: "no rates" });
  }
});
app.listen(3000);
"#;

const PACKAGES: &str = r#"{ "name": "shop", "dependencies": { "express": "5.1.0", "@prisma/client": "5.10.0", "axios": "1.7.0" } }"#;

fn shop() -> tempfile::TempDir {
    project(&[("package.json", PACKAGES), ("src/app.ts", APP)])
}

fn fix(dir: &Path, arguments: &[&str]) -> Output {
    run_in(dir, &[&["fix"], arguments].concat())
}

fn json(dir: &Path, arguments: &[&str]) -> Value {
    let output = fix(dir, &[&["--format", "json"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The checks of the fixes.
fn checks(value: &Value) -> Vec<String> {
    let fixes = value["fixes"].as_array().unwrap().iter();
    fixes.map(|it| it["check"].as_str().unwrap().to_owned()).collect()
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().is_some_and(|name| name == ".git") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_string_lossy().into_owned();
                files.insert(name, fs::read(path).unwrap());
            }
        }
    }
    files
}

fn git(dir: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
    let status = Command::new("git").arg("-C").arg(dir).args(identity).args(arguments).output().unwrap();
    assert!(status.status.success(), "{}", text(&status.stderr));
}

#[test]
fn without_a_terminal_the_patch_is_printed_and_nothing_is_written() {
    let dir = shop();
    let before = files(dir.path());
    let output = fix(dir.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let patch = text(&output.stdout);
    assert!(patch.starts_with("--- a/src/app.ts\n+++ b/src/app.ts\n@@ "), "{patch}");
    assert!(patch.contains("+  const [user, orders] = await Promise.all(["), "{patch}");
    assert!(!patch.contains("timeout"), "a fix to review: {patch}");
    let summary = text(&output.stderr);
    assert!(summary.contains("1 fix to apply, in 1 file"), "{summary}");
    assert!(summary.contains("with --review"), "{summary}");
    assert_eq!(files(dir.path()), before);
}

#[test]
fn the_patch_is_what_git_applies() {
    let dir = shop();
    let patch = fix(dir.path(), &["--review", "--dry-run"]).stdout;
    fs::write(dir.path().join("fixes.patch"), patch).unwrap();
    git(dir.path(), &["init", "-q"]);
    git(dir.path(), &["apply", "fixes.patch"]);
    let applied = fs::read_to_string(dir.path().join("src/app.ts")).unwrap();
    fs::remove_file(dir.path().join("fixes.patch")).unwrap();
    fs::write(dir.path().join("src/app.ts"), APP).unwrap();
    assert!(fix(dir.path(), &["--review", "--write", "--allow-dirty"]).status.success());
    assert_eq!(fs::read_to_string(dir.path().join("src/app.ts")).unwrap(), applied);
}

#[test]
fn what_is_written_is_fixed_and_a_second_run_changes_nothing() {
    let dir = shop();
    let planned = json(dir.path(), &["--review"]);
    assert_eq!(planned["written"], false);
    let written = json(dir.path(), &["--review", "--write"]);
    assert_eq!(written["written"], true);
    assert_eq!(checks(&planned), checks(&written));
    let fixed = checks(&written);
    assert!(fixed.contains(&String::from("3D")) && fixed.contains(&String::from("3A")), "{fixed:?}");
    let left = report(dir.path(), &["--only", "3A,3D"]);
    let routes_left =
        left["findings"].as_array().unwrap().iter().filter(|it| it["location"]["file"] == "src/app.ts");
    let titles: Vec<&Value> = routes_left.map(|it| &it["title"]).collect();
    assert!(!titles.iter().any(|it| it.to_string().contains("axios.get")), "{titles:?}");
    let before = files(dir.path());
    assert!(!before.contains_key(".loadworthy-fix/lock"), "the journal is gone");
    let again = json(dir.path(), &["--review", "--write"]);
    assert_eq!(checks(&again), Vec::<String>::new());
    assert_eq!(files(dir.path()), before);
}

#[test]
fn only_what_is_named_is_fixed() {
    let dir = shop();
    let only = checks(&json(dir.path(), &["--review", "--only", "3A"]));
    assert!(!only.is_empty() && only.iter().all(|it| it == "3A"), "{only:?}");
    assert_eq!(checks(&json(dir.path(), &["--review", "--skip", "3A,1B,2A"])), ["3D"]);
    let found = report(dir.path(), &[]);
    let id = |check: &str| {
        let all = found["findings"].as_array().unwrap();
        all.iter().find(|it| it["check"] == check).unwrap()["id"].as_str().unwrap().to_owned()
    };
    assert_eq!(checks(&json(dir.path(), &["--finding", &id("3D")])), ["3D"]);
    let to_review = fix(dir.path(), &["--finding", &id("3A")]);
    assert_eq!(to_review.status.code(), Some(2));
    assert!(text(&to_review.stderr).contains("add --review"), "{}", text(&to_review.stderr));
    let unknown = fix(dir.path(), &["--finding", "zzz"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("there is no finding `zzz`"));
}

#[test]
fn a_dirty_tree_is_refused_unless_that_is_allowed() {
    let dir = shop();
    git(dir.path(), &["init", "-q"]);
    let unknown = fix(dir.path(), &["--write"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("not committed: src/"), "{}", text(&unknown.stderr));
    git(dir.path(), &["add", "."]);
    git(dir.path(), &["commit", "-qm", "first"]);
    write(dir.path(), "package.json", PACKAGES.replace("shop", "store").as_bytes());
    let dirty = fix(dir.path(), &["--write"]);
    assert_eq!(dirty.status.code(), Some(2));
    assert!(text(&dirty.stderr).contains("--allow-dirty"), "{}", text(&dirty.stderr));
    assert_eq!(fs::read_to_string(dir.path().join("src/app.ts")).unwrap(), APP);
    git(dir.path(), &["commit", "-qam", "second"]);
    write(dir.path(), "notes.txt", b"not known to git, and not touched");
    assert!(fix(dir.path(), &["--write"]).status.success());
    assert_ne!(fs::read_to_string(dir.path().join("src/app.ts")).unwrap(), APP);
    assert!(!fix(dir.path(), &["--review", "--write"]).status.success(), "the first fixes are not committed");
    assert!(fix(dir.path(), &["--review", "--write", "--allow-dirty"]).status.success());
}

#[test]
fn a_folder_of_a_repository_is_judged_by_its_own_files() {
    let dir = shop();
    write(dir.path(), "web/package.json", PACKAGES.as_bytes());
    write(dir.path(), "web/app.ts", APP.as_bytes());
    git(dir.path(), &["init", "-q"]);
    git(dir.path(), &["add", "."]);
    git(dir.path(), &["commit", "-qm", "first"]);
    write(dir.path(), "src/app.ts", format!("{APP}// changed\n").as_bytes());
    let web = dir.path().join("web");
    assert!(fix(&web, &["--write"]).status.success());
    assert!(fs::read_to_string(web.join("app.ts")).unwrap().contains("Promise.all"));
}

#[test]
fn line_ends_and_byte_order_marks_stay() {
    let dir = project(&[("package.json", PACKAGES)]);
    let windows = format!("\u{feff}{}", APP.replace('\n', "\r\n"));
    write(dir.path(), "src/app.ts", windows.as_bytes());
    assert!(fix(dir.path(), &["--review", "--write"]).status.success());
    let written = fs::read_to_string(dir.path().join("src/app.ts")).unwrap();
    assert!(written.starts_with('\u{feff}'));
    assert!(written.contains("Promise.all"));
    assert_eq!(written.matches('\n').count(), written.matches("\r\n").count(), "{written:?}");
    let kept = windows.split("\r\n").filter(|line| written.contains(line)).count();
    assert!(kept >= windows.split("\r\n").count() - 6, "untouched lines stay");
}

#[test]
fn generated_files_and_copies_of_libraries_are_never_edited() {
    let generated = format!("// @generated by x\n{APP}");
    let dir = project(&[
        ("package.json", PACKAGES),
        ("src/generated.ts", &generated),
        ("vendor/app.js", APP),
        ("src/app.test.ts", APP),
    ]);
    let value = json(dir.path(), &["--review"]);
    assert_eq!(value["changes"].as_array().unwrap().len(), 0, "{value:#}");
}

#[test]
fn a_file_that_is_not_utf8_stays_and_the_reason_is_told() {
    let dir = project(&[("package.json", PACKAGES)]);
    let bytes = [APP.as_bytes(), b"// caf\xe9\n"].concat();
    write(dir.path(), "src/app.ts", &bytes);
    let output = fix(dir.path(), &["--write"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("src/app.ts is not UTF-8"), "{}", text(&output.stderr));
    assert_eq!(fs::read(dir.path().join("src/app.ts")).unwrap(), bytes);
}

#[cfg(unix)]
#[test]
fn a_read_only_file_stays_and_so_does_everything_else() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = project(&[("package.json", PACKAGES), ("src/app.ts", APP), ("src/b.ts", APP)]);
    fs::set_permissions(dir.path().join("src/b.ts"), fs::Permissions::from_mode(0o444)).unwrap();
    let output = fix(dir.path(), &["--write"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("src/b.ts is read-only"), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(dir.path().join("src/app.ts")).unwrap(), APP);
}

#[test]
fn what_a_killed_run_left_is_set_back_first() {
    let dir = shop();
    let journal = dir.path().join(".loadworthy-fix");
    fs::create_dir(&journal).unwrap();
    // What a run leaves that was killed between two files: one is new, one not yet.
    let digest = "edeaaff3f1774ad2888673770c6d64097e391bc362d7d6fb34982ddf0efd18cb";
    write(&journal, "entries.json", format!(
        r#"{{"files":[{{"path":"src/app.ts","existed":true,"new_digest":"{digest}"}},{{"path":"b.ts","existed":true,"new_digest":"{digest}"}}],"folders":[]}}"#
    ).as_bytes());
    write(&journal, "0.old", APP.as_bytes());
    write(&journal, "1.old", b"old b");
    write(&journal, "1.new", b"new b");
    write(&journal, "armed", b"");
    write(dir.path(), "src/app.ts", b"abc\n");
    write(dir.path(), "b.ts", b"old b");
    let warned = run_in(dir.path(), &["-q"]);
    assert!(text(&warned.stderr).contains("loadworthy fix"), "{}", text(&warned.stderr));
    let output = fix(dir.path(), &["--only", "2A"]);
    assert!(text(&output.stderr).contains("1 file was set back"), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(dir.path().join("src/app.ts")).unwrap(), APP);
    assert_eq!(fs::read_to_string(dir.path().join("b.ts")).unwrap(), "old b");
    assert!(!journal.exists());
}

#[test]
fn what_comments_silence_is_not_fixed() {
    let silenced = APP
        .replace("  const user =", "  // loadworthy-ignore-next-line 3D -- one connection\n  const user =");
    let dir = project(&[("package.json", PACKAGES), ("src/app.ts", &silenced)]);
    assert_eq!(checks(&json(dir.path(), &[])), Vec::<String>::new());
}

#[test]
fn a_project_without_anything_to_fix_says_so() {
    let dir = project(&[("package.json", MANIFEST), ("src/app.ts", "export const a = 1;\n")]);
    let output = fix(dir.path(), &["--write"]);
    assert!(output.status.success());
    let said = [text(&output.stdout), text(&output.stderr)].concat();
    assert!(said.contains("0 fixes"), "{said}");
}
