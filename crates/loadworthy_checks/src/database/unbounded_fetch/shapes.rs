//! Which queries read too many rows, and in which way.

use loadworthy_analysis::{
    Bound, Include, Operation, Operator, Query, RowUse, Site, Yields, relation_uses, row_uses,
};
use loadworthy_capacity::Range;
use loadworthy_schema::Table;
use loadworthy_schema::names::{singular, snake};

use crate::audit::Audit;
use crate::database::rows::{
    Estimate, Growth, Scope, estimate, growth, likely, plain, scope, table_name, table_of,
};

/// A way to read too many rows.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// There is no limit; what JavaScript does with the rows that the database could.
    NoLimit {
        /// The places, with what is done there.
        afterwards: Vec<(Site, &'static str)>,
    },
    /// The client's number is the limit.
    ClientLimit {
        /// Where it is read.
        input: Site,
    },
    /// The larger of two numbers is the limit.
    Inverted {
        /// The clamp.
        at: Site,
    },
    /// The limit is switched off.
    Off {
        /// The option.
        at: Site,
    },
    /// A relation is read along without a limit.
    Include {
        /// Its name.
        relation: Box<str>,
    },
    /// A relation is read along only to look for one of its rows, or to count or test them.
    Searched {
        /// Its name.
        relation: Box<str>,
        /// To what end, as a verb: "find one".
        purpose: &'static str,
        /// The places.
        uses: Vec<Site>,
    },
    /// Only a number or truth value is kept.
    Summed {
        /// Which, as a verb: "count them".
        summary: &'static str,
        /// The places.
        uses: Vec<(Site, &'static str)>,
    },
}

/// One way in which a query reads too much.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The way.
    pub(crate) shape: Shape,
    /// The place that a reader wants to see.
    pub(crate) place: Site,
    /// How many rows it likely reads.
    pub(crate) estimate: Estimate,
}

/// Rows up to which a list is no problem.
const FEW: f64 = 20.0;

/// The ways in which a query reads too much.
pub(crate) fn cases(audit: &Audit<'_, '_>, query: &Query) -> Vec<Case> {
    if query.operation != Operation::Read || query.is_part {
        return Vec::new();
    }
    let table = table_of(audit, query);
    let mut all = Vec::new();
    all.extend(list(audit, query, table));
    if !matches!(query.yields, Yields::Stream | Yields::Summary) {
        included(audit, query, table, &query.includes, &mut all);
    }
    if query.yields == Yields::One && query.via.is_none() {
        searched(audit, query, table, &mut all);
    }
    all
}

/// Relations of one row of which nothing is kept but what the database could have answered.
fn searched(audit: &Audit<'_, '_>, query: &Query, table: Option<&Table>, all: &mut Vec<Case>) {
    for include in query.includes.iter().filter(|include| include.bound.is_unbounded()) {
        let (target, is_many) = target(audit, query, table, &include.relation);
        let growth = growth(audit, target, &include.relation);
        if !is_many || target.is_none() || growth == Growth::Lookup {
            continue;
        }
        // A condition of its own has narrowed it already.
        if audit.source(include.site).contains("where") {
            continue;
        }
        let uses = relation_uses(audit.program(), query, &include.relation);
        let Some(purpose) = purpose(&uses) else { continue };
        all.retain(|case| case.place != include.site);
        let rows = likely(growth, Scope::Parent);
        let words = format!("the `{}` of one row of `{}`", include.relation, table_name(query));
        let shape = Shape::Searched {
            relation: include.relation.clone(),
            purpose,
            uses: uses.iter().map(|(site, _)| *site).collect(),
        };
        let words = format!("{words} (assumed {})", plain(rows.likely));
        let estimate = Estimate { rows, growth, scope: Scope::Parent, is_exact: false, words };
        all.push(Case { shape, place: include.site, estimate });
    }
}

/// What all uses of a relation come to, as a verb.
fn purpose(uses: &[(Site, RowUse)]) -> Option<&'static str> {
    let all = |wanted: &[RowUse]| !uses.is_empty() && uses.iter().all(|(_, found)| wanted.contains(found));
    if all(&[RowUse::Length, RowUse::CountWhere]) {
        Some("count them")
    } else if all(&[RowUse::Test, RowUse::Exists]) {
        Some("test whether there is one")
    } else if all(&[RowUse::Find, RowUse::Test, RowUse::Exists]) {
        Some("find one")
    } else {
        None
    }
}

/// The list of rows itself.
fn list(audit: &Audit<'_, '_>, query: &Query, table: Option<&Table>) -> Option<Case> {
    if query.yields != Yields::Many || !query.bound.is_unbounded() {
        return None;
    }
    let (scope, growth) = (scope(query, table), growth(audit, table, table_name(query)));
    if scope == Scope::Row || is_of_keys(query, table) || query.table.is_none() {
        return None;
    }
    let estimate = estimate(audit, query);
    let is_few = growth == Growth::Lookup || (scope == Scope::Parent && growth == Growth::Ordinary);
    let uses = row_uses(audit.program(), query);
    let is_first_taken = uses.iter().any(|(_, found)| *found == RowUse::First);
    if is_first_taken && (!query.filter.is_empty() || query.order.is_empty()) {
        // `const [user] = await …`: a lookup, or the row of a table that has one.
        return None;
    }
    let is_asked_for = !uses.is_empty() && uses.iter().all(|(_, found)| *found == RowUse::Exists);
    if is_asked_for && query.filter.equal_columns().next().is_some() {
        // `if (taken.rows.length > 0)`: whether there is a row with this value.
        return None;
    }
    let case = |shape: Shape| Some(Case { shape, place: query.site, estimate: estimate.clone() });
    if let Some(summed) = summed(&uses) {
        return if growth == Growth::Lookup { None } else { case(summed) };
    }
    if is_few {
        return None;
    }
    match &query.bound {
        Bound::ClientChosen { input } => case(Shape::ClientLimit { input: *input }),
        Bound::Inverted { at } => case(Shape::Inverted { at: *at }),
        Bound::Off { at } => case(Shape::Off { at: *at }),
        _ => case(Shape::NoLimit { afterwards: afterwards(&uses) }),
    }
}

