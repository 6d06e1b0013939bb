//! What each query asks of the indexes of a table, and whether one of them serves it.

use loadworthy_analysis::{Bound, Context, Family, Operation, Operator, Query, Yields};
use loadworthy_project::FileClass;
use loadworthy_schema::names::{same_column, singular, snake};
use loadworthy_schema::sql::{ColumnRef, OrderKey, SqlShape};
use loadworthy_schema::{Extent, SortKey, Table};

use super::joins;
use crate::audit::Audit;
use crate::database::rows::{Growth, growth, is_state, likely, scope, table_of};

/// Why an index is wanted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Need {
    /// Rows are found by these columns.
    Find,
    /// Found by some index, and sorted without one.
    Sort,
    /// Read along with rows that they belong to.
    Join,
    /// Referred rows are deleted.
    Cascade,
    /// A text is looked for inside a text.
    Text,
    /// A function is applied first.
    Function,
    /// `ORDER BY RANDOM()`.
    Random,
}

/// A key of the wanted index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wanted {
    /// The column by its name in the database, where that is known.
    pub(super) column: String,
    pub(super) is_descending: bool,
}

/// What one query asks for.
#[derive(Clone, Debug)]
pub(super) struct Demand<'q> {
    pub(super) query: &'q Query,
    /// `None` where nothing tells its indexes.
    pub(super) table: Option<&'q Table>,
    /// The table in the code's words.
    pub(super) name: String,
    pub(super) need: Need,
    /// Columns that equal something, in any order.
    pub(super) equal: Vec<String>,
    /// What follows them in the index.
    pub(super) then: Vec<Wanted>,
}

impl Demand<'_> {
    /// "finds by `userId`", for evidence.
    pub(super) fn what(&self) -> String {
        let columns: Vec<String> =
            self.equal.iter().chain(self.then.iter().map(|it| &it.column)).cloned().collect();
        let columns = columns.join(", ");
        match self.need {
            Need::Find => format!("finds by {columns}"),
            Need::Sort => format!("sorts by {columns}"),
            Need::Join => format!("reads along by {columns}"),
            Need::Cascade => format!("deletes what {columns} refers to"),
            Need::Text => format!("looks inside {columns}"),
            Need::Function => format!("applies a function to {columns}"),
            Need::Random => String::from("sorts at random"),
        }
    }
}

/// The demands that no index serves, in the order of the queries.
pub(super) fn demands<'q>(audit: &'q Audit<'_, '_>) -> Vec<Demand<'q>> {
    let queries = audit.analysis.queries().shapes().filter(|query| is_on_server(audit, query));
    queries.flat_map(|query| of_query(audit, query)).collect()
}

fn is_on_server(audit: &Audit<'_, '_>, query: &Query) -> bool {
    let contexts = audit.contexts(query.site);
    if contexts.is_empty() {
        return audit.program().class(query.site.0).is_some_and(FileClass::may_be_server);
    }
    contexts.iter().any(|it| matches!(it, Context::PerRequest | Context::PerJob))
}

/// A level of a query: one table with the conditions on it.
struct Level<'q> {
    table: Option<&'q Table>,
    name: String,
    equal: Vec<String>,
    among: Vec<String>,
    /// Columns that are null, or equal to a column of a joined table: an index may begin with them.
    also: Vec<String>,
    ranges: Vec<String>,
    order: Vec<Wanted>,
    /// Equality that only some calls have.
    has_more: bool,
    texts: Vec<String>,
    functions: Vec<String>,
    is_random: bool,
}

fn of_query<'q>(audit: &'q Audit<'_, '_>, query: &'q Query) -> Vec<Demand<'q>> {
    let mut found = Vec::new();
    let is_read_or_changed = !matches!(query.operation, Operation::Insert | Operation::Transaction);
    if let Some(sql) = query.sql.as_deref().filter(|sql| sql.parsed) {
        of_sql(audit, query, sql, &mut found);
    } else if is_read_or_changed && query.sql.is_none() {
        let level = level_of(audit, query);
        of_level(audit, query, &level, &mut found);
    }
    if let Some(table) = table_of(audit, query) {
        joins::of_includes(audit, query, table, &query.includes, &mut found);
        joins::of_builder(audit, query, table, &mut found);
        if query.operation == Operation::Delete {
            of_delete(audit, query, table, &mut found);
        }
    }
    found
}

