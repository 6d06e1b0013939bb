//! Accumulators that are copied for each element.

use loadworthy_analysis::{Blocks, Elements, Multiplicity, Site, loops_around};
use loadworthy_capacity::Severity;
use loadworthy_knowledge::Cost;
use loadworthy_syntax::{BindingId, FunctionId, Kind, Module, NodeId};

use super::META;
use super::known::plain;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};
use crate::runs::{Runs, cost_of, runs};

/// How the accumulator is copied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copying {
    Array,
    Object,
}

/// Elements where nothing says how many there are; then the finding is only a suspicion.
const UNKNOWN_ELEMENTS: f64 = 5_000.0;
/// Fewer elements than this are copied in less than a millisecond.
const LEAST_ELEMENTS: f64 = 500.0;

pub(super) fn run<'p>(audit: &Audit<'_, 'p>, blocks: &Blocks<'_, 'p>, findings: &mut Vec<Finding>) {
    for (file, module) in audit.program().modules() {
        for call in module.calls() {
            let reduced = reduced(module, *call);
            findings.extend(reduced.and_then(|copied| finding(audit, blocks, (file, *call), copied)));
        }
        for node in module.node_ids() {
            // The habit is common where few are collected: only what is known to be many counts.
            let collected = collected(module, (file, node)).filter(|it| is_many(blocks, (file, it.list)));
            findings.extend(collected.and_then(|copied| finding(audit, blocks, (file, node), copied)));
        }
    }
}

/// What is copied for each element.
struct Copied {
    /// The list whose elements are collected.
    list: NodeId,
    copying: Copying,
    /// Where the copy is made.
    copy: NodeId,
}

/// Whether rows of the database or what a client sends are walked through.
fn is_many(blocks: &Blocks<'_, '_>, list: Site) -> bool {
    let elements = blocks.elements(list);
    elements
        .is_some_and(|it| matches!(it.origin, Multiplicity::Rows { .. } | Multiplicity::ClientChosen { .. }))
}

/// `rows.reduce((all, row) => [...all, row], [])`
fn reduced(module: &Module, call: NodeId) -> Option<Copied> {
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    let callback = module.list(arguments).next()?;
    if module.str(name) != "reduce" || arguments.len() != 2 {
        return None;
    }
    let Kind::Function(function) = module.kind(callback) else { return None };
    let (copying, copy) = copying(module, function)?;
    Some(Copied { list: object, copying, copy })
}

/// `for (const row of rows) all = [...all, row];`
fn collected(module: &Module, (file, node): Site) -> Option<Copied> {
    let Kind::Assign { target, value, operator: None } = module.kind(node) else { return None };
    let Kind::Name { binding, .. } = module.kind(target) else { return None };
    let (copying, copy) = copies(module, value, binding)?;
    let around = loops_around(module, (file, node)).into_iter().next()?;
    let (_, list) = around.source?;
    // Of rounds that wait, each is short; of a variable of the round itself, there is nothing to copy.
    let waits = module.all_nodes(around.at.1).into_iter().any(|it| matches!(module.kind(it), Kind::Await(_)));
    let is_own = module.binding(binding).is_some_and(|it| module.contains(around.at.1, it.node));
    (!waits && !is_own).then_some(Copied { list, copying, copy })
}

fn finding<'p>(
    audit: &Audit<'_, 'p>,
    blocks: &Blocks<'_, 'p>,
    site: Site,
    Copied { list: object, copying, copy }: Copied,
) -> Option<Finding> {
    let runs = runs(audit, site).filter(|runs| *runs != Runs::Browser)?;
    let elements = blocks.elements((site.0, object));
    let is_known_small = elements.as_ref().is_some_and(|it| !it.is_unbounded || it.count < LEAST_ELEMENTS);
    if is_known_small {
        return None;
    }
    let count = elements.as_ref().map_or(UNKNOWN_ELEMENTS, |it| it.count);
    let millis = millis(audit, copying, count)?;
    let list = (site.0, object);
    let mut evidence = audit.chain_to(site, format!("{count} copies of a growing accumulator"));
    evidence.push(Evidence {
        place: Place::Code((site.0, copy)),
        note: String::from("the accumulator is copied here"),
    });
    let finding = Finding::new(
        &META,
        site,
        evidence,
        cost_of(audit, &[site]).loop_block(millis),
        words(audit, site, list, millis, count),
        fix(audit, site, copying),
    )
    .confidence(Confidence::Medium)
    .assuming(format!("{count} elements"));
    Some(match (&elements, runs) {
        (
            Some(Elements { origin: Multiplicity::Rows { .. } | Multiplicity::ClientChosen { .. }, .. }),
            Runs::Request,
        ) => finding,
        (Some(_), _) => finding.unless(format!(
            "no route that reaches `{}` was found",
            audit.function_name(audit.analysis.owner(site))
        )),
        (None, _) => finding
            .at_most(Severity::Medium)
            .unless(format!("how many elements `{}` can have", audit.excerpt(list, 60))),
    })
}

