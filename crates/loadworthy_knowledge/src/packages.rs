//! Packages that fixes add: `[[package]]` rows.

use serde::Deserialize;

/// A package that fixes may add.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageRow {
    /// Its name.
    pub name: String,
    /// The range of versions that fixes are written for.
    pub range: String,
    /// The range for files that `require`, where the other is ES modules only.
    pub commonjs: Option<String>,
}

impl PackageRow {
    /// The range for a file that is an ES module, or not.
    #[must_use]
    pub fn range(&self, is_esm: bool) -> &str {
        self.commonjs.as_deref().filter(|_| !is_esm).unwrap_or(&self.range)
    }
}
