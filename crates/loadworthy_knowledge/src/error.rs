//! What can be wrong with knowledge a user supplies.

/// Why knowledge could not be read.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// The text is not TOML, or a row has an unknown column, word or version range.
    #[error("cannot read {file}: {source}")]
    Toml {
        /// Which text.
        file: &'static str,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// A row names a library without a `[[library]]` row.
    #[error("[[{row}]] {name}: no library `{lib}`")]
    UnknownLibrary {
        /// The kind of row.
        row: &'static str,
        /// What the row is about.
        name: String,
        /// The missing library.
        lib: String,
    },
    /// A `[[handle]]` row lacks a column its `op` needs, or has one it cannot have.
    #[error("[[handle]] {lib} {name}: {problem}")]
    Handle {
        /// The row's library.
        lib: String,
        /// The row's name.
        name: String,
        /// What is wrong.
        problem: &'static str,
    },
}
