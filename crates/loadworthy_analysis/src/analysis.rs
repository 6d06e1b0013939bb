//! Everything that is known of a program, and the questions that checks ask.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use loadworthy_knowledge::{Effect, Knowledge};
use loadworthy_project::{FileClass, FileId};
use loadworthy_schema::names::{singular, snake};
use loadworthy_syntax::FunctionId;
use rustc_hash::FxHashSet;

use crate::calls::{Call, Calls, LibraryCall};
use crate::clients::ClientRequests;
use crate::failure::Failures;
use crate::graph::{CallGraph, Edge, Timing, owner};
use crate::links::FunctionRef;
use crate::loops::{LoopForm, Repeat, loops_around};
use crate::program::Program;
use crate::query::{Queries, Query};
use crate::reach::{Context, Reach};
use crate::react::{Component, components};
use crate::registered::{Registered, registered};
use crate::routes::{Handler, Route, routes};
use crate::schema::{Models, models};
use crate::values::{Resolver, Site};
use crate::work::Works;

/// A linked program: calls, call graph, routes and contexts. Shared by all threads; what needs values takes a
/// [`Resolver`], of which each thread has its own.
pub struct Analysis<'p> {
    program: &'p Program<'p>,
    calls: Calls<'p>,
    graph: CallGraph,
    queries: Queries,
    routes: Vec<Route>,
    registered: Registered,
    reach: Reach,
    failures: OnceLock<Failures>,
    works: OnceLock<Works>,
    models: OnceLock<Models<'p>>,
    loaded: OnceLock<Vec<bool>>,
    abandoned: OnceLock<Vec<bool>>,
    written: OnceLock<BTreeSet<String>>,
    /// Of each file.
    components: Vec<OnceLock<Vec<Component>>>,
    clients: OnceLock<ClientRequests>,
}

/// A repeated place: what runs more than once, and the calls between the loop and it.
#[derive(Clone, Debug)]
pub struct Repetition {
    /// The loop nearest to the place.
    pub repeat: Repeat,
    /// The function whose code holds the loop.
    pub owner: FunctionRef,
    /// The edges from the loop's function to the one that holds the place, outermost first; empty within one function.
    pub way: Vec<Edge>,
}

/// Most hops between a loop and what it repeats.
const MAX_HOPS: usize = 6;

impl<'p> Analysis<'p> {
    /// Links a program, on the threads of the current pool.
    #[must_use]
    pub fn new(program: &'p Program<'p>) -> Self {
        let (routes, (calls, graph, queries)) = rayon::join(
            || routes(&Resolver::new(program)),
            || {
                let calls = Calls::find(program);
                let graph = CallGraph::new(program, &calls);
                let queries = Queries::find(program, &calls);
                (calls, graph, queries)
            },
        );
        let registered = registered(program, &calls, &routes);
        let reach = Reach::new(program, &graph, &routes, &registered);
        Self {
            program,
            calls,
            graph,
            queries,
            routes,
            registered,
            reach,
            failures: OnceLock::new(),
            works: OnceLock::new(),
            models: OnceLock::new(),
            loaded: OnceLock::new(),
            abandoned: OnceLock::new(),
            written: OnceLock::new(),
            components: program.project().files.iter().map(|_| OnceLock::new()).collect(),
            clients: OnceLock::new(),
        }
    }

    /// Works out now what most checks ask for, on this thread: what is asked for first in the midst of the checks makes
    /// the others wait.
    pub fn prepare(&self) {
        let _ = (self.models(), self.works(), self.failures(), self.clients());
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &'p Program<'p> {
        self.program
    }

    /// What libraries are and do.
    #[must_use]
    pub fn knowledge(&self) -> &'p Knowledge {
        self.program.knowledge()
    }

