//! The resources a finding can use up, and the use of one of them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::assess::Figure;
use crate::background::Background;
use crate::cost::Cost;
use crate::environment::Environment;
use crate::number::within_range;
use crate::severity::Severity;
use crate::target::Target;

/// What runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Database connections of an instance.
    ConnectionPool,
    /// The JavaScript thread of an instance.
    EventLoop,
    /// The old-space heap of an instance.
    Heap,
    /// Users who wait for an answer.
    RequestsInFlight,
    /// The request rate the target was set for.
    RequestCapacity,
    /// The process itself, or the correctness of an answer.
    Process,
    /// Nothing the model knows a measure for.
    Unmeasured,
}

impl Resource {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ConnectionPool => "connection pool",
            Self::EventLoop => "event loop",
            Self::Heap => "heap",
            Self::RequestsInFlight => "requests in flight",
            Self::RequestCapacity => "request capacity",
            Self::Process => "process",
            Self::Unmeasured => "unmeasured",
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A cost at its share of the target, on this environment.
#[derive(Clone, Copy)]
pub(crate) struct Situation<'a> {
    pub(crate) cost: &'a Cost,
    pub(crate) target: &'a Target,
    pub(crate) environment: &'a Environment,
    pub(crate) background: Background,
}

impl Situation<'_> {
    /// Runs per second over all instances.
    pub(crate) fn rate(&self) -> f64 {
        self.target.rate_at(self.cost.share)
    }

    /// Runs per second of one instance.
    pub(crate) fn rate_per_instance(&self) -> f64 {
        self.rate() / self.environment.machine.instance_count()
    }

    /// Runs of one instance during the whole test.
    pub(crate) fn runs_per_instance(&self) -> f64 {
        self.rate_per_instance() * within_range(self.target.duration_seconds)
    }

    pub(crate) fn objective_millis(&self) -> f64 {
        within_range(self.target.p95_millis)
    }

    /// The reasons of the defaults among the facts of the machine.
    pub(crate) fn instance_assumption(&self) -> Option<String> {
        self.environment.machine.instances.assumption().map(str::to_owned)
    }
}

/// How much of one resource a cost takes.
pub(crate) struct Load {
    pub(crate) resource: Resource,
    pub(crate) utilisation: f64,
    pub(crate) severity: Severity,
    pub(crate) p95_millis: Option<f64>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) assumptions: Vec<String>,
    pub(crate) text: String,
}
