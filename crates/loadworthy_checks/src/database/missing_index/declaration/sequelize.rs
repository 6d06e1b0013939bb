//! `indexes` among the options of a model.

use loadworthy_schema::Table;
use loadworthy_syntax::{Kind, NodeId};

use super::{Declared, call_at, edited, quote};
use crate::audit::Audit;
use crate::database::missing_index::proposals::Proposal;
use crate::edit::{add_option, indentation, insert, lines_of};

pub(super) fn declare(audit: &Audit<'_, '_>, proposal: &Proposal<'_>, table: &Table) -> Option<Declared> {
    let call = call_at(audit, &table.place.file, table.place.line, |module, callee, arguments| {
        let name = module.source(callee);
        ["define", "init"].contains(&name.rsplit('.').next().unwrap_or_default()) && arguments.len() >= 2
    })?;
    let module = audit.module(call)?;
    let is_define =
        module.source(call.1).split('(').next().is_some_and(|it| it.trim_end().ends_with("define"));
    let at: i8 = if is_define { 2 } else { 1 };
    let arguments = super::arguments(module, call.1);
    let options = arguments.get(usize::try_from(at).ok()?);
    let quote = quote(module.text());
    let fields: Vec<String> =
        proposal.keys().iter().map(|key| format!("{quote}{}{quote}", key.column)).collect();
    let entry = format!("{{ fields: [{}] }}", fields.join(", "));
    let edit = match options.and_then(|options| property(audit, (call.0, *options), "indexes")) {
        Some(list) => {
            let Kind::Array(items) = module.kind(list) else { return None };
            let end = module.list(items).last()?;
            let is_one_line = !module.source(list).contains('\n');
            let gap = if is_one_line { String::from(" ") } else { format!("\n{}", indentation(module, end)) };
            insert(audit, call.0, module.node(end).span.end as usize, format!(",{gap}{entry}"))?
        }
        None => add_option(audit, call, at, &format!("indexes: [{entry}]"))?,
    };
    let range = lines_of(module, call.1);
    let after = edited(module.text(), range, &[&edit]);
    let before = module.text().get(range.0..range.1)?;
    Some(Declared::new(
        before,
        &after,
        vec![edit],
        "Then add it in a migration, too (`queryInterface.addIndex`), unless `sync()` makes the tables.",
    ))
}

fn property(audit: &Audit<'_, '_>, options: loadworthy_analysis::Site, name: &str) -> Option<NodeId> {
    let module = audit.module(options)?;
    let Kind::Object(parts) = module.kind(options.1) else { return None };
    module.list(parts).find_map(|part| match module.kind(part) {
        Kind::Property { key, value } if module.str(key) == name => Some(value),
        _ => None,
    })
}
