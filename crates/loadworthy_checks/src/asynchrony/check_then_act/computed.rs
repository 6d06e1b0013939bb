//! Values that are computed from what was read.

use loadworthy_analysis::{Access, derived, uses};
use loadworthy_syntax::{Binary, BindingId, Kind, Module, NodeId};

use super::rows::Race;
use crate::audit::Audit;

/// The written values are computed from what was read: `row.stock - 1`, or a variable that holds it.
pub(super) fn is_computed(module: &Module, race: &Race<'_>, names: &[BindingId]) -> bool {
    computed(module, race, names).is_some()
}

/// What is computed with: the `row.stock` of `row.stock - 1`, in the write or in a variable that it uses.
pub(super) fn computed(module: &Module, race: &Race<'_>, names: &[BindingId]) -> Option<NodeId> {
    let (read, write) = (race.read.at.1, race.write.expression().1);
    let names = &with_rows(module, names);
    arithmetic(module, write, names).or_else(|| {
        let (after, before) = (module.node(read).span.start, module.node(write).span.start);
        module.bindings().iter().enumerate().find_map(|(at, declared)| {
            let Kind::Declarator { init, .. } = module.kind(module.parent(declared.node)) else {
                return None;
            };
            let span = module.node(init).span;
            let is_between = init.is_some() && span.start > after && span.end < before;
            let operand = arithmetic(module, init, names).filter(|_| is_between)?;
            uses(module, write, &[BindingId::new(at)]).then_some(operand)
        })
    })
}

/// The names, and those that hold a part of theirs: `const row = rows[0]`, `const [row] = rows`, `const { stock } = row`.
fn with_rows(module: &Module, names: &[BindingId]) -> Vec<BindingId> {
    let mut all = names.to_vec();
    for (at, _) in module.bindings().iter().enumerate() {
        let name = BindingId::new(at);
        if !all.contains(&name) && part_of(module, name).is_some_and(|whole| is_name_of(module, whole, &all))
        {
            all.push(name);
        }
    }
    all
}

/// What a declared name is a part of.
fn part_of(module: &Module, name: BindingId) -> Option<NodeId> {
    let declared = module.binding(name)?;
    let declarator = module.ancestors(declared.node).find_map(|at| match module.kind(at) {
        Kind::Declarator { init, .. } => Some(Some(init)),
        Kind::ArrayPattern(_) | Kind::ObjectPattern(_) | Kind::Property { .. } => None,
        _ => Some(None),
    });
    let mut whole = declarator.flatten()?;
    while let Kind::Member { object, .. } | Kind::Index { object, .. } = module.kind(whole) {
        whole = object;
    }
    Some(whole)
}

fn is_name_of(module: &Module, node: NodeId, names: &[BindingId]) -> bool {
    matches!(module.kind(node), Kind::Name { binding, .. } if names.contains(&binding))
}

/// The operand `row.count` of a `row.count + 1` below a node, for a row of one of the names.
fn arithmetic(module: &Module, node: NodeId, names: &[BindingId]) -> Option<NodeId> {
    let references = names.iter().flat_map(|name| module.references(*name).iter().copied());
    let inside = references.filter(|reference| module.contains(node, *reference));
    inside.into_iter().find_map(|reference| operand(module, reference))
}

/// The operand of an addition, subtraction or multiplication that a name is the beginning of.
fn operand(module: &Module, reference: NodeId) -> Option<NodeId> {
    let mut inner = reference;
    for outer in module.ancestors(reference) {
        match module.kind(outer) {
            Kind::Member { .. } | Kind::Binary { operator: Binary::Or | Binary::Nullish, .. } => {}
            Kind::Index { object, .. } if object == inner => {}
            // `Number(row.total)`
            Kind::Call { callee, .. } if callee != inner => {}
            // `snapshot.data()`
            Kind::Call { arguments, .. } if arguments.is_empty() => {}
            // `[...post.tags, tag]`, `{ ...account.settings, ...patch }`: a list or document in a column, written anew.
            Kind::Spread(_) if matches!(module.kind(inner), Kind::Member { .. }) => {
                let whole = module.parent(outer);
                let is_value = matches!(module.kind(module.parent(whole)), Kind::Property { value, .. } if value == whole);
                return is_value.then_some(inner);
            }
            Kind::Binary { operator: Binary::Add | Binary::Subtract | Binary::Multiply, left, right } => {
                return is_number(module, (left, right), inner).then_some(inner);
            }
            _ => return None,
        }
        inner = outer;
    }
    None
}

/// Not the concatenation of texts.
fn is_number(module: &Module, (left, right): (NodeId, NodeId), inner: NodeId) -> bool {
    let other = if left == inner { right } else { left };
    !matches!(module.kind(other), Kind::String(_) | Kind::Template { .. })
        && match module.kind(inner) {
            Kind::Member { .. } | Kind::Binary { .. } | Kind::Call { .. } => true,
            Kind::Name { binding, .. } => is_field(module, binding),
            _ => false,
        }
}

