//! Fixes as edits: which of them go together, what the files are with them, the difference, and writing all of it or nothing.
//!
//! Nothing here knows what a fix is for. A caller proposes [`Proposal`]s, [`plan`]s them over the texts that they were made
//! for, looks at the result, and [`write`]s it.

mod change;
mod diff;
mod journal;
mod manifest;
mod planning;
mod positions;
mod proposal;
mod write;

pub use change::{Change, ChangeError};
pub use diff::diff;
pub use journal::{JOURNAL, RecoverError, Recovered, is_interrupted, recover};
pub use manifest::add_packages;
pub use planning::{Clash, Planned, Refused, plan};
pub use positions::{line_of, offset_of};
pub use proposal::{Edit, NewFile, NewPackage, Proposal};
pub use write::{WriteError, write};
