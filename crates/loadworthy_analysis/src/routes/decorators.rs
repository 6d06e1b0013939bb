//! Decorators of classes and methods, also those that a program makes of a library's.

use loadworthy_knowledge::LibId;
use loadworthy_project::FileId;
use loadworthy_syntax::{ClassId, ClassMember, Kind, MemberKind, NodeId};
use rustc_hash::FxHashSet;

use super::registration::functions;
use crate::values::{Resolver, Root, Site, Step, Value};

/// Deepest nesting of decorators made of decorators.
const MAX_DEPTH: usize = 6;

/// Deepest inheritance that is followed.
const MAX_BASES: usize = 8;

/// A library's decorator.
pub(super) struct Decorator {
    pub(super) lib: LibId,
    pub(super) name: String,
    /// The expression after `@`, or the call that makes a part of it.
    pub(super) site: Site,
}

impl Decorator {
    /// An argument.
    pub(super) fn argument(&self, resolver: &Resolver<'_>, at: usize) -> Option<Site> {
        resolver.argument(self.site, at)
    }

    pub(super) fn arguments(&self, resolver: &Resolver<'_>) -> Vec<Site> {
        let Some(module) = resolver.program().module(self.site.0) else { return Vec::new() };
        match module.kind(self.site.1) {
            Kind::Call { arguments, .. } => module.list(arguments).map(|node| (self.site.0, node)).collect(),
            _ => Vec::new(),
        }
    }
}

/// The decorators of libraries that an expression after `@` stands for: `@Get(":id")`, and through functions of the program
/// that combine them, `@Auth("admin")`.
pub(super) fn decorators(resolver: &Resolver<'_>, site: Site) -> Vec<Decorator> {
    let mut found = Vec::new();
    collect(resolver, site, 0, &mut found);
    found
}

fn collect(resolver: &Resolver<'_>, (file, node): Site, depth: usize, found: &mut Vec<Decorator>) {
    if depth > MAX_DEPTH {
        return;
    }
    let own = resolver.decorators_of((file, node));
    if !own.is_empty() {
        found.extend(own.into_iter().take(1).map(|(lib, name)| Decorator { lib, name, site: (file, node) }));
        return;
    }
    let Some(module) = resolver.program().module(file) else { return };
    // A function that gives back decorators, or a constant that is one.
    let values = match module.kind(node) {
        Kind::Call { callee, .. } => {
            let called = functions(&resolver.value_of((file, callee))).into_iter();
            called.flat_map(|(file, function)| resolver.result(file, function).to_vec()).collect()
        }
        _ => resolver.value_of((file, node)).to_vec(),
    };
    for value in values {
        let Value::External(external) = value else { continue };
        let Some(Step::Call(call)) = external.steps.last() else { continue };
        if *call == (file, node) {
            continue;
        }
        let is_combined = matches!((&external.root, external.steps.first()),
            (Root::Package(_), Some(Step::Get(name))) if &**name == "applyDecorators");
        let Some(module) = resolver.program().module(call.0) else { continue };
        match module.kind(call.1) {
            Kind::Call { arguments, .. } if is_combined => {
                for argument in module.list(arguments) {
                    let argument = match module.kind(argument) {
                        Kind::Spread(inner) => inner,
                        _ => argument,
                    };
                    collect(resolver, (call.0, argument), depth + 1, found);
                }
            }
            _ => collect(resolver, *call, depth + 1, found),
        }
    }
}

fn heritage(resolver: &Resolver<'_>, (file, class): (FileId, ClassId)) -> Option<NodeId> {
    resolver.program().module(file)?.class(class)?.heritage.ok()
}

/// The expression after `extends`, of the class or of one that it extends.
pub(super) fn base_of(resolver: &Resolver<'_>, class: (FileId, ClassId)) -> Option<Site> {
    heritage(resolver, class).map(|heritage| (class.0, heritage))
}

/// The methods of a class and of those it extends, nearest first; a method that is overridden counts once.
pub(super) fn inherited_methods(
    resolver: &Resolver<'_>,
    class: (FileId, ClassId),
) -> Vec<(FileId, ClassMember)> {
    let mut found = Vec::new();
    let mut seen: FxHashSet<String> = FxHashSet::default();
    let mut current = Some(class);
    for _ in 0..MAX_BASES {
        let Some((file, id)) = current else { break };
        let Some(module) = resolver.program().module(file) else { break };
        let Some(lowered) = module.class(id) else { break };
        for member in lowered.members.iter().filter(|it| is_method(it)) {
            if seen.insert(module.str(member.name).to_owned()) {
                found.push((file, member.clone()));
            }
        }
        current = resolver.base(file, id);
    }
    found
}

fn is_method(member: &ClassMember) -> bool {
    // `@Get() list = async () => …` is a method too.
    matches!(member.kind, MemberKind::Method | MemberKind::Field)
        && !member.is_static
        && member.value.is_some()
}
