//! Pipes, writes and chunks.

use loadworthy_analysis::{FunctionRef, Site};
use loadworthy_capacity::Severity;
use loadworthy_knowledge::Effect;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::{META, before, served_text};
use crate::audit::Audit;
use crate::database::rows::{Count, count};
use crate::finding::{Evidence, Finding, Fix, Place, Words};

/// Bytes of a stream's buffers and its descriptor while it is open.
const STREAM_BYTES: f64 = 128.0 * 1024.0;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    pipes(audit, findings);
    chunks(audit, findings);
    writes(audit, findings);
    events(audit, findings);
}

fn pipes(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut seen: Vec<FunctionRef> = Vec::new();
    for (call, library) in audit.analysis.effects(|effect| effect == Effect::StreamPipe) {
        if &*library.name != "pipe" {
            continue;
        }
        let Some(text) = served_text(audit, call.site) else { continue };
        let owner = audit.analysis.owner(call.site);
        let handles_errors = text.contains("\"error\"") || text.contains("'error'");
        let ends = ["\"close\"", "'close'", "destroy(", "finished(", "pipeline("]
            .iter()
            .any(|word| text.contains(word));
        if handles_errors && ends || seen.contains(&owner) {
            continue;
        }
        // The last of a chain: `a.pipe(b).pipe(c)`.
        seen.push(owner);
        findings.push(pipe(audit, call.site, handles_errors));
    }
}

fn pipe(audit: &Audit<'_, '_>, site: Site, handles_errors: bool) -> Finding {
    let reached = audit.reached_by(site);
    let code = audit.excerpt(site, 90);
    let failure = if handles_errors {
        "When the client goes away in the middle, the source is not told: it stays open with its file or connection."
    } else {
        "`pipe` hands no failure on: an error of the source has no listener and ends the process, and when the client goes away in the middle, the source stays open with its file or connection."
    };
    let words = Words {
        title: format!("{reached} pipes without an end for aborts and errors"),
        problem: format!(
            "`{code}`: {failure} Under load clients time out and retry, so each of them leaves an open stream behind, until descriptors or memory run out."
        ),
        verify: format!(
            "Abort 200 requests of {reached} after the first bytes (`curl --max-time 0.2`) and count open files (`ls /proc/<pid>/fd | wc -l`): as many as before after the change."
        ),
        tradeoff: String::from(
            "An error after the first byte can't become a status: the connection is cut, which is what the client must see.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "`await pipeline(source, …, destination)` from `node:stream/promises`: it destroys all of them when one fails or is closed.",
        ),
        before: before(audit, site),
        after: piped(audit, site),
        ..Fix::default()
    };
    let evidence = audit.chain_to(site, format!("pipes without error handling: {code}"));
    Finding::new(&META, site, evidence, audit.cost_at(site).bytes(STREAM_BYTES), words, fix)
        .at_least(if handles_errors { Severity::Monitor } else { Severity::Medium })
        .at_most(Severity::High)
}

/// `await pipeline(a, b, c)` of `a.pipe(b).pipe(c)`.
fn piped(audit: &Audit<'_, '_>, (file, mut node): Site) -> Option<String> {
    let module = audit.module((file, node))?;
    let mut parts: Vec<&str> = Vec::new();
    while let Kind::Call { callee, arguments } = module.kind(node) {
        let Kind::Member { object, name } = module.kind(callee) else { break };
        if module.str(name) != "pipe" {
            break;
        }
        parts.push(module.source(module.list(arguments).next()?));
        node = object;
    }
    parts.push(module.source(node));
    parts.reverse();
    (parts.len() >= 2 && parts.iter().all(|part| !part.contains('\n')))
        .then(|| format!("await pipeline({});", parts.join(", ")))
}

/// `stream.on("data", async …)`.
fn chunks(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for (file, module) in audit.program().modules() {
        for call in module.calls() {
            let site = (file, *call);
            let Some(handler) = data_handler(module, *call) else { continue };
            let Some(text) = served_text(audit, site) else { continue };
            let body = module.source(handler);
            if !body.starts_with("async") || !body.contains("await ") || text.contains(".pause(") {
                continue;
            }
            findings.push(chunk(audit, site));
        }
    }
}

fn data_handler(module: &Module, call: NodeId) -> Option<NodeId> {
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    let Kind::Member { name, .. } = module.kind(callee) else { return None };
    let mut arguments = module.list(arguments);
    let Kind::String(event) = module.kind(arguments.next()?) else { return None };
    let handler = arguments.next()?;
    let is_data = module.str(name) == "on" && matches!(module.str(event), "data" | "row" | "record");
    (is_data && matches!(module.kind(handler), Kind::Function(_))).then_some(handler)
}

fn chunk(audit: &Audit<'_, '_>, site: Site) -> Finding {
    let reached = audit.reached_by(site);
    let words = Words {
        title: format!("{reached} starts asynchronous work for each chunk"),
        problem: String::from(
            "The stream does not wait for the handler: it emits as fast as it reads, and the work of all chunks is under way at once. Memory and the pool fill in proportion to the size of the input, and `end` comes before the work is done.",
        ),
        verify: String::from(
            "Feed an input ten times as large: the number of queries (or calls) under way at once stays the same after the change.",
        ),
        tradeoff: String::from(
            "One chunk at a time is slower than all at once; take several with a limit (`Readable.map(fn, { concurrency: 5 })`).",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Read the stream with `for await`, which waits for the work on each chunk before it reads on.",
        ),
        before: before(audit, site),
        after: Some(String::from("for await (const chunk of stream) {\n  await handle(chunk);\n}")),
        ..Fix::default()
    };
    let evidence = audit.chain_to(site, String::from("an async handler of each chunk, without a pause"));
    Finding::new(&META, site, evidence, audit.cost_at(site).bytes(STREAM_BYTES * 10.0), words, fix)
        .at_least(Severity::Medium)
        .at_most(Severity::High)
}

