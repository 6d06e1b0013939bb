//! Keys of cached requests that are never the same, and caches that ask again on every focus.

use loadworthy_analysis::{Call, Options, Site};
use loadworthy_capacity::{ExtraRequests, Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileClass;
use loadworthy_syntax::{Binary, FunctionId, Kind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// The library whose hooks ask again on focus unless they are told not to, one by one or for all.
const FOCUSING: &str = "swr";
/// Requests from which each return to the tab is a burst.
const MANY: usize = 10;
/// Most of them that a finding shows.
const SHOWN: usize = 40;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut focusing: Vec<Site> = Vec::new();
    for call in audit.analysis.calls().iter() {
        let Some(library) = &call.library else { continue };
        let is_page = audit.program().class(call.site.0).is_some_and(FileClass::may_be_client);
        if !is_page || library.effect() != Some(Effect::ReactFetch) {
            continue;
        }
        findings.extend(moving_key(audit, call));
        let is_hook = library.name.is_empty() || library.name.starts_with("use");
        if is_hook
            && audit.knowledge().library(library.lib).id == FOCUSING
            && !decides_focus(audit, call.site)
        {
            focusing.push(call.site);
        }
    }
    findings.extend(on_focus(audit, &focusing));
}

/// A key that holds the time or a random number of the render.
fn moving_key(audit: &Audit<'_, '_>, call: &Call<'_>) -> Option<Finding> {
    let module = audit.module(call.site)?;
    let key = key_of(audit, module, call.site)?;
    let function = module.enclosing_function(call.site.1);
    let own = moving_in(module, function, key, 0).map(|moving| (call.site.0, moving));
    let is_own = own.is_some();
    let moving = own.or_else(|| moving_at_caller(audit, module, (call.site.0, function), key))?;
    let owner = audit.module(moving)?;
    let name = audit.function_name((moving.0, owner.outermost_function(moving.1)));
    let what = audit.excerpt(moving, 40);
    let words = Words {
        title: format!("the key of a request of {name} is another one in each render: `{what}`"),
        problem: format!(
            "`{what}` is computed while {name} renders and is part of the key under which its answer is cached. Each render asks under a new \
             key, each answer renders again: the page sends requests as fast as the server answers, and the cache grows by one entry each \
             time. {} open pages do it all the time.",
            audit.target.users
        ),
        verify: format!(
            "Open the page with {name}, leave it alone for ten seconds and count the requests in the network panel: one after the change."
        ),
        tradeoff: String::from(
            "A time that is kept is as old as the page; round it to what the answer depends on (a minute, a day).",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Keep the value for as long as the page is open (`useState(() => …)`), or round it to what the answer depends on; leave it out of the key if the server does not need it.",
        ),
        before: Some(audit.source((call.site.0, key)).to_owned()),
        after: Some(if is_own {
            format!(
                "const [since] = useState(() => {what});\n\n{}",
                audit.source((call.site.0, key)).replace(audit.source(moving), "since")
            )
        } else {
            format!("const [since] = useState(() => {what});\n// … and `since` in place of `{what}`")
        }),
        ..Fix::default()
    };
    let evidence = vec![
        Evidence { place: Place::Code(moving), note: String::from("another value in each render") },
        Evidence { place: Place::Code((call.site.0, key)), note: String::from("the key") },
    ];
    let cost = audit.cost_at(call.site).reached(Reach::PerRender).extra(ExtraRequests::PerUserPerSecond(1.0));
    Some(
        Finding::new(&META, call.site, evidence, cost, words, fix)
            .confidence(Confidence::Medium)
            .at_least(Severity::High)
            .at_most(Severity::High),
    )
}

/// What a caller of the hook makes anew and hands to it: the hook's parameter, or a property of it, is part of the key.
fn moving_at_caller(
    audit: &Audit<'_, '_>,
    module: &Module,
    (file, hook): loadworthy_analysis::FunctionRef,
    key: NodeId,
) -> Option<Site> {
    let lowered = module.function(hook)?;
    let parameters: Vec<NodeId> = module.list(lowered.parameters).collect();
    module.all_nodes(key).into_iter().find_map(|node| {
        let Kind::Name { binding, name } = module.kind(node) else { return None };
        let declared = module.binding(binding)?;
        // What another function makes of it may be anything.
        if is_rounded(module, key, node) {
            return None;
        }
        let at = parameters.iter().position(|it| module.contains(*it, declared.node))?;
        let is_part = parameters.get(at).is_some_and(|it| matches!(module.kind(*it), Kind::ObjectPattern(_)));
        let sites = audit.program().links().call_sites(file, hook);
        sites.iter().find_map(|site| {
            let argument = audit.resolver.argument(*site, at)?;
            let given =
                if is_part { Options::of(audit.resolver, argument).get(module.str(name))? } else { argument };
            let caller = audit.module(given)?;
            let moving = moving_in(caller, caller.enclosing_function(site.1), given.1, 0)?;
            (given.0 == site.0).then_some((given.0, moving))
        })
    })
}

/// `queryKey`, or the first argument where that is no object.
fn key_of(audit: &Audit<'_, '_>, module: &Module, call: Site) -> Option<NodeId> {
    let first = audit.resolver.argument(call, 0)?;
    if first.0 != call.0 {
        return None;
    }
    match module.kind(first.1) {
        Kind::Object(_) => {
            let key = Options::of(audit.resolver, first).get("queryKey")?;
            (key.0 == call.0).then_some(key.1)
        }
        Kind::Array(_) | Kind::Template { .. } | Kind::Name { .. } => Some(first.1),
        _ => None,
    }
}

/// Names that are followed to what they hold.
const DEEPEST: u32 = 3;

/// The part of an expression that is another value each time it is computed, in the code of a function itself.
fn moving_in(module: &Module, function: FunctionId, node: NodeId, depth: u32) -> Option<NodeId> {
    if depth > DEEPEST {
        return None;
    }
    for inner in module.all_nodes(node) {
        if !runs_with(module, module.enclosing_function(inner), function) {
            continue;
        }
        if is_moving(module, inner) && !is_rounded(module, node, inner) {
            return Some(inner);
        }
        let Kind::Name { binding, .. } = module.kind(inner) else { continue };
        let Some(declared) = module.binding(binding) else { continue };
        let Kind::Declarator { init, target } = module.kind(module.parent(declared.node)) else { continue };
        let is_own = module.enclosing_function(declared.node) == function && target == declared.node;
        // What a hook gives is kept.
        let is_hook = matches!(module.kind(init), Kind::Call { callee, .. }
            if module.source(callee).rsplit('.').next().is_some_and(|name| name.starts_with("use")));
        // `today.setHours(0, 0, 0, 0)` rounds it afterwards.
        let is_set = module.references(binding).iter().any(|reference| {
            matches!(module.kind(module.parent(*reference)), Kind::Member { name, .. } if module.str(name).starts_with("set"))
        });
        if is_own
            && !is_set
            && init.is_some()
            && !is_hook
            && !module.contains(init, node)
            && let Some(found) = moving_in(module, function, init, depth + 1)
        {
            return Some(found);
        }
    }
    None
}

/// Whether a function is another, or a callback in it that makes the parts of a list: `rows.map((row) => …)`.
fn runs_with(module: &Module, inner: FunctionId, outer: FunctionId) -> bool {
    let mut at = inner;
    for _ in 0..DEEPEST {
        if at == outer {
            return true;
        }
        let Some(lowered) = module.function(at) else { return false };
        if !is_of_list(module, module.parent(lowered.node)) {
            return false;
        }
        at = lowered.parent;
    }
    false
}

/// `rows.map(…)`
fn is_of_list(module: &Module, call: NodeId) -> bool {
    let Kind::Call { callee, .. } = module.kind(call) else { return false };
    matches!(module.kind(callee), Kind::Member { name, .. } if matches!(module.str(name), "map" | "flatMap"))
}

/// `Date.now()`, `Math.random()`, `new Date()`.
fn is_moving(module: &Module, node: NodeId) -> bool {
    match module.kind(node) {
        Kind::Call { callee, arguments } => {
            arguments.is_empty()
                && ["Date.now", "Math.random", "performance.now", "crypto.randomUUID"]
                    .contains(&module.source(callee))
        }
        Kind::New { callee, arguments } => arguments.is_empty() && module.source(callee) == "Date",
        _ => false,
    }
}

/// Whether an outer part makes it the same for a while: a division, a day, a part of the text, another function.
fn is_rounded(module: &Module, whole: NodeId, node: NodeId) -> bool {
    let mut inner = node;
    for outer in module.ancestors(node) {
        match module.kind(outer) {
            Kind::Binary { operator, .. } if !matches!(operator, Binary::Add | Binary::Subtract) => {
                return true;
            }
            Kind::Member { name, .. }
                if !["getTime", "valueOf", "toISOString", "toString", "toJSON"]
                    .contains(&module.str(name)) =>
            {
                return true;
            }
            // What a function makes of it may be anything.
            Kind::Call { callee, .. } if callee != inner && !is_of_list(module, outer) => return true,
            _ => {}
        }
        if outer == whole {
            break;
        }
        inner = outer;
    }
    false
}

/// Whether a call says itself what happens on focus.
fn decides_focus(audit: &Audit<'_, '_>, site: Site) -> bool {
    (1..3).filter_map(|at| audit.resolver.argument(site, at)).any(|at| {
        let options = Options::of(audit.resolver, at);
        options.is_open
            || options.get("revalidateOnFocus").is_some()
            || options.get("focusThrottleInterval").is_some()
    })
}

fn on_focus(audit: &Audit<'_, '_>, sites: &[Site]) -> Option<Finding> {
    let first = *sites.first().filter(|_| sites.len() >= MANY)?;
    let is_set_for_all = audit.program().modules().any(|(_, module)| {
        module.text().contains("SWRConfig") && module.text().contains("revalidateOnFocus")
    });
    if is_set_for_all {
        return None;
    }
    let count = sites.len();
    let words = Words {
        title: format!("{count} requests are sent again whenever the tab gets the focus"),
        problem: format!(
            "`useSWR` asks again on every focus (at most once in 5 s for each key), on every reconnect and on every mount, and {count} of \
             its calls keep that. Users who switch between tabs send what is in view again each time, without a change to show for it: the \
             answers are computed, sent and thrown away."
        ),
        verify: String::from(
            "Switch away from the tab and back ten times with the network panel open: nothing is sent after the change.",
        ),
        tradeoff: String::from(
            "Data is as old as the page until something asks; keep the default for the few that must be current.",
        ),
    };
    let fix = Fix {
        description: String::from("Turn it off for all of them, and on where it matters."),
        before: Some(audit.excerpt(first, 120)),
        after: Some(String::from(
            "<SWRConfig value={{ revalidateOnFocus: false, dedupingInterval: 60_000 }}>\n  <App />\n</SWRConfig>",
        )),
        ..Fix::default()
    };
    let evidence = sites
        .iter()
        .take(SHOWN)
        .map(|site| Evidence { place: Place::Code(*site), note: String::from("asks again on every focus") })
        .collect();
    let mut found =
        Finding::new(&META, first, evidence, audit.cost_at(first).reached(Reach::PerRender), words, fix);
    found.routes = Some(Vec::new());
    Some(found.confidence(Confidence::Medium).at_least(Severity::Monitor).at_most(Severity::Monitor))
}