/// Rows that a list of keys selects: as many as the list has, or the children of its rows.
fn is_of_keys(query: &Query, table: Option<&Table>) -> bool {
    query.filter.all.iter().any(|it| {
        let last = it.column.rsplit('.').next().unwrap_or(&it.column);
        // `LOWER(email) = $1`, `TRIM(id) IN (…)`
        matches!(it.operator, Operator::In | Operator::Function)
            && !it.is_optional
            && (is_key_like(last) || table.is_some_and(|table| table.is_unique(&[last])))
    })
}

fn is_key_like(column: &str) -> bool {
    let named = snake(column);
    named == "id"
        || named.ends_with("_id")
        || named.ends_with("_ids")
        || named.ends_with("uuid")
        || matches!(
            named.as_str(),
            "_id" | "email" | "slug" | "key" | "name" | "code" | "sku" | "path" | "hash"
        )
        || crate::database::rows::names_parent(&named)
}

/// Where only a number or truth value is kept of the rows.
fn summed(uses: &[(Site, RowUse)]) -> Option<Shape> {
    let kept: Vec<&(Site, RowUse)> = uses.iter().collect();
    if kept.is_empty() || !kept.iter().all(|(_, found)| found.is_summary()) {
        return None;
    }
    let has = |wanted: RowUse| kept.iter().any(|(_, found)| *found == wanted);
    let summary = if has(RowUse::Sum) {
        "add them up"
    } else if has(RowUse::Length) || has(RowUse::CountWhere) {
        "count them"
    } else {
        "test whether one exists"
    };
    let uses = kept.into_iter().map(|(site, found)| (*site, word(*found))).collect();
    Some(Shape::Summed { summary, uses })
}

fn word(found: RowUse) -> &'static str {
    match found {
        RowUse::Length => "their number",
        RowUse::Exists => "whether there is one",
        RowUse::CountWhere => "the number of some",
        RowUse::Test => "whether one exists",
        RowUse::Find => "one is looked up",
        RowUse::Sum => "a sum",
        RowUse::First => "the first",
        RowUse::Page => "a part is cut out",
        RowUse::Filter => "some are left out",
        RowUse::Sort => "they are sorted",
        RowUse::Whole => "all are used",
    }
}

/// What the database could do, and JavaScript does.
fn afterwards(uses: &[(Site, RowUse)]) -> Vec<(Site, &'static str)> {
    let is_work = |found: RowUse| {
        matches!(found, RowUse::Find | RowUse::Page | RowUse::Filter | RowUse::Sort | RowUse::CountWhere)
    };
    uses.iter().filter(|(_, found)| is_work(*found)).map(|(site, found)| (*site, word(*found))).collect()
}

/// Relations without a limit whose rows grow without end.
fn included(
    audit: &Audit<'_, '_>,
    query: &Query,
    table: Option<&Table>,
    includes: &[Include],
    all: &mut Vec<Case>,
) {
    for include in includes {
        let (target, is_many) = target(audit, query, table, &include.relation);
        let name = target.map_or(&*include.relation, |table| table.name.as_str());
        let growth = growth(audit, target, name);
        if is_many && growth == Growth::Endless && include.bound.is_unbounded() {
            let rows = likely(growth, Scope::Parent);
            let parents =
                if query.yields == Yields::One { 1.0 } else { estimate(audit, query).rows.likely.min(20.0) };
            let rows = Range::between(rows.low, rows.likely * parents, rows.high * parents);
            if rows.likely > FEW {
                let estimate = Estimate {
                    rows,
                    growth,
                    scope: Scope::Parent,
                    is_exact: false,
                    words: format!(
                        "the `{}` of {} of `{}` (assumed {})",
                        include.relation,
                        if parents > 1.0 { "each row" } else { "one row" },
                        table_name(query),
                        plain(rows.likely)
                    ),
                };
                let shape = Shape::Include { relation: include.relation.clone() };
                all.push(Case { shape, place: include.site, estimate });
            }
        }
        included(audit, query, target, &include.includes, all);
    }
}

/// The table of a relation, and whether there may be many rows of it; by the schema, else by the name.
fn target<'a>(
    audit: &'a Audit<'_, '_>,
    query: &Query,
    table: Option<&'a Table>,
    relation: &str,
) -> (Option<&'a Table>, bool) {
    let models = audit.analysis.models();
    let mut at = table;
    let mut is_many = false;
    // `posts.comments`, `issue.comments` of a query builder.
    for part in relation.split('.') {
        let Some(found) = at.and_then(|table| table.relation(part)) else {
            let is_alias = at.is_some_and(|table| table.is_named(part));
            if is_alias {
                continue;
            }
            let named = models.table_named(query.site.0, part);
            let is_plural = snake(part) != singular(&snake(part));
            // Without a relation in the schema the name has to do; a schema that lacks it says that it is none.
            return (named, table.is_none_or(|table| table.relations.is_empty()) && is_plural);
        };
        is_many = found.many;
        at = models.table_named(query.site.0, &found.target);
    }
    (at, is_many)
}
