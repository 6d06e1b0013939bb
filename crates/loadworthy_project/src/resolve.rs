//! Where an import leads: in memory, over the discovered files. Installed packages are not followed: what they do is
//! library knowledge.

use crate::manifest::Package;
use crate::project::{FileId, Project, parent};

/// Where an import leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resolution {
    /// A file of the project.
    File(FileId),
    /// An installed package.
    Package {
        /// Its name, with the scope.
        name: String,
        /// The path after the name; empty for the package itself.
        subpath: String,
    },
    /// A module of the runtime, without `node:`.
    Builtin(String),
    /// Nothing that is there.
    Missing,
}

const BUILTINS: [&str; 39] = [
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "zlib",
];

/// Endings that are tried, in the order of the TypeScript compiler and Node.js.
const ENDINGS: [&str; 8] = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"];

/// `dir` and a relative `path` as one path relative to the root; `None` where it leaves the root.
pub(crate) fn normalised(dir: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = dir.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

impl Project {
    /// Where `specifier`, written in the file `from`, leads.
    #[must_use]
    pub fn resolve(&self, from: FileId, specifier: &str) -> Resolution {
        let dir = self.files.get(from.index()).map_or("", |file| parent(&file.path));
        // A query of a bundler (`./icon.svg?react`) is no part of the path.
        let specifier = specifier.split('?').next().unwrap_or(specifier);
        if specifier.starts_with("./")
            || specifier.starts_with("../")
            || specifier == "."
            || specifier == ".."
        {
            return found(normalised(dir, specifier).and_then(|path| self.probe(&path)));
        }
        if let Some(file) = self.aliased(dir, specifier) {
            return Resolution::File(file);
        }
        let bare = specifier.strip_prefix("node:").unwrap_or(specifier);
        if specifier.starts_with("node:") || BUILTINS.contains(&bare.split('/').next().unwrap_or(bare)) {
            return Resolution::Builtin(bare.to_owned());
        }
        if specifier.starts_with('#') {
            return found(self.private_import(dir, specifier));
        }
        if let Some(rest) = specifier.strip_prefix("@/").or_else(|| specifier.strip_prefix("~/")) {
            return found(self.conventional(dir, rest));
        }
        if specifier.starts_with('/') {
            return found(self.probe(specifier.trim_start_matches('/')));
        }
        let (name, subpath) = split_package(specifier);
        match self.packages.iter().find(|package| package.manifest.name.as_deref() == Some(name)) {
            Some(package) => found(self.workspace_entry(package, subpath)),
            None => Resolution::Package { name: name.to_owned(), subpath: subpath.to_owned() },
        }
    }

    /// The file at a path without ending: itself, with an ending, TypeScript for a `.js` name, or the folder's index.
    fn probe(&self, path: &str) -> Option<FileId> {
        if let Some(file) = self.file_by_path(path) {
            return Some(file);
        }
        let with = |stem: &str, ending: &str| self.file_by_path(&format!("{stem}{ending}"));
        if let Some(file) = ENDINGS.iter().find_map(|ending| with(path, ending)) {
            return Some(file);
        }
        let compiled = [
            (".js", [".ts", ".tsx"]),
            (".jsx", [".tsx", ".ts"]),
            (".mjs", [".mts", ".ts"]),
            (".cjs", [".cts", ".ts"]),
        ];
        for (ending, sources) in compiled {
            if let Some(stem) = path.strip_suffix(ending)
                && let Some(file) = sources.iter().find_map(|source| with(stem, source))
            {
                return Some(file);
            }
        }
        let index = if path.is_empty() { "index".to_owned() } else { format!("{path}/index") };
        ENDINGS.iter().find_map(|ending| with(&index, ending))
    }

    /// Through the nearest configuration with aliases.
    fn aliased(&self, dir: &str, specifier: &str) -> Option<FileId> {
        for folder in ancestors(dir) {
            let Some(aliases) = self.aliases.get(folder) else { continue };
            for (pattern, targets) in &aliases.paths {
                let Some(matched) = matches(pattern, specifier) else { continue };
                let file = targets.iter().find_map(|target| self.probe(&target.replacen('*', matched, 1)));
                if file.is_some() {
                    return file;
                }
            }
            if let Some(base) = &aliases.base
                && let Some(file) = normalised(base, specifier).and_then(|path| self.probe(&path))
            {
                return Some(file);
            }
        }
        None
    }

    /// `@/x` without a configuration: bundlers' templates map it to `src` (or the Replit layout's `client/src`).
    fn conventional(&self, dir: &str, rest: &str) -> Option<FileId> {
        ancestors(dir).find_map(|folder| {
            ["src", "client/src", ""].iter().find_map(|base| {
                let path = normalised(folder, &format!("{base}/{rest}"))?;
                self.probe(&path)
            })
        })
    }

    fn private_import(&self, dir: &str, specifier: &str) -> Option<FileId> {
        let package =
            ancestors(dir).find_map(|folder| self.packages.iter().find(|package| package.dir == folder))?;
        package.manifest.imports.iter().find_map(|(pattern, target)| {
            let matched = matches(pattern, specifier)?;
            let target = condition(target)?;
            self.source_of(&package.dir, &target.replacen('*', matched, 1))
        })
    }

    /// A package of the same repository: its declared entry, or its source where the entry is built output.
    fn workspace_entry(&self, package: &Package, subpath: &str) -> Option<FileId> {
        let key = if subpath.is_empty() { ".".to_owned() } else { format!("./{subpath}") };
        let exported =
            exports(&package.manifest.exports, &key).and_then(|target| self.source_of(&package.dir, &target));
        if exported.is_some() {
            return exported;
        }
        if !subpath.is_empty() {
            return self
                .source_of(&package.dir, subpath)
                .or_else(|| self.source_of(&package.dir, &format!("src/{subpath}")));
        }
        let declared = [&package.manifest.module, &package.manifest.main];
        declared
            .into_iter()
            .flatten()
            .find_map(|entry| self.source_of(&package.dir, entry))
            .or_else(|| self.source_of(&package.dir, "src/index"))
            .or_else(|| self.source_of(&package.dir, "index"))
    }

    /// The file, or the source that a build writes there (`dist/x.js` from `src/x.ts`).
    fn source_of(&self, dir: &str, target: &str) -> Option<FileId> {
        let path = normalised(dir, target)?;
        self.probe(&path).or_else(|| {
            let rest = ["dist/", "build/", "lib/", "out/"]
                .iter()
                .find_map(|output| target.trim_start_matches("./").strip_prefix(output))?;
            let rest = rest.trim_start_matches("esm/").trim_start_matches("cjs/");
            let source = normalised(dir, &format!("src/{rest}"))?;
            self.probe(&source)
        })
    }
}

fn found(file: Option<FileId>) -> Resolution {
    file.map_or(Resolution::Missing, Resolution::File)
}

/// A folder, the one above it, … and the root.
fn ancestors(dir: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(dir), |dir| (!dir.is_empty()).then(|| parent(dir)))
}

