//! Puts a project together from the listing of its folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::classify::{Surroundings, classify};
use crate::dependencies::Declared;
use crate::head::{self, Head};
use crate::profile::Profile;
use crate::read::{self, Disk};
use crate::resolution::{Resolver, Tree};
use crate::versions::Versions;
use crate::walk::{self, Listing};
use crate::{
    Diagnostic, DiagnosticKind, DiscoverError, DiscoverOptions, FileId, Language, Manifest, ModuleKind,
    Package, PackageId, Project, SourceFile, lockfile, paths, tsconfig, workspaces,
};

pub(crate) fn discover(root: &Path, options: &DiscoverOptions) -> Result<Project, DiscoverError> {
    let root = readable_root(root)?;
    let mut listing = walk::list(&root, options)?;
    let disk = Disk { root: root.clone(), changes: Arc::clone(&options.changes) };
    let mut diagnostics = std::mem::take(&mut listing.diagnostics);
    let mut packages = packages(&disk, &listing.manifests, &mut diagnostics);
    let catalogs = workspaces::apply(&disk, &listing.others, &mut packages, &mut diagnostics);
    let configs = tsconfig::load(&disk, &listing.tsconfigs, &packages, &mut diagnostics);
    let lockfiles = lockfile::load(&disk, &listing.others, &mut diagnostics);
    let dirs = packages.iter().map(|package| (package.dir.clone(), package.id)).collect();
    let files = source_files(&disk, &listing, &packages, &dirs, &mut diagnostics);
    if files.is_empty() {
        diagnostics.push(nothing_to_audit(&listing));
    }
    let tree = Tree::new(&files, dirs);
    let resolver = Resolver { tree, by_name: by_name(&packages), configs };
    let versions = Versions::compute(&disk, &packages, &lockfiles, &catalogs);
    let declared = Declared::of(&packages);
    diagnostics.sort();
    Ok(Project {
        root,
        disk,
        files,
        packages,
        other_files: listing.others,
        diagnostics,
        resolver,
        versions,
        declared,
    })
}

fn readable_root(root: &Path) -> Result<PathBuf, DiscoverError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => DiscoverError::NoSuchPath(root.to_path_buf()),
        _ => DiscoverError::NotReadable { path: root.to_path_buf(), source },
    };
    let canonical = fs::canonicalize(root).map_err(failed)?;
    if !canonical.is_dir() {
        return Err(DiscoverError::NotADirectory(root.to_path_buf()));
    }
    fs::read_dir(&canonical).map_err(failed)?;
    Ok(canonical)
}

fn nothing_to_audit(listing: &Listing) -> Diagnostic {
    let message =
        if listing.is_empty { "the folder is empty" } else { "no JavaScript or TypeScript source found" };
    Diagnostic { file: None, line: None, kind: DiagnosticKind::Empty, message: message.to_owned() }
}

/// The root first, then by folder.
fn packages(disk: &Disk, manifests: &[String], diagnostics: &mut Vec<Diagnostic>) -> Vec<Package> {
    let mut dirs: Vec<&str> =
        manifests.iter().map(|file| paths::parent(file)).filter(|dir| !dir.is_empty()).collect();
    dirs.sort_unstable();
    let has_root = manifests.iter().any(|file| file == "package.json");
    let mut packages = vec![package(disk, "", 0, has_root, diagnostics)];
    for dir in dirs {
        packages.push(package(disk, dir, packages.len(), true, diagnostics));
    }
    packages
}

