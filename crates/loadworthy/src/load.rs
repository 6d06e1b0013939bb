//! The load that an application is judged against: the target, what is known of the deployment, the traffic mix, and times
//! that were measured. What the command line says goes before the configuration, and that before the defaults.

use std::path::PathBuf;

use clap::Args;
use loadworthy_analysis::Analysis;
use loadworthy_capacity::Target;
use loadworthy_checks::{Mix, Setting, Times};
use loadworthy_environment::Overrides;

use crate::config::Config;
use crate::env::{self, KnownArguments};
use crate::failure::Failure;
use crate::session::Session;
use crate::target::{positive, target};
use crate::traffic;

/// What a load consists of.
#[derive(Args, Clone)]
pub(crate) struct LoadArguments {
    #[command(flatten)]
    pub(crate) known: KnownArguments,
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// Weigh the routes by the requests in this file: an access log (common, combined or JSON lines) or a HAR. It goes before
    /// `traffic` in the configuration; without both, reads take 80% and writes 20%, each evenly.
    #[arg(long, value_name = "FILE", help_heading = "Load target")]
    pub(crate) traffic: Option<PathBuf>,
}

/// A load, and times of the application under it.
#[derive(Args, Clone)]
pub(crate) struct ForecastArguments {
    #[command(flatten)]
    pub(crate) times: TimesArguments,
    #[command(flatten)]
    pub(crate) load: LoadArguments,
}

/// The load target.
#[derive(Args, Clone, Copy, Default)]
pub(crate) struct TargetArguments {
    /// Users active at the same time [default: 1000].
    #[arg(long, value_name = "N", help_heading = "Load target")]
    pub(crate) users: Option<u32>,
    /// Requests per second over all routes [default: 100].
    #[arg(long, value_name = "RATE", allow_negative_numbers = true, help_heading = "Load target")]
    pub(crate) rps: Option<f64>,
    /// Seconds the load lasts [default: 300].
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = "Load target")]
    pub(crate) duration: Option<f64>,
    /// Milliseconds within which 95% of requests must answer [default: 500].
    #[arg(long, value_name = "MILLISECONDS", allow_negative_numbers = true, help_heading = "Load target")]
    pub(crate) p95: Option<f64>,
    /// Largest part of requests that may fail, 0 to 1 [default: 0.01].
    #[arg(long, value_name = "PART", allow_negative_numbers = true, help_heading = "Load target")]
    pub(crate) error_rate: Option<f64>,
}

/// Times that no code tells, where they were measured.
#[derive(Args, Clone, Copy, Default)]
#[expect(clippy::struct_field_names, reason = "the options of the command line say their unit")]
pub(crate) struct TimesArguments {
    /// Milliseconds of one query with its round trip [default: 2].
    #[arg(long, value_name = "MILLISECONDS", allow_negative_numbers = true, help_heading = "Measured times")]
    pub(crate) query_ms: Option<f64>,
    /// Milliseconds in which another service answers [default: 100].
    #[arg(long, value_name = "MILLISECONDS", allow_negative_numbers = true, help_heading = "Measured times")]
    pub(crate) call_ms: Option<f64>,
    /// Milliseconds of event loop that a request takes without any finding [default: 1].
    #[arg(long, value_name = "MILLISECONDS", allow_negative_numbers = true, help_heading = "Measured times")]
    pub(crate) request_ms: Option<f64>,
}

impl TimesArguments {
    /// What was measured, else the defaults.
    pub(crate) fn times(self) -> Result<Times, Failure> {
        let default = Times::default();
        Ok(Times {
            query_millis: positive("query-ms", self.query_ms.unwrap_or(default.query_millis))?,
            call_millis: positive("call-ms", self.call_ms.unwrap_or(default.call_millis))?,
            request_millis: positive("request-ms", self.request_ms.unwrap_or(default.request_millis))?,
        })
    }
}

/// A load that was asked for.
pub(crate) struct Load {
    pub(crate) target: Target,
    overrides: Overrides,
    traffic: Option<PathBuf>,
}

impl Load {
    /// What the command line says, over the configuration.
    pub(crate) fn of(arguments: &LoadArguments, session: &Session) -> Result<Self, Failure> {
        let load = Self::without_traffic(&arguments.known, arguments.target, &session.config)?;
        if let Some(file) = &arguments.traffic {
            traffic::refuse_no_file(file)?;
        }
        Ok(Self { traffic: arguments.traffic.clone(), ..load })
    }

    /// The same with the mix of the configuration.
    pub(crate) fn without_traffic(
        known: &KnownArguments,
        given: TargetArguments,
        config: &Config,
    ) -> Result<Self, Failure> {
        let target = target(given, config.target)?;
        Ok(Self { target, overrides: env::overrides(known, config)?, traffic: None })
    }

    /// What findings of a program are judged against, and where its traffic mix is from.
    pub(crate) fn setting(
        &self,
        session: &Session,
        analysis: &Analysis<'_>,
    ) -> Result<(Setting, Mix), Failure> {
        let mix = match &self.traffic {
            Some(file) => {
                session.progress.stage("counting requests");
                traffic::mix(file, analysis)?
            }
            None => Mix::from(&session.config.traffic),
        };
        Ok((Setting::infer(analysis, self.target, &self.overrides, &mix), mix))
    }
}

/// Says where the traffic mix is from, on the error stream, where a file gave it.
pub(crate) fn tell(mix: &Mix, is_quiet: bool) {
    if let (Mix::Observed(observed), false) = (mix, is_quiet) {
        anstream::eprintln!("note: the traffic mix is {}", observed.source);
    }
}
