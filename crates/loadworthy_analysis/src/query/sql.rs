//! Queries that are SQL texts: literals, templates, sums, and variables that a text is added to.

use loadworthy_project::FileId;
use loadworthy_schema::sql::{
    ColumnRef, Dialect, Limit, OrderKey, SqlShape, StatementKind, is_marker, shape,
};
use loadworthy_syntax::{Binary, BindingId, Kind, Module, NodeId};

use super::limit::Limits;
use super::reader::{Reader, condition};
use super::{Bound, Filter, Operation, Operator, OrderBy, Query, Selected, Yields};
use crate::values::{Resolver, Site};

/// A text with its interpolations.
#[derive(Debug, Default)]
pub(super) struct SqlText {
    /// The text, with a marker for each interpolation.
    pub(super) text: String,
    /// The interpolated expressions, in order of their markers.
    pub(super) holes: Vec<Site>,
    /// Parts of it are added only in some cases.
    pub(super) is_open: bool,
}

pub(super) fn read(reader: &Reader<'_, '_>, query: &mut Query) {
    query.yields = Yields::Unknown;
    query.bound = Bound::Unknown;
    query.filter.is_open = true;
    let Some(site) = text_site(reader) else { return };
    query.table_site = Some(site);
    let Some(text) = text_of(reader.resolver, site) else { return };
    let library = &reader.resolver.program().knowledge().library(query.lib).id;
    let dialect = if library == "mysql2" { Dialect::MySql } else { Dialect::Unknown };
    let found = shape(&text.text, dialect);
    query.is_pair = is_pair(reader, library);
    if matches!(found.kind, StatementKind::Other | StatementKind::Ddl) {
        query.operation = Operation::Other;
        return;
    }
    query.operation = match found.kind {
        StatementKind::Insert if found.on_conflict => Operation::Upsert,
        StatementKind::Insert => Operation::Insert,
        StatementKind::Update => Operation::Update,
        StatementKind::Delete => Operation::Delete,
        StatementKind::Transaction => Operation::Transaction,
        _ => Operation::Read,
    };
    query.table = found.tables.first().map(|table| named(reader, &text, &table.name));
    query.filter = filter(&found);
    query.filter.is_open |= text.is_open;
    query.order = found.order_by.iter().filter_map(order).collect();
    query.selected = selected(&found);
    (query.yields, query.bound) = rows(reader, &text, &found);
    if query.bound == Bound::Unlimited && found.parsed {
        query.bound = listed(reader, &text, query).unwrap_or(Bound::Unlimited);
    }
    query.sql = Some(Box::new(found));
}

/// Whether the result is `[rows, description]`. Knex gives what its driver does: an array where it is MySQL's, which is
/// the only one whose result is taken apart as one.
fn is_pair(reader: &Reader<'_, '_>, library: &str) -> bool {
    match library {
        "mysql2" | "knex" => true,
        "sequelize" => reader.argument(1).is_none_or(|options| reader.read(options).get("type").is_none()),
        _ => false,
    }
}

fn rows(reader: &Reader<'_, '_>, text: &SqlText, found: &SqlShape) -> (Yields, Bound) {
    match found.kind {
        StatementKind::Select => {}
        StatementKind::Transaction => return (Yields::Unknown, Bound::Unknown),
        _ => return (Yields::Written, Bound::One),
    }
    if found.aggregate_only || !found.parsed && is_count(&text.text) {
        return (Yields::Summary, Bound::One);
    }
    if reader.has(&["get"]) {
        return (Yields::One, Bound::One);
    }
    if reader.has(&["iterate", "cursor", "stream"]) {
        return (Yields::Stream, Bound::Unknown);
    }
    // A constant SELECT without a table is one row.
    if found.parsed && found.tables.is_empty() && found.subqueries.is_empty() && !found.dynamic {
        return (Yields::One, Bound::One);
    }
    let bound = match found.limit {
        Limit::Literal(1) => Bound::One,
        Limit::Literal(most) => Bound::Constant(most),
        Limit::Parameter => parameter(reader, text),
        Limit::None if found.dynamic || text.is_open || !found.parsed => Bound::Unknown,
        Limit::None if found.has_group_by || found.distinct => Bound::Unknown,
        Limit::None => Bound::Unlimited,
    };
    (Yields::Many, bound)
}

