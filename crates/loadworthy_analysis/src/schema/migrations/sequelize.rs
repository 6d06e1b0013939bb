//! Sequelize migrations: `queryInterface.createTable`, `addIndex`, `addConstraint`, `addColumn`.

use loadworthy_schema::{ForeignKey, Index, Origin, Tool};

use super::steps::Step;
use crate::schema::column::index;
use crate::schema::sequelize::{attribute, index_keys, index_of};

pub(super) fn create_table(step: &mut Step<'_, '_, '_>) {
    let Some(attributes) = step.arguments.get(1).copied() else { return };
    let unique_keys = step.arguments.get(2).and_then(|options| step.reading.get(*options, "uniqueKeys"));
    for name in step.tables() {
        let mut table = step.new_table(&name, Tool::Sequelize);
        for (name, site) in step.reading.entries(attributes) {
            attribute(step.reading, &name, site).add_to(&mut table);
        }
        for (name, key) in unique_keys.map(|keys| step.reading.entries(keys)).unwrap_or_default() {
            let fields = step.reading.get(key, "fields").map(|fields| step.reading.names(fields));
            let place = step.reading.place(key);
            let fields = fields.unwrap_or_default();
            table.add_index(Index { name: Some(name), ..index(&fields, true, place, Tool::Sequelize) });
        }
        step.history.catalogue.create_table(table, false);
    }
}

pub(super) fn add_column(step: &mut Step<'_, '_, '_>) {
    let [_, name, site, ..] = step.arguments.as_slice() else { return };
    let (reading, site) = (step.reading, *site);
    for name in reading.texts(*name) {
        step.change(|table| attribute(reading, &name, site).add_to(table));
    }
}

/// A changed column keeps its keys; new ones are added.
pub(super) fn change_column(step: &mut Step<'_, '_, '_>) {
    add_column(step);
}

/// `addIndex(table, fields, { name, unique, … })` or `addIndex(table, { fields, … })`.
pub(super) fn add_index(step: &mut Step<'_, '_, '_>) {
    let [_, second, rest @ ..] = step.arguments.as_slice() else { return };
    let reading = step.reading;
    let is_list = reading.array(*second).is_some();
    let options = if is_list { rest.first().copied() } else { Some(*second) };
    let mut found = options.map(|options| index_of(reading, options)).unwrap_or_default();
    if is_list {
        found.keys = index_keys(reading, *second);
    }
    found.place = reading.place(step.call);
    found.tool = Tool::Sequelize;
    step.change(|table| table.add_index(found.clone()));
}

/// `addConstraint(table, { type, fields, name, references })`, in older versions `addConstraint(table, fields, options)`.
pub(super) fn add_constraint(step: &mut Step<'_, '_, '_>) {
    let [_, second, rest @ ..] = step.arguments.as_slice() else { return };
    let reading = step.reading;
    let is_list = reading.array(*second).is_some();
    let Some(options) = (if is_list { rest.first().copied() } else { Some(*second) }) else { return };
    let fields = if is_list { Some(*second) } else { reading.get(options, "fields") };
    let fields = fields.map(|fields| reading.names(fields)).unwrap_or_default();
    let name = reading.get_text(options, "name");
    let place = reading.place(step.call);
    let kind = reading.get_text(options, "type").unwrap_or_default().to_lowercase();
    let key =
        |origin| Index { name: name.clone(), origin, ..index(&fields, true, place.clone(), Tool::Sequelize) };
    match kind.as_str() {
        "unique" => step.change(|table| table.add_index(key(Origin::Unique))),
        "primary key" => step.change(|table| table.add_index(key(Origin::Primary))),
        "foreign key" => {
            let Some(target) = reading.get(options, "references") else { return };
            let table_name = reading
                .get(target, "table")
                .and_then(|table| reading.text(table).or_else(|| reading.get_text(table, "tableName")));
            let Some(table_name) = table_name else { return };
            let referenced = reading.get_text(target, "field").into_iter().collect::<Vec<_>>();
            step.change(|table| {
                table.add_foreign_key(ForeignKey {
                    name: name.clone(),
                    columns: fields.clone(),
                    table: table_name.clone(),
                    referenced: referenced.clone(),
                    place: place.clone(),
                });
            });
        }
        _ => {}
    }
}
