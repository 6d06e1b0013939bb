//! Races on rows of the database.

use std::collections::{BTreeMap, BTreeSet};

use loadworthy_analysis::{
    Access, Decision, FunctionRef, Operation, Operator, Query, Site, Yields, accesses, decision, derived,
    results, uses,
};
use loadworthy_capacity::{Cost, Failure, Severity};
use loadworthy_schema::Table;
use loadworthy_syntax::{BindingId, Kind, Module, NodeId};

use super::META;
use super::computed::{changed_in_place, existence, is_computed, next_by_call};
use super::conflict::answered;
use super::fields::guarded;
use super::guards::{is_in_one_turn, is_locked, names_old_value};
use super::numbers::{counted_up, returned_next};
use super::polarity::{Polarity, polarity};
use super::remedy::shown;
use super::stakes::{severity, takes, written_column};
use super::telling::{fix, words};
use super::whole::{is_written_whole, saves_read};
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place};

/// What goes wrong when two requests interleave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// Looked for, not found, inserted.
    FindThenInsert,
    /// Counted, below a limit, inserted.
    CountThenInsert,
    /// Counted, not the last, changed or deleted.
    LastOne,
    /// The largest so far plus one, inserted.
    NextNumber,
    /// Read, computed, written back.
    ReadModifyWrite,
    /// A code that may be used once, read and then used up.
    UsedOnce,
    /// A field of the row is tested, and changed by the write that the test lets pass.
    Claimed,
    /// A number of the row is compared with a limit, and changed by the write that the test lets pass.
    WithinLimit,
    /// Read whole, some fields changed, all of them written back.
    WrittenWhole,
}

/// A read, and the write that it decides.
pub(super) struct Race<'a> {
    pub(super) shape: Shape,
    pub(super) read: Access<'a>,
    pub(super) write: Access<'a>,
}

/// What was told of all functions so far.
#[derive(Default)]
pub(super) struct Told<'a> {
    /// The places of races: a callback's are its caller's as well.
    seen: BTreeSet<(Site, Site)>,
    /// Rows that are written whole, by their tables: one finding each, however many functions do it.
    whole: BTreeMap<String, Vec<Race<'a>>>,
}

/// The races of a function: one for each table, whose root cause is one decision.
pub(super) fn races<'a>(
    audit: &Audit<'a, '_>,
    module: &Module,
    function: FunctionRef,
    told: &mut Told<'a>,
    findings: &mut Vec<Finding>,
) {
    let all = accesses(audit.analysis, function);
    let mut tables: Vec<&str> = Vec::new();
    for (at, read) in all.iter().enumerate() {
        let Some(table) = read.query.table.as_deref() else { continue };
        if read.query.operation != Operation::Read || tables.contains(&table) {
            continue;
        }
        let names = results(module, read.at.1);
        // A race inside one callee is that callee's finding.
        let writes =
            all.iter().skip(at + 1).filter(|write| write.at != read.at && write.query.operation.is_write());
        let found =
            writes.filter(|write| is_same_entity(audit, module, read, write, &names)).find_map(|write| {
                let pair = Race { shape: Shape::FindThenInsert, read: *read, write: *write };
                let shape = shape(audit, module, &pair, &names)?;
                let race = Race { shape, ..pair };
                let finding = case(audit, module, &race)?;
                Some((race, finding))
            });
        let Some((race, finding)) = found else { continue };
        tables.push(table);
        if !told.seen.insert((race.read.at, race.write.at)) {
            continue;
        }
        if race.shape == Shape::WrittenWhole {
            let known = audit.analysis.models().table_named(race.read.query.site.0, table);
            let name = known.map_or(table, |it| &it.name);
            told.whole.entry(name.to_owned()).or_default().push(race);
        } else {
            findings.push(finding);
        }
    }
}

