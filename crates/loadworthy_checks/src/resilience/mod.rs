//! Checks of this group, one file each.

pub(crate) mod error_observability;
pub(crate) mod no_backpressure;
pub(crate) mod no_circuit_breaker;
pub(crate) mod unprotected_endpoint;

pub(crate) use no_circuit_breaker::{isolated, named};
