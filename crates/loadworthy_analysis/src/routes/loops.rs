//! Registrations in loops over constant lists, and in functions that are called several times: what names stand for in
//! each turn.

use std::sync::Arc;

use loadworthy_knowledge::Runs;
use loadworthy_project::FileId;
use loadworthy_syntax::{Binary, BindingId, FunctionId, Kind, Module, NodeId};

use crate::values::{Resolver, Site, Value, Values, from_end, position};

/// Most turns of all loops around one registration.
const MAX_TURNS: usize = 512;

/// Most calls of a function that are told apart: a helper of a large application registers hundreds of routes.
pub(super) const MAX_CALLS: usize = 512;

/// Longest chain of names that is followed inside a turn.
const MAX_DEPTH: usize = 12;

/// What the variables of the loops around a registration, and the parameters of the functions around it, stand for in
/// one turn.
#[derive(Clone, Default, Debug)]
pub(super) struct Loops {
    bound: Vec<(Site, Bound)>,
    calls: Vec<((FileId, FunctionId), Site)>,
}

#[derive(Clone, Debug)]
enum Bound {
    /// An expression: an element, a property's value, an argument.
    Node(Site),
    /// `[key, value]` of an object literal.
    Pair(Arc<str>, Site),
    /// A key of an object literal.
    Text(Arc<str>),
    /// The arguments of a call from a position on: a rest parameter.
    Arguments(Site, usize),
}

/// A step into a destructured value.
enum Part {
    Name(String),
    Index(usize),
}

/// Something around a node that runs more than once.
enum Frame {
    Elements { pattern: Site, list: Site },
    Keys { pattern: Site, object: Site },
    Calls(FileId, FunctionId),
}

impl Loops {
    /// Every turn of the constant loops and repeated calls around a node; one turn that binds nothing where there are none.
    pub(super) fn around(resolver: &Resolver<'_>, site: Site) -> Vec<Self> {
        let mut turns = vec![Self::default()];
        for frame in frames(resolver, site).iter().rev() {
            let mut next = Vec::new();
            for turn in turns {
                let more = turn.turns_of(resolver, frame);
                if more.is_empty() {
                    next.push(turn);
                } else {
                    next.extend(more);
                }
                if next.len() > MAX_TURNS {
                    return vec![Self::default()];
                }
            }
            turns = next;
        }
        turns
    }

    /// The call of a function that this turn is about.
    pub(super) fn call_of(&self, function: (FileId, FunctionId)) -> Option<Site> {
        self.calls.iter().find(|(known, _)| *known == function).map(|(_, call)| *call)
    }

    fn turns_of(&self, resolver: &Resolver<'_>, frame: &Frame) -> Vec<Self> {
        match frame {
            Frame::Elements { pattern, list } => {
                let elements = self.elements(resolver, *list, 0);
                elements.into_iter().map(|element| self.with(*pattern, element)).collect()
            }
            Frame::Keys { pattern, object } => {
                let keys = self.pairs(resolver, *object).into_iter().map(|(key, _)| Bound::Text(key));
                keys.map(|key| self.with(*pattern, key)).collect()
            }
            Frame::Calls(file, function) => self.turns_of_calls(resolver, *file, *function),
        }
    }

    fn turns_of_calls(&self, resolver: &Resolver<'_>, file: FileId, function: FunctionId) -> Vec<Self> {
        let Some(module) = resolver.program().module(file) else { return Vec::new() };
        let Some(lowered) = module.function(function) else { return Vec::new() };
        let sites = resolver.program().links().call_sites(file, function);
        let turn = |call: &Site| {
            let mut turn = self.clone();
            turn.calls.push(((file, function), *call));
            for (index, pattern) in module.list(lowered.parameters).enumerate() {
                if let Kind::Rest(target) = module.kind(pattern) {
                    turn.bound.push(((file, target), Bound::Arguments(*call, index)));
                } else if let Some(argument) = resolver.argument(*call, index) {
                    turn.bound.push(((file, pattern), Bound::Node(argument)));
                }
            }
            turn
        };
        sites.iter().map(turn).collect()
    }

    fn with(&self, pattern: Site, bound: Bound) -> Self {
        let mut turn = self.clone();
        turn.bound.push((pattern, bound));
        turn
    }

