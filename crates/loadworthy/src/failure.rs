//! How the command can fail, and its exit codes.

use std::process::ExitCode;

/// A failure as the user reads it.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// Wrong use or configuration.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 2 }
    }

    /// The tool's own fault.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 3 }
    }

    /// Writes the message to the error stream.
    pub(crate) fn report(&self) -> ExitCode {
        anstream::eprintln!("error: {}", self.message);
        ExitCode::from(self.code)
    }
}
