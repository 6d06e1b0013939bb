//! Lists that load the next page by themselves, and go on asking while the server fails.

use loadworthy_analysis::{Component, EffectHook, Site};
use loadworthy_capacity::{ExtraRequests, Reach, Severity};
use loadworthy_syntax::{FunctionId, Kind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Flags of an infinite query that change when a request ends, whether it failed or not.
const FLAGS: [&str; 5] = ["isFetchingNextPage", "isFetching", "isLoading", "isLoadingMore", "isValidating"];

/// Effects that ask for the next page, run again when the request has ended, and do not ask how it ended: one finding for a
/// component.
pub(super) fn run(audit: &Audit<'_, '_>, module: &Module, component: &Component) -> Option<Finding> {
    let mut found = component.effects.iter().filter_map(|effect| {
        let (call, function, dependencies) = asks(audit, module, component, effect)?;
        let flag = dependencies.iter().find(|node| FLAGS.contains(&last_name(module, **node)))?;
        let text = module.function(function).map_or("", |lowered| module.source(lowered.node));
        let hook = module.source(effect.site.1);
        let asks_how = [text, hook].iter().any(|text| text.to_lowercase().contains("error"));
        let is_more = text.contains("hasNextPage") || text.contains("hasMore");
        (!asks_how && is_more).then(|| ((effect.site.0, call), last_name(module, *flag), effect.site))
    });
    let (call, flag, effect) = found.next()?;
    let mut first = finding(audit, component, call, flag, effect);
    for (other, _, _) in found {
        let note = String::from("asks for the next page as well");
        first.evidence.push(Evidence { place: Place::Code(other), note });
    }
    Some(first)
}

/// The call of `fetchNextPage` in an effect, or in a memoised function that it calls, with what decides when it runs again.
fn asks(
    audit: &Audit<'_, '_>,
    module: &Module,
    component: &Component,
    effect: &EffectHook,
) -> Option<(NodeId, FunctionId, Vec<NodeId>)> {
    let own = effect.dependencies.clone()?;
    if let Some(call) = call_in(module, effect.function, effect.function) {
        return Some((call, effect.function, own));
    }
    own.iter().find_map(|node| {
        let memoised = loadworthy_analysis::memoised(audit.resolver, (component.function.0, *node))?;
        let body = module.function(effect.function)?.body;
        let is_called = module.all_nodes(body).into_iter().any(|it| {
            matches!(module.kind(it), Kind::Call { callee, .. }
                if module.source(callee) == module.source(*node) && module.enclosing_function(it) == effect.function)
        });
        let call = call_in(module, memoised.function, memoised.function)?;
        is_called.then_some((call, memoised.function, memoised.dependencies))
    })
}

/// `fetchNextPage()` in a function itself: not in a handler or observer that it makes.
fn call_in(module: &Module, function: FunctionId, owner: FunctionId) -> Option<NodeId> {
    let body = module.function(function)?.body;
    module.all_nodes(body).into_iter().find(|node| {
        matches!(module.kind(*node), Kind::Call { callee, .. } if last_name(module, callee) == "fetchNextPage")
            && module.enclosing_function(*node) == owner
    })
}

fn last_name(module: &Module, node: NodeId) -> &str {
    match module.kind(node) {
        Kind::Name { name, .. } | Kind::Member { name, .. } => module.str(name),
        _ => "",
    }
}

fn finding(audit: &Audit<'_, '_>, component: &Component, call: Site, flag: &str, effect: Site) -> Finding {
    let name = &component.name;
    let cost = audit.cost_at(call).reached(Reach::PerRender).extra(ExtraRequests::PerUserPerSecond(0.2));
    let mut found = Finding::new(
        &META,
        call,
        vec![
            Evidence { place: Place::Code(call), note: String::from("asks for the next page") },
            Evidence { place: Place::Code(effect), note: format!("runs again whenever `{flag}` changes") },
        ],
        cost,
        Words {
            title: format!("{name} asks for the next page again and again while the server fails"),
            problem: format!(
                "The effect asks for the next page while there is one and the end of the list is in view. A request that fails leaves \
                 both as they were and changes `{flag}`, so the effect runs again and asks at once: each open {name} repeats its \
                 request (with the retries of the query library) for as long as the server is overloaded, which keeps it overloaded. \
                 {} users are {} requests at a time.",
                audit.target.users, audit.target.users
            ),
            verify: format!(
                "Let the endpoint of {name} answer 500, scroll to the end and count the requests in the network panel for a minute: \
                 they go on now, and stop after the change."
            ),
            tradeoff: String::from("After an error somebody has to ask again: a button, or the next scroll."),
        },
        Fix {
            description: String::from(
                "Ask only while the last request has not failed (`!isFetchNextPageError`, or `!isError`), and offer a button to try again.",
            ),
            before: Some(audit.source(audit.statement(call)).to_owned()),
            after: Some(format!(
                "// with isFetchNextPageError of the query\nif (hasNextPage && !{flag} && !isFetchNextPageError) {{\n  fetchNextPage();\n}}"
            )),
            ..Fix::default()
        },
    )
    .confidence(Confidence::Medium)
    .at_least(Severity::Medium)
    .at_most(Severity::Medium);
    found.routes = Some(Vec::new());
    found
}
