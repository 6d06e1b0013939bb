//! The index in the project's own tool, and the statement that shows what a query does.

use loadworthy_analysis::Family;
use loadworthy_schema::names::snake;
use loadworthy_schema::{Store, Table, Tool};

use super::declaration::{declare, prisma_keys, property};
use super::demands::{Need, Wanted};
use super::proposals::Proposal;
use crate::audit::Audit;
use crate::finding::{Applicability, Fix};

/// The statement that lists the indexes of a table which nothing in the project declares.
pub(super) fn show_indexes(proposal: &Proposal<'_>) -> String {
    let name = &proposal.name;
    if is_document(proposal) {
        return format!(
            "no schema in the project tells the indexes of `{name}`; run `db.{name}.getIndexes()`"
        );
    }
    format!(
        "no schema or migration in the project tells the indexes of `{name}`; run `SELECT indexdef FROM pg_indexes WHERE tablename = '{name}'` (MySQL: `SHOW INDEX FROM {name}`) and look for one that leads with {}",
        proposal.columns_in_words()
    )
}

fn is_document(proposal: &Proposal<'_>) -> bool {
    match proposal.table {
        Some(table) => table.store == Store::Document,
        None => proposal
            .demands
            .iter()
            .any(|it| matches!(it.query.family, Family::Mongoose | Family::MongoDriver)),
    }
}

pub(super) fn fix(audit: &Audit<'_, '_>, proposal: &Proposal<'_>) -> Fix {
    if let Some(declared) = declare(audit, proposal) {
        return Fix {
            description: format!("{} {}", described(proposal), declared.then),
            before: Some(declared.before).filter(|before| !before.is_empty()),
            after: Some(declared.after),
            edits: declared.edits,
            files: declared.files,
            applicability: Applicability::Review,
            ..Fix::default()
        };
    }
    let keys = proposal.keys();
    let (description, after) = match proposal.need {
        Need::Text => text(proposal),
        Need::Function => function(proposal),
        Need::Random => (
            String::from(
                "Pick random keys instead of sorting all rows: take a random offset within the count, or rows whose key is next to a random one.",
            ),
            Some(format!("SELECT * FROM {} TABLESAMPLE SYSTEM_ROWS(10);", proposal.name)),
        ),
        _ => (described(proposal), Some(declared(proposal, &keys))),
    };
    Fix { description, after, applicability: Applicability::Manual, ..Fix::default() }
}

fn described(proposal: &Proposal<'_>) -> String {
    let columns = proposal.columns_in_words();
    let place = proposal.table.filter(|table| !table.place.file.is_empty());
    let at = place.map_or_else(String::new, |table| format!(" ({}:{})", table.place.file, table.place.line));
    let extended = proposal.extended().map_or_else(String::new, |index| {
        format!(" Extend the index on ({}) instead of adding a second one.", index.columns().join(", "))
    });
    let on_line = if is_document(proposal) {
        String::new()
    } else {
        String::from(
            " On a table with traffic build it without locking: `CREATE INDEX CONCURRENTLY` (PostgreSQL, outside a transaction), `ALGORITHM=INPLACE, LOCK=NONE` (MySQL).",
        )
    };
    let served = match proposal.demands.len() {
        1 => String::new(),
        many => format!(" It serves {many} queries."),
    };
    format!("Add an index on {columns} of `{}`{at}.{served}{extended}{on_line}", proposal.name)
}

/// The line in the language that declares the table.
fn declared(proposal: &Proposal<'_>, keys: &[Wanted]) -> String {
    let tool = proposal.table.and_then(|table| table.tools.first().copied()).unwrap_or_default();
    let is_document = is_document(proposal);
    let field = |key: &Wanted| {
        let column = proposal.table.and_then(|table| table.column(&key.column));
        column.map_or_else(|| key.column.clone(), |column| column.field().to_owned())
    };
    let quoted =
        |names: Vec<String>| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let fields: Vec<String> = keys.iter().map(field).collect();
    let columns: Vec<String> = keys.iter().map(|key| key.column.clone()).collect();
    match tool {
        _ if is_document => documents(proposal),
        Tool::Prisma => {
            let keys = proposal.table.map(|table| prisma_keys(proposal, table)).unwrap_or_default();
            format!("@@index([{}])", keys.join(", "))
        }
        Tool::Drizzle => {
            let keys: Vec<String> = keys
                .iter()
                .zip(&fields)
                .map(|(key, field)| {
                    format!("table.{field}{}", if key.is_descending { ".desc()" } else { "" })
                })
                .collect();
            format!("index(\"{}\").on({})", index_name(proposal), keys.join(", "))
        }
        Tool::Sequelize => format!("indexes: [{{ fields: [{}] }}]", quoted(columns)),
        Tool::TypeOrm => format!("@Index([{}])", quoted(properties(proposal, fields))),
        Tool::MikroOrm => format!("@Index({{ properties: [{}] }})", quoted(properties(proposal, fields))),
        Tool::Knex | Tool::Objection => {
            format!(
                "await knex.schema.alterTable(\"{}\", (table) => table.index([{}]));",
                proposal.name,
                quoted(columns)
            )
        }
        Tool::Kysely => format!(
            "await db.schema.createIndex(\"{}\").on(\"{}\").columns([{}]).execute();",
            index_name(proposal),
            proposal.name,
            quoted(columns)
        ),
        Tool::NodePgMigrate => format!("pgm.createIndex(\"{}\", [{}]);", proposal.name, quoted(columns)),
        _ => sql(proposal),
    }
}

