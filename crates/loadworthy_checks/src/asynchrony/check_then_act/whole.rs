//! Rows that are written back whole: the fields that did not change as they were read.

use loadworthy_analysis::{Access, Family, Yields, results, uses};
use loadworthy_syntax::{Binary, BindingId, Kind, Module, NodeId};

use super::rows::Race;
use crate::audit::Audit;

/// Whether the fields that nobody changed are written as they were read.
pub(super) fn is_written_whole(
    audit: &Audit<'_, '_>,
    module: &Module,
    race: &Race<'_>,
    names: &[BindingId],
) -> bool {
    let table = race.read.query.table.as_deref().unwrap_or_default();
    let known = audit.analysis.models().table_named(race.read.query.site.0, table);
    let is_versioned = known
        .is_some_and(|it| it.columns.iter().any(|column| column.name.to_lowercase().contains("version")));
    if race.read.query.yields != Yields::One && race.read.query.family != Family::Sql || is_versioned {
        return false;
    }
    // The library compares what is saved with the row as it is by then, and writes every column that differs.
    let is_compared = race.write.query.family == Family::TypeOrm
        && saves_read(audit, module, &race.write, names)
        && is_changed(module, race, names);
    is_compared || spreads(module, race.write.expression().1, names) || falls_back(module, race, names)
}

/// Whether a write is the `save` of what was read: of the row itself, here or in what it is handed to.
pub(super) fn saves_read(
    audit: &Audit<'_, '_>,
    module: &Module,
    write: &Access<'_>,
    names: &[BindingId],
) -> bool {
    let is_of = |module: &Module, node: NodeId, names: &[BindingId]| {
        saved(module, node).is_some_and(
            |saved| matches!(module.kind(saved), Kind::Name { binding, .. } if names.contains(&binding)),
        )
    };
    if write.hops == 0 {
        return is_of(module, write.at.1, names);
    }
    let Some(call) = audit.analysis.calls().at(write.at) else { return false };
    let [target] = call.targets.as_slice() else { return false };
    let (Kind::Call { arguments, .. }, Some(callee)) =
        (module.kind(write.at.1), audit.program().module(target.0))
    else {
        return false;
    };
    let handed = module
        .list(arguments)
        .position(|node| matches!(module.kind(node), Kind::Name { binding, .. } if names.contains(&binding)));
    let parameter = handed.and_then(|at| {
        let list = callee.function(target.1)?.parameters;
        match callee.kind(callee.list(list).nth(at)?) {
            Kind::Binding(binding) => Some(binding),
            _ => None,
        }
    });
    let (file, save) = write.query.written_at();
    parameter.is_some_and(|parameter| file == target.0 && is_of(callee, save, &[parameter]))
}

/// What `entity.save()`, `users.save(entity)` or `manager.save(User, entity)` saves.
fn saved(module: &Module, call: NodeId) -> Option<NodeId> {
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    if module.str(name) != "save" {
        return None;
    }
    let all: Vec<NodeId> = module.list(arguments).collect();
    match all.as_slice() {
        [] => Some(object),
        [first, second, ..] if module.source(*first).starts_with(char::is_uppercase) => Some(*second),
        [first, ..] => Some(*first),
    }
}

/// Fields of the row are set between the read and the write: `user.name = name`, `Object.assign(user, dto)`,
/// `users.merge(user, dto)`.
fn is_changed(module: &Module, race: &Race<'_>, names: &[BindingId]) -> bool {
    let (after, before) = (module.node(race.read.at.1).span.end, module.node(race.write.at.1).span.start);
    let references = names.iter().flat_map(|name| module.references(*name).iter().copied());
    references.into_iter().any(|reference| {
        let span = module.node(reference).span;
        if span.start < after || span.end > before {
            return false;
        }
        let parent = module.parent(reference);
        match module.kind(parent) {
            Kind::Member { object, .. } if object == reference => {
                matches!(module.kind(module.parent(parent)), Kind::Assign { target, .. } if target == parent)
            }
            Kind::Call { callee, arguments } => {
                let is_first = module.list(arguments).next() == Some(reference);
                is_first
                    && matches!(module.kind(callee), Kind::Member { name, .. }
                        if matches!(module.str(name), "assign" | "merge"))
            }
            _ => false,
        }
    })
}

/// `update({ data: { ...row, ...changes } })`
fn spreads(module: &Module, write: NodeId, names: &[BindingId]) -> bool {
    module.all_nodes(write).into_iter().any(|node| {
        let Kind::Spread(value) = module.kind(node) else { return false };
        matches!(module.kind(value), Kind::Name { binding, .. } if names.contains(&binding))
            && matches!(module.kind(module.parent(node)), Kind::Object(_))
    })
}

/// `[name ?? row.name, email ?? row.email]`: what the client did not send is written as it was read. One alone is a default.
fn falls_back(module: &Module, race: &Race<'_>, names: &[BindingId]) -> bool {
    let write = race.write.expression().1;
    let rows = rows_of(module, race, names);
    let references = rows.iter().flat_map(|name| module.references(*name).iter().copied());
    let fallbacks = references.filter(|reference| {
        let mut inner = *reference;
        module.contains(write, *reference)
            && module.ancestors(*reference).take_while(|outer| module.contains(write, *outer)).any(|outer| {
                let is_fallback = match module.kind(outer) {
                    Kind::Binary { operator: Binary::Or | Binary::Nullish, left, right } => {
                        right == inner && same_field(module, left, right)
                    }
                    Kind::Conditional { then, otherwise, .. } => {
                        otherwise == inner && same_field(module, then, otherwise)
                    }
                    _ => false,
                };
                inner = outer;
                is_fallback
            })
    });
    fallbacks.count() > 1
}

/// The names of the row: what was read, and the first of its rows (`const task = result.rows[0]`).
fn rows_of(module: &Module, race: &Race<'_>, names: &[BindingId]) -> Vec<BindingId> {
    let mut all = names.to_vec();
    for (at, declared) in module.bindings().iter().enumerate() {
        let Kind::Declarator { init, .. } = module.kind(module.parent(declared.node)) else { continue };
        let is_first = init.is_some()
            && matches!(module.kind(init), Kind::Index { .. })
            && module.node(init).span.start > module.node(race.read.at.1).span.end
            && uses(module, init, names);
        if is_first {
            all.push(BindingId::new(at));
        }
    }
    debug_assert!(results(module, race.read.at.1).iter().all(|name| all.contains(name)));
    all
}

/// Whether both sides are of one field: `name ?? row.name`, `body.name || row.name`.
fn same_field(module: &Module, sent: NodeId, kept: NodeId) -> bool {
    let last = |node: NodeId| {
        let text = module.source(node);
        text.rsplit('.').next().unwrap_or(text).trim_end_matches([')', '!']).replace('_', "").to_lowercase()
    };
    last(sent) == last(kept)
}
