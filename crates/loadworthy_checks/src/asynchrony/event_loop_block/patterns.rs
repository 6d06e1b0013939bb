//! Regular expressions that backtrack on text from outside.

use std::collections::BTreeMap;

use loadworthy_analysis::{CLIENT_INPUT, Folded, Site, Value};
use loadworthy_capacity::{Cost, Severity};
use loadworthy_project::FileClass;
use loadworthy_redos::{Cause, Kind as Growth, Vulnerability, analyse};
use loadworthy_syntax::{BindingKind, Kind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};
use crate::runs::{Runs, cost_of, runs};

/// A pattern, and a text that it is matched against.
struct Match {
    pattern: Site,
    found: Vulnerability,
    used: Use,
}

/// A call that matches a pattern.
struct Use {
    site: Site,
    text: Option<Site>,
    from: From,
    runs: Runs,
}

/// Where the text comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum From {
    /// The body of a request, or anything of unknown length that a client sends.
    Client,
    /// Path, query or headers: 16 kB at most.
    ClientHead,
    /// A parameter of the function, or a field: whoever calls it decides.
    Unknown,
    /// The program's own text.
    Own,
}

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut known: BTreeMap<(String, String), Option<Vulnerability>> = BTreeMap::new();
    for (file, module) in audit.program().modules() {
        let class = audit.program().class(file);
        if class == Some(FileClass::Client) {
            continue;
        }
        for node in module.node_ids() {
            let Kind::Regex { pattern, flags } = module.kind(node) else { continue };
            // Where a pattern matters is cheaper to find out than whether it backtracks.
            let Some(used) = first_use(audit, module, (file, node)) else { continue };
            if used.from == From::Own || used.runs == Runs::Browser {
                continue;
            }
            let key = (module.str(pattern).to_owned(), module.str(flags).to_owned());
            let found = known.entry(key).or_insert_with_key(|(pattern, flags)| analyse(pattern, flags));
            let Some(found) = found.clone() else { continue };
            findings.extend(finding(audit, &Match { pattern: (file, node), found, used }));
        }
    }
}

/// The first use of a pattern that matters: where it is matched against a text.
fn first_use(audit: &Audit<'_, '_>, module: &Module, pattern: Site) -> Option<Use> {
    let mut best: Option<Use> = None;
    for (site, text) in uses(module, pattern.1) {
        let site = (pattern.0, site);
        let Some(runs) = runs(audit, site) else { continue };
        let text = text.map(|text| (pattern.0, text));
        let from = text.map_or(From::Unknown, |text| origin(audit, text));
        let candidate = Use { site, text, from, runs };
        let is_better = |best: &Use| (candidate.from, candidate.runs) < (best.from, best.runs);
        if best.as_ref().is_none_or(is_better) {
            best = Some(candidate);
        }
    }
    best
}

/// Calls that match the pattern, each with its text: `re.test(text)`, `text.replace(re, …)`, `z.string().regex(re)`.
fn uses(module: &Module, pattern: NodeId) -> Vec<(NodeId, Option<NodeId>)> {
    let direct = use_of(module, pattern);
    if !direct.is_empty() {
        return direct;
    }
    // `const RE = /…/; RE.test(text)`
    let Kind::Declarator { target, .. } = module.kind(module.parent(pattern)) else { return Vec::new() };
    let Kind::Binding(binding) = module.kind(target) else { return Vec::new() };
    module.references(binding).iter().flat_map(|name| use_of(module, *name)).collect()
}

