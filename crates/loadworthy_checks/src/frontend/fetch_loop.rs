//! # Fetch loops
//! Effects that run again because of what they do, cached requests whose key is another one in each render, requests on every
//! keystroke or focus, and polling: the clients' own load test.
//!
//! ## Why it fails under load
//! Each open page sends on its own: users ÷ interval requests per second for polling, one request per render for an effect
//! that sets what it depends on. 1,000 users who poll every 5 seconds are 200 requests per second before anybody clicks.
//!
//! ## Bad
//! ```tsx title="src/Orders.tsx"
//! import { useEffect, useState } from "react";
//! export function Orders() {
//!   const [orders, setOrders] = useState([]);
//!   const filter = { open: true };
//!   useEffect(() => { // finding: 5C
//!     fetch("/api/orders?open=" + filter.open).then((answer) => answer.json()).then(setOrders);
//!   }, [filter]);
//!   return <ul>{orders.length}</ul>;
//! }
//! ```
//!
//! ## Good
//! ```tsx title="src/Orders.tsx"
//! import { useEffect, useState } from "react";
//! const FILTER = { open: true };
//! export function Orders() {
//!   const [orders, setOrders] = useState([]);
//!   useEffect(() => {
//!     fetch("/api/orders?open=" + FILTER.open).then((answer) => answer.json()).then(setOrders);
//!   }, []);
//!   return <ul>{orders.length}</ul>;
//! }
//! ```
//!
//! ## Leaves alone
//! Dependencies that are primitive, memoised, refs or constants of the module; requests behind a debounce; polling that is
//! slow against the number of users; times in keys that are kept or rounded.

mod cache_keys;
mod polling;
mod pushes;
mod queries;

use loadworthy_analysis::{Component, EffectHook, Site, is_made_anew, setter_calls};
use loadworthy_capacity::{ExtraRequests, Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileId;
use loadworthy_syntax::{BindingId, FunctionId, Kind, Module, NodeId};

use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};
use crate::meta::{Category, Check, Meta};

pub(crate) struct FetchLoop;

static META: Meta = Meta {
    code: "5C",
    slug: "fetch-loop",
    category: Category::Frontend,
    summary: "components request more often than there is something new",
    page: include_str!("fetch_loop.rs"),
};

/// Part of the target's rate from which polling is worth a finding.
const WORTH_TELLING: f64 = 0.1;

impl Check for FetchLoop {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        queries::run(audit, findings);
        cache_keys::run(audit, findings);
        polling::run(audit, findings);
        pushes::run(audit, findings);
        for (file, module) in audit.program().modules() {
            for component in audit.analysis.components(file) {
                for effect in &component.effects {
                    let case = Case { file, module, component, effect };
                    findings.extend(
                        case.repeats(audit).or_else(|| case.types(audit)).or_else(|| case.overtakes(audit)),
                    );
                }
                findings.extend(debounce_per_render(audit, module, component));
                findings.extend(refetch(audit, module, component));
            }
        }
    }
}

/// One effect of a component.
struct Case<'c> {
    file: FileId,
    module: &'c Module,
    component: &'c Component,
    effect: &'c EffectHook,
}

