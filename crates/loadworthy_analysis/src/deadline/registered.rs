//! Options of clients that a container hands out: `HttpModule.register({ timeout: 5000 })`.

use loadworthy_knowledge::DeadlineRow;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::Deadlines;
use super::options::Given;
use crate::values::Site;

/// What the registrations in the package of a call say; nothing where none is seen, and so no client that is made without a
/// deadline.
pub(super) fn given(deadlines: &Deadlines<'_, '_>, call: Site, row: &DeadlineRow) -> Given {
    let package = deadlines.package(call);
    let mut is_registered = false;
    for (file, module) in deadlines.analysis.program().modules() {
        // The module stands in the list of imports at least.
        let owners = row.registered.iter().filter_map(|name| name.split('.').next());
        if !owners.into_iter().any(|owner| module.text().contains(owner))
            || deadlines.package((file, NodeId::NONE)) != package
        {
            continue;
        }
        is_registered = true;
        for call in module.calls() {
            let Kind::Call { callee, arguments } = module.kind(*call) else { continue };
            if !row.registered.iter().any(|name| name == module.source(callee)) {
                continue;
            }
            let Some(options) = module.list(arguments).next() else { continue };
            let given = deadlines.in_options((file, options), &row.client_options, &[]);
            if matches!(given, Given::Set { .. }) {
                return given;
            }
            if let Some(by) = made_by_factory(module, options, &row.client_options) {
                return Given::Set { millis: None, by: (file, by) };
            }
        }
    }
    if is_registered { Given::Absent } else { Given::Unknown(call) }
}

/// `useFactory: (config) => ({ timeout: config.get("timeout") })`
fn made_by_factory(module: &Module, options: NodeId, names: &[String]) -> Option<NodeId> {
    module.all_nodes(options).into_iter().find(|node| match module.kind(*node) {
        Kind::Property { key, value } => value.is_some() && names.iter().any(|name| name == module.str(key)),
        _ => false,
    })
}
