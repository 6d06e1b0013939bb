//! A message to everybody for each message of one.

use loadworthy_analysis::{EntryKind, FunctionRef, LibraryCall, Site};
use loadworthy_capacity::Severity;
use loadworthy_knowledge::Effect;
use loadworthy_syntax::Kind;

use super::{META, before};
use crate::audit::Audit;
use crate::finding::{Finding, Fix, Words};

/// Milliseconds of the event loop to write one message to one socket.
const SEND_MILLIS: f64 = 0.01;
/// Messages a user sends a second, where nothing limits it.
const MESSAGES_PER_USER: f64 = 0.2;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut seen: Vec<FunctionRef> = Vec::new();
    for (call, library) in
        audit.analysis.effects(|effect| matches!(effect, Effect::SocketBroadcast | Effect::SocketSend))
    {
        if !is_to_all(audit, call.site, library) || !is_per_message(audit, call.site) {
            continue;
        }
        let owner = audit.analysis.owner(call.site);
        let text = audit.function_text(call.site).unwrap_or_default();
        let is_held_back =
            ["throttle", "debounce", "rateLimit", "limiter"].iter().any(|word| text.contains(word));
        if is_held_back || seen.contains(&owner) {
            continue;
        }
        seen.push(owner);
        findings.push(broadcast(audit, call.site, moment(audit, call.site)));
    }
}

/// Whether every client gets it: neither a room nor one socket.
fn is_to_all(audit: &Audit<'_, '_>, site: Site, library: &LibraryCall<'_>) -> bool {
    if library.effect() != Some(Effect::SocketBroadcast) {
        return false;
    }
    let Some(module) = audit.module(site) else { return false };
    let Kind::Call { callee, .. } = module.kind(site.1) else { return false };
    let text = module.source(callee);
    // `io.to(room).emit`, `io.in(room).emit`, `socket.broadcast.to(room).emit`
    !text.contains(".to(") && !text.contains(".in(") && !text.contains(".of(")
}

/// Whether a message of a client runs the place.
fn is_per_message(audit: &Audit<'_, '_>, site: Site) -> bool {
    audit.analysis.routes_to(site).any(|route| route.kind == EntryKind::SocketMessage)
}

/// When a place runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// When a client comes or goes.
    Visit,
    /// With each message of a client.
    Message,
}

/// What events are called that a client sends when it comes or goes.
const VISITS: [&str; 16] = [
    "connect",
    "disconnect",
    "join",
    "leave",
    "setup",
    "login",
    "logout",
    "register",
    "online",
    "offline",
    "adduser",
    "newuser",
    "userconnected",
    "userjoined",
    "userleft",
    "identify",
];

fn moment(audit: &Audit<'_, '_>, site: Site) -> Moment {
    let mut events = audit.analysis.routes_to(site).filter(|route| route.kind == EntryKind::SocketMessage);
    let is_visit = |path: &str| {
        let name: String = path.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = name.to_lowercase();
        VISITS.iter().any(|word| name.starts_with(word) || name.ends_with(word))
    };
    if events.all(|route| is_visit(&route.path)) { Moment::Visit } else { Moment::Message }
}

fn broadcast(audit: &Audit<'_, '_>, site: Site, moment: Moment) -> Finding {
    let code = audit.excerpt(site, 80);
    let users = f64::from(audit.target.users);
    let (per_user, title, when, rate) = match moment {
        Moment::Message => (
            MESSAGES_PER_USER,
            "every message of one socket is sent to all",
            "for each message of a client",
            "and one message in 5 s of each",
        ),
        Moment::Visit => (
            // Each comes and goes once in the run.
            2.0 / audit.target.duration_seconds.max(1.0),
            "all are told whenever one comes or goes",
            "when a client comes or goes",
            "that come and go once in the run (all at once after a restart)",
        ),
    };
    let sends = users * per_user * users;
    let words = Words {
        title: format!("{title} ({})", audit.excerpt(site, 40)),
        problem: format!(
            "`{code}` runs {when} and writes to every connected one: with {} sockets {rate} that is {} writes a second, about {} ms of the event loop each time. Slow clients also make the process keep what they have not taken.",
            crate::database::rows::plain(users),
            crate::database::rows::plain(sends),
            crate::database::rows::plain(users * SEND_MILLIS),
        ),
        verify: format!(
            "Connect {} sockets, let each send a message every 5 s, and watch event-loop delay and the latency of an HTTP route.",
            crate::database::rows::plain(users)
        ),
        tradeoff: String::from(
            "Rooms must be joined and left where users move; batching delays messages by its interval (50 to 200 ms are not noticed).",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Send to those who need it (`io.to(room).emit`), collect messages and send them 5 to 20 times a second, use `volatile` for what may be lost (typing, positions), and limit how often a socket may send.",
        ),
        before: before(audit, site),
        after: Some(audit.excerpt(site, 120).replacen(".emit(", ".to(room).volatile.emit(", 1)),
        ..Fix::default()
    };
    let evidence = audit.chain_to(site, format!("writes to all sockets: {code}"));
    let mut cost = audit.cost_at(site).loop_block(users * SEND_MILLIS);
    // Messages come at the users' rate, not at that of requests.
    cost.share = (users * per_user / audit.target.requests_per_second.max(1.0)).min(1.0);
    Finding::new(&META, site, evidence, cost, words, fix)
        .at_least(Severity::Medium)
        .at_most(Severity::Critical)
}
