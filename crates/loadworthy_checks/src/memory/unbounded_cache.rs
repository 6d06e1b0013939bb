//! # Unbounded caches and other global growth
//! A map, list or set that lives as long as the process, to which requests add and from which nothing takes away; sessions
//! in the memory of the process.
//!
//! ## Why it fails under load
//! The heap grows by rate × share of new keys × bytes of an entry. Development sees a handful of keys; a load test of 100
//! req/s for 5 minutes sees 30,000. Long before the limit the garbage collector walks all of it again and again, and the
//! event loop stands still meanwhile. A restart hides it until the next day.
//!
//! ## Bad
//! ```ts title="src/app.ts"
//! import express from "express";
//! const app = express();
//! const cache = new Map<string, unknown>(); // finding: 2B
//! app.get("/quote/:symbol", async (req, res) => {
//!   const symbol = req.params.symbol;
//!   if (!cache.has(symbol)) cache.set(symbol, { symbol, at: Date.now() });
//!   res.json(cache.get(symbol));
//! });
//! ```
//!
//! ## Good
//! ```ts title="src/app.ts"
//! import express from "express";
//! const app = express();
//! const MAX_ENTRIES = 1_000;
//! const cache = new Map<string, unknown>();
//! app.get("/quote/:symbol", async (req, res) => {
//!   const symbol = req.params.symbol;
//!   if (!cache.has(symbol)) {
//!     if (cache.size >= MAX_ENTRIES) cache.delete(cache.keys().next().value);
//!     cache.set(symbol, { symbol, at: Date.now() });
//!   }
//!   res.json(cache.get(symbol));
//! });
//! ```
//!
//! ## Leaves alone
//! Containers with a cap, a sweeper, or a removal anywhere (on disconnect, in `finally`, after use), unless it is a cache whose
//! old entries go only when they are read again or named; keys that the code enumerates; `WeakMap`; what is only filled when the process starts; cache libraries with a maximum or a time to live.

mod remedy;

use loadworthy_analysis::{
    Addition, Call, Container, ContainerKind, Context, LibraryCall, Options, Site, Takes, Value, containers,
};
use loadworthy_capacity::Severity;
use loadworthy_knowledge::{Effect, Knowledge, Member};
use loadworthy_project::FileClass;
use loadworthy_syntax::{Kind, Module, NodeId};

use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};
use crate::meta::{Category, Check, Meta};

pub(crate) struct UnboundedCache;

static META: Meta = Meta {
    code: "2B",
    slug: "unbounded-cache",
    category: Category::Memory,
    summary: "something that lives as long as the process grows with the requests",
    page: include_str!("unbounded_cache.rs"),
};

/// Bytes of an entry whose value is a small object (measured: see the knowledge's `heap.Map.entry`), where it is not known
/// how large the value is; rows and answers of other services are larger.
const ENTRY_BYTES: f64 = 1024.0;

/// Parts of the names of functions that fill a container with parts of the program, as many as the code has.
const REGISTERS: [&str; 4] = ["register", "Register", "define", "install"];

/// Bytes in a megabyte of the knowledge's costs.
const MEGABYTE: f64 = 1_048_576.0;

impl Check for UnboundedCache {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        for container in containers(audit.analysis, audit.resolver) {
            findings.extend(Growth::of(audit, &container).map(|growth| growth.finding(audit)));
        }
        for (call, library) in audit.analysis.effects(|effect| effect == Effect::SessionStore) {
            findings.extend(memory_sessions(audit, call, library));
        }
    }
}

/// A container that grows with use.
struct Growth<'c> {
    container: &'c Container,
    /// The additions that requests, jobs or events make under keys without end.
    additions: Vec<&'c Addition>,
    /// What is taken away is only what is asked for again.
    is_swept_on_read: bool,
    /// Nothing that runs the additions was found.
    is_unreached: bool,
}

