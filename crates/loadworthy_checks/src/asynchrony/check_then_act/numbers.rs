//! Numbers that are computed from the rows that are there: how many, or the outermost of a list.

use loadworthy_analysis::{Access, Yields, accesses, derived, results, uses};
use loadworthy_syntax::{Binary, BindingId, Kind, Module, NodeId};

use super::rows::Race;
use crate::audit::Audit;

/// `number: count + 1`, also through variables and texts: `INV-${count + 1}`.
pub(super) fn counted_up(
    audit: &Audit<'_, '_>,
    module: &Module,
    race: &Race<'_>,
    names: &[BindingId],
) -> bool {
    let is_list = race.read.query.yields == Yields::Many;
    if race.read.query.yields != Yields::Summary && !is_list {
        return false;
    }
    let (read, write) = (race.read.at, race.write.expression());
    let (after, before) = (module.node(read.1).span.end, module.node(write.1).span.end);
    let references = names.iter().flat_map(|name| module.references(*name).iter().copied());
    let between = references.filter(|at| {
        let span = module.node(*at).span;
        span.start > after && span.end <= before
    });
    between.into_iter().filter_map(|at| plus_one(module, at, is_list)).any(|sum| {
        if module.contains(write.1, sum) {
            return true;
        }
        let declared = module.ancestors(sum).find_map(|outer| match module.kind(outer) {
            Kind::Declarator { target, .. } => Some(target),
            _ => None,
        });
        let Some(Kind::Binding(number)) = declared.map(|target| module.kind(target)) else { return false };
        let all = derived(audit.analysis, (read.0, module), &[number], (read.1, write.1));
        uses(module, write.1, &all)
    })
}

/// The `count + 1` or `rows.length + 1` that a name is the beginning of.
fn plus_one(module: &Module, reference: NodeId, is_list: bool) -> Option<NodeId> {
    let mut inner = reference;
    let mut is_number = !is_list;
    for outer in module.ancestors(reference) {
        match module.kind(outer) {
            Kind::Member { name, .. } => {
                is_number |= matches!(module.str(name), "length" | "size" | "rowCount");
            }
            Kind::Index { .. } | Kind::Binary { operator: Binary::Or | Binary::Nullish, .. } => {}
            Kind::Call { callee, .. } if callee != inner => {}
            Kind::Binary { operator: Binary::Add, left, right } => {
                let other = if left == inner { right } else { left };
                return (is_number && module.source(other) == "1").then_some(outer);
            }
            _ => return None,
        }
        inner = outer;
    }
    None
}

/// `const position = await nextPosition(list)`: what is called gives one more, or less, than the rows that it read have.
pub(super) fn returned_next(
    audit: &Audit<'_, '_>,
    module: &Module,
    race: &Race<'_>,
    names: &[BindingId],
) -> bool {
    if race.read.hops == 0 || !uses(module, race.write.expression().1, names) {
        return false;
    }
    let Some(call) = audit.analysis.calls().at(race.read.at) else { return false };
    let [target] = call.targets.as_slice() else { return false };
    let Some(callee) = audit.program().module(target.0) else { return false };
    let inner = accesses(audit.analysis, *target);
    let Some(read) = inner.iter().find(|access| race.read.query.stands_for(access.query)) else {
        return false;
    };
    gives_next(audit, callee, (read, target.1))
}

/// Whether a function returns the sum or difference of one and what was read.
fn gives_next(
    audit: &Audit<'_, '_>,
    module: &Module,
    (read, function): (&Access<'_>, loadworthy_syntax::FunctionId),
) -> bool {
    let names = results(module, read.at.1);
    let Some(lowered) = module.function(function) else { return false };
    let all = derived(audit.analysis, (read.at.0, module), &names, (read.at.1, lowered.body));
    module.all_nodes(lowered.node).into_iter().any(|node| match module.kind(node) {
        Kind::Return(value) if module.enclosing_function(node) == function && value.is_some() => {
            is_next(module, value, &all)
        }
        _ => false,
    })
}

/// `Math.min(...positions) - 1`, `last ? last.number + 1 : 1`, `String(count + 1)`; not `rows[rows.length - 1]`.
fn is_next(module: &Module, node: NodeId, names: &[BindingId]) -> bool {
    match module.kind(node) {
        Kind::Binary { operator: Binary::Add | Binary::Subtract, left, right } => {
            module.source(right) == "1" && uses(module, left, names)
        }
        Kind::Conditional { then, otherwise, .. } => {
            is_next(module, then, names) || is_next(module, otherwise, names)
        }
        Kind::Template { values, .. } => module.list(values).any(|part| is_next(module, part, names)),
        Kind::Call { callee, arguments } => match module.kind(callee) {
            Kind::Member { object, .. } => is_next(module, object, names),
            _ => module.list(arguments).next().is_some_and(|first| is_next(module, first, names)),
        },
        _ => false,
    }
}
