//! Pings to sockets whose answers nobody looks at.

use loadworthy_analysis::Site;
use loadworthy_capacity::Severity;
use loadworthy_knowledge::Effect;
use loadworthy_project::FileClass;
use loadworthy_syntax::{Kind, Module};

use super::{KEPT_BYTES, META};
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    if audit.program().modules().any(|(_, module)| module.text().contains("pong")) {
        return;
    }
    for (file, module) in audit.program().modules() {
        let is_server = audit.program().class(file).is_some_and(FileClass::may_be_server);
        if !is_server || !module.text().contains(".ping(") {
            continue;
        }
        for call in module.calls() {
            findings.extend(unanswered(audit, module, (file, *call)));
        }
    }
}

/// `setInterval(() => socket.ping(), …)`
fn unanswered(audit: &Audit<'_, '_>, module: &Module, site: Site) -> Option<Finding> {
    let Kind::Call { callee, .. } = module.kind(site.1) else { return None };
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    if module.str(name) != "ping" {
        return None;
    }
    let timer = module.ancestors(site.1).find(|node| match module.kind(*node) {
        Kind::Call { callee, .. } => module.source(callee) == "setInterval",
        _ => false,
    })?;
    let socket = module.source(object);
    let library = audit.analysis.calls().at(site).and_then(|call| call.library.as_ref()?.effect());
    let is_socket = library == Some(Effect::SocketControl)
        || library.is_none() && module.source(timer).contains(&format!("{socket}.readyState"));
    is_socket.then(|| finding(audit, site, socket))
}

fn finding(audit: &Audit<'_, '_>, site: Site, socket: &str) -> Finding {
    let evidence = vec![Evidence {
        place: Place::Code(site),
        note: String::from("pings; nothing in the program listens for `pong`"),
    }];
    Finding::new(
        &META,
        site,
        evidence,
        audit.cost_at(site).heap_growth(KEPT_BYTES),
        Words {
            title: format!("`{socket}` is pinged, and nobody looks for the answer"),
            problem: String::from(
                "A client that vanishes without closing (a phone that leaves its network, a proxy that drops the connection) answers no \
                 ping, and the socket still counts as open: pings and messages to it are queued by the kernel and by this process until TCP \
                 gives up, which takes a quarter of an hour. Until then its listeners, its entries and what is sent to it stay in memory.",
            ),
            verify: String::from(
                "Connect 100 clients and drop their packets (`iptables -A INPUT -p tcp --dport <port> -j DROP`): the number of open sockets falls within two intervals after the change.",
            ),
            tradeoff: String::from("A client that does not answer within one interval is cut off; choose 30 s or more."),
        },
        Fix {
            description: String::from("Note each `pong`, and terminate a socket that has not answered the last ping."),
            before: Some(audit.source(audit.statement(site)).to_owned()),
            after: Some(format!(
                "let isAlive = true;\n{socket}.on(\"pong\", () => {{ isAlive = true; }});\n// in the interval\nif (!isAlive) return {socket}.terminate();\nisAlive = false;\n{socket}.ping();"
            )),
            ..Fix::default()
        },
    )
    .at_least(Severity::Medium)
    .at_most(Severity::Medium)
    .confidence(Confidence::Medium)
}