impl Case<'_> {
    /// Whether the effect requests something in its own flow.
    fn requests(&self, audit: &Audit<'_, '_>) -> bool {
        audit
            .analysis
            .works()
            .of((self.file, self.effect.function))
            .any(|effect| matches!(effect, Effect::HttpRequest | Effect::ReactFetch | Effect::AsyncNet))
    }

    /// The first unconditional call of a setter in the effect's flow.
    fn sets(&self, audit: &Audit<'_, '_>) -> Option<(BindingId, Site)> {
        self.component.states.iter().find_map(|state| {
            let calls = setter_calls(audit.analysis, self.file, self.effect.function, state.setter?);
            let call =
                calls.into_iter().find(|call| self.is_written_in(call.1) && !self.is_guarded(call.1))?;
            Some((state.value?, call))
        })
    }

    /// In the effect's own text: what a function elsewhere does may hang on tests that are not seen here.
    fn is_written_in(&self, node: NodeId) -> bool {
        let Some(lowered) = self.module.function(self.effect.function) else { return false };
        self.module.contains(lowered.node, node)
    }

    /// Behind a test, a loop or an early return of the effect.
    fn is_guarded(&self, node: NodeId) -> bool {
        let body = self.module.function(self.effect.function).map_or(NodeId::NONE, |lowered| lowered.body);
        let is_conditional = self.module.ancestors(node).take_while(|outer| *outer != body).any(|outer| {
            matches!(
                self.module.kind(outer),
                Kind::If { .. } | Kind::Conditional { .. } | Kind::Switch { .. }
            )
        });
        let Kind::Block(statements) = self.module.kind(body) else { return is_conditional };
        let leaves_before = self.module.list(statements).any(|statement| match self.module.kind(statement) {
            Kind::If { then, .. } => {
                self.module.node(statement).span.end < self.module.node(node).span.start
                    && (matches!(self.module.kind(then), Kind::Return(_))
                        || matches!(self.module.kind(then), Kind::Block(list)
                            if self.module.list(list).last().is_some_and(|last| matches!(self.module.kind(last), Kind::Return(_)))))
            }
            _ => false,
        });
        is_conditional || leaves_before
    }

    /// An effect without dependencies, with one that is new in each render, or with one that it sets itself.
    fn repeats(&self, audit: &Audit<'_, '_>) -> Option<Finding> {
        let requests = self.requests(audit);
        let sets = self.sets(audit);
        let site = self.effect.site;
        let Some(dependencies) = &self.effect.dependencies else {
            return (requests || sets.is_some()).then(|| {
                self.finding(
                    audit,
                    "has no dependencies, so it runs after every render",
                    site,
                    Severity::High,
                )
            });
        };
        let anew =
            dependencies.iter().find(|node| is_made_anew(self.module, self.component.function.1, **node));
        // What a hook is given may be constant at its callers.
        if let Some(node) = anew.filter(|_| requests || sets.is_some()) {
            let name = self.module.source(*node).to_owned();
            let is_default = self.is_default(*node);
            let when = if is_default { "in each render that has no value for it" } else { "in each render" };
            let text = format!("depends on `{name}`, which is another value {when}");
            let least = if is_default { Severity::Medium } else { Severity::High };
            let finding = self.finding(audit, &text, (self.file, *node), least);
            return Some(if is_default { finding.at_most(Severity::Medium) } else { finding });
        }
        let (value, call) = sets?;
        let is_own = dependencies
            .iter()
            .any(|node| matches!(self.module.kind(*node), Kind::Name { binding, .. } if binding == value));
        if !is_own || !self.gives_new_value(call.1) {
            return None;
        }
        let text = format!(
            "sets `{}`, on which it depends",
            self.module.binding(value).map_or("", |it| self.module.str(it.name))
        );
        Some(self.finding(audit, &text, call, Severity::High))
    }

    /// `({ items = [] })`: a new one only where none was given.
    fn is_default(&self, node: NodeId) -> bool {
        let Kind::Name { binding, .. } = self.module.kind(node) else { return false };
        let declared = self.module.binding(binding).map(|declared| self.module.parent(declared.node));
        declared.is_some_and(|parent| matches!(self.module.kind(parent), Kind::Default { .. }))
    }

    /// `set({…})`, `set([...])`, `set(x + 1)`: never the value that is there. A primitive or an unknown value may be.
    fn gives_new_value(&self, call: NodeId) -> bool {
        let Kind::Call { arguments, .. } = self.module.kind(call) else { return false };
        match self.module.list(arguments).next().map(|first| self.module.kind(first)) {
            Some(Kind::Object(_) | Kind::Array(_)) => true,
            Some(Kind::Binary { operator, .. }) => matches!(operator, loadworthy_syntax::Binary::Add),
            Some(Kind::Call { callee, .. }) => matches!(self.module.kind(callee), Kind::Member { name, .. }
                if matches!(self.module.str(name), "map" | "filter" | "concat" | "slice")),
            _ => false,
        }
    }

    /// A request for each keystroke: a dependency that an input's `onChange` sets, without a pause.
    fn types(&self, audit: &Audit<'_, '_>) -> Option<Finding> {
        if !self.requests(audit) || self.waits(audit) {
            return None;
        }
        let dependencies = self.effect.dependencies.as_ref()?;
        let typed = self.component.states.iter().find(|state| {
            let is_dependency = dependencies.iter().any(|node| {
                matches!(self.module.kind(*node), Kind::Name { binding, .. } if Some(binding) == state.value)
            });
            is_dependency && state.setter.is_some_and(|setter| is_typed(self.module, setter))
        })?;
        let name = typed
            .value
            .and_then(|value| self.module.binding(value))
            .map_or("", |it| self.module.str(it.name));
        Some(self.finding(
            audit,
            &format!("requests on each keystroke of `{name}`"),
            self.effect.site,
            Severity::Medium,
        ))
    }

    /// A request whose answer is stored although a later one may have come first: no abort and no check at its end.
    fn overtakes(&self, audit: &Audit<'_, '_>) -> Option<Finding> {
        let dependencies = self.effect.dependencies.as_ref()?;
        // What the page's address or a parent gives changes while a request is under way; a token or setting rarely.
        let changes = dependencies.iter().find(|node| {
            let name = self.module.source(**node).to_lowercase();
            ["id", "slug", "page", "query", "search", "filter", "tab", "date", "term"]
                .iter()
                .any(|word| name.ends_with(word))
        })?;
        let text =
            self.module.function(self.effect.function).map_or("", |lowered| self.module.source(lowered.node));
        let is_checked =
            ["abort", "signal", "cancel", "ignore", "isMounted", "mounted", "active", "return ()"]
                .iter()
                .any(|word| text.contains(word));
        if is_checked || !self.requests(audit) || self.component.states.is_empty() {
            return None;
        }
        let name = self.module.source(*changes).to_owned();
        let mut finding = self.finding(
            audit,
            &format!("stores the answer for a former `{name}` when it comes late"),
            (self.file, *changes),
            Severity::Monitor,
        );
        finding.words.problem = format!(
            "When `{name}` changes while a request is under way, both answers are stored in the order in which they come. Under load \
             answers vary by seconds, and {} shows the data of the former `{name}`.",
            self.component.name
        );
        finding.fix.description = String::from(
            "Abort the former request in the effect's cleanup (`const controller = new AbortController()`, `signal`, \
             `return () => controller.abort()`), or use a data library that does.",
        );
        finding.fix.before = Some(self.module.source(self.effect.site.1).to_owned());
        finding.fix.after = Some(self.aborted(dependencies));
        Some(finding.at_least(Severity::Monitor).at_most(Severity::Monitor))
    }

    /// The effect with a cleanup that aborts what is under way.
    fn aborted(&self, dependencies: &[NodeId]) -> String {
        let list: Vec<&str> = dependencies.iter().map(|node| self.module.source(*node)).collect();
        format!(
            "useEffect(() => {{\n  const controller = new AbortController();\n  // … the request, with {{ signal: controller.signal }}\n  return () => controller.abort();\n}}, [{}]);",
            list.join(", ")
        )
    }

    /// A timer or debounce between the keystroke and the request.
    fn waits(&self, audit: &Audit<'_, '_>) -> bool {
        let text =
            self.module.function(self.effect.function).map_or("", |lowered| self.module.source(lowered.node));
        let words = ["setTimeout", "debounce", "Debounce", "throttle"];
        words.iter().any(|word| text.contains(word))
            || audit
                .analysis
                .works()
                .of((self.file, self.effect.function))
                .any(|effect| effect == Effect::TimerDebounce)
    }

    fn finding(&self, audit: &Audit<'_, '_>, why: &str, shown_by: Site, least: Severity) -> Finding {
        let component = &self.component.name;
        let requests = self.requests(audit);
        let does = if requests { "sends its request again" } else { "renders again" };
        let extra = audit.cost_at(self.effect.site).reached(Reach::PerRender);
        let cost = if requests { extra.extra(ExtraRequests::PerUserPerSecond(0.5)) } else { extra };
        let finding = Finding::new(
            &META,
            self.effect.site,
            vec![Evidence { place: Place::Code(shown_by), note: why.to_owned() }],
            cost,
            Words {
                title: format!("an effect of {component} {why}"),
                problem: format!(
                    "The effect {why}: {component} {does} with each render, and where the answer is put into state, each answer \
                     causes the next. {} open pages do it all the time.",
                    audit.target.users
                ),
                verify: format!(
                    "Open the page with {component}, leave it alone for ten seconds and count the requests in the network panel (or \
                     the renders in the React profiler): there is more than one."
                ),
                tradeoff: String::from("A dependency that is left out on purpose shows old values; memoise it rather than drop it."),
            },
            Fix {
                description: String::from(
                    "Depend on primitive values; move constants out of the component, memoise objects and functions (`useMemo`, \
                     `useCallback`), set state by a function of its former value; wait 300 ms after the last keystroke and abort the \
                     request before.",
                ),
                before: Some(audit.excerpt(self.effect.site, 200)),
                ..Fix::default()
            },
        )
        .confidence(Confidence::Medium)
        .at_most(Severity::High)
        .at_least(if requests { least } else { Severity::Medium });
        if self.component.is_hook && least == Severity::High && self.effect.dependencies.is_some() {
            return finding.at_most(Severity::High);
        }
        finding
    }
}

