//! Objects without an 'error' listener, listeners that keep a broken process alive or end a healthy one.

use std::collections::BTreeMap;

use loadworthy_analysis::{Call, Context, Folded, FunctionRef, Site};
use loadworthy_capacity::{Cost, Failure, Severity};
use loadworthy_knowledge::{Effect, ErrorEvent, HandleId, LibId, Without};
use loadworthy_project::PackageId;
use loadworthy_syntax::Kind;

use super::META;
use super::process::{Outcome, Processes, failing_cost, is_server_code, package_of};
use crate::audit::Audit;
use crate::edit::behind;
use crate::finding::{Applicability, Edit, Evidence, Finding, Fix, Place, Words};

pub(super) fn report(audit: &Audit<'_, '_>, processes: &Processes, findings: &mut Vec<Finding>) {
    let groups = missing(audit);
    findings.extend(groups.values().filter_map(|group| without_listener(audit, processes, group)));
    findings.extend(processes.listeners().iter().filter_map(|it| keeps_going(audit, it)));
    findings.extend(exits(audit));
}

/// An object that emits an event which needs a listener.
#[derive(Clone, Copy)]
struct Emitter<'k> {
    lib: LibId,
    handle: HandleId,
    row: &'k ErrorEvent,
}

/// The objects without a listener, by package and library.
fn missing<'p>(audit: &Audit<'_, 'p>) -> BTreeMap<(PackageId, LibId), Vec<(Site, Emitter<'p>)>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let rows = audit.knowledge().error_events().filter(|(_, _, row)| row.without == Without::ProcessExit);
    let project = audit.program().project();
    for (lib, handle, row) in rows {
        let emitter = Emitter { lib, handle, row };
        for call in audit.analysis.calls().iter().filter(|call| makes(audit, &emitter, call)) {
            let Some(package) = package_of(audit, call.site) else { continue };
            let is_listened_to = row.listened_by.iter().any(|it| project.depends_on(package, it));
            if is_server_code(audit, call.site) && !is_listened_to && !has_listener(audit, &emitter, call) {
                groups.entry((package, lib)).or_default().push((call.site, emitter));
            }
        }
    }
    groups
}

/// Whether a call makes such an object, or registers a callback that receives one.
fn makes(audit: &Audit<'_, '_>, emitter: &Emitter<'_>, call: &Call<'_>) -> bool {
    let Some(library) = &call.library else { return false };
    let row = emitter.row;
    let name = if library.name.is_empty() { "()" } else { &*library.name };
    let from = audit.knowledge().handle_name(library.on);
    let is_from = row.from.is_empty() || row.from.iter().any(|it| it == from);
    let is_named = row.names.is_empty() || row.names.iter().any(|it| it == name);
    let is_of_module = row.modules.is_empty()
        || library.module.as_deref().is_some_and(|module| row.modules.iter().any(|it| it == module));
    if library.lib != emitter.lib || !is_from || !is_named || !is_of_module {
        return false;
    }
    is_made_by(audit, emitter, call) || is_passed_by(audit, emitter, call)
}

fn is_made_by(audit: &Audit<'_, '_>, emitter: &Emitter<'_>, call: &Call<'_>) -> bool {
    let folded = audit.resolver.folded(&audit.resolver.value_of(call.site));
    folded.iter().any(|folded| match folded {
        Folded::Held(held) => {
            held.lib == emitter.lib && held.handle == emitter.handle && held.made_at == Some(call.site)
        }
        _ => false,
    })
}

fn is_passed_by(audit: &Audit<'_, '_>, emitter: &Emitter<'_>, call: &Call<'_>) -> bool {
    let Some(library) = &call.library else { return false };
    let event = event_of(audit, call);
    call.handed.iter().any(|handed| {
        let argument = handed.argument;
        let passed = audit.knowledge().callback_param(
            library.lib,
            library.on,
            &library.name,
            argument,
            argument + 1,
            0,
            event.as_deref(),
        );
        passed == Some((emitter.lib, emitter.handle))
    })
}

