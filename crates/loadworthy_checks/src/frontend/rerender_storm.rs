//! # Re-render storms
//! State that changes many times a second high in the tree, context values that are new in each render, selectors of stores
//! that are never the same, `memo` that other props defeat, and work in render that grows with the data.
//!
//! ## Why it fails under load
//! A render costs about the number of elements below the state's owner; a keystroke comes 5–10 times a second, a scroll or
//! pointer event 60 times. With n rows of e elements a keystroke costs n × e element renders: at 500 rows of 20 the page needs
//! more than the 16 ms of a frame, and typing lags. More data makes it worse, so it is the test with production-sized data
//! that shows it.
//!
//! ## Bad
//! ```tsx title="src/Auth.tsx"
//! import { createContext, useState } from "react";
//! export const Auth = createContext(null);
//! export function AuthProvider({ children }) {
//!   const [user, setUser] = useState(null);
//!   // finding: 5A
//!   return <Auth.Provider value={{ user, setUser }}>{children}</Auth.Provider>;
//! }
//! ```
//!
//! ## Good
//! ```tsx title="src/Auth.tsx"
//! import { createContext, useMemo, useState } from "react";
//! export const Auth = createContext(null);
//! export function AuthProvider({ children }) {
//!   const [user, setUser] = useState(null);
//!   const value = useMemo(() => ({ user, setUser }), [user]);
//!   return <Auth.Provider value={value}>{children}</Auth.Provider>;
//! }
//! ```
//!
//! ## Leaves alone
//! Projects with the React Compiler; small components; handlers behind a throttle, debounce, transition or animation frame;
//! providers that never render again; selectors of single values or with a comparison; memoised rows; timers behind a condition
//! (suspicious).

mod keys_and_clocks;
mod keystrokes;
mod layout;
mod memoised;
mod remedy;
mod stores;
mod texts;

use loadworthy_analysis::{Call, Component, Multiplicity, Site, elements_made, is_made_anew, made_anew};
use loadworthy_capacity::{Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileId;
use loadworthy_syntax::{BindingId, FunctionId, Kind, Module, NodeId};

use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};
use crate::meta::{Category, Check, Meta};

pub(crate) struct RerenderStorm;

static META: Meta = Meta {
    code: "5A",
    slug: "rerender-storm",
    category: Category::Frontend,
    summary: "components render far more often, or do far more work in it, than what they show needs",
    page: include_str!("rerender_storm.rs"),
};

/// Elements of a row, its component's own not counted, from which a list makes a keystroke noticeable.
const HEAVY_ROW: usize = 8;

/// Elements below a state's owner from which an event of every frame is noticeable.
const LARGE_TREE: usize = 12;

/// The same with those of the components that it renders, those of a list of unknown length for a page of rows.
const LARGE_BELOW: usize = 30;

/// Rows of a list of unknown length.
const PAGE_OF_ROWS: usize = 50;

/// Events that come with every frame.
const EVERY_FRAME: [&str; 10] = [
    "onMouseMove",
    "onPointerMove",
    "onTouchMove",
    "onScroll",
    "onDrag",
    "onDragOver",
    "onWheel",
    "onMouseMoveCapture",
    "onResize",
    "onPointerMoveCapture",
];

/// The same as names of DOM events.
const EVERY_FRAME_DOM: [&str; 8] =
    ["scroll", "mousemove", "pointermove", "touchmove", "resize", "wheel", "drag", "dragover"];

/// What holds a handler back.
const HELD_BACK: [&str; 7] = [
    "throttle",
    "debounce",
    "requestAnimationFrame",
    "startTransition",
    "useDeferredValue",
    "setTimeout",
    "Throttle",
];

impl Check for RerenderStorm {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        let is_compiled = audit.program().project().packages.iter().any(|package| {
            package.manifest.dependencies.iter().any(|it| COMPILERS.contains(&it.name.as_str()))
        });
        stores::run(audit, findings);
        for (file, module) in audit.program().modules() {
            let mut keyed: Option<Finding> = None;
            for component in audit.analysis.components(file).iter().filter(|component| !component.is_hook) {
                let case = Case { file, module, component };
                if !is_compiled {
                    findings.extend(case.context_value(audit));
                    findings.extend(case.sort(audit));
                    findings.extend(case.memo_defeated(audit));
                }
                findings.extend(case.inner_component(audit));
                findings.extend(case.every_frame(audit));
                findings.extend(case.keystrokes(audit));
                findings.extend(case.parsed_text(audit));
                findings.extend(case.measured(audit));
                // A file has the habit once.
                match (&mut keyed, case.random_key(audit)) {
                    (Some(first), Some(next)) => first.evidence.extend(next.evidence),
                    (none @ None, found) => *none = found,
                    (Some(_), None) => {}
                }
                findings.extend(case.clock(audit));
                findings.extend(case.position_key(audit));
            }
            if let Some(mut finding) = keyed {
                let mut seen = Vec::new();
                finding.evidence.retain(|it| {
                    let is_first = !seen.contains(&it.place);
                    seen.push(it.place.clone());
                    is_first
                });
                findings.push(finding);
            }
        }
    }
}

