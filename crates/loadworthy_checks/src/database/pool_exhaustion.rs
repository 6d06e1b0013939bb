//! # Pool exhaustion
//! Connections that are opened per request, taken and not given back, or held while something slow or nested goes on; pools
//! that wait forever.
//!
//! ## Why it fails under load
//! A pool of c connections carries at most c ÷ hold time requests per second (Little's law: busy connections = rate × hold
//! time). A connection that is held for 200 ms of hashing or a call of another service costs a hundred queries of 2 ms. One
//! that is never given back is gone: after c such requests every other waits, without a time limit if none is set. Opening
//! a connection takes several round trips and a process of the server; PostgreSQL's default allows 100.
//!
//! ## Bad
//! ```ts title="src/app.ts"
//! import express from "express";
//! import pg from "pg";
//! const pool = new pg.Pool({ max: 20, connectionTimeoutMillis: 2000, statement_timeout: 5000 });
//! const app = express();
//! app.get("/report", async (_req, res) => {
//!   const client = await pool.connect(); // finding: 1D
//!   const rows = await client.query("SELECT id FROM reports LIMIT 10");
//!   client.release();
//!   res.json(rows.rows);
//! });
//! ```
//!
//! ## Good
//! ```ts title="src/app.ts"
//! import express from "express";
//! import pg from "pg";
//! const pool = new pg.Pool({ max: 20, connectionTimeoutMillis: 2000, statement_timeout: 5000 });
//! const app = express();
//! app.get("/report", async (_req, res) => {
//!   const client = await pool.connect();
//!   try {
//!     const rows = await client.query("SELECT id FROM reports LIMIT 10");
//!     res.json(rows.rows);
//!   } finally {
//!     client.release();
//!   }
//! });
//! ```
//!
//! ## Leaves alone
//! Clients that are made once and kept (module scope, `??=`, `globalThis`, a test for the one that is there); connections that
//! are released in `finally` or handed on to the caller; scripts and code that runs when the process starts.

mod several;
mod wide;

use loadworthy_analysis::{
    Call, Checkout, Context, Exit, ExitKind, Folded, FunctionRef, LibraryCall, Opening, Options, Site,
    Timing, Work, checkouts, openings,
};
use loadworthy_capacity::{Cost, Failure, Severity};
use loadworthy_knowledge::{Effect, Flag, Scope};
use loadworthy_syntax::FunctionId;

use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};
use crate::meta::{Category, Check, Meta};

pub(crate) struct PoolExhaustion;

static META: Meta = Meta {
    code: "1D",
    slug: "pool-exhaustion",
    category: Category::Database,
    summary: "connections are opened per request, not given back, or held for too long",
    page: include_str!("pool_exhaustion.rs"),
};

/// Milliseconds to open a database connection: TCP, TLS and authentication are five round trips or more, and the server
/// starts a process.
const OPEN_MILLIS: f64 = 30.0;

/// Milliseconds that a call of another service holds a connection, where nothing better is known.
const SERVICE_MILLIS: f64 = 200.0;

/// Milliseconds that a password hash holds one.
const HASH_MILLIS: f64 = 80.0;

impl Check for PoolExhaustion {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        findings.extend(openings(audit.analysis, audit.resolver).iter().filter_map(|it| opened(audit, it)));
        for checkout in checkouts(audit.analysis) {
            findings.extend(leaked(audit, &checkout));
            findings.extend(held(audit, &checkout));
        }
        for (call, _) in audit.analysis.effects(|effect| effect == Effect::DbTransaction) {
            findings.extend(transaction(audit, call));
        }
        findings.extend(endless_waits(audit));
        several::run(audit, findings);
        wide::run(audit, findings);
    }
}

