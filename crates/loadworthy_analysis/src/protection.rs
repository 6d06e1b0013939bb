//! What stands before and in a route's handler: rate limiters, authentication, uploads, in the order in which they run.

use loadworthy_knowledge::{Effect, Role};
use loadworthy_syntax::{FunctionId, Kind};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::analysis::Analysis;
use crate::calls::package_name;
use crate::graph::Timing;
use crate::links::FunctionRef;
use crate::routes::{Handler, Route};
use crate::values::{Resolver, Root, Site, Value};

/// What guards a route.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Guard {
    /// Limits requests of one client.
    RateLimit,
    /// Turns away who is not known, or not allowed.
    Authentication,
    /// Takes in a file.
    Upload,
    /// Reads the body, up to its limit.
    Body,
    /// Compresses the answer.
    Compression,
    /// Answers when the handler takes too long.
    Timeout,
}

impl Guard {
    /// Every guard.
    pub const ALL: [Self; 6] =
        [Self::RateLimit, Self::Authentication, Self::Upload, Self::Body, Self::Compression, Self::Timeout];

    /// Whether a route that lacks it is worth a word: uploads and bodies are taken in only where there are some.
    #[must_use]
    pub const fn is_expected(self) -> bool {
        !matches!(self, Self::Upload | Self::Body)
    }

    /// Its word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RateLimit => "rate-limit",
            Self::Authentication => "authentication",
            Self::Upload => "upload",
            Self::Body => "body",
            Self::Compression => "compression",
            Self::Timeout => "timeout",
        }
    }
}

/// A guard of a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Guarded {
    /// What it does.
    pub guard: Guard,
    /// The middleware, or the handler itself.
    pub site: Site,
    /// Its place in the chain, outermost first.
    pub order: usize,
}

/// Calls that are followed into a function to see what it does.
const DEPTH: u32 = 3;

/// Says what guards routes; each function and middleware looked at once.
pub struct Protections<'a, 'p> {
    analysis: &'a Analysis<'p>,
    resolver: &'a Resolver<'p>,
    functions: FxHashMap<FunctionRef, Vec<Guard>>,
    handlers: FxHashMap<Site, Vec<Guard>>,
}

impl<'a, 'p> Protections<'a, 'p> {
    /// Of a linked program.
    #[must_use]
    pub fn new(analysis: &'a Analysis<'p>, resolver: &'a Resolver<'p>) -> Self {
        Self { analysis, resolver, functions: FxHashMap::default(), handlers: FxHashMap::default() }
    }

    /// The guards of a route, outermost first.
    pub fn of(&mut self, route: &Route) -> Vec<Guarded> {
        let mut found = Vec::new();
        for (order, handler) in route.middleware.iter().chain(&route.handler).enumerate() {
            let is_handler = order >= route.middleware.len();
            for guard in self.of_handler(handler, is_handler) {
                found.push(Guarded { guard, site: handler.site, order });
            }
        }
        found
    }

    fn of_handler(&mut self, handler: &Handler, is_handler: bool) -> Vec<Guard> {
        if let Some(known) = self.handlers.get(&handler.site) {
            return known.clone();
        }
        let mut guards = self.of_library(handler.site);
        for function in &handler.functions {
            guards.extend(self.of_function(*function));
        }
        if !is_handler && guards.is_empty() {
            guards.extend(self.by_name(handler.site));
        }
        if !is_handler && self.is_of_origin(handler.site) {
            guards.retain(|guard| *guard != Guard::Authentication);
        }
        guards.sort_unstable();
        guards.dedup();
        self.handlers.insert(handler.site, guards.clone());
        guards
    }

    /// Whether a middleware asks where a request comes from and not who sends it: it answers 403 too.
    fn is_of_origin(&self, (file, node): Site) -> bool {
        let text =
            self.analysis.program().module(file).map_or("", |module| module.source(node)).to_lowercase();
        ["csrf", "xsrf", "cors", "helmet", "sanitize"]
            .iter()
            .any(|word| text.starts_with(word) || text.contains(&format!(".{word}")))
    }

