//! # Check-then-act races
//! Something is read, a decision is taken on it, and something is written: between the two, another request does the same.
//!
//! ## Why it fails under load
//! The window between read and write is one round trip or more (t). With a rate λ on the same entity, another request falls
//! into it with a probability of about 1 − e^(−λt): rare in development, certain in a load test. The results are duplicates,
//! lost updates (stock sold twice, balances that don't add up), limits that are exceeded, codes that are used twice.
//!
//! ## Bad
//! ```ts title="src/shop.ts"
//! import express from "express";
//! import { PrismaClient } from "@prisma/client";
//! const prisma = new PrismaClient();
//! const app = express();
//! app.post("/buy/:id", async (req, res) => {
//!   const product = await prisma.product.findUnique({ where: { id: req.params.id } }); // finding: 3C
//!   if (!product || product.stock < 1) return res.status(409).end();
//!   await prisma.product.update({ where: { id: product.id }, data: { stock: product.stock - 1 } });
//!   res.status(204).end();
//! });
//! ```
//!
//! ## Good
//! ```ts title="src/shop.ts"
//! import express from "express";
//! import { PrismaClient } from "@prisma/client";
//! const prisma = new PrismaClient();
//! const app = express();
//! app.post("/buy/:id", async (req, res) => {
//!   const sold = await prisma.product.updateMany({
//!     where: { id: req.params.id, stock: { gte: 1 } },
//!     data: { stock: { decrement: 1 } },
//!   });
//!   if (sold.count === 0) return res.status(409).end();
//!   res.status(204).end();
//! });
//! ```
//!
//! ## Leaves alone
//! Reads under a lock (`SELECT … FOR UPDATE`, advisory locks) or in a serialisable transaction; atomic operators
//! (`increment`, `$inc`), upserts and `ON CONFLICT`; an insert whose unique violation is caught; updates that name the old
//! value or a version in their condition; code that no request runs.

use std::collections::BTreeSet;

use loadworthy_analysis::{
    Access, Decision, FunctionRef, Operation, Operator, Query, Site, accesses, decision, results, uses,
};
use loadworthy_capacity::{Cost, Failure, Severity};
use loadworthy_schema::Table;
use loadworthy_syntax::{Binary, BindingId, FunctionId, Kind, Module, NodeId, Unary};

use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};
use crate::meta::{Category, Check, Meta};

pub(crate) struct CheckThenAct;

static META: Meta = Meta {
    code: "3C",
    slug: "check-then-act",
    category: Category::Async,
    summary: "a decision is taken on a value that another request may change before it is acted upon",
    page: include_str!("check_then_act.rs"),
};

impl Check for CheckThenAct {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        let mut told = BTreeSet::new();
        for (file, module) in audit.program().modules() {
            for at in 0..module.functions().len() {
                let function = (file, FunctionId::new(at));
                let contexts = audit.analysis.reach().contexts(function);
                if contexts.is_empty() || contexts.contains(&loadworthy_analysis::Context::PerRequest) {
                    races(audit, module, function, &mut told, findings);
                }
            }
        }
    }
}

/// What goes wrong when two requests interleave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// Looked for, not found, inserted.
    FindThenInsert,
    /// Counted, below a limit, inserted.
    CountThenInsert,
    /// The largest so far plus one, inserted.
    NextNumber,
    /// Read, computed, written back.
    ReadModifyWrite,
    /// A code that may be used once, read and then used up.
    UsedOnce,
}

/// A read, and the write that it decides.
struct Race<'a> {
    shape: Shape,
    read: Access<'a>,
    write: Access<'a>,
}

