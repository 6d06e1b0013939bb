//! npm version ranges of rows, and the choice between rows by an installed version.

use node_semver::{Range, Version};
use serde::Deserialize;
use serde::de::Error as _;

/// An npm semver range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    text: Box<str>,
    range: Range,
}

impl Versions {
    /// The range as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether an installed version, or the lowest of a declared range, is in it. A pre-release
    /// counts as its release.
    #[must_use]
    pub fn contains(&self, version: &str) -> bool {
        installed(version).is_some_and(|version| self.range.satisfies(&version))
    }

    pub(crate) fn is_any(&self) -> bool {
        &*self.text == "*"
    }

    /// How far a version outside the range is from the nearest version the range mentions.
    fn distance(&self, version: &Version) -> u64 {
        let own = weight(version.major, version.minor);
        self.mentioned().map(|at| at.abs_diff(own)).min().unwrap_or(u64::MAX)
    }

    fn newest(&self) -> u64 {
        self.mentioned().max().unwrap_or(0)
    }

    /// The weights of the (partial) versions in the text.
    fn mentioned(&self) -> impl Iterator<Item = u64> {
        self.text.split(|c: char| !c.is_ascii_digit() && c != '.').filter(|part| !part.is_empty()).map(
            |part| {
                let mut numbers = part.split('.').map(|number| number.parse().unwrap_or(0));
                weight(numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
            },
        )
    }
}

impl<'de> Deserialize<'de> for Versions {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        let range = Range::parse(&text)
            .map_err(|_| D::Error::custom(format_args!("not an npm version range: `{text}`")))?;
        Ok(Self { text: text.into(), range })
    }
}

const fn weight(major: u64, minor: u64) -> u64 {
    major.saturating_mul(10_000).saturating_add(minor)
}

/// The release of an installed version, or the lowest one of a declared range.
pub(crate) fn installed(version: &str) -> Option<Version> {
    let mut version = match Version::parse(version) {
        Ok(version) => version,
        Err(_) if version.contains(|c: char| c.is_ascii_digit()) => {
            Range::parse(version).ok()?.min_version()?
        }
        Err(_) => return None,
    };
    version.pre_release.clear();
    Some(version)
}

/// A row, and whether it was stated for the version asked about.
#[derive(Debug, Clone, Copy)]
pub struct Nearest<'k, T> {
    /// The row.
    pub row: &'k T,
    /// False: no row covers the version, this one is the nearest (or no version is known and the
    /// row holds only for some; then it is the newest).
    pub is_exact: bool,
}

/// A row that may hold for some versions only.
pub(crate) trait Versioned {
    fn versions(&self) -> Option<&Versions>;
}

/// Exact; fit otherwise; stated for some versions only; closeness of an inexact one.
type Key = (bool, u8, bool, u64);

/// The best of some rows, each with how well it fits otherwise. Of equal rows the first.
pub(crate) fn choose<'k, T: Versioned>(
    rows: impl Iterator<Item = (u8, &'k T)>,
    version: Option<&Version>,
) -> Option<Nearest<'k, T>> {
    let mut best: Option<(Key, &'k T)> = None;
    for (fit, row) in rows {
        let (is_exact, is_specific, closeness) = match (row.versions(), version) {
            (None, _) => (true, false, 0),
            (Some(range), _) if range.is_any() => (true, false, 0),
            (Some(range), None) => (false, true, range.newest()),
            (Some(range), Some(version)) if range.range.satisfies(version) => (true, true, 0),
            (Some(range), Some(version)) => (false, true, u64::MAX - range.distance(version)),
        };
        let key = (is_exact, fit, is_specific, closeness);
        if best.as_ref().is_none_or(|(known, _)| key > *known) {
            best = Some((key, row));
        }
    }
    best.map(|((is_exact, ..), row)| Nearest { row, is_exact })
}