/// Packages that memoise by themselves.
const COMPILERS: [&str; 2] = ["babel-plugin-react-compiler", "react-compiler-runtime"];

struct Case<'c> {
    file: FileId,
    module: &'c Module,
    component: &'c Component,
}

impl Case<'_> {
    fn name(&self) -> &str {
        &self.component.name
    }

    /// The elements that the component itself writes, callbacks included; not those of components inside it.
    fn elements(&self) -> Vec<NodeId> {
        let module = self.module;
        let own = |node: NodeId| {
            let mut function = module.enclosing_function(node);
            loop {
                if function == self.component.function.1 {
                    return true;
                }
                match module.function(function) {
                    Some(lowered) => function = lowered.parent,
                    None => return false,
                }
            }
        };
        module
            .node_ids()
            .filter(|node| matches!(module.kind(*node), Kind::Element { .. }) && own(*node))
            .collect()
    }

    /// The attributes of an element.
    fn attributes(&self, element: NodeId) -> Vec<(NodeId, &str, NodeId)> {
        let Kind::Element { parts, .. } = self.module.kind(element) else { return Vec::new() };
        let attribute = |part: NodeId| match self.module.kind(part) {
            Kind::Property { key, value } => Some((part, self.module.str(key), value)),
            _ => None,
        };
        self.module.list(parts).filter_map(attribute).collect()
    }

    /// `<X.Provider value={{…}}>` in a component that renders again.
    fn context_value(&self, audit: &Audit<'_, '_>) -> Option<Finding> {
        let renders_again =
            !self.component.states.is_empty() || !self.component.effects.is_empty() || self.uses_hooks(audit);
        // A widget's own context reaches its few parts only.
        let path = audit.program().path(self.file).to_lowercase();
        let is_shared =
            ["Provider", "Context", "App", "Layout", "Wrapper"].iter().any(|word| self.name().contains(word))
                || path.contains("provider")
                || path.contains("context");
        if !is_shared || path.contains("/ui/") {
            return None;
        }
        self.elements().into_iter().find_map(|element| {
            let Kind::Element { component, .. } = self.module.kind(element) else { return None };
            let is_provider = matches!(self.module.kind(component), Kind::Member { name, .. }
                if self.module.str(name) == "Provider");
            let (_, _, value) = self.attributes(element).into_iter().find(|(_, key, _)| is_provider && *key == "value")?;
            let made = made_anew(audit.analysis, audit.resolver, self.component.function, value)?;
            if !renders_again && !self.uses_properties(value) {
                return None;
            }
            let provider = self.module.source(component);
            let mut finding = self.finding(
                audit,
                (self.file, self.made_at(value)),
                Told {
                    title: format!("{} gives `{provider}` another value in each render", self.name()),
                    problem: format!(
                        "The value of `{provider}` is a new object in each render of {}, so every component that reads the context \
                         renders again with it, `memo` or not, though nothing it reads has changed.",
                        self.name()
                    ),
                    fix: "Memoise the value (`useMemo`) and the functions in it (`useCallback`), or split state and functions into two contexts.",
                    most: if renders_again { Severity::Medium } else { Severity::Monitor },
                },
            );
            let is_own = is_made_anew(self.module, self.component.function.1, value);
            finding.fix =
                if is_own { self.memoised(audit, value, &finding.fix.description) } else { by_hook(audit, made) };
            if !is_own {
                let note = String::from("what the hook gives back, made anew each time");
                finding.evidence.push(Evidence { place: Place::Code(made), note });
            }
            finding.evidence.push(Evidence {
                place: Place::Code((self.file, value)),
                note: format!("the value of `{provider}`"),
            });
            Some(if renders_again {
                finding
            } else {
                finding.unless(format!("whether what renders {} renders again", self.name()))
            })
        })
    }

    /// Whether the component reads a hook that may render it again.
    fn uses_hooks(&self, audit: &Audit<'_, '_>) -> bool {
        audit.analysis.calls().of_function(self.component.function).any(|call| {
            matches!(self.module.kind(call.site.1), Kind::Call { callee, .. }
                if self.module.source(callee).rsplit('.').next().is_some_and(|name| name.starts_with("use")))
        })
    }

    /// `rows.sort(…)` while rendering, in the component or in a function that it calls.
    fn sort(&self, audit: &Audit<'_, '_>) -> Option<Finding> {
        let lowered = self.module.function(self.component.function.1);
        if lowered.is_some_and(|lowered| lowered.is_async) {
            // A component of the server renders once for a request.
            return None;
        }
        let renders_again = !self.component.states.is_empty() || self.uses_hooks(audit);
        let in_render = audit
            .analysis
            .calls()
            .of_file(self.file)
            .iter()
            .filter(|call| self.is_inside(call.site.1) && self.is_in_render(audit, call.function));
        let (site, sorted) = in_render.into_iter().find_map(|call| {
            if sorts_much(audit, call) {
                return Some((call.site, call.site));
            }
            let [target] = call.targets.as_slice() else { return None };
            let inner = audit.analysis.calls().of_function(*target).find(|inner| sorts_much(audit, inner))?;
            Some((call.site, inner.site))
        })?;
        let receiver = audit.excerpt(sorted, 50);
        // A copy may be sorted in place.
        let text = audit.source(sorted);
        let head = text.split(".sort(").next().unwrap_or_default();
        let is_copy = head.starts_with("[...")
            || [".filter(", ".map(", ".slice(", ".concat("].iter().any(|it| head.contains(it));
        let shared = if is_copy {
            ""
        } else {
            ", and `sort` changes the list that it is called on, which may be shared"
        };
        let mut told = Told {
            title: format!("{} sorts in each render", self.name()),
            problem: format!(
                "`{receiver}` runs in each render of {}, whatever caused it. Its time grows faster than the list (n × log n \
                 comparisons){shared}.",
                self.name()
            ),
            fix: "Sort once when the data changes: `useMemo(() => [...rows].sort(compare), [rows])`, or let the server sort.",
            most: Severity::Medium,
        };
        if !renders_again {
            told.most = Severity::Monitor;
        }
        let mut finding = self.finding(audit, site, told);
        if sorted.0 == self.file {
            finding.fix = self.sorted_once(audit, sorted.1, &finding.fix.description);
        }
        if sorted != site {
            finding.evidence.push(Evidence { place: Place::Code(sorted), note: String::from("sorts") });
        }
        Some(finding.of_habit("sorting"))
    }

    /// In the component's body, or in a callback that runs at once; not in a memo, an effect or a handler.
    fn is_in_render(&self, audit: &Audit<'_, '_>, mut function: FunctionId) -> bool {
        for _ in 0..6 {
            if function == self.component.function.1 {
                return true;
            }
            let edge = audit.analysis.graph().callers((self.file, function)).next().cloned();
            let Some(edge) = edge else { return false };
            let is_memo =
                audit.analysis.calls().at(edge.site).and_then(|call| call.library.as_ref()).is_some_and(
                    |library| {
                        matches!(
                            library.effect(),
                            Some(Effect::ReactMemo | Effect::ReactEffect | Effect::ReactState)
                        )
                    },
                );
            if is_memo || edge.timing != loadworthy_analysis::Timing::InFlow || edge.caller.0 != self.file {
                return false;
            }
            function = edge.caller.1;
        }
        false
    }

    /// A component that is declared in another one: a new type in each render, whose state and DOM are thrown away.
    fn inner_component(&self, audit: &Audit<'_, '_>) -> Option<Finding> {
        let element = self.elements().into_iter().find(|element| {
            let Kind::Element { component, .. } = self.module.kind(*element) else { return false };
            let Kind::Name { binding, .. } = self.module.kind(component) else { return false };
            self.declares_component(audit, binding)
        })?;
        let Kind::Element { component, .. } = self.module.kind(element) else { return None };
        let inner = self.module.source(component);
        let mut finding = self.finding(
            audit,
            (self.file, element),
            Told {
                title: format!("{inner} is declared inside {}", self.name()),
                problem: format!(
                    "Each render of {} makes another {inner}, which React takes for a different component: it throws away the old \
                     one's DOM, state and effects and mounts a new one, requests of its effects included.",
                    self.name()
                ),
                fix: "Move the component out to the module and pass what it needs as props.",
                most: Severity::Medium,
            },
        );
        finding.fix = self.moved_out(element, &finding.fix.description);
        Some(finding)
    }

    fn declares_component(&self, audit: &Audit<'_, '_>, binding: BindingId) -> bool {
        let values = audit.resolver.declared_by((self.file, binding));
        values.iter().any(|value| {
            let loadworthy_analysis::Value::Function(file, function) = value else { return false };
            *file == self.file
                && self
                    .module
                    .function(*function)
                    .is_some_and(|lowered| lowered.parent == self.component.function.1)
                && audit.analysis.components(self.file).iter().any(|it| it.function == (*file, *function))
        })
    }

    /// State that an event of every frame sets.
    fn every_frame(&self, audit: &Audit<'_, '_>) -> Option<Finding> {
        let by_attribute = self.elements().into_iter().find_map(|element| {
            let (part, key, value) =
                self.attributes(element).into_iter().find(|(_, key, _)| EVERY_FRAME.contains(key))?;
            self.sets_state(audit, value).then(|| ((self.file, part), key.to_owned()))
        });
        let by_listener = || {
            audit.analysis.calls().of_file(self.file).iter().find_map(|call| {
                let Kind::Call { callee, arguments } = self.module.kind(call.site.1) else { return None };
                let is_listener = self.module.source(callee).ends_with("addEventListener");
                let [event, listener] = self.module.list(arguments).take(2).collect::<Vec<_>>()[..] else {
                    return None;
                };
                let Kind::String(event) = self.module.kind(event) else { return None };
                let event = self.module.str(event);
                let is_own = self.is_inside(call.site.1);
                (is_listener
                    && is_own
                    && EVERY_FRAME_DOM.contains(&event)
                    && self.sets_state(audit, listener))
                .then(|| (call.site, event.to_owned()))
            })
        };
        let (site, event) = by_attribute.or_else(by_listener)?;
        let list = self.list(audit);
        let below = self.elements_below(audit, list);
        if self.component.elements < LARGE_TREE && below < LARGE_BELOW {
            return None;
        }
        // Windows are rarely resized.
        let most = if event.to_lowercase().contains("resize") { Severity::Monitor } else { Severity::High };
        let frame = event.clone();
        let mut finding = self.finding(
            audit,
            site,
            Told {
                title: format!("{} renders on every `{event}`", self.name()),
                problem: format!(
                    "`{event}` comes up to 60 times a second, and each one sets state of {}, whose {} elements render again each \
                     time{}. On a slow device the frames pile up and the page stutters.",
                    self.name(),
                    below.max(self.component.elements),
                    if list.is_some() { ", those of its list for each row" } else { "" }
                ),
                fix: "Keep the value in a ref and write the style directly, or set state at most once a frame (`requestAnimationFrame`) or by a throttle, in a small component of its own.",
                most,
            },
        );
        finding.fix = self.once_a_frame(audit, site.1, &frame, &finding.fix.description);
        Some(finding)
    }

    /// The elements that a render makes with those of the components below, of a list for a page of its rows.
    fn elements_below(&self, audit: &Audit<'_, '_>, list: Option<Site>) -> usize {
        let (_, function) = self.component.function;
        let body = self.module.function(function).map_or(NodeId::NONE, |lowered| lowered.node);
        let all = elements_made(audit.analysis, audit.resolver, (self.file, body));
        let listed = list.map_or(0, |list| elements_made(audit.analysis, audit.resolver, list));
        all + listed * PAGE_OF_ROWS
    }

    /// A list of unknown length that the component renders.
    fn list(&self, audit: &Audit<'_, '_>) -> Option<Site> {
        audit.analysis.calls().of_file(self.file).iter().find_map(|call| {
            let rows = self.mapped_rows(audit, call)?;
            let lowered = self.module.function(rows)?;
            Some((self.file, lowered.node))
        })
    }

    fn is_inside(&self, node: NodeId) -> bool {
        let Some(lowered) = self.module.function(self.component.function.1) else { return false };
        self.module.contains(lowered.node, node)
    }

    /// Whether a handler sets state of the component in its own flow, without being held back or comparing first.
    fn sets_state(&self, audit: &Audit<'_, '_>, handler: NodeId) -> bool {
        let values = audit.resolver.value_of((self.file, handler));
        let functions = values.iter().filter_map(|value| match value {
            loadworthy_analysis::Value::Function(file, function) if *file == self.file => Some(*function),
            _ => None,
        });
        let text_of = |function: FunctionId| {
            self.module.function(function).map_or("", |lowered| self.module.source(lowered.node))
        };
        functions.into_iter().any(|function| {
            let text = text_of(function);
            let is_held_back = HELD_BACK.iter().any(|word| text.contains(word));
            !is_held_back
                && self.component.states.iter().filter_map(|state| state.setter).any(|setter| {
                    loadworthy_analysis::setter_calls(audit.analysis, self.file, function, setter)
                        .iter()
                        .any(|call| !self.is_behind_test(function, call.1) && !self.is_boolean(call.1))
                })
        })
    }

    /// `setScrolled(window.scrollY > 50)`: React renders only when the answer changes.
    fn is_boolean(&self, call: NodeId) -> bool {
        let Kind::Call { arguments, .. } = self.module.kind(call) else { return false };
        match self.module.list(arguments).next().map(|first| self.module.kind(first)) {
            Some(
                Kind::Bool(_) | Kind::Null | Kind::String(_) | Kind::Unary { .. } | Kind::Conditional { .. },
            ) => true,
            // `const isSmall = innerWidth < 768; setSmall(isSmall)`
            Some(Kind::Name { binding, .. }) => self.module.binding(binding).is_some_and(|declared| {
                matches!(self.module.kind(self.module.parent(declared.node)), Kind::Declarator { init, .. }
                    if matches!(self.module.kind(init), Kind::Binary { .. } | Kind::Unary { .. }))
            }),
            Some(Kind::Binary { operator, .. }) => {
                use loadworthy_syntax::Binary;
                matches!(
                    operator,
                    Binary::Less
                        | Binary::LessEqual
                        | Binary::Greater
                        | Binary::GreaterEqual
                        | Binary::Equal
                        | Binary::NotEqual
                        | Binary::And
                )
            }
            _ => false,
        }
    }

    fn is_behind_test(&self, function: FunctionId, node: NodeId) -> bool {
        let body = self.module.function(function).map_or(NodeId::NONE, |lowered| lowered.body);
        let is_conditional = self
            .module
            .ancestors(node)
            .take_while(|outer| *outer != body)
            .any(|outer| matches!(self.module.kind(outer), Kind::If { .. } | Kind::Conditional { .. }));
        let Kind::Block(list) = self.module.kind(body) else { return is_conditional };
        let guarded = self
            .module
            .list(list)
            .next()
            .is_some_and(|first| matches!(self.module.kind(first), Kind::If { .. }));
        is_conditional || guarded
    }

    fn finding(&self, audit: &Audit<'_, '_>, site: Site, told: Told) -> Finding {
        let name = self.name();
        let least = told.most.min(Severity::Medium);
        Finding::new(
            &META,
            site,
            vec![Evidence { place: Place::Code(site), note: format!("in {name}, which has {} elements", self.component.elements) }],
            audit.cost_at(site).reached(Reach::PerRender),
            Words {
                title: told.title,
                problem: told.problem,
                verify: format!(
                    "Record the interaction in the React profiler with as much data as production has: {name} and what is below it \
                     render each time. INP over 200 ms in the browser's Performance panel is what users feel."
                ),
                tradeoff: String::from("Memoised values need complete dependencies; a wrong list shows old data. Do it where the profiler shows it."),
            },
            Fix { description: told.fix.to_owned(), ..Fix::default() },
        )
        .confidence(Confidence::Medium)
        .at_least(least)
        .at_most(told.most)
    }
}

