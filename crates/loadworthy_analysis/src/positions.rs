//! Functions that a library calls without being handed them: exports of files that it looks for, functions with a
//! directive, decorated methods, methods of classes that extend its own, resolvers in the maps of a schema.

use loadworthy_knowledge::{Convention, LibId};
use loadworthy_project::FileId;
use loadworthy_syntax::{FunctionId, Kind, MemberKind, Module};

use crate::handles::Folded;
use crate::links::{FunctionRef, Position, functions_in};
use crate::routes::resolver_maps;
use crate::values::{Resolver, Step, Value};

/// Every position of a function in a file.
pub(crate) fn positions(
    resolver: &Resolver<'_>,
    file: FileId,
    module: &Module,
) -> Vec<(FunctionRef, Position)> {
    let mut found = Vec::new();
    for convention in resolver.program().knowledge().conventions() {
        if convention.has_place(resolver, file, module) {
            exports(resolver, file, module, convention, &mut found);
        }
        directives(file, module, convention, &mut found);
    }
    methods(resolver, file, module, &mut found);
    for (lib, field, function) in resolver_maps(resolver, file, module) {
        let Some(of) = resolver.program().knowledge().handle("resolver map") else { continue };
        found.push((function, Position { lib, of, name: field.as_str().into() }));
    }
    found
}

/// Whether conventions apply to a file.
pub(crate) trait Place {
    /// Whether the exports of the file are called by the framework.
    fn has_place(&self, resolver: &Resolver<'_>, file: FileId, module: &Module) -> bool;
}

impl Place for Convention {
    fn has_place(&self, resolver: &Resolver<'_>, file: FileId, module: &Module) -> bool {
        let is_there = match &self.directive {
            Some(directive) => module.has_directive(directive),
            None => path_in_package(resolver, file).is_some_and(|path| self.has_file(path)),
        };
        is_there && depends_on(resolver, file, &self.package)
    }
}

fn depends_on(resolver: &Resolver<'_>, file: FileId, package: &str) -> bool {
    let project = resolver.program().project();
    project.file(file).is_some_and(|source| project.depends_on(source.package, package))
}

/// The path of a file from the folder of its package.
pub(crate) fn path_in_package<'p>(resolver: &Resolver<'p>, file: FileId) -> Option<&'p str> {
    let project = resolver.program().project();
    let source = project.file(file)?;
    let dir = project.package(source.package)?.dir.as_str();
    if dir.is_empty() { Some(&source.path) } else { source.path.strip_prefix(dir)?.strip_prefix('/') }
}

fn exports(
    resolver: &Resolver<'_>,
    file: FileId,
    module: &Module,
    convention: &Convention,
    found: &mut Vec<(FunctionRef, Position)>,
) {
    let names = module.exports().iter().map(|export| module.str(export.name));
    for name in names.filter(|name| convention.has_export(name)) {
        let Some(site) = resolver.export_site(file, name) else { continue };
        let functions = functions_in(resolver, site).into_iter().map(|(function, _)| function);
        let position = Position { lib: convention.lib, of: convention.handle, name: name.into() };
        found.extend(functions.map(|function| (function, position.clone())));
    }
}

fn directives(
    file: FileId,
    module: &Module,
    convention: &Convention,
    found: &mut Vec<(FunctionRef, Position)>,
) {
    let Some(directive) = &convention.directive else { return };
    for (at, function) in module.functions().iter().enumerate() {
        if module.str(function.directive) == directive {
            let name = module.str(function.name).into();
            let position = Position { lib: convention.lib, of: convention.handle, name };
            found.push(((file, FunctionId::new(at)), position));
        }
    }
}

fn methods(resolver: &Resolver<'_>, file: FileId, module: &Module, found: &mut Vec<(FunctionRef, Position)>) {
    for class in module.classes() {
        let extended = class.heritage.ok().and_then(|heritage| {
            let values = resolver.value_of((file, heritage));
            values.iter().find_map(|value| match value {
                Value::External(external) => resolver.extended_handle(external),
                _ => None,
            })
        });
        for member in class.members.iter().filter(|member| member.kind == MemberKind::Method) {
            let Kind::Function(function) = module.kind(member.value) else { continue };
            if let Some((lib, of)) = extended {
                let position = Position { lib, of, name: module.str(member.name).into() };
                found.push(((file, function), position));
            }
            for decorator in &member.decorators {
                for (lib, name) in resolver.decorators_of((file, *decorator)) {
                    let Some(of) = resolver.program().knowledge().handle("decorator") else { continue };
                    found.push(((file, function), Position { lib, of, name: name.into() }));
                }
            }
        }
    }
}

impl Resolver<'_> {
    /// The decorators of libraries that an expression after `@` is: `@Get`, `@Get(":id")`.
    #[must_use]
    pub fn decorators_of(&self, (file, node): (FileId, loadworthy_syntax::NodeId)) -> Vec<(LibId, String)> {
        let Some(module) = self.program().module(file) else { return Vec::new() };
        let named = match module.kind(node) {
            Kind::Call { callee, .. } => callee,
            _ => node,
        };
        let values = self.value_of((file, named));
        let folded = self.folded(&values).into_iter();
        folded
            .filter_map(|folded| match folded {
                Folded::Member(on, name) => Some((on.lib, name.to_string())),
                Folded::Held(held) => {
                    // A decorator that is an object too: `@Get` of a package whose `Get` is known for more.
                    let name = held.path.last().map(ToString::to_string);
                    name.map(|name| (held.lib, name))
                }
                _ => None,
            })
            .collect()
    }

    /// What a class that extends an export is.
    pub(crate) fn extended_handle(
        &self,
        external: &crate::values::External,
    ) -> Option<(LibId, loadworthy_knowledge::HandleId)> {
        self.extension_of(external).or_else(|| match self.fold(&external.then(Step::Extended)) {
            Folded::Held(held) => Some((held.lib, held.handle)),
            _ => None,
        })
    }
}
