//! The command as a user runs it: the real binary on small projects.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod audit;
mod baseline;
mod capacity;
mod demo;
mod fix;
mod formats;
mod hostile;
mod init;
mod messages;
mod overrides;
mod packages;
mod routes;
mod schema;
mod since;
mod sketches;
mod support;
mod suppressions;
mod traffic;
