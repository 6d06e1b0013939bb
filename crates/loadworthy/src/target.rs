//! The load target from the command line, the configuration and the defaults.

use loadworthy_capacity::Target;

use crate::config::TargetConfig;
use crate::failure::Failure;
use crate::load::TargetArguments;

/// What is given on the command line, else in the configuration, else the default.
pub(crate) fn target(given: TargetArguments, config: TargetConfig) -> Result<Target, Failure> {
    let default = Target::default();
    let rate = given.rps.or(config.rps).unwrap_or(default.requests_per_second);
    let duration = given.duration.or(config.duration).unwrap_or(default.duration_seconds);
    let p95 = given.p95.or(config.p95).unwrap_or(default.p95_millis);
    let error_rate = given.error_rate.or(config.error_rate).unwrap_or(default.error_rate);
    Ok(Target {
        users: given.users.or(config.users).unwrap_or(default.users),
        requests_per_second: positive("rps", rate)?,
        duration_seconds: positive("duration", duration)?,
        p95_millis: positive("p95", p95)?,
        error_rate: part("error-rate", error_rate)?,
    })
}

/// A number above 0, or what to write instead.
pub(crate) fn positive(name: &str, value: f64) -> Result<f64, Failure> {
    if value.is_finite() && value > 0.0 {
        return Ok(value);
    }
    Err(Failure::usage(format!("{name} must be a number above 0, not {value}")))
}

fn part(name: &str, value: f64) -> Result<f64, Failure> {
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(Failure::usage(format!("{name} must be a number from 0 to 1, not {value}")))
}
