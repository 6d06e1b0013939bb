//! The load an application must carry.

use serde::{Deserialize, Serialize};

use crate::number::within_range;

/// The load target and its service-level objective.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Users active at the same time.
    pub users: u32,
    /// Requests per second over all routes and instances.
    pub requests_per_second: f64,
    /// Length of the run in seconds.
    pub duration_seconds: f64,
    /// The objective: 95% of requests answer within this many milliseconds.
    pub p95_millis: f64,
    /// The objective: the largest share of requests that may fail, 0 to 1.
    pub error_rate: f64,
}

impl Default for Target {
    /// 1,000 users, 100 requests a second for 5 minutes, p95 under 500 ms, under 1% errors.
    fn default() -> Self {
        Self {
            users: 1000,
            requests_per_second: 100.0,
            duration_seconds: 300.0,
            p95_millis: 500.0,
            error_rate: 0.01,
        }
    }
}

impl Target {
    /// Requests per second that reach code with this share of the traffic.
    #[must_use]
    pub fn rate_at(&self, share: f64) -> f64 {
        within_range(self.requests_per_second) * within_range(share).min(1.0)
    }

    /// Requests that may fail during the run: rate × duration × error rate.
    #[must_use]
    pub fn error_budget(&self) -> f64 {
        within_range(self.requests_per_second)
            * within_range(self.duration_seconds)
            * within_range(self.error_rate).min(1.0)
    }
}
