//! Queues and consumers without a limit, and loops that start asynchronous work and don't wait.

use loadworthy_analysis::{Site, switches};
use loadworthy_capacity::{Cost, Severity};
use loadworthy_knowledge::{Effect, OptionTrait};
use loadworthy_project::FileClass;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::{META, before, served_text};
use crate::audit::Audit;
use crate::finding::{Evidence, Finding, Fix, Place, Words};

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for switch in switches(audit.analysis, audit.resolver, OptionTrait::UnboundedQueue) {
        if audit.program().class(switch.call.0).is_some_and(FileClass::may_be_server) {
            findings.push(queue(audit, switch.call, &switch.row.says));
        }
    }
    for (call, library) in audit.analysis.effects(|effect| effect == Effect::QueueConsume) {
        if &*library.name == "consume"
            && !audit.program().modules().any(|(_, module)| module.text().contains(".prefetch("))
        {
            findings.push(consumer(audit, call.site));
        }
    }
    for (file, module) in audit.program().modules() {
        for call in module.calls() {
            let site = (file, *call);
            if is_async_for_each(module, *call)
                && served_text(audit, site).is_some()
                && waits_outside(audit, site)
            {
                findings.push(for_each(audit, site));
            }
        }
    }
}

fn queue(audit: &Audit<'_, '_>, site: Site, says: &str) -> Finding {
    let code = audit.excerpt(site, 80);
    let words = Words {
        title: format!("`{code}` limits nothing"),
        problem: format!(
            "The queue {says}: without `concurrency` it is no queue. A burst of requests starts as many tasks at once, each with its connection and memory, and the pool behind them is empty for everybody else."
        ),
        verify: String::from(
            "Add 1,000 tasks at once and count those under way (`queue.pending`): never more than the limit after the change.",
        ),
        tradeoff: String::from(
            "Tasks wait; watch `queue.size` and refuse new work (503) above what is done within a few seconds.",
        ),
    };
    let fix = Fix {
        description: String::from("Limit what runs at once, below the size of the pool that the tasks use."),
        before: Some(code.clone()),
        after: Some(if code.ends_with("()") {
            code.replacen("()", "({ concurrency: 5 })", 1)
        } else {
            format!("{code} // concurrency: 5")
        }),
        ..Fix::default()
    };
    let evidence = vec![Evidence { place: Place::Code(site), note: format!("the queue {says}") }];
    let mut found = Finding::new(&META, site, evidence, Cost::at_share(1.0), words, fix);
    found.routes = Some(Vec::new());
    found.at_least(Severity::Medium).at_most(Severity::High)
}

fn consumer(audit: &Audit<'_, '_>, site: Site) -> Finding {
    let code = audit.excerpt(site, 80);
    let words = Words {
        title: String::from("a consumer takes every message of the queue at once"),
        problem: format!(
            "`{code}` without a prefetch: the broker sends all waiting messages, and their handlers run at the same time. After a pause of an hour the backlog comes as one burst, which empties the pool and the memory."
        ),
        verify: String::from(
            "Fill the queue with 10,000 messages, start the consumer and count messages under way: the prefetch at most after the change.",
        ),
        tradeoff: String::from(
            "Too low a prefetch leaves the consumer idle between messages; start with twice the pool's share of a worker.",
        ),
    };
    let fix = Fix {
        description: String::from("Set a prefetch on the channel before consuming."),
        before: Some(code.clone()),
        after: Some(format!("await channel.prefetch(10);\n{code}")),
        ..Fix::default()
    };
    let evidence = vec![Evidence {
        place: Place::Code(site),
        note: String::from("consumes; no prefetch is set anywhere"),
    }];
    let mut found = Finding::new(&META, site, evidence, Cost::at_share(1.0), words, fix);
    found.routes = Some(Vec::new());
    found.at_least(Severity::Medium).at_most(Severity::Medium)
}

/// `rows.forEach(async (row) => { await … })`.
fn is_async_for_each(module: &Module, call: NodeId) -> bool {
    let Kind::Call { callee, arguments } = module.kind(call) else { return false };
    let Kind::Member { name, .. } = module.kind(callee) else { return false };
    let Some(handler) = module.list(arguments).next() else { return false };
    module.str(name) == "forEach"
        && matches!(module.kind(handler), Kind::Function(_))
        && module.source(handler).starts_with("async")
        && module.source(handler).contains("await ")
}

/// Whether the work of a round leaves the process.
fn waits_outside(audit: &Audit<'_, '_>, site: Site) -> bool {
    audit.analysis.calls().at(site).is_some_and(|call| audit.analysis.works().of_call(call).waits())
}

fn for_each(audit: &Audit<'_, '_>, site: Site) -> Finding {
    let reached = audit.reached_by(site);
    let words = Words {
        title: format!("{reached} starts the work of all elements and waits for none"),
        problem: String::from(
            "`forEach` ignores the promises of an async callback: all rounds run at once, without a limit, and go on after the request has been answered. A failure in one is a rejection that nobody handles, which ends the process.",
        ),
        verify: format!(
            "Let one round fail and call {reached}: the process stays up and the failure is in the answer after the change."
        ),
        tradeoff: String::from(
            "One after the other is slower than all at once; where the elements don't depend on each other, take a limited number (`p-limit`).",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Use `for … of` with `await`, or `Promise.all` over chunks with a limit; better, one query for all elements.",
        ),
        before: before(audit, site),
        after: looped(audit, site),
        ..Fix::default()
    };
    let evidence = audit.chain_to(site, String::from("an async callback of forEach: nobody waits"));
    Finding::new(&META, site, evidence, audit.cost_at(site).queries(10.0), words, fix)
        .at_least(Severity::Medium)
        .at_most(Severity::High)
}

/// `for (const row of rows) { … }`.
fn looped(audit: &Audit<'_, '_>, site: Site) -> Option<String> {
    let module = audit.module(site)?;
    let Kind::Call { callee, arguments } = module.kind(site.1) else { return None };
    let Kind::Member { object, .. } = module.kind(callee) else { return None };
    let Kind::Function(function) = module.kind(module.list(arguments).next()?) else { return None };
    let function = module.function(function)?;
    let mut parameters = module.list(function.parameters);
    let (Some(parameter), None) = (parameters.next(), parameters.next()) else { return None };
    let body = module.source(function.body);
    let is_block = matches!(module.kind(function.body), Kind::Block(_));
    // `return` leaves a round of forEach, and a loop for good.
    if !is_block || body.contains("return") {
        return None;
    }
    Some(format!("for (const {} of {}) {body}", module.source(parameter), module.source(object)))
}
