//! Fields whose keystrokes render a heavy list.

use loadworthy_analysis::{Call, Multiplicity, Root, Site, Value, loader, rendered};
use loadworthy_capacity::Severity;
use loadworthy_knowledge::Role;
use loadworthy_syntax::{BindingId, FunctionId, Kind, Module, NodeId};

use super::{Case, HEAVY_ROW, Told};
use crate::audit::Audit;
use crate::finding::{Evidence, Finding, Place};

/// Elements that a message of some paragraphs with a list and a piece of code comes to.
const PARSED_ELEMENTS: usize = 20;

impl Case<'_> {
    /// State of an input beside a list of heavy rows in the same component.
    pub(super) fn keystrokes(&self, audit: &Audit<'_, '_>) -> Option<Finding> {
        let (input, state) = self.typed_input(audit)?;
        let (list, row) = self.heavy_list(audit).or_else(|| self.heavy_list_below(audit))?;
        let what = audit.excerpt(list, 50);
        let mut finding = self.finding(
            audit,
            input,
            Told {
                title: format!("each keystroke in `{state}` renders all rows of {}", self.name()),
                problem: format!(
                    "`{state}` is state of {}, which also renders `{what}` with about {row} elements for each row: every keystroke \
                     renders all of them. With 200 rows that is {} elements ten times a second.",
                    self.name(),
                    row * 200
                ),
                fix: "Move the input with its state into a component of its own (a dialog or form), or memoise the rows as components (`memo`) with stable props.",
                most: match row {
                    // What is typed chooses the rows: they render again in any case, and a pause is all that helps.
                    _ if chooses_rows(&state) => Severity::Monitor,
                    row if row >= 2 * HEAVY_ROW => Severity::High,
                    _ => Severity::Medium,
                },
            },
        );
        finding.fix = self.field_apart(audit, input.1, &state, &finding.fix.description);
        finding
            .evidence
            .push(Evidence { place: Place::Code(list), note: format!("{row} elements for each row") });
        if let Some((place, name)) = (list.0 == self.file).then(|| self.heaviest(audit, list.1)).flatten() {
            let note = format!("{name} is not memoised: it renders with each key, for each row");
            finding.evidence.push(Evidence { place: Place::Code(place), note });
        }
        let finding = finding.assuming("200 rows");
        Some(if chooses_rows(&state) { finding.of_habit("filters") } else { finding })
    }

    /// The first text input whose handler sets state of the component.
    fn typed_input(&self, audit: &Audit<'_, '_>) -> Option<(Site, String)> {
        self.elements().into_iter().find_map(|element| {
            let Kind::Element { component, .. } = self.module.kind(element) else { return None };
            let name = self.module.source(component).to_lowercase();
            let is_text =
                ["input", "textarea", "textfield", "searchbox"].iter().any(|word| name.contains(word));
            let attributes = self.attributes(element);
            let is_choice = attributes.iter().any(|(_, key, value)| {
                *key == "type"
                    && ["checkbox", "radio", "file", "date", "range", "color", "submit"]
                        .iter()
                        .any(|word| self.module.source(*value).contains(word))
                    || *key == "select"
            });
            let (part, _, handler) =
                attributes.into_iter().find(|(_, key, _)| matches!(*key, "onChange" | "onInput"))?;
            if !is_text || is_choice || name.contains("debounce") {
                return None;
            }
            let state =
                self.component.states.iter().find(|state| {
                    state.setter.is_some_and(|setter| self.handler_sets(audit, handler, setter))
                })?;
            let value = state
                .value
                .and_then(|value| self.module.binding(value))
                .map(|it| self.module.str(it.name).to_owned())?;
            Some(((self.file, part), value))
        })
    }

    pub(super) fn handler_sets(&self, audit: &Audit<'_, '_>, handler: NodeId, setter: BindingId) -> bool {
        if matches!(self.module.kind(handler), Kind::Name { binding, .. } if binding == setter) {
            return true;
        }
        let values = audit.resolver.value_of((self.file, handler));
        values.iter().any(|value| match value {
            loadworthy_analysis::Value::Function(file, function) if *file == self.file => {
                !loadworthy_analysis::setter_calls(audit.analysis, self.file, *function, setter).is_empty()
            }
            _ => false,
        })
    }

    /// A list that is rendered with many elements for each row, from data of unknown length.
    fn heavy_list(&self, audit: &Audit<'_, '_>) -> Option<(Site, usize)> {
        audit.analysis.calls().of_file(self.file).iter().find_map(|call| {
            let row = self.weight_of(audit, self.mapped_rows(audit, call)?);
            (row >= HEAVY_ROW).then_some((call.site, row))
        })
    }

    /// The same in a component that this one renders and nobody memoised: it renders whenever this one does.
    fn heavy_list_below(&self, audit: &Audit<'_, '_>) -> Option<(Site, usize)> {
        self.elements().into_iter().find_map(|element| {
            let Kind::Element { component, .. } = self.module.kind(element) else { return None };
            if !self.module.source(component).starts_with(char::is_uppercase)
                || self.memo_of(audit, component).is_some()
            {
                return None;
            }
            let (file, function) = rendered(audit.analysis, audit.resolver, (self.file, component))?;
            let module = audit.program().module(file)?;
            let found = audit.analysis.components(file).iter().find(|it| it.function == (file, function))?;
            Case { file, module, component: found }.heavy_list(audit)
        })
    }

    /// The callback of `rows.map(…)` in the component's render, over rows of unknown number.
    pub(super) fn mapped_rows(&self, audit: &Audit<'_, '_>, call: &Call<'_>) -> Option<FunctionId> {
        let Kind::Call { callee, .. } = self.module.kind(call.site.1) else { return None };
        let Kind::Member { object, name } = self.module.kind(callee) else { return None };
        let callback = call.handed.first()?.function;
        if self.module.str(name) != "map"
            || callback.0 != self.file
            || !self.is_in_render(audit, call.function)
        {
            return None;
        }
        let rows = audit.origins().multiplicity((self.file, object));
        let is_known = matches!(rows, Multiplicity::Constant(_) | Multiplicity::Bounded { .. });
        (!is_known && !is_counted(self.module, object)).then_some(callback.1)
    }

    /// The elements of a row: those that it writes, those of the components that it renders unless they are memoised, and
    /// what a text that is parsed while rendering comes to.
    fn weight_of(&self, audit: &Audit<'_, '_>, function: FunctionId) -> usize {
        let Some(lowered) = self.module.function(function) else { return 0 };
        let inside = self.module.node_ids().filter(|node| self.module.contains(lowered.node, *node));
        let weights = inside.map(|node| match self.module.kind(node) {
            Kind::Element { component, .. } => 1 + self.weight_below(audit, component),
            _ => 0,
        });
        weights.sum()
    }

    /// Where the component of a row is declared that is the most work, with its name.
    fn heaviest(&self, audit: &Audit<'_, '_>, list: NodeId) -> Option<(Site, String)> {
        let inside = self.module.all_nodes(list).into_iter();
        let components = inside.filter_map(|node| match self.module.kind(node) {
            Kind::Element { component, .. } if component.is_some() => Some(component),
            _ => None,
        });
        let weighed = components.map(|component| (self.weight_below(audit, component), component));
        let (weight, component) = weighed.max_by_key(|(weight, _)| *weight)?;
        let Kind::Name { binding, .. } = self.module.kind(component) else { return None };
        let place = match (
            loader(self.module, component),
            rendered(audit.analysis, audit.resolver, (self.file, component)),
        ) {
            (Some(_), _) => (self.file, self.module.binding(binding)?.node),
            (None, Some((file, function))) => (file, audit.program().module(file)?.function(function)?.node),
            (None, None) => return None,
        };
        (weight >= HEAVY_ROW).then(|| (place, self.module.source(component).to_owned()))
    }

    /// The elements of a component that is not memoised.
    fn weight_below(&self, audit: &Audit<'_, '_>, component: NodeId) -> usize {
        if !self.module.source(component).starts_with(char::is_uppercase)
            || self.memo_of(audit, component).is_some()
        {
            return 0;
        }
        let is_kept = loader(self.module, component)
            .and_then(|loader| self.module.function(loader))
            .is_some_and(|loader| self.module.source(loader.node).contains("memo("));
        if is_kept { 0 } else { self.weight_of_component(audit, component) }
    }

    /// The elements of a component, and what a text that it parses comes to.
    pub(super) fn weight_of_component(&self, audit: &Audit<'_, '_>, component: NodeId) -> usize {
        let Some((file, function)) = rendered(audit.analysis, audit.resolver, (self.file, component)) else {
            return if is_text_renderer(audit, (self.file, component)) { PARSED_ELEMENTS } else { 0 };
        };
        let components = audit.analysis.components(file);
        let found = components.iter().find(|it| it.function == (file, function));
        let (Some(found), Some(module)) = (found, audit.program().module(file)) else { return 0 };
        let inner = Case { file, module, component: found };
        let parses = inner.elements().into_iter().any(|element| {
            matches!(module.kind(element), Kind::Element { component, .. }
                if is_text_renderer(audit, (file, component)))
        });
        found.elements + if parses { PARSED_ELEMENTS } else { 0 }
    }
}

