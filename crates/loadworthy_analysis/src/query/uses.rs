//! What becomes of the rows that a query gives, in its own function and in those that it gives them back to.

use loadworthy_project::FileId;
use loadworthy_syntax::{Binary, BindingId, FunctionId, Kind, Module, NodeId, Unary};

use super::Query;
use crate::program::Program;
use crate::values::Site;

/// One use of a list of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RowUse {
    /// `rows.length`
    Length,
    /// `rows.length > 0`
    Exists,
    /// `rows.filter(test).length`
    CountWhere,
    /// `rows.some(test)`, `rows.every(test)`
    Test,
    /// `rows.find(test)`
    Find,
    /// `rows.reduce((sum, row) => …, 0)`
    Sum,
    /// `rows[0]`, `const [row] = rows`
    First,
    /// `rows.slice(from, to)`
    Page,
    /// `rows.filter(test)`
    Filter,
    /// `rows.sort(…)`
    Sort,
    /// Anything that needs the rows themselves.
    Whole,
}

impl RowUse {
    /// Whether a number or a truth value is all that is kept of the rows.
    #[must_use]
    pub const fn is_summary(self) -> bool {
        matches!(self, Self::Length | Self::Exists | Self::CountWhere | Self::Test | Self::Sum)
    }
}

/// Most hops from the query to a use.
const MAX_HOPS: usize = 4;

/// Every use of the rows of a query with its place; a use that is not understood is [`RowUse::Whole`].
#[must_use]
pub fn row_uses(program: &Program<'_>, query: &Query) -> Vec<(Site, RowUse)> {
    let mut uses = Uses { program, found: Vec::new() };
    if query.is_pair {
        uses.of_pair(query.whole, 0);
    } else {
        uses.of_list(query.whole, 0);
    }
    uses.found
}

/// As [`row_uses`], of any expression that is a list.
pub(super) fn list_uses(program: &Program<'_>, list: Site) -> Vec<(Site, RowUse)> {
    let mut uses = Uses { program, found: Vec::new() };
    uses.of_list(list, 0);
    uses.found
}

struct Uses<'u, 'p> {
    program: &'u Program<'p>,
    found: Vec<(Site, RowUse)>,
}

impl Uses<'_, '_> {
    fn add(&mut self, site: Site, found: RowUse) {
        if !self.found.contains(&(site, found)) {
            self.found.push((site, found));
        }
    }

    /// The uses of the list in an expression that is `[list, description]`, or the promise of it.
    fn of_pair(&mut self, (file, node): Site, hops: usize) {
        let Some(module) = self.program.module(file) else { return };
        let parent = module.parent(node);
        match module.kind(parent) {
            _ if hops > MAX_HOPS => self.add((file, node), RowUse::Whole),
            Kind::Await(_) | Kind::Sequence(_) => self.of_pair((file, parent), hops),
            Kind::Declarator { target, init: value } | Kind::Assign { target, value, .. }
                if value == node =>
            {
                match module.kind(target) {
                    Kind::ArrayPattern(parts) => {
                        if let Some(rows) = module.list(parts).next() {
                            self.of_pattern((file, rows), hops);
                        }
                    }
                    Kind::Binding(binding) | Kind::Name { binding, .. } => {
                        for name in module.references(binding) {
                            let outer = module.parent(*name);
                            if !matches!(module.kind(outer), Kind::Assign { target, .. } if target == *name) {
                                self.of_pair((file, *name), hops + 1);
                            }
                        }
                    }
                    _ => self.of_pattern((file, target), hops),
                }
            }
            Kind::Index { object, index } if object == node => {
                if matches!(module.kind(index), Kind::Number(at) if module.number(at) == 0.0) {
                    self.of_list((file, parent), hops);
                }
            }
            _ => self.of_list((file, node), hops),
        }
    }

    /// The uses of an expression that is the list, or the promise of it.
    fn of_list(&mut self, (file, node): Site, hops: usize) {
        let Some(module) = self.program.module(file) else { return };
        let parent = module.parent(node);
        let whole = (file, node);
        if hops > MAX_HOPS {
            self.add(whole, RowUse::Whole);
            return;
        }
        match module.kind(parent) {
            Kind::Await(_)
            | Kind::Sequence(_)
            | Kind::Binary { operator: Binary::Or | Binary::Nullish, .. } => {
                self.of_list((file, parent), hops);
            }
            Kind::Declarator { target, init } if init == node => self.of_pattern((file, target), hops),
            Kind::Assign { target, value, .. } if value == node => self.of_pattern((file, target), hops),
            Kind::Member { object, name } if object == node => {
                self.of_member((file, parent), module.str(name), hops);
            }
            Kind::Index { object, index } if object == node => {
                let is_first = matches!(module.kind(index), Kind::Number(at) if module.number(at) == 0.0);
                self.add(whole, if is_first { RowUse::First } else { RowUse::Whole });
            }
            Kind::Return(_) => self.returned(file, module.enclosing_function(node), whole, hops),
            Kind::Function(function) => self.returned(file, function, whole, hops),
            Kind::Array(_) => self.of_element(module, (file, parent), node, hops),
            // Whether there is anything at all.
            Kind::Unary { operator: Unary::Not, .. } => {}
            Kind::If { test, .. } | Kind::Conditional { test, .. } if test == node => {}
            Kind::Binary { operator: Binary::And | Binary::Equal | Binary::NotEqual, left, .. }
                if left == node => {}
            _ => self.add(whole, RowUse::Whole),
        }
    }

