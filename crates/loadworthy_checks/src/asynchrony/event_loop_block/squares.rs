//! Loops in loops over the same rows: n × n steps for one request.

use loadworthy_analysis::{Blocks, Elements, Repeat, Site, loops_around};
use loadworthy_project::FileClass;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::META;
use super::known::plain;
use super::nested::{LEAST_STEPS, counted, is_made_in};
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};
use crate::runs::{Runs, cost_of, runs};

/// A loop, and the one inside it.
struct Square {
    outer: Site,
    inner: Site,
    lists: [Site; 2],
    elements: [Elements; 2],
    runs: Runs,
}

pub(super) fn run(audit: &Audit<'_, '_>, blocks: &Blocks<'_, '_>, findings: &mut Vec<Finding>) {
    for (file, module) in audit.program().modules() {
        if audit.program().class(file) == Some(FileClass::Client) {
            continue;
        }
        for node in module.node_ids() {
            let Some(body) = body_of(module, node) else { continue };
            if let Some(square) = square(audit, blocks, module, ((file, node), body)) {
                findings.extend(finding(audit, &square));
            }
        }
    }
}

/// What a loop runs: the body of a statement, the callback of `forEach`.
fn body_of(module: &Module, node: NodeId) -> Option<NodeId> {
    match module.kind(node) {
        Kind::For(parts) => module.list(parts).nth(3),
        Kind::ForOf { body, .. } => Some(body),
        Kind::Call { callee, arguments } => match module.kind(callee) {
            Kind::Member { name, .. } if module.str(name) == "forEach" => {
                let callback = module.list(arguments).next()?;
                let Kind::Function(function) = module.kind(callback) else { return None };
                Some(module.function(function)?.body)
            }
            _ => None,
        },
        _ => None,
    }
}

fn square(
    audit: &Audit<'_, '_>,
    blocks: &Blocks<'_, '_>,
    module: &Module,
    (inner, body): (Site, NodeId),
) -> Option<Square> {
    // Rounds that wait let other requests run in between.
    let is_other = |it: NodeId| matches!(module.kind(it), Kind::Await(_) | Kind::ForOf { .. } | Kind::For(_));
    if module.all_nodes(body).into_iter().any(is_other) {
        return None;
    }
    let runs = runs(audit, inner).filter(|runs| matches!(runs, Runs::Request | Runs::Unreached))?;
    let own = list_of(module, inner)?;
    let around = around(audit, module, inner);
    let outer = around.iter().find(|repeat| repeat.at != inner && repeat.source.is_some())?;
    let list = outer.source?;
    if is_made_in(module, own.1, outer.at.1) {
        return None;
    }
    let elements = [counted(audit, blocks.elements(list)?), counted(audit, blocks.elements(own)?)];
    let [more, less] = &elements;
    let is_large = more.is_unbounded && less.is_unbounded && more.count * less.count >= LEAST_STEPS;
    is_large.then_some(Square { outer: outer.at, inner, lists: [list, own], elements, runs })
}

/// The list that a loop runs over.
fn list_of(module: &Module, (file, node): Site) -> Option<Site> {
    if let Kind::Call { callee, .. } = module.kind(node) {
        return match module.kind(callee) {
            Kind::Member { object, .. } => Some((file, object)),
            _ => None,
        };
    }
    let body = body_of(module, node)?;
    loops_around(module, (file, body)).into_iter().find(|it| it.at == (file, node))?.source
}

/// The loops around a loop, in its own function and around the callback that holds it.
fn around(audit: &Audit<'_, '_>, module: &Module, inner: Site) -> Vec<Repeat> {
    let own = loops_around(module, inner);
    if !own.is_empty() {
        return own;
    }
    let outer = audit.analysis.repetitions(inner).into_iter().filter(|it| it.owner.0 == inner.0);
    outer.filter(|it| module.contains(it.repeat.at.1, inner.1)).map(|it| it.repeat).collect()
}

fn finding(audit: &Audit<'_, '_>, square: &Square) -> Option<Finding> {
    let [outer, inner] = &square.elements;
    let cost = audit.knowledge().cost("nested.filter.5000x5000")?;
    let millis = cost.value * outer.count * inner.count / (5_000.0 * 5_000.0);
    let [list, own] = square.lists.map(|list| audit.excerpt(list, 40));
    let reached = audit.reached_by(square.inner);
    let mut evidence = audit.chain_to(square.inner, format!("{} × {} steps", outer.count, inner.count));
    evidence.push(Evidence {
        place: Place::Code(square.outer),
        note: String::from("this loop runs the inner one for each element"),
    });
    let words = Words {
        title: format!("`{own}` is walked through once for each element of `{list}` in {reached}"),
        problem: format!(
            "The inner loop takes each element of `{own}` for each of `{list}`, and nothing limits either: about {} ms at {} × {}, four \
             times as much when both double, and no request is served meanwhile.",
            plain(millis),
            outer.count,
            inner.count
        ),
        verify: format!(
            "Fill both with 10,000 rows, call {reached} and profile it: {} must not be in the flame graph any more.",
            audit.place_of(square.inner)
        ),
        tradeoff: String::from("A Map takes about 170 bytes an entry for the time of the request."),
    };
    let statement = audit.statement(square.outer);
    let fix = Fix {
        description: format!(
            "Group `{own}` once by what the inner loop compares (a Map from the key to its elements), and look the group up in the outer \
             loop; or let the database join or group."
        ),
        before: Some(audit.lines_around(statement, 0)),
        after: Some(format!(
            "const groups = new Map();\nfor (const it of {}) {{\n  const key = it.key; // what the inner loop compares\n  const group = groups.get(key);\n  if (group) group.push(it);\n  else groups.set(key, [it]);\n}}\n// in the loop over {}: groups.get(key) ?? []",
            audit.source(square.lists[1]),
            audit.source(square.lists[0]),
        )),
        ..Fix::default()
    };
    let finding = Finding::new(
        &META,
        square.inner,
        evidence,
        cost_of(audit, &[square.inner]).loop_block(millis),
        words,
        fix,
    )
    .confidence(Confidence::Medium)
    .assuming(format!("{} elements around, {} inside", outer.count, inner.count));
    Some(match square.runs {
        Runs::Unreached => finding.unless(format!(
            "no route that reaches `{}` was found",
            audit.function_name(audit.analysis.owner(square.inner))
        )),
        _ => finding,
    })
}
