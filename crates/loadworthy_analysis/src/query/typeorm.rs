//! TypeORM: repositories and entity managers with options, query builders, entities.

use loadworthy_syntax::Kind;

use super::chain::Link;
use super::options::Options;
use super::reader::{Reader, condition};
use super::{Bound, Filter, Include, Operation, Operator, OrderBy, Query, Selected, Yields};
use crate::values::{Site, Step, Value};

pub(super) fn read(reader: &Reader<'_, '_>, query: &mut Query) {
    match reader.name() {
        "query" => super::sql::read(reader, query),
        "createQueryBuilder" => builder(reader, query),
        "transaction" | "startTransaction" | "commitTransaction" | "rollbackTransaction" => {
            query.operation = Operation::Transaction;
            query.bound = Bound::Unknown;
        }
        _ => repository(reader, query),
    }
}

fn repository(reader: &Reader<'_, '_>, query: &mut Query) {
    let name = reader.name();
    (query.operation, query.yields) = operation(name);
    query.table_site = reader.receiver();
    // `manager.find(User, options)`: the entity comes first.
    let entity = reader.argument(0).filter(|site| is_class(reader, *site));
    let first = usize::from(entity.is_some());
    query.table = entity.and_then(|site| reader.name_of(site)).or_else(|| entity_of_repository(reader));
    if name == "save" {
        saved(reader, query, first);
    }
    // `findOne(id, options)` of versions before 0.3
    let after_key = usize::from(name.starts_with("findOne") && reader.argument(first + 1).is_some());
    let options = reader.options(first + after_key);
    let takes_where =
        name.ends_with("By") || name.ends_with("ByOrFail") || after_key == 1 || is_plain(&options);
    query.filter = match reader.argument(first) {
        Some(site) if query.operation != Operation::Insert => {
            if !takes_where {
                options.get("where").map(|site| reader.filter_of(site)).unwrap_or_default()
            } else if is_scalar(reader, site) {
                Filter { all: vec![condition("id", Operator::Equal, Some(site))], ..Filter::default() }
            } else {
                reader.filter_of(site)
            }
        }
        _ => Filter::default(),
    };
    query.order = options.get("order").map(|site| reader.order_of(site)).unwrap_or_default();
    query.offset = options.get("skip");
    query.selected = options.get("select").map_or(Selected::All, |site| reader.columns_of(site));
    query.includes = options.get("relations").map(|site| relations(reader, site, 0)).unwrap_or_default();
    query.bound = match query.yields {
        Yields::Many if query.operation == Operation::Read => reader.bound_in(&options, "take"),
        Yields::Unknown => Bound::Unknown,
        _ => Bound::One,
    };
    if name == "findByIds" {
        query.bound = reader.argument(first).map_or(Bound::Unknown, Bound::List);
    }
    if query.bound == Bound::Unlimited
        && let Some(list) = Reader::bound_by_list(query)
    {
        query.bound = list;
    }
}

/// `users.save(users.create(dto))`, `user.save()`: of a new entity an insert.
fn saved(reader: &Reader<'_, '_>, query: &mut Query, first: usize) {
    let Some(saved) = reader.argument(first).or_else(|| reader.receiver()) else { return };
    if reader.is_new(saved) {
        query.operation = Operation::Insert;
    }
    // An entity that saves itself is of the class that it was made of.
    if reader.argument(first).is_none()
        && let Some(class) = reader.made_of(saved)
        && let Some(name) = reader.name_of(class)
    {
        query.table = Some(name);
    }
}

fn operation(name: &str) -> (Operation, Yields) {
    match name {
        "find" | "findBy" | "findAndCount" | "findAndCountBy" | "findByIds" => {
            (Operation::Read, Yields::Many)
        }
        name if name.starts_with("findOne") => (Operation::Read, Yields::One),
        "count" | "countBy" | "exist" | "exists" | "existsBy" | "sum" | "average" | "minimum" | "maximum" => {
            (Operation::Read, Yields::Summary)
        }
        "insert" => (Operation::Insert, Yields::Written),
        "save" | "update" | "increment" | "decrement" | "restore" | "recover" => {
            (Operation::Update, Yields::Written)
        }
        "upsert" => (Operation::Upsert, Yields::Written),
        "delete" | "softDelete" | "remove" | "softRemove" => (Operation::Delete, Yields::Written),
        _ => (Operation::Other, Yields::Unknown),
    }
}

