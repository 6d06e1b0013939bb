//! What a name in a pattern receives.

use loadworthy_project::FileId;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::{External, Resolver, Root, Step, Value, Values, join, none, one};

impl Resolver<'_> {
    /// What the pattern node `id` (a name or a part of a destructuring) receives.
    pub(super) fn pattern_value(&self, file: FileId, id: NodeId) -> Values {
        let Some(module) = self.module(file) else { return none() };
        let parent = module.parent(id);
        match module.kind(parent) {
            Kind::Declarator { init, .. } if init.is_some() => self.value_of((file, init)),
            Kind::Declarator { .. } => self.iterated(file, module, parent),
            Kind::Default { target, value } if target == id => {
                join([self.pattern_value(file, parent), self.value_of((file, value))])
            }
            Kind::Property { key, value } if value == id => {
                let whole = self.pattern_value(file, module.parent(parent));
                self.member(&whole, module.str(key))
            }
            Kind::ObjectPattern(_) => self.pattern_value(file, parent),
            Kind::ArrayPattern(parts) => {
                let index = module.list(parts).position(|part| part == id);
                let whole = self.pattern_value(file, parent);
                index.map_or_else(none, |index| self.elements(&whole, Some(index)))
            }
            Kind::Function(function) => {
                let index = module
                    .function(function)
                    .and_then(|it| module.list(it.parameters).position(|part| part == id));
                index.map_or_else(none, |index| one(Value::Parameter(file, function, index)))
            }
            Kind::Rest(_) => match module.kind(module.parent(parent)) {
                Kind::Function(function) => {
                    let parameters = module.function(function).map(|it| module.list(it.parameters));
                    let index = parameters.and_then(|mut all| all.position(|part| part == parent));
                    index.map_or_else(none, |index| one(Value::Rest(file, function, index)))
                }
                _ => none(),
            },
            Kind::Assign { target, value, .. } if target == id => self.value_of((file, value)),
            _ => none(),
        }
    }

    /// The variable of a `for … of`.
    fn iterated(&self, file: FileId, module: &Module, declarator: NodeId) -> Values {
        let variables = module.parent(declarator);
        match module.kind(module.parent(variables)) {
            Kind::ForOf { target, iterable, .. } | Kind::ForAwait { target, iterable, .. }
                if target == variables =>
            {
                self.elements(&self.value_of((file, iterable)), None)
            }
            _ => none(),
        }
    }

    /// The elements of arrays: one of them, or any.
    #[must_use]
    pub fn elements(&self, values: &[Value], index: Option<usize>) -> Values {
        join(values.iter().map(|value| {
            if let Value::External(external) = value {
                return self.element_of(external, index);
            }
            if let (Value::Rest(file, function, from), Some(index)) = (value, index) {
                let index = from.saturating_add(index);
                let passed = self.arguments(*file, *function, index);
                let parameter = || one(Value::Parameter(*file, *function, index));
                return if passed.is_empty() { parameter() } else { passed };
            }
            let Value::Array(file, node) = value else { return none() };
            let Some(module) = self.module(*file) else { return none() };
            let Kind::Array(list) = module.kind(*node) else { return none() };
            match index {
                Some(index) => {
                    module.list(list).nth(index).map_or_else(none, |item| self.value_of((*file, item)))
                }
                None => join(module.list(list).map(|item| self.value_of((*file, item)))),
            }
        }))
    }

    /// The element of arrays that stands `back` before their end.
    pub(super) fn element_from_end(&self, values: &[Value], back: usize) -> Values {
        join(values.iter().map(|value| match value {
            Value::Rest(file, function, _) => self.arguments_from_end(*file, *function, back),
            Value::Array(file, node) => {
                let Some(module) = self.module(*file) else { return none() };
                let Kind::Array(list) = module.kind(*node) else { return none() };
                let index = list.len().checked_sub(back);
                index.map_or_else(none, |index| self.elements(std::slice::from_ref(value), Some(index)))
            }
            _ => none(),
        }))
    }

    /// An element of what a library gave; of `Promise.all([a, b])`, what the element promises.
    fn element_of(&self, external: &External, index: Option<usize>) -> Values {
        if let (Root::Global(name), [Step::Get(member), Step::Call(call)]) =
            (&external.root, &*external.steps)
            && &**name == "Promise"
            && matches!(&**member, "all" | "allSettled")
        {
            let promises = self.argument(*call, 0).map(|site| self.value_of(site)).unwrap_or_default();
            let lists: Vec<Value> =
                promises.iter().filter(|value| matches!(value, Value::Array(..))).cloned().collect();
            return self.elements(&lists, index);
        }
        one(Value::External(external.then(Step::Element)))
    }
}
