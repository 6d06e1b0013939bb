//! `hasMany`, `belongsTo`, `hasOne`, `belongsToMany`: foreign keys and relations.

use loadworthy_schema::names::{camel, plural};
use loadworthy_schema::{Column, Extent, ForeignKey, Index, Key, Origin, Place, Relation, Table, Tool};

use super::models::{Model, Models};
use crate::schema::reading::Reading;
use crate::values::Site;

/// Reads the associations of every model.
pub(super) fn read(reading: Reading<'_, '_>, models: &mut Models) {
    for (file, module) in reading.modules() {
        for call in module.calls() {
            let site = (file, *call);
            let kind = match reading.called_name(site) {
                "hasMany" => Kind::HasMany,
                "hasOne" => Kind::HasOne,
                "belongsTo" => Kind::BelongsTo,
                "belongsToMany" => Kind::BelongsToMany,
                _ => continue,
            };
            let arguments = reading.arguments(site);
            let [target, options @ ..] = arguments.as_slice() else { continue };
            let source = reading.receiver(site).and_then(|receiver| models.of(reading, receiver));
            if let (Some(source), Some(target)) = (source, models.of(reading, *target)) {
                let options = Options::read(reading, models, options.first().copied());
                add(models, kind, source, target, &options, &reading.place(site));
            }
        }
    }
}

/// Kinds of associations.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    HasMany,
    HasOne,
    BelongsTo,
    BelongsToMany,
}

/// What an association says.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) alias: Option<String>,
    /// The attribute of the foreign key.
    pub(super) foreign_key: Option<String>,
    /// Its column, where that is said.
    pub(super) field: Option<String>,
    pub(super) other_key: Option<String>,
    /// The attribute of the target that the key equals.
    pub(super) target_key: Option<String>,
    pub(super) through: Option<Through>,
}

/// The table between.
#[derive(Clone, Debug)]
pub(super) enum Through {
    Model(usize),
    Named(String),
}

impl Options {
    fn read(reading: Reading<'_, '_>, models: &Models, site: Option<Site>) -> Self {
        let Some(site) = site else { return Self::default() };
        let key = |name: &str| {
            let key = reading.get(site, name)?;
            reading
                .text(key)
                .or_else(|| reading.get_text(key, "name").or_else(|| reading.get_text(key, "fieldName")))
        };
        let through = reading.get(site, "through").map(|through| {
            let model = reading.get(through, "model").unwrap_or(through);
            match (models.of(reading, model), reading.text(model)) {
                (_, Some(name)) => {
                    models.named(reading.scope(site.0), &name).map_or(Through::Named(name), Through::Model)
                }
                (Some(at), None) => Through::Model(at),
                (None, None) => Through::Named(reading.written_name(model).unwrap_or_default().to_owned()),
            }
        });
        Self {
            alias: reading.get_text(site, "as"),
            foreign_key: key("foreignKey"),
            field: reading.get(site, "foreignKey").and_then(|key| reading.get_text(key, "field")),
            other_key: key("otherKey"),
            target_key: reading.get_text(site, "targetKey").or_else(|| reading.get_text(site, "sourceKey")),
            through,
        }
    }
}

pub(super) fn add(
    models: &mut Models,
    kind: Kind,
    source: usize,
    target: usize,
    options: &Options,
    place: &Place,
) {
    match kind {
        Kind::BelongsTo => belongs(models, source, target, options, place),
        Kind::HasMany | Kind::HasOne => has(models, kind, source, target, options, place),
        Kind::BelongsToMany => joins(models, source, target, options, place),
    }
}

fn model_name(model: &Model) -> String {
    model.table.model.clone().unwrap_or_else(|| model.table.name.clone())
}

fn primary(table: &Table) -> String {
    table.primary_key().first().map_or_else(|| "id".to_owned(), |name| (*name).to_owned())
}

/// The key is in the source.
fn belongs(models: &mut Models, source: usize, target: usize, options: &Options, place: &Place) {
    let Some(other) = models.all.get(target) else { return };
    let (target_name, target_table) = (model_name(other), other.table.name.clone());
    let referenced = options.target_key.clone().unwrap_or_else(|| primary(&other.table));
    let stem = options.alias.clone().unwrap_or_else(|| target_name.clone());
    let attribute = options.foreign_key.clone().unwrap_or_else(|| camel(&format!("{stem}_id")));
    let Some(model) = models.all.get_mut(source) else { return };
    let column = add_key(model, &attribute, options.field.as_deref(), &target_table, &referenced, place);
    add_relation(
        model,
        Relation {
            field: options.alias.clone().unwrap_or(target_name),
            target: target_table,
            many: false,
            local: vec![column],
            foreign: vec![referenced],
            through: None,
            place: place.clone(),
        },
    );
}

