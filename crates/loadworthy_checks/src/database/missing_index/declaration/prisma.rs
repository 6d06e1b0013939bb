//! `@@index` at the end of a model.

use loadworthy_schema::Table;

use super::Declared;
use crate::audit::Audit;
use crate::database::missing_index::proposals::Proposal;
use crate::finding::Edit;

pub(super) fn declare(audit: &Audit<'_, '_>, proposal: &Proposal<'_>, table: &Table) -> Option<Declared> {
    let file = &table.place.file;
    let text = audit.program().project().read_other(file).ok()?;
    let mut starts = vec![0];
    starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
    let start_of = |line: u32| starts.get(line.checked_sub(1)? as usize).copied();
    let (first, close) = (start_of(table.place.line)?, start_of(table.last_line)?);
    let block = text.get(first..close)?;
    let closing = text.get(close..)?.lines().next()?;
    if !block.trim_start().starts_with("model ") || closing.trim() != "}" {
        return None;
    }
    let last = block.lines().rev().find(|line| !line.trim().is_empty())?;
    let indentation: String = last.chars().take_while(|it| it.is_whitespace()).collect();
    let gap = if last.trim_start().starts_with("@@") { "" } else { "\n" };
    let line = format!("{gap}{indentation}@@index([{}])\n", keys(proposal, table).join(", "));
    let edit = Edit {
        file: file.clone(),
        start: u32::try_from(close).ok()?,
        end: u32::try_from(close).ok()?,
        replacement: line.clone(),
    };
    let before = format!("{block}{closing}");
    let after = format!("{block}{line}{closing}");
    Some(Declared::new(
        &before,
        &after,
        vec![edit],
        "Then make the migration: `npx prisma migrate dev --name add_indexes`.",
    ))
}

/// The fields, `createdAt(sort: Desc)` where the order is descending.
pub(in crate::database::missing_index) fn keys(proposal: &Proposal<'_>, table: &Table) -> Vec<String> {
    let keys = proposal.keys();
    let field = |name: &str| table.column(name).map_or_else(|| name.to_owned(), |it| it.field().to_owned());
    keys.iter()
        .map(|key| {
            let field = field(&key.column);
            if key.is_descending { format!("{field}(sort: Desc)") } else { field }
        })
        .collect()
}
