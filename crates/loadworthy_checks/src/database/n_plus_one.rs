//! # N+1 queries
//! A query, or a request to another service, that runs once for each element of a collection.
//!
//! ## Bad
//! ```ts title="routes/orders.ts"
//! import express from "express";
//! import { PrismaClient } from "@prisma/client";
//!
//! const app = express();
//! const prisma = new PrismaClient();
//!
//! app.get("/orders", async (_req, res) => {
//!   const orders = await prisma.order.findMany({ take: 50 });
//!   for (const order of orders) {
//!     order.user = await prisma.user.findUnique({ where: { id: order.userId } }); // finding: 1A
//!   }
//!   res.json(orders);
//! });
//! ```
//!
//! ## Good
//! ```ts title="routes/orders.ts"
//! import express from "express";
//! import { PrismaClient } from "@prisma/client";
//!
//! const app = express();
//! const prisma = new PrismaClient();
//!
//! app.get("/orders", async (_req, res) => {
//!   res.json(await prisma.order.findMany({ take: 50, include: { user: true } }));
//! });
//! ```

mod cases;
mod fields;
mod remedy;
mod row_components;

use loadworthy_analysis::{Operation, Site};
use loadworthy_capacity::{Cost, DEFAULT_QUERY_MILLIS, ExternalWait, Range, Severity};
use loadworthy_knowledge::Flag;

use self::cases::{Case, Trip, cases};
use super::rows::{plain, table_name};
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Place, Words};
use crate::meta::{Category, Check, Meta};

pub(crate) struct NPlusOne;

static META: Meta = Meta {
    code: "1A",
    slug: "n-plus-one",
    category: Category::Database,
    summary: "a query runs once per element",
    page: include_str!("n_plus_one.rs"),
};

/// Milliseconds of a call to another service on a normal day.
const SERVICE_MILLIS: f64 = 100.0;
/// Milliseconds of a command to a cache server in the same zone.
const CACHE_MILLIS: f64 = 0.5;
/// Milliseconds of a query to a database inside the process.
const EMBEDDED_QUERY_MILLIS: f64 = 0.05;
/// Rounds at the same time where something limits them.
const LIMITED_AT_ONCE: u32 = 10;

impl Check for NPlusOne {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        findings.extend(cases(audit).iter().filter_map(|case| finding(audit, case)));
        fields::run(audit, findings);
        row_components::run(audit, findings);
    }
}

fn finding(audit: &Audit<'_, '_>, case: &Case) -> Option<Finding> {
    let place = case.repeated.first()?.entry;
    if audit.is_startup_only(case.repeat.at) {
        return None;
    }
    let evidence = evidence(audit, case);
    let words = words(audit, case);
    let mut found = Finding::new(&META, place, evidence, cost(audit, case), words, remedy::fix(audit, case));
    if case.rounds.is_guess || case.repeated.iter().all(|it| it.trip != Trip::Query) {
        found = found.confidence(Confidence::Medium);
    }
    if case.repeated.iter().all(|it| it.trip == Trip::Cache) {
        found = found.at_most(Severity::Medium);
    }
    found = found.assuming(format!("the loop runs over {}", case.rounds.words));
    if let Some(missing) = &case.rounds.missing {
        return Some(found.unless(missing.clone()));
    }
    if audit.is_unreached(case.repeat.at) {
        let function = audit.function_name(audit.analysis.owner(case.repeat.at));
        return Some(found.unless(format!(
            "no route or job that reaches `{function}` was found; verify where it is called"
        )));
    }
    Some(found)
}

fn count_of(case: &Case, trip: Trip) -> usize {
    let mut sites: Vec<Site> = case.repeated.iter().filter(|it| it.trip == trip).map(|it| it.site).collect();
    sites.dedup();
    sites.len()
}

fn times(range: Range, factor: usize) -> Range {
    #[expect(clippy::cast_precision_loss, reason = "a loop holds few queries")]
    let factor = factor as f64;
    Range::between(range.low * factor, range.likely * factor, range.high * factor)
}

