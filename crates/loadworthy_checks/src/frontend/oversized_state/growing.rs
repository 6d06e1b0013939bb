//! State to which every message of the server adds, and from which nothing is taken.

use loadworthy_analysis::{Component, Site};
use loadworthy_capacity::{Reach, Severity};
use loadworthy_syntax::{BindingId, Kind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Entries that are kept in the code of the fix.
const KEPT: usize = 500;

pub(super) fn run(audit: &Audit<'_, '_>, module: &Module, component: &Component) -> Vec<Finding> {
    let states = component.states.iter().filter_map(|state| Some((state.value, state.setter?)));
    states
        .filter_map(|(value, setter)| {
            let adds = module.references(setter).iter().find_map(|name| added(module, *name))?;
            let is_cut = value.into_iter().chain([setter]).any(|name| is_cut(module, name));
            (!is_cut).then(|| finding(audit, module, component, (component.function.0, adds), setter))
        })
        .collect()
}

/// `setRows((rows) => [...rows, message])` in a handler of messages: the call.
fn added(module: &Module, setter: NodeId) -> Option<NodeId> {
    let call = module.parent(setter);
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    let Kind::Function(update) = module.kind(module.list(arguments).next()?) else { return None };
    let lowered = module.function(update)?;
    let Kind::Binding(former) = module.kind(module.list(lowered.parameters).next()?) else { return None };
    let adds = callee == setter && appends(module, lowered.body, former) && is_of_message(module, call);
    adds.then_some(call)
}

/// Spreads the former value into a list with more in it, and takes nothing away.
fn appends(module: &Module, body: NodeId, former: BindingId) -> bool {
    let text = module.source(body);
    let takes = [".slice(", ".filter(", ".splice(", ".shift(", "length >", ".map("]
        .iter()
        .any(|word| text.contains(word));
    !takes
        && module.all_nodes(body).into_iter().any(|node| {
            let Kind::Array(items) = module.kind(node) else { return false };
            let is_former = |item: NodeId| match module.kind(item) {
                Kind::Spread(value) => {
                    module.references(former).iter().any(|name| module.contains(value, *name))
                }
                _ => false,
            };
            items.len() > 1 && module.list(items).any(is_former)
        })
}

/// Inside `socket.onmessage = …`, `source.addEventListener("message", …)`, `socket.on("event", …)`.
fn is_of_message(module: &Module, call: NodeId) -> bool {
    let mut inner = call;
    for outer in module.ancestors(call) {
        match module.kind(outer) {
            Kind::Assign { target, value, .. } if value == inner => {
                if let Kind::Member { name, .. } = module.kind(target) {
                    return module.str(name) == "onmessage";
                }
            }
            Kind::Call { callee, arguments } if callee != inner => {
                let Kind::Member { object, name } = module.kind(callee) else { return false };
                let first = module.list(arguments).next().map(|first| module.kind(first));
                let is_event = matches!(first, Some(Kind::String(_)));
                let source = module.source(object).to_lowercase();
                let is_push = ["socket", "ws", "source", "channel", "stream", "sse", "io"]
                    .iter()
                    .any(|word| source.ends_with(word) || source.ends_with(&format!("{word}.current")));
                return is_event && is_push && matches!(module.str(name), "on" | "addEventListener" | "bind");
            }
            _ => {}
        }
        inner = outer;
    }
    false
}

/// Whether a state is shortened somewhere: `setRows((rows) => rows.slice(-100))`.
fn is_cut(module: &Module, name: BindingId) -> bool {
    module.references(name).iter().any(|reference| {
        let call = module.parent(*reference);
        let Kind::Call { callee, arguments } = module.kind(call) else { return false };
        let text = module.list(arguments).next().map_or("", |first| module.source(first));
        callee == *reference && [".slice(", ".splice(", ".shift("].iter().any(|word| text.contains(word))
    })
}

fn finding(
    audit: &Audit<'_, '_>,
    module: &Module,
    component: &Component,
    site: Site,
    setter: BindingId,
) -> Finding {
    let name = &component.name;
    let setter = module.binding(setter).map_or("", |it| module.str(it.name));
    let code = audit.excerpt(site, 100);
    let function = component.function.1;
    let mut found = Finding::new(
        &META,
        site,
        vec![
            Evidence { place: Place::Code(site), note: String::from("each message adds") },
            Evidence {
                place: Place::Code((site.0, module.function(function).map_or(site.1, |it| it.node))),
                note: format!("{name} holds it as long as it is shown"),
            },
        ],
        audit.cost_at(site).reached(Reach::PerRender),
        Words {
            title: format!("the state of {name} grows with every message of the server"),
            problem: format!(
                "`{code}` adds an entry for each message and nothing takes one away: the list is copied and rendered again each \
                 time, so the work grows with the square of the messages. A page that stays open through a load test holds all of \
                 them."
            ),
            verify: format!(
                "Leave {name} open while the load test runs and record the heap and the time of a render at the start and after ten \
                 minutes: both grow steadily."
            ),
            tradeoff: String::from("Older entries must be asked for again, page by page."),
        },
        Fix {
            description: format!(
                "Keep the last {KEPT}, and show long lists through a virtual list; ask the server for what is older."
            ),
            before: Some(audit.excerpt(site, 200)),
            after: Some(format!("{setter}((former) => [...former, entry].slice(-{KEPT}));")),
            ..Fix::default()
        },
    )
    .confidence(Confidence::Medium)
    .at_least(Severity::Monitor)
    .at_most(Severity::Monitor);
    found.routes = Some(Vec::new());
    found
}
