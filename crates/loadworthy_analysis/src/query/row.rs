//! What becomes of a relation that is read along with one row.

use loadworthy_project::FileId;
use loadworthy_syntax::{Binary, BindingId, FunctionId, Kind, Module, NodeId, Unary};

use super::Query;
use super::uses::{RowUse, list_uses};
use crate::program::Program;
use crate::values::Site;

/// Most hops from the query to a use.
const MAX_HOPS: usize = 4;
/// Most calls of a function that gives the row back.
const MAX_CALLERS: usize = 60;

/// Every use of a relation of the row that a query gives; where the row goes to code that may read any of it, one that is
/// [`RowUse::Whole`].
#[must_use]
pub fn relation_uses(program: &Program<'_>, query: &Query, relation: &str) -> Vec<(Site, RowUse)> {
    let mut row = Row { program, relation, found: Vec::new() };
    row.of_row(query.whole, 0);
    row.found
}

struct Row<'u, 'p> {
    program: &'u Program<'p>,
    relation: &'u str,
    found: Vec<(Site, RowUse)>,
}

impl Row<'_, '_> {
    fn add(&mut self, all: impl IntoIterator<Item = (Site, RowUse)>) {
        for one in all {
            if !self.found.contains(&one) {
                self.found.push(one);
            }
        }
    }

    /// The uses of an expression that is the row, or the promise of it.
    fn of_row(&mut self, (file, node): Site, hops: usize) {
        let Some(module) = self.program.module(file) else { return };
        let parent = module.parent(node);
        let whole = [((file, node), RowUse::Whole)];
        if hops > MAX_HOPS {
            return self.add(whole);
        }
        match module.kind(parent) {
            Kind::Await(_) | Kind::Binary { operator: Binary::Or | Binary::Nullish, .. } => {
                self.of_row((file, parent), hops);
            }
            Kind::Declarator { target, init } if init == node => self.of_pattern((file, target), hops),
            Kind::Assign { target, value, .. } if value == node => self.of_pattern((file, target), hops),
            Kind::Member { object, name } if object == node => {
                if module.str(name) == self.relation {
                    self.add(list_uses(self.program, (file, parent)));
                }
            }
            Kind::Return(_) => self.returned(file, module.enclosing_function(node), None, whole, hops),
            Kind::Function(function) => self.returned(file, function, None, whole, hops),
            // `return { team, document }`
            Kind::Property { key, .. } => self.in_object((file, parent), module.str(key), whole, hops),
            // Whether there is one at all.
            Kind::Unary { operator: Unary::Not, .. } | Kind::Expression(_) => {}
            Kind::If { test, .. } | Kind::Conditional { test, .. } if test == node => {}
            Kind::Binary { operator: Binary::And | Binary::Equal | Binary::NotEqual, left, .. }
                if left == node => {}
            _ => self.add(whole),
        }
    }

    /// `const row = …`, `const { members } = …`
    fn of_pattern(&mut self, (file, target): Site, hops: usize) {
        let Some(module) = self.program.module(file) else { return };
        match module.kind(target) {
            Kind::Binding(binding) | Kind::Name { binding, .. } if binding != BindingId::NONE => {
                for name in module.references(binding) {
                    let is_target = matches!(module.kind(module.parent(*name)), Kind::Assign { target, .. } if target == *name);
                    if !is_target {
                        self.of_row((file, *name), hops + 1);
                    }
                }
            }
            Kind::ObjectPattern(parts) => {
                let known: Option<Vec<(&str, NodeId)>> = module
                    .list(parts)
                    .map(|part| match module.kind(part) {
                        Kind::Property { key, value } => Some((module.str(key), value)),
                        _ => None,
                    })
                    .collect();
                match known {
                    Some(known) if known.iter().all(|(key, _)| *key != self.relation) => {}
                    _ => self.add([((file, target), RowUse::Whole)]),
                }
            }
            _ => self.add([((file, target), RowUse::Whole)]),
        }
    }

    /// The row is a property of an object: that is followed where a function gives it back.
    fn in_object(&mut self, (file, property): Site, key: &str, whole: [(Site, RowUse); 1], hops: usize) {
        let Some(module) = self.program.module(file) else { return };
        let object = module.parent(property);
        match module.kind(module.parent(object)) {
            Kind::Return(_) => {
                self.returned(file, module.enclosing_function(object), Some(key), whole, hops);
            }
            Kind::Function(function) => self.returned(file, function, Some(key), whole, hops),
            _ => self.add(whole),
        }
    }

    /// The callers' uses of what a function gives back: the row, or the object that holds it under a key.
    fn returned(
        &mut self,
        file: FileId,
        function: FunctionId,
        key: Option<&str>,
        whole: [(Site, RowUse); 1],
        hops: usize,
    ) {
        let sites = self.program.links().call_sites(file, function);
        if sites.is_empty() || sites.len() > MAX_CALLERS {
            return self.add(whole);
        }
        for site in sites {
            match key {
                Some(key) => self.of_holder(*site, key, whole, hops + 1),
                None => self.of_row(*site, hops + 1),
            }
        }
    }

    /// The uses of an object that holds the row.
    fn of_holder(&mut self, (file, node): Site, key: &str, whole: [(Site, RowUse); 1], hops: usize) {
        let Some(module) = self.program.module(file) else { return };
        let parent = module.parent(node);
        match module.kind(parent) {
            Kind::Await(_) => self.of_holder((file, parent), key, whole, hops),
            Kind::Expression(_) => {}
            Kind::Member { object, name } if object == node => {
                if module.str(name) == key {
                    self.of_row((file, parent), hops);
                }
            }
            Kind::Declarator { target, init } if init == node => match module.kind(target) {
                Kind::ObjectPattern(parts) => {
                    for part in module.list(parts) {
                        self.of_part(module, (file, part), key, whole, hops);
                    }
                }
                _ => self.add(whole),
            },
            _ => self.add(whole),
        }
    }

    fn of_part(&mut self, module: &Module, part: Site, key: &str, whole: [(Site, RowUse); 1], hops: usize) {
        match module.kind(part.1) {
            Kind::Property { key: name, value } => {
                if module.str(name) == key {
                    self.of_pattern((part.0, value), hops);
                }
            }
            _ => self.add(whole),
        }
    }
}
