//! A discovered project, and the questions it answers.

use std::path::{Path, PathBuf};

use crate::dependencies::Declared;
use crate::read::Disk;
use crate::resolution::{Query, Resolver};
use crate::versions::Versions;
use crate::{
    Diagnostic, DiagnosticKind, DiscoverError, DiscoverOptions, FileId, Package, PackageId, Resolution,
    SourceFile, Version, discover, paths, read,
};

/// The files, packages and surroundings of one folder.
#[derive(Debug)]
pub struct Project {
    /// The folder, absolute and without symbolic links.
    pub root: PathBuf,
    /// Source files sorted by path; a [`FileId`] is the position.
    pub files: Vec<SourceFile>,
    /// The root first (even without `package.json`), then by folder; a [`PackageId`] is the position.
    pub packages: Vec<Package>,
    /// Configuration, deployment, environment and schema files, sorted.
    pub other_files: Vec<String>,
    /// What could not be taken into account, sorted.
    pub diagnostics: Vec<Diagnostic>,
    pub(crate) disk: Disk,
    pub(crate) resolver: Resolver,
    pub(crate) versions: Versions,
    pub(crate) declared: Declared,
}

impl Project {
    /// Lists and classifies the files below `root`, reads its manifests, configurations and lockfiles.
    ///
    /// # Errors
    /// Only if `root` itself can not be listed or an exclude pattern is invalid. An empty folder is a project
    /// with a diagnostic.
    pub fn discover(root: &Path, options: &DiscoverOptions) -> Result<Self, DiscoverError> {
        discover::discover(root, options)
    }

    /// The source file with that id.
    #[must_use]
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.index())
    }

    /// The package with that id.
    #[must_use]
    pub fn package(&self, id: PackageId) -> Option<&Package> {
        self.packages.get(id.index())
    }

    /// The source file at a relative path.
    #[must_use]
    pub fn file_by_path(&self, path: &str) -> Option<FileId> {
        self.resolver.tree.exact(path)
    }

    /// The text of a source file without byte order mark; invalid UTF-8 is replaced (discovery noted it).
    ///
    /// # Errors
    /// A diagnostic if the file has vanished or can not be read.
    pub fn read(&self, id: FileId) -> Result<String, Diagnostic> {
        match self.file(id) {
            Some(file) => self.disk.text(&file.path, read::MAX_CONFIG_BYTES),
            None => Err(Diagnostic {
                file: None,
                line: None,
                kind: DiagnosticKind::Unreadable,
                message: format!("no file with the id {}", id.index()),
            }),
        }
    }

    /// The text of one of [`Self::other_files`].
    ///
    /// # Errors
    /// A diagnostic if the file has vanished, can not be read, is too large or not part of the project.
    pub fn read_other(&self, path: &str) -> Result<String, Diagnostic> {
        if self.other_files.binary_search_by(|known| known.as_str().cmp(path)).is_err() {
            return Err(Diagnostic::of_file(DiagnosticKind::Unreadable, path, "not a file of the project"));
        }
        self.disk.text(path, read::MAX_CONFIG_BYTES)
    }

    /// What `specifier` means in the file `from`. Looks at nothing but memory; meant for many threads.
    #[must_use]
    pub fn resolve(&self, from: FileId, specifier: &str) -> Resolution {
        let Some(file) = self.file(from) else { return Resolution::Missing };
        let scope = self.scope(file.package);
        Query { resolver: &self.resolver, packages: &self.packages, scope, file }.resolve(specifier)
    }

    /// The version a package gets of a dependency: its own, that of a package around it, or what the lockfile of
    /// the root hoists.
    #[must_use]
    pub fn version_of(&self, package: PackageId, dependency: &str) -> Option<&Version> {
        let around = self.scope(package);
        let direct = around.iter().find_map(|package| self.versions.of(package.id, dependency));
        direct.or_else(|| self.versions.transitive(dependency))
    }

    /// Whether the package, or one around it, declares the dependency in any group.
    #[must_use]
    pub fn depends_on(&self, package: PackageId, dependency: &str) -> bool {
        self.scope(package).iter().any(|package| self.declared.contains(package.id, dependency))
    }

    /// The package and those around it, innermost first; the last is the root.
    fn scope(&self, package: PackageId) -> Vec<&Package> {
        let dir = self.package(package).map_or("", |package| package.dir.as_str());
        paths::ancestors(dir)
            .filter_map(|dir| self.resolver.tree.packages.get(dir))
            .filter_map(|id| self.package(*id))
            .collect()
    }
}
