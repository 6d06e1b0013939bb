//! How the command can fail, and its exit codes.

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

/// A failure as the user reads it.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    code: u8,
}

impl Failure {
    /// Wrong use or configuration.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, code: 2 }
    }

    /// A file that the user named.
    pub(crate) fn file(path: &Path, problem: impl Display) -> Self {
        Self::usage(format!("{}: {problem}", path.display()))
    }

    /// The tool's own fault, or that of the machine.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, code: 3 }
    }

    /// With what to try.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Writes the message to the error stream.
    pub(crate) fn report(&self) -> ExitCode {
        anstream::eprintln!("error: {}", self.message);
        if let Some(hint) = &self.hint {
            anstream::eprintln!("  help: {hint}");
        }
        ExitCode::from(self.code)
    }
}
