//! Kysely migrations: `db.schema.createTable("person").addColumn(…)`, one chain a step.

use loadworthy_schema::{Column, ForeignKey, Index, Key, Origin, Table, Tool};

use super::steps::Step;
use crate::schema::column::{Declared, Unique, index, values_of_type};
use crate::schema::reading::{Link, Reading};
use crate::values::Site;

pub(super) fn create_table(step: &mut Step<'_, '_, '_>) {
    let is_built = |link: &&Link| link.name.starts_with("add") || link.name == "ifNotExists";
    if step.rest.iter().filter(is_built).count() == 0 {
        return;
    }
    let if_absent = step.rest.iter().any(|link| link.name == "ifNotExists");
    for name in step.tables() {
        let mut table = step.new_table(&name, Tool::Kysely);
        step.rest.iter().for_each(|link| change(step.reading, link, &mut table));
        step.history.catalogue.create_table(table, if_absent);
    }
}

pub(super) fn alter_table(step: &mut Step<'_, '_, '_>) {
    let (reading, rest) = (step.reading, step.rest);
    step.change(|table| rest.iter().for_each(|link| change(reading, link, table)));
    let renamed = rest.iter().find(|link| link.name == "renameTo").and_then(|link| link.call);
    let to = renamed.and_then(|call| reading.argument(call, 0)).and_then(|name| reading.text(name));
    if let (Some(to), [from]) = (to, step.tables().as_slice()) {
        step.history.catalogue.rename_table(from, &to);
    }
}

/// One link of a table's chain.
fn change(reading: Reading<'_, '_>, link: &Link, table: &mut Table) {
    let Some(call) = link.call else { return };
    let arguments = reading.arguments(call);
    let text = |at: usize| arguments.get(at).and_then(|site| reading.text(*site));
    let names = |at: usize| arguments.get(at).map(|site| reading.names(*site)).unwrap_or_default();
    let place = reading.place(call);
    let constraint = |columns: &[String], unique| Index {
        name: text(0),
        ..index(columns, unique, place.clone(), Tool::Kysely)
    };
    match link.name.as_str() {
        "addColumn" => add_column(reading, call, &arguments, table),
        "dropColumn" => names(0).iter().for_each(|name| table.drop_column(name)),
        "renameColumn" => {
            if let (Some(from), Some(to)) = (text(0), text(1)) {
                table.rename_column(&from, &to);
            }
        }
        "addPrimaryKeyConstraint" => {
            table.add_index(Index { origin: Origin::Primary, ..constraint(&names(1), true) });
        }
        "addUniqueConstraint" => table.add_index(constraint(&names(1), true)),
        "addIndex" => table.add_index(constraint(&names(1), false)),
        "addForeignKeyConstraint" => table.add_foreign_key(ForeignKey {
            name: text(0),
            columns: names(1),
            table: text(2).unwrap_or_default(),
            referenced: names(3),
            place,
        }),
        "dropConstraint" => {
            if let Some(name) = text(0) {
                table.drop_constraint(&name);
            }
        }
        "dropIndex" => {
            if let Some(name) = text(0) {
                table.drop_index(&name);
            }
        }
        _ => {}
    }
}

fn add_column(reading: Reading<'_, '_>, call: Site, arguments: &[Site], table: &mut Table) {
    let [name, kind, rest @ ..] = arguments else { return };
    let kind = reading.sql(*kind).unwrap_or_default();
    let built = rest.first().and_then(|build| reading.returned(*build).first().copied());
    let links = built.map(|built| reading.chain(built).1).unwrap_or_default();
    let has = |name: &str| links.iter().any(|link| link.name == name);
    let references = links.iter().find(|link| link.name == "references").and_then(|link| link.call);
    let target = references.and_then(|call| reading.argument(call, 0)).and_then(|site| reading.text(site));
    let target = target.map(|target| match target.rsplit_once('.') {
        Some((table, column)) => (table.to_owned(), Some(column.to_owned())),
        None => (target, None),
    });
    for name in reading.texts(*name) {
        Declared {
            column: Column {
                name,
                field: None,
                type_text: kind.clone(),
                nullable: !has("notNull") && !has("primaryKey"),
                distinct: values_of_type(&kind),
            },
            is_primary: has("primaryKey"),
            unique: if has("unique") { Unique::Alone } else { Unique::No },
            is_indexed: false,
            references: target.clone(),
            place: reading.place(call),
            tool: Tool::Kysely,
        }
        .add_to(table);
    }
}

/// `createIndex("name").on("table").columns(["a", "b desc"]).unique().using("gin").where(…)`.
pub(super) fn create_index(step: &mut Step<'_, '_, '_>) {
    let reading = step.reading;
    let find = |name: &str| step.rest.iter().find(|link| link.name == name).and_then(|link| link.call);
    let first = |name: &str| reading.argument(find(name)?, 0);
    let Some(table) = first("on").and_then(|site| reading.text(site)) else { return };
    let mut keys = Vec::new();
    for link in step.rest {
        let Some(argument) = link.call.and_then(|call| reading.argument(call, 0)) else { continue };
        match link.name.as_str() {
            "column" | "columns" => keys.extend(reading.names(argument).iter().map(|name| key(name))),
            "expression" => keys.push(Key::expression(reading.sql(argument).unwrap_or_default())),
            _ => {}
        }
    }
    let method = first("using").and_then(|site| reading.text(site)).map(|method| method.to_lowercase());
    let found = Index {
        name: step.arguments.first().and_then(|name| reading.text(*name)),
        keys,
        unique: find("unique").is_some(),
        predicate: find("where")
            .map(|call| reading.source(call).to_owned())
            .map(|text| last_arguments(&text)),
        method: method.filter(|method| method != "btree"),
        ..index(&[], false, reading.place(step.call), Tool::Kysely)
    };
    let place = reading.place(step.call);
    step.history.catalogue.change_table(&table, &place, |table| table.add_index(found));
}

fn key(name: &str) -> Key {
    match name.rsplit_once(' ') {
        Some((column, direction)) => {
            Key { descending: direction.eq_ignore_ascii_case("desc"), ..Key::column(column) }
        }
        None => Key::column(name),
    }
}

/// What is in the last brackets of a chain's source.
fn last_arguments(source: &str) -> String {
    let inside = source.rsplit_once(".where(").map_or(source, |(_, inside)| inside);
    inside.trim_end_matches(')').to_owned()
}
