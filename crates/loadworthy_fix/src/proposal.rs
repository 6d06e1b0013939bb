//! What a fix proposes.

/// The edits of one fix: taken whole or not at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposal {
    /// What names it; no two proposals share one.
    pub id: String,
    /// The lower, the earlier it is planned.
    pub rank: u32,
    /// Replacements in files that exist.
    pub edits: Vec<Edit>,
    /// Files that it adds.
    pub files: Vec<NewFile>,
    /// Packages that it needs.
    pub packages: Vec<NewPackage>,
}

/// A replacement of a range of bytes; of nothing, where `start` is `end`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Edit {
    /// Relative path with `/`.
    pub file: String,
    /// First byte replaced, from 0, in the text without byte order mark.
    pub start: usize,
    /// Byte after the last one replaced.
    pub end: usize,
    /// What takes their place, lines ended by `\n`.
    pub replacement: String,
}

impl Edit {
    /// Whether two edits can't both be done. Insertions at one place, and next to a replaced range, can.
    #[must_use]
    pub fn collides(&self, other: &Self) -> bool {
        if self.file != other.file || self == other {
            return false;
        }
        match (self.start == self.end, other.start == other.end) {
            (true, true) => false,
            (true, false) => other.start < self.start && self.start < other.end,
            (false, true) => self.start < other.start && other.start < self.end,
            (false, false) => self.start < other.end && other.start < self.end,
        }
    }
}

/// A file to add.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewFile {
    /// Relative path with `/`.
    pub path: String,
    /// Its text, lines ended by `\n`.
    pub text: String,
}

/// A package to declare.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPackage {
    /// Its name.
    pub name: String,
    /// The range of its versions.
    pub range: String,
    /// Relative path of the `package.json`.
    pub manifest: String,
}
