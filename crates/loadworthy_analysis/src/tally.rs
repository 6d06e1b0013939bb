//! What one run of a function sends out of the process, and how often: each query and each external call, through
//! everything that runs in its flow, with the loops and the branches around it.
//!
//! Counts are those of the longest way: of branches that exclude each other the larger is taken, each loop runs its
//! rounds, nothing is left early. Recursion is followed once.

use std::rc::Rc;

use loadworthy_knowledge::Effect;
use loadworthy_syntax::{Binary, FunctionId, Kind, Module, NodeId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::analysis::Analysis;
use crate::graph::{Edge, Timing};
use crate::links::FunctionRef;
use crate::loops::{Repeat, loops_around};
use crate::routes::{Handler, Route};
use crate::sessions;
use crate::values::{Resolver, Site};

/// Most trips that are listed for one function; what is beyond is left out.
const MAX_TRIPS: usize = 400;

/// Something sent out of the process.
#[derive(Clone, PartialEq, Debug)]
pub struct Trip {
    /// The call.
    pub site: Site,
    /// What is sent.
    pub kind: TripKind,
    /// The loops around it, outermost first.
    pub loops: Vec<Repeat>,
    /// The branches it is in, outermost first.
    arms: Vec<Arm>,
}

/// Where a trip goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TripKind {
    /// To the database: a query of [`crate::Queries`].
    Query,
    /// To a cache or a queue.
    Cache,
    /// To another service.
    External,
}

/// One of several ways that exclude each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Arm {
    fork: Site,
    way: u32,
}

/// Trips of functions and routes, each function looked at once.
pub struct Tallies<'a, 'p> {
    analysis: &'a Analysis<'p>,
    known: FxHashMap<FunctionRef, Rc<[Trip]>>,
    open: FxHashSet<FunctionRef>,
    resolver: Resolver<'p>,
    /// Of middleware, by where it is registered.
    sessions: FxHashMap<Site, Option<(Site, TripKind)>>,
}

impl<'a, 'p> Tallies<'a, 'p> {
    /// Of a linked program.
    #[must_use]
    pub fn new(analysis: &'a Analysis<'p>) -> Self {
        Self {
            analysis,
            known: FxHashMap::default(),
            open: FxHashSet::default(),
            resolver: Resolver::new(analysis.program()),
            sessions: FxHashMap::default(),
        }
    }

    /// What one request of a route sends: its middleware and its handler.
    pub fn of_route(&mut self, route: &Route) -> Vec<Trip> {
        let mut trips: Vec<Trip> = Vec::new();
        for handler in route.middleware.iter().chain(&route.handler) {
            if let Some((site, kind)) = self.session_of(handler) {
                let trip = Trip { site, kind, loops: Vec::new(), arms: Vec::new() };
                trips.extend(std::iter::repeat_n(trip, sessions::TRIPS));
            }
            let is_choice = handler.functions.len() > 1 && !handler.is_wrapped;
            for (way, function) in (0_u32..).zip(&handler.functions) {
                for trip in self.of(*function).iter() {
                    let mut trip = trip.clone();
                    if is_choice {
                        trip.arms.insert(0, Arm { fork: handler.site, way });
                    }
                    trips.push(trip);
                }
            }
            for function in self.analysis.registered(handler) {
                trips.extend(self.of(*function).iter().cloned());
            }
        }
        trips
    }

    /// Each middleware is looked at once, not once a route.
    fn session_of(&mut self, handler: &Handler) -> Option<(Site, TripKind)> {
        let resolver = &self.resolver;
        *self.sessions.entry(handler.site).or_insert_with(|| sessions::kept_outside(resolver, handler))
    }

    /// What one run of a function sends.
    pub fn of(&mut self, function: FunctionRef) -> Rc<[Trip]> {
        if let Some(known) = self.known.get(&function) {
            return Rc::clone(known);
        }
        if function.1 == FunctionId::NONE || !self.open.insert(function) {
            return Rc::from([]);
        }
        let mut trips = self.own(function);
        let edges: Vec<&Edge> = self.analysis.graph().callees(function).collect();
        let mut choices: FxHashMap<Site, u32> = FxHashMap::default();
        for edge in &edges {
            if edge.timing == Timing::InFlow && edge.repeat.is_none() {
                *choices.entry(edge.site).or_default() += 1;
            }
        }
        let mut way = 0;
        for edge in edges {
            if !matches!(edge.timing, Timing::InFlow | Timing::Unknown) {
                continue;
            }
            way += 1;
            let is_choice =
                edge.repeat.is_none() && choices.get(&edge.site).is_some_and(|count| *count > 1) && {
                    let call = self.analysis.calls().at(edge.site);
                    call.is_some_and(|call| call.targets.contains(&edge.callee))
                };
            let below = self.of(edge.callee);
            if below.is_empty() || trips.len() >= MAX_TRIPS {
                continue;
            }
            let Some(module) = self.analysis.program().module(edge.site.0) else { continue };
            let (mut loops, mut arms) = around(module, edge.site);
            loops.extend(edge.repeat.clone());
            if is_choice {
                arms.push(Arm { fork: edge.site, way });
            }
            trips.extend(below.iter().take(MAX_TRIPS - trips.len()).map(|trip| Trip {
                site: trip.site,
                kind: trip.kind,
                loops: loops.iter().chain(&trip.loops).cloned().collect(),
                arms: arms.iter().chain(&trip.arms).copied().collect(),
            }));
        }
        self.open.remove(&function);
        let trips: Rc<[Trip]> = trips.into();
        self.known.insert(function, Rc::clone(&trips));
        trips
    }

