//! Texts that are parsed as a whole for each key that is typed into them.

use loadworthy_analysis::{FunctionRef, Site};
use loadworthy_capacity::Severity;
use loadworthy_syntax::{BindingId, Kind, Module, NodeId};

use super::keystrokes::is_text_renderer;
use super::{Case, Told};
use crate::audit::Audit;
use crate::finding::{Evidence, Finding, Place};

/// Fields that hold more than a line.
const LONG_FIELDS: [&str; 3] = ["textarea", "editor", "markdown"];

/// Properties that are called for each key.
const HANDLERS: [&str; 4] = ["onChange", "onInput", "onChangeText", "onValueChange"];

impl Case<'_> {
    /// A long text in state that each key changes, and work in render that reads all of it.
    pub(super) fn parsed_text(&self, audit: &Audit<'_, '_>) -> Option<Finding> {
        let (field, state) = self.long_field(audit)?;
        let work = self.work_on(audit, state)?;
        let text = self.module.binding(state).map_or("", |it| self.module.str(it.name));
        let what = audit.excerpt(work, 60);
        let mut finding = self.finding(
            audit,
            work,
            Told {
                title: format!("{} parses all of `{text}` for each key", self.name()),
                problem: format!(
                    "`{what}` runs in each render of {}, and each key typed into `{text}` renders it. The work grows with the text: a \
                     page of HTML or Markdown costs 5–50 ms, so typing lags behind in exactly the texts that are long.",
                    self.name()
                ),
                fix: "Do it once when typing has paused (`useDeferredValue`, or a debounced value) and keep the result (`useMemo`); ask what is needed (is it empty?) of the text itself.",
                most: Severity::Medium,
            },
        );
        finding.fix.before = Some(audit.source(audit.statement(work)).to_owned());
        finding.fix.after = Some(format!(
            "const settled = useDeferredValue({text});\nconst parsed = useMemo(() => {}, [settled]);",
            what.replace(text, "settled")
        ));
        finding
            .evidence
            .push(Evidence { place: Place::Code(field), note: String::from("each key sets the text") });
        Some(finding)
    }

    /// A field for a long text whose handler sets state: the handler, and the state's value.
    fn long_field(&self, audit: &Audit<'_, '_>) -> Option<(Site, BindingId)> {
        self.elements().into_iter().find_map(|element| {
            let Kind::Element { component, .. } = self.module.kind(element) else { return None };
            let name = self.module.source(component).to_lowercase();
            let attributes = self.attributes(element);
            let is_long = LONG_FIELDS.iter().any(|word| name.contains(word))
                || attributes.iter().any(|(_, key, _)| matches!(*key, "multiline" | "rows"));
            let (part, _, handler) = attributes.into_iter().find(|(_, key, _)| HANDLERS.contains(key))?;
            if !is_long || name.contains("debounce") {
                return None;
            }
            let states = self.component.states.iter();
            let mut set = states
                .filter(|state| state.setter.is_some_and(|setter| self.handler_sets(audit, handler, setter)));
            let value = set.find_map(|state| state.value)?;
            Some(((self.file, part), value))
        })
    }

    /// Work in the flow of the render that is given a state: a call that parses, or a component that does.
    fn work_on(&self, audit: &Audit<'_, '_>, state: BindingId) -> Option<Site> {
        // A member of it is one field of a form, and short.
        let reads = |node: NodeId| {
            self.module.references(state).iter().any(|name| {
                let is_whole = !matches!(self.module.kind(self.module.parent(*name)), Kind::Member { .. });
                is_whole && self.module.contains(node, *name)
            })
        };
        let call = audit.analysis.calls().of_file(self.file).iter().find(|call| {
            let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = self.module.kind(call.site.1)
            else {
                return false;
            };
            self.is_inside(call.site.1)
                && self.module.list(arguments).any(reads)
                && self.is_in_render(audit, call.function)
                && (parses(audit, self.module, call.site)
                    || call.targets.iter().any(|it| builds_document(audit, *it)))
        });
        call.map(|call| call.site).or_else(|| {
            let element = self.elements().into_iter().find(|element| {
                let Kind::Element { component, .. } = self.module.kind(*element) else { return false };
                // What edits it is the field itself.
                let is_field = self.attributes(*element).iter().any(|(_, key, _)| HANDLERS.contains(key));
                !is_field && reads(*element) && is_text_renderer(audit, (self.file, component))
            })?;
            Some((self.file, element))
        })
    }
}

/// A call of a package that parses texts.
fn parses(audit: &Audit<'_, '_>, module: &Module, (file, call): Site) -> bool {
    matches!(module.kind(call), Kind::Call { callee, .. } if is_text_renderer(audit, (file, callee)))
}

/// A function that makes a document of a text: `element.innerHTML = html`, `parser.parseFromString(html)`.
fn builds_document(audit: &Audit<'_, '_>, (file, function): FunctionRef) -> bool {
    let Some(module) = audit.program().module(file) else { return false };
    let Some(lowered) = module.function(function) else { return false };
    module.all_nodes(lowered.body).into_iter().any(|node| match module.kind(node) {
        Kind::Assign { target, .. } => {
            matches!(module.kind(target), Kind::Member { name, .. } if module.str(name) == "innerHTML")
        }
        Kind::Call { callee, .. } => {
            matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name) == "parseFromString")
                || is_text_renderer(audit, (file, callee))
        }
        _ => false,
    })
}
