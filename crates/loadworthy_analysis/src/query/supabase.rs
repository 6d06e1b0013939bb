//! Supabase: `from("users").select("…").eq(…).limit(…)`.

use super::reader::{Reader, condition, make_optional};
use super::{Bound, Filter, Operation, Operator, OrderBy, Query, Selected, Yields};
use crate::values::Site;

pub(super) fn read(reader: &Reader<'_, '_>, query: &mut Query) {
    if reader.name() == "rpc" {
        query.operation = Operation::Other;
        query.bound = if reader.has(&["single", "maybeSingle"]) { Bound::One } else { Bound::Unknown };
        return;
    }
    query.table_site = reader.argument(0);
    query.table = query.table_site.and_then(|site| reader.name_of(site));
    let words = ["insert", "upsert", "update", "delete"];
    query.operation = match reader.links(&words).next().map(|link| &*link.name) {
        Some("insert") => Operation::Insert,
        Some("upsert") => Operation::Upsert,
        Some("update") => Operation::Update,
        Some("delete") => Operation::Delete,
        _ => Operation::Read,
    };
    query.filter = filter(reader);
    query.order = order(reader);
    query.selected = match reader.links(&["select"]).find_map(|link| link.arguments.first().copied()) {
        Some(site) => reader.columns_of(site),
        None => Selected::All,
    };
    let is_one = reader.has(&["single", "maybeSingle"]);
    query.yields = match query.operation {
        Operation::Read if is_one => Yields::One,
        Operation::Read if counts_only(reader) => Yields::Summary,
        Operation::Read => Yields::Many,
        _ => Yields::Written,
    };
    query.bound = match query.yields {
        Yields::Many => bound(reader, query),
        _ => Bound::One,
    };
}

/// `select("*", { count: "exact", head: true })`
fn counts_only(reader: &Reader<'_, '_>) -> bool {
    reader
        .links(&["select"])
        .filter_map(|link| link.arguments.get(1))
        .any(|site| reader.read(*site).get("head").is_some())
}

fn bound(reader: &Reader<'_, '_>, query: &Query) -> Bound {
    if let Some(link) = reader.links(&["range"]).next() {
        let numbers: Vec<Option<f64>> =
            link.arguments.iter().map(|site| reader.resolver.number_of(*site)).collect();
        if let [Some(from), Some(to)] = numbers.as_slice() {
            return super::limit::number(to - from + 1.0, link.call);
        }
        return link.arguments.get(1).map_or(Bound::Unknown, |site| range_end(reader, *site));
    }
    match reader.bound_by(&["limit"]) {
        Bound::Unlimited => Reader::bound_by_list(query).unwrap_or(Bound::Unlimited),
        bound => bound,
    }
}

/// `from + pageSize - 1`: as large as the page size.
fn range_end(reader: &Reader<'_, '_>, site: Site) -> Bound {
    match super::limit::Limits::new(reader.resolver).of(site) {
        bound @ (Bound::Constant(_) | Bound::Clamped(_)) => bound,
        _ => Bound::Unknown,
    }
}

fn filter(reader: &Reader<'_, '_>) -> Filter {
    let mut filter = Filter::default();
    for link in &reader.chain.links {
        let operator = match &*link.name {
            "eq" => Operator::Equal,
            "in" => Operator::In,
            "gt" | "gte" | "lt" | "lte" => Operator::Range,
            "is" => Operator::Null,
            "neq" | "not" => Operator::Not,
            "like" | "ilike" => {
                let value = link.arguments.get(1).copied();
                value.map_or(Operator::Pattern, |value| reader.pattern_operator(&link.name, value))
            }
            "contains" | "containedBy" | "overlaps" => Operator::Contains,
            "textSearch" => Operator::Search,
            "or" | "filter" => {
                filter.is_open = true;
                continue;
            }
            "match" => {
                if let Some(site) = link.arguments.first() {
                    let mut own = reader.filter_of(*site);
                    filter.all.append(&mut own.all);
                }
                continue;
            }
            _ => continue,
        };
        let Some(column) = link.arguments.first().and_then(|site| reader.text(*site)) else {
            filter.is_open = true;
            continue;
        };
        let all = vec![condition(&column, operator, link.arguments.get(1).copied())];
        let mut own = Filter { all, ..Filter::default() };
        if link.is_optional {
            make_optional(&mut own);
        }
        filter.all.append(&mut own.all);
    }
    filter
}

fn order(reader: &Reader<'_, '_>) -> Vec<OrderBy> {
    reader
        .links(&["order"])
        .filter_map(|link| {
            let column = reader.text(*link.arguments.first()?)?.into();
            let ascending = link.arguments.get(1).and_then(|site| reader.read(*site).get("ascending"));
            let is_descending = match ascending {
                None => Some(false),
                Some(site) => match &*reader.resolver.value_of(site) {
                    [crate::values::Value::Bool(flag)] => Some(!flag),
                    _ => None,
                },
            };
            Some(OrderBy { column, is_descending })
        })
        .collect()
}
