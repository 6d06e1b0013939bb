//! Memoised components that are given other props in each render.

use loadworthy_analysis::{Site, Value, made_anew};
use loadworthy_capacity::Severity;
use loadworthy_knowledge::Effect;
use loadworthy_syntax::{FunctionId, Kind, NodeId};

use super::{Case, HEAVY_ROW, Told};
use crate::audit::Audit;
use crate::edit::semicolon;
use crate::finding::{Evidence, Finding, Fix, Place};

/// Most props that one finding shows.
const SHOWN: usize = 6;

/// Elements from which it is worth a word that a component renders: less is a button or a label.
const LEAST: usize = 4;

/// A prop that is another one in each render.
struct Defeated {
    element: NodeId,
    attribute: NodeId,
    value: NodeId,
    memo: Site,
    /// Elements of the component.
    weight: usize,
}

impl Case<'_> {
    /// `memo` whose comparison fails each time: functions, objects and lists that are made while rendering.
    pub(super) fn memo_defeated(&self, audit: &Audit<'_, '_>) -> Option<Finding> {
        if !self.holds_state() {
            return None;
        }
        let mut all: Vec<Defeated> = Vec::new();
        for element in self.elements() {
            let Kind::Element { component, .. } = self.module.kind(element) else { continue };
            if !self.module.source(component).starts_with(char::is_uppercase) {
                continue;
            }
            let attributes = self.attributes(element);
            let anew =
                attributes.into_iter().find(|(_, key, value)| *key != "key" && self.is_anew(audit, *value));
            let Some((attribute, _, value)) = anew else { continue };
            let Some(memo) = self.memo_of(audit, component) else { continue };
            let weight = self.weight_of_component(audit, component);
            if weight >= LEAST || self.is_whole_row(element) {
                all.push(Defeated { element, attribute, value, memo, weight });
            }
        }
        let first = all.first()?;
        let Kind::Element { component, .. } = self.module.kind(first.element) else { return None };
        let child = self.module.source(component).to_owned();
        let is_row = self.is_in_callback(first.element);
        let prop = audit.excerpt((self.file, first.attribute), 50);
        let told = Told {
            title: format!("{child} is memoised and {} gives it another prop in each render", self.name()),
            problem: format!(
                "`{prop}` is another value in each render of {}, so the comparison that `memo` makes for {child} always fails: it costs \
                 its time and saves none. Each change of the state of {} renders {child}{}, as if it were not memoised.",
                self.name(),
                self.name(),
                if is_row { " for every row" } else { "" }
            ),
            fix: "Give it values that stay the same: a function from `useCallback`, an object or list from `useMemo` or of the module. For rows, pass the id and one function for all of them.",
            most: if is_row && (first.weight >= HEAVY_ROW || self.is_whole_row(first.element)) {
                Severity::Medium
            } else {
                Severity::Monitor
            },
        };
        let mut finding = self.finding(audit, (self.file, first.attribute), told);
        finding.fix = self.kept(first, is_row, &finding.fix.description);
        for it in all.iter().skip(1).take(SHOWN) {
            let note = String::from("another prop that is made while rendering");
            finding.evidence.push(Evidence { place: Place::Code((self.file, it.attribute)), note });
        }
        finding
            .evidence
            .push(Evidence { place: Place::Code(first.memo), note: format!("{child} is memoised here") });
        Some(finding)
    }

    /// `useState`, or another hook that gives a value and what sets it.
    fn holds_state(&self) -> bool {
        let body = self.module.function(self.component.function.1).map_or(NodeId::NONE, |it| it.body);
        !self.component.states.is_empty()
            || self.module.all_nodes(body).into_iter().any(|node| {
                let Kind::Declarator { target, init } = self.module.kind(node) else { return false };
                let Kind::ArrayPattern(parts) = self.module.kind(target) else { return false };
                parts.len() == 2
                    && self.module.enclosing_function(node) == self.component.function.1
                    && matches!(self.module.kind(init), Kind::Call { callee, .. } if self.module.source(callee).starts_with("use"))
            })
    }

    /// Whether a prop is made while rendering: in the component, or in a callback that makes its rows.
    fn is_anew(&self, audit: &Audit<'_, '_>, value: NodeId) -> bool {
        matches!(self.module.kind(value), Kind::Object(_) | Kind::Array(_) | Kind::Function(_))
            || made_anew(audit.analysis, audit.resolver, self.component.function, value).is_some()
    }

    /// What a callback gives back for each row.
    fn is_whole_row(&self, element: NodeId) -> bool {
        self.is_in_callback(element)
            && matches!(self.module.kind(self.module.parent(element)), Kind::Function(_) | Kind::Return(_))
    }

    fn is_in_callback(&self, element: NodeId) -> bool {
        let function = self.module.enclosing_function(element);
        function != self.component.function.1 && function != FunctionId::NONE
    }

    /// The call of `memo` that made a component; one that compares by itself may leave props out.
    pub(super) fn memo_of(&self, audit: &Audit<'_, '_>, component: NodeId) -> Option<Site> {
        let values = audit.resolver.value_of((self.file, component));
        let functions = values.iter().filter_map(|value| match value {
            Value::Function(file, function) => Some((*file, *function)),
            _ => None,
        });
        functions.into_iter().find_map(|function| {
            let calls = audit.analysis.calls().of_file(function.0).iter();
            let mut memos = calls.filter(|call| {
                call.library.as_ref().is_some_and(|library| {
                    library.effect() == Some(Effect::ReactMemo) && &*library.name == "memo"
                })
            });
            let found = memos.find(|call| call.handed.iter().any(|handed| handed.function == function))?;
            let module = audit.module(found.site)?;
            let Kind::Call { arguments, .. } = module.kind(found.site.1) else { return None };
            (arguments.len() == 1).then_some(found.site)
        })
    }

    /// The prop as a value that stays.
    fn kept(&self, defeated: &Defeated, is_row: bool, description: &str) -> Fix {
        let module = self.module;
        let attribute = module.source(defeated.attribute);
        let (key, text) =
            (attribute.split('=').next().unwrap_or("prop").trim(), module.source(defeated.value));
        let end = semicolon(module);
        let is_function = matches!(module.kind(defeated.value), Kind::Function(_));
        let is_name = matches!(module.kind(defeated.value), Kind::Name { .. });
        let dependencies =
            self.inputs(defeated.value).map(|inputs| inputs.names.join(", ")).unwrap_or_default();
        let name = format!("kept{}", super::remedy::capital(key));
        let made = self.made_at(defeated.value);
        let is_of_hook = matches!(module.kind(made), Kind::Call { callee, .. }
            if module.source(callee).rsplit('.').next().is_some_and(|name| name.starts_with("use")));
        if is_of_hook {
            return Fix {
                description: format!(
                    "Memoise what `{}` gives back (`useMemo`, `useCallback`): it is made anew in each render.",
                    module.source(made)
                ),
                before: Some(attribute.to_owned()),
                ..Fix::default()
            };
        }
        let after = if is_row {
            format!(
                "// one function for all rows; the row calls it with its own id\nconst {name} = useCallback((id) => {{\n  // …\n}}, []){end}\n\n{key}={{{name}}}"
            )
        } else if is_name && made != defeated.value {
            let body = module.source(made);
            let hook = if matches!(module.kind(made), Kind::Function(_)) {
                format!("useCallback({body}, [])")
            } else {
                format!("useMemo(() => ({body}), [])")
            };
            format!("const {text} = {hook}{end} // with what it reads as dependencies")
        } else if is_function {
            format!("const {name} = useCallback({text}, [{dependencies}]){end}\n\n{key}={{{name}}}")
        } else {
            format!("const {name} = useMemo(() => ({text}), [{dependencies}]){end}\n\n{key}={{{name}}}")
        };
        Fix {
            description: description.to_owned(),
            before: Some(attribute.to_owned()),
            after: Some(after),
            ..Fix::default()
        }
    }
}
