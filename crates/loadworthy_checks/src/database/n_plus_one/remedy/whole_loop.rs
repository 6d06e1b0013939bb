//! One statement in place of a loop that does nothing else.

use loadworthy_analysis::{Family, Query};
use loadworthy_syntax::{Kind, Module, NodeId};

use super::batch::batch;
use super::{Made, Names, is_direct, mentions, shown};
use crate::audit::Audit;
use crate::database::n_plus_one::cases::{Case, Repeated};
use crate::edit::replace;
use crate::imports::{Wanted, import};

/// One statement for all rows in place of a loop that does nothing else.
pub(super) fn inserted(
    audit: &Audit<'_, '_>,
    case: &Case,
    lead: &Repeated,
    query: &Query,
    names: &Names<'_>,
) -> Option<Made> {
    if !is_direct(lead, case, names.module) || only_statement(names.module, case) != Some(query.whole.1) {
        return None;
    }
    let module = names.module;
    let call = query.calls.iter().find_map(|call| {
        let Kind::Call { callee, arguments } = module.kind(call.1) else { return None };
        let Kind::Member { object, name } = module.kind(callee) else { return None };
        let first = module.list(arguments).next()?;
        Some((object, module.str(name), first, arguments.len()))
    });
    let values = query.calls.iter().rev().find_map(|call| {
        let Kind::Call { callee, arguments } = module.kind(call.1) else { return None };
        let Kind::Member { name, .. } = module.kind(callee) else { return None };
        (module.str(name) == "values").then(|| module.list(arguments).next()).flatten()
    });
    let whole = module.source(query.whole.1);
    let text = match (values, call) {
        // `db.insert(table).values(row)`.
        (Some(row), _) if query.calls.len() == 2 => {
            whole.replacen(module.source(row), &names.each(module.source(row)), 1)
        }
        (None, Some((object, "create", data, 1))) => {
            let owner = module.source(object);
            match query.family {
                Family::Prisma => {
                    let row = property(module, data, "data")?;
                    format!("{owner}.createMany({{ data: {} }})", names.each(module.source(row)))
                }
                Family::Mongoose => {
                    format!("{owner}.insertMany({})", names.each(module.source(data)))
                }
                Family::Sequelize => {
                    format!("{owner}.bulkCreate({})", names.each(module.source(data)))
                }
                _ => return None,
            }
        }
        _ => return None,
    };
    in_place_of_loop(audit, query, names, &text, values.is_some())
}

/// One statement for all keys in place of a loop that does nothing else, where each row gets the same.
pub(super) fn written(
    audit: &Audit<'_, '_>,
    case: &Case,
    lead: &Repeated,
    query: &Query,
    names: &Names<'_>,
) -> Option<Made> {
    if !is_direct(lead, case, names.module) || only_statement(names.module, case) != Some(query.whole.1) {
        return None;
    }
    let Some(found) = batch(audit, query, "keys") else { return bulk(audit, query, names) };
    let keys = names.each(audit.source(found.key));
    let text = batch(audit, query, &keys)?.text;
    let uses = mentions(&text.replacen(&keys, "", 1), &names.element);
    if uses {
        return bulk(audit, query, names);
    }
    let mut made = in_place_of_loop(audit, query, names, &text, false)?;
    for (package, name) in &found.imports {
        let imported = import(audit, query.site.0, package, Wanted::Named(name))?;
        if imported.name != *name {
            return None;
        }
        made.edits.extend(imported.edit);
    }
    Some(made)
}

/// `bulkWrite` in place of a loop that changes each document by its own values.
fn bulk(audit: &Audit<'_, '_>, query: &Query, names: &Names<'_>) -> Option<Made> {
    let module = names.module;
    let Kind::Call { callee, arguments } = module.kind(query.whole.1) else { return None };
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    let arguments: Vec<NodeId> = module.list(arguments).collect();
    let ([key, change] | [key, change, _]) = arguments.as_slice() else { return None };
    let filter = match (query.family, module.str(name)) {
        (Family::Mongoose, "findByIdAndUpdate") => format!("{{ _id: {} }}", module.source(*key)),
        (Family::Mongoose | Family::MongoDriver, "updateOne" | "findOneAndUpdate") => {
            module.source(*key).to_owned()
        }
        _ => return None,
    };
    let Kind::Object(parts) = module.kind(*change) else { return None };
    let has_operator = module.list(parts).any(|part| module.source(part).starts_with('$'));
    let change = module.source(*change);
    let change = if has_operator { change.to_owned() } else { format!("{{ $set: {change} }}") };
    let row = format!("{{ updateOne: {{ filter: {filter}, update: {change} }} }}");
    let text = format!("{}.bulkWrite({})", module.source(object), names.each(&row));
    in_place_of_loop(audit, query, names, &text, false)
}

fn in_place_of_loop(
    audit: &Audit<'_, '_>,
    query: &Query,
    names: &Names<'_>,
    text: &str,
    is_never_empty: bool,
) -> Option<Made> {
    let is_statement = matches!(
        names.module.kind(names.statement),
        Kind::ForOf { .. } | Kind::ForAwait { .. } | Kind::ForIn { .. }
    );
    if !is_statement || names.source == "items" {
        return None;
    }
    let indentation = names.indentation();
    let before = names.module.source(names.statement);
    // A statement of one row to insert is refused where there is none.
    let after = if is_never_empty && names.is_array {
        format!("if ({}.length > 0) {{\n{indentation}  await {text};\n{indentation}}}", names.source)
    } else if is_never_empty {
        return None;
    } else {
        format!("await {text};")
    };
    let edit = replace(audit, (query.site.0, names.statement), after.clone());
    let lines = |text: &str| shown(&format!("{indentation}{text}"));
    Some(Made { before: lines(before), after: lines(&after), edits: vec![edit] })
}

/// Whether the loop's body is nothing but one statement, and what that awaits.
fn only_statement(module: &Module, case: &Case) -> Option<NodeId> {
    let Kind::ForOf { body, .. } = module.kind(case.repeat.at.1) else { return None };
    let statement = match module.kind(body) {
        Kind::Block(statements) => {
            let mut statements = module.list(statements);
            let (Some(only), None) = (statements.next(), statements.next()) else { return None };
            only
        }
        _ => body,
    };
    // Comments of the body would be lost.
    if module.source(body).contains("//") || module.source(body).contains("/*") {
        return None;
    }
    let expression = match module.kind(statement) {
        Kind::Expression(expression) => expression,
        _ => statement,
    };
    match module.kind(expression) {
        Kind::Await(value) => Some(value),
        _ => None,
    }
}

fn property(module: &Module, object: NodeId, name: &str) -> Option<NodeId> {
    let Kind::Object(parts) = module.kind(object) else { return None };
    let mut parts = module.list(parts);
    let (Some(only), None) = (parts.next(), parts.next()) else { return None };
    match module.kind(only) {
        Kind::Property { key, value } if module.str(key) == name => Some(value),
        _ => None,
    }
}
