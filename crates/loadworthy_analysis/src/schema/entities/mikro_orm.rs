//! MikroORM entities by decorators.

use loadworthy_schema::names::snake;
use loadworthy_schema::{Column, Index, Key, Origin, Place, Tool};
use loadworthy_syntax::{ClassMember, NodeId};

use super::{Entities, Link, properties, property, table_name};
use crate::schema::column::{Declared, Unique, index, values_of_type};
use crate::schema::found::Holder;
use crate::schema::packages::MIKRO_ORM;
use crate::schema::reading::{ClassRef, Link as Applied, Reading};
use crate::values::Site;

/// Reads every entity; columns first, then what refers to those of others.
pub(super) fn read<'r, 'p>(reading: Reading<'r, 'p>) -> Entities<'r, 'p> {
    let mut found = MikroOrm { entities: Entities::new(reading, Tool::MikroOrm) };
    for class in reading.classes() {
        found.add_entity(class);
    }
    let classes = found.classes();
    for step in [MikroOrm::add_column, MikroOrm::add_join, MikroOrm::add_inverse, MikroOrm::add_member_index]
    {
        for (at, class) in &classes {
            found.each_member(*class, |found, class, member, links| step(found, *at, class, member, links));
        }
    }
    for (at, class) in &classes {
        found.add_indexes(*at, *class);
    }
    found.entities.index_foreign_keys();
    found.entities
}

struct MikroOrm<'r, 'p> {
    entities: Entities<'r, 'p>,
}

/// The options of a decorator: its last argument that is an object.
fn options(reading: Reading<'_, '_>, link: &Applied) -> Option<Site> {
    let arguments = link.call.map(|call| reading.arguments(call)).unwrap_or_default();
    arguments.into_iter().rev().find(|argument| reading.object(*argument).is_some())
}

impl<'r, 'p> MikroOrm<'r, 'p> {
    fn reading(&self) -> Reading<'r, 'p> {
        self.entities.reading
    }

    fn decorators(&self, class: ClassRef, nodes: &[NodeId]) -> Vec<Applied> {
        self.reading().decorators(class.0, nodes, MIKRO_ORM)
    }

    fn classes(&self) -> Vec<(usize, ClassRef)> {
        let class = |(at, entity): (usize, &super::Entity)| match entity.holders.first() {
            Some(Holder::Class(file, class)) => Some((at, (*file, *class))),
            _ => None,
        };
        self.entities.all.iter().enumerate().filter_map(class).collect()
    }

    /// `@Entity()`, `@Entity({ tableName })`; an abstract one has no table.
    fn add_entity(&mut self, class: ClassRef) {
        let reading = self.reading();
        let Some((module, found)) = reading.class_at(class) else { return };
        let decorators = self.decorators(class, &found.decorators);
        let Some(link) = decorators.iter().find(|link| link.name == "Entity") else { return };
        let given = options(reading, link);
        if given.is_some_and(|given| reading.is_set(given, "abstract")) {
            return;
        }
        let text = |key: &str| given.and_then(|given| reading.get_text(given, key));
        let model = module.str(found.name);
        let name = text("tableName").or_else(|| text("collection")).unwrap_or_else(|| table_name(model));
        self.entities.add(Holder::Class(class.0, class.1), model, name, (class.0, found.node));
    }

    fn each_member(
        &mut self,
        class: ClassRef,
        mut visit: impl FnMut(&mut Self, ClassRef, &ClassMember, &[Applied]),
    ) {
        let reading = self.reading();
        for class in reading.lineage(class).into_iter().rev() {
            let Some((_, found)) = reading.class_at(class) else { continue };
            for member in &found.members {
                let links = self.decorators(class, &member.decorators);
                if !links.is_empty() {
                    visit(self, class, member, &links);
                }
            }
        }
    }

