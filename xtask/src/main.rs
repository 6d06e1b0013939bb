//! Tasks of the workspace: `cargo xtask test | cases | real | evidence | new-check | generate | eval | bench`.

mod bare_parse;
mod bench;
mod browser;
mod cargo;
mod cases;
mod eval;
mod failure;
mod generate;
mod measure;
mod new_check;
mod real;
mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;

/// Tasks of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run every test: those of the crates, the generated documents, the demos and the servers of the evidence on real
    /// Node.js and PostgreSQL, the HTML report in Chromium.
    Test,
    /// Run the examples of the checks: their pages, cases and apps.
    Cases(cases::Options),
    /// Install and start the demos on real Node.js and PostgreSQL, and count their statements against the audit; open the HTML
    /// report in Chromium.
    Real,
    /// Start small servers before and after a fix, and measure what their findings say.
    Evidence {
        /// Which of `examples/evidence`; all, where none is named.
        scenarios: Vec<String>,
    },
    /// Begin a check: its file, its first case and its line in the registry.
    NewCheck(new_check::Options),
    /// Write the documents that follow from the code: check pages, command line, report schema.
    Generate(generate::Options),
    /// Audit real applications at pinned commits and compare with a recorded run.
    Eval(eval::Options),
    /// Time the audit against a bare parse of the same files.
    Bench(bench::Options),
    /// Parse the files named in a list, one a line, and nothing else: what `bench` compares with.
    #[command(hide = true)]
    BareParse(bare_parse::Options),
    /// Run one program and print what it used, as JSON: the child of `eval` and `bench`.
    #[command(hide = true)]
    Measure(measure::Options),
}

fn main() -> ExitCode {
    match run(&Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(task: &Task) -> Result<(), Failure> {
    match task {
        Task::Test => {
            cargo::test()?;
            generate::run(&generate::Options::checking())?;
            real::run()
        }
        Task::Real => real::run(),
        Task::Evidence { scenarios } => real::evidence(scenarios),
        Task::Cases(options) => cases::run(options),
        Task::NewCheck(options) => new_check::run(options),
        Task::Generate(options) => generate::run(options),
        Task::Eval(options) => eval::run(options),
        Task::Bench(options) => bench::run(options),
        Task::BareParse(options) => bare_parse::run(options),
        Task::Measure(options) => measure::run(options),
    }
}

#[allow(clippy::print_stderr, reason = "the task runner speaks to a terminal")]
fn complain(failure: &Failure) {
    eprintln!("xtask: {failure}");
}

/// Progress and results, for people.
#[allow(clippy::print_stdout, reason = "the task runner speaks to a terminal")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}
