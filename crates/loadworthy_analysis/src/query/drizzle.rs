//! Drizzle: builder chains and relational queries.

use loadworthy_syntax::{Kind, List, Module};

use super::options::Options;
use super::reader::{Reader, condition, make_optional};
use super::{Bound, Condition, Filter, Include, Operation, Operator, OrderBy, Query, Selected, Yields};
use crate::values::Site;

pub(super) fn read(reader: &Reader<'_, '_>, query: &mut Query) {
    match reader.name() {
        "findMany" | "findFirst" => relational(reader, query),
        "select" | "selectDistinct" | "selectDistinctOn" => select(reader, query),
        "insert" => write(reader, query, Operation::Insert),
        "update" => write(reader, query, Operation::Update),
        "delete" => write(reader, query, Operation::Delete),
        "execute" | "all" | "get" | "run" | "values" => super::sql::read(reader, query),
        "$count" => {
            query.operation = Operation::Read;
            query.yields = Yields::Summary;
            query.table_site = reader.argument(0);
            query.bound = Bound::One;
        }
        "transaction" => {
            query.operation = Operation::Transaction;
            query.bound = Bound::Unknown;
        }
        _ => query.bound = Bound::Unknown,
    }
    if query.table.is_none() {
        query.table = query.table_site.and_then(|site| reader.name_of(site));
    }
}

fn select(reader: &Reader<'_, '_>, query: &mut Query) {
    query.operation = Operation::Read;
    query.yields = Yields::Many;
    query.table_site = reader.links(&["from"]).find_map(|link| link.arguments.first().copied());
    query.filter = filter(reader);
    query.joins = super::joins::of_expressions(reader);
    query.order = order(reader);
    query.offset = reader.links(&["offset"]).find_map(|link| link.arguments.first().copied());
    query.selected = selected(reader);
    query.bound = reader.bound_by(&["limit"]);
    if is_summary(reader) && !reader.has(&["groupBy"]) {
        query.yields = Yields::Summary;
        query.bound = Bound::One;
    }
    let is_grouped = reader.has(&["groupBy"]) || reader.name() != "select";
    if query.bound == Bound::Unlimited && is_grouped {
        query.bound = Bound::Unknown;
    }
    if reader.has(&["get"]) {
        query.yields = Yields::One;
        query.bound = Bound::One;
    }
    if query.bound == Bound::Unlimited
        && let Some(list) = Reader::bound_by_list(query)
    {
        query.bound = list;
    }
}

fn write(reader: &Reader<'_, '_>, query: &mut Query, operation: Operation) {
    query.operation = operation;
    query.yields = Yields::Written;
    query.bound = Bound::One;
    query.table_site = reader.argument(0);
    if reader.has(&["onConflictDoUpdate", "onDuplicateKeyUpdate"]) {
        query.operation = Operation::Upsert;
    }
    if operation != Operation::Insert {
        query.filter = filter(reader);
    }
}

/// Where the columns of the argument are all aggregates: `{ count: sql<number>`count(*)` }`, `{ total: sum(x) }`.
fn is_summary(reader: &Reader<'_, '_>) -> bool {
    let Some(site) = reader.argument(0) else { return false };
    let options = reader.read(site);
    let mut any = false;
    let all = options.iter().all(|property| {
        any = true;
        is_aggregate(reader, property.value)
    });
    any && all && !options.is_open
}

fn is_aggregate(reader: &Reader<'_, '_>, (file, node): Site) -> bool {
    let Some(module) = reader.module(file) else { return false };
    let text = module.source(node).to_lowercase();
    let starts = |word: &str| {
        text.starts_with(word) || text.contains(&format!("`{word}")) || text.contains(&format!("${word}"))
    };
    let is_window = text.contains("over (") || text.contains("over(");
    let coalesce =
        text.contains("coalesce(sum(") || text.contains("coalesce(avg(") || text.contains("coalesce(max(");
    !is_window
        && (coalesce
            || ["count(", "countdistinct(", "sum(", "avg(", "min(", "max("].iter().any(|word| starts(word)))
}

fn filter(reader: &Reader<'_, '_>) -> Filter {
    let mut filter = Filter::default();
    for link in reader.links(&["where"]) {
        let mut own = Filter::default();
        for argument in &link.arguments {
            expression(reader, *argument, 0, &mut own);
        }
        if link.is_optional {
            make_optional(&mut own);
        }
        filter.all.append(&mut own.all);
        filter.any.append(&mut own.any);
        filter.is_open |= own.is_open;
    }
    filter
}

