//! # Dependencies without isolation
//! Other services that a request waits for with neither a circuit breaker nor a fallback, mail that a request waits for, and
//! caches whose failure is a failure of the request.
//!
//! ## Why it fails under load
//! A dependency that answers in 5 s instead of 100 ms keeps 50 times as many requests in flight (Little's law: rate × time).
//! They hold memory, sockets and connections, so routes that never call it become slow too. A breaker gives up at once
//! while the dependency is ill; a queue takes what the answer does not need out of the request.
//!
//! ## Bad
//! ```ts title="src/app.ts"
//! import express from "express";
//! import nodemailer from "nodemailer";
//! import { saveUser } from "./users";
//! const app = express();
//! const mailer = nodemailer.createTransport({ host: "smtp.example.com", connectionTimeout: 2_000 });
//! app.post("/register", async (req, res, next) => {
//!   try {
//!     const user = await saveUser(req.body);
//!     await mailer.sendMail({ to: user.email, subject: "Welcome" }); // finding: 4B
//!     res.status(201).json({ id: user.id });
//!   } catch (error) {
//!     next(error);
//!   }
//! });
//! app.listen(3000);
//! ```
//!
//! ## Good
//! ```ts title="src/app.ts"
//! import { Queue } from "bullmq";
//! import express from "express";
//! import { saveUser } from "./users";
//! const app = express();
//! const mails = new Queue("mail", { connection: { host: "redis" } });
//! app.post("/register", async (req, res, next) => {
//!   try {
//!     const user = await saveUser(req.body);
//!     await mails.add("welcome", { to: user.email }, { attempts: 5, backoff: { type: "exponential", delay: 1_000 } });
//!     res.status(201).json({ id: user.id });
//!   } catch (error) {
//!     next(error);
//!   }
//! });
//! app.listen(3000);
//! ```
//!
//! ## Leaves alone
//! Calls inside a breaker, a bulkhead or a queue's worker; calls that are not waited for and whose failure is caught; calls with
//! a deadline and a fallback; this machine.

mod caches;
mod services;

use std::collections::BTreeSet;

use loadworthy_analysis::{FunctionRef, Site, Timing, Work, fate};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileClass;
use loadworthy_syntax::{Kind, Module, NodeId};

pub(crate) use services::named;

use crate::audit::Audit;
use crate::finding::Finding;
use crate::meta::{Category, Check, Meta};

pub(crate) struct NoCircuitBreaker;

static META: Meta = Meta {
    code: "4B",
    slug: "no-circuit-breaker",
    category: Category::Resilience,
    summary: "requests wait for another service without a way out",
    page: include_str!("no_circuit_breaker.rs"),
};

impl Check for NoCircuitBreaker {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        let isolated = isolated(audit);
        services::run(audit, &isolated, findings);
        caches::run(audit, findings);
    }
}

/// Functions that only run inside a breaker or behind a limit of concurrency.
pub(crate) fn isolated(audit: &Audit<'_, '_>) -> BTreeSet<FunctionRef> {
    let wraps =
        audit.analysis.effects(|effect| matches!(effect, Effect::BreakerWrap | Effect::LimitConcurrency));
    let mut open: Vec<FunctionRef> = wraps
        .flat_map(|(call, _)| call.handed.iter().map(|it| it.function).chain(call.targets.clone()))
        .collect();
    let mut found = BTreeSet::new();
    while let Some(function) = open.pop() {
        if found.insert(function) {
            let callees = audit.analysis.graph().callees(function);
            open.extend(callees.filter(|edge| edge.timing == Timing::InFlow).map(|edge| edge.callee));
        }
    }
    found
}

/// Whether a request waits for the call on a server.
fn is_waited_for(audit: &Audit<'_, '_>, site: Site) -> bool {
    let class = audit.program().class(site.0);
    if class == Some(FileClass::Client) || !audit.is_per_request(site) {
        return false;
    }
    let Some(module) = audit.module(site) else { return false };
    // `await transporter.sendMail(message, (error) => …)`: with a callback there is nothing to wait for.
    let has_callback = audit.analysis.calls().at(site).is_some_and(|call| {
        let Kind::Call { arguments, .. } = module.kind(call.site.1) else { return false };
        call.handed.iter().any(|handed| handed.argument + 1 == arguments.len())
    });
    if has_callback {
        return false;
    }
    // Both ends are waits: what is caught somewhere is waited for until then.
    matches!(fate(module, site.1), loadworthy_analysis::Fate::Escapes | loadworthy_analysis::Fate::Caught)
        && is_awaited(module, site.1)
}

/// Whether an `await` or a `return` takes the call, or the function's value does.
fn is_awaited(module: &Module, node: NodeId) -> bool {
    use loadworthy_analysis::Handling;
    matches!(
        loadworthy_analysis::handling(module, node),
        Handling::Awaited | Handling::Returned | Handling::Collected | Handling::Stored(_) | Handling::Passed
    )
}

/// A `try` around the place whose `catch` goes on with something else: it neither throws nor answers with an error.
fn has_fallback(audit: &Audit<'_, '_>, (file, node): Site) -> bool {
    let Some(module) = audit.module((file, node)) else { return false };
    let mut inner = node;
    for outer in module.ancestors(node) {
        match module.kind(outer) {
            Kind::Function(_) => return false,
            Kind::Try { block, handler, .. } if block == inner && handler.is_some() => {
                return goes_on(module.source(handler));
            }
            Kind::Call { callee, arguments } if is_catch(module, callee) => {
                return module.list(arguments).next().is_some_and(|handler| goes_on(module.source(handler)));
            }
            _ => {}
        }
        inner = outer;
    }
    false
}

fn is_catch(module: &Module, callee: NodeId) -> bool {
    matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name) == "catch")
}

fn goes_on(handler: &str) -> bool {
    ![
        "throw",
        "next(",
        "status(5",
        ".code(5",
        "reject(",
        "sendStatus(5",
        "500",
        "502",
        "503",
        "InternalServer",
    ]
    .iter()
    .any(|word| handler.contains(word))
}

/// Whether the work of the function around a place changes the database before it.
fn follows_write(audit: &Audit<'_, '_>, site: Site) -> bool {
    let owner = audit.analysis.owner(site);
    let Some(module) = audit.module(site) else { return false };
    let before = module.node(site.1).span.start;
    let calls = audit.analysis.calls().of_function(owner);
    calls.filter(|call| module.node(call.site.1).span.start < before).any(|call| {
        audit.analysis.works().of_call(call).any(|effect| effect == Effect::DbWrite)
            || is_write(audit, call.site)
    })
}

fn is_write(audit: &Audit<'_, '_>, site: Site) -> bool {
    audit.analysis.queries().at(site).is_some_and(|query| query.operation.is_write())
}

/// Whether a work asks the database.
fn asks_database(work: Work) -> bool {
    work.any(Effect::is_database_trip)
}