    fn of_member(&mut self, (file, member): Site, name: &str, hops: usize) {
        let Some(module) = self.program.module(file) else { return };
        let call = module.parent(member);
        let is_called = matches!(module.kind(call), Kind::Call { callee, .. } if callee == member);
        let site = (file, member);
        match (name, is_called) {
            ("length" | "size" | "rowCount", false) => {
                self.add(site, if asks_for_any(module, member) { RowUse::Exists } else { RowUse::Length });
            }
            ("rows" | "data" | "docs", false) => self.of_list(site, hops),
            ("some" | "every", true) => self.add(site, RowUse::Test),
            // `query = query.sort("-createdAt")`: the query goes on, what it reads is sorted by the database.
            ("find" | "sort", true) if has_condition(module, call) => self.of_list((file, call), hops),
            ("find" | "findIndex", true) => self.add(site, RowUse::Find),
            ("reduce", true) => {
                let found = if starts_at_number(module, call) { RowUse::Sum } else { RowUse::Whole };
                self.add(site, found);
            }
            ("slice", true) => self.add(site, RowUse::Page),
            ("sort" | "toSorted", true) => self.add(site, RowUse::Sort),
            ("filter", true) => {
                let is_counted = matches!(
                    module.kind(module.parent(call)),
                    Kind::Member { name, .. } if module.str(name) == "length"
                );
                self.add(site, if is_counted { RowUse::CountWhere } else { RowUse::Filter });
            }
            ("at", true) => self.add(site, RowUse::First),
            // `const users = await query.exec()`, `.then((rows) => …)`
            ("catch" | "finally" | "exec" | "lean" | "toArray", true) => self.of_list((file, call), hops),
            _ => self.add(site, RowUse::Whole),
        }
    }

    /// `const rows = …`, `const { rows } = …`, `const [row] = …`
    fn of_pattern(&mut self, (file, target): Site, hops: usize) {
        let Some(module) = self.program.module(file) else { return };
        match module.kind(target) {
            Kind::Binding(binding) | Kind::Name { binding, .. } => {
                self.of_binding(file, module, binding, hops);
            }
            Kind::ObjectPattern(parts) => {
                for part in module.list(parts) {
                    let Kind::Property { key, value } = module.kind(part) else { continue };
                    if matches!(module.str(key), "rows" | "data" | "docs" | "length") {
                        self.of_pattern((file, value), hops);
                    }
                }
            }
            Kind::Default { target, .. } => self.of_pattern((file, target), hops),
            Kind::ArrayPattern(_) => self.add((file, target), RowUse::First),
            _ => self.add((file, target), RowUse::Whole),
        }
    }

    fn of_binding(&mut self, file: FileId, module: &Module, binding: BindingId, hops: usize) {
        for name in module.references(binding) {
            let is_written =
                matches!(module.kind(module.parent(*name)), Kind::Assign { target, .. } if target == *name);
            if !is_written {
                self.of_list((file, *name), hops + 1);
            }
        }
    }

    /// `const [users, count] = await Promise.all([query, …])`
    fn of_element(&mut self, module: &Module, (file, array): Site, node: NodeId, hops: usize) {
        let Kind::Array(items) = module.kind(array) else { return };
        let index = module.list(items).position(|item| item == node);
        let call = module.parent(array);
        let awaited = module.parent(call);
        let declarator = module.parent(awaited);
        let is_all = matches!(module.kind(call), Kind::Call { callee, .. } if matches!(module.source(callee), "Promise.all"));
        if is_all
            && let Kind::Declarator { target, .. } = module.kind(declarator)
            && let Kind::ArrayPattern(parts) = module.kind(target)
            && let Some(part) = index.and_then(|index| module.list(parts).nth(index))
        {
            self.of_pattern((file, part), hops);
            return;
        }
        self.add((file, node), RowUse::Whole);
    }

    /// The callers' uses of what a function gives back.
    fn returned(&mut self, file: FileId, function: FunctionId, whole: Site, hops: usize) {
        let sites = self.program.links().call_sites(file, function);
        if sites.is_empty() || sites.len() > 12 {
            self.add(whole, RowUse::Whole);
            return;
        }
        for site in sites {
            self.of_list(*site, hops + 1);
        }
    }
}

/// Whether a call is given columns or a condition, which only a query takes; arrays take functions.
fn has_condition(module: &Module, call: NodeId) -> bool {
    let Kind::Call { arguments, .. } = module.kind(call) else { return false };
    let first = module.list(arguments).next();
    first.is_some_and(|first| matches!(module.kind(first), Kind::String(_) | Kind::Object(_)))
}

/// Whether a number of rows is only asked for being none: `rows.length > 0`, `if (rows.length)`, `!rows.length`.
fn asks_for_any(module: &Module, length: NodeId) -> bool {
    let parent = module.parent(length);
    match module.kind(parent) {
        Kind::Unary { operator: Unary::Not, .. }
        | Kind::Binary { operator: Binary::And | Binary::Or, .. } => true,
        Kind::If { test, .. } | Kind::Conditional { test, .. } => test == length,
        Kind::Binary { operator, left, right } => {
            let is_compared = matches!(
                operator,
                Binary::Equal
                    | Binary::NotEqual
                    | Binary::Greater
                    | Binary::GreaterEqual
                    | Binary::Less
                    | Binary::LessEqual
            );
            let other = if left == length { right } else { left };
            is_compared && matches!(module.source(other), "0" | "1")
        }
        _ => false,
    }
}

/// `reduce(…, 0)`
fn starts_at_number(module: &Module, call: NodeId) -> bool {
    let Kind::Call { arguments, .. } = module.kind(call) else { return false };
    module.list(arguments).nth(1).is_some_and(|start| matches!(module.kind(start), Kind::Number(_)))
}