/// `res.write(…)` in a loop over many.
fn writes(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut seen: Vec<FunctionRef> = Vec::new();
    let is_write =
        |effect| matches!(effect, Effect::StreamWrite | Effect::ResponseStream | Effect::ResponseSend);
    for (call, library) in audit.analysis.effects(is_write).filter(|(_, library)| &*library.name == "write") {
        let Some(text) = served_text(audit, call.site) else { continue };
        let owner = audit.analysis.owner(call.site);
        if text.contains("drain") || text.contains("await once") || seen.contains(&owner) {
            continue;
        }
        let repeated = audit.analysis.repetitions(call.site).into_iter().find(|it| it.way.is_empty());
        let Some(source) = repeated.and_then(|it| it.repeat.source) else { continue };
        let Count::Likely { rounds, words, is_unbounded: true, .. } = count(audit, source) else { continue };
        let _ = library;
        if rounds.likely < 500.0 {
            continue;
        }
        seen.push(owner);
        findings.push(write(audit, call.site, &words));
    }
}

fn write(audit: &Audit<'_, '_>, site: Site, over: &str) -> Finding {
    let reached = audit.reached_by(site);
    let code = audit.excerpt(site, 80);
    let words = Words {
        title: format!("{reached} writes without waiting for the client"),
        problem: format!(
            "`{code}` runs for each of {over} and ignores that `write` returned `false`: what the client has not taken yet is kept in memory, which for a slow client is all of it."
        ),
        verify: format!(
            "Read {reached} with `curl --limit-rate 50k` twenty times at once and watch RSS: flat after the change."
        ),
        tradeoff: String::from(
            "The rows must come from a cursor or pages as well, or they are all in memory before the first write.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Make the rows a stream and pipe it: `await pipeline(Readable.from(lines()), res)`; or wait: `if (!res.write(line)) await once(res, \"drain\")`.",
        ),
        before: before(audit, site),
        after: Some(format!("if (!{code}) await once(res, \"drain\");")),
        ..Fix::default()
    };
    let evidence = audit.chain_to(site, format!("runs for each of {over}"));
    Finding::new(&META, site, evidence, audit.cost_at(site).bytes(STREAM_BYTES * 10.0), words, fix)
        .at_least(Severity::Medium)
        .at_most(Severity::High)
}

/// Server-sent events whose connection nobody watches.
fn events(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut seen: Vec<FunctionRef> = Vec::new();
    for (file, module) in audit.program().modules() {
        for node in module.node_ids() {
            let Kind::String(text) = module.kind(node) else { continue };
            if module.str(text) != "text/event-stream" {
                continue;
            }
            let site = (file, node);
            if served_text(audit, site).is_none() {
                continue;
            }
            let Some(text) = audit.function_text(site) else { continue };
            let owner = audit.analysis.owner(site);
            let watches =
                ["close", "abort", "signal", "onCancel", "cancel("].iter().any(|word| text.contains(word));
            // A stream that ends by itself (the answer of a model) needs no watching for leaks.
            let stays = [
                "setInterval",
                ".on(",
                "subscribe(",
                "clients.push",
                "clients.set",
                "clients.add",
                "Clients.push",
                "Clients.add",
            ]
            .iter()
            .any(|word| text.contains(word));
            if watches || !stays || seen.contains(&owner) {
                continue;
            }
            seen.push(owner);
            findings.push(event_stream(audit, site));
        }
    }
}

fn event_stream(audit: &Audit<'_, '_>, site: Site) -> Finding {
    let reached = audit.reached_by(site);
    let words = Words {
        title: format!("{reached} keeps event streams whose client has gone"),
        problem: String::from(
            "Nothing listens for the end of the connection: timers, listeners and entries of clients who left stay, and every event is written to closed connections. With 1,000 users who reload their page, thousands of dead streams are served within minutes.",
        ),
        verify: format!(
            "Open and close {reached} 500 times (`curl --max-time 0.1`) and compare the number of timers and listeners (`process.getActiveResourcesInfo()`) before and after."
        ),
        tradeoff: String::from(
            "None. Add a comment line every 15 s as heartbeat as well: proxies cut connections that are silent for a minute.",
        ),
    };
    let fix = Fix {
        description: String::from("Clean up when the connection closes, and send a heartbeat."),
        after: Some(String::from(
            "const heartbeat = setInterval(() => res.write(\": ping\\n\\n\"), 15_000);\nreq.on(\"close\", () => {\n  clearInterval(heartbeat);\n  // remove this client's listeners, timers and entries\n});",
        )),
        ..Fix::default()
    };
    let evidence = vec![Evidence {
        place: Place::Code(site),
        note: String::from("opens a stream of events; nothing listens for its end"),
    }];
    Finding::new(&META, site, evidence, audit.cost_at(site).heap_growth(10_000.0), words, fix)
        .at_least(Severity::Medium)
        .at_most(Severity::High)
}
