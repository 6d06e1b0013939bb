//! # Missing backpressure
//! Producers that don't wait for their consumers: pipes that outlive an aborted request, loops that go on producing for a client
//! who left, writes whose result is ignored,
//! asynchronous work for each chunk, queues and consumers without a limit, a message to everybody for each message.
//!
//! ## Why it fails under load
//! What comes in faster than it goes out is kept in memory. A slow client of `res.write` in a loop holds the whole export; a
//! file that is piped to a client who left stays open; with n sockets, a message that is sent to all for each message of one
//! is n² messages: 1,000 users who type once a second are a million writes a second.
//!
//! ## Bad
//! ```ts title="src/app.ts"
//! import { createReadStream } from "node:fs";
//! import express from "express";
//! const app = express();
//! app.get("/files/:name", (req, res) => {
//!   createReadStream(`/data/${req.params.name}`).pipe(res); // finding: 4C
//! });
//! app.listen(3000);
//! ```
//!
//! ## Good
//! ```ts title="src/app.ts"
//! import { createReadStream } from "node:fs";
//! import { pipeline } from "node:stream/promises";
//! import express from "express";
//! const app = express();
//! app.get("/files/:name", async (req, res, next) => {
//!   try {
//!     await pipeline(createReadStream(`/data/${req.params.name}`), res);
//!   } catch (error) {
//!     next(error);
//!   }
//! });
//! app.listen(3000);
//! ```
//!
//! ## Leaves alone
//! `pipeline`; pipes with handlers for errors and aborts; writes that wait for `drain`; rooms; limited concurrency; what runs
//! once when the process starts.

mod abandoned;
mod consumers;
mod relayed;
mod sockets;
mod streams;

use loadworthy_analysis::{Context, Site};
use loadworthy_project::FileClass;

use crate::audit::Audit;
use crate::finding::Finding;
use crate::meta::{Category, Check, Meta};

pub(crate) struct NoBackpressure;

static META: Meta = Meta {
    code: "4C",
    slug: "no-backpressure",
    category: Category::Resilience,
    summary: "something produces faster than it is consumed, and nothing holds it back",
    page: include_str!("no_backpressure.rs"),
};

impl Check for NoBackpressure {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        streams::run(audit, findings);
        relayed::run(audit, findings);
        abandoned::run(audit, findings);
        sockets::run(audit, findings);
        consumers::run(audit, findings);
    }
}

/// The text of the function around a place that requests, messages or jobs run on a server.
fn served_text<'a>(audit: &'a Audit<'_, '_>, site: Site) -> Option<&'a str> {
    let class = audit.program().class(site.0);
    let contexts = audit.contexts(site);
    let is_served = contexts.iter().any(|it| matches!(it, Context::PerRequest | Context::PerJob));
    if class == Some(FileClass::Client) || !is_served {
        return None;
    }
    audit.function_text(site)
}

/// The statement as it is, where it is short enough to show.
fn before(audit: &Audit<'_, '_>, site: Site) -> Option<String> {
    let text = audit.lines_around(audit.statement(site), 0);
    (text.lines().count() <= 14).then_some(text)
}
