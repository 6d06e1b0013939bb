//! A connect that fails at the start, is only logged, and is never tried again, while the server listens anyway.

use loadworthy_analysis::{Call, Fate, Site, fate};
use loadworthy_capacity::{Cost, Failure, Severity};
use loadworthy_knowledge::{Effect, GivesUp};
use loadworthy_syntax::{Kind, Module, NodeId};

use super::META;
use super::process::{Processes, is_server_code};
use crate::audit::Audit;
use crate::finding::{Evidence, Finding, Fix, Place, Words};

pub(super) fn report(audit: &Audit<'_, '_>, processes: &Processes, findings: &mut Vec<Finding>) {
    let mut seen: Vec<Site> = Vec::new();
    for call in audit.analysis.calls().iter() {
        let Some((connect, row)) = connect_of(audit, call) else { continue };
        let Some(module) = audit.module(call.site) else { continue };
        if !is_server_code(audit, call.site) || fate(module, call.site.1) != Fate::Caught {
            continue;
        }
        let Some(catcher) = catcher(module, call.site.1) else { continue };
        let handler = (call.site.0, catcher);
        let listens = processes.application(audit, call.site).and_then(|it| it.listens_at);
        let Some(listens) = listens else { continue };
        let is_inside = call.targets.contains(&audit.analysis.owner(listens));
        if gives_up_loudly(audit, handler)
            || is_inside
            || depends_on(audit, listens, call.site)
            || seen.contains(&connect)
        {
            continue;
        }
        seen.push(connect);
        findings.push(finding(audit, call, connect, handler, listens, row));
    }
}

/// The connect that a call is, or runs, if nothing tries it again.
fn connect_of<'p>(audit: &Audit<'_, 'p>, call: &Call<'_>) -> Option<(Site, &'p GivesUp)> {
    let root = audit.analysis.failures().of_call(audit.program(), call).rejects?.root;
    let connect = audit.analysis.calls().at(root)?;
    let library = connect.library.as_ref()?;
    let row = audit.knowledge().gives_up(library.lib, library.on, &library.name)?;
    Some((root, row))
}

/// The `catch` clause or the function given to `.catch` that ends the failure of an expression.
fn catcher(module: &Module, node: NodeId) -> Option<NodeId> {
    let mut inner = node;
    for outer in module.ancestors(node) {
        match module.kind(outer) {
            Kind::Try { block, handler, .. } if block == inner => return handler.ok(),
            Kind::Member { name, .. } if module.str(name) == "catch" => {
                return match module.kind(module.parent(outer)) {
                    Kind::Call { arguments, .. } => module.list(arguments).next(),
                    _ => None,
                };
            }
            Kind::Function(_) => return None,
            _ => {}
        }
        inner = outer;
    }
    None
}

/// Whether the handler ends the process, throws on, or tries again: anything but looking at the error and logging.
fn gives_up_loudly(audit: &Audit<'_, '_>, (file, handler): Site) -> bool {
    let Some(module) = audit.program().module(file) else { return true };
    // `.catch(handle)`: a function of another place is not looked into.
    if !matches!(module.kind(handler), Kind::Catch { .. } | Kind::Function(_)) {
        return true;
    }
    module.all_nodes(handler).into_iter().any(|node| match module.kind(node) {
        Kind::Throw(_) => true,
        Kind::Call { .. } | Kind::New { .. } => {
            let Some(call) = audit.analysis.calls().at((file, node)) else { return true };
            let is_log = call.library.as_ref().is_some_and(|it| {
                matches!(it.effect(), Some(Effect::LogWrite | Effect::Builder) | None) && it.module.is_none()
                    || it.effect() == Some(Effect::LogWrite)
            });
            !is_log && !is_console(module, node)
        }
        _ => false,
    })
}

fn is_console(module: &Module, node: NodeId) -> bool {
    let Kind::Call { callee, .. } = module.kind(node) else { return false };
    let text = module.source(callee);
    text.starts_with("console.") || text.to_lowercase().contains("log")
}

/// Whether the server only listens where the connect has succeeded: in the same `try`, or in its `then`.
fn depends_on(audit: &Audit<'_, '_>, listens: Site, connect: Site) -> bool {
    if listens.0 != connect.0 {
        return false;
    }
    let Some(module) = audit.program().module(listens.0) else { return true };
    let around = |node: NodeId| -> Vec<NodeId> {
        module
            .ancestors(node)
            .filter(|it| matches!(module.kind(*it), Kind::Try { .. } | Kind::Call { .. }))
            .collect()
    };
    let own = around(connect.1);
    let is_chained = |node: NodeId| {
        // `connect().then(() => app.listen())`: the connect is in the callee of a call around the listen.
        module.node(node).span.start <= module.node(connect.1).span.start
            && module.node(connect.1).span.end <= module.node(node).span.end
    };
    around(listens.1).into_iter().any(|it| own.contains(&it) || is_chained(it))
}

fn finding(
    audit: &Audit<'_, '_>,
    call: &Call<'_>,
    connect: Site,
    handler: Site,
    listens: Site,
    row: &GivesUp,
) -> Finding {
    let evidence = vec![
        Evidence { place: Place::Code(connect), note: format!("`{}` may fail", audit.excerpt(connect, 60)) },
        Evidence { place: Place::Code(handler), note: String::from("the failure is logged and that is all") },
        Evidence { place: Place::Code(listens), note: String::from("the server listens anyway") },
    ];
    let words = Words {
        title: String::from(
            "a failed connect to the database is only logged and the server listens without it",
        ),
        problem: format!(
            "If the database is not there when an instance starts (a restart of both, a failover, DNS), the failure is logged and the server listens: {}. \
             The process looks alive, so no supervisor restarts it and the balancer sends it its share of the load, which all fails.",
            row.then
        ),
        verify: String::from(
            "Start the instance with the database stopped: it must exit with 1 (and be restarted) or keep trying, and must not accept requests before it is connected.",
        ),
        tradeoff: String::from(
            "While the database is down instances restart in a loop: let the supervisor back off.",
        ),
    };
    let before = audit.lines_around(handler, 0);
    let fix = Fix {
        description: String::from(
            "Let the start fail: rethrow, or exit with 1 so that the supervisor restarts the process; listen after the connect.",
        ),
        after: before.rfind('}').map(|at| {
            let mut after = before.clone();
            after.insert_str(at, "  process.exit(1);\n");
            after
        }),
        before: Some(before),
        ..Fix::default()
    };
    let _ = call;
    let cost = Cost::at_share(1.0).failing(Failure::HangsRequest);
    Finding::new(&META, handler, evidence, cost, words, fix).at_most(Severity::High)
}
