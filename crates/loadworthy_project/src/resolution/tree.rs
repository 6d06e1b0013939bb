//! The listed files by path, and how extensions are tried.

use rustc_hash::FxHashMap;

use crate::{FileId, PackageId};

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
    pub(crate) packages: FxHashMap<String, PackageId>,
}

impl Tree {
    pub(crate) fn exact(&self, path: &str) -> Option<FileId> {
        self.files.get(path).copied()
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
