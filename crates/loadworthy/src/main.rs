//! The command: arguments, wiring and exit codes; nothing else.
//!
//! Exit codes: 0 done · 2 wrong use · 3 internal error.

mod arguments;
mod audit;
mod convert;
mod failure;
mod location;
mod output;
mod routes;
mod selection;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Task};
use crate::failure::Failure;

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        None => audit::run(&arguments.audit),
        Some(Task::Audit(audit)) => audit::run(&audit),
        Some(Task::Routes { path, format, threads }) => routes::run(&path, format, threads),
    }
}
