//! Tasks of the workspace: `cargo xtask test` runs every test.

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("test") => test(),
        other => {
            report(&format!("unknown task {other:?}; known: test"));
            ExitCode::from(2)
        }
    }
}

/// All tests of all crates; Cargo's own output is the report.
fn test() -> ExitCode {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    match Command::new(cargo).args(["test", "--workspace", "--locked"]).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            report(&format!("cargo could not be started: {error}"));
            ExitCode::from(3)
        }
    }
}

#[allow(clippy::print_stderr, reason = "the task runner speaks to a terminal")]
fn report(message: &str) {
    eprintln!("xtask: {message}");
}
