//! How many rows a query likely gives, by what narrows it and what its table holds; and why.

use loadworthy_analysis::{Bound, Condition, Family, Limits, Multiplicity, Operator, Query, Site, Yields};
use loadworthy_capacity::Range;
use loadworthy_schema::Table;
use loadworthy_schema::names::{same_column, singular, snake};

use crate::audit::Audit;

/// What a table's rows do while the application is used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Growth {
    /// A fixed, short list: roles, plans, settings.
    Lookup,
    /// Grows with what people set up: users, products, projects.
    Ordinary,
    /// Grows with use, without end: messages, orders, logs.
    Endless,
}

/// What narrows a query.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Scope {
    /// One row.
    Row,
    /// The rows of one parent: a user's, an order's.
    Parent,
    /// The rows of a tenant: an organisation, a project, a shop.
    Tenant,
    /// Those that a search, a time or another condition finds.
    Filtered,
    /// All rows, or those of a state.
    Table,
}

/// A number of rows with the reason for it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Estimate {
    /// How many.
    pub(crate) rows: Range,
    /// What the table does.
    pub(crate) growth: Growth,
    /// What narrows it.
    pub(crate) scope: Scope,
    /// Whether the number is of the code.
    pub(crate) is_exact: bool,
    /// In words: "the rows of `Message` of one `roomId` (assumed 500)".
    pub(crate) words: String,
}

impl Estimate {
    fn exactly(rows: u64, words: String) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "limits are small")]
        let rows = Range::exactly(rows as f64);
        Self { rows, growth: Growth::Ordinary, scope: Scope::Row, is_exact: true, words }
    }
}

/// The table that a query is about.
pub(crate) fn table_of<'a>(audit: &'a Audit<'_, '_>, query: &Query) -> Option<&'a Table> {
    audit.analysis.models().table_of_query(audit.resolver, query)
}

/// The name of a query's table in the code's words.
pub(crate) fn table_name(query: &Query) -> &str {
    query.table.as_deref().unwrap_or("the table")
}

/// How many rows a query likely gives.
pub(crate) fn estimate(audit: &Audit<'_, '_>, query: &Query) -> Estimate {
    let name = table_name(query);
    if let Some(most) = query.bound.most() {
        return Estimate::exactly(most, format!("at most {most} rows of `{name}`"));
    }
    let table = table_of(audit, query);
    let growth = growth(audit, table, name);
    let scope = scope(query, table);
    let rows = likely(growth, scope);
    let words = match scope {
        Scope::Row => format!("one row of `{name}`"),
        Scope::Table => format!("the rows of `{name}` (assumed {})", plain(rows.likely)),
        Scope::Filtered => format!("the rows of `{name}` that match (assumed {})", plain(rows.likely)),
        Scope::Parent | Scope::Tenant => {
            let of = owner(query, table).unwrap_or("one parent");
            format!("the rows of `{name}` of one `{of}` (assumed {})", plain(rows.likely))
        }
    };
    Estimate { rows, growth, scope, is_exact: false, words }
}

/// Rows that are assumed where the code does not limit them: what an application of a thousand users gathers within its
/// first year.
pub(crate) fn likely(growth: Growth, scope: Scope) -> Range {
    match (scope, growth) {
        (Scope::Row, _) => Range::exactly(1.0),
        (_, Growth::Lookup) => Range::between(3.0, 20.0, 100.0),
        (Scope::Parent, Growth::Ordinary) => Range::between(1.0, 20.0, 200.0),
        (Scope::Parent, Growth::Endless) => Range::between(10.0, 200.0, 10_000.0),
        (Scope::Tenant, Growth::Ordinary) => Range::between(10.0, 200.0, 5_000.0),
        (Scope::Filtered, Growth::Ordinary) => Range::between(5.0, 100.0, 10_000.0),
        (Scope::Filtered, Growth::Endless) => Range::between(20.0, 1_000.0, 100_000.0),
        (Scope::Tenant, Growth::Endless) | (Scope::Table, Growth::Ordinary) => {
            Range::between(50.0, 1_000.0, 100_000.0)
        }
        (Scope::Table, Growth::Endless) => Range::between(1_000.0, 10_000.0, 1_000_000.0),
    }
}

