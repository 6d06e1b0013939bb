//! Requests that a page sends for each message that the server pushes: what goes out once comes back from every open page.

use std::collections::BTreeMap;

use loadworthy_analysis::{Call, FunctionRef, Site};
use loadworthy_capacity::{ExtraRequests, Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileClass;
use loadworthy_syntax::{FunctionId, Kind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Seconds between two messages that are assumed.
const SECONDS: f64 = 10.0;

/// Events of the connection itself: they come to one page at a time.
const OWN_EVENTS: [&str; 9] = [
    "connect",
    "disconnect",
    "connect_error",
    "reconnect",
    "error",
    "open",
    "close",
    "connected",
    "disconnected",
];

/// What objects are called that messages come from.
const SOURCES: [&str; 6] = ["socket", "channel", "pusher", "eventsource", "ws", "sse"];

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for (file, module) in audit.program().modules() {
        if !audit.program().class(file).is_some_and(FileClass::may_be_client) {
            continue;
        }
        let mut of_component: BTreeMap<FunctionId, Vec<Site>> = BTreeMap::new();
        for call in audit.analysis.calls().of_file(file) {
            if is_subscription(module, call) && asks(audit, call) {
                of_component.entry(module.outermost_function(call.site.1)).or_default().push(call.site);
            }
        }
        for (function, sites) in of_component {
            let all: Vec<Audience> = sites.iter().map(|site| audience(audit, module, *site)).collect();
            let worst = all.iter().max().copied().unwrap_or(Audience::One);
            if worst != Audience::One {
                findings.extend(finding(audit, (file, function), &sites, worst));
            }
        }
    }
}

/// `socket.on("orderCreated", handler)`, `events.addEventListener("message", handler)`.
fn is_subscription(module: &Module, call: &Call<'_>) -> bool {
    let Kind::Call { callee, arguments } = module.kind(call.site.1) else { return false };
    let Kind::Member { object, name } = module.kind(callee) else { return false };
    if !matches!(module.str(name), "on" | "addEventListener" | "subscribe" | "bind" | "listen") {
        return false;
    }
    let event = module.list(arguments).next();
    let is_own = event.is_some_and(|event| match module.kind(event) {
        Kind::String(text) => OWN_EVENTS.contains(&module.str(text)),
        _ => false,
    });
    !is_own && is_source(module, object)
}

fn is_source(module: &Module, object: NodeId) -> bool {
    let name = match module.kind(object) {
        Kind::Name { name, .. } | Kind::Member { name, .. } => module.str(name),
        _ => return false,
    };
    let name = name.to_lowercase();
    name != "router" && SOURCES.iter().any(|word| name == *word || word.len() > 3 && name.ends_with(word))
}

/// Who gets a message, as far as the server's code tells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Audience {
    /// A room of one user.
    One,
    /// The server's code does not tell.
    Unknown,
    /// All, or a room of many.
    Many,
}

fn audience(audit: &Audit<'_, '_>, module: &Module, (_, call): Site) -> Audience {
    let Kind::Call { arguments, .. } = module.kind(call) else { return Audience::Unknown };
    let first = module.list(arguments).next().map(|first| module.kind(first));
    let Some(Kind::String(event)) = first else { return Audience::Unknown };
    let event = module.str(event);
    let mut found = Audience::Unknown;
    for (file, module) in audit.program().modules() {
        if !audit.program().class(file).is_some_and(FileClass::may_be_server)
            || !module.text().contains(event)
        {
            continue;
        }
        for call in module.calls() {
            let Kind::Call { callee, arguments } = module.kind(*call) else { continue };
            let Kind::Member { object, name } = module.kind(callee) else { continue };
            let first = module.list(arguments).next().map(|first| module.kind(first));
            let is_event = matches!(first, Some(Kind::String(text)) if module.str(text) == event);
            if module.str(name) != "emit" || !is_event {
                continue;
            }
            let to = module.source(object).to_lowercase();
            if to.contains("user") || to == "socket" {
                return Audience::One;
            }
            found = Audience::Many;
        }
    }
    found
}

/// Whether the handler sends a request that reads.
fn asks(audit: &Audit<'_, '_>, call: &Call<'_>) -> bool {
    // Not what a query library is told to ask again when it likes.
    let is_request = |effect| matches!(effect, Effect::HttpRequest | Effect::AsyncNet);
    call.handed.iter().any(|handed| audit.analysis.works().of(handed.function).any(is_request))
}

fn finding(
    audit: &Audit<'_, '_>,
    function: FunctionRef,
    sites: &[Site],
    audience: Audience,
) -> Option<Finding> {
    let first = *sites.first()?;
    let name = audit.function_name(function);
    let users = f64::from(audit.target.users);
    let rate = users / SECONDS;
    let evidence = sites
        .iter()
        .map(|site| Evidence { place: Place::Code(*site), note: String::from("asks the server again") })
        .collect();
    let words = Words {
        title: format!("every message of the server makes each open {name} ask again"),
        problem: format!(
            "The server pushes a message to all who listen, and each open {name} answers it with requests, all in the same moment. \
             One change costs as many requests as there are open pages: {users:.0} for {users:.0} users, {rate:.0} requests per \
             second on average at one message in {SECONDS} s, against {} req/s of the whole target.",
            audit.target.requests_per_second
        ),
        verify: format!(
            "Open {name} in ten tabs, make one change, and count the requests in the server's log: ten or more within a second."
        ),
        tradeoff: String::from(
            "A message that carries the change must hold what every listener may see; where that differs, only the key is sent and \
             asked for with a random delay.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Send what has changed in the message and put it into the state; or wait a random 0–5 s, gather the messages of that \
             time, and ask once for what has changed.",
        ),
        before: Some(audit.source(first).to_owned()),
        ..Fix::default()
    };
    let cost =
        audit.cost_at(first).reached(Reach::PerRender).extra(ExtraRequests::PerUserPerSecond(1.0 / SECONDS));
    let finding = Finding::new(&META, first, evidence, cost, words, fix)
        .assuming(format!("one message in {SECONDS} s"))
        .confidence(Confidence::Medium)
        .at_least(Severity::Medium)
        .at_most(Severity::High);
    Some(match audience {
        Audience::Many => finding,
        Audience::Unknown | Audience::One => finding.unless(format!(
            "whether the message goes to all who have {name} open, or to one user: the server's code that sends it was not found"
        )),
    })
}