fn use_of(module: &Module, pattern: NodeId) -> Vec<(NodeId, Option<NodeId>)> {
    let parent = module.parent(pattern);
    match module.kind(parent) {
        // re.test(text)
        Kind::Member { object, name } if object == pattern && matches!(module.str(name), "test" | "exec") => {
            let call = module.parent(parent);
            match module.kind(call) {
                Kind::Call { callee, arguments } if callee == parent => {
                    vec![(call, module.list(arguments).next())]
                }
                _ => Vec::new(),
            }
        }
        // text.replace(re, …)
        Kind::Call { callee, arguments } if module.list(arguments).next() == Some(pattern) => {
            match module.kind(callee) {
                Kind::Member { object, name } => match module.str(name) {
                    "match" | "matchAll" | "replace" | "replaceAll" | "search" | "split" => {
                        vec![(parent, Some(object))]
                    }
                    "regex" | "matches" | "pattern" => vec![(parent, None)],
                    _ => Vec::new(),
                },
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

pub(super) fn origin(audit: &Audit<'_, '_>, text: Site) -> From {
    let values = audit.resolver.filled(&audit.resolver.value_of(text));
    if !values.is_empty() && values.iter().all(|value| matches!(value, Value::Text(_) | Value::Number(_))) {
        return From::Own;
    }
    let mut from = if is_own(audit, text, 0) { From::Own } else { From::Unknown };
    for folded in audit.resolver.folded(&values) {
        let Folded::Held(held) = folded else { continue };
        if audit.knowledge().handle_name(held.handle) != CLIENT_INPUT {
            continue;
        }
        let is_short = held.path.iter().any(|name| {
            matches!(
                &**name,
                "query"
                    | "params"
                    | "headers"
                    | "cookies"
                    | "path"
                    | "url"
                    | "originalUrl"
                    | "hostname"
                    | "ip"
            )
        });
        from = from.min(if is_short { From::ClientHead } else { From::Client });
    }
    from
}

/// Deepest chain of names.
const MAX_DEPTH: u32 = 6;

/// Whether a text is of the environment, a file name of the program, or a constant.
fn is_own(audit: &Audit<'_, '_>, (file, node): Site, depth: u32) -> bool {
    let Some(module) = audit.module((file, node)) else { return false };
    if depth > MAX_DEPTH {
        return false;
    }
    match module.kind(node) {
        Kind::String(_) | Kind::Number(_) => true,
        Kind::Template { values, .. } => {
            module.list(values).all(|value| is_own(audit, (file, value), depth + 1))
        }
        Kind::Member { object, .. } => {
            matches!(module.source(object), "process.env" | "import.meta.env" | "import.meta")
        }
        Kind::Binary { left, right, .. } => {
            is_own(audit, (file, left), depth + 1) && is_own(audit, (file, right), depth + 1)
        }
        Kind::Name { name, binding } => match module.binding(binding) {
            Some(declared) if declared.kind == BindingKind::Constant => {
                match module.kind(module.parent(declared.node)) {
                    Kind::Declarator { init, target } if target == declared.node && init.is_some() => {
                        is_own(audit, (file, init), depth + 1)
                    }
                    _ => false,
                }
            }
            _ => matches!(module.str(name), "__dirname" | "__filename"),
        },
        // `new Date().toISOString().replace(…)`, `String(id).replace(…)`, `crypto.randomUUID()`: short, whatever they are.
        Kind::Call { callee, arguments } => match module.kind(callee) {
            Kind::Member { object, name } => match module.str(name) {
                "toISOString" | "toFixed" | "randomUUID" | "toDateString" | "toLocaleDateString" => true,
                "slice" | "substring" | "substr" => arguments.len() == 2,
                "trim" | "toLowerCase" | "toUpperCase" | "replace" => {
                    is_own(audit, (file, object), depth + 1)
                }
                _ => false,
            },
            _ => false,
        },
        _ => false,
    }
}

/// Characters of a client's text: a body of 100 kB, the default limit, and 16 kB of a head.
const BODY_CHARACTERS: f64 = 100_000.0;
const HEAD_CHARACTERS: f64 = 16_000.0;
/// Characters for which the time of a pattern with polynomial growth was measured.
const MEASURED_CHARACTERS: f64 = 10_000.0;
/// What an attack with exponential growth costs: one request is enough, so only a bound.
pub(super) const EXPONENTIAL_MILLIS: f64 = 60_000.0;

fn finding(audit: &Audit<'_, '_>, it: &Match) -> Option<Finding> {
    let is_exponential = it.found.kind == Growth::Exponential;
    let is_client = matches!(it.used.from, From::Client | From::ClientHead);
    let is_proven = is_client && it.used.runs == Runs::Request;
    if it.used.runs == Runs::Job && !is_exponential {
        return None;
    }
    // A test of a whole short text (an address, a number) by an anchored pattern: quadratic in a few characters.
    if !is_client && !is_exponential && is_test(audit, it.used.site) {
        return None;
    }
    let millis = millis(audit, it)?;
    let mut evidence =
        audit.chain_to(it.used.site, format!("`{}` is matched here", excerpt(audit, it.pattern)));
    if let Some(text) = it.used.text {
        evidence.push(Evidence { place: Place::Code(text), note: String::from("the text") });
    }
    let cost = Cost {
        is_attack: true,
        ..cost_of(audit, &[it.used.site]).loop_block(if is_proven { millis } else { 1.0 })
    };
    let finding = Finding::new(&META, it.used.site, evidence, cost, words(audit, it, millis), fix(audit, it));
    let finding = finding
        .assuming(if it.used.from == From::ClientHead {
            "16 kB of text"
        } else {
            "100 kB of text, the default limit of body parsers"
        })
        .at_most(if is_exponential { Severity::Critical } else { Severity::High });
    if is_proven {
        let least = if is_exponential { Severity::High } else { Severity::Medium };
        return Some(finding.at_least(least));
    }
    let reached = audit.function_name(audit.analysis.owner(it.used.site));
    let text = it
        .used
        .text
        .map_or_else(|| String::from("the text"), |text| format!("`{}`", audit.excerpt(text, 40)));
    let fact = match it.used.runs {
        Runs::Unreached => {
            format!("whether {text} in `{reached}` can be a client's: no route that reaches it was found")
        }
        _ => format!("whether {text} in `{reached}` can be a long text of a client"),
    };
    let least = if is_exponential { Severity::High } else { Severity::Monitor };
    Some(finding.at_least(least).at_most(Severity::High).confidence(Confidence::Medium).unless(fact))
}

/// `re.test(text)`.
fn is_test(audit: &Audit<'_, '_>, site: Site) -> bool {
    let Some(module) = audit.module(site) else { return false };
    let Kind::Call { callee, .. } = module.kind(site.1) else { return false };
    matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name) == "test")
}

fn millis(audit: &Audit<'_, '_>, it: &Match) -> Option<f64> {
    if it.found.kind == Growth::Exponential {
        return Some(EXPONENTIAL_MILLIS);
    }
    let measured = audit.knowledge().cost("regex.redos.quadratic.10k")?.value;
    let characters = if it.used.from == From::ClientHead { HEAD_CHARACTERS } else { BODY_CHARACTERS };
    let degree = i32::try_from(it.found.degree.clamp(2, 3)).ok()?;
    let at_measured = measured * MEASURED_CHARACTERS.powi(degree - 2);
    Some((at_measured * (characters / MEASURED_CHARACTERS).powi(degree)).min(EXPONENTIAL_MILLIS))
}

fn excerpt(audit: &Audit<'_, '_>, pattern: Site) -> String {
    audit.excerpt(pattern, 50)
}

fn words(audit: &Audit<'_, '_>, it: &Match, millis: f64) -> Words {
    let pattern = excerpt(audit, it.pattern);
    let reached = audit.reached_by(it.used.site);
    let growth = match it.found.kind {
        Growth::Exponential => String::from(
            "the time doubles with every few more characters: 40 of them stop the process for minutes",
        ),
        Growth::Polynomial => format!(
            "the time grows with the length to the power of {}: about {} s at 100,000 characters",
            it.found.degree,
            (millis / 1000.0).max(0.1)
        ),
    };
    let attack = it.found.attack.text(if it.found.kind == Growth::Exponential { 30 } else { 3 });
    let attack: String = attack.chars().flat_map(char::escape_default).take(60).collect();
    Words {
        title: format!("`{pattern}` backtracks on the text of {reached}"),
        problem: format!(
            "{} On such a text {growth}, and Node.js can't interrupt it: every other request of the process waits. It takes one client with `{attack}…`.",
            it.found.reason
        ),
        verify: format!(
            "In `node`: `console.time(); {pattern}.test(\"{attack}\"); console.timeEnd()` with the middle repeated; then send it to {reached} ({}) and watch the event loop's delay.",
            audit.place_of(it.used.site)
        ),
        tradeoff: String::from(
            "A stricter pattern may reject rare inputs: keep its tests, and limit the length before matching anyway.",
        ),
    }
}

fn fix(audit: &Audit<'_, '_>, it: &Match) -> Fix {
    let advice = match it.found.cause {
        Cause::Nested => {
            "Make the alternatives of the inner and the outer repetition disjoint, so that a text can be read in one way only"
        }
        Cause::Overlap => {
            "Keep neighbouring repetitions from sharing characters (exclude the separator from the first one)"
        }
        Cause::Restart => {
            "Anchor the pattern, use `trimEnd()`, `endsWith()` and `slice()`, or bound the repetition (`{1,200}`)"
        }
    };
    Fix {
        description: format!(
            "{advice}, and refuse texts over a few hundred characters before they are matched (`z.string().max(500)`)."
        ),
        before: Some(audit.source(it.used.site).to_owned()),
        after: bounded(audit, it),
        ..Fix::default()
    }
}

/// The match of a text that is not longer than any honest one.
fn bounded(audit: &Audit<'_, '_>, it: &Match) -> Option<String> {
    let call = audit.source(it.used.site);
    let given = it.used.text.filter(|text| text.0 == it.used.site.0).map(|text| audit.source(text));
    let given = given.filter(|text| !text.is_empty() && !text.contains('\n') && call.contains(*text));
    // A chain of calls begins with the text: `input.trim().replace(…)`.
    let text = given.or_else(|| {
        let end = call.find(|it: char| !(it.is_alphanumeric() || matches!(it, '_' | '$')))?;
        call.get(..end).filter(|head| {
            !head.is_empty() && call.get(end..).is_some_and(|rest| rest.trim_start().starts_with('.'))
        })
    })?;
    if is_test(audit, it.used.site) {
        return Some(format!("{text}.length <= 500 && {call}"));
    }
    Some(format!("if ({text}.length > 500) throw new RangeError('too long'); // answer 400\n{call};"))
}
