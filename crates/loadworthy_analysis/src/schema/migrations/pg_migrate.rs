//! node-pg-migrate: `pgm.createTable("users", { id: "id", … })`.

use loadworthy_schema::{Column, ForeignKey, Index, Key, Origin, Place, Table, Tool};

use super::steps::Step;
use crate::schema::column::{Declared, Unique, index, values_of_type};
use crate::schema::reading::Reading;
use crate::values::Site;

pub(super) fn create_table(step: &mut Step<'_, '_, '_>) {
    let Some(columns) = step.arguments.get(1).copied() else { return };
    let constraints = step.arguments.get(2).and_then(|options| step.reading.get(*options, "constraints"));
    for name in step.tables() {
        let mut table = step.new_table(&name, Tool::NodePgMigrate);
        add(step.reading, columns, &mut table);
        if let Some(constraints) = constraints {
            constrain(step.reading, None, constraints, &mut table);
        }
        step.history.catalogue.create_table(table, false);
    }
}

pub(super) fn add_columns(step: &mut Step<'_, '_, '_>) {
    let Some(columns) = step.arguments.get(1).copied() else { return };
    let reading = step.reading;
    step.change(|table| add(reading, columns, table));
}

fn add(reading: Reading<'_, '_>, columns: Site, table: &mut Table) {
    for (name, site) in reading.entries(columns) {
        let place = reading.place(site);
        let shorthand = reading.text(site);
        let has = |key: &str| reading.is_set(site, key);
        let is_id = shorthand.as_deref() == Some("id");
        let type_text = shorthand.clone().or_else(|| reading.get_text(site, "type")).unwrap_or_default();
        let is_primary = is_id || has("primaryKey");
        Declared {
            column: Column {
                name,
                field: None,
                nullable: !is_primary && !has("notNull"),
                distinct: values_of_type(&type_text),
                type_text,
            },
            is_primary,
            unique: if has("unique") { Unique::Alone } else { Unique::No },
            is_indexed: false,
            references: reading.get(site, "references").and_then(|target| referenced(reading, target)),
            place,
            tool: Tool::NodePgMigrate,
        }
        .add_to(table);
    }
}

/// `users`, `"users"`, `users(id)`, `"public"."users"("id")`, or `{ schema, name }`.
fn referenced(reading: Reading<'_, '_>, site: Site) -> Option<(String, Option<String>)> {
    let text = reading.text(site).or_else(|| reading.get_text(site, "name"))?;
    let bare = text.replace('"', "");
    let (table, column) = match bare.split_once('(') {
        Some((table, column)) => (table, Some(column.trim_end_matches(')').trim().to_owned())),
        None => (bare.as_str(), None),
    };
    let table = table.rsplit('.').next().unwrap_or(table).trim();
    Some((table.to_owned(), column))
}

/// The constraints of `{ primaryKey, unique, foreignKeys }`.
fn constrain(reading: Reading<'_, '_>, name: Option<&str>, site: Site, table: &mut Table) {
    let place = reading.place(site);
    let key = |columns: &[String], origin: Origin| Index {
        name: name.map(str::to_owned),
        origin,
        ..index(columns, true, place.clone(), Tool::NodePgMigrate)
    };
    if let Some(columns) = reading.get(site, "primaryKey") {
        table.add_index(key(&reading.names(columns), Origin::Primary));
    }
    if let Some(unique) = reading.get(site, "unique") {
        let groups = reading.elements(unique).into_iter().filter(|element| reading.array(*element).is_some());
        let groups: Vec<Site> = groups.collect();
        for group in if groups.is_empty() { vec![unique] } else { groups } {
            table.add_index(key(&reading.names(group), Origin::Unique));
        }
    }
    if let Some(foreign) = reading.get(site, "foreignKeys") {
        let list = reading.elements(foreign);
        for foreign in if list.is_empty() { vec![foreign] } else { list } {
            add_foreign_key(reading, name, foreign, &place, table);
        }
    }
}

fn add_foreign_key(
    reading: Reading<'_, '_>,
    name: Option<&str>,
    site: Site,
    place: &Place,
    table: &mut Table,
) {
    let columns = reading.get(site, "columns").map(|columns| reading.names(columns)).unwrap_or_default();
    let target = reading.get(site, "references").and_then(|target| referenced(reading, target));
    if let Some((target, column)) = target {
        table.add_foreign_key(ForeignKey {
            name: name.map(str::to_owned),
            columns,
            table: target,
            referenced: column.into_iter().collect(),
            place: place.clone(),
        });
    }
}

/// `addConstraint(table, name, constraints)`, which may also be SQL.
pub(super) fn add_constraint(step: &mut Step<'_, '_, '_>) {
    let [_, name, constraint, ..] = step.arguments.as_slice() else { return };
    let (reading, constraint) = (step.reading, *constraint);
    let name = reading.text(*name);
    let Some(text) = reading.sql(constraint) else {
        step.change(|table| constrain(reading, name.as_deref(), constraint, table));
        return;
    };
    let place = reading.place(step.call);
    for table in step.tables() {
        let named = name.as_ref().map(|name| format!("CONSTRAINT \"{name}\" ")).unwrap_or_default();
        step.history.apply(&format!("ALTER TABLE \"{table}\" ADD {named}{text}"), &place);
    }
}

/// `createIndex(table, columns, { name, unique, method, where })`.
pub(super) fn create_index(step: &mut Step<'_, '_, '_>) {
    let [_, columns, options @ ..] = step.arguments.as_slice() else { return };
    let reading = step.reading;
    let options = options.first().copied();
    let option = |key: &str| options.and_then(|options| reading.get(options, key));
    let text = |key: &str| option(key).and_then(|site| reading.text(site));
    let elements = match reading.text(*columns) {
        Some(_) => vec![*columns],
        None => reading.elements(*columns),
    };
    let keys: Vec<Key> = elements.into_iter().filter_map(|element| key(reading, element)).collect();
    let unique = option("unique").and_then(|site| reading.flag(site)) == Some(true);
    let found = Index {
        name: text("name"),
        keys,
        unique,
        predicate: text("where"),
        method: text("method").map(|method| method.to_lowercase()).filter(|method| method != "btree"),
        origin: Origin::Declared,
        ..index(&[], unique, reading.place(step.call), Tool::NodePgMigrate)
    };
    step.change(|table| table.add_index(found.clone()));
}

fn key(reading: Reading<'_, '_>, site: Site) -> Option<Key> {
    let text = reading.text(site).or_else(|| reading.get_text(site, "name"))?;
    let descending = reading.get_text(site, "sort").is_some_and(|sort| sort.eq_ignore_ascii_case("desc"));
    let is_expression = text.contains(['(', ' ']);
    let key = if is_expression { Key::expression(text) } else { Key::column(text) };
    Some(Key { descending, ..key })
}
