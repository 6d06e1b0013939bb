//! # Check-then-act races
//! Something is read, a decision is taken on it, and something is written: between the two, another request does the same.
//!
//! ## Why it fails under load
//! The window between read and write is one round trip or more (t). With a rate λ on the same entity, another request falls
//! into it with a probability of about 1 − e^(−λt): rare in development, certain in a load test. The results are duplicates,
//! lost updates (stock sold twice, balances that don't add up), limits that are exceeded, codes that are used twice, states that
//! two requests leave at once (an order paid twice, a seat given to both).
//!
//! ## Bad
//! ```ts title="src/shop.ts"
//! import express from "express";
//! import { PrismaClient } from "@prisma/client";
//! const prisma = new PrismaClient();
//! const app = express();
//! app.post("/buy/:id", async (req, res) => {
//!   const product = await prisma.product.findUnique({ where: { id: req.params.id } }); // finding: 3C
//!   if (!product || product.stock < 1) return res.status(409).end();
//!   await prisma.product.update({ where: { id: product.id }, data: { stock: product.stock - 1 } });
//!   res.status(204).end();
//! });
//! ```
//!
//! ## Good
//! ```ts title="src/shop.ts"
//! import express from "express";
//! import { PrismaClient } from "@prisma/client";
//! const prisma = new PrismaClient();
//! const app = express();
//! app.post("/buy/:id", async (req, res) => {
//!   const sold = await prisma.product.updateMany({
//!     where: { id: req.params.id, stock: { gte: 1 } },
//!     data: { stock: { decrement: 1 } },
//!   });
//!   if (sold.count === 0) return res.status(409).end();
//!   res.status(204).end();
//! });
//! ```
//!
//! ## Leaves alone
//! Reads under a lock (`SELECT … FOR UPDATE`, advisory locks) or in a serialisable transaction; atomic operators
//! (`increment`, `$inc`), upserts and `ON CONFLICT`; an insert whose unique violation is caught; updates that name the old
//! value or a version in their condition; code that no request runs.

mod computed;
mod conflict;
mod fields;
mod flights;
mod guards;
mod keys;
mod numbers;
mod polarity;
mod remedy;
mod rows;
mod stakes;
mod telling;
mod whole;

use loadworthy_analysis::Context;
use loadworthy_syntax::FunctionId;

use crate::audit::Audit;
use crate::finding::Finding;
use crate::meta::{Category, Check, Meta};

pub(crate) struct CheckThenAct;

static META: Meta = Meta {
    code: "3C",
    slug: "check-then-act",
    category: Category::Async,
    summary: "a decision is taken on a value that another request may change before it is acted upon",
    page: include_str!("check_then_act.rs"),
};

impl Check for CheckThenAct {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        flights::run(audit, findings);
        let mut told = rows::Told::default();
        for (file, module) in audit.program().modules() {
            for at in 0..module.functions().len() {
                let function = (file, FunctionId::new(at));
                let contexts = audit.analysis.reach().contexts(function);
                if contexts.is_empty() || contexts.contains(&Context::PerRequest) {
                    rows::races(audit, module, function, &mut told, findings);
                    keys::run(audit, module, function, findings);
                }
            }
        }
        rows::written_whole(audit, told, findings);
    }
}
