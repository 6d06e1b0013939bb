//! `yarn.lock` of yarn 1 and berry: both are blocks of a line of descriptors and an indented `version`.

use super::Lockfile;
use crate::{Diagnostic, DiagnosticKind};

pub(super) fn read(text: &str, file: &str, lockfile: &mut Lockfile) -> Result<(), Diagnostic> {
    let mut descriptors: Vec<&str> = Vec::new();
    let mut has_content = false;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        has_content = true;
        if !line.starts_with(' ') {
            descriptors = header(line);
        } else if let Some(version) = version(line) {
            for descriptor in descriptors.drain(..) {
                add(descriptor, version, lockfile);
            }
        }
    }
    if has_content && lockfile.is_empty() && !text.contains("__metadata") {
        return Err(Diagnostic::of_file(DiagnosticKind::Lockfile, file, "not a yarn lockfile"));
    }
    Ok(())
}

/// `"a@^1, a@^2":` as its descriptors.
fn header(line: &str) -> Vec<&str> {
    let line = line.trim_end_matches(':');
    line.split(',').map(|part| part.trim().trim_matches('"').trim()).filter(|part| !part.is_empty()).collect()
}

fn version(line: &str) -> Option<&str> {
    let value = line.strip_prefix("  version")?;
    let value = value.strip_prefix(':').or_else(|| value.strip_prefix(' '))?;
    Some(value.trim().trim_matches('"'))
}

fn add(descriptor: &str, version: &str, lockfile: &mut Lockfile) {
    let Some(at) = descriptor.get(1..).and_then(|rest| rest.find('@')).map(|at| at + 1) else { return };
    let (Some(name), Some(range)) = (descriptor.get(..at), descriptor.get(at + 1..)) else { return };
    if range.starts_with("workspace:") || !super::is_version(version) {
        return;
    }
    let declared = match range.strip_prefix("npm:") {
        Some(plain) if super::is_version(plain) || !plain.contains('@') => plain,
        _ => range,
    };
    lockfile.by_range.insert(format!("{name}@{declared}"), version.to_owned());
    lockfile.offer(name, version);
}
