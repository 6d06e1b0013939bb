//! Projects that are broken or made to break the tool: a clear note, the rest audited, no panic, no hang.

use std::fs;
use std::path::Path;

use loadworthy_analysis::Program;
use loadworthy_knowledge::Knowledge;
use loadworthy_project::{DiscoverOptions, Project};

use crate::support::{
    MANIFEST, N_PLUS_ONE, diagnostics, findings, project, report, run_in, shop, text, write,
};

/// The app's own finding is there, and the notes.
fn notes_beside_the_finding(dir: &Path) -> Vec<String> {
    let report = report(dir, &["--only", "1A"]);
    assert_eq!(findings(&report), ["1A src/app.ts:8"], "{:?}", diagnostics(&report));
    diagnostics(&report)
}

fn assert_one(notes: &[String], part: &str) {
    assert!(notes.len() == 1 && notes[0].contains(part), "{notes:?}");
}

#[test]
fn an_empty_folder_is_said() {
    let dir = project(&[]);
    assert_eq!(diagnostics(&report(dir.path(), &[])), ["-:null: the folder is empty"]);
}

#[test]
fn no_manifest_is_no_hindrance() {
    let dir = project(&[("src/app.ts", N_PLUS_ONE)]);
    assert_eq!(notes_beside_the_finding(dir.path()), Vec::<String>::new());
}

#[test]
fn a_broken_manifest_is_said() {
    let dir = shop(&[("tool/package.json", "{ \"name\": ")]);
    assert_one(&notes_beside_the_finding(dir.path()), "tool/package.json:1: not valid JSON");
    let root = shop(&[("package.json", "{ nonsense")]);
    assert_one(&notes_beside_the_finding(root.path()), "package.json:1: not valid JSON");
}

#[test]
fn a_broken_source_file_is_said() {
    let dir = shop(&[("src/broken.ts", "const a = {\n  b: ,\n};\nexport function (")]);
    assert_one(&notes_beside_the_finding(dir.path()), "src/broken.ts:2: ");
}

#[test]
fn a_broken_tsconfig_is_said() {
    let dir = shop(&[("tsconfig.json", "{ \"compilerOptions\": { \"paths\": [ } }")]);
    assert_one(&notes_beside_the_finding(dir.path()), "tsconfig.json:1: not valid JSON");
}

