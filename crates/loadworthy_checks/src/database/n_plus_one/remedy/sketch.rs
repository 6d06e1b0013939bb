//! What a person would write, where the code does not show enough for an edit.

use loadworthy_analysis::{Family, Operation, Operator, Query};
use loadworthy_schema::names::{camel, plural, snake};
use loadworthy_syntax::Kind;

use super::batch::batch;
use super::lookup::Lookup;
use super::{
    Made, Names, awaited_site, capital, has_column, inner_entry, is_one_for, is_path_of, key_of_entry,
    one_line, rows_named, shown,
};
use crate::audit::{Audit, dedent};
use crate::database::n_plus_one::cases::{Case, Repeated, Trip};
use crate::database::rows::table_name;
use crate::finding::Fix;

/// What a person would write, where the code does not show enough for an edit: the query of a function that the loop calls, a
/// loop that does more.
pub(super) fn sketch(
    audit: &Audit<'_, '_>,
    case: &Case,
    lead: &Repeated,
    query: &Query,
    names: &Names<'_>,
) -> Made {
    let element = &names.element;
    let entry = one_line(audit.source(awaited_site(audit, inner_entry(audit, case, lead))), 70);
    let own = own_condition(audit, query, element);
    let own_key = own.as_ref().map(|(_, key)| (*key).to_owned());
    let key = key_of_entry(audit, case, lead, element).or(own_key).unwrap_or_else(|| default_key(element));
    let table = camel(&snake(table_name(query)));
    let source = case.repeat.source.map(|source| one_line(audit.source(source), 200)).unwrap_or_default();
    let declared =
        (names.source == "items" && !source.contains('…')).then(|| format!("const items = {source};"));
    let mut lines: Vec<String> = declared.into_iter().collect();
    if query.operation == Operation::Read {
        let keys = names.free("keys", "Wanted");
        let first = query.filter.all.iter().find(|it| it.operator == Operator::Equal).map(|it| &*it.column);
        let asked = own.filter(|(_, own_key)| *own_key == key).map(|(column, _)| column).or(first);
        let column = asked.map_or("id", |it| it.rsplit('.').next().unwrap_or("id"));
        let found = batch(audit, query, &keys);
        let text = found.as_ref().map_or_else(
            || format!("read{}By{}({keys})", capital(&plural(&table)), capital(column)),
            |found| one_line(&found.text, 200),
        );
        let rows = rows_named(query, names, &text);
        lines.push(format!("const {keys} = {};", names.each(&key)));
        if found.is_none() {
            lines.push(format!(
                "// the query of {} with a list in place of one key",
                audit.place_of(lead.site)
            ));
        } else if !lead.way.is_empty() {
            lines.push(format!("// the query of {}, for all keys at once", audit.place_of(lead.site)));
        }
        lines.push(format!("const {rows} = await {text};"));
        // Ids of documents are objects, which a map does not find by their value.
        let is_document = matches!(query.family, Family::Mongoose | Family::MongoDriver);
        let lookup = Lookup::new(query, column, is_document, is_one_for(audit, query, column), names, &rows);
        if !has_column(query, column) {
            lines.push(format!("// select `{column}` as well"));
        }
        lines.extend(lookup.head.iter().cloned());
        let row = &lookup.variable;
        lines.push(format!("for (const {element} of {}) {{", names.source));
        lines.push(format!("  const {row} = {}; // in place of {entry}", lookup.get(&key)));
        lines.push(String::from("  // …"));
        lines.push(String::from("}"));
    } else if let Some(document) = saved_document(audit, query, lead) {
        lines.extend(saved_together(names, element, document));
    } else {
        lines.push(String::from("const changes = [];"));
        lines.push(format!("for (const {element} of {}) {{", names.source));
        lines.push(format!("  // … put together what {entry} is given"));
        lines.push(format!("  changes.push({element});"));
        lines.push(String::from("}"));
        lines.push(String::from("// one statement for all of them"));
        lines.push(many_written(query, &table));
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    Made { before: names.before(), after: dedent(&lines), edits: Vec::new() }
}

/// The column that is compared with something of the element, and that as the code has it: `session.college_id`.
fn own_condition<'q>(
    audit: &'q Audit<'_, '_>,
    query: &'q Query,
    element: &str,
) -> Option<(&'q str, &'q str)> {
    query.filter.all.iter().filter(|it| it.operator == Operator::Equal).find_map(|condition| {
        let value = audit.source(condition.value?);
        is_path_of(value, element).then_some((&*condition.column, value))
    })
}

