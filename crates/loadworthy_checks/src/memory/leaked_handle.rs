//! # Leaked handles
//! Listeners, timers and sockets that are started per request, per connection or per mount and that nothing stops; objects of
//! the application's own classes that are opened and never closed; a server that is stopped without finishing its requests.
//!
//! ## Why it fails under load
//! What is not stopped stays, with everything that its function can reach: rate × bytes of that × time. A listener that is
//! added per request on an object of the process also runs for each later event, so the work grows with the square of the
//! requests. In the browser every mount adds another timer or listener, and each of them fetches or renders.
//!
//! ## Bad
//! ```tsx title="src/Clock.tsx"
//! import { useEffect, useState } from "react";
//! export function Clock() {
//!   const [now, setNow] = useState(0);
//!   useEffect(() => {
//!     setInterval(() => setNow(Date.now()), 1000); // finding: 2A
//!   }, []);
//!   return <b>{now}</b>;
//! }
//! ```
//!
//! ## Good
//! ```tsx title="src/Clock.tsx"
//! import { useEffect, useState } from "react";
//! export function Clock() {
//!   const [now, setNow] = useState(0);
//!   useEffect(() => {
//!     const timer = setInterval(() => setNow(Date.now()), 1000);
//!     return () => clearInterval(timer);
//!   }, []);
//!   return <b>{now}</b>;
//! }
//! ```
//!
//! ## Leaves alone
//! What is started when the process starts; `once`; listeners that end by a signal; what is handed to somebody who stops it;
//! timers of a moment (`setTimeout` in a component); waits by `events.once`; sockets whose answers to pings are looked at.

mod heartbeats;
mod opened;
mod rendered;
mod rooms;
mod waits;

use std::collections::BTreeMap;

use loadworthy_analysis::{
    Call, FunctionRef, LibraryCall, Site, Started, StartedKind, Stop, added_again, is_stopped_nearby,
    runs_once, started_by_effects, started_kind,
};
use loadworthy_capacity::{Cost, Reach, Severity};
use loadworthy_knowledge::{Effect, HandleId};
use loadworthy_syntax::{FunctionId, Kind, Module};

use crate::audit::Audit;
use crate::finding::{Applicability, Confidence, Evidence, Finding, Fix, Place, Words};
use crate::listening::Listening;
use crate::meta::{Category, Check, Meta};

pub(crate) struct LeakedHandle;

static META: Meta = Meta {
    code: "2A",
    slug: "leaked-handle",
    category: Category::Memory,
    summary: "something is started that nothing stops",
    page: include_str!("leaked_handle.rs"),
};

/// Bytes that a listener, timer or socket keeps alive with its closure: a request with a small body (measured: see
/// `heap.express.request` of the knowledge).
const KEPT_BYTES: f64 = 8.0 * 1024.0;

/// A `setTimeout` shorter than this ends soon enough to leave little behind.
const LONG_MILLIS: f64 = 10_000.0;

impl Check for LeakedHandle {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        let started = started_by_effects(audit.analysis);
        let mut effects: BTreeMap<FunctionRef, Vec<&Started>> = BTreeMap::new();
        for started in started.iter().filter(|it| it.stop != Stop::Yes && it.kind != StartedKind::Deadline) {
            effects.entry(audit.analysis.owner(started.site)).or_default().push(started);
        }
        let is_told = |site: &Site| effects.contains_key(&audit.analysis.owner(*site));
        for (first, again) in added_again(audit.analysis).iter().filter(|(first, _)| !is_told(first)) {
            findings.push(cleanup(audit, *first, *again));
        }
        findings.extend(effects.values().filter_map(|all| in_effect(audit, all)));
        for call in audit.analysis.calls().iter() {
            if audit.is_per_request(call.site) {
                findings.extend(in_request(audit, call));
            }
        }
        opened::run(audit, findings);
        rendered::run(audit, findings);
        rooms::run(audit, findings);
        waits::run(audit, findings);
        heartbeats::run(audit, findings);
        findings.extend(no_shutdown(audit));
    }
}

