//! What the models of a Prisma schema say of each other: mapped names, enums, both sides of relations.

use crate::prisma::{Relation as Field, Schema};
use crate::table::{self, KeyPart, Store, Table};

pub(crate) fn link(schema: &mut Schema) {
    name_keys(schema);
    count_values(schema);
    let relations: Vec<(String, table::Relation)> =
        schema.relations.iter().map(|field| (field.model.clone(), relation(schema, field))).collect();
    let is_document = schema.provider.as_deref() == Some("mongodb");
    for table in &mut schema.tables {
        let own = relations.iter().filter(|(model, _)| table.model.as_ref() == Some(model));
        table.relations = own.map(|(_, relation)| relation.clone()).collect();
        if is_document {
            table.store = Store::Document;
        }
    }
    if schema.provider.as_deref() == Some("mysql") && !schema.emulates_relations {
        schema.tables.iter_mut().for_each(Table::index_foreign_keys);
    }
}

/// Keys are declared by field and model; the database knows them by their mapped names.
fn name_keys(schema: &mut Schema) {
    let names: Vec<(Option<String>, String)> =
        schema.tables.iter().map(|table| (table.model.clone(), table.name.clone())).collect();
    for table in &mut schema.tables {
        let Table { columns, indexes, foreign_keys, .. } = table;
        let database_name = |name: &mut String| {
            if let Some(column) = columns.iter().find(|column| column.field.as_ref() == Some(name)) {
                name.clone_from(&column.name);
            }
        };
        for key in indexes.iter_mut().flat_map(|index| &mut index.keys) {
            if let KeyPart::Column(name) = &mut key.part {
                database_name(name);
            }
        }
        for foreign in foreign_keys {
            foreign.columns.iter_mut().for_each(database_name);
            if let Some((_, name)) = names.iter().find(|(model, _)| model.as_ref() == Some(&foreign.table)) {
                foreign.table.clone_from(name);
            }
        }
    }
}

fn count_values(schema: &mut Schema) {
    let Schema { tables, enums, .. } = schema;
    for column in tables.iter_mut().flat_map(|table| &mut table.columns) {
        let base = column.type_text.split(' ').next().unwrap_or_default();
        if let Some(known) = enums.iter().find(|known| known.name == base) {
            column.distinct = u32::try_from(known.values.len()).ok();
        }
    }
}

/// The relation by names of the database; the side without key fields takes them from the other.
fn relation(schema: &Schema, field: &Field) -> table::Relation {
    let others: Vec<&Field> = schema
        .relations
        .iter()
        .filter(|other| other.model == field.target && other.target == field.model)
        .filter(|other| !std::ptr::eq(*other, field))
        .collect();
    let named = others.iter().find(|other| other.name == field.name);
    let only = if let [only] = others.as_slice() { Some(only) } else { None };
    let other = named.or(only).copied();
    let (local, foreign) = match other {
        _ if !field.fields.is_empty() => (&field.fields, &field.references),
        Some(other) => (&other.references, &other.fields),
        None => (&field.fields, &field.references),
    };
    let is_joined = field.many && other.is_some_and(|other| other.many);
    table::Relation {
        field: field.field.clone(),
        target: table(schema, &field.target).map_or_else(|| field.target.clone(), |table| table.name.clone()),
        many: field.many,
        local: columns(schema, &field.model, local),
        foreign: columns(schema, &field.target, foreign),
        through: is_joined.then(|| through(field)),
        place: field.place.clone(),
    }
}

fn through(field: &Field) -> String {
    let (model, target) = (field.model.as_str(), field.target.as_str());
    match &field.name {
        Some(name) => format!("_{name}"),
        None => format!("_{}To{}", model.min(target), model.max(target)),
    }
}

fn table<'s>(schema: &'s Schema, model: &str) -> Option<&'s Table> {
    schema.tables.iter().find(|table| table.model.as_deref() == Some(model))
}

fn columns(schema: &Schema, model: &str, fields: &[String]) -> Vec<String> {
    let column = |field: &String| {
        let found = table(schema, model)?.columns.iter().find(|column| column.field() == field)?;
        Some(found.name.clone())
    };
    fields.iter().map(|field| column(field).unwrap_or_else(|| field.clone())).collect()
}