/// The key is in the target.
fn has(models: &mut Models, kind: Kind, source: usize, target: usize, options: &Options, place: &Place) {
    let Some(own) = models.all.get(source) else { return };
    let (own_name, own_table) = (model_name(own), own.table.name.clone());
    let referenced = options.target_key.clone().unwrap_or_else(|| primary(&own.table));
    let attribute = options.foreign_key.clone().unwrap_or_else(|| camel(&format!("{own_name}_id")));
    let Some(other) = models.all.get_mut(target) else { return };
    let column = add_key(other, &attribute, options.field.as_deref(), &own_table, &referenced, place);
    let (target_name, target_table) = (model_name(other), other.table.name.clone());
    let many = kind == Kind::HasMany;
    let field = if many { plural(&target_name) } else { target_name };
    let Some(model) = models.all.get_mut(source) else { return };
    add_relation(
        model,
        Relation {
            field: options.alias.clone().unwrap_or(field),
            target: target_table,
            many,
            local: vec![referenced],
            foreign: vec![column],
            through: None,
            place: place.clone(),
        },
    );
}

/// The keys are in the table between, which has one row a pair.
fn joins(models: &mut Models, source: usize, target: usize, options: &Options, place: &Place) {
    let (Some(own), Some(other)) = (models.all.get(source), models.all.get(target)) else { return };
    let key = |given: &Option<String>, model: &Model| {
        let default = || camel(&format!("{}_id", model_name(model)));
        (given.clone().unwrap_or_else(default), model.table.name.clone(), primary(&model.table))
    };
    let keys = [key(&options.foreign_key, own), key(&options.other_key, other)];
    let field = options.alias.clone().unwrap_or_else(|| plural(&model_name(other)));
    let (target_table, local) = (other.table.name.clone(), primary(&own.table));
    let between = match &options.through {
        Some(Through::Model(at)) => Some(*at),
        Some(Through::Named(name)) => {
            let model = Model {
                file: own.file,
                holders: Vec::new(),
                table: Table {
                    name: name.clone(),
                    scope: own.table.scope.clone(),
                    extent: Extent::Declared,
                    place: place.clone(),
                    tools: vec![Tool::Sequelize],
                    ..Table::default()
                },
                options: own.options,
                is_keyless: true,
            };
            models.add(model);
            models.all.len().checked_sub(1)
        }
        None => None,
    };
    let Some(model) = between.and_then(|at| models.all.get_mut(at)) else { return };
    let columns = keys
        .map(|(attribute, table, referenced)| add_key(model, &attribute, None, &table, &referenced, place));
    if std::mem::take(&mut model.is_keyless) {
        model.table.drop_column("id");
    }
    let is_new = model.table.primary_key().is_empty();
    // Both sides say it, each with its own key first.
    let is_known = model
        .table
        .unique_keys()
        .any(|key| key.len() == columns.len() && columns.iter().all(|column| key.contains(&column.as_str())));
    if !is_known {
        model.table.add_index(Index {
            keys: columns.iter().map(Key::column).collect(),
            unique: true,
            origin: if is_new { Origin::Primary } else { Origin::ForeignKey },
            place: place.clone(),
            tool: Tool::Sequelize,
            ..Index::default()
        });
    }
    let through = Some(model.table.name.clone());
    if let Some(model) = models.all.get_mut(source) {
        add_relation(
            model,
            Relation {
                field,
                target: target_table,
                many: true,
                local: vec![local],
                foreign: Vec::new(),
                through,
                place: place.clone(),
            },
        );
    }
}

/// The column of a foreign key, which the association adds where the model does not have it.
fn add_key(
    model: &mut Model,
    attribute: &str,
    field: Option<&str>,
    target: &str,
    referenced: &str,
    place: &Place,
) -> String {
    let known =
        model.table.columns.iter().find(|column| column.field() == attribute || column.name == attribute);
    let known = known.map(|column| column.name.clone());
    let is_known = known.is_some();
    let new = || field.map_or_else(|| model.options.column_name(attribute), str::to_owned);
    let name = known.unwrap_or_else(new);
    if !is_known {
        model.table.columns.push(Column {
            field: (name != attribute).then(|| attribute.to_owned()),
            name: name.clone(),
            nullable: true,
            ..Column::default()
        });
    }
    model.table.add_foreign_key(ForeignKey {
        name: None,
        columns: vec![name.clone()],
        table: target.to_owned(),
        referenced: vec![referenced.to_owned()],
        place: place.clone(),
    });
    name
}

fn add_relation(model: &mut Model, relation: Relation) {
    if model.table.relation(&relation.field).is_none() {
        model.table.relations.push(relation);
    }
}
