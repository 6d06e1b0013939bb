//! Effects that run again because of what they do, and those whose late answers overwrite newer ones.

use loadworthy_analysis::{
    Component, EffectHook, Memoised, Site, decision_by, filled_by, made_anew, memoised, setter_calls, uses,
};
use loadworthy_capacity::{ExtraRequests, Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileId;
use loadworthy_syntax::{Binary, BindingId, FunctionId, Kind, Module, NodeId, Unary};

use super::META;
use super::ignored::ignored;
use super::typing::is_typed;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// The first thing that is wrong with each effect of a component.
pub(super) fn run(
    audit: &Audit<'_, '_>,
    (file, module, component): (FileId, &Module, &Component),
    findings: &mut Vec<Finding>,
) {
    for effect in &component.effects {
        let case = Case { file, module, component, effect };
        let found = case
            .repeats(audit)
            .or_else(|| case.sets_for_callback(audit))
            .or_else(|| case.given_anew(audit))
            .or_else(|| case.types(audit))
            .or_else(|| case.overtakes(audit));
        findings.extend(found);
    }
}

/// One effect of a component.
pub(super) struct Case<'c> {
    pub(super) file: FileId,
    pub(super) module: &'c Module,
    pub(super) component: &'c Component,
    pub(super) effect: &'c EffectHook,
}