    fn name(&self, class: ClassRef, member: &ClassMember) -> &'p str {
        self.reading().module(class.0).map_or("", |module| module.str(member.name))
    }

    fn place(&self, class: ClassRef, member: &ClassMember) -> Place {
        let node = member.decorators.first().copied().unwrap_or(member.value);
        self.reading().place((class.0, node))
    }

    /// `@PrimaryKey`, `@Property`, `@Enum`.
    fn add_column(&mut self, at: usize, class: ClassRef, member: &ClassMember, links: &[Applied]) {
        let reading = self.reading();
        let Some(link) =
            links.iter().find(|link| ["PrimaryKey", "Property", "Enum"].contains(&link.name.as_str()))
        else {
            return;
        };
        let given = options(reading, link);
        let option = |key: &str| given.and_then(|given| reading.get(given, key));
        let text = |key: &str| option(key).and_then(|value| reading.text(value));
        let is_set = |key: &str| option(key).and_then(|value| reading.flag(value)) == Some(true);
        if option("persist").and_then(|persist| reading.flag(persist)) == Some(false) {
            return;
        }
        let property = self.name(class, member);
        let name = text("fieldName").or_else(|| text("name")).unwrap_or_else(|| snake(property));
        let declared = reading.declared_type(class.0, member.type_id);
        let type_text = text("columnType").or_else(|| text("type")).unwrap_or_else(|| declared.name.clone());
        // `@Enum(() => State)` or `@Enum({ items: () => State })`.
        let items = option("items").or_else(|| link.call.and_then(|call| reading.argument(call, 0)));
        let items = items.filter(|_| link.name == "Enum").map(|items| reading.unwrapped(items));
        let values = items.and_then(|items| reading.count(items)).or(declared.values);
        let is_named = |key: &str| option(key).is_some_and(|site| reading.text(site).is_some());
        let is_primary = link.name == "PrimaryKey" || is_set("primary");
        let declared = Declared {
            column: Column {
                field: (name != property).then(|| property.to_owned()),
                name,
                nullable: is_set("nullable"),
                distinct: values_of_type(&type_text).or(values).filter(|_| !declared.is_list),
                type_text,
            },
            is_primary,
            unique: if is_set("unique") || is_named("unique") { Unique::Alone } else { Unique::No },
            is_indexed: is_set("index") || is_named("index"),
            references: None,
            place: self.place(class, member),
            tool: Tool::MikroOrm,
        };
        if let Some(entity) = self.entities.all.get_mut(at) {
            declared.add_to(&mut entity.table);
        }
    }

    fn target(&self, class: ClassRef, member: &ClassMember, link: &Applied) -> Option<usize> {
        let reading = self.reading();
        let first = link.call.and_then(|call| reading.argument(call, 0));
        let entity = options(reading, link).and_then(|given| reading.get(given, "entity"));
        let declared = reading.declared_type(class.0, member.type_id);
        let typed = || declared.class.and_then(|class| self.entities.of_class(class));
        let given = entity.or(first.filter(|first| reading.object(*first).is_none()));
        given.and_then(|given| self.entities.of(given)).or_else(typed)
    }

    /// `@ManyToOne`, and `@OneToOne` on the side that owns the key.
    fn add_join(&mut self, at: usize, class: ClassRef, member: &ClassMember, links: &[Applied]) {
        let reading = self.reading();
        let Some(link) = links.iter().find(|link| ["ManyToOne", "OneToOne"].contains(&link.name.as_str()))
        else {
            return;
        };
        let given = options(reading, link);
        let option = |key: &str| given.and_then(|given| reading.get(given, key));
        let is_set = |key: &str| option(key).and_then(|value| reading.flag(value)) == Some(true);
        let is_one = link.name == "OneToOne";
        if is_one && self.mapped_by(link).is_some() {
            return;
        }
        let Some(target) = self.target(class, member, link) else { return };
        let field = self.name(class, member);
        let given_name =
            ["fieldName", "joinColumn", "name"].iter().find_map(|key| reading.text(option(key)?));
        let column =
            given_name.unwrap_or_else(|| format!("{}_{}", snake(field), self.entities.primary(target)));
        let place = self.place(class, member);
        let to = Link { field, target, place: place.clone() };
        self.entities.join(at, &to, column.clone(), None, is_set("nullable"));
        let Some(entity) = self.entities.all.get_mut(at) else { return };
        let columns = [column];
        if is_one || is_set("unique") {
            entity.table.add_index(index(&columns, true, place.clone(), Tool::MikroOrm));
        }
        if is_set("index") {
            entity.table.add_index(index(&columns, false, place.clone(), Tool::MikroOrm));
        }
        if is_set("primary") {
            entity
                .table
                .add_index(Index { origin: Origin::Primary, ..index(&columns, true, place, Tool::MikroOrm) });
        }
    }

    /// The property at the other side that holds the key: `(t) => t.team`, `"team"`, `{ mappedBy }`.
    fn mapped_by(&self, link: &Applied) -> Option<String> {
        let reading = self.reading();
        let given = options(reading, link).and_then(|given| reading.get(given, "mappedBy"));
        let second = link.call.and_then(|call| reading.argument(call, 1));
        let second = second.filter(|second| reading.object(*second).is_none());
        given.or(second).and_then(|site| property(reading, site))
    }

    /// `@OneToMany`, the other side of `@OneToOne`, and `@ManyToMany`.
    fn add_inverse(&mut self, at: usize, class: ClassRef, member: &ClassMember, links: &[Applied]) {
        const KINDS: [&str; 3] = ["OneToMany", "OneToOne", "ManyToMany"];
        let Some(link) = links.iter().find(|link| KINDS.contains(&link.name.as_str())) else { return };
        let mapped_by = self.mapped_by(link);
        let Some(target) = self.target(class, member, link) else { return };
        let field = self.name(class, member);
        let to = Link { field, target, place: self.place(class, member) };
        match (link.name.as_str(), mapped_by) {
            ("OneToMany", by) => self.entities.inverse(at, &to, by.as_deref(), true),
            ("OneToOne", Some(by)) => self.entities.inverse(at, &to, Some(&by), false),
            ("ManyToMany", None) => self.add_between(at, &to, link),
            ("ManyToMany", Some(_)) => self.entities.inverse(at, &to, None, true),
            _ => {}
        }
    }

    fn add_between(&mut self, at: usize, to: &Link<'_>, link: &Applied) {
        let reading = self.reading();
        let (Some(own), Some(other)) = (self.entities.table(at), self.entities.table(to.target)) else {
            return;
        };
        let given = options(reading, link).and_then(|given| reading.get_text(given, "pivotTable"));
        let name = given.unwrap_or_else(|| format!("{}_{}", own.name, snake(to.field)));
        let columns = [
            format!("{}_{}", own.name, self.entities.primary(at)),
            format!("{}_{}", other.name, self.entities.primary(to.target)),
        ];
        self.entities.between(at, to, &name, &columns, false);
    }

    /// `@Index()` and `@Unique()` on a property.
    fn add_member_index(&mut self, at: usize, class: ClassRef, member: &ClassMember, links: &[Applied]) {
        for link in links.iter().filter(|link| ["Index", "Unique"].contains(&link.name.as_str())) {
            let names = [self.name(class, member).to_owned()];
            let place = self.place(class, member);
            self.add_index(at, link, &names, place);
        }
    }

    /// `@Index({ properties: ["a", "b"] })` and `@Unique` on the class.
    fn add_indexes(&mut self, at: usize, class: ClassRef) {
        let reading = self.reading();
        for base in reading.lineage(class) {
            let Some((_, found)) = reading.class_at(base) else { continue };
            for link in self.decorators(base, &found.decorators) {
                if !["Index", "Unique"].contains(&link.name.as_str()) {
                    continue;
                }
                let given = options(reading, &link).and_then(|given| reading.get(given, "properties"));
                let names = given.map(|given| properties(reading, given)).unwrap_or_default();
                self.add_index(at, &link, &names, reading.place((base.0, found.node)));
            }
        }
    }

    fn add_index(&mut self, at: usize, link: &Applied, names: &[String], place: Place) {
        let reading = self.reading();
        let given = options(reading, link);
        let text = |key: &str| given.and_then(|given| reading.get_text(given, key));
        let unique = link.name == "Unique";
        let keys: Vec<Key> = self.entities.keys(at, names);
        let found = Index {
            name: text("name"),
            keys,
            method: text("type").map(|kind| kind.to_lowercase()).filter(|kind| kind != "btree"),
            ..index(&[], unique, place, Tool::MikroOrm)
        };
        if let Some(entity) = self.entities.all.get_mut(at) {
            entity.table.add_index(found);
        }
    }
}
