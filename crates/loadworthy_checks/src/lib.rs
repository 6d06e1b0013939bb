//! The checks: what fails under load, where, and what to change.
//!
//! One file a check; each asks the analysis and says what it found. [`CHECKS`] is the registry.

mod asynchrony;
mod audit;
mod database;
mod demand;
mod dependency;
mod edit;
mod finding;
mod forecast;
mod frontend;
mod habits;
#[allow(dead_code, reason = "the builders of fixes move to it one by one")]
mod imports;
mod listening;
mod memory;
mod meta;
mod registry;
mod resilience;
mod runs;
mod services;
mod setting;
mod traffic;

pub use audit::{Audit, dedent, route_name};
pub use demand::{Demands, QUERY_LOOP_MILLIS, Times};
pub use finding::{
    Applicability, Confidence, Edit, Evidence, Finding, Fix, NewFile, NewPackage, Place, Verdict, Words,
};
pub use forecast::{BASE_LOOP_MILLIS, Forecast};
pub use meta::{Category, Check, Meta};
pub use registry::{CHECKS, run_all};
pub use services::{Ends, Service, ServiceCall, services};
pub use setting::Setting;
pub use traffic::{Answers, LEAST_SHARE, Mix, Observed, READ_PART, Rate, Traffic, Weights};
