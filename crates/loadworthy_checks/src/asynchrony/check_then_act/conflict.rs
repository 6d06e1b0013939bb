//! The unique violation of an insert, answered like the row that the look before it finds.

use loadworthy_analysis::{Family, results};
use loadworthy_schema::Table;
use loadworthy_syntax::{Kind, Module, NodeId, Unary};

use super::rows::{Race, Shape};
use crate::audit::Audit;
use crate::edit::{after, behind, indentation, insert, semicolon, shortened, styled, unit};
use crate::finding::{Applicability, Fix};

/// The insert with its violation caught, where the schema has the unique key and what a found row means stands beside it.
pub(super) fn answered(
    audit: &Audit<'_, '_>,
    module: &Module,
    race: &Race<'_>,
    known: Option<&Table>,
    plain: &Fix,
) -> Option<Fix> {
    let test = violation(race.write.query.family)?;
    let is_direct = race.shape == Shape::FindThenInsert && race.write.hops == 0;
    // A violation of another key would be told as one of this.
    let keys =
        known?.unique_keys().filter(|key| *key != known.map(Table::primary_key).unwrap_or_default()).count();
    (is_direct && keys <= 1).then_some(())?;
    let (file, whole) = race.write.query.whole;
    let awaiting = module.parent(whole);
    matches!(module.kind(awaiting), Kind::Await(_)).then_some(())?;
    // Within a transaction nothing can follow what has failed.
    let is_transaction = ["tx", "trx", "transaction", "session", "manager", "client"]
        .iter()
        .any(|name| module.source(whole).contains(name));
    (!is_transaction).then_some(())?;
    let statement = module.parent(awaiting);
    let (statement, name) = match module.kind(statement) {
        Kind::Expression(_) => (statement, None),
        Kind::Declarator { target, .. } => match module.kind(target) {
            Kind::Binding(binding) => {
                (module.parent(statement), Some(module.str(module.binding(binding)?.name)))
            }
            _ => return None,
        },
        _ => return None,
    };
    let written = module.source(statement);
    let is_constant = matches!(module.kind(statement), Kind::Expression(_)) || written.starts_with("const ");
    let is_line = matches!(module.kind(module.parent(statement)), Kind::Block(_));
    (is_constant && is_line).then_some(())?;
    let refusal = refusal(module, race, statement)?;
    let (inner, unit, end) = (indentation(module, statement), unit(module), semicolon(module));
    let created = name.unwrap_or(CREATED);
    let is_taken = name.is_none() && module.bindings().iter().any(|it| module.str(it.name) == CREATED);
    (!is_taken).then_some(())?;
    let test = styled(module, test);
    let caught = format!(
        ".catch((error) => {{\n{inner}{unit}if ({test}) return null{end} // somebody was faster\n{inner}{unit}throw error{end}\n{inner}}})"
    );
    let mut edits = Vec::new();
    if name.is_none() {
        edits.extend(insert(
            audit,
            file,
            module.node(statement).span.start as usize,
            format!("const {CREATED} = "),
        ));
    }
    edits.extend(insert(audit, file, module.node(whole).span.end as usize, caught));
    edits.extend(behind(audit, (file, statement), &format!("if (!{created}) {refusal}")));
    let (before, after) = shortened(written, &after(audit, (file, statement), &edits));
    Some(Fix {
        description: format!(
            "The unique key decides: catch its violation where the row is inserted, and answer as the look before does. {}",
            "The look can stay for the common case, or go."
        ),
        before: Some(before),
        after: Some(after),
        edits,
        applicability: Applicability::Review,
        ..plain.clone()
    })
}

/// What holds the new row where the code gives it no name.
const CREATED: &str = "created";

/// How a library tells the violation of a unique key.
fn violation(family: Family) -> Option<&'static str> {
    match family {
        Family::Prisma => Some("error.code === \"P2002\""),
        Family::Mongoose => Some("error.code === 11000"),
        Family::Sequelize => Some("error.name === \"SequelizeUniqueConstraintError\""),
        _ => None,
    }
}

/// `{ return res.status(409)… }` of the test for the found row, beside the insert and without a use of that row.
fn refusal(module: &Module, race: &Race<'_>, insert: NodeId) -> Option<String> {
    let found = results(module, race.read.at.1);
    let Kind::Block(around) = module.kind(module.parent(insert)) else { return None };
    let is_found = |node: NodeId| match module.kind(node) {
        Kind::Name { binding, .. } => found.contains(&binding),
        Kind::Unary { operator: Unary::Not, value } => match module.kind(value) {
            Kind::Unary { operator: Unary::Not, value } => {
                matches!(module.kind(value), Kind::Name { binding, .. } if found.contains(&binding))
            }
            _ => false,
        },
        _ => false,
    };
    let then = module.list(around).find_map(|statement| match module.kind(statement) {
        Kind::If { test, then, otherwise } if is_found(test) && !otherwise.is_some() => Some(then),
        _ => None,
    })?;
    let leaving = match module.kind(then) {
        Kind::Block(inside) => module.list(inside).next_back()?,
        _ => then,
    };
    let leaves = matches!(module.kind(leaving), Kind::Return(_) | Kind::Throw(_));
    let uses = module
        .all_nodes(then)
        .into_iter()
        .any(|node| matches!(module.kind(node), Kind::Name { binding, .. } if found.contains(&binding)));
    let own = indentation(module, insert);
    let is_level = indentation(module, then) == own;
    (leaves && !uses && is_level).then(|| {
        let lines = module.source(then).lines().map(|line| line.strip_prefix(own.as_str()).unwrap_or(line));
        lines.collect::<Vec<&str>>().join("\n")
    })
}
