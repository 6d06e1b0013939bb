//! Requests of a component that wait for another component's, though they need nothing of it: the parent shows nothing else until
//! its own answer is there.

use loadworthy_analysis::{
    Component, FunctionRef, Site, component_at, elements_of, filled_by, given, property_of,
};
use loadworthy_capacity::{Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileClass;
use loadworthy_syntax::{BindingKind, FunctionId, Kind, Module, NodeId};

use super::{META, SERVICE_MILLIS};
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Components within components that are followed.
const DEEPEST: u32 = 3;

/// Words in names and addresses of what has to come first: who the user is.
const FIRST: [&str; 12] = [
    "auth", "session", "login", "guard", "protect", "private", "provider", "token", "/me", "user", "profile",
    "config",
];

/// Components that are shown when they are opened.
const OPENED: [&str; 10] =
    ["modal", "dialog", "drawer", "popover", "tooltip", "menu", "sheet", "accordion", "collaps", "expand"];

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    if audit.analysis.clients().all().is_empty() {
        return;
    }
    for (file, module) in audit.program().modules() {
        if !audit.program().class(file).is_some_and(FileClass::may_be_client) {
            continue;
        }
        for component in audit.analysis.components(file).iter().filter(|it| !it.is_hook) {
            findings.extend(waiting(audit, module, component));
        }
    }
}

/// A return before the rest of a component, while its own request is under way.
struct Gate {
    /// The `if`.
    at: NodeId,
    /// The request.
    request: usize,
}

/// A request that begins when its component is shown.
struct Late {
    /// Where it is sent, or the hook that sends it is called.
    site: Site,
    component: FunctionRef,
    depth: u32,
}

fn waiting(audit: &Audit<'_, '_>, module: &Module, parent: &Component) -> Option<Finding> {
    let (file, function) = parent.function;
    let is_first = |text: &str| FIRST.iter().any(|word| text.to_lowercase().contains(word));
    if is_first(&parent.name) {
        return None;
    }
    let gate = gate(audit, module, parent)?;
    let request = audit.analysis.clients().all().get(gate.request)?;
    if is_first(&request.address.path()) || request.method != "GET" {
        return None;
    }
    let end = module.node(gate.at).span.end;
    let mut late: Vec<Late> = Vec::new();
    let body = module.function(function)?.body;
    for element in module.all_nodes(body) {
        let is_after = module.node(element).span.start >= end;
        if !is_after || !is_shown(module, body, element) {
            continue;
        }
        let Some(child) = component_at(audit.analysis, audit.resolver, (file, element)) else { continue };
        requests_of(audit, child, 0, &mut late);
    }
    late.retain(|it| it.component != parent.function);
    late.sort_unstable_by_key(|it| (it.depth, it.site));
    late.dedup_by_key(|it| it.site);
    let first = late.first()?;
    Some(finding(audit, parent, (request.site, (file, gate.at)), &late, first))
}

/// `if (!data) return <Loader />`, where a request fills `data`.
fn gate(audit: &Audit<'_, '_>, module: &Module, parent: &Component) -> Option<Gate> {
    let (file, function) = parent.function;
    let Kind::Block(statements) = module.kind(module.function(function)?.body) else { return None };
    module.list(statements).find_map(|statement| {
        let Kind::If { test, then, .. } = module.kind(statement) else { return None };
        let leaves = module.all_nodes(then).into_iter().any(|it| matches!(module.kind(it), Kind::Return(_)));
        if !leaves {
            return None;
        }
        module.all_nodes(test).into_iter().find_map(|node| {
            let Kind::Name { binding, .. } = module.kind(node) else { return None };
            let declared = module.binding(binding)?;
            if declared.kind == BindingKind::Parameter {
                return None;
            }
            let filled = filled_by(audit.analysis, (file, node));
            match filled.requests.as_slice() {
                [only] => Some(Gate { at: statement, request: *only }),
                _ => None,
            }
        })
    })
}

