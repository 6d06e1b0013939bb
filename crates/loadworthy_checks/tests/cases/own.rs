//! The harness tests itself: it must be able to fail.

use libtest_mimic::{Failed, Trial};
use loadworthy_capacity::Severity;

use crate::app::App;
use crate::audit::{Got, Outcome};
use crate::compare::differences;
use crate::document::Document;
use crate::marks::{self, Mark, Tier};

pub(crate) fn all() -> Vec<Trial> {
    vec![
        Trial::test("harness/marks-are-cut-and-stand-on-their-line", marks_are_cut),
        Trial::test("harness/a-mark-alone-is-about-the-next-line", marks_alone),
        Trial::test("harness/a-malformed-mark-is-an-error", malformed),
        Trial::test("harness/a-block-without-title-is-an-error", untitled),
        Trial::test("harness/imports-become-dependencies", imports),
        Trial::test("harness/every-difference-is-told-with-its-line", differing),
    ]
}

fn same<T: PartialEq + std::fmt::Debug>(got: &T, expected: &T) -> Result<(), Failed> {
    if got == expected { Ok(()) } else { Err(format!("expected {expected:?}, got {got:?}").into()) }
}

fn mark(line: u32, tier: Tier, code: &str, severity: Option<Severity>) -> Mark {
    Mark { line, tier, code: code.to_owned(), severity }
}

fn marks_are_cut() -> Result<(), Failed> {
    let (text, marks) = marks::take("let a; // finding: 1A HIGH; suspicious: 3D\nb(\"//x\"); // why\n")?;
    same(&text, &"let a;\nb(\"//x\"); // why\n".to_owned())?;
    let expected =
        vec![mark(1, Tier::Finding, "1A", Some(Severity::High)), mark(1, Tier::Suspicious, "3D", None)];
    same(&marks, &expected)
}

fn marks_alone() -> Result<(), Failed> {
    let (text, marks) = marks::take("{/* finding: 5A */}\n# suspicious: 1D\n<A />\n")?;
    same(&text, &"\n\n<A />\n".to_owned())?;
    same(&marks, &vec![mark(3, Tier::Finding, "5A", None), mark(3, Tier::Suspicious, "1D", None)])
}

fn malformed() -> Result<(), Failed> {
    let all = ["finding: n-plus-one", "finding: 1A high", "finding: 1A HIGH because", "suspicious:"];
    let accepted = all.iter().find(|text| marks::take(&format!("x // {text}\n")).is_ok());
    same(&accepted, &None)
}

fn app(markdown: &str) -> Result<App, String> {
    let document = Document::parse(markdown)?;
    App::of_blocks(document.head.blocks.iter())
}

fn untitled() -> Result<(), Failed> {
    same(&app("```ts\nx\n```\n").is_err(), &true)?;
    same(&app("```ts title=\"../x.ts\"\nx\n```\n").is_err(), &true)
}

fn imports() -> Result<(), Failed> {
    let app = app(
        "```ts title=\"a.ts\"\nimport x from \"@a/b/c\";\nrequire('pg/lib'); import './y';\nimport \"src/z\"; import 'node:fs';\n```\n```ts title=\"src/z.ts\"\n```\n```json title=\"package.json\"\n{ \"devDependencies\": { \"pg\": \"8.1.0\" } }\n```\n",
    )?;
    let folder = tempfile::tempdir()?;
    app.write(folder.path())?;
    let written: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("package.json"))?)?;
    let expected =
        serde_json::json!({ "devDependencies": { "pg": "8.1.0" }, "dependencies": { "@a/b": "latest" } });
    same(&written, &expected)
}

fn differing() -> Result<(), Failed> {
    let app = app("x\n\n```ts title=\"a.ts\"\none(); // finding: 1A HIGH\ntwo();\n```\n")?;
    let got = |line, severity| Got {
        tier: Tier::Finding,
        code: "1A",
        severity,
        file: "a.ts".to_owned(),
        line,
        title: "t".to_owned(),
        missing_fact: String::new(),
        fix: loadworthy_checks::Fix::default(),
        gaps: Vec::new(),
    };
    let outcome = Outcome {
        got: vec![got(1, Severity::Medium), got(2, Severity::High)],
        routes: Vec::new(),
        diagnostics: Vec::new(),
    };
    let told = differences(&app, "d.md", &outcome, |_| true);
    let expected = vec![
        "  d.md:4 (a.ts:1)\n      | one();\n      expected finding: 1A HIGH\n           got finding: 1A MEDIUM: t".to_owned(),
        "  d.md:5 (a.ts:2)\n      | two();\n      expected silence\n           got finding: 1A HIGH: t".to_owned(),
    ];
    same(&told, &expected)
}