fn cost(audit: &Audit<'_, '_>, case: &Case) -> Cost {
    let rounds = case.rounds.count;
    let mut cost = audit.cost_at(case.repeat.at);
    let queries = count_of(case, Trip::Query);
    if queries > 0 {
        cost = cost.queries(times(rounds, queries));
        cost.query_millis =
            if is_embedded(audit, case) { EMBEDDED_QUERY_MILLIS } else { DEFAULT_QUERY_MILLIS };
        if case.is_concurrent {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
            let at_once = rounds.likely.clamp(1.0, 10_000.0) as u32;
            cost.queries_at_once = at_once;
        } else if case.repeat.is_limited {
            cost.queries_at_once = LIMITED_AT_ONCE;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a loop holds few calls")]
    let millis = count_of(case, Trip::Service) as f64 * SERVICE_MILLIS
        + count_of(case, Trip::Cache) as f64 * CACHE_MILLIS;
    if millis > 0.0 {
        let rounds = if case.is_concurrent { 1.0 } else { rounds.likely };
        cost = cost.external(ExternalWait::Expected(rounds * millis));
    }
    cost
}

/// Whether the queries stay inside the process.
fn is_embedded(audit: &Audit<'_, '_>, case: &Case) -> bool {
    let calls = audit.analysis.calls();
    case.repeated.iter().filter(|it| it.trip == Trip::Query).all(|it| {
        let queries = audit.analysis.queries().at(it.site);
        let mut all = queries.iter().flat_map(|query| &query.calls);
        all.any(|call| {
            calls.at(*call).and_then(|call| call.library.as_ref()).is_some_and(|it| it.has(Flag::Sync))
        })
    })
}

fn evidence(audit: &Audit<'_, '_>, case: &Case) -> Vec<Evidence> {
    let mut all = audit.chain_to(case.repeat.at, format!("the loop over {}", case.rounds.words));
    if let Some(at) = case.rounds.at {
        all.push(Evidence { place: Place::Code(at), note: String::from("what the loop runs over") });
    }
    for repeated in &case.repeated {
        let steps = repeated.way.iter().map(|edge| audit.step(edge));
        for step in steps.filter(|step| !all.contains(step)).collect::<Vec<_>>() {
            all.push(step);
        }
        let note = format!("runs once per element: {}", audit.excerpt(repeated.site, 70));
        all.push(Evidence { place: Place::Code(repeated.site), note });
    }
    all
}

fn words(audit: &Audit<'_, '_>, case: &Case) -> Words {
    let reached = audit.reached_by(case.repeat.at);
    let (queries, services) = (count_of(case, Trip::Query), count_of(case, Trip::Service));
    let what = match (queries, services) {
        (0, 0) => String::from("one cache command"),
        (0, 1) => String::from("one request to another service"),
        (0, more) => format!("{more} requests to other services"),
        (1, _) => String::from("one query"),
        (more, _) => format!("{more} queries"),
    };
    let source = case.repeat.source.map(|source| format!("`{}`", audit.excerpt(source, 40)));
    let source = source.unwrap_or_else(|| String::from("the tree"));
    let tables = tables(audit, case);
    let total = times(case.rounds.count, queries.max(services).max(1));
    let pace = if case.is_concurrent {
        "all at once: one request asks for as many connections as the loop has rounds, and everybody else queues behind it"
    } else {
        "one after the other: their round trips add up to the response time"
    };
    Words {
        title: format!("{what} per element of {source} in {reached}"),
        problem: format!(
            "Each element of {source} costs {what}{tables}, {pace}. The loop runs over {}, so one call of {reached} makes about \
             {} round trips (up to {}) where one or two would do{}.",
            case.rounds.words,
            plain(total.likely),
            plain(total.high),
            if case.rounds.is_unbounded { ", and nothing keeps the number from growing" } else { "" },
        ),
        verify: format!(
            "Log the statements of one call of {reached} on realistic data: the same statement appears once per element of \
             {source}. After the change its count stays the same when {source} doubles."
        ),
        tradeoff: String::from(
            "One larger query instead of many small ones; keep lists of keys below about 1,000 (chunk them above that).",
        ),
    }
}

fn tables(audit: &Audit<'_, '_>, case: &Case) -> String {
    let mut names: Vec<&str> = Vec::new();
    for repeated in &case.repeated {
        if let Some(query) = audit.analysis.queries().at(repeated.site)
            && query.table.is_some()
            && !names.contains(&table_name(query))
        {
            names.push(table_name(query));
        }
    }
    let is_write = case.repeated.iter().any(|it| {
        audit
            .analysis
            .queries()
            .at(it.site)
            .is_some_and(|query| query.operation.is_write() || query.operation == Operation::Upsert)
    });
    let verb = if is_write { "on" } else { "of" };
    match names.as_slice() {
        [] => String::new(),
        names => {
            format!(" {verb} {}", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        }
    }
}
