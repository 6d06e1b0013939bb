//! A tiny application on disk: its files, and the `package.json` that its imports ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path};

use serde_json::{Map, Value, json};

use crate::document::Block;
use crate::marks::{self, Mark};

/// A file and what must be found in it.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) marks: Vec<Mark>,
    /// Line of the document before the file's first line; `None` where the file stands by itself.
    pub(crate) offset: Option<usize>,
}

/// The files of an application, by path.
#[derive(Debug, Default)]
pub(crate) struct App {
    pub(crate) files: Vec<File>,
}

impl App {
    /// The blocks as files; a later block of a path takes the place of an earlier one.
    pub(crate) fn of_blocks<'b>(blocks: impl Iterator<Item = &'b Block>) -> Result<Self, String> {
        let mut files = BTreeMap::new();
        for block in blocks {
            let title = block
                .title
                .as_deref()
                .ok_or_else(|| format!("line {}: the code block has no title=\"path\"", block.fence_line))?;
            let file = File::new(title, &block.text, Some(block.fence_line))
                .map_err(|message| format!("block {title}: {message}"))?;
            files.insert(title.to_owned(), file);
        }
        Ok(Self { files: files.into_values().collect() })
    }

    /// The files of a folder; symbolic links are left out.
    pub(crate) fn of_folder(folder: &Path) -> Result<Self, String> {
        let mut app = Self::default();
        app.collect(folder, folder)?;
        app.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(app)
    }

    fn collect(&mut self, root: &Path, folder: &Path) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
            if kind.is_dir() {
                self.collect(root, &path)?;
            } else if kind.is_file() {
                let text = fs::read_to_string(&path).map_err(failed)?;
                let relative = path.strip_prefix(root).map_err(|error| error.to_string())?;
                let relative = relative.to_string_lossy().replace('\\', "/");
                self.files.push(
                    File::new(&relative, &text, None)
                        .map_err(|message| format!("{}: {message}", path.display()))?,
                );
            }
        }
        Ok(())
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Writes the files below `root`, with manifests that declare what they import.
    pub(crate) fn write(&self, root: &Path) -> Result<(), String> {
        for file in &self.files {
            put(root, &file.path, &file.text)?;
        }
        for (path, manifest) in self.manifests()? {
            let text = serde_json::to_string_pretty(&manifest).map_err(|error| error.to_string())?;
            put(root, &path, &text)?;
        }
        Ok(())
    }

    /// Every manifest, with the packages that the files nearest to it import and it does not name.
    fn manifests(&self) -> Result<BTreeMap<String, Value>, String> {
        let mut manifests = BTreeMap::from([("package.json".to_owned(), json!({ "name": "case" }))]);
        for file in self.files.iter().filter(|file| file_name(&file.path) == "package.json") {
            let value =
                serde_json::from_str(&file.text).map_err(|error| format!("{}: {error}", file.path))?;
            manifests.insert(file.path.clone(), value);
        }
        let paths: Vec<String> = manifests.keys().cloned().collect();
        for file in self.files.iter().filter(|file| is_code(&file.path)) {
            let nearest = paths
                .iter()
                .filter(|manifest| file.path.starts_with(manifest.trim_end_matches("package.json")))
                .max_by_key(|manifest| manifest.len());
            let Some(manifest) = nearest.and_then(|path| manifests.get_mut(path)) else { continue };
            for package in self.packages_of(&file.text) {
                declare(manifest, &package);
            }
        }
        Ok(manifests)
    }

    /// The packages that a text imports, but for folders and packages of the application itself.
    fn packages_of(&self, text: &str) -> BTreeSet<String> {
        let specifiers = quoted_after(text, &["from", "import", "require(", "import("]);
        let packages = specifiers.filter_map(package_of);
        packages.filter(|name| !self.is_own(name)).collect()
    }

    fn is_own(&self, package: &str) -> bool {
        let folder = format!("{package}/");
        let is_member = |file: &File| {
            file_name(&file.path) == "package.json" && file.text.contains(&format!("\"name\": \"{package}\""))
        };
        self.files.iter().any(|file| file.path.starts_with(&folder) || is_member(file))
    }
}

impl File {
    fn new(path: &str, text: &str, offset: Option<usize>) -> Result<Self, String> {
        if !Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err("the title is not a path below the app's folder".to_owned());
        }
        let (text, marks) = marks::take(text)?;
        Ok(Self { path: path.to_owned(), text, marks, offset })
    }
}

fn put(root: &Path, path: &str, text: &str) -> Result<(), String> {
    let target = root.join(path);
    let failed = |error: std::io::Error| format!("{}: {error}", target.display());
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(&target, text).map_err(failed)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_code(path: &str) -> bool {
    let extension = path.rsplit('.').next().unwrap_or_default();
    ["js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts"].contains(&extension)
}

/// Adds a dependency that no group of the manifest has.
fn declare(manifest: &mut Value, package: &str) {
    let groups = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];
    if groups.iter().any(|group| manifest.get(group).is_some_and(|group| group.get(package).is_some())) {
        return;
    }
    let Some(manifest) = manifest.as_object_mut() else { return };
    let group = manifest.entry("dependencies").or_insert_with(|| Value::Object(Map::new()));
    if let Some(group) = group.as_object_mut() {
        group.insert(package.to_owned(), json!("latest"));
    }
}

/// The strings that follow one of the words.
fn quoted_after<'t>(text: &'t str, words: &'t [&str]) -> impl Iterator<Item = &'t str> {
    words.iter().flat_map(move |word| {
        text.split(word).skip(1).filter_map(|rest| {
            let rest = rest.trim_start();
            let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''))?;
            rest.get(1..)?.split(quote).next()
        })
    })
}

/// `pg` of `pg/lib/x`, `@nestjs/common` of itself; `None` for files, aliases and the platform.
fn package_of(specifier: &str) -> Option<String> {
    let is_named = |part: &str| part.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_');
    let mut parts = specifier.split('/');
    let first = parts.next()?;
    if let Some(scope) = first.strip_prefix('@') {
        return is_named(scope).then(|| format!("{first}/{}", parts.next().unwrap_or_default()));
    }
    (is_named(first) && !first.starts_with("node:") && !PLATFORM.contains(&first)).then(|| first.to_owned())
}

const PLATFORM: [&str; 27] = [
    "assert",
    "buffer",
    "child_process",
    "cluster",
    "crypto",
    "dgram",
    "dns",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "querystring",
    "readline",
    "stream",
    "timers",
    "tls",
    "url",
    "util",
    "v8",
    "worker_threads",
    "zlib",
];
