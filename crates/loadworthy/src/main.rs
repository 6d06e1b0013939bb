//! The command: arguments, wiring and exit codes; nothing else.
//!
//! Exit codes: 0 done · 1 a limit was missed · 2 wrong use or configuration · 3 internal error.

mod arguments;
mod audit;
mod baseline;
mod capacity;
mod changes;
mod config;
mod convert;
mod crash;
mod deployables;
mod directive;
mod env;
mod failure;
mod fix;
mod gate;
mod git;
mod init;
mod load;
mod location;
mod output;
mod pages;
mod plan;
mod progress;
mod protection;
mod routes;
mod rules;
mod schema;
mod selection;
mod sends;
mod services;
mod session;
mod shell;
mod suppression;
mod target;
mod traffic;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::arguments::{Arguments, Task};
use crate::failure::Failure;

/// An audit is many small allocations on several threads: a tenth of its time with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    crash::guarded(|| {
        let matches = Arguments::command().get_matches();
        let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        run(arguments, &matches).unwrap_or_else(|failure| failure.report())
    })
}

fn run(arguments: Arguments, matches: &clap::ArgMatches) -> Result<ExitCode, Failure> {
    let own = matches.subcommand().map_or(matches, |(_, own)| own);
    match arguments.command {
        None => audit::run(&arguments.audit, own),
        Some(Task::Audit(audit)) => audit::run(&audit, own),
        Some(Task::Fix(options)) => fix::run(&options),
        Some(Task::Checks(options)) => pages::list(&options).map(|()| ExitCode::SUCCESS),
        Some(Task::Explain { check }) => pages::explain(&check).map(|()| ExitCode::SUCCESS),
        Some(Task::Schema { of }) => schema::run(of).map(|()| ExitCode::SUCCESS),
        Some(Task::Env(options)) => env::run(&options).map(|()| ExitCode::SUCCESS),
        Some(Task::Capacity(options)) => capacity::run(&options).map(|()| ExitCode::SUCCESS),
        Some(Task::Plan(options)) => plan::run(&options).map(|()| ExitCode::SUCCESS),
        Some(Task::Init(options)) => init::run(&options).map(|()| ExitCode::SUCCESS),
        Some(Task::Completions { shell }) => shell::completions(shell).map(|()| ExitCode::SUCCESS),
        Some(Task::Man) => shell::man().map(|()| ExitCode::SUCCESS),
        Some(Task::Routes(options)) => routes::run(&options).map(|()| ExitCode::SUCCESS),
    }
}
