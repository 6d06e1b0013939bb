//! How functions of small programs can fail.

use std::fs;

use loadworthy_knowledge::Knowledge;
use loadworthy_project::{DiscoverOptions, Project};
use loadworthy_syntax::FunctionId;

use super::{CauseKind, Failing};
use crate::{Analysis, Program};

const MANIFEST: &str =
    r#"{ "dependencies": { "express": "4.18.2", "pg": "8.11.0", "unheard-of": "1.0.0" } }"#;
const HEAD: &str =
    "const { Pool } = require('pg');\nconst db = new Pool();\nconst strange = require('unheard-of');\n";

/// How the function named `f` of `server/a.js` fails.
fn failing(code: &str) -> Failing {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("package.json"), MANIFEST).unwrap();
    fs::create_dir(folder.path().join("server")).unwrap();
    fs::write(folder.path().join("server/a.js"), format!("{HEAD}{code}")).unwrap();
    let project = Project::discover(folder.path(), &DiscoverOptions::default()).unwrap();
    let program = Program::load(&project, Knowledge::builtin(), 1).unwrap();
    let analysis = Analysis::new(&program);
    let file = project.file_by_path("server/a.js").unwrap();
    let module = program.module(file).unwrap();
    let at = module.functions().iter().position(|it| module.str(it.name) == "f").unwrap();
    analysis.failures().of((file, FunctionId::new(at)))
}

/// The cause of the rejection of `f`.
fn rejects(code: &str) -> Option<CauseKind> {
    failing(code).rejects.map(|cause| cause.kind)
}

fn is_work(code: &str) -> bool {
    matches!(rejects(code), Some(CauseKind::Work(_)))
}

#[test]
fn an_awaited_query_rejects_unless_caught() {
    assert!(is_work("async function f() { await db.query('select 1'); }"));
    assert_eq!(rejects("async function f() { try { await db.query('select 1'); } catch (e) {} }"), None);
    assert_eq!(rejects("async function f() { await db.query('select 1').catch(() => {}); }"), None);
    assert_eq!(rejects("async function f() { return 1; }"), None);
}

#[test]
fn failures_spread_through_callers_that_catch_nothing() {
    let one = "const one = async () => (await db.query('select 1')).rows;\n";
    assert!(is_work(&format!("{one}async function f() {{ return one(); }}")));
    assert!(is_work(&format!("{one}function f() {{ return one(); }}")));
    assert_eq!(rejects(&format!("{one}async function f() {{ try {{ await one(); }} catch {{}} }}")), None);
    assert_eq!(rejects(&format!("{one}function f() {{ one(); }}")), None);
    assert!(is_work(&format!(
        "{one}async function f() {{ try {{ await one(); }} catch (e) {{ await one(); }} }}"
    )));
}

#[test]
fn thrown_errors_reject_async_functions_and_leave_others_by_throwing() {
    assert_eq!(rejects("async function f(a) { if (!a) throw new Error(); }"), Some(CauseKind::Thrown));
    let plain = failing("function f(a) { if (!a) throw new Error(); }");
    assert_eq!(plain.rejects, None);
    assert_eq!(plain.throws.map(|cause| cause.kind), Some(CauseKind::Thrown));
    assert_eq!(failing("function f(a) { try { throw a; } catch {} }"), Failing::default());
    assert!(failing("function f(a) { try { g(); } catch (e) { throw e; } }").throws.is_some());
}

#[test]
fn callbacks_of_all_and_transactions_reject_with_the_call() {
    assert!(is_work(
        "async function f(list) { await Promise.all(list.map(async x => { await db.query(x); })); }"
    ));
    assert_eq!(
        rejects("async function f(list) { await Promise.allSettled(list.map(x => db.query(x))); }"),
        None
    );
    assert!(is_work(
        "async function f(list) { const all = list.map(x => db.query(x)); await Promise.all(all); }"
    ));
    assert_eq!(rejects("async function f(list) { list.forEach(async x => { await db.query(x); }); }"), None);
}

#[test]
fn then_chains_reject_with_what_their_callbacks_do() {
    assert!(is_work("function f() { return db.query('select 1').then(x => x.rows); }"));
    assert_eq!(rejects("function f() { return db.query('select 1').then(x => x).catch(() => {}); }"), None);
    assert_eq!(
        rejects("function f(p) { return p.then(x => { if (!x) throw new Error(); }); }"),
        Some(CauseKind::Thrown)
    );
}

#[test]
fn awaited_unknown_work_may_fail_and_pauses_do_not() {
    assert_eq!(rejects("async function f() { await strange.send(); }"), Some(CauseKind::Unknown));
    assert_eq!(rejects("async function f() { await sleep(10); }"), None);
    assert!(is_work("async function f() { await strange.send(); await db.query('select 1'); }"));
}

#[test]
fn promises_rejected_by_hand_count() {
    assert_eq!(
        rejects(
            "function f() { return new Promise((resolve, reject) => db.connect(e => e ? reject(e) : resolve())); }"
        ),
        Some(CauseKind::Thrown)
    );
    assert_eq!(rejects("function f() { return new Promise(resolve => setTimeout(resolve, 5)); }"), None);
}

#[test]
fn parsing_text_throws() {
    assert_eq!(
        failing("function f(a) { return JSON.parse(a); }").throws.map(|it| it.kind),
        Some(CauseKind::BadInput)
    );
    assert_eq!(failing("function f(a) { try { return JSON.parse(a); } catch {} }"), Failing::default());
}
