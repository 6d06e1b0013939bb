//! Reading the text of one file of the project.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::{Diagnostic, DiagnosticKind};

/// Configuration files (lockfiles above all) larger than this are not read.
pub(crate) const MAX_CONFIG_BYTES: u64 = 64 * 1024 * 1024;

/// Where a relative path lies on disk.
pub(crate) fn absolute(root: &Path, path: &str) -> PathBuf {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .fold(root.to_path_buf(), |folder, name| folder.join(name))
}

/// The text without byte order mark, invalid UTF-8 replaced.
pub(crate) fn text(root: &Path, path: &str, max_bytes: u64) -> Result<String, Diagnostic> {
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
