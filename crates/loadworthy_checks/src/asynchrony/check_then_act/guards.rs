//! What keeps two requests apart: locks, isolation, a condition in the write, or one turn of the event loop.

use loadworthy_analysis::{Access, Family, Operator, Query};
use loadworthy_knowledge::Flag;
use loadworthy_syntax::{Kind, Module, NodeId};

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
    // `.for("update")` is Drizzle's.
    let words =
        ["for update", "forupdate", ".for('", ".for(\"", "lock", "pessimistic", "serializable", "advisory"];
    if words.iter().any(|word| whole.contains(word)) {
        return true;
    }
    let function = audit.analysis.owner(race.read.at);
    let Some(module) = audit.program().module(function.0) else { return false };
    // The function, and the call that it is handed to: locks and isolation levels.
    let Some(lowered) = module.function(function.1) else { return false };
    let parent = module.parent(lowered.node);
    let is_handed = matches!(module.kind(parent), Kind::Call { .. });
    // MongoDB ends a transaction whose documents another one changed, and the driver tries it again.
    let is_document = matches!(race.write.query.family, Family::Mongoose | Family::MongoDriver);
    if is_document && (is_in_transaction(module, parent) || is_versioned(audit, race)) {
        return true;
    }
    let around = module.source(if is_handed { parent } else { lowered.node }).to_lowercase();
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

/// `session.withTransaction(async () => …)`
fn is_in_transaction(module: &Module, parent: NodeId) -> bool {
    let Kind::Call { callee, .. } = module.kind(parent) else { return false };
    matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name) == "withTransaction")
}

/// `new Schema({ … }, { optimisticConcurrency: true })`: a save of what another one changed fails.
fn is_versioned(audit: &Audit<'_, '_>, race: &Race<'_>) -> bool {
    let table = race.read.query.table.as_deref().unwrap_or_default();
    let known = audit.analysis.models().table_named(race.read.query.site.0, table);
    let file = known.and_then(|known| audit.program().project().file_by_path(&known.place.file));
    let module = file.and_then(|file| audit.program().module(file));
    module.is_some_and(|module| module.text().contains("optimisticConcurrency: true"))
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
