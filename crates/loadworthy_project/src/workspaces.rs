//! Which packages belong to a workspace, and the version catalogues of pnpm.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::read::{self, Disk};
use crate::{Diagnostic, DiagnosticKind, Package, json, paths, yaml};

/// Catalogue entries: (catalogue, dependency) to range.
pub(crate) type Catalogs = FxHashMap<(String, String), String>;

/// Marks workspace members and returns the catalogues of `pnpm-workspace.yaml`.
pub(crate) fn apply(
    disk: &Disk,
    others: &[String],
    packages: &mut [Package],
    diagnostics: &mut Vec<Diagnostic>,
) -> Catalogs {
    let mut catalogs = Catalogs::default();
    let mut declarations: Vec<(String, Vec<String>)> = packages
        .iter()
        .filter(|package| !package.manifest.workspaces.is_empty())
        .map(|package| (package.dir.clone(), package.manifest.workspaces.clone()))
        .collect();
    for path in others {
        let patterns = match paths::file_name(path) {
            "pnpm-workspace.yaml" => pnpm(disk, path, &mut catalogs),
            "lerna.json" => lerna(disk, path),
            _ => continue,
        };
        match patterns {
            Ok(patterns) => declarations.push((paths::parent(path).to_owned(), patterns)),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    for (dir, patterns) in &declarations {
        mark(dir, patterns, packages);
    }
    catalogs
}

fn pnpm(disk: &Disk, path: &str, catalogs: &mut Catalogs) -> Result<Vec<String>, Diagnostic> {
    let text = disk.text(path, read::MAX_CONFIG_BYTES)?;
    let document = yaml::parse(&text, path, DiagnosticKind::Config)?;
    let named = yaml::entries(document.as_mapping_get("catalogs"));
    let default = document.as_mapping_get("catalog").map(|node| ("default".to_owned(), node));
    for (catalog, node) in named.chain(default) {
        for (dependency, range) in yaml::entries(Some(node)) {
            if let Some(range) = yaml::scalar(range) {
                catalogs.insert((catalog.clone(), dependency), range);
            }
        }
    }
    let patterns = document.as_mapping_get("packages").and_then(|node| node.as_sequence());
    Ok(patterns.into_iter().flatten().filter_map(yaml::scalar).collect())
}

fn lerna(disk: &Disk, path: &str) -> Result<Vec<String>, Diagnostic> {
    let text = disk.text(path, read::MAX_CONFIG_BYTES)?;
    let value: Value = json::parse(&text, path, DiagnosticKind::Config)?.value();
    Ok(json::strings(value.get("packages")))
}

fn mark(dir: &str, patterns: &[String], packages: &mut [Package]) {
    let (negative, positive): (Vec<&str>, Vec<&str>) =
        patterns.iter().map(String::as_str).partition(|pattern| pattern.starts_with('!'));
    let included = set(&positive);
    let excluded = set(&negative);
    for package in packages {
        if package.dir == dir || !paths::is_within(&package.dir, dir) {
            continue;
        }
        let path = paths::strip(&package.dir, dir);
        package.is_workspace_member |= included.is_match(path) && !excluded.is_match(path);
    }
}

/// Invalid patterns match nothing.
fn set(patterns: &[&str]) -> GlobSet {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        let bare = pattern.trim_start_matches('!').trim_start_matches("./").trim_end_matches('/');
        if let Ok(glob) = GlobBuilder::new(bare).literal_separator(true).build() {
            builder.add(glob);
        }
    }
    builder.build().unwrap_or_default()
}
