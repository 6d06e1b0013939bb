//! Loops that go on producing after the client has left.

use loadworthy_analysis::{Call, FunctionRef, LibraryCall, Site};
use loadworthy_capacity::Severity;
use loadworthy_knowledge::Effect;
use loadworthy_syntax::{FunctionId, Kind, Module, NodeId};

use super::{META, before, served_text};
use crate::audit::Audit;
use crate::edit::insert;
use crate::finding::{Applicability, Evidence, Finding, Fix, Place, Words};

/// Bytes of a request, its source's buffers and what waits on the closed connection.
const REQUEST_BYTES: f64 = 128.0 * 1024.0;

/// What code says that knows of a client who left, or hands the stream to something that does.
const WATCHES: [&str; 20] = [
    "\"close\"",
    "'close'",
    "\"aborted\"",
    "'aborted'",
    "\"disconnect\"",
    "'disconnect'",
    "onclose",
    "abort",
    "signal",
    ".destroyed",
    "writableEnded",
    "writableFinished",
    ".closed",
    ".writable",
    "readyState",
    ".connected",
    "pipeline(",
    "finished(",
    "cancel",
    "isClosed",
];

/// How many callers up the client may be watched.
const MAX_CALLERS: usize = 2;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut seen: Vec<FunctionRef> = Vec::new();
    for (file, module) in audit.program().modules() {
        for node in module.node_ids() {
            let Some((source, body)) = waiting_loop(audit, module, (file, node)) else { continue };
            let site = (file, node);
            let owner = audit.analysis.owner(site);
            if seen.contains(&owner) || served_text(audit, site).is_none() {
                continue;
            }
            let Some(write) = write_in(audit, module, (file, body)) else { continue };
            if is_watched(audit, owner, 0) {
                continue;
            }
            seen.push(owner);
            findings.push(finding(audit, &Abandoned { site, source, body, write }));
        }
    }
}

/// A loop that writes to a client.
struct Abandoned {
    site: Site,
    /// What it runs over.
    source: Option<NodeId>,
    body: NodeId,
    write: Site,
}

/// A loop whose rounds wait for something outside: what comes of a source in time, or what each round asks for.
fn waiting_loop(
    audit: &Audit<'_, '_>,
    module: &Module,
    (file, node): Site,
) -> Option<(Option<NodeId>, NodeId)> {
    match module.kind(node) {
        Kind::ForAwait { iterable, body, .. } => Some((Some(iterable), body)),
        Kind::While { body, .. } | Kind::DoWhile { body, .. } => {
            let waits = audit.analysis.calls().of_file(file).iter().any(|call| {
                module.contains(body, call.site.1)
                    && matches!(module.kind(module.parent(call.site.1)), Kind::Await(_))
                    && (audit.analysis.works().of_call(call).waits() || is_read(module, call.site.1))
            });
            waits.then_some((None, body))
        }
        _ => None,
    }
}

/// `await reader.read()`.
fn is_read(module: &Module, call: NodeId) -> bool {
    let Kind::Call { callee, arguments } = module.kind(call) else { return false };
    matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name) == "read")
        && arguments.is_empty()
}

/// The first call in a loop's body that writes to the client, itself or through a function of the same file.
fn write_in(audit: &Audit<'_, '_>, module: &Module, (file, body): Site) -> Option<Site> {
    let calls = audit.analysis.calls();
    calls.of_file(file).iter().filter(|call| module.contains(body, call.site.1)).find_map(|call| {
        if is_write(audit, module, call) {
            return Some(call.site);
        }
        let mut targets = call.targets.iter().filter(|target| target.0 == file);
        targets.find_map(|target| {
            let inner = module.function(target.1)?.node;
            calls
                .of_file(file)
                .iter()
                .find(|it| module.contains(inner, it.site.1) && is_write(audit, module, it))
                .map(|it| it.site)
        })
    })
}

/// Whether a call writes a piece to a response or socket, or to what is piped into one.
fn is_write(audit: &Audit<'_, '_>, module: &Module, call: &Call<'_>) -> bool {
    let Kind::Call { callee, .. } = module.kind(call.site.1) else { return false };
    let Kind::Member { object, name } = module.kind(callee) else { return false };
    let effect = call.library.as_ref().and_then(LibraryCall::effect);
    match (module.str(name), effect) {
        ("write", Some(Effect::ResponseSend | Effect::ResponseStream))
        | ("send" | "emit", Some(Effect::SocketSend)) => true,
        ("write", _) => {
            let piped = format!("{}.pipe(", module.source(object));
            let text = audit.function_text(call.site).unwrap_or_default();
            text.contains(&piped) && answers(audit, call)
        }
        _ => false,
    }
}

/// Whether the function around a call answers a request.
fn answers(audit: &Audit<'_, '_>, call: &Call<'_>) -> bool {
    let (file, _) = call.site;
    audit.analysis.calls().of_file(file).iter().any(|other| {
        let effect = other.library.as_ref().and_then(LibraryCall::effect);
        other.function == call.function
            && matches!(effect, Some(Effect::ResponseSend | Effect::ResponseStream))
    })
}

