//! Races on keys of a cache server.

use loadworthy_analysis::{FunctionRef, KeyAccess, KeyOperation, decision, derived, key_accesses, results};
use loadworthy_capacity::{Cost, Failure, Severity};
use loadworthy_syntax::{Kind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// A sequence of two commands that must be one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A value that may be used once is read, then removed.
    UsedOnce,
    /// Looked for, not found, work done, then set.
    Claimed,
    /// Counted, then given an expiry.
    Uncertain,
    /// Read, computed, written back.
    Computed,
}

pub(super) fn run(
    audit: &Audit<'_, '_>,
    module: &Module,
    function: FunctionRef,
    findings: &mut Vec<Finding>,
) {
    let all = key_accesses(audit.analysis, function);
    for (at, first) in all.iter().enumerate() {
        let later = all.iter().skip(at + 1);
        let pair = later.into_iter().find_map(|second| Some((shape(audit, module, first, second)?, *second)));
        if let Some((shape, second)) = pair {
            findings.push(finding(audit, shape, (first, &second)));
            return;
        }
    }
}

/// What texts around a value say that may be used once.
const ONE_TIME: [&str; 9] =
    ["code", "otp", "nonce", "token", "verif", "magic", "challenge", "invite", "onetime"];

/// What texts around a key say that keeps a request from being done twice.
const CLAIMS: [&str; 6] = ["idempot", "processed", "duplicate", "already", "once", "lock"];

fn shape(audit: &Audit<'_, '_>, module: &Module, first: &KeyAccess, second: &KeyAccess) -> Option<Shape> {
    let names = results(module, first.at.1);
    let decides = || {
        let all = derived(audit.analysis, (first.at.0, module), &names, (first.at.1, second.at.1));
        decision(module, &all, first.at.1, second.at.1).is_some()
    };
    let says = |words: &[&str]| {
        let text =
            format!("{} {}", audit.source(audit.statement(first.at)), key_text(audit, first)).to_lowercase();
        words.iter().any(|word| text.contains(word))
    };
    if !is_same_key(audit, first, second) {
        return None;
    }
    match (first.operation, second.operation) {
        (KeyOperation::Read, KeyOperation::Remove)
            if says(&ONE_TIME) && !gives_up(module, second.at.1) && decides() =>
        {
            Some(Shape::UsedOnce)
        }
        (KeyOperation::Read, KeyOperation::Write) if says(&CLAIMS) && decides() => Some(Shape::Claimed),
        (KeyOperation::Count, KeyOperation::Expire) if !is_batched(audit, first) => Some(Shape::Uncertain),
        (KeyOperation::Read, KeyOperation::Write) if is_counted_up(module, &names, second) => {
            Some(Shape::Computed)
        }
        _ => None,
    }
}

/// Whether a place is in a branch that ends without success: what is expired or broken is thrown away there, not used up.
fn gives_up(module: &Module, node: NodeId) -> bool {
    let branch = module.ancestors(node).take_while(|at| !matches!(module.kind(*at), Kind::Function(_)));
    let block = branch.into_iter().find_map(|at| match module.kind(at) {
        Kind::Block(list) if matches!(module.kind(module.parent(at)), Kind::If { .. }) => Some(list),
        _ => None,
    });
    let Some(last) = block.and_then(|list| module.list(list).last()) else { return false };
    match module.kind(last) {
        Kind::Throw(_) => true,
        Kind::Return(value) => {
            let text = if value.is_some() { module.source(value) } else { "" };
            matches!(text, "" | "null" | "undefined" | "false") || text.contains("status(4")
        }
        _ => false,
    }
}

fn key_text(audit: &Audit<'_, '_>, access: &KeyAccess) -> String {
    access.key.map_or_else(String::new, |key| audit.source(key).to_owned())
}

/// The same text of the key, or helpers of one file.
fn is_same_key(audit: &Audit<'_, '_>, first: &KeyAccess, second: &KeyAccess) -> bool {
    let helpers = first.at != first.command && second.at != second.command;
    let (left, right) = (key_text(audit, first), key_text(audit, second));
    (!left.is_empty() && left == right) || helpers && first.command.0 == second.command.0
}

