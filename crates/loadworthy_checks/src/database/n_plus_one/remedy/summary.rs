//! A count or sum for each element: one grouped query, and its numbers by the key.

use loadworthy_analysis::{Family, Operation, Query, Yields};

use super::batch::batch;
use super::{Made, Names, capital};
use crate::audit::{Audit, dedent};
use crate::database::rows::table_name;

/// What the query of a loop gives for each element is a number: grouped by the key that it asks for.
pub(super) fn grouped(audit: &Audit<'_, '_>, query: &Query, names: &Names<'_>) -> Option<Made> {
    if query.operation != Operation::Read || query.yields != Yields::Summary {
        return None;
    }
    let keys = names.free("keys", "Wanted");
    let batch = batch(audit, query, &keys)?;
    let key = audit.source(batch.key);
    let column = batch.column.as_str();
    let table = table_name(query);
    let is_sum = batch.text.contains("_sum") || batch.text.contains("_avg") || batch.text.contains("_max");
    let (text, of, number) = match query.family {
        Family::Prisma if batch.text.contains(".count({") => (
            batch.text.replacen(
                ".count({",
                &format!(".groupBy({{ by: ['{column}'], _count: {{ _all: true }},"),
                1,
            ),
            format!("it.{column}"),
            "it._count._all",
        ),
        Family::Prisma if batch.text.contains(".aggregate({") => (
            batch.text.replacen(".aggregate({", &format!(".groupBy({{ by: ['{column}'],"), 1),
            format!("it.{column}"),
            "it",
        ),
        Family::Mongoose | Family::MongoDriver => {
            let (owner, rest) = batch.text.split_once(".countDocuments(")?;
            let filter = rest.trim_end().strip_suffix(')')?;
            (
                format!(
                    "{owner}.aggregate([\n  {{ $match: {filter} }}, // ids as ObjectId: a pipeline casts nothing\n  {{ $group: {{ _id: '${column}', count: {{ $sum: 1 }} }} }},\n])"
                ),
                String::from("String(it._id)"),
                "it.count",
            )
        }
        Family::Sequelize if batch.text.contains(".count({") => (
            batch.text.replacen(".count({", &format!(".count({{ group: ['{column}'],"), 1),
            format!("it.{column}"),
            "Number(it.count)",
        ),
        Family::Drizzle => (
            format!(
                "db\n  .select({{ key: {table}.{column}, count: count() }})\n  .from({table})\n  .where(inArray({table}.{column}, {keys}))\n  .groupBy({table}.{column})"
            ),
            String::from("it.key"),
            "it.count",
        ),
        Family::Knex | Family::Objection => (
            format!(
                "knex('{table}').whereIn('{column}', {keys}).groupBy('{column}').select('{column}').count('* as count')"
            ),
            format!("it.{column}"),
            "Number(it.count)",
        ),
        _ => return None,
    };
    let map = names.free(&format!("{}By{}", if is_sum { "totals" } else { "count" }, capital(column)), "Map");
    let lookup = if query.family == Family::Mongoose { format!("String({key})") } else { key.to_owned() };
    let get = if number == "it" {
        format!("{map}.get({lookup}) // its `_sum`, `_avg`, …; nothing where there is no row")
    } else {
        format!("{map}.get({lookup}) ?? 0")
    };
    let element = &names.element;
    let after = format!(
        "const {keys} = {};\nconst groups = await {text};\nconst {map} = new Map(groups.map((it) => [{of}, {number}]));\nfor (const {element} of {}) {{\n  // in place of the query: {get}\n}}",
        names.each(key),
        names.source
    );
    let lines: Vec<&str> = after.lines().collect();
    Some(Made { before: names.before(), after: dedent(&lines), edits: Vec::new() })
}