    /// What a middleware of a library does: by the effect of the call that made it, or its package's role.
    fn of_library(&self, site: Site) -> Vec<Guard> {
        let mut found = Vec::new();
        let text = self.analysis.program().module(site.0).map_or("", |module| module.source(site.1));
        // `passport.initialize()` lets everybody pass.
        if PASSES.iter().any(|word| text.contains(word)) {
            return found;
        }
        let mut made: Vec<Site> = vec![site];
        for value in self.resolver.value_of(site).iter() {
            let Value::External(external) = value else { continue };
            made.extend(external.steps.iter().filter_map(crate::values::Step::site));
            if let Root::Package(module) = &external.root {
                let roles = self.analysis.knowledge().roles_of(package_name(module));
                for row in roles {
                    match row.role {
                        Role::RateLimiter => found.push(Guard::RateLimit),
                        Role::Auth => found.push(Guard::Authentication),
                        Role::Compression => found.push(Guard::Compression),
                        _ => {}
                    }
                }
            }
        }
        let calls = self.analysis.calls();
        let members = made.into_iter().filter_map(|at| calls.at(at)?.library.as_ref()?.member);
        // What parses without a limit of its own (cookies) reads no body.
        let does = |member: &&loadworthy_knowledge::Member| {
            member.effect != Effect::RequestParse || !member.bound_options.is_empty()
        };
        found.extend(members.filter(does).filter_map(|member| of_effect(member.effect)));
        found
    }

    /// What a function does, with those that it calls.
    fn of_function(&mut self, function: FunctionRef) -> Vec<Guard> {
        if let Some(known) = self.functions.get(&function) {
            return known.clone();
        }
        let mut found = Vec::new();
        let work = self.analysis.works().of(function);
        found.extend(work.effects().filter_map(of_effect));
        let mut seen = FxHashSet::default();
        self.by_text(function, DEPTH, &mut seen, &mut found);
        self.functions.insert(function, found.clone());
        found
    }

    /// Answers with 429, or with 401 and 403, in the words of the code.
    fn by_text(
        &self,
        function: FunctionRef,
        depth: u32,
        seen: &mut FxHashSet<FunctionRef>,
        found: &mut Vec<Guard>,
    ) {
        if function.1 == FunctionId::NONE || !seen.insert(function) {
            return;
        }
        let Some(module) = self.analysis.program().module(function.0) else { return };
        let Some(lowered) = module.function(function.1) else { return };
        let text = module.source(lowered.node);
        if TOO_MANY.iter().any(|word| text.contains(word)) {
            found.push(Guard::RateLimit);
        }
        if TURNED_AWAY.iter().any(|word| text.contains(word)) {
            found.push(Guard::Authentication);
        }
        if depth == 0 {
            return;
        }
        for edge in self.analysis.graph().callees(function).filter(|it| it.timing == Timing::InFlow) {
            self.by_text(edge.callee, depth - 1, seen, found);
        }
    }

    /// A middleware whose code is not known, by its name.
    fn by_name(&self, (file, node): Site) -> Option<Guard> {
        let module = self.analysis.program().module(file)?;
        if PASSES.iter().any(|word| module.source(node).contains(word)) {
            return None;
        }
        let named = match module.kind(node) {
            Kind::Call { callee, .. } => callee,
            _ => node,
        };
        let name = module.source(named).to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if has(&["limit", "throttle"]) {
            return Some(Guard::RateLimit);
        }
        has(&[
            "auth",
            "protect",
            "passport",
            "jwt",
            "token",
            "login",
            "guard",
            "isadmin",
            "permission",
            "requireuser",
            "role",
        ])
        .then_some(Guard::Authentication)
    }
}

fn of_effect(effect: Effect) -> Option<Guard> {
    match effect {
        Effect::LimitRate => Some(Guard::RateLimit),
        Effect::RequestUpload => Some(Guard::Upload),
        Effect::RequestParse => Some(Guard::Body),
        Effect::TimeoutWrap => Some(Guard::Timeout),
        _ => None,
    }
}

/// Members of authentication libraries that prepare and do not turn away.
const PASSES: [&str; 3] = [".initialize(", ".session(", "Middleware()"];

/// Words of an answer to whom has asked too often.
const TOO_MANY: [&str; 6] =
    ["429", "TOO_MANY_REQUESTS", "TooManyRequests", "Too many", "too many", "rateLimit"];

/// Words of an answer to whom is not known or not allowed.
const TURNED_AWAY: [&str; 12] = [
    "401",
    "403",
    "Unauthorized",
    "unauthorized",
    "UNAUTHORIZED",
    "Unauthenticated",
    "UNAUTHENTICATED",
    "Forbidden",
    "FORBIDDEN",
    "isAuthenticated",
    "getServerSession",
    "Not authenticated",
];
