//! Models as decorated classes: sequelize-typescript, and the decorators of Sequelize 7.

use loadworthy_schema::{Column, Index, Key, Tool};
use loadworthy_syntax::{ClassMember, Module};

use super::associations::{Kind, Options, Through, add};
use super::models::{Models, is_model, name_keys};
use super::{attribute, uniqueness};
use crate::schema::column::{Declared, Unique, index, values_of_type};
use crate::schema::found::Holder;
use crate::schema::packages::SEQUELIZE;
use crate::schema::reading::{ClassRef, Link, Reading};
use crate::values::Site;

/// Adds the models of decorated classes.
pub(super) fn find(reading: Reading<'_, '_>, models: &mut Models) {
    for class in reading.classes() {
        let Some((module, found)) = reading.class_at(class) else { continue };
        let decorators = reading.decorators(class.0, &found.decorators, SEQUELIZE);
        let table = decorators.iter().find(|link| link.name == "Table");
        let has_columns = || found.members.iter().any(|member| column_of(reading, class, member).is_some());
        if (table.is_none() && !has_columns()) || !is_model(reading, class) {
            continue;
        }
        let options = table.and_then(|link| link.call).and_then(|call| reading.argument(call, 0));
        let name = module.str(found.name).to_owned();
        let mut attributes = Vec::new();
        let mut indexes: Vec<Index> = Vec::new();
        for class in reading.lineage(class).into_iter().rev() {
            let Some((module, found)) = reading.class_at(class) else { continue };
            for member in &found.members {
                if let Some(declared) = declared(reading, module, class, member) {
                    add_indexes(reading, class, member, &declared.column.name, &mut indexes);
                    attributes.push(declared);
                }
            }
        }
        let mut model = models.complete(reading, &name, attributes, options, (class.0, found.node));
        for mut index in indexes {
            name_keys(&model.table, &mut index);
            model.table.add_index(index);
        }
        model.holders.push(Holder::Class(class.0, class.1));
        models.add(model);
    }
}

fn links(reading: Reading<'_, '_>, class: ClassRef, member: &ClassMember) -> Vec<Link> {
    reading.decorators(class.0, &member.decorators, SEQUELIZE)
}

fn column_of(reading: Reading<'_, '_>, class: ClassRef, member: &ClassMember) -> Option<Link> {
    links(reading, class, member)
        .into_iter()
        .find(|link| ["Column", "Attribute"].contains(&link.name.as_str()))
}

/// The column of a member.
fn declared(
    reading: Reading<'_, '_>,
    module: &Module,
    class: ClassRef,
    member: &ClassMember,
) -> Option<Declared> {
    let links = links(reading, class, member);
    let named = |names: &[&str]| links.iter().find(|link| names.contains(&link.name.as_str()));
    let is_stamp = named(&["CreatedAt", "UpdatedAt", "DeletedAt"]).is_some();
    let column = named(&["Column", "Attribute"]);
    if column.is_none() && !is_stamp {
        return None;
    }
    let name = module.str(member.name);
    let options = column.and_then(|link| link.call).and_then(|call| reading.argument(call, 0));
    let mut declared = match options {
        Some(options) => attribute(reading, name, options),
        None => Declared {
            column: Column { name: name.to_owned(), nullable: true, ..Column::default() },
            place: reading.place((class.0, member.value.ok().unwrap_or(module.root()))),
            tool: Tool::Sequelize,
            ..Declared::default()
        },
    };
    if declared.column.type_text.is_empty() {
        declared.column.type_text = reading.declared_type(class.0, member.type_id).name;
        declared.column.distinct = declared.column.distinct.or(values_of_type(&declared.column.type_text));
    }
    let argument = |link: &Link| link.call.and_then(|call| reading.argument(call, 0));
    declared.is_primary |= named(&["PrimaryKey"]).is_some();
    if let Some(unique) = named(&["Unique"]) {
        declared.unique = argument(unique).map_or(Unique::Alone, |site| uniqueness(reading, site));
    }
    let allows = named(&["AllowNull"]).and_then(argument).and_then(|site| reading.flag(site));
    if allows == Some(false) || named(&["NotNull"]).is_some() || declared.is_primary {
        declared.column.nullable = false;
    }
    let target = named(&["ForeignKey"]).and_then(argument).map(|site| reading.unwrapped(site));
    let target = target.and_then(|target| reading.class(target)).map(|class| reading.class_name(class));
    declared.references = declared.references.or_else(|| target.map(|name| (name.to_owned(), None)));
    Some(declared)
}