/// The races of a function: one for each table, whose root cause is one decision. A callback's are its caller's as well:
/// `seen` has the places of those that were told.
fn races(
    audit: &Audit<'_, '_>,
    module: &Module,
    function: FunctionRef,
    seen: &mut BTreeSet<(Site, Site)>,
    findings: &mut Vec<Finding>,
) {
    let all = accesses(audit.analysis, function);
    let mut told: Vec<&str> = Vec::new();
    for (at, read) in all.iter().enumerate() {
        let Some(table) = read.query.table.as_deref() else { continue };
        if read.query.operation != Operation::Read || told.contains(&table) {
            continue;
        }
        let names = results(module, read.at.1);
        // A race inside one callee is that callee's finding.
        let writes =
            all.iter().skip(at + 1).filter(|write| write.at != read.at && write.query.operation.is_write());
        let found = writes.filter(|write| is_same_table(audit, read.query, write.query)).find_map(|write| {
            let pair = Race { shape: Shape::FindThenInsert, read: *read, write: *write };
            let shape = shape(audit, module, &pair, &names)?;
            Some(((read.at, write.at), case(audit, module, &Race { shape, ..pair })?))
        });
        if let Some((places, finding)) = found {
            told.push(table);
            if seen.insert(places) {
                findings.push(finding);
            }
        }
    }
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
    if is_locked(audit, race) {
        return None;
    }
    match write.operation {
        Operation::Insert => {
            if is_next_number(module, race, names) {
                return Some(Shape::NextNumber);
            }
            let decision = decision(module, names, race.read.at.1, race.write.at.1)?;
            match polarity(module, decision) {
                Polarity::WhereAbsent if !read.filter.all.is_empty() => Some(Shape::FindThenInsert),
                Polarity::BelowLimit => Some(Shape::CountThenInsert),
                _ => None,
            }
        }
        Operation::Update => {
            if is_computed(module, race, names) && !names_old_value(write) {
                return Some(Shape::ReadModifyWrite);
            }
            is_used_once(read)
                .filter(|_| !write_requires_unused(read, write))
                .and(decision(module, names, race.read.at.1, race.write.at.1).map(|_| Shape::UsedOnce))
        }
        Operation::Delete => is_used_once(read)
            .filter(|_| !write_requires_unused(read, write))
            .and(decision(module, names, race.read.at.1, race.write.at.1).map(|_| Shape::UsedOnce)),
        _ => None,
    }
}

/// Whether the rows are locked, or the transaction is serialisable.
fn is_locked(audit: &Audit<'_, '_>, race: &Race<'_>) -> bool {
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

/// What a test says about the thing that was read, where the write runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Polarity {
    WhereAbsent,
    WherePresent,
    BelowLimit,
    Unknown,
}

fn polarity(module: &Module, decision: Decision) -> Polarity {
    let (test, holds) = match decision {
        Decision::Inside { test, where_true } => (test, where_true),
        Decision::Guarded { test } => (test, false),
    };
    of_test(module, test, holds)
}

fn of_test(module: &Module, test: NodeId, holds: bool) -> Polarity {
    let present = |is_present: bool| if is_present { Polarity::WherePresent } else { Polarity::WhereAbsent };
    match module.kind(test) {
        Kind::Unary { operator: Unary::Not, value } => of_test(module, value, !holds),
        Kind::Name { .. } | Kind::Member { .. } | Kind::Index { .. } | Kind::Await(_) => present(holds),
        Kind::Binary { operator: Binary::And | Binary::Or, left, right } => {
            match (of_test(module, left, holds), of_test(module, right, holds)) {
                (Polarity::Unknown, other) | (other, _) => other,
            }
        }
        Kind::Binary { operator, left, right } => compared(module, operator, (left, right), holds),
        _ => Polarity::Unknown,
    }
}

fn compared(module: &Module, operator: Binary, (left, right): (NodeId, NodeId), holds: bool) -> Polarity {
    let is_nothing = |node: NodeId| {
        matches!(module.kind(node), Kind::Null)
            || matches!(module.source(node), "undefined" | "0" | "'0'" | "\"0\"")
    };
    let present = |is_present: bool| if is_present { Polarity::WherePresent } else { Polarity::WhereAbsent };
    match operator {
        Binary::Equal if is_nothing(right) || is_nothing(left) => present(!holds),
        Binary::NotEqual | Binary::Greater if is_nothing(right) => present(holds),
        Binary::GreaterEqual | Binary::Greater if module.source(right) == "1" => present(holds),
        Binary::GreaterEqual | Binary::Greater | Binary::Less | Binary::LessEqual => Polarity::BelowLimit,
        _ => Polarity::Unknown,
    }
}