#[test]
fn circles_of_imports_and_of_extends_end() {
    let dir = shop(&[
        ("src/a.ts", "export * from './b';\nimport { y } from './b';\nexport const x = y;\nx();"),
        ("src/b.ts", "export * from './a';\nimport { x } from './a';\nexport const y = x;\ny();"),
        ("src/c.ts", "import { D } from './d';\nexport class C extends D {}\nnew C().run();"),
        ("src/d.ts", "import { C } from './c';\nexport class D extends C {}\nnew D().run();"),
        ("src/e.ts", "export class E extends E {}\nnew E().run();\nexport const f = f;\nf.g.h();"),
        ("tsconfig.json", r#"{ "extends": "./other.json" }"#),
        ("other.json", r#"{ "extends": "./tsconfig.json" }"#),
    ]);
    notes_beside_the_finding(dir.path());
}

#[cfg(unix)]
#[test]
fn loops_of_links_end() {
    let dir = shop(&[]);
    std::os::unix::fs::symlink("..", dir.path().join("src/up")).unwrap();
    std::os::unix::fs::symlink("self", dir.path().join("self")).unwrap();
    std::os::unix::fs::symlink("nowhere.ts", dir.path().join("src/dangling.ts")).unwrap();
    notes_beside_the_finding(dir.path());
}

#[test]
fn a_huge_minified_file_is_left_out_and_said() {
    let line = "function a(b){return b?c(d):e.f(g)}var h=[1,2,3].map(i=>i*2);";
    let text = line.repeat((20 << 20) / line.len());
    let dir = shop(&[("src/bundle.js", &text)]);
    assert_one(&notes_beside_the_finding(dir.path()), "too large");
}

/// One of each on a line: a file of few long lines passes for minified and is not read at all.
fn many(times: usize, part: &str) -> String {
    format!("{part}\n").repeat(times)
}

#[test]
fn deep_nesting_is_left_out_and_said() {
    for (opening, closing) in [("[", "]"), ("f(", ")"), ("{ a: ", "}"), ("`${", "}`")] {
        let code = format!("const a = {}1{};", many(5000, opening), many(5000, closing));
        let dir = shop(&[("src/deep.ts", &code)]);
        assert_one(&notes_beside_the_finding(dir.path()), "src/deep.ts:1: nested 5000 levels deep");
    }
}

#[test]
fn nesting_without_brackets_and_long_chains_neither_overflow_nor_hang() {
    let texts = [
        format!("const a = {}1;", many(4_000, "1 +")),
        format!("const a = {}1;", many(4_000, "x ? 1 :")),
        format!("const a = b{};", many(2_000, "\n.c()")),
        format!("const a = {}b;", many(2_000, "new")),
        format!("const a = b{};", many(2_000, "\n<T>()")),
        format!("const a = {}b;", many(20_000, "await")),
        format!("const a = {}b;", many(20_000, "async () =>")),
        format!("{}x();", many(20_000, "if (a) b(); else ")),
        format!("const a = b{};", many(20_000, "[0]")),
        format!("const a = b{};", many(2_000, "\n`x`")),
        format!("let a = {}1;", many(20_000, "b =")),
        format!("const a = {}1;", many(20_000, "<T>")),
        format!("type A = {}B;", many(20_000, "keyof")),
        format!("type A = {}B{};", many(20_000, "A<"), many(20_000, ">")),
        format!("type A = {}B;", many(20_000, "B extends C ? D :")),
        format!("{};", many(20_000, "for (;;)")),
        format!("@a\n{}class A {{}}", many(20_000, "@b()")),
        format!("const a = {}{};", many(20_000, "<a>"), many(20_000, "</a>")),
    ];
    for text in texts {
        let name = if text.contains("</a>") { "src/long.tsx" } else { "src/long.ts" };
        let dir = shop(&[(name, &text)]);
        notes_beside_the_finding(dir.path());
    }
}

#[test]
fn bytes_that_are_no_text_are_said() {
    let dir = shop(&[]);
    write(dir.path(), "src/latin.ts", b"export const name = \"caf\xe9\";\n");
    assert_one(&notes_beside_the_finding(dir.path()), "src/latin.ts");
    write(dir.path(), "src/latin.ts", &[0, 159, 146, 150, 0, 0, 1]);
    assert_one(&notes_beside_the_finding(dir.path()), "src/latin.ts");
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let dir = shop(&[("src/secret.ts", "export const a = 1;\n")]);
    let file = dir.path().join("src/secret.ts");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&file).is_ok() {
        return; // Permissions do not hold for this user.
    }
    assert_one(&notes_beside_the_finding(dir.path()), "no permission");
}

#[test]
fn a_file_that_vanishes_is_said() {
    let dir = shop(&[("src/gone.ts", "export const a = 1;\n")]);
    let project = Project::discover(dir.path(), &DiscoverOptions::default()).unwrap();
    fs::remove_file(dir.path().join("src/gone.ts")).unwrap();
    let program = Program::load(&project, Knowledge::builtin(), 1).unwrap();
    let told: Vec<_> = program.diagnostics().iter().map(|it| it.message.as_str()).collect();
    assert_eq!(told, ["the file is gone since the project was listed"]);
    assert_eq!(program.modules().count(), 1);
}

#[test]
fn windows_line_ends_and_a_mark_do_not_move_lines() {
    let windows = format!("\u{feff}{}", N_PLUS_ONE.replace('\n', "\r\n"));
    let manifest = format!("\u{feff}{}", MANIFEST.replace(' ', "\r\n"));
    let dir = shop(&[("src/app.ts", &windows), ("package.json", &manifest)]);
    assert_eq!(notes_beside_the_finding(dir.path()), Vec::<String>::new());
    let shown = text(&run_in(dir.path(), &["--only", "1A"]).stdout);
    assert!(shown.contains("src/app.ts:8:24") && !shown.contains('\r'), "{shown}");
}

#[test]
fn control_characters_of_the_code_do_not_reach_the_terminal() {
    let code = N_PLUS_ONE.replace("userId }", "userId /* \u{1b}[31m \u{202e} */ }");
    let dir = shop(&[("src/app.ts", &code)]);
    let shown = text(&run_in(dir.path(), &["--only", "1A"]).stdout);
    assert!(shown.contains("src/app.ts:8") && !shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
}
