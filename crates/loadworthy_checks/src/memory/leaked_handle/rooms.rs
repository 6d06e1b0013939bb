//! Rooms of a socket server that a page joins and never leaves.

use loadworthy_analysis::{EffectHook, Site};
use loadworthy_capacity::{Reach, Severity};
use loadworthy_project::FileClass;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Words of what a page joins once for as long as somebody is logged in.
const OWN: [&str; 6] = ["user", "auth", "token", "profile", "account", "me"];

/// Effects that send an event whose handler joins a room, without a cleanup that leaves it.
pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for (file, module) in audit.program().modules() {
        if !audit.program().class(file).is_some_and(FileClass::may_be_client)
            || !module.text().contains(".emit(")
        {
            continue;
        }
        for component in audit.analysis.components(file) {
            for effect in &component.effects {
                let found = joining(audit, module, effect);
                findings.extend(
                    found.map(|(emit, join, event)| {
                        finding(audit, &component.name, (file, emit), join, event)
                    }),
                );
            }
        }
    }
}

/// `socket.emit("join", id)` in an effect that changes with `id`, and the call that joins.
fn joining<'m>(
    audit: &Audit<'_, '_>,
    module: &'m Module,
    effect: &EffectHook,
) -> Option<(NodeId, Site, &'m str)> {
    let body = module.function(effect.function)?.body;
    let text = module.source(body);
    let leaves = text
        .split("return ")
        .skip(1)
        .any(|rest| [".emit(", ".disconnect(", ".close(", "leave"].iter().any(|word| rest.contains(word)));
    if leaves || effect.dependencies.as_ref().is_none_or(Vec::is_empty) {
        return None;
    }
    module.all_nodes(body).into_iter().find_map(|node| {
        let Kind::Call { callee, arguments } = module.kind(node) else { return None };
        let Kind::Member { name, .. } = module.kind(callee) else { return None };
        if module.str(name) != "emit" || module.enclosing_function(node) != effect.function {
            return None;
        }
        let mut arguments = module.list(arguments);
        let Kind::String(event) = module.kind(arguments.next()?) else { return None };
        let room = module.source(arguments.next()?).to_lowercase();
        if OWN.iter().any(|word| room.contains(word)) {
            return None;
        }
        let event = module.str(event);
        Some((node, join_of(audit, event)?, event))
    })
}

/// The call in the server's handler of an event that joins a room.
fn join_of(audit: &Audit<'_, '_>, event: &str) -> Option<Site> {
    audit.program().modules().find_map(|(file, module)| {
        let is_server = audit.program().class(file).is_some_and(FileClass::may_be_server);
        if !is_server || !module.text().contains(".join(") || !module.text().contains(event) {
            return None;
        }
        module.calls().iter().find_map(|call| {
            let Kind::Call { callee, arguments } = module.kind(*call) else { return None };
            let Kind::Member { name, .. } = module.kind(callee) else { return None };
            let first = module.list(arguments).next().map(|first| module.kind(first));
            let is_event = matches!(first, Some(Kind::String(text)) if module.str(text) == event);
            if module.str(name) != "on" || !is_event {
                return None;
            }
            module.all_nodes(*call).into_iter().find(|node| is_join(module, *node)).map(|node| (file, node))
        })
    })
}

/// `socket.join(room)`
fn is_join(module: &Module, node: NodeId) -> bool {
    let Kind::Call { callee, .. } = module.kind(node) else { return false };
    matches!(module.kind(callee), Kind::Member { object, name }
        if module.str(name) == "join" && module.source(object).to_lowercase().ends_with("socket"))
}

fn finding(audit: &Audit<'_, '_>, component: &str, emit: Site, join: Site, event: &str) -> Finding {
    let code = audit.source(emit);
    let leave = code.replace(event, &format!("leave{}", event.trim_start_matches("join")));
    let mut found = Finding::new(
        &META,
        emit,
        vec![
            Evidence { place: Place::Code(emit), note: String::from("joins, each time what it depends on changes") },
            Evidence { place: Place::Code(join), note: String::from("the server puts the socket into the room") },
        ],
        audit.cost_at(emit).reached(Reach::PerRender),
        Words {
            title: format!("{component} joins a room on the server and never leaves it"),
            problem: format!(
                "`{event}` puts the socket into a room, and nothing takes it out when {component} goes away or shows something else: only \
                 the end of the connection does. A page that stays open collects the rooms of all that was looked at, and the server \
                 sends each of their messages to it: deliveries grow with visits, not with what is in view."
            ),
            verify: String::from(
                "Look at three of them one after the other and print `socket.rooms` on the server: all three are in it now, one after the change."
            ),
            tradeoff: String::from("One more event for each change; two components that show the same room must count."),
        },
        Fix {
            description: format!("Leave in the effect's cleanup, and let the server answer it with `socket.leave(room)` beside the handler of `{event}`."),
            before: Some(audit.source(audit.statement(emit)).to_owned()),
            after: Some(format!("{code};\nreturn () => {{\n  {leave};\n}};")),
            ..Fix::default()
        },
    )
    .confidence(Confidence::Medium)
    .at_least(Severity::Monitor)
    .at_most(Severity::Monitor);
    found.routes = Some(Vec::new());
    found
}
