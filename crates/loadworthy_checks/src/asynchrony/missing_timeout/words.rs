//! What the findings of outbound calls say, and how they are fixed.

use loadworthy_analysis::Site;
use loadworthy_knowledge::Op;
use loadworthy_syntax::Kind;

use super::outbound::{Unended, Why, is_client};
use crate::audit::Audit;
use crate::edit::{add_argument, add_option, after, replace, semicolon, styled};
use crate::finding::{Applicability, Edit, Fix, Words};
use crate::runs::Runs;

/// Where the calls of a finding are.
#[derive(Clone, Copy)]
pub(super) enum Scope {
    Client,
    Helper,
    File,
    Package,
}

pub(super) fn of(
    audit: &Audit<'_, '_>,
    busiest: &Unended<'_, '_>,
    calls: &[Unended<'_, '_>],
    scope: Scope,
) -> Words {
    let what = &busiest.row.what;
    let reached = audit.reached_by(busiest.call.site);
    let code = audit.excerpt(busiest.call.site, 60);
    let title = match calls.len() {
        1 => format!("`{code}` in {reached} waits for {} without a deadline", busiest.dependency),
        n => match scope {
            Scope::Client | Scope::Helper => {
                format!("{n} {what}s to {} share a client without a deadline", busiest.dependency)
            }
            Scope::File => {
                format!("{n} {what}s in {} have no deadline", audit.program().path(busiest.call.site.0))
            }
            Scope::Package if busiest.runs == Runs::Browser => {
                format!("{n} {what}s of the page have no deadline")
            }
            Scope::Package => format!("{n} {what}s that no route was seen to reach have no deadline"),
        },
    };
    Words {
        title,
        problem: format!("{} {}", why(audit, busiest), failure(busiest, &reached)),
        verify: verify(audit, busiest, &reached),
        tradeoff: tradeoff(busiest),
    }
}

/// What ends the call, or that nothing does.
fn why(audit: &Audit<'_, '_>, unended: &Unended<'_, '_>) -> String {
    let code = audit.excerpt(unended.call.site, 80);
    let what = &unended.row.what;
    match &unended.why {
        Why::Default { millis, meaning } => {
            let meaning = meaning.map(|text| format!(" ({text})")).unwrap_or_default();
            format!("`{code}` sets no timeout, so the library's own of {} s holds{meaning}.", millis / 1000.0)
        }
        Why::Unknown(options) => {
            format!("Whether `{code}` has a deadline depends on `{}`.", audit.excerpt(*options, 60))
        }
        Why::Nothing(missing) if missing.signal.is_some() => {
            format!("The signal of `{code}` ends the {what} when someone leaves, not when time is up.")
        }
        Why::Nothing(missing) if !missing.callers.is_empty() => format!(
            "The helper takes a deadline for `{code}`, and {} of its callers pass none.",
            missing.callers.len()
        ),
        Why::Nothing(_) => {
            format!("Nothing ends `{code}`: the {what} has no timeout and no signal with a timer.")
        }
    }
}

fn failure(unended: &Unended<'_, '_>, reached: &str) -> String {
    let dependency = &unended.dependency;
    match unended.runs {
        Runs::Browser => format!(
            "When the server stalls, the page waits with it: the spinner of {reached} never ends, and users reload, which adds load."
        ),
        Runs::Job => format!(
            "When {dependency} stops answering, the job in {reached} never ends: its slot is lost, and later runs queue behind it."
        ),
        Runs::Request | Runs::Unreached => format!(
            "When {dependency} accepts and does not answer, every request of {reached} stays open with its socket, memory and locks, until users give up and send it again."
        ),
    }
}

fn verify(audit: &Audit<'_, '_>, unended: &Unended<'_, '_>, reached: &str) -> String {
    let dependency = &unended.dependency;
    let place = audit.place_of(unended.call.site);
    match unended.runs {
        Runs::Browser => format!(
            "Block {dependency} in the browser's network panel (or answer after 60 s) and use what calls {place}: an error must show within the timeout."
        ),
        _ => format!(
            "Point {dependency} at a port that accepts and never answers (`nc -lk 9999`), then run {reached} ({place}) under load: its p99 must stay below the timeout, and the requests in flight must not grow."
        ),
    }
}

fn tradeoff(unended: &Unended<'_, '_>) -> String {
    if unended.row.streaming.as_deref() == Some("*") {
        return String::from(
            "A total deadline cuts long streams: prefer one on the silence between chunks, and abort when the client leaves.",
        );
    }
    format!(
        "A slow answer becomes an error: take the value from the p99 of {}, below the timeout of your own callers, and handle the error (504, or a fallback).",
        unended.dependency
    )
}

/// Most calls that one fix edits.
const MOST_EDITS: usize = 120;

pub(super) fn fix(
    audit: &Audit<'_, '_>,
    busiest: &Unended<'_, '_>,
    calls: &[Unended<'_, '_>],
    place: Site,
) -> Fix {
    let client = (place != busiest.call.site).then_some(place);
    let edits = match client {
        Some(made_at) => client_edit(audit, made_at, busiest).into_iter().collect::<Vec<Edit>>(),
        None => call_edits(audit, calls),
    };
    let shown = audit.statement(place);
    let description = description(audit, busiest, client.is_some());
    if edits.is_empty() {
        // Not all can be mended alike: how it looks for one.
        let shown = audit.statement(busiest.call.site);
        let edit = call_edit(audit, busiest);
        return Fix {
            description,
            before: Some(audit.lines_around(shown, 0)),
            after: edit.map(|edit| after(audit, shown, &[edit])).or_else(|| raced(audit, busiest.call.site)),
            ..Fix::default()
        };
    }
    Fix {
        description,
        before: Some(audit.lines_around(shown, 0)),
        after: Some(after(audit, shown, &edits)),
        edits,
        applicability: Applicability::Review,
        ..Fix::default()
    }
}