impl Case<'_> {
    /// Whether the effect requests something in its own flow.
    pub(super) fn requests(&self, audit: &Audit<'_, '_>) -> bool {
        audit.analysis.works().of((self.file, self.effect.function)).any(is_request)
    }

    /// Whether a request stands in the effect's own code, and no test before it but for something that is missing.
    fn always_requests(&self, audit: &Audit<'_, '_>) -> bool {
        let body = self.module.function(self.effect.function).map_or(NodeId::NONE, |lowered| lowered.body);
        let is_choice = |test| !is_missing(self.module, test);
        let mut calls = audit.analysis.calls().of_function((self.file, self.effect.function));
        calls.any(|call| {
            decision_by(self.module, &is_choice, body, call.site.1).is_none()
                && audit.analysis.works().of_call(call).any(is_request)
        })
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

    /// Behind a test or an early return of the effect.
    pub(super) fn is_guarded(&self, node: NodeId) -> bool {
        let body = self.module.function(self.effect.function).map_or(NodeId::NONE, |lowered| lowered.body);
        decision_by(self.module, &|_| true, body, node).is_some()
    }

    /// The memoised functions that it depends on, with what they depend on.
    fn callbacks(&self, audit: &Audit<'_, '_>) -> Vec<(NodeId, Memoised)> {
        let dependencies = self.effect.dependencies.iter().flatten();
        dependencies.filter_map(|node| Some((*node, memoised(audit.resolver, (self.file, *node))?))).collect()
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
        let made = |node: &NodeId| {
            made_anew(audit.analysis, audit.resolver, (self.file, self.component.function.1), *node)
        };
        let anew = dependencies.iter().find_map(|node| Some((node, made(node)?)));
        // What a hook is given may be constant at its callers.
        let is_own = |made: Site| dependencies.iter().any(|node| made == (self.file, *node));
        let is_worth =
            |made: Site| sets.is_some() || requests && (is_own(made) || self.always_requests(audit));
        if let Some((node, made)) = anew.filter(|(_, made)| is_worth(*made)) {
            let name = self.module.source(*node).to_owned();
            let is_default = self.is_default(*node);
            let when = if is_default { "in each render that has no value for it" } else { "in each render" };
            let text = format!("depends on `{name}`, which is another value {when}");
            let least = if is_default { Severity::Medium } else { Severity::High };
            let mut finding = self.finding(audit, &text, (self.file, *node), least);
            if made != (self.file, *node) {
                finding.evidence.push(Evidence {
                    place: Place::Code(made),
                    note: String::from("what the hook gives back, made anew each time"),
                });
                finding.fix.description = format!(
                    "Memoise what the hook gives back (`useMemo`, `useCallback`), or depend on the members of `{name}` that the effect reads."
                );
            }
            return Some(if is_default { finding.at_most(Severity::Medium) } else { finding });
        }
        let (value, call) = sets?;
        let is_own = dependencies
            .iter()
            .any(|node| matches!(self.module.kind(*node), Kind::Name { binding, .. } if binding == value));
        if !is_own || !self.gives_new_value(call.1) && !self.gives_answer(audit, call.1) {
            return None;
        }
        let text = format!(
            "sets `{}`, on which it depends",
            self.module.binding(value).map_or("", |it| self.module.str(it.name))
        );
        Some(self.finding(audit, &text, call, Severity::High))
    }

    /// It calls a memoised function that depends on what is set on the way: the function is another one then, and the effect
    /// runs again.
    fn sets_for_callback(&self, audit: &Audit<'_, '_>) -> Option<Finding> {
        if !self.requests(audit) {
            return None;
        }
        self.callbacks(audit).into_iter().find_map(|(name, memoised)| {
            self.component.states.iter().find_map(|state| {
                let value = state.value?;
                let depends = memoised.dependencies.iter().any(
                    |node| matches!(self.module.kind(*node), Kind::Name { binding, .. } if binding == value),
                );
                if !depends || self.is_held_back(audit, &memoised, value) {
                    return None;
                }
                let calls = setter_calls(audit.analysis, self.file, self.effect.function, state.setter?);
                let fresh =
                    calls.iter().find(|call| self.gives_new_value(call.1) && !self.asks(call.1, value));
                // A test of the value ends it later; the first time it changes all the same.
                let first = || {
                    let call = calls.iter().find(|call| self.gives_other_value(call.1));
                    call.filter(|_| self.begins_empty(state.site.1))
                };
                let call = fresh.or_else(first)?;
                Some(self.run_again(audit, (name, value), *call, fresh.is_some()))
            })
        })
    }

    fn run_again(
        &self,
        audit: &Audit<'_, '_>,
        (name, value): (NodeId, BindingId),
        call: Site,
        is_endless: bool,
    ) -> Finding {
        let state = self.module.binding(value).map_or("", |it| self.module.str(it.name));
        let (function, component) = (self.module.source(name), &self.component.name);
        let text = format!("sets `{state}`, on which `{function}` depends that it runs");
        let mut finding =
            self.finding(audit, &text, call, if is_endless { Severity::High } else { Severity::Medium });
        finding.words.problem = format!(
            "`{function}` is another function whenever `{state}` changes, and the effect depends on `{function}`: setting `{state}` \
             on the way runs the effect again, with its request. {}",
            if is_endless {
                format!(
                    "The value is a new one each time, so {component} never comes to rest: {} open pages send without end.",
                    audit.target.users
                )
            } else {
                format!(
                    "Each time {component} is shown the request is sent at least twice; without end where the value is an object."
                )
            }
        );
        finding.fix.description = format!(
            "Take `{state}` out of the dependencies of `{function}`: hand what it needs to it as an argument, read it from a ref, or \
             set by a function of the former value (`set((former) => …)`)."
        );
        if is_endless { finding } else { finding.at_most(Severity::Medium) }
    }

    /// Whether each request of a memoised function, or each call of it in the effect, hangs on a state's value or on a ref.
    fn is_held_back(&self, audit: &Audit<'_, '_>, memoised: &Memoised, value: BindingId) -> bool {
        let calls = audit.analysis.calls();
        let held = |function: FunctionId| {
            let mut requests = calls
                .of_file(self.file)
                .iter()
                .filter(|call| call.function == function)
                .filter(|call| audit.analysis.works().of_call(call).any(is_request))
                .peekable();
            requests.peek().is_some() && requests.all(|call| self.asks(call.site.1, value))
        };
        held(memoised.function) || held(self.effect.function)
    }

    /// Whether a test before a place asks for a state's value, or for a ref.
    fn asks(&self, node: NodeId, value: BindingId) -> bool {
        let function = self.module.enclosing_function(node);
        let body = self.module.function(function).map_or(NodeId::NONE, |lowered| lowered.body);
        let is_asked =
            |test| uses(self.module, test, &[value]) || self.module.source(test).contains(".current");
        decision_by(self.module, &is_asked, body, node).is_some()
    }

    /// `useState()`, `useState(null)`: whatever is set first is another value.
    fn begins_empty(&self, call: NodeId) -> bool {
        let Kind::Call { arguments, .. } = self.module.kind(call) else { return false };
        let first = self.module.list(arguments).next();
        first.is_none_or(|first| {
            matches!(self.module.source(first), "null" | "undefined" | "''" | "\"\"" | "false")
        })
    }

    /// Sets something that is no constant and no function of the former value.
    fn gives_other_value(&self, call: NodeId) -> bool {
        let Kind::Call { arguments, .. } = self.module.kind(call) else { return false };
        let first = self.module.list(arguments).next().map(|first| self.module.kind(first));
        matches!(
            first,
            Some(
                Kind::Name { .. }
                    | Kind::Member { .. }
                    | Kind::Call { .. }
                    | Kind::Await(_)
                    | Kind::Binary { .. }
            )
        ) && !self.module.list(arguments).any(|node| self.module.source(node) == "undefined")
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
            Some(Kind::Binary { operator, .. }) => matches!(operator, Binary::Add),
            Some(Kind::Call { callee, .. }) => matches!(self.module.kind(callee), Kind::Member { name, .. }
                if matches!(self.module.str(name), "map" | "filter" | "concat" | "slice")),
            _ => false,
        }
    }

    /// `set(answer)`, `set(response.data)`, `set(await response.json())`: the whole of what a request gives, parsed anew each
    /// time. A field of it may be a primitive.
    fn gives_answer(&self, audit: &Audit<'_, '_>, call: NodeId) -> bool {
        let Kind::Call { arguments, .. } = self.module.kind(call) else { return false };
        let Some(given) = self.module.list(arguments).next() else { return false };
        let is_whole = match self.module.kind(given) {
            Kind::Name { .. } | Kind::Await(_) => true,
            Kind::Member { name, .. } => self.module.str(name) == "data",
            _ => false,
        };
        let begins_with = self.component.states.iter().find_map(|state| {
            let setter = state.setter?;
            let is_set = matches!(self.module.kind(call), Kind::Call { callee, .. }
                if matches!(self.module.kind(callee), Kind::Name { binding, .. } if binding == setter));
            audit.resolver.argument(state.site, 0).filter(|_| is_set)
        });
        let holds_object =
            begins_with.is_some_and(|it| matches!(self.module.kind(it.1), Kind::Array(_) | Kind::Object(_)));
        let is_answer = || {
            let given = filled_by(audit.analysis, (self.file, given)).requests;
            // `then((answer) => set(answer))`
            !given.is_empty() || self.module.enclosing_function(call) != self.effect.function
        };
        is_whole && holds_object && self.requests(audit) && is_answer()
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
        let callbacks = self.callbacks(audit);
        let behind = callbacks.iter().flat_map(|(_, memoised)| &memoised.dependencies);
        // What the page's address or a parent gives changes while a request is under way; a token or setting rarely.
        let changes = dependencies.iter().chain(behind).find(|node| {
            let name = self.module.source(**node).to_lowercase();
            ["id", "slug", "page", "query", "search", "filter", "tab", "date", "term"]
                .iter()
                .any(|word| name.ends_with(word))
        })?;
        let functions: Vec<FunctionId> =
            std::iter::once(self.effect.function).chain(callbacks.iter().map(|it| it.1.function)).collect();
        let called = functions.iter().flat_map(|function| {
            let callees = audit.analysis.graph().callees((self.file, *function));
            callees.map(|edge| edge.callee).filter(|callee| callee.0 == self.file).map(|callee| callee.1)
        });
        let is_checked = functions.iter().any(|function| is_checked(self.text(*function)))
            || called.into_iter().any(|function| has_guard(self.text(function)));
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
        if let Some(fix) = ignored(audit, (self.file, self.module, self.component), self.effect) {
            finding.fix = fix;
            let finding = finding.at_least(Severity::Monitor).at_most(Severity::Monitor);
            return Some(finding.of_habit("late answers"));
        }
        finding.fix.description = String::from(
            "Abort the former request in the effect's cleanup (`const controller = new AbortController()`, `signal`, \
             `return () => controller.abort()`), or use a data library that does.",
        );
        finding.fix.before = Some(self.module.source(self.effect.site.1).to_owned());
        finding.fix.after = Some(self.aborted(dependencies));
        Some(finding.at_least(Severity::Monitor).at_most(Severity::Monitor).of_habit("late answers"))
    }

    fn text(&self, function: FunctionId) -> &str {
        self.module.function(function).map_or("", |lowered| self.module.source(lowered.node))
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
        super::typing::is_held_back(audit, (self.file, self.effect.function))
    }

    pub(super) fn finding(
        &self,
        audit: &Audit<'_, '_>,
        why: &str,
        shown_by: Site,
        least: Severity,
    ) -> Finding {
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

/// `!id`, `!id || !user?.name`
fn is_missing(module: &Module, test: NodeId) -> bool {
    match module.kind(test) {
        Kind::Unary { operator: Unary::Not, value } => {
            matches!(module.kind(value), Kind::Name { .. } | Kind::Member { .. })
        }
        Kind::Binary { operator: Binary::Or, left, right } => {
            is_missing(module, left) && is_missing(module, right)
        }
        _ => false,
    }
}

fn is_request(effect: Effect) -> bool {
    matches!(effect, Effect::HttpRequest | Effect::ReactFetch | Effect::AsyncNet)
}

/// Whether a function that an effect calls aborts a request, or asks a ref whether to go on.
fn has_guard(text: &str) -> bool {
    ["abort", "Abort", "signal", ".current"].iter().any(|word| text.contains(word))
}

/// Whether the code of a request aborts it, or looks whether its answer is still wanted.
fn is_checked(text: &str) -> bool {
    let words =
        ["abort", "Abort", "signal", "cancel", "ignore", "isMounted", "mounted", "active", "return ()"];
    words.iter().any(|word| text.contains(word))
}
