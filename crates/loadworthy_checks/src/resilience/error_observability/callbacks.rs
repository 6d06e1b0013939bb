//! Callbacks of sockets, events, timers and node-style functions that reject or throw where nobody handles it: one
//! finding for each file and kind of callback.

use std::collections::BTreeMap;

use loadworthy_analysis::{Call, Cause, CauseKind, Context, FunctionRef, Handed, Site, Wrapping, outlet};
use loadworthy_capacity::{Failure, Severity};
use loadworthy_knowledge::{Becomes, Effect, Kind as LibraryKind, Runs};
use loadworthy_syntax::Kind;

use super::META;
use super::process::{Outcome, Processes, failing_cost, is_server_code};
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// How a callback fails.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Rejects,
    Throws,
}

struct Loose {
    function: FunctionRef,
    registered: Site,
    how: How,
    cause: Cause,
    /// "a socket message handler".
    kind: &'static str,
    /// Nothing is known of the object that the callback is registered on.
    is_guess: bool,
}

pub(super) fn report(audit: &Audit<'_, '_>, processes: &Processes, findings: &mut Vec<Finding>) {
    let mut groups: BTreeMap<(usize, &'static str, How, bool), Vec<Loose>> = BTreeMap::new();
    for call in audit.analysis.calls().iter() {
        if !is_server_code(audit, call.site) {
            continue;
        }
        for handed in &call.handed {
            for loose in loose(audit, call, handed) {
                let key = (call.site.0.index(), loose.kind, loose.how, loose.is_guess);
                let group = groups.entry(key).or_default();
                if group.iter().all(|known| known.function != loose.function) {
                    group.push(loose);
                }
            }
        }
    }
    findings.extend(groups.values().filter_map(|group| finding(audit, processes, group)));
}

fn loose(audit: &Audit<'_, '_>, call: &Call<'_>, handed: &Handed) -> Vec<Loose> {
    if handed.runs.is_none() {
        return callback_style(audit, call, handed).into_iter().collect();
    }
    let Some(kind) = kind_of(audit, call, handed) else { return Vec::new() };
    let Some(outlet) = outlet(audit.program(), call, handed) else { return Vec::new() };
    if !runs_under_load(audit, handed.function)
        || matches!(audit.analysis.wrapping(call, handed), Wrapping::Catching(_) | Wrapping::Using(_))
    {
        return Vec::new();
    }
    let failing = audit.analysis.failures().of(handed.function);
    let is_guess = call.library.as_ref().is_some_and(|it| it.module.is_none() && it.made_at.is_none())
        && handed.runs == Some(Runs::Event);
    let of =
        |how, cause| Loose { function: handed.function, registered: call.site, how, cause, kind, is_guess };
    let rejects =
        failing.rejects.filter(|_| outlet.rejected == Becomes::Unhandled).map(|it| of(How::Rejects, it));
    let throws = failing
        .throws
        .filter(|cause| outlet.thrown == Becomes::Unhandled && !is_thrown_on(audit, call, handed, cause))
        .map(|it| of(How::Throws, it));
    rejects.into_iter().chain(throws).collect()
}

/// `server.on("error", (error) => { if (error.syscall !== "listen") throw error; … })`: the listener decides to end the
/// process with the error that would end it without a listener.
fn is_thrown_on(audit: &Audit<'_, '_>, call: &Call<'_>, handed: &Handed, cause: &Cause) -> bool {
    let first = audit.module(call.site).and_then(|module| match module.kind(call.site.1) {
        Kind::Call { arguments, .. } => module.list(arguments).next().map(|it| (module, module.kind(it))),
        _ => None,
    });
    let Some((module, Kind::String(event))) = first else { return false };
    let (file, function) = handed.function;
    if module.str(event) != "error" || cause.at.0 != file {
        return false;
    }
    let Some(module) = audit.program().module(file) else { return false };
    let parameter = module.function(function).and_then(|it| module.list(it.parameters).next());
    let thrown = match module.kind(cause.at.1) {
        Kind::Throw(value) => module.kind(value),
        kind => kind,
    };
    match (parameter.map(|it| module.kind(it)), thrown) {
        (Some(Kind::Binding(error)), Kind::Name { binding, .. }) => error == binding,
        _ => false,
    }
}

/// An async function that is given a callback to call when it is done: whoever calls it does not look at its promise.
fn callback_style(audit: &Audit<'_, '_>, call: &Call<'_>, handed: &Handed) -> Option<Loose> {
    let (file, function) = handed.function;
    let module = audit.program().module(file)?;
    let lowered = module.function(function)?;
    let last = module.list(lowered.parameters).last()?;
    let Kind::Binding(binding) = module.kind(last) else { return None };
    let is_callback =
        matches!(module.binding(binding).map(|it| module.str(it.name)), Some("done" | "cb" | "callback"));
    let is_called = |name: &loadworthy_syntax::NodeId| matches!(module.kind(module.parent(*name)), Kind::Call { callee, .. } if callee == *name);
    if !lowered.is_async
        || !is_callback
        || audit.analysis.is_run_by_targets(call)
        || !module.references(binding).iter().any(is_called)
    {
        return None;
    }
    let cause = audit.analysis.failures().of(handed.function).rejects?;
    let is_guess = !cause.kind.is_known();
    let kind = "function with a callback";
    Some(Loose { function: handed.function, registered: call.site, how: How::Rejects, cause, kind, is_guess })
}

/// What the callback is, in words; `None` for those that are judged elsewhere.
fn kind_of(audit: &Audit<'_, '_>, call: &Call<'_>, handed: &Handed) -> Option<&'static str> {
    let library = call.library.as_ref()?;
    let lib = audit.knowledge().library(library.lib);
    // Listeners of the process itself run at its end, those of browser objects in the browser.
    if audit.knowledge().handle_name(library.on) == "process" || &*library.name == "addEventListener" {
        return None;
    }
    match handed.runs? {
        Runs::PerRequest if lib.kind == LibraryKind::Web => None,
        Runs::PerRequest => Some("request callback"),
        Runs::PerMessage => Some("message handler"),
        Runs::PerConnection => Some("connection handler"),
        Runs::PerJob => Some("job handler"),
        Runs::Timer => Some("timer"),
        Runs::Delayed => Some("deferred callback"),
        Runs::Event => Some("event listener"),
        Runs::Later => Some("callback"),
        Runs::Now
            if &*library.name == "Promise" || audit.knowledge().handle_name(library.on) == "Promise" =>
        {
            Some("promise executor")
        }
        _ => None,
    }
}

fn runs_under_load(audit: &Audit<'_, '_>, function: FunctionRef) -> bool {
    let contexts = audit.analysis.reach().contexts(function);
    contexts.is_empty() || contexts.iter().any(|context| *context != Context::Startup)
}

fn finding(audit: &Audit<'_, '_>, processes: &Processes, group: &[Loose]) -> Option<Finding> {
    let first = group.iter().find(|it| it.cause.kind.is_known()).or_else(|| group.first())?;
    let outcome = match first.how {
        How::Rejects => processes.on_rejection(audit, first.registered),
        How::Throws => processes.on_exception(audit, first.registered),
    };
    let mut cost = failing_cost(audit, first.cause.at, outcome.failure());
    if first.how == How::Throws && outcome == Outcome::Ends {
        cost.failure = Some(Failure::ProcessExit);
    }
    let evidence = group.iter().flat_map(|it| evidence(audit, it)).collect();
    let mut finding = Finding::new(
        &META,
        first.cause.at,
        evidence,
        cost,
        words(audit, outcome, first, group.len()),
        fix(audit, first),
    );
    if outcome != Outcome::Ends {
        finding = finding.at_most(Severity::High);
    }
    // What only computes (signing a token) gives no error that load could bring about.
    let works = audit.analysis.calls().at(first.registered).and_then(|call| call.library.as_ref()?.effect());
    if works == Some(Effect::SyncCpu) {
        finding = finding.at_most(Severity::Medium);
    }
    if first.is_guess {
        finding = finding.unless(format!(
            "what `{}` is registered on: an event emitter of Node.js drops the failure, some libraries handle it",
            audit.excerpt(first.registered, 40)
        ));
    } else if audit.analysis.reach().contexts(first.function).is_empty() {
        finding = finding.at_most(Severity::High).unless(format!(
            "no route or job that reaches `{}` was found; whether one does decides",
            head_of(audit, first.registered)
        ));
    } else if !first.cause.kind.is_known() {
        finding = finding.at_most(Severity::High).confidence(Confidence::Medium).unless(format!(
            "whether `{}` can reject: its code is not in the project",
            audit.excerpt(first.cause.at, 60)
        ));
    }
    Some(finding)
}

fn evidence(audit: &Audit<'_, '_>, loose: &Loose) -> Vec<Evidence> {
    let registration = head_of(audit, loose.registered);
    let mut all = vec![Evidence {
        place: Place::Code(loose.registered),
        note: format!("the {} is registered by `{registration}`", loose.kind),
    }];
    let (file, function) = loose.function;
    let node = audit.program().module(file).and_then(|module| module.function(function)).map(|it| it.node);
    all.extend(node.map(|node| Evidence {
        place: Place::Code((file, node)),
        note: format!(
            "{} does not catch everything that may fail in it",
            audit.function_name(loose.function)
        ),
    }));
    let verb = if loose.how == How::Rejects { "rejects" } else { "throws" };
    all.push(Evidence {
        place: Place::Code(loose.cause.at),
        note: format!("`{}` {verb} and nothing catches it", audit.excerpt(loose.cause.at, 60)),
    });
    if loose.cause.root != loose.cause.at {
        all.push(Evidence {
            place: Place::Code(loose.cause.root),
            note: format!("it comes from `{}`", audit.excerpt(loose.cause.root, 60)),
        });
    }
    all
}

/// `socket.on("message", …)` without the callback.
fn head_of(audit: &Audit<'_, '_>, (file, node): Site) -> String {
    let Some(module) = audit.program().module(file) else { return String::new() };
    let (Kind::Call { callee, arguments } | Kind::New { callee, arguments }) = module.kind(node) else {
        return audit.excerpt((file, node), 40);
    };
    let first = module.list(arguments).next().filter(|it| matches!(module.kind(*it), Kind::String(_)));
    let event = first.map(|it| format!("{}, ", module.source(it))).unwrap_or_default();
    format!("{}({event}…)", audit.excerpt((file, callee), 40))
}

fn words(audit: &Audit<'_, '_>, outcome: Outcome<'_>, first: &Loose, count: usize) -> Words {
    let what = audit.excerpt(first.cause.at, 70);
    let (kind, head) = (first.kind, head_of(audit, first.registered));
    let number = if count == 1 { String::new() } else { format!(" (and {} more in this file)", count - 1) };
    let (title, problem) = match first.how {
        How::Rejects => (
            format!("nobody handles the rejection of the async {kind} `{head}`{number}"),
            format!(
                "`{head}` calls an async function and ignores the promise{number}. `{what}` in it stands outside `try`: when it rejects, nobody handles that. {}",
                outcome.sentence(audit)
            ),
        ),
        How::Throws => (
            format!("an exception in the {kind} `{head}` ends the process{number}"),
            format!(
                "`{what}` throws inside a {kind}, where no caller of this program is on the stack{number}. {} {}",
                bad_input(audit, first),
                exception_sentence(audit, outcome)
            ),
        ),
    };
    Words {
        title,
        problem,
        verify: format!(
            "Make `{what}` fail once (stop what it calls, or send what it can't read) and watch the process: it must still answer the next request."
        ),
        tradeoff: String::from(
            "A caught failure is only visible if it is logged and counted: put a counter beside the log line and alert on its rate.",
        ),
    }
}

fn bad_input(audit: &Audit<'_, '_>, loose: &Loose) -> String {
    let call = audit.analysis.calls().at(loose.cause.root).and_then(|call| call.library.as_ref());
    let row = call.and_then(|it| audit.knowledge().throws(it.lib, it.on, &it.name));
    match (loose.cause.kind, row) {
        (CauseKind::BadInput, Some(row)) => format!("One sender of {} is enough.", row.input),
        _ => String::from("The error has nobody to go to."),
    }
}

fn exception_sentence(audit: &Audit<'_, '_>, outcome: Outcome<'_>) -> String {
    match outcome {
        Outcome::KeptBy(site) => format!(
            "The `uncaughtException` listener at {} goes on in an unknown state; the work is lost.",
            audit.place_of(site)
        ),
        _ => String::from(
            "It becomes an uncaught exception: the process exits and every request and socket of this instance is lost.",
        ),
    }
}

fn fix(audit: &Audit<'_, '_>, loose: &Loose) -> Fix {
    let statement = audit.statement(loose.cause.at);
    let before = audit.lines_around(statement, 0);
    let indented: Vec<String> = before.lines().map(|line| format!("  {line}")).collect();
    Fix {
        description: format!(
            "Catch failures inside the {}: wrap its body in `try`/`catch`, log the error with the message's id, and answer the sender if it waits.",
            loose.kind
        ),
        after: Some(format!(
            "try {{\n{}\n}} catch (error) {{\n  console.error(error);\n}}",
            indented.join("\n")
        )),
        before: Some(before),
        ..Fix::default()
    }
}
