//! State that a clock sets, and keys of rows that say nothing of the row.

use loadworthy_analysis::Site;
use loadworthy_capacity::Severity;
use loadworthy_syntax::{BindingKind, FunctionId, Kind, NodeId};

use super::remedy::clock_apart;
use super::{Case, LARGE_TREE, Told};
use crate::audit::Audit;
use crate::finding::{Evidence, Finding, Place};

/// Milliseconds between two ticks up to which a clock renders noticeably often.
const OFTEN_MILLIS: f64 = 2_000.0;

/// Functions that give another value at each call.
const NEW_EACH_TIME: [&str; 11] = [
    "random",
    "now",
    "uuid",
    "uuidv4",
    "uuidV4",
    "v4",
    "nanoid",
    "randomUUID",
    "uniqueId",
    "cuid",
    "createId",
];

/// The condition under which a timer is started: a test around it, or one before it that leaves its function.
fn condition_of(audit: &Audit<'_, '_>, timer: Site) -> Option<String> {
    let module = audit.module(timer)?;
    let function = module.enclosing_function(timer.1);
    let body = module.function(function)?.body;
    let start = module.node(timer.1).span.start;
    let tests = module.all_nodes(body).into_iter().filter_map(|node| match module.kind(node) {
        Kind::If { test, then, .. } if module.enclosing_function(node) == function => {
            Some((node, test, then))
        }
        _ => None,
    });
    let deciding = tests.into_iter().find(|(node, _, then)| {
        let is_around = module.contains(*node, timer.1);
        let leaves =
            || module.all_nodes(*then).into_iter().any(|it| matches!(module.kind(it), Kind::Return(_)));
        is_around || (module.node(*node).span.end <= start && leaves())
    });
    deciding.map(|(_, test, _)| audit.excerpt((timer.0, test), 40))
}