/// `find({ email })` of versions before 0.3: conditions instead of options.
fn is_plain(options: &Options) -> bool {
    const WORDS: [&str; 12] = [
        "where",
        "order",
        "skip",
        "take",
        "select",
        "relations",
        "cache",
        "lock",
        "join",
        "withDeleted",
        "loadRelationIds",
        "loadEagerRelations",
    ];
    let mut names = options.iter().map(|it| &*it.name).peekable();
    names.peek().is_some() && names.all(|name| !WORDS.contains(&name))
}

fn is_class(reader: &Reader<'_, '_>, site: Site) -> bool {
    reader.resolver.value_of(site).iter().any(|value| matches!(value, Value::Class(..)))
}

fn is_scalar(reader: &Reader<'_, '_>, (file, node): Site) -> bool {
    let Some(module) = reader.module(file) else { return false };
    let is_object = reader.resolver.value_of((file, node)).iter().any(|it| matches!(it, Value::Object(..)));
    !is_object
        && matches!(
            module.kind(node),
            Kind::Name { .. }
                | Kind::Member { .. }
                | Kind::Number(_)
                | Kind::String(_)
                | Kind::Call { .. }
                | Kind::Unary { .. }
        )
}

/// `User` of `getRepository(User)`, of a field `Repository<User>`, or of `User.find()` itself.
pub(super) fn entity_of_repository(reader: &Reader<'_, '_>) -> Option<Box<str>> {
    let receiver = reader.receiver()?;
    if let Some(class) = class_handed_over(reader, receiver, 0) {
        return Some(class);
    }
    if let Some(made) = reader.call.made_at
        && let Some(argument) = reader.resolver.argument(made, 0)
        && is_class(reader, argument)
    {
        return reader.name_of(argument);
    }
    let values = reader.resolver.value_of(receiver);
    let typed = values.iter().find_map(|value| match value {
        Value::External(external) => external.steps.iter().rev().find_map(|step| match step {
            Step::Type(_) => Some(()),
            _ => None,
        }),
        _ => None,
    });
    let name = reader.name_of(receiver)?;
    if typed.is_some() {
        // `this.userRepository`, `usersRepo`
        let lower = name.to_lowercase();
        let cut = ["repository", "repo"].iter().find_map(|end| lower.strip_suffix(end).map(str::len));
        return Some(cut.map_or(name.clone(), |length| name.get(..length).unwrap_or(&name).into()));
    }
    Some(name)
}

