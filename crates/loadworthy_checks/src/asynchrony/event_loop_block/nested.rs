//! Searches inside loops: n × m steps for one request.

use std::collections::BTreeMap;

use loadworthy_analysis::{Blocks, Call, Elements, Multiplicity, Repetition, Site};
use loadworthy_syntax::{BindingKind, Kind, Module, NodeId};

use super::META;
use super::known::plain;
use crate::audit::Audit;
use crate::database::rows::estimate;
use crate::edit::replace;
use crate::finding::{Applicability, Confidence, Edit, Evidence, Finding, Fix, Place, Words};
use crate::runs::{Runs, cost_of, runs};

/// A search of a whole list for each element of another.
struct Search<'a, 'p> {
    call: &'a Call<'p>,
    list: Site,
    inner: Elements,
    outer: Elements,
    repetition: Repetition,
    runs: Runs,
}

/// Below this product the loop is done in less than a millisecond: 1,000 × 1,000 finds take 0.3 ms.
pub(super) const LEAST_STEPS: f64 = 4_000_000.0;

pub(super) fn run<'p>(audit: &Audit<'_, 'p>, blocks: &Blocks<'_, 'p>, findings: &mut Vec<Finding>) {
    let mut loops: BTreeMap<(usize, usize), Vec<Search<'_, '_>>> = BTreeMap::new();
    for call in audit.analysis.calls().iter() {
        let Some(search) = search(audit, blocks, call) else { continue };
        let (file, node) = search.repetition.repeat.at;
        loops.entry((file.index(), node.index())).or_default().push(search);
    }
    // A file has the habit once: the one that takes longest stands for it.
    let mut files: BTreeMap<usize, Vec<Vec<Search<'_, '_>>>> = BTreeMap::new();
    for ((file, _), searches) in loops {
        files.entry(file).or_default().push(searches);
    }
    for mut loops in files.into_values() {
        let total =
            |searches: &Vec<Search<'_, '_>>| searches.iter().filter_map(|it| millis(audit, it)).sum::<f64>();
        // What requests reach comes first.
        let is_unreached = |searches: &Vec<Search<'_, '_>>| {
            searches.first().is_some_and(|it| matches!(it.runs, Runs::Unreached))
        };
        loops.sort_by(|a, b| {
            is_unreached(a).cmp(&is_unreached(b)).then_with(|| total(b).total_cmp(&total(a)))
        });
        let Some((first, others)) = loops.split_first() else { continue };
        let Some(mut found) = finding(audit, first) else { continue };
        found.evidence.extend(others.iter().filter_map(|searches| {
            let search = searches.first()?;
            let list = audit.excerpt(search.list, 40);
            let note = format!("the same in {}: `{list}`", audit.reached_by(search.call.site));
            Some(Evidence { place: Place::Code(search.call.site), note })
        }));
        findings.push(found);
    }
}

/// Costs by the name of the search: what 5,000 × 5,000 take.
fn cost_name(name: &str) -> Option<&'static str> {
    match name {
        "find" | "findIndex" | "some" => Some("nested.find.5000x5000"),
        "filter" => Some("nested.filter.5000x5000"),
        "includes" | "indexOf" => Some("nested.includes.5000x5000"),
        _ => None,
    }
}

