//! The walk over a project's folder.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::classify::{FileClass, Language, classify};
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::manifest::{Manifest, Package};
use crate::tsconfig::{self, Aliases};

/// A source file's number: its place in path order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileId(u32);

impl FileId {
    /// The file at `index`.
    #[must_use]
    pub fn new(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The place in [`Project::files`].
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A package's number: its place in [`Project::packages`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PackageId(u32);

/// A source file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its number.
    pub id: FileId,
    /// Path relative to the root, with `/`.
    pub path: String,
    /// What it is for.
    pub class: FileClass,
    /// Its dialect.
    pub language: Language,
}

/// Limits of the walk.
#[derive(Clone, Copy, Debug)]
pub struct DiscoverOptions {
    /// Largest source file that is read, in bytes.
    pub max_file_bytes: u64,
}

impl Default for DiscoverOptions {
    /// 1 MiB: hand-written files stay below 300 kB.
    fn default() -> Self {
        Self { max_file_bytes: 1 << 20 }
    }
}

/// Why there is no project.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// Nothing is there.
    #[error("there is no folder {}: give the folder of the project to audit", .0.display())]
    NoSuchFolder(PathBuf),
}

/// A project's files and packages.
#[derive(Debug)]
pub struct Project {
    /// The folder that was asked for.
    pub root: PathBuf,
    /// Source files in path order.
    pub files: Vec<SourceFile>,
    /// Packages in folder order; the first is the root's, with or without a manifest.
    pub packages: Vec<Package>,
    /// What was wrong.
    pub diagnostics: Vec<Diagnostic>,
    pub(crate) aliases: FxHashMap<String, Aliases>,
    by_path: FxHashMap<String, FileId>,
}

/// Folders that hold no source, ignored or not.
const OUTPUT_FOLDERS: [&str; 10] =
    ["node_modules", ".git", "dist", ".next", ".nuxt", ".turbo", "coverage", ".output", ".vercel", ".cache"];

/// How much of a file is read to tell its class, in bytes.
const HEAD_BYTES: usize = 16 << 10;

impl Project {
    /// Finds the files of the project in `root`.
    ///
    /// # Errors
    /// Where `root` is no folder. Everything else that is wrong becomes a diagnostic.
    pub fn discover(root: &Path, options: &DiscoverOptions) -> Result<Self, DiscoverError> {
        if !root.is_dir() {
            return Err(DiscoverError::NoSuchFolder(root.to_owned()));
        }
        let mut found = walk(root);
        found.paths.sort();
        let (sources, skipped): (Vec<_>, Vec<_>) = found
            .paths
            .into_iter()
            .filter_map(|(path, size)| Language::of(&path).map(|language| (path, size, language)))
            .partition(|(_, size, _)| *size <= options.max_file_bytes);
        let mut diagnostics = found.diagnostics;
        diagnostics.extend(skipped.into_iter().map(|(path, size, _)| {
            let message = format!("not read: {size} bytes (at most {} are)", options.max_file_bytes);
            Diagnostic::of(&path, DiagnosticKind::TooLarge, message)
        }));
        let files: Vec<SourceFile> = sources
            .into_par_iter()
            .enumerate()
            .map(|(index, (path, _, language))| {
                let class = classify(&path, language, &head(&root.join(&path)));
                SourceFile { id: FileId::new(index), path, class, language }
            })
            .collect();
        if files.is_empty() {
            diagnostics.push(Diagnostic {
                file: None,
                line: None,
                kind: DiagnosticKind::Empty,
                message: "no JavaScript or TypeScript file was found".to_owned(),
            });
        }
        let packages = packages(&found.manifests, &mut diagnostics);
        let (aliases, broken) = tsconfig::read(&found.configurations);
        diagnostics.extend(broken);
        diagnostics.sort_by(|a, b| (&a.file, &a.message).cmp(&(&b.file, &b.message)));
        let by_path = files.iter().map(|file| (file.path.clone(), file.id)).collect();
        Ok(Self { root: root.to_owned(), files, packages, diagnostics, aliases, by_path })
    }