fn split_package(specifier: &str) -> (&str, &str) {
    let scope = if specifier.starts_with('@') { specifier.find('/').map_or(0, |at| at + 1) } else { 0 };
    match specifier.get(scope..).and_then(|rest| rest.find('/')) {
        Some(at) => {
            let (name, rest) = specifier.split_at(scope + at);
            (name, rest.trim_start_matches('/'))
        }
        None => (specifier, ""),
    }
}

/// What a pattern's `*` stands for; the empty string for an exact match.
fn matches<'s>(pattern: &str, specifier: &'s str) -> Option<&'s str> {
    match pattern.split_once('*') {
        None => (pattern == specifier).then_some(""),
        Some((before, after)) => specifier.strip_prefix(before)?.strip_suffix(after),
    }
}

/// The target for `key` in an `exports` field.
fn exports(field: &serde_json::Value, key: &str) -> Option<String> {
    let serde_json::Value::Object(table) = field else {
        return (key == ".").then(|| condition(field)).flatten();
    };
    if !table.keys().any(|name| name.starts_with('.')) {
        return (key == ".").then(|| condition(field)).flatten();
    }
    table.iter().find_map(|(pattern, target)| {
        let matched = matches(pattern, key)?;
        Some(condition(target)?.replacen('*', matched, 1))
    })
}

/// The first target among conditions, source conditions first.
fn condition(target: &serde_json::Value) -> Option<String> {
    match target {
        serde_json::Value::String(path) => Some(path.clone()),
        serde_json::Value::Array(items) => items.iter().find_map(condition),
        serde_json::Value::Object(table) => ["source", "development", "import", "node", "require", "default"]
            .iter()
            .find_map(|name| table.get(*name).and_then(condition)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{matches, normalised, split_package};

    #[test]
    fn package_names_keep_their_scope() {
        assert_eq!(split_package("@a/b/c/d"), ("@a/b", "c/d"));
        assert_eq!(split_package("pg"), ("pg", ""));
        assert_eq!(split_package("@a"), ("@a", ""));
    }

    #[test]
    fn paths_do_not_leave_the_root() {
        assert_eq!(normalised("a/b", "../c").as_deref(), Some("a/c"));
        assert_eq!(normalised("a", "../../c"), None);
    }

    #[test]
    fn one_star_stands_for_the_rest() {
        assert_eq!(matches("@/*", "@/a/b"), Some("a/b"));
        assert_eq!(matches("x", "x"), Some(""));
        assert_eq!(matches("x/*", "y/z"), None);
    }
}