/// Whether a name stands for a component, or function, of a package that parses a text.
pub(super) fn is_text_renderer(audit: &Audit<'_, '_>, site: Site) -> bool {
    audit.resolver.value_of(site).iter().any(|value| match value {
        Value::External(external) => {
            matches!(&external.root, Root::Package(name) if parses_text(audit, name))
        }
        _ => false,
    })
}

/// An array of a constant length, as placeholders are made: `[...Array(5)]`, `Array.from({ length: 5 })`, `Array(5).fill(0)`.
fn is_counted(module: &Module, node: NodeId) -> bool {
    match module.kind(node) {
        Kind::Array(items) => {
            let mut items = module.list(items);
            let first = items.next().map(|it| module.kind(it));
            items.next().is_none() && matches!(first, Some(Kind::Spread(inner)) if is_counted(module, inner))
        }
        Kind::Call { callee, arguments } | Kind::New { callee, arguments } => {
            let first = module.list(arguments).next().map(|it| module.kind(it));
            match (module.source(callee), module.kind(callee)) {
                ("Array", _) => matches!(first, Some(Kind::Number(_))),
                ("Array.from", _) => matches!(first, Some(Kind::Object(properties)) if module
                    .list(properties)
                    .any(|it| matches!(module.kind(it), Kind::Property { key, value }
                        if module.str(key) == "length" && matches!(module.kind(value), Kind::Number(_))))),
                (_, Kind::Member { object, name }) => {
                    matches!(module.str(name), "fill" | "keys") && is_counted(module, object)
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether a package's components parse a text when they render.
fn parses_text(audit: &Audit<'_, '_>, package: &str) -> bool {
    audit.knowledge().roles_of(package).iter().any(|row| row.role == Role::TextRenderer)
}

/// Whether a state's name says that it filters what is shown.
fn chooses_rows(state: &str) -> bool {
    let name = state.to_lowercase();
    ["search", "query", "filter", "term"].iter().any(|word| name.contains(word))
}
