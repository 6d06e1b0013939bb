//! # Errors and observability
//! Failures that nobody handles, and an application that does not show them.
//!
//! ## Bad: handlers of Express 4 without a handler for their rejections
//! ```json title="package.json"
//! { "dependencies": { "express": "4.21.2", "pg": "8.13.0" } }
//! ```
//!
//! ```js title="src/app.js"
//! const express = require("express");
//! const { Pool } = require("pg");
//!
//! const app = express();
//! const pool = new Pool();
//! pool.on("error", (error) => console.error(error));
//!
//! app.get("/users/:id", async (req, res) => {
//!   const { rows } = await pool.query("SELECT name FROM users WHERE id = $1", [req.params.id]); // finding: 4D CRITICAL
//!   res.json(rows[0]);
//! });
//! app.listen(3000);
//! ```
//!
//! ## Good
//! ```json title="package.json"
//! { "dependencies": { "express": "5.1.0", "pg": "8.13.0" } }
//! ```
//!
//! ```js title="src/app.js"
//! const express = require("express");
//! const { Pool } = require("pg");
//!
//! const app = express();
//! const pool = new Pool();
//! pool.on("error", (error) => console.error(error));
//!
//! app.get("/users/:id", async (req, res) => {
//!   const { rows } = await pool.query("SELECT name FROM users WHERE id = $1", [req.params.id]);
//!   res.json(rows[0]);
//! });
//! app.listen(3000);
//! ```

mod callbacks;
mod floating;
pub(super) mod gaps;
mod handlers;
mod leaks;
mod listeners;
mod middleware;
mod payloads;
pub(super) mod process;
mod promises;
mod questions;
mod scopes;
mod startup;
mod style;
mod unanswered;
mod unseen;

use crate::audit::Audit;
use crate::finding::Finding;
use crate::meta::{Category, Check, Meta};

pub(crate) struct ErrorObservability;

static META: Meta = Meta {
    code: "4D",
    slug: "error-observability",
    category: Category::Resilience,
    summary: "failures that nobody handles or sees",
    page: include_str!("error_observability.rs"),
};

impl Check for ErrorObservability {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        let processes = process::Processes::of(audit);
        handlers::report(audit, &processes, findings);
        unseen::report(audit, &processes, findings);
        floating::report(audit, &processes, findings);
        callbacks::report(audit, &processes, findings);
        unanswered::report(audit, findings);
        listeners::report(audit, &processes, findings);
        middleware::report(audit, &processes, findings);
        startup::report(audit, &processes, findings);
        payloads::report(audit, &processes, findings);
        promises::report(audit, findings);
        scopes::report(audit, &processes, findings);
        leaks::report(audit, findings);
        gaps::report(audit, &processes, findings);
    }
}
