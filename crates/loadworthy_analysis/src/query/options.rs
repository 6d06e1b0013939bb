//! What an options object holds: literals through variables, spreads, functions that give one back, and properties that
//! are set later.

use loadworthy_project::FileId;
use loadworthy_syntax::{Binary, BindingId, Kind, Module, NodeId};

use super::told::Told;
use crate::values::{Resolver, Site, Value};

/// The properties of an object, as far as the code tells.
#[derive(Clone, Debug, Default)]
pub struct Options {
    properties: Vec<Property>,
    /// Something unknown is spread into it, or it is not known at all.
    pub is_open: bool,
}

/// One property.
#[derive(Clone, Debug)]
pub struct Property {
    /// The constant key.
    pub name: Box<str>,
    /// The value.
    pub value: Site,
    /// It is there only in some cases.
    pub is_optional: bool,
}

/// What is asked while an object is read.
struct Source<'s, 'p> {
    resolver: &'s Resolver<'p>,
    told: Option<&'s Told>,
}

impl Source<'_, '_> {
    fn at(&self, site: Site) -> Option<Site> {
        match self.told {
            Some(told) => told.at(self.resolver, site),
            None => Some(site),
        }
    }
}

/// Deepest nesting of spreads and variables.
const MAX_DEPTH: usize = 10;

impl Options {
    /// What the expression holds.
    #[must_use]
    pub fn of(resolver: &Resolver<'_>, site: Site) -> Self {
        Self::of_told(resolver, None, site)
    }

    /// What the expression holds, with what is handed over for parameters.
    pub(super) fn of_told(resolver: &Resolver<'_>, told: Option<&Told>, site: Site) -> Self {
        let mut options = Self::default();
        options.read(&Source { resolver, told }, site, false, 0);
        options
    }

    /// The properties, in the order in which they are set.
    pub fn iter(&self) -> impl Iterator<Item = &Property> {
        self.properties.iter()
    }

    /// Every value that a property may have, the last set first.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Property> {
        self.properties.iter().rev().filter(move |it| &*it.name == name)
    }

    /// The value of a property.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Site> {
        self.all(name).next().map(|it| it.value)
    }

    /// Whether there is nothing in it, for certain.
    pub(super) fn is_empty(&self) -> bool {
        self.properties.is_empty() && !self.is_open
    }

    fn read(&mut self, from: &Source<'_, '_>, site: Site, is_optional: bool, depth: usize) {
        // Where nothing is handed over, nothing is in it.
        let Some((file, node)) = from.at(site) else { return };
        let Some(module) = from.resolver.program().module(file) else {
            self.is_open = true;
            return;
        };
        if depth > MAX_DEPTH {
            self.is_open = true;
            return;
        }
        let next = |this: &mut Self, node: NodeId, is_optional: bool| {
            this.read(from, (file, node), is_optional, depth + 1);
        };
        match module.kind(node) {
            Kind::Object(parts) => {
                for part in module.list(parts) {
                    self.part(from, file, module, part, is_optional, depth);
                }
            }
            Kind::Conditional { then, otherwise, .. } => {
                next(self, then, true);
                next(self, otherwise, true);
            }
            // `...(x && { y })`
            Kind::Binary { operator: Binary::And, right, .. } => next(self, right, true),
            Kind::Binary { operator: Binary::Or | Binary::Nullish, left, right } => {
                next(self, left, true);
                next(self, right, true);
            }
            Kind::Default { value, .. } | Kind::Await(value) => next(self, value, is_optional),
            Kind::Null | Kind::Bool(_) | Kind::Hole => {}
            Kind::Name { name, binding: BindingId::NONE } if module.str(name) == "undefined" => {}
            _ => self.value(from, (file, node), module, is_optional, depth),
        }
    }

    fn part(
        &mut self,
        from: &Source<'_, '_>,
        file: FileId,
        module: &Module,
        part: NodeId,
        is_optional: bool,
        depth: usize,
    ) {
        match module.kind(part) {
            Kind::Property { key, value } => {
                self.properties.push(Property {
                    name: module.str(key).into(),
                    value: (file, if value.is_some() { value } else { part }),
                    is_optional,
                });
            }
            Kind::Spread(value) => self.read(from, (file, value), is_optional, depth + 1),
            Kind::ComputedProperty { key, value } => match from.resolver.text_of((file, key)) {
                Some(name) => {
                    self.properties.push(Property { name: name.into(), value: (file, value), is_optional });
                }
                None => self.computed(from, (file, key), (file, value), is_optional),
            },
            _ => self.is_open = true,
        }
    }

    /// `[Op.or]: […]`: named after the member; anything else is open.
    fn computed(&mut self, from: &Source<'_, '_>, (file, key): Site, value: Site, is_optional: bool) {
        let Some(module) = from.resolver.program().module(file) else { return };
        match module.kind(key) {
            Kind::Member { name, .. } => {
                let name = format!("${}", module.str(name));
                self.properties.push(Property { name: name.into(), value, is_optional });
            }
            _ => self.is_open = true,
        }
    }

    /// By what the resolver knows, and what is set on the variable later.
    fn value(&mut self, from: &Source<'_, '_>, site: Site, module: &Module, is_optional: bool, depth: usize) {
        let values = from.resolver.filled(&from.resolver.value_of(site));
        let objects: Vec<Site> = values
            .iter()
            .filter_map(|value| match value {
                Value::Object(file, node) if (*file, *node) != site => Some((*file, *node)),
                _ => None,
            })
            .collect();
        self.is_open |= objects.is_empty() || objects.len() < values.len();
        let is_choice = objects.len() > 1;
        for object in objects {
            self.read(from, object, is_optional || is_choice, depth + 1);
        }
        if let Kind::Name { binding, .. } = module.kind(site.1) {
            self.assigned(site.0, module, binding, site.1);
        }
    }

    /// `where.status = x` before the use; `where[key] = x` leaves it open.
    fn assigned(&mut self, file: FileId, module: &Module, binding: BindingId, until: NodeId) {
        let end = module.node(until).span.start;
        for name in module.references(binding) {
            if module.node(*name).span.start >= end {
                break;
            }
            let member = module.parent(*name);
            let Kind::Assign { target, value, .. } = module.kind(module.parent(member)) else { continue };
            if target != member {
                continue;
            }
            match module.kind(member) {
                Kind::Member { object, name: key } if object == *name => {
                    let is_optional = !shares_block(module, member, until);
                    let name = module.str(key).into();
                    self.properties.push(Property { name, value: (file, value), is_optional });
                }
                Kind::Index { object, .. } if object == *name => self.is_open = true,
                _ => {}
            }
        }
    }
}

/// Whether nothing decides over the first place that does not decide over the second.
fn shares_block(module: &Module, first: NodeId, second: NodeId) -> bool {
    let block = module.ancestors(first).find(|node| {
        matches!(
            module.kind(*node),
            Kind::Block(_) | Kind::Case { .. } | Kind::If { .. } | Kind::Conditional { .. }
        )
    });
    block.is_none_or(|block| module.ancestors(second).any(|outer| outer == block))
}
