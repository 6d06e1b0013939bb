//! `package.json`: what a package is called, what it needs, and what it offers.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::project::PackageId;

/// A folder with a `package.json`; the root counts as one without.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its place in the project's table.
    pub id: PackageId,
    /// Its folder relative to the root; empty for the root.
    pub dir: String,
    /// What its manifest says.
    pub manifest: Manifest,
}

/// The parts of a `package.json` that are asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Manifest {
    /// The package's name.
    pub name: Option<String>,
    /// Entry file for `require`.
    pub main: Option<String>,
    /// Entry file for bundlers.
    pub module: Option<String>,
    /// Entry points by subpath and condition.
    pub exports: serde_json::Value,
    /// Private entry points (`#name`).
    pub imports: BTreeMap<String, serde_json::Value>,
    /// Needed to run: package to version range.
    pub dependencies: BTreeMap<String, String>,
    /// Needed to build.
    pub dev_dependencies: BTreeMap<String, String>,
    /// Needed from whoever uses it.
    pub peer_dependencies: BTreeMap<String, String>,
    /// Needed versions of the runtime.
    pub engines: BTreeMap<String, serde_json::Value>,
}

impl Manifest {
    /// Whether the package names a dependency of any sort.
    #[must_use]
    pub fn needs(&self, dependency: &str) -> bool {
        [&self.dependencies, &self.dev_dependencies, &self.peer_dependencies]
            .iter()
            .any(|table| table.contains_key(dependency))
    }
}
