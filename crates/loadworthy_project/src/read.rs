//! Reading the text of one file of the project.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Diagnostic, DiagnosticKind};

/// Configuration files (lockfiles above all) larger than this are not read.
pub(crate) const MAX_CONFIG_BYTES: u64 = 64 * 1024 * 1024;

/// The files below a root as they are on disk, or as they would be after changes that are not written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    pub(crate) root: PathBuf,
    /// Texts in place of those on disk, and files that are not there yet, by relative path.
    pub(crate) changes: Arc<BTreeMap<String, String>>,
}

impl Disk {
    /// The text without byte order mark, invalid UTF-8 replaced.
    pub(crate) fn text(&self, path: &str, max_bytes: u64) -> Result<String, Diagnostic> {
        match self.changes.get(path) {
            Some(text) => Ok(decode(text.clone().into_bytes())),
            None => text(&self.root, path, max_bytes),
        }
    }

    /// The bytes of a file.
    pub(crate) fn bytes(&self, path: &str) -> io::Result<Vec<u8>> {
        match self.changes.get(path) {
            Some(text) => Ok(text.clone().into_bytes()),
            None => fs::read(absolute(&self.root, path)),
        }
    }

    pub(crate) fn is_file(&self, path: &str) -> bool {
        self.changes.contains_key(path) || absolute(&self.root, path).is_file()
    }
}

/// Where a relative path lies on disk.
fn absolute(root: &Path, path: &str) -> PathBuf {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .fold(root.to_path_buf(), |folder, name| folder.join(name))
}

fn text(root: &Path, path: &str, max_bytes: u64) -> Result<String, Diagnostic> {
    let location = absolute(root, path);
    let unreadable =
        |error: &io::Error| Diagnostic::of_file(DiagnosticKind::Unreadable, path, describe(error));
    let size = fs::metadata(&location).map_err(|error| unreadable(&error))?.len();
    if size > max_bytes {
        return Err(too_large(path, size, max_bytes));
    }
    fs::read(&location).map(decode).map_err(|error| unreadable(&error))
}

/// Text of bytes, without byte order mark.
pub(crate) fn decode(bytes: Vec<u8>) -> String {
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

pub(crate) fn too_large(path: &str, size: u64, limit: u64) -> Diagnostic {
    let message = format!("skipped: too large ({size} bytes, the limit is {limit})");
    Diagnostic::of_file(DiagnosticKind::TooLarge, path, message)
}

fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "the file is gone since the project was listed".to_owned(),
        io::ErrorKind::PermissionDenied => "no permission to read the file".to_owned(),
        _ => format!("can not be read: {error}"),
    }
}
