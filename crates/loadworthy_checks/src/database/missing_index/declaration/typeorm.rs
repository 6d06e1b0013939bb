//! `@Index` on an entity.

use loadworthy_schema::{Table, Tool};

use super::{Declared, quote};
use crate::audit::Audit;
use crate::database::missing_index::proposals::Proposal;
use crate::edit::{insert, lines_of};
use crate::imports::{Wanted, import};

pub(super) fn declare(audit: &Audit<'_, '_>, proposal: &Proposal<'_>, table: &Table) -> Option<Declared> {
    let file = audit.program().project().file_by_path(&table.place.file)?;
    let module = audit.program().module(file)?;
    let class = module.classes().iter().find(|class| {
        let (first, last) = module.lines_of(class.node);
        (first..=last).contains(&table.place.line) || first == table.place.line + 1
    })?;
    let decorator = class.decorators.iter().find(|it| module.source(**it).starts_with("Entity"))?;
    let is_mikro = table.tools.first() == Some(&Tool::MikroOrm);
    let package = if is_mikro { "@mikro-orm/core" } else { "typeorm" };
    let imported = import(audit, file, package, Wanted::Named("Index"))?;
    let quote = quote(module.text());
    let fields: Option<Vec<String>> = proposal
        .keys()
        .iter()
        .map(|key| property(table, &key.column).map(|field| format!("{quote}{field}{quote}")))
        .collect();
    let fields = fields?.join(", ");
    let call = &imported.name;
    let text = if is_mikro {
        format!("@{call}({{ properties: [{fields}] }})")
    } else {
        format!("@{call}([{fields}])")
    };
    let (start, _) = lines_of(module, *decorator);
    let head = module.text().get(start..module.node(*decorator).span.start as usize)?;
    let indentation: String = head.chars().take_while(|it| it.is_whitespace()).collect();
    if head.trim() != "@" {
        return None;
    }
    let edit = insert(audit, file, start, format!("{indentation}{text}\n"))?;
    let (_, end) = lines_of(module, class.node);
    let before = module.text().get(start..end)?;
    let after = format!("{indentation}{text}\n{before}");
    let then = if is_mikro {
        "Then make the migration: `npx mikro-orm migration:create`."
    } else {
        "Then make the migration: `npx typeorm migration:generate` with the project's data source (nothing to do where `synchronize` is on)."
    };
    let mut declared = Declared::new(before, &after, vec![edit], then);
    declared.edits.extend(imported.edit);
    Some(declared)
}

/// The property of a column: its own, or the relation that it joins by.
pub(in crate::database::missing_index) fn property(table: &Table, column: &str) -> Option<String> {
    let relation = table.relations.iter().find(|it| !it.many && it.local == [column]);
    match (table.column(column), relation) {
        (Some(own), _) if own.field.is_some() => Some(own.field().to_owned()),
        (_, Some(relation)) => Some(relation.field.clone()),
        (Some(own), None) => Some(own.name.clone()),
        (None, None) => None,
    }
}
