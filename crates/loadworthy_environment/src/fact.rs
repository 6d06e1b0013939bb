//! A fact with its evidence, and what would settle it where the code can't.

use std::fmt;

/// A value inferred from the project.
#[derive(Clone, Debug, PartialEq)]
pub struct Known<T> {
    /// What was found, or what the audit calculates with.
    pub value: T,
    /// How sure it is.
    pub confidence: Confidence,
    /// How it is known.
    pub basis: Basis,
    /// Where it was found.
    pub evidence: Vec<Place>,
    /// Set where the files of the project do not settle it.
    pub needs_confirmation: Option<NeedsConfirmation>,
}

/// How sure a fact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// A guess from a hint.
    Low,
    /// Stated, but something outside the project may override it.
    Medium,
    /// Stated where it takes effect.
    High,
}

/// How a value is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// Read from the files of the project.
    Read,
    /// The library, server or platform sets it where nobody else does.
    Default,
    /// Nothing says it: what the audit calculates with.
    Assumed,
    /// Set by the user of the audit.
    Override,
}

/// A place in the project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, relative to the root.
    pub file: String,
    /// One-based line; `None` for the file as a whole.
    pub line: Option<u32>,
    /// What stands there. Never the value of a secret.
    pub note: String,
}

/// What would settle a fact that the project does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NeedsConfirmation {
    /// The file, setting or command to look at.
    pub look_at: String,
    /// What depends on it.
    pub matters_because: String,
}

/// A fact as it is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// A stable key (`database.pool.max`).
    pub key: &'static str,
    /// What it is about.
    pub name: String,
    /// What was found, or the default that the audit calculates with.
    pub value: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// How it is known.
    pub basis: Basis,
    /// Where it was found.
    pub evidence: Vec<Place>,
    /// Set where the files of the project do not settle it.
    pub needs_confirmation: Option<NeedsConfirmation>,
}

impl<T> Known<T> {
    pub(crate) fn read(value: T, confidence: Confidence, evidence: Vec<Place>) -> Self {
        Self { value, confidence, basis: Basis::Read, evidence, needs_confirmation: None }
    }

    /// A default of a library, server or platform.
    pub(crate) fn default_of(value: T, evidence: Vec<Place>) -> Self {
        Self {
            value,
            confidence: Confidence::Medium,
            basis: Basis::Default,
            evidence,
            needs_confirmation: None,
        }
    }

    pub(crate) fn assumed(value: T, look_at: impl Into<String>, matters_because: impl Into<String>) -> Self {
        Self {
            value,
            confidence: Confidence::Low,
            basis: Basis::Assumed,
            evidence: Vec::new(),
            needs_confirmation: Some(NeedsConfirmation::new(look_at, matters_because)),
        }
    }

    pub(crate) fn overridden(value: T) -> Self {
        Self {
            value,
            confidence: Confidence::High,
            basis: Basis::Override,
            evidence: Vec::new(),
            needs_confirmation: None,
        }
    }

    pub(crate) fn confirm(mut self, look_at: impl Into<String>, matters_because: impl Into<String>) -> Self {
        self.needs_confirmation = Some(NeedsConfirmation::new(look_at, matters_because));
        self
    }

    pub(crate) fn with_evidence(mut self, evidence: impl IntoIterator<Item = Place>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// The same fact about a value derived from this one.
    pub(crate) fn map<U>(self, derive: impl FnOnce(T) -> U) -> Known<U> {
        Known {
            value: derive(self.value),
            confidence: self.confidence,
            basis: self.basis,
            evidence: self.evidence,
            needs_confirmation: self.needs_confirmation,
        }
    }

    /// Whether the value was read or set, not filled in.
    #[must_use]
    pub fn is_stated(&self) -> bool {
        matches!(self.basis, Basis::Read | Basis::Override)
    }
}

impl NeedsConfirmation {
    pub(crate) fn new(look_at: impl Into<String>, matters_because: impl Into<String>) -> Self {
        Self { look_at: look_at.into(), matters_because: matters_because.into() }
    }
}

impl Place {
    pub(crate) fn at(file: &str, line: u32, note: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: Some(line), note: note.into() }
    }

    pub(crate) fn whole(file: &str, note: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, note: note.into() }
    }
}

impl Confidence {
    /// The word shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "High",
            Self::Medium => "Medium",
            Self::Low => "Low",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Basis {
    /// The word shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Default => "default",
            Self::Assumed => "assumed",
            Self::Override => "override",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "{}:{line}", self.file),
            None => formatter.write_str(&self.file),
        }
    }
}
