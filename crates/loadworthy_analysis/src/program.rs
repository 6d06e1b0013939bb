//! The whole program: every audited file, lowered, alive for the run.

use loadworthy_project::{Diagnostic, DiagnosticKind, FileId, Project, Resolution};
use loadworthy_syntax::{Module, STACK_BYTES, parse};
use rayon::prelude::*;

use crate::index::ModuleIndex;

/// A project with its audited files lowered.
pub struct Program<'p> {
    project: &'p Project,
    modules: Vec<Option<Loaded>>,
    diagnostics: Vec<Diagnostic>,
}

struct Loaded {
    module: Module,
    index: ModuleIndex,
}

impl<'p> Program<'p> {
    /// Reads and lowers the audited files on `threads` threads (0: one a core). Tests, generated and vendored files give
    /// no findings and are not read.
    ///
    /// # Errors
    /// Where the threads can't be started.
    pub fn load(project: &'p Project, threads: usize) -> Result<Self, rayon::ThreadPoolBuildError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK_BYTES).build()?;
        let loaded: Vec<_> = pool.install(|| {
            project
                .files
                .par_iter()
                .map(|file| if file.class.is_audited() { load(project, file.id) } else { (None, Vec::new()) })
                .collect()
        });
        let (modules, diagnostics): (Vec<_>, Vec<_>) = loaded.into_iter().unzip();
        Ok(Self { project, modules, diagnostics: diagnostics.into_iter().flatten().collect() })
    }

    /// The files and packages.
    #[must_use]
    pub fn project(&self) -> &'p Project {
        self.project
    }

    /// A lowered file; `None` where it is not audited or could not be used.
    #[must_use]
    pub fn module(&self, file: FileId) -> Option<&Module> {
        self.loaded(file).map(|loaded| &loaded.module)
    }

    pub(crate) fn index(&self, file: FileId) -> Option<&ModuleIndex> {
        self.loaded(file).map(|loaded| &loaded.index)
    }

    fn loaded(&self, file: FileId) -> Option<&Loaded> {
        self.modules.get(file.index())?.as_ref()
    }

    /// Every lowered file, in path order.
    pub fn modules(&self) -> impl Iterator<Item = (FileId, &Module)> + '_ {
        self.modules
            .iter()
            .enumerate()
            .filter_map(|(index, loaded)| loaded.as_ref().map(|loaded| (FileId::new(index), &loaded.module)))
    }

    /// Files that could not be read or parsed, wholly or in part.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Where an import of `file` leads.
    #[must_use]
    pub fn resolve(&self, file: FileId, specifier: &str) -> Resolution {
        self.project.resolve(file, specifier)
    }

    /// The path of a file, relative to the root.
    #[must_use]
    pub fn path(&self, file: FileId) -> &'p str {
        self.project.files.get(file.index()).map_or("", |file| &file.path)
    }
}

fn load(project: &Project, file: FileId) -> (Option<Loaded>, Vec<Diagnostic>) {
    let path = project.files.get(file.index()).map_or("", |file| &file.path);
    let text = match project.read(file) {
        Ok(text) => text,
        Err(diagnostic) => return (None, vec![diagnostic]),
    };
    let parsed = parse(path, &text);
    let diagnostics = parsed
        .errors
        .into_iter()
        .take(1) // The first error of a file explains the rest.
        .map(|error| Diagnostic {
            file: Some(path.to_owned()),
            line: Some(error.line),
            kind: DiagnosticKind::Syntax,
            message: error.message,
        })
        .collect();
    let loaded = parsed.module.map(|module| Loaded { index: ModuleIndex::new(&module), module });
    (loaded, diagnostics)
}
