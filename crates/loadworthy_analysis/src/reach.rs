//! When a function runs, and which entry points lead to it.

use std::collections::VecDeque;

use loadworthy_knowledge::Runs;
use loadworthy_syntax::{FunctionId, Kind};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::graph::{CallGraph, Edge, Timing};
use crate::links::FunctionRef;
use crate::program::Program;
use crate::registered::Registered;
use crate::routes::{EntryKind, Route};
use crate::values::Site;

/// When code runs. A function may run at several times.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Context {
    /// For each request, message, resolver call or server action.
    PerRequest,
    /// In a queue consumer or on a schedule.
    PerJob,
    /// At each render of a component.
    PerRender,
    /// After a render, or on an event in the browser.
    PerEvent,
    /// When the process starts.
    Startup,
}

/// Contexts of every function, and the routes that reach it.
#[derive(Debug, Default)]
pub struct Reach {
    contexts: FxHashMap<FunctionRef, Vec<Context>>,
    routes: FxHashMap<FunctionRef, Vec<usize>>,
    /// The edge on a shortest way from an entry point.
    came_by: FxHashMap<FunctionRef, Option<Edge>>,
}

impl Reach {
    pub(crate) fn new(
        program: &Program<'_>,
        graph: &CallGraph,
        routes: &[Route],
        registered: &Registered,
    ) -> Self {
        let mut reach = Self::default();
        reach.spread_routes(graph, routes, registered);
        reach.spread_contexts(program, graph, routes, registered);
        reach
    }

    /// When a function runs; empty where nothing that reaches it was found.
    #[must_use]
    pub fn contexts(&self, function: FunctionRef) -> &[Context] {
        self.contexts.get(&function).map_or(&[], Vec::as_slice)
    }

    /// Whether a function runs at such a time.
    #[must_use]
    pub fn runs(&self, function: FunctionRef, context: Context) -> bool {
        self.contexts(function).contains(&context)
    }

    /// The routes, as positions in the route table, whose requests run the function.
    #[must_use]
    pub fn routes(&self, function: FunctionRef) -> &[usize] {
        self.routes.get(&function).map_or(&[], Vec::as_slice)
    }

    /// The edges from an entry point to the function, outermost first; empty for an entry point itself.
    #[must_use]
    pub fn way_to(&self, function: FunctionRef) -> Vec<Edge> {
        let mut way = Vec::new();
        let mut at = function;
        while let Some(Some(edge)) = self.came_by.get(&at) {
            way.push(edge.clone());
            at = edge.caller;
            if way.len() > MAX_WAY {
                break;
            }
        }
        way.reverse();
        way
    }

    fn spread_routes(&mut self, graph: &CallGraph, routes: &[Route], registered: &Registered) {
        let mut known: FxHashMap<FunctionRef, Vec<FunctionRef>> = FxHashMap::default();
        for (index, route) in routes.iter().enumerate() {
            let mut reached = FxHashSet::default();
            for entry in entries(route, registered) {
                let from_entry = known.entry(entry).or_insert_with(|| reachable(graph, entry));
                reached.extend(from_entry.iter().copied());
            }
            let mut reached: Vec<FunctionRef> = reached.into_iter().collect();
            reached.sort_unstable();
            for function in reached {
                self.routes.entry(function).or_default().push(index);
            }
        }
    }

    fn spread_contexts(
        &mut self,
        program: &Program<'_>,
        graph: &CallGraph,
        routes: &[Route],
        registered: &Registered,
    ) {
        let mut queue: VecDeque<(FunctionRef, Context, Option<Edge>)> = VecDeque::new();
        for route in routes {
            let context = match route.kind {
                EntryKind::Job | EntryKind::Schedule => Context::PerJob,
                EntryKind::StaticPage => Context::Startup,
                _ => Context::PerRequest,
            };
            // The handler first: evidence should lead through it rather than through a middleware.
            queue.extend(entries(route, registered).map(|entry| (entry, context, None)));
        }
        for edge in graph.edges() {
            if let Timing::By(runs) = edge.timing
                && let Some(context) = context_of(runs)
            {
                queue.push_back((edge.callee, context, None));
            }
        }
        self.drain(program, graph, &mut queue);
        for (file, _) in program.modules() {
            queue.push_back(((file, FunctionId::NONE), Context::Startup, None));
        }
        self.drain(program, graph, &mut queue);
    }

