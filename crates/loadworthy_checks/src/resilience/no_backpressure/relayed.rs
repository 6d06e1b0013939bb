//! Chunks of a stream that are written on as they come, whatever `write` returns.

use loadworthy_analysis::{FunctionRef, LibraryCall, Site, Value};
use loadworthy_capacity::Severity;
use loadworthy_knowledge::Effect;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::{META, before, served_text};
use crate::audit::Audit;
use crate::finding::{Finding, Fix, Words};

/// What a slow client leaves in memory: a file, the rows of a table or an object of a store are rarely smaller.
const WAITING_BYTES: f64 = 10.0 * 1024.0 * 1024.0;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut seen: Vec<FunctionRef> = Vec::new();
    let is_write =
        |effect| matches!(effect, Effect::StreamWrite | Effect::ResponseStream | Effect::ResponseSend);
    for (call, _) in audit.analysis.effects(is_write) {
        let Some(relay) = audit.module(call.site).and_then(|module| Relay::of(audit, module, call.site))
        else {
            continue;
        };
        let owner = audit.analysis.owner((call.site.0, relay.listener));
        let is_held_back =
            |text: &str| ["drain", ".pause(", "highWaterMark"].iter().any(|word| text.contains(word));
        if seen.contains(&owner) || served_text(audit, call.site).is_none_or(is_held_back) {
            continue;
        }
        if audit.function_text((call.site.0, relay.listener)).is_some_and(is_held_back) {
            continue;
        }
        seen.push(owner);
        findings.push(finding(audit, call.site, &relay));
    }
}

/// `source.on("data", (chunk) => { destination.write(chunk); })`.
struct Relay {
    /// The call that registers the handler.
    listener: NodeId,
    source: NodeId,
    destination: NodeId,
}

impl Relay {
    /// The handler around a write whose result nobody looks at, where its source may hold more than fits into memory.
    fn of(audit: &Audit<'_, '_>, module: &Module, (file, write): Site) -> Option<Self> {
        let destination = receiver(module, write, "write")?;
        if !is_dropped(module, write) {
            return None;
        }
        let handler = module.ancestors(write).find(|at| matches!(module.kind(*at), Kind::Function(_)))?;
        let listener = module.parent(handler);
        let source = receiver(module, listener, "on")?;
        let Kind::Call { arguments, .. } = module.kind(listener) else { return None };
        let Kind::String(event) = module.kind(module.list(arguments).next()?) else { return None };
        let is_chunk = matches!(module.str(event), "data" | "row" | "record");
        (is_chunk && opens_large(audit, (file, source))).then_some(Self { listener, source, destination })
    }
}

/// `object` of `object.name(…)`.
fn receiver(module: &Module, call: NodeId, method: &str) -> Option<NodeId> {
    let Kind::Call { callee, .. } = module.kind(call) else { return None };
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    (module.str(name) == method).then_some(object)
}

/// A statement of its own, or all that an arrow function does.
fn is_dropped(module: &Module, call: NodeId) -> bool {
    matches!(module.kind(module.parent(call)), Kind::Expression(_) | Kind::Function(_))
}

/// Whether what is listened to is a file, a stored object or a query's rows, opened by the program.
fn opens_large(audit: &Audit<'_, '_>, source: Site) -> bool {
    let opens = |site: Site| {
        let library = audit.analysis.calls().at(site).and_then(|call| call.library.as_ref());
        library.and_then(LibraryCall::effect).is_some_and(|effect| {
            matches!(effect, Effect::StreamOpen | Effect::DbStream | Effect::StorageGet)
        })
    };
    audit.resolver.value_of(source).iter().any(|value| match value {
        Value::External(external) => external.site().is_some_and(opens),
        _ => false,
    })
}

fn finding(audit: &Audit<'_, '_>, write: Site, relay: &Relay) -> Finding {
    let reached = audit.reached_by(write);
    let [source, destination] = [relay.source, relay.destination].map(|at| audit.excerpt((write.0, at), 40));
    let words = Words {
        title: format!("{reached} reads `{source}` faster than its client takes it"),
        problem: format!(
            "`{source}` is read at the speed of the disk or the database, and `{destination}.write` returns `false` when the client is slower, which nobody looks at: all that the client has not taken yet is kept in memory. One phone on a bad network holds the whole of `{source}`, twenty of them twenty times."
        ),
        verify: format!(
            "Read {reached} with `curl --limit-rate 50k` twenty times at once and watch RSS: flat after the change."
        ),
        tradeoff: String::from(
            "An error after the first byte can't become a status: the connection is cut, which is what the client must see.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "`await pipeline(source, destination)` from `node:stream/promises`: it reads on only when the client has taken what was written, and destroys both when one fails or is closed. What the handler does to each chunk goes into a `Transform` between them.",
        ),
        before: before(audit, (write.0, relay.listener)),
        after: Some(format!("await pipeline({source}, {destination});")),
        ..Fix::default()
    };
    let evidence = audit
        .chain_to(write, format!("each chunk of `{source}` is written at once, whatever `write` returns"));
    Finding::new(&META, write, evidence, audit.cost_at(write).bytes(WAITING_BYTES), words, fix)
        .at_least(Severity::Medium)
        .at_most(Severity::High)
}
