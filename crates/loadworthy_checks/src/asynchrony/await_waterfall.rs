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
mod remedy;
mod reordered;

use loadworthy_analysis::{AwaitedStep, Context, Waterfall, waterfalls};
use loadworthy_capacity::{DEFAULT_QUERY_MILLIS, ExternalWait, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileClass;
use loadworthy_syntax::{Kind, Module, NodeId};

use self::remedy::fix;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Place, Words};
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