/// Whether an element stands there as soon as its component is shown: not behind a choice, and not in what is opened.
fn is_shown(module: &Module, body: NodeId, element: NodeId) -> bool {
    let name = |node: NodeId| match module.kind(node) {
        Kind::Element { component, .. } if component.is_some() => module.source(component).to_lowercase(),
        _ => String::new(),
    };
    let is_opened = |node: NodeId| {
        let name = name(node);
        OPENED.iter().any(|word| name.contains(word)) || name.contains("tab") && !name.contains("table")
    };
    if is_opened(element) {
        return false;
    }
    let mut inner = element;
    for outer in module.ancestors(element).take_while(|outer| *outer != body) {
        match module.kind(outer) {
            Kind::Binary { left, .. } if left != inner => return false,
            Kind::Conditional { .. } | Kind::If { .. } | Kind::Case { .. } => return false,
            Kind::Element { .. } if is_opened(outer) => return false,
            // What else is handed down may never be shown.
            Kind::Property { key, .. }
                if !matches!(module.str(key), "render" | "element" | "children" | "component") =>
            {
                return false;
            }
            _ => {}
        }
        inner = outer;
    }
    true
}

/// The requests that a component sends when it is shown, without anything of what its parent has asked for.
fn requests_of(audit: &Audit<'_, '_>, child: FunctionRef, depth: u32, late: &mut Vec<Late>) {
    let Some(module) = audit.program().module(child.0) else { return };
    let components = audit.analysis.components(child.0);
    let Some(component) = components.iter().find(|it| it.function == child) else { return };
    for call in audit.analysis.calls().of_function(child) {
        let Kind::Call { callee, arguments } = module.kind(call.site.1) else { continue };
        let is_hook = module.source(callee).rsplit('.').next().is_some_and(|name| name.starts_with("use"))
            || module.source(callee).split('.').next().is_some_and(|name| name.starts_with("use"));
        let is_kept =
            call.library.as_ref().and_then(loadworthy_analysis::LibraryCall::effect).is_some_and(|effect| {
                matches!(
                    effect,
                    Effect::ReactState | Effect::ReactEffect | Effect::ReactMemo | Effect::ReactContext
                )
            });
        if !is_hook || is_kept || module.source(call.site.1).contains("useMutation") {
            continue;
        }
        if !asks_at_once(audit, module, call.site) {
            continue;
        }
        if module.list(arguments).all(|argument| is_free(audit, module, child, argument, 0)) {
            late.push(Late { site: call.site, component: child, depth });
        }
    }
    for effect in &component.effects {
        let clients = audit.analysis.clients();
        let sent = clients.within(module, (child.0, effect.function)).find(|request| {
            request.method == "GET"
                && module.enclosing_function(request.site.1) != FunctionId::NONE
                && is_free(audit, module, child, request.site.1, 0)
        });
        let waits = effect.dependencies.iter().flatten().any(|node| !is_free(audit, module, child, *node, 0));
        if let Some(request) = sent.filter(|_| !waits) {
            late.push(Late { site: request.site, component: child, depth });
        }
    }
    if depth >= DEEPEST || gate(audit, module, component).is_some() {
        return;
    }
    let Some(lowered) = module.function(child.1) else { return };
    for inner in module.all_nodes(lowered.body) {
        if !matches!(module.kind(inner), Kind::Element { .. }) || !is_shown(module, lowered.body, inner) {
            continue;
        }
        if let Some(next) = component_at(audit.analysis, audit.resolver, (child.0, inner))
            && next != child
        {
            requests_of(audit, next, depth + 1, late);
        }
    }
}

/// Whether a hook sends a request that reads when its component is shown.
fn asks_at_once(audit: &Audit<'_, '_>, module: &Module, site: Site) -> bool {
    let text = module.source(site.1);
    // What is asked for later, or only sometimes.
    if ["lazy", "Lazy", "enabled", "skip", "null"].iter().any(|word| text.contains(word)) {
        return false;
    }
    let clients = audit.analysis.clients().all();
    let filled = filled_by(audit.analysis, site);
    matches!(filled.requests.as_slice(), [only] if clients.get(*only).is_some_and(|it| it.method == "GET"))
}