/// The properties of an entity that its columns are of.
fn properties(proposal: &Proposal<'_>, fields: Vec<String>) -> Vec<String> {
    let Some(table) = proposal.table else { return fields };
    let keys = proposal.keys();
    keys.iter().zip(fields).map(|(key, field)| property(table, &key.column).unwrap_or(field)).collect()
}

fn sql(proposal: &Proposal<'_>) -> String {
    format!(
        "CREATE INDEX CONCURRENTLY {} ON {} ({});",
        index_name(proposal),
        identifier(&proposal.name),
        sql_keys(proposal)
    )
}

/// `user_id, created_at DESC`.
pub(super) fn sql_keys(proposal: &Proposal<'_>) -> String {
    let keys = proposal.keys();
    let keys: Vec<String> = keys
        .iter()
        .map(|key| format!("{}{}", identifier(&key.column), if key.is_descending { " DESC" } else { "" }))
        .collect();
    keys.join(", ")
}

/// `userId: 1, createdAt: -1`.
pub(super) fn document_keys(proposal: &Proposal<'_>) -> String {
    let keys = proposal.keys();
    let keys: Vec<String> = keys
        .iter()
        .map(|key| {
            let is_plain = key.column.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            let name = if is_plain { key.column.clone() } else { format!("\"{}\"", key.column) };
            format!("{name}: {}", if key.is_descending { -1 } else { 1 })
        })
        .collect();
    keys.join(", ")
}

fn documents(proposal: &Proposal<'_>) -> String {
    let keys = document_keys(proposal);
    match proposal.table.filter(|table| table.tools.contains(&Tool::Mongoose)) {
        Some(table) => format!("{}.index({{ {keys} }});", schema_name(table)),
        None => format!("await db.collection(\"{}\").createIndex({{ {keys} }});", proposal.name),
    }
}

/// `orderSchema` of the model `Order`.
fn schema_name(table: &Table) -> String {
    let model = table.model.as_deref().unwrap_or(&table.name);
    let mut letters = model.chars();
    let first = letters.next().map(|letter| letter.to_lowercase().to_string()).unwrap_or_default();
    format!("{first}{}Schema", letters.as_str())
}

/// Quoted where SQL would fold its case.
pub(super) fn identifier(name: &str) -> String {
    let is_plain =
        name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if is_plain && !is_reserved(name) { name.to_owned() } else { format!("\"{name}\"") }
}

fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "user" | "order" | "group" | "table" | "end" | "from" | "to" | "desc" | "check" | "default"
    )
}

pub(super) fn index_name(proposal: &Proposal<'_>) -> String {
    /// PostgreSQL cuts names at 63 bytes.
    const LONGEST: usize = 60;
    let columns: Vec<String> = proposal.keys().iter().map(|key| snake(&key.column)).collect();
    let mut name = format!("{}_{}_idx", snake(&proposal.name), columns.join("_"));
    if name.len() > LONGEST {
        name = name.chars().take(LONGEST).collect();
    }
    name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_")
}

