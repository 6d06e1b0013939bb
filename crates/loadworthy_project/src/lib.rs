//! Discovers a JavaScript or TypeScript project: its source files and their classes, its packages, its
//! dependency versions and how its import specifiers resolve.
//!
//! This is the only crate that reads files of the audited project. It never executes anything, opens no
//! connection and does not follow symbolic links. Bad input becomes a [`Diagnostic`]; only a root that can not
//! be read at all is an error.

mod builtins;
mod classify;
mod dependencies;
mod diagnostic;
mod discover;
mod exclusions;
mod head;
mod ids;
mod json;
mod lockfile;
mod manifest;
mod options;
mod package;
mod paths;
mod profile;
mod project;
mod read;
mod resolution;
mod source;
mod tsconfig;
mod versions;
mod walk;
mod workspaces;
mod yaml;

#[cfg(test)]
mod tests;

pub use diagnostic::{Diagnostic, DiagnosticKind};
pub use ids::{FileId, PackageId};
pub use manifest::{Dependency, DependencyKind, Manifest, Script};
pub use options::{DiscoverError, DiscoverOptions};
pub use package::Package;
pub use paths::join as join_path;
pub use project::Project;
pub use resolution::Resolution;
pub use source::{FileClass, Language, ModuleKind, SourceFile};
pub use versions::{Version, VersionSource};
