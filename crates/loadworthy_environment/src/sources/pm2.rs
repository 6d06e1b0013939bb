//! pm2's ecosystem files (JSON, YAML, or the exported object of a JavaScript file).

use crate::command::{self, heap_flag, instances};
use crate::document::Node;
use crate::number::megabytes;
use crate::paths;
use crate::signs::{Scope, Signs, Unit};

/// Reads the `apps` of an ecosystem file.
pub(crate) fn read(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let apps = document.key("apps").unwrap_or(document);
    let many = if apps.items().is_empty() { std::slice::from_ref(apps) } else { apps.items() };
    for app in many.iter().filter(|app| app.key("script").is_some() || app.key("name").is_some()) {
        read_app(app, scope, signs);
    }
}

fn read_app(app: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let text = |key: &str| app.key(key).and_then(Node::text);
    let dir = text("cwd").and_then(|cwd| paths::join(&scope.unit.dir, &cwd));
    let unit = Unit {
        dir: dir.unwrap_or_else(|| scope.unit.dir.clone()),
        name: text("name").or_else(|| text("script")).unwrap_or_default(),
    };
    let scope = &scope.of_unit(unit);
    let count = app.key("instances").and_then(|node| Some((node, instances(&node.text()?)?)));
    let is_cluster = text("exec_mode").is_some_and(|mode| mode.starts_with("cluster"));
    let how = if is_cluster { "pm2 cluster" } else { "pm2 fork" };
    signs.managers.push(scope.sign("pm2".to_owned(), app.line, how));
    if let Some((node, count)) = count {
        signs.workers.push(scope.sign(count, node.line, format!("instances: {count}")));
    }
    if let Some((node, limit)) =
        app.key("max_memory_restart").and_then(|node| Some((node, megabytes(&node.text()?, 1.0)?)))
    {
        signs.restart_memory_mb.push(scope.sign(limit, node.line, "max_memory_restart"));
    }
    for node in ["node_args", "interpreter_args"].iter().filter_map(|key| app.key(key)) {
        let words = node.words();
        for (at, word) in words.iter().enumerate() {
            if let Some(limit) = heap_flag(word, words.get(at + 1).map(String::as_str)) {
                signs.heap_mb.push(scope.sign(limit, node.line, format!("--max-old-space-size={limit}")));
            }
        }
    }
    for environment in ["env", "env_production"].iter().filter_map(|key| app.key(key)) {
        for (key, value) in environment.entries() {
            if let Some(text) = value.text() {
                command::variable(key, &text, scope, value.line, signs);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::documents;
    use crate::signs::{Count, Tier};

    #[test]
    fn apps_tell_processes_memory_and_variables() {
        let text = r#"{"apps": [{"name": "api", "script": "dist/index.js", "cwd": "./server", "instances": "max",
            "exec_mode": "cluster", "max_memory_restart": "1G", "node_args": "--max-old-space-size=900",
            "env_production": {"NODE_ENV": "production"}}]}"#;
        let mut signs = Signs::default();
        let scope = Scope { file: "ecosystem.json", tier: Tier::Production, unit: Unit::default() };
        read(&documents("ecosystem.json", text).remove(0), &scope, &mut signs);
        let workers = signs.workers.first().unwrap();
        assert_eq!((workers.value, workers.unit.dir.as_str()), (Count::PerCore, "server"));
        assert_eq!(signs.heap_mb.first().unwrap().value, 900.0);
        assert_eq!(signs.restart_memory_mb.first().unwrap().value, 1024.0);
        assert_eq!(signs.variables.first().unwrap().value.key, "NODE_ENV");
    }

    #[test]
    fn other_json_is_no_ecosystem() {
        let mut signs = Signs::default();
        let scope = Scope { file: "process.json", tier: Tier::Production, unit: Unit::default() };
        read(&documents("process.json", "{\"steps\": []}").remove(0), &scope, &mut signs);
        assert!(signs.managers.is_empty());
    }
}
