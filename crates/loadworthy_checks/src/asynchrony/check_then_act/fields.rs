//! A field of the row that decides whether the row may change, and that the write changes: the status of an order, the
//! seats that are left.

use loadworthy_analysis::{Access, Decision, Operation, accesses, decision_by};
use loadworthy_knowledge::Effect;
use loadworthy_syntax::{Binary, BindingId, Kind, Module, NodeId};

use super::rows::{Race, Shape};
use super::whole::saves_read;
use crate::audit::Audit;

/// The field that is tested and written, and the test.
pub(super) struct Tested {
    pub(super) field: String,
    pub(super) test: NodeId,
}

/// Parts of names of fields that say in which state a row is.
const STATES: [&str; 26] = [
    "status",
    "state",
    "stage",
    "reserved",
    "booked",
    "claimed",
    "taken",
    "assigned",
    "paid",
    "used",
    "redeemed",
    "refunded",
    "cancel",
    "processed",
    "completed",
    "accepted",
    "approved",
    "settled",
    "sold",
    "available",
    "redeem",
    "consumed",
    "fulfilled",
    "picked",
    "checkedin",
    "expires",
];

/// Parts of names of tables whose rows only tell what happened: one too many does no harm.
const RECORDS: [&str; 9] =
    ["log", "audit", "histor", "notification", "activit", "event", "analytic", "message", "outbox"];

/// What goes wrong where a field that was tested is written, and nothing in the write repeats the test.
pub(super) fn guarded(
    audit: &Audit<'_, '_>,
    module: &Module,
    race: &Race<'_>,
    names: &[BindingId],
) -> Option<Shape> {
    let tested = tested(audit, module, race, names)?;
    if is_limit(module, tested.test, &tested.field, names) {
        return Some(Shape::WithinLimit);
    }
    let name = plain(&tested.field);
    let is_state = STATES.iter().any(|word| name.contains(word)) || is_holder(&tested.field);
    let is_claim =
        || is_holder(&tested.field) || written_fields(audit, race).iter().any(|field| is_holder(field));
    (is_state && (is_claim() || does_more(audit, race))).then_some(Shape::Claimed)
}

/// The field of the row that decides between the read and the write, and that the write sets.
pub(super) fn tested(
    audit: &Audit<'_, '_>,
    module: &Module,
    race: &Race<'_>,
    names: &[BindingId],
) -> Option<Tested> {
    let written = written_fields(audit, race);
    let set = |test: NodeId| {
        fields_in(module, test, names).into_iter().find(|field| {
            written.iter().any(|it| plain(it) == plain(field)) || sets(audit, module, race, names, field)
        })
    };
    let (from, to) = (race.read.at.1, race.write.at.1);
    let decision = decision_by(module, &|test| set(test).is_some(), from, to)?;
    let (Decision::Inside { test, .. } | Decision::Guarded { test }) = decision;
    Some(Tested { field: set(test)?, test })
}

/// `status` of each `row.status` below a node.
fn fields_in(module: &Module, node: NodeId, names: &[BindingId]) -> Vec<String> {
    let references = names.iter().flat_map(|name| module.references(*name).iter().copied());
    let fields =
        references.filter(|reference| module.contains(node, *reference)).filter_map(|reference| match module
            .kind(module.parent(reference))
        {
            Kind::Member { object, name } if object == reference => Some(module.str(name).to_owned()),
            _ => None,
        });
    fields.filter(|field| !matches!(field.as_str(), "id" | "_id" | "length")).collect()
}

