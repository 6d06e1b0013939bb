//! Waits for `drain` that leave the listener of the other outcome behind.

use loadworthy_analysis::Site;
use loadworthy_capacity::Severity;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Bytes of a listener with its closure and promise.
const LISTENER_BYTES: f64 = 512.0;

/// How often one stream fills up while it is written.
const WAITS: f64 = 100.0;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for (file, module) in audit.program().modules() {
        if !module.text().contains("drain") {
            continue;
        }
        for call in module.calls() {
            findings.extend(left_behind(audit, module, (file, *call)));
        }
    }
}

/// `new Promise((resolve, reject) => { stream.once("drain", resolve); stream.once("error", reject); })`
fn left_behind(audit: &Audit<'_, '_>, module: &Module, (file, call): Site) -> Option<Finding> {
    let (stream, "drain") = listener(module, call)? else { return None };
    let executor = module.ancestors(call).find(|node| is_executor(module, *node))?;
    let text = module.source(executor);
    // A stream that is made there is waited for only once.
    let removes = [".off(", "removeListener(", "removeAllListeners(", &format!("const {stream}")];
    if removes.iter().any(|word| text.contains(word)) {
        return None;
    }
    let other = module.calls().iter().copied().find(|other| {
        *other != call
            && module.contains(executor, *other)
            && listener(module, *other).is_some_and(|(object, event)| object == stream && event != "drain")
    })?;
    let site = (file, other);
    if audit.is_startup_only(site) {
        return None;
    }
    let finding = finding(audit, site, (file, call), stream);
    if audit.contexts(site).is_empty() {
        let function = audit.function_name(audit.analysis.owner(site));
        return Some(
            finding.unless(format!("whether requests or jobs run {function}: nothing that does was found")),
        );
    }
    Some(finding)
}

/// The object and event that a call adds a listener for.
fn listener(module: &Module, call: NodeId) -> Option<(&str, &str)> {
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    if !matches!(module.str(name), "once" | "on" | "addListener") {
        return None;
    }
    match module.kind(module.list(arguments).next()?) {
        Kind::String(event) => Some((module.source(object), module.str(event))),
        _ => None,
    }
}

/// The function that `new Promise` runs.
fn is_executor(module: &Module, node: NodeId) -> bool {
    matches!(module.kind(node), Kind::Function(_))
        && matches!(module.kind(module.parent(node)), Kind::New { callee, .. } if module.source(callee) == "Promise")
}

fn finding(audit: &Audit<'_, '_>, site: Site, drain: Site, stream: &str) -> Finding {
    let reached = audit.reached_by(site);
    let code = audit.excerpt(site, 60);
    let mut evidence = audit.chain_to(site, String::from("stays when the stream drains"));
    evidence.push(Evidence { place: Place::Code(drain), note: String::from("ends the wait") });
    Finding::new(
        &META,
        site,
        evidence,
        audit.cost_at(site).bytes(LISTENER_BYTES * WAITS),
        Words {
            title: format!("each wait for `{stream}` to drain leaves a listener"),
            problem: format!(
                "`drain` ends the wait, and `{code}` stays on `{stream}`. A large answer to a slow client waits hundreds of times: each \
                 leaves a listener with its promise until the stream ends, Node.js warns of a leak from the eleventh on \
                 (MaxListenersExceededWarning), and an error at the end runs all of them."
            ),
            verify: format!(
                "Read a large answer of {reached} slowly (`curl --limit-rate 50k`) with `--trace-warnings`: no MaxListenersExceededWarning after the change."
            ),
            tradeoff: String::from("None."),
        },
        Fix {
            description: format!(
                "`await once({stream}, \"drain\")` of `node:events`: it rejects on `error` and removes both listeners."
            ),
            before: Some(audit.source(audit.statement(site)).to_owned()),
            after: Some(format!("await once({stream}, \"drain\"); // import {{ once }} from \"node:events\"")),
            ..Fix::default()
        },
    )
    .at_least(Severity::Medium)
    .at_most(Severity::Medium)
    .confidence(Confidence::Medium)
}
