//! Link: what the files of a program mean together.
//!
//! The program is read-only once loaded; every question about it is answered on demand and remembered.

mod access;
mod analysis;
mod answers;
mod applications;
mod attempts;
mod blocking;
mod calls;
mod clients;
mod connections;
mod deadline;
mod failure;
mod fate;
mod formula;
mod generated_clients;
mod graph;
mod growth;
mod handles;
mod handling;
mod hook_conditions;
mod hooks;
mod index;
mod key_values;
mod lifetimes;
mod links;
mod loading;
mod loops;
mod methods;
mod origin;
mod paths;
mod positions;
mod production;
mod program;
mod protection;
mod providers;
mod query;
mod reach;
mod react;
mod registered;
mod retries;
mod routes;
mod schema;
mod sequence;
mod sessions;
mod shared_state;
mod stars;
mod switches;
mod tally;
mod values;
mod work;
mod wrappers;

pub use access::{Access, Decision, accesses, decision, decision_by, derived, results, uses};
pub use analysis::{Analysis, Repetition};
pub use answers::{Answers, Positions};
pub use applications::Application;
pub use attempts::{LibraryAttempts, attempts_below, calls_below};
pub use blocking::{Block, Blocks, Elements, UNLIMITED_ROWS, is_kept};
pub use calls::{Call, Calls, Handed, LibraryCall, package_name};
pub use clients::{Address, ClientRequest, ClientRequests, Filled, filled_by, matching};
pub use connections::{Checkout, Opening, checkouts, openings, runs_once, runs_until_made, standing_clients};
pub use deadline::{Deadline, Deadlines, Missing, Race};
pub use failure::{Cause, CauseKind, Failing, Failures, Outlet, installed_version, outlet};
pub use fate::{Fate, fate};
pub use formula::{Formula, Term};
pub use graph::{CallGraph, Edge, Timing};
pub use growth::{Addition, Container, ContainerKind, Removal, Singletons, Takes, containers, singletons};
pub use handles::{Called, Folded, Held, Outcome, function_at};
pub use handling::{Handling, handling, is_in_try};
pub use key_values::{KeyAccess, KeyOperation, key_accesses};
pub use lifetimes::{
    Started, StartedKind, Stop, added_again, is_stopped_nearby, kind as started_kind, started_by_effects,
};
pub use links::{FunctionRef, Links, PassedSite, Position};
pub use loops::{LoopForm, Repeat, loops_around};
pub use origin::{CLIENT_INPUT, Multiplicity, Origins};
pub use paths::{Act, Assumption, Begin, Duty, Exit, ExitKind, Ways, ways};
pub use production::is_development_only;
pub use program::Program;
pub use protection::{Guard, Guarded, Protections};
pub use query::{
    Bound, ColumnOf, Condition, Family, Filter, Include, Joined, Limits, Operation, Operator, Options,
    OrderBy, Property, Queries, Query, RowUse, Selected, Yields, relation_uses, row_uses,
};
pub use reach::{Context, Reach};
pub use react::{
    Component, EffectHook, Memoised, RowFields, State, bindings_of, component_at, elements_made, elements_of,
    given, is_in_flow, is_made_anew, loader, made_anew, memoised, property_of, rendered, row_fields,
    setter_calls,
};
pub use retries::{RetryPolicy, retry_policies};
pub use routes::{EntryKind, Handler, Route, UNKNOWN_PART, routes};
pub use schema::{Models, models};
pub use sequence::{Step as AwaitedStep, Waterfall, waterfalls};
pub use shared_state::{Emptied, Fill, emptied, fills};
pub use switches::{Switch, switches};
pub use tally::{Tallies, Trip, TripKind, chosen, total};
pub use values::{External, Number, Resolver, Root, Site, Step, Value, Values};
pub use work::{Work, Works};
pub use wrappers::Wrapping;