/// A client or pool that each request makes.
fn opened(audit: &Audit<'_, '_>, opening: &Opening) -> Option<Finding> {
    if opening.is_kept {
        return None;
    }
    let reach = audit.analysis.reach();
    let live = opening.makers.iter().copied().find(|maker| reach.runs(*maker, Context::PerRequest));
    let unreached = || opening.makers.iter().copied().find(|maker| reach.contexts(*maker).is_empty());
    let (maker, is_reached) =
        live.map(|maker| (maker, true)).or_else(|| unreached().map(|maker| (maker, false)))?;
    let what = audit.excerpt(opening.site, 50);
    let by = route_or_name(audit, maker);
    let cost =
        Cost { failure: (!opening.is_closed).then_some(Failure::HangsRequest), ..cost_of(audit, maker) }
            .pool_hold(OPEN_MILLIS);
    let end = if opening.is_closed {
        "and closes it again: each request pays several round trips before its first query, and the server a process"
    } else {
        "and never closes it: the server's connections (100 by default) are used up within seconds of the load test"
    };
    let finding = Finding::new(
        &META,
        opening.site,
        evidence_of(audit, maker, opening.site, "makes a client with connections of its own"),
        cost,
        Words {
            title: format!("`{what}` is made in each run of {by}"),
            problem: format!("{by} makes `{what}` each time {end}. Requests that overlap multiply it, and a shared pool's limit does not hold."),
            verify: format!(
                "Send 50 requests to {by} while counting the server's connections (`SELECT count(*) FROM pg_stat_activity`, or the \
                 server's own counter): the number grows with the requests instead of staying at the pool's size."
            ),
            tradeoff: String::from("One client for the process needs a pool of the right size and a close at shutdown."),
        },
        Fix {
            description: format!(
                "Make `{what}` once at module level (in a module of its own that exports it) and import it here; in development \
                 keep it on `globalThis`, so that hot reloading does not make another."
            ),
            before: Some(audit.source(audit.statement(opening.site)).to_owned()),
            ..Fix::default()
        },
    )
    .assuming(format!("{OPEN_MILLIS} ms to open a connection"))
    .at_least(Severity::High);
    if is_reached {
        return Some(finding.confidence(Confidence::High));
    }
    let name = audit.function_name(maker);
    Some(finding.at_most(Severity::High).unless(format!(
        "nothing that runs {name} was found: if requests do, each makes connections; see who calls it"
    )))
}

fn route_or_name(audit: &Audit<'_, '_>, function: FunctionRef) -> String {
    body_of(audit, function).map_or_else(|| audit.function_name(function), |site| audit.reached_by(site))
}

/// A place inside a function, for the questions that are asked of places.
fn body_of(audit: &Audit<'_, '_>, (file, function): FunctionRef) -> Option<Site> {
    let module = audit.program().module(file)?;
    module.function(function).map(|lowered| (file, lowered.body))
}

fn cost_of(audit: &Audit<'_, '_>, function: FunctionRef) -> Cost {
    body_of(audit, function).map_or_else(|| Cost::at_share(1.0), |site| audit.cost_at(site))
}

fn evidence_of(audit: &Audit<'_, '_>, maker: FunctionRef, site: Site, note: &str) -> Vec<Evidence> {
    let last = Evidence { place: Place::Code(site), note: note.to_owned() };
    let mut chain = body_of(audit, maker)
        .map(|body| audit.chain_to(body, audit.function_name(maker)))
        .unwrap_or_default();
    chain.push(last);
    chain
}