/// The written values hold one more than the largest that was read.
fn is_next_number(module: &Module, race: &Race<'_>, names: &[BindingId]) -> bool {
    let is_largest = race.read.query.order.first().is_some_and(|order| order.is_descending == Some(true));
    is_largest && is_computed(module, race, names)
}

/// The written values are computed from what was read: `row.stock - 1`, or a variable that holds it.
fn is_computed(module: &Module, race: &Race<'_>, names: &[BindingId]) -> bool {
    computed(module, race, names).is_some()
}

/// What is computed with: the `row.stock` of `row.stock - 1`, in the write or in a variable that it uses.
fn computed(module: &Module, race: &Race<'_>, names: &[BindingId]) -> Option<NodeId> {
    let (read, write) = (race.read.at.1, race.write.at.1);
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
            // `Number(row.total)`
            Kind::Call { callee, .. } if callee != inner => {}
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
        && matches!(module.kind(inner), Kind::Member { .. } | Kind::Binary { .. } | Kind::Call { .. })
}

/// The update's condition names more than the row: a version, the old value, a floor.
fn names_old_value(write: &Query) -> bool {
    let is_guard = |column: &str| {
        let name = column.to_lowercase();
        !(name == "id" || name == "_id" || name.ends_with("id") || name.ends_with("uuid"))
    };
    write.filter.is_open
        || write
            .filter
            .all
            .iter()
            .any(|condition| matches!(condition.operator, Operator::Range) || is_guard(&condition.column))
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
    if is_unique && race.shape == Shape::FindThenInsert && is_conflict_caught(audit, module, race.write.at) {
        return None;
    }
    let column = written_column(module, race);
    let cost = Cost { failure: Some(Failure::LostWrite), ..audit.cost_at(site) };
    let (least, most) = severity(race, is_unique, column.as_deref());
    let finding = Finding::new(
        &META,
        site,
        evidence(audit, race),
        cost,
        words(audit, race, known, (&columns, is_unique)),
        fix(race, table, &columns, column.as_deref()),
    )
    .at_least(least)
    .at_most(most)
    .confidence(if race.read.hops + race.write.hops == 0 {
        Confidence::High
    } else {
        Confidence::Medium
    });
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
    if race.shape == Shape::FindThenInsert && known.is_none() {
        return finding.unless(format!(
            "the schema of `{table}` was not found: with a unique index on what is looked for, the second insert fails \
             (is that caught?); without one, duplicates appear"
        ));
    }
    if race.shape == Shape::UsedOnce {
        return finding.confidence(Confidence::Medium);
    }
    finding
}

/// Columns that hold money or things that run out.
const SCARCE: [&str; 14] = [
    "balance",
    "stock",
    "inventory",
    "quantity",
    "seats",
    "seat",
    "credits",
    "credit",
    "wallet",
    "available",
    "remaining",
    "funds",
    "tickets",
    "uses",
];

fn severity(race: &Race<'_>, is_unique: bool, column: Option<&str>) -> (Severity, Severity) {
    let is_scarce = column.is_some_and(|column| {
        let name = column.to_lowercase();
        SCARCE.iter().any(|word| name == *word || name.ends_with(word) || name.starts_with(word))
    });
    match race.shape {
        Shape::ReadModifyWrite if is_scarce => (Severity::Critical, Severity::Critical),
        Shape::FindThenInsert if is_unique => (Severity::Medium, Severity::Medium),
        Shape::FindThenInsert | Shape::UsedOnce => (Severity::Medium, Severity::High),
        Shape::CountThenInsert | Shape::NextNumber | Shape::ReadModifyWrite => {
            (Severity::Medium, Severity::High)
        }
    }
}

