//! Timers of `Promise.race` that are never cleared.

use loadworthy_analysis::{Deadlines, Race, Site};
use loadworthy_capacity::Severity;
use loadworthy_syntax::{Kind, NodeId};

use super::META;
use crate::audit::Audit;
use crate::finding::{Evidence, Finding, Fix, Place, Words};
use crate::runs::{Runs, cost_of, runs};

/// Bytes that a pending timer, its promise and their closures keep: three closures and a promise, measured.
const TIMER_BYTES: f64 = 1024.0;

pub(super) fn run<'p>(audit: &Audit<'_, 'p>, deadlines: &Deadlines<'_, 'p>, findings: &mut Vec<Finding>) {
    for race in deadlines.races() {
        let (Some(at), Some(timer)) = (race.at, race.timer) else { continue };
        if race.is_cleared {
            continue;
        }
        if let Some(runs) = runs(audit, at) {
            findings.push(finding(audit, &race, (at, timer), runs));
        }
    }
}

fn finding(audit: &Audit<'_, '_>, race: &Race, (at, timer): (Site, Site), runs: Runs) -> Finding {
    let millis = audit.resolver.argument(timer, 1).and_then(|at| audit.resolver.number_of(at));
    let mut evidence = audit.chain_to(at, "the race ends, its timer and its loser go on");
    if timer.0 != at.0 || timer.1 != at.1 {
        evidence.push(Evidence { place: Place::Code(timer), note: "this timer is never cleared".to_owned() });
    }
    let cost = cost_of(audit, &[at]).bytes(TIMER_BYTES);
    let finding = Finding::new(&META, at, evidence, cost, words(audit, at, millis), fix(audit, race, timer));
    let finding = finding.at_most(Severity::Medium);
    match runs {
        Runs::Unreached => finding.unless(format!(
            "no route or job that reaches `{}` was found; if one does, each run leaves a timer behind",
            audit.function_name(audit.analysis.owner(at))
        )),
        _ => finding,
    }
}

fn words(audit: &Audit<'_, '_>, at: Site, millis: Option<f64>) -> Words {
    let reached = audit.reached_by(at);
    let seconds = millis.map_or("its whole time".to_owned(), |millis| format!("{} s", millis / 1000.0));
    Words {
        title: format!("the timer of `Promise.race` in {reached} is never cleared"),
        problem: format!(
            "When the work wins, the timer stays for {seconds} with its closure, and keeps the process from ending; when the timer wins, the work is not aborted and goes on with its socket. Under load both add up: req/s × {seconds} timers are alive at any moment."
        ),
        verify: format!(
            "Call {reached} once with an answer at once and look at `process.getActiveResourcesInfo()`: no `Timeout` may be left ({}).",
            audit.place_of(at)
        ),
        tradeoff: String::from("None for the timer; aborting the work needs a library that takes a signal."),
    }
}

fn fix(audit: &Audit<'_, '_>, race: &Race, timer: Site) -> Fix {
    let delay = audit.resolver.argument(timer, 1).map_or("10_000", |at| audit.source(at));
    let work = race.at.and_then(|at| work(audit, at)).map_or("work", |site| audit.source(site));
    let name = |node: &str| node.split_whitespace().collect::<Vec<_>>().join(" ");
    Fix {
        description: String::from(
            "Keep the timer's id and clear it in `finally`; better, pass `AbortSignal.timeout(ms)` to the work, which then ends too.",
        ),
        before: race.at.map(|at| audit.lines_around(audit.statement(at), 0)),
        after: Some(format!(
            "let timer: NodeJS.Timeout | undefined;\nconst deadline = new Promise<never>((_, reject) => {{\n  timer = setTimeout(() => reject(new Error(\"timed out\")), {});\n}});\ntry {{\n  await Promise.race([{}, deadline]);\n}} finally {{\n  clearTimeout(timer);\n}}",
            name(delay),
            name(work)
        )),
        ..Fix::default()
    }
}

/// The first promise of the race.
fn work(audit: &Audit<'_, '_>, at: Site) -> Option<Site> {
    let (file, list) = audit.resolver.argument(at, 0)?;
    let module = audit.module(at)?;
    let Kind::Array(items) = module.kind(list) else { return None };
    let first: NodeId = module.list(items).next()?;
    Some((file, first))
}
