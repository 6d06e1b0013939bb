//! A folder with a `package.json`, or the root.

use crate::{Manifest, PackageId};

/// A package of the project.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    /// Its own id.
    pub id: PackageId,
    /// Its folder relative to the root; `""` is the root.
    pub dir: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What its `package.json` says.
    pub manifest: Manifest,
    /// Whether a workspace declaration of npm, yarn, pnpm or lerna covers it.
    pub is_workspace_member: bool,
}