/// What the rows of a table do.
pub(crate) fn growth(audit: &Audit<'_, '_>, table: Option<&Table>, name: &str) -> Growth {
    let is_small = table.is_some_and(|table| table.is_small().is_some());
    let named = singular(&snake(name));
    if is_small || (table.is_none() && is_lookup(&named)) {
        return Growth::Lookup;
    }
    let is_endless = |name: &str| {
        let named = singular(&snake(name));
        // The types of appointments do not grow with the appointments.
        if named.rsplit('_').next().is_some_and(|last| KINDS.contains(&last)) {
            return false;
        }
        named.split('_').any(|word| ENDLESS.contains(&singular(word).as_str()))
            || ENDLESS.iter().any(|word| named.len() > word.len() && named.ends_with(word) && word.len() > 3)
    };
    let all: Vec<&str> = table.map(|table| table.names().collect()).unwrap_or_default();
    if is_endless(name) || all.into_iter().any(is_endless) {
        return Growth::Endless;
    }
    if table.is_some_and(|table| is_seeded(audit, table, 0)) { Growth::Lookup } else { Growth::Ordinary }
}

/// Last words of the names of tables that say what kinds of something there are, or how it is set up.
const KINDS: [&str; 12] = [
    "type",
    "kind",
    "category",
    "status",
    "template",
    "setting",
    "config",
    "configuration",
    "preference",
    "option",
    "reason",
    "rule",
];

/// Most columns of a table that holds a list of names: a key, a name, a description, an order, two times.
const LIST_COLUMNS: usize = 6;

/// Whether a table holds a list that is filled once: few columns, nothing in the application writes it though it writes
/// others, and what its rows belong to is such a list as well.
fn is_seeded(audit: &Audit<'_, '_>, table: &Table, depth: usize) -> bool {
    let written = audit.analysis.written_tables();
    depth < 4
        && table.columns.len() <= LIST_COLUMNS
        && !written.is_empty()
        && !table.names().any(|name| written.contains(&singular(&snake(name))))
        && table.owners().all(|owner| {
            let owner = audit.analysis.models().catalogue().table(owner);
            owner.is_some_and(|owner| is_seeded(audit, owner, depth + 1))
        })
}

fn is_lookup(named: &str) -> bool {
    loadworthy_schema::Catalogue::default().is_small(named).is_some()
}

/// What narrows a query.
pub(crate) fn scope(query: &Query, table: Option<&Table>) -> Scope {
    if is_single(query, table) || query.bound == Bound::One {
        return Scope::Row;
    }
    let owners =
        query.filter.equal_columns().filter(|column| is_owner(column, table) || is_of_related(query, column));
    // `id = $1 OR parent_id = $1`: the rows of one, whichever way they refer to it.
    let refers = |it: &Condition| {
        let is_own =
            is_owner(&it.column, table) || is_key(&it.column, query.table.as_deref().unwrap_or_default());
        it.operator == Operator::Equal && !it.is_optional && is_own
    };
    let either = query.filter.any.iter().filter(|any| !any.is_empty() && any.iter().all(refers));
    let owners = owners.chain(either.filter_map(|any| any.last()).map(|it| &*it.column));
    let tightest = owners.map(|column| if is_tenant(column) { Scope::Tenant } else { Scope::Parent }).min();
    tightest.unwrap_or(if is_selective(query, table) { Scope::Filtered } else { Scope::Table })
}

/// Whether a condition leaves out most rows: a range, a list, a text, a related row, or equality on what is no state.
fn is_selective(query: &Query, table: Option<&Table>) -> bool {
    let narrows = |it: &Condition| match it.operator {
        Operator::Range
        | Operator::In
        | Operator::Related
        | Operator::Search
        | Operator::Function
        | Operator::Prefix
        | Operator::Contains
        | Operator::Pattern => true,
        Operator::Equal => !is_state(&it.column, table),
        _ => false,
    };
    query.filter.all.iter().filter(|it| !it.is_optional).any(narrows)
        || query.filter.any.iter().any(|either| !either.is_empty() && either.iter().all(narrows))
}

/// A column with a few values, each of many rows.
pub(crate) fn is_state(column: &str, table: Option<&Table>) -> bool {
    let declared = table.and_then(|table| table.column(column)).and_then(|column| column.distinct);
    if let Some(distinct) = declared {
        return distinct <= 20;
    }
    let named = snake(column.rsplit('.').next().unwrap_or(column));
    named.starts_with("is_")
        || named.starts_with("has_")
        || named.split('_').any(|word| STATES.contains(&word))
}

/// Words in the names of such columns.
const STATES: [&str; 18] = [
    "status",
    "state",
    "type",
    "kind",
    "role",
    "active",
    "enabled",
    "deleted",
    "published",
    "visible",
    "archived",
    "approved",
    "verified",
    "public",
    "featured",
    "available",
    "deleted_at",
    "category",
];

/// The column that ties the rows to a parent, the tightest first.
pub(crate) fn owner<'q>(query: &'q Query, table: Option<&Table>) -> Option<&'q str> {
    let mut owners: Vec<&str> =
        query.filter.equal_columns().filter(|column| is_owner(column, table)).collect();
    owners.sort_by_key(|column| is_tenant(column));
    owners.into_iter().next()
}