/// `(acc, x) => [...acc, x]`, `({ ...acc, [k]: v })`, `acc.concat(x)`.
fn copying(module: &Module, function: FunctionId) -> Option<(Copying, NodeId)> {
    let lowered = module.function(function)?;
    let parameter = module.list(lowered.parameters).next()?;
    let Kind::Binding(accumulator) = module.kind(parameter) else { return None };
    module.own_nodes(lowered.body).into_iter().find_map(|node| copies(module, node, accumulator))
}

/// `[...all, x]`, `{ ...all, [k]: v }`, `all.concat(x)`, `Object.assign({}, all, …)` of an accumulator.
fn copies(module: &Module, node: NodeId, accumulator: BindingId) -> Option<(Copying, NodeId)> {
    match module.kind(node) {
        Kind::Array(items) => {
            let copies = module.list(items).any(
                |item| matches!(module.kind(item), Kind::Spread(value) if is(module, value, accumulator)),
            );
            copies.then_some((Copying::Array, node))
        }
        Kind::Object(parts) => {
            let copies = module.list(parts).any(
                |part| matches!(module.kind(part), Kind::Spread(value) if is(module, value, accumulator)),
            );
            copies.then_some((Copying::Object, node))
        }
        Kind::Call { callee, arguments } => match module.kind(callee) {
            Kind::Member { object, name }
                if module.str(name) == "concat" && is(module, object, accumulator) =>
            {
                Some((Copying::Array, node))
            }
            Kind::Member { .. } if module.source(callee) == "Object.assign" => {
                let mut given = module.list(arguments);
                let is_new = given.next().is_some_and(|first| matches!(module.kind(first), Kind::Object(_)));
                let is_copied = given.any(|other| is(module, other, accumulator));
                (is_new && is_copied).then_some((Copying::Object, node))
            }
            _ => None,
        },
        _ => None,
    }
}

fn is(module: &Module, node: NodeId, accumulator: BindingId) -> bool {
    matches!(module.kind(node), Kind::Name { binding, .. } if binding == accumulator)
}

fn millis(audit: &Audit<'_, '_>, copying: Copying, count: f64) -> Option<f64> {
    let name = match copying {
        Copying::Array => "reduce.arraySpread.5000",
        Copying::Object => "reduce.objectSpread.5000",
    };
    let cost: &Cost = audit.knowledge().cost(name)?;
    Some(cost.value * (count / 5_000.0).powi(2))
}

fn words(audit: &Audit<'_, '_>, site: Site, list: Site, millis: f64, count: f64) -> Words {
    let reached = audit.reached_by(site);
    let list = audit.excerpt(list, 40);
    Words {
        title: format!("the accumulator over `{list}` is copied for each element in {reached}"),
        problem: format!(
            "Each round copies everything collected so far: n elements cost n²/2 copies, about {} ms at {count} elements, and all of it is garbage at once. The loop serves nobody meanwhile.",
            plain(millis)
        ),
        verify: format!(
            "Run {reached} with {count} elements and compare `performance.now()` around {}: it must grow in proportion, not with the square.",
            audit.place_of(site)
        ),
        tradeoff: String::from(
            "The accumulator is changed in place: it must not be shared with anything else during the loop.",
        ),
    }
}

fn fix(audit: &Audit<'_, '_>, site: Site, copying: Copying) -> Fix {
    let shown = audit.statement(site);
    let after = match copying {
        Copying::Array => "const result = [];\nfor (const item of items) {\n  result.push(item);\n}",
        Copying::Object => "const result = {};\nfor (const item of items) {\n  result[item.id] = item;\n}",
    };
    Fix {
        description: String::from("Collect into one array or object: `push` (or assign) instead of copying."),
        before: Some(audit.lines_around(shown, 0)),
        after: Some(after.to_owned()),
        ..Fix::default()
    }
}
