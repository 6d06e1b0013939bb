//! What keeps two requests apart: locks, isolation, a condition in the write, or one turn of the event loop.

use loadworthy_analysis::{Access, Operator, Query};
use loadworthy_knowledge::Flag;
use loadworthy_syntax::{Kind, Module};

use super::rows::Race;
use crate::audit::Audit;

/// Whether nothing else of the process can run between the two: calls of a library that blocks, without an `await` between.
pub(super) fn is_in_one_turn(audit: &Audit<'_, '_>, module: &Module, race: &Race<'_>) -> bool {
    let blocks = |access: &Access<'_>| {
        access.query.calls.iter().any(|call| {
            let call = audit.analysis.calls().at(*call);
            call.and_then(|call| call.library.as_ref()).is_some_and(|it| it.has(Flag::Sync))
        })
    };
    if !blocks(&race.read) || !blocks(&race.write) {
        return false;
    }
    let (after, before) =
        (module.node(race.read.at.1).span.start, module.node(race.write.expression().1).span.end);
    let function = module.enclosing_function(race.read.at.1);
    !module.node_ids().any(|node| {
        let span = module.node(node).span;
        matches!(module.kind(node), Kind::Await(_))
            && span.start >= after
            && span.end <= before
            && module.enclosing_function(node) == function
    })
}

/// Whether the rows are locked, or the transaction is serialisable.
pub(super) fn is_locked(audit: &Audit<'_, '_>, race: &Race<'_>) -> bool {
    let whole = audit.source(race.read.query.whole).to_lowercase();
    let words = ["for update", "forupdate", "lock", "pessimistic", "serializable", "advisory"];
    if words.iter().any(|word| whole.contains(word)) {
        return true;
    }
    let function = audit.analysis.owner(race.read.at);
    let Some(module) = audit.program().module(function.0) else { return false };
    // The call that the function is handed to, and what stands before the read: locks and isolation levels.
    let Some(lowered) = module.function(function.1) else { return false };
    let around = module.source(module.parent(lowered.node)).to_lowercase();
    [
        "serializable",
        "advisory",
        "withlock",
        ".lock(",
        "mutex",
        "acquire(",
        "for update",
        "setnx",
        "runexclusive",
    ]
    .iter()
    .any(|word| around.contains(word))
}

/// The update's condition names more than the row: a version, the old value, a floor.
pub(super) fn names_old_value(read: &Query, write: &Query) -> bool {
    // What the row was looked up by says which row it is, not how it was.
    let is_key = |column: &str| read.filter.equal_columns().any(|key| key == column);
    let is_guard = |column: &str| {
        let name = column.to_lowercase();
        !(name == "id" || name == "_id" || name.ends_with("id") || name.ends_with("uuid") || is_key(column))
    };
    write.filter.is_open
        || write
            .filter
            .all
            .iter()
            .any(|condition| matches!(condition.operator, Operator::Range) || is_guard(&condition.column))
}
