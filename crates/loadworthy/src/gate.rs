//! What must hold for the exit code 0.

use std::process::ExitCode;

use loadworthy_report::{Report, Severity};

use crate::arguments::{AuditArguments, Level};
use crate::config::Config;
use crate::failure::Failure;

/// The limits of an audit.
pub(crate) struct Gate {
    /// The least severity that is reported.
    pub(crate) shown: Severity,
    fail_on: Option<Severity>,
    min_score: Option<f64>,
}

/// What missed a limit; empty where nothing did.
pub(crate) struct Missed {
    reasons: Vec<String>,
}

impl Gate {
    /// What the command line says, else the configuration.
    pub(crate) fn of(arguments: &AuditArguments, config: &Config) -> Result<Self, Failure> {
        let min_score = arguments.min_score.or(config.min_score);
        if let Some(score) = min_score.filter(|score| !(0.0..=10.0).contains(score)) {
            return Err(Failure::usage(format!("min-score must be a number from 0 to 10, not {score}")));
        }
        Ok(Self {
            shown: arguments.severity.or(config.severity).map_or(Severity::Monitor, Level::severity),
            fail_on: arguments.fail_on.or(config.fail_on).map(Level::severity),
            min_score,
        })
    }

    /// Which limits a report misses.
    pub(crate) fn judge(&self, report: &Report) -> Missed {
        let severe = self.fail_on.and_then(|least| {
            let count = report.findings.iter().filter(|finding| finding.severity >= least).count();
            let are = if count == 1 { "finding is" } else { "findings are" };
            (count > 0).then(|| format!("{count} {are} {} or above", least.name()))
        });
        let low = self
            .min_score
            .filter(|least| report.score.value < *least)
            .map(|least| format!("the score {:.1} is below {least}", report.score.value));
        Missed { reasons: severe.into_iter().chain(low).collect() }
    }
}

impl Missed {
    /// Says so on the error stream, and the exit code.
    pub(crate) fn tell(&self) -> ExitCode {
        for reason in &self.reasons {
            anstream::eprintln!("failed: {reason}");
        }
        ExitCode::from(u8::from(!self.reasons.is_empty()))
    }
}
