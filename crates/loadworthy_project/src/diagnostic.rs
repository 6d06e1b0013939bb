//! What was wrong with the project's files. Bad files are data: the rest is audited.

/// Something about a file that the user should know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Path relative to the root; absent where the whole project is meant.
    pub file: Option<String>,
    /// Line, counted from 1.
    pub line: Option<u32>,
    /// What kind of thing.
    pub kind: DiagnosticKind,
    /// What happened.
    pub message: String,
}

/// Kinds of diagnostics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DiagnosticKind {
    /// Nothing to audit.
    Empty,
    /// A file could not be read.
    Unreadable,
    /// A file was left out for its size.
    TooLarge,
    /// A manifest or configuration file is broken.
    Configuration,
    /// Source text that does not parse.
    Syntax,
}

impl Diagnostic {
    pub(crate) fn of(file: &str, kind: DiagnosticKind, message: impl Into<String>) -> Self {
        Self { file: Some(file.to_owned()), line: None, kind, message: message.into() }
    }
}