/// Whether equality finds one row at most: by a unique key of the table, or by what is named like one.
pub(crate) fn is_single(query: &Query, table: Option<&Table>) -> bool {
    if matches!(query.yields, Yields::One | Yields::Summary | Yields::Written) {
        return true;
    }
    let columns: Vec<&str> =
        query.filter.equal_columns().filter(|column| !is_of_related(query, column)).collect();
    if let Some(table) = table
        && table.unique_keys().next().is_some()
        && table.is_unique(&columns)
    {
        return true;
    }
    columns.iter().any(|column| is_key(column, query.table.as_deref().unwrap_or_default()))
}

/// `user.id` of `where: { user: { id } }` on orders: a column of the row that they belong to.
fn is_of_related(query: &Query, column: &str) -> bool {
    let Some((owner, _)) = column.rsplit_once('.') else { return false };
    let owner = singular(&snake(owner.rsplit('.').next().unwrap_or(owner)));
    let own = singular(&snake(query.table.as_deref().unwrap_or_default()));
    // Aliases of the table itself are short: `o.id`.
    matches!(query.family, Family::Prisma | Family::TypeOrm | Family::MikroOrm)
        && owner.len() > 2
        && owner != own
        && !own.ends_with(&format!("_{owner}"))
}

/// `id`, `_id`, `uuid`, `userId` of `users`.
fn is_key(column: &str, table: &str) -> bool {
    let column = column.rsplit('.').next().unwrap_or(column);
    let named = snake(column);
    if matches!(named.as_str(), "id" | "_id" | "uuid" | "guid" | "pk") {
        return true;
    }
    let own = singular(&snake(table));
    !own.is_empty() && (named == format!("{own}_id") || named == format!("id_{own}"))
}

/// Whether a column ties the row to another: a foreign key, or named like one.
fn is_owner(column: &str, table: Option<&Table>) -> bool {
    if let Some(table) = table {
        let foreign = table.foreign_keys.iter().flat_map(|key| &key.columns);
        let local =
            table.relations.iter().filter(|it| !it.many).flat_map(|it| it.local.iter().chain([&it.field]));
        if foreign.chain(local).any(|known| same_column(known, column)) {
            return true;
        }
    }
    let named = snake(column.rsplit('.').next().unwrap_or(column));
    named.ends_with("_id")
        || named.ends_with("_by")
        || named.ends_with("_uuid")
        || named.ends_with("_email")
        || named == "email"
        || OWNERS.contains(&named.as_str())
}

/// Whether a name is one that models give to a parent, without `Id`.
pub(crate) fn names_parent(named: &str) -> bool {
    OWNERS.contains(&named) || TENANTS.contains(&named)
}

fn is_tenant(column: &str) -> bool {
    let named = snake(column.rsplit('.').next().unwrap_or(column));
    named.split('_').any(|word| TENANTS.contains(&word))
}

/// Parents as Mongoose and relations name them, without `Id`.
const OWNERS: [&str; 22] = [
    "user",
    "owner",
    "author",
    "customer",
    "client",
    "seller",
    "buyer",
    "sender",
    "receiver",
    "recipient",
    "patient",
    "student",
    "employee",
    "member",
    "order",
    "post",
    "product",
    "parent",
    "chat",
    "room",
    "conversation",
    "creator",
];

/// Parents that have as many rows as a small application.
const TENANTS: [&str; 18] = [
    "organization",
    "organisation",
    "org",
    "tenant",
    "company",
    "workspace",
    "project",
    "team",
    "shop",
    "store",
    "account",
    "site",
    "group",
    "environment",
    "school",
    "restaurant",
    "business",
    "guild",
];

/// Words in the names of tables that grow with use.
const ENDLESS: [&str; 58] = [
    "message",
    "chat",
    "log",
    "notification",
    "event",
    "order",
    "transaction",
    "payment",
    "activity",
    "audit",
    "visit",
    "view",
    "click",
    "comment",
    "session",
    "history",
    "reading",
    "metric",
    "measurement",
    "entry",
    "submission",
    "response",
    "attempt",
    "email",
    "mail",
    "delivery",
    "job",
    "ticket",
    "invoice",
    "booking",
    "reservation",
    "appointment",
    "post",
    "review",
    "like",
    "vote",
    "feedback",
    "request",
    "alert",
    "incident",
    "issue",
    "record",
    "sale",
    "purchase",
    "expense",
    "attendance",
    "trace",
    "span",
    "snapshot",
    "impression",
    "download",
    "run",
    "execution",
    "report",
    "story",
    "reply",
    "statistic",
    "interaction",
];

