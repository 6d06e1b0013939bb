//! Exact versions from lockfiles of npm, pnpm, yarn and bun.

mod bun;
mod npm;
mod pnpm;
mod yarn;

use rustc_hash::FxHashMap;

use crate::read::{self, Disk};
use crate::{Diagnostic, DiagnosticKind, paths};

/// What one lockfile pins.
#[derive(Debug, Default)]
pub(crate) struct Lockfile {
    /// Relative to the root.
    pub(crate) file: String,
    /// By folder of the importing package (relative to the lockfile's folder) and name.
    by_importer: FxHashMap<(String, String), String>,
    /// By `name@range` as declared.
    by_range: FxHashMap<String, String>,
    /// By name: the hoisted version, else the highest.
    by_name: FxHashMap<String, String>,
}

impl Lockfile {
    /// The folder the lockfile covers.
    pub(crate) fn dir(&self) -> &str {
        paths::parent(&self.file)
    }

    /// The version a package in `dir` (relative to the root) gets; `range` if it declares the dependency.
    pub(crate) fn version(&self, dir: &str, name: &str, range: Option<&str>) -> Option<&str> {
        let importer = paths::strip(dir, self.dir()).to_owned();
        let exact = self.by_importer.get(&(importer, name.to_owned()));
        let ranged = || self.by_range.get(&format!("{name}@{}", range?));
        exact.or_else(ranged).or_else(|| self.by_name.get(name)).map(String::as_str)
    }

    /// Every name with its hoisted version, in no particular order.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&String, &String)> {
        self.by_name.iter()
    }

    fn pin(&mut self, importer: &str, name: &str, version: &str) {
        if is_version(version) {
            self.by_importer.insert((importer.to_owned(), name.to_owned()), version.to_owned());
        }
    }

    /// Keeps the higher version.
    fn offer(&mut self, name: &str, version: &str) {
        if !is_version(version) {
            return;
        }
        let is_higher = self.by_name.get(name).is_none_or(|known| is_newer(version, known));
        if is_higher {
            self.by_name.insert(name.to_owned(), version.to_owned());
        }
    }

    fn is_empty(&self) -> bool {
        self.by_importer.is_empty() && self.by_name.is_empty() && self.by_range.is_empty()
    }
}

fn is_version(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
}

fn is_newer(version: &str, known: &str) -> bool {
    match (node_semver::Version::parse(version), node_semver::Version::parse(known)) {
        (Ok(version), Ok(known)) => version > known,
        (Ok(_), Err(_)) => true,
        _ => false,
    }
}

/// Reads every lockfile among `others`; of several in one folder all are kept, in order of name.
pub(crate) fn load(disk: &Disk, others: &[String], diagnostics: &mut Vec<Diagnostic>) -> Vec<Lockfile> {
    let mut lockfiles = Vec::new();
    for path in others {
        let Some(format) = Format::of(paths::file_name(path)) else { continue };
        match read(disk, path, format) {
            Ok(lockfile) => lockfiles.push(lockfile),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    // The innermost folder first; stable, so that names stay in order.
    lockfiles.sort_by_key(|lockfile| std::cmp::Reverse(lockfile.dir().len()));
    lockfiles
}

#[derive(Clone, Copy)]
enum Format {
    Npm,
    Pnpm,
    Yarn,
    Bun,
    BunBinary,
}

impl Format {
    fn of(name: &str) -> Option<Self> {
        match name {
            "package-lock.json" | "npm-shrinkwrap.json" => Some(Self::Npm),
            "pnpm-lock.yaml" => Some(Self::Pnpm),
            "yarn.lock" => Some(Self::Yarn),
            "bun.lock" => Some(Self::Bun),
            "bun.lockb" => Some(Self::BunBinary),
            _ => None,
        }
    }
}

fn read(disk: &Disk, path: &str, format: Format) -> Result<Lockfile, Diagnostic> {
    if matches!(format, Format::BunBinary) {
        let message = "binary lockfile, not read; `bun install --save-text-lockfile` writes bun.lock";
        return Err(Diagnostic::of_file(DiagnosticKind::Lockfile, path, message));
    }
    let text = disk.text(path, read::MAX_CONFIG_BYTES)?;
    if text.trim().is_empty() {
        return Err(Diagnostic::of_file(DiagnosticKind::Lockfile, path, "the lockfile is empty"));
    }
    if text.lines().any(|line| line.starts_with("<<<<<<< ")) {
        return Err(Diagnostic::of_file(DiagnosticKind::Lockfile, path, "unresolved merge conflict"));
    }
    let mut lockfile = Lockfile { file: path.to_owned(), ..Lockfile::default() };
    match format {
        Format::Npm => npm::read(&text, path, &mut lockfile)?,
        Format::Pnpm => pnpm::read(&text, path, &mut lockfile)?,
        Format::Yarn => yarn::read(&text, path, &mut lockfile)?,
        Format::Bun => bun::read(&text, path, &mut lockfile)?,
        Format::BunBinary => {}
    }
    Ok(lockfile)
}