impl<'c> Growth<'c> {
    /// `None` where it is harmless.
    fn of(audit: &Audit<'_, '_>, container: &'c Container) -> Option<Self> {
        if container.is_kept_small() {
            return None;
        }
        let open: Vec<&Addition> =
            container.additions.iter().filter(|it| has_open_key(audit, container, it)).collect();
        let runs = |addition: &&Addition| {
            let contexts = audit.analysis.reach().contexts(addition.function);
            contexts
                .iter()
                .any(|context| matches!(context, Context::PerRequest | Context::PerJob | Context::PerEvent))
        };
        let unreached = |addition: &&Addition| audit.analysis.reach().contexts(addition.function).is_empty();
        let (live, dead): (Vec<&Addition>, Vec<&Addition>) = open.into_iter().partition(runs);
        let is_unreached = live.is_empty();
        let additions = if is_unreached {
            // A list without readers that are known may be anything; a map under changing keys is a cache.
            let is_keyed = matches!(container.kind, ContainerKind::Map | ContainerKind::Object);
            let registers = |addition: &&Addition| {
                let name = audit.function_name(addition.function);
                REGISTERS.iter().any(|word| name.contains(word))
            };
            dead.into_iter().filter(unreached).filter(|it| is_keyed && !registers(it)).collect()
        } else {
            live
        };
        let is_swept_on_read = !container.removals.is_empty();
        (!additions.is_empty()).then_some(Self { container, additions, is_swept_on_read, is_unreached })
    }

    fn finding(&self, audit: &Audit<'_, '_>) -> Finding {
        let made_at = self.container.made_at;
        let name = holder(audit, made_at);
        let first = self.additions.first().map_or(made_at, |addition| addition.site);
        let is_client = audit.program().class(made_at.0) == Some(FileClass::Client);
        let cost = audit.cost_at(first).heap_growth(ENTRY_BYTES);
        let finding = Finding::new(
            &META,
            declaration(audit, made_at),
            self.evidence(audit, &name),
            cost,
            self.words(audit, &name, first),
            remedy::fix(audit, self.container, first, &name),
        )
        .assuming("each request brings a new key, and an entry keeps 1 kB")
        .confidence(Confidence::Medium)
        .at_least(Severity::Medium);
        let finding =
            if is_client { finding.at_most(Severity::Medium) } else { finding.at_most(Severity::High) };
        let is_job_only = self.additions.iter().all(|addition| {
            let contexts = audit.analysis.reach().contexts(addition.function);
            !contexts.iter().any(|context| matches!(context, Context::PerRequest | Context::PerEvent))
        });
        if is_job_only && !self.is_unreached {
            return finding.unless(format!(
                "whether the number of different keys that the job adds to `{name}` has an end"
            ));
        }
        if self.is_unreached {
            let function =
                self.additions.first().map(|it| audit.function_name(it.function)).unwrap_or_default();
            return finding.unless(format!(
                "nothing that runs {function} was found: if requests do, `{name}` grows with them; see who calls it"
            ))
            .of_habit("stores that nothing reaches");
        }
        finding
    }

    fn evidence(&self, audit: &Audit<'_, '_>, name: &str) -> Vec<Evidence> {
        let mut chain = Vec::new();
        for (at, addition) in self.additions.iter().enumerate() {
            let note = format!("adds to `{name}`");
            if at == 0 {
                chain = audit.chain_to(addition.site, note);
            } else {
                chain.push(Evidence { place: Place::Code(addition.site), note });
            }
        }
        chain.extend(self.container.removals.iter().map(|it| {
            let note = match it.takes {
                Takes::Named => "takes away only what is named",
                _ => "takes away only what is asked for again",
            };
            Evidence { place: Place::Code(it.site), note: String::from(note) }
        }));
        chain
    }

    fn words(&self, audit: &Audit<'_, '_>, name: &str, first: Site) -> Words {
        let kind = match self.container.kind {
            ContainerKind::Map => "map",
            ContainerKind::Set => "set",
            ContainerKind::Array => "list",
            ContainerKind::Object => "object",
        };
        let reached = audit.reached_by(first);
        let sweep = if self.is_swept_on_read {
            "entries are removed only when the same key is read again after its time, so keys that are not asked for again stay"
        } else {
            "nothing in the program removes entries or limits their number"
        };
        let key = self
            .additions
            .first()
            .and_then(|it| it.key)
            .map(|key| audit.excerpt(key, 40))
            .unwrap_or_default();
        Words {
            title: format!("`{name}` grows with every new `{key}` in {reached}"),
            problem: format!(
                "The {kind} `{name}` lives as long as the process; {reached} adds to it, and {sweep}. Its memory grows with \
                 the number of different keys, the garbage collector's pauses with it, until the process is killed."
            ),
            verify: format!(
                "Run 10,000 requests with different values of `{key}` against {reached} and compare two heap snapshots taken after \
                 a collection (`node --expose-gc --inspect`): `{name}` has 10,000 more entries."
            ),
            tradeoff: String::from(
                "A cap needs a choice what to drop (least recently used is the usual one) and costs recomputation on a miss; with \
                 several instances a shared cache is worth its round trip when the hit rate matters.",
            ),
        }
    }
}