    fn own(&self, function: FunctionRef) -> Vec<Trip> {
        let Some(module) = self.analysis.program().module(function.0) else { return Vec::new() };
        let trips = self.analysis.calls().of_function(function).filter_map(|call| {
            let kind = match self.analysis.queries().at(call.site) {
                Some(query) if query.site == call.site && query.is_sent() => TripKind::Query,
                Some(_) => return None,
                None => kind_of(call.library.as_ref()?.effect()?)?,
            };
            let (loops, arms) = around(module, call.site);
            Some(Trip { site: call.site, kind, loops, arms })
        });
        trips.take(MAX_TRIPS).collect()
    }
}

/// Where a call with this effect goes; none if it stays in the process, or is counted as a query.
fn kind_of(effect: Effect) -> Option<TripKind> {
    if effect.is_database_trip() || matches!(effect, Effect::DbConnect | Effect::DbAcquire) {
        return None;
    }
    if !effect.leaves_process() {
        return None;
    }
    Some(match effect {
        Effect::CacheGet
        | Effect::CacheSet
        | Effect::CacheScan
        | Effect::Pubsub
        | Effect::QueuePublish
        | Effect::QueueRead
        | Effect::QueueWait => TripKind::Cache,
        _ => TripKind::External,
    })
}

/// The loops and branches around a place inside its function, outermost first.
fn around(module: &Module, site: Site) -> (Vec<Repeat>, Vec<Arm>) {
    let mut loops = loops_around(module, site);
    loops.reverse();
    let mut arms = Vec::new();
    let mut inner = site.1;
    for outer in module.ancestors(site.1) {
        if matches!(module.kind(outer), Kind::Function(_)) {
            break;
        }
        arms.extend(ways_of(module, (site.0, outer), inner));
        inner = outer;
    }
    arms.reverse();
    (loops, arms)
}

/// The branches that lead from a node to its child, innermost first.
fn ways_of(module: &Module, fork: Site, inner: NodeId) -> Vec<Arm> {
    let arm = |way: u32| vec![Arm { fork, way }];
    match module.kind(fork.1) {
        Kind::If { then, otherwise, .. } | Kind::Conditional { then, otherwise, .. } => {
            if inner == then {
                arm(0)
            } else if inner == otherwise {
                arm(1)
            } else {
                Vec::new()
            }
        }
        Kind::Binary { operator: Binary::And | Binary::Or | Binary::Nullish, right, .. }
            if inner == right =>
        {
            arm(0)
        }
        Kind::Try { block, handler, .. } if inner == handler && inner != block => arm(1),
        Kind::Try { block, handler, .. } if inner == block && handler != NodeId::NONE => arm(0),
        Kind::Switch { cases, .. } => {
            let at = module.list(cases).position(|case| case == inner);
            at.map_or_else(Vec::new, |at| arm(u32::try_from(at).unwrap_or(u32::MAX)))
        }
        Kind::Block(statements) | Kind::Case { body: statements, .. } => {
            let before = module.list(statements).take_while(|it| *it != inner);
            let guards = before.filter(|it| is_guard(module, *it));
            let mut arms: Vec<Arm> = guards.map(|guard| Arm { fork: (fork.0, guard), way: 1 }).collect();
            arms.reverse();
            arms
        }
        _ => Vec::new(),
    }
}

/// `if (…) { …; return; }` without `else`: what follows is its other branch.
fn is_guard(module: &Module, statement: NodeId) -> bool {
    let Kind::If { then, otherwise, .. } = module.kind(statement) else { return false };
    let last = match module.kind(then) {
        Kind::Block(statements) => module.list(statements).last().unwrap_or(then),
        _ => then,
    };
    otherwise == NodeId::NONE
        && matches!(module.kind(last), Kind::Return(_) | Kind::Throw(_) | Kind::Break | Kind::Continue)
}

/// The amount of all trips, each worth what `worth` says; branches that exclude each other give the larger.
#[must_use]
pub fn total(trips: &[&Trip], worth: &dyn Fn(&Trip) -> f64) -> f64 {
    chosen(trips, worth).iter().map(|trip| worth(trip)).sum()
}

/// The trips of the way that is worth most.
#[must_use]
pub fn chosen<'t>(trips: &[&'t Trip], worth: &dyn Fn(&Trip) -> f64) -> Vec<&'t Trip> {
    at_depth(trips, 0, worth)
}

/// The trips of each way of a fork.
type Ways<'t> = Vec<(u32, Vec<&'t Trip>)>;

fn at_depth<'t>(trips: &[&'t Trip], depth: usize, worth: &dyn Fn(&Trip) -> f64) -> Vec<&'t Trip> {
    let mut always = Vec::new();
    let mut forks: Vec<(Site, Ways<'t>)> = Vec::new();
    for trip in trips {
        let Some(arm) = trip.arms.get(depth) else {
            always.push(*trip);
            continue;
        };
        let at = forks.iter().position(|(fork, _)| *fork == arm.fork).unwrap_or_else(|| {
            forks.push((arm.fork, Vec::new()));
            forks.len() - 1
        });
        let Some((_, ways)) = forks.get_mut(at) else { continue };
        match ways.iter_mut().find(|(way, _)| *way == arm.way) {
            Some((_, members)) => members.push(trip),
            None => ways.push((arm.way, vec![trip])),
        }
    }
    for (_, ways) in forks {
        let ways = ways.into_iter().map(|(_, members)| at_depth(&members, depth + 1, worth));
        let sum = |members: &[&Trip]| members.iter().map(|trip| worth(trip)).sum::<f64>();
        let best = ways.reduce(|best, next| if sum(&next) > sum(&best) { next } else { best });
        always.extend(best.unwrap_or_default());
    }
    always
}