/// The column of `{ stock: product.stock - 1 }`.
fn written_column(module: &Module, race: &Race<'_>) -> Option<String> {
    if race.shape != Shape::ReadModifyWrite {
        return None;
    }
    let operand = computed(module, race, &results(module, race.read.at.1))?;
    let source = module.source(operand);
    let name = source.trim_end_matches(')').rsplit(['.', '(']).next()?;
    Some(name.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()?.to_owned())
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
                place: Place::Code(access.query.site),
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

fn words(
    audit: &Audit<'_, '_>,
    race: &Race<'_>,
    known: Option<&Table>,
    (columns, is_unique): (&[&str], bool),
) -> Words {
    let table = race.read.query.table.as_deref().unwrap_or("the table");
    let reached = audit.reached_by(race.read.at);
    let by = if columns.is_empty() { String::from("its filter") } else { columns.join(", ") };
    let (title, result) = match race.shape {
        Shape::FindThenInsert if is_unique => (
            format!("`{table}` is looked up by {by} and then inserted in {reached}"),
            format!(
                "The unique key on {by} keeps the table right, but the loser of two simultaneous requests gets an unhandled \
                 unique violation: a 500 where a 409 or the existing row is meant."
            ),
        ),
        Shape::FindThenInsert => (
            format!("`{table}` is looked up by {by} and then inserted in {reached}"),
            format!(
                "Two requests that arrive within one round trip both find nothing and both insert{}.",
                if known.is_some() { ": nothing in the schema forbids the duplicate" } else { "" }
            ),
        ),
        Shape::CountThenInsert => (
            format!("`{table}` is counted against a limit and then inserted in {reached}"),
            String::from(
                "Requests that overlap all see the count below the limit and all insert: the limit is exceeded.",
            ),
        ),
        Shape::NextNumber => (
            format!("the next number of `{table}` is computed from the largest in {reached}"),
            String::from("Requests that overlap read the same largest value and insert the same next one."),
        ),
        Shape::ReadModifyWrite => (
            format!("`{table}` is read, changed in memory and written back in {reached}"),
            String::from(
                "Requests that overlap start from the same value: the later write undoes the earlier one.",
            ),
        ),
        Shape::UsedOnce => (
            format!("a one-time value of `{table}` is read and used up in two steps in {reached}"),
            String::from(
                "Requests that overlap all read it as unused before the first marks it: it works more than once.",
            ),
        ),
    };
    Words {
        title,
        problem: format!(
            "The decision rests on a read of `{table}`, and the write follows in a later round trip without a lock. {result} \
             In a load test, retries and double clicks make the overlap certain."
        ),
        verify: format!(
            "Send 50 identical requests at once to {reached} (`autocannon -c 50 -a 50 …`) and look at `{table}`: {}",
            match race.shape {
                Shape::FindThenInsert if is_unique => "count the 500 answers.",
                Shape::FindThenInsert => "there is more than one row.",
                Shape::CountThenInsert => "there are more rows than the limit allows.",
                Shape::NextNumber => "a number appears twice.",
                Shape::ReadModifyWrite => "the value has changed by less than 50 steps.",
                Shape::UsedOnce => "more than one answer is a success.",
            }
        ),
        tradeoff: String::from(
            "One statement moves the decision into the database; a lock or a serialisable transaction keeps the code but \
             holds a connection longer and needs a retry on failure.",
        ),
    }
}

fn fix(race: &Race<'_>, table: &str, columns: &[&str], column: Option<&str>) -> Fix {
    let key = if columns.is_empty() { String::from("the key") } else { columns.join(", ") };
    let description = match race.shape {
        Shape::FindThenInsert => format!(
            "Make ({key}) unique in `{table}` and insert without looking first: an upsert, or `ON CONFLICT DO NOTHING`; where \
             the existing row is an error, catch the unique violation and answer 409."
        ),
        Shape::CountThenInsert => format!(
            "Count and insert in one serialisable transaction, or lock the owner's row (`SELECT … FOR UPDATE`) before counting \
             `{table}`."
        ),
        Shape::NextNumber => format!(
            "Take the number from a sequence or an atomically incremented counter, or make it unique in `{table}` and retry on \
             the violation."
        ),
        Shape::ReadModifyWrite => format!(
            "Let the database compute: an atomic increment or decrement of {}, with the floor in the condition of the update, \
             and check the number of changed rows.",
            column.map_or_else(|| String::from("the column"), |column| format!("`{column}`"))
        ),
        Shape::UsedOnce => format!(
            "Use it up in one conditional statement (`UPDATE {table} … WHERE … AND used_at IS NULL`, or `DELETE … RETURNING`) and \
             go on only if one row was changed."
        ),
    };
    Fix { description, ..Fix::default() }
}