/// A connection that is not given back on some way.
fn leaked(audit: &Audit<'_, '_>, checkout: &Checkout) -> Option<Finding> {
    let exit = checkout.leaks.first()?;
    if audit.is_startup_only(checkout.site) {
        return None;
    }
    let module = audit.module(checkout.site)?;
    let holder = module.binding(checkout.holder).map_or("the connection", |it| module.str(it.name));
    let by = audit.reached_by(checkout.site);
    let is_failure = |exit: &Exit| {
        exit.kind == ExitKind::Failure
            || exit.via.iter().any(|node| matches!(module.kind(*node), loadworthy_syntax::Kind::Catch { .. }))
    };
    let way = match exit.kind {
        _ if is_failure(exit) => "when something between fails",
        ExitKind::Failure => "when something between fails",
        ExitKind::Throw => "when it throws",
        ExitKind::Return => "on an early return",
        ExitKind::End => "at its end",
    };
    let file = checkout.site.0;
    let mut evidence = audit.chain_to(checkout.site, format!("takes `{holder}` from the pool"));
    for exit in &checkout.leaks {
        evidence.push(Evidence {
            place: Place::Code((file, exit.node)),
            note: String::from("leaves without giving it back"),
        });
    }
    let cost = Cost { failure: Some(Failure::HangsRequest), ..audit.cost_at(checkout.site) };
    let always =
        checkout.leaks.iter().any(|exit| exit.kind == ExitKind::End || exit.kind == ExitKind::Return);
    let finding = Finding::new(
        &META,
        checkout.site,
        evidence,
        cost,
        Words {
            title: if checkout.is_transaction {
                format!("transaction `{holder}` is neither committed nor rolled back {way} in {by}")
            } else {
                format!("`{holder}` is not given back to the pool {way} in {by}")
            },
            problem: format!(
                "`{}` takes a connection, and {way} nothing gives it back: it is lost to the pool for good{}. After as many such \
                 requests as the pool has connections (10 by default), every request that needs the database waits.",
                audit.excerpt(checkout.site, 60),
                if checkout.is_transaction { ", with the locks of its rows" } else { "" }
            ),
            verify: format!(
                "Make the work after `{holder}` fail 20 times (a query with a syntax error) through {by} and read `pool.totalCount`, \
                 `pool.idleCount` and `pool.waitingCount`: idle stays 0 and waiting grows."
            ),
            tradeoff: String::from("None: `finally` runs on every way. For single queries `pool.query` needs no checkout at all."),
        },
        given_back(audit, checkout, holder),
    )
    .at_least(if always && audit.is_per_request(checkout.site) { Severity::Critical } else { Severity::High });
    Some(unless_reached(audit, checkout.site, finding))
}

fn given_back(audit: &Audit<'_, '_>, checkout: &Checkout, holder: &str) -> Fix {
    let taken = audit.source(audit.statement(checkout.site));
    let (description, after) = if checkout.is_transaction {
        (
            format!(
                "Roll back on every way that does not commit: wrap the work in `try`, commit as its last step and roll back in `catch`; or \
                 hand a function to the transaction, which does both (`{holder}` as its parameter)."
            ),
            format!(
                "{taken}\ntry {{\n  // the work with {holder}\n  await {holder}.commit();\n}} catch (error) {{\n  await {holder}.rollback();\n  throw error;\n}}"
            ),
        )
    } else {
        (
            format!("Wrap everything after the checkout in `try {{ … }} finally {{ {holder}.release(); }}`."),
            format!("{taken}\ntry {{\n  // the work with {holder}\n}} finally {{\n  {holder}.release();\n}}"),
        )
    };
    Fix { description, before: Some(taken.to_owned()), after: Some(after), ..Fix::default() }
}

fn unless_reached(audit: &Audit<'_, '_>, site: Site, finding: Finding) -> Finding {
    if !audit.is_unreached(site) {
        return finding;
    }
    let name = audit.function_name(audit.analysis.owner(site));
    finding.at_most(Severity::High).unless(format!("nothing that runs {name} was found; see who calls it"))
}

/// What goes on while a connection is held: another checkout, or something slow.
fn held(audit: &Audit<'_, '_>, checkout: &Checkout) -> Option<Finding> {
    if audit.is_startup_only(checkout.site) {
        return None;
    }
    let module = audit.module(checkout.site)?;
    let holder = module.binding(checkout.holder).map_or("the connection", |it| module.str(it.name));
    let works = checkout.meanwhile.iter().filter_map(|site| {
        let call = audit.analysis.calls().at(*site)?;
        let is_expensive = call.library.as_ref().is_some_and(|library| library.has(Flag::Expensive));
        let work = audit.analysis.works().of_call(call);
        Some((*site, if is_expensive { work.and(Work::of(Effect::AsyncCpu)) } else { work }))
    });
    let works: Vec<(Site, Work)> = works.collect();
    if let Some((site, _)) = works.iter().find(|(_, work)| work.any(Effect::is_database_trip)) {
        return Some(nested(audit, checkout, *site, holder));
    }
    let (site, work) = works.iter().find(|(_, work)| slow_millis(*work) > 0.0)?;
    Some(slow(audit, (checkout.site, *site), *work, holder))
}