fn is_count(text: &str) -> bool {
    let lower = text.trim_start().to_lowercase();
    lower.starts_with("select count(") && !lower.contains("group by")
}

/// The expression that holds the text.
fn text_site(reader: &Reader<'_, '_>) -> Option<Site> {
    let (file, node) = reader.head;
    let module = reader.module(file)?;
    if let Kind::Tagged { .. } = module.kind(node) {
        return Some((file, node));
    }
    let first = reader.argument(0)?;
    if let Kind::Object(_) = reader.module(first.0)?.kind(first.1) {
        let options = reader.read(first);
        return options.get("text").or_else(|| options.get("sql")).or_else(|| options.get("query"));
    }
    Some(first)
}

/// The text of an expression.
pub(super) fn text_of(resolver: &Resolver<'_>, site: Site) -> Option<SqlText> {
    let mut text = SqlText::default();
    add(resolver, site, 0, &mut text).then_some(text).filter(|it| !it.text.trim().is_empty())
}

/// Deepest nesting of texts.
const MAX_DEPTH: usize = 8;

fn add(resolver: &Resolver<'_>, (file, node): Site, depth: usize, text: &mut SqlText) -> bool {
    let Some(module) = resolver.program().module(file) else { return false };
    if depth > MAX_DEPTH {
        return false;
    }
    match module.kind(node) {
        Kind::String(atom) => {
            text.text.push_str(module.str(atom));
            true
        }
        Kind::Template { strings, values } => {
            let values: Vec<NodeId> = module.list(values).collect();
            for (at, part) in module.atoms(strings).enumerate() {
                text.text.push_str(part);
                if let Some(value) = values.get(at) {
                    interpolate(resolver, (file, *value), depth, text);
                }
            }
            true
        }
        Kind::Tagged { template, .. } => add(resolver, (file, template), depth + 1, text),
        Kind::Binary { operator: Binary::Add, left, right } => {
            if !add(resolver, (file, left), depth + 1, text) {
                hole(text, (file, left));
            }
            if !add(resolver, (file, right), depth + 1, text) {
                hole(text, (file, right));
            }
            true
        }
        Kind::Name { binding, .. } if binding.is_some() => {
            variable(resolver, file, module, binding, node, depth, text)
        }
        Kind::Call { callee, arguments } => {
            let name = match module.kind(callee) {
                Kind::Member { object, name } if matches!(module.str(name), "trim" | "toString") => {
                    return add(resolver, (file, object), depth + 1, text);
                }
                Kind::Member { name, .. } | Kind::Name { name, .. } => module.str(name),
                _ => "",
            };
            // `sql.raw("…")`, `sequelize.literal("…")`, `format("…", x)`
            let first = module.list(arguments).next();
            match first {
                Some(first) if matches!(name, "raw" | "sql" | "format" | "literal" | "text") => {
                    add(resolver, (file, first), depth + 1, text)
                }
                _ => constant(resolver, (file, node), text),
            }
        }
        _ => constant(resolver, (file, node), text),
    }
}

fn constant(resolver: &Resolver<'_>, site: Site, text: &mut SqlText) -> bool {
    let Some(constant) = resolver.text_of(site) else { return false };
    text.text.push_str(&constant);
    true
}

fn hole(text: &mut SqlText, site: Site) {
    let marker = format!("__lw_{}__", text.holes.len());
    text.text.push_str(&marker);
    text.holes.push(site);
}

