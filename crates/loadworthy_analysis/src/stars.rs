//! Which files the `export *` of a barrel leads to, and which files export a name: together they say whether a barrel
//! can have a name at all, without a walk through everything below it for each name.

use std::sync::OnceLock;

use loadworthy_project::{FileId, Resolution};
use loadworthy_syntax::{ExportTarget, Module, WHOLE_MODULE};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::program::Program;

/// The name of `export *`.
pub(crate) const STAR: &str = "";

/// Worked out when it is asked for, once for all threads.
#[derive(Default)]
pub(crate) struct Stars {
    /// Of each file.
    reached: Vec<OnceLock<Reached>>,
    exporters: OnceLock<FxHashMap<Box<str>, Vec<FileId>>>,
}

/// What `export *` leads to from a file, itself included.
#[derive(Default)]
struct Reached {
    files: FxHashSet<FileId>,
    /// Whether any name may come from there: a package, or a `CommonJS` module whose members are not its exports.
    is_open: bool,
}

impl Stars {
    pub(crate) fn new(files: usize) -> Self {
        Self { reached: (0..files).map(|_| OnceLock::new()).collect(), exporters: OnceLock::new() }
    }

    /// Whether a file can export a name, its own or through `export *`.
    pub(crate) fn may_export(&self, program: &Program<'_>, file: FileId, name: &str) -> bool {
        let Some(slot) = self.reached.get(file.index()) else { return false };
        let reached = slot.get_or_init(|| reached(program, file));
        reached.is_open
            || self
                .exporters
                .get_or_init(|| exporters(program))
                .get(name)
                .is_some_and(|files| files.iter().any(|file| reached.files.contains(file)))
    }
}

fn exporters(program: &Program<'_>) -> FxHashMap<Box<str>, Vec<FileId>> {
    let mut exporters: FxHashMap<Box<str>, Vec<FileId>> = FxHashMap::default();
    for (file, module) in program.all_modules() {
        for export in module.exports() {
            let name = module.str(export.name);
            match exporters.get_mut(name) {
                Some(files) if files.last() == Some(&file) => {}
                Some(files) => files.push(file),
                None => drop(exporters.insert(name.into(), vec![file])),
            }
        }
    }
    exporters
}

fn reached(program: &Program<'_>, file: FileId) -> Reached {
    let mut reached = Reached::default();
    let mut open = vec![file];
    while let Some(file) = open.pop() {
        let Some(module) = program.lowered(file) else { continue };
        if !reached.files.insert(file) {
            continue;
        }
        reached.is_open |= module.exports_named(WHOLE_MODULE).next().is_some();
        for source in sources(module) {
            match *program.resolve(file, source) {
                Resolution::File(target) => open.push(target),
                Resolution::Missing => {}
                Resolution::Package { .. } | Resolution::Builtin(_) => reached.is_open = true,
            }
        }
    }
    reached
}

fn sources(module: &Module) -> impl Iterator<Item = &str> {
    module.exports_named(STAR).filter_map(|export| match export.target {
        ExportTarget::Star { source } => Some(module.str(source)),
        _ => None,
    })
}
