//! TypeORM entities by decorators.

use loadworthy_schema::names::{camel, snake};
use loadworthy_schema::{Column, Index, Key, Origin, Place, Tool};
use loadworthy_syntax::{ClassMember, NodeId};

use super::{Entities, Link, properties, property, table_name, typeorm_schema};
use crate::schema::column::{Declared, Unique, index, values_of_type};
use crate::schema::found::Holder;
use crate::schema::packages::TYPEORM;
use crate::schema::reading::{ClassRef, Link as Applied, Reading};
use crate::values::Site;

/// Decorators that make a column.
const COLUMNS: [&str; 10] = [
    "Column",
    "PrimaryColumn",
    "PrimaryGeneratedColumn",
    "CreateDateColumn",
    "UpdateDateColumn",
    "DeleteDateColumn",
    "VersionColumn",
    "ObjectIdColumn",
    "TreeLevelColumn",
    "VirtualColumn",
];

/// Reads every entity; columns first, then what refers to those of others.
pub(super) fn read<'r, 'p>(reading: Reading<'r, 'p>) -> Entities<'r, 'p> {
    let mut found = TypeOrm { entities: Entities::new(reading, Tool::TypeOrm), is_snake: is_snake(reading) };
    for class in reading.classes() {
        found.add_entity(class);
    }
    typeorm_schema::find(&mut found.entities);
    let classes: Vec<(usize, ClassRef)> = found.classes();
    for (at, class) in &classes {
        found.add_columns(*at, *class, "", 0);
    }
    typeorm_schema::add_columns(&mut found.entities);
    for step in [TypeOrm::add_join, TypeOrm::add_inverse] {
        for (at, class) in &classes {
            found.each_member(*class, |found, class, member, links| step(found, *at, class, member, links));
        }
    }
    typeorm_schema::add_relations(&mut found.entities);
    for (at, class) in &classes {
        found.add_indexes(*at, *class);
    }
    found.entities.fold_children();
    found.entities
}

/// Whether the program names columns in `snake_case`.
fn is_snake(reading: Reading<'_, '_>) -> bool {
    reading.modules().any(|(_, module)| {
        let of_package =
            module.imports().iter().any(|import| module.str(import.source) == "typeorm-naming-strategies");
        of_package || module.text().contains("new SnakeNamingStrategy")
    })
}

struct TypeOrm<'r, 'p> {
    entities: Entities<'r, 'p>,
    is_snake: bool,
}

impl<'r, 'p> TypeOrm<'r, 'p> {
    fn reading(&self) -> Reading<'r, 'p> {
        self.entities.reading
    }

    fn decorators(&self, class: ClassRef, nodes: &[NodeId]) -> Vec<Applied> {
        self.reading().decorators(class.0, nodes, TYPEORM)
    }

    fn classes(&self) -> Vec<(usize, ClassRef)> {
        let class = |(at, entity): (usize, &super::Entity)| match entity.holders.first() {
            Some(Holder::Class(file, class)) => Some((at, (*file, *class))),
            _ => None,
        };
        self.entities.all.iter().enumerate().filter_map(class).collect()
    }

    /// `@Entity()`, `@Entity("name")`, `@Entity({ name })`, `@ChildEntity()`.
    fn add_entity(&mut self, class: ClassRef) {
        let reading = self.reading();
        let Some((module, found)) = reading.class_at(class) else { return };
        let decorators = self.decorators(class, &found.decorators);
        let is_child = decorators.iter().any(|link| link.name == "ChildEntity");
        let Some(link) =
            decorators.iter().find(|link| ["Entity", "ChildEntity"].contains(&link.name.as_str()))
        else {
            return;
        };
        let argument = link.call.and_then(|call| reading.argument(call, 0));
        let given = argument
            .filter(|_| !is_child)
            .and_then(|argument| reading.text(argument).or_else(|| reading.get_text(argument, "name")));
        let model = module.str(found.name);
        let name = given.unwrap_or_else(|| table_name(model));
        let holder = Holder::Class(class.0, class.1);
        self.entities.add(holder, model, name, (class.0, found.node));
        if is_child {
            let parent =
                reading.lineage(class).into_iter().skip(1).find_map(|base| self.entities.of_class(base));
            if let Some(entity) = self.entities.all.last_mut() {
                entity.parent = parent;
            }
        }
    }

    /// The members of a class and of those it extends, the outermost base first.
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

