//! Every message of wrong use, whole.

use insta::assert_snapshot;

use crate::support::{run_in, shop, text};

fn refusal(files: &[(&str, &str)], arguments: &[&str]) -> String {
    let dir = shop(files);
    let output = run_in(dir.path(), arguments);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{}", text(&output.stderr));
    text(&output.stderr).replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn no_such_path() {
    assert_snapshot!(refusal(&[], &["nowhere"]));
}

#[test]
fn a_file_as_path() {
    assert_snapshot!(refusal(&[], &["package.json"]));
}

#[test]
fn bad_exclude() {
    assert_snapshot!(refusal(&[], &["--exclude", "src/{a"]));
}

#[test]
fn unknown_option() {
    assert_snapshot!(refusal(&[], &["--frmat", "json"]));
}

#[test]
fn unknown_format() {
    assert_snapshot!(refusal(&[], &["--format", "yaml"]));
}

#[test]
fn output_of_unknown_form() {
    assert_snapshot!(refusal(&[], &["--output", "report"]));
}

#[test]
fn output_that_can_not_be_written() {
    assert_snapshot!(refusal(&[], &["--output", "no/such/folder/report.json"]));
}

#[test]
fn two_reports_on_the_standard_output() {
    assert_snapshot!(refusal(&[], &["--format", "json", "--format", "markdown"]));
}

#[test]
fn a_target_out_of_range() {
    assert_snapshot!(refusal(&[], &["--rps", "0"]));
    assert_snapshot!(refusal(&[], &["--error-rate", "2"]));
    assert_snapshot!(refusal(&[], &["--min-score", "-1"]));
}

#[test]
fn configuration_with_a_mistake() {
    assert_snapshot!(refusal(&[("loadworthy.json", "{ \"only\": [ }")], &[]));
    assert_snapshot!(refusal(&[("loadworthy.json", "{ \"onyl\": [] }")], &[]));
    assert_snapshot!(refusal(
        &[("package.json", "{ \"loadworthy\": { \"target\": { \"rps\": \"x\" } } }")],
        &[]
    ));
    assert_snapshot!(refusal(&[], &["--config", "nowhere.json"]));
    assert_snapshot!(refusal(&[("loadworthy.json", "{ \"knowledge\": \"nowhere.toml\" }")], &[]));
}

#[test]
fn facts_that_can_not_be_set() {
    let told = refusal(&[], &["--set", "database.pool=3"]);
    assert!(told.starts_with("error: unknown setting `database.pool`; known: "), "{told}");
    assert_snapshot!(refusal(&[], &["--set", "database.pool.max"]));
    assert_snapshot!(refusal(&[], &["env", "--set", "database.pool.max=many"]));
    assert_snapshot!(refusal(
        &[("loadworthy.json", r#"{ "environment": { "deployment": { "instances": "many" } } }"#)],
        &[]
    ));
}

#[test]
fn unknown_check() {
    let told = refusal(&[], &["--only", "1A,9Z"]);
    assert!(told.starts_with("error: there is no check `9Z`; the checks are: 1A n-plus-one"), "{told}");
    assert!(refusal(&[], &["--skip", "x"]).contains("`x`"));
    assert!(refusal(&[], &["explain", "x"]).contains("`x`"));
    assert!(refusal(&[("loadworthy.json", "{ \"skip\": [\"y\"] }")], &[]).contains("`y`"));
}