fn event_of(audit: &Audit<'_, '_>, call: &Call<'_>) -> Option<String> {
    audit.resolver.argument(call.site, 0).and_then(|it| audit.resolver.text_of(it))
}

/// Whether something listens: on the same object, or on an object of the kind whose origin is not known.
fn has_listener(audit: &Audit<'_, '_>, emitter: &Emitter<'_>, made: &Call<'_>) -> bool {
    let package = package_of(audit, made.site);
    let is_passed = !is_made_by(audit, emitter, made);
    audit.analysis.calls().iter().any(|call| {
        let Some(library) = &call.library else { return false };
        let is_on = matches!(&*library.name, "on" | "once" | "addListener" | "addEventListener");
        if !is_on || package_of(audit, call.site) != package {
            return false;
        }
        let is_event = event_of(audit, call).is_none_or(|event| event == emitter.row.event);
        let is_same_kind = library.lib == emitter.lib && library.on == emitter.handle;
        let is_same_object = library.made_at == Some(made.site) || library.made_at.is_none() || is_passed;
        // An object whose kind got lost on the way may be this one, if it is in the same file.
        let is_unknown = library.made_at.is_none() && library.module.is_none() && call.site.0 == made.site.0;
        is_event
            && ((is_same_kind && is_same_object) || (is_unknown && !is_same_kind && has_event(audit, call)))
    })
}

fn has_event(audit: &Audit<'_, '_>, call: &Call<'_>) -> bool {
    event_of(audit, call).is_some()
}

