//! Jobs that are repeated without a pause, or all after the same one.

use loadworthy_analysis::{Call, Options, Site};
use loadworthy_capacity::{Cost, Reach, Severity};
use loadworthy_knowledge::{Effect, Flag};
use loadworthy_project::FileClass;
use loadworthy_syntax::Kind;

use super::{META, queues};
use crate::audit::Audit;
use crate::database::rows::plain;
use crate::finding::{Applicability, Edit, Evidence, Finding, Fix, Place, Words};

/// Attempts from which jobs with the same pause are more than something to watch.
const MANY: f64 = 10.0;
/// Attempts up to which the same pause does no harm.
const FEW: f64 = 3.0;
/// The most attempts that a doubling pause makes sense for.
const MOST: f64 = 8.0;

/// Attempts that the options of a job or of a queue's jobs state.
pub(super) struct Stated {
    call: Site,
    pub(super) attempts: Site,
    pub(super) queue: Option<String>,
    backoff: Option<Site>,
    is_open: bool,
}

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut seen: Vec<Site> = Vec::new();
    for stated in stated(audit) {
        let number = audit.resolver.number_of(stated.attempts);
        let is_once = number.is_some_and(|number| number <= 1.0);
        if is_once || stated.is_open || seen.contains(&stated.attempts) {
            continue;
        }
        seen.push(stated.attempts);
        match stated.backoff {
            None => findings.push(finding(audit, stated.call, stated.attempts)),
            Some(backoff) => findings.extend(fixed(audit, &stated, number, backoff)),
        }
    }
}

/// Every place that states attempts, in the order of the calls.
pub(super) fn stated<'a>(audit: &'a Audit<'_, '_>) -> impl Iterator<Item = Stated> + 'a {
    audit
        .analysis
        .calls()
        .iter()
        .flat_map(move |call| options(audit, call).map(move |it| (call, it)))
        .filter_map(|(call, options)| {
            Some(Stated {
                call: call.site,
                attempts: options.get("attempts")?,
                queue: queues::name(audit, call),
                backoff: options.get("backoff"),
                is_open: options.is_open,
            })
        })
}

/// The options of the jobs that a call adds, or of those of the queue that it makes.
fn options(audit: &Audit<'_, '_>, call: &Call<'_>) -> std::vec::IntoIter<Options> {
    let none = Vec::new().into_iter();
    let Some(library) = &call.library else { return none };
    if !audit.program().class(call.site.0).is_some_and(FileClass::may_be_server) {
        return none;
    }
    let of = |at: usize| Some(Options::of(audit.resolver, audit.resolver.argument(call.site, at)?));
    if library.effect() == Some(Effect::QueuePublish) {
        if library.has(Flag::Batch) {
            let jobs = audit.resolver.argument(call.site, 0);
            return jobs.map_or(none, |jobs| of_each(audit, jobs).into_iter());
        }
        // A job without a name has its options one place earlier.
        let first = audit.resolver.argument(call.site, 0);
        let is_unnamed = first
            .and_then(|at| Some(matches!(audit.module(at)?.kind(at.1), Kind::Object(_))))
            .unwrap_or_default();
        return of(if is_unnamed { 1 } else { 2 }).into_iter().collect::<Vec<_>>().into_iter();
    }
    if !matches!(&*library.name, "" | "Queue" | "registerQueue" | "forRoot") {
        return none;
    }
    let all = (0..3).filter_map(|at| {
        Options::of(audit.resolver, audit.resolver.argument(call.site, at)?).get("defaultJobOptions")
    });
    all.map(|inner| Options::of(audit.resolver, inner)).collect::<Vec<_>>().into_iter()
}

/// `addBulk([{ name, data, opts }])`
fn of_each(audit: &Audit<'_, '_>, jobs: Site) -> Vec<Options> {
    let Some(module) = audit.module(jobs) else { return Vec::new() };
    let options = module.all_nodes(jobs.1).into_iter().filter_map(|node| match module.kind(node) {
        Kind::Property { key, value } if module.str(key) == "opts" && value.is_some() => {
            Some(Options::of(audit.resolver, (jobs.0, value)))
        }
        _ => None,
    });
    options.collect()
}