/// Whether the command is part of a transaction or pipeline.
fn is_batched(audit: &Audit<'_, '_>, access: &KeyAccess) -> bool {
    let text = audit.source(audit.statement(access.at));
    ["multi(", "pipeline(", "MULTI"].iter().any(|word| text.contains(word))
}

/// `set(key, Number(value) + 1)`
fn is_counted_up(module: &Module, names: &[loadworthy_syntax::BindingId], second: &KeyAccess) -> bool {
    let text = module.source(second.at.1);
    let uses = loadworthy_analysis::uses(module, second.at.1, names);
    uses && (text.contains("+ 1")
        || text.contains("- 1")
        || text.contains("parseInt(")
        || text.contains("Number("))
}

fn finding(audit: &Audit<'_, '_>, shape: Shape, (first, second): (&KeyAccess, &KeyAccess)) -> Finding {
    let reached = audit.reached_by(first.at);
    let (read, write) = (audit.excerpt(first.at, 50), audit.excerpt(second.at, 50));
    let (title, result, advice) = match shape {
        Shape::UsedOnce => (
            format!("a value that may be used once is read and removed in two steps in {reached}"),
            "Requests that overlap all read it before the first one removes it: it works more than once.",
            "Read and remove it in one command (`GETDEL`, or a script), and go on only with what that command gave back.",
        ),
        Shape::Claimed => (
            format!("a key that keeps work from being done twice is set after the work in {reached}"),
            "Requests that overlap, retries above all, find no key and all do the work.",
            "Reserve the key first (`SET key value NX EX …`), do the work only where that succeeded, and remove the key if the work fails.",
        ),
        Shape::Uncertain => (
            format!("a counter gets its expiry in a second command in {reached}"),
            "If the process ends or the connection breaks between the two, the counter never expires: a limit that it stands for stays reached for good.",
            "Count and expire in one step: a script (`EVAL`), a transaction (`MULTI`), or `SET key 0 EX … NX` before `INCR`.",
        ),
        Shape::Computed => (
            format!("a key is read, changed and written back in {reached}"),
            "Requests that overlap start from the same value: the later write undoes the earlier one.",
            "Let the server compute: `INCRBY`, `HINCRBY`, or a script.",
        ),
    };
    let mut evidence = audit.chain_to(first.at, format!("`{read}`"));
    evidence
        .push(Evidence { place: Place::Code(second.at), note: format!("`{write}`, one round trip later") });
    let words = Words {
        title,
        problem: format!(
            "`{read}` and `{write}` are two commands with a round trip and other work between them. {result} In a load test the \
             overlap is certain."
        ),
        verify: match shape {
            Shape::Uncertain => {
                format!(
                    "Stop the process between {} and {} (a debugger's breakpoint) and ask for the `TTL` of the key: it is -1.",
                    audit.place_of(first.at),
                    audit.place_of(second.at)
                )
            }
            _ => format!(
                "Send 50 identical requests at once to {reached} (`autocannon -c 50 -a 50 …`): more than one succeeds."
            ),
        },
        tradeoff: String::from(
            "A script must be loaded on each server of a cluster; a reservation needs an expiry for the case that its owner dies.",
        ),
    };
    let least = if shape == Shape::Uncertain { Severity::Monitor } else { Severity::Medium };
    let most = if shape == Shape::Uncertain { Severity::Medium } else { Severity::High };
    let cost = Cost { failure: Some(Failure::LostWrite), ..audit.cost_at(first.at) };
    let fix = Fix { description: String::from(advice), ..Fix::default() };
    let finding = Finding::new(&META, first.at, evidence, cost, words, fix)
        .at_least(least)
        .at_most(most)
        .confidence(Confidence::Medium);
    if audit.is_unreached(first.at) {
        let name = audit.function_name(audit.analysis.owner(first.at));
        finding.unless(format!("no route or job that reaches {name} was found; see who calls it"))
    } else {
        finding
    }
}
