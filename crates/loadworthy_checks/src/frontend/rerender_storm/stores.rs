//! Stores: selectors that give another value each time, and components that take the whole store.

use std::collections::BTreeMap;

use loadworthy_analysis::{Call, Site};
use loadworthy_capacity::{Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::{LARGE_TREE, META};
use crate::audit::Audit;
use crate::edit::{replace, shortened};
use crate::finding::{Applicability, Confidence, Evidence, Finding, Fix, Place, Words};
use crate::imports::{Wanted, import};

/// The call of a store by itself, as the knowledge names it.
const STORE: &str = "store";

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut whole: BTreeMap<Site, Vec<Site>> = BTreeMap::new();
    for call in audit.analysis.calls().iter() {
        let Some(taken) = taken(audit, call) else { continue };
        let Some(module) = audit.module(call.site) else { continue };
        let Kind::Call { arguments, .. } = module.kind(call.site.1) else { continue };
        let arguments: Vec<NodeId> = module.list(arguments).collect();
        match arguments.as_slice() {
            [] => {
                if let Some(made) = taken.made {
                    whole.entry(made).or_default().push(call.site);
                }
            }
            [selector] => findings.extend(selected(audit, module, call, *selector, taken.is_zustand)),
            _ => {}
        }
    }
    findings.extend(whole.into_iter().filter_map(|(made, sites)| everything(audit, made, &sites)));
}

/// A call of a store's hook.
struct Taken {
    /// Where the store was made.
    made: Option<Site>,
    is_zustand: bool,
}

fn taken(audit: &Audit<'_, '_>, call: &Call<'_>) -> Option<Taken> {
    let library = call.library.as_ref()?;
    let is_zustand = audit.knowledge().library(library.lib).id == "zustand";
    if is_zustand {
        // `create<State>()((set) => …)` makes one.
        let is_made = audit
            .module(call.site)
            .is_some_and(|module| matches!(module.kind(callee_of(module, call.site.1)), Kind::Call { .. }));
        let is_store = library.name.is_empty() && audit.knowledge().handle_name(library.on) == STORE;
        return (is_store && !is_made).then_some(Taken { made: library.made_at, is_zustand });
    }
    let is_selector = library.effect() == Some(Effect::ReactStore) && library.name.ends_with("Selector");
    is_selector.then_some(Taken { made: None, is_zustand })
}

/// The expression that a selector gives.
fn given(module: &Module, selector: NodeId) -> Option<NodeId> {
    let Kind::Function(function) = module.kind(selector) else { return None };
    let lowered = module.function(function)?;
    match module.kind(lowered.body) {
        Kind::Block(statements) => {
            let last = module.list(statements).last()?;
            match module.kind(last) {
                Kind::Return(value) if value.is_some() => Some(value),
                _ => None,
            }
        }
        _ => Some(lowered.body),
    }
}

/// Members of lists that make another list.
const NEW_LISTS: [&str; 9] =
    ["map", "filter", "slice", "concat", "flat", "flatMap", "toSorted", "toReversed", "keys"];

/// What makes another value each time, in words.
fn made_anew(module: &Module, value: NodeId) -> Option<&'static str> {
    match module.kind(value) {
        Kind::Object(_) => Some("an object"),
        Kind::Array(_) => Some("an array"),
        Kind::Call { callee, .. } => match module.kind(callee) {
            Kind::Member { object, name } => {
                let name = module.str(name);
                let is_of_object =
                    module.source(object) == "Object" && ["keys", "values", "entries"].contains(&name);
                (is_of_object || NEW_LISTS.contains(&name) && name != "keys").then_some("a list")
            }
            _ => None,
        },
        _ => None,
    }
}

fn selected(
    audit: &Audit<'_, '_>,
    module: &Module,
    call: &Call<'_>,
    selector: NodeId,
    is_zustand: bool,
) -> Option<Finding> {
    let what = made_anew(module, given(module, selector)?)?;
    let name = audit.function_name((call.site.0, module.outermost_function(call.site.1)));
    // From version 5 on a value that is never the same is a loop.
    let is_loop = is_zustand && zustand_major(audit, call.site).is_some_and(|major| major >= 5);
    let consequence = if is_loop {
        "From version 5 on the store compares each answer with the one before and renders until both are the same, which they never are: React stops with \"Maximum update depth exceeded\"."
    } else {
        "The store compares what the selector gives by identity, so every change anywhere in the store, of things this component does not show as well, renders it and all that is below it."
    };
    let hook = audit.excerpt((call.site.0, callee_of(module, call.site.1)), 30);
    let words = Words {
        title: format!("the selector of {name} gives {what} that is never the same"),
        problem: format!(
            "`{hook}` in {name} is given a selector that makes {what} at each call. {consequence}"
        ),
        verify: format!(
            "Record a change of the store that {name} does not show in the React profiler: {name} renders now, and does not after the change."
        ),
        tradeoff: String::from(
            "A shallow comparison looks at each member on every change of the store; several selectors of single values are cheaper still.",
        ),
    };
    let fix = compared(audit, module, call.site, selector, is_zustand);
    let evidence = vec![Evidence {
        place: Place::Code((call.site.0, selector)),
        note: format!("gives {what} made anew"),
    }];
    let least = if is_loop { Severity::High } else { Severity::Medium };
    let cost = audit.cost_at(call.site).reached(Reach::PerRender);
    Some(
        Finding::new(&META, call.site, evidence, cost, words, fix)
            .confidence(Confidence::Medium)
            .at_least(least)
            .at_most(least),
    )
}