fn search<'a, 'p>(
    audit: &'a Audit<'a, 'p>,
    blocks: &Blocks<'_, 'p>,
    call: &'a Call<'p>,
) -> Option<Search<'a, 'p>> {
    let module = audit.module(call.site)?;
    let Kind::Call { callee, .. } = module.kind(call.site.1) else { return None };
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    cost_name(module.str(name))?;
    let runs = runs(audit, call.site).filter(|runs| matches!(runs, Runs::Request | Runs::Unreached))?;
    let list = (call.site.0, object);
    let repetition = audit
        .analysis
        .repetitions(call.site)
        .into_iter()
        .find(|it| it.owner.0 == call.site.0 && it.repeat.source.is_some())?;
    let source = repetition.repeat.source?;
    // `row.items.find(…)` searches what belongs to the row: together they are as many as there are.
    if is_made_in(module, object, repetition.repeat.at.1) {
        return None;
    }
    let (inner, outer) = (counted(audit, blocks.elements(list)?), counted(audit, blocks.elements(source)?));
    let is_text = matches!(inner.origin, Multiplicity::ClientChosen { .. })
        && matches!(module.str(name), "includes" | "indexOf");
    let is_large = inner.is_unbounded && outer.is_unbounded && inner.count * outer.count >= LEAST_STEPS;
    (is_large && !is_text).then_some(Search { call, list, inner, outer, repetition, runs })
}

/// Rows of a table as many as such a table has: roles and regions are few, whatever reads them.
pub(super) fn counted(audit: &Audit<'_, '_>, elements: Elements) -> Elements {
    let query = match &elements.origin {
        Multiplicity::Rows { query } => audit.analysis.queries().at(*query),
        _ => None,
    };
    match query.map(|query| estimate(audit, query).rows.likely) {
        Some(rows) => Elements { count: rows.min(elements.count), ..elements },
        None => elements,
    }
}

/// Whether the list is made from the element of the loop, or inside its body.
pub(super) fn is_made_in(module: &Module, list: NodeId, around: NodeId) -> bool {
    module.all_nodes(list).into_iter().any(|node| match module.kind(node) {
        Kind::Name { binding, .. } => module.binding(binding).is_some_and(|declared| {
            declared.node.is_some()
                && (declared.kind == BindingKind::Parameter || declared.kind == BindingKind::Constant)
                && module.ancestors(declared.node).any(|outer| outer == around)
                && !module.ancestors(around).any(|outer| outer == declared.node)
        }),
        _ => false,
    })
}

fn finding(audit: &Audit<'_, '_>, searches: &[Search<'_, '_>]) -> Option<Finding> {
    let first = searches.first()?;
    let millis: f64 = searches.iter().filter_map(|it| millis(audit, it)).sum();
    let mut evidence =
        audit.chain_to(first.call.site, format!("{} × {} steps", first.outer.count, first.inner.count));
    evidence.push(Evidence {
        place: Place::Code(first.repetition.repeat.at),
        note: String::from("this loop runs the search for each element"),
    });
    let sites: Vec<Site> = searches.iter().map(|it| it.call.site).collect();
    let mut finding = Finding::new(
        &META,
        first.call.site,
        evidence,
        cost_of(audit, &sites).loop_block(millis),
        words(audit, first, millis),
        fix(audit, first),
    )
    .confidence(Confidence::Medium)
    .assuming(format!("{} elements around, {} searched", first.outer.count, first.inner.count));
    finding.routes = Some(audit.route_names_of(&sites));
    Some(match first.runs {
        Runs::Unreached => finding.unless(format!(
            "no route that reaches `{}` was found",
            audit.function_name(audit.analysis.owner(first.call.site))
        )),
        _ => finding,
    })
}

fn millis(audit: &Audit<'_, '_>, search: &Search<'_, '_>) -> Option<f64> {
    let name = search_name(audit, search)?;
    let cost = audit.knowledge().cost(cost_name(name)?)?;
    Some(cost.value * search.inner.count * search.outer.count / (5_000.0 * 5_000.0))
}

fn search_name<'p>(audit: &Audit<'_, 'p>, search: &Search<'_, '_>) -> Option<&'p str> {
    let module = audit.module(search.call.site)?;
    let Kind::Call { callee, .. } = module.kind(search.call.site.1) else { return None };
    let Kind::Member { name, .. } = module.kind(callee) else { return None };
    Some(module.str(name))
}

