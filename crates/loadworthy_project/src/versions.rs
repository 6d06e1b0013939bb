//! Which version of a dependency a package gets, and how that is known.

use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::lockfile::Lockfile;
use crate::read::{self, Disk};
use crate::workspaces::Catalogs;
use crate::{Dependency, DiagnosticKind, Package, PackageId, json, paths};

/// A version with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// As written, for example `5.1.0-rc.1`.
    pub text: String,
    /// First number.
    pub major: u64,
    /// Second number.
    pub minor: u64,
    /// Third number.
    pub patch: u64,
    /// How it is known.
    pub source: VersionSource,
    /// The file that says so, relative to the root.
    pub file: String,
    /// One-based line in that file, if known.
    pub line: Option<u32>,
}

/// How a version is known, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VersionSource {
    /// Pinned by a lockfile.
    Lockfile,
    /// Found in `node_modules`.
    Installed,
    /// The lowest version the declared range allows.
    Range,
}

/// Versions by package and name, computed once.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    direct: Vec<FxHashMap<String, Version>>,
    /// Transitive dependencies: of the outermost lockfile.
    transitive: FxHashMap<String, Version>,
}

impl Versions {
    pub(crate) fn of(&self, package: PackageId, dependency: &str) -> Option<&Version> {
        self.direct.get(package.index()).and_then(|versions| versions.get(dependency))
    }

    pub(crate) fn transitive(&self, dependency: &str) -> Option<&Version> {
        self.transitive.get(dependency)
    }

    pub(crate) fn compute(
        disk: &Disk,
        packages: &[Package],
        lockfiles: &[Lockfile],
        catalogs: &Catalogs,
    ) -> Self {
        let direct = packages
            .iter()
            .map(|package| {
                let mut versions = FxHashMap::default();
                for dependency in &package.manifest.dependencies {
                    let sources = Sources { disk, package, lockfiles, catalogs };
                    if let Some(version) = sources.version(dependency) {
                        versions.entry(dependency.name.clone()).or_insert(version);
                    }
                }
                versions
            })
            .collect();
        let transitive = lockfiles.iter().rev().find(|lockfile| lockfile.dir().is_empty());
        Self { direct, transitive: transitive.map(hoisted).unwrap_or_default() }
    }
}

fn hoisted(lockfile: &Lockfile) -> FxHashMap<String, Version> {
    lockfile
        .names()
        .filter_map(|(name, text)| {
            Some((name.clone(), version(text, VersionSource::Lockfile, &lockfile.file)?))
        })
        .collect()
}

struct Sources<'s> {
    disk: &'s Disk,
    package: &'s Package,
    lockfiles: &'s [Lockfile],
    catalogs: &'s Catalogs,
}

impl Sources<'_> {
    fn version(&self, dependency: &Dependency) -> Option<Version> {
        if is_local(&dependency.range) {
            return None;
        }
        self.locked(dependency)
            .or_else(|| self.installed(&dependency.name))
            .or_else(|| self.lowest(dependency))
    }

    fn locked(&self, dependency: &Dependency) -> Option<Version> {
        let covering =
            self.lockfiles.iter().filter(|lockfile| paths::is_within(&self.package.dir, lockfile.dir()));
        covering.into_iter().find_map(|lockfile| {
            let text = lockfile.version(&self.package.dir, &dependency.name, Some(&dependency.range))?;
            version(text, VersionSource::Lockfile, &lockfile.file)
        })
    }

    fn installed(&self, name: &str) -> Option<Version> {
        if name.contains("..") || name.contains('\\') {
            return None;
        }
        paths::ancestors(&self.package.dir).find_map(|dir| {
            let file = paths::child(dir, &format!("node_modules/{name}/package.json"));
            let text = self.disk.text(&file, read::MAX_CONFIG_BYTES).ok()?;
            let manifest: Value = json::parse(&text, &file, DiagnosticKind::Config).ok()?.value();
            version(manifest.get("version")?.as_str()?, VersionSource::Installed, &file)
        })
    }

    fn lowest(&self, dependency: &Dependency) -> Option<Version> {
        let range = self.range(dependency)?;
        let lowest = node_semver::Range::parse(&range).ok()?.min_version()?;
        if (lowest.major, lowest.minor, lowest.patch) == (0, 0, 0) {
            return None;
        }
        let file = self.package.manifest.file.as_deref()?;
        let mut version = version(&lowest.to_string(), VersionSource::Range, file)?;
        version.line = dependency.line;
        Some(version)
    }

    /// The range behind catalogues and aliases.
    fn range(&self, dependency: &Dependency) -> Option<String> {
        let range = dependency.range.trim();
        if let Some(catalog) = range.strip_prefix("catalog:") {
            let catalog = if catalog.is_empty() { "default" } else { catalog };
            return self.catalogs.get(&(catalog.to_owned(), dependency.name.clone())).cloned();
        }
        match range.strip_prefix("npm:") {
            Some(alias) => alias.rsplit_once('@').map(|(_, range)| range.to_owned()),
            None => Some(range.to_owned()),
        }
    }
}

/// A path in place of a range: the package is part of the project, or not known at all.
fn is_local(range: &str) -> bool {
    ["workspace:", "file:", "link:", "portal:"].iter().any(|scheme| range.starts_with(scheme))
}

fn version(text: &str, source: VersionSource, file: &str) -> Option<Version> {
    let parsed = node_semver::Version::parse(text).ok()?;
    Some(Version {
        text: text.to_owned(),
        major: parsed.major,
        minor: parsed.minor,
        patch: parsed.patch,
        source,
        file: file.to_owned(),
        line: None,
    })
}
