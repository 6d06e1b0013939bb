//! `package-lock.json` and `npm-shrinkwrap.json`, lockfile versions 1 to 3.

use serde_json::Value;

use super::Lockfile;
use crate::{Diagnostic, DiagnosticKind, json};

pub(super) fn read(text: &str, file: &str, lockfile: &mut Lockfile) -> Result<(), Diagnostic> {
    let value = json::parse(text, file, DiagnosticKind::Lockfile)?.value();
    if let Some(packages) = value.get("packages").and_then(Value::as_object) {
        for (location, entry) in packages {
            add(location, entry, lockfile);
        }
    } else if let Some(dependencies) = value.get("dependencies").and_then(Value::as_object) {
        for (name, entry) in dependencies {
            if let Some(version) = entry.get("version").and_then(Value::as_str) {
                lockfile.offer(name, after_alias(version));
            }
        }
    } else if !value.is_object() {
        return Err(Diagnostic::of_file(DiagnosticKind::Lockfile, file, "not an npm lockfile"));
    }
    Ok(())
}

/// `node_modules/a` is for everyone, `packages/x/node_modules/a` for that workspace; deeper ones are not direct.
fn add(location: &str, entry: &Value, lockfile: &mut Lockfile) {
    let Some(version) = entry.get("version").and_then(Value::as_str) else { return };
    let Some((importer, name)) = location.rsplit_once("node_modules/") else { return };
    match importer.trim_end_matches('/') {
        "" => {
            lockfile.by_name.remove(name);
            lockfile.offer(name, version);
        }
        nested if nested.contains("node_modules/") => {}
        workspace => lockfile.pin(workspace, name, version),
    }
}

/// Version 1 writes aliases as `npm:real@1.2.3`.
fn after_alias(version: &str) -> &str {
    match version.strip_prefix("npm:") {
        Some(real) => real.rsplit_once('@').map_or(real, |(_, version)| version),
        None => version,
    }
}
