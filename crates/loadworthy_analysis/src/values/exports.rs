//! What a name exported by a file is, through re-exports, barrels and both module systems.

use std::sync::Arc;

use loadworthy_project::{FileId, Resolution};
use loadworthy_syntax::{BindingId, BindingKind, ExportTarget, ImportName, Kind, Module, WHOLE_MODULE};
use rustc_hash::FxHashSet;

use super::memo::{Name, Question};
use crate::stars::STAR;

use super::{External, Resolver, Root, Site, Step, Value, Values, join, none, one};

/// Most re-exports that are followed for one name, and the longest chain of them.
const MAX_BARRELS: usize = 1_000;

impl Resolver<'_> {
    /// The declaration or value that a file exports under a name, through re-exports: a function or class, the initial
    /// value of a constant, an expression.
    #[must_use]
    pub fn export_site(&self, file: FileId, name: &str) -> Option<Site> {
        self.find_export_site(file, name, &mut FxHashSet::default())
    }

    /// `seen`: what did not lead there. Barrels of barrels reach a file on very many ways.
    fn find_export_site(
        &self,
        file: FileId,
        name: &str,
        seen: &mut FxHashSet<(FileId, Name)>,
    ) -> Option<Site> {
        let module = self.module(file)?;
        if seen.len() > MAX_BARRELS || !seen.insert((file, self.memo.name(name))) {
            return None;
        }
        let mut through = |source: &str, name: &str| match *self.program.resolve(file, source) {
            Resolution::File(target) => self.find_export_site(target, name, seen),
            _ => None,
        };
        let named = |wanted: &str| module.exports_named(wanted).next_back();
        let export = named(name).or_else(|| named(WHOLE_MODULE).filter(|_| name == "default"));
        let Some(export) = export else {
            return self.starred(file, module, name).find_map(|source| through(source, name));
        };
        match export.target {
            ExportTarget::Value(node) => Some((file, node)),
            ExportTarget::Binding(binding) => self.declaration(file, module, binding, seen),
            ExportTarget::From { source, name: ImportName::Named(name) } => {
                through(module.str(source), module.str(name))
            }
            ExportTarget::From { source, name: ImportName::Default } => {
                through(module.str(source), "default")
            }
            ExportTarget::From { .. } | ExportTarget::Star { .. } => None,
        }
    }

    fn declaration(
        &self,
        file: FileId,
        module: &Module,
        binding: BindingId,
        seen: &mut FxHashSet<(FileId, Name)>,
    ) -> Option<Site> {
        let declared = module.binding(binding)?;
        if let BindingKind::Import(import) = declared.kind {
            let import = module.import(import)?;
            let name = match import.name {
                ImportName::Named(name) => module.str(name),
                ImportName::Default => "default",
                ImportName::Namespace => return None,
            };
            let Resolution::File(target) = *self.program.resolve(file, module.str(import.source)) else {
                return None;
            };
            return self.find_export_site(target, name, seen);
        }
        let node = declared.node.ok()?;
        match module.kind(module.parent(node)) {
            Kind::Declarator { target, init } if target == node => init.ok().map(|init| (file, init)),
            _ => Some((file, node)),
        }
    }

    /// What a file exports under a name.
    #[must_use]
    pub fn exported(&self, file: FileId, name: &str) -> Values {
        self.export(file, name)
    }

    /// What `name` of the exports of `file` is.
    pub(super) fn export(&self, file: FileId, name: &str) -> Values {
        self.memo.ask(Question::Export(file, self.memo.name(name)), || self.find_export(file, name))
    }

    fn find_export(&self, file: FileId, name: &str) -> Values {
        let Some(module) = self.module(file) else { return none() };
        let named = |wanted: &str| {
            let targets = module.exports_named(wanted);
            join(targets.map(|export| self.export_target(file, module, &export.target)))
        };
        let direct = named(name);
        if !direct.is_empty() {
            return direct;
        }
        // `module.exports = {…}`: its members are the exports, itself the default.
        let whole = named(WHOLE_MODULE);
        if !whole.is_empty() {
            return if name == "default" { whole } else { self.member(&whole, name) };
        }
        if name == "default" {
            // A default import of a CommonJS module without a default of its own is the module.
            let is_es = module
                .exports()
                .iter()
                .any(|it| matches!(it.target, ExportTarget::From { .. } | ExportTarget::Star { .. }));
            return if is_es || module.exports().is_empty() { none() } else { one(Value::Namespace(file)) };
        }
        join(self.starred(file, module, name).map(|source| self.imported(file, source, name)))
    }

    /// The sources of `export *` that may have a name.
    fn starred<'m>(&self, file: FileId, module: &'m Module, name: &str) -> impl Iterator<Item = &'m str> {
        module.exports_named(STAR).filter_map(move |export| {
            let ExportTarget::Star { source } = export.target else { return None };
            let source = module.str(source);
            let may_have = match *self.program.resolve(file, source) {
                Resolution::File(target) => self.program.may_export(target, name),
                _ => true,
            };
            may_have.then_some(source)
        })
    }

    fn export_target(&self, file: FileId, module: &Module, target: &ExportTarget) -> Values {
        match *target {
            ExportTarget::Binding(binding) => self.binding(file, binding),
            ExportTarget::Value(node) => self.value_of((file, node)),
            ExportTarget::From { source, name: ImportName::Named(name) } => {
                self.imported(file, module.str(source), module.str(name))
            }
            ExportTarget::From { source, name: ImportName::Default } => {
                self.imported(file, module.str(source), "default")
            }
            ExportTarget::From { source, name: ImportName::Namespace } => {
                self.required(file, module.str(source), false)
            }
            ExportTarget::Star { .. } => none(),
        }
    }

    /// `import {name} from source`.
    pub(super) fn imported(&self, file: FileId, source: &str, name: &str) -> Values {
        match &*self.program.resolve(file, source) {
            Resolution::File(target) => self.export(*target, name),
            Resolution::Missing => none(),
            other => package(other).map_or_else(none, |root| {
                let steps: Arc<[Step]> =
                    if name == "default" { Arc::default() } else { Arc::new([Step::Get(name.into())]) };
                one(Value::External(External { root, steps }))
            }),
        }
    }

    /// The whole of a module; for `require`, what `module.exports` is.
    pub(super) fn required(&self, file: FileId, source: &str, is_require: bool) -> Values {
        match &*self.program.resolve(file, source) {
            Resolution::File(target) => {
                let whole = if is_require { self.export(*target, WHOLE_MODULE) } else { none() };
                if whole.is_empty() { one(Value::Namespace(*target)) } else { whole }
            }
            Resolution::Missing => none(),
            other => package(other)
                .map_or_else(none, |root| one(Value::External(External { root, steps: Arc::default() }))),
        }
    }
}

