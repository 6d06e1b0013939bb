//! Code that only runs in development: what stands behind `process.env.NODE_ENV !== "production"`.

use loadworthy_syntax::{Binary, Kind, Module, NodeId, Unary};

use crate::program::Program;
use crate::values::{Resolver, Site, Step, Value};

/// Whether a place is only reached where the application does not run in production.
#[must_use]
pub fn is_development_only(program: &Program<'_>, resolver: &Resolver<'_>, (file, node): Site) -> bool {
    let Some(module) = program.module(file) else { return false };
    let asking = Asking { module, resolver, file };
    let mut inner = node;
    for outer in module.ancestors(node) {
        let (test, then, otherwise) = match module.kind(outer) {
            Kind::If { test, then, otherwise } | Kind::Conditional { test, then, otherwise } => {
                (test, then, otherwise)
            }
            Kind::Binary { operator: Binary::And, left, right } => (left, right, NodeId::NONE),
            _ => {
                inner = outer;
                continue;
            }
        };
        let is_excluded = match asking.holds(test, 0) {
            Some(false) => inner == then,
            Some(true) => inner == otherwise,
            None => false,
        };
        if is_excluded {
            return true;
        }
        inner = outer;
    }
    false
}

struct Asking<'r, 'p> {
    module: &'r Module,
    resolver: &'r Resolver<'p>,
    file: loadworthy_project::FileId,
}

/// Constants behind constants that are followed.
const MAX_DEPTH: usize = 6;

impl Asking<'_, '_> {
    /// Whether a condition holds in production; `None` where it is about something else.
    fn holds(&self, test: NodeId, depth: usize) -> Option<bool> {
        let module = self.module;
        if depth > MAX_DEPTH {
            return None;
        }
        match module.kind(test) {
            Kind::Binary { operator: operator @ (Binary::Equal | Binary::NotEqual), left, right } => {
                let other =
                    if self.is_mode(left) { right } else { Some(left).filter(|_| self.is_mode(right))? };
                let Kind::String(mode) = module.kind(other) else { return None };
                Some((module.str(mode) == "production") == (operator == Binary::Equal))
            }
            Kind::Unary { operator: Unary::Not, value } => Some(!self.holds(value, depth + 1)?),
            Kind::Binary { operator: operator @ (Binary::And | Binary::Or), left, right } => {
                let (left, right) = (self.holds(left, depth + 1), self.holds(right, depth + 1));
                let decides = operator == Binary::Or;
                if left == Some(decides) || right == Some(decides) {
                    return Some(decides);
                }
                (left.is_some() && right.is_some()).then_some(!decides)
            }
            // `const isProduction = process.env.NODE_ENV === "production"`
            Kind::Name { binding, .. } => {
                let declared = module.binding(binding)?;
                match module.kind(module.parent(declared.node)) {
                    Kind::Declarator { target, init } if target == declared.node && init.is_some() => {
                        self.holds(init, depth + 1)
                    }
                    _ => None,
                }
            }
            // Bundlers put constants in their place.
            Kind::Member { name, .. } => match (module.source(test), module.str(name)) {
                ("import.meta.env.DEV", _) => Some(false),
                ("import.meta.env.PROD", _) => Some(true),
                _ => None,
            },
            _ => None,
        }
    }

    fn is_mode(&self, node: NodeId) -> bool {
        self.resolver.value_of((self.file, node)).iter().any(|value| match value {
            Value::External(external) => {
                matches!(&*external.steps, [Step::Get(_), Step::Get(key)] if &**key == "NODE_ENV")
            }
            _ => false,
        })
    }
}