fn words(audit: &Audit<'_, '_>, search: &Search<'_, '_>, millis: f64) -> Words {
    let list = audit.excerpt(search.list, 40);
    let source = search.repetition.repeat.source.map(|site| audit.excerpt(site, 40)).unwrap_or_default();
    let reached = audit.reached_by(search.call.site);
    Words {
        title: format!("`{list}` is searched once for each element of `{source}` in {reached}"),
        problem: format!(
            "For each element of `{source}` the search walks through `{list}`. Nothing limits either, so the steps grow with the square of the data: about {} ms at {} × {}, four times as much when both double, and no request is served meanwhile.",
            plain(millis),
            search.outer.count,
            search.inner.count
        ),
        verify: format!(
            "Fill both with 10,000 rows, call {reached} and profile it: {} must not be in the flame graph any more.",
            audit.place_of(search.call.site)
        ),
        tradeoff: String::from("A Map or Set takes about 170 bytes an entry for the time of the request."),
    }
}

fn fix(audit: &Audit<'_, '_>, search: &Search<'_, '_>) -> Fix {
    let list = audit.source(search.list);
    let description = format!(
        "Build a Map (or Set) of `{}` by its key before the loop and look it up.",
        audit.excerpt(search.list, 40)
    );
    let shown = audit.statement(search.call.site);
    let before = Some(audit.lines_around(shown, 0));
    if let Some(edits) = set_edits(audit, search) {
        let after =
            edits.iter().map(|edit| edit.replacement.trim().to_owned()).collect::<Vec<_>>().join("\n");
        return Fix {
            description,
            before,
            after: Some(after),
            edits,
            applicability: Applicability::Review,
            ..Fix::default()
        };
    }
    let key = key_of(audit, search).unwrap_or_else(|| "id".to_owned());
    Fix {
        description,
        before,
        after: Some(format!(
            "const byKey = new Map({list}.map((it) => [it.{key}, it]));\n// in the loop: byKey.get(key)"
        )),
        ..Fix::default()
    }
}

/// `list.includes(x)`: a Set before the statement that holds the loop.
fn set_edits(audit: &Audit<'_, '_>, search: &Search<'_, '_>) -> Option<Vec<Edit>> {
    let module = audit.module(search.call.site)?;
    let Kind::Call { callee, .. } = module.kind(search.call.site.1) else { return None };
    let Kind::Name { binding, .. } = module.kind(search.list.1) else { return None };
    let declared = module.binding(binding)?;
    let is_same_function =
        module.enclosing_function(declared.node) == module.enclosing_function(search.repetition.repeat.at.1);
    if search_name(audit, search)? != "includes"
        || declared.kind != BindingKind::Constant
        || !is_same_function
    {
        return None;
    }
    let list = module.source(search.list.1);
    let outer = audit.statement(search.repetition.repeat.at);
    let (file, statement) = outer;
    let start = module.node(statement).span.start;
    let text = module.text().get(..start as usize)?;
    let indentation: String = text.rsplit('\n').next()?.chars().take_while(|c| c.is_whitespace()).collect();
    Some(vec![
        Edit {
            file: audit.program().path(file).to_owned(),
            start,
            end: start,
            replacement: format!("const {list}Set = new Set({list});\n{indentation}"),
        },
        replace(audit, (file, callee), format!("{list}Set.has")),
    ])
}

/// `id` of `list.find((it) => it.id === x)`.
fn key_of(audit: &Audit<'_, '_>, search: &Search<'_, '_>) -> Option<String> {
    let (_, callback) = audit.resolver.argument(search.call.site, 0)?;
    let module = audit.module(search.call.site)?;
    let Kind::Function(function) = module.kind(callback) else { return None };
    let function = module.function(function)?;
    let parameter = module.list(function.parameters).next()?;
    let parameter = module.source(parameter).split(':').next()?.trim().to_owned();
    module.all_nodes(function.body).into_iter().find_map(|node| match module.kind(node) {
        Kind::Member { object, name } if module.source(object) == parameter => {
            Some(module.str(name).to_owned())
        }
        _ => None,
    })
}
