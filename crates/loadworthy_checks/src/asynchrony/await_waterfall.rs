//! # Await waterfalls
//! Reads that don't need each other's result, awaited one after the other.
//!
//! ## Why it fails under load
//! A request takes the sum of its reads where it could take the longest of them: latency = Σ tᵢ instead of max tᵢ. By
//! Little's law the requests in flight grow in proportion (in flight = rate × latency), and with them the memory and the
//! sockets that the process holds. Where the database gets slow under load, every read of the row gets slow at once.
//!
//! ## Bad
//! ```ts title="src/profile.ts"
//! import express from "express";
//! import { PrismaClient } from "@prisma/client";
//! const prisma = new PrismaClient();
//! const app = express();
//! app.get("/profile/:id", async (req, res) => {
//!   const id = req.params.id;
//!   const user = await prisma.user.findUnique({ where: { id } }); // finding: 3D
//!   const teams = await prisma.team.findMany({ where: { userId: id }, take: 20 });
//!   const invoices = await prisma.invoice.findMany({ where: { userId: id }, take: 20 });
//!   res.json({ user, teams, invoices });
//! });
//! ```
//!
//! ## Good
//! ```ts title="src/profile.ts"
//! import express from "express";
//! import { PrismaClient } from "@prisma/client";
//! const prisma = new PrismaClient();
//! const app = express();
//! app.get("/profile/:id", async (req, res) => {
//!   const id = req.params.id;
//!   const [user, teams, invoices] = await Promise.all([
//!     prisma.user.findUnique({ where: { id } }),
//!     prisma.team.findMany({ where: { userId: id }, take: 20 }),
//!     prisma.invoice.findMany({ where: { userId: id }, take: 20 }),
//!   ]);
//!   res.json({ user, teams, invoices });
//! });
//! ```
//!
//! ## Leaves alone
//! Reads that need an earlier result or are guarded by it (`if (!order) return …`; the account of a valid session is no such
//! guard); anything with a write, a message or a lock in the row; reads of one transaction or one connection, which its client sends one by one anyway; code that runs
//! when the process starts, in scripts and in migrations.

mod components;

use loadworthy_analysis::{AwaitedStep, Context, Waterfall, waterfalls};
use loadworthy_capacity::{DEFAULT_QUERY_MILLIS, ExternalWait, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileClass;
use loadworthy_syntax::{Kind, Module, NodeId};

use crate::audit::{Audit, dedent};
use crate::finding::{Applicability, Confidence, Edit, Evidence, Finding, Fix, Place, Words};
use crate::meta::{Category, Check, Meta};

pub(crate) struct AwaitWaterfall;

static META: Meta = Meta {
    code: "3D",
    slug: "await-waterfall",
    category: Category::Async,
    summary: "independent reads are awaited one after the other",
    page: include_str!("await_waterfall.rs"),
};

/// Milliseconds of a call to another service on a normal day, where nothing better is known: a request within a region
/// with a few queries behind it.
const SERVICE_MILLIS: f64 = 100.0;

impl Check for AwaitWaterfall {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        for (file, _) in audit.program().modules() {
            for waterfall in waterfalls(audit.analysis, file) {
                findings.extend(case(audit, &waterfall));
            }
        }
        components::run(audit, findings);
    }
}

fn case(audit: &Audit<'_, '_>, waterfall: &Waterfall) -> Option<Finding> {
    let first = waterfall.steps.first()?;
    let site = (waterfall.file, first.awaiting);
    let module = audit.module(site)?;
    let contexts = audit.contexts(site);
    let runs = |context| contexts.contains(&context);
    // Startup and jobs have nobody who waits.
    let is_waited_for = runs(Context::PerRequest) || runs(Context::PerEvent) || runs(Context::PerRender);
    if !is_waited_for && !contexts.is_empty() {
        return None;
    }
    let saved = saved_millis(waterfall);
    let names = names(audit, module, waterfall);
    let (count, rounds) = (waterfall.steps.len(), waterfall.rounds());
    let reached = audit.reached_by(site);
    let words = Words {
        title: format!("{} are read one after the other in {reached}", list(&names)),
        problem: format!(
            "{count} reads are awaited in turn although {}. Each response takes their sum ({} ms) where it could take {rounds} \
             round{} ({} ms); under load every slow read delays the next ones, and the request holds its memory and socket for \
             the whole row.",
            if rounds == 1 {
                "none needs another's result".to_owned()
            } else {
                format!("{rounds} rounds would do")
            },
            whole(total_millis(waterfall)),
            if rounds == 1 { "" } else { "s" },
            whole(total_millis(waterfall) - saved),
        ),
        verify: format!(
            "Trace one call of {reached}: the spans of {} follow each other without overlap. After the change they overlap, and \
             the p50 falls by about {} ms.",
            list(&names),
            whole(saved),
        ),
        tradeoff: format!(
            "{} connections or sockets are busy at once for one request; with a small pool and many reads, bound it with p-limit. \
             With Promise.all the first failure rejects the whole.",
            count - rounds + 1
        ),
    };
    let cost = audit.cost_at(site).external(ExternalWait::Expected(saved));
    let finding = Finding::new(
        &META,
        site,
        evidence(audit, waterfall, site),
        cost,
        words,
        fix(audit, module, waterfall),
    )
    .confidence(Confidence::Medium)
    .assuming(format!(
        "{DEFAULT_QUERY_MILLIS} ms for a query, {SERVICE_MILLIS} ms for a call of another service"
    ))
    .at_least(if saved >= 2.0 * DEFAULT_QUERY_MILLIS || reaches_often(audit, site) {
        Severity::Medium
    } else {
        Severity::Monitor
    })
    .at_most(Severity::Medium);
    if contexts.is_empty() && !is_client(audit, waterfall) {
        return Some(finding.unless(format!(
            "nothing that runs {} was found: if requests do, it is a finding; see who calls it",
            audit.function_name(audit.analysis.owner(site))
        )));
    }
    (!contexts.is_empty()).then_some(finding)
}