/// An effect whose cleanup does not stop what it started: one cleanup stops all of it.
fn in_effect(audit: &Audit<'_, '_>, all: &[&Started]) -> Option<Finding> {
    let (started, others) = all.split_first()?;
    let other = match started.stop {
        Stop::Yes => return None,
        Stop::OtherFunction(node) => Some(node),
        Stop::No => None,
    };
    let what = audit.excerpt(started.site, 60);
    let component = audit.function_name(owner_component(audit, started.site));
    let (name, stop) = match started.kind {
        StartedKind::Listener => ("a listener", "removes it"),
        StartedKind::Interval => ("a timer", "clears it"),
        StartedKind::Socket => ("a connection", "closes it"),
        StartedKind::Deadline => return None,
    };
    let mut evidence = vec![Evidence { place: Place::Code(started.site), note: format!("starts {name}") }];
    if let Some(node) = other {
        let place = Place::Code((started.site.0, node));
        evidence.push(Evidence { place, note: String::from("another function than the one that was added") });
    }
    evidence.extend(others.iter().map(|it| Evidence {
        place: Place::Code(it.site),
        note: format!("and `{}`", audit.excerpt(it.site, 60)),
    }));
    let more = match others.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let why = if other.is_some() {
        "its cleanup names another function than the one that was added, so nothing is removed"
    } else {
        "nothing at the effect's end stops it"
    };
    Some(
        Finding::new(
            &META,
            started.site,
            evidence,
            audit.cost_at(started.site).reached(Reach::PerRender).heap_growth(KEPT_BYTES),
            Words {
                title: format!("{component} starts {name}{more} that nothing stops"),
                problem: format!(
                    "`{what}` runs in an effect of {component}, and {why}. Every mount, and every change of the effect's \
                     dependencies, adds one more, which keeps the component's state alive and goes on working after it is gone."
                ),
                verify: format!(
                    "Open and leave the page with {component} ten times and read the number of listeners and timers in the browser's \
                     Performance monitor: it grows by one with each visit."
                ),
                tradeoff: String::from("None; effects run twice in development under StrictMode just to show what is missing here."),
            },
            Fix {
                description: format!("Return a function from the effect that {stop}, naming the same function or handle."),
                before: Some(audit.source(audit.statement(started.site)).to_owned()),
                after: others.is_empty().then(|| after(audit, started)).flatten(),
                ..Fix::default()
            },
        )
        .at_least(Severity::Medium)
        .at_most(Severity::Medium),
    )
}

/// A cleanup that adds a listener in place of removing it.
fn cleanup(audit: &Audit<'_, '_>, first: Site, again: Site) -> Finding {
    let component = audit.function_name(owner_component(audit, first));
    let what = audit.excerpt(again, 60);
    let removed = audit.source(again).replacen("addEventListener", "removeEventListener", 1);
    let name = audit.module(again).and_then(|module| match module.kind(again.1) {
        Kind::Call { callee, .. } => Some(callee),
        _ => None,
    });
    let edit = name.map(|callee| {
        let site = (again.0, callee);
        let text = audit.source(site).replacen("addEventListener", "removeEventListener", 1);
        crate::edit::replace(audit, site, text)
    });
    let evidence = vec![
        Evidence { place: Place::Code(first), note: String::from("adds the listener") },
        Evidence { place: Place::Code(again), note: String::from("the cleanup adds it once more") },
    ];
    Finding::new(
        &META,
        again,
        evidence,
        audit.cost_at(first).reached(Reach::PerRender).heap_growth(KEPT_BYTES),
        Words {
            title: format!("the cleanup of {component} adds a listener where it should remove it"),
            problem: format!(
                "`{what}` stands in the function that should undo the effect of {component}. The listener is never removed: with each \
                 change of the effect's dependencies, and each mount on an element that stays, one more function answers every event and \
                 keeps the state of its render alive."
            ),
            verify: format!(
                "Open and leave the page with {component} ten times and read the number of listeners in the browser's Performance monitor: it stays the same after the change."
            ),
            tradeoff: String::from("None."),
        },
        Fix {
            description: String::from("Remove the listener in the cleanup."),
            before: Some(audit.source(again).to_owned()),
            after: Some(removed),
            edits: edit.into_iter().collect(),
            applicability: Applicability::Safe,
            ..Fix::default()
        },
    )
    .at_least(Severity::Medium)
    .at_most(Severity::Medium)
}

