//! Library members that hold the loop.

use std::collections::BTreeMap;

use loadworthy_analysis::{Block, Blocks, Call, LibraryCall, Site, is_kept};
use loadworthy_capacity::Severity;
use loadworthy_knowledge::Grouping;
use loadworthy_project::Language;
use loadworthy_syntax::{Kind, NodeId};

use super::META;
use crate::audit::Audit;
use crate::edit::{after, replace};
use crate::finding::{Applicability, Confidence, Edit, Evidence, Finding, Fix, Place, Words};
use crate::imports::package;
use crate::runs::{Runs, cost_of, runs};

/// A call that holds the loop.
struct Holding<'a, 'p> {
    call: &'a Call<'p>,
    library: &'a LibraryCall<'p>,
    block: Block<'p>,
    runs: Runs,
}

/// Less than this for one request is nothing: a plain request costs about 0.1 ms.
const LEAST_MILLIS: f64 = 0.2;
/// Less than this in one file is not worth a change: a few questions to the disk.
const LEAST_GROUP_MILLIS: f64 = 1.0;
/// Code that nobody is seen to call is told of where it does more than ask the disk.
const LEAST_UNREACHED_MILLIS: f64 = 2.0;
/// Jobs of the same process are told of from here on: a block that every request in between feels.
const LEAST_JOB_MILLIS: f64 = 20.0;

pub(super) fn run<'p>(audit: &Audit<'_, 'p>, blocks: &Blocks<'_, 'p>, findings: &mut Vec<Finding>) {
    let mut groups: BTreeMap<Group, Vec<Holding<'_, '_>>> = BTreeMap::new();
    for call in audit.analysis.calls().iter() {
        let Some(holding) = holding(audit, blocks, call) else { continue };
        groups.entry(Group::of(audit, &holding)).or_default().push(holding);
    }
    findings.extend(groups.values().filter_map(|calls| finding(audit, calls)));
}

/// What one finding covers: a package, a file or a call, by library and when it runs.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    lib: String,
    /// Absent where one fix is for all of a package.
    runs: Option<Runs>,
    place: (usize, usize),
}

impl Group {
    fn of(audit: &Audit<'_, '_>, holding: &Holding<'_, '_>) -> Self {
        let (file, node) = holding.call.site;
        let place = match holding.block.row.group {
            Grouping::Package => {
                let package = audit.program().project().file(file).map(|file| file.package);
                (package.map_or(0, loadworthy_project::PackageId::index), 0)
            }
            Grouping::File => (file.index(), 0),
            Grouping::Call => (file.index(), node.index()),
        };
        let lib = audit.knowledge().library(holding.library.lib).id.clone();
        let runs = (holding.block.row.group != Grouping::Package).then_some(holding.runs);
        Self { lib, runs, place }
    }
}

fn holding<'a, 'p>(
    audit: &'a Audit<'a, 'p>,
    blocks: &Blocks<'_, 'p>,
    call: &'a Call<'p>,
) -> Option<Holding<'a, 'p>> {
    let library = call.library.as_ref()?;
    let runs = runs(audit, call.site).filter(|runs| *runs != Runs::Browser)?;
    let module = audit.module(call.site)?;
    if is_kept(module, call.site.1) {
        return None;
    }
    let block = blocks.of(call, library)?;
    let least = match runs {
        Runs::Job => LEAST_JOB_MILLIS,
        Runs::Unreached => LEAST_UNREACHED_MILLIS,
        Runs::Request | Runs::Browser => LEAST_MILLIS,
    };
    (block.millis >= least).then_some(Holding { call, library, block, runs })
}

