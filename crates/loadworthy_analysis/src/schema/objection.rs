//! Objection models: the table, its key and its relations. Indexes are in migrations.

use loadworthy_schema::{Column, Extent, Index, Key, Origin, Relation, Table, Tool};
use loadworthy_syntax::{Kind, MemberKind};

use super::column::{index, values_of_type};
use super::found::{Found, Holder};
use super::packages::{OBJECTION, is_of};
use super::reading::{ClassRef, Reading, package_of};
use crate::values::Site;

/// Reads every model of the program.
pub(super) fn read(reading: Reading<'_, '_>, found: &mut Found) {
    for class in reading.classes().filter(|class| is_model(reading, *class)) {
        let Some(name) = constant(reading, class, "tableName").and_then(|site| reading.text(site)) else {
            continue;
        };
        let table = table(reading, class, name);
        found.declare(vec![Holder::Class(class.0, class.1)], table, reading.dialect(class.0));
    }
}

fn is_model(reading: Reading<'_, '_>, class: ClassRef) -> bool {
    reading.lineage(class).into_iter().any(|class| {
        let heritage = reading.class_at(class).and_then(|(_, found)| found.heritage.ok());
        let externals = heritage.map(|heritage| reading.externals((class.0, heritage))).unwrap_or_default();
        externals.iter().any(|external| is_of(package_of(external), OBJECTION))
    })
}

/// The value of a static field, or what a static getter or method gives back, of the class or one that it extends.
fn constant(reading: Reading<'_, '_>, class: ClassRef, name: &str) -> Option<Site> {
    reading.lineage(class).into_iter().find_map(|class| {
        let (module, found) = reading.class_at(class)?;
        let is_named =
            |member: &&loadworthy_syntax::ClassMember| member.is_static && module.str(member.name) == name;
        let member = found.members.iter().find(is_named)?;
        let site = (class.0, member.value);
        match member.kind {
            MemberKind::Getter | MemberKind::Method => reading.returned(site).first().copied(),
            _ => Some(reading.unwrapped(site)),
        }
    })
}

fn table(reading: Reading<'_, '_>, class: ClassRef, name: String) -> Table {
    let node = reading.class_at(class).map(|(_, found)| found.node);
    let place = node.map(|node| reading.place((class.0, node))).unwrap_or_default();
    let key = constant(reading, class, "idColumn").map(|site| reading.names(site)).unwrap_or_default();
    let key = if key.is_empty() { vec!["id".to_owned()] } else { key };
    let mut table = Table {
        name,
        model: Some(reading.class_name(class).to_owned()),
        scope: reading.scope(class.0).to_owned(),
        extent: Extent::Named,
        place: place.clone(),
        tools: vec![Tool::Objection],
        ..Table::default()
    };
    add_columns(reading, class, &mut table);
    table.add_index(Index {
        keys: key.iter().map(Key::column).collect(),
        origin: Origin::Primary,
        ..index(&[], true, place, Tool::Objection)
    });
    if let Some(mappings) = constant(reading, class, "relationMappings") {
        for (field, site) in reading.entries(mappings) {
            table.relations.extend(relation(reading, field, site));
        }
    }
    table
}

/// The properties of `jsonSchema`.
fn add_columns(reading: Reading<'_, '_>, class: ClassRef, table: &mut Table) {
    let schema = constant(reading, class, "jsonSchema");
    let properties = schema.and_then(|schema| reading.get(schema, "properties"));
    for (name, site) in properties.map(|site| reading.entries(site)).unwrap_or_default() {
        let type_text = reading.get_text(site, "type").unwrap_or_default();
        let values = reading.get(site, "enum").and_then(|values| reading.count(values));
        table.add_column(Column {
            name,
            field: None,
            nullable: true,
            distinct: values_of_type(&type_text).or(values),
            type_text,
        });
    }
}

/// `{ relation: Model.HasManyRelation, modelClass, join: { from: "persons.id", to: "pets.ownerId" } }`.
fn relation(reading: Reading<'_, '_>, field: String, site: Site) -> Option<Relation> {
    let kind = reading.written_name(reading.get(site, "relation")?)?;
    let join = reading.get(site, "join")?;
    let ends = |key: &str| -> Vec<(String, String)> {
        let names = reading.get(join, key).map(|end| reading.names(end)).unwrap_or_default();
        names
            .iter()
            .filter_map(|name| name.rsplit_once('.'))
            .map(|(table, column)| (table.to_owned(), column.to_owned()))
            .collect()
    };
    let through = reading.get(join, "through").and_then(|through| reading.get(through, "from"));
    let through = through.and_then(|from| reading.names(from).first().cloned());
    let (from, to) = (ends("from"), ends("to"));
    let columns = |ends: &[(String, String)]| ends.iter().map(|(_, column)| column.clone()).collect();
    let foreign = if through.is_some() { Vec::new() } else { columns(&to) };
    Some(Relation {
        field,
        target: to.first().map(|(table, _)| table.clone()).or_else(|| model(reading, site))?,
        many: kind.starts_with("HasMany") || kind.starts_with("ManyToMany"),
        local: columns(&from),
        foreign,
        through: through.and_then(|column| column.rsplit_once('.').map(|(table, _)| table.to_owned())),
        place: reading.place(site),
    })
}

/// The class that a relation leads to, by its name.
fn model(reading: Reading<'_, '_>, site: Site) -> Option<String> {
    let class = reading.unwrapped(reading.get(site, "modelClass")?);
    match reading.kind(class) {
        Kind::String(_) => reading.text(class),
        _ => reading.written_name(class).map(str::to_owned),
    }
}
