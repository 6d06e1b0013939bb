//! What a `package.json` says.

use serde_json::Value;

use crate::json;
use crate::{Diagnostic, DiagnosticKind};

/// The parts of a `package.json` that matter here. Default is that of a folder without one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifest {
    /// Its path relative to the root; `None` if there is no file.
    pub file: Option<String>,
    /// `name`
    pub name: Option<String>,
    /// Every dependency, in the order of the file.
    pub dependencies: Vec<Dependency>,
    /// `scripts`
    pub scripts: Vec<Script>,
    /// `engines.node`
    pub node_engine: Option<String>,
    /// `type`
    pub module_type: Option<String>,
    /// `main`
    pub main: Option<String>,
    /// `module`
    pub module: Option<String>,
    /// `types` or `typings`
    pub types: Option<String>,
    /// `source` (microbundle, parcel)
    pub source: Option<String>,
    /// `exports`
    pub exports: Value,
    /// `imports`
    pub imports: Value,
    /// Paths of `bin`.
    pub bin: Vec<String>,
    /// Patterns of `workspaces`.
    pub workspaces: Vec<String>,
    /// `packageManager`, for example `pnpm@9.1.0`.
    pub package_manager: Option<String>,
    /// `_moduleAliases` of the package module-alias.
    pub module_aliases: Vec<(String, String)>,
}

/// One declared dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The name it is imported by.
    pub name: String,
    /// The range as written.
    pub range: String,
    /// The group it is declared in.
    pub kind: DependencyKind,
    /// One-based line in the `package.json`.
    pub line: Option<u32>,
}

/// The groups of dependencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DependencyKind {
    /// `dependencies`
    Normal,
    /// `devDependencies`
    Dev,
    /// `peerDependencies`
    Peer,
    /// `optionalDependencies`
    Optional,
}

/// One entry of `scripts`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its key.
    pub name: String,
    /// The shell command.
    pub command: String,
    /// One-based line in the `package.json`.
    pub line: Option<u32>,
}

const GROUPS: [(&str, DependencyKind); 4] = [
    ("dependencies", DependencyKind::Normal),
    ("devDependencies", DependencyKind::Dev),
    ("peerDependencies", DependencyKind::Peer),
    ("optionalDependencies", DependencyKind::Optional),
];

impl Manifest {
    /// The declared dependency of that name; the first group that has it.
    #[must_use]
    pub fn dependency(&self, name: &str) -> Option<&Dependency> {
        self.dependencies.iter().find(|dependency| dependency.name == name)
    }

    /// The script of that name.
    #[must_use]
    pub fn script(&self, name: &str) -> Option<&Script> {
        self.scripts.iter().find(|script| script.name == name)
    }

    /// Reads the text of `file`; anything of an unexpected shape is left out.
    pub(crate) fn parse(text: &str, file: &str) -> Result<Self, Diagnostic> {
        let document = json::parse(text, file, DiagnosticKind::Config)?;
        let root = document.value();
        if !root.is_object() {
            return Err(Diagnostic::of_file(DiagnosticKind::Config, file, "not a JSON object"));
        }
        let text_of = |key: &str| root.get(key).and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            file: Some(file.to_owned()),
            name: text_of("name").filter(|name| !name.is_empty()),
            dependencies: dependencies(&root, &document),
            scripts: scripts(&root, &document),
            node_engine: root.pointer("/engines/node").and_then(Value::as_str).map(str::to_owned),
            module_type: text_of("type"),
            main: text_of("main"),
            module: text_of("module"),
            types: text_of("types").or_else(|| text_of("typings")),
            source: text_of("source"),
            exports: root.get("exports").cloned().unwrap_or_default(),
            imports: root.get("imports").cloned().unwrap_or_default(),
            bin: bin(root.get("bin")),
            workspaces: workspaces(root.get("workspaces")),
            package_manager: text_of("packageManager"),
            module_aliases: pairs(root.get("_moduleAliases")),
        })
    }
}

fn dependencies(root: &Value, document: &json::Document<'_>) -> Vec<Dependency> {
    let mut found = Vec::new();
    for (group, kind) in GROUPS {
        let lines = document.lines_of(group);
        for (name, range) in pairs(root.get(group)) {
            let line = line_of(&lines, &name);
            found.push(Dependency { name, range, kind, line });
        }
    }
    found
}

fn scripts(root: &Value, document: &json::Document<'_>) -> Vec<Script> {
    let lines = document.lines_of("scripts");
    pairs(root.get("scripts"))
        .into_iter()
        .map(|(name, command)| Script { line: line_of(&lines, &name), name, command })
        .collect()
}

fn line_of(lines: &[(String, u32)], name: &str) -> Option<u32> {
    lines.iter().find(|(key, _)| key == name).map(|(_, line)| *line)
}

fn pairs(value: Option<&Value>) -> Vec<(String, String)> {
    let Some(Value::Object(object)) = value else { return Vec::new() };
    object.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

fn bin(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(path)) => vec![path.clone()],
        other => pairs(other).into_iter().map(|(_, path)| path).collect(),
    }
}

fn workspaces(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Object(object)) => json::strings(object.get("packages")),
        other => json::strings(other),
    }
}