/// The rows that are written whole: one finding for each table.
pub(super) fn written_whole(audit: &Audit<'_, '_>, told: Told<'_>, findings: &mut Vec<Finding>) {
    for (_, mut races) in told.whole {
        races.sort_by_key(|race| (audit.is_unreached(race.read.at), race.read.at));
        let mut races = races.into_iter();
        let Some(first) = races.next() else { continue };
        let Some(mut finding) = audit.module(first.read.at).and_then(|module| case(audit, module, &first))
        else {
            continue;
        };
        // Two that change different fields are what it takes.
        let places = races.len() + 1;
        let is_alone = places == 1 && audit.analysis.routes_to(first.read.at).count() < 2;
        finding.evidence.extend(races.map(|race| Evidence {
            place: Place::Code(race.read.at),
            note: format!("read here as well and written whole in line {}", audit.line(race.write.at)),
        }));
        if places > 1 {
            finding.words.title = format!(
                "`{}` is read, and written back with the fields that did not change in {places} places",
                first.read.query.table.as_deref().unwrap_or("the table")
            );
        }
        findings.push(if is_alone { finding.at_most(Severity::Monitor) } else { finding });
    }
}

/// Whether a write is of what was read, by the name of its table, or because the row itself, or its class, is handed to it.
fn is_same_entity(
    audit: &Audit<'_, '_>,
    module: &Module,
    read: &Access<'_>,
    write: &Access<'_>,
    names: &[BindingId],
) -> bool {
    is_same_table(audit, read.query, write.query)
        || saves_read(audit, module, write, names)
        || write.hops > 0 && names_table(module, write.at.1, read.query.table.as_deref())
}

/// `createEntity(Issue, values)`: the class is an argument.
fn names_table(module: &Module, call: NodeId, table: Option<&str>) -> bool {
    let Kind::Call { arguments, .. } = module.kind(call) else { return false };
    module
        .list(arguments)
        .any(|node| matches!(module.kind(node), Kind::Name { name, .. } if Some(module.str(name)) == table))
}

fn is_same_table(audit: &Audit<'_, '_>, read: &Query, write: &Query) -> bool {
    let (Some(left), Some(right)) = (&read.table, &write.table) else { return false };
    if left.eq_ignore_ascii_case(right) {
        return true;
    }
    let table = |query: &Query, name: &str| {
        audit.analysis.models().table_named(query.site.0, name).map(|it| &it.name)
    };
    table(read, left).is_some_and(|name| Some(name) == table(write, right))
}

fn shape(audit: &Audit<'_, '_>, module: &Module, race: &Race<'_>, names: &[BindingId]) -> Option<Shape> {
    let (read, write) = (race.read.query, race.write.query);
    if is_locked(audit, race) || is_in_one_turn(audit, module, race) {
        return None;
    }
    let (from, to) = (race.read.at.1, race.write.at.1);
    let all = derived(audit.analysis, (race.read.at.0, module), names, (from, to));
    if let Some(shape) = asserted(audit, race) {
        return Some(shape);
    }
    match write.operation {
        Operation::Insert => {
            let telling = existence(module, &all, names);
            let near = decision(module, names, from, to)
                .map(|found| polarity(module, found, names))
                .or_else(|| Some(polarity(module, decision(module, &telling, from, to)?, &telling)));
            // "3 of 5 used" may be told in the row as well: the limit is what breaks.
            let is_limited = matches!(near, Some(Polarity::BelowLimit));
            if !is_limited && is_next_number(audit, module, race, names) {
                return Some(Shape::NextNumber);
            }
            match near {
                Some(Polarity::WhereAbsent) if !read.filter.is_empty() && may_duplicate(audit, race) => {
                    Some(Shape::FindThenInsert)
                }
                Some(Polarity::BelowLimit) => Some(Shape::CountThenInsert),
                // What is left of a limit, computed from a count.
                None if is_counted(module, read, &all, names) => {
                    decision(module, &all, from, to).map(|_| Shape::CountThenInsert)
                }
                _ => None,
            }
        }
        // An entity that another function makes and saves.
        Operation::Update
            if is_next_number(audit, module, race, names)
                && race.write.hops > 0
                && !saves_read(audit, module, &race.write, names) =>
        {
            Some(Shape::NextNumber)
        }
        Operation::Update => {
            let is_changed =
                is_computed(module, race, names) || changed_in_place(module, race, names).is_some();
            if is_changed && !names_old_value(read, write) {
                return Some(Shape::ReadModifyWrite);
            }
            is_last_one(module, race, names)
                .or_else(|| used_once(module, race, &all))
                .or_else(
                    || if names_old_value(read, write) { None } else { guarded(audit, module, race, &all) },
                )
                .or_else(|| is_written_whole(audit, module, race, names).then_some(Shape::WrittenWhole))
        }
        Operation::Delete => is_last_one(module, race, names).or_else(|| used_once(module, race, &all)),
        _ => None,
    }
}

