//! Requests on each keystroke: a handler of an input's changes that sends at once.

use loadworthy_analysis::{Component, FunctionRef, Site, Value};
use loadworthy_capacity::{ExtraRequests, Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileId;
use loadworthy_syntax::{BindingId, Kind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Requests per second of one user who types, taken over all users: few type at the same time.
const PER_USER_PER_SECOND: f64 = 0.1;

/// Elements that one types into; others change once for each choice.
const FIELDS: [&str; 8] =
    ["input", "textarea", "Input", "Textarea", "TextField", "TextInput", "TextArea", "InputBase"];

/// Properties that are called for each key.
const HANDLERS: [&str; 4] = ["onChange", "onInput", "onChangeText", "onValueChange"];

pub(super) fn run(audit: &Audit<'_, '_>, module: &Module, component: &Component) -> Option<Finding> {
    if component.elements == 0 {
        return None;
    }
    let (file, function) = component.function;
    let lowered = module.function(function)?;
    module.all_nodes(lowered.node).into_iter().find_map(|element| {
        let Kind::Element { component: tag, parts } = module.kind(element) else { return None };
        if !FIELDS.contains(&module.source(tag)) || is_choice(module, element) {
            return None;
        }
        let handler = module.list(parts).find_map(|part| match module.kind(part) {
            Kind::Property { key, value } if HANDLERS.contains(&module.str(key)) => Some(value),
            _ => None,
        })?;
        let function = handler_of(audit, file, module, handler)?;
        let sends = audit.analysis.works().of(function).any(|effect| effect == Effect::HttpRequest);
        (sends && !is_held_back(audit, function))
            .then(|| finding(audit, component, (file, handler), function))
    })
}

/// The function of the same file that an attribute's value is.
fn handler_of(audit: &Audit<'_, '_>, file: FileId, module: &Module, handler: NodeId) -> Option<FunctionRef> {
    if let Kind::Function(function) = module.kind(handler) {
        return Some((file, function));
    }
    match &*audit.resolver.value_of((file, handler)) {
        [Value::Function(at, function)] if *at == file => Some((*at, *function)),
        _ => None,
    }
}

/// A timer or debounce between the keystroke and the request.
pub(super) fn is_held_back(audit: &Audit<'_, '_>, (file, function): FunctionRef) -> bool {
    let Some(module) = audit.program().module(file) else { return false };
    let text = module.function(function).map_or("", |lowered| module.source(lowered.node));
    let words = ["setTimeout", "ebounce", "throttle"];
    words.iter().any(|word| text.contains(word))
        || audit
            .analysis
            .works()
            .of((file, function))
            .any(|effect| matches!(effect, Effect::TimerDebounce | Effect::TimerSet))
}

fn finding(audit: &Audit<'_, '_>, component: &Component, handler: Site, function: FunctionRef) -> Finding {
    let name = &component.name;
    let request = audit
        .analysis
        .calls()
        .of_function(function)
        .find(|call| audit.analysis.works().of_call(call).any(|effect| effect == Effect::HttpRequest));
    let mut evidence =
        vec![Evidence { place: Place::Code(handler), note: String::from("runs for each key") }];
    evidence.extend(
        request.map(|call| Evidence { place: Place::Code(call.site), note: String::from("sends a request") }),
    );
    let cost = audit.cost_at(handler).reached(Reach::PerRender);
    Finding::new(
        &META,
        handler,
        evidence,
        cost.extra(ExtraRequests::PerUserPerSecond(PER_USER_PER_SECOND)),
        Words {
            title: format!("{name} requests on each keystroke"),
            problem: format!(
                "The field's handler sends a request for every key: a word of eight letters is eight requests, of which seven are \
                 for nothing, and an answer that comes late overwrites that of the whole word. Of {} users who search now and then, \
                 the server answers mostly beginnings of words.",
                audit.target.users
            ),
            verify: format!(
                "Type a word of eight letters quickly into {name} and count the requests in the network panel: eight now, one after \
                 the change."
            ),
            tradeoff: String::from("The list follows 300 ms after the last key."),
        },
        Fix {
            description: String::from(
                "Keep the text in state, wait 300 ms after the last key (an effect with a timer that its cleanup clears, or a \
                 debounced value), and abort the request before.",
            ),
            before: Some(audit.excerpt(handler, 200)),
            after: Some(String::from(
                "useEffect(() => {\n  const controller = new AbortController();\n  const timer = setTimeout(() => {\n    // the request, with { signal: controller.signal }\n  }, 300);\n  return () => {\n    clearTimeout(timer);\n    controller.abort();\n  };\n}, [text]);",
            )),
            ..Fix::default()
        },
    )
    .confidence(Confidence::Medium)
    .at_least(Severity::Medium)
    .at_most(Severity::High)
}

/// Whether an element's `onChange` or `onInput` sets it from the event.
pub(super) fn is_typed(module: &Module, setter: BindingId) -> bool {
    is_set_by_field(module, setter, 0)
}

/// Whether a field's handler calls a name, or another function does that a field's handler is: `const search = (event) =>
/// setQuery(event.target.value)`.
fn is_set_by_field(module: &Module, setter: BindingId, depth: u32) -> bool {
    module.references(setter).iter().any(|name| {
        if depth == 0
            && let Some(handler) = named_handler(module, *name)
            && is_set_by_field(module, handler, depth + 1)
        {
            return true;
        }
        let mut inner = *name;
        for outer in module.ancestors(*name) {
            if let Kind::Property { key, value } = module.kind(outer)
                && value == inner
                && matches!(module.kind(module.parent(outer)), Kind::Element { .. })
            {
                return HANDLERS.contains(&module.str(key)) && !is_choice(module, module.parent(outer));
            }
            inner = outer;
        }
        false
    })
}

/// The name of the function around a place, where it does little more than set what an event holds.
fn named_handler(module: &Module, node: NodeId) -> Option<BindingId> {
    let function = module.function(module.enclosing_function(node))?;
    let is_of_event = module.source(function.node).contains(".target.value");
    let Kind::Declarator { target, .. } = module.kind(module.parent(function.node)) else { return None };
    let Kind::Binding(name) = module.kind(target) else { return None };
    is_of_event.then_some(name)
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
