//! Sequelize: models by `define` and `init`, by decorators, and their associations.

mod associations;
mod classes;
mod models;

use loadworthy_schema::{Column, Index, Key, Origin, Tool};
use loadworthy_syntax::Kind;

use super::column::{Declared, Unique, index, values_of_type};
use super::found::Found;
use super::reading::Reading;
use crate::values::Site;

/// Reads every model of the program.
pub(super) fn read(reading: Reading<'_, '_>, found: &mut Found) {
    let mut models = models::Models::find(reading);
    associations::read(reading, &mut models);
    classes::associate(reading, &mut models);
    for model in models.all {
        found.declare(model.holders, model.table, reading.dialect(model.file));
    }
}

/// An attribute of a model or migration: a type, or an object with one.
pub(super) fn attribute(reading: Reading<'_, '_>, name: &str, site: Site) -> Declared {
    let options = reading.object(site);
    let option = |key: &str| options.and_then(|options| reading.get(options, key));
    let is_set = |key: &str| option(key).and_then(|value| reading.flag(value)) == Some(true);
    let kind = option("type").or_else(|| options.is_none().then_some(site));
    let type_text = kind.map(|kind| type_name(reading, kind)).unwrap_or_default();
    let is_primary = is_set("primaryKey");
    let field = option("field").and_then(|field| reading.text(field));
    let values = || {
        let list = option("values").and_then(|values| reading.count(values));
        list.or_else(|| enum_values(reading, kind?))
    };
    let is_enum = type_text == "ENUM";
    let references = option("references").and_then(|target| {
        let model = reading.get(target, "model")?;
        let table = reading.text(model).or_else(|| reading.get_text(model, "tableName"));
        let table = table.or_else(|| reading.written_name(model).map(str::to_owned))?;
        Some((table, reading.get_text(target, "key")))
    });
    Declared {
        column: Column {
            field: field.as_ref().filter(|field| *field != name).map(|_| name.to_owned()),
            name: field.unwrap_or_else(|| name.to_owned()),
            nullable: !is_primary && option("allowNull").and_then(|it| reading.flag(it)) != Some(false),
            distinct: values_of_type(&type_text).or_else(|| if is_enum { values() } else { None }),
            type_text,
        },
        is_primary,
        unique: option("unique").map(|unique| uniqueness(reading, unique)).unwrap_or_default(),
        is_indexed: false,
        references,
        place: reading.place(site),
        tool: Tool::Sequelize,
    }
}

fn uniqueness(reading: Reading<'_, '_>, site: Site) -> Unique {
    match reading.flag(site) {
        Some(true) => Unique::Alone,
        Some(false) => Unique::No,
        None => {
            let name = reading.text(site).or_else(|| reading.get_text(site, "name"));
            name.map_or(Unique::Alone, Unique::Named)
        }
    }
}

/// `STRING` of `DataTypes.STRING(255)`.
fn type_name(reading: Reading<'_, '_>, site: Site) -> String {
    match reading.kind(site) {
        Kind::Call { .. } | Kind::New { .. } => reading.called_name(site).to_owned(),
        Kind::String(_) => reading.text(site).unwrap_or_default(),
        _ => reading.written_name(site).unwrap_or_default().to_owned(),
    }
}

/// `ENUM("a", "b")`, `ENUM(["a", "b"])`, `ENUM({ values: […] })`.
fn enum_values(reading: Reading<'_, '_>, site: Site) -> Option<u32> {
    let arguments = reading.arguments(site);
    match arguments.as_slice() {
        [only] if reading.text(*only).is_none() => {
            let listed = reading.get(*only, "values");
            let spread = match reading.kind(*only) {
                Kind::Spread(value) => (only.0, value),
                _ => *only,
            };
            // `Object.values(State)`.
            let inner = || reading.argument(spread, 0).unwrap_or(spread);
            reading.count(listed.unwrap_or_else(inner))
        }
        [] => None,
        values => u32::try_from(values.len()).ok(),
    }
}

/// `{ name, unique, fields, using, type, where }`.
pub(super) fn index_of(reading: Reading<'_, '_>, site: Site) -> Index {
    let text = |key: &str| reading.get_text(site, key);
    let kind = text("type").map(|kind| kind.to_lowercase());
    let unique = reading.is_set(site, "unique") || kind.as_deref() == Some("unique");
    let method = text("using").or_else(|| text("method")).map(|method| method.to_lowercase());
    let method = method.or(kind).filter(|method| method != "btree" && method != "unique");
    let keys = reading.get(site, "fields").map(|fields| index_keys(reading, fields)).unwrap_or_default();
    Index {
        name: text("name").or_else(|| text("indexName")),
        keys,
        predicate: reading.get(site, "where").map(|filter| reading.source(filter).to_owned()),
        method,
        origin: Origin::Declared,
        ..index(&[], unique, reading.place(site), Tool::Sequelize)
    }
}

/// Names, `{ name, order }`, or `sequelize.fn(…)`.
pub(super) fn index_keys(reading: Reading<'_, '_>, fields: Site) -> Vec<Key> {
    let key = |site: Site| {
        let name = reading.text(site).or_else(|| reading.get_text(site, "name"));
        let name = name.or_else(|| reading.get_text(site, "attribute"));
        let descending =
            reading.get_text(site, "order").is_some_and(|order| order.eq_ignore_ascii_case("desc"));
        match name {
            Some(name) => Key { descending, ..Key::column(name) },
            None => Key::expression(reading.source(site)),
        }
    };
    reading.elements(fields).into_iter().map(key).collect()
}
