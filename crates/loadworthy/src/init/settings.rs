//! The text of a first `loadworthy.json`.

use std::fmt::Write;

use loadworthy_environment::Fact;
use loadworthy_report::one_line;

const HEAD: &str = r#"{
  "$schema": "SCHEMA",

  // The load to survive. These are the defaults.
  "target": { "users": 1000, "rps": 100, "duration": 300, "p95": 500, "errorRate": 0.01 },

  // For CI: exit with 1 if a finding has this severity or above.
  // "failOn": "high",

  // Globs of files and folders that are not the application's.
  // "exclude": ["legacy/**"],

  // Checks that stay silent in some files.
  // "overrides": [{ "paths": ["scripts/**"], "skip": ["3E"] }],

"#;

/// The configuration with its defaults, and the facts that the project's files do not settle as comments to take up.
pub(super) fn text(facts: &[Fact], schema: &str) -> String {
    let mut text = HEAD.replace("SCHEMA", &format!("./{schema}"));
    let open: Vec<(&Fact, &str)> = facts
        .iter()
        .filter_map(|fact| Some((fact, fact.needs_confirmation.as_ref()?.look_at.as_str())))
        .collect();
    if open.is_empty() {
        text.push_str("  // Facts about the deployment that the project's files do not hold.\n");
    } else {
        text.push_str(
            "  // What the project's files do not settle, and what the audit takes for granted. Confirm or correct it.\n",
        );
    }
    text.push_str("  \"environment\": {\n");
    for (fact, look_at) in open {
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "    // {}: {} (see {})",
            one_line(&fact.name),
            one_line(&fact.value),
            one_line(look_at)
        );
        let _ = writeln!(text, "    // \"{}\": …,", fact.key);
    }
    text.push_str("  }\n}\n");
    text
}
