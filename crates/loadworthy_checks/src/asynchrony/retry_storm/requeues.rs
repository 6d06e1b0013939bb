//! Jobs that put themselves back when they fail.

use loadworthy_analysis::{Call, Context, FunctionRef, Options, Site};
use loadworthy_capacity::{Cost, Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::{META, loops, queues};
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for (call, _) in audit.analysis.effects(|effect| effect == Effect::QueuePublish) {
        let Some(module) = audit.module(call.site) else { continue };
        let function = (call.site.0, module.outermost_function(call.site.1));
        if goes_back(audit, module, call) {
            findings.push(finding(audit, call, function));
        }
    }
}

/// Whether a job fills its own queue where it failed, without counting.
fn goes_back(audit: &Audit<'_, '_>, module: &Module, call: &Call<'_>) -> bool {
    let owner = (call.site.0, call.function);
    if !audit.analysis.reach().runs(owner, Context::PerJob) || !is_in_handler(module, call.site.1) {
        return false;
    }
    let own = queues::of_function(audit, owner);
    if own.is_none() || own != queues::name(audit, call) {
        return false;
    }
    let text = module.function(call.function).map_or("", |function| module.source(function.node));
    !loops::has_cap(text) && pause(audit, call).is_none_or(|pause| audit.resolver.number_of(pause).is_some())
}

/// In a `catch`, or in the function of `.catch(…)`.
fn is_in_handler(module: &Module, node: NodeId) -> bool {
    module.ancestors(node).any(|outer| match module.kind(outer) {
        Kind::Catch { .. } => true,
        Kind::Function(_) => is_catch_call(module, module.parent(outer)),
        _ => false,
    })
}

/// `promise.catch(…)`
pub(super) fn is_catch_call(module: &Module, node: NodeId) -> bool {
    let Kind::Call { callee, .. } = module.kind(node) else { return false };
    matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name) == "catch")
}

/// The `delay` of the job's options.
fn pause(audit: &Audit<'_, '_>, call: &Call<'_>) -> Option<Site> {
    (1..3).filter_map(|at| audit.resolver.argument(call.site, at)).find_map(|options| {
        let found = Options::of(audit.resolver, options).get("delay");
        found.filter(|found| found.0 == call.site.0)
    })
}

fn finding(audit: &Audit<'_, '_>, call: &Call<'_>, function: FunctionRef) -> Finding {
    let name = audit.function_name(function);
    let code = audit.excerpt(call.site, 80);
    let pause = pause(audit, call);
    let (when, least) = match pause {
        Some(pause) => {
            (format!("after the same {} ms each time", audit.excerpt(pause, 20)), Severity::Monitor)
        }
        None => (String::from("at once"), Severity::Medium),
    };
    let words = Words {
        title: format!("{name} puts its job back without end when it fails"),
        problem: format!(
            "`{code}` puts the job that failed back {when}, and nothing counts how often. While what it needs is down the same jobs go \
             round as fast as the workers take them, and a job that can never succeed goes round for ever; new jobs wait behind them."
        ),
        verify: String::from(
            "Add one job that always fails and watch the queue for a minute: it ends in the failed set after its attempts, and the counter of added jobs stays at one.",
        ),
        tradeoff: String::from(
            "Jobs that failed for good need somebody who looks at them; alarm on the number of the failed set.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Throw, and let the queue repeat the job: a few attempts with an exponential backoff.",
        ),
        before: Some(code),
        after: Some(String::from(
            "throw error; // where jobs are added: { attempts: 5, backoff: { type: \"exponential\", delay: 1_000 } }",
        )),
        ..Fix::default()
    };
    let mut evidence = audit.chain_to(call.site, "the job that failed goes back");
    if let Some(pause) = pause {
        evidence.push(Evidence { place: Place::Code(pause), note: String::from("the same pause each time") });
    }
    let cost = Cost::at_share(1.0).reached(Reach::PerJob);
    let mut found = Finding::new(&META, call.site, evidence, cost, words, fix)
        .confidence(Confidence::Medium)
        .at_least(least)
        .at_most(Severity::Medium);
    found.routes = Some(Vec::new());
    found
}