    /// Columns of the class, of those it extends, and of embedded classes below `prefix`.
    fn add_columns(&mut self, at: usize, class: ClassRef, prefix: &str, depth: usize) {
        self.each_member(class, |found, class, member, links| {
            let Some(link) = links.iter().find(|link| COLUMNS.contains(&link.name.as_str())) else { return };
            let arguments = link.call.map(|call| found.reading().arguments(call)).unwrap_or_default();
            match arguments.first().and_then(|first| found.embedded(*first)) {
                Some(embedded) if depth < 3 => {
                    let name = found.name(class, member);
                    let given =
                        arguments.get(1).and_then(|options| found.reading().get_text(*options, "prefix"));
                    let own = given.unwrap_or_else(|| name.to_owned());
                    found.add_columns(at, embedded, &format!("{prefix}{own}_"), depth + 1);
                }
                _ => {
                    let declared = found.column(class, member, link, &arguments, prefix);
                    if let Some(entity) = found.entities.all.get_mut(at) {
                        declared.add_to(&mut entity.table);
                    }
                }
            }
        });
    }

    /// `@Column(() => Name)`.
    fn embedded(&self, site: Site) -> Option<ClassRef> {
        let returned = self.reading().returned(site).first().copied()?;
        self.reading().class(returned)
    }

    fn column(
        &self,
        class: ClassRef,
        member: &ClassMember,
        link: &Applied,
        arguments: &[Site],
        prefix: &str,
    ) -> Declared {
        let reading = self.reading();
        let options = arguments.iter().copied().find(|argument| reading.object(*argument).is_some());
        let option = |key: &str| options.and_then(|options| reading.get(options, key));
        let is_set = |key: &str| option(key).and_then(|value| reading.flag(value)) == Some(true);
        let property = self.name(class, member);
        let declared = reading.declared_type(class.0, member.type_id);
        let written = arguments.first().and_then(|first| reading.text(*first));
        let given_type = written.or_else(|| option("type").and_then(|kind| reading.text(kind)));
        let type_text = given_type.unwrap_or_else(|| declared.name.clone());
        let field = format!("{prefix}{property}");
        let default = if self.is_snake {
            snake(&field)
        } else if prefix.is_empty() {
            field.clone()
        } else {
            camel(&field)
        };
        let name = option("name").and_then(|name| reading.text(name)).unwrap_or(default);
        let values = option("enum").and_then(|values| reading.count(values)).or(declared.values);
        let is_primary =
            link.name.starts_with("Primary") || link.name == "ObjectIdColumn" || is_set("primary");
        Declared {
            column: Column {
                field: (name != property).then(|| property.to_owned()),
                nullable: is_set("nullable") || link.name == "DeleteDateColumn",
                distinct: values_of_type(&type_text)
                    .or(values)
                    .filter(|_| !declared.is_list && !is_set("array")),
                name,
                type_text,
            },
            is_primary,
            unique: if is_set("unique") { Unique::Alone } else { Unique::No },
            is_indexed: false,
            references: None,
            place: self.place(class, member),
            tool: Tool::TypeOrm,
        }
    }

    /// `@ManyToOne`, and `@OneToOne` with a `@JoinColumn`.
    fn add_join(&mut self, at: usize, class: ClassRef, member: &ClassMember, links: &[Applied]) {
        let reading = self.reading();
        let named = |name: &str| links.iter().find(|link| link.name == name);
        let join = named("JoinColumn");
        let relation = match (named("ManyToOne"), named("OneToOne")) {
            (Some(link), _) => link,
            (None, Some(link)) if join.is_some() => link,
            _ => return,
        };
        let Some(target) = self.target(class, member, relation) else { return };
        let field = self.name(class, member);
        let argument = join.and_then(|join| join.call).and_then(|call| reading.argument(call, 0));
        let argument = argument.map(|first| reading.elements(first).first().copied().unwrap_or(first));
        let text = |key: &str| argument.and_then(|argument| reading.get_text(argument, key));
        let referenced = text("referencedColumnName");
        let key = referenced.clone().unwrap_or_else(|| self.entities.primary(target));
        let default =
            if self.is_snake { snake(&format!("{field}_{key}")) } else { camel(&format!("{field}_{key}")) };
        let column = text("name").unwrap_or(default);
        let options = relation.call.map(|call| reading.arguments(call)).unwrap_or_default();
        let required = options.last().and_then(|options| reading.get(*options, "nullable"));
        let nullable = required.and_then(|site| reading.flag(site)) != Some(false);
        let link = Link { field, target, place: self.place(class, member) };
        let (is_one, place) = (relation.name == "OneToOne", link.place.clone());
        self.entities.join(at, &link, column.clone(), referenced, nullable);
        if let Some(entity) = self.entities.all.get_mut(at).filter(|_| is_one) {
            entity.table.add_index(index(&[column], true, place, Tool::TypeOrm));
        }
    }

    /// The entity that a relation's decorator or the property's type names.
    fn target(&self, class: ClassRef, member: &ClassMember, link: &Applied) -> Option<usize> {
        let first = link.call.and_then(|call| self.reading().argument(call, 0));
        let declared = self.reading().declared_type(class.0, member.type_id);
        let typed = || declared.class.and_then(|class| self.entities.of_class(class));
        first.and_then(|first| self.entities.of(first)).or_else(typed)
    }