/// Whether an element's `onChange` or `onInput` sets it from the event.
fn is_typed(module: &Module, setter: BindingId) -> bool {
    module.references(setter).iter().any(|name| {
        let mut inner = *name;
        for outer in module.ancestors(*name) {
            if let Kind::Property { key, value } = module.kind(outer)
                && value == inner
                && matches!(module.kind(module.parent(outer)), Kind::Element { .. })
            {
                return matches!(module.str(key), "onChange" | "onInput" | "onChangeText" | "onValueChange")
                    && !is_choice(module, module.parent(outer));
            }
            inner = outer;
        }
        false
    })
}

/// A select or checkbox changes once for each choice.
fn is_choice(module: &Module, element: NodeId) -> bool {
    let Kind::Element { component, parts } = module.kind(element) else { return false };
    let name = module.source(component).to_lowercase();
    let is_checkbox = module.list(parts).any(|part| match module.kind(part) {
        Kind::Property { key, value } => {
            module.str(key) == "type"
                && ["checkbox", "radio", "file", "date"]
                    .iter()
                    .any(|word| module.source(value).contains(word))
        }
        _ => false,
    });
    is_checkbox
        || ["select", "checkbox", "switch", "radio", "tab", "slider"].iter().any(|word| name.contains(word))
}

/// `debounce(…)` in a component's body: another one in each render, so nothing is ever held back.
fn debounce_per_render(audit: &Audit<'_, '_>, module: &Module, component: &Component) -> Option<Finding> {
    let call = audit.analysis.calls().of_function(component.function).find(|call| {
        let is_debounce = call.library.as_ref().is_some_and(|library| {
            library.effect() == Some(Effect::TimerDebounce) && !library.name.starts_with("use")
        });
        is_debounce
            && call.function != FunctionId::NONE
            && matches!(
                module.kind(module.parent(call.site.1)),
                Kind::Declarator { .. } | Kind::Property { .. }
            )
    })?;
    let what = audit.excerpt(call.site, 50);
    let name = &component.name;
    Some(
        Finding::new(
            &META,
            call.site,
            vec![Evidence { place: Place::Code(call.site), note: String::from("made in each render") }],
            audit.cost_at(call.site).reached(Reach::PerRender),
            Words {
                title: format!("{name} makes another debounced function in each render"),
                problem: format!(
                    "`{what}` stands in the body of {name}: each render makes a new one with a timer of its own, so calls of \
                     different renders are not held back, and every keystroke that renders sends its request."
                ),
                verify: format!("Type ten letters quickly into {name} and count the requests in the network panel: about ten instead of one."),
                tradeoff: String::from("None; the memoised function must not capture values that change."),
            },
            Fix {
                description: String::from("Make it once: `useMemo(() => debounce(…), [])`, and cancel it in an effect's cleanup."),
                before: Some(audit.source(audit.statement(call.site)).to_owned()),
                ..Fix::default()
            },
        )
        .at_least(Severity::Medium)
        .at_most(Severity::Medium)
        .confidence(Confidence::Medium),
    )
}