/// `stock` of `const { stock } = row`: a field, where the whole row can't be calculated with.
fn is_field(module: &Module, name: BindingId) -> bool {
    let pattern = module.binding(name).map(|declared| module.parent(declared.node));
    pattern.is_some_and(|at| matches!(module.kind(at), Kind::Property { .. }))
}

/// `document.count += 1; await document.save()`: the document that is written was changed by arithmetic on its own value.
pub(super) fn changed_in_place(module: &Module, race: &Race<'_>, names: &[BindingId]) -> Option<NodeId> {
    let (read, write) = (race.read.at.1, race.write.expression().1);
    let (after, before) = (module.node(read).span.end, module.node(write).span.start);
    if !uses(module, write, names) {
        return None;
    }
    let references = names.iter().flat_map(|name| module.references(*name).iter().copied());
    let between = references.filter(|reference| {
        let span = module.node(*reference).span;
        span.start > after && span.end < before
    });
    between.into_iter().find_map(|reference| {
        let member = module.parent(reference);
        let Kind::Member { object, .. } = module.kind(member) else { return None };
        let change = module.parent(member);
        let is_change = match module.kind(change) {
            Kind::Assign { operator: Some(Binary::Add | Binary::Subtract), target, value } => {
                target == member && !matches!(module.kind(value), Kind::String(_) | Kind::Template { .. })
            }
            Kind::Assign { operator: None, target, value } => {
                target == member
                    && (arithmetic(module, value, names).is_some_and(|operand| same(module, operand, member))
                        || sums_up(module, value, names))
            }
            Kind::Update(_) => true,
            _ => false,
        };
        (object == reference && is_change).then_some(member)
    })
}

/// `product.reviews.length`, `product.reviews.reduce(…) / product.reviews.length`: a summary of what the document holds.
fn sums_up(module: &Module, value: NodeId, names: &[BindingId]) -> bool {
    match module.kind(value) {
        Kind::Member { object, name } if module.str(name) == "length" => uses(module, object, names),
        Kind::Call { callee, .. } => match module.kind(callee) {
            Kind::Member { object, name } if module.str(name) == "reduce" => uses(module, object, names),
            _ => false,
        },
        Kind::Binary { operator: Binary::Divide, left, .. } => sums_up(module, left, names),
        _ => false,
    }
}

/// Whether two places have the same text, brackets and defaults aside.
fn same(module: &Module, operand: NodeId, member: NodeId) -> bool {
    module.source(operand).contains(module.source(member))
}

/// Names whose values tell whether what was read exists: `rows.find(…)`, `rows[0]`, `rows.length`.
pub(super) fn existence(module: &Module, all: &[BindingId], names: &[BindingId]) -> Vec<BindingId> {
    let tells = |name: &&BindingId| {
        let Some(declared) = module.binding(**name) else { return false };
        let Kind::Declarator { init, .. } = module.kind(module.parent(declared.node)) else { return false };
        let root = match module.kind(init) {
            Kind::Call { callee, .. } => match module.kind(callee) {
                Kind::Member { object, name } if PICKS.contains(&module.str(name)) => object,
                _ => return false,
            },
            Kind::Index { object, .. } => object,
            Kind::Member { object, name } if matches!(module.str(name), "length" | "size" | "rows") => object,
            _ => return false,
        };
        uses(module, root, names)
    };
    all.iter().filter(tells).copied().collect()
}

/// Methods of lists and maps that find one entry.
const PICKS: [&str; 7] = ["find", "findLast", "some", "at", "get", "has", "filter"];

/// What an insert writes of a number that a function makes of the newest row: `version: nextVersion(latest?.version)`.
pub(super) fn next_by_call(
    audit: &Audit<'_, '_>,
    module: &Module,
    (read, write): (&Access<'_>, &Access<'_>),
    names: &[BindingId],
) -> bool {
    let later = derived(audit.analysis, (read.at.0, module), names, (read.at.1, write.at.1));
    let is_made = |name: &BindingId| {
        let Some(declared) = module.binding(*name) else { return false };
        let Kind::Declarator { init, .. } = module.kind(module.parent(declared.node)) else { return false };
        let Kind::Call { callee, arguments } = module.kind(init) else { return false };
        // A function of the row's fields; not a method of them (`row.id.toString()`).
        !uses(module, callee, names)
            && module.list(arguments).any(|argument| {
                uses(module, argument, names) && !matches!(module.kind(argument), Kind::Name { .. })
            })
    };
    later
        .iter()
        .filter(|name| !names.contains(name))
        .any(|name| is_made(name) && uses(module, write.expression().1, &[*name]))
}