fn owner_component(audit: &Audit<'_, '_>, site: Site) -> (loadworthy_project::FileId, FunctionId) {
    let (file, mut function) = audit.analysis.owner(site);
    let module = audit.program().module(file);
    // The effect's function stands in the component.
    while let Some(lowered) = module.and_then(|module| module.function(function)) {
        if lowered.parent == FunctionId::NONE {
            break;
        }
        function = lowered.parent;
    }
    (file, function)
}

/// The effect's lines with a cleanup.
fn after(audit: &Audit<'_, '_>, started: &Started) -> Option<String> {
    let module = audit.module(started.site)?;
    let Kind::Call { callee, arguments } = module.kind(started.site.1) else { return None };
    let source = audit.source(started.site);
    // What the cleanup that is there still lacks.
    if audit.function_text(started.site).is_some_and(|text| text.contains("return () =>")) {
        return lacking(audit, started, source);
    }
    match started.kind {
        StartedKind::Interval => Some(format!("const timer = {source};\nreturn () => clearInterval(timer);")),
        StartedKind::Listener => {
            let Kind::Member { object, name } = module.kind(callee) else { return None };
            let [event, listener] = module.list(arguments).take(2).collect::<Vec<_>>()[..] else {
                return None;
            };
            let (object, event) = (module.source(object), module.source(event));
            let remove = if module.str(name) == "addEventListener" { "removeEventListener" } else { "off" };
            let add = module.str(name);
            Some(match module.kind(listener) {
                Kind::Function(_) => format!(
                    "const listener = {};\n{object}.{add}({event}, listener);\nreturn () => {object}.{remove}({event}, listener);",
                    module.source(listener)
                ),
                _ => format!(
                    "{source};\nreturn () => {object}.{remove}({event}, {});",
                    module.source(listener)
                ),
            })
        }
        StartedKind::Socket | StartedKind::Deadline => None,
    }
}

/// The line for a cleanup that stops other things already.
fn lacking(audit: &Audit<'_, '_>, started: &Started, source: &str) -> Option<String> {
    let remove = match started.kind {
        StartedKind::Interval => {
            return Some(format!("const timer = {source};\n// in the cleanup\nclearInterval(timer);"));
        }
        StartedKind::Listener if source.contains("addEventListener") => "removeEventListener",
        StartedKind::Listener => "off",
        StartedKind::Socket | StartedKind::Deadline => return None,
    };
    let module = audit.module(started.site)?;
    let Kind::Call { callee, arguments } = module.kind(started.site.1) else { return None };
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    let [event, listener] = module.list(arguments).take(2).collect::<Vec<_>>()[..] else { return None };
    let (object, event, add) = (module.source(object), module.source(event), module.str(name));
    let listener = module.source(listener);
    let is_inline = listener.contains("=>") || listener.starts_with("function");
    Some(if is_inline {
        format!(
            "const listener = {listener};\n{object}.{add}({event}, listener);\n// in the cleanup\n{object}.{remove}({event}, listener);"
        )
    } else {
        format!("// in the cleanup\n{object}.{remove}({event}, {listener});")
    })
}

/// What a request or connection starts and does not stop.
fn in_request(audit: &Audit<'_, '_>, call: &Call<'_>) -> Option<Finding> {
    let kind = started_kind(call)?;
    let library = call.library.as_ref()?;
    let module = audit.module(call.site)?;
    if is_stopped_nearby(audit.analysis, call) || runs_once(audit.analysis, module, call) {
        return None;
    }
    match kind {
        StartedKind::Listener if lives_as_long_as_the_process(audit, library) => Some(listener(audit, call)),
        StartedKind::Interval => Some(timer(audit, call, true)),
        StartedKind::Deadline if gives_up(audit, call) => Some(timer(audit, call, false)),
        _ => None,
    }
}