fn zustand_major(audit: &Audit<'_, '_>, site: Site) -> Option<u64> {
    let project = audit.program().project();
    let package = project.file(site.0)?.package;
    project.version_of(package, "zustand").map(|version| version.major)
}

fn callee_of(module: &Module, call: NodeId) -> NodeId {
    match module.kind(call) {
        Kind::Call { callee, .. } => callee,
        _ => call,
    }
}

/// A shallow comparison: `useShallow` around the selector, or `shallowEqual` beside it.
fn compared(audit: &Audit<'_, '_>, module: &Module, call: Site, selector: NodeId, is_zustand: bool) -> Fix {
    let (package, name) =
        if is_zustand { ("zustand/react/shallow", "useShallow") } else { ("react-redux", "shallowEqual") };
    let text = module.source(selector);
    let imported = import(audit, call.0, package, Wanted::Named(name));
    let replacement = if is_zustand { format!("{name}({text})") } else { format!("{text}, {name}") };
    let before = module.source(call.1);
    let after = before.replacen(text, &replacement, 1);
    let (before, after) = shortened(before, &after);
    // A list of new elements is never alike, one by one.
    let is_alike = given(module, selector).is_some_and(|value| match module.kind(value) {
        Kind::Object(_) | Kind::Array(_) => true,
        Kind::Call { callee, .. } => {
            matches!(module.kind(callee), Kind::Member { name, .. } if ["filter", "slice", "concat"].contains(&module.str(name)))
        }
        _ => false,
    });
    let mut edits = Vec::new();
    if let Some(imported) = imported.filter(|it| is_alike && it.name == name) {
        edits.push(replace(audit, (call.0, selector), replacement));
        edits.extend(imported.edit);
    }
    let applicability = if edits.is_empty() { Applicability::Manual } else { Applicability::Review };
    Fix {
        description: format!(
            "Select single values, or compare the members: `{name}`. Where rows are computed, keep them in a memoised selector (`createSelector`) or compute them in the component with `useMemo`."
        ),
        before: Some(before),
        after: Some(after),
        edits,
        applicability,
        ..Fix::default()
    }
}

/// Components that take a whole store.
fn everything(audit: &Audit<'_, '_>, made: Site, sites: &[Site]) -> Option<Finding> {
    let elements = |site: &Site| {
        let module = audit.module(*site)?;
        let function = module.outermost_function(site.1);
        let components = audit.analysis.components(site.0);
        components.iter().find(|it| it.function == (site.0, function)).map(|it| it.elements)
    };
    let mut large: Vec<&Site> =
        sites.iter().filter(|site| elements(site).is_some_and(|count| count >= LARGE_TREE)).collect();
    large.sort_unstable();
    let first = **large.first()?;
    let module = audit.module(first)?;
    let hook = audit.excerpt((first.0, callee_of(module, first.1)), 30);
    let name = audit.function_name((first.0, module.outermost_function(first.1)));
    let who = match large.len() {
        1 => name.clone(),
        many => format!("{many} components ({name}, …)"),
    };
    let evidence: Vec<Evidence> = large
        .iter()
        .map(|site| Evidence {
            place: Place::Code(**site),
            note: format!("takes all of it, with {} elements to render", elements(site).unwrap_or_default()),
        })
        .chain([Evidence { place: Place::Code(made), note: String::from("the store") }])
        .collect();
    let statement = audit.source(audit.statement(first));
    let words = Words {
        title: format!("{who} render on every change of `{hook}`")
            .replace(" render on", if large.len() == 1 { " renders on" } else { " render on" }),
        problem: format!(
            "`{hook}()` without a selector subscribes to the whole store: every change of any part of it renders {who}, with all that is \
             below, though most changes are of parts that they do not show. With a store that a timer, a socket or a field changes, \
             that is several times a second."
        ),
        verify: format!(
            "Record a change of a part of the store that {name} does not show in the React profiler: it renders now, and does not after the change."
        ),
        tradeoff: String::from("One line for each value instead of one for all."),
    };
    let fix = Fix {
        description: String::from(
            "Select what is shown, one value at a time; functions of the store never change.",
        ),
        before: Some(statement.to_owned()),
        after: one_by_one(module, first.1, &hook),
        ..Fix::default()
    };
    let cost = audit.cost_at(first).reached(Reach::PerRender);
    Some(
        Finding::new(&META, first, evidence, cost, words, fix)
            .confidence(Confidence::Medium)
            .at_least(Severity::Monitor)
            .at_most(Severity::Monitor)
            .of_habit("whole stores"),
    )
}

/// `const a = useStore((state) => state.a);` for each name of `const { a, b } = useStore();`.
fn one_by_one(module: &Module, call: NodeId, hook: &str) -> Option<String> {
    let Kind::Declarator { target, .. } = module.kind(module.parent(call)) else { return None };
    let inside = module.source(target).strip_prefix('{')?.split('}').next()?;
    let lines: Vec<String> = inside
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty() && !name.starts_with("..."))
        .map(|name| {
            let (own, local) =
                name.split_once(':').map_or((name, name), |(own, local)| (own.trim(), local.trim()));
            format!("const {local} = {hook}((state) => state.{own});")
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
