//! # Unbounded fetches
//! A query that reads as many rows as there are, or as many as the client asks for.
//!
//! ## Why it fails under load
//! Each request pays for all rows: the database reads and sends them, the process builds an object for each and writes
//! them out again. With `n` rows of about 1 kB and 0.01 ms of building and writing each, `r` requests per second block
//! the event loop for `r × n × 0.01` ms every second and hold `n` kB each while they run. 10,000 rows at 10 req/s are a
//! full core. It is fine on the day of the launch, because `n` is the one factor that grows by itself.
//!
//! ## Bad: all rows
//! ```ts title="src/app.ts"
//! import express from "express";
//! import { PrismaClient } from "@prisma/client";
//! const prisma = new PrismaClient();
//! const app = express();
//! app.get("/messages", async (_req, res) => {
//!   const messages = await prisma.message.findMany({ orderBy: { createdAt: "desc" } }); // finding: 1B
//!   res.json(messages);
//! });
//! ```
//!
//! ## Good: a page
//! ```ts title="src/app.ts"
//! import express from "express";
//! import { PrismaClient } from "@prisma/client";
//! const prisma = new PrismaClient();
//! const app = express();
//! app.get("/messages", async (_req, res) => {
//!   const messages = await prisma.message.findMany({ take: 50, orderBy: { createdAt: "desc" } });
//!   res.json(messages);
//! });
//! ```
//!
//! ## Bad: the client's number
//! ```ts title="src/app.ts"
//! import express from "express";
//! import { PrismaClient } from "@prisma/client";
//! const prisma = new PrismaClient();
//! const app = express();
//! app.get("/messages", async (req, res) => {
//!   const limit = Number(req.query.limit) || 20;
//!   res.json(await prisma.message.findMany({ take: limit })); // finding: 1B
//! });
//! ```
//!
//! ## Good: the client's number, with a maximum
//! ```ts title="src/app.ts"
//! import express from "express";
//! import { PrismaClient } from "@prisma/client";
//! const prisma = new PrismaClient();
//! const app = express();
//! app.get("/messages", async (req, res) => {
//!   const limit = Math.min(Number(req.query.limit) || 20, 100);
//!   res.json(await prisma.message.findMany({ take: limit }));
//! });
//! ```
//!
//! ## Bad: rows that are only counted
//! ```ts title="src/app.ts"
//! import express from "express";
//! import { PrismaClient } from "@prisma/client";
//! const prisma = new PrismaClient();
//! const app = express();
//! app.get("/inbox/:userId", async (req, res) => {
//!   const unread = await prisma.message.findMany({ where: { userId: req.params.userId, readAt: null } }); // finding: 1B
//!   res.json({ unread: unread.length });
//! });
//! ```
//!
//! ## Good: counted by the database
//! ```ts title="src/app.ts"
//! import express from "express";
//! import { PrismaClient } from "@prisma/client";
//! const prisma = new PrismaClient();
//! const app = express();
//! app.get("/inbox/:userId", async (req, res) => {
//!   const unread = await prisma.message.count({ where: { userId: req.params.userId, readAt: null } });
//!   res.json({ unread });
//! });
//! ```
//!
//! ## Leaves alone
//! Lookups by a primary or unique key; counts and other aggregates; groups and distinct values; tables that stay small
//! (roles, settings, categories); the few rows of one parent (the items of an order, the addresses of a user); rows that
//! a list of keys selects; limits that stand anywhere in the chain of the query, also across variables and functions;
//! cursors and streams; code that runs when the process starts, in scripts and in migrations.

mod page;
mod remedy;
pub(crate) mod shapes;
mod stores;

use loadworthy_analysis::{Context, Query, Site};
use loadworthy_capacity::{Cost, DEFAULT_QUERY_MILLIS, Severity};
use loadworthy_project::FileClass;

use self::shapes::{Case, Shape, cases};
use super::rows::{Growth, Scope, plain, table_name};
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Place, Words};
use crate::meta::{Category, Check, Meta};

pub(crate) struct UnboundedFetch;

static META: Meta = Meta {
    code: "1B",
    slug: "unbounded-fetch",
    category: Category::Database,
    summary: "a query reads as many rows as there are",
    page: include_str!("unbounded_fetch.rs"),
};

