//! `paths` and `baseUrl` of `tsconfig.json` and `jsconfig.json`, with everything they extend.
//!
//! Project references are not followed: each folder's own files count, so that the `tsconfig.app.json` beside a
//! `tsconfig.json` is seen anyway.

use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::read::{self, Disk};
use crate::{Diagnostic, DiagnosticKind, Package, json, paths};

/// The mappings of every folder that has a configuration; the `tsconfig.json` of a folder comes first.
pub(crate) type Configs = FxHashMap<String, Vec<Mapping>>;

/// What one configuration file maps, everything relative to the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) base_url: Option<String>,
    /// Longest prefix first.
    pub(crate) rules: Vec<Rule>,
}

/// One entry of `paths`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    prefix: String,
    /// `None`: the whole specifier must be the prefix.
    suffix: Option<String>,
    targets: Vec<String>,
}

impl Rule {
    /// The candidate paths for a specifier, in order.
    pub(crate) fn candidates(&self, specifier: &str) -> Vec<String> {
        let Some(suffix) = &self.suffix else {
            return if specifier == self.prefix { self.targets.clone() } else { Vec::new() };
        };
        let matched =
            specifier.strip_prefix(&self.prefix).and_then(|rest| rest.strip_suffix(suffix.as_str()));
        let Some(matched) = matched else { return Vec::new() };
        self.targets.iter().filter_map(|target| paths::join("", &target.replacen('*', matched, 1))).collect()
    }
}

/// Reads every configuration file.
pub(crate) fn load(
    disk: &Disk,
    files: &[String],
    packages: &[Package],
    diagnostics: &mut Vec<Diagnostic>,
) -> Configs {
    let mut loader = Loader { disk, packages, raw: FxHashMap::default(), diagnostics };
    let mut ordered: Vec<&String> = files.iter().collect();
    ordered.sort_by_key(|file| (paths::parent(file), rank(paths::file_name(file)), file.as_str()));
    let mut configs = Configs::default();
    for file in ordered {
        let effective = loader.effective(file, &mut Vec::new());
        let mapping = effective.mapping(paths::parent(file));
        if mapping != Mapping::default() {
            configs.entry(paths::parent(file).to_owned()).or_default().push(mapping);
        }
    }
    configs
}

fn rank(name: &str) -> u8 {
    match name {
        "tsconfig.json" => 0,
        "tsconfig.app.json" => 1,
        "jsconfig.json" => 2,
        "tsconfig.base.json" => 3,
        _ => 4,
    }
}

/// Patterns with their targets, as written.
type Patterns = Vec<(String, Vec<String>)>;

/// One file's own words.
#[derive(Clone, Default)]
struct Raw {
    extends: Vec<String>,
    base_url: Option<String>,
    paths: Option<Patterns>,
}

/// A file with what it inherits.
#[derive(Clone, Default)]
struct Effective {
    base_url: Option<Located<String>>,
    paths: Option<Located<Patterns>>,
}

/// A value and the folder of the file that gave it.
#[derive(Clone)]
struct Located<T> {
    dir: String,
    value: T,
}

struct Loader<'l> {
    disk: &'l Disk,
    packages: &'l [Package],
    raw: FxHashMap<String, Raw>,
    diagnostics: &'l mut Vec<Diagnostic>,
}