/// How long work other than queries takes.
fn slow_millis(work: Work) -> f64 {
    let is_outside = work.any(Effect::is_service_call);
    if is_outside {
        return SERVICE_MILLIS;
    }
    if work.any(|effect| matches!(effect, Effect::AsyncCpu)) { HASH_MILLIS } else { 0.0 }
}

fn nested(audit: &Audit<'_, '_>, checkout: &Checkout, site: Site, holder: &str) -> Finding {
    let by = audit.reached_by(checkout.site);
    let mut evidence = audit.chain_to(checkout.site, format!("takes `{holder}` from the pool"));
    evidence.push(Evidence {
        place: Place::Code(site),
        note: format!("needs another connection while `{holder}` is held"),
    });
    let cost = Cost { failure: Some(Failure::HangsRequest), ..audit.cost_at(checkout.site) }.queries(2.0);
    let finding = Finding::new(
        &META,
        site,
        evidence,
        cost,
        nested_words(audit, site, holder, &by),
        Fix {
            description: format!("Pass `{holder}` on and query through it, or give it back before."),
            before: Some(audit.source(audit.statement(site)).to_owned()),
            ..Fix::default()
        },
    )
    .at_least(Severity::High)
    .confidence(Confidence::Medium);
    unless_reached(audit, site, finding)
}

fn nested_words(audit: &Audit<'_, '_>, site: Site, holder: &str, by: &str) -> Words {
    Words {
        title: format!("a second connection is taken while `{holder}` is held in {by}"),
        problem: format!(
            "`{}` needs a connection of the pool while the same request already holds `{holder}`. As many simultaneous requests \
             as the pool has connections each hold one and wait for a second: none can go on, and without an acquire timeout \
             they wait forever.",
            audit.excerpt(site, 60)
        ),
        verify: format!(
            "Set the pool's maximum to 2 and send 10 requests at once to {by}: they hang, `pool.waitingCount` stays at 2 or more."
        ),
        tradeoff: String::from("None: the work belongs into the same transaction, or behind its end."),
    }
}

fn slow(audit: &Audit<'_, '_>, (taken, site): (Site, Site), work: Work, holder: &str) -> Finding {
    let by = audit.reached_by(site);
    let millis = slow_millis(work);
    let mut evidence = audit.chain_to(taken, format!("takes `{holder}`"));
    evidence.push(Evidence { place: Place::Code(site), note: format!("goes on while `{holder}` is held") });
    let finding = Finding::new(
        &META,
        site,
        evidence,
        audit.cost_at(site).pool_hold(millis),
        Words {
            title: format!("a connection is held during `{}` in {by}", audit.excerpt(site, 40)),
            problem: format!(
                "`{}` needs no database but runs while {by} holds a connection (and its locks): about {millis:.0} ms in which no \
                 other request can use it. When the other side is slow, the whole pool waits with it.",
                audit.excerpt(site, 60)
            ),
            verify: format!(
                "Delay `{}` by a second and send as many requests to {by} as the pool has connections: every other route that \
                 queries now waits a second, too.",
                audit.excerpt(site, 40)
            ),
            tradeoff: String::from(
                "Moved out of the transaction, the step may succeed while the transaction fails: do it before with something that \
                 can be undone, or after with an outbox.",
            ),
        },
        Fix {
            description: String::from("Do it before the connection is taken, or after it is given back."),
            before: Some(audit.source(audit.statement(site)).to_owned()),
            after: Some(format!(
                "// before the transaction begins, or after it was committed\n{}",
                crate::audit::dedent(&audit.source(audit.statement(site)).lines().collect::<Vec<&str>>())
            )),
            ..Fix::default()
        },
    )
    .assuming(format!("{millis:.0} ms for it on a normal day"))
    .at_least(Severity::Medium)
    .confidence(Confidence::Medium);
    unless_reached(audit, site, finding)
}

