//! # Missing indexes
//! A query finds, joins or sorts rows by columns that no index leads with, so the database reads the whole table.
//!
//! ## Why it fails under load
//! A scan costs rows × about 0.1 µs of a database core, where an index costs a few page reads. Development has a hundred
//! rows; at 100,000 rows each call takes 10 ms of a core, at 50 calls a second half of it, and the connection is held as
//! long. A leading wildcard compares every text (about 1 µs each), a sort without an index orders all matches for each
//! page.
//!
//! ## Bad
//! ```prisma title="prisma/schema.prisma"
//! datasource db {
//!   provider = "postgresql"
//!   url      = env("DATABASE_URL")
//! }
//! model User {
//!   id     String  @id
//!   orders Order[]
//! }
//! model Order {
//!   id        String   @id
//!   userId    String
//!   user      User     @relation(fields: [userId], references: [id])
//!   createdAt DateTime @default(now())
//! }
//! ```
//! ```ts title="src/app.ts"
//! import express from "express";
//! import { PrismaClient } from "@prisma/client";
//! const prisma = new PrismaClient();
//! const app = express();
//! app.get("/users/:id/orders", async (req, res) => {
//!   const orders = await prisma.order.findMany({ // finding: 1C
//!     where: { userId: req.params.id },
//!     orderBy: { createdAt: "desc" },
//!     take: 20,
//!   });
//!   res.json(orders);
//! });
//! ```
//!
//! ## Good
//! ```prisma title="prisma/schema.prisma"
//! datasource db {
//!   provider = "postgresql"
//!   url      = env("DATABASE_URL")
//! }
//! model User {
//!   id     String  @id
//!   orders Order[]
//! }
//! model Order {
//!   id        String   @id
//!   userId    String
//!   user      User     @relation(fields: [userId], references: [id])
//!   createdAt DateTime @default(now())
//!   @@index([userId, createdAt(sort: Desc)])
//! }
//! ```
//! ```ts title="src/app.ts"
//! import express from "express";
//! import { PrismaClient } from "@prisma/client";
//! const prisma = new PrismaClient();
//! const app = express();
//! app.get("/users/:id/orders", async (req, res) => {
//!   const orders = await prisma.order.findMany({
//!     where: { userId: req.params.id },
//!     orderBy: { createdAt: "desc" },
//!     take: 20,
//!   });
//!   res.json(orders);
//! });
//! ```
//!
//! ## Leaves alone
//! Lookups by primary or unique keys; left prefixes of composite indexes; foreign keys on MySQL, which indexes them by
//! itself; tables that stay small (roles, settings, plans); columns with a few values alone (a status, a flag), where an
//! index would not narrow; code that runs when the process starts, in scripts and in migrations. Where nothing tells the
//! indexes of a table, the queries are listed once as suspicious, with the statement that shows them.

mod declaration;
mod demands;
mod joins;
mod proposals;
mod remedy;

use loadworthy_analysis::{Query, Site};
use loadworthy_capacity::{Cost, DEFAULT_QUERY_MILLIS, Severity};
use loadworthy_schema::{Store, Table};

use self::demands::Need;
use self::proposals::{Proposal, proposals};
use super::rows::{Growth, growth, plain};
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Place, Words};
use crate::meta::{Category, Check, Meta};

pub(crate) struct MissingIndex;

static META: Meta = Meta {
    code: "1C",
    slug: "missing-index",
    category: Category::Database,
    summary: "a query finds or sorts rows by columns without an index",
    page: include_str!("missing_index.rs"),
};

/// Milliseconds of a database core for one row that a scan reads and leaves out: about ten million rows a second from
/// memory.
const SCANNED_ROW_MILLIS: f64 = 0.000_1;
/// Milliseconds to look for a text inside one row's text, or to apply a function to it.
const COMPARED_ROW_MILLIS: f64 = 0.001;
/// Rows of a table after the first year of an application with a thousand users: of what grows with use, and of what
/// people set up.
const ENDLESS_ROWS: f64 = 100_000.0;
const ORDINARY_ROWS: f64 = 10_000.0;
/// Most queries that one finding shows.
const SHOWN: usize = 8;

impl Check for MissingIndex {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        for proposal in proposals(audit) {
            findings.extend(finding(audit, &proposal));
        }
    }
}

fn finding(audit: &Audit<'_, '_>, proposal: &Proposal<'_>) -> Option<Finding> {
    let first = proposal.demands.first()?;
    let growth = growth_of(audit, proposal);
    let mut found = Finding::new(
        &META,
        first.query.site,
        evidence(audit, proposal),
        cost(audit, proposal, growth),
        words(audit, proposal, growth),
        remedy::fix(audit, proposal),
    )
    .confidence(Confidence::Medium)
    .assuming(format!("`{}` has {} rows", proposal.name, plain(rows(growth))));
    let is_reached = proposal.demands.iter().any(|demand| !audit.is_unreached(demand.query.site));
    let is_requested = proposal.demands.iter().any(|demand| audit.is_per_request(demand.query.site));
    found = match (&proposal.need, growth) {
        (Need::Cascade, _) => found.at_most(Severity::Medium),
        (Need::Sort, _) => found.at_most(Severity::High),
        (_, Growth::Endless) if is_requested => found.at_least(Severity::Medium).at_most(Severity::High),
        _ => found.at_most(Severity::High),
    };
    if proposal.table.is_none() {
        return Some(found.unless(remedy::show_indexes(proposal)));
    }
    if !is_reached {
        let function = audit.function_name(audit.analysis.owner(first.query.site));
        return Some(found.unless(format!(
            "no route or job that reaches `{function}` was found; verify where it is called"
        )));
    }
    Some(found)
}

