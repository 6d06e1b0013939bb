//! `Promise.all` of functions that nobody calls, and `Promise.all` that rolls back while its siblings still write.

use loadworthy_analysis::{Call, Work};
use loadworthy_capacity::{Failure, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_syntax::{BindingId, Kind, Module, NodeId};

use super::META;
use super::process::is_server_code;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

pub(super) fn report(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for call in audit.analysis.calls().iter() {
        let Some(module) = audit.module(call.site) else { continue };
        let Some(name) = combinator(module, call.site.1) else { continue };
        if !is_server_code(audit, call.site) {
            continue;
        }
        findings.extend(never_called(audit, module, call, name));
        if name == "all" {
            findings.extend(rolls_back(audit, module, call));
        }
    }
}

/// `all` of `Promise.all(…)` and its like.
fn combinator(module: &Module, node: NodeId) -> Option<&str> {
    let Kind::Call { callee, .. } = module.kind(node) else { return None };
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    let Kind::Name { name: on, binding: BindingId::NONE } = module.kind(object) else { return None };
    let name = module.str(name);
    (module.str(on) == "Promise" && matches!(name, "all" | "allSettled" | "race" | "any")).then_some(name)
}

fn elements(module: &Module, node: NodeId) -> Vec<NodeId> {
    let Kind::Call { arguments, .. } = module.kind(node) else { return Vec::new() };
    match module.list(arguments).next().map(|it| module.kind(it)) {
        Some(Kind::Array(items)) => module.list(items).collect(),
        _ => Vec::new(),
    }
}

/// Functions and arrays among the elements: they are values, not promises.
fn never_called(audit: &Audit<'_, '_>, module: &Module, call: &Call<'_>, name: &str) -> Option<Finding> {
    let idle: Vec<NodeId> = elements(module, call.site.1)
        .into_iter()
        .filter(|node| matches!(module.kind(*node), Kind::Function(_) | Kind::Array(_)))
        .collect();
    let first = *idle.first()?;
    let is_array = matches!(module.kind(first), Kind::Array(_));
    let evidence = idle
        .iter()
        .map(|node| Evidence {
            place: Place::Code((call.site.0, *node)),
            note: String::from(if is_array {
                "an array is no promise"
            } else {
                "this function is never called"
            }),
        })
        .collect();
    let what = if is_array { "an array" } else { "functions that nobody calls" };
    let words = Words {
        title: format!("`Promise.{name}` is given {what}"),
        problem: String::from(if is_array {
            "The elements of the inner array are promises that nobody awaits: the code goes on before they are done, and when one rejects nobody handles it, which ends the process on Node.js 15 and later."
        } else {
            "The elements are functions, not promises: they count as done at once and their work never runs. Nothing fails, so nothing is logged."
        }),
        verify: format!(
            "Log the first line of the work inside `{}`: it must run before `Promise.{name}` resolves.",
            audit.excerpt((call.site.0, first), 50)
        ),
        tradeoff: String::from(
            "The work now takes its time and its connections: limit how much runs at once.",
        ),
    };
    let before = audit.lines_around(audit.statement(call.site), 0);
    let fix = Fix {
        description: String::from(if is_array {
            "Spread the inner array, or pass it alone."
        } else {
            "Call the functions: `(async () => { … })()`, or pass what they return."
        }),
        before: Some(before),
        ..Fix::default()
    };
    let cost = audit.cost_at(call.site).failing(Failure::LostWrite);
    Some(Finding::new(&META, (call.site.0, first), evidence, cost, words, fix).at_most(Severity::High))
}

/// A failure of one element rolls a transaction back while the others go on.
fn rolls_back(audit: &Audit<'_, '_>, module: &Module, call: &Call<'_>) -> Option<Finding> {
    let handler = failure_handler(module, call.site.1)?;
    let rollback = module.all_nodes(handler).into_iter().find(|node| is_rollback(module, *node))?;
    if elements(module, call.site.1).len() == 1 || !may_use_database(audit, module, call) {
        return None;
    }
    let evidence = vec![
        Evidence {
            place: Place::Code(call.site),
            note: String::from("rejects with the first failure; the others go on"),
        },
        Evidence { place: Place::Code((call.site.0, rollback)), note: String::from("rolls back meanwhile") },
    ];
    let words = Words {
        title: String::from("a transaction is rolled back while writes of it are still under way"),
        problem: format!(
            "`{}` rejects with the first failure while the other operations go on. The handler then ends the transaction (`{}`), and what is still under way runs outside of it or on a closed session: \
             part of the request is written for good, or later failures have nobody who handles them.",
            audit.excerpt(call.site, 60),
            audit.excerpt((call.site.0, rollback), 50)
        ),
        verify: String::from(
            "Let one of the operations fail at once and another take a second: after the request nothing of it may be in the database.",
        ),
        tradeoff: String::from("A failing request waits for all of its operations before it answers."),
    };
    let fix = Fix {
        description: String::from(
            "Wait for all (`Promise.allSettled`), then commit if none failed and roll back otherwise; or run the operations of one transaction in turn.",
        ),
        before: Some(audit.excerpt(call.site, 200)),
        after: Some(String::from(
            "const results = await Promise.allSettled(promises);\nconst failed = results.find((result) => result.status === \"rejected\");\nif (failed) throw failed.reason;",
        )),
        ..Fix::default()
    };
    let cost = audit.cost_at(call.site).failing(Failure::LostWrite);
    let finding = Finding::new(&META, call.site, evidence, cost, words, fix);
    Some(finding.at_most(Severity::High).confidence(Confidence::Medium))
}

/// Whether the elements work on the database as far as it is seen; uploads that go on are no writes of a transaction.
fn may_use_database(audit: &Audit<'_, '_>, module: &Module, call: &Call<'_>) -> bool {
    let Kind::Call { arguments, .. } = module.kind(call.site.1) else { return true };
    let Some(argument) = module.list(arguments).next() else { return true };
    let made = match module.kind(argument) {
        Kind::Name { binding, .. } => initial(module, binding).unwrap_or(argument),
        _ => argument,
    };
    let works = audit.analysis.works();
    let calls = audit.analysis.calls();
    let mut within = calls.iter().filter(|it| it.site.0 == call.site.0 && module.contains(made, it.site.1));
    let all = within.try_fold(Work::default(), |all, it| {
        let work = works.of_call(it);
        let uses_database = work.any(|effect| matches!(effect, Effect::DbQuery | Effect::DbWrite));
        (!uses_database).then(|| all.and(work))
    });
    // Nothing is known of work that is not seen to leave the process.
    all.is_none_or(|work| !work.waits())
}

/// What a constant is first.
fn initial(module: &Module, binding: BindingId) -> Option<NodeId> {
    match module.kind(module.parent(module.binding(binding)?.node)) {
        Kind::Declarator { init, .. } => Some(init).filter(|init| init.is_some()),
        _ => None,
    }
}

/// The `.catch` of the chain, or the `catch` clause around the `await`.
fn failure_handler(module: &Module, node: NodeId) -> Option<NodeId> {
    let mut inner = node;
    for outer in module.ancestors(node) {
        match module.kind(outer) {
            Kind::Member { object, name } if object == inner && module.str(name) == "catch" => {
                return match module.kind(module.parent(outer)) {
                    Kind::Call { arguments, .. } => module.list(arguments).next(),
                    _ => None,
                };
            }
            Kind::Try { block, handler, .. } if block == inner => return handler.ok(),
            Kind::Function(_) => return None,
            _ => {}
        }
        inner = outer;
    }
    None
}

fn is_rollback(module: &Module, node: NodeId) -> bool {
    let Kind::Call { callee, .. } = module.kind(node) else { return false };
    let Kind::Member { name, .. } = module.kind(callee) else { return false };
    let name = module.str(name).to_lowercase();
    name.starts_with("rollback")
        || (name.starts_with("abort") && (name.contains("transaction") || name.contains("session")))
}