fn finding(audit: &Audit<'_, '_>, calls: &[Holding<'_, '_>]) -> Option<Finding> {
    let worst = worst(audit, calls)?;
    if worst.runs == Runs::Request && calls.iter().map(|it| it.block.millis).sum::<f64>() < LEAST_GROUP_MILLIS
    {
        return None;
    }
    let sites: Vec<Site> = calls.iter().map(|it| it.call.site).collect();
    let mut cost = cost_of(audit, &sites).loop_block(millis_per_request(audit, calls));
    cost.shares_process = true;
    let mut finding = Finding::new(
        &META,
        worst.call.site,
        evidence(audit, worst, calls),
        cost,
        words(audit, worst, calls),
        fix(audit, worst, calls),
    );
    for assumption in &worst.block.assumptions {
        finding = finding.assuming(assumption.clone());
    }
    if worst.block.row.source.is_some() {
        finding = finding.confidence(Confidence::Low);
    } else if worst.block.assumptions.len() > 1 {
        finding = finding.confidence(Confidence::Medium);
    }
    finding.routes = Some(audit.route_names_of(&sites));
    Some(match worst.runs {
        Runs::Job => finding.at_most(Severity::Medium),
        Runs::Unreached => finding.at_most(Severity::Medium).unless(format!(
            "no route or job that reaches `{}` was found; if one does, it holds the loop",
            audit.function_name(audit.analysis.owner(worst.call.site))
        )),
        Runs::Request | Runs::Browser => finding,
    })
}

/// Milliseconds of an average request of the routes that are reached: the sum over calls, each at its part of the routes.
fn millis_per_request(audit: &Audit<'_, '_>, calls: &[Holding<'_, '_>]) -> f64 {
    let routes = |site: Site| audit.analysis.reach().routes(audit.analysis.owner(site)).to_vec();
    let mut all: Vec<usize> = calls.iter().flat_map(|it| routes(it.call.site)).collect();
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        return calls.iter().map(|it| it.block.millis).fold(0.0, f64::max);
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of routes are small")]
    let part = |count: usize| count as f64 / all.len() as f64;
    calls
        .iter()
        .map(|it| {
            let own = routes(it.call.site);
            let looped = own.iter().filter(|route| is_looped(audit, it, **route)).count();
            it.block.millis * part(looped) + it.block.once_millis * part(own.len() - looped)
        })
        .sum()
}

/// Whether a route leads through a loop that repeats the call; one that does not runs it once.
fn is_looped(audit: &Audit<'_, '_>, it: &Holding<'_, '_>, route: usize) -> bool {
    it.block.repeated_by.is_empty()
        || it.block.repeated_by.iter().any(|owner| audit.analysis.reach().routes(*owner).contains(&route))
}

/// The call that costs most, weighed by its routes; of equals the first.
fn worst<'h, 'a, 'p>(audit: &Audit<'_, '_>, calls: &'h [Holding<'a, 'p>]) -> Option<&'h Holding<'a, 'p>> {
    #[expect(clippy::cast_precision_loss, reason = "counts of routes are small")]
    let weight = |it: &Holding<'_, '_>| {
        let reached = if it.runs == Runs::Request { 1_000.0 } else { 1.0 };
        reached * it.block.millis * audit.analysis.routes_to(it.call.site).count().max(1) as f64
    };
    let mut worst = calls.first()?;
    for call in calls {
        if weight(call) > weight(worst) {
            worst = call;
        }
    }
    Some(worst)
}

/// Places told of beside the worst.
const MOST_PLACES: usize = 40;

fn evidence(audit: &Audit<'_, '_>, worst: &Holding<'_, '_>, calls: &[Holding<'_, '_>]) -> Vec<Evidence> {
    let note = format!("{} ms of the event loop each time", plain(worst.block.millis));
    let mut evidence = audit.chain_to(worst.call.site, note);
    let others = calls.iter().filter(|it| it.call.site != worst.call.site).take(MOST_PLACES);
    evidence.extend(others.map(|it| Evidence {
        place: Place::Code(it.call.site),
        note: format!("{} ms, in {}", plain(it.block.millis), audit.reached_by(it.call.site)),
    }));
    evidence
}

/// Two digits that count.
pub(super) fn plain(millis: f64) -> String {
    match millis {
        m if m >= 100.0 => format!("{m:.0}"),
        m if m >= 1.0 => format!("{m:.1}"),
        m => format!("{m:.2}"),
    }
}

