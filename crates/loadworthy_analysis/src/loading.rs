//! Which files a process of the application loads: those that another imports, that have routes or handlers of
//! connections and jobs, that listen, or that their manifest names. The rest are scripts that stand beside it.

use loadworthy_knowledge::{Effect, Runs};
use loadworthy_project::{FileId, Resolution};
use loadworthy_syntax::{ExportTarget, Kind, Module};

use crate::analysis::Analysis;
use crate::calls::Call;

impl Analysis<'_> {
    /// Whether a process of the application loads a file, as far as is known.
    #[must_use]
    pub fn is_loaded(&self, file: FileId) -> bool {
        self.loaded_files().get(file.index()).copied().unwrap_or_default()
    }

    pub(crate) fn find_loaded(&self) -> Vec<bool> {
        let mut loaded = vec![false; self.program().project().files.len()];
        let mut load = |file: FileId| {
            if let Some(slot) = loaded.get_mut(file.index()) {
                *slot = true;
            }
        };
        self.routes().iter().for_each(|route| load(route.site.0));
        self.calls().iter().filter(|call| is_serving(call)).for_each(|call| load(call.site.0));
        for (file, module) in self.program().modules() {
            if self.is_started(file) {
                load(file);
            }
            for specifier in specifiers(module) {
                if let Resolution::File(imported) = *self.program().resolve(file, specifier)
                    && imported != file
                {
                    load(imported);
                }
            }
        }
        loaded
    }

    /// Whether the manifest of its package names a file: as what is imported, or as what is started.
    fn is_started(&self, file: FileId) -> bool {
        let project = self.program().project();
        let Some(source) = project.file(file) else { return false };
        let Some(package) = project.package(source.package) else { return false };
        let stem = source.path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or_default();
        let names = |text: &str| {
            let mut parts =
                text.split(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '-' | '_')));
            parts.any(|part| part == stem)
        };
        let manifest = &package.manifest;
        let entries = [&manifest.main, &manifest.module, &manifest.source];
        entries.into_iter().flatten().any(|entry| names(entry))
            || manifest.scripts.iter().any(|script| script.name.contains("start") && names(&script.command))
    }
}

/// Whether a call listens, or registers what a library runs for requests, connections or jobs.
fn is_serving(call: &Call<'_>) -> bool {
    call.library.as_ref().is_some_and(|library| library.effect() == Some(Effect::HttpListen))
        || call
            .handed
            .iter()
            .any(|handed| matches!(handed.runs, Some(Runs::PerRequest | Runs::PerConnection | Runs::PerJob)))
}

/// The specifiers of everything that a module imports, re-exports or requires.
pub(crate) fn specifiers(module: &Module) -> impl Iterator<Item = &str> {
    let required = module.node_ids().filter_map(|node| {
        let argument = match module.kind(node) {
            Kind::Call { callee, arguments } if module.source(callee) == "require" => {
                module.list(arguments).next()?
            }
            Kind::Import(source) => source,
            _ => return None,
        };
        match module.kind(argument) {
            Kind::String(text) => Some(module.str(text)),
            _ => None,
        }
    });
    let named = module.imports().iter().map(|import| module.str(import.source));
    let exported = module.exports().iter().filter_map(|export| match export.target {
        ExportTarget::From { source, .. } | ExportTarget::Star { source } => Some(module.str(source)),
        ExportTarget::Binding(_) | ExportTarget::Value(_) => None,
    });
    module.side_imports().chain(named).chain(exported).chain(required)
}
