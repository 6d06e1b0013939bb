//! Tables that query builders join: `innerJoin(users, eq(orders.userId, users.id))`, `join("users", "users.id", "orders.user_id")`.

use loadworthy_syntax::Kind;

use super::chain::Link;
use super::reader::Reader;
use crate::values::Site;

/// A table that a query builder joins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Joined {
    /// The table in the code's words.
    pub table: Box<str>,
    /// The expression that names it.
    pub site: Site,
    /// Pairs of columns that are set equal.
    pub on: Vec<(ColumnOf, ColumnOf)>,
}

/// A column with the table that the code reads it from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ColumnOf {
    /// The table or alias.
    pub table: Box<str>,
    /// The column.
    pub column: Box<str>,
}

/// The joins of a chain whose tables and conditions are expressions: Drizzle.
pub(super) fn of_expressions(reader: &Reader<'_, '_>) -> Vec<Joined> {
    let links = reader.links(&["innerJoin", "leftJoin", "rightJoin", "fullJoin"]);
    links.filter_map(|link| by_expression(reader, link)).collect()
}

fn by_expression(reader: &Reader<'_, '_>, link: &Link) -> Option<Joined> {
    let [site, condition, ..] = link.arguments.as_slice() else { return None };
    let mut on = Vec::new();
    equalities(reader, *condition, 0, &mut on);
    Some(Joined { table: reader.name_of(*site)?, site: *site, on })
}

/// `eq(a.x, b.y)`, also inside `and(…)`.
fn equalities(reader: &Reader<'_, '_>, (file, node): Site, depth: usize, on: &mut Vec<(ColumnOf, ColumnOf)>) {
    let Some(module) = reader.module(file) else { return };
    let Kind::Call { callee, arguments } = module.kind(node) else { return };
    let name = module.source(callee);
    let arguments: Vec<Site> = module.list(arguments).map(|node| (file, node)).collect();
    match (name.rsplit('.').next().unwrap_or(name), arguments.as_slice()) {
        ("eq", [left, right]) => {
            let pair = expression(reader, *left).zip(expression(reader, *right));
            on.extend(pair);
        }
        ("and", all) if depth < 3 => {
            for argument in all {
                equalities(reader, *argument, depth + 1, on);
            }
        }
        _ => {}
    }
}

/// `orders.userId`, `schema.orders.userId`.
fn expression(reader: &Reader<'_, '_>, (file, node): Site) -> Option<ColumnOf> {
    let module = reader.module(file)?;
    let Kind::Member { object, name } = module.kind(node) else { return None };
    let table = match module.kind(object) {
        Kind::Name { name, .. } | Kind::Member { name, .. } => module.str(name),
        _ => return None,
    };
    Some(ColumnOf { table: table.into(), column: module.str(name).into() })
}

/// The joins of a chain whose tables and columns are texts: Knex, Kysely.
pub(super) fn of_texts(reader: &Reader<'_, '_>) -> Vec<Joined> {
    let links = reader.links(&["join", "innerJoin", "leftJoin", "leftOuterJoin", "rightJoin"]);
    links.filter_map(|link| by_text(reader, link)).collect()
}

fn by_text(reader: &Reader<'_, '_>, link: &Link) -> Option<Joined> {
    let (site, rest) = link.arguments.split_first()?;
    let named = reader.text(*site)?;
    // `users as u`
    let (table, alias) = named.split_once(" as ").unwrap_or((&named, &named));
    let (left, right) = match rest {
        [left, right] => (left, right),
        [left, sign, right] if reader.text(*sign).as_deref() == Some("=") => (left, right),
        _ => return None,
    };
    let column = |site: Site| {
        let text = reader.text(site)?;
        let (of, column) = text.rsplit_once('.')?;
        let of = if of == alias { table } else { of };
        Some(ColumnOf { table: of.into(), column: column.into() })
    };
    let on = column(*left).zip(column(*right)).into_iter().collect();
    Some(Joined { table: table.into(), site: *site, on })
}
