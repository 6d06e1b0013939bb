//! Which fields of a list's rows the pages read: in callbacks, through derived lists, properties of components and functions.

use loadworthy_syntax::{Binary, BindingId, FunctionId, Kind, Module, NodeId};
use rustc_hash::FxHashSet;

use super::State;
use super::elements::{bindings_of, component_at};
use crate::analysis::Analysis;
use crate::values::{Resolver, Site, Value};
use loadworthy_project::FileId;

/// The fields of a list's rows that are read.
#[derive(Clone, Debug, Default)]
pub struct RowFields {
    /// Their names, in the order of the code.
    pub names: Vec<String>,
    /// Whether rows are gone through at all.
    pub is_iterated: bool,
    /// Callbacks and components that read them.
    pub readers: Vec<Site>,
    /// Whether all rows are gone through to show them, not only the first few.
    pub are_all_shown: bool,
    /// Where the first few are taken.
    pub cut: Option<Site>,
}

/// Deepest way of a row through names, components and functions.
const MAX_DEPTH: u32 = 8;

/// The fields that the uses of a name for a list read of its rows; none where a row, or the list, goes somewhere that is not
/// followed.
#[must_use]
pub fn row_fields(
    analysis: &Analysis<'_>,
    resolver: &Resolver<'_>,
    file: FileId,
    list: BindingId,
) -> Option<RowFields> {
    let mut follow =
        Follow { analysis, resolver, found: RowFields::default(), seen: FxHashSet::default(), is_cut: false };
    follow.list_named(file, list, 0)?;
    Some(follow.found)
}

struct Follow<'a, 'p, 'r> {
    analysis: &'a Analysis<'p>,
    resolver: &'a Resolver<'r>,
    found: RowFields,
    seen: FxHashSet<(FileId, BindingId)>,
    /// Whether only the first few rows are in what is followed.
    is_cut: bool,
}