fn package(resolution: &Resolution) -> Option<Root> {
    match resolution {
        Resolution::Package { name, subpath } if subpath.is_empty() => {
            Some(Root::Package(name.as_str().into()))
        }
        Resolution::Package { name, subpath } => Some(Root::Package(format!("{name}/{subpath}").into())),
        Resolution::Builtin(name) => Some(Root::Package(name.as_str().into())),
        Resolution::File(_) | Resolution::Missing => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::fs;

    use loadworthy_knowledge::Knowledge;
    use loadworthy_project::{DiscoverOptions, Project};

    use super::*;
    use crate::Program;

    /// Files that all re-export each other; one of them has `found`.
    #[test]
    fn barrels_of_barrels_are_searched_once_each() {
        const FILES: usize = 24;
        let folder = tempfile::tempdir().unwrap();
        for at in 0..FILES {
            let mut text = String::new();
            for other in (0..FILES).filter(|other| *other != at) {
                writeln!(text, "export * from './m{other}';").unwrap();
            }
            if at == FILES - 1 {
                text.push_str("export const found = 1;\n");
            }
            fs::write(folder.path().join(format!("m{at}.js")), text).unwrap();
        }
        let project = Project::discover(folder.path(), &DiscoverOptions::default()).unwrap();
        let program = Program::load(&project, Knowledge::builtin(), 1).unwrap();
        let resolver = Resolver::new(&program);
        let file = project.file_by_path("m0.js").unwrap();
        assert!(resolver.export_site(file, "found").is_some());
        assert_eq!(resolver.export_site(file, "missing"), None);
        assert_eq!(resolver.exported(file, "found").len(), 1);
        assert!(resolver.exported(file, "missing").is_empty());
    }
}