/// Whether the keys are no constants and no small enumeration.
fn has_open_key(audit: &Audit<'_, '_>, container: &Container, addition: &Addition) -> bool {
    let Some(key) = addition.key else { return false };
    let Some(module) = audit.module(key) else { return false };
    match module.kind(key.1) {
        Kind::String(_) | Kind::Number(_) | Kind::Bool(_) | Kind::Null => {
            return matches!(container.kind, ContainerKind::Array);
        }
        _ => {}
    }
    if audit.resolver.text_of(key).is_some() && !is_open_somewhere(audit, key) {
        return matches!(container.kind, ContainerKind::Array);
    }
    let values = audit.resolver.filled(&audit.resolver.value_of(key));
    let is_constant = !values.is_empty()
        && values.iter().all(|value| matches!(value, Value::Text(_) | Value::Number(_)))
        && !is_open_somewhere(audit, key);
    // A function or class as a key or element is a registration: as many as the code has.
    let is_code = values.iter().any(|value| matches!(value, Value::Function(..) | Value::Class(..)));
    !is_constant
        && !is_code
        && !matches!(module.kind(key.1), Kind::Function(_))
        && !is_told_apart(module, addition.site.1, key.1)
}

/// Whether the place is the case of a `switch` over the key: as many as there are cases.
fn is_told_apart(module: &Module, node: NodeId, key: NodeId) -> bool {
    let mut is_case = false;
    module.ancestors(node).any(|outer| match module.kind(outer) {
        Kind::Case { test, .. } => {
            is_case = test.is_some();
            false
        }
        Kind::Switch { subject, .. } => is_case && module.source(subject) == module.source(key),
        _ => false,
    })
}

/// Whether one of the callers that pass a key makes it of something else than constants: `` `item:${id}` ``.
fn is_open_somewhere(audit: &Audit<'_, '_>, (file, node): Site) -> bool {
    let Some(module) = audit.module((file, node)) else { return false };
    let Kind::Name { binding, .. } = module.kind(node) else { return false };
    let Some(declared) = module.binding(binding).map(|bound| bound.node) else { return false };
    // The key may be of a function around the callback that adds it.
    let function = module.enclosing_function(declared);
    let Some(lowered) = module.function(function) else { return false };
    let Some(index) = module.list(lowered.parameters).position(|it| module.contains(it, declared)) else {
        return false;
    };
    let mut callers = audit.analysis.graph().callers((file, function));
    callers.any(|edge| {
        let Some(argument) = audit.resolver.argument(edge.site, index) else {
            return is_spread(audit, edge.site);
        };
        let values = audit.resolver.filled(&audit.resolver.value_of(argument));
        let is_constant = values.iter().all(|value| matches!(value, Value::Text(_) | Value::Number(_)));
        values.is_empty() && audit.resolver.text_of(argument).is_none() || !is_constant
    })
}

/// `useQuery(...args)`: what is passed on is told elsewhere.
fn is_spread(audit: &Audit<'_, '_>, call: Site) -> bool {
    let Some(module) = audit.module(call) else { return false };
    let Kind::Call { arguments, .. } = module.kind(call.1) else { return false };
    module.list(arguments).any(|argument| matches!(module.kind(argument), Kind::Spread(_)))
}