fn is_client(audit: &Audit<'_, '_>, waterfall: &Waterfall) -> bool {
    audit.program().class(waterfall.file) == Some(FileClass::Client)
}

/// Whether several routes pass here: a saving of one query is worth as much as two on one route.
fn reaches_often(audit: &Audit<'_, '_>, site: loadworthy_analysis::Site) -> bool {
    audit.analysis.routes_to(site).count() > 1
}

fn millis(step: &AwaitedStep) -> f64 {
    let is_service =
        step.work.any(|effect| matches!(effect, Effect::HttpRequest | Effect::StorageGet | Effect::AsyncNet));
    if is_service { SERVICE_MILLIS } else { DEFAULT_QUERY_MILLIS }
}

fn total_millis(waterfall: &Waterfall) -> f64 {
    waterfall.steps.iter().map(millis).sum()
}

/// Sum − the sum of each round's longest.
fn saved_millis(waterfall: &Waterfall) -> f64 {
    let longest = |round: usize| {
        waterfall.steps.iter().filter(|step| step.round == round).map(millis).fold(0.0, f64::max)
    };
    total_millis(waterfall) - (1..=waterfall.rounds()).map(longest).sum::<f64>()
}

fn whole(millis: f64) -> String {
    format!("{millis:.0}")
}

/// What the steps fill: `user`, `teams`; the call where a pattern is filled.
fn names(audit: &Audit<'_, '_>, module: &Module, waterfall: &Waterfall) -> Vec<String> {
    let name = |step: &AwaitedStep| match target(module, step.statement) {
        Some(target) if matches!(module.kind(target), Kind::Binding(_) | Kind::Name { .. }) => {
            module.source(target).split(':').next().unwrap_or_default().trim().to_owned()
        }
        _ => audit.excerpt((waterfall.file, step.call), 40),
    };
    waterfall.steps.iter().map(name).collect()
}

fn target(module: &Module, statement: NodeId) -> Option<NodeId> {
    match module.kind(statement) {
        Kind::Variables(list) => match module.kind(module.list(list).next()?) {
            Kind::Declarator { target, .. } => Some(target),
            _ => None,
        },
        Kind::Expression(expression) => match module.kind(expression) {
            Kind::Assign { target, .. } => Some(target),
            _ => None,
        },
        _ => None,
    }
}

fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [start @ .., last] => format!("{} and {last}", start.join(", ")),
    }
}

fn evidence(audit: &Audit<'_, '_>, waterfall: &Waterfall, site: loadworthy_analysis::Site) -> Vec<Evidence> {
    let mut chain = audit.chain_to(site, format!("1st read, round {}", round(waterfall, 0)));
    for (at, step) in waterfall.steps.iter().enumerate().skip(1) {
        let note = format!("read {}, could run in round {}", at + 1, step.round);
        chain.push(Evidence { place: Place::Code((waterfall.file, step.awaiting)), note });
    }
    chain
}

fn round(waterfall: &Waterfall, at: usize) -> usize {
    waterfall.steps.get(at).map_or(1, |step| step.round)
}

