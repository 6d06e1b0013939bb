//! Socket handlers that take their payload for what they expect: any client can send something else, and what they throw
//! has nobody who catches it. One finding for each file.

use std::collections::BTreeMap;

use loadworthy_analysis::{Call, FunctionRef, Site, is_in_try};
use loadworthy_capacity::{Failure, Severity};
use loadworthy_knowledge::{Kind as LibraryKind, Runs};
use loadworthy_syntax::{BindingId, FunctionId, Kind, Module, NodeId, Unary};

use super::META;
use super::process::{Outcome, Processes, failing_cost, is_server_code};
use crate::audit::Audit;
use crate::finding::{Evidence, Finding, Fix, Place, Words};

/// A use of a payload that throws for some values.
struct Trust {
    registered: Site,
    event: String,
    at: Site,
    /// What to send.
    input: &'static str,
}

pub(super) fn report(audit: &Audit<'_, '_>, processes: &Processes, findings: &mut Vec<Finding>) {
    let mut files: BTreeMap<usize, Vec<Trust>> = BTreeMap::new();
    for call in audit.analysis.calls().iter() {
        if !is_server_code(audit, call.site) || !is_message_registration(audit, call) {
            continue;
        }
        for handed in call.handed.iter().filter(|it| it.runs == Some(Runs::PerMessage)) {
            files.entry(call.site.0.index()).or_default().extend(trust(audit, call, handed.function));
        }
    }
    findings.extend(files.values().filter_map(|group| finding(audit, processes, group)));
}

/// `socket.on("event", …)` of a library that hands over what the client sent as it is: values, not bytes.
fn is_message_registration(audit: &Audit<'_, '_>, call: &Call<'_>) -> bool {
    let Some(library) = &call.library else { return false };
    let knowledge = audit.knowledge();
    let gives_values = knowledge.handle_name(library.on) == "socket"
        && knowledge.library(library.lib).kind == LibraryKind::Realtime;
    let event = event_of(audit, call);
    gives_values
        && !matches!(
            event.as_str(),
            "" | "disconnect" | "disconnecting" | "error" | "connect" | "connect_error"
        )
}

fn event_of(audit: &Audit<'_, '_>, call: &Call<'_>) -> String {
    let event = audit.resolver.argument(call.site, 0).and_then(|it| audit.resolver.text_of(it));
    event.unwrap_or_default()
}

/// The first use of a parameter that throws where the client sends nothing, or an object without a text form.
fn trust(audit: &Audit<'_, '_>, call: &Call<'_>, (file, function): FunctionRef) -> Option<Trust> {
    let module = audit.program().module(file)?;
    let lowered = module.function(function)?;
    let found = module.list(lowered.parameters).find_map(|parameter| match module.kind(parameter) {
        Kind::ObjectPattern(_) | Kind::ArrayPattern(_) => Some((parameter, "nothing")),
        Kind::Binding(binding) => used(module, function, binding),
        _ => None,
    })?;
    Some(Trust { registered: call.site, event: event_of(audit, call), at: (file, found.0), input: found.1 })
}

fn used(module: &Module, function: FunctionId, binding: BindingId) -> Option<(NodeId, &'static str)> {
    let references = module.references(binding);
    // Whoever looks at the payload before using it is believed; that there is one is not enough for its text.
    let is_checked = references.iter().any(|name| is_check(module, *name));
    let is_validated = references.iter().any(|name| is_validation(module, *name));
    references.iter().find_map(|name| {
        if module.enclosing_function(*name) != function || is_in_try(module, *name) {
            return None;
        }
        let parent = module.parent(*name);
        match module.kind(parent) {
            // `data.room`; `data?.room` is written so too, but not everywhere.
            Kind::Member { object, .. } if object == *name && !is_checked && !is_optional(module, parent) => {
                Some((parent, "nothing"))
            }
            Kind::Declarator { target, init }
                if init == *name && !is_checked && matches!(module.kind(target), Kind::ObjectPattern(_)) =>
            {
                Some((parent, "nothing"))
            }
            Kind::Template { .. } if !is_validated => {
                Some((parent, "an object whose `toString` is no function"))
            }
            _ => None,
        }
    })
}

/// `if (data)`, `!data`, `data && …`, and validations.
fn is_check(module: &Module, name: NodeId) -> bool {
    let parent = module.parent(name);
    matches!(
        module.kind(parent),
        Kind::If { .. } | Kind::Unary { .. } | Kind::Conditional { .. } | Kind::Binary { .. }
    ) || is_validation(module, name)
}

/// `typeof data`, `schema.parse(data)`, `String(data)`.
fn is_validation(module: &Module, name: NodeId) -> bool {
    let parent = module.parent(name);
    match module.kind(parent) {
        Kind::Unary { operator: Unary::Typeof, .. } => true,
        Kind::Call { callee, .. } if callee != name => {
            let callee = module.source(callee).to_lowercase();
            ["parse", "valid", "check", "assert", "is", "string"].iter().any(|word| callee.contains(word))
        }
        _ => false,
    }
}

/// Optional chaining is dropped when the tree is made; the text still has it.
fn is_optional(module: &Module, member: NodeId) -> bool {
    module.source(member).contains("?.")
}

fn finding(audit: &Audit<'_, '_>, processes: &Processes, group: &[Trust]) -> Option<Finding> {
    let first = group.first()?;
    let outcome = processes.on_exception(audit, first.registered);
    let evidence = group.iter().flat_map(|it| evidence(audit, it)).collect();
    let more =
        if group.len() == 1 { String::new() } else { format!(" (and {} more handlers)", group.len() - 1) };
    let words = Words {
        title: format!("any client can end the process through the socket event \"{}\"{more}", first.event),
        problem: format!(
            "The handler of \"{}\" takes its payload for what it expects{more}. A client that sends {} makes `{}` throw; inside a socket handler nobody catches that, so the process exits and every request and socket of this instance is lost.",
            first.event,
            first.input,
            audit.excerpt(first.at, 60)
        ),
        verify: format!(
            "`socket.emit(\"{}\")` with {} from a test client: the process must live and the socket get an error.",
            first.event, first.input
        ),
        tradeoff: String::from(
            "A schema check costs some microseconds a message; it also keeps wrong values out of the database.",
        ),
    };
    let before = audit.lines_around(audit.statement(first.at), 0);
    let fix = Fix {
        description: String::from(
            "Check the payload before use (a schema, or a `typeof` test), and catch what handlers throw in one wrapper around `socket.on`.",
        ),
        after: Some(format!("if (typeof payload !== \"object\" || payload === null) return;\n{before}")),
        before: Some(before),
        ..Fix::default()
    };
    let cost = failing_cost(audit, first.at, Failure::ProcessExit);
    let finding = Finding::new(&META, first.at, evidence, cost, words, fix);
    Some(if outcome == Outcome::Ends { finding } else { finding.at_most(Severity::High) })
}

fn evidence(audit: &Audit<'_, '_>, trust: &Trust) -> [Evidence; 2] {
    [
        Evidence {
            place: Place::Code(trust.registered),
            note: format!("the handler of \"{}\"", trust.event),
        },
        Evidence {
            place: Place::Code(trust.at),
            note: format!("`{}` throws where the client sends {}", audit.excerpt(trust.at, 60), trust.input),
        },
    ]
}