/// A whole list that is loaded again after each change of one of its rows: one finding for a component.
fn refetch(audit: &Audit<'_, '_>, module: &Module, component: &Component) -> Option<Finding> {
    let file = component.function.0;
    let calls = audit.analysis.calls().of_file(file);
    let works = audit.analysis.works();
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
            let [target] = call.targets.as_slice() else { return None };
            let loads = target.0 == file
                && works.of(*target).any(|effect| effect == Effect::HttpRequest)
                && component
                    .states
                    .iter()
                    .filter_map(|state| state.setter)
                    .any(|setter| !setter_calls(audit.analysis, file, target.1, setter).is_empty())
                && !sends_something(audit, *target);
            let before = calls.iter().find(|other| {
                other.function == call.function
                    && other.site.1 != call.site.1
                    && module.node(other.site.1).span.end <= module.node(call.site.1).span.start
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
        .at_most(Severity::Monitor),
    )
}

/// The answer of a change put into the first list of the component's state.
fn merged(module: &Module, component: &Component) -> Option<String> {
    let is_list = |site: Site| {
        matches!(module.kind(site.1), Kind::Call { arguments, .. }
        if module.list(arguments).next().is_some_and(|first| matches!(module.kind(first), Kind::Array(_))))
    };
    let state = component.states.iter().find(|state| is_list(state.site))?;
    let setter = module.binding(state.setter?).map(|it| module.str(it.name))?;
    Some(format!(
        "const changed = await response.json();\n{setter}((rows) => rows.map((row) => (row.id === changed.id ? changed : row)));"
    ))
}

/// Whether a function sends something itself or through what it calls.
fn sends_something(audit: &Audit<'_, '_>, function: loadworthy_analysis::FunctionRef) -> bool {
    audit.analysis.calls().of_function(function).any(|call| is_sending(audit, call))
}

/// `axios.post(…)`, `fetch(url, { method: "PUT" })`, or a function of the program that only wraps one.
fn is_sending(audit: &Audit<'_, '_>, call: &loadworthy_analysis::Call<'_>) -> bool {
    let works = audit.analysis.works().of_call(call);
    if !works.any(|effect| effect == Effect::HttpRequest) {
        return false;
    }
    let Some(module) = audit.module(call.site) else { return false };
    let Kind::Call { callee, .. } = module.kind(call.site.1) else { return false };
    let name = match module.kind(callee) {
        Kind::Member { name, .. } | Kind::Name { name, .. } => module.str(name).to_lowercase(),
        _ => return false,
    };
    let text = module.source(call.site.1);
    let is_verb = ["post", "put", "patch", "delete", "create", "update", "remove", "save"]
        .iter()
        .any(|verb| name.starts_with(verb));
    is_verb
        || ["POST", "PUT", "PATCH", "DELETE"]
            .iter()
            .any(|verb| text.contains(&format!("\"{verb}\"")) || text.contains(&format!("'{verb}'")))
}