/// `await ensureEmailIsFree(email)`: what is called reads, decides and throws; what comes after it runs where it did not.
fn asserted(audit: &Audit<'_, '_>, race: &Race<'_>) -> Option<Shape> {
    if race.read.hops == 0 {
        return None;
    }
    let call = audit.analysis.calls().at(race.read.at)?;
    let [target] = call.targets.as_slice() else { return None };
    let module = audit.program().module(target.0)?;
    let inner = accesses(audit.analysis, *target);
    let read = inner.iter().find(|access| race.read.query.stands_for(access.query))?;
    let names = results(module, read.at.1);
    let test = throwing_test(module, *target, &names)?;
    let holds = polarity(module, Decision::Guarded { test }, &names);
    let is_count = read.query.yields == Yields::Summary || module.source(test).contains(".length");
    match race.write.query.operation {
        Operation::Insert if holds == Polarity::BelowLimit => Some(Shape::CountThenInsert),
        Operation::Insert if holds == Polarity::WhereAbsent && !read.query.filter.is_empty() => {
            Some(Shape::FindThenInsert)
        }
        Operation::Update | Operation::Delete if is_count && names_one(module.source(test)) => {
            Some(Shape::LastOne)
        }
        _ => None,
    }
}

/// The test by one of the names whose branch throws, in the function's own code.
fn throwing_test(module: &Module, (_, function): FunctionRef, names: &[BindingId]) -> Option<NodeId> {
    let lowered = module.function(function)?;
    module.all_nodes(lowered.node).into_iter().find_map(|node| {
        let Kind::If { test, then, .. } = module.kind(node) else { return None };
        let last = match module.kind(then) {
            Kind::Block(list) => module.list(list).last().unwrap_or(then),
            _ => then,
        };
        (matches!(module.kind(last), Kind::Throw(_)) && uses(module, test, names)).then_some(test)
    })
}

/// Whether a test compares with one: the last, the first.
fn names_one(test: &str) -> bool {
    test.split(|letter: char| !letter.is_alphanumeric()).any(|word| matches!(word, "1" | "2"))
}

fn used_once(module: &Module, race: &Race<'_>, names: &[BindingId]) -> Option<Shape> {
    let (read, write) = (race.read.query, race.write.query);
    if is_used_once(read).is_none() && !reads_unused(read) || write_requires_unused(read, write) {
        return None;
    }
    decision(module, names, race.read.at.1, race.write.at.1).map(|_| Shape::UsedOnce)
}

/// Whether the read asks for what is not used up yet: `used: false`, `usedAt: null`.
fn reads_unused(read: &Query) -> bool {
    read.filter.all.iter().any(|condition| {
        let name = condition.column.to_lowercase();
        let is_mark = ["used", "redeemed", "consumed", "claimed"].iter().any(|word| name.contains(word));
        is_mark && matches!(condition.operator, Operator::Equal | Operator::Null | Operator::Not)
    })
}

/// How many there are, or whether a count of them.
fn is_counted(module: &Module, read: &Query, all: &[BindingId], names: &[BindingId]) -> bool {
    let is_length = |name: &BindingId| {
        let node = module.binding(*name).map(|declared| module.parent(declared.node));
        let Some(Kind::Declarator { init, .. }) = node.map(|node| module.kind(node)) else { return false };
        module.source(init).contains(".length")
            && !matches!(module.kind(init), Kind::Member { .. } | Kind::Call { .. } | Kind::Template { .. })
            || is_smallest(module, init)
    };
    let later = all.iter().filter(|name| !names.contains(name));
    (read.yields == Yields::Many || read.yields == Yields::Summary) && later.into_iter().any(is_length)
}

/// `Math.min(5 - codes.length, …)`.
fn is_smallest(module: &Module, node: NodeId) -> bool {
    let Kind::Call { callee, .. } = module.kind(node) else { return false };
    module.source(callee) == "Math.min" && module.source(node).contains(".length")
}

