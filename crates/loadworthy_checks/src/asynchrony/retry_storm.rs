//! # Retry storms
//! Failures that are tried again at once, without end, all at the same moment, or although they change something.
//!
//! ## Why it fails under load
//! Retries multiply: load × attempts of each layer. A browser that tries three times a server that tries five times is 15 calls
//! for one click, and they come exactly when the service is overloaded. Without a growing, random delay all clients come
//! back together, and keep down what was about to recover. A payment or a mail that is tried again without a key may happen
//! twice.
//!
//! ## Bad
//! ```ts title="src/app.ts"
//! import express from "express";
//! const app = express();
//! async function price(id: string) {
//!   for (let attempt = 0; attempt < 5; attempt++) {
//!     try {
//!       const response = await fetch(`https://prices.example.com/${id}`, { signal: AbortSignal.timeout(1_000) }); // finding: 3B
//!       return await response.json();
//!     } catch (error) {
//!       console.error("again", attempt);
//!     }
//!   }
//!   throw new Error("no price");
//! }
//! app.get("/price/:id", async (req, res) => res.json(await price(req.params.id)));
//! app.listen(3000);
//! ```
//!
//! ## Good
//! ```ts title="src/app.ts"
//! import express from "express";
//! import { setTimeout as sleep } from "node:timers/promises";
//! const app = express();
//! async function price(id: string) {
//!   for (let attempt = 0; attempt < 3; attempt++) {
//!     try {
//!       const response = await fetch(`https://prices.example.com/${id}`, { signal: AbortSignal.timeout(1_000) });
//!       return await response.json();
//!     } catch (error) {
//!       await sleep(Math.random() * 100 * 2 ** attempt);
//!     }
//!   }
//!   throw new Error("no price");
//! }
//! app.get("/price/:id", async (req, res) => res.json(await price(req.params.id)));
//! app.listen(3000);
//! ```
//!
//! ## Bad: options of a client
//! ```ts title="src/app.ts"
//! import axios from "axios";
//! import axiosRetry from "axios-retry";
//! import express from "express";
//! const app = express();
//! const http = axios.create({ baseURL: "https://pay.example.com", timeout: 1_000 });
//! axiosRetry(http, { retries: 5, retryCondition: () => true }); // finding: 3B
//! app.post("/orders", async (req, res) => res.json((await http.post("/charges", req.body)).data));
//! app.listen(3000);
//! ```
//!
//! ## Good: options of a client
//! ```ts title="src/app.ts"
//! import axios from "axios";
//! import axiosRetry from "axios-retry";
//! import express from "express";
//! const app = express();
//! const http = axios.create({ baseURL: "https://pay.example.com", timeout: 1_000 });
//! axiosRetry(http, { retries: 2, retryDelay: axiosRetry.exponentialDelay });
//! app.post("/orders", async (req, res) => res.json((await http.post("/charges", req.body)).data));
//! app.listen(3000);
//! ```
//!
//! ## Leaves alone
//! Bounded retries with a growing delay of reads and of calls that carry an idempotency key; loops over elements that go on after
//! a failure; pollers; redirects that are followed; loops that look for a free name; libraries whose defaults back off.

mod harm;
mod jobs;
mod loops;
mod policies;
mod queues;
mod reconnects;
mod requeues;
mod statuses;
mod timers;

use crate::audit::Audit;
use crate::finding::Finding;
use crate::meta::{Category, Check, Meta};

pub(crate) struct RetryStorm;

static META: Meta = Meta {
    code: "3B",
    slug: "retry-storm",
    category: Category::Async,
    summary: "failures are repeated in a way that makes them worse",
    page: include_str!("retry_storm.rs"),
};

impl Check for RetryStorm {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        loops::run(audit, findings);
        statuses::run(audit, findings);
        policies::run(audit, findings);
        jobs::run(audit, findings);
        reconnects::run(audit, findings);
        requeues::run(audit, findings);
        timers::run(audit, findings);
    }
}
