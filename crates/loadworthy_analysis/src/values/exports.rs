//! What a name exported by a file is, through re-exports, barrels and both module systems.

use std::sync::Arc;

use loadworthy_project::{FileId, Resolution};
use loadworthy_syntax::{BindingId, BindingKind, ExportTarget, ImportName, Kind, Module, WHOLE_MODULE};

use super::memo::Question;
use super::{External, Resolver, Root, Site, Step, Value, Values, join, none, one};

/// Longest chain of re-exports that is followed.
const MAX_HOPS: usize = 16;

impl Resolver<'_> {
    /// The declaration or value that a file exports under a name, through re-exports: a function or class, the initial
    /// value of a constant, an expression.
    #[must_use]
    pub fn export_site(&self, file: FileId, name: &str) -> Option<Site> {
        self.find_export_site(file, name, 0)
    }

    fn find_export_site(&self, file: FileId, name: &str, depth: usize) -> Option<Site> {
        let module = self.module(file)?;
        if depth > MAX_HOPS {
            return None;
        }
        let through = |source: &str, name: &str| match *self.program.resolve(file, source) {
            Resolution::File(target) => self.find_export_site(target, name, depth + 1),
            _ => None,
        };
        let named = |wanted: &str| module.exports().iter().rev().find(|it| module.str(it.name) == wanted);
        let export = named(name).or_else(|| named(WHOLE_MODULE).filter(|_| name == "default"));
        let Some(export) = export else {
            return module.exports().iter().find_map(|export| match export.target {
                ExportTarget::Star { source } => through(module.str(source), name),
                _ => None,
            });
        };
        match export.target {
            ExportTarget::Value(node) => Some((file, node)),
            ExportTarget::Binding(binding) => self.declaration(file, module, binding, depth),
            ExportTarget::From { source, name: ImportName::Named(name) } => {
                through(module.str(source), module.str(name))
            }
            ExportTarget::From { source, name: ImportName::Default } => {
                through(module.str(source), "default")
            }
            ExportTarget::From { .. } | ExportTarget::Star { .. } => None,
        }
    }

    fn declaration(&self, file: FileId, module: &Module, binding: BindingId, depth: usize) -> Option<Site> {
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
            return self.find_export_site(target, name, depth + 1);
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
            let targets = module.exports().iter().filter(|export| module.str(export.name) == wanted);
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
        join(module.exports().iter().filter_map(|export| match export.target {
            ExportTarget::Star { source } => Some(self.imported(file, module.str(source), name)),
            _ => None,
        }))
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
