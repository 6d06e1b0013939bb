//! Functions that a timer starts again after each failure: `load().catch(() => setTimeout(load, 1000))`.

use loadworthy_analysis::{Context, FunctionRef, Site, Value};
use loadworthy_capacity::{ExtraRequests, Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileClass;
use loadworthy_syntax::{FunctionId, Kind, Module, NodeId};

use super::requeues::is_catch_call;
use super::{META, loops, queues};
use crate::audit::Audit;
use crate::database::rows::plain;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Seconds of an outage, for what a server repeats without end.
const OUTAGE: f64 = 60.0;
/// Milliseconds from which a page asks so seldom that it is only watched.
const SELDOM: f64 = 10_000.0;

/// A function that fails and is started again.
struct Again {
    /// `setTimeout(…)`
    timer: Site,
    function: FunctionRef,
    millis: f64,
    /// The call that may fail.
    tried: Site,
    is_page: bool,
}

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for (file, module) in audit.program().modules() {
        let timers = module.calls().iter().filter_map(|call| again(audit, module, (file, *call)));
        findings.extend(timers.map(|again| finding(audit, &again)));
    }
}

fn again(audit: &Audit<'_, '_>, module: &Module, timer: Site) -> Option<Again> {
    let (task, millis) = started(audit, module, timer)?;
    let function = (timer.0, failing(module, timer.1)?);
    let node = module.function(function.1)?.node;
    let is_page = audit.program().class(timer.0) == Some(FileClass::Client);
    let reach = audit.analysis.reach();
    // The one series of a process that starts does no harm.
    let is_run = is_page
        || reach.runs(function, Context::PerRequest)
        || queues::of_function(audit, function).is_some();
    let starts_it = leads_to(audit, module, (timer.0, task), function);
    if !is_run || !starts_it || loops::has_cap(module.source(node)) || is_poll(audit, module, timer, function)
    {
        return None;
    }
    let asks = |effect: Effect| effect.is_service_call() || effect.is_database_trip();
    let works = audit.analysis.works();
    let mut calls = audit.analysis.calls().iter().filter(|call| {
        call.site.0 == timer.0 && module.contains(node, call.site.1) && !module.contains(call.site.1, timer.1)
    });
    let tried = calls.find(|call| works.of_call(call).any(asks))?.site;
    Some(Again { timer, function, millis, tried, is_page })
}

/// What a timer with a constant pause starts.
fn started(audit: &Audit<'_, '_>, module: &Module, timer: Site) -> Option<(NodeId, f64)> {
    let Kind::Call { callee, arguments } = module.kind(timer.1) else { return None };
    if !matches!(module.source(callee), "setTimeout" | "window.setTimeout" | "globalThis.setTimeout") {
        return None;
    }
    let mut arguments = module.list(arguments);
    let task = arguments.next()?;
    let millis = arguments.next().map_or(Some(0.0), |pause| audit.resolver.number_of((timer.0, pause)))?;
    Some((task, millis))
}

/// The function whose failure a place handles.
fn failing(module: &Module, node: NodeId) -> Option<FunctionId> {
    let handler = module.ancestors(node).find(|outer| match module.kind(*outer) {
        Kind::Catch { .. } => true,
        Kind::Function(_) => is_catch_call(module, module.parent(*outer)),
        _ => false,
    })?;
    let around = module.enclosing_function(module.parent(handler));
    (around != FunctionId::NONE).then_some(around)
}

/// Whether what is started is the function, or calls it.
fn leads_to(audit: &Audit<'_, '_>, module: &Module, task: Site, function: FunctionRef) -> bool {
    let is_it = |site: Site| {
        audit
            .resolver
            .value_of(site)
            .iter()
            .any(|value| matches!(value, Value::Function(file, own) if (*file, *own) == function))
    };
    if is_it(task) {
        return true;
    }
    matches!(module.kind(task.1), Kind::Function(_))
        && module
            .all_nodes(task.1)
            .into_iter()
            .any(|node| matches!(module.kind(node), Kind::Call { callee, .. } if is_it((task.0, callee))))
}

/// A success starts it again, too.
fn is_poll(audit: &Audit<'_, '_>, module: &Module, timer: Site, function: FunctionRef) -> bool {
    let Some(node) = module.function(function.1).map(|it| it.node) else { return false };
    module.calls().iter().filter(|call| **call != timer.1 && module.contains(node, **call)).any(|call| {
        let other = (timer.0, *call);
        let started = started(audit, module, other);
        let handles = failing(module, *call) == Some(function.1);
        !handles && started.is_some_and(|(task, _)| leads_to(audit, module, (timer.0, task), function))
    })
}

fn finding(audit: &Audit<'_, '_>, again: &Again) -> Finding {
    let name = audit.function_name(again.function);
    let pause = plain(again.millis);
    let each = 1_000.0 / again.millis.max(10.0);
    let code = audit.excerpt(again.timer, 80);
    let (who, cost) = if again.is_page {
        let users = f64::from(audit.target.users);
        let cost = audit.cost_at(again.tried).reached(Reach::PerRender);
        (
            format!(
                "While the server fails, each of {} pages in view asks every {pause} ms: {} requests a second that only keep it down, and all of them in step.",
                plain(users),
                plain(users * each)
            ),
            cost.extra(ExtraRequests::PerUserPerSecond(each)),
        )
    } else {
        (
            format!(
                "Each failure of {} starts a series of its own, which ends only with a success: an outage of a minute leaves {} calls for each request that came in it.",
                audit.reached_by(again.tried),
                plain(OUTAGE * each)
            ),
            audit.cost_at(again.tried).extra(ExtraRequests::PerRequest(OUTAGE * each)),
        )
    };
    let words = Words {
        title: format!("{name} starts again {pause} ms after each failure, without end"),
        problem: format!(
            "`{code}` follows every failure, also those that stay (a 404, a 401), with the same pause. {who}"
        ),
        verify: String::from(
            "Let the other side answer 503 for a minute and count its calls: after the change the gaps grow, and they end.",
        ),
        tradeoff: String::from(
            "Data comes back some seconds later after an outage; show the failure, with a button that tries again.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Count the attempts, end after a few, and double the pause with chance in it.",
        ),
        before: Some(code),
        after: Some(String::from(
            "if (attempt < 5) setTimeout(() => load(attempt + 1), Math.random() * Math.min(30_000, 1_000 * 2 ** attempt));",
        )),
        ..Fix::default()
    };
    let mut evidence = audit.chain_to(again.tried, format!("may fail: {}", audit.excerpt(again.tried, 70)));
    evidence.push(Evidence { place: Place::Code(again.timer), note: format!("starts {name} again") });
    let least = if again.millis < SELDOM { Severity::Medium } else { Severity::Monitor };
    let found = Finding::new(&META, again.timer, evidence, cost, words, fix)
        .confidence(Confidence::Medium)
        .at_least(least)
        .at_most(Severity::High);
    if again.is_page { found } else { found.assuming("an outage of a minute") }
}
