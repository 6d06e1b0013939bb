//! TypeORM migrations by its API: `createTable(new Table({…}))`, `createIndex("t", new TableIndex({…}))`.

use loadworthy_schema::{Column, ForeignKey, Index, Origin, Table, Tool};
use loadworthy_syntax::Kind;

use super::steps::Step;
use crate::schema::column::{Declared, Unique, index, values_of_type};
use crate::schema::reading::Reading;
use crate::values::Site;

/// The options of `new Table(…)`.
pub(super) fn made(reading: Reading<'_, '_>, site: Site) -> Option<Site> {
    options_of(reading, site).filter(|(name, _)| name == "Table").map(|(_, options)| options)
}

/// Whether it is `new TableIndex(…)`, `new TableColumn(…)` and so on, or a list of them.
pub(super) fn is_made(reading: Reading<'_, '_>, site: Site) -> bool {
    let element = reading.elements(site).first().copied().unwrap_or(site);
    options_of(reading, element).is_some_and(|(name, _)| name.starts_with("Table"))
}

fn options_of(reading: Reading<'_, '_>, site: Site) -> Option<(String, Site)> {
    if let Kind::New { .. } = reading.kind(site) {
        return Some((reading.called_name(site).to_owned(), reading.argument(site, 0)?));
    }
    reading.externals(site).iter().find_map(|external| {
        let call = external.site().filter(|site| matches!(reading.kind(*site), Kind::New { .. }))?;
        Some((reading.called_name(call).to_owned(), reading.argument(call, 0)?))
    })
}

/// The options of each element of a list, or of the one.
fn all_options(reading: Reading<'_, '_>, site: Site) -> Vec<Site> {
    let list = reading.elements(site);
    let sites = if list.is_empty() { vec![site] } else { list };
    sites.into_iter().map(|site| options_of(reading, site).map_or(site, |(_, options)| options)).collect()
}

pub(super) fn create_table(step: &mut Step<'_, '_, '_>) {
    let reading = step.reading;
    let Some(options) = step.arguments.first().and_then(|first| made(reading, *first)) else { return };
    let Some(name) = reading.get_text(options, "name") else { return };
    let mut table = step.new_table(name.rsplit('.').next().unwrap_or(&name), Tool::TypeOrm);
    let list =
        |key: &str| reading.get(options, key).map(|list| all_options(reading, list)).unwrap_or_default();
    for column in list("columns") {
        add_column(reading, column, &mut table);
    }
    for found in list("indices") {
        table.add_index(index_of(reading, found));
    }
    for found in list("uniques") {
        table.add_index(unique_of(reading, found));
    }
    for found in list("foreignKeys") {
        add_foreign_key(reading, found, &mut table);
    }
    step.history.catalogue.create_table(table, false);
}

fn add_column(reading: Reading<'_, '_>, site: Site, table: &mut Table) {
    let Some(name) = reading.get_text(site, "name") else { return };
    let has = |key: &str| reading.is_set(site, key);
    let type_text = reading.get_text(site, "type").unwrap_or_default();
    let values = || reading.count(reading.get(site, "enum")?);
    Declared {
        column: Column {
            name,
            field: None,
            nullable: has("isNullable"),
            distinct: values_of_type(&type_text).or_else(values),
            type_text,
        },
        is_primary: has("isPrimary"),
        unique: if has("isUnique") { Unique::Alone } else { Unique::No },
        is_indexed: false,
        references: None,
        place: reading.place(site),
        tool: Tool::TypeOrm,
    }
    .add_to(table);
}

fn columns(reading: Reading<'_, '_>, site: Site) -> Vec<String> {
    reading.get(site, "columnNames").map(|names| reading.names(names)).unwrap_or_default()
}

fn index_of(reading: Reading<'_, '_>, site: Site) -> Index {
    let has = |key: &str| reading.is_set(site, key);
    let method = match (has("isFulltext"), has("isSpatial")) {
        (true, _) => Some("fulltext".to_owned()),
        (_, true) => Some("spatial".to_owned()),
        _ => None,
    };
    Index {
        name: reading.get_text(site, "name"),
        predicate: reading.get_text(site, "where"),
        method,
        origin: Origin::Declared,
        ..index(&columns(reading, site), has("isUnique"), reading.place(site), Tool::TypeOrm)
    }
}

fn unique_of(reading: Reading<'_, '_>, site: Site) -> Index {
    Index {
        name: reading.get_text(site, "name"),
        ..index(&columns(reading, site), true, reading.place(site), Tool::TypeOrm)
    }
}

fn add_foreign_key(reading: Reading<'_, '_>, site: Site, table: &mut Table) {
    let Some(target) = reading.get_text(site, "referencedTableName") else { return };
    let referenced = reading.get(site, "referencedColumnNames").map(|names| reading.names(names));
    table.add_foreign_key(ForeignKey {
        name: reading.get_text(site, "name"),
        columns: columns(reading, site),
        table: target,
        referenced: referenced.unwrap_or_default(),
        place: reading.place(site),
    });
}

fn second(step: &Step<'_, '_, '_>) -> Vec<Site> {
    step.arguments.get(1).map(|second| all_options(step.reading, *second)).unwrap_or_default()
}

pub(super) fn create_index(step: &mut Step<'_, '_, '_>) {
    let reading = step.reading;
    for found in second(step).into_iter().map(|options| index_of(reading, options)) {
        step.change(|table| table.add_index(found.clone()));
    }
}

pub(super) fn add_columns(step: &mut Step<'_, '_, '_>) {
    let reading = step.reading;
    for options in second(step) {
        step.change(|table| add_column(reading, options, table));
    }
}

pub(super) fn change_column(step: &mut Step<'_, '_, '_>) {
    let reading = step.reading;
    let [_, old, new, ..] = step.arguments.as_slice() else { return };
    let old = reading.text(*old).or_else(|| reading.get_text(options_of(reading, *old)?.1, "name"));
    let options = all_options(reading, *new);
    step.change(|table| {
        for options in &options {
            if let (Some(old), Some(new)) = (&old, reading.get_text(*options, "name")) {
                table.rename_column(old, &new);
            }
            add_column(reading, *options, table);
        }
    });
}

/// `createForeignKey(s)`, `createUniqueConstraint`, `createPrimaryKey`.
pub(super) fn add_key(step: &mut Step<'_, '_, '_>, kind: &str) {
    let reading = step.reading;
    let names = step.arguments.get(1).map(|names| reading.names(*names)).unwrap_or_default();
    let place = reading.place(step.call);
    for options in second(step) {
        step.change(|table| match kind {
            "createUniqueConstraint" => table.add_index(unique_of(reading, options)),
            "createPrimaryKey" => table.add_index(Index {
                origin: Origin::Primary,
                ..index(&names, true, place.clone(), Tool::TypeOrm)
            }),
            _ => add_foreign_key(reading, options, table),
        });
    }
}
