//! What could not be read or understood, as data.

/// Something the audit could not take into account, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Diagnostic {
    /// The file, relative to the root with `/` separators; `None` for the project as a whole.
    pub file: Option<String>,
    /// One-based line.
    pub line: Option<u32>,
    /// What kind of problem it is.
    pub kind: DiagnosticKind,
    /// One sentence for a person.
    pub message: String,
}

/// The kinds of [`Diagnostic`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiagnosticKind {
    /// A source file which does not parse (made by the later stages).
    Syntax,
    /// A broken `package.json`, `tsconfig.json` or workspace file.
    Config,
    /// A lockfile that could not be understood.
    Lockfile,
    /// A file above the size limit.
    TooLarge,
    /// Invalid UTF-8, replaced when read.
    Encoding,
    /// A file with a source extension that holds something else.
    NotText,
    /// A file or folder which vanished or may not be read.
    Unreadable,
    /// Nothing to audit.
    Empty,
    /// A limit of the tool was reached (made by the later stages).
    Limit,
}

impl Diagnostic {
    pub(crate) fn of_file(kind: DiagnosticKind, file: &str, message: impl Into<String>) -> Self {
        Self { file: Some(file.to_owned()), line: None, kind, message: message.into() }
    }

    pub(crate) fn at_line(mut self, line: Option<u32>) -> Self {
        self.line = line;
        self
    }
}
