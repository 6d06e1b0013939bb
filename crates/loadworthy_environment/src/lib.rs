//! What the application runs on, inferred from its code and the files beside it.
//!
//! Every fact carries its evidence, how sure it is, and — where the project does not hold it — the default that the
//! audit calculates with and the file or setting that would settle it. Values of secrets are never shown.

#![cfg_attr(test, allow(clippy::float_cmp, reason = "the numbers come from text, not from arithmetic"))]
#![allow(clippy::similar_names, reason = "a node and the note about it stand side by side everywhere")]

mod code;
mod command;
mod connection_url;
mod conversions;
mod document;
mod environment;
mod fact;
mod lines;
mod listing;
mod number;
mod overrides;
mod paths;
mod signs;
mod sources;
mod topics;

pub use environment::{Environment, environment};
pub use fact::{Basis, Confidence, Fact, Known, NeedsConfirmation, Place};
pub use overrides::{OverrideError, Overrides};
pub use signs::Proxy;
pub use topics::components::Component;
pub use topics::databases::Database;
pub use topics::deployables::Deployable;
pub use topics::frontend::DataFetch;
pub use topics::keys::{EnvKey, EnvKeys};
pub use topics::language::Language;
pub use topics::limiters::RateLimiter;
pub use topics::node::NodeVersion;
pub use topics::pools::Pool;
pub use topics::process::{Instances, ProcessModel};
pub use topics::proxy::TrustProxy;
pub use topics::sessions::{SessionStore, Sessions};
