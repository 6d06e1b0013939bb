//! What a race is in words.

use loadworthy_schema::Table;

use super::rows::{Race, Shape};
use crate::audit::Audit;
use crate::finding::{Fix, Words};

pub(super) fn words(
    audit: &Audit<'_, '_>,
    race: &Race<'_>,
    known: Option<&Table>,
    (columns, column, is_unique): (&[&str], Option<&str>, bool),
) -> Words {
    let table = race.read.query.table.as_deref().unwrap_or("the table");
    let reached = audit.reached_by(race.read.at);
    let by = if columns.is_empty() { String::from("its filter") } else { columns.join(", ") };
    let field = column.unwrap_or("a field");
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
                "Two requests that arrive within one round trip both find nothing and both insert: {}.",
                if known.is_some() {
                    "nothing in the schema forbids the duplicate"
                } else {
                    "the second one fails unhandled if the database has a unique key (the schema is not in the project), and is a \
                     duplicate otherwise"
                }
            ),
        ),
        Shape::CountThenInsert => (
            format!("`{table}` is counted against a limit and then inserted in {reached}"),
            String::from(
                "Requests that overlap all see the count below the limit and all insert: the limit is exceeded.",
            ),
        ),
        Shape::LastOne => (
            format!("`{table}` is counted and then changed or deleted in {reached}"),
            String::from(
                "Requests that overlap all count the same rows and all go on: the last one that had to stay is gone.",
            ),
        ),
        Shape::NextNumber => (
            format!("the next number of `{table}` is computed from the rows that are there in {reached}"),
            String::from(
                "Requests that overlap see the same rows, compute the same number and insert it twice.",
            ),
        ),
        Shape::ReadModifyWrite => (
            format!("`{table}` is read, changed in memory and written back in {reached}"),
            String::from(
                "Requests that overlap start from the same value: the later write undoes the earlier one.",
            ),
        ),
        Shape::WrittenWhole => (
            format!("`{table}` is read, and written back with the fields that did not change in {reached}"),
            String::from(
                "Fields that nobody changed here are written as they were read: what another request wrote to them meanwhile is \
                 undone, without an error.",
            ),
        ),
        Shape::Claimed => (
            format!("`{field}` of `{table}` is tested and then changed in {reached}"),
            format!(
                "Requests that overlap all read the same `{field}` before the first one changes it, all pass the test, and all \
                 do what may be done once."
            ),
        ),
        Shape::WithinLimit => (
            format!("`{field}` of `{table}` is compared with a limit and then changed in {reached}"),
            format!(
                "Requests that overlap all see `{field}` within the limit and all change it: it goes past the limit, though each \
                 change by itself may be atomic."
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
            seen(race.shape, is_unique)
        ),
        tradeoff: String::from(
            "One statement moves the decision into the database; a lock or a serialisable transaction keeps the code but \
             holds a connection longer and needs a retry on failure.",
        ),
    }
}

/// What tells that it went wrong.
fn seen(shape: Shape, is_unique: bool) -> &'static str {
    match shape {
        Shape::FindThenInsert if is_unique => "count the 500 answers.",
        Shape::FindThenInsert => "there is more than one row.",
        Shape::CountThenInsert => "there are more rows than the limit allows.",
        Shape::LastOne => "fewer rows are left than the check allows.",
        Shape::NextNumber => "a number appears twice.",
        Shape::ReadModifyWrite => "the value has changed by less than 50 steps.",
        Shape::WrittenWhole => {
            "send two that change different fields instead, and both changes must be there."
        }
        Shape::UsedOnce | Shape::Claimed => "more than one answer is a success.",
        Shape::WithinLimit => "the value is past the limit.",
    }
}

pub(super) fn fix(race: &Race<'_>, table: &str, columns: &[&str], column: Option<&str>) -> Fix {
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
        Shape::LastOne => format!(
            "Count and write in one statement (`DELETE … WHERE … AND (SELECT count(*) …) > 1`), or lock the rows that are counted \
             (`SELECT … FOR UPDATE`) in the same transaction as the write of `{table}`."
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
        Shape::WrittenWhole => format!(
            "Write only the fields that changed (an update of `{table}` by its key), or give it a version that the write checks and \
             raises."
        ),
        Shape::Claimed | Shape::WithinLimit => format!(
            "Repeat the test in the condition of the update ({} as it was read, or the limit itself), and go on only if a row was \
             changed; do what must happen once after that.",
            column.map_or_else(|| String::from("the field"), |column| format!("`{column}`"))
        ),
        Shape::UsedOnce => format!(
            "Use it up in one conditional statement (`UPDATE {table} … WHERE … AND used_at IS NULL`, or `DELETE … RETURNING`) and \
             go on only if one row was changed."
        ),
    };
    Fix { description, ..Fix::default() }
}
