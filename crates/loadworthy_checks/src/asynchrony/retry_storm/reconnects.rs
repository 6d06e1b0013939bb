//! Connections that all clients make again after the same pause.

use loadworthy_analysis::Site;
use loadworthy_capacity::{Cost, Reach, Severity};
use loadworthy_project::FileClass;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::database::rows::plain;
use crate::finding::{Evidence, Finding, Fix, Place, Words};

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for (file, module) in audit.program().modules() {
        let is_client = audit.program().class(file).is_some_and(FileClass::may_be_client);
        if !is_client || !module.text().contains("WebSocket") && !module.text().contains("EventSource") {
            continue;
        }
        for call in module.calls() {
            if let Some(millis) = fixed(module, *call) {
                findings.push(finding(audit, (file, *call), millis));
            }
        }
    }
}

/// `setTimeout(connect, 3000)` in a handler of the connection's end, with a constant pause.
fn fixed(module: &Module, call: NodeId) -> Option<f64> {
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    if !matches!(module.source(callee), "setTimeout" | "window.setTimeout") {
        return None;
    }
    let mut arguments = module.list(arguments);
    let (task, pause) = (arguments.next()?, arguments.next()?);
    let Kind::Number(_) = module.kind(pause) else { return None };
    let millis: f64 = module.source(pause).replace('_', "").parse().ok()?;
    let connects = module.source(task).to_lowercase();
    if !connects.contains("connect") {
        return None;
    }
    let in_end = module.ancestors(call).any(|outer| match module.kind(outer) {
        Kind::Assign { target, .. } => {
            let text = module.source(target);
            text.ends_with("onclose") || text.ends_with("onerror")
        }
        Kind::Call { callee, arguments } => {
            let Kind::Member { name, .. } = module.kind(callee) else { return false };
            let is_listener = matches!(module.str(name), "addEventListener" | "on");
            is_listener
                && module.list(arguments).next().is_some_and(|event| {
                    let text = module.source(event);
                    text.contains("close") || text.contains("error")
                })
        }
        _ => false,
    });
    in_end.then_some(millis)
}

fn finding(audit: &Audit<'_, '_>, site: Site, millis: f64) -> Finding {
    let users = f64::from(audit.target.users);
    let per_second = users / (millis / 1_000.0).max(0.1);
    let code = audit.excerpt(site, 80);
    let words = Words {
        title: format!("all clients reconnect after the same {} ms", plain(millis)),
        problem: format!(
            "`{code}` runs in every browser that lost its connection. After a restart of the server {} clients come back in the same moment and, as long as it refuses them, again every {} ms: {} connections a second, each with its handshake and its first queries, on a server that has just started.",
            plain(users),
            plain(millis),
            plain(per_second)
        ),
        verify: format!(
            "Connect {} clients, restart the server and plot accepted connections per second: spread over half a minute after the change.",
            plain(users)
        ),
        tradeoff: String::from(
            "Some users wait longer for live data after an interruption; show that the page reconnects.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Double the pause up to 30 s, with chance in it, and start again at one second once a connection holds.",
        ),
        before: Some(code),
        after: Some(String::from(
            "const pause = Math.random() * Math.min(30_000, 1_000 * 2 ** attempt++);\nsetTimeout(connect, pause);",
        )),
        ..Fix::default()
    };
    let evidence = vec![Evidence {
        place: Place::Code(site),
        note: format!("a constant pause of {} ms", plain(millis)),
    }];
    let mut found =
        Finding::new(&META, site, evidence, Cost::at_share(1.0).reached(Reach::PerRender), words, fix);
    found.routes = Some(Vec::new());
    found.at_least(Severity::Medium).at_most(Severity::Medium)
}
