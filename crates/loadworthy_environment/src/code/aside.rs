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

/// The files run by hand.
pub(crate) fn find(program: &Program<'_>, knowledge: &Knowledge) -> BTreeSet<FileId> {
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
    candidates.into_iter().collect()
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