/// Whether an expression of a component holds nothing that its parents must have asked for: constants, the page's address, and
/// properties that are given from it.
fn is_free(audit: &Audit<'_, '_>, module: &Module, component: FunctionRef, node: NodeId, depth: u32) -> bool {
    if depth > 4 {
        return false;
    }
    module.all_nodes(node).into_iter().all(|inner| {
        let Kind::Name { binding, .. } = module.kind(inner) else { return true };
        let Some(declared) = module.binding(binding) else { return true };
        match declared.kind {
            BindingKind::Import(_) | BindingKind::Function | BindingKind::Class => true,
            // A parameter of a callback inside is its own.
            BindingKind::Parameter if module.enclosing_function(declared.node) != component.1 => true,
            BindingKind::Parameter => property_of(module, component, binding)
                .is_some_and(|name| is_of_address(audit, component, &name)),
            _ if module.enclosing_function(declared.node) != component.1 => true,
            _ => {
                let init =
                    module.ancestors(declared.node).take(5).find_map(|outer| match module.kind(outer) {
                        Kind::Declarator { init, .. } if init.is_some() => Some(init),
                        _ => None,
                    });
                init.is_none_or(|init| {
                    let text = module.source(init);
                    text.starts_with("useParams")
                        || text.starts_with("useState")
                        || text.starts_with("useSearchParams")
                        || text.starts_with("useLocation")
                        || text.starts_with("useRouteMatch")
                        || !text.starts_with("use") && is_free(audit, module, component, init, depth + 1)
                })
            }
        }
    })
}

/// Whether every element of a component is given a property from the page's address.
fn is_of_address(audit: &Audit<'_, '_>, component: FunctionRef, property: &str) -> bool {
    let elements = elements_of(audit.analysis, audit.resolver, component);
    !elements.is_empty()
        && elements.iter().all(|(file, element)| {
            let Some(module) = audit.program().module(*file) else { return false };
            given(module, *element, property).is_some_and(|value| module.source(value).contains("params."))
        })
}

fn finding(
    audit: &Audit<'_, '_>,
    parent: &Component,
    (request, gate): (Site, Site),
    late: &[Late],
    first: &Late,
) -> Finding {
    let child = audit.function_name(first.component);
    let mut evidence =
        vec![Evidence { place: Place::Code(first.site), note: format!("sent when {child} is shown") }];
    evidence.push(Evidence {
        place: Place::Code(gate),
        note: format!("{} shows nothing else until then", parent.name),
    });
    evidence.push(Evidence { place: Place::Code(request), note: String::from("what it waits for") });
    for other in late.iter().skip(1) {
        let name = audit.function_name(other.component);
        evidence.push(Evidence { place: Place::Code(other.site), note: format!("waits as well, in {name}") });
    }
    let asked = audit.excerpt(first.site, 60);
    let mut found = Finding::new(
        &META,
        first.site,
        evidence,
        audit.cost_at(first.site).reached(Reach::PerRender),
        Words {
            title: format!("{child} asks only after the answer for {}, of which it needs nothing", parent.name),
            problem: format!(
                "{} shows a placeholder until its own request is answered, and {child} is below it: `{asked}` is sent only then, though \
                 nothing in it comes from that answer. The page is complete after the sum of both where it could be after the longer: \
                 {SERVICE_MILLIS:.0} ms more on a normal day, and under load as much as the slowest answers take.",
                parent.name
            ),
            verify: String::from(
                "Load the page with the network panel open: the second request begins where the first one ends. After the change both begin together.",
            ),
            tradeoff: String::from(
                "The second request is sent even where the first one fails or shows another page.",
            ),
        },
        Fix {
            description: format!(
                "Send it beside the first: call it in {} before the early return (a cached query answers {child} from there), in the route's loader, or show {child} with a placeholder of its own instead of waiting.",
                parent.name
            ),
            before: Some(audit.source(audit.statement(gate)).to_owned()),
            after: Some(format!(
                "// in {}, before the first early return: both requests begin together\n{asked};",
                parent.name
            )),
            ..Fix::default()
        },
    )
    .confidence(Confidence::Medium)
    .at_least(if first.depth == 0 { Severity::Medium } else { Severity::Monitor })
    .at_most(Severity::Medium);
    found.routes = Some(Vec::new());
    found
}
