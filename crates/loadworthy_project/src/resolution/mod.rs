//! What an import specifier means, from the listed files alone.
//!
//! Files that are not source (JSON, styles, images) resolve to [`Resolution::Missing`].

mod alias;
mod exports;
mod package;
mod tree;

use rustc_hash::FxHashMap;

use crate::tsconfig::Configs;
use crate::{FileClass, FileId, Package, PackageId, SourceFile, builtins, paths};

pub(crate) use tree::Tree;

/// What a specifier stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// A file of the project.
    File(FileId),
    /// A package outside the project.
    Package {
        /// Its name, with scope.
        name: String,
        /// What follows the name, without leading `/`; `""` for the package itself.
        subpath: String,
    },
    /// A module of the runtime, without `node:`.
    Builtin(String),
    /// Nothing known: a typing error, an asset, or a file that is not listed.
    Missing,
}

/// The indices resolution works on.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    pub(crate) tree: Tree,
    pub(crate) by_name: FxHashMap<String, PackageId>,
    pub(crate) configs: Configs,
}

/// One question, with its surroundings.
pub(crate) struct Query<'p> {
    pub(crate) resolver: &'p Resolver,
    pub(crate) packages: &'p [Package],
    /// The packages around the importing file, innermost first; the last is the root.
    pub(crate) scope: Vec<&'p Package>,
    pub(crate) file: &'p SourceFile,
}

/// `imports` may point to packages which point on; more hops than this are a cycle.
const MAX_HOPS: usize = 8;

impl Query<'_> {
    pub(crate) fn resolve(&self, specifier: &str) -> Resolution {
        self.resolve_hop(clean(specifier), 0)
    }

    fn resolve_hop(&self, specifier: &str, hop: usize) -> Resolution {
        if specifier.is_empty() || hop > MAX_HOPS {
            return Resolution::Missing;
        }
        if matches!(specifier, "." | "..") || specifier.starts_with("./") || specifier.starts_with("../") {
            return self.relative(specifier).map_or(Resolution::Missing, Resolution::File);
        }
        if let Some(path) = specifier.strip_prefix('/') {
            return self.below_package_dir(path).map_or(Resolution::Missing, Resolution::File);
        }
        if let Some(file) = self.mapped(specifier) {
            return Resolution::File(file);
        }
        if specifier.starts_with('#')
            && let Some(resolution) = self.package_import(specifier, hop)
        {
            return resolution;
        }
        self.bare(specifier)
    }

    fn relative(&self, specifier: &str) -> Option<FileId> {
        let path = paths::join(paths::parent(&self.file.path), specifier)?;
        let last = specifier.rsplit('/').next().unwrap_or(specifier);
        if matches!(last, "" | "." | "..") {
            return self.directory(&path).or_else(|| self.source_of(&path));
        }
        self.source_of(&path).or_else(|| self.resolver.tree.without_case(&path))
    }

    /// `/src/main.tsx`, as Vite serves it.
    fn below_package_dir(&self, path: &str) -> Option<FileId> {
        self.scope.iter().find_map(|package| self.source_of(&paths::join(&package.dir, path)?))
    }

    fn bare(&self, specifier: &str) -> Resolution {
        let builtin = builtins::of_specifier(specifier);
        let prefers_file = builtin.is_some_and(|name| builtins::DEPRECATED.contains(&name))
            || self.file.class == FileClass::Client;
        let (name, subpath) = split(specifier);
        let is_declared = self.is_declared(name);
        if prefers_file
            && !is_declared
            && !specifier.contains(':')
            && let Some(file) = self.below_base_url(specifier)
        {
            return Resolution::File(file);
        }
        if let Some(builtin) = builtin {
            return Resolution::Builtin(builtin.to_owned());
        }
        if let Some(resolution) = self.workspace_package(name, subpath) {
            return resolution;
        }
        let file =
            if is_declared { None } else { self.below_base_url(specifier).or_else(|| self.alias(specifier)) };
        match file {
            Some(file) => Resolution::File(file),
            None if is_package_name(name) => {
                Resolution::Package { name: name.to_owned(), subpath: subpath.to_owned() }
            }
            None => Resolution::Missing,
        }
    }

    fn is_declared(&self, name: &str) -> bool {
        self.scope.iter().any(|package| package.manifest.dependency(name).is_some())
    }

    /// `paths` of the configurations around the file, nearest first.
    fn mapped(&self, specifier: &str) -> Option<FileId> {
        self.configs()
            .flat_map(|mapping| &mapping.rules)
            .find_map(|rule| rule.candidates(specifier).iter().find_map(|path| self.source_of(path)))
    }

    fn below_base_url(&self, specifier: &str) -> Option<FileId> {
        self.configs()
            .filter_map(|mapping| mapping.base_url.as_deref())
            .find_map(|base| self.source_of(&paths::join(base, specifier)?))
    }

    fn configs(&self) -> impl Iterator<Item = &crate::tsconfig::Mapping> {
        paths::ancestors(paths::parent(&self.file.path))
            .filter_map(|directory| self.resolver.configs.get(directory))
            .flatten()
    }
}

/// Without loaders (`raw-loader!./x`), queries (`./x?worker`) and the scheme of Deno.
fn clean(specifier: &str) -> &str {
    let specifier = specifier.rsplit('!').next().unwrap_or(specifier);
    let specifier = specifier.split('?').next().unwrap_or(specifier);
    specifier.strip_prefix("npm:").or_else(|| specifier.strip_prefix("jsr:")).unwrap_or(specifier)
}

/// `@scope/name/sub/path` as `@scope/name` and `sub/path`.
fn split(specifier: &str) -> (&str, &str) {
    let skipped =
        if specifier.starts_with('@') { specifier.find('/').map_or(0, |slash| slash + 1) } else { 0 };
    let rest = specifier.get(skipped..).unwrap_or_default();
    let end = rest.find('/').map_or(specifier.len(), |slash| skipped + slash);
    let name = specifier.get(..end).unwrap_or(specifier);
    (name, specifier.get(end..).unwrap_or_default().trim_start_matches('/'))
}

/// The names npm allows, old ones with capitals included.
fn is_package_name(name: &str) -> bool {
    let bare = match name.strip_prefix('@') {
        Some(scoped) => match scoped.split_once('/') {
            Some((scope, bare)) if is_word(scope) => bare,
            _ => return false,
        },
        None => name,
    };
    is_word(bare) && !bare.starts_with(['.', '_'])
}

fn is_word(text: &str) -> bool {
    let is_first = |first: char| first.is_ascii_alphanumeric() || matches!(first, '_' | '.' | '-');
    text.starts_with(is_first) && text.chars().all(|letter| is_first(letter) || letter == '~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scoped_names_keep_their_scope() {
        assert_eq!(split("@a/b/c/d"), ("@a/b", "c/d"));
        assert_eq!(split("a/b"), ("a", "b"));
        assert_eq!(split("@a"), ("@a", ""));
        assert_eq!(split("@a/b"), ("@a/b", ""));
    }

    #[test]
    fn aliases_are_not_package_names() {
        for name in ["@", "@/x", "~", "#a", "", "@a", "virtual:x"] {
            assert!(!is_package_name(name), "{name}");
        }
        for name in ["a", "@a/b", "lodash.get", "JSONStream", "socket.io"] {
            assert!(is_package_name(name), "{name}");
        }
    }
}