/// `document` of `document.save()`.
fn saved_document<'a>(audit: &'a Audit<'_, '_>, query: &Query, lead: &Repeated) -> Option<&'a str> {
    let module = audit.module(lead.site).filter(|_| query.family == Family::Mongoose)?;
    let Kind::Call { callee, .. } = module.kind(lead.site.1) else { return None };
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    let is_document = module.str(name) == "save" && matches!(module.kind(object), Kind::Name { .. });
    is_document.then(|| module.source(object))
}

/// Documents that are saved in one command; one that stands outside of the loop is saved behind it.
fn saved_together(names: &Names<'_>, element: &str, document: &str) -> Vec<String> {
    if document != element {
        return vec![
            format!("for (const {element} of {}) {{", names.source),
            format!("  // … without {document}.save()"),
            String::from("}"),
            format!("await {document}.save();"),
        ];
    }
    vec![
        String::from("const changed = [];"),
        format!("for (const {element} of {}) {{", names.source),
        format!("  // … in place of {element}.save()"),
        format!("  changed.push({element});"),
        String::from("}"),
        String::from("// one command for all of them, with their hooks and validation"),
        String::from("if (changed.length > 0) await changed[0].constructor.bulkSave(changed);"),
    ]
}

/// The statement that writes a list, in the language of the query.
fn many_written(query: &Query, table: &str) -> String {
    let owner = query.table.as_deref().unwrap_or(table);
    match (query.family, query.operation) {
        (Family::Prisma, Operation::Insert) => {
            format!("await prisma.{table}.createMany({{ data: changes }});")
        }
        (Family::Drizzle, Operation::Insert) => format!("await db.insert({table}).values(changes);"),
        (Family::Mongoose, Operation::Insert) => format!("await {owner}.insertMany(changes);"),
        (Family::Sequelize, Operation::Insert) => format!("await {owner}.bulkCreate(changes);"),
        (Family::Mongoose | Family::MongoDriver, Operation::Delete) => {
            format!("await {owner}.deleteMany({{ _id: {{ $in: changes.map((change) => change._id) }} }});")
        }
        (Family::Mongoose | Family::MongoDriver, operation) => format!(
            "await {owner}.bulkWrite(changes.map((change) => ({{ updateOne: {{ filter: {{ _id: change._id }}, update: {{ $set: change }}{} }} }})));",
            if operation == Operation::Upsert { ", upsert: true" } else { "" }
        ),
        (Family::TypeOrm, Operation::Delete) => {
            String::from("await repository.delete(changes.map((change) => change.id));")
        }
        (Family::TypeOrm, _) => String::from("await repository.save(changes);"),
        (Family::Knex, Operation::Insert) => format!("await knex('{owner}').insert(changes);"),
        (Family::Prisma, Operation::Delete) => {
            format!(
                "await prisma.{table}.deleteMany({{ where: {{ id: {{ in: changes.map((change) => change.id) }} }} }});"
            )
        }
        (Family::Drizzle, Operation::Delete) => {
            format!(
                "await db.delete({table}).where(inArray({table}.id, changes.map((change) => change.id)));"
            )
        }
        (Family::Prisma, Operation::Upsert | Operation::Update) => {
            let verb = if query.operation == Operation::Upsert { "upsert" } else { "update" };
            format!(
                "await prisma.$transaction(changes.map((change) => prisma.{table}.{verb}({{ /* … as before */ }})));"
            )
        }
        (Family::Drizzle, Operation::Upsert) => format!(
            "await db.insert({table}).values(changes).onConflictDoUpdate({{ target: {table}.id, set: {{ /* column: sql`excluded.column` */ }} }});"
        ),
        (Family::Knex, Operation::Upsert) => {
            format!("await knex('{owner}').insert(changes).onConflict('id').merge();")
        }
        (Family::Sequelize, Operation::Upsert) => {
            format!("await {owner}.bulkCreate(changes, {{ updateOnDuplicate: ['column'] }});")
        }
        (_, Operation::Upsert) => {
            format!(
                "// INSERT INTO {owner} (…) VALUES (…), (…) ON CONFLICT (id) DO UPDATE SET column = excluded.column"
            )
        }
        (_, Operation::Insert) => format!("// INSERT INTO {owner} (…) VALUES (…), (…), …"),
        (_, Operation::Delete) => format!("// DELETE FROM {owner} WHERE id = ANY($1)"),
        _ => format!("// UPDATE {owner} SET … FROM (VALUES …) AS change WHERE {owner}.id = change.id"),
    }
}

