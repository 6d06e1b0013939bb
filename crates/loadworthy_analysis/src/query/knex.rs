//! Knex and Objection: builder chains with conditions as arguments.

use loadworthy_schema::sql::{Dialect, shape};
use loadworthy_syntax::Kind;

use super::chain::Link;
use super::reader::{Reader, condition};
use super::sql;
use super::{Bound, Condition, Filter, Include, Operation, Operator, OrderBy, Query, Selected, Yields};
use crate::values::Site;

pub(super) fn read(reader: &Reader<'_, '_>, query: &mut Query) {
    if matches!(reader.name(), "raw" | "$queryRaw") {
        super::sql::read(reader, query);
        return;
    }
    if matches!(reader.name(), "transaction" | "batchInsert") {
        query.operation =
            if reader.name() == "transaction" { Operation::Transaction } else { Operation::Insert };
        query.bound = Bound::Unknown;
        return;
    }
    query.table_site = table(reader);
    query.table = query.table_site.and_then(|site| reader.name_of(site));
    (query.operation, query.yields) = operation(reader);
    query.filter = filter(reader);
    query.joins = super::joins::of_texts(reader);
    query.order = order(reader);
    query.offset = reader.links(&["offset"]).find_map(|link| link.arguments.first().copied());
    query.selected = selected(reader);
    query.includes = graph(reader);
    query.bound = match query.yields {
        Yields::Many => bound(reader, query),
        Yields::Stream | Yields::Unknown => Bound::Unknown,
        _ => Bound::One,
    };
}

/// `knex("users")`, `knex.select().from("users")`, `User.query()`
fn table(reader: &Reader<'_, '_>) -> Option<Site> {
    if matches!(reader.name(), "query" | "relatedQuery" | "$query" | "$relatedQuery") {
        return reader.receiver();
    }
    let chained = reader.links(&["from", "into", "table"]).find_map(|link| link.arguments.first().copied());
    chained.or_else(|| {
        matches!(reader.name(), "" | "from" | "table" | "into").then(|| reader.argument(0)).flatten()
    })
}

fn operation(reader: &Reader<'_, '_>) -> (Operation, Yields) {
    let mut found = (Operation::Read, Yields::Many);
    let own = std::iter::once(reader.name());
    for name in own.chain(reader.chain.links.iter().map(|link| &*link.name)) {
        found = match name {
            "insert" | "insertAndFetch" | "insertGraph" => (Operation::Insert, Yields::Written),
            "update" | "patch" | "increment" | "decrement" | "patchAndFetchById" | "updateAndFetchById" => {
                (Operation::Update, Yields::Written)
            }
            "del" | "delete" | "deleteById" | "truncate" => (Operation::Delete, Yields::Written),
            "upsertGraph" | "merge" => (Operation::Upsert, Yields::Written),
            "first" | "findById" | "findOne" => (Operation::Read, Yields::One),
            "count" | "countDistinct" | "sum" | "avg" | "min" | "max" | "resultSize"
                if !reader.has(&["groupBy", "select", "groupByRaw"]) =>
            {
                (Operation::Read, Yields::Summary)
            }
            "stream" | "pipe" => (Operation::Read, Yields::Stream),
            _ => found,
        };
    }
    found
}

fn bound(reader: &Reader<'_, '_>, query: &Query) -> Bound {
    // `page(index, size)`, `range(start, end)` of Objection.
    if let Some(link) = reader.links(&["page"]).next() {
        return link
            .arguments
            .get(1)
            .map_or(Bound::Unknown, |site| super::limit::Limits::new(reader.resolver).of(*site));
    }
    if reader.has(&["range", "paginate"]) {
        return Bound::Unknown;
    }
    match reader.bound_by(&["limit"]) {
        Bound::Unlimited if reader.has(&["groupBy", "groupByRaw", "distinct"]) => Bound::Unknown,
        Bound::Unlimited => Reader::bound_by_list(query).unwrap_or(Bound::Unlimited),
        bound => bound,
    }
}

fn filter(reader: &Reader<'_, '_>) -> Filter {
    let mut filter = Filter::default();
    for link in &reader.chain.links {
        let mut own = Filter::default();
        one(reader, link, &mut own);
        if link.is_optional {
            super::reader::make_optional(&mut own);
        }
        filter.all.append(&mut own.all);
        filter.any.append(&mut own.any);
        filter.is_open |= own.is_open;
    }
    filter
}

