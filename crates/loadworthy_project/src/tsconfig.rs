//! Path aliases of `tsconfig.json` and `jsconfig.json`, with `extends`.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::project::parent;
use crate::resolve::normalised;

/// Longest chain of `extends` that is followed.
const MAX_EXTENDS: usize = 16;

/// The aliases that hold in a folder and below.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aliases {
    /// Folder that bare specifiers are looked up in, relative to the root.
    pub(crate) base: Option<String>,
    /// Pattern (with at most one `*`) to targets relative to the root.
    pub(crate) paths: Vec<(String, Vec<String>)>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct File {
    extends: Option<OneOrMany>,
    compiler_options: Options,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Options {
    base_url: Option<String>,
    paths: Option<BTreeMap<String, Vec<String>>>,
}

/// Aliases by folder, from the texts of all configuration files.
pub(crate) fn read(texts: &FxHashMap<String, String>) -> (FxHashMap<String, Aliases>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let mut files: FxHashMap<&str, File> = FxHashMap::default();
    let mut names: Vec<&String> = texts.keys().collect();
    names.sort();
    for name in &names {
        let text = texts.get(*name).map_or("", String::as_str);
        match jsonc_parser::parse_to_serde_value::<File>(text, &jsonc_parser::ParseOptions::default()) {
            Ok(file) => {
                files.insert(name, file);
            }
            Err(error) => {
                diagnostics.push(Diagnostic::of(
                    name,
                    DiagnosticKind::Configuration,
                    format!("not read: {error}"),
                ));
            }
        }
    }
    let mut aliases: FxHashMap<String, Aliases> = FxHashMap::default();
    for name in names {
        let found = collect(name, &files, 0);
        if found.base.is_some() || !found.paths.is_empty() {
            // `tsconfig.json` before its siblings (`tsconfig.app.json`): names are sorted, so add what is missing.
            let own = aliases.entry(parent(name).to_owned()).or_default();
            own.base = own.base.take().or(found.base);
            own.paths.extend(found.paths);
        }
    }
    (aliases, diagnostics)
}

fn collect(name: &str, files: &FxHashMap<&str, File>, depth: usize) -> Aliases {
    let Some(file) = files.get(name).filter(|_| depth < MAX_EXTENDS) else { return Aliases::default() };
    let dir = parent(name);
    let mut aliases = Aliases::default();
    let bases: Vec<&String> = match &file.extends {
        Some(OneOrMany::One(base)) => vec![base],
        Some(OneOrMany::Many(bases)) => bases.iter().collect(),
        None => Vec::new(),
    };
    for base in bases {
        if let Some(path) = normalised(dir, base) {
            let inherited = [path.clone(), format!("{path}.json"), format!("{path}/tsconfig.json")]
                .iter()
                .find(|candidate| files.contains_key(candidate.as_str()))
                .map(|found| collect(found, files, depth + 1));
            aliases = inherited.unwrap_or(aliases);
        }
    }
    if let Some(base) = &file.compiler_options.base_url {
        aliases.base = normalised(dir, base);
    }
    if let Some(paths) = &file.compiler_options.paths {
        let from = aliases.base.clone().unwrap_or_else(|| dir.to_owned());
        aliases.paths = paths
            .iter()
            .map(|(pattern, targets)| {
                (pattern.clone(), targets.iter().filter_map(|target| normalised(&from, target)).collect())
            })
            .collect();
    }
    aliases
}