impl<'p> Follow<'_, 'p, '_> {
    fn module(&self, file: FileId) -> Option<&'p Module> {
        self.analysis.program().module(file)
    }

    fn list_named(&mut self, file: FileId, name: BindingId, depth: u32) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        if !self.seen.insert((file, name)) {
            return Some(());
        }
        for reference in self.module(file)?.references(name) {
            self.list((file, *reference), depth)?;
        }
        Some(())
    }

    /// What happens to an expression that is the list.
    fn list(&mut self, (file, node): Site, depth: u32) -> Option<()> {
        let module = self.module(file)?;
        let parent = module.parent(node);
        let outer = |it| (file, it);
        match module.kind(parent) {
            Kind::Member { object, name } if object == node => {
                let call = module.parent(parent);
                match module.kind(call) {
                    Kind::Call { callee, arguments } if callee == parent => {
                        self.method((file, call), module.str(name), module.list(arguments).next(), depth)
                    }
                    _ => (module.str(name) == "length").then_some(()),
                }
            }
            Kind::Index { object, .. } if object == node => self.row(outer(parent), depth),
            Kind::Declarator { target, init } if init == node => match module.kind(target) {
                Kind::Binding(name) => self.list_named(file, name, depth + 1),
                _ => None,
            },
            Kind::Binary { operator, left, .. } => match operator {
                Binary::Or | Binary::Nullish => self.list(outer(parent), depth),
                Binary::And if left != node => self.list(outer(parent), depth),
                _ => Some(()),
            },
            Kind::Conditional { test, .. } if test != node => self.list(outer(parent), depth),
            Kind::Spread(_) => match module.kind(module.parent(parent)) {
                Kind::Array(_) => self.list(outer(module.parent(parent)), depth),
                _ => None,
            },
            Kind::Array(_) => is_dependency(module, parent).then_some(()),
            Kind::Property { key, value } if value == node => {
                let element = module.parent(parent);
                let Kind::Element { .. } = module.kind(element) else { return None };
                let key = module.str(key).to_owned();
                let component = component_at(self.analysis, self.resolver, outer(element))?;
                let names = bindings_of(self.module(component.0)?, component, &key)?;
                names.into_iter().try_for_each(|name| self.list_named(component.0, name, depth + 1))
            }
            Kind::Call { callee, arguments } if callee != node => {
                let at = module.list(arguments).position(|argument| argument == node)?;
                self.handed_list(outer(parent), at, depth)
            }
            // `useMemo(() => orders.filter(…), [orders])`
            Kind::Return(_) | Kind::Function(_) => {
                let function = module.enclosing_function(node);
                self.list(outer(memo_around(module, function)?), depth)
            }
            Kind::Unary { .. } | Kind::If { .. } | Kind::Conditional { .. } | Kind::Expression(_) => Some(()),
            _ => None,
        }
    }

    /// A method of the list with its first argument.
    fn method(&mut self, (file, call): Site, name: &str, first: Option<NodeId>, depth: u32) -> Option<()> {
        let module = self.module(file)?;
        let rows: &[usize] = match name {
            "map" | "filter" | "forEach" | "some" | "every" | "find" | "findLast" | "findIndex"
            | "flatMap" => &[0],
            "reduce" => &[1],
            "sort" | "toSorted" => &[0, 1],
            "slice" | "reverse" | "toReversed" | "at" => &[],
            _ => return None,
        };
        // `setOrders(orders.map((it) => (it.id === id ? { ...it, open } : it)))`: what was there is put back.
        if name == "map" && self.is_put_back((file, call)) {
            return Some(());
        }
        if !rows.is_empty()
            && let Some(first) = first
        {
            self.found.is_iterated |= name != "sort" && name != "toSorted";
            self.found.are_all_shown |= matches!(name, "map" | "forEach" | "flatMap") && !self.is_cut;
            self.found.readers.push((file, call));
            for at in rows {
                self.callback((file, first), *at, depth)?;
            }
        }
        match name {
            "slice" => {
                let was_cut = self.is_cut;
                if takes_few(module, call) {
                    self.is_cut = true;
                    self.found.cut = self.found.cut.or(Some((file, call)));
                }
                let followed = self.list((file, call), depth);
                self.is_cut = was_cut;
                followed
            }
            "filter" | "sort" | "toSorted" | "reverse" | "toReversed" => self.list((file, call), depth),
            "find" | "findLast" | "at" => self.row((file, call), depth),
            _ => Some(()),
        }
    }

    fn is_put_back(&self, (file, call): Site) -> bool {
        let Some(module) = self.module(file) else { return false };
        let Kind::Call { callee, .. } = module.kind(module.parent(call)) else { return false };
        matches!(module.kind(callee), Kind::Name { binding, .. } if self.state_set_by(file, binding).is_some())
    }

    /// A function that is given rows: its parameter at a position.
    fn callback(&mut self, site: Site, at: usize, depth: u32) -> Option<()> {
        let (file, function) = self.function(site)?;
        let module = self.module(file)?;
        // What it does not name, it does not read.
        let Some(parameter) = module.list(module.function(function)?.parameters).nth(at) else {
            return Some(());
        };
        self.pattern((file, parameter), depth + 1)
    }

    /// The only function of the program that an expression is.
    fn function(&self, (file, node): Site) -> Option<(FileId, FunctionId)> {
        if let Kind::Function(function) = self.module(file)?.kind(node) {
            return Some((file, function));
        }
        let values = self.resolver.value_of((file, node));
        match &*values {
            [Value::Function(file, function)] => Some((*file, *function)),
            _ => None,
        }
    }

    /// A pattern that a row fills.
    fn pattern(&mut self, (file, node): Site, depth: u32) -> Option<()> {
        let module = self.module(file)?;
        match module.kind(node) {
            Kind::Binding(name) => self.row_named(file, name, depth),
            Kind::Default { target, .. } => self.pattern((file, target), depth),
            Kind::ObjectPattern(parts) => {
                for part in module.list(parts) {
                    let Kind::Property { key, .. } = module.kind(part) else { return None };
                    self.field(module.str(key));
                }
                Some(())
            }
            _ => None,
        }
    }

    fn field(&mut self, name: &str) {
        if !self.found.names.iter().any(|known| known == name) {
            self.found.names.push(name.to_owned());
        }
    }

    fn row_named(&mut self, file: FileId, name: BindingId, depth: u32) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        if !self.seen.insert((file, name)) {
            return Some(());
        }
        for reference in self.module(file)?.references(name) {
            self.row((file, *reference), depth)?;
        }
        Some(())
    }

    /// What happens to an expression that is one row.
    fn row(&mut self, (file, node): Site, depth: u32) -> Option<()> {
        let module = self.module(file)?;
        let parent = module.parent(node);
        match module.kind(parent) {
            Kind::Member { object, name } if object == node => {
                self.field(module.str(name));
                Some(())
            }
            Kind::Declarator { target, init } if init == node => self.pattern((file, target), depth + 1),
            Kind::Property { key, value } if value == node => {
                let element = module.parent(parent);
                let Kind::Element { .. } = module.kind(element) else { return None };
                let key = module.str(key).to_owned();
                let component = component_at(self.analysis, self.resolver, (file, element))?;
                let inner = self.module(component.0)?;
                let names = bindings_of(inner, component, &key)?;
                if let Some(lowered) = inner.function(component.1) {
                    self.found.readers.push((component.0, lowered.node));
                }
                names.into_iter().try_for_each(|name| self.row_named(component.0, name, depth + 1))
            }
            Kind::Call { callee, arguments } if callee != node => {
                let at = module.list(arguments).position(|argument| argument == node)?;
                if module.source(callee).starts_with("console.") {
                    return Some(());
                }
                if let Kind::Name { binding, .. } = module.kind(callee)
                    && let Some(state) = self.state_set_by(file, binding)
                {
                    return state.value.map_or(Some(()), |value| self.row_named(file, value, depth + 1));
                }
                self.callback((file, callee), at, depth)
            }
            Kind::Binary { operator: Binary::And | Binary::Or | Binary::Nullish, left, .. }
                if left != node =>
            {
                self.row((file, parent), depth)
            }
            Kind::Binary { operator: Binary::Or | Binary::Nullish, .. } => self.row((file, parent), depth),
            Kind::Conditional { test, .. } if test != node => self.row((file, parent), depth),
            Kind::Array(_) => is_dependency(module, parent).then_some(()),
            Kind::Binary { .. }
            | Kind::Unary { .. }
            | Kind::If { .. }
            | Kind::Conditional { .. }
            | Kind::Expression(_) => Some(()),
            // `rows.filter((row) => row)`: only whether there is one; `find` gives it on and is followed there.
            Kind::Function(_) => is_test(module, node).then_some(()),
            _ => None,
        }
    }

    /// The state that a name sets.
    fn state_set_by(&self, file: FileId, setter: BindingId) -> Option<State> {
        let components = self.analysis.components(file).iter();
        let mut states = components.flat_map(|component| &component.states);
        states.find(|state| state.setter == Some(setter)).copied()
    }

    /// A call that is given the list: a function of the program, or one that filters or sorts.
    fn handed_list(&mut self, (file, call): Site, at: usize, depth: u32) -> Option<()> {
        let module = self.module(file)?;
        let Kind::Call { callee, arguments } = module.kind(call) else { return None };
        let name = module.source(callee);
        if name.starts_with("console.") || name == "Array.isArray" {
            return Some(());
        }
        if let Kind::Name { binding, .. } = module.kind(callee)
            && let Some(state) = self.state_set_by(file, binding)
        {
            return state.value.map_or(Some(()), |value| self.list_named(file, value, depth + 1));
        }
        if let Some((target, function)) = self.function((file, callee)) {
            let inner = self.module(target)?;
            let parameter = module_parameter(inner, function, at)?;
            let Kind::Binding(name) = inner.kind(parameter) else { return None };
            self.list_named(target, name, depth + 1)?;
            return self.list((file, call), depth);
        }
        let found = self.analysis.calls().at((file, call))?;
        let is_list_tool =
            found.library.as_ref().is_some_and(|library| LIST_TOOLS.contains(&&*library.name) && at == 0);
        if !is_list_tool {
            return None;
        }
        for argument in module.list(arguments).skip(1) {
            if let Kind::Function(_) = module.kind(argument) {
                self.found.is_iterated = true;
                self.found.are_all_shown |= !self.is_cut;
                self.callback((file, argument), 0, depth)?;
            }
        }
        if name.ends_with("map") || name.ends_with("each") || name.ends_with("forEach") {
            return Some(());
        }
        self.list((file, call), depth)
    }
}