fn growth_of(audit: &Audit<'_, '_>, proposal: &Proposal<'_>) -> Growth {
    growth(audit, proposal.table, &proposal.name)
}

fn rows(growth: Growth) -> f64 {
    if growth == Growth::Endless { ENDLESS_ROWS } else { ORDINARY_ROWS }
}

fn cost(audit: &Audit<'_, '_>, proposal: &Proposal<'_>, growth: Growth) -> Cost {
    let mut cost = crate::runs::cost_of(audit, &sites(proposal)).queries(1.0);
    let per_row = match proposal.need {
        Need::Text | Need::Function | Need::Random => COMPARED_ROW_MILLIS,
        // The matches of a narrowed query are sorted, not the table.
        Need::Sort => COMPARED_ROW_MILLIS / 10.0,
        _ => SCANNED_ROW_MILLIS,
    };
    cost.query_millis = DEFAULT_QUERY_MILLIS + rows(growth) * per_row;
    cost
}

fn evidence(audit: &Audit<'_, '_>, proposal: &Proposal<'_>) -> Vec<Evidence> {
    let mut all = Vec::new();
    for (at, demand) in proposal.demands.iter().take(SHOWN).enumerate() {
        let note = format!("{}: {}", demand.what(), audit.excerpt(demand.query.whole, 80));
        if at == 0 {
            all.extend(audit.chain_to(demand.query.site, note));
        } else {
            all.push(Evidence { place: Place::Code(demand.query.site), note });
        }
    }
    let Some(table) = proposal.table else { return all };
    let declared = |note: String| Evidence { place: place_of(table), note };
    let known: Vec<String> =
        table.indexes.iter().map(|index| format!("({})", index.columns().join(", "))).collect();
    if !table.place.file.is_empty() {
        all.push(declared(match known.as_slice() {
            [] => format!("`{}` has no index", table.name),
            known => format!("the indexes of `{}`: {}", table.name, known.join(", ")),
        }));
    }
    all
}

fn place_of(table: &Table) -> Place {
    let first = table.place.line.max(1);
    Place::Line { file: table.place.file.clone(), first, last: table.last_line.max(first) }
}

fn words(audit: &Audit<'_, '_>, proposal: &Proposal<'_>, growth: Growth) -> Words {
    let name = &proposal.name;
    let columns = proposal.columns_in_words();
    let reached = audit.reached_by_any(&sites(proposal));
    let queries = match proposal.demands.len() {
        1 => String::from("The query"),
        many => format!("{many} queries"),
    };
    let count = plain(rows(growth));
    let (title, problem) = match proposal.need {
        Need::Find => (
            format!("`{name}` is searched by {columns} without an index"),
            format!(
                "{queries} of {reached} find rows of `{name}` by {columns}, and no index leads with these: each call reads all rows."
            ),
        ),
        Need::Sort => (
            format!("`{name}` is sorted by {columns} without an index"),
            format!(
                "{queries} of {reached} want the first rows of `{name}` in the order of {columns}. No index has that order, so each call reads and sorts every match to keep a page of it."
            ),
        ),
        Need::Join => (
            format!("`{name}` is joined by {columns} without an index"),
            format!(
                "{queries} of {reached} read the rows of `{name}` that belong to others by {columns}. A foreign key has no index of its own here, so each call reads all of `{name}`."
            ),
        ),
        Need::Cascade => (
            format!("deleting scans `{name}`: {columns} has no index"),
            format!(
                "{reached} deletes rows that `{name}` refers to by {columns}. The database checks or removes the referring rows each time, and without an index reads all of `{name}` under the lock of the delete."
            ),
        ),
        Need::Text => (
            format!("`{name}` is searched inside the text of {columns}"),
            format!(
                "{queries} of {reached} look for a text anywhere in {columns} of `{name}`. A B-tree can't serve that: each search compares the text of every row."
            ),
        ),
        Need::Function => (
            format!("`{name}` is searched by a function of {columns}"),
            format!(
                "{queries} of {reached} apply a function to {columns} of `{name}` before comparing, which no plain index serves: each call computes it for every row."
            ),
        ),
        Need::Random => (
            format!("`{name}` is sorted at random"),
            format!(
                "{queries} of {reached} give every row of `{name}` a random number and sort by it, to keep a few."
            ),
        ),
    };
    let grow = match growth {
        Growth::Endless => "The table grows with every use of the application",
        _ => "The table grows with the data",
    };
    Words {
        title: format!("{title} in {reached}"),
        problem: format!(
            "{problem} {grow}; at {count} rows it holds a connection and a core of the database many times longer than a lookup, and all other queries queue behind it."
        ),
        verify: remedy::explain(proposal),
        tradeoff: remedy::tradeoff(proposal),
    }
}

fn sites(proposal: &Proposal<'_>) -> Vec<Site> {
    proposal.demands.iter().map(|demand| demand.query.site).collect()
}

fn is_document(table: Option<&Table>, query: &Query) -> bool {
    use loadworthy_analysis::Family;
    table.map_or(matches!(query.family, Family::Mongoose | Family::MongoDriver), |table| {
        table.store == Store::Document
    })
}
