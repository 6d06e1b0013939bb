//! Prisma: one options object a call.

use super::options::Options;
use super::reader::Reader;
use super::{Bound, Filter, Include, Operation, Query, Selected, Yields};
use crate::values::{Site, Value};

pub(super) fn read(reader: &Reader<'_, '_>, query: &mut Query) {
    let name = reader.name();
    if name.starts_with('$') {
        raw(reader, query);
        return;
    }
    query.table_site = reader.receiver();
    query.table = match (reader.told, query.table_site) {
        (Some(_), Some(site)) => reader.name_of(site),
        _ => reader.call.path.last().cloned(),
    };
    (query.operation, query.yields) = match name {
        "findMany" | "groupBy" | "findRaw" | "aggregateRaw" => (Operation::Read, Yields::Many),
        "count" | "aggregate" => (Operation::Read, Yields::Summary),
        "create" => (Operation::Insert, Yields::One),
        "createMany" => (Operation::Insert, Yields::Written),
        "createManyAndReturn" => (Operation::Insert, Yields::Many),
        "update" => (Operation::Update, Yields::One),
        "updateMany" => (Operation::Update, Yields::Written),
        "updateManyAndReturn" => (Operation::Update, Yields::Many),
        "delete" => (Operation::Delete, Yields::One),
        "deleteMany" => (Operation::Delete, Yields::Written),
        "upsert" => (Operation::Upsert, Yields::One),
        _ => (Operation::Read, Yields::One),
    };
    let options = reader.options(0);
    query.filter = where_of(reader, &options);
    query.order = options.get("orderBy").map(|site| reader.order_of(site)).unwrap_or_default();
    query.offset = options.get("skip");
    query.selected = selected(reader, &options);
    query.includes = includes(reader, &options, 0);
    query.bound = match query.yields {
        Yields::Many if query.operation == Operation::Read => take(reader, &options),
        Yields::Many | Yields::Unknown => Bound::Unknown,
        _ => Bound::One,
    };
    // As many as there are groups or values.
    if query.bound == Bound::Unlimited && (name == "groupBy" || options.get("distinct").is_some()) {
        query.bound = Bound::Unknown;
    }
    if query.bound == Bound::Unlimited
        && let Some(list) = Reader::bound_by_list(query)
    {
        query.bound = list;
    }
}

/// The argument may be absent: then nothing is left out.
fn where_of(reader: &Reader<'_, '_>, options: &Options) -> Filter {
    match options.get("where") {
        Some(site) => reader.filter_of(site),
        None => Filter { is_open: options.is_open, ..Filter::default() },
    }
}

/// `take: -5` gives the last five.
fn take(reader: &Reader<'_, '_>, options: &Options) -> Bound {
    let bound = reader.bound_in(options, "take");
    if let Bound::Off { at } = bound
        && let Some(number) = reader.resolver.number_of(at)
        && number.abs() <= super::limit::HUGE
    {
        return super::limit::most(number.abs()).map_or(Bound::Off { at }, Bound::Constant);
    }
    bound
}

fn selected(reader: &Reader<'_, '_>, options: &Options) -> Selected {
    match options.get("select") {
        Some(site) => reader.columns_of(site),
        None if options.is_open => Selected::Unknown,
        None => Selected::All,
    }
}

/// `include` and what `select` reads of relations.
fn includes(reader: &Reader<'_, '_>, options: &Options, depth: usize) -> Vec<Include> {
    if depth > 5 {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (word, is_select) in [("include", false), ("select", true)] {
        let Some(site) = options.get(word) else { continue };
        for property in reader.read(site).iter() {
            if &*property.name == "_count" || is_false(reader, property.value) {
                continue;
            }
            let inner = reader.read(property.value);
            // In a `select`, `true` is a column or a whole relation: which of the two, the schema says.
            let is_plain = inner.is_empty() || inner.iter().next().is_none();
            if is_select && is_plain {
                continue;
            }
            all.push(Include {
                relation: property.name.clone(),
                site: property.value,
                bound: if is_plain { Bound::Unlimited } else { take(reader, &inner) },
                includes: includes(reader, &inner, depth + 1),
            });
        }
    }
    all
}

fn is_false(reader: &Reader<'_, '_>, site: Site) -> bool {
    matches!(&*reader.resolver.value_of(site), [Value::Bool(false)])
}

fn raw(reader: &Reader<'_, '_>, query: &mut Query) {
    match reader.name() {
        "$transaction" => {
            query.operation = Operation::Transaction;
            query.yields = Yields::Unknown;
            query.bound = Bound::Unknown;
        }
        "$queryRaw" | "$queryRawUnsafe" => super::sql::read(reader, query),
        "$executeRaw" | "$executeRawUnsafe" => {
            super::sql::read(reader, query);
            query.yields = Yields::Written;
            query.bound = Bound::One;
        }
        _ => {
            query.yields = Yields::Unknown;
            query.bound = Bound::Unknown;
        }
    }
}