/// An interpolation: a constant or a part of the text in place, anything else a marker.
fn interpolate(resolver: &Resolver<'_>, site: Site, depth: usize, text: &mut SqlText) {
    let Some(module) = resolver.program().module(site.0) else { return };
    if let Some(constant) = resolver.text_of(site) {
        text.text.push_str(&constant);
        return;
    }
    // `${users}` and `${users.email}` of a query builder's template stay names.
    let is_part = match module.kind(site.1) {
        Kind::Template { .. } | Kind::Tagged { .. } => true,
        Kind::Name { binding, .. } => starts_as_text(module, binding),
        _ => false,
    };
    if is_part {
        let mut inner = SqlText::default();
        let holes = text.holes.len();
        if add(resolver, site, depth + 1, &mut inner) {
            // Markers of the part follow those of the whole.
            let mut renumbered = inner.text;
            for at in (0..inner.holes.len()).rev() {
                renumbered = renumbered.replace(&format!("__lw_{at}__"), &format!("__lw_{}__", holes + at));
            }
            text.text.push_str(&renumbered);
            text.holes.extend(inner.holes);
            text.is_open |= inner.is_open;
            return;
        }
    }
    hole(text, site);
}

fn starts_as_text(module: &Module, binding: BindingId) -> bool {
    let Some(declared) = module.binding(binding) else { return false };
    match module.kind(module.parent(declared.node)) {
        Kind::Declarator { init, .. } if init.is_some() => {
            matches!(module.kind(init), Kind::String(_) | Kind::Template { .. } | Kind::Tagged { .. })
        }
        _ => false,
    }
}

/// `let sql = "…"; if (x) sql += " AND …";` up to the use.
fn variable(
    resolver: &Resolver<'_>,
    file: FileId,
    module: &Module,
    binding: BindingId,
    until: NodeId,
    depth: usize,
    text: &mut SqlText,
) -> bool {
    let Some(declared) = module.binding(binding) else { return false };
    let init = match module.kind(module.parent(declared.node)) {
        Kind::Declarator { init, target } if target == declared.node && init.is_some() => init,
        _ => return constant(resolver, (file, until), text),
    };
    if !add(resolver, (file, init), depth + 1, text) {
        return constant(resolver, (file, until), text);
    }
    let end = module.node(until).span.start;
    for name in module.references(binding) {
        let parent = module.parent(*name);
        let Kind::Assign { target, value, operator } = module.kind(parent) else { continue };
        if target != *name || module.node(*name).span.start >= end {
            continue;
        }
        text.is_open |= is_branched(module, parent);
        if operator == Some(Binary::Add) {
            if !add(resolver, (file, value), depth + 1, text) {
                hole(text, (file, value));
            }
        } else {
            // Another text altogether.
            text.is_open = true;
        }
    }
    true
}

fn is_branched(module: &Module, node: NodeId) -> bool {
    module
        .ancestors(node)
        .take_while(|outer| !matches!(module.kind(*outer), Kind::Function(_)))
        .any(|outer| matches!(module.kind(outer), Kind::If { .. } | Kind::Case { .. }))
}

/// What stands after `LIMIT`.
fn parameter(reader: &Reader<'_, '_>, text: &SqlText) -> Bound {
    let Some(site) = limit_site(reader, text) else { return Bound::Unknown };
    Limits::new(reader.resolver).of(site)
}

fn limit_site(reader: &Reader<'_, '_>, text: &SqlText) -> Option<Site> {
    let upper = text.text.to_uppercase();
    let at = upper.rfind("LIMIT")? + "LIMIT".len();
    let rest = text.text.get(at..)?.trim_start();
    // `LIMIT offset, count` of MySQL.
    let words = rest.split([';', ')']).next().unwrap_or(rest);
    let word = match words.split_once(',') {
        Some((_, count)) => count.trim(),
        None => words,
    };
    let word = word.split_whitespace().next()?;
    if is_marker(word) {
        let index: usize = word.strip_prefix("__lw_")?.strip_suffix("__")?.parse().ok()?;
        return text.holes.get(index).copied();
    }
    let values = reader.argument(1);
    if let Some(index) = word.strip_prefix('$').and_then(|it| it.parse::<usize>().ok()) {
        return element(reader, values?, index.checked_sub(1)?);
    }
    if word.starts_with('?') {
        let index = text.text.get(..at)?.matches('?').count();
        return element(reader, values?, index);
    }
    let name = word.strip_prefix([':', '@'])?;
    let options = reader.read(values?);
    options.get(name).or_else(|| reader.read(options.get("replacements")?).get(name))
}

