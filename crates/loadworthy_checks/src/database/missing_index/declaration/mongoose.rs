//! `schema.index({ … })` after the schema.

use loadworthy_schema::Table;
use loadworthy_syntax::Kind;

use super::{Declared, call_at};
use crate::audit::Audit;
use crate::database::missing_index::proposals::Proposal;
use crate::database::missing_index::remedy::document_keys;
use crate::edit::{insert, lines_of};

pub(super) fn declare(audit: &Audit<'_, '_>, proposal: &Proposal<'_>, table: &Table) -> Option<Declared> {
    let call = call_at(audit, &table.place.file, table.place.line, |module, callee, arguments| {
        let name = module.source(callee);
        let is_schema = name.ends_with("Schema") || name.contains("Schema<");
        is_schema && arguments.first().is_some_and(|it| matches!(module.kind(*it), Kind::Object(_)))
    })?;
    let module = audit.module(call)?;
    let declarator = module.parent(call.1);
    let Kind::Declarator { target, .. } = module.kind(declarator) else { return None };
    let name = module.source(target).split(':').next()?.trim();
    let (_, statement) = audit.statement(call);
    let span = module.node(statement).span;
    let source = module.source(statement);
    let ends = if source.ends_with(';') { ";" } else { "" };
    let line = format!("{name}.index({{ {} }}){ends}", document_keys(proposal));
    let edit = insert(audit, call.0, span.end as usize, format!("\n\n{line}"))?;
    let (start, _) = lines_of(module, statement);
    let before = module.text().get(start..span.end as usize)?;
    let after = format!("{before}\n\n{line}");
    Some(Declared::new(
        before,
        &after,
        vec![edit],
        "Mongoose builds it when the process starts, unless `autoIndex` is off; on a large collection build it by hand before the deployment.",
    ))
}
