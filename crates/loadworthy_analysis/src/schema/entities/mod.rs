//! Entities: classes whose decorators declare columns, keys and relations (TypeORM and MikroORM).

mod mikro_orm;
mod typeorm;
mod typeorm_schema;

use loadworthy_project::FileId;
use loadworthy_schema::names::snake;
use loadworthy_schema::sql::Dialect;
use loadworthy_schema::{Column, Extent, ForeignKey, Index, Key, Origin, Place, Relation, Table, Tool};
use rustc_hash::FxHashMap;

use super::column::index;
use super::found::{Found, Holder};
use super::reading::{ClassRef, Reading};
use crate::values::{External, Site};

/// Reads every entity of the program.
pub(super) fn read(reading: Reading<'_, '_>, found: &mut Found) {
    for entities in [typeorm::read(reading), mikro_orm::read(reading)] {
        for entity in entities.all {
            found.declare(entity.holders, entity.table, reading.dialect(entity.file));
        }
    }
}

/// An entity while it is being read.
struct Entity {
    file: FileId,
    holders: Vec<Holder>,
    table: Table,
    /// The column of each property that holds a key of another entity.
    joins: FxHashMap<String, String>,
    /// The entity whose table this one's rows are in.
    parent: Option<usize>,
}

/// The entities of one library.
struct Entities<'r, 'p> {
    reading: Reading<'r, 'p>,
    tool: Tool,
    all: Vec<Entity>,
    by_holder: FxHashMap<Holder, usize>,
}

/// A property that leads to another entity.
struct Link<'a> {
    /// The property.
    field: &'a str,
    target: usize,
    place: Place,
}

impl<'r, 'p> Entities<'r, 'p> {
    fn new(reading: Reading<'r, 'p>, tool: Tool) -> Self {
        Self { reading, tool, all: Vec::new(), by_holder: FxHashMap::default() }
    }

    fn add(&mut self, holder: Holder, model: &str, name: String, at: Site) {
        let table = Table {
            model: (model != name && !model.is_empty()).then(|| model.to_owned()),
            name,
            scope: self.reading.scope(at.0).to_owned(),
            extent: Extent::Declared,
            place: self.reading.place(at),
            last_line: self.reading.last_line(at),
            tools: vec![self.tool],
            ..Table::default()
        };
        self.by_holder.insert(holder, self.all.len());
        self.all.push(Entity {
            file: at.0,
            holders: vec![holder],
            table,
            joins: FxHashMap::default(),
            parent: None,
        });
    }

    fn of_class(&self, class: ClassRef) -> Option<usize> {
        self.by_holder.get(&Holder::Class(class.0, class.1)).copied()
    }

    /// The entity that an expression is: `() => User`, `User`, `"User"`, a schema.
    fn of(&self, site: Site) -> Option<usize> {
        let reading = self.reading;
        let site = reading.unwrapped(site);
        if let Some(class) = reading.class(site) {
            return self.of_class(class);
        }
        let made = reading.externals(site);
        let mut made = made.iter().filter_map(External::site).map(Holder::Made);
        if let Some(at) = made.find_map(|holder| self.by_holder.get(&holder)) {
            return Some(*at);
        }
        let name = reading.text(site).or_else(|| reading.written_name(site).map(str::to_owned))?;
        self.all.iter().position(|entity| entity.table.is_exactly(&name))
    }

    fn table(&self, at: usize) -> Option<&Table> {
        self.all.get(at).map(|entity| &entity.table)
    }

    fn primary(&self, at: usize) -> String {
        let key = self.table(at).and_then(|table| table.primary_key().first().map(|name| (*name).to_owned()));
        key.unwrap_or_else(|| "id".to_owned())
    }

    /// A property that holds the key of another entity in `column`.
    fn join(
        &mut self,
        source: usize,
        link: &Link<'_>,
        column: String,
        referenced: Option<String>,
        nullable: bool,
    ) {
        let referenced = referenced.unwrap_or_else(|| self.primary(link.target));
        let Some(target) = self.table(link.target).map(|table| table.name.clone()) else { return };
        let Some(entity) = self.all.get_mut(source) else { return };
        let known = entity.table.columns.iter().any(|known| known.name.eq_ignore_ascii_case(&column));
        if !known {
            entity.table.columns.push(Column { name: column.clone(), nullable, ..Column::default() });
        }
        entity.table.add_foreign_key(ForeignKey {
            name: None,
            columns: vec![column.clone()],
            table: target.clone(),
            referenced: vec![referenced.clone()],
            place: link.place.clone(),
        });
        entity.joins.insert(link.field.to_owned(), column.clone());
        entity.table.relations.push(Relation {
            field: link.field.to_owned(),
            target,
            many: false,
            local: vec![column],
            foreign: vec![referenced],
            through: None,
            place: link.place.clone(),
        });
    }

    /// The other side: the key is in the target, in the column of its property `inverse`.
    fn inverse(&mut self, source: usize, link: &Link<'_>, inverse: Option<&str>, many: bool) {
        let Some(target) = self.all.get(link.target) else { return };
        let column = inverse.and_then(|inverse| target.joins.get(inverse)).cloned();
        let local = column.iter().map(|_| self.primary(source)).collect();
        let relation = Relation {
            field: link.field.to_owned(),
            target: target.table.name.clone(),
            many,
            local,
            foreign: column.into_iter().collect(),
            through: None,
            place: link.place.clone(),
        };
        if let Some(entity) = self.all.get_mut(source) {
            entity.table.relations.push(relation);
        }
    }

