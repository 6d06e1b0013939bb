//! Imports and exports of ES modules, TypeScript's `import =`/`export =`, and `CommonJS` assignments.

use oxc_ast::ast::{
    BindingIdentifier, Declaration, ExportSpecifier, ImportDeclaration, ImportDeclarationSpecifier,
    ModuleDeclaration, ModuleExportName, TSImportEqualsDeclaration, TSModuleReference,
};
use oxc_span::GetSpan;

use super::{Lowering, binding_of};
use crate::ids::{Atom, BindingId, NodeId};
use crate::tree::{BindingKind, Export, ExportTarget, Import, ImportName, Kind};

/// The export name of `module.exports = …` and `export = …`.
pub const WHOLE_MODULE: &str = "module.exports";

impl Lowering<'_> {
    pub(super) fn module_declaration(&mut self, parent: NodeId, it: &ModuleDeclaration<'_>) -> NodeId {
        match it {
            ModuleDeclaration::ImportDeclaration(it) => self.import(it),
            ModuleDeclaration::ExportDeclaration(it) => {
                let id = self.declaration(parent, &it.declaration);
                self.export_declared(&it.declaration);
                return id;
            }
            ModuleDeclaration::ExportDefaultDeclaration(it) => {
                let value = self.default_value(parent, &it.declaration);
                self.export("default", ExportTarget::Value(value));
                return value;
            }
            ModuleDeclaration::TSExportAssignment(it) => {
                let value = self.expression(parent, &it.expression);
                self.export(WHOLE_MODULE, ExportTarget::Value(value));
                return value;
            }
            ModuleDeclaration::ExportNamedDeclaration(it) => {
                for specifier in &it.specifiers {
                    self.export_local(specifier);
                }
            }
            ModuleDeclaration::ExportFromDeclaration(it) => {
                let source = self.intern(&it.source.value);
                for specifier in &it.specifiers {
                    let name = self.imported(&specifier.local);
                    let exported = export_name(&specifier.exported).to_owned();
                    self.export(&exported, ExportTarget::From { source, name });
                }
            }
            ModuleDeclaration::ExportAllDeclaration(it) => {
                let source = self.intern(&it.source.value);
                match &it.exported {
                    None => self.export("", ExportTarget::Star { source }),
                    Some(name) => {
                        let name = export_name(name).to_owned();
                        self.export(&name, ExportTarget::From { source, name: ImportName::Namespace });
                    }
                }
            }
            ModuleDeclaration::TSNamespaceExportDeclaration(_) => {}
        }
        self.leaf(parent, it.span(), Kind::Empty)
    }

    fn import(&mut self, it: &ImportDeclaration<'_>) {
        let source = self.intern(&it.source.value);
        let Some(specifiers) = &it.specifiers else {
            self.module.side_imports.push(source);
            return;
        };
        for specifier in specifiers {
            let (local, name) = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(it) => (&it.local, self.imported(&it.imported)),
                ImportDeclarationSpecifier::ImportDefaultSpecifier(it) => (&it.local, ImportName::Default),
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(it) => {
                    (&it.local, ImportName::Namespace)
                }
            };
            self.bring(local, source, name);
        }
    }

    fn bring(&mut self, local: &BindingIdentifier<'_>, source: Atom, name: ImportName) {
        let id = u32::try_from(self.module.imports.len()).unwrap_or(u32::MAX);
        self.module.imports.push(Import { source, name });
        self.declare(binding_of(local), BindingKind::Import(id), NodeId::NONE);
    }

    pub(super) fn import_equals(&mut self, parent: NodeId, it: &TSImportEqualsDeclaration<'_>) -> NodeId {
        if let TSModuleReference::ExternalModuleReference(module) = &it.module_reference {
            let source = self.intern(&module.expression.value);
            self.bring(&it.id, source, ImportName::Namespace);
        }
        self.leaf(parent, it.span, Kind::Empty)
    }

    fn imported(&mut self, name: &ModuleExportName<'_>) -> ImportName {
        match export_name(name) {
            "default" => ImportName::Default,
            other => ImportName::Named(self.intern(other)),
        }
    }

    fn export(&mut self, name: &str, target: ExportTarget) {
        let name = self.intern(name);
        self.module.exports.push(Export { name, target });
    }

    fn export_local(&mut self, specifier: &ExportSpecifier<'_>) {
        let binding = match &specifier.local {
            ModuleExportName::IdentifierReference(it) => it
                .reference_id
                .get()
                .and_then(|id| self.scoping.get_reference(id).symbol_id())
                .map_or(BindingId::NONE, |symbol| BindingId::new(symbol.index())),
            _ => BindingId::NONE,
        };
        if binding.is_some() {
            let name = export_name(&specifier.exported).to_owned();
            self.export(&name, ExportTarget::Binding(binding));
        }
    }

    fn export_declared(&mut self, declaration: &Declaration<'_>) {
        let mut names: Vec<(String, BindingId)> = Vec::new();
        let mut add = |id: &BindingIdentifier<'_>| names.push((id.name.to_string(), binding_of(id)));
        match declaration {
            Declaration::VariableDeclaration(it) => {
                for declarator in &it.declarations {
                    for id in declarator.id.get_binding_identifiers() {
                        add(id);
                    }
                }
            }
            Declaration::FunctionDeclaration(it) => it.id.iter().for_each(add),
            Declaration::ClassDeclaration(it) => it.id.iter().for_each(add),
            Declaration::TSEnumDeclaration(it) => add(&it.id),
            Declaration::TSInterfaceDeclaration(it) => add(&it.id),
            Declaration::TSTypeAliasDeclaration(it) => add(&it.id),
            _ => {}
        }
        for (name, binding) in names {
            self.export(&name, ExportTarget::Binding(binding));
        }
    }

    /// `module.exports = x`, `module.exports.a = x`, `exports.a = x`, also chained (`exports = module.exports = x`).
    pub(super) fn common_js_export(&mut self, statement: NodeId) {
        let mut value = statement;
        let mut names = Vec::new();
        while let Some(Kind::Assign { operator: None, target, value: next }) =
            self.module.nodes.get(value.index()).map(|node| node.kind)
        {
            names.extend(self.export_target(target));
            value = next;
        }
        for name in names {
            self.export(&name, ExportTarget::Value(value));
        }
    }

    /// `const api = module.exports`, `const api = (module.exports = {…})`.
    pub(super) fn common_js_alias(&mut self, target: NodeId, init: NodeId) {
        self.common_js_export(init);
        let declared = self.module.nodes.get(target.index()).map(|node| node.kind);
        let is_whole = self.global_name(init) == Some("exports")
            || self.export_target(init).is_some_and(|name| name == WHOLE_MODULE);
        if let Some(Kind::Binding(binding)) = declared.filter(|_| is_whole) {
            self.own_exports.push(binding);
        }
    }

    fn export_target(&self, target: NodeId) -> Option<String> {
        let (object, name) = self.member_of(target)?;
        if self.global_name(object) == Some("module") && name == "exports" {
            return Some(WHOLE_MODULE.to_owned());
        }
        let is_exports = self.global_name(object) == Some("exports")
            || self.is_own_exports(object)
            || self.member_of(object).is_some_and(|(object, name)| {
                name == "exports" && self.global_name(object) == Some("module")
            });
        is_exports.then(|| name.to_owned())
    }

    fn is_own_exports(&self, id: NodeId) -> bool {
        match self.module.nodes.get(id.index()).map(|node| node.kind) {
            Some(Kind::Name { binding, .. }) if binding.is_some() => self.own_exports.contains(&binding),
            _ => false,
        }
    }

    fn member_of(&self, id: NodeId) -> Option<(NodeId, &str)> {
        match self.module.nodes.get(id.index())?.kind {
            Kind::Member { object, name } => Some((object, self.module.atoms.get(name.index())?)),
            _ => None,
        }
    }

    fn global_name(&self, id: NodeId) -> Option<&str> {
        match self.module.nodes.get(id.index())?.kind {
            Kind::Name { name, binding: BindingId::NONE } => {
                self.module.atoms.get(name.index()).map(|text| &**text)
            }
            _ => None,
        }
    }
}

fn export_name<'n>(name: &'n ModuleExportName<'_>) -> &'n str {
    match name {
        ModuleExportName::IdentifierName(it) => it.name.as_str(),
        ModuleExportName::IdentifierReference(it) => it.name.as_str(),
        ModuleExportName::StringLiteral(it) => it.value.as_str(),
    }
}
