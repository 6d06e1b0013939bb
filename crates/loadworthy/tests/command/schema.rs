//! `loadworthy schema`: what it describes is what the command accepts.

use serde_json::{Value, json};

use crate::support::{run_in, shop};

fn is_described(config: &Value) -> bool {
    let printed = run_in(std::env::temp_dir().as_path(), &["schema", "config"]);
    assert!(printed.status.success());
    jsonschema::validator_for(&serde_json::from_slice(&printed.stdout).unwrap()).unwrap().is_valid(config)
}

fn is_accepted(config: &Value) -> bool {
    let dir = shop(&[("loadworthy.json", &config.to_string())]);
    run_in(dir.path(), &["-q"]).status.success()
}

#[test]
fn the_schema_of_the_configuration_agrees_with_the_command() {
    let right = json!({
        "$schema": "./config.schema.json",
        "skip": ["n-plus-one"],
        "severity": "high",
        "minScore": 0,
        "target": { "users": 500, "errorRate": 0.02 },
        "traffic": { "GET /orders": 5 },
        "environment": { "deployment.instances": 2 },
    });
    let unknown = json!({ "minimumScore": 7 });
    let wrong_type = json!({ "target": { "users": "many" } });
    for (config, is_right) in [(&right, true), (&unknown, false), (&wrong_type, false)] {
        assert_eq!(is_described(config), is_right, "schema: {config}");
        assert_eq!(is_accepted(config), is_right, "command: {config}");
    }
}
