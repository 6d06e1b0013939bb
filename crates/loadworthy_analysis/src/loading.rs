//! Which files a process of the application loads: those that another imports, that have routes or handlers of
//! connections and jobs, that listen, or that their manifest names. The rest are scripts that stand beside it.

use loadworthy_knowledge::{Effect, Runs};
use loadworthy_project::{FileId, Resolution};
use loadworthy_syntax::{ExportTarget, Kind, Module};

use crate::analysis::Analysis;
use crate::calls::Call;
use crate::routes::EntryKind;
use crate::values::Site;

impl Analysis<'_> {
    /// Whether a process of the application loads a file, as far as is known.
    #[must_use]
    pub fn is_loaded(&self, file: FileId) -> bool {
        self.loaded_files().get(file.index()).copied().unwrap_or_default()
    }

    /// The files that loading a file loads, itself first, as far as specifiers say so.
    #[must_use]
    pub fn loads(&self, file: FileId) -> Vec<FileId> {
        let mut loads = vec![file];
        let mut seen = vec![false; self.program().project().files.len()];
        let mut at = 0;
        while let Some(next) = loads.get(at).copied() {
            at += 1;
            let is_first = seen.get_mut(next.index()).is_some_and(|slot| !std::mem::replace(slot, true));
            let Some(module) = self.program().module(next).filter(|_| is_first) else { continue };
            for specifier in module.sources() {
                if let Resolution::File(target) = *self.program().resolve(next, specifier)
                    && !seen.get(target.index()).copied().unwrap_or(true)
                {
                    loads.push(target);
                }
            }
        }
        loads
    }

    /// Whether all routes that reach the code at a place stand in files that nothing loads: what is left of an earlier
    /// version of the application.
    #[must_use]
    pub fn is_abandoned(&self, site: Site) -> bool {
        let mut routes = self.routes_to(site).peekable();
        routes.peek().is_some()
            && routes
                .all(|route| self.abandoned_files().get(route.site.0.index()).copied().unwrap_or_default())
    }

    /// Files with routes that are mounted nowhere and that no module imports. Where they hold most routes of their
    /// package, they are rather loaded in a way that was not followed.
    pub(crate) fn find_abandoned(&self) -> Vec<bool> {
        let project = self.program().project();
        let mut abandoned = vec![false; project.files.len()];
        let package = |file: FileId| project.file(file).map(|file| file.package);
        let https = || self.routes().iter().filter(|route| route.kind == EntryKind::Http);
        let imported = self.imported_files();
        for route in https().filter(|route| !route.is_mounted) {
            let file = route.site.0;
            let own = || https().filter(|it| package(it.site.0) == package(file));
            let mounted = own().filter(|it| it.is_mounted).count();
            let is_mounted_elsewhere = https().any(|it| it.site.0 == file && it.is_mounted);
            let is_minor = mounted > own().count() - mounted;
            if let Some(slot) = abandoned.get_mut(file.index()) {
                *slot = is_minor
                    && !is_mounted_elsewhere
                    && !self.is_started(file)
                    && !imported.get(file.index()).copied().unwrap_or_default();
            }
        }
        abandoned
    }

    fn imported_files(&self) -> Vec<bool> {
        let mut imported = vec![false; self.program().project().files.len()];
        for (file, module) in self.program().modules() {
            for specifier in specifiers(module) {
                if let Resolution::File(target) = *self.program().resolve(file, specifier)
                    && target != file
                    && let Some(slot) = imported.get_mut(target.index())
                {
                    *slot = true;
                }
            }
        }
        imported
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
        for (file, _) in self.program().modules().filter(|(file, _)| self.is_started(*file)) {
            load(file);
        }
        loaded.iter_mut().zip(self.imported_files()).for_each(|(slot, is_imported)| *slot |= is_imported);
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