/// What the listener is added to was made at module level, or is the process itself.
fn lives_as_long_as_the_process(audit: &Audit<'_, '_>, library: &LibraryCall<'_>) -> bool {
    let name = audit.knowledge().handle_name(library.on);
    match library.made_at {
        Some(made_at) => {
            audit.analysis.owner(made_at).1 == FunctionId::NONE && library.on != HandleId::MODULE
        }
        None => name == "process",
    }
}

/// A long timer whose function rejects or aborts something.
fn gives_up(audit: &Audit<'_, '_>, call: &Call<'_>) -> bool {
    let Some(module) = audit.module(call.site) else { return false };
    let Kind::Call { arguments, .. } = module.kind(call.site.1) else { return false };
    let [callback, delay] = module.list(arguments).take(2).collect::<Vec<_>>()[..] else { return false };
    let is_long = audit.origins().number((call.site.0, delay)).is_some_and(|millis| millis >= LONG_MILLIS);
    let source = module.source(callback).to_lowercase();
    is_long && ["abort", "reject"].iter().any(|word| source.contains(word))
}

fn listener(audit: &Audit<'_, '_>, call: &Call<'_>) -> Finding {
    let by = audit.reached_by(call.site);
    let what = audit.excerpt(call.site, 60);
    let object = receiver(audit.module(call.site), call);
    Finding::new(
        &META,
        call.site,
        audit.chain_to(call.site, format!("adds a listener to `{object}`")),
        audit.cost_at(call.site).heap_growth(KEPT_BYTES),
        Words {
            title: format!("each run of {by} adds a listener to `{object}`"),
            problem: format!(
                "`{object}` lives as long as the process, and `{what}` adds one more listener to it in each run of {by}; nothing \
                 removes it. Each keeps its request alive, and every event runs all of them: the cost of an event grows with the \
                 number of requests so far."
            ),
            verify: format!(
                "Send 20 requests to {by}: Node warns of a possible EventEmitter memory leak (MaxListenersExceededWarning), and \
                 `{object}.listenerCount(…)` is 20."
            ),
            tradeoff: String::from("One listener at start that looks up who is concerned needs a map with entries that are removed."),
        },
        Fix {
            description: format!(
                "Add the listener once when the process starts, or use `once`, or remove it when the request or connection ends \
                 (`res.on(\"close\", () => {object}.off(…))`)."
            ),
            before: Some(audit.source(audit.statement(call.site)).to_owned()),
            ..Fix::default()
        },
    )
    .at_least(Severity::High)
    .confidence(Confidence::Medium)
}

fn receiver(module: Option<&Module>, call: &Call<'_>) -> String {
    let object = module.and_then(|module| match module.kind(call.site.1) {
        Kind::Call { callee, .. } => match module.kind(callee) {
            Kind::Member { object, .. } => Some(module.source(object).to_owned()),
            _ => None,
        },
        _ => None,
    });
    object.unwrap_or_else(|| String::from("the emitter"))
}

fn timer(audit: &Audit<'_, '_>, call: &Call<'_>, is_interval: bool) -> Finding {
    let by = audit.reached_by(call.site);
    let what = audit.excerpt(call.site, 60);
    let (verb, clear, effect) = if is_interval {
        ("an interval", "clearInterval", "runs until the process ends, and the work of all of them adds up")
    } else {
        (
            "a long timer",
            "clearTimeout",
            "keeps what its function can reach until it fires, long after the answer",
        )
    };
    Finding::new(
        &META,
        call.site,
        audit.chain_to(call.site, format!("starts {verb}")),
        audit.cost_at(call.site).heap_growth(KEPT_BYTES),
        Words {
            title: format!("each run of {by} starts {verb} that nothing clears"),
            problem: format!(
                "`{what}` starts {verb} in each run of {by}, and no way through the function clears it: each {effect}."
            ),
            verify: format!(
                "Send 100 requests to {by} and count `process.getActiveResourcesInfo().filter((it) => it === \"Timeout\").length` \
                 afterwards: it has grown by 100."
            ),
            tradeoff: String::from("None."),
        },
        Fix {
            description: format!(
                "Keep what it returns and call `{clear}` with it when the request or connection ends: in `finally`, on `close` or \
                 `disconnect`."
            ),
            before: Some(audit.source(audit.statement(call.site)).to_owned()),
            ..Fix::default()
        },
    )
    .at_least(if is_interval { Severity::High } else { Severity::Medium })
    .at_most(if is_interval { Severity::Critical } else { Severity::Medium })
    .confidence(Confidence::Medium)
}