fn one(reader: &Reader<'_, '_>, link: &Link, filter: &mut Filter) {
    let first = link.arguments.first().copied();
    let named = |operator: Operator, value: Option<Site>| {
        let column = first.and_then(|site| reader.text(site));
        column.map(|column| condition(&column, operator, value))
    };
    let second = link.arguments.get(1).copied();
    let added: Option<Condition> = match &*link.name {
        "where" | "andWhere" | "having" if link.arguments.len() == 1 => {
            let Some(site) = first else { return };
            let is_function =
                reader.module(site.0).is_some_and(|module| matches!(module.kind(site.1), Kind::Function(_)));
            if is_function {
                filter.is_open = true;
            } else {
                *filter = reader.filter_of(site);
            }
            return;
        }
        "where" | "andWhere" => match link.arguments.as_slice() {
            [_, operator, value] => named(by_sign(reader, *operator, *value), Some(*value)),
            _ => named(Operator::Equal, second),
        },
        "findById" => Some(condition("id", Operator::Equal, first)),
        "findByIds" => Some(condition("id", Operator::In, first)),
        "findOne" if link.arguments.len() == 1 => {
            if let Some(site) = first {
                *filter = reader.filter_of(site);
            }
            return;
        }
        "findOne" => named(Operator::Equal, second),
        "whereIn" => named(Operator::In, second),
        "whereBetween" => named(Operator::Range, second),
        "whereNull" | "whereNotNull" => named(Operator::Null, None),
        "whereNot" | "whereNotIn" => named(Operator::Not, second),
        "whereLike" | "whereILike" => {
            let operator =
                second.map_or(Operator::Pattern, |value| reader.pattern_operator(&link.name, value));
            named(operator, second)
        }
        "orWhere" | "orWhereIn" | "orWhereLike" | "orWhereILike" => {
            filter.any.extend(named(Operator::Other, second).map(|it| vec![it]));
            return;
        }
        "whereRaw" | "andWhereRaw" => {
            match first.and_then(|site| reader.text(site)) {
                Some(text) => raw(&text, filter),
                None => filter.is_open = true,
            }
            return;
        }
        "whereExists" | "orWhereRaw" | "havingRaw" | "modify" => {
            filter.is_open = true;
            return;
        }
        _ => return,
    };
    match added {
        Some(added) => filter.all.push(added),
        None => filter.is_open = true,
    }
}

/// `whereRaw("LOWER(email) = ?", [email])`: the conditions of the text.
fn raw(text: &str, filter: &mut Filter) {
    let own = sql::filter(&shape(&format!("SELECT 1 FROM rows WHERE {text}"), Dialect::Unknown));
    filter.all.extend(own.all);
    filter.any.extend(own.any);
    filter.is_open |= own.is_open;
}

fn by_sign(reader: &Reader<'_, '_>, sign: Site, value: Site) -> Operator {
    match reader.text(sign).unwrap_or_default().to_lowercase().as_str() {
        "=" => Operator::Equal,
        "<" | ">" | "<=" | ">=" | "between" => Operator::Range,
        "<>" | "!=" | "not in" | "not" => Operator::Not,
        "in" => Operator::In,
        "is" => Operator::Null,
        word @ ("like" | "ilike") => reader.pattern_operator(word, value),
        _ => Operator::Other,
    }
}

fn order(reader: &Reader<'_, '_>) -> Vec<OrderBy> {
    reader
        .links(&["orderBy"])
        .flat_map(|link| {
            let Some(first) = link.arguments.first() else { return Vec::new() };
            match reader.text(*first) {
                Some(column) => {
                    let direction = link.arguments.get(1).map(|site| reader.text(*site));
                    let is_descending = match direction {
                        None => Some(false),
                        Some(word) => word.map(|word| word.to_lowercase() == "desc"),
                    };
                    vec![OrderBy { column: column.into(), is_descending }]
                }
                None => reader.order_of(*first),
            }
        })
        .collect()
}

fn selected(reader: &Reader<'_, '_>) -> Selected {
    let own =
        matches!(reader.name(), "select" | "column" | "columns" | "distinct").then_some(&reader.arguments);
    let chained =
        reader.links(&["select", "column", "columns", "pluck", "distinct"]).map(|link| &link.arguments);
    let columns: Vec<Box<str>> = own
        .into_iter()
        .chain(chained)
        .flatten()
        .flat_map(|site| match reader.array(*site) {
            Some(items) => items.into_iter().filter_map(|item| reader.name_of(item)).collect(),
            None => reader.name_of(*site).into_iter().collect::<Vec<_>>(),
        })
        .collect();
    if columns.is_empty() || columns.iter().any(|name| name.ends_with('*')) {
        Selected::All
    } else {
        Selected::Columns(columns)
    }
}

/// `withGraphFetched("[posts.comments, pets]")`
fn graph(reader: &Reader<'_, '_>) -> Vec<Include> {
    reader
        .links(&["withGraphFetched", "withGraphJoined", "eager"])
        .filter_map(|link| {
            let site = *link.arguments.first()?;
            let relation = reader.text(site)?.into();
            Some(Include { relation, site, bound: Bound::Unlimited, includes: Vec::new() })
        })
        .collect()
}
