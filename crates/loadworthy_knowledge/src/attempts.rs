//! How often libraries try a call by themselves: `[[attempts]]` rows.

use node_semver::Version;
use serde::Deserialize;

use crate::names::LibId;
use crate::versions::{Versioned, Versions, choose};

/// How often a library tries a call by itself, and what sets it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptsRow {
    /// The library's id.
    pub lib: String,
    /// The versions it holds for.
    pub versions: Option<Versions>,
    /// Options of the client that set it; paths with dots between their names.
    pub options: Vec<String>,
    /// What their number counts.
    pub counts: Counts,
    /// The number when nothing is set.
    pub default: f64,
    /// The library whose client it makes try again: it is called with that client, then with the options.
    pub wraps: Option<String>,
    /// Where it was read, when not the library's versions.
    pub source: Option<String>,
}

/// What the number of an option counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counts {
    /// Attempts after the first.
    Retries,
    /// All attempts.
    Attempts,
}

impl AttemptsRow {
    /// All attempts, the first included, of a number that is set.
    #[must_use]
    pub fn attempts(&self, number: f64) -> f64 {
        match self.counts {
            Counts::Retries => number + 1.0,
            Counts::Attempts => number.max(1.0),
        }
    }
}

impl Versioned for AttemptsRow {
    fn versions(&self) -> Option<&Versions> {
        self.versions.as_ref()
    }
}

/// The rows, with their libraries.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    rows: Vec<(LibId, Option<LibId>, AttemptsRow)>,
}

impl Attempts {
    pub(crate) fn add(&mut self, lib: LibId, wraps: Option<LibId>, row: AttemptsRow) {
        self.rows.push((lib, wraps, row));
    }

    /// The row of a library's own client, of the nearest versions.
    pub(crate) fn of(&self, lib: LibId, version: Option<&Version>) -> Option<&AttemptsRow> {
        let rows = self.rows.iter().filter(|(own, wraps, _)| *own == lib && wraps.is_none());
        let found = choose(rows.map(|(_, _, row)| (0, row)), version)?;
        (found.is_exact || version.is_none()).then_some(found.row)
    }

    /// The rows of libraries that make a client of this one try again.
    pub(crate) fn around(&self, lib: LibId) -> impl Iterator<Item = (LibId, &AttemptsRow)> {
        self.rows.iter().filter(move |(_, wraps, _)| *wraps == Some(lib)).map(|(own, _, row)| (*own, row))
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &AttemptsRow> {
        self.rows.iter().map(|(_, _, row)| row)
    }
}
