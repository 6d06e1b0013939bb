//! The command: arguments, wiring and exit codes; nothing else.
//!
//! Exit codes: 0 done · 2 wrong use · 3 internal error.

mod routes;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use loadworthy_analysis::Program;
use loadworthy_knowledge::Knowledge;
use loadworthy_project::{Diagnostic, DiscoverOptions, Project};

/// Tells whether a Node.js app survives a real load, and where it breaks.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Print the route table: method, full path, place, middleware and handler.
    Routes {
        /// The project's folder.
        #[arg(default_value = ".")]
        path: PathBuf,
        /// Form of the output.
        #[arg(long, value_enum, default_value_t = Format::Terminal)]
        format: Format,
        /// Number of threads; 0 means one a core.
        #[arg(long, default_value_t = 0)]
        threads: usize,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people.
    Terminal,
    /// One JSON object.
    Json,
}

fn main() -> ExitCode {
    let Task::Routes { path, format, threads } = Arguments::parse().command;
    match run(&path, format, threads) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            anstream::eprintln!("error: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

struct Failure {
    message: String,
    code: u8,
}

fn run(path: &std::path::Path, format: Format, threads: usize) -> Result<(), Failure> {
    let project = Project::discover(path, &DiscoverOptions::default())
        .map_err(|error| Failure { message: error.to_string(), code: 2 })?;
    let program = Program::load(&project, Knowledge::builtin(), threads).map_err(|error| Failure {
        message: format!("the worker threads could not be started: {error}"),
        code: 3,
    })?;
    let diagnostics: Vec<&Diagnostic> = project.diagnostics.iter().chain(program.diagnostics()).collect();
    let text = match format {
        Format::Terminal => routes::table(&program),
        Format::Json => routes::json(&program, &diagnostics).map_err(|error| Failure {
            message: format!("the report could not be written: {error}"),
            code: 3,
        })?,
    };
    anstream::print!("{text}");
    if format == Format::Terminal {
        for diagnostic in diagnostics {
            anstream::eprintln!("note: {}", sentence(diagnostic));
        }
    }
    Ok(())
}

fn sentence(diagnostic: &Diagnostic) -> String {
    match (&diagnostic.file, diagnostic.line) {
        (Some(file), Some(line)) => format!("{file}:{line}: {}", diagnostic.message),
        (Some(file), None) => format!("{file}: {}", diagnostic.message),
        (None, _) => diagnostic.message.clone(),
    }
}
