//! Why a task could not be done.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

/// What went wrong, and where.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The tests, or what is built, are at fault; Cargo has said why.
    #[error("{0} failed")]
    Red(String),
    /// The arguments or a file named by them.
    #[error("{0}")]
    Usage(String),
    /// A file or folder.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A program that did not start or did not do its work.
    #[error("{program}: {message}")]
    Program {
        /// Its name.
        program: String,
        /// What it said.
        message: String,
    },
}

impl Failure {
    /// 1 something is red; 2 wrong use; 3 the surroundings.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Red(_) => 1,
            Self::Usage(_) => 2,
            Self::File { .. } | Self::Program { .. } => 3,
        }
    }

    /// Makes an I/O error one about `path`.
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        |source| Self::File { path, source }
    }

    /// A program's failure.
    pub(crate) fn of(program: impl Into<String>, message: impl Display) -> Self {
        Self::Program { program: program.into(), message: format!("{message}").trim().to_owned() }
    }
}