    /// The file at a path relative to the root.
    #[must_use]
    pub fn file_by_path(&self, path: &str) -> Option<FileId> {
        self.by_path.get(path).copied()
    }

    /// The text of a source file, without byte order mark; bytes that are no UTF-8 are replaced.
    ///
    /// # Errors
    /// A diagnostic where it can't be read (any more).
    pub fn read(&self, id: FileId) -> Result<String, Diagnostic> {
        let path = self.files.get(id.index()).map_or("", |file| &file.path);
        text(&self.root.join(path))
            .map_err(|error| Diagnostic::of(path, DiagnosticKind::Unreadable, format!("not read: {error}")))
    }
}

/// The folder of a path; empty at the root.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

#[derive(Default)]
struct Found {
    paths: Vec<(String, u64)>,
    manifests: Vec<(String, String)>,
    configurations: FxHashMap<String, String>,
    diagnostics: Vec<Diagnostic>,
}

fn walk(root: &Path) -> Found {
    let mut found = Found::default();
    let walker = ignore::WalkBuilder::new(root)
        .require_git(false)
        .follow_links(false)
        .filter_entry(|entry| {
            let is_output = entry.file_name().to_str().is_some_and(|name| OUTPUT_FOLDERS.contains(&name));
            !(is_output && entry.file_type().is_some_and(|kind| kind.is_dir()))
        })
        .build();
    for entry in walker {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let message = format!("a folder was not read: {error}");
                found.diagnostics.push(Diagnostic {
                    file: None,
                    line: None,
                    kind: DiagnosticKind::Unreadable,
                    message,
                });
                continue;
            }
        };
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let Ok(relative) = entry.path().strip_prefix(root) else { continue };
        let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        found.file(parts.join("/"), &entry);
    }
    found.manifests.sort();
    found
}

impl Found {
    fn file(&mut self, path: String, entry: &ignore::DirEntry) {
        let name = path.rsplit('/').next().unwrap_or(&path);
        let is_configuration = (name.starts_with("tsconfig") || name.starts_with("jsconfig"))
            && Path::new(name).extension().is_some_and(|ending| ending == "json");
        if name == "package.json" || is_configuration {
            match text(entry.path()) {
                Ok(text) if is_configuration => {
                    self.configurations.insert(path, text);
                }
                Ok(text) => self.manifests.push((path, text)),
                Err(error) => {
                    self.diagnostics.push(Diagnostic::of(
                        &path,
                        DiagnosticKind::Unreadable,
                        format!("not read: {error}"),
                    ));
                }
            }
        } else if Language::of(&path).is_some() {
            let size = entry.metadata().map_or(0, |it| it.len());
            self.paths.push((path, size));
        }
    }
}

fn packages(manifests: &[(String, String)], diagnostics: &mut Vec<Diagnostic>) -> Vec<Package> {
    let mut packages = vec![Package { id: PackageId(0), dir: String::new(), manifest: Manifest::default() }];
    for (path, text) in manifests {
        let manifest = match jsonc_parser::parse_to_serde_value::<Manifest>(
            text,
            &jsonc_parser::ParseOptions::default(),
        ) {
            Ok(manifest) => manifest,
            Err(error) => {
                diagnostics.push(Diagnostic::of(
                    path,
                    DiagnosticKind::Configuration,
                    format!("not read: {error}"),
                ));
                Manifest::default()
            }
        };
        let dir = parent(path).to_owned();
        match packages.first_mut() {
            Some(root) if dir.is_empty() => root.manifest = manifest,
            _ => {
                let id = PackageId(u32::try_from(packages.len()).unwrap_or(u32::MAX));
                packages.push(Package { id, dir, manifest });
            }
        }
    }
    packages
}

fn text(path: &Path) -> std::io::Result<String> {
    let bytes = fs::read(path)?;
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// How a file begins; empty where it can't be read, which reading it whole will report.
fn head(path: &Path) -> String {
    use std::io::Read;
    let mut bytes = Vec::with_capacity(HEAD_BYTES);
    let read = fs::File::open(path).and_then(|file| file.take(HEAD_BYTES as u64).read_to_end(&mut bytes));
    read.map(|_| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