    fn elements(&self, resolver: &Resolver<'_>, (file, node): Site, depth: usize) -> Vec<Bound> {
        let Some(module) = resolver.program().module(file).filter(|_| depth < MAX_DEPTH) else {
            return Vec::new();
        };
        if let Kind::Call { callee, arguments } = module.kind(node)
            && let Kind::Member { object, name } = module.kind(callee)
        {
            let name = module.str(name);
            if let Kind::Name { name: owner, binding: BindingId::NONE } = module.kind(object)
                && module.str(owner) == "Object"
            {
                let Some(argument) = module.list(arguments).next() else { return Vec::new() };
                let pairs = self.pairs(resolver, (file, argument)).into_iter();
                return match name {
                    "entries" => pairs.map(|(key, value)| Bound::Pair(key, value)).collect(),
                    "values" => pairs.map(|(_, value)| Bound::Node(value)).collect(),
                    "keys" => pairs.map(|(key, _)| Bound::Text(key)).collect(),
                    _ => Vec::new(),
                };
            }
            // A part of the list, or the list in another order: all of it is near enough.
            if matches!(name, "filter" | "slice" | "sort" | "reverse" | "toSorted") {
                return self.elements(resolver, (file, object), depth + 1);
            }
        }
        let mut elements = Vec::new();
        for value in self.value_of(resolver, (file, node)).iter() {
            let Value::Array(file, array) = value else { continue };
            let Some(module) = resolver.program().module(*file) else { continue };
            let Kind::Array(items) = module.kind(*array) else { continue };
            for item in module.list(items) {
                match module.kind(item) {
                    Kind::Spread(inner) => {
                        elements.extend(self.elements(resolver, (*file, inner), depth + 1));
                    }
                    _ => elements.push(Bound::Node((*file, item))),
                }
            }
        }
        elements
    }

    fn pairs(&self, resolver: &Resolver<'_>, site: Site) -> Vec<(Arc<str>, Site)> {
        let mut pairs = Vec::new();
        for value in self.value_of(resolver, site).iter() {
            let Value::Object(file, object) = value else { continue };
            let Some(module) = resolver.program().module(*file) else { continue };
            let Kind::Object(parts) = module.kind(*object) else { continue };
            pairs.extend(module.list(parts).filter_map(|part| match module.kind(part) {
                Kind::Property { key, value } => Some((module.str(key).into(), (*file, value.ok()?))),
                _ => None,
            }));
        }
        pairs
    }

    /// What an expression is in this turn.
    pub(super) fn value_of(&self, resolver: &Resolver<'_>, site: Site) -> Values {
        if self.bound.is_empty() { resolver.value_of(site) } else { self.value_at(resolver, site, 0) }
    }

    fn value_at(&self, resolver: &Resolver<'_>, (file, node): Site, depth: usize) -> Values {
        let Some(module) = resolver.program().module(file) else { return Values::default() };
        if depth > MAX_DEPTH {
            return Values::default();
        }
        let at = |node: NodeId| self.value_at(resolver, (file, node), depth + 1);
        match module.kind(node) {
            Kind::Name { binding, .. } if binding.is_some() => {
                if let Some(values) = self.bound_value(resolver, file, module, binding, depth) {
                    return values;
                }
                // A constant of the loop's body: `const { path } = route`.
                match self.local_init(resolver, file, module, binding, depth) {
                    Some(values) if !values.is_empty() => values,
                    _ => resolver.value_of((file, node)),
                }
            }
            Kind::Member { object, name } => {
                let values = resolver.member(&at(object), module.str(name));
                if values.is_empty() { resolver.value_of((file, node)) } else { values }
            }
            Kind::Index { object, index }
                if self.argument_at(resolver, (file, module), object, index).is_some() =>
            {
                let argument = self.argument_at(resolver, (file, module), object, index);
                argument.map_or_else(Values::default, |site| self.value_at(resolver, site, depth + 1))
            }
            Kind::Conditional { test, then, otherwise } => match self.holds(resolver, (file, module), test) {
                Some(holds) => at(if holds { then } else { otherwise }),
                None => resolver.value_of((file, node)),
            },
            Kind::Index { object, index } => match self.text_at(resolver, (file, index), depth + 1) {
                Some(name) => resolver.member(&at(object), &name),
                None => Values::default(),
            },
            Kind::Await(value) | Kind::Spread(value) => at(value),
            Kind::Template { .. } | Kind::Binary { operator: Binary::Add, .. } => self
                .text_at(resolver, (file, node), depth + 1)
                .map_or_else(Values::default, |text| Values::from(Value::Text(text.into()))),
            Kind::Call { callee, .. } => match module.kind(callee) {
                Kind::Member { object, name } if module.str(name) == "bind" => at(object),
                _ => resolver.value_of((file, node)),
            },
            _ => resolver.value_of((file, node)),
        }
    }