    /// A table between two entities: the key is both columns, and `indexes` has them indexed one by one too.
    fn between(&mut self, source: usize, link: &Link<'_>, name: &str, columns: &[String; 2], indexes: bool) {
        let keys = [self.primary(source), self.primary(link.target)];
        let (Some(own), Some(other)) = (self.table(source), self.table(link.target)) else { return };
        let targets = [own.name.clone(), other.name.clone()];
        let (scope, tool, place) = (own.scope.clone(), self.tool, link.place.clone());
        let mut table = Table {
            name: name.to_owned(),
            scope,
            extent: Extent::Declared,
            place: place.clone(),
            tools: vec![tool],
            ..Table::default()
        };
        table.add_index(Index { origin: Origin::Primary, ..index(columns, true, place.clone(), tool) });
        for ((column, target), key) in columns.iter().zip(&targets).zip(&keys) {
            table.columns.push(Column { name: column.clone(), ..Column::default() });
            table.add_foreign_key(ForeignKey {
                columns: vec![column.clone()],
                table: target.clone(),
                referenced: vec![key.clone()],
                place: place.clone(),
                ..ForeignKey::default()
            });
            if indexes {
                table.add_index(index(std::slice::from_ref(column), false, place.clone(), tool));
            }
        }
        let [key, _] = keys;
        let [_, target] = targets;
        let relation = Relation {
            field: link.field.to_owned(),
            target,
            many: true,
            local: vec![key],
            foreign: Vec::new(),
            through: Some(name.to_owned()),
            place,
        };
        let Some(entity) = self.all.get_mut(source) else { return };
        entity.table.relations.push(relation);
        let file = entity.file;
        self.all.push(Entity { file, holders: Vec::new(), table, joins: FxHashMap::default(), parent: None });
    }

    /// Keys by property as keys by column: a relation stands for its column.
    fn keys(&self, at: usize, properties: &[String]) -> Vec<Key> {
        let Some(entity) = self.all.get(at) else { return Vec::new() };
        let column = |property: &String| {
            let by_field = || entity.table.columns.iter().find(|column| column.field() == property);
            let joined = entity.joins.get(property).cloned();
            joined
                .or_else(|| by_field().map(|column| column.name.clone()))
                .unwrap_or_else(|| property.clone())
        };
        properties.iter().map(|property| Key::column(column(property))).collect()
    }

    /// What entities of a parent's table declare belongs to that table.
    fn fold_children(&mut self) {
        for at in (0..self.all.len()).rev() {
            let Some(parent) =
                self.all.get(at).and_then(|entity| entity.parent).filter(|parent| *parent < at)
            else {
                continue;
            };
            let child = self.all.remove(at);
            // Positions behind the removed one move up.
            for entity in &mut self.all {
                entity.parent = entity.parent.map(|parent| if parent > at { parent - 1 } else { parent });
            }
            let Some(entity) = self.all.get_mut(parent) else { continue };
            entity.holders.extend(child.holders);
            entity.table.aliases.extend(child.table.model.into_iter().chain([child.table.name]));
            for column in child.table.columns {
                if entity.table.column(&column.name).is_none() {
                    entity.table.columns.push(column);
                }
            }
            for index in child.table.indexes {
                if index.origin != Origin::Primary {
                    entity.table.add_index(index);
                }
            }
            child.table.foreign_keys.into_iter().for_each(|key| entity.table.add_foreign_key(key));
            for relation in child.table.relations {
                if entity.table.relation(&relation.field).is_none() {
                    entity.table.relations.push(relation);
                }
            }
        }
    }

    /// Foreign keys get indexes of their own where the library makes them: on every database but PostgreSQL.
    fn index_foreign_keys(&mut self) {
        for entity in &mut self.all {
            if matches!(self.reading.dialect(entity.file), Dialect::MySql | Dialect::Sqlite) {
                entity.table.index_foreign_keys();
            }
        }
    }
}

/// `OrderItem` as `order_item`.
fn table_name(class: &str) -> String {
    snake(class)
}

/// The property that an arrow reads: `project` of `(project) => project.issues`, or a text.
fn property(reading: Reading<'_, '_>, site: Site) -> Option<String> {
    if let Some(text) = reading.text(site) {
        return Some(text);
    }
    let returned = reading.returned(site).first().copied()?;
    reading.written_name(returned).map(str::to_owned)
}

/// The properties of a list of names, or of `(e) => [e.a, e.b]`.
fn properties(reading: Reading<'_, '_>, site: Site) -> Vec<String> {
    let listed = reading.names(site);
    if !listed.is_empty() {
        return listed;
    }
    let returned = reading.returned(site).first().copied();
    let elements = returned.map(|list| reading.elements(list)).unwrap_or_default();
    elements.into_iter().filter_map(|element| reading.written_name(element).map(str::to_owned)).collect()
}