/// The conditions of a query that is no SQL text.
fn level_of<'q>(audit: &'q Audit<'_, '_>, query: &'q Query) -> Level<'q> {
    let table = table_of(audit, query).filter(|table| table.extent != Extent::Named);
    let of = |wanted: fn(Operator) -> bool| -> Vec<String> {
        let all = query.filter.all.iter().filter(|it| wanted(it.operator) && !it.is_optional);
        all.filter_map(|it| own_column(table, query, &it.column)).collect()
    };
    let led: Vec<String> =
        joins::led_by(query).into_iter().filter_map(|column| own_column(table, query, column)).collect();
    let is_led = !led.is_empty();
    let any = || query.filter.any.iter().flatten();
    let texts = query.filter.all.iter().chain(any()).filter(|it| it.operator == Operator::Contains);
    let order = query.order.iter().map_while(|key| {
        Some(Wanted {
            column: own_column(table, query, &key.column)?,
            is_descending: key.is_descending == Some(true),
        })
    });
    Level {
        table,
        name: table
            .map_or_else(|| crate::database::rows::table_name(query).to_owned(), |table| table.name.clone()),
        equal: of(|it| it == Operator::Equal),
        among: of(|it| it == Operator::In),
        also: of(|it| it == Operator::Null).into_iter().chain(led).collect(),
        ranges: of(|it| matches!(it, Operator::Range | Operator::Prefix)),
        // The rows that a joined table leads to are few: their order and texts need no index.
        order: if is_led { Vec::new() } else { order.collect() },
        has_more: query.filter.is_open
            || query.filter.all.iter().any(|it| it.is_optional || it.operator == Operator::Related)
            || !query.filter.any.is_empty(),
        texts: texts.filter(|_| !is_led).filter_map(|it| own_column(table, query, &it.column)).collect(),
        functions: if is_led { Vec::new() } else { of(|it| it == Operator::Function) },
        is_random: false,
    }
}

/// The column's name in the database; none for a path through a relation or a column of another table.
fn own_column(table: Option<&Table>, query: &Query, column: &str) -> Option<String> {
    let is_document = super::is_document(table, query);
    if is_document {
        // `{ members: { $all: [...] } }` is looked for in an index on the list, `$size` in none.
        let (column, operator) = column.split_once(".$").map_or((column, "in"), |(own, after)| (own, after));
        if !matches!(operator, "in" | "all" | "eq" | "elemMatch") {
            return None;
        }
        // `user.email` of a related row is no part of the document.
        let of = column.split_once('.').map(|(of, _)| of);
        let is_related = of.zip(table).is_some_and(|(of, table)| table.relation(of).is_some());
        return (!is_related && !column.is_empty() && !column.starts_with('$')).then(|| column.to_owned());
    }
    let bare = match column.rsplit_once('.') {
        // `orders.user_id`, but not `user.email` of a related row.
        Some((of, bare)) => {
            let is_own = table.is_some_and(|table| table.is_named(of))
                || query.table.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(of));
            is_own.then_some(bare)?
        }
        None => column,
    };
    let Some(table) = table else { return (!bare.is_empty()).then(|| bare.to_owned()) };
    if let Some(column) = table.column(bare) {
        // What is compared is inside the value, where no plain index looks.
        let is_json = column.type_text.to_ascii_lowercase().contains("json");
        return (!is_json).then(|| column.name.clone());
    }
    // A relation stands for its foreign key: `where: { user: { id } }`.
    let relation = table.relation(bare).filter(|relation| !relation.many)?;
    relation.local.first().cloned()
}

fn of_sql<'q>(audit: &'q Audit<'_, '_>, query: &'q Query, sql: &'q SqlShape, found: &mut Vec<Demand<'q>>) {
    use loadworthy_schema::sql::StatementKind;
    if matches!(sql.kind, StatementKind::Select | StatementKind::Update | StatementKind::Delete) && sql.parsed
    {
        for at in 0..sql.tables.len() {
            let level = sql_level(audit, query, sql, at);
            of_level(audit, query, &level, found);
        }
        joins::of_joins(audit, query, sql, found);
    }
    for inner in sql.subqueries.iter().chain(&sql.further) {
        of_sql(audit, query, inner, found);
    }
}

