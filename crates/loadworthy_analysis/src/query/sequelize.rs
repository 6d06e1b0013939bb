//! Sequelize: options objects on models and instances.

use super::options::Options;
use super::reader::Reader;
use super::{Bound, Filter, Include, Operation, Query, Selected, Yields};
use crate::values::Site;

pub(super) fn read(reader: &Reader<'_, '_>, query: &mut Query) {
    let name = reader.name();
    if name == "query" {
        super::sql::read(reader, query);
        return;
    }
    query.table_site = reader.receiver();
    query.table = query.table_site.and_then(|site| reader.name_of(site));
    (query.operation, query.yields) = operation(name);
    // `const user = await User.findByPk(id); await user.update(values)`: the table is the row's.
    let on = reader.resolver.program().knowledge().handle_name(reader.call.on);
    if on == "instance"
        && let Some(model) = query.table_site.and_then(|row| reader.made_of(row))
    {
        query.table = reader.name_of(model).or(query.table.take());
    }
    // `const user = User.build(values); await user.save()`: an insert.
    if name == "save"
        && let Some(row) = query.table_site.filter(|row| reader.is_new(*row))
    {
        query.operation = Operation::Insert;
        query.table = reader.made_of(row).and_then(|model| reader.name_of(model)).or(query.table.take());
    }
    let options = reader.options(options_at(name));
    query.filter = filter(reader, name, &options);
    query.order = options.get("order").map(|site| reader.order_of(site)).unwrap_or_default();
    query.offset = options.get("offset");
    query.selected = match options.get("attributes") {
        Some(site) => reader.columns_of(site),
        None if options.is_open => Selected::Unknown,
        None => Selected::All,
    };
    query.includes = options.get("include").map(|site| includes(reader, site, 0)).unwrap_or_default();
    query.bound = match query.yields {
        Yields::Many if query.operation == Operation::Read => reader.bound_in(&options, "limit"),
        Yields::Unknown => Bound::Unknown,
        _ => Bound::One,
    };
    if query.bound == Bound::Unlimited && options.get("group").is_some() {
        query.bound = Bound::Unknown;
    }
    if query.bound == Bound::Unlimited
        && let Some(list) = Reader::bound_by_list(query)
    {
        query.bound = list;
    }
}

fn operation(name: &str) -> (Operation, Yields) {
    match name {
        "findAll" | "findAndCountAll" => (Operation::Read, Yields::Many),
        "findOne" | "findByPk" | "reload" => (Operation::Read, Yields::One),
        "count" | "sum" | "min" | "max" | "aggregate" => (Operation::Read, Yields::Summary),
        "create" | "findOrCreate" | "findCreateFind" => (Operation::Insert, Yields::One),
        "bulkCreate" => (Operation::Insert, Yields::Written),
        "upsert" => (Operation::Upsert, Yields::One),
        "save" | "update" | "increment" | "decrement" | "restore" => (Operation::Update, Yields::Written),
        "destroy" | "truncate" => (Operation::Delete, Yields::Written),
        "transaction" => (Operation::Transaction, Yields::Unknown),
        name if name.starts_with("count") || name.starts_with("has") => (Operation::Read, Yields::Summary),
        // `user.getOrders()`: to-many where the association is named in the plural.
        name if name.starts_with("get") && name.ends_with('s') => (Operation::Read, Yields::Many),
        name if name.starts_with("get") => (Operation::Read, Yields::One),
        _ => (Operation::Other, Yields::Unknown),
    }
}

fn options_at(name: &str) -> usize {
    match name {
        "findByPk" | "update" | "increment" | "decrement" | "create" | "bulkCreate" | "upsert"
        | "aggregate" | "sum" | "min" | "max" => 1,
        _ => 0,
    }
}

fn filter(reader: &Reader<'_, '_>, name: &str, options: &Options) -> Filter {
    if name == "findByPk" {
        let all = vec![super::reader::condition("id", super::Operator::Equal, reader.argument(0))];
        return Filter { all, ..Filter::default() };
    }
    match options.get("where") {
        Some(site) => reader.filter_of(site),
        None => Filter { is_open: options.is_open, ..Filter::default() },
    }
}

/// `include: [{ model: Post, as: "posts", limit: 5, include: […] }, Comment]`
fn includes(reader: &Reader<'_, '_>, site: Site, depth: usize) -> Vec<Include> {
    if depth > 5 {
        return Vec::new();
    }
    let items = reader.array(site).unwrap_or_else(|| vec![site]);
    items
        .into_iter()
        .filter_map(|item| {
            let options = reader.read(item);
            let model = options.get("model").or_else(|| options.get("association"));
            let named = options.get("as").and_then(|alias| reader.text(alias).map(Into::into));
            let relation = named.or_else(|| model.and_then(|model| reader.name_of(model)));
            let relation = relation.or_else(|| reader.name_of(item))?;
            Some(Include {
                relation,
                site: item,
                bound: match reader.limit_of(&options, "limit") {
                    Some(bound) => bound,
                    None => Bound::Unlimited,
                },
                includes: options
                    .get("include")
                    .map(|inner| includes(reader, inner, depth + 1))
                    .unwrap_or_default(),
            })
        })
        .collect()
}
