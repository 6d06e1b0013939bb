//! Each form of the report and each table, whole, on one small app. Of the checks only 1A runs, so that others do not show.

use insta::assert_snapshot;

use crate::support::{run_in, shop, text};

fn of(arguments: &[&str]) -> String {
    let dir = shop(&[("src/broken.ts", "export const = ;\n")]);
    let output = run_in(dir.path(), arguments);
    let version = env!("CARGO_PKG_VERSION");
    text(&output.stdout).replace(version, "VERSION")
}

#[test]
fn terminal() {
    assert_snapshot!(of(&["--only", "1A"]));
}

#[test]
fn terminal_quiet() {
    assert_snapshot!(of(&["--only", "1A", "--quiet"]));
}

#[test]
fn markdown() {
    assert_snapshot!(of(&["--only", "1A", "--format", "markdown"]));
}

#[test]
fn json() {
    assert_snapshot!(of(&["--only", "1A", "--format", "json"]));
}

#[test]
fn routes_terminal() {
    assert_snapshot!(of(&["routes"]));
}

#[test]
fn routes_json() {
    assert_snapshot!(of(&["routes", "--format", "json"]));
}
