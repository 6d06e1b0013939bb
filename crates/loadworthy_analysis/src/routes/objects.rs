//! The properties of object literals, with what is spread or merged into them.

use loadworthy_syntax::{ExportTarget, Kind};

use crate::values::{Resolver, Site, Step, Value};

/// Deepest nesting of spreads and merges that is followed.
const MAX_DEPTH: usize = 8;

/// Most properties of one object.
const MAX_PROPERTIES: usize = 4096;

/// Names and values of the properties of what an expression is: an object literal, the exports of a file, or what a call
/// merges (`merge(a, b)`, `Object.assign({}, a, b)`, `[a, b]`).
pub(super) fn properties(resolver: &Resolver<'_>, site: Site) -> Vec<(String, Site)> {
    let mut found = Vec::new();
    collect(resolver, site, 0, &mut found);
    found
}

fn collect(resolver: &Resolver<'_>, (file, node): Site, depth: usize, found: &mut Vec<(String, Site)>) {
    if depth > MAX_DEPTH || found.len() > MAX_PROPERTIES {
        return;
    }
    let Some(module) = resolver.program().module(file) else { return };
    // A call of a function of the program is what it gives back; of a library's, what it is given.
    if let Kind::Spread(value) = module.kind(node) {
        return collect(resolver, (file, value), depth + 1, found);
    }
    for value in resolver.value_of((file, node)).iter() {
        match value {
            Value::Object(file, object) => own(resolver, (*file, *object), depth, found),
            Value::Array(file, array) => {
                let Some(module) = resolver.program().module(*file) else { continue };
                let Kind::Array(items) = module.kind(*array) else { continue };
                for item in module.list(items) {
                    collect(resolver, (*file, item), depth + 1, found);
                }
            }
            Value::Namespace(file) => {
                let Some(module) = resolver.program().module(*file) else { continue };
                for export in module.exports() {
                    let is_star = matches!(export.target, ExportTarget::Star { .. });
                    let name = module.str(export.name);
                    if let Some(site) = resolver.export_site(*file, name).filter(|_| !is_star) {
                        found.push((name.to_owned(), site));
                    }
                }
            }
            Value::External(external) => {
                let Some(Step::Call(call)) = external.steps.last() else { continue };
                let Some(module) = resolver.program().module(call.0) else { continue };
                let Kind::Call { arguments, .. } = module.kind(call.1) else { continue };
                for argument in module.list(arguments) {
                    collect(resolver, (call.0, argument), depth + 1, found);
                }
            }
            _ => {}
        }
    }
}

fn own(resolver: &Resolver<'_>, (file, object): Site, depth: usize, found: &mut Vec<(String, Site)>) {
    let Some(module) = resolver.program().module(file) else { return };
    let Kind::Object(parts) = module.kind(object) else { return };
    for part in module.list(parts) {
        match module.kind(part) {
            Kind::Property { key, value } if value.is_some() => {
                found.push((module.str(key).to_owned(), (file, value)));
            }
            Kind::Spread(value) => collect(resolver, (file, value), depth + 1, found),
            _ => {}
        }
    }
}