impl Loader<'_> {
    fn effective(&mut self, file: &str, chain: &mut Vec<String>) -> Effective {
        if chain.iter().any(|seen| seen == file) {
            self.report(file, "`extends` goes round in a circle");
            return Effective::default();
        }
        chain.push(file.to_owned());
        let raw = self.raw(file);
        let dir = paths::parent(file).to_owned();
        let mut effective = Effective::default();
        for extended in &raw.extends {
            if let Some(target) = self.locate(file, extended) {
                let inherited = self.effective(&target, chain);
                effective.base_url = inherited.base_url.or(effective.base_url);
                effective.paths = inherited.paths.or(effective.paths);
            }
        }
        chain.pop();
        if let Some(value) = raw.base_url {
            effective.base_url = Some(Located { dir: dir.clone(), value });
        }
        if let Some(value) = raw.paths {
            effective.paths = Some(Located { dir, value });
        }
        effective
    }

    fn raw(&mut self, file: &str) -> Raw {
        if let Some(raw) = self.raw.get(file) {
            return raw.clone();
        }
        let raw = match self.parse(file) {
            Ok(raw) => raw,
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                Raw::default()
            }
        };
        self.raw.insert(file.to_owned(), raw.clone());
        raw
    }

    fn parse(&self, file: &str) -> Result<Raw, Diagnostic> {
        let text = self.disk.text(file, read::MAX_CONFIG_BYTES)?;
        let value = json::parse(&text, file, DiagnosticKind::Config)?.value();
        let paths = value.pointer("/compilerOptions/paths").and_then(Value::as_object);
        Ok(Raw {
            extends: json::strings(value.get("extends")),
            base_url: value.pointer("/compilerOptions/baseUrl").and_then(Value::as_str).map(str::to_owned),
            paths: paths.map(|paths| {
                paths
                    .iter()
                    .map(|(pattern, targets)| (pattern.clone(), json::strings(Some(targets))))
                    .collect()
            }),
        })
    }

    /// The file an `extends` names; packages outside the project are not looked for beyond `node_modules`.
    fn locate(&mut self, file: &str, extended: &str) -> Option<String> {
        let dir = paths::parent(file);
        if extended.starts_with('.') {
            let path = paths::join(dir, extended)?;
            let found = self.existing(&path);
            if found.is_none() {
                self.report(file, &format!("extends `{extended}`, which does not exist"));
            }
            return found;
        }
        if let Some(found) = self.in_workspace(extended) {
            return Some(found);
        }
        paths::ancestors(dir)
            .find_map(|above| self.existing(&paths::child(above, &format!("node_modules/{extended}"))))
    }

    fn in_workspace(&self, extended: &str) -> Option<String> {
        let named = |package: &&Package| {
            package.name.as_deref().is_some_and(|name| !name.is_empty() && paths::is_within(extended, name))
        };
        let package = self.packages.iter().find(named)?;
        let subpath = paths::strip(extended, package.name.as_deref().unwrap_or_default());
        self.existing(&paths::join(&package.dir, subpath)?)
    }

    /// The path itself, with `.json`, or as a folder.
    fn existing(&self, path: &str) -> Option<String> {
        let candidates = [path.to_owned(), format!("{path}.json"), paths::child(path, "tsconfig.json")];
        candidates.into_iter().find(|candidate| self.disk.is_file(candidate))
    }

    /// Once for each file and message.
    fn report(&mut self, file: &str, message: &str) {
        let diagnostic = Diagnostic::of_file(DiagnosticKind::Config, file, message);
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }
}

impl Effective {
    /// `leaf` is the folder of the file that was asked for: `${configDir}`.
    fn mapping(self, leaf: &str) -> Mapping {
        let base_url = self.base_url.and_then(|base| locate(&base.dir, leaf, &base.value));
        let Some(paths) = self.paths else { return Mapping { base_url, rules: Vec::new() } };
        let anchor = base_url.clone().unwrap_or_else(|| paths.dir.clone());
        let mut rules: Vec<Rule> =
            paths.value.iter().map(|(pattern, targets)| rule(pattern, targets, &anchor, leaf)).collect();
        rules.sort_by_key(|rule| (rule.suffix.is_some(), std::cmp::Reverse(rule.prefix.len())));
        Mapping { base_url, rules }
    }
}

fn locate(dir: &str, leaf: &str, value: &str) -> Option<String> {
    match value.strip_prefix("${configDir}") {
        Some(rest) => paths::join(leaf, rest),
        None => paths::join(dir, value),
    }
}

fn rule(pattern: &str, targets: &[String], anchor: &str, leaf: &str) -> Rule {
    let (prefix, suffix) = match pattern.split_once('*') {
        Some((prefix, suffix)) => (prefix, Some(suffix.to_owned())),
        None => (pattern, None),
    };
    let targets = targets.iter().filter_map(|target| locate(anchor, leaf, target)).collect();
    Rule { prefix: prefix.to_owned(), suffix, targets }
}
