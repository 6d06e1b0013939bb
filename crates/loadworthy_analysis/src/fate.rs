//! Where the failure of a promise ends, as far as the code around the expression says.

use loadworthy_syntax::{Binary, BindingId, BindingKind, Kind, List, Module, NodeId, Unary};

use crate::handling::is_in_try;

/// Where the failure of a promise ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// In a `catch` clause or handler.
    Caught,
    /// It becomes the failure of the function around it: awaited outside `try`, or given back.
    Escapes,
    /// Awaited or caught, but only after this other `await`: until then nobody handles it.
    Late {
        /// What is awaited in between.
        between: NodeId,
    },
    /// Nobody waits for it and nobody catches it.
    Floating,
    /// The same, said to be deliberate: `void p`.
    Voided,
    /// It goes where this does not follow: a property, an argument.
    Unknown,
}

impl Fate {
    /// Whether nobody handles it, at least for a while.
    #[must_use]
    pub fn is_unhandled(self) -> bool {
        matches!(self, Self::Floating | Self::Voided | Self::Late { .. })
    }
}

/// Most variables that one promise is followed through.
const MAX_VARIABLES: u32 = 4;

/// Where the failure of the promise that `node` gives ends.
#[must_use]
pub fn fate(module: &Module, node: NodeId) -> Fate {
    Follow { module, start: node }.of(node, 0)
}

struct Follow<'m> {
    module: &'m Module,
    /// The expression that makes the promise.
    start: NodeId,
}

