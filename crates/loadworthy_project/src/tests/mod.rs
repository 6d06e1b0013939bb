//! Whole projects in temporary folders.

mod broken;
mod classes;
mod listing;
mod lockfiles;
mod resolving;

use std::fs;

use tempfile::TempDir;

use crate::{DiagnosticKind, DiscoverOptions, FileClass, FileId, Project, Resolution};

/// A folder with these files.
pub(super) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(&folder, path, text.as_bytes());
    }
    folder
}

pub(super) fn write(folder: &TempDir, path: &str, bytes: &[u8]) {
    let location = folder.path().join(path);
    fs::create_dir_all(location.parent().unwrap()).unwrap();
    fs::write(location, bytes).unwrap();
}

pub(super) fn discover(folder: &TempDir) -> Project {
    Project::discover(folder.path(), &DiscoverOptions::default()).unwrap()
}

pub(super) fn project(files: &[(&str, &str)]) -> Project {
    discover(&folder(files))
}

pub(super) fn id(project: &Project, path: &str) -> FileId {
    project.file_by_path(path).unwrap_or_else(|| panic!("{path} is not listed"))
}

pub(super) fn class(project: &Project, path: &str) -> FileClass {
    project.file(id(project, path)).unwrap().class
}

/// The path a specifier leads to, or what else it is.
pub(super) fn resolve(project: &Project, from: &str, specifier: &str) -> String {
    match project.resolve(id(project, from), specifier) {
        Resolution::File(file) => project.file(file).unwrap().path.clone(),
        Resolution::Package { name, subpath } => format!("package {name} [{subpath}]"),
        Resolution::Builtin(name) => format!("builtin {name}"),
        Resolution::Missing => "missing".to_owned(),
    }
}

pub(super) fn kinds(project: &Project) -> Vec<(DiagnosticKind, String)> {
    let file = |file: &Option<String>| file.clone().unwrap_or_default();
    project.diagnostics.iter().map(|diagnostic| (diagnostic.kind, file(&diagnostic.file))).collect()
}
