//! Link: what the files of a program mean together.
//!
//! The program is read-only once loaded; every question about it is answered on demand and remembered.

mod handles;
mod index;
mod links;
mod program;
mod routes;
mod values;

pub use handles::{Called, Folded, Held, Outcome, function_at};
pub use links::{FunctionRef, Links, PassedSite};
pub use program::Program;
pub use routes::{EntryKind, Handler, Route, UNKNOWN_PART, routes};
pub use values::{External, Number, Resolver, Root, Site, Step, Value, Values};
