//! `--baseline`: what an earlier report knew is neither shown nor counted against `--fail-on`.

use std::fs;

use serde_json::Value;

use crate::support::{run_in, shop, text};

const SECOND: &str = "import express from 'express';
import { PrismaClient } from '@prisma/client';
const prisma = new PrismaClient();
const stock = express();
stock.listen(3001);
stock.get('/stock', async (req, res) => {
  const stores = await prisma.store.findMany({ take: 50 });
  for (const store of stores) store.items = await prisma.item.findMany({ where: { storeId: store.id }, take: 5 });
  res.json(stores);
});
";

fn findings(report: &[u8]) -> usize {
    let report: Value = serde_json::from_slice(report).unwrap();
    report["findings"].as_array().unwrap().len() + report["suspicious"].as_array().unwrap().len()
}

#[test]
fn only_what_is_new_is_shown_and_fails() {
    let dir = shop(&[]);
    let run = |arguments: &[&str]| run_in(dir.path(), arguments);
    let first = run(&["--only", "1A", "--format", "json"]);
    let known = findings(&first.stdout);
    assert!(known > 0);
    fs::write(dir.path().join("baseline.json"), &first.stdout).unwrap();

    let again =
        run(&["--only", "1A", "--format", "json", "--baseline", "baseline.json", "--fail-on", "monitor"]);
    assert_eq!(findings(&again.stdout), 0);
    assert!(again.status.success());
    assert!(text(&again.stderr).contains(&format!("{known} finding")), "{}", text(&again.stderr));

    // Lines move, and a file is renamed.
    let sources: Vec<_> =
        fs::read_dir(dir.path().join("src")).unwrap().map(|entry| entry.unwrap().path()).collect();
    for source in sources {
        let moved = format!("// a\n\n{}", fs::read_to_string(&source).unwrap());
        fs::write(&source, moved).unwrap();
    }
    let moved = run(&["--only", "1A", "--format", "json", "--baseline", "baseline.json"]);
    assert_eq!(findings(&moved.stdout), 0);

    fs::write(dir.path().join("src/stock.ts"), SECOND).unwrap();
    let new =
        run(&["--only", "1A", "--format", "json", "--baseline", "baseline.json", "--fail-on", "monitor"]);
    assert_eq!(findings(&new.stdout), 1, "{}", text(&new.stdout));
}

#[test]
fn a_baseline_that_is_no_report_is_refused_with_a_hint() {
    let dir = shop(&[("baseline.json", "[]")]);
    let output = run_in(dir.path(), &["--baseline", "baseline.json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("--format json --output baseline.json"),
        "{}",
        text(&output.stderr)
    );
}