/// Functions of packages that give some of the rows, in some order, or go through them.
const LIST_TOOLS: [&str; 9] =
    ["map", "each", "forEach", "filter", "reject", "sortBy", "orderBy", "uniqBy", "take"];

fn module_parameter(module: &Module, function: FunctionId, at: usize) -> Option<NodeId> {
    let parameter = module.list(module.function(function)?.parameters).nth(at)?;
    Some(match module.kind(parameter) {
        Kind::Default { target, .. } => target,
        _ => parameter,
    })
}

/// Rows up to which a constant slice is a few.
const FEW: f64 = 50.0;

/// `slice(0, 5)`
fn takes_few(module: &Module, call: NodeId) -> bool {
    let Kind::Call { arguments, .. } = module.kind(call) else { return false };
    let number = |node: NodeId| match module.kind(node) {
        Kind::Number(at) => Some(module.number(at)),
        _ => None,
    };
    match module.list(arguments).map(number).collect::<Vec<_>>().as_slice() {
        [Some(from), Some(to)] => to - from <= FEW,
        _ => false,
    }
}

/// The dependencies of a hook.
fn is_dependency(module: &Module, array: NodeId) -> bool {
    matches!(module.kind(module.parent(array)), Kind::Call { callee, arguments }
        if module.source(callee).rsplit('.').next().is_some_and(|name| name.starts_with("use"))
            && module.list(arguments).next() != Some(array))
}

/// The call of `useMemo` whose function this is.
fn memo_around(module: &Module, function: FunctionId) -> Option<NodeId> {
    let call = module.parent(module.function(function)?.node);
    let Kind::Call { callee, .. } = module.kind(call) else { return None };
    module.source(callee).ends_with("useMemo").then_some(call)
}

/// The callback of a method that only asks for truth.
fn is_test(module: &Module, node: NodeId) -> bool {
    let function = module.parent(node);
    let Kind::Call { callee, .. } = module.kind(module.parent(function)) else { return false };
    matches!(module.kind(callee), Kind::Member { name, .. }
        if matches!(module.str(name), "filter" | "some" | "every" | "find" | "findIndex"))
}