/// A server that listens and has no handler for the signal that ends it: one finding for the application.
fn no_shutdown(audit: &Audit<'_, '_>) -> Option<Finding> {
    let listens =
        audit.analysis.effects(|effect| effect == Effect::HttpListen).map(|(call, _)| call.site).next()?;
    let handles_signal = audit.analysis.calls().iter().any(|call| {
        let Some(module) = audit.module(call.site) else { return false };
        let Kind::Call { callee, arguments } = module.kind(call.site.1) else { return false };
        let first = module.list(arguments).next().map(|node| module.source(node)).unwrap_or_default();
        let called = module.source(callee);
        // Orchestrators and hosts send SIGTERM; SIGINT is the key of a developer.
        first.contains("SIGTERM")
            || called.ends_with("enableShutdownHooks")
            || first.contains("signal") && called.starts_with("process")
    });
    let is_known_elsewhere = audit.program().modules().any(|(_, module)| {
        module.imports().iter().any(|import| SHUTDOWN_PACKAGES.contains(&module.str(import.source)))
            || module.text().contains("'SIGTERM'")
            || module.text().contains("\"SIGTERM\"")
    });
    if handles_signal || is_known_elsewhere {
        return None;
    }
    let statement = audit.excerpt(listens, 40);
    Some(
        Finding::new(
            &META,
            listens,
            vec![Evidence { place: Place::Code(listens), note: String::from("the server starts; nothing handles SIGTERM or SIGINT") }],
            Cost { share: 1.0, reach: Reach::PerRequest, ..audit.cost_at(listens) },
            Words {
                title: String::from("the process ends without finishing its requests"),
                problem: String::from(
                    "Nothing handles SIGTERM. A deployment, a scale-down or a restart during the load test ends the process at once: \
                     requests in progress are cut off, transactions are left to time out, and queue jobs are lost or done twice.",
                ),
                verify: String::from(
                    "Under load, send SIGTERM to the process (`kill -TERM <pid>`): clients see connection resets. With the handler \
                     all running requests end with their answer and the process exits with 0.",
                ),
                tradeoff: String::from("The shutdown takes as long as the longest request; bound it below the orchestrator's grace period."),
            },
            shutdown(audit, listens, &statement),
        )
        .at_least(Severity::Medium)
        .at_most(Severity::Medium),
    )
}

/// Packages that end a server gracefully.
const SHUTDOWN_PACKAGES: [&str; 5] =
    ["http-terminator", "@godaddy/terminus", "http-graceful-shutdown", "close-with-grace", "lightship"];

fn shutdown(audit: &Audit<'_, '_>, listens: Site, statement: &str) -> Fix {
    let plain = Fix {
        description: String::from(
            "On SIGTERM and SIGINT stop accepting (`server.close()`) and wait for running requests with a limit; the end of the \
             process closes pools, queues and sockets that need no farewell.",
        ),
        ..Fix::default()
    };
    let handlers = |name: &str, end: &str, kind: &str| {
        format!(
            "for (const signal of [\"SIGTERM\", \"SIGINT\"]{kind}) {{\n  process.once(signal, () => {{\n    \
             setTimeout(() => process.exit(1), 25_000).unref(){end}\n    {name}.close(() => process.exit(0)){end}\n  }}){end}\n}}"
        )
    };
    if let Some(server) = Listening::at(audit, listens) {
        let lines = handlers(&server.name, server.semicolon(audit), server.as_const(audit));
        return server.followed_by(audit, &lines, plain);
    }
    let source = audit.source(listens);
    let head = if source.lines().count() == 1 { source } else { statement };
    let after = format!("const server = {head};\n{}", handlers("server", ";", ""));
    Fix { before: Some(statement.to_owned()), after: Some(after), ..plain }
}
