//! A `catch` clause that uses a variable of its `try` block: the name does not exist there, so handling the error fails.

use loadworthy_analysis::Site;
use loadworthy_capacity::Failure;
use loadworthy_syntax::{BindingId, BindingKind, Kind, Module, NodeId};

use super::META;
use super::process::{Processes, failing_cost, is_server_code};
use crate::audit::Audit;
use crate::finding::{Evidence, Finding, Fix, Place, Words};

pub(super) fn report(audit: &Audit<'_, '_>, processes: &Processes, findings: &mut Vec<Finding>) {
    for (file, module) in audit.program().modules() {
        for node in module.node_ids() {
            let Kind::Try { block, handler, .. } = module.kind(node) else { continue };
            if !handler.is_some() || !is_server_code(audit, (file, node)) {
                continue;
            }
            if let Some((name, declared)) = lost_name(module, block, handler) {
                findings.push(finding(audit, processes, (file, name), (file, declared)));
            }
        }
    }
}

/// A global name in the handler that the block declares.
fn lost_name(module: &Module, block: NodeId, handler: NodeId) -> Option<(NodeId, NodeId)> {
    let Kind::Block(statements) = module.kind(block) else { return None };
    let declared: Vec<(&str, NodeId)> = module
        .list(statements)
        .filter(|statement| matches!(module.kind(*statement), Kind::Variables(_)))
        .flat_map(|statement| module.own_nodes(statement))
        .filter_map(|node| match module.kind(node) {
            Kind::Binding(binding) => {
                let binding = module.binding(binding)?;
                let is_block_scoped = matches!(binding.kind, BindingKind::Constant)
                    || module.source(statement_of(module, node)).starts_with("let ");
                is_block_scoped.then(|| (module.str(binding.name), node))
            }
            _ => None,
        })
        .collect();
    module.all_nodes(handler).into_iter().find_map(|node| {
        let Kind::Name { name, binding: BindingId::NONE } = module.kind(node) else { return None };
        // `typeof x` of a name that does not exist is no error.
        if matches!(module.kind(module.parent(node)), Kind::Unary { .. }) {
            return None;
        }
        let name = module.str(name);
        declared.iter().find(|(known, _)| *known == name).map(|(_, at)| (node, *at))
    })
}

fn statement_of(module: &Module, node: NodeId) -> NodeId {
    module.ancestors(node).find(|it| matches!(module.kind(*it), Kind::Variables(_))).unwrap_or(node)
}

fn finding(audit: &Audit<'_, '_>, processes: &Processes, name: Site, declared: Site) -> Finding {
    let text = audit.excerpt(name, 40);
    let outcome = processes.on_rejection(audit, name);
    let mut evidence = vec![Evidence {
        place: Place::Code(declared),
        note: format!("`{text}` is declared inside the `try` block"),
    }];
    evidence.extend(audit.chain_to(name, format!("here `{text}` does not exist")));
    let words = Words {
        title: format!("the `catch` clause throws: `{text}` only exists inside its `try`"),
        problem: format!(
            "`{text}` is declared inside the `try` block, so it does not exist in the `catch` clause: a failure of the block becomes a ReferenceError that hides it, and nobody handles that. {}",
            outcome.sentence(audit)
        ),
        verify: format!(
            "Make the block fail in {}: the log must show the real error and the request must get its answer.",
            audit.reached_by(name)
        ),
        tradeoff: String::from("None."),
    };
    let fix = Fix {
        description: format!("Declare `{text}` before the `try`."),
        before: Some(audit.lines_around(audit.statement(declared), 0)),
        ..Fix::default()
    };
    let failure = if audit.is_per_request(name) { outcome.failure() } else { Failure::UnhandledRejection };
    Finding::new(&META, name, evidence, failing_cost(audit, name, failure), words, fix)
}