/// A count that must not fall below a number, and a write that lowers it.
fn is_last_one(module: &Module, race: &Race<'_>, names: &[BindingId]) -> Option<Shape> {
    let read = race.read.query;
    let decision = decision(module, names, race.read.at.1, race.write.at.1)?;
    let test = module.source(decision.test());
    let is_count = read.yields == Yields::Summary || test.contains(".length");
    let compares =
        test.split(|letter: char| !"<>=!".contains(letter)).any(|word| !word.is_empty() && word != "!");
    (is_count && compares && names_one(test)).then_some(Shape::LastOne)
}

/// The written values hold one more than the largest that was read, or than how many there are.
fn is_next_number(audit: &Audit<'_, '_>, module: &Module, race: &Race<'_>, names: &[BindingId]) -> bool {
    if counted_up(audit, module, race, names) || returned_next(audit, module, race, names) {
        return true;
    }
    let is_largest = race.read.query.order.first().is_some_and(|order| order.is_descending == Some(true));
    let is_newest = race.read.query.bound.most() == Some(1);
    is_largest
        && (is_computed(module, race, names)
            || is_newest && next_by_call(audit, module, (&race.read, &race.write), names))
}

/// Names of values that may be used once.
const ONE_TIME: [&str; 11] = [
    "otp",
    "coupon",
    "voucher",
    "invite",
    "invitation",
    "nonce",
    "verification",
    "reset",
    "backup",
    "magic",
    "onetime",
];

fn is_used_once(read: &Query) -> Option<&str> {
    read.filter.equal_columns().find(|column| {
        let name = column.to_lowercase().replace('_', "");
        matches!(name.as_str(), "code" | "token")
            || ONE_TIME.iter().any(|word| name.starts_with(word) && !name.ends_with("id"))
    })
}

/// Not where a row is looked for by its own key, which the inserted one does not get, or by a value of chance, which two
/// requests do not share.
fn may_duplicate(audit: &Audit<'_, '_>, race: &Race<'_>) -> bool {
    let mut values = race.read.query.filter.all.iter().filter_map(|it| it.value);
    if values.any(|value| is_of_chance(audit, value)) {
        return false;
    }
    let mut keys =
        race.read.query.filter.all.iter().filter(|it| matches!(&*it.column, "id" | "_id" | "uuid"));
    let (written, call) = (audit.source(race.write.query.whole), audit.source(race.write.at));
    keys.all(|key| {
        key.value.is_none_or(|value| {
            let value = audit.source(value);
            written.contains(value) || call.contains(value)
        })
    })
}

/// `code = Math.random()…`, `const slug = nanoid(8)`: whatever the variable is given is chosen anew by chance.
fn is_of_chance(audit: &Audit<'_, '_>, (file, value): Site) -> bool {
    let Some(module) = audit.module((file, value)) else { return false };
    let Kind::Name { binding, .. } = module.kind(value) else { return false };
    let Some(declared) = module.binding(binding) else { return false };
    let init = match module.kind(module.parent(declared.node)) {
        Kind::Declarator { init, .. } => init.ok(),
        _ => None,
    };
    let assigned =
        module.references(binding).iter().filter_map(|name| match module.kind(module.parent(*name)) {
            Kind::Assign { target, value, .. } if target == *name => Some(value),
            _ => None,
        });
    let words = ["random", "nanoid", "uuid", "cuid", "generate"];
    init.into_iter().chain(assigned).any(|made| {
        let text = module.source(made).to_lowercase();
        words.iter().any(|word| text.contains(word))
    })
}

/// The write's own condition makes it fail the second time.
fn write_requires_unused(read: &Query, write: &Query) -> bool {
    write.filter.is_open
        || write.filter.all.iter().any(|condition| {
            let name = condition.column.to_lowercase();
            name.contains("used")
                || name.contains("status")
                || name.contains("redeem")
                || name.contains("consum")
        })
        || read.filter.is_empty()
}