fn sql_level<'q>(audit: &'q Audit<'_, '_>, query: &'q Query, sql: &'q SqlShape, at: usize) -> Level<'q> {
    let name = sql.tables.get(at).map(|table| table.name.as_str()).unwrap_or_default();
    let known = if at == 0 && sql.tables.len() == 1 { table_of(audit, query) } else { None };
    let known = known.or_else(|| audit.analysis.models().table_named(query.site.0, name));
    let table = known.filter(|table| table.extent != Extent::Named);
    let is_own = |column: &ColumnRef| match &column.table {
        Some(of) => of.eq_ignore_ascii_case(name),
        None if sql.tables.len() == 1 => true,
        None => table.is_some_and(|table| table.column(&column.column).is_some()),
    };
    let in_database = |column: &ColumnRef| match table {
        Some(table) => table.column(&column.column).map(|column| column.name.clone()),
        None => Some(column.column.clone()),
    };
    let of = |columns: &[ColumnRef]| -> Vec<String> {
        columns.iter().filter(|it| is_own(it)).filter_map(in_database).collect()
    };
    // A join finds the rows of this table by its key only where another table's conditions come first.
    let conditions = || sql.equality.iter().chain(&sql.membership).chain(&sql.ranges);
    let is_led = sql.kind != loadworthy_schema::sql::StatementKind::Select
        || conditions().any(|column| !is_own(column));
    let pairs = sql.joins.iter().filter(|_| is_led).flat_map(|join| &join.on);
    let joined: Vec<ColumnRef> = pairs.flat_map(|(left, right)| [left.clone(), right.clone()]).collect();
    let texts = sql.likes.iter().filter(|like| like.leading_wildcard == Some(true) && is_own(&like.column));
    let functions = sql.functions.iter().filter(|it| is_own(&it.column) && is_case(&it.function));
    let is_random = at == 0 && sql.order_by.iter().any(|key| matches!(key, OrderKey::Random));
    let order = sql.order_by.iter().map_while(|key| match key {
        OrderKey::Column { column, descending } if is_own(column) => {
            Some(Wanted { column: in_database(column)?, is_descending: *descending })
        }
        _ => None,
    });
    Level {
        table,
        name: table.map_or_else(|| name.to_owned(), |table| table.name.clone()),
        equal: of(&sql.equality),
        among: of(&sql.membership),
        also: of(&sql.null_checks).into_iter().chain(of(&joined)).collect(),
        ranges: of(&sql.ranges),
        order: if sql.has_group_by || sql.distinct { Vec::new() } else { order.collect() },
        has_more: sql.dynamic || !sql.alternatives.is_empty(),
        texts: texts.filter_map(|it| in_database(&it.column)).collect(),
        functions: functions.filter_map(|it| in_database(&it.column)).collect(),
        is_random,
    }
}

/// Functions that an expression index commonly serves.
fn is_case(function: &str) -> bool {
    matches!(function, "lower" | "upper" | "date" | "trim")
}

fn of_level<'q>(audit: &'q Audit<'_, '_>, query: &'q Query, level: &Level<'q>, found: &mut Vec<Demand<'q>>) {
    let grows = growth(audit, level.table, &level.name);
    if level.name.is_empty() || grows == Growth::Lookup {
        return;
    }
    let demand = |need, equal: Vec<String>, then: Vec<Wanted>| Demand {
        query,
        table: level.table,
        name: level.name.clone(),
        need,
        equal,
        then,
    };
    if level.is_random {
        found.push(demand(Need::Random, Vec::new(), Vec::new()));
        return;
    }
    let keys = keys_of(level);
    if is_found(level, &keys) {
        if let Some(then) = unsorted(level, query, grows) {
            found.push(demand(Need::Sort, strong(level), then));
        }
        return;
    }
    if !keys.is_empty() {
        // Parts of texts and functions only narrow further what another column finds.
        let equal = level.equal.iter().filter(|column| !is_weak(level, column)).cloned().collect::<Vec<_>>();
        if equal.is_empty() && level.among.is_empty() && level.ranges.is_empty() {
            return weak(level, query, found, &demand);
        }
        let (equal, then) = wanted(level, equal);
        found.push(demand(Need::Find, equal, then));
    } else if !level.texts.is_empty() {
        let searched = level.texts.iter().filter(|column| !has_text_index(level.table, column)).cloned();
        let searched: Vec<String> = searched.collect();
        if !searched.is_empty() && level.table.is_some() {
            found.push(demand(Need::Text, searched, Vec::new()));
        }
    } else if !level.functions.is_empty() {
        let computed =
            level.functions.iter().filter(|column| !has_expression_index(level.table, column)).cloned();
        let computed: Vec<String> = computed.collect();
        if !computed.is_empty() && level.table.is_some() {
            found.push(demand(Need::Function, computed, Vec::new()));
        }
    } else if !level.order.is_empty() && is_page(query) && !level.has_more && level.table.is_some() {
        let served = level.table.and_then(|table| table.index_sorting(&[], &sort_keys(&level.order)));
        let first = level.order.first().map(|key| key.column.clone()).unwrap_or_default();
        if served.is_none() && !has_leading(level.table, &first) {
            found.push(demand(Need::Sort, Vec::new(), level.order.clone()));
        }
    }
}

