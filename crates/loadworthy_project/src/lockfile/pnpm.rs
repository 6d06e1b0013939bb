//! `pnpm-lock.yaml`, lockfile versions 5 to 9.
//!
//! Only the sections of direct dependencies are parsed as YAML; of the long list of packages the keys suffice.

use saphyr::Yaml;

use super::Lockfile;
use crate::{Diagnostic, DiagnosticKind, yaml};

const GROUPS: [&str; 3] = ["dependencies", "devDependencies", "optionalDependencies"];

pub(super) fn read(text: &str, file: &str, lockfile: &mut Lockfile) -> Result<(), Diagnostic> {
    let sections = Sections::of(text);
    let document = yaml::parse(&sections.direct, file, DiagnosticKind::Lockfile)?;
    if document.as_mapping().is_none() && sections.packages.is_empty() {
        return Err(Diagnostic::of_file(DiagnosticKind::Lockfile, file, "not a pnpm lockfile"));
    }
    add_importer("", &document, lockfile);
    for (importer, node) in yaml::entries(document.as_mapping_get("importers")) {
        let dir = if importer == "." { "" } else { importer.as_str() };
        add_importer(dir, node, lockfile);
    }
    for key in sections.packages {
        if let Some((name, version)) = package_key(key) {
            lockfile.offer(name, version);
        }
    }
    Ok(())
}

/// The text split at its top-level keys.
struct Sections<'t> {
    direct: String,
    packages: Vec<&'t str>,
}

impl<'t> Sections<'t> {
    fn of(text: &'t str) -> Self {
        let mut sections = Self { direct: String::new(), packages: Vec::new() };
        let mut is_package = false;
        for line in text.lines() {
            if !line.starts_with([' ', '\t', '#']) && !line.trim().is_empty() {
                is_package = ["packages:", "snapshots:"].contains(&line.trim_end());
            }
            if !is_package {
                sections.direct.push_str(line);
                sections.direct.push('\n');
            } else if let Some(key) = line.strip_prefix("  ").filter(|key| !key.starts_with(' ')) {
                sections.packages.push(key);
            }
        }
        sections
    }
}

fn add_importer(dir: &str, node: &Yaml<'_>, lockfile: &mut Lockfile) {
    for group in GROUPS {
        for (name, entry) in yaml::entries(node.as_mapping_get(group)) {
            let version = entry.as_mapping_get("version").unwrap_or(entry);
            if let Some(version) = yaml::scalar(version) {
                lockfile.pin(dir, &name, plain(&version));
            }
        }
    }
}

/// `1.2.3(react@18.0.0)`, `1.2.3_react@18.0.0`, `/real/1.2.3` and `real@1.2.3` as `1.2.3`.
fn plain(version: &str) -> &str {
    let version = without_peers(version);
    if super::is_version(version) {
        return version;
    }
    match package_key(version) {
        Some((_, version)) => version,
        None => version,
    }
}

fn without_peers(version: &str) -> &str {
    let version = version.split('(').next().unwrap_or(version);
    version.split('_').next().unwrap_or(version)
}

/// `'@a/b@1.2.3(c@1.0.0)':`, `/@a/b@1.2.3:` and `/@a/b/1.2.3:` as name and version.
fn package_key(key: &str) -> Option<(&str, &str)> {
    let key = key.trim().trim_end_matches(':').trim_matches(['\'', '"']);
    let key = key.split('(').next().unwrap_or(key);
    let key = key.trim_start_matches('/');
    let split = match key.rfind('@') {
        Some(at) if at > 0 && super::is_version(key.get(at + 1..)?) && !key.get(..at)?.contains('_') => at,
        _ => {
            let slashes = if key.starts_with('@') { 2 } else { 1 };
            key.match_indices('/').nth(slashes - 1)?.0
        }
    };
    let version = key.get(split + 1..)?;
    let version = version.split(['_', '/']).next().unwrap_or(version);
    super::is_version(version).then_some((key.get(..split)?, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_keys_of_all_versions() {
        assert_eq!(package_key("/@a/b/1.2.3:"), Some(("@a/b", "1.2.3")));
        assert_eq!(package_key("/a/1.2.3_react@18.0.0:"), Some(("a", "1.2.3")));
        assert_eq!(package_key("/@a/b@1.2.3(c@1.0.0):"), Some(("@a/b", "1.2.3")));
        assert_eq!(package_key("'@a/b@1.2.3':"), Some(("@a/b", "1.2.3")));
        assert_eq!(package_key("a@1.2.3:"), Some(("a", "1.2.3")));
        assert_eq!(package_key("link:../x"), None);
    }

    #[test]
    fn peers_and_aliases_are_cut_off() {
        assert_eq!(plain("1.2.3(react@18.0.0)(x@1.0.0)"), "1.2.3");
        assert_eq!(plain("1.2.3_abc"), "1.2.3");
        assert_eq!(plain("/real/1.2.3"), "1.2.3");
        assert_eq!(plain("@scope/real@1.2.3"), "1.2.3");
        assert_eq!(plain("link:../x"), "link:../x");
    }
}
