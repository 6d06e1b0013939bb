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

use loadworthy_analysis::{Multiplicity, Repetition};
use loadworthy_capacity::Range;
use loadworthy_knowledge::Effect;

use crate::audit::Audit;
use crate::finding::{Finding, Fix, Words};
use crate::meta::{Category, Check, Meta};

pub(crate) struct NPlusOne;

static META: Meta = Meta {
    code: "1A",
    slug: "n-plus-one",
    category: Category::Database,
    summary: "a query runs once per element",
    page: include_str!("n_plus_one.rs"),
};

impl Check for NPlusOne {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        for (call, _) in audit.analysis.effects(Effect::is_database_trip) {
            if audit.is_startup_only(call.site) {
                continue;
            }
            let repetition = audit.analysis.repetitions(call.site).into_iter().find(|it| is_many(audit, it));
            let Some(repetition) = repetition else { continue };
            let source = repetition.repeat.source.map(|source| audit.excerpt(source, 60)).unwrap_or_default();
            let mut evidence = audit.chain_to(repetition.repeat.at, format!("the loop over {source}"));
            evidence.extend(repetition.way.iter().map(|edge| audit.step(edge)));
            findings.push(Finding::new(
                &META,
                call.site,
                evidence,
                audit.cost_at(call.site).queries(Range::between(10.0, 50.0, 1000.0)),
                Words {
                    title: format!("one query per element of {source} in {}", audit.reached_by(call.site)),
                    problem: format!(
                        "`{}` runs once for each element of `{source}`.",
                        audit.excerpt(call.site, 80)
                    ),
                    verify: String::from("Log the queries of one request."),
                    tradeoff: String::from("One larger query."),
                },
                Fix {
                    description: String::from("Read all of them with one query before the loop."),
                    ..Fix::default()
                },
            ));
        }
    }
}

fn is_many(audit: &Audit<'_, '_>, repetition: &Repetition) -> bool {
    repetition.repeat.source.is_some_and(|source| {
        matches!(
            audit.origins().multiplicity(source),
            Multiplicity::Rows { .. } | Multiplicity::ClientChosen { .. } | Multiplicity::Answered { .. }
        )
    })
}