/// `rows.sort(…)` of data whose length the code does not tell.
fn sorts_much(audit: &Audit<'_, '_>, call: &Call<'_>) -> bool {
    let Some(module) = audit.module(call.site) else { return false };
    let Kind::Call { callee, .. } = module.kind(call.site.1) else { return false };
    let Kind::Member { object, name } = module.kind(callee) else { return false };
    let is_of_query = || audit.analysis.queries().iter().any(|query| query.calls.contains(&call.site));
    matches!(module.str(name), "sort" | "toSorted")
        && !is_of_query()
        && !matches!(
            audit.origins().multiplicity((call.site.0, object)),
            Multiplicity::Constant(_) | Multiplicity::Bounded { .. }
        )
}

/// `useMemo` around what a hook gives back.
fn by_hook(audit: &Audit<'_, '_>, made: Site) -> Fix {
    let value = audit.source(made);
    Fix {
        description: String::from(
            "Memoise what the hook gives back (`useMemo`) and the functions in it (`useCallback`), with what they read as dependencies.",
        ),
        before: Some(format!("return {value};")),
        after: Some(format!("return useMemo(() => ({value}), [/* what it reads */]);")),
        ..Fix::default()
    }
}

/// What a finding of this check says.
struct Told {
    title: String,
    problem: String,
    fix: &'static str,
    most: Severity,
}
