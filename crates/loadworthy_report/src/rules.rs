//! What a check is, for the forms that list rules beside findings.

/// A check as forms for machines know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// "1A".
    pub code: String,
    /// "n-plus-one".
    pub slug: String,
    /// One line.
    pub summary: String,
    /// Its page as Markdown.
    pub page: String,
}