/// What a transaction's callback does beside its queries: calls of other services, queries outside of it.
fn transaction(audit: &Audit<'_, '_>, call: &Call<'_>) -> Option<Finding> {
    if audit.is_startup_only(call.site) {
        return None;
    }
    let library = call.library.as_ref()?;
    let callback = call.handed.iter().find(|handed| handed.function.0 == call.site.0)?.function;
    for inner in audit.analysis.calls().of_file(callback.0) {
        if !is_inside(audit, inner, callback) {
            continue;
        }
        if is_outside_query(inner, library) {
            return Some(outside(audit, call, inner));
        }
        let work = audit.analysis.works().of_call(inner);
        let is_leaf = inner.targets.is_empty() || !work.any(Effect::is_database_trip);
        if is_leaf && slow_millis(work) >= SERVICE_MILLIS {
            return Some(slow(audit, (call.site, inner.site), work, "the transaction's connection"));
        }
    }
    None
}

/// In the callback, or in a function in it that runs in its flow.
fn is_inside(audit: &Audit<'_, '_>, call: &Call<'_>, callback: FunctionRef) -> bool {
    let Some(module) = audit.program().module(callback.0) else { return false };
    let mut function = call.function;
    while function != FunctionId::NONE {
        if function == callback.1 {
            return true;
        }
        let in_flow =
            audit.analysis.graph().callers((callback.0, function)).any(|edge| edge.timing == Timing::InFlow);
        if !in_flow {
            return false;
        }
        function = module.function(function).map_or(FunctionId::NONE, |it| it.parent);
    }
    false
}

/// A query through the client itself instead of the one that the transaction handed over.
fn is_outside_query(inner: &Call<'_>, transaction: &LibraryCall<'_>) -> bool {
    let Some(library) = &inner.library else { return false };
    let is_query = library.effect().is_some_and(Effect::is_database_trip) && library.lib == transaction.lib;
    // What the callback was handed was made nowhere.
    is_query && library.made_at.is_some() && library.made_at == transaction.made_at
}

fn outside(audit: &Audit<'_, '_>, call: &Call<'_>, inner: &Call<'_>) -> Finding {
    let by = audit.reached_by(inner.site);
    let mut evidence = audit.chain_to(call.site, "begins a transaction");
    evidence.push(Evidence {
        place: Place::Code(inner.site),
        note: String::from("queries outside of it while it is open"),
    });
    let words = nested_words(audit, inner.site, "the transaction's connection", &by);
    let finding = Finding::new(
        &META,
        inner.site,
        evidence,
        audit.cost_at(inner.site).queries(1.0),
        Words {
            title: format!("a query goes past the open transaction in {by}"),
            problem: format!("{} It is also not undone when the transaction is.", words.problem),
            ..words
        },
        Fix {
            description: String::from("Query through the client that the transaction's callback receives."),
            before: Some(audit.source(inner.site).to_owned()),
            ..Fix::default()
        },
    )
    .at_least(Severity::High);
    unless_reached(audit, inner.site, finding)
}

/// The pool with a size and a limit on its waits.
fn bounded_pool(audit: &Audit<'_, '_>, site: Site) -> String {
    let source = audit.source(site);
    let options = "max: 20,\n  connectionTimeoutMillis: 2_000,\n  statement_timeout: 10_000,";
    match source.split_once('{') {
        Some((head, rest)) if !head.contains("()") => {
            let kept: Vec<&str> = rest.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
            format!("{head}{{\n  {options}\n  {}", kept.join("\n  ")).replace("\n  })", "\n})")
        }
        _ => match source.split_once('(') {
            Some((head, _)) => format!("{head}({{\n  {options}\n}})"),
            None => source.to_owned(),
        },
    }
}

