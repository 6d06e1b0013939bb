//! Folders which hold no source of the project: dependencies, caches and build output.

use std::fs;
use std::path::Path;

use crate::paths;

/// Never source, whatever is in them.
const ALWAYS: &[&str] =
    &["__pycache__", "bower_components", "jspm_packages", "node_modules", "storybook-static", "web_modules"];

/// Hidden folders that are looked into; the others are skipped.
const HIDDEN: &[&str] = &[
    ".circleci",
    ".config",
    ".deploy",
    ".do",
    ".docker",
    ".ebextensions",
    ".github",
    ".helm",
    ".k8s",
    ".kube",
    ".platform",
    ".storybook",
    ".well-known",
];

/// How far the look into a possible output folder goes.
const MAX_PEEKED_ENTRIES: usize = 400;
const MAX_PEEKED_DEPTH: usize = 4;

/// Whether the walk leaves this folder out.
pub(crate) fn is_excluded_dir(location: &Path, path: &str) -> bool {
    let name = paths::file_name(path);
    if name.starts_with('.') {
        return !HIDDEN.contains(&name);
    }
    if ALWAYS.contains(&name) {
        return true;
    }
    match name {
        "dist" | "build" | "out" | "output" | "_build" => is_output(location, name),
        "lib" | "es" | "esm" | "cjs" | "umd" => Contents::of(location).is_certainly_compiled(),
        "coverage" => has_any(location, &["lcov.info", "lcov-report", "coverage-final.json", "clover.xml"]),
        "venv" => has_any(location, &["pyvenv.cfg"]),
        _ => false,
    }
}

fn has_any(location: &Path, names: &[&str]) -> bool {
    names.iter().any(|name| location.join(name).exists())
}

/// `dist` unless it holds TypeScript source; `build` and `out` only with signs of a build.
fn is_output(location: &Path, name: &str) -> bool {
    let contents = Contents::of(location);
    if contents.typescript > 0 {
        return false;
    }
    if contents.is_certainly_compiled()
        || has_any(location, &["index.html", "asset-manifest.json", "BUILD_ID"])
    {
        return true;
    }
    if has_any(location, &["package.json"]) {
        return false;
    }
    let has_source_beside =
        location.parent().is_some_and(|parent| has_any(parent, &["src", "tsconfig.json"]));
    name == "dist" || has_source_beside
}

/// What kinds of files lie in a folder.
#[derive(Default)]
struct Contents {
    seen: usize,
    typescript: usize,
    declarations: usize,
    javascript: usize,
    maps: usize,
}

impl Contents {
    fn of(location: &Path) -> Self {
        let mut contents = Self::default();
        contents.add(location, 0);
        contents
    }

    fn add(&mut self, location: &Path, depth: usize) {
        let Ok(entries) = fs::read_dir(location) else { return };
        for entry in entries.flatten() {
            self.seen += 1;
            if self.seen > MAX_PEEKED_ENTRIES {
                return;
            }
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if kind.is_dir() && depth < MAX_PEEKED_DEPTH && name != "node_modules" {
                self.add(&entry.path(), depth + 1);
            } else if kind.is_file() {
                self.count(&name);
            }
        }
    }

    fn count(&mut self, name: &str) {
        let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| name.ends_with(suffix));
        if ends(&[".d.ts", ".d.mts", ".d.cts"]) {
            self.declarations += 1;
        } else if ends(&[".ts", ".tsx", ".mts", ".cts"]) {
            self.typescript += 1;
        } else if ends(&[".js", ".mjs", ".cjs", ".jsx"]) {
            self.javascript += 1;
        } else if ends(&[".map"]) {
            self.maps += 1;
        }
    }

    fn is_certainly_compiled(&self) -> bool {
        self.typescript == 0
            && self.javascript > 0
            && (self.maps > 0 || self.declarations * 2 >= self.javascript)
    }
}