fn case(audit: &Audit<'_, '_>, module: &Module, race: &Race<'_>) -> Option<Finding> {
    let site = race.read.at;
    let table = race.read.query.table.as_deref().unwrap_or("the table");
    let known = audit.analysis.models().table_named(site.0, table);
    let columns: Vec<&str> = race.read.query.filter.equal_columns().collect();
    let is_unique = known.is_some_and(|it| it.is_unique(&columns));
    let is_caught = race.shape == Shape::FindThenInsert && is_conflict_caught(audit, module, race.write.at);
    if is_unique && is_caught {
        return None;
    }
    let column = written_column(audit, module, race);
    let cost = Cost { failure: Some(Failure::LostWrite), ..audit.cost_at(site) };
    let (least, most) = severity(race, is_unique, column.as_deref(), takes(module, race));
    let shown = shown(audit, module, race, &columns, (column.as_deref(), is_unique));
    let (before, after) = shown.map(|it| (it.before, it.after)).unzip();
    let sketch = Fix { before, after, ..fix(race, table, &columns, column.as_deref()) };
    let caught = if is_unique { answered(audit, module, race, known, &sketch) } else { None };
    let finding = Finding::new(
        &META,
        site,
        evidence(audit, race),
        cost,
        words(audit, race, known, (&columns, column.as_deref(), is_unique)),
        caught.unwrap_or(sketch),
    )
    .at_least(least)
    .at_most(most)
    .confidence(if race.read.hops + race.write.hops == 0 {
        Confidence::High
    } else {
        Confidence::Medium
    });
    if known.is_none() && is_caught {
        return Some(finding.unless(format!(
            "whether the unique violation that is caught here is told to the client as a conflict, and whether `{table}` has a \
             unique key on what is looked for: its schema was not found"
        )));
    }
    Some(doubt(audit, race, known, finding))
}

/// What decides it where the code does not tell.
fn doubt(audit: &Audit<'_, '_>, race: &Race<'_>, known: Option<&Table>, finding: Finding) -> Finding {
    let table = race.read.query.table.as_deref().unwrap_or("the table");
    if audit.is_unreached(race.read.at) {
        let function = audit.function_name(audit.analysis.owner(race.read.at));
        return finding
            .unless(format!("no route or job that reaches {function} was found; see who calls it"));
    }
    // Without a schema it is one or the other: a unique index and an unhandled violation, or duplicates.
    if race.shape == Shape::FindThenInsert && known.is_none() {
        return finding.at_most(Severity::Medium).confidence(Confidence::Medium).assuming(format!(
            "the schema of `{table}`, which was not found, may have a unique key on what is looked for"
        ));
    }
    if matches!(race.shape, Shape::UsedOnce | Shape::WrittenWhole | Shape::Claimed) {
        return finding.confidence(Confidence::Medium);
    }
    finding
}

/// What the databases and libraries call the violation of a unique key.
const CONFLICT_WORDS: [&str; 12] = [
    "P2002",
    "11000",
    "23505",
    "ER_DUP_ENTRY",
    "1062",
    "UniqueConstraint",
    "UniqueViolation",
    "duplicate key",
    "Duplicate",
    "SQLITE_CONSTRAINT",
    ".code",
    "conflict",
];

/// Whether a unique violation of the write is told apart somewhere: a `catch` around it, here or in a caller.
fn is_conflict_caught(audit: &Audit<'_, '_>, module: &Module, write: Site) -> bool {
    let tells = |text: &str| CONFLICT_WORDS.iter().any(|word| text.contains(word));
    let mut inner = write.1;
    for outer in module.ancestors(write.1) {
        if let Kind::Try { block, handler, .. } = module.kind(outer)
            && block == inner
            && tells(module.source(handler))
        {
            return true;
        }
        inner = outer;
    }
    // `.catch(error => …)`, or the query's own function.
    let statement = audit.source(audit.statement(write));
    statement.contains(".catch(") && tells(statement)
}

fn evidence(audit: &Audit<'_, '_>, race: &Race<'_>) -> Vec<Evidence> {
    let note = |what: &str, access: &Access<'_>| Evidence {
        place: Place::Code(access.at),
        note: format!("{what} `{}`", access.query.table.as_deref().unwrap_or("the table")),
    };
    let mut chain = audit
        .chain_to(race.read.at, format!("reads {}", race.read.query.table.as_deref().unwrap_or_default()));
    for access in [&race.read, &race.write] {
        if access.hops > 0 {
            chain.push(Evidence {
                place: Place::Code(access.query.written_at()),
                note: String::from("the query of that call"),
            });
        }
    }
    let act = match race.write.query.operation {
        Operation::Insert => "inserts into",
        Operation::Delete => "deletes from",
        _ => "writes",
    };
    chain.push(note(act, &race.write));
    chain
}
