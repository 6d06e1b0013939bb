//! Rows by their key before the loop, and a look-up in place of the query.

use loadworthy_analysis::{Family, Query};
use loadworthy_schema::names::plural;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::batch::{Batch, batch, gives_one};
use super::{Made, Names, awaited, capital, has_column, is_direct, mentions, rows_named, singular_of};
use crate::audit::Audit;
use crate::database::n_plus_one::cases::{Case, Repeated};
use crate::database::rows::table_of;
use crate::edit::{insert, replace, semicolon, shortened};
use crate::imports::{Wanted, import};

/// Rows by their key before the loop, and a look-up in place of the query.
pub(super) fn read(
    audit: &Audit<'_, '_>,
    case: &Case,
    lead: &Repeated,
    query: &Query,
    names: &Names<'_>,
) -> Option<Made> {
    if !is_direct(lead, case, names.module) {
        return None;
    }
    let keys = names.free("keys", "Wanted");
    let batch = batch(audit, query, &keys)?;
    let rows = rows_named(query, names, &batch.text);
    let key = audit.source(batch.key);
    let is_one = gives_one(query);
    let lookup = Lookup::new(query, &batch.column, batch.is_document, is_one, names, &rows);
    let ending = semicolon(names.module);
    let indentation = names.indentation();
    let mut head = vec![
        format!("const {keys} = {}{ending}", names.each(key)),
        format!("const {rows} = await {}{ending}", batch.text),
    ];
    head.extend(lookup.head.iter().map(|line| line.replace(';', ending)));
    let head = format!("{indentation}{}\n", head.join(&format!("\n{indentation}")));
    let replaced = awaited(names.module, query.whole.1);
    let span = names.module.node(replaced).span;
    let get = lookup.get(key);
    let get = if is_operand(names.module, replaced) { format!("({get})") } else { get };
    let (start, end) = names.lines();
    let text = names.module.text();
    let (before, after) = (text.get(start..span.start as usize)?, text.get(span.end as usize..end)?);
    let old = text.get(start..end)?;
    let new = format!("{head}{before}{get}{after}");
    let mut edits = Vec::new();
    if is_certain(audit, case, query, &batch, names) {
        edits.extend(insert(audit, query.site.0, start, head));
        edits.push(replace(audit, (query.site.0, replaced), get));
        for (package, name) in &batch.imports {
            match import(audit, query.site.0, package, Wanted::Named(name)) {
                Some(imported) if imported.name == *name => edits.extend(imported.edit),
                _ => edits.clear(),
            }
        }
    }
    let (before, after) = shortened(old, &new);
    Some(Made { before, after, edits })
}

/// How rows are found by their key.
pub(super) struct Lookup {
    pub(super) head: Vec<String>,
    map: String,
    /// What one element finds: a row, or a list of them.
    pub(super) variable: String,
    is_one: bool,
    is_document: bool,
}

impl Lookup {
    pub(super) fn new(
        query: &Query,
        column: &str,
        is_document: bool,
        is_one: bool,
        names: &Names<'_>,
        rows: &str,
    ) -> Self {
        let row = singular_of(query);
        let row = if row == names.element { format!("{row}Row") } else { row };
        let of = if is_one { row.clone() } else { plural(&row) };
        let map = names.free(&format!("{of}By{}", capital(column)), "Map");
        let key = format!("{row}.{column}");
        let key = if is_document { format!("String({key})") } else { key };
        let head = if is_one && !query.order.is_empty() {
            // The rows come in the order of the query: the first of a key is the one that it gave.
            vec![
                format!("const {map} = new Map();"),
                format!("for (const {row} of {rows}) {{"),
                format!("  if (!{map}.has({key})) {map}.set({key}, {row});"),
                String::from("}"),
            ]
        } else if is_one {
            vec![format!("const {map} = new Map({rows}.map(({row}) => [{key}, {row}]));")]
        } else {
            vec![
                format!("const {map} = new Map();"),
                format!("for (const {row} of {rows}) {{"),
                format!("  if ({map}.has({key})) {map}.get({key}).push({row});"),
                format!("  else {map}.set({key}, [{row}]);"),
                String::from("}"),
            ]
        };
        let variable = if is_one { row } else { format!("own{}", capital(&of)) };
        Self { head, map, variable, is_one, is_document }
    }

    pub(super) fn get(&self, key: &str) -> String {
        let key = if self.is_document { format!("String({key})") } else { key.to_owned() };
        let otherwise = if self.is_one { "null" } else { "[]" };
        format!("{}.get({key}) ?? {otherwise}", self.map)
    }
}

/// Whether `a ?? b` in its place needs brackets.
fn is_operand(module: &Module, node: NodeId) -> bool {
    let parent = module.parent(node);
    !matches!(
        module.kind(parent),
        Kind::Declarator { .. } | Kind::Assign { .. } | Kind::Return(_) | Kind::Property { .. }
    )
}

/// Whether an edit keeps what the code does: one query, its key is a property of the element that is never empty, nothing else
/// of the round is in it, and rows are told apart by the key.
fn is_certain(audit: &Audit<'_, '_>, case: &Case, query: &Query, batch: &Batch, names: &Names<'_>) -> bool {
    let key = audit.source(batch.key);
    let last = key.rsplit('.').next().unwrap_or(key);
    let is_path = key.split('.').next() == Some(names.element.as_str())
        && key.chars().all(|it| it.is_alphanumeric() || matches!(it, '.' | '_' | '$'));
    let is_typed = audit.program().path(query.site.0).ends_with("ts")
        || audit.program().path(query.site.0).ends_with("tsx");
    // A type that may be empty is no list of keys.
    let is_never_empty = matches!(last, "id" | "_id") || key == names.element || !is_typed;
    let one = gives_one(query);
    let is_unique = table_of(audit, query).is_some_and(|table| table.is_unique(&[batch.column.as_str()]))
        || matches!(batch.column.as_str(), "id" | "_id");
    let whole = audit.source(query.whole).replacen(key, "", 1);
    let inner = inner_names(names.module, case);
    let is_alone = !mentions(&whole, &names.element) && !inner.iter().any(|name| mentions(&whole, name));
    let is_plain_loop = matches!(
        names.module.kind(names.statement),
        Kind::ForOf { .. } | Kind::Variables(_) | Kind::Expression(_) | Kind::Return(_)
    );
    let is_limited_per_key =
        query.bound.most().is_some_and(|most| most > 1) || (!one && query.bound.most().is_some());
    case.repeated.len() == 1
        && is_path
        && is_never_empty
        && (!one || is_unique)
        && (!one || query.order.is_empty())
        && is_alone
        && is_plain_loop
        && !is_limited_per_key
        && names.source != "items"
        && !query.is_pair
        && has_column(query, &batch.column)
        // Those give the rows within something else.
        && !matches!(query.family, Family::Sql | Family::Supabase)
}

/// The names that the loop's body declares.
fn inner_names<'m>(module: &'m Module, case: &Case) -> Vec<&'m str> {
    let inside = module.bindings().iter().filter(|it| module.contains(case.repeat.at.1, it.node));
    inside.map(|it| module.str(it.name)).collect()
}