fn text(proposal: &Proposal<'_>) -> (String, Option<String>) {
    let columns = proposal.columns_in_words();
    if is_document(proposal) {
        let keys: Vec<String> = proposal.equal.iter().map(|column| format!("{column}: \"text\"")).collect();
        let line = match proposal.table {
            Some(table) => format!("{}.index({{ {} }});", schema_name(table), keys.join(", ")),
            None => format!("db.{}.createIndex({{ {} }});", proposal.name, keys.join(", ")),
        };
        return (
            format!(
                "Add a text index on {columns} and search with `$text: {{ $search }}`, or anchor the expression (`^…`) so that a plain index serves it."
            ),
            Some(line),
        );
    }
    let name = |column: &str| format!("{}_{}_trgm_idx", snake(&proposal.name), snake(column));
    let lines: Vec<String> = proposal
        .equal
        .iter()
        .map(|column| {
            format!(
                "CREATE INDEX CONCURRENTLY {} ON {} USING gin ({} gin_trgm_ops);",
                name(column),
                identifier(&proposal.name),
                identifier(column)
            )
        })
        .collect();
    (
        format!(
            "Add a trigram index (PostgreSQL: `CREATE EXTENSION IF NOT EXISTS pg_trgm`) on {columns} in a migration; the query stays as it is. On MySQL use `FULLTEXT` and `MATCH … AGAINST`, or search from the start of the text (`LIKE 'term%'`)."
        ),
        Some(lines.join("\n")),
    )
}

fn function(proposal: &Proposal<'_>) -> (String, Option<String>) {
    let column = proposal.equal.first().cloned().unwrap_or_default();
    let name = format!("{}_lower_{}_idx", snake(&proposal.name), snake(&column));
    (
        String::from(
            "Index the expression that the query compares, or store the value in the form that is searched (the e-mail in lower case) and compare it plainly.",
        ),
        Some(format!(
            "CREATE INDEX CONCURRENTLY {} ON {} (lower({}));",
            name,
            identifier(&proposal.name),
            identifier(&column)
        )),
    )
}

/// The statement that shows how the database finds the rows of the first query.
pub(super) fn explain(proposal: &Proposal<'_>) -> String {
    let name = &proposal.name;
    if is_document(proposal) {
        let filter: Vec<String> = proposal.equal.iter().map(|column| format!("\"{column}\": …")).collect();
        let order: Vec<String> = proposal
            .then
            .iter()
            .map(|key| format!("\"{}\": {}", key.column, if key.is_descending { -1 } else { 1 }))
            .collect();
        let sort =
            if order.is_empty() { String::new() } else { format!(".sort({{ {} }})", order.join(", ")) };
        return format!(
            "On a collection of production size run `db.{name}.find({{ {} }}){sort}.explain(\"executionStats\")`: it shows COLLSCAN (or SORT) and totalDocsExamined near the size of the collection; after the change IXSCAN and as many documents as are returned.",
            filter.join(", ")
        );
    }
    let conditions: Vec<String> = match proposal.need {
        Need::Text => {
            proposal.equal.iter().map(|column| format!("{} ILIKE '%term%'", identifier(column))).collect()
        }
        Need::Function => {
            proposal.equal.iter().map(|column| format!("lower({}) = 'x'", identifier(column))).collect()
        }
        _ => proposal
            .equal
            .iter()
            .enumerate()
            .map(|(at, column)| format!("{} = ${}", identifier(column), at + 1))
            .collect(),
    };
    let condition =
        if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    let order: Vec<String> = proposal
        .then
        .iter()
        .map(|key| format!("{}{}", identifier(&key.column), if key.is_descending { " DESC" } else { "" }))
        .collect();
    let order =
        if order.is_empty() { String::new() } else { format!(" ORDER BY {} LIMIT 20", order.join(", ")) };
    let verb = if proposal.need == Need::Cascade { "the referring rows are found by" } else { "run" };
    format!(
        "On a table of production size {verb} `EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM {}{condition}{order};`: it shows a Seq Scan{} now and an Index Scan after the change. `SELECT seq_scan, idx_scan FROM pg_stat_user_tables WHERE relname = '{name}'` counts both under the load test.",
        identifier(name),
        if proposal.then.is_empty() { "" } else { " or a Sort" },
    )
}

pub(super) fn tradeoff(proposal: &Proposal<'_>) -> String {
    match proposal.need {
        Need::Text => String::from(
            "A trigram or text index is large (often the size of the column) and makes writes of these columns slower; from a few million rows a search service does it better.",
        ),
        Need::Function => {
            String::from("An index on an expression serves only queries that write the same expression.")
        }
        Need::Random => String::from(
            "The choice is less even than a full shuffle, which nobody notices in a list of suggestions.",
        ),
        _ => String::from(
            "Each index makes inserts and updates of its columns a little slower and takes space (about 2 to 4 % of a table per column); drop it if pg_stat_user_indexes shows no scans after a week.",
        ),
    }
}