/// Adjacent declarations `const x = await f()` of the same round become one `Promise.all`.
fn fix(audit: &Audit<'_, '_>, module: &Module, waterfall: &Waterfall) -> Fix {
    let description =
        String::from("Start the reads that don't need each other together and await them once.");
    let Some(run) = adjacent(module, waterfall) else {
        let (before, after) = together(module, waterfall).unzip();
        return Fix { description, before, after, ..Fix::default() };
    };
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return Fix { description, ..Fix::default() };
    };
    let (start, end) = (module.node(first.statement).span.start, module.node(last.statement).span.end);
    let text = module.text();
    let before = text.get(start as usize..end as usize).unwrap_or_default();
    let indentation = indentation_of(text, start);
    let unit = if indentation.contains('\t') { "\t" } else { "  " };
    let targets: Vec<&str> = run.iter().filter_map(|step| declared(module, step.statement)).collect();
    let calls: Vec<String> =
        run.iter().map(|step| format!("{indentation}{unit}{},", module.source(step.call))).collect();
    let keyword = if before.starts_with("let") { "let" } else { "const" };
    let terminator = if before.ends_with(';') { ";" } else { "" };
    let after = format!(
        "{keyword} [{}] = await Promise.all([\n{}\n{indentation}]){terminator}",
        targets.join(", "),
        calls.join("\n"),
    );
    let with_indentation = |code: &str| {
        let whole = format!("{indentation}{code}");
        dedent(&whole.lines().collect::<Vec<_>>())
    };
    Fix {
        description,
        before: Some(with_indentation(before)),
        after: Some(with_indentation(&after)),
        edits: vec![Edit {
            file: audit.program().path(waterfall.file).to_owned(),
            start,
            end,
            replacement: after,
        }],
        applicability: Applicability::Safe,
        ..Fix::default()
    }
}

/// The reads of the first round that has several, which stand apart or are no plain declarations, and one `await` for them.
fn together(module: &Module, waterfall: &Waterfall) -> Option<(String, String)> {
    let of_round = |round: usize| waterfall.steps.iter().filter(move |step| step.round == round);
    let round = (1..=waterfall.steps.len()).find(|round| of_round(*round).count() > 1)?;
    let names: Vec<String> = of_round(round)
        .enumerate()
        .map(|(at, step)| match declared(module, step.statement) {
            Some(name) => name.to_owned(),
            None => assigned(module, step.statement).unwrap_or_else(|| format!("read{}", at + 1)),
        })
        .collect();
    let calls: Vec<String> = of_round(round)
        .map(|step| {
            let lines: Vec<&str> = module.source(step.call).lines().map(str::trim).collect();
            let caught =
                if step.is_caught { ".catch((error) => { /* … as in its catch clause */ })" } else { "" };
            format!("  {}{caught},", lines.join(" "))
        })
        .collect();
    let before: Vec<String> = of_round(round)
        .map(|step| module.source(step.statement).lines().take(4).collect::<Vec<&str>>().join("\n"))
        .collect();
    let after = format!("const [{}] = await Promise.all([\n{}\n]);", names.join(", "), calls.join("\n"));
    Some((before.join("\n// …\n"), after))
}

/// The name that a statement gives what it reads: `const rows: Row[] = await …`, `rows = await …`.
fn assigned(module: &Module, statement: NodeId) -> Option<String> {
    let source = module.source(statement);
    let head = source.split('=').next()?.trim();
    let name = head.split(' ').next_back()?;
    let name = head
        .split([' ', ':'])
        .nth(1)
        .filter(|_| head.starts_with("const ") || head.starts_with("let "))
        .unwrap_or(name);
    let is_name = !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    is_name.then(|| name.to_owned())
}

/// The longest run of steps that stand side by side, need the same round, and are plain declarations.
fn adjacent<'w>(module: &Module, waterfall: &'w Waterfall) -> Option<&'w [AwaitedStep]> {
    let is_neighbour = |pair: &[AwaitedStep]| match pair {
        [a, b] => {
            let between =
                module.node(a.statement).span.end as usize..module.node(b.statement).span.start as usize;
            a.round == b.round
                && keyword(module, a.statement) == keyword(module, b.statement)
                && module.text().get(between).is_some_and(|gap| gap.trim().is_empty())
        }
        _ => false,
    };
    let mut best: &[AwaitedStep] = &[];
    let mut start = 0;
    for at in 0..waterfall.steps.len() {
        let is_plain = waterfall
            .steps
            .get(at)
            .is_some_and(|step| !step.is_caught && declared(module, step.statement).is_some());
        let joins = at > start && waterfall.steps.get(at - 1..=at).is_some_and(is_neighbour);
        if !is_plain {
            start = at + 1;
            continue;
        }
        if !joins {
            start = at;
        }
        let run = waterfall.steps.get(start..=at).unwrap_or_default();
        if run.len() > best.len() {
            best = run;
        }
    }
    (best.len() > 1).then_some(best)
}

fn keyword(module: &Module, statement: NodeId) -> &str {
    module.source(statement).split_whitespace().next().unwrap_or_default()
}

/// The pattern of `const pattern = await call()`, without a type.
fn declared(module: &Module, statement: NodeId) -> Option<&str> {
    let Kind::Variables(list) = module.kind(statement) else { return None };
    let Kind::Declarator { target, init } = module.kind(module.list(list).next()?) else { return None };
    let source = module.source(target);
    let is_typed = matches!(module.kind(target), Kind::Binding(_)) && source.contains(':');
    (matches!(module.kind(init), Kind::Await(_)) && !is_typed).then_some(source)
}

/// The white space before the first character of a line.
fn indentation_of(text: &str, at: u32) -> &str {
    let before = text.get(..at as usize).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let end = line.len() - line.trim_start().len();
    line.get(..end).unwrap_or_default()
}
