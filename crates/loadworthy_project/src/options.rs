//! What can be asked of discovery, and how it can fail.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Choices for [`Project::discover`](crate::Project::discover).
#[derive(Clone, Debug)]
pub struct DiscoverOptions {
    /// Source files above this many bytes are skipped, with a diagnostic.
    pub max_file_bytes: u64,
    /// Globs relative to the root; a file or folder which matches one is left out.
    pub exclude: Vec<String>,
    /// Texts in place of those on disk, and of files that are not there yet, by relative path: the project as it would
    /// be after changes that are not written.
    pub changes: Arc<BTreeMap<String, String>>,
}

impl Default for DiscoverOptions {
    fn default() -> Self {
        Self { max_file_bytes: 1024 * 1024, exclude: Vec::new(), changes: Arc::default() }
    }
}

/// Why there is no project to look at.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// The root does not exist.
    #[error("{} does not exist", .0.display())]
    NoSuchPath(PathBuf),
    /// The root is a file.
    #[error("{} is not a folder", .0.display())]
    NotADirectory(PathBuf),
    /// The root may not be read.
    #[error("{} can not be read: {source}", .path.display())]
    NotReadable {
        /// The root as given.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A glob of [`DiscoverOptions::exclude`] is invalid.
    #[error("invalid exclude pattern `{pattern}`: {message}")]
    BadPattern {
        /// The glob as given.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
}