/// `@Index`, `@Index("name")`, `@Index({ name, unique })`: columns of one name make one index.
fn add_indexes(
    reading: Reading<'_, '_>,
    class: ClassRef,
    member: &ClassMember,
    column: &str,
    indexes: &mut Vec<Index>,
) {
    for link in links(reading, class, member).iter().filter(|link| link.name == "Index") {
        let argument = link.call.and_then(|call| reading.argument(call, 0));
        let option = |key: &str| argument.and_then(|argument| reading.get(argument, key));
        let text = |key: &str| option(key).and_then(|value| reading.text(value));
        let name = argument.and_then(|argument| reading.text(argument)).or_else(|| text("name"));
        let descending = text("order").is_some_and(|order| order.eq_ignore_ascii_case("desc"));
        let key = Key { descending, ..Key::column(column) };
        if let Some(known) = indexes.iter_mut().find(|known| name.is_some() && known.name == name) {
            known.keys.push(key);
            continue;
        }
        let unique = argument.is_some_and(|argument| reading.is_set(argument, "unique"));
        let place = member_place(reading, class, member);
        indexes.push(Index { name, keys: vec![key], ..index(&[], unique, place, Tool::Sequelize) });
    }
}

fn member_place(reading: Reading<'_, '_>, class: ClassRef, member: &ClassMember) -> loadworthy_schema::Place {
    let node = member.decorators.first().copied();
    let node = node.or_else(|| reading.class_at(class).map(|(_, found)| found.node));
    node.map(|node| reading.place((class.0, node))).unwrap_or_default()
}

/// `@BelongsTo(() => Team, "teamId")`, `@HasMany(() => Post)`, `@BelongsToMany(() => Tag, () => PostTag)`.
pub(super) fn associate(reading: Reading<'_, '_>, models: &mut Models) {
    for source in 0..models.all.len() {
        let classes: Vec<ClassRef> = models
            .all
            .get(source)
            .iter()
            .flat_map(|model| &model.holders)
            .filter_map(|holder| match holder {
                Holder::Class(file, class) => Some((*file, *class)),
                Holder::Made(_) => None,
            })
            .collect();
        for class in classes {
            let Some((module, found)) = reading.class_at(class) else { continue };
            for member in &found.members {
                for link in links(reading, class, member) {
                    let name = module.str(member.name);
                    associate_member(reading, models, source, name, &link);
                }
            }
        }
    }
}

fn associate_member(reading: Reading<'_, '_>, models: &mut Models, source: usize, field: &str, link: &Link) {
    let kind = match link.name.as_str() {
        "HasMany" => Kind::HasMany,
        "HasOne" => Kind::HasOne,
        "BelongsTo" => Kind::BelongsTo,
        "BelongsToMany" => Kind::BelongsToMany,
        _ => return,
    };
    let Some(call) = link.call else { return };
    let arguments = reading.arguments(call);
    let model = |site: Site| {
        let site = reading.unwrapped(site);
        reading.object(site).and_then(|site| reading.get(site, "model")).unwrap_or(site)
    };
    let Some(target) = arguments.first().and_then(|site| models.of(reading, model(*site))) else { return };
    let second = arguments.get(1).copied();
    let options = second.filter(|site| reading.object(*site).is_some());
    let key = |name: &str| {
        let key = options.and_then(|options| reading.get(options, name))?;
        reading.text(key).or_else(|| reading.get_text(key, "name"))
    };
    let through = (kind == Kind::BelongsToMany).then_some(second).flatten().map(|site| {
        let site = options.and_then(|options| reading.get(options, "through")).unwrap_or(site);
        let site = model(site);
        match (models.of(reading, site), reading.text(site)) {
            (Some(at), _) => Some(Through::Model(at)),
            (None, Some(name)) => Some(Through::Named(name)),
            (None, None) => None,
        }
    });
    let text = |at: usize| arguments.get(at).and_then(|site| reading.text(*site));
    let (first_key, second_key) =
        if kind == Kind::BelongsToMany { (text(2), text(3)) } else { (text(1), None) };
    let given = Options {
        alias: Some(field.to_owned()),
        foreign_key: first_key
            .or_else(|| key("foreignKey"))
            .or_else(|| declared_key(models, kind, source, target)),
        other_key: second_key.or_else(|| key("otherKey")),
        through: through.flatten(),
        ..Options::default()
    };
    add(models, kind, source, target, &given, &reading.place(call));
}

/// The column that `@ForeignKey` ties to the other model.
fn declared_key(models: &Models, kind: Kind, source: usize, target: usize) -> Option<String> {
    let (holder, referred) = match kind {
        Kind::BelongsTo => (source, target),
        Kind::HasMany | Kind::HasOne => (target, source),
        Kind::BelongsToMany => return None,
    };
    let (holder, referred) = (models.all.get(holder)?, models.all.get(referred)?);
    let key = holder.table.foreign_keys.iter().find(|key| referred.table.is_exactly(&key.table))?;
    key.columns.first().cloned()
}