/// "1,000".
pub(crate) fn plain(number: f64) -> String {
    let digits = format!("{:.0}", number.max(0.0));
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// How often a loop over `source` runs, where that says it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Count {
    /// A constant of the code.
    Constant(Option<usize>),
    /// Estimated, with the reason.
    Likely {
        /// How many rounds.
        rounds: Range,
        /// What they run over, in words.
        words: String,
        /// The place that decides it.
        at: Option<Site>,
        /// Whether nothing limits it.
        is_unbounded: bool,
    },
    /// Nothing says.
    Unknown,
}

/// How often a loop over an expression runs.
pub(crate) fn count(audit: &Audit<'_, '_>, source: Site) -> Count {
    of_multiplicity(audit, &audit.origins().multiplicity(source), source, 0)
}

fn of_multiplicity(audit: &Audit<'_, '_>, multiplicity: &Multiplicity, source: Site, depth: u32) -> Count {
    let text = audit.excerpt(source, 50);
    let likely = |rounds: Range, words: String, at: Option<Site>, is_unbounded: bool| Count::Likely {
        rounds,
        words,
        at,
        is_unbounded,
    };
    match multiplicity {
        Multiplicity::Constant(count) => Count::Constant(*count),
        Multiplicity::Bounded { most: Some(most), .. } => {
            #[expect(clippy::cast_precision_loss, reason = "limits are small")]
            let rounds = Range::exactly(*most as f64);
            likely(rounds, format!("`{text}`, at most {most}"), None, false)
        }
        Multiplicity::Bounded { most: None, by } => {
            likely(Range::between(5.0, 20.0, 100.0), format!("`{text}`, a part of a list"), Some(*by), false)
        }
        Multiplicity::Rows { query } => of_rows(audit, *query, source, depth),
        Multiplicity::Part { query, name } => {
            let include = audit.analysis.queries().at(*query).and_then(|query| {
                query.includes.iter().find(|it| it.relation == *name || it.relation.ends_with(&**name))
            });
            match include.and_then(|include| include.bound.most()) {
                Some(most) => {
                    #[expect(clippy::cast_precision_loss, reason = "limits are small")]
                    let rounds = Range::exactly(most as f64);
                    likely(rounds, format!("`{text}`, at most {most}"), Some(*query), false)
                }
                None => likely(
                    Range::between(1.0, 10.0, 200.0),
                    format!("`{text}`, a list of one row (assumed 10)"),
                    Some(*query),
                    include.is_some(),
                ),
            }
        }
        Multiplicity::ClientChosen { input } => match Limits::new(audit.resolver).of_list(*input) {
            Some(most) => {
                #[expect(clippy::cast_precision_loss, reason = "limits are small")]
                let rounds = Range::between(1.0, (most as f64 / 2.0).max(1.0), most as f64);
                likely(rounds, format!("`{text}` of the request, at most {most}"), Some(*input), false)
            }
            None => likely(
                Range::between(1.0, 20.0, 1_000.0),
                format!("`{text}` of the request, as long as the client likes (assumed 20)"),
                Some(*input),
                true,
            ),
        },
        Multiplicity::Answered { call } => likely(
            Range::between(1.0, 20.0, 1_000.0),
            format!("`{text}`, what another service answered (assumed 20)"),
            Some(*call),
            true,
        ),
        Multiplicity::Unknown => Count::Unknown,
    }
}

fn of_rows(audit: &Audit<'_, '_>, at: Site, source: Site, depth: u32) -> Count {
    let Some(query) = audit.analysis.queries().at(at) else { return Count::Unknown };
    let text = audit.excerpt(source, 50);
    let place = audit.place_of(query.site);
    match &query.bound {
        Bound::One => Count::Constant(Some(1)),
        Bound::List(list) if depth < 4 => {
            let inner = audit.origins().multiplicity(*list);
            match of_multiplicity(audit, &inner, *list, depth + 1) {
                Count::Likely { rounds, words, is_unbounded, .. } => {
                    let words = format!("`{text}`, the rows of {words}");
                    Count::Likely { rounds, words, at: Some(query.site), is_unbounded }
                }
                other => other,
            }
        }
        Bound::Unknown | Bound::List(_) if query.yields != Yields::Stream => Count::Likely {
            rounds: Range::between(5.0, 50.0, 1_000.0),
            words: format!("`{text}`, the rows of `{}` ({place}, assumed 50)", table_name(query)),
            at: Some(query.site),
            is_unbounded: false,
        },
        _ => {
            let estimate = estimate(audit, query);
            if estimate.scope == Scope::Row && !estimate.is_exact {
                return Count::Constant(Some(1));
            }
            let limit = if query.bound.is_unbounded() { ", no limit" } else { "" };
            Count::Likely {
                rounds: estimate.rows,
                words: format!("`{text}`: {} ({place}{limit})", estimate.words),
                at: Some(query.site),
                is_unbounded: query.bound.is_unbounded(),
            }
        }
    }
}
