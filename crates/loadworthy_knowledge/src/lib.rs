//! What libraries are and what calling them does, as data.
//!
//! The tables under `data/` are compiled in; [`Knowledge`] answers lookups on them. Nothing here
//! knows about source code: the analyser resolves expressions to *handles* (`client`, `pool`,
//! `Model` …) with [`Knowledge::step`] and asks what their members do with [`Knowledge::member`].

mod attempts;
mod blocking;
mod callbacks;
mod closed_sets;
mod conventions;
mod deadlines;
mod effect;
mod environment;
mod error;
mod failures;
mod hooks;
mod knowledge;
mod libraries;
mod members;
mod names;
mod options;
mod packages;
mod reference;
mod retries;
mod rows;
mod source;
mod steps;
mod versions;
mod wiring;

pub use attempts::{AttemptsRow, Counts};
pub use blocking::{BlockingRow, Grouping, Growth};
pub use callbacks::Callback;
pub use closed_sets::{
    Becomes, Execution, Flag, Kind, Lifetime, Op, Returns, Rows, Runs, Scope, Target, Thread, Unit, Without,
};
pub use conventions::Convention;
pub use deadlines::DeadlineRow;
pub use effect::{Effect, Group};
pub use environment::{HostRow, ImageRow, Medium, PlanRow, PoolRow, Role, RoleRow};
pub use error::KnowledgeError;
pub use failures::{ErrorEvent, GivesUp, KeepsAlive, Rejection, Throws};
pub use hooks::Hook;
pub use knowledge::Knowledge;
pub use libraries::Library;
pub use names::{HandleId, LibId, fits_name};
pub use options::{OptionIs, OptionRow, OptionTrait};
pub use packages::PackageRow;
pub use reference::{Cost, DefaultRow, DefaultValue, Trap};
pub use retries::{Pause, Repeats, RetryRow};
pub use rows::Member;
pub use steps::Step;
pub use versions::{Nearest, Versions};
pub use wiring::{Concern, Ping, Wiring};
