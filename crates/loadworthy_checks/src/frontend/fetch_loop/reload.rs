//! Whole lists that are loaded again after each change of one of their rows.

use loadworthy_analysis::{Call, Component, FunctionRef, Site, filled_by, setter_calls};
use loadworthy_capacity::{Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_syntax::{FunctionId, Kind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// A whole list that is loaded again after each change of one of its rows: one finding for a component.
pub(super) fn run(audit: &Audit<'_, '_>, module: &Module, component: &Component) -> Option<Finding> {
    let file = component.function.0;
    let calls = audit.analysis.calls().of_file(file);
    let is_own = |function: FunctionId| {
        let mut at = function;
        while let Some(lowered) = module.function(at) {
            if at == component.function.1 {
                return function != component.function.1;
            }
            at = lowered.parent;
        }
        false
    };
    // A function of the component that sends, and after it calls one that only loads and sets state.
    let pairs: Vec<(Site, Site)> = calls
        .iter()
        .filter(|call| is_own(call.function))
        .filter_map(|call| {
            let loads = is_unused(module, call.site.1) && is_loading(audit, component, call);
            let before = calls.iter().find(|other| {
                other.function == call.function
                    && other.site.1 != call.site.1
                    && module.node(other.site.1).span.end <= module.node(call.site.1).span.start
                    && is_step_before(module, other.site.1, call.site.1)
                    && is_sending(audit, other)
            })?;
            loads.then_some((call.site, before.site))
        })
        .collect();
    let (loads, _) = *pairs.first()?;
    let evidence = pairs.iter().flat_map(|(loads, sends)| {
        [
            Evidence { place: Place::Code(*sends), note: String::from("changes one row") },
            Evidence { place: Place::Code(*loads), note: String::from("loads everything again") },
        ]
    });
    let (name, what) = (&component.name, audit.excerpt(loads, 40));
    Some(
        Finding::new(
            &META,
            loads,
            evidence.collect(),
            audit.cost_at(loads).reached(Reach::PerRender),
            Words {
                title: format!("{name} loads everything again after each change"),
                problem: format!(
                    "After each change {name} calls `{what}`, which requests the whole list again although the answer of the change \
                     holds the row. Every write costs the server a list query as well, and the page waits for both."
                ),
                verify: format!("Change one row in {name} and read the network panel: the list's request follows, with its whole size."),
                tradeoff: String::from("A merged answer does not show what others changed meanwhile; reload in the background at intervals if that matters."),
            },
            Fix {
                description: String::from("Put the answer of the change into the state (replace the row by its id), and load the list again only when that fails."),
                before: Some(audit.source(audit.statement(loads)).to_owned()),
                after: merged(module, component),
                ..Fix::default()
            },
        )
        .confidence(Confidence::Medium)
        .at_most(Severity::Monitor)
        .of_habit("loads again"),
    )
}

/// A call whose result nobody takes: it loads into state.
fn is_unused(module: &Module, call: NodeId) -> bool {
    let parent = module.parent(call);
    let outer = if matches!(module.kind(parent), Kind::Await(_)) { module.parent(parent) } else { parent };
    matches!(module.kind(outer), Kind::Expression(_))
}

/// Whether a place follows a statement beside it, or a branch of one: they are steps of one change. What another `try` sends
/// is another step.
fn is_step_before(module: &Module, first: NodeId, then: NodeId) -> bool {
    let is_branch = |block: NodeId| matches!(module.kind(module.parent(block)), Kind::If { .. });
    let block = module
        .ancestors(first)
        .find(|outer| matches!(module.kind(*outer), Kind::Block(_)) && !is_branch(*outer));
    block.is_some_and(|block| module.contains(block, then))
}

/// A function of the component that only requests and sets state; or one that a hook gave, here or in an element that hands it
/// down: `const { data, refetch } = useOrders()`.
fn is_loading(audit: &Audit<'_, '_>, component: &Component, call: &Call<'_>) -> bool {
    let file = component.function.0;
    if let [target] = call.targets.as_slice()
        && target.0 == file
    {
        let setters = component.states.iter().filter_map(|state| state.setter);
        return audit.analysis.works().of(*target).any(|effect| effect == Effect::HttpRequest)
            && setters
                .into_iter()
                .any(|setter| !setter_calls(audit.analysis, file, target.1, setter).is_empty())
            && !sends_something(audit, *target);
    }
    let Some(name) = called(audit, call) else { return false };
    let is_named =
        ["fetch", "refetch", "reload", "refresh", "load"].iter().any(|verb| name.starts_with(verb));
    is_named && methods(audit, call).iter().any(|method| method == "GET")
}

/// The name of the function that a call runs, in small letters.
fn called(audit: &Audit<'_, '_>, call: &Call<'_>) -> Option<String> {
    let module = audit.module(call.site)?;
    let Kind::Call { callee, .. } = module.kind(call.site.1) else { return None };
    match module.kind(callee) {
        Kind::Member { name, .. } | Kind::Name { name, .. } => Some(module.str(name).to_lowercase()),
        _ => None,
    }
}

/// The methods of the requests that a function sends which a hook gave.
fn methods(audit: &Audit<'_, '_>, call: &Call<'_>) -> Vec<String> {
    let Some(module) = audit.module(call.site) else { return Vec::new() };
    let Kind::Call { callee, .. } = module.kind(call.site.1) else { return Vec::new() };
    let Kind::Name { .. } = module.kind(callee) else { return Vec::new() };
    let clients = audit.analysis.clients().all();
    let requests = filled_by(audit.analysis, (call.site.0, callee)).requests;
    requests.iter().filter_map(|at| clients.get(*at)).map(|request| request.method.clone()).collect()
}

/// Whether a setter is of what a page shows while it waits.
fn is_flag(setter: &str) -> bool {
    let name = setter.to_lowercase();
    ["loading", "error", "open", "show", "saving", "submitting", "is"].iter().any(|word| {
        name.strip_prefix("set").is_some_and(|rest| rest.starts_with(word) || rest.ends_with(word))
    })
}

/// The answer of a change put into the first list of the component's state.
fn merged(module: &Module, component: &Component) -> Option<String> {
    let is_list = |site: Site| {
        matches!(module.kind(site.1), Kind::Call { arguments, .. }
        if module.list(arguments).next().is_some_and(|first| matches!(module.kind(first), Kind::Array(_))))
    };
    let name_of = |setter| module.binding(setter).map(|it| module.str(it.name));
    let Some(state) = component.states.iter().find(|state| is_list(state.site)) else {
        // One object, or what a hook keeps for this component.
        let setter =
            component.states.iter().find_map(|state| name_of(state.setter?).filter(|it| !is_flag(it)));
        return Some(match setter {
            Some(setter) => format!(
                "const changed = await response.json();\n{setter}((current) => ({{ ...current, ...changed }}));"
            ),
            None => String::from(
                "const changed = await response.json();\n// hand it to the hook that keeps the data, in place of loading it again\nsetLocalData((current) => ({ ...current, ...changed }));",
            ),
        });
    };
    let setter = name_of(state.setter?)?;
    Some(format!(
        "const changed = await response.json();\n{setter}((rows) => rows.map((row) => (row.id === changed.id ? changed : row)));"
    ))
}

/// Whether a function sends something itself or through what it calls.
fn sends_something(audit: &Audit<'_, '_>, function: FunctionRef) -> bool {
    audit.analysis.calls().of_function(function).any(|call| is_sending(audit, call))
}

/// `axios.post(…)`, `fetch(url, { method: "PUT" })`, or a function of the program that only wraps one.
fn is_sending(audit: &Audit<'_, '_>, call: &Call<'_>) -> bool {
    let works = audit.analysis.works().of_call(call);
    if !works.any(|effect| effect == Effect::HttpRequest) {
        return methods(audit, call).iter().any(|method| method != "GET");
    }
    let Some(module) = audit.module(call.site) else { return false };
    let Some(name) = called(audit, call) else { return false };
    let text = module.source(call.site.1);
    let is_verb = ["post", "put", "patch", "delete", "create", "update", "remove", "save"]
        .iter()
        .any(|verb| name.starts_with(verb));
    is_verb
        || ["POST", "PUT", "PATCH", "DELETE"]
            .iter()
            .any(|verb| text.contains(&format!("\"{verb}\"")) || text.contains(&format!("'{verb}'")))
}
