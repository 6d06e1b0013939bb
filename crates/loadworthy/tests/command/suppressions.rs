//! Findings silenced by comments.

use crate::support::{N_PLUS_ONE, diagnostics, findings, report, shop};

const LINE: &str = "    order.user = await prisma.user.findFirst({ where: { id: order.userId } });";

/// Findings and diagnostics of the app with `before` and `after` around the line of its finding.
fn with(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    let code = N_PLUS_ONE.replace(LINE, &format!("{before}{LINE}{after}"));
    let dir = shop(&[("src/app.ts", &code)]);
    let report = report(dir.path(), &["--only", "1A"]);
    (findings(&report), diagnostics(&report))
}

#[test]
fn each_form_silences_its_lines() {
    let silent = (Vec::<String>::new(), Vec::<String>::new());
    assert_eq!(with("// loadworthy-ignore-next-line n-plus-one -- at most three\n", ""), silent);
    assert_eq!(with("/* loadworthy-ignore-next-line\n 1A */\n", ""), silent);
    assert_eq!(with("", " // loadworthy-ignore-line 1A"), silent);
    assert_eq!(with("// loadworthy-ignore-start 1A\n", "\n// loadworthy-ignore-end 1A"), silent);
    assert_eq!(with("// loadworthy-ignore-file 1A -- generated\n", ""), silent);
}

#[test]
fn a_comment_that_silences_nothing_is_told() {
    let (found, told) = with("", "\n// loadworthy-ignore-next-line 1A");
    assert_eq!(found, ["1A src/app.ts:8"]);
    assert_eq!(told, ["src/app.ts:9: this comment suppresses no finding"]);
}

#[test]
fn comments_with_mistakes_silence_nothing_and_are_told() {
    for comment in
        ["loadworthy-ignore-next-line no-such-check", "loadworthy-ignore 1A", "loadworthy-ignore-end 1A"]
    {
        let (found, told) = with(&format!("// {comment}\n"), "");
        assert_eq!((found, told.len()), (vec!["1A src/app.ts:9".to_owned()], 1), "{comment}");
    }
}

#[test]
fn a_block_without_end_reaches_to_the_end_of_the_file_and_is_told() {
    let (found, told) = with("// loadworthy-ignore-start 1A\n", "");
    assert!(found.is_empty());
    assert_eq!(told, ["src/app.ts:8: nothing ends this block: `loadworthy-ignore-end` is missing"]);
}

#[test]
fn a_comment_for_a_check_that_does_not_run_is_not_unused() {
    let code = format!("// loadworthy-ignore-file 1A\n{}", "export const x = 1;\n");
    let dir = shop(&[("src/app.ts", &code)]);
    assert!(diagnostics(&report(dir.path(), &["--skip", "1A"])).is_empty());
    assert_eq!(diagnostics(&report(dir.path(), &["--only", "1A"])).len(), 1);
}
