//! What the rest of the application keeps busy.

use serde::{Deserialize, Serialize};

use crate::number::within_range;

/// The load of a whole application on one instance, at the target.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Background {
    /// Database connections in use on average (erlangs).
    pub connections_busy: f64,
    /// Part of the event loop in use on average; may exceed 1.
    pub loop_busy: f64,
}

impl Background {
    /// Connections that others than a work of `own` erlangs keep busy.
    pub(crate) fn other_connections(self, own: f64) -> f64 {
        (within_range(self.connections_busy) - within_range(own)).max(0.0)
    }

    /// Part of the loop that others than a work of `own` take.
    pub(crate) fn other_loop(self, own: f64) -> f64 {
        (within_range(self.loop_busy) - within_range(own)).max(0.0)
    }
}