    /// `@OneToMany`, the other side of `@OneToOne`, and `@ManyToMany` with its `@JoinTable`.
    fn add_inverse(&mut self, at: usize, class: ClassRef, member: &ClassMember, links: &[Applied]) {
        let named = |name: &str| links.iter().find(|link| link.name == name);
        let is_owner = named("JoinColumn").is_some();
        let field = self.name(class, member);
        let second = |link: &Applied| link.call.and_then(|call| self.reading().argument(call, 1));
        let inverse = |link: &Applied| second(link).and_then(|site| property(self.reading(), site));
        if let Some(relation) = named("OneToMany").or_else(|| named("OneToOne").filter(|_| !is_owner)) {
            let (inverse, many) = (inverse(relation), relation.name == "OneToMany");
            if let Some(target) = self.target(class, member, relation) {
                let link = Link { field, target, place: self.place(class, member) };
                self.entities.inverse(at, &link, inverse.as_deref(), many);
            }
        } else if let Some(relation) = named("ManyToMany")
            && let Some(target) = self.target(class, member, relation)
        {
            let link = Link { field, target, place: self.place(class, member) };
            match named("JoinTable") {
                Some(table) => self.add_between(at, &link, table.call),
                None => self.entities.inverse(at, &link, None, true),
            }
        }
    }

    /// `@JoinTable({ name, joinColumn: { name }, inverseJoinColumn: { name } })`.
    fn add_between(&mut self, at: usize, link: &Link<'_>, call: Option<Site>) {
        let reading = self.reading();
        let options = call.and_then(|call| reading.argument(call, 0));
        let (Some(own), Some(other)) = (self.entities.table(at), self.entities.table(link.target)) else {
            return;
        };
        let default = snake(&format!("{}_{}_{}", own.name, link.field.replace('.', "_"), other.name));
        let name = options.and_then(|options| reading.get_text(options, "name")).unwrap_or(default);
        let column = |option: &str, table: &str, key: &str| {
            let given = options.and_then(|options| reading.get(options, option));
            let given = given.and_then(|given| reading.get_text(given, "name"));
            let default = format!("{table}_{key}");
            given.unwrap_or_else(|| if self.is_snake { snake(&default) } else { camel(&default) })
        };
        let columns = [
            column("joinColumn", &own.name, &self.entities.primary(at)),
            column("inverseJoinColumn", &other.name, &self.entities.primary(link.target)),
        ];
        self.entities.between(at, link, &name, &columns, true);
    }

    /// `@Index` and `@Unique`, on the class and on members.
    fn add_indexes(&mut self, at: usize, class: ClassRef) {
        let reading = self.reading();
        for base in reading.lineage(class) {
            let Some((_, found)) = reading.class_at(base) else { continue };
            for link in self.decorators(base, &found.decorators) {
                self.add_index(at, &link, None, self.reading().place((base.0, found.node)));
            }
        }
        self.each_member(class, |found, class, member, links| {
            for link in links {
                let property = found.name(class, member).to_owned();
                let place = found.place(class, member);
                found.add_index(at, link, Some(property), place);
            }
        });
    }

    fn add_index(&mut self, at: usize, link: &Applied, member: Option<String>, place: Place) {
        let is_unique = match link.name.as_str() {
            "Index" => false,
            "Unique" => true,
            _ => return,
        };
        let reading = self.reading();
        let arguments = link.call.map(|call| reading.arguments(call)).unwrap_or_default();
        let options = arguments.iter().copied().find(|argument| reading.object(*argument).is_some());
        let is_set = |key: &str| options.is_some_and(|options| reading.is_set(options, key));
        let mut listed = arguments.iter().map(|argument| properties_of_list(reading, *argument));
        let listed = listed.rfind(|names| !names.is_empty());
        let names = member.map(|member| vec![member]).or(listed).unwrap_or_default();
        let name = arguments.first().and_then(|first| reading.text(*first));
        let method = match (is_set("fulltext"), is_set("spatial")) {
            (true, _) => Some("fulltext".to_owned()),
            (_, true) => Some("spatial".to_owned()),
            _ => None,
        };
        let unique = is_unique || is_set("unique");
        let keys: Vec<Key> = self.entities.keys(at, &names);
        let predicate = options.and_then(|options| reading.get(options, "where"));
        let found = Index {
            name,
            keys,
            predicate: predicate.map(|it| reading.text(it).unwrap_or_else(|| reading.source(it).to_owned())),
            sparse: is_set("sparse"),
            method,
            origin: if is_unique { Origin::Unique } else { Origin::Declared },
            ..index(&[], unique, place, Tool::TypeOrm)
        };
        if let Some(entity) = self.entities.all.get_mut(at) {
            entity.table.add_index(found);
        }
    }
}

/// The properties of a list; a plain text is the name of an index.
fn properties_of_list(reading: Reading<'_, '_>, site: Site) -> Vec<String> {
    if reading.text(site).is_some() { Vec::new() } else { properties(reading, site) }
}