fn words(audit: &Audit<'_, '_>, worst: &Holding<'_, '_>, calls: &[Holding<'_, '_>]) -> Words {
    let code = audit.excerpt(worst.call.site, 60);
    let reached = audit.reached_by(worst.call.site);
    let row = worst.block.row;
    let millis = plain(worst.block.millis);
    let title = match calls.len() {
        1 => format!("`{code}` holds the event loop for {millis} ms in {reached}"),
        n => format!("{n} calls hold the event loop, `{code}` for {millis} ms in {reached}"),
    };
    let rounds = match worst.block.rounds {
        rounds if rounds > 1.0 => format!(" It stands in a loop of about {rounds} rounds."),
        _ => String::new(),
    };
    Words {
        title,
        problem: format!(
            "`{code}` {} on the main thread: about {millis} ms in which no other request of the process is read, answered or timed out.{rounds} At the share of traffic that reaches {reached} this adds up, and a burst of such requests is served strictly one after the other.",
            row.does
        ),
        verify: format!(
            "Load {reached} and watch `monitorEventLoopDelay()` (perf_hooks) or a flame graph (`node --prof`, `clinic flame`): p99 of the delay must fall below 20 ms after the change; `{}` at {} must leave the profile.",
            audit.excerpt(worst.call.site, 30),
            audit.place_of(worst.call.site)
        ),
        tradeoff: String::from(
            "Asynchronous work still needs a core: four at a time on the thread pool (`UV_THREADPOOL_SIZE`), or worker threads with a queue.",
        ),
    }
}

fn fix(audit: &Audit<'_, '_>, worst: &Holding<'_, '_>, calls: &[Holding<'_, '_>]) -> Fix {
    let instead = &worst.block.row.instead;
    let mut description = instead.clone();
    if let Some(first) = description.get(..1) {
        let upper = first.to_uppercase();
        description.replace_range(..1, &upper);
    }
    description.push('.');
    let shown = audit.statement(worst.call.site);
    let before = Some(audit.lines_around(shown, 0));
    let own = turned(audit, worst);
    let edits: Option<Vec<Vec<Edit>>> = calls.iter().map(|it| turned(audit, it)).collect();
    let Some(own) = own else {
        let plain = Fix { description, before, ..Fix::default() };
        // A synchronous form holds the event loop in either package.
        let is_async = calls
            .iter()
            .all(|it| !audit.source(it.call.site).split('(').next().unwrap_or_default().ends_with("Sync"));
        let replaced = if is_async { replaced_package(audit, worst, &plain) } else { None };
        return replaced.unwrap_or_else(|| Fix { after: Some(elsewhere(audit, worst)), ..plain });
    };
    Fix {
        description,
        before,
        after: Some(after(audit, shown, &own)),
        edits: edits.map(|edits| edits.into_iter().flatten().collect()).unwrap_or_default(),
        applicability: Applicability::Review,
        ..Fix::default()
    }
}

/// A package that does the same on the thread pool, where the knowledge names one: another specifier in each import.
fn replaced_package(audit: &Audit<'_, '_>, worst: &Holding<'_, '_>, plain: &Fix) -> Option<Fix> {
    let by = worst.block.row.package.as_deref()?;
    let (file, _) = worst.call.site;
    let old = worst.call.library.as_ref()?.module.as_deref()?.to_owned();
    let project = audit.program().project();
    let own = project.file(file)?.package;
    let mut edits = Vec::new();
    for (other, module) in audit.program().modules() {
        if project.file(other).is_none_or(|it| it.package != own) {
            continue;
        }
        for quote in ['"', '\''] {
            let specifier = format!("{quote}{old}{quote}");
            for (at, _) in module.text().match_indices(&specifier) {
                let line =
                    module.text().get(..at).and_then(|head| head.rsplit('\n').next()).unwrap_or_default();
                let is_import = ["from ", "require(", "import("].iter().any(|word| line.ends_with(word));
                if is_import {
                    let start = u32::try_from(at).ok()?;
                    let end = u32::try_from(at + specifier.len()).ok()?;
                    let replacement = format!("{quote}{by}{quote}");
                    edits.push(Edit {
                        file: audit.program().path(other).to_owned(),
                        start,
                        end,
                        replacement,
                    });
                }
            }
        }
    }
    let mut packages = package(audit, file, by)?;
    let is_typed = project.file(file).is_some_and(|it| matches!(it.language, Language::Ts | Language::Tsx));
    if is_typed {
        packages.extend(package(audit, file, &format!("@types/{by}"))?);
    }
    (!edits.is_empty()).then(|| Fix {
        before: Some(format!("import … from '{old}'")),
        after: Some(format!("import … from '{by}'")),
        edits,
        packages,
        applicability: Applicability::Review,
        ..plain.clone()
    })
}