/// Pools that wait forever for a connection: one finding for all of them.
fn endless_waits(audit: &Audit<'_, '_>) -> Option<Finding> {
    let mut pools: Vec<Site> = Vec::new();
    for call in audit.analysis.calls().iter() {
        if call.library.as_ref().is_some_and(|library| waits_forever(audit, call, library)) {
            pools.push(call.site);
        }
    }
    let first = *pools.first()?;
    let serves = audit.analysis.routes().iter().any(|route| route.kind.is_per_request());
    if !serves {
        return None;
    }
    let evidence = pools.iter().map(|site| Evidence {
        place: Place::Code(*site),
        note: String::from("a pool without a limit on the wait for a connection"),
    });
    let share = Cost { share: 1.0, reach: loadworthy_capacity::Reach::PerRequest, ..audit.cost_at(first) };
    let cost = share.queries(2.0);
    let what = audit.excerpt(first, 40);
    let (too, size) = if sets_size(audit, first) {
        ("", "")
    } else {
        (", and sets no size", "The pool has its library's default size. ")
    };
    Some(
        Finding::new(
            &META,
            first,
            evidence.collect(),
            cost,
            Words {
                title: format!("`{what}` waits forever for a free connection{too}"),
                problem: format!(
                    "{size}A request that finds the pool busy waits without a limit. Under load a slow minute of the database \
                     fills the process with waiting requests, which go on when their clients have long left; the recovery takes \
                     as long as the queue.",
                ),
                verify: String::from(
                    "Hold all connections (`SELECT pg_sleep(60)` as often as the pool is large) and send a request: it does not \
                     answer until one is free. Watch `pool.waitingCount` during the load test.",
                ),
                tradeoff: String::from(
                    "With a limit some requests fail fast under overload instead of all becoming slow; answer them with 503 and \
                     Retry-After. instances × max must stay below the server's max_connections.",
                ),
            },
            Fix {
                description: format!(
                    "Size it by Little's law (max ≥ requests per second of an instance × seconds a request holds a connection ÷ 0.7; \
                     here {} connections for {} req/s at 2 queries of 2 ms, so 10–20 leaves room) and limit the waits: \
                     `max`, `connectionTimeoutMillis: 2_000`, `statement_timeout: 10_000`.",
                    needed(audit),
                    audit.target.requests_per_second
                ),
                before: Some(audit.source(first).to_owned()),
                after: Some(bounded_pool(audit, first)),
                ..Fix::default()
            },
        )
        .at_least(Severity::Medium)
        .confidence(Confidence::Medium),
    )
}

/// Connections that the target needs at two queries of 2 ms for each request.
fn needed(audit: &Audit<'_, '_>) -> String {
    let busy = audit.target.requests_per_second * 0.004 / 0.7;
    format!("{:.0}", busy.ceil().max(1.0))
}

/// The defaults of the library say that the wait has no limit, and neither do the options.
fn waits_forever(audit: &Audit<'_, '_>, call: &Call<'_>, library: &LibraryCall<'_>) -> bool {
    let folded = audit.resolver.folded(&audit.resolver.value_of(call.site));
    let Some(held) = folded.iter().find_map(|folded| match folded {
        Folded::Held(held) if held.made_at == Some(call.site) => Some(held),
        _ => None,
    }) else {
        return false;
    };
    if audit.knowledge().handle_name(held.handle) != "pool" {
        return false;
    }
    let package = library.module.as_deref().map_or("", loadworthy_analysis::package_name);
    let endless: Vec<&str> = audit
        .knowledge()
        .defaults()
        .iter()
        .filter(|row| is_of(package, &row.lib) && row.unbounded)
        .filter(|row| matches!(row.scope, Scope::Pool | Scope::Timeout) && is_acquire(row.option_path()))
        .map(loadworthy_knowledge::DefaultRow::option_path)
        .collect();
    if endless.is_empty() {
        return false;
    }
    let options = audit.resolver.argument(call.site, 0).map(|site| Options::of(audit.resolver, site));
    options
        .is_none_or(|options| !options.is_open && endless.iter().all(|option| options.get(option).is_none()))
}

/// Whether the options name a number of connections.
fn sets_size(audit: &Audit<'_, '_>, pool: Site) -> bool {
    let options = audit.resolver.argument(pool, 0).map(|site| Options::of(audit.resolver, site));
    let names = ["max", "connectionLimit", "poolSize", "max_connections"];
    options.is_some_and(|options| names.iter().any(|name| options.get(name).is_some()))
}

fn is_of(package: &str, lib: &str) -> bool {
    lib == package || lib.strip_prefix(package).is_some_and(|rest| rest == "-pool")
}

/// Options that limit the wait for a connection.
fn is_acquire(option: &str) -> bool {
    let name = option.to_lowercase();
    name.contains("connectiontimeout") || name.contains("acquire") || name.contains("queuelimit")
}
