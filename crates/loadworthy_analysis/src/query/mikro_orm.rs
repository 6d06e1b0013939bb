//! MikroORM: `em.find(Entity, where, options)`, or a repository without the entity.

use super::reader::Reader;
use super::{Bound, Include, Operation, Query, Selected, Yields};

pub(super) fn read(reader: &Reader<'_, '_>, query: &mut Query) {
    let name = reader.name();
    (query.operation, query.yields) = match name {
        "find" | "findAndCount" | "findAll" | "init" | "load" | "loadItems" => {
            (Operation::Read, Yields::Many)
        }
        "findOne" | "findOneOrFail" => (Operation::Read, Yields::One),
        "count" => (Operation::Read, Yields::Summary),
        "flush" | "persistAndFlush" | "nativeUpdate" => (Operation::Update, Yields::Written),
        "nativeInsert" | "insertMany" | "upsertMany" | "upsert" => (Operation::Insert, Yields::Written),
        "nativeDelete" => (Operation::Delete, Yields::Written),
        "transactional" | "begin" => (Operation::Transaction, Yields::Unknown),
        _ => (Operation::Other, Yields::Unknown),
    };
    let names_entity = reader.argument(0).is_some_and(|site| names_class(reader, site));
    let first = usize::from(names_entity);
    if names_entity {
        query.table_site = reader.argument(0);
        query.table = query.table_site.and_then(|site| reader.name_of(site));
    } else if matches!(query.operation, Operation::Read | Operation::Insert | Operation::Delete)
        || name == "nativeUpdate"
    {
        query.table_site = reader.receiver();
        query.table = super::typeorm::entity_of_repository(reader).filter(|name| !is_manager(name));
    }
    if query.operation != Operation::Read {
        query.bound = Bound::One;
        if matches!(name, "nativeUpdate" | "nativeDelete") {
            query.filter = reader.argument(first).map(|site| reader.filter_of(site)).unwrap_or_default();
        }
        return;
    }
    let at = if name == "findAll" { 0 } else { first };
    if let Some(site) = reader.argument(at).filter(|_| name != "findAll") {
        query.filter = reader.filter_of(site);
    }
    let options = reader.options(if name == "findAll" { 0 } else { at + 1 });
    query.order = options.get("orderBy").map(|site| reader.order_of(site)).unwrap_or_default();
    query.offset = options.get("offset");
    query.selected = match options.get("fields") {
        Some(site) => reader.columns_of(site),
        None => Selected::All,
    };
    if let Some(site) = options.get("populate") {
        let paths = reader.array(site).unwrap_or_default();
        query.includes = paths
            .into_iter()
            .filter_map(|path| {
                let relation = reader.text(path)?.into();
                Some(Include { relation, site: path, bound: Bound::Unlimited, includes: Vec::new() })
            })
            .collect();
    }
    // The rows of one parent, which the name of the collection does not tell.
    if matches!(name, "init" | "load" | "loadItems") {
        query.bound = Bound::Unknown;
        return;
    }
    query.bound = if query.yields == Yields::Many { reader.bound_in(&options, "limit") } else { Bound::One };
    if query.bound == Bound::Unlimited
        && let Some(list) = Reader::bound_by_list(query)
    {
        query.bound = list;
    }
}

/// A name with a capital: an entity class, not a condition.
fn names_class(reader: &Reader<'_, '_>, site: crate::values::Site) -> bool {
    reader.name_of(site).is_some_and(|name| name.starts_with(|first: char| first.is_ascii_uppercase()))
        && !reader
            .module(site.0)
            .is_some_and(|module| matches!(module.kind(site.1), loadworthy_syntax::Kind::Object(_)))
}

/// What an entity manager is called: it is of no entity.
fn is_manager(name: &str) -> bool {
    matches!(name.to_ascii_lowercase().as_str(), "em" | "manager" | "entitymanager" | "orm")
}