/// Milliseconds of the event loop for one row of ten columns: building the object and writing it as JSON (1 µs of it,
/// measured; the rest is the client library's).
const ROW_LOOP_MILLIS: f64 = 0.01;
/// Milliseconds of the database for one row that is read and sent.
const ROW_QUERY_MILLIS: f64 = 0.002;
/// Bytes of one row of ten columns while a request is answered: the object, and its text twice.
const ROW_BYTES: f64 = 1_000.0;

impl Check for UnboundedFetch {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        let mut last = None;
        for query in audit.analysis.queries().shapes().filter(|query| is_on_server(audit, query.site)) {
            // A query that several tables are told to is one place.
            if last.replace(query.site) == Some(query.site) {
                continue;
            }
            findings.extend(cases(audit, query).iter().map(|case| finding(audit, query, case)));
        }
        stores::run(audit, findings);
    }
}

/// Whether the code runs on a server at other times than its start, as far as is known.
fn is_on_server(audit: &Audit<'_, '_>, site: Site) -> bool {
    let contexts = audit.contexts(site);
    if contexts.is_empty() {
        let file = audit.program().project().file(site.0);
        return file.is_some_and(|file| file.class != FileClass::Client);
    }
    contexts.iter().any(|it| matches!(it, Context::PerRequest | Context::PerJob))
}

fn finding(audit: &Audit<'_, '_>, query: &Query, case: &Case) -> Finding {
    let mut found = Finding::new(
        &META,
        case.place,
        evidence(audit, query, case),
        cost(audit, query, case),
        words(audit, query, case),
        remedy::fix(audit, query, case),
    );
    if !case.estimate.is_exact {
        found =
            found.confidence(Confidence::Medium).assuming(format!("a request reads {}", case.estimate.words));
    }
    let most = match (&case.shape, case.estimate.scope, case.estimate.growth) {
        (Shape::Searched { .. }, ..) => Severity::Medium,
        (_, Scope::Parent, Growth::Ordinary) | (Shape::Include { .. }, _, Growth::Ordinary) => {
            Severity::Monitor
        }
        (_, Scope::Tenant, Growth::Ordinary) => Severity::Medium,
        (Shape::ClientLimit { .. } | Shape::Inverted { .. }, ..) => Severity::High,
        // How much people set up is a guess: a guess alone ends no process.
        _ if case.estimate.growth == Growth::Ordinary && !case.estimate.is_exact => Severity::High,
        _ => Severity::Critical,
    };
    // What grows without end has no size at which it is fine for good.
    let is_endless = case.estimate.growth == Growth::Endless && case.estimate.scope != Scope::Parent
        || case.estimate.growth == Growth::Ordinary && case.estimate.scope == Scope::Table;
    if is_endless && audit.is_per_request(query.site) {
        found = found.at_least(Severity::Medium.min(most));
    }
    found = found.at_most(most);
    if audit.is_unreached(query.site) {
        let function = audit.function_name(audit.analysis.owner(query.site));
        return found.unless(format!(
            "no route or job that reaches `{function}` was found; verify where it is called"
        ));
    }
    found
}

fn cost(audit: &Audit<'_, '_>, query: &Query, case: &Case) -> Cost {
    let rows = case.estimate.rows.likely;
    let mut cost =
        audit.cost_at(query.site).queries(1.0).loop_block(rows * ROW_LOOP_MILLIS).bytes(rows * ROW_BYTES);
    cost.query_millis = DEFAULT_QUERY_MILLIS + rows * ROW_QUERY_MILLIS;
    cost
}

fn evidence(audit: &Audit<'_, '_>, query: &Query, case: &Case) -> Vec<Evidence> {
    let mut all = audit.chain_to(query.site, format!("reads {}", audit.excerpt(query.whole, 80)));
    let at = |site: Site, note: String| Evidence { place: Place::Code(site), note };
    match &case.shape {
        Shape::ClientLimit { input } => {
            all.push(at(*input, String::from("the client's number, without a maximum")));
        }
        Shape::Inverted { at: clamp } => {
            all.push(at(*clamp, String::from("the larger of the two is taken, not the smaller")));
        }
        Shape::Off { at: option } => all.push(at(*option, String::from("switches the limit off"))),
        Shape::Include { relation } => {
            all.push(at(case.place, format!("reads all `{relation}` of each row")));
        }
        Shape::Searched { relation, purpose, uses } => {
            all.push(at(case.place, format!("reads all `{relation}` of the row")));
            for site in uses.iter().take(4) {
                all.push(at(*site, format!("all that is done with them: {purpose}")));
            }
        }
        Shape::Summed { uses, .. } => {
            for (site, what) in uses.iter().take(4) {
                all.push(at(*site, format!("all that is done with the rows: {what}")));
            }
        }
        Shape::NoLimit { afterwards } => {
            for (site, what) in afterwards.iter().take(3) {
                all.push(at(*site, format!("done with the rows in JavaScript: {what}")));
            }
        }
    }
    all
}

