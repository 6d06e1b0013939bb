//! Packages of the project: entry points, subpaths, and from built output back to the source.

use super::tree::Prefer;
use super::{Query, Resolution, exports};
use crate::{FileId, Package, PackageId, paths};

/// Folders a build writes to.
const OUTPUT: &[&str] =
    &["dist", "build", "lib", "out", "es", "esm", "cjs", "output", "types", "dist-types", "_build"];

/// Folders below those, one for each module system.
const FLAVOURS: &[&str] =
    &["esm", "cjs", "es", "mjs", "module", "node", "browser", "types", "src", "commonjs"];

impl Query<'_> {
    /// A path inside the project: the file, the folder, or the source it is built from.
    pub(super) fn source_of(&self, path: &str) -> Option<FileId> {
        let prefer = if self.file.language.is_typescript() { Prefer::TypeScript } else { Prefer::Written };
        let tree = &self.resolver.tree;
        tree.file(path, prefer).or_else(|| self.directory(path)).or_else(|| self.unbuilt(path))
    }

    /// A folder: the main file of its manifest, else its `index`.
    pub(super) fn directory(&self, path: &str) -> Option<FileId> {
        let tree = &self.resolver.tree;
        let package = tree.packages.get(path).and_then(|id| self.package(*id));
        let main = package.and_then(|package| self.main(package));
        main.or_else(|| tree.index(path))
    }

    /// `packages/a/dist/esm/x.js` as `packages/a/src/x.ts`.
    fn unbuilt(&self, path: &str) -> Option<FileId> {
        let dir =
            paths::ancestors(path).find(|dir| self.resolver.tree.packages.contains_key(*dir)).unwrap_or("");
        let (output, mut rest) = paths::strip(path, dir).split_once('/')?;
        if !OUTPUT.contains(&output) {
            return None;
        }
        loop {
            if let Some(file) = self.below_source(dir, rest) {
                return Some(file);
            }
            let (flavour, below) = rest.split_once('/')?;
            if !FLAVOURS.contains(&flavour) {
                return None;
            }
            rest = below;
        }
    }

    fn below_source(&self, dir: &str, rest: &str) -> Option<FileId> {
        let tree = &self.resolver.tree;
        let inside = paths::child(dir, &format!("src/{rest}"));
        tree.file(&inside, Prefer::TypeScript)
            .or_else(|| tree.file(&paths::child(dir, rest), Prefer::TypeScript))
    }

    /// `None` if no package of the project has that name.
    pub(super) fn workspace_package(&self, name: &str, subpath: &str) -> Option<Resolution> {
        let package = self.package(*self.resolver.by_name.get(name)?)?;
        let is_self = self.scope.iter().any(|around| around.id == package.id);
        if !package.is_workspace_member && !is_self && !self.is_linked(name) {
            return None;
        }
        let file = if subpath.is_empty() { self.entry(package) } else { self.subpath(package, subpath) };
        match file {
            Some(file) => Some(Resolution::File(file)),
            None if is_self && !package.is_workspace_member => None,
            None => Some(Resolution::Missing),
        }
    }

    /// Declared with a path instead of a range.
    fn is_linked(&self, name: &str) -> bool {
        let is_local = |range: &str| {
            ["file:", "link:", "workspace:", "portal:"].iter().any(|scheme| range.starts_with(scheme))
        };
        self.scope
            .iter()
            .filter_map(|package| package.manifest.dependency(name))
            .any(|dependency| is_local(&dependency.range))
    }

    fn entry(&self, package: &Package) -> Option<FileId> {
        self.exported(package, ".")
            .or_else(|| self.main(package))
            .or_else(|| self.resolver.tree.index(&package.dir))
    }

    fn subpath(&self, package: &Package, subpath: &str) -> Option<FileId> {
        let inside = |below: &str| self.source_of(&paths::join(&package.dir, below)?);
        self.exported(package, &format!("./{subpath}"))
            .or_else(|| inside(subpath))
            .or_else(|| inside(&format!("src/{subpath}")))
    }

    fn exported(&self, package: &Package, subpath: &str) -> Option<FileId> {
        exports::targets(&package.manifest.exports, subpath)
            .iter()
            .find_map(|target| self.source_of(&paths::join(&package.dir, target)?))
    }

    /// `source`, `module`, `main`, `types`, then the customary places.
    fn main(&self, package: &Package) -> Option<FileId> {
        let manifest = &package.manifest;
        let named = [&manifest.source, &manifest.module, &manifest.main, &manifest.types];
        let customary = ["src/index", "src/main", "lib/index"];
        let written = named.into_iter().flatten().map(String::as_str);
        written.chain(customary).find_map(|target| self.entry_file(package, target))
    }

    /// Not through [`Self::source_of`] for folders: `"main": "."` would go round.
    fn entry_file(&self, package: &Package, target: &str) -> Option<FileId> {
        let path = paths::join(&package.dir, target)?;
        let tree = &self.resolver.tree;
        let file = tree.file(&path, Prefer::TypeScript).or_else(|| tree.index(&path));
        file.or_else(|| self.unbuilt(&path)).or_else(|| self.unbuilt(&paths::child(&path, "index")))
    }

    /// `#name` of the nearest manifest that has it.
    pub(super) fn package_import(&self, specifier: &str, hop: usize) -> Option<Resolution> {
        for package in &self.scope {
            for target in exports::targets(&package.manifest.imports, specifier) {
                let resolution = match target.strip_prefix("./") {
                    Some(inside) => paths::join(&package.dir, inside)
                        .and_then(|path| self.source_of(&path))
                        .map(Resolution::File),
                    None => {
                        Some(self.resolve_hop(&target, hop + 1)).filter(|found| *found != Resolution::Missing)
                    }
                };
                if resolution.is_some() {
                    return resolution;
                }
            }
        }
        None
    }

    fn package(&self, id: PackageId) -> Option<&Package> {
        self.packages.get(id.index())
    }
}