/// A call against a timer, for what takes no deadline.
fn raced(audit: &Audit<'_, '_>, call: Site) -> Option<String> {
    let module = audit.module(call)?;
    let end = semicolon(module);
    let source = audit.source(call);
    (source.lines().count() <= RACED_LINES).then(|| {
        styled(
            module,
            &format!(
                "let timer{end}\nconst late = new Promise((_, reject) => {{\n  timer = setTimeout(() => reject(new Error(\"no answer in time\")), 5_000){end}\n}}){end}\ntry {{\n  await Promise.race([{source}, late]){end}\n}} finally {{\n  clearTimeout(timer){end}\n}}"
            ),
        )
    })
}

/// Most lines of a call that is shown within a race.
const RACED_LINES: usize = 12;

fn description(audit: &Audit<'_, '_>, busiest: &Unended<'_, '_>, is_client: bool) -> String {
    let row = busiest.row;
    let added = if is_client { row.client_add.as_ref() } else { row.add.as_ref() };
    match (&busiest.why, added) {
        (Why::Nothing(missing), Some(_)) if !missing.callers.is_empty() => format!(
            "Give the helper's parameter a default, so that the {} callers without a deadline get one.",
            missing.callers.len()
        ),
        (_, Some(added)) if is_client => {
            format!("Set `{added}` where the client is made: it holds for all of its calls.")
        }
        (_, Some(added)) if row.positional.is_some() => {
            format!("Pass a limit of `{added}` milliseconds to the {}.", row.what)
        }
        (_, Some(added)) => {
            format!("Add `{added}` to the {}, and answer with an error when it fires.", row.what)
        }
        (_, None) => format!(
            "`{}` takes no timeout: race it against a timer that rejects after a few seconds and is cleared in `finally`, and move the work to a queue if it may take longer.",
            audit.excerpt(busiest.call.site, 60)
        ),
    }
}

fn client_edit(audit: &Audit<'_, '_>, made_at: Site, busiest: &Unended<'_, '_>) -> Option<Edit> {
    let text = busiest.row.client_add.as_ref()?;
    let call = audit.analysis.calls().at(made_at)?;
    let library = call.library.as_ref()?;
    let op = match audit.module(made_at)?.kind(made_at.1) {
        Kind::New { .. } => Op::New,
        _ => Op::Call,
    };
    let step =
        audit.knowledge().step_in(library.lib, library.on, op, &library.name, library.module.as_deref())?;
    add_option(audit, made_at, i8::try_from(step.options?).ok()?, text)
}

fn call_edits(audit: &Audit<'_, '_>, calls: &[Unended<'_, '_>]) -> Vec<Edit> {
    let edits: Option<Vec<Edit>> = calls.iter().take(MOST_EDITS).map(|it| call_edit(audit, it)).collect();
    if calls.len() > MOST_EDITS { Vec::new() } else { edits.unwrap_or_default() }
}

/// What the addresses of models that write texts have in them.
const MODEL_PATHS: [&str; 4] = ["completions", "generateContent", "/v1/messages", "/api/generate"];

/// A deadline with more time for what takes longer on a good day: a model's answer, and what a page sends over a slow line.
fn patient(audit: &Audit<'_, '_>, unended: &Unended<'_, '_>, text: &str) -> String {
    let call = unended.call.site;
    let address = audit.resolver.argument(call, 0).map(|at| {
        let text = audit.resolver.text_of(at).unwrap_or_default();
        format!("{text}{}", audit.source(at))
    });
    let is_model = address.is_some_and(|address| MODEL_PATHS.iter().any(|path| address.contains(path)));
    let is_page = unended.runs == Runs::Browser;
    match (is_model, is_page) {
        (true, _) => text.replace("10_000", "60_000"),
        (false, true) => text.replace("10_000", "30_000"),
        (false, false) => text.to_owned(),
    }
}

fn call_edit(audit: &Audit<'_, '_>, unended: &Unended<'_, '_>) -> Option<Edit> {
    let row = unended.row;
    let call = unended.call.site;
    let text = &patient(audit, unended, row.add.as_ref()?);
    if let Some(index) = row.positional {
        return add_argument(audit, call, index, text);
    }
    let Why::Nothing(missing) = &unended.why else {
        return add_option(audit, call, row.argument?, text);
    };
    if !missing.callers.is_empty() {
        return None;
    }
    match missing.signal {
        // A signal stays, and a timer joins it.
        Some(signal) if text.contains("AbortSignal.timeout") => {
            let timer = text.split_once(": ")?.1;
            Some(replace(audit, signal, format!("AbortSignal.any([{}, {timer}])", audit.source(signal))))
        }
        Some(_) if is_client(audit, call) => None,
        _ => add_option(audit, call, row.argument?, text),
    }
}