/// `and(eq(users.id, id), …)`, `sql` and variables that hold such.
pub(super) fn expression(reader: &Reader<'_, '_>, site: Site, depth: usize, filter: &mut Filter) {
    let (file, node) = site;
    let Some(module) = reader.module(file) else { return };
    if depth > 8 {
        filter.is_open = true;
        return;
    }
    match module.kind(node) {
        Kind::Call { callee, arguments } => {
            let name = module.source(callee);
            function(reader, file, module, name.rsplit('.').next().unwrap_or(name), arguments, depth, filter);
        }
        Kind::Spread(value) => list(reader, (file, value), depth, filter),
        Kind::Conditional { then, otherwise, .. } => {
            let mut inner = Filter::default();
            for branch in [then, otherwise] {
                if !matches!(module.source(branch), "undefined" | "null") {
                    expression(reader, (file, branch), depth + 1, &mut inner);
                }
            }
            make_optional(&mut inner);
            append(filter, inner);
        }
        Kind::Binary { right, .. } => {
            let mut inner = Filter::default();
            expression(reader, (file, right), depth + 1, &mut inner);
            make_optional(&mut inner);
            append(filter, inner);
        }
        Kind::Tagged { template, .. } => text_condition(module, template, filter),
        Kind::Name { binding, .. } if binding.is_some() => {
            let init = module.binding(binding).and_then(|it| match module.kind(module.parent(it.node)) {
                Kind::Declarator { init, target } if target == it.node && init.is_some() => Some(init),
                _ => None,
            });
            match init {
                Some(init) => expression(reader, (file, init), depth + 1, filter),
                None => filter.is_open = true,
            }
        }
        Kind::Function(function) => {
            // `where: (users, { eq }) => eq(users.id, 1)`
            let body = module.function(function).map(|it| it.body);
            match body.filter(|body| !matches!(module.kind(*body), Kind::Block(_))) {
                Some(body) => expression(reader, (file, body), depth + 1, filter),
                None => filter.is_open = true,
            }
        }
        Kind::Object(_) => append(filter, reader.filter_of(site)),
        _ => filter.is_open = true,
    }
}

/// A list of conditions that `and(...list)` joins.
fn list(reader: &Reader<'_, '_>, site: Site, depth: usize, filter: &mut Filter) {
    let (file, node) = site;
    let Some(module) = reader.module(file) else { return };
    if let Some(items) = reader.array(site) {
        for item in items {
            expression(reader, item, depth + 1, filter);
        }
    } else {
        filter.is_open = true;
    }
    // `conditions.push(eq(…))`
    let Kind::Name { binding, .. } = module.kind(node) else { return };
    for name in module.references(binding) {
        let member = module.parent(*name);
        let Kind::Member { object, name: method } = module.kind(member) else { continue };
        let Kind::Call { callee, arguments } = module.kind(module.parent(member)) else { continue };
        if object == *name && callee == member && module.str(method) == "push" {
            let mut inner = Filter::default();
            for argument in module.list(arguments) {
                expression(reader, (file, argument), depth + 1, &mut inner);
            }
            make_optional(&mut inner);
            append(filter, inner);
        }
    }
}

fn append(filter: &mut Filter, mut inner: Filter) {
    filter.all.append(&mut inner.all);
    filter.any.append(&mut inner.any);
    filter.is_open |= inner.is_open;
}

fn function(
    reader: &Reader<'_, '_>,
    file: loadworthy_project::FileId,
    module: &Module,
    name: &str,
    arguments: List,
    depth: usize,
    filter: &mut Filter,
) {
    let arguments: Vec<Site> = module.list(arguments).map(|node| (file, node)).collect();
    let column = || arguments.first().map(|site| column_of(reader, *site)).unwrap_or_default();
    let value = arguments.get(1).copied();
    let mut add = |operator: Operator| {
        let mut added = condition(&column(), operator, value);
        if added.column.contains('(') {
            added.operator = Operator::Function;
        }
        filter.all.push(added);
    };
    match name {
        "eq" => add(Operator::Equal),
        "inArray" | "arrayContains" | "arrayOverlaps" => add(Operator::In),
        "gt" | "gte" | "lt" | "lte" | "between" => add(Operator::Range),
        "isNull" | "isNotNull" => add(Operator::Null),
        "ne" | "notInArray" | "not" | "notLike" | "notIlike" | "notBetween" => add(Operator::Not),
        "like" | "ilike" => {
            let operator = value.map_or(Operator::Pattern, |value| reader.pattern_operator(name, value));
            add(operator);
        }
        "and" => {
            for argument in &arguments {
                expression(reader, *argument, depth + 1, filter);
            }
        }
        "or" => {
            let mut inner = Filter::default();
            for argument in &arguments {
                expression(reader, *argument, depth + 1, &mut inner);
            }
            let any: Vec<Condition> = inner.all.into_iter().chain(inner.any.into_iter().flatten()).collect();
            filter.any.push(any);
            filter.is_open |= inner.is_open;
        }
        _ => filter.is_open = true,
    }
}

/// `users.email`: `email`; `lower(users.email)`: itself. A column of a joined table keeps its table.
fn column_of(reader: &Reader<'_, '_>, (file, node): Site) -> String {
    let Some(module) = reader.module(file) else { return String::new() };
    match module.kind(node) {
        Kind::Member { object, name } if is_joined(reader, (file, object)) => {
            let table = reader.name_of((file, object)).unwrap_or_default();
            format!("{table}.{}", module.str(name))
        }
        Kind::Member { name, .. } => module.str(name).to_owned(),
        _ => module.source(node).to_owned(),
    }
}

