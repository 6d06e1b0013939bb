//! `loadworthy init`, completions and the manual page.

use std::fs;

use serde_json::Value;

use crate::support::{report, run_in, shop, text};

#[test]
fn the_configuration_is_valid_and_names_what_is_to_be_confirmed() {
    let dir = shop(&[]);
    let output = run_in(dir.path(), &["init"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let own = fs::read_to_string(dir.path().join("loadworthy.json")).unwrap();
    assert!(own.contains("\"$schema\": \"./.loadworthy/config.schema.json\""), "{own}");
    assert!(own.contains("// \"deployment.instances\": …,"), "{own}");
    let schema = fs::read_to_string(dir.path().join(".loadworthy/config.schema.json")).unwrap();
    let _: Value = serde_json::from_str(&schema).unwrap();
    // The audit reads it, with comments and all.
    assert_eq!(report(dir.path(), &[])["target"]["users"], 1000);

    let again = run_in(dir.path(), &["init"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("is there already"), "{}", text(&again.stderr));
    assert_eq!(fs::read_to_string(dir.path().join("loadworthy.json")).unwrap(), own);
}

#[test]
fn instructions_for_agents_join_what_is_there() {
    let dir = shop(&[("AGENTS.md", "# Rules\n\nBe kind.\n"), ("loadworthy.json", "{}")]);
    for _ in 0..2 {
        let output = run_in(dir.path(), &["init", "--agents"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
    let read = |path: &str| fs::read_to_string(dir.path().join(path)).unwrap();
    let rules = read("AGENTS.md");
    assert!(rules.starts_with("# Rules\n\nBe kind.\n\n"));
    assert_eq!(rules.matches("loadworthy:begin").count(), 1);
    assert!(read(".claude/skills/loadworthy/SKILL.md").starts_with("---\nname: loadworthy\n"));
    assert!(read(".cursor/rules/loadworthy.mdc").contains("--format agent --since HEAD"));
    assert_eq!(read("loadworthy.json"), "{}", "a configuration is never written over");
}

#[test]
fn shells_and_the_manual_know_the_options() {
    let dir = shop(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = run_in(dir.path(), &["completions", shell]);
        assert!(output.status.success() && text(&output.stdout).contains("fail-on"), "{shell}");
    }
    let manual = text(&run_in(dir.path(), &["man"]).stdout);
    assert!(manual.contains(".TH loadworthy") && manual.contains("fail\\-on"), "{manual}");
}
