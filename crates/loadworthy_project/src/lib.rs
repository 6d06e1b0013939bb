//! Discover: the files of a project, its packages, and where an import leads. The only crate that reads files.

mod classify;
mod diagnostic;
mod manifest;
mod project;
mod resolve;
mod tsconfig;

pub use classify::{FileClass, Language};
pub use diagnostic::{Diagnostic, DiagnosticKind};
pub use manifest::Package;
pub use project::{DiscoverError, DiscoverOptions, FileId, PackageId, Project, SourceFile};
pub use resolve::Resolution;