/// The name of what holds a container.
fn holder(audit: &Audit<'_, '_>, site: Site) -> String {
    let Some(module) = audit.module(site) else { return String::from("the container") };
    let mut at = site.1;
    for outer in module.ancestors(site.1) {
        match module.kind(outer) {
            Kind::Declarator { target, .. } | Kind::Assign { target, .. } => {
                return module.source(target).split(':').next().unwrap_or_default().trim().to_owned();
            }
            Kind::Property { key, .. } => return module.str(key).to_owned(),
            Kind::Class(class) => {
                return field(module, class, at).unwrap_or_else(|| String::from("the container"));
            }
            Kind::Block(_) => break,
            _ => at = outer,
        }
    }
    String::from("the container")
}

fn field(module: &Module, class: loadworthy_syntax::ClassId, value: NodeId) -> Option<String> {
    let member = module.class(class)?.members.iter().find(|member| member.value == value)?;
    Some(module.str(member.name).to_owned())
}

/// The declaration that holds a container.
fn declaration(audit: &Audit<'_, '_>, site: Site) -> Site {
    audit.statement(site)
}

/// `session({…})` without a store: sessions stay in the memory of the process.
fn memory_sessions(audit: &Audit<'_, '_>, call: &Call<'_>, library: &LibraryCall<'_>) -> Option<Finding> {
    let member: &Member = library.member?;
    let store = member.bound_options.first()?;
    let options_site = audit.resolver.argument(call.site, 0);
    let options = options_site.map(|site| Options::of(audit.resolver, site));
    let has_store = options.as_ref().is_some_and(|options| options.get(store).is_some());
    if has_store {
        return None;
    }
    let is_open = options.as_ref().is_none_or(|options| options.is_open) && options_site.is_some();
    let bytes = session_bytes(audit.knowledge());
    let cost = audit.cost_at(call.site);
    let cost =
        loadworthy_capacity::Cost { share: 1.0, reach: loadworthy_capacity::Reach::PerRequest, ..cost }
            .heap_growth(bytes);
    let finding = Finding::new(
        &META,
        call.site,
        audit.chain_to(call.site, "the session middleware, without a store"),
        cost,
        Words {
            title: String::from("sessions are kept in the memory of the process"),
            problem: String::from(
                "The session middleware has no store, so each session stays in the memory of this process. Every client \
                 without a cookie (each virtual user of a load test, each crawler) adds one; nothing removes expired sessions, a \
                 restart logs everybody out, and a second instance does not know them.",
            ),
            verify: String::from(
                "Send 10,000 requests without a cookie and compare two heap snapshots taken after a collection: the store's \
                 `sessions` has grown by 10,000.",
            ),
            tradeoff: String::from(
                "A shared store costs a round trip for each request that touches the session; with Redis about 1 ms.",
            ),
        },
        session_fix(audit, call, options_site),
    )
    .at_least(Severity::High)
    .at_most(Severity::High);
    Some(if is_open { finding.unless("whether the options that are passed name a store") } else { finding })
}

fn session_bytes(knowledge: &Knowledge) -> f64 {
    knowledge.cost("heap.MemoryStore.session").map_or(ENTRY_BYTES, |cost| cost.value * MEGABYTE)
}

/// The store goes first into the options.
fn session_fix(audit: &Audit<'_, '_>, call: &Call<'_>, options: Option<Site>) -> Fix {
    let description = String::from(
        "Keep sessions outside the process: `connect-redis` with the Redis client of the app, or `connect-pg-simple` with its \
         PostgreSQL pool; set `saveUninitialized: false`, so that clients who never log in leave nothing.",
    );
    let before = audit.source(call.site).to_owned();
    let literal = options.filter(|site| {
        audit.module(*site).is_some_and(|module| matches!(module.kind(site.1), Kind::Object(_)))
    });
    let Some((file, object)) = literal else {
        return Fix { description, before: Some(before), ..Fix::default() };
    };
    let Some(module) = audit.module((file, object)) else { return Fix { description, ..Fix::default() } };
    let at = module.node(object).span.start + 1;
    let replacement = " store: new RedisStore({ client: redisClient }),";
    let offset = (at - module.node(call.site.1).span.start) as usize;
    let after = match (before.get(..offset), before.get(offset..)) {
        (Some(head), Some(tail)) => Some(format!("{head}{replacement}{tail}")),
        _ => None,
    };
    // The client must be made first: a person adds it.
    Fix { description, before: Some(before), after, ..Fix::default() }
}