/// An element of the values: of a literal, or of one with `push` calls at its end.
fn element(reader: &Reader<'_, '_>, values: Site, index: usize) -> Option<Site> {
    let items = reader.array(values)?;
    if let Some(item) = items.get(index) {
        return Some(*item);
    }
    let module = reader.module(values.0)?;
    let Kind::Name { binding, .. } = module.kind(values.1) else { return None };
    let pushed: Vec<Site> = module
        .references(binding)
        .iter()
        .filter_map(|name| {
            let member = module.parent(*name);
            let Kind::Member { object, name: method } = module.kind(member) else { return None };
            let Kind::Call { callee, arguments } = module.kind(module.parent(member)) else { return None };
            (object == *name && callee == member && module.str(method) == "push")
                .then(|| module.list(arguments).map(|node| (values.0, node)).collect::<Vec<Site>>())
        })
        .flatten()
        .collect();
    pushed.get(index.checked_sub(items.len())?).copied()
}

/// `WHERE id = ANY($1)`: as many rows as the list has.
fn listed(reader: &Reader<'_, '_>, text: &SqlText, query: &Query) -> Option<Bound> {
    let list = query.filter.all.iter().find(|it| it.operator == Operator::In)?;
    super::reader::is_key(&list.column).then_some(())?;
    let upper = text.text.to_uppercase();
    let at = upper.find("ANY(").map(|at| at + 4).or_else(|| upper.find("IN (").map(|at| at + 4));
    let rest = text.text.get(at.or_else(|| upper.find("IN(").map(|at| at + 3))?..)?.trim_start();
    let word = rest.split([')', ':', ' ']).next()?;
    if is_marker(word) {
        let index: usize = word.strip_prefix("__lw_")?.strip_suffix("__")?.parse().ok()?;
        return text.holes.get(index).copied().map(Bound::List);
    }
    let index = word.strip_prefix('$').and_then(|it| it.parse::<usize>().ok());
    let index = index.and_then(|it| it.checked_sub(1)).unwrap_or(0);
    element(reader, reader.argument(1)?, index).map(Bound::List)
}

/// `${users}` after `FROM` stands for the table's name in code.
fn named(reader: &Reader<'_, '_>, text: &SqlText, name: &str) -> Box<str> {
    if is_marker(name) {
        let index = name.strip_prefix("__lw_").and_then(|it| it.strip_suffix("__"));
        let index = index.and_then(|it| it.parse::<usize>().ok());
        if let Some(found) = index.and_then(|at| text.holes.get(at)).and_then(|site| reader.name_of(*site)) {
            return found;
        }
    }
    name.into()
}

/// The conditions of a statement.
pub(super) fn filter(found: &SqlShape) -> Filter {
    let mut filter = Filter { is_open: found.dynamic || !found.parsed, ..Filter::default() };
    let groups: [(&[ColumnRef], Operator); 4] = [
        (&found.equality, Operator::Equal),
        (&found.membership, Operator::In),
        (&found.ranges, Operator::Range),
        (&found.null_checks, Operator::Null),
    ];
    for (columns, operator) in groups {
        filter.all.extend(columns.iter().map(|column| condition(&column.column, operator, None)));
    }
    for like in &found.likes {
        let operator = match like.leading_wildcard {
            Some(true) => Operator::Contains,
            Some(false) if !like.ignores_case => Operator::Prefix,
            _ => Operator::Pattern,
        };
        filter.all.push(condition(&like.column.column, operator, None));
    }
    for function in &found.functions {
        filter.all.push(condition(&function.column.column, Operator::Function, None));
    }
    if !found.alternatives.is_empty() {
        let any = found.alternatives.iter().map(|it| condition(&it.column, Operator::Other, None)).collect();
        filter.any.push(any);
    }
    filter
}

fn order(key: &OrderKey) -> Option<OrderBy> {
    match key {
        OrderKey::Column { column, descending } => {
            Some(OrderBy { column: column.column.as_str().into(), is_descending: Some(*descending) })
        }
        OrderKey::Random | OrderKey::Expression(_) => None,
    }
}

fn selected(found: &SqlShape) -> Selected {
    if found.star || !found.parsed {
        return Selected::All;
    }
    Selected::Columns(found.columns.iter().map(|column| column.column.as_str().into()).collect())
}