/// Whether the function, one around it or one that calls it looks whether the client is still there.
fn is_watched(audit: &Audit<'_, '_>, (file, function): FunctionRef, depth: usize) -> bool {
    let Some(module) = audit.program().module(file) else { return true };
    let mut outer = function;
    while let Some(lowered) = module.function(outer) {
        if lowered.parent == FunctionId::NONE {
            break;
        }
        outer = lowered.parent;
    }
    let text = module.function(outer).map(|lowered| module.source(lowered.node)).unwrap_or_default();
    if WATCHES.iter().any(|word| text.contains(word)) {
        return true;
    }
    depth < MAX_CALLERS
        && audit
            .analysis
            .graph()
            .callers((file, outer))
            .any(|edge| edge.caller.1 != FunctionId::NONE && is_watched(audit, edge.caller, depth + 1))
}

fn finding(audit: &Audit<'_, '_>, it: &Abandoned) -> Finding {
    let reached = audit.reached_by(it.site);
    let write = audit.excerpt(it.write, 60);
    let source = it.source.map_or_else(
        || String::from("what each round asks for"),
        |source| format!("`{}`", audit.excerpt((it.site.0, source), 60)),
    );
    let words = Words {
        title: format!("{reached} goes on producing for clients who left"),
        problem: format!(
            "The loop over {source} writes with `{write}` and never looks whether the client is still there. A write to a closed connection \
             is thrown away without an error, so the source (a model's answer, a query's cursor) is read to its end. Under load clients time \
             out and ask again: each attempt that was given up holds its source, connection and memory beside the new one."
        ),
        verify: format!(
            "Start 50 requests of {reached} and end them after the first bytes (`curl --max-time 0.5`), and count the sources that are still \
             read a few seconds later (a log line behind the loop, or the provider's usage): none after the change."
        ),
        tradeoff: String::from(
            "What follows the loop runs with what has come so far: keep a partial result only where it is of use.",
        ),
    };
    let mut evidence = audit.chain_to(it.site, String::from("a loop that waits for its source"));
    evidence.push(Evidence { place: Place::Code(it.write), note: String::from("writes to the client") });
    Finding::new(&META, it.site, evidence, audit.cost_at(it.site).bytes(REQUEST_BYTES), words, fix(audit, it))
        .at_least(Severity::Medium)
        .at_most(Severity::Medium)
}

fn fix(audit: &Audit<'_, '_>, it: &Abandoned) -> Fix {
    let description = String::from(
        "Leave the loop when the connection is closed (leaving `for await` ends its source as well), or abort the source from the \
         response's `close` event.",
    );
    let plain = Fix { description, before: before(audit, it.site), ..Fix::default() };
    let Some(line) = leave(audit, it) else {
        let after = "const gone = new AbortController();\nres.once(\"close\", () => gone.abort());\n// in the loop\nif (gone.signal.aborted) break;";
        return Fix { after: Some(String::from(after)), ..plain };
    };
    let (file, body) = (it.site.0, it.body);
    let Some(module) = audit.module(it.site) else { return plain };
    let edit = first_statement(module, body)
        .and_then(|(at, indentation)| insert(audit, file, at, format!("{line}\n{indentation}")));
    Fix {
        after: Some(format!("{line} // first in the loop")),
        edits: edit.into_iter().collect(),
        applicability: Applicability::Review,
        ..plain
    }
}

/// `if (res.destroyed) break;` for a write that stands in the loop.
fn leave(audit: &Audit<'_, '_>, it: &Abandoned) -> Option<String> {
    let module = audit.module(it.site)?;
    if !module.contains(it.body, it.write.1) {
        return None;
    }
    let Kind::Call { callee, .. } = module.kind(it.write.1) else { return None };
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    let receiver = module.source(object);
    let is_plain = receiver.chars().all(|letter| letter.is_ascii_alphanumeric() || "._$".contains(letter));
    let effect = audit.analysis.calls().at(it.write).and_then(|call| call.library.as_ref()?.effect());
    let end = crate::edit::semicolon(module);
    match (is_plain, module.str(name), effect) {
        (true, "write", Some(_)) => Some(format!("if ({receiver}.destroyed) break{end}")),
        (true, "send", Some(Effect::SocketSend)) => {
            Some(format!("if ({receiver}.readyState !== {receiver}.OPEN) break{end}"))
        }
        (true, "emit", Some(Effect::SocketSend)) => Some(format!("if (!{receiver}.connected) break{end}")),
        _ => None,
    }
}

/// Where the first statement of a loop's block begins, if it begins its line, and its indentation.
fn first_statement(module: &Module, body: NodeId) -> Option<(usize, String)> {
    let Kind::Block(statements) = module.kind(body) else { return None };
    let first = module.list(statements).next()?;
    let start = module.node(first).span.start as usize;
    let head = module.text().get(..start)?;
    let indentation = head.rsplit('\n').next()?;
    indentation.trim().is_empty().then(|| (start, indentation.to_owned()))
}