/// Columns with a few values narrow nothing by themselves; with the order of a page they are worth an index.
fn weak<'q>(
    level: &Level<'q>,
    query: &'q Query,
    found: &mut Vec<Demand<'q>>,
    demand: &dyn Fn(Need, Vec<String>, Vec<Wanted>) -> Demand<'q>,
) {
    if level.order.is_empty() || !is_page(query) || level.table.is_none() {
        return;
    }
    let first = level.order.first().map(|key| key.column.clone()).unwrap_or_default();
    if !has_leading(level.table, &first) && !level.equal.iter().any(|column| has_leading(level.table, column))
    {
        found.push(demand(Need::Sort, level.equal.clone(), level.order.clone()));
    }
}

/// Columns by which an index could find the rows.
fn keys_of(level: &Level<'_>) -> Vec<String> {
    level.equal.iter().chain(&level.among).chain(&level.ranges).cloned().collect()
}

/// Equal columns that narrow.
fn strong(level: &Level<'_>) -> Vec<String> {
    level.equal.iter().filter(|column| !is_weak(level, column)).cloned().collect()
}

fn is_weak(level: &Level<'_>, column: &str) -> bool {
    is_weak_in(level.table, column)
}

/// A column with a few values: a status, a flag; not one that refers to another table.
pub(super) fn is_weak_in(table: Option<&Table>, column: &str) -> bool {
    let refers =
        |table: &Table| table.foreign_keys.iter().any(|key| key.columns.iter().any(|it| it == column));
    is_state(column, table) && !table.is_some_and(refers) && !snake(column).ends_with("_id")
}

/// Whether some index finds the rows, or may: one that leads with a column which narrows, partial or not.
fn is_found(level: &Level<'_>, keys: &[String]) -> bool {
    let Some(table) = level.table else { return keys.iter().any(|key| is_usual_key(key, &level.name)) };
    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    let equal: Vec<&str> =
        level.equal.iter().chain(&level.among).chain(&level.also).map(String::as_str).collect();
    if table.is_unique(&equal) {
        return true;
    }
    let names: Vec<&str> = names.into_iter().chain(level.also.iter().map(String::as_str)).collect();
    let has_strong = names.iter().any(|name| !is_weak_in(Some(table), name));
    table.indexes.iter().any(|index| {
        let Some(first) = index.columns().first().copied() else { return false };
        let is_ours = names.iter().any(|name| is_same(table, name, first));
        is_ours && (!has_strong || !is_weak_in(Some(table), first) || level.also.iter().any(|it| it == first))
    })
}

/// `id` and the like: of a table that nothing declares, these are keys by every custom.
fn is_usual_key(column: &str, table: &str) -> bool {
    let named = snake(column);
    let own = singular(&snake(table));
    matches!(named.as_str(), "id" | "_id" | "uuid" | "email" | "slug" | "username" | "token" | "key" | "code")
        || named == format!("{own}_id")
}

fn is_same(table: &Table, left: &str, right: &str) -> bool {
    left == right
        || same_column(left, right)
        || table.column(left).is_some_and(|column| column.is_named(right))
}

pub(super) fn has_leading(table: Option<&Table>, column: &str) -> bool {
    table.is_some_and(|table| {
        table
            .indexes
            .iter()
            .any(|index| index.columns().first().is_some_and(|first| is_same(table, column, first)))
    })
}

/// Fewer matches than this are sorted in no time.
const MATCHES: f64 = 500.0;

