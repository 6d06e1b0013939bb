//! The listed files by path, and how extensions are tried.

use rustc_hash::FxHashMap;

use crate::{FileId, PackageId, SourceFile};

/// Tried in this order; declarations last, since the code beside them says more.
const EXTENSIONS: &[&str] =
    &[".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".d.ts", ".d.mts", ".d.cts"];

/// Written extension and those of the sources it may be compiled from.
const COMPILED: &[(&str, &[&str])] = &[
    (".js", &[".ts", ".tsx", ".jsx", ".mts", ".d.ts"]),
    (".jsx", &[".tsx"]),
    (".mjs", &[".mts", ".ts", ".d.mts"]),
    (".cjs", &[".cts", ".ts", ".d.cts"]),
    (".d.ts", &[".ts", ".tsx", ".js"]),
    (".d.mts", &[".mts"]),
    (".d.cts", &[".cts"]),
];

/// Whether TypeScript's rules hold: `./x.js` means `x.ts` even if both exist.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefer {
    Written,
    TypeScript,
}

/// Files and package folders by relative path.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) files: FxHashMap<String, FileId>,
    /// By the path in lower case: Windows and macOS find a file whatever the case of its name.
    pub(crate) lower: FxHashMap<String, FileId>,
    pub(crate) packages: FxHashMap<String, PackageId>,
}

impl Tree {
    pub(crate) fn new(files: &[SourceFile], packages: FxHashMap<String, PackageId>) -> Self {
        let mut lower = FxHashMap::default();
        for file in files {
            lower.entry(file.path.to_lowercase()).or_insert(file.id);
        }
        Self { files: files.iter().map(|file| (file.path.clone(), file.id)).collect(), lower, packages }
    }

    pub(crate) fn exact(&self, path: &str) -> Option<FileId> {
        self.files.get(path).copied()
    }

    /// The file that a system without case in its paths finds. Where there is case, the import fails; the code behind it is
    /// still the application's.
    pub(crate) fn without_case(&self, path: &str) -> Option<FileId> {
        let path = path.to_lowercase();
        let find = |path: &str| self.lower.get(path).copied();
        let extended =
            |path: &str| EXTENSIONS.iter().find_map(|extension| find(&format!("{path}{extension}")));
        find(&path).or_else(|| extended(&path)).or_else(|| extended(&crate::paths::child(&path, "index")))
    }

    /// The path as written, as compiled, or with an extension added.
    pub(crate) fn file(&self, path: &str, prefer: Prefer) -> Option<FileId> {
        let written = self.exact(path);
        let first = if prefer == Prefer::TypeScript { self.uncompiled(path).or(written) } else { written };
        first.or_else(|| self.uncompiled(path)).or_else(|| self.extended(path))
    }

    /// The `index` file of a folder.
    pub(crate) fn index(&self, directory: &str) -> Option<FileId> {
        self.extended(&crate::paths::child(directory, "index"))
    }

    fn uncompiled(&self, path: &str) -> Option<FileId> {
        COMPILED.iter().find_map(|(written, sources)| {
            let stem = path.strip_suffix(written)?;
            sources.iter().find_map(|source| self.exact(&format!("{stem}{source}")))
        })
    }

    fn extended(&self, path: &str) -> Option<FileId> {
        EXTENSIONS.iter().find_map(|extension| self.exact(&format!("{path}{extension}")))
    }
}