    /// Every call.
    #[must_use]
    pub fn calls(&self) -> &Calls<'p> {
        &self.calls
    }

    /// Every query, each with its shape.
    #[must_use]
    pub fn queries(&self) -> &Queries {
        &self.queries
    }

    /// Who runs whom.
    #[must_use]
    pub fn graph(&self) -> &CallGraph {
        &self.graph
    }

    /// Every entry point, in the order of the route table.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The callbacks that a middleware runs though they were handed to another call of its library.
    #[must_use]
    pub fn registered(&self, middleware: &Handler) -> &[FunctionRef] {
        self.registered.get(&middleware.site).map_or(&[], Vec::as_slice)
    }

    /// When functions run and which routes reach them.
    #[must_use]
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// How functions can fail.
    #[must_use]
    pub fn failures(&self) -> &Failures {
        self.failures.get_or_init(|| Failures::new(self.program, &self.calls))
    }

    /// The database as the program declares it.
    #[must_use]
    pub fn models(&self) -> &Models<'p> {
        self.models.get_or_init(|| models(&Resolver::new(self.program)))
    }

    /// What functions do in all.
    #[must_use]
    pub fn works(&self) -> &Works {
        self.works.get_or_init(|| Works::new(&self.calls, &self.graph, &self.queries))
    }

    /// The components and hooks of a file, in source order.
    #[must_use]
    pub fn components(&self, file: FileId) -> &[Component] {
        self.components.get(file.index()).map_or(&[], |found| found.get_or_init(|| components(self, file)))
    }

    /// What the pages ask of the server.
    #[must_use]
    pub fn clients(&self) -> &ClientRequests {
        self.clients.get_or_init(|| ClientRequests::new(self, &Resolver::new(self.program)))
    }

    pub(crate) fn loaded_files(&self) -> &[bool] {
        self.loaded.get_or_init(|| self.find_loaded())
    }

    /// The tables, models and collections that the application writes, scripts and migrations aside: their names in the
    /// singular, in snake case.
    #[must_use]
    pub fn written_tables(&self) -> &BTreeSet<String> {
        self.written.get_or_init(|| {
            let is_served = |query: &&Query| {
                let file = self.program.project().file(query.site.0);
                file.is_some_and(|file| file.class != FileClass::Script)
            };
            let written = self.queries.iter().filter(|query| query.operation.is_write()).filter(is_served);
            written.filter_map(|query| query.table.as_deref()).map(|name| singular(&snake(name))).collect()
        })
    }

    pub(crate) fn abandoned_files(&self) -> &[bool] {
        self.abandoned.get_or_init(|| self.find_abandoned())
    }

    /// The calls of library members with such an effect.
    pub fn effects(
        &self,
        wanted: impl Fn(Effect) -> bool,
    ) -> impl Iterator<Item = (&Call<'p>, &LibraryCall<'p>)> {
        self.calls.iter().filter_map(move |call| {
            let library = call.library.as_ref()?;
            library.effect().is_some_and(&wanted).then_some((call, library))
        })
    }

    /// The function whose code holds a place.
    #[must_use]
    pub fn owner(&self, site: Site) -> FunctionRef {
        owner(self.program, site)
    }

    /// When the code at a place runs; empty where nothing that reaches it was found.
    #[must_use]
    pub fn contexts(&self, site: Site) -> &[Context] {
        self.reach.contexts(self.owner(site))
    }

    /// The routes whose requests run the code at a place.
    pub fn routes_to(&self, site: Site) -> impl Iterator<Item = &Route> {
        self.reach.routes(self.owner(site)).iter().filter_map(|at| self.routes.get(*at))
    }

    /// The loops that repeat a place, in its own function and in those that call it, nearest first. Only flows count: a
    /// callback that runs later is not repeated by the loop that registers it.
    #[must_use]
    pub fn repetitions(&self, site: Site) -> Vec<Repetition> {
        let mut found = Vec::new();
        let mut seen = FxHashSet::default();
        self.climb(site, &mut Vec::new(), &mut seen, &mut found);
        found
    }

    fn climb(
        &self,
        site: Site,
        way: &mut Vec<Edge>,
        seen: &mut FxHashSet<FunctionRef>,
        found: &mut Vec<Repetition>,
    ) {
        let Some(module) = self.program.module(site.0) else { return };
        let owner = self.owner(site);
        let outermost_first = || way.iter().rev().cloned().collect::<Vec<Edge>>();
        for repeat in loops_around(module, site) {
            found.push(Repetition { repeat, owner, way: outermost_first() });
        }
        if owner.1 == FunctionId::NONE || way.len() >= MAX_HOPS || !seen.insert(owner) {
            return;
        }
        for edge in self.graph.callers(owner).filter(|edge| edge.timing == Timing::InFlow) {
            way.push(edge.clone());
            if edge.caller == edge.callee {
                let repeat = Repeat {
                    at: edge.site,
                    source: None,
                    form: LoopForm::Recursion,
                    is_sequential: true,
                    is_limited: false,
                };
                found.push(Repetition {
                    repeat,
                    owner: edge.caller,
                    way: way.iter().rev().cloned().collect(),
                });
            } else {
                if let Some(repeat) = &edge.repeat {
                    let way = way.iter().rev().cloned().collect();
                    found.push(Repetition { repeat: repeat.clone(), owner: edge.caller, way });
                }
                self.climb(edge.site, way, seen, found);
            }
            way.pop();
        }
    }
}
