//! Which files the server loads: those with routes, handlers of connections and jobs, those that listen, and what they
//! import, transitively.

use loadworthy_knowledge::{Effect, Runs};
use loadworthy_project::{FileId, Resolution};
use loadworthy_syntax::{ExportTarget, Kind, Module};

use crate::analysis::Analysis;
use crate::calls::Call;

impl Analysis<'_> {
    /// Whether a server of the program loads a file. Scripts that stand beside it are not loaded.
    #[must_use]
    pub fn is_loaded(&self, file: FileId) -> bool {
        self.loaded_files().get(file.index()).copied().unwrap_or_default()
    }

    pub(crate) fn find_loaded(&self) -> Vec<bool> {
        let mut loaded = vec![false; self.program().project().files.len()];
        let serving = self.calls().iter().filter(|call| is_serving(call)).map(|call| call.site.0);
        let mut open: Vec<FileId> = self.routes().iter().map(|route| route.site.0).chain(serving).collect();
        while let Some(file) = open.pop() {
            let Some(slot) = loaded.get_mut(file.index()) else { continue };
            if std::mem::replace(slot, true) {
                continue;
            }
            let Some(module) = self.program().module(file) else { continue };
            let imports =
                specifiers(module).filter_map(|specifier| match *self.program().resolve(file, specifier) {
                    Resolution::File(imported) => Some(imported),
                    _ => None,
                });
            open.extend(imports);
        }
        loaded
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
