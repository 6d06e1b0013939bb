//! Tables that queries join or read along: the side that is looked up for each row of the other.

use loadworthy_analysis::{ColumnOf, Include, Joined, Operator, Query};
use loadworthy_schema::sql::{ColumnRef, SqlShape};
use loadworthy_schema::{Extent, Table};

use super::demands::{Demand, Need, has_leading, is_weak_in};
use crate::audit::Audit;
use crate::database::rows::{Growth, growth};

/// Joins of a query builder. Where conditions narrow the table that is selected from, each of its rows looks up the joined
/// one; where they narrow a joined one only, its rows look up the other.
pub(super) fn of_builder<'q>(
    audit: &'q Audit<'_, '_>,
    query: &'q Query,
    table: &'q Table,
    found: &mut Vec<Demand<'q>>,
) {
    if query.joins.is_empty() || table.extent == Extent::Named {
        return;
    }
    let is_of = |joined: &Joined, column: &ColumnOf| column.table.eq_ignore_ascii_case(&joined.table);
    let narrows = |it: &&loadworthy_analysis::Condition| {
        matches!(it.operator, Operator::Equal | Operator::In | Operator::Range) && !it.is_optional
    };
    let of_joined = |column: &str, joined: &Joined| {
        column.rsplit_once('.').is_some_and(|(of, _)| of.eq_ignore_ascii_case(&joined.table))
    };
    let is_foreign = |column: &str| query.joins.iter().any(|joined| of_joined(column, joined));
    let has_own = query.filter.all.iter().any(|it| !is_foreign(&it.column));
    let is_narrowed = query.filter.all.iter().filter(narrows).any(|it| !is_foreign(&it.column));
    for joined in &query.joins {
        let other = audit.analysis.models().table_behind(audit.resolver, joined.site);
        let other = other.or_else(|| audit.analysis.models().table_named(query.site.0, &joined.table));
        let Some(other) = other.filter(|it| it.extent != Extent::Named && !std::ptr::eq(*it, table)) else {
            continue;
        };
        // Conditions of the joined table that find few of its rows.
        let leads = query.filter.all.iter().filter(narrows).any(|it| {
            let bare = it.column.rsplit('.').next().unwrap_or(&it.column);
            of_joined(&it.column, joined) && !is_weak_in(Some(other), bare)
        });
        let pairs = || {
            let sides = joined.on.iter().map(
                |(left, right)| {
                    if is_of(joined, left) { (left, right) } else { (right, left) }
                },
            );
            sides.filter(|(theirs, ours)| is_of(joined, theirs) && !is_foreign_table(query, &ours.table))
        };
        if is_narrowed {
            by_columns(audit, query, other, pairs().map(|(theirs, _)| &*theirs.column), found);
        } else if leads && !has_own && !query.filter.is_open && query.filter.any.is_empty() {
            by_columns(audit, query, table, pairs().map(|(_, ours)| &*ours.column), found);
        }
    }
}

fn is_foreign_table(query: &Query, name: &str) -> bool {
    query.joins.iter().any(|joined| joined.table.eq_ignore_ascii_case(name))
}

/// Columns of the table that is selected from by which a condition on a joined table finds its rows.
pub(super) fn led_by(query: &Query) -> Vec<&str> {
    let is_led = query.filter.all.iter().any(|it| {
        let of = it.column.rsplit_once('.').map(|(of, _)| of);
        matches!(it.operator, Operator::Equal | Operator::In)
            && !it.is_optional
            && of.is_some_and(|of| is_foreign_table(query, of))
            && !is_weak_in(None, it.column.rsplit('.').next().unwrap_or_default())
    });
    let sides = query.joins.iter().filter(|_| is_led).flat_map(|joined| &joined.on);
    let columns = sides.flat_map(|(left, right)| [left, right]);
    columns.filter(|it| !is_foreign_table(query, &it.table)).map(|it| &*it.column).collect()
}

fn by_columns<'q, 'n>(
    audit: &'q Audit<'_, '_>,
    query: &'q Query,
    table: &'q Table,
    columns: impl Iterator<Item = &'n str>,
    found: &mut Vec<Demand<'q>>,
) {
    let mut names: Vec<String> = Vec::new();
    for column in columns.filter_map(|column| table.column(column)) {
        if !names.contains(&column.name) {
            names.push(column.name.clone());
        }
    }
    if !names.is_empty() {
        join(audit, query, table, &names, found);
    }
}

/// Rows that are read along: `include: { items: true }` finds items by the key of their parent.
pub(super) fn of_includes<'q>(
    audit: &'q Audit<'_, '_>,
    query: &'q Query,
    table: &'q Table,
    includes: &'q [Include],
    found: &mut Vec<Demand<'q>>,
) {
    for include in includes {
        let Some(relation) = table.relation(&include.relation) else { continue };
        let target = audit.analysis.models().table_named(query.site.0, &relation.target);
        let Some(target) = target.filter(|target| target.extent != Extent::Named) else { continue };
        if relation.many && relation.through.is_none() && !relation.foreign.is_empty() {
            join(audit, query, target, &relation.foreign, found);
        }
        of_includes(audit, query, target, &include.includes, found);
    }
}

/// Joined tables of an SQL text: the side that is looked up for each row of the other.
pub(super) fn of_joins<'q>(
    audit: &'q Audit<'_, '_>,
    query: &'q Query,
    sql: &'q SqlShape,
    found: &mut Vec<Demand<'q>>,
) {
    for it in sql.joins.iter().filter(|join| !join.table.is_empty()) {
        let table = audit.analysis.models().table_named(query.site.0, &it.table);
        let Some(table) = table.filter(|table| table.extent != Extent::Named) else { continue };
        let own = |column: &ColumnRef| {
            column.table.as_deref().is_some_and(|of| of.eq_ignore_ascii_case(&it.table) || table.is_named(of))
        };
        let columns: Vec<String> = it
            .on
            .iter()
            .filter_map(|(left, right)| [left, right].into_iter().find(|column| own(column)))
            .filter_map(|column| table.column(&column.column).map(|column| column.name.clone()))
            .collect();
        let others: Vec<(&ColumnRef, &ColumnRef)> = it.on.iter().map(|(left, right)| (left, right)).collect();
        // The joined side is served if its own key is met; else the planner may start from it and look up the other.
        let other_is_served = others.iter().any(|(left, right)| {
            [left, right].into_iter().filter(|column| !own(column)).any(|column| {
                let of = column.table.as_deref().unwrap_or_default();
                let other = audit.analysis.models().table_named(query.site.0, of);
                other.is_some_and(|other| other.index_narrowing(&[column.column.as_str()]).is_some())
                    && !sql.has_where
            })
        });
        if !columns.is_empty() && !other_is_served {
            join(audit, query, table, &columns, found);
        }
    }
}

fn join<'q>(
    audit: &'q Audit<'_, '_>,
    query: &'q Query,
    table: &'q Table,
    columns: &[String],
    found: &mut Vec<Demand<'q>>,
) {
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let is_served = table.is_unique(&names) || names.iter().any(|name| has_leading(Some(table), name));
    if is_served || growth(audit, Some(table), &table.name) == Growth::Lookup || columns.len() > 2 {
        return;
    }
    found.push(Demand {
        query,
        table: Some(table),
        name: table.name.clone(),
        need: Need::Join,
        equal: columns.to_vec(),
        then: Vec::new(),
    });
}