fn package(
    disk: &Disk,
    dir: &str,
    index: usize,
    has_file: bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> Package {
    let file = paths::child(dir, "package.json");
    let mut manifest = Manifest::default();
    if has_file {
        let text = disk.text(&file, read::MAX_CONFIG_BYTES);
        match text.and_then(|text| Manifest::parse(&text, &file)) {
            Ok(parsed) => manifest = parsed,
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    let name = manifest.name.clone();
    Package { id: PackageId::new(index), dir: dir.to_owned(), name, manifest, is_workspace_member: false }
}

/// Of several packages with one name: a workspace member, else the first by folder.
fn by_name(packages: &[Package]) -> FxHashMap<String, PackageId> {
    let mut names = FxHashMap::default();
    let (members, others): (Vec<&Package>, Vec<&Package>) =
        packages.iter().partition(|package| package.is_workspace_member);
    for package in members.into_iter().chain(others) {
        if let Some(name) = &package.name {
            names.entry(name.clone()).or_insert(package.id);
        }
    }
    names
}

/// Looks into every file (in parallel) and numbers those that are text, in order of path.
fn source_files(
    disk: &Disk,
    listing: &Listing,
    packages: &[Package],
    dirs: &FxHashMap<String, PackageId>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<SourceFile> {
    let heads: Vec<Head> = listing.sources.par_iter().map(|(path, _)| head::look(disk, path)).collect();
    let profiles = profiles(packages);
    let one_offs = one_offs(packages);
    let mut files = Vec::with_capacity(heads.len());
    for ((path, size), mut head) in listing.sources.iter().zip(heads) {
        head.is_generated |= head.is_compiled && has_typescript(path, listing);
        diagnostics.extend(head.diagnostic.clone());
        if head.is_not_text {
            continue;
        }
        let Some(package) = nearest(path, packages, dirs) else { continue };
        let around = Surroundings {
            package_dir: &package.dir,
            profile: profiles.get(package.id.index()).copied().unwrap_or_default(),
            is_one_off: one_offs.contains(path),
        };
        files.push(SourceFile {
            id: FileId::new(files.len()),
            path: path.clone(),
            package: package.id,
            class: classify(path, &head, &around),
            language: Language::of_path(path).unwrap_or(Language::Js),
            module_kind: ModuleKind::of(path, package.manifest.module_type.as_deref()),
            size: *size,
        });
    }
    files
}

/// Whether the file that a JavaScript file was compiled from lies beside it.
fn has_typescript(path: &str, listing: &Listing) -> bool {
    let Some((stem, "js" | "cjs" | "mjs" | "jsx")) = path.rsplit_once('.') else { return false };
    ["ts", "tsx", "cts", "mts"].iter().any(|extension| {
        let wanted = format!("{stem}.{extension}");
        listing.sources.binary_search_by(|(known, _)| known.as_str().cmp(&wanted)).is_ok()
    })
}

/// `None` only if there were no packages at all; the root is always one.
fn nearest<'p>(
    path: &str,
    packages: &'p [Package],
    dirs: &FxHashMap<String, PackageId>,
) -> Option<&'p Package> {
    paths::ancestors(paths::parent(path)).find_map(|dir| packages.get(dirs.get(dir)?.index()))
}

/// A manifest without dependencies (`{"type": "module"}`) says what the one around it says.
fn profiles(packages: &[Package]) -> Vec<Profile> {
    let mut profiles: Vec<Profile> = Vec::with_capacity(packages.len());
    for package in packages {
        let mut profile = Profile::of(&package.manifest);
        if profile.is_silent() && package.name.is_none() {
            let around = packages
                .iter()
                .zip(&profiles)
                .filter(|(outer, _)| paths::is_within(&package.dir, &outer.dir))
                .max_by_key(|(outer, _)| outer.dir.len());
            profile = around.map_or(profile, |(_, inherited)| *inherited);
        }
        profiles.push(profile);
    }
    profiles
}

/// Files that package scripts run by hand (`"seed": "node data.js"`) and no other script or entry names.
fn one_offs(packages: &[Package]) -> FxHashSet<String> {
    let mut found = FxHashSet::default();
    for package in packages {
        let manifest = &package.manifest;
        let (by_hand, others): (Vec<_>, Vec<_>) =
            manifest.scripts.iter().partition(|script| is_by_hand(&script.name));
        let entries = [&manifest.main, &manifest.module].into_iter().flatten().map(String::as_str);
        let kept: FxHashSet<String> = others
            .iter()
            .flat_map(|script| run_files(&script.command))
            .chain(entries)
            .filter_map(|file| paths::join(&package.dir, file))
            .collect();
        let files = by_hand.iter().flat_map(|script| run_files(&script.command));
        found.extend(
            files.filter_map(|file| paths::join(&package.dir, file)).filter(|file| !kept.contains(file)),
        );
    }
    found
}

fn is_by_hand(script: &str) -> bool {
    const WORDS: &[&str] = &[
        "backup",
        "codegen",
        "create",
        "data",
        "db",
        "deploy",
        "destroy",
        "export",
        "generate",
        "import",
        "init",
        "migrate",
        "migration",
        "populate",
        "postinstall",
        "prepare",
        "release",
        "reset",
        "seed",
        "seeder",
        "setup",
        "sync",
    ];
    script.split([':', '-', '_', '.']).any(|word| WORDS.contains(&word))
}

/// The source files a command hands to a runner. What a tool is told to use (`typeorm migration:run -d
/// src/data-source.ts`) is not run by hand: the application uses it as well.
fn run_files(command: &str) -> impl Iterator<Item = &str> {
    let mut before = "";
    command.split([' ', '\t', '"', '\'', ';', '&', '|']).filter(|word| !word.is_empty()).filter(move |word| {
        let is_setting = SETTING_OPTIONS.contains(&before);
        before = word;
        !is_setting && !word.starts_with('-') && !word.contains('*') && Language::of_path(word).is_some()
    })
}

/// Options whose value is a file that a tool reads.
const SETTING_OPTIONS: &[&str] = &[
    "--config",
    "--connection",
    "--data-source",
    "--dataSource",
    "--datasource",
    "--knexfile",
    "--ormconfig",
    "--schema",
    "-c",
    "-d",
    "-f",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_the_files_they_run() {
        let files: Vec<&str> =
            run_files("NODE_ENV=x ts-node -r tsconfig-paths/register ./src/a.ts && node b.js").collect();
        assert_eq!(files, ["./src/a.ts", "b.js"]);
    }

    #[test]
    fn what_a_migration_tool_is_told_to_use_is_not_run_by_hand() {
        let command = "ts-node ./node_modules/typeorm/cli.js -d src/data-source.ts migration:run";
        assert_eq!(run_files(command).collect::<Vec<_>>(), ["./node_modules/typeorm/cli.js"]);
        assert_eq!(run_files("node --no-warnings seed.js").collect::<Vec<_>>(), ["seed.js"]);
    }
}