    fn bound_value(
        &self,
        resolver: &Resolver<'_>,
        file: FileId,
        module: &Module,
        binding: BindingId,
        depth: usize,
    ) -> Option<Values> {
        let (root, path) = root_of(module, module.binding(binding)?.node)?;
        let (_, bound) = self.bound.iter().rev().find(|(pattern, _)| *pattern == (file, root))?;
        let (site, rest) = match (bound, path.split_first()) {
            (Bound::Node(site), _) => (*site, path.as_slice()),
            (Bound::Text(text), None) => return Some(Values::from(Value::Text(text.clone()))),
            (Bound::Pair(key, _), Some((Part::Index(0), _))) => {
                return Some(Values::from(Value::Text(key.clone())));
            }
            (Bound::Pair(_, value), Some((Part::Index(1), rest))) => (*value, rest),
            (Bound::Arguments(call, from), Some((Part::Index(index), rest))) => {
                (resolver.argument(*call, from.saturating_add(*index))?, rest)
            }
            _ => return None,
        };
        Some(into(resolver, self.value_at(resolver, site, depth + 1), rest))
    }

    fn local_init(
        &self,
        resolver: &Resolver<'_>,
        file: FileId,
        module: &Module,
        binding: BindingId,
        depth: usize,
    ) -> Option<Values> {
        let (root, path) = root_of(module, module.binding(binding)?.node)?;
        let Kind::Declarator { target, init } = module.kind(module.parent(root)) else { return None };
        let init = init.ok().filter(|_| target == root)?;
        if let Some((call, from)) = self.arguments_of(file, module, init)
            && let Some((Part::Index(index), rest)) = path.split_first()
        {
            let site = resolver.argument(call, from.saturating_add(*index))?;
            return Some(into(resolver, self.value_at(resolver, site, depth + 1), rest));
        }
        Some(into(resolver, self.value_at(resolver, (file, init), depth + 1), &path))
    }

    /// The call and position whose arguments a rest parameter holds in this turn.
    fn arguments_of(&self, file: FileId, module: &Module, node: NodeId) -> Option<(Site, usize)> {
        let Kind::Name { binding, .. } = module.kind(node) else { return None };
        let (root, path) = root_of(module, module.binding(binding)?.node)?;
        let (_, bound) = self.bound.iter().rev().find(|(pattern, _)| *pattern == (file, root))?;
        match bound {
            Bound::Arguments(call, from) if path.is_empty() => Some((*call, *from)),
            _ => None,
        }
    }

    /// `args[1]`, `args[args.length - 1]` of a rest parameter.
    fn argument_at(
        &self,
        resolver: &Resolver<'_>,
        (file, module): (FileId, &Module),
        object: NodeId,
        index: NodeId,
    ) -> Option<Site> {
        let (call, from) = self.arguments_of(file, module, object)?;
        let at = match module.kind(index) {
            Kind::Number(number) => from.checked_add(position(module.number(number)))?,
            _ => number_of_arguments(resolver, call)?.checked_sub(from_end(module, index)?)?,
        };
        resolver.argument(call, at)
    }

    /// Whether a comparison of the number of arguments holds in this turn: `args.length > 3`.
    fn holds(
        &self,
        resolver: &Resolver<'_>,
        (file, module): (FileId, &Module),
        test: NodeId,
    ) -> Option<bool> {
        let Kind::Binary { operator, left, right } = module.kind(test) else { return None };
        let Kind::Member { object, name } = module.kind(left) else { return None };
        let Kind::Number(number) = module.kind(right) else { return None };
        let (call, from) =
            self.arguments_of(file, module, object).filter(|_| module.str(name) == "length")?;
        let count = number_of_arguments(resolver, call)?.checked_sub(from)?;
        let ordering = count.cmp(&position(module.number(number)));
        match operator {
            Binary::Greater => Some(ordering.is_gt()),
            Binary::GreaterEqual => Some(ordering.is_ge()),
            Binary::Less => Some(ordering.is_lt()),
            Binary::LessEqual => Some(ordering.is_le()),
            Binary::Equal => Some(ordering.is_eq()),
            _ => None,
        }
    }

    /// The constant text of an expression in this turn.
    pub(super) fn text_of(&self, resolver: &Resolver<'_>, site: Site) -> Option<String> {
        if self.bound.is_empty() { resolver.text_of(site) } else { self.text_at(resolver, site, 0) }
    }

