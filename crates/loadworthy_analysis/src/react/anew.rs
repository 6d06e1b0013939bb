//! Values that are others in each render, through the hooks that make them.

use loadworthy_syntax::{FunctionId, Kind, Module, NodeId};

use super::{is_made_anew, memoised};
use crate::analysis::Analysis;
use crate::links::FunctionRef;
use crate::values::{Resolver, Site};

/// Hooks within hooks that are followed.
const DEEPEST: u32 = 3;

/// Where a value is made that is another one in each render of a component: in its own code, or in what a hook of the program
/// gives back.
#[must_use]
pub fn made_anew(
    analysis: &Analysis<'_>,
    resolver: &Resolver<'_>,
    component: FunctionRef,
    node: NodeId,
) -> Option<Site> {
    Follow { analysis, resolver }.value(component, node, 0)
}

struct Follow<'a, 'p, 'r> {
    analysis: &'a Analysis<'p>,
    resolver: &'a Resolver<'r>,
}

impl Follow<'_, '_, '_> {
    fn value(&self, (file, function): FunctionRef, node: NodeId, depth: u32) -> Option<Site> {
        let module = self.analysis.program().module(file)?;
        if is_made_anew(module, function, node) {
            return Some((file, node));
        }
        if depth > DEEPEST {
            return None;
        }
        match module.kind(node) {
            // `value={useProvideAuth()}`
            Kind::Call { .. } => self.of_hook((file, node), None, depth),
            Kind::Name { binding, .. } => {
                let declared = module.binding(binding)?;
                if module.enclosing_function(declared.node) != function
                    || memoised(self.resolver, (file, node)).is_some()
                {
                    return None;
                }
                let (part, init) = declaration(module, declared.node)?;
                self.of_hook((file, init), part.as_ref(), depth)
            }
            _ => None,
        }
    }

    /// What a hook of the program gives back, or a part of it.
    fn of_hook(&self, (file, call): Site, part: Option<&Part<'_>>, depth: u32) -> Option<Site> {
        let module = self.analysis.program().module(file)?;
        let Kind::Call { callee, .. } = module.kind(call) else { return None };
        let name = module.source(callee).rsplit('.').next()?;
        if !name.strip_prefix("use").is_some_and(|rest| rest.starts_with(char::is_uppercase)) {
            return None;
        }
        let [target] = self.analysis.calls().at((file, call))?.targets.as_slice() else { return None };
        let inner = self.analysis.program().module(target.0)?;
        let results = results(inner, target.1);
        // One that stays the same is enough for doubt.
        let mut found = None;
        for result in &results {
            let value = match part {
                None => *result,
                Some(part) => part.of(inner, *result)?,
            };
            found = Some(self.value(*target, value, depth + 1)?);
        }
        found
    }
}

/// The part of a value that a pattern takes.
enum Part<'m> {
    Key(&'m str),
    Position(usize),
}

impl Part<'_> {
    fn of(&self, module: &Module, value: NodeId) -> Option<NodeId> {
        match (self, module.kind(value)) {
            (Self::Key(name), Kind::Object(parts)) => {
                // A spread after it may hold another.
                module
                    .list(parts)
                    .rev()
                    .take_while(|part| !matches!(module.kind(*part), Kind::Spread(_)))
                    .find_map(|part| match module.kind(part) {
                        Kind::Property { key, value } if module.str(key) == *name && value.is_some() => {
                            Some(value)
                        }
                        _ => None,
                    })
            }
            (Self::Position(at), Kind::Array(items)) => module.list(items).nth(*at),
            _ => None,
        }
    }
}

/// The expression that a name is declared with, and the part of it that it takes.
fn declaration(module: &Module, node: NodeId) -> Option<(Option<Part<'_>>, NodeId)> {
    let parent = module.parent(node);
    match module.kind(parent) {
        Kind::Declarator { target, init } if target == node && init.is_some() => Some((None, init)),
        Kind::Property { key, value } if value == node => {
            let pattern = module.parent(parent);
            let Kind::Declarator { target, init } = module.kind(module.parent(pattern)) else { return None };
            (target == pattern && init.is_some()).then(|| (Some(Part::Key(module.str(key))), init))
        }
        Kind::ArrayPattern(parts) => {
            let Kind::Declarator { target, init } = module.kind(module.parent(parent)) else { return None };
            let at = module.list(parts).position(|part| part == node)?;
            (target == parent && init.is_some()).then_some((Some(Part::Position(at)), init))
        }
        _ => None,
    }
}

/// What a function gives back.
fn results(module: &Module, function: FunctionId) -> Vec<NodeId> {
    let Some(lowered) = module.function(function) else { return Vec::new() };
    if !matches!(module.kind(lowered.body), Kind::Block(_)) {
        return vec![lowered.body];
    }
    let returns = module.all_nodes(lowered.body).into_iter().filter_map(|node| match module.kind(node) {
        Kind::Return(value) if value.is_some() && module.enclosing_function(node) == function => Some(value),
        _ => None,
    });
    returns.collect()
}