/// `User` of `getRepository(User)`, also where a function of the program makes the repository, through a constant.
fn class_handed_over(reader: &Reader<'_, '_>, (file, node): Site, depth: usize) -> Option<Box<str>> {
    let module = reader.module(file)?;
    match module.kind(node) {
        Kind::Call { arguments, .. } => {
            let first = module.list(arguments).next()?;
            is_class(reader, (file, first)).then(|| reader.name_of((file, first)))?
        }
        Kind::Name { binding, .. } if depth < 3 => {
            let declared = module.binding(binding)?;
            match module.kind(module.parent(declared.node)) {
                Kind::Declarator { init, target } if target == declared.node && init.is_some() => {
                    class_handed_over(reader, (file, init), depth + 1)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// `["posts", "posts.comments"]`, `{ posts: { comments: true } }`
fn relations(reader: &Reader<'_, '_>, site: Site, depth: usize) -> Vec<Include> {
    if depth > 5 {
        return Vec::new();
    }
    if let Some(items) = reader.array(site) {
        return items
            .into_iter()
            .filter_map(|item| {
                let relation = reader.text(item)?.into();
                Some(Include { relation, site: item, bound: Bound::Unlimited, includes: Vec::new() })
            })
            .collect();
    }
    let options = reader.read(site);
    options
        .iter()
        .map(|property| Include {
            relation: property.name.clone(),
            site: property.value,
            bound: Bound::Unlimited,
            includes: relations(reader, property.value, depth + 1),
        })
        .collect()
}

/// `createQueryBuilder("user").where("user.id = :id").getMany()`
fn builder(reader: &Reader<'_, '_>, query: &mut Query) {
    query.table = table_of_builder(reader);
    query.table_site = reader.receiver();
    (query.operation, query.yields) = match last(reader) {
        Some("getMany" | "getRawMany" | "getRawAndEntities" | "getManyAndCount") => {
            (Operation::Read, Yields::Many)
        }
        Some("getOne" | "getRawOne" | "getOneOrFail") => (Operation::Read, Yields::One),
        Some("getCount" | "getExists") => (Operation::Read, Yields::Summary),
        Some("stream") => (Operation::Read, Yields::Stream),
        Some("execute") if reader.has(&["insert"]) => (Operation::Insert, Yields::Written),
        Some("execute") if reader.has(&["update"]) => (Operation::Update, Yields::Written),
        Some("execute") if reader.has(&["delete", "softDelete"]) => (Operation::Delete, Yields::Written),
        Some("execute") => (Operation::Read, Yields::Many),
        _ => (Operation::Read, Yields::Unknown),
    };
    for link in reader.links(&["where", "andWhere", "orWhere"]) {
        conditions(reader, link, &mut query.filter);
    }
    query.order = reader.links(&["orderBy", "addOrderBy"]).filter_map(|link| order(reader, link)).collect();
    query.offset = reader.links(&["skip", "offset"]).find_map(|link| link.arguments.first().copied());
    query.selected = if reader.has(&["select"]) { Selected::Unknown } else { Selected::All };
    query.includes = reader
        .links(&["leftJoinAndSelect", "innerJoinAndSelect"])
        .filter_map(|link| {
            let site = *link.arguments.first()?;
            let relation = reader.text(site)?.into();
            Some(Include { relation, site, bound: Bound::Unlimited, includes: Vec::new() })
        })
        .collect();
    query.bound = match query.yields {
        Yields::Many => match reader.bound_by(&["take", "limit"]) {
            Bound::Unlimited if reader.has(&["groupBy", "distinct"]) => Bound::Unknown,
            Bound::Unlimited => Reader::bound_by_list(query).unwrap_or(Bound::Unlimited),
            bound => bound,
        },
        Yields::Unknown | Yields::Stream => Bound::Unknown,
        _ => Bound::One,
    };
}

fn last<'r>(reader: &'r Reader<'_, '_>) -> Option<&'r str> {
    const ENDS: [&str; 11] = [
        "getMany",
        "getRawMany",
        "getRawAndEntities",
        "getManyAndCount",
        "getOne",
        "getRawOne",
        "getOneOrFail",
        "getCount",
        "getExists",
        "stream",
        "execute",
    ];
    // Of several ends (a count beside the list) the list decides how many rows come.
    let ends: Vec<&str> = reader.links(&ENDS).map(|link| &*link.name).collect();
    ends.iter().find(|name| name.contains("Many")).or(ends.last()).copied()
}

fn table_of_builder(reader: &Reader<'_, '_>) -> Option<Box<str>> {
    let from = reader.links(&["from", "into", "update"]).find_map(|link| link.arguments.first().copied());
    if let Some(site) = from.filter(|site| is_class(reader, *site)) {
        return reader.name_of(site);
    }
    if let Some(site) = reader.argument(0).filter(|site| is_class(reader, *site)) {
        return reader.name_of(site);
    }
    entity_of_repository(reader)
}

/// `"user.id = :id AND user.name LIKE :name"`: read as SQL.
fn conditions(reader: &Reader<'_, '_>, link: &Link, filter: &mut Filter) {
    let Some(first) = link.arguments.first() else { return };
    let Some(text) = super::sql::text_of(reader.resolver, *first) else {
        let is_object = reader.resolver.value_of(*first).iter().any(|it| matches!(it, Value::Object(..)));
        if is_object {
            let mut own = reader.filter_of(*first);
            filter.all.append(&mut own.all);
        } else {
            filter.is_open = true;
        }
        return;
    };
    let shape = loadworthy_schema::sql::shape(
        &format!("SELECT 1 FROM t WHERE {}", text.text.replace(":...", ":")),
        loadworthy_schema::sql::Dialect::Unknown,
    );
    let mut own = super::sql::filter(&shape);
    for condition in &mut own.all {
        if let Some((_, column)) = condition.column.clone().split_once('.') {
            condition.column = column.into();
        }
        condition.is_optional |= link.is_optional;
        condition.value = value_of(reader, link, condition.operator);
    }
    if &*link.name == "orWhere" {
        filter.any.push(own.all);
        return;
    }
    filter.all.append(&mut own.all);
    filter.any.append(&mut own.any);
    filter.is_open |= own.is_open;
}

/// `{ ids }` of `"user.id IN (:...ids)", { ids }`.
fn value_of(reader: &Reader<'_, '_>, link: &Link, operator: Operator) -> Option<Site> {
    if operator != Operator::In {
        return None;
    }
    let options = reader.read(*link.arguments.get(1)?);
    options.iter().next().map(|it| it.value)
}

fn order(reader: &Reader<'_, '_>, link: &Link) -> Option<OrderBy> {
    let text = reader.text(*link.arguments.first()?)?;
    let column = text.rsplit('.').next().unwrap_or(&text).into();
    let is_descending = match link.arguments.get(1) {
        Some(site) => reader.text(*site).map(|word| word.to_lowercase() == "desc"),
        None => Some(false),
    };
    Some(OrderBy { column, is_descending })
}
