//! TypeORM entities without classes: `new EntitySchema({ name, columns, relations, indices })`.

use loadworthy_schema::names::camel;
use loadworthy_schema::{Column, Index, Origin, Tool};
use loadworthy_syntax::Kind;

use super::{Entities, Link, table_name};
use crate::schema::column::{Declared, Unique, index, values_of_type};
use crate::schema::found::Holder;
use crate::schema::packages::{TYPEORM, is_of};
use crate::schema::reading::{Reading, package_of};
use crate::values::Site;

pub(super) fn find(entities: &mut Entities<'_, '_>) {
    let reading = entities.reading;
    for (file, module) in reading.modules() {
        for call in module.calls() {
            let site = (file, *call);
            let is_new = matches!(module.kind(*call), Kind::New { .. });
            if !is_new || reading.called_name(site) != "EntitySchema" {
                continue;
            }
            let externals = reading.callee(site).map(|callee| reading.externals(callee)).unwrap_or_default();
            let Some(options) = reading.argument(site, 0) else { continue };
            if !externals.iter().any(|external| is_of(package_of(external), TYPEORM)) {
                continue;
            }
            let Some(model) = reading.get_text(options, "name") else { continue };
            let name = reading.get_text(options, "tableName").unwrap_or_else(|| table_name(&model));
            entities.add(Holder::Made(site), &model, name, site);
            let target = reading.get(options, "target").and_then(|target| reading.class(target));
            let holder = target.map(|class| Holder::Class(class.0, class.1));
            if let (Some(holder), Some(at)) = (holder, entities.all.len().checked_sub(1)) {
                entities.by_holder.insert(holder, at);
                if let Some(entity) = entities.all.get_mut(at) {
                    entity.holders.push(holder);
                }
            }
        }
    }
}

/// The schemas with their options.
fn schemas(entities: &Entities<'_, '_>) -> Vec<(usize, Site)> {
    let options = |(at, entity): (usize, &super::Entity)| match entity.holders.first() {
        Some(Holder::Made(site)) => Some((at, entities.reading.argument(*site, 0)?)),
        _ => None,
    };
    entities.all.iter().enumerate().filter_map(options).collect()
}

fn entries(reading: Reading<'_, '_>, options: Site, key: &str) -> Vec<(String, Site)> {
    reading.get(options, key).map(|site| reading.entries(site)).unwrap_or_default()
}

pub(super) fn add_columns(entities: &mut Entities<'_, '_>) {
    let reading = entities.reading;
    for (at, options) in schemas(entities) {
        for (property, site) in entries(reading, options, "columns") {
            let is_set = |key: &str| reading.is_set(site, key);
            let name = reading.get_text(site, "name").unwrap_or_else(|| property.clone());
            let kind = reading.get(site, "type");
            let type_text = kind.and_then(|kind| {
                reading.text(kind).or_else(|| reading.written_name(kind).map(str::to_owned))
            });
            let type_text = type_text.unwrap_or_default();
            let values = reading.get(site, "enum").and_then(|values| reading.count(values));
            let declared = Declared {
                column: Column {
                    field: (name != property).then(|| property.clone()),
                    name,
                    nullable: is_set("nullable"),
                    distinct: values_of_type(&type_text).or(values),
                    type_text,
                },
                is_primary: is_set("primary"),
                unique: if is_set("unique") { Unique::Alone } else { Unique::No },
                place: reading.place(site),
                tool: Tool::TypeOrm,
                ..Declared::default()
            };
            if let Some(entity) = entities.all.get_mut(at) {
                declared.add_to(&mut entity.table);
            }
        }
    }
}

/// Relations, then the indexes, which may name them.
pub(super) fn add_relations(entities: &mut Entities<'_, '_>) {
    let reading = entities.reading;
    let all = schemas(entities);
    for (at, options) in &all {
        for (field, site) in entries(reading, *options, "relations") {
            add_relation(entities, *at, &field, site);
        }
    }
    for (at, options) in all {
        for key in ["indices", "uniques"] {
            let list = reading.get(options, key).map(|list| reading.elements(list)).unwrap_or_default();
            for site in list {
                let columns = reading.get(site, "columns").map(|columns| reading.names(columns));
                let keys = entities.keys(at, &columns.unwrap_or_default());
                let unique = key == "uniques" || reading.is_set(site, "unique");
                let found = Index {
                    name: reading.get_text(site, "name"),
                    keys,
                    predicate: reading.get_text(site, "where"),
                    origin: if key == "uniques" { Origin::Unique } else { Origin::Declared },
                    ..index(&[], unique, reading.place(site), Tool::TypeOrm)
                };
                if let Some(entity) = entities.all.get_mut(at) {
                    entity.table.add_index(found);
                }
            }
        }
    }
}

fn add_relation(entities: &mut Entities<'_, '_>, at: usize, field: &str, site: Site) {
    let reading = entities.reading;
    let Some(target) = reading.get(site, "target").and_then(|target| entities.of(target)) else { return };
    let link = Link { field, target, place: reading.place(site) };
    let join = reading.get(site, "joinColumn");
    match reading.get_text(site, "type").as_deref() {
        Some("many-to-one") => {
            let given = join.and_then(|join| reading.get_text(join, "name"));
            let column = given.unwrap_or_else(|| camel(&format!("{field}_{}", entities.primary(target))));
            entities.join(at, &link, column, None, !is_required(reading, site));
        }
        Some("one-to-one") if join.is_some() => {
            let given = join.and_then(|join| reading.get_text(join, "name"));
            let column = given.unwrap_or_else(|| camel(&format!("{field}_{}", entities.primary(target))));
            entities.join(at, &link, column, None, !is_required(reading, site));
        }
        Some(kind) => {
            let inverse = reading.get_text(site, "inverseSide");
            entities.inverse(at, &link, inverse.as_deref(), kind.ends_with("many"));
        }
        None => {}
    }
}

fn is_required(reading: Reading<'_, '_>, site: Site) -> bool {
    reading.get(site, "nullable").and_then(|value| reading.flag(value)) == Some(false)
}
