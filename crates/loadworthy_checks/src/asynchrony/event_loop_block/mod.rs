//! # Blocked event loop
//! Work on the one thread that serves every request: synchronous files, processes and compression, password hashing in
//! JavaScript, loops inside loops over rows, regular expressions that backtrack on client text.
//!
//! ## Why it fails under load
//! While JavaScript computes, no request of the process makes progress. The loop is a server with one place: its
//! utilisation is req/s × milliseconds ÷ 1000, and the mean wait of everybody is ρ × t ÷ (1 − ρ). 10 logins a second at 65 ms
//! each take 65 % of the thread, and every other request waits 120 ms on average; at 16 logins a second nothing is answered
//! any more. One text on which a pattern backtracks exponentially stops the process for minutes.
//!
//! ## Bad
//! ```ts title="src/login.ts"
//! import express from "express";
//! import bcrypt from "bcryptjs";
//! import { findUser } from "./users";
//!
//! const app = express();
//! app.use(express.json());
//!
//! app.post("/login", async (req, res) => {
//!   const user = await findUser(req.body.email);
//!   const ok = await bcrypt.compare(req.body.password, user.hash); // finding: 3E
//!   res.status(ok ? 200 : 401).end();
//! });
//! app.listen(3000);
//! ```
//! ```ts title="src/users.ts"
//! export async function findUser(email: string) {
//!   return { email, hash: "" };
//! }
//! ```
//!
//! ## Good
//! ```ts title="src/login.ts"
//! import express from "express";
//! import bcrypt from "bcrypt";
//! import { findUser } from "./users";
//!
//! const app = express();
//! app.use(express.json());
//!
//! app.post("/login", async (req, res) => {
//!   const user = await findUser(req.body.email);
//!   const ok = await bcrypt.compare(req.body.password, user.hash);
//!   res.status(ok ? 200 : 401).end();
//! });
//! app.listen(3000);
//! ```
//! ```ts title="src/users.ts"
//! export async function findUser(email: string) {
//!   return { email, hash: "" };
//! }
//! ```
//!
//! ## Leaves alone
//! What runs when the process starts, by hand or in a worker thread; results that are kept (`cache ??= readFileSync(…)`); HMAC
//! signatures and hashes of short texts (microseconds); `map`, `filter` and `JSON.stringify` of limited data; nested loops of which
//! one side is small; patterns that are linear, or whose text is no client's.

mod accumulators;
mod client_patterns;
mod known;
mod nested;
mod patterns;
mod spins;
mod squares;

use loadworthy_analysis::Blocks;

use crate::audit::Audit;
use crate::finding::Finding;
use crate::meta::{Category, Check, Meta};

pub(crate) struct EventLoopBlock;

pub(super) static META: Meta = Meta {
    code: "3E",
    slug: "event-loop-block",
    category: Category::Runtime,
    summary: "the event loop computes while requests wait",
    page: include_str!("mod.rs"),
};

impl Check for EventLoopBlock {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        let blocks = Blocks::new(audit.analysis, audit.resolver);
        known::run(audit, &blocks, findings);
        nested::run(audit, &blocks, findings);
        squares::run(audit, &blocks, findings);
        accumulators::run(audit, &blocks, findings);
        patterns::run(audit, findings);
        client_patterns::run(audit, findings);
        spins::run(audit, findings);
    }
}
