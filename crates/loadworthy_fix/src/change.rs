//! A file as it is on disk and as it shall be.

use std::fs;
use std::io;
use std::path::Path;

/// A file that changes or is added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Relative path with `/`.
    pub path: String,
    /// The bytes on disk; `None` where there is no file.
    pub before: Option<Vec<u8>>,
    /// The bytes that it gets.
    pub after: Vec<u8>,
}

/// Why a file can't be changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It could not be read.
    #[error("{path} can not be read: {source}")]
    Unreadable {
        /// Relative path.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// It is not the text that the edits were made for.
    #[error("{0} has changed since it was audited")]
    Stale(String),
    /// Its bytes are not UTF-8, so that places in it are not certain.
    #[error("{0} is not UTF-8")]
    NotUtf8(String),
    /// It may not be written.
    #[error("{0} is read-only")]
    ReadOnly(String),
    /// It is a link, or lies behind one.
    #[error("{0} is a symbolic link or lies behind one")]
    Link(String),
}

const BYTE_ORDER_MARK: &str = "\u{feff}";

impl Change {
    /// The change of a file whose text was `audited` (without byte order mark) into `after`; a byte order mark stays.
    ///
    /// # Errors
    /// Where the file is not what was audited, is not UTF-8, is read-only or a link.
    pub fn of(root: &Path, path: &str, audited: Option<&str>, after: &str) -> Result<Self, ChangeError> {
        let before = read(root, path)?;
        let Some(bytes) = before else {
            return match audited {
                Some(_) => Err(ChangeError::Stale(path.to_owned())),
                None => Ok(Self { path: path.to_owned(), before: None, after: after.as_bytes().to_vec() }),
            };
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| ChangeError::NotUtf8(path.to_owned()))?;
        let (mark, content) = match text.strip_prefix(BYTE_ORDER_MARK) {
            Some(content) => (BYTE_ORDER_MARK, content),
            None => ("", text),
        };
        if audited != Some(content) {
            return Err(ChangeError::Stale(path.to_owned()));
        }
        let after = [mark.as_bytes(), after.as_bytes()].concat();
        Ok(Self { path: path.to_owned(), before: Some(bytes), after })
    }

    /// Whether the disk still holds what the change was made for.
    ///
    /// # Errors
    /// Where it does not, or the file may not be written.
    pub fn check(&self, root: &Path) -> Result<(), ChangeError> {
        if read(root, &self.path)? == self.before {
            Ok(())
        } else {
            Err(ChangeError::Stale(self.path.clone()))
        }
    }
}

/// The bytes of a file that may be written; `None` where there is none.
fn read(root: &Path, path: &str) -> Result<Option<Vec<u8>>, ChangeError> {
    let unreadable = |source| ChangeError::Unreadable { path: path.to_owned(), source };
    let mut location = root.to_path_buf();
    for name in path.split('/') {
        location.push(name);
        match fs::symlink_metadata(&location) {
            Ok(it) if it.is_symlink() => return Err(ChangeError::Link(path.to_owned())),
            Ok(it) if it.is_file() && it.permissions().readonly() => {
                return Err(ChangeError::ReadOnly(path.to_owned()));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        }
    }
    fs::read(&location).map(Some).map_err(unreadable)
}
