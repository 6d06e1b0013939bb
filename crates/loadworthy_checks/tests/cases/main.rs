//! Examples as tests: the pages of the checks, `cases/<check>/*.md` and the apps of `tests/apps`. Each says in comments
//! what must be found on its lines; CONTRIBUTING.md describes the form.

mod app;
mod audit;
mod compare;
mod document;
mod fixes;
mod marks;
mod own;
mod trials;

use std::process::ExitCode;

use libtest_mimic::{Arguments, run};

fn main() -> ExitCode {
    let mut trials = own::all();
    trials.extend(trials::all());
    run(&Arguments::from_args(), trials).exit_code()
}