impl Case<'_> {
    /// A clock's state in a component with many elements, or in a hook that such a component uses.
    pub(super) fn clock(&self, audit: &Audit<'_, '_>) -> Option<Finding> {
        if self.component.elements < LARGE_TREE {
            return None;
        }
        let own = self.tick(audit).map(|(at, millis)| (at, at, millis));
        let (site, timer, millis) = own.or_else(|| self.tick_of_hook(audit))?;
        let seconds = millis / 1000.0;
        let mut finding = self.finding(
            audit,
            site,
            Told {
                title: format!("a clock renders all of {} every {seconds} s", self.name()),
                problem: format!(
                    "Every {seconds} s a timer sets state of {}, so its {} elements and what is below them render again, for a value \
                     that a small part of them shows. Work that is slow to render stutters at that pace, and a battery pays for it.",
                    self.name(),
                    self.component.elements
                ),
                fix: "Move the timer with its state into a small component that shows only the changing value.",
                most: if self.component.elements >= 3 * LARGE_TREE { Severity::Medium } else { Severity::Monitor },
            },
        );
        finding.fix = clock_apart(audit, timer, &finding.fix.description);
        if timer != site {
            finding.evidence.push(Evidence { place: Place::Code(timer), note: String::from("the timer") });
        }
        if let Some(test) = condition_of(audit, timer) {
            return Some(finding.unless(format!(
                "how long `{test}` lets the timer run: the whole visit, or a moment of it"
            )));
        }
        Some(finding)
    }

    /// The timer of the component's own code that sets its state.
    fn tick(&self, audit: &Audit<'_, '_>) -> Option<(Site, f64)> {
        audit.analysis.calls().of_file(self.file).iter().find_map(|call| {
            let Kind::Call { callee, arguments } = self.module.kind(call.site.1) else { return None };
            if !self.module.source(callee).ends_with("setInterval") || !self.is_inside(call.site.1) {
                return None;
            }
            let [handler, delay] = self.module.list(arguments).take(2).collect::<Vec<_>>()[..] else {
                return None;
            };
            let millis =
                audit.origins().number((self.file, delay)).filter(|millis| *millis <= OFTEN_MILLIS)?;
            self.sets_state(audit, handler).then_some((call.site, millis))
        })
    }

    fn tick_of_hook(&self, audit: &Audit<'_, '_>) -> Option<(Site, Site, f64)> {
        audit.analysis.calls().of_function(self.component.function).find_map(|call| {
            let [(file, function)] = call.targets.as_slice() else { return None };
            let module = audit.program().module(*file)?;
            let hooks = audit.analysis.components(*file).iter();
            let hook = hooks.into_iter().find(|it| it.is_hook && it.function == (*file, *function))?;
            let (timer, millis) = Case { file: *file, module, component: hook }.tick(audit)?;
            Some((call.site, timer, millis))
        })
    }

    /// `key={Math.random()}`: every row is a new one in each render.
    pub(super) fn random_key(&self, audit: &Audit<'_, '_>) -> Option<Finding> {
        let value = self.elements().into_iter().find_map(|element| {
            let (_, _, value) = self.attributes(element).into_iter().find(|(_, key, _)| *key == "key")?;
            let is_new = self.module.all_nodes(value).into_iter().any(|node| match self.module.kind(node) {
                Kind::Call { callee, arguments } if arguments.is_empty() => {
                    let name = self.module.source(callee).rsplit('.').next().unwrap_or_default();
                    NEW_EACH_TIME.contains(&name)
                }
                _ => false,
            });
            is_new.then_some(value)
        })?;
        let mut finding = self.finding(
            audit,
            (self.file, value),
            Told {
                title: format!("{} gives its rows new keys in each render", self.name()),
                problem: format!(
                    "`key={{{}}}` is another one in each render, so React throws away every row of {} with its DOM, state and \
                     effects and mounts new ones each time.",
                    self.module.source(value),
                    self.name()
                ),
                fix: "Use an id of the row's data.",
                most: Severity::Medium,
            },
        );
        finding.fix = self.keyed(audit, value, false, &finding.fix.description);
        Some(finding)
    }

    /// `key={index}` on rows with inputs, in a component that takes rows away.
    pub(super) fn position_key(&self, audit: &Audit<'_, '_>) -> Option<Finding> {
        let lowered = self.module.function(self.component.function.1)?;
        let text = self.module.source(lowered.node);
        let removes = text.contains(".splice(") || text.contains(".filter((_");
        if !removes {
            return None;
        }
        let (element, key) = self.elements().into_iter().find_map(|element| {
            let (_, _, value) = self.attributes(element).into_iter().find(|(_, key, _)| *key == "key")?;
            (self.is_position(value) && self.holds_input(element)).then_some((element, value))
        })?;
        let mut finding = self.finding(
            audit,
            (self.file, element),
            Told {
                title: format!("rows of {} that can be removed are keyed by their position", self.name()),
                problem: format!(
                    "`key={{{}}}` is the row's position, and {} takes rows away. All rows behind a removed one get another row's \
                     component: their inputs show the wrong text and focus, and each of them renders and updates its DOM again.",
                    self.module.source(key),
                    self.name()
                ),
                fix: "Give each row an id when it is added (`crypto.randomUUID()`) and use it as key.",
                most: Severity::Monitor,
            },
        );
        finding.fix = self.keyed(audit, key, true, &finding.fix.description);
        Some(finding)
    }

    /// Whether a value, or the constant that it is, is made of the component's properties.
    pub(super) fn uses_properties(&self, value: NodeId) -> bool {
        let made = self.made_at(value);
        self.module.all_nodes(made).into_iter().any(|node| {
            let Kind::Name { binding, .. } = self.module.kind(node) else { return false };
            let Some(declared) = self.module.binding(binding) else { return false };
            declared.kind == BindingKind::Parameter
                && self.module.enclosing_function(declared.node) == self.component.function.1
        })
    }

    /// The value of the constant that an expression names; the expression itself otherwise.
    pub(super) fn made_at(&self, value: NodeId) -> NodeId {
        let Kind::Name { binding, .. } = self.module.kind(value) else { return value };
        let parent = self.module.binding(binding).map(|declared| self.module.parent(declared.node));
        match parent.map(|parent| self.module.kind(parent)) {
            Some(Kind::Declarator { init, .. }) if init.is_some() => init,
            _ => value,
        }
    }

    /// The second parameter of a callback that makes rows.
    fn is_position(&self, value: NodeId) -> bool {
        let Kind::Name { binding, .. } = self.module.kind(value) else { return false };
        let Some(declared) = self.module.binding(binding) else { return false };
        if declared.kind != BindingKind::Parameter {
            return false;
        }
        let function = self.module.enclosing_function(declared.node);
        let Some(lowered) = (function != FunctionId::NONE).then(|| self.module.function(function)).flatten()
        else {
            return false;
        };
        let second = self.module.list(lowered.parameters).nth(1);
        second.is_some_and(|pattern| self.module.contains(pattern, declared.node))
    }

    /// Whether an element has something below it, or is something, that keeps what a user types.
    fn holds_input(&self, element: NodeId) -> bool {
        self.module.all_nodes(element).into_iter().any(|node| {
            let Kind::Element { component, .. } = self.module.kind(node) else { return false };
            let name = self.module.source(component).to_lowercase();
            ["input", "textarea", "textfield", "editor"].iter().any(|word| name.contains(word))
        })
    }
}
