//! Answers that hold the stack of an error.

use loadworthy_capacity::{Cost, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::META;
use super::process::is_server_code;
use crate::audit::Audit;
use crate::finding::{Evidence, Finding, Fix, Place, Words};

pub(super) fn report(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut found: Vec<(loadworthy_analysis::Site, loadworthy_analysis::Site)> = Vec::new();
    for (call, _) in audit.analysis.effects(|effect| effect == Effect::ResponseSend) {
        if !is_server_code(audit, call.site) || !audit.is_per_request(call.site) {
            continue;
        }
        let Some(module) = audit.module(call.site) else { continue };
        let Kind::Call { arguments, .. } = module.kind(call.site.1) else { continue };
        let stack = module.list(arguments).find_map(|argument| stack_in(module, argument));
        found.extend(stack.map(|stack| (call.site, (call.site.0, stack))));
    }
    let Some((first, stack)) = found.first().copied() else { return };
    let mut evidence = audit.chain_to(first, String::from("answers with the stack of an error"));
    evidence.extend(
        found
            .iter()
            .skip(1)
            .map(|(site, _)| Evidence { place: Place::Code(*site), note: String::from("the same") }),
    );
    let words = Words {
        title: format!("{} answers with the stack of an error", audit.reached_by(first)),
        problem: String::from(
            "Under load errors are frequent, and each answer carries file paths, queries and versions to whoever asks, several kilobytes at a time. Clients come to depend on texts that change with every release, while the operator's log has no id to find the failure by.",
        ),
        verify: format!(
            "Make {} fail (stop the database) and read the body: an id and a message, no path of the server.",
            audit.reached_by(first)
        ),
        tradeoff: String::from("Support needs the id to look up the details in the log."),
    };
    let fix = Fix {
        description: String::from(
            "Log the error with the request's id, and answer with the id and a fixed message.",
        ),
        before: Some(audit.excerpt(first, 120)),
        after: Some(audit.excerpt(first, 200).replace(&audit.excerpt(stack, 200), "\"internal error\"")),
        ..Fix::default()
    };
    findings.push(
        Finding::new(&META, first, evidence, Cost::at_share(0.0), words, fix)
            .at_least(Severity::Medium)
            .at_most(Severity::Medium),
    );
}

/// `err.stack` in what is sent, unless the environment decides.
fn stack_in(module: &Module, argument: NodeId) -> Option<NodeId> {
    module.node_ids().find(|node| {
        let is_stack = matches!(module.kind(*node), Kind::Member { name, .. } if module.str(name) == "stack");
        is_stack
            && module.contains(argument, *node)
            && !module.ancestors(*node).take_while(|outer| *outer != argument).any(|outer| {
                matches!(
                    module.kind(outer),
                    Kind::Conditional { .. } | Kind::Binary { .. } | Kind::Function(_)
                )
            })
            && !module.ancestors(*node).any(|outer| match module.kind(outer) {
                Kind::If { test, .. } => {
                    let text = module.source(test).to_lowercase();
                    text.contains("env") || text.contains("dev") || text.contains("debug")
                }
                _ => false,
            })
    })
}