/// The steps, where the loop gives its element no name.
pub(super) fn rough(audit: &Audit<'_, '_>, case: &Case, lead: &Repeated, plain: Fix) -> Fix {
    let entry = one_line(audit.source(awaited_site(audit, inner_entry(audit, case, lead))), 70);
    let before = shown(&audit.lines_around(audit.statement(case.repeat.at), 0));
    let query = audit.analysis.queries().at(lead.site).filter(|_| lead.trip == Trip::Query);
    let after = match query {
        Some(query) if query.operation == Operation::Read => {
            let table = capital(&plural(&camel(&snake(table_name(query)))));
            format!(
                "// before the loop: the keys that {entry} is given, and one query for all of them\nconst keys = [];\nconst rows = await read{table}By(keys);\nconst rowByKey = new Map(rows.map((row) => [row.id, row]));\n// in the loop, in place of {entry}:\nconst row = rowByKey.get(key) ?? null;"
            )
        }
        Some(query) => {
            let table = camel(&snake(table_name(query)));
            format!(
                "const changes = [];\n// in the loop, in place of {entry}:\nchanges.push(change);\n// behind it, one statement for all of them\n{}",
                many_written(query, &table)
            )
        }
        None => format!(
            "const limit = pLimit(5);\n// in the loop, in place of {entry}:\nstarted.push(limit(() => {}));\n// behind it\nawait Promise.all(started);",
            entry.trim_start_matches("await ")
        ),
    };
    Fix { before: Some(before), after: Some(after), ..plain }
}

/// Other services and caches.
pub(super) fn elsewhere(
    audit: &Audit<'_, '_>,
    case: &Case,
    lead: &Repeated,
    names: &Names<'_>,
    plain: Fix,
) -> Fix {
    let element = &names.element;
    let entry = one_line(audit.source(awaited_site(audit, inner_entry(audit, case, lead))), 90);
    let after = if lead.trip == Trip::Cache {
        format!(
            "const keys = {};\nconst values = await redis.mget(keys);\nfor (const [at, {element}] of {}.entries()) {{\n  const value = values[at]; // in place of {entry}\n  // …\n}}",
            names.each(&key_of_entry(audit, case, lead, element).unwrap_or_else(|| default_key(element))),
            names.source
        )
    } else {
        format!(
            "const AT_ONCE = 5;\nfor (let start = 0; start < {source}.length; start += AT_ONCE) {{\n  await Promise.all({source}.slice(start, start + AT_ONCE).map(async ({element}) => {{\n    // … {entry}\n  }}));\n}}",
            source = names.source
        )
    };
    Fix { before: Some(names.before()), after: Some(after), ..plain }
}

/// `order.id`; an element that is a key stands for itself.
fn default_key(element: &str) -> String {
    let is_key = element == "id" || element.ends_with("Id") || element.ends_with("_id");
    if is_key { element.to_owned() } else { format!("{element}.id") }
}
