//! Kysely: builder chains that `execute` ends.

use loadworthy_syntax::Kind;

use super::reader::{Reader, condition, make_optional};
use super::{Bound, Filter, Operation, Operator, OrderBy, Query, Selected, Yields};
use crate::values::Site;

pub(super) fn read(reader: &Reader<'_, '_>, query: &mut Query) {
    query.operation = match reader.name() {
        "selectFrom" => Operation::Read,
        "insertInto" | "replaceInto" | "mergeInto" => Operation::Insert,
        "updateTable" => Operation::Update,
        "deleteFrom" => Operation::Delete,
        "transaction" | "startTransaction" => Operation::Transaction,
        _ => Operation::Other,
    };
    query.table_site = reader.argument(0);
    query.table = query
        .table_site
        .and_then(|site| reader.name_of(site))
        .map(|name| name.split(" as ").next().unwrap_or(&name).into());
    query.filter = filter(reader);
    query.joins = super::joins::of_texts(reader);
    query.order = reader.links(&["orderBy"]).filter_map(|link| order(reader, &link.arguments)).collect();
    query.offset = reader.links(&["offset"]).find_map(|link| link.arguments.first().copied());
    query.selected = selected(reader);
    query.yields = match query.operation {
        Operation::Read if reader.has(&["executeTakeFirst", "executeTakeFirstOrThrow"]) => Yields::One,
        Operation::Read if reader.has(&["stream"]) => Yields::Stream,
        Operation::Read if is_summary(reader) => Yields::Summary,
        Operation::Read => Yields::Many,
        Operation::Transaction | Operation::Other => Yields::Unknown,
        _ => Yields::Written,
    };
    query.bound = match query.yields {
        Yields::Many => match reader.bound_by(&["limit", "fetch", "top"]) {
            Bound::Unlimited if reader.has(&["groupBy", "distinct", "distinctOn"]) => Bound::Unknown,
            Bound::Unlimited => Reader::bound_by_list(query).unwrap_or(Bound::Unlimited),
            bound => bound,
        },
        Yields::Stream | Yields::Unknown => Bound::Unknown,
        _ => Bound::One,
    };
}

fn filter(reader: &Reader<'_, '_>) -> Filter {
    let mut filter = Filter::default();
    for link in reader.links(&["where"]) {
        let mut own = Filter::default();
        match link.arguments.as_slice() {
            [column, sign, value] => {
                let Some(name) = reader.text(*column) else {
                    filter.is_open = true;
                    continue;
                };
                own.all.push(condition(&name, by_sign(reader, *sign, *value), Some(*value)));
            }
            _ => own.is_open = true,
        }
        if link.is_optional {
            make_optional(&mut own);
        }
        filter.all.append(&mut own.all);
        filter.is_open |= own.is_open;
    }
    filter
}

fn by_sign(reader: &Reader<'_, '_>, sign: Site, value: Site) -> Operator {
    match reader.text(sign).unwrap_or_default().to_lowercase().as_str() {
        "=" | "==" => Operator::Equal,
        "<" | ">" | "<=" | ">=" => Operator::Range,
        "!=" | "<>" | "not in" => Operator::Not,
        "in" => Operator::In,
        "is" | "is not" => Operator::Null,
        word @ ("like" | "ilike") => reader.pattern_operator(word, value),
        _ => Operator::Other,
    }
}

fn order(reader: &Reader<'_, '_>, arguments: &[Site]) -> Option<OrderBy> {
    let text = reader.text(*arguments.first()?)?;
    let (column, own) = text.split_once(' ').unwrap_or((&text, ""));
    let direction = match arguments.get(1) {
        Some(site) => reader.text(*site),
        None => Some(own.to_owned()),
    };
    Some(OrderBy { column: column.into(), is_descending: direction.map(|it| it.to_lowercase() == "desc") })
}

fn selected(reader: &Reader<'_, '_>) -> Selected {
    if reader.has(&["selectAll"]) {
        return Selected::All;
    }
    let columns: Vec<Box<str>> = reader
        .links(&["select"])
        .flat_map(|link| &link.arguments)
        .flat_map(|site| reader.array(*site).unwrap_or_else(|| vec![*site]))
        .filter_map(|site| reader.name_of(site))
        .collect();
    if columns.is_empty() { Selected::Unknown } else { Selected::Columns(columns) }
}

/// `.select(({ fn }) => fn.countAll().as("n"))` without groups.
fn is_summary(reader: &Reader<'_, '_>) -> bool {
    if reader.has(&["groupBy", "selectAll"]) {
        return false;
    }
    let mut any = false;
    let all = reader.links(&["select"]).flat_map(|link| &link.arguments).all(|(file, node)| {
        any = true;
        let Some(module) = reader.module(*file) else { return false };
        let text = module.source(*node);
        let is_function = matches!(module.kind(*node), Kind::Function(_) | Kind::Call { .. });
        is_function
            && ["countAll(", ".count(", ".count<", "countAll<", ".sum(", ".avg(", ".max(", ".min(", ".sum<"]
                .iter()
                .any(|it| text.contains(it))
    });
    any && all
}
