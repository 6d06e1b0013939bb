//! Failures that are no exceptions of a `try`: a response whose status leads back, and `.catch(() => again())`.

use loadworthy_analysis::{FunctionRef, LibraryCall, Site, Timing, results};
use loadworthy_knowledge::Effect;
use loadworthy_syntax::{BindingId, FunctionId, Kind, Module, NodeId};

use super::loops::{self, Parts, Retry};
use super::requeues::is_catch_call;
use crate::audit::Audit;
use crate::finding::Finding;

/// Words of what is asked once more with new credentials.
const RENEWS: [&str; 4] = ["401", "403", "refresh", "token"];

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for call in audit.analysis.calls().iter() {
        let Some(module) = audit.module(call.site) else { continue };
        let owner = (call.site.0, call.function);
        if call.function == FunctionId::NONE {
            continue;
        }
        let asks = call.library.as_ref().and_then(LibraryCall::effect) == Some(Effect::HttpRequest);
        let found = if asks {
            in_loop(audit, module, owner, call.site).or_else(|| by_status(audit, module, owner, call.site))
        } else if is_catch_call(module, call.site.1) {
            by_catch(audit, module, owner, call.site)
        } else {
            None
        };
        findings.extend(found.and_then(|retry| loops::finding(audit, &retry)));
    }
}

/// A loop that goes on while the status of a response is bad; one that follows redirects asks for something else.
fn in_loop(audit: &Audit<'_, '_>, module: &Module, owner: FunctionRef, (_, call): Site) -> Option<Retry> {
    let outer = module
        .ancestors(call)
        .take_while(|outer| !matches!(module.kind(*outer), Kind::Function(_)))
        .find(|outer| {
            matches!(
                module.kind(*outer),
                Kind::Try { .. }
                    | Kind::ForOf { .. }
                    | Kind::ForIn { .. }
                    | Kind::ForAwait { .. }
                    | Kind::For(_)
                    | Kind::While { .. }
                    | Kind::DoWhile { .. }
            )
        })?;
    let test = match module.kind(outer) {
        Kind::While { test, .. } | Kind::DoWhile { test, .. } => Some(test),
        Kind::For(parts) => module.list(parts).nth(1),
        _ => return None,
    };
    let names = results(module, call);
    let ends_by_test = test.is_some_and(|test| reads_status(module, test, &names));
    let ends_inside = module.all_nodes(outer).into_iter().any(|node| match module.kind(node) {
        Kind::If { test, then, .. } => reads_status(module, test, &names) && leaves(module, then),
        _ => false,
    });
    let follows = module.source(outer).to_lowercase().contains("redirect");
    if follows || !loops::is_open_loop(module, outer) || !ends_by_test && !ends_inside {
        return None;
    }
    let is_conditional = !ends_by_test && matches!(module.kind(outer), Kind::For(_));
    let parts =
        Parts { tried: call, block: call, handler: outer, again: outer, is_loop: true, is_conditional };
    loops::retry(audit, module, owner, &parts)
}

/// `if (response.status === 429) return this.call(path, attempt + 1)`
fn by_status(audit: &Audit<'_, '_>, module: &Module, owner: FunctionRef, (_, call): Site) -> Option<Retry> {
    let names = results(module, call);
    let edges = audit.analysis.graph().callees(owner);
    let mut again = edges.filter(|edge| edge.callee == owner && edge.timing == Timing::InFlow);
    let (again, handler) = again.find_map(|edge| {
        let around = module.ancestors(edge.site.1).find(|outer| {
            matches!(module.kind(*outer), Kind::If { test, then, .. }
                if reads_status(module, test, &names) && module.contains(then, edge.site.1))
        })?;
        Some((edge.site.1, around))
    })?;
    let text = module.source(handler);
    if RENEWS.iter().any(|word| text.to_lowercase().contains(word)) {
        return None;
    }
    let parts = Parts { tried: call, block: call, handler, again, is_loop: false, is_conditional: false };
    loops::retry(audit, module, owner, &parts)
}

/// `task().catch(() => again())`
fn by_catch(audit: &Audit<'_, '_>, module: &Module, owner: FunctionRef, (_, call): Site) -> Option<Retry> {
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    let Kind::Member { object, .. } = module.kind(callee) else { return None };
    let handler = module.list(arguments).next()?;
    let mut callers = audit.analysis.graph().callers(owner);
    let again = callers.find(|edge| edge.site.0 == owner.0 && module.contains(handler, edge.site.1))?.site.1;
    let around = std::iter::once(again).chain(module.ancestors(again).take_while(|outer| *outer != handler));
    let is_timer = around.into_iter().any(|outer| {
        matches!(module.kind(outer), Kind::Call { callee, .. } if module.source(callee).ends_with("setTimeout"))
    });
    if is_timer {
        return None;
    }
    let tried = first_call(module, object)?;
    let parts = Parts { tried, block: object, handler, again, is_loop: false, is_conditional: false };
    loops::retry(audit, module, owner, &parts)
}

/// The call that a chain of `.then(…)` begins with.
fn first_call(module: &Module, chain: NodeId) -> Option<NodeId> {
    let Kind::Call { callee, .. } = module.kind(chain) else { return None };
    match module.kind(callee) {
        Kind::Member { object, .. } => first_call(module, object).or(Some(chain)),
        _ => Some(chain),
    }
}

/// Whether a test reads `response.ok` or `response.status`.
fn reads_status(module: &Module, test: NodeId, names: &[BindingId]) -> bool {
    module.all_nodes(test).into_iter().any(|node| {
        let Kind::Member { object, name } = module.kind(node) else { return false };
        let is_status = matches!(module.str(name), "ok" | "status" | "statusCode");
        is_status && matches!(module.kind(object), Kind::Name { binding, .. } if names.contains(&binding))
    })
}

/// Whether a branch ends the loop.
fn leaves(module: &Module, branch: NodeId) -> bool {
    match module.kind(branch) {
        Kind::Break | Kind::Return(_) => true,
        Kind::Block(list) => module
            .list(list)
            .last()
            .is_some_and(|last| matches!(module.kind(last), Kind::Break | Kind::Return(_))),
        _ => false,
    }
}