    fn text_at(&self, resolver: &Resolver<'_>, (file, node): Site, depth: usize) -> Option<String> {
        let module = resolver.program().module(file)?;
        match module.kind(node) {
            Kind::Template { strings, values } => {
                let mut values = module.list(values);
                let mut text = String::new();
                for part in module.atoms(strings) {
                    text.push_str(part);
                    if let Some(value) = values.next() {
                        text.push_str(&self.text_at(resolver, (file, value), depth + 1)?);
                    }
                }
                Some(text)
            }
            Kind::Binary { operator: Binary::Add, left, right } => Some(
                self.text_at(resolver, (file, left), depth + 1)?
                    + &self.text_at(resolver, (file, right), depth + 1)?,
            ),
            // `method.toLowerCase()`
            Kind::Call { callee, .. } if depth <= MAX_DEPTH => match module.kind(callee) {
                Kind::Member { object, name }
                    if matches!(module.str(name), "toLowerCase" | "toUpperCase") =>
                {
                    let text = self.text_at(resolver, (file, object), depth + 1)?;
                    Some(if module.str(name) == "toLowerCase" {
                        text.to_lowercase()
                    } else {
                        text.to_uppercase()
                    })
                }
                _ => resolver.text_of((file, node)),
            },
            Kind::Name { .. } | Kind::Member { .. } | Kind::Index { .. } => {
                match &*self.value_at(resolver, (file, node), depth + 1) {
                    [Value::Text(text)] => Some(text.to_string()),
                    _ => None,
                }
            }
            _ => resolver.text_of((file, node)),
        }
    }
}

fn number_of_arguments(resolver: &Resolver<'_>, (file, call): Site) -> Option<usize> {
    let module = resolver.program().module(file)?;
    let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = module.kind(call) else { return None };
    Some(arguments.len())
}

fn into(resolver: &Resolver<'_>, values: Values, path: &[Part]) -> Values {
    path.iter().fold(values, |values, part| match part {
        Part::Name(name) => resolver.member(&values, name),
        Part::Index(index) => resolver.elements(&values, Some(*index)),
    })
}

/// The outermost pattern around a declared name, and the way down to the name.
fn root_of(module: &Module, binding: NodeId) -> Option<(NodeId, Vec<Part>)> {
    let mut path = Vec::new();
    let mut node = binding.ok()?;
    loop {
        let parent = module.parent(node);
        match module.kind(parent) {
            Kind::Property { key, value } if value == node => {
                path.push(Part::Name(module.str(key).to_owned()));
            }
            Kind::Default { target, .. } if target == node => {}
            Kind::ObjectPattern(_) => {}
            Kind::ArrayPattern(parts) => {
                path.push(Part::Index(module.list(parts).position(|part| part == node)?));
            }
            _ => break,
        }
        node = parent;
    }
    path.reverse();
    Some((node, path))
}

/// What runs more than once around a node, innermost first.
fn frames(resolver: &Resolver<'_>, (file, node): Site) -> Vec<Frame> {
    let Some(module) = resolver.program().module(file) else { return Vec::new() };
    let mut frames = Vec::new();
    for ancestor in module.ancestors(node) {
        match module.kind(ancestor) {
            Kind::ForOf { target, iterable, .. } | Kind::ForAwait { target, iterable, .. } => {
                let pattern = (file, declared(module, target));
                frames.push(Frame::Elements { pattern, list: (file, iterable) });
            }
            Kind::ForIn { target, object, .. } => {
                frames
                    .push(Frame::Keys { pattern: (file, declared(module, target)), object: (file, object) });
            }
            Kind::Function(function) => frames.extend(frame_of_function(resolver, file, module, function)),
            _ => {}
        }
    }
    frames
}

fn declared(module: &Module, target: NodeId) -> NodeId {
    let first = match module.kind(target) {
        Kind::Variables(list) => module.list(list).next(),
        _ => None,
    };
    match first.map(|declarator| module.kind(declarator)) {
        Some(Kind::Declarator { target, .. }) => target,
        _ => target,
    }
}

fn frame_of_function(
    resolver: &Resolver<'_>,
    file: FileId,
    module: &Module,
    function: FunctionId,
) -> Option<Frame> {
    let lowered = module.function(function)?;
    let parent = module.parent(lowered.node);
    if let Kind::Call { callee, arguments } = module.kind(parent)
        && let Kind::Member { object, name } = module.kind(callee)
        && let Some(element) = element_parameter(resolver, module.str(name), arguments.len())
        && module.list(arguments).next() == Some(lowered.node)
    {
        let pattern = module.list(lowered.parameters).nth(element)?;
        return Some(Frame::Elements { pattern: (file, pattern), list: (file, object) });
    }
    let calls = resolver.program().links().call_sites(file, function).len();
    let is_repeated = !lowered.parameters.is_empty() && (2..=MAX_CALLS).contains(&calls);
    is_repeated.then_some(Frame::Calls(file, function))
}

/// The parameter that takes the element, where a method of arrays runs its first argument once an element.
fn element_parameter(resolver: &Resolver<'_>, name: &str, arguments: usize) -> Option<usize> {
    let knowledge = resolver.program().knowledge();
    let (lib, handle) = (knowledge.library_id("node:core")?, knowledge.handle("Array.prototype")?);
    let callback = knowledge.callback(lib, handle, name, 0, arguments)?;
    (callback.runs == Runs::PerElement).then_some(callback.element_param)
}