/// The fields that the write names with a value: keys of its objects, columns after `SET`.
fn written_fields(audit: &Audit<'_, '_>, race: &Race<'_>) -> Vec<String> {
    let query = race.write.query;
    let Some(module) = audit.module(query.whole) else { return Vec::new() };
    let filtered = |name: &str| query.filter.all.iter().any(|it| plain(&it.column) == plain(name));
    let keys = module.all_nodes(query.whole.1).into_iter().filter_map(|node| match module.kind(node) {
        Kind::Property { key, value } if value.is_some() => Some(module.str(key).to_owned()),
        _ => None,
    });
    let mut fields: Vec<String> = keys.filter(|key| !filtered(key)).collect();
    if query.sql.is_some() {
        let text = module.source(query.whole.1).to_lowercase();
        let set = text.split_once(" set ").map_or("", |(_, rest)| rest);
        let set = set.split(" where ").next().unwrap_or(set);
        let columns = set.split(',').filter_map(|part| part.split_once('=').map(|(column, _)| column));
        fields.extend(columns.map(|column| column.trim().trim_matches(['"', '`']).to_owned()));
    }
    fields
}

/// `row.status = "paid"; await row.save()`
fn sets(audit: &Audit<'_, '_>, module: &Module, race: &Race<'_>, names: &[BindingId], field: &str) -> bool {
    if !saves_read(audit, module, &race.write, names) {
        return false;
    }
    let (after, before) = (module.node(race.read.at.1).span.end, module.node(race.write.at.1).span.start);
    names.iter().flat_map(|name| module.references(*name)).any(|reference| {
        let member = module.parent(*reference);
        let span = module.node(*reference).span;
        span.start > after
            && span.end < before
            && matches!(module.kind(member), Kind::Member { object, name } if object == *reference && module.str(name) == field)
            && matches!(module.kind(module.parent(member)), Kind::Assign { target, .. } if target == member)
    })
}

/// `row.sold >= row.capacity`, `row.balance < amount`.
fn is_limit(module: &Module, test: NodeId, field: &str, names: &[BindingId]) -> bool {
    module.all_nodes(test).into_iter().any(|node| {
        let Kind::Binary { operator, left, right } = module.kind(node) else { return false };
        let compares =
            matches!(operator, Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual);
        let is_of = |side: NodeId| fields_in(module, side, names).iter().any(|it| it == field);
        let is_time = |side: NodeId| {
            let written = module.source(side).to_lowercase();
            ["date", "now", "time", "expire"].iter().any(|word| written.contains(word))
        };
        compares && (is_of(left) || is_of(right)) && !is_time(left) && !is_time(right)
    })
}

/// `userId`, `assigneeId`, `claimedBy`: who has the row.
fn is_holder(field: &str) -> bool {
    let name = plain(field);
    let is_key = ["id", "by"].iter().any(|end| name.ends_with(end));
    is_key
        && [
            "user", "owner", "assign", "claim", "customer", "driver", "buyer", "winner", "reserv", "book",
            "taken", "agent",
        ]
        .iter()
        .any(|word| name.contains(word))
        && !["update", "create", "modified", "delete"].iter().any(|word| name.contains(word))
}

/// Whether what the test lets pass does more than the write that repeating it would not change: rows that are inserted,
/// numbers that are raised, calls of other services.
fn does_more(audit: &Audit<'_, '_>, race: &Race<'_>) -> bool {
    let function = audit.analysis.owner(race.read.at);
    let after = audit.module(race.read.at).map_or(0, |module| module.node(race.read.at.1).span.end);
    let starts =
        |access: &Access<'_>| audit.module(access.at).map_or(0, |module| module.node(access.at.1).span.start);
    let is_record = |access: &Access<'_>| {
        let table = access.query.table.as_deref().unwrap_or_default().to_lowercase();
        RECORDS.iter().any(|word| table.contains(word))
    };
    let inserts = accesses(audit.analysis, function).iter().any(|access| {
        let text = audit.source(access.query.whole);
        let is_more = access.query.operation == Operation::Insert
            || ["increment", "decrement", "$inc"].iter().any(|word| text.contains(word));
        starts(access) > after && is_more && !is_record(access)
    });
    inserts
        || audit.analysis.calls().of_file(function.0).iter().any(|call| {
            call.function == function.1
                && audit.module(call.site).is_some_and(|module| module.node(call.site.1).span.start > after)
                && audit.analysis.works().of_call(call).any(Effect::is_service_call)
        })
}

fn plain(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).replace('_', "").to_lowercase()
}