/// A column without its table.
fn bare(column: &str) -> &str {
    if column.contains('(') { column } else { column.rsplit('.').next().unwrap_or(column) }
}

/// Whether an expression names a table that the query joins, not the one that it selects from.
fn is_joined(reader: &Reader<'_, '_>, site: Site) -> bool {
    let named = |words: &'static [&'static str]| {
        reader.links(words).filter_map(|link| reader.name_of(*link.arguments.first()?))
    };
    let Some(name) = named(&["innerJoin", "leftJoin", "rightJoin", "fullJoin"])
        .find(|table| Some(table) == reader.name_of(site).as_ref())
    else {
        return false;
    };
    !named(&["from"]).any(|table| table == name)
}

/// A tagged `${users.id} = ${id}`: the columns in it, by no operator that is known.
fn text_condition(module: &Module, template: loadworthy_syntax::NodeId, filter: &mut Filter) {
    let Kind::Template { strings, values } = module.kind(template) else { return };
    let texts: Vec<&str> = module.atoms(strings).collect();
    let values: Vec<_> = module.list(values).collect();
    let column = values.first().and_then(|value| match module.kind(*value) {
        Kind::Member { name, .. } => Some(module.str(name)),
        _ => None,
    });
    let (Some(column), Some(between)) = (column, texts.get(1)) else {
        filter.is_open = true;
        return;
    };
    let starts_plain = texts.first().is_none_or(|text| text.trim().is_empty());
    let operator = match (starts_plain, between.trim()) {
        (false, _) => Operator::Function,
        (true, "=") => Operator::Equal,
        (true, ">" | "<" | ">=" | "<=") => Operator::Range,
        (true, text) if text.to_lowercase().starts_with("in") || text.to_lowercase().contains("any") => {
            Operator::In
        }
        _ => Operator::Other,
    };
    filter.all.push(condition(column, operator, None));
}

fn order(reader: &Reader<'_, '_>) -> Vec<OrderBy> {
    reader
        .links(&["orderBy"])
        .flat_map(|link| &link.arguments)
        .filter_map(|site| order_key(reader, *site))
        .collect()
}

fn order_key(reader: &Reader<'_, '_>, (file, node): Site) -> Option<OrderBy> {
    let module = reader.module(file)?;
    match module.kind(node) {
        Kind::Call { callee, arguments } => {
            let first = module.list(arguments).next()?;
            let column = column_of(reader, (file, first)).into();
            let is_descending = match module.source(callee).rsplit('.').next() {
                Some("desc") => Some(true),
                Some("asc") => Some(false),
                _ => None,
            };
            Some(OrderBy { column, is_descending })
        }
        Kind::Member { name, .. } => {
            Some(OrderBy { column: module.str(name).into(), is_descending: Some(false) })
        }
        _ => None,
    }
}

fn selected(reader: &Reader<'_, '_>) -> Selected {
    let Some(site) = reader.argument(0) else { return Selected::All };
    let options: Options = reader.read(site);
    if options.is_open {
        return Selected::Unknown;
    }
    let columns: Vec<Box<str>> =
        options.iter().map(|property| bare(&column_of(reader, property.value)).into()).collect();
    if columns.is_empty() { Selected::All } else { Selected::Columns(columns) }
}

/// `db.query.users.findMany({ where, limit, with: { posts: { limit } } })`
fn relational(reader: &Reader<'_, '_>, query: &mut Query) {
    query.operation = Operation::Read;
    query.table = reader.call.path.last().cloned();
    query.table_site = reader.receiver();
    let options = reader.options(0);
    match options.get("where") {
        Some(site) => expression(reader, site, 0, &mut query.filter),
        None => query.filter.is_open = options.is_open,
    }
    query.offset = options.get("offset");
    query.selected = options.get("columns").map_or(Selected::All, |site| reader.columns_of(site));
    query.includes = options.get("with").map(|site| with(reader, site, 0)).unwrap_or_default();
    if let Some(site) = options.get("orderBy") {
        let items = reader.array(site).unwrap_or_else(|| vec![site]);
        query.order = items.into_iter().filter_map(|item| order_key(reader, item)).collect();
    }
    let is_one = reader.name() == "findFirst";
    query.yields = if is_one { Yields::One } else { Yields::Many };
    query.bound = if is_one { Bound::One } else { reader.bound_in(&options, "limit") };
    if query.bound == Bound::Unlimited
        && let Some(list) = Reader::bound_by_list(query)
    {
        query.bound = list;
    }
}

fn with(reader: &Reader<'_, '_>, site: Site, depth: usize) -> Vec<Include> {
    if depth > 5 {
        return Vec::new();
    }
    reader
        .read(site)
        .iter()
        .map(|property| {
            let inner = reader.read(property.value);
            Include {
                relation: property.name.clone(),
                site: property.value,
                bound: reader.limit_of(&inner, "limit").unwrap_or(Bound::Unlimited),
                includes: inner.get("with").map(|nested| with(reader, nested, depth + 1)).unwrap_or_default(),
            }
        })
        .collect()
}
