//! `overrides` of the configuration: checks by path.

use crate::support::{N_PLUS_ONE, findings, report, run_in, shop, text};

fn shop_with(overrides: &str) -> tempfile::TempDir {
    let own = format!("{{ \"overrides\": {overrides} }}");
    let script = N_PLUS_ONE.replace("/orders", "/all");
    shop(&[("loadworthy.json", &own), ("legacy/report.ts", &script)])
}

#[test]
fn each_override_that_matches_takes_effect_and_nothing_of_it_counts() {
    let dir = shop_with(r#"[{ "paths": ["legacy/**"], "skip": ["n-plus-one"] }]"#);
    let with = report(dir.path(), &["--only", "1A"]);
    assert_eq!(findings(&with), ["1A src/app.ts:8"]);
    let both = shop_with("[]");
    let without = report(both.path(), &["--only", "1A"]);
    assert_eq!(findings(&without), ["1A legacy/report.ts:8", "1A src/app.ts:8"]);
    assert!(with["score"]["value"].as_f64() > without["score"]["value"].as_f64());

    let dir = shop_with(r#"[{ "paths": ["**"], "skip": ["3A"] }, { "paths": ["src/*"], "only": ["3A"] }]"#);
    assert_eq!(findings(&report(dir.path(), &["--only", "1A"])), ["1A legacy/report.ts:8"]);
}

#[test]
fn wrong_overrides_are_refused() {
    for (overrides, says) in [
        (r#"[{ "skip": ["1A"] }]"#, "names no `paths`"),
        (r#"[{ "paths": ["src/{a"], "skip": ["1A"] }]"#, "src/{a"),
        (r#"[{ "paths": ["src"], "skip": ["9Z"] }]"#, "there is no check `9Z`"),
        (r#"[{ "path": ["src"] }]"#, "unknown field `path`"),
    ] {
        let dir = shop_with(overrides);
        let output = run_in(dir.path(), &[]);
        assert_eq!(output.status.code(), Some(2), "{overrides}");
        assert!(text(&output.stderr).contains(says), "{}", text(&output.stderr));
    }
}
