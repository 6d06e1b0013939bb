//! How bad a finding is at the target load.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Utilisation from which a resource counts as saturated: its queue grows without end.
pub const SATURATED: f64 = 1.0;
/// Utilisation from which the SLO is at risk. A queue's wait grows as 1 / (1 − ρ): at 0.7 it is
/// 3.3 times that of an idle server and rises steeply after.
pub const SLO_AT_RISK: f64 = 0.7;
/// Part of a resource, or of the latency objective, from which a cost is visible in a load test.
pub const VISIBLE: f64 = 0.1;
/// Part of a shared resource's load from which one work is a cause of it being full.
pub const LARGE_PART: f64 = 0.25;

/// Ordered: `Monitor` is the least, `Critical` the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// Fine now; watch the metric.
    Monitor,
    /// Visible, inside the objective.
    Medium,
    /// The objective is at risk, or some requests fail.
    High,
    /// A resource saturates or the process dies.
    Critical,
}

impl Severity {
    /// The name in reports, in capitals.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Monitor => "MONITOR",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }

    pub(crate) fn of_utilisation(utilisation: f64) -> Self {
        match utilisation {
            u if u >= SATURATED => Self::Critical,
            u if u >= SLO_AT_RISK => Self::High,
            u if u >= VISIBLE => Self::Medium,
            _ => Self::Monitor,
        }
    }

    /// The severity of a work that uses `own` of a shared resource of which all together use `all`: that of the whole
    /// for a large part of it, for a visible part `Medium` at most, else its own.
    pub(crate) fn of_part(own: f64, all: f64) -> Self {
        let (alone, whole) = (Self::of_utilisation(own), Self::of_utilisation(all.max(own)));
        if own >= LARGE_PART * all && own >= VISIBLE {
            whole
        } else if own >= VISIBLE / 2.0 {
            alone.max(whole.min(Self::Medium))
        } else {
            alone
        }
    }

    /// The severity of a predicted 95th percentile against the objective.
    pub(crate) fn of_latency(p95_millis: f64, objective_millis: f64) -> Self {
        match p95_millis / objective_millis.max(f64::MIN_POSITIVE) {
            part if part > 1.0 => Self::High,
            part if part >= VISIBLE => Self::Medium,
            _ => Self::Monitor,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