    fn drain(
        &mut self,
        program: &Program<'_>,
        graph: &CallGraph,
        queue: &mut VecDeque<(FunctionRef, Context, Option<Edge>)>,
    ) {
        while let Some((function, context, edge)) = queue.pop_front() {
            let contexts = self.contexts.entry(function).or_default();
            if contexts.contains(&context) {
                continue;
            }
            contexts.push(context);
            contexts.sort_unstable();
            self.came_by.entry(function).or_insert(edge);
            for edge in graph.callees(function) {
                if let Some(context) = passed_on(program, edge, context) {
                    queue.push_back((edge.callee, context, Some(edge.clone())));
                }
            }
        }
    }
}

/// Longest way that is told.
const MAX_WAY: usize = 24;

/// The functions that a route's request runs first: its handler, then its middleware, then what these run for it.
fn entries<'r>(route: &'r Route, registered: &'r Registered) -> impl Iterator<Item = FunctionRef> + 'r {
    let handlers = || route.handler.iter().chain(&route.middleware);
    let run = handlers().filter_map(|handler| registered.get(&handler.site)).flatten().copied();
    handlers().flat_map(|handler| handler.functions.iter().copied()).chain(run)
}

fn reachable(graph: &CallGraph, entry: FunctionRef) -> Vec<FunctionRef> {
    let mut seen = FxHashSet::from_iter([entry]);
    let mut order = vec![entry];
    let mut at = 0;
    while let Some(function) = order.get(at).copied() {
        at += 1;
        for edge in graph.callees(function).filter(|edge| follows(edge)) {
            if seen.insert(edge.callee) {
                order.push(edge.callee);
            }
        }
    }
    order
}

/// Whether what the callee does is done for whatever runs the caller: its own flow, and what it defers.
fn follows(edge: &Edge) -> bool {
    match edge.timing {
        Timing::InFlow | Timing::Unknown => true,
        Timing::By(runs) => matches!(runs, Runs::Delayed | Runs::Event),
    }
}

/// When the callee of an edge runs, if its caller runs at `context`.
fn passed_on(program: &Program<'_>, edge: &Edge, context: Context) -> Option<Context> {
    match (edge.timing, context) {
        // What the start begins and never ends works through jobs.
        (Timing::InFlow, Context::Startup) if is_in_endless_loop(program, edge.site) => Some(Context::PerJob),
        // What is registered at start runs later; what is handed to unknown code may, too.
        (Timing::By(Runs::Event | Runs::Delayed), Context::Startup) => Some(Context::PerJob),
        (Timing::Unknown, Context::Startup) => None,
        (Timing::InFlow | Timing::By(Runs::Event | Runs::Delayed) | Timing::Unknown, _) => Some(context),
        (Timing::By(_), _) => None,
    }
}

/// Whether a place stands in a loop that only ends by leaving it: `while (true)`.
fn is_in_endless_loop(program: &Program<'_>, (file, node): Site) -> bool {
    let Some(module) = program.module(file) else { return false };
    let around = module.ancestors(node).map(|outer| module.kind(outer));
    let mut around = around.take_while(|kind| !matches!(kind, Kind::Function(_)));
    around.any(|kind| match kind {
        Kind::While { test, .. } | Kind::DoWhile { test, .. } => module.kind(test) == Kind::Bool(true),
        Kind::For(parts) => module.list(parts).nth(1).is_some_and(|test| module.kind(test) == Kind::Hole),
        _ => false,
    })
}

fn context_of(runs: Runs) -> Option<Context> {
    match runs {
        Runs::PerRequest | Runs::PerMessage | Runs::PerConnection => Some(Context::PerRequest),
        Runs::PerJob | Runs::Timer => Some(Context::PerJob),
        Runs::Startup => Some(Context::Startup),
        Runs::Render => Some(Context::PerRender),
        Runs::Effect => Some(Context::PerEvent),
        Runs::Event | Runs::Delayed | Runs::Now | Runs::PerElement | Runs::Later => None,
    }
}