/// The asynchronous form of a function that is imported by itself, or the work in a thread.
fn elsewhere(audit: &Audit<'_, '_>, worst: &Holding<'_, '_>) -> String {
    let source = audit.source(worst.call.site);
    let callee = source.split('(').next().unwrap_or_default();
    let arguments = source.get(callee.len()..).unwrap_or_default();
    let name = callee.rsplit('.').next().unwrap_or(callee);
    let module =
        worst.call.library.as_ref().and_then(|library| library.module.as_deref()).unwrap_or_default();
    match name.strip_suffix("Sync") {
        Some(base) if module.ends_with("fs") => {
            format!("import {{ {base} }} from 'node:fs/promises';\n\nawait {base}{arguments};")
        }
        Some(base)
            if module.ends_with("crypto")
                || module.ends_with("child_process")
                || module.ends_with("zlib") =>
        {
            format!(
                "import {{ promisify }} from 'node:util';\n\nconst {base}Async = promisify({base});\nawait {base}Async{arguments};"
            )
        }
        Some(base) => format!("await {}{base}{arguments};", callee.strip_suffix(name).unwrap_or_default()),
        None => format!(
            "// worker.js: the same call on workerData, its answer by parentPort.postMessage\nconst worker = new Worker(new URL('./worker.js', import.meta.url), {{ workerData: input }});\nconst [answer] = await once(worker, 'message'); // in place of {callee}(…)"
        ),
    }
}

/// The call in its asynchronous form, where its function may wait.
fn turned(audit: &Audit<'_, '_>, holding: &Holding<'_, '_>) -> Option<Vec<Edit>> {
    let turn = holding.block.row.turn.as_ref()?;
    let (file, node) = holding.call.site;
    let module = audit.module(holding.call.site)?;
    let function = module.function(holding.call.function)?;
    let Kind::Call { callee, .. } = module.kind(node) else { return None };
    // A name imported by itself needs another import.
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    if !function.is_async || function.is_generator {
        return None;
    }
    let name = module.str(name);
    let asynchronous = turn.replace("{}", name.strip_suffix("Sync").unwrap_or(name));
    let is_chained =
        matches!(module.kind(module.parent(node)), Kind::Member { object, .. } if object == node);
    let arguments = after_callee(module, node, callee)?;
    let call = format!("await {}.{asynchronous}{arguments}", module.source(object));
    let call = if is_chained || is_operand(module, node) { format!("({call})") } else { call };
    Some(vec![replace(audit, (file, node), call)])
}

/// Whether `await x` in the place of a node needs parentheses.
fn is_operand(module: &loadworthy_syntax::Module, node: NodeId) -> bool {
    matches!(module.kind(module.parent(node)), Kind::Binary { .. } | Kind::Unary { .. } | Kind::Index { .. })
}

/// `(path, "utf8")` of `fs.readFileSync(path, "utf8")`.
fn after_callee(module: &loadworthy_syntax::Module, call: NodeId, callee: NodeId) -> Option<&str> {
    module.source(call).get(module.source(callee).len()..)
}
