//! # Missing timeouts
//! A call that leaves the process and that nothing ends: no timeout, no signal with a timer, no default that is short enough.
//!
//! ## Why it fails under load
//! A dependency that stops answering does not close the connection. Each request that waits for it keeps its socket, its
//! memory and whatever it holds (a transaction, a lock, a place in a queue). By Little's law, requests in flight = req/s ×
//! seconds of waiting: 20 req/s that wait 300 s are 6,000 requests, more than 1,000 users can have open, so every user of
//! these routes waits. A deadline of 5 s makes it 100. Defaults do not help: `fetch` is cut by undici after 300 s of silence,
//! axios never, the SDKs of model providers after 10 minutes for each attempt.
//!
//! ## Bad
//! ```ts title="src/rates.ts"
//! import express from "express";
//! import axios from "axios";
//!
//! const app = express();
//!
//! app.get("/rates/:currency", async (req, res) => {
//!   const { data } = await axios.get(`https://rates.example.com/v1/${req.params.currency}`); // finding: 3A HIGH
//!   res.json(data);
//! });
//! const server = app.listen(3000);
//! server.keepAliveTimeout = 65_000;
//! ```
//!
//! ## Good
//! ```ts title="src/rates.ts"
//! import express from "express";
//! import axios from "axios";
//!
//! const app = express();
//!
//! app.get("/rates/:currency", async (req, res) => {
//!   const { data } = await axios.get(`https://rates.example.com/v1/${req.params.currency}`, { timeout: 5_000 });
//!   res.json(data);
//! });
//! const server = app.listen(3000);
//! server.keepAliveTimeout = 65_000;
//! ```
//!
//! ## Leaves alone
//! Calls with a timeout of their own, of their client, of `defaults`, of an interceptor or of a helper around them; signals that
//! a timer aborts; `Promise.race` with a timer that is cleared; libraries whose default is below 30 s; calls to this machine;
//! code that runs at start or by hand.
//!
//! Calls through one helper or one client are one finding there, calls without one are grouped by file. What the browser
//! fetches is MEDIUM at most and one finding for each helper. A client of a database or cache whose options end nothing, a
//! timer of `Promise.race` that is never cleared, and a server whose keep-alive is shorter than a balancer's are findings
//! of their own.

mod clients;
mod outbound;
mod races;
mod server;
mod words;

use loadworthy_analysis::Deadlines;

use crate::audit::Audit;
use crate::finding::Finding;
use crate::meta::{Category, Check, Meta};

pub(crate) struct MissingTimeout;

pub(super) static META: Meta = Meta {
    code: "3A",
    slug: "missing-timeout",
    category: Category::Async,
    summary: "a call that leaves the process has no deadline",
    page: include_str!("mod.rs"),
};

impl Check for MissingTimeout {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        let deadlines = Deadlines::new(audit.analysis, audit.resolver);
        outbound::run(audit, &deadlines, findings);
        clients::run(audit, &deadlines, findings);
        races::run(audit, &deadlines, findings);
        server::run(audit, findings);
    }
}
