//! Files that somebody runs by hand: nothing imports them, they export nothing, and no entry starts them. What they
//! create is no part of the application.

use std::collections::BTreeSet;

use loadworthy_analysis::Program;
use loadworthy_knowledge::{Knowledge, Role};
use loadworthy_project::{FileId, Resolution};
use loadworthy_syntax::Module;

use super::imports::specifiers;
use crate::paths;

/// A file that imports one of these serves requests or jobs, whoever starts it.
const SERVING: [Role; 5] =
    [Role::WebFramework, Role::Websocket, Role::Queue, Role::Scheduler, Role::Serverless];

/// Files and how they belong to the application.
#[derive(Debug, Default)]
pub(crate) struct Aside {
    /// Run by hand.
    by_hand: BTreeSet<FileId>,
    /// Imported by another file.
    imported: BTreeSet<FileId>,
}

impl Aside {
    pub(crate) fn is_by_hand(&self, file: FileId) -> bool {
        self.by_hand.contains(&file)
    }

    /// Whether only a script of a package uses a file: the data source that a migration tool is told to take.
    pub(crate) fn is_for_a_tool(&self, program: &Program<'_>, file: FileId) -> bool {
        let Some(source) = program.project().file(file) else { return false };
        let name = paths::file_name(&source.path);
        let is_named = |command: &str| {
            command.contains(name)
                && SETTINGS.iter().any(|option| command.split_whitespace().any(|word| word == *option))
        };
        let scripts = program.project().packages.iter().flat_map(|package| &package.manifest.scripts);
        !self.imported.contains(&file) && scripts.into_iter().any(|script| is_named(&script.command))
    }
}

/// Options by which a tool is told what to take.
const SETTINGS: [&str; 5] = ["-d", "--dataSource", "--datasource", "--config", "--knexfile"];

/// Tells the files of a program apart.
pub(crate) fn find(program: &Program<'_>, knowledge: &Knowledge) -> Aside {
    let mut imported = BTreeSet::new();
    let mut candidates = Vec::new();
    for (file, module) in program.modules() {
        let mut is_serving = !module.exports().is_empty();
        for specifier in specifiers(module) {
            match program.resolve(file, &specifier).as_ref() {
                Resolution::File(target) => {
                    imported.insert(*target);
                }
                Resolution::Package { name, .. } => {
                    let roles = knowledge.roles_of(name);
                    is_serving |= roles.iter().any(|row| SERVING.contains(&row.role));
                }
                Resolution::Builtin(_) | Resolution::Missing => {}
            }
        }
        if !is_serving && !starts_http(module) {
            candidates.push(file);
        }
    }
    candidates.retain(|file| !imported.contains(file) && !is_started(program, *file));
    Aside { by_hand: candidates.into_iter().collect(), imported }
}

/// A server of Node's own: `createServer`.
fn starts_http(module: &Module) -> bool {
    module.text().contains("createServer")
}

/// Named by a script or an entry of a package, or a file that browsers load (`main.tsx`).
fn is_started(program: &Program<'_>, file: FileId) -> bool {
    let project = program.project();
    let Some(source) = project.file(file) else { return true };
    if source.class == loadworthy_project::FileClass::Client {
        return true;
    }
    let name = paths::file_name(&source.path);
    let stem = name.split('.').next().unwrap_or(name);
    if matches!(
        stem,
        "index" | "main" | "server" | "app" | "start" | "www" | "instrument" | "instrumentation" | "tracing"
    ) {
        return true;
    }
    project.packages.iter().filter(|package| paths::is_within(&source.path, &package.dir)).any(|package| {
        let manifest = &package.manifest;
        let is_entry = manifest.main.as_deref().is_some_and(|main| main.ends_with(name));
        is_entry
            || manifest
                .scripts
                .iter()
                .any(|script| script.command.split(['/', ' ', '"', '\'']).any(|word| word == name))
    })
}