fn without_listener(
    audit: &Audit<'_, '_>,
    processes: &Processes,
    group: &[(Site, Emitter<'_>)],
) -> Option<Finding> {
    let (first, emitter) = *group.first()?;
    let row = emitter.row;
    let mut handles: Vec<&str> = group.iter().map(|(_, it)| it.row.handle.as_str()).collect();
    handles.dedup();
    let what = format!("{} of {}", handles.join(" or "), audit.knowledge().library(emitter.lib).id);
    let outcome = processes.on_exception(audit, first);
    let evidence = group
        .iter()
        .map(|(site, it)| Evidence {
            place: Place::Code(*site),
            note: format!(
                "`{}`: the {} gets no '{}' listener",
                audit.excerpt(*site, 60),
                it.row.handle,
                it.row.event
            ),
        })
        .collect();
    // Idle connections fail without any request.
    let cost = if audit.is_per_request(first) {
        failing_cost(audit, first, Failure::ProcessExit)
    } else {
        Cost::at_share(1.0).failing(Failure::ProcessExit)
    };
    let words = Words {
        title: format!("an '{}' event of the {what} ends the process: nothing listens", row.event),
        problem: format!(
            "The {what} emits '{}' when {}. Without a listener Node.js throws the event as an uncaught exception: the process exits and every request in flight on this instance is lost.",
            row.event, row.when
        ),
        verify: format!(
            "Under load, provoke it ({}): the process must log the error and go on answering.",
            row.when
        ),
        tradeoff: String::from(
            "A listener hides the event from the supervisor: log it with its code and count it, so that an alert replaces the restart.",
        ),
    };
    let finding = Finding::new(&META, first, evidence, cost, words, listeners_fix(audit, group));
    // No client ends a connection between this process and its own store: a failure there takes the run, not each load.
    let is_of_clients = group.iter().any(|(site, emitter)| {
        let made = audit.analysis.calls().at(*site);
        made.is_some_and(|call| !is_made_by(audit, emitter, call))
    });
    Some(if outcome == Outcome::Ends && is_of_clients { finding } else { finding.at_most(Severity::High) })
}

/// The listener of the first object, with the edits for all of them; none, where one of them has none.
fn listeners_fix(audit: &Audit<'_, '_>, group: &[(Site, Emitter<'_>)]) -> Fix {
    let mut all = group.iter().map(|(site, emitter)| listener_fix(audit, emitter, *site));
    let Some(mut fix) = all.next() else { return Fix::default() };
    for other in all {
        if fix.edits.is_empty() || other.edits.is_empty() {
            return Fix { edits: Vec::new(), applicability: Applicability::Manual, ..fix };
        }
        fix.edits.extend(other.edits);
    }
    fix
}

fn listener_fix(audit: &Audit<'_, '_>, emitter: &Emitter<'_>, site: Site) -> Fix {
    let statement = audit.statement(site);
    let before = audit.lines_around(statement, 0);
    let variable = super::style::variable_of(audit, site);
    let name = variable.clone().unwrap_or_else(|| emitter.row.handle.clone());
    let line = format!(
        "{name}.on(\"{}\", (error) => {{\n  console.error(\"{} error\", error);\n}});",
        emitter.row.event, emitter.row.handle
    );
    let is_plain =
        |name: &String| name.chars().all(|it| it.is_alphanumeric() || matches!(it, '_' | '.' | '$'));
    let edit = variable.filter(is_plain).and_then(|_| behind_declaration(audit, statement, &line));
    Fix {
        description: format!(
            "Listen to '{}' where the object is made; log it, do not exit.",
            emitter.row.event
        ),
        after: Some(format!("{before}\n{line}")),
        before: Some(before),
        applicability: if edit.is_some() { Applicability::Safe } else { Applicability::Manual },
        edits: edit.into_iter().collect(),
        ..Fix::default()
    }
}

/// The listener behind the declaration, where that is a statement of its own.
fn behind_declaration(audit: &Audit<'_, '_>, (file, statement): Site, line: &str) -> Option<Edit> {
    let module = audit.program().module(file)?;
    if !matches!(module.kind(statement), Kind::Variables(_) | Kind::Expression(_)) {
        return None;
    }
    behind(audit, (file, statement), line)
}

/// A listener of uncaught exceptions that does not end the process.
fn keeps_going(audit: &Audit<'_, '_>, listener: &super::process::Listener) -> Option<Finding> {
    if listener.event != super::process::EXCEPTION || listener.exits || !is_server_code(audit, listener.site)
    {
        return None;
    }
    let evidence = vec![Evidence {
        place: Place::Code(listener.site),
        note: String::from("nothing in it ends the process"),
    }];
    let words = Words {
        title: String::from("the process goes on after an uncaught exception"),
        problem: String::from(
            "After an uncaught exception the state of the process is unknown: transactions stay open, locks and connections are not given back, requests never get their answer. \
             A process that goes on serves the rest of the load from that state, and its pool runs dry one exception at a time.",
        ),
        verify: String::from(
            "Throw in a timer of a test instance under load: the process must stop accepting requests, finish those in flight and exit with 1 for its supervisor to restart.",
        ),
        tradeoff: String::from("A restart costs the requests that do not finish within the grace period."),
    };
    let fix = Fix {
        description: String::from(
            "Log the error, stop accepting requests (`server.close()`), and exit with 1 after a short grace period; let the supervisor restart the process.",
        ),
        before: Some(audit.lines_around(audit.statement(listener.site), 0)),
        after: Some(String::from(
            "process.on(\"uncaughtException\", (error) => {\n  console.error(error);\n  server.close(() => process.exit(1));\n  setTimeout(() => process.exit(1), 10_000).unref();\n});",
        )),
        ..Fix::default()
    };
    let cost = Cost::at_share(1.0);
    let finding = Finding::new(&META, listener.site, evidence, cost, words, fix);
    Some(finding.at_least(Severity::Medium).at_most(Severity::Medium))
}

/// `process.exit()` in code that requests run, or in a listener of an event that a healthy process survives.
fn exits(audit: &Audit<'_, '_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (call, _) in audit.analysis.effects(|effect| effect == Effect::ProcExit) {
        if !is_server_code(audit, call.site) {
            continue;
        }
        let owner = (call.site.0, call.function);
        if let Some((listener, row)) = error_listener(audit, owner) {
            findings.push(exit_on_event(audit, call.site, listener, row));
        } else if is_run_by_requests(audit, owner) {
            findings.push(exit_in_request(audit, call.site));
        }
    }
    findings
}

/// The registration of a function as listener of an event that needs one.
fn error_listener<'p>(audit: &Audit<'_, 'p>, function: FunctionRef) -> Option<(Site, &'p ErrorEvent)> {
    for edge in audit.analysis.graph().callers(function) {
        let Some(call) = audit.analysis.calls().at(edge.site) else { continue };
        let Some(library) = &call.library else { continue };
        if !matches!(&*library.name, "on" | "once" | "addListener") {
            continue;
        }
        let event = event_of(audit, call);
        let mut rows = audit.knowledge().error_events();
        let row = rows.find(|(lib, handle, row)| {
            *lib == library.lib && *handle == library.on && event.as_deref() == Some(row.event.as_str())
        });
        if let Some((_, _, row)) = row {
            return Some((edge.site, row));
        }
    }
    None
}

/// Whether requests run a function in their own flow: signals and events of the process do not count.
fn is_run_by_requests(audit: &Audit<'_, '_>, function: FunctionRef) -> bool {
    let contexts = audit.analysis.reach().contexts(function);
    contexts.contains(&Context::PerRequest)
        && !contexts.contains(&Context::Startup)
        && !is_listener_of_process(audit, function)
}

/// `process.on("SIGTERM", …)`, wherever it is registered.
fn is_listener_of_process(audit: &Audit<'_, '_>, function: FunctionRef) -> bool {
    audit.analysis.graph().callers(function).any(|edge| {
        let library = audit.analysis.calls().at(edge.site).and_then(|call| call.library.as_ref());
        library.is_some_and(|library| {
            audit.knowledge().handle_name(library.on) == "process"
                && matches!(&*library.name, "on" | "once" | "addListener" | "prependListener")
        })
    })
}

fn exit_on_event(audit: &Audit<'_, '_>, site: Site, listener: Site, row: &ErrorEvent) -> Finding {
    let evidence = vec![
        Evidence {
            place: Place::Code(listener),
            note: format!("the '{}' listener of the {}", row.event, row.handle),
        },
        Evidence { place: Place::Code(site), note: String::from("ends the process") },
    ];
    let words = Words {
        title: format!("one '{}' event of the {} ends the process", row.event, row.handle),
        problem: format!(
            "The event comes when {}. The library replaces the connection by itself, but this listener exits: every request and socket of the instance is lost for one idle connection.",
            row.when
        ),
        verify: format!("Under load, provoke it ({}): the process must go on answering.", row.when),
        tradeoff: String::from(
            "Errors that do not pass must be seen elsewhere: let the readiness check query the database.",
        ),
    };
    let fix = Fix {
        description: String::from("Log the error and leave the process alone."),
        before: Some(audit.lines_around(audit.statement(listener), 0)),
        after: None,
        ..Fix::default()
    };
    Finding::new(&META, site, evidence, Cost::at_share(1.0).failing(Failure::ProcessExit), words, fix)
        .at_most(Severity::High)
}

fn exit_in_request(audit: &Audit<'_, '_>, site: Site) -> Finding {
    let name = audit.reached_by(site);
    let evidence = audit.chain_to(site, "ends the process");
    let words = Words {
        title: format!("{name} can end the process"),
        problem: format!(
            "`{}` runs for a request ({name}). One request on this way ends the process and every other request of the instance.",
            audit.excerpt(site, 60)
        ),
        verify: format!("Bring {name} on this way: it must answer with an error and the process must live."),
        tradeoff: String::from("None: a request must not decide about the process."),
    };
    let fix = Fix {
        description: String::from(
            "Throw an error or answer with one; leave ending the process to its start and its signals.",
        ),
        before: Some(audit.lines_around(audit.statement(site), 0)),
        after: None,
        ..Fix::default()
    };
    let cost = audit.cost_at(site).failing(Failure::ProcessExit);
    Finding::new(&META, site, evidence, cost, words, fix)
}