impl Follow<'_> {
    fn of(&self, node: NodeId, variables: u32) -> Fate {
        let module = self.module;
        let parent = module.parent(node);
        match module.kind(parent) {
            Kind::Await(_) | Kind::Yield(_) => self.waited_at(parent),
            Kind::ForAwait { iterable, .. } if iterable == node => self.waited_at(parent),
            Kind::Return(_) => Fate::Escapes,
            Kind::Function(function) => {
                let is_body = module.function(function).is_some_and(|it| it.body == node);
                if is_body { Fate::Escapes } else { Fate::Unknown }
            }
            Kind::Member { object, name } if object == node => {
                self.chained(parent, module.str(name), variables)
            }
            Kind::Array(_) => self.element(parent, variables),
            Kind::Call { callee, arguments } | Kind::New { callee, arguments } if callee != node => {
                self.argument(parent, callee, arguments, variables)
            }
            Kind::Declarator { init, target } if init == node => match module.kind(target) {
                Kind::Binding(binding) => self.stored(binding, parent, variables),
                _ => Fate::Unknown,
            },
            Kind::Assign { target, value, .. } if value == node => match module.kind(target) {
                Kind::Name { binding, .. } if binding.is_some() => self.assigned(binding, parent, variables),
                _ => Fate::Unknown,
            },
            Kind::Binary { operator: Binary::And | Binary::Or | Binary::Nullish, right, .. }
                if right == node =>
            {
                self.of(parent, variables)
            }
            Kind::Conditional { test, .. } if test != node => self.of(parent, variables),
            Kind::Sequence(parts) if module.list(parts).last() != Some(node) => Fate::Floating,
            Kind::Sequence(_) | Kind::Spread(_) => self.of(parent, variables),
            Kind::Unary { operator: Unary::Void, .. } => Fate::Voided,
            Kind::Expression(_) => Fate::Floating,
            _ => Fate::Unknown,
        }
    }

    fn waited_at(&self, node: NodeId) -> Fate {
        if is_in_try(self.module, node) { Fate::Caught } else { Fate::Escapes }
    }

    /// `p.then(…)`, `p.catch(…)`, and methods of builders and wrappers, whose result may be the promise.
    fn chained(&self, member: NodeId, name: &str, variables: u32) -> Fate {
        let call = self.module.parent(member);
        let Kind::Call { callee, arguments } = self.module.kind(call) else { return Fate::Unknown };
        if callee != member {
            return Fate::Unknown;
        }
        match name {
            "catch" if !arguments.is_empty() => Fate::Caught,
            "then" if arguments.len() >= 2 => Fate::Caught,
            _ => self.of(call, variables),
        }
    }

    /// An element of an array: handled where the array goes to `Promise.all` or its like.
    fn element(&self, array: NodeId, variables: u32) -> Fate {
        let parent = self.module.parent(array);
        match self.module.kind(parent) {
            Kind::Call { callee, arguments } if combines(self.module, callee) => {
                self.argument(parent, callee, arguments, variables)
            }
            Kind::Declarator { init, .. } if init == array => self.of(array, variables),
            // `[…].forEach(…)`, `[…].map(…)`: another function takes them.
            _ => Fate::Unknown,
        }
    }

    fn argument(&self, call: NodeId, callee: NodeId, _arguments: List, variables: u32) -> Fate {
        match self.module.kind(callee) {
            Kind::Member { object, name } => match (self.module.str(name), self.module.kind(object)) {
                ("allSettled", _) => Fate::Caught,
                ("all" | "race" | "any" | "resolve", _) if combines(self.module, callee) => {
                    self.of(call, variables)
                }
                ("push" | "unshift", Kind::Name { binding, .. }) if binding.is_some() => {
                    self.collected(binding, call, variables)
                }
                _ => Fate::Unknown,
            },
            _ => Fate::Unknown,
        }
    }

    /// Put into a new variable: what its first use does that handles it.
    fn stored(&self, binding: BindingId, from: NodeId, variables: u32) -> Fate {
        let module = self.module;
        let is_exported = module.exports().iter().any(
            |export| matches!(export.target, loadworthy_syntax::ExportTarget::Binding(exported) if exported == binding),
        );
        if module.references(binding).is_empty() && !is_exported {
            return Fate::Floating;
        }
        self.assigned(binding, from, variables)
    }

    fn assigned(&self, binding: BindingId, from: NodeId, variables: u32) -> Fate {
        if variables >= MAX_VARIABLES {
            return Fate::Unknown;
        }
        let module = self.module;
        let declared_here = module.binding(binding).is_some_and(|it| {
            it.kind != BindingKind::Parameter
                && module.enclosing_function(it.node) == module.enclosing_function(from)
        });
        if !declared_here {
            return Fate::Unknown;
        }
        let end = module.node(from).span.end;
        let uses = module.references(binding).iter().filter(|name| module.node(**name).span.start >= end);
        self.first_handled(uses.copied(), from, variables)
    }

    /// `promises.push(p)`: handled where the list is.
    fn collected(&self, binding: BindingId, call: NodeId, variables: u32) -> Fate {
        if variables >= MAX_VARIABLES {
            return Fate::Unknown;
        }
        let end = self.module.node(call).span.end;
        let uses =
            self.module.references(binding).iter().filter(|name| self.module.node(**name).span.start >= end);
        let combined = uses.copied().filter(|name| {
            let parent = self.module.parent(*name);
            matches!(self.module.kind(parent), Kind::Call { callee, .. } if combines(self.module, callee))
        });
        self.first_handled(combined, call, variables)
    }

    fn first_handled(&self, uses: impl Iterator<Item = NodeId>, from: NodeId, variables: u32) -> Fate {
        for name in uses {
            match self.of(name, variables + 1) {
                Fate::Unknown => return Fate::Unknown,
                Fate::Floating | Fate::Voided => {}
                handled => return self.in_time(handled, from, name),
            }
        }
        Fate::Unknown
    }

    /// Handled in time, unless something else is awaited first.
    fn in_time(&self, handled: Fate, from: NodeId, name: NodeId) -> Fate {
        let module = self.module;
        let (start, end) = (module.node(from).span.end, module.node(name).span.start);
        let function = module.enclosing_function(self.start);
        if module.enclosing_function(name) != function {
            return Fate::Unknown;
        }
        let is_around = |node: NodeId| module.ancestors(name).any(|outer| outer == node);
        let between = module.node_ids().find(|id| {
            let span = module.node(*id).span;
            matches!(module.kind(*id), Kind::Await(_))
                && span.start >= start
                && span.end <= end
                && !is_around(*id)
                && module.enclosing_function(*id) == function
        });
        between.map_or(handled, |between| Fate::Late { between })
    }
}

/// `Promise.all` and its like: what it is called on is the global.
fn combines(module: &Module, callee: NodeId) -> bool {
    let Kind::Member { object, name } = module.kind(callee) else { return false };
    let Kind::Name { name: on, binding: BindingId::NONE } = module.kind(object) else { return false };
    module.str(on) == "Promise"
        && matches!(module.str(name), "all" | "allSettled" | "race" | "any" | "resolve")
}

#[cfg(test)]
mod tests;
