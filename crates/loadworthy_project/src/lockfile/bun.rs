//! `bun.lock`, the text form.

use serde_json::Value;

use super::Lockfile;
use crate::{Diagnostic, DiagnosticKind, json};

pub(super) fn read(text: &str, file: &str, lockfile: &mut Lockfile) -> Result<(), Diagnostic> {
    let value = json::parse(text, file, DiagnosticKind::Lockfile)?.value();
    let Some(packages) = value.get("packages").and_then(Value::as_object) else {
        return Err(Diagnostic::of_file(DiagnosticKind::Lockfile, file, "not a bun lockfile"));
    };
    let workspaces = workspaces(&value);
    for (key, entry) in packages {
        let Some(version) = entry.get(0).and_then(Value::as_str).and_then(version_of) else { continue };
        if is_top_level(key) {
            lockfile.offer(key, version);
            continue;
        }
        for (name, dir) in &workspaces {
            if let Some(dependency) = key.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('/'))
            {
                lockfile.pin(dir, dependency, version);
            }
        }
    }
    Ok(())
}

/// Name and folder of each workspace.
fn workspaces(value: &Value) -> Vec<(String, String)> {
    let Some(workspaces) = value.get("workspaces").and_then(Value::as_object) else { return Vec::new() };
    workspaces
        .iter()
        .filter_map(|(dir, entry)| Some((entry.get("name")?.as_str()?.to_owned(), dir.clone())))
        .collect()
}

/// `a` and `@a/b`, but not `a/b`, which is what `a` gets for `b`.
fn is_top_level(key: &str) -> bool {
    key.matches('/').count() == usize::from(key.starts_with('@'))
}

fn version_of(identity: &str) -> Option<&str> {
    let (_, version) = identity.rsplit_once('@')?;
    super::is_version(version).then_some(version)
}
