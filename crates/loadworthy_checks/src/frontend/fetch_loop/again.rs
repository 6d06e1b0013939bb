//! What a component asks for although a context that it reads holds the answer.

use loadworthy_analysis::{ClientRequest, Component, FunctionRef, Site};
use loadworthy_capacity::{Reach, Severity};
use loadworthy_project::FileClass;
use loadworthy_syntax::{Kind, Module};

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};
use crate::frontend::answers::route_of;

/// A request that an effect sends when its component is shown.
struct Asked {
    request: Site,
    effect: Site,
    route: usize,
    component: FunctionRef,
    name: String,
}

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut held: Vec<Asked> = Vec::new();
    let mut others: Vec<Asked> = Vec::new();
    for (file, module) in audit.program().modules() {
        if !audit.program().class(file).is_some_and(FileClass::may_be_client) {
            continue;
        }
        for component in audit.analysis.components(file) {
            let list = if provides(module, component) { &mut held } else { &mut others };
            asked_by(audit, module, component, list);
        }
    }
    for other in &others {
        let same =
            held.iter().find(|it| it.route == other.route && reads(audit, other.component, it.component));
        findings.extend(same.map(|same| finding(audit, other, same)));
    }
}

/// Whether a component renders the provider of a context.
fn provides(module: &Module, component: &Component) -> bool {
    let Some(lowered) = module.function(component.function.1) else { return false };
    module.all_nodes(lowered.body).into_iter().any(|node| match module.kind(node) {
        Kind::Element { component, .. } if component.is_some() => {
            module.source(component).ends_with(".Provider")
        }
        _ => false,
    })
}

/// The requests of fixed addresses that the effects of a component send, themselves or through a function of the component.
fn asked_by(audit: &Audit<'_, '_>, module: &Module, component: &Component, list: &mut Vec<Asked>) {
    let (file, _) = component.function;
    for effect in &component.effects {
        let own = (file, effect.function);
        let called =
            audit.analysis.graph().callees(own).map(|edge| edge.callee).filter(|callee| callee.0 == file);
        let functions: Vec<FunctionRef> = std::iter::once(own).chain(called).collect();
        for function in functions {
            for request in audit.analysis.clients().within(module, function).filter(|it| is_fixed(it)) {
                let [route] = request.routes.as_slice() else { continue };
                if list.iter().all(|it| it.route != *route || it.component != component.function) {
                    list.push(Asked {
                        request: request.site,
                        effect: effect.site,
                        route: *route,
                        component: component.function,
                        name: component.name.clone(),
                    });
                }
            }
        }
    }
}

/// The same for everybody who asks: no part of the address differs.
fn is_fixed(request: &ClientRequest) -> bool {
    request.method == "GET" && !request.address.path().contains(':') && request.address.query().is_empty()
}

/// Whether a component calls a hook of the file in which a provider stands.
fn reads(audit: &Audit<'_, '_>, component: FunctionRef, provider: FunctionRef) -> bool {
    component.0 != provider.0
        && audit.analysis.calls().of_function(component).any(|call| {
            call.targets.iter().any(|target| {
                target.0 == provider.0
                    && audit
                        .analysis
                        .components(target.0)
                        .iter()
                        .any(|it| it.is_hook && it.function == *target)
            })
        })
}

fn finding(audit: &Audit<'_, '_>, asked: &Asked, held: &Asked) -> Finding {
    let (name, provider, route) = (&asked.name, &held.name, route_of(audit, asked.route));
    let mut found = Finding::new(
        &META,
        asked.request,
        vec![
            Evidence { place: Place::Code(asked.request), note: format!("{name} asks for it") },
            Evidence { place: Place::Code(asked.effect), note: format!("each time {name} is shown") },
            Evidence { place: Place::Code(held.request), note: format!("{provider} has asked for it and holds the answer") },
        ],
        audit.cost_at(asked.request).reached(Reach::PerRender),
        Words {
            title: format!("{name} asks again for what {provider} holds"),
            problem: format!(
                "{provider} requests {route} when the application starts and gives the answer to all who read its context, {name} among \
                 them. {name} requests the same once more each time it is shown: another query for each visit, a second copy of the \
                 state, and two answers that may differ."
            ),
            verify: format!("Open the page with {name} and filter the network panel by {route}: two requests now, one after the change."),
            tradeoff: String::from("What the context holds is as old as its last load; refresh it there where it must be current."),
        },
        Fix {
            description: format!("Read it from the context of {provider}, and let that refresh it where it has changed; or give both one cached query."),
            before: Some(audit.source(audit.statement(asked.request)).to_owned()),
            ..Fix::default()
        },
    )
    .confidence(Confidence::Medium)
    .at_least(Severity::Monitor)
    .at_most(Severity::Medium);
    found.routes = Some(vec![route]);
    found
}