/// The order of a page whose matches are many and which no index has; `None` if it is served or not worth it.
fn unsorted(level: &Level<'_>, query: &Query, grows: Growth) -> Option<Vec<Wanted>> {
    let table = level.table?;
    if level.order.is_empty() || !is_page(query) || level.has_more || !level.among.is_empty() {
        return None;
    }
    let equal: Vec<&str> = level.equal.iter().map(String::as_str).collect();
    if table.is_unique(&equal) || !level.ranges.is_empty() {
        return None;
    }
    if likely(grows, scope(query, Some(table))).likely < MATCHES {
        return None;
    }
    let strong = strong(level);
    let strong: Vec<&str> = strong.iter().map(String::as_str).collect();
    let sorted = |columns: &[&str]| table.index_sorting(columns, &sort_keys(&level.order)).is_some();
    let first = level.order.first()?;
    let is_served =
        sorted(&equal) || sorted(&strong) || (strong.is_empty() && has_leading(Some(table), &first.column));
    (!is_served).then(|| level.order.clone())
}

fn sort_keys(order: &[Wanted]) -> Vec<SortKey<'_>> {
    order.iter().map(|key| SortKey { column: &key.column, descending: key.is_descending }).collect()
}

/// Whether only the first of the sorted rows are wanted.
fn is_page(query: &Query) -> bool {
    let is_limited =
        !matches!(query.bound, Bound::Unlimited | Bound::Off { .. } | Bound::List(_) | Bound::One);
    let is_first = query.bound == Bound::One && !query.order.is_empty();
    (is_limited || is_first) && matches!(query.yields, Yields::Many | Yields::One | Yields::Unknown)
}

/// The index that serves a level: equality first, then a range or the order.
fn wanted(level: &Level<'_>, equal: Vec<String>) -> (Vec<String>, Vec<Wanted>) {
    let plain = |column: &String| Wanted { column: column.clone(), is_descending: false };
    let mut equal = equal;
    let mut then: Vec<Wanted> = Vec::new();
    if level.among.is_empty() && level.ranges.is_empty() {
        then.extend(level.order.iter().filter(|key| !equal.contains(&key.column)).cloned());
    } else if level.ranges.is_empty() {
        equal.extend(level.among.iter().filter(|column| !level.equal.contains(column)).cloned());
    } else {
        then.extend(level.among.iter().chain(&level.ranges).map(plain));
        // The direction of a range that is also the order.
        if let (Some(key), Some(first)) = (then.first_mut(), level.order.first())
            && key.column == first.column
        {
            key.is_descending = first.is_descending;
        }
        then.truncate(1);
    }
    let mut seen = Vec::new();
    equal.retain(|column| {
        let is_new = !seen.contains(column);
        seen.push(column.clone());
        is_new
    });
    (equal, then)
}

fn has_text_index(table: Option<&Table>, column: &str) -> bool {
    table.is_some_and(|table| {
        table.index_of_trigrams(column).is_some()
            || table.indexes.iter().any(|index| {
                matches!(index.method.as_deref(), Some("gin" | "gist" | "fulltext" | "text"))
                    && index.keys.iter().any(|key| key.text().contains(column))
            })
    })
}

fn has_expression_index(table: Option<&Table>, column: &str) -> bool {
    table.is_some_and(|table| {
        let names = |key: &loadworthy_schema::Key| key.as_column().is_none() && key.text().contains(column);
        let is_case_blind =
            table.column(column).is_some_and(|column| column.type_text.to_lowercase().contains("citext"));
        is_case_blind || table.indexes.iter().any(|index| index.keys.iter().any(names))
    })
}

/// Tables that refer to the deleted rows: the database looks for the referring ones.
fn of_delete<'q>(audit: &'q Audit<'_, '_>, query: &'q Query, table: &'q Table, found: &mut Vec<Demand<'q>>) {
    if matches!(query.family, Family::Mongoose | Family::MongoDriver | Family::Firestore) {
        return;
    }
    for other in &audit.analysis.models().catalogue().tables {
        if other.scope != table.scope
            || other.extent == Extent::Named
            || growth(audit, Some(other), &other.name) == Growth::Lookup
        {
            continue;
        }
        for key in other.foreign_keys.iter().filter(|key| table.is_exactly(&key.table)) {
            let is_served = key.columns.first().is_some_and(|column| has_leading(Some(other), column));
            if !is_served && !key.columns.is_empty() {
                found.push(Demand {
                    query,
                    table: Some(other),
                    name: other.name.clone(),
                    need: Need::Cascade,
                    equal: key.columns.clone(),
                    then: Vec::new(),
                });
            }
        }
    }
}
