//! A source file and what is known about it before it is parsed.

use crate::{FileId, PackageId, paths};

/// A JavaScript or TypeScript file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its own id.
    pub id: FileId,
    /// Relative to the root, with `/` separators.
    pub path: String,
    /// The package of the nearest `package.json`.
    pub package: PackageId,
    /// Where the code runs, or why it is not audited.
    pub class: FileClass,
    /// The dialect, from the extension.
    pub language: Language,
    /// ES module or `CommonJS`, as far as the extension and the manifest tell.
    pub module_kind: ModuleKind,
    /// Bytes on disk.
    pub size: u64,
}

/// Where a file's code runs, or why it is not audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileClass {
    /// Runs in the server process.
    Server,
    /// Runs in the browser (or a native app).
    Client,
    /// Either, or undecided.
    Shared,
    /// Tests, fixtures, stories and mocks.
    Test,
    /// Run by hand or by a build: seeds, one-off scripts, tool configuration.
    Script,
    /// A database migration.
    Migration,
    /// Written by a tool.
    Generated,
    /// Someone else's code, copied in.
    Vendored,
    /// Minified or bundled.
    Minified,
}

impl FileClass {
    /// Whether findings are reported in files of this class.
    #[must_use]
    pub fn is_audited(self) -> bool {
        matches!(self, Self::Server | Self::Client | Self::Shared)
    }

    /// Whether the code runs in the browser, or nothing says that it does not.
    #[must_use]
    pub fn may_be_client(self) -> bool {
        matches!(self, Self::Client | Self::Shared)
    }

    /// Whether the code runs in the server process, or nothing says that it does not.
    #[must_use]
    pub fn may_be_server(self) -> bool {
        matches!(self, Self::Server | Self::Shared)
    }
}

/// The dialect of a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// `.js`, `.mjs`, `.cjs` (JSX may still occur), and node scripts in `bin/` without extension.
    Js,
    /// `.jsx`
    Jsx,
    /// `.ts`, `.mts`, `.cts`
    Ts,
    /// `.tsx`
    Tsx,
    /// `.d.ts`, `.d.mts`, `.d.cts`
    Dts,
}

impl Language {
    /// The dialect of a path, if it is source code at all.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        let name = paths::file_name(path);
        let (stem, extension) = name.rsplit_once('.')?;
        match extension {
            "js" | "mjs" | "cjs" => Some(Self::Js),
            "jsx" => Some(Self::Jsx),
            "tsx" => Some(Self::Tsx),
            "ts" | "mts" | "cts" if stem.rsplit('.').next() == Some("d") && stem != "d" => Some(Self::Dts),
            "ts" | "mts" | "cts" => Some(Self::Ts),
            _ => None,
        }
    }

    /// TypeScript, including declarations.
    #[must_use]
    pub fn is_typescript(self) -> bool {
        matches!(self, Self::Ts | Self::Tsx | Self::Dts)
    }
}

/// A hint at the module system; `Unknown` when only the code can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModuleKind {
    /// ES module.
    Module,
    /// `CommonJS`.
    CommonJs,
    /// The manifest does not say.
    Unknown,
}

impl ModuleKind {
    /// From the extension, else from the `type` of the nearest manifest.
    pub(crate) fn of(path: &str, manifest_type: Option<&str>) -> Self {
        match path.rsplit('.').next() {
            Some("mjs" | "mts") => return Self::Module,
            Some("cjs" | "cts") => return Self::CommonJs,
            _ => {}
        }
        match manifest_type {
            Some("module") => Self::Module,
            Some("commonjs") => Self::CommonJs,
            _ => Self::Unknown,
        }
    }
}
