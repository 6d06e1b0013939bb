//! Values that a process keeps between requests: loaded by every request that misses them, or emptied while they are
//! loaded anew.

use loadworthy_analysis::{Emptied, Fill, FunctionRef, Singletons, Site, Work, emptied, fills, singletons};
use loadworthy_capacity::{Cost, Failure, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_syntax::{ClassId, FunctionId, Kind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let shared = singletons(audit.analysis, audit.resolver);
    for (file, module) in audit.program().modules() {
        if !audit.program().class(file).is_some_and(loadworthy_project::FileClass::may_be_server) {
            continue;
        }
        for at in 0..module.functions().len() {
            let function = (file, FunctionId::new(at));
            let Some(lowered) = module.function(function.1) else { continue };
            if !runs(audit, function) {
                continue;
            }
            let is_shared = lives_on(module, function, &shared);
            if lowered.is_async && is_shared {
                let found = fills(module, function.1);
                findings.extend(found.iter().filter_map(|fill| stampede(audit, module, function, fill)));
            }
            let found = emptied(module, function.1);
            findings.extend(found.iter().filter_map(|it| gap(audit, function, it, is_shared)));
        }
    }
}

/// Requests or jobs run it, or who runs it is not known.
fn runs(audit: &Audit<'_, '_>, function: FunctionRef) -> bool {
    use loadworthy_analysis::Context;
    let contexts = audit.analysis.reach().contexts(function);
    contexts.is_empty() || contexts.iter().any(|it| matches!(it, Context::PerRequest | Context::PerJob))
}

/// Whether `this` outlives the call: one object of the class lives as long as the process, or there is no class.
fn lives_on(module: &Module, (file, function): FunctionRef, shared: &Singletons) -> bool {
    let mut at = function;
    while let Some(lowered) = module.function(at) {
        if lowered.class != ClassId::NONE {
            return shared.contains(&(file, lowered.class));
        }
        at = lowered.parent;
    }
    true
}

/// What is awaited, all of it.
fn work_of(audit: &Audit<'_, '_>, site: Site) -> Work {
    let Some(module) = audit.module(site) else { return Work::default() };
    let calls = audit.analysis.calls().of_file(site.0).iter();
    let inside = calls.filter(|call| module.contains(site.1, call.site.1));
    inside.map(|call| audit.analysis.works().of_call(call)).fold(Work::default(), Work::and)
}

fn stampede(audit: &Audit<'_, '_>, module: &Module, function: FunctionRef, fill: &Fill) -> Option<Finding> {
    let (set, load) = ((function.0, fill.set), (function.0, fill.load));
    let work = work_of(audit, load);
    // Cheap work that every caller repeats is no stampede.
    if !work.waits() {
        return None;
    }
    let expires = is_timed(module, fill.test);
    let connects = work.any(|effect| matches!(effect, Effect::DbConnect));
    let least = if fill.is_entry || expires || connects { Severity::Medium } else { Severity::Monitor };
    let slot = fill.slot.clone();
    let reached = audit.reached_by(set);
    let loaded = audit.excerpt(load, 60);
    let mut evidence = audit.chain_to((function.0, fill.test), format!("`{slot}` is found missing"));
    evidence.push(Evidence {
        place: Place::Code(load),
        note: String::from("loads it; other requests run meanwhile"),
    });
    evidence.push(Evidence { place: Place::Code(set), note: format!("`{slot}` is set only now") });
    let when = match (fill.is_entry, expires) {
        (true, _) => "for a key that is asked for often",
        (false, true) => "each time it has expired",
        (false, false) => "after each start of a process",
    };
    let words = Words {
        title: format!("every request that misses `{slot}` loads it in {reached}"),
        problem: format!(
            "`{slot}` is tested, `{loaded}` is awaited, and only then is `{slot}` set. All requests that come in between find it \
             missing too and load it again: {when}, as many loads run at once as requests arrive during one load. Under the load \
             test that is a burst on what is behind it at the worst moment, and the last load to end wins."
        ),
        verify: format!(
            "Log each start of the load at {}, restart the process and send 50 requests at once to {reached} (`autocannon -c 50 \
             -a 50 …`): the line appears once for each request that arrived during the first load instead of once.",
            audit.place_of(load)
        ),
        tradeoff: String::from(
            "A shared promise that fails fails all that wait for it: forget it on rejection, so that the next request tries again. \
             Each process still loads once.",
        ),
    };
    let finding = Finding::new(
        &META,
        set,
        evidence,
        audit.cost_at(set),
        words,
        single_flight(audit, module, fill, load),
    )
    .at_least(least)
    .at_most(Severity::Medium)
    .confidence(Confidence::Medium);
    Some(if audit.is_unreached(set) {
        finding.unless(format!("whether requests run `{}`; see who calls it", audit.function_name(function)))
    } else {
        finding
    })
}

/// Whether the test looks at the clock.
fn is_timed(module: &Module, test: NodeId) -> bool {
    let source = module.source(test);
    ["Date.now", "new Date", "performance.now", "xpire", "ttl", "TTL"]
        .iter()
        .any(|word| source.contains(word))
}

/// The promise is kept instead of the value.
fn single_flight(audit: &Audit<'_, '_>, module: &Module, fill: &Fill, load: Site) -> Fix {
    let Kind::Await(loaded) = module.kind(fill.load) else { return Fix::default() };
    let name = fill.slot.rsplit('.').next().unwrap_or(&fill.slot).trim_start_matches('#');
    let source = audit.source((load.0, loaded));
    let key = match module.kind(fill.set) {
        Kind::Call { arguments, .. } => module.list(arguments).next(),
        Kind::Assign { target, .. } => match module.kind(target) {
            Kind::Index { index, .. } => Some(index),
            _ => None,
        },
        _ => None,
    };
    let after = match key.filter(|_| fill.is_entry) {
        Some(key) => {
            let key = module.source(key);
            format!(
                "const {name}Loads = new Map();\n\nlet load = {name}Loads.get({key});\nif (!load) {{\n  load = {source}.finally(() => \
                 {name}Loads.delete({key}));\n  {name}Loads.set({key}, load);\n}}\nconst value = await load;"
            )
        }
        None => format!(
            "let {name}Load;\n\n{name}Load ??= {source}.finally(() => {{ {name}Load = undefined; }});\nconst value = await \
             {name}Load;"
        ),
    };
    let before = audit.source(audit.statement(load));
    Fix {
        description: format!(
            "Share the load that is under way: keep its promise, let every request that misses `{}` await the same one, and \
             forget it when it ends.",
            fill.slot
        ),
        before: Some(before.to_owned()),
        after: Some(after),
        ..Fix::default()
    }
}

fn gap(audit: &Audit<'_, '_>, function: FunctionRef, it: &Emptied, is_shared: bool) -> Option<Finding> {
    let (reset, load, fill) = ((function.0, it.reset), (function.0, it.load), (function.0, it.fill));
    let work = work_of(audit, load);
    if !work.waits() {
        return None;
    }
    let slot = it.slot.clone();
    let reached = audit.reached_by(reset);
    let mut evidence = audit.chain_to(reset, format!("`{slot}` is emptied"));
    evidence.push(Evidence { place: Place::Code(load), note: String::from("other requests run meanwhile") });
    evidence.push(Evidence { place: Place::Code(fill), note: format!("`{slot}` is filled again") });
    let words = Words {
        title: format!("`{slot}` is empty for other requests while it is loaded anew"),
        problem: format!(
            "`{slot}` outlives the call. It is emptied, then `{}` is awaited, and only then is it filled again: every request that \
             reads it in between sees nothing and answers as if there were no data, and a load that fails leaves it empty.",
            audit.excerpt(load, 60)
        ),
        verify: format!(
            "Make the load at {} slow (a `setTimeout` of a second), call it, and read `{slot}` from another request meanwhile.",
            audit.place_of(load)
        ),
        tradeoff: String::from("Old and new data are in memory together for a moment."),
    };
    let fix = Fix {
        description: format!(
            "Build the new value in a local variable and assign `{slot}` once, after the last `await`."
        ),
        ..Fix::default()
    };
    let cost = Cost { failure: Some(Failure::LostWrite), ..audit.cost_at(reset) };
    let finding = Finding::new(&META, reset, evidence, cost, words, fix)
        .at_least(Severity::Medium)
        .at_most(Severity::Medium)
        .confidence(Confidence::Medium);
    if !is_shared {
        return Some(finding.unless(format!(
            "whether one object with `{slot}` serves several requests; see where it is made"
        )));
    }
    Some(if audit.is_unreached(reset) {
        finding.unless(format!(
            "whether `{}` runs while requests read `{slot}` (now: {reached})",
            audit.function_name(function)
        ))
    } else {
        finding
    })
}