/// The one pause of a backoff.
fn pause_of(audit: &Audit<'_, '_>, backoff: Site) -> Option<f64> {
    if let Some(millis) = audit.resolver.number_of(backoff) {
        return Some(millis);
    }
    let options = Options::of(audit.resolver, backoff);
    let kind = audit.resolver.text_of(options.get("type")?)?;
    let is_fixed = kind == "fixed" && !options.is_open && options.get("jitter").is_none();
    is_fixed.then(|| options.get("delay").and_then(|at| audit.resolver.number_of(at)).unwrap_or_default())
}

/// A backoff with the same pause each time.
fn fixed(audit: &Audit<'_, '_>, stated: &Stated, attempts: Option<f64>, backoff: Site) -> Option<Finding> {
    let attempts = attempts.filter(|attempts| *attempts > FEW)?;
    let pause = pause_of(audit, backoff)?;
    let (count, millis) = (plain(attempts), plain(pause));
    let delay = pause.max(1_000.0);
    let after = format!(
        "attempts: {}, backoff: {{ type: \"exponential\", delay: {delay:.0} }}",
        plain(attempts.min(MOST))
    );
    let words = Words {
        title: format!("jobs are repeated {count} times after the same pause"),
        problem: format!(
            "A job that fails comes back after {millis} ms, {count} times, and so do all jobs that failed with it: while the service they need is down it gets {count} times the calls in waves, and after {} s all of the work has failed for good.",
            plain(attempts * pause / 1_000.0)
        ),
        verify: String::from(
            "Stop what the job needs for 30 s and add 100 jobs: all of them are done after it is back, and the log shows growing pauses between attempts.",
        ),
        tradeoff: String::from(
            "Jobs wait longer after a failure; choose attempts × delay to span the outages that are to be survived.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Give the jobs an exponential backoff, and no more attempts than it can span.",
        ),
        before: Some(format!("attempts: {count}, backoff: {}", audit.excerpt(backoff, 60))),
        after: Some(after),
        ..Fix::default()
    };
    let evidence = vec![
        Evidence { place: Place::Code(stated.call), note: String::from("the options of the jobs") },
        Evidence { place: Place::Code(stated.attempts), note: format!("{count} attempts") },
        Evidence { place: Place::Code(backoff), note: format!("{millis} ms before each") },
    ];
    let cost = Cost::at_share(1.0).reached(Reach::PerJob);
    let mut found = Finding::new(&META, stated.attempts, evidence, cost, words, fix);
    found.routes = Some(Vec::new());
    let least = if attempts >= MANY { Severity::Medium } else { Severity::Monitor };
    Some(found.at_least(least).at_most(least))
}

fn finding(audit: &Audit<'_, '_>, call: Site, attempts: Site) -> Finding {
    let count = audit.excerpt(attempts, 20);
    let words = Words {
        title: format!("jobs are repeated {count} times without a pause"),
        problem: format!(
            "A job that fails is put back at once, {count} times: while the service it needs is down, every job uses up its attempts within a second, fails for good, and the service gets {count} times the calls. After an outage all of the work is lost to the dead-letter list."
        ),
        verify: String::from(
            "Stop what the job needs for 30 s and add 100 jobs: all of them are done after it is back, and the log shows growing pauses between attempts.",
        ),
        tradeoff: String::from(
            "Jobs wait longer after a failure; choose attempts × delay to span the outages that are to be survived.",
        ),
    };
    let fix = Fix {
        description: String::from("Give the jobs an exponential backoff."),
        before: Some(format!("attempts: {count}")),
        after: Some(format!("attempts: {count}, backoff: {{ type: \"exponential\", delay: 1_000 }}")),
        edits: audit
            .module(attempts)
            .map(|module| module.node(attempts.1).span)
            .map(|span| Edit {
                file: audit.program().path(attempts.0).to_owned(),
                start: span.end,
                end: span.end,
                replacement: String::from(", backoff: { type: \"exponential\", delay: 1_000 }"),
            })
            .into_iter()
            .collect(),
        applicability: Applicability::Safe,
        ..Fix::default()
    };
    let evidence = vec![
        Evidence { place: Place::Code(call), note: String::from("the options of the jobs") },
        Evidence { place: Place::Code(attempts), note: format!("{count} attempts, no backoff") },
    ];
    let mut found =
        Finding::new(&META, attempts, evidence, Cost::at_share(1.0).reached(Reach::PerJob), words, fix);
    found.routes = Some(Vec::new());
    found.at_least(Severity::Medium).at_most(Severity::Medium)
}