fn words(audit: &Audit<'_, '_>, query: &Query, case: &Case) -> Words {
    let reached = audit.reached_by(query.site);
    let name = table_name(query);
    let rows = plain(case.estimate.rows.likely);
    let most = plain(case.estimate.rows.high);
    let load = format!(
        "At {rows} rows one call moves about {} kB and blocks the event loop for about {} ms",
        plain(case.estimate.rows.likely * ROW_BYTES / 1_000.0),
        plain(case.estimate.rows.likely * ROW_LOOP_MILLIS),
    );
    let grows = match case.estimate.growth {
        Growth::Endless => "grows with every use of the application",
        _ => "grows with the data",
    };
    let (title, what) = match &case.shape {
        Shape::NoLimit { .. } => {
            let narrowed = match case.estimate.scope {
                Scope::Table => format!("all rows of `{name}` are read"),
                _ => format!("`{name}` is read without a limit"),
            };
            (
                narrowed,
                format!("Nothing limits how many rows of `{name}` the query reads, and the number {grows}."),
            )
        }
        Shape::ClientLimit { .. } => (
            format!("the client chooses how many rows of `{name}` are read"),
            format!(
                "The number of rows comes from the request without a maximum: one client that asks for {most} gets them."
            ),
        ),
        Shape::Inverted { .. } => (
            format!("the limit on `{name}` is a minimum"),
            String::from(
                "The clamp is the wrong way around: a large number of the client passes, a small one is raised.",
            ),
        ),
        Shape::Off { .. } => (
            format!("the limit on `{name}` is switched off"),
            format!("The limit has a value that means none, so all rows are read, and the number {grows}."),
        ),
        Shape::Include { relation } => (
            format!("all `{relation}` of `{name}` are read along"),
            format!("Each row of `{name}` brings all of its `{relation}`, and their number {grows}."),
        ),
        Shape::Searched { relation, purpose, .. } => (
            format!("all `{relation}` of `{name}` are read along only to {purpose}"),
            format!(
                "The row of `{name}` brings all of its `{relation}`, and all that JavaScript does with them is to {purpose}: the database answers that from an index with one row or number."
            ),
        ),
        Shape::Summed { summary, .. } => (
            format!("rows of `{name}` are read only to {summary}"),
            format!(
                "Every row is read and built, and all that is kept is the result of {summary}: the database would send that alone."
            ),
        ),
    };
    Words {
        title: format!("{title} in {reached}"),
        problem: format!(
            "{what} {load} ({most} rows are possible); requests that run meanwhile wait for it."
        ),
        verify: verify(audit, query, case),
        tradeoff: tradeoff(case),
    }
}

fn verify(audit: &Audit<'_, '_>, query: &Query, case: &Case) -> String {
    let reached = audit.reached_by(query.site);
    let name = table_name(query);
    match &case.shape {
        Shape::ClientLimit { .. } | Shape::Inverted { .. } => format!(
            "Call {reached} with a limit of 1,000,000 on a table of `{name}` with 100,000 rows: the answer has 100 rows after the \
             change, all of them before."
        ),
        Shape::Summed { .. } => format!(
            "Log the rows that the statement on `{name}` returns during one call of {reached}: after the change it is one."
        ),
        _ => format!(
            "Count the rows of `{name}` in production, fill a test database with as many, and measure the size and p95 of {reached}: \
             both grow with the table before the change and stay flat after it."
        ),
    }
}

fn tradeoff(case: &Case) -> String {
    match &case.shape {
        Shape::Summed { .. } => {
            String::from("None for the caller; the condition needs an index of its own to be counted fast.")
        }
        Shape::Searched { .. } => {
            String::from("None for the caller; the condition needs an index of its own on the related table.")
        }
        Shape::Include { .. } => {
            String::from("Callers that need all of them read the rest page by page, from a route of its own.")
        }
        Shape::ClientLimit { .. } | Shape::Inverted { .. } => {
            String::from("A client that relied on very large pages has to ask more than once.")
        }
        _ => String::from(
            "Callers that need all rows read page by page; below a few hundred rows for good, a fixed high limit is enough.",
        ),
    }
}
