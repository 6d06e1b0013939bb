//! `--since`: only what changed lines have to do with is shown, and counted against `--fail-on`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{findings, report, run_in, shop, text};

fn git(dir: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").current_dir(dir).args(identity).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

fn commit(dir: &Path) {
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-qm", "state"]);
}

const SERVICE: &str = "import { PrismaClient } from '@prisma/client';
const prisma = new PrismaClient();
export async function stores() {
  const stores = await prisma.store.findMany({ take: 50 });
  for (const store of stores) store.items = await prisma.item.findMany({ where: { storeId: store.id }, take: 5 });
  return stores;
}
";

const ROUTE: &str = "import express from 'express';
import { stores } from './stores';
const stock = express();
stock.listen(3001);
stock.get('/stock', async (_req, res) => {
  res.json(await stores());
});
";

#[test]
fn a_finding_is_shown_if_its_place_or_its_chain_has_changed() {
    let dir = shop(&[("src/stores.ts", SERVICE), ("src/stock.ts", ROUTE), ("README.md", "a\n")]);
    let root = dir.path();
    git(root, &["init", "-q", "-b", "main"]);
    commit(root);
    let since = |revision: &str| findings(&report(root, &["--only", "1A", "--since", revision]));
    assert_eq!(since("HEAD"), Vec::<String>::new());

    // The route, from which a chain leads to the service.
    fs::write(root.join("src/stock.ts"), ROUTE.replace("res.json(await", "res.status(200).json(await"))
        .unwrap();
    assert_eq!(since("HEAD"), ["1A src/stores.ts:5"]);
    commit(root);
    assert_eq!(since("main~1"), ["1A src/stores.ts:5"]);

    // Lines elsewhere in the file of a finding.
    let app = fs::read_to_string(root.join("src/app.ts")).unwrap();
    fs::write(root.join("src/app.ts"), format!("{app}\nexport const version = 2;\n")).unwrap();
    assert_eq!(since("HEAD"), Vec::<String>::new());

    // A file that git does not know yet; the project is a folder of the repository.
    fs::write(root.join("src/new.ts"), app.replace("/orders", "/newest")).unwrap();
    assert_eq!(since("HEAD"), ["1A src/new.ts:8"]);
    let inside = findings(&report(root, &["src", "--only", "1A", "--since", "HEAD"]));
    assert_eq!(inside, ["1A new.ts:8"]);

    let fails = |arguments: &[&str]| {
        let all = ["--only", "1A", "--fail-on", "monitor"];
        run_in(root, &[&all, arguments].concat()).status.code()
    };
    assert_eq!(fails(&["--since", "HEAD"]), Some(1));
    commit(root);
    assert_eq!((fails(&["--since", "HEAD"]), fails(&[])), (Some(0), Some(1)));
}

#[test]
fn a_revision_that_git_does_not_know_is_refused() {
    let dir = shop(&[]);
    for repository in [false, true] {
        if repository {
            git(dir.path(), &["init", "-q"]);
        }
        let output = run_in(dir.path(), &["--since", "nowhere"]);
        assert_eq!(output.status.code(), Some(2));
        let message = text(&output.stderr);
        assert!(message.contains("--since nowhere") && message.contains("fetch-depth: 0"), "{message}");
    }
    let output = run_in(dir.path(), &["--since", "--output=x"]);
    assert_eq!(output.status.code(), Some(2), "what looks like an option is a revision's name, and unknown");
}
