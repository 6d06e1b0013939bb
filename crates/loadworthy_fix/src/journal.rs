//! What a run that writes keeps beside the files, so that one which is killed midway is undone.
//!
//! The folder [`JOURNAL`] in the root holds `lock` (locked while a run lives), `entries.json`, the old bytes of each file as
//! `N.old` and the new ones as `N.new`, and `armed` once all of them are there. A file is changed by renaming `N.new` to
//! its place. Removing `armed` is the moment from which the new tree counts.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The folder of the journal, in the root of the project.
pub const JOURNAL: &str = ".loadworthy-fix";

/// The files of a run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Entries {
    pub(crate) files: Vec<Entry>,
    /// Folders that were made for added files, outer ones first.
    pub(crate) folders: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) path: String,
    /// Whether the file was there before.
    pub(crate) existed: bool,
    /// SHA-256 of the new bytes, in hexadecimal digits.
    pub(crate) new_digest: String,
}

/// What was done about a run that did not end.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Files that were set back.
    pub restored: Vec<String>,
    /// Files that somebody has changed since; the old bytes lie beside them with this path.
    pub kept: BTreeMap<String, String>,
}

/// Why an interrupted run could not be undone.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// It is not interrupted: it runs.
    #[error("another `loadworthy fix` is writing to this project")]
    Running,
    /// The system does not allow it.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Whether a run that writes was interrupted in this project, or is under way.
#[must_use]
pub fn is_interrupted(root: &Path) -> bool {
    root.join(JOURNAL).is_dir()
}

/// Sets the files back that an interrupted run changed; `None` where there was none.
///
/// # Errors
/// Where a run is under way, or files can't be written; the journal stays, and it can be tried again.
pub fn recover(root: &Path) -> Result<Option<Recovered>, RecoverError> {
    let folder = root.join(JOURNAL);
    if !folder.is_dir() {
        return Ok(None);
    }
    let _lock = lock(&folder)?;
    undo(root, &folder).map(Some)
}

/// Takes the lock of a journal; it is given back when the file is closed or the process dies.
pub(crate) fn lock(folder: &Path) -> Result<File, RecoverError> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(|source| RecoverError::Io { path: path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RecoverError::Running),
        Err(TryLockError::Error(source)) => Err(RecoverError::Io { path, source }),
    }
}

/// As [`recover`], by who holds the lock.
pub(crate) fn undo(root: &Path, folder: &Path) -> Result<Recovered, RecoverError> {
    let mut recovered = Recovered::default();
    let armed = folder.join("armed");
    if armed.exists() {
        let path = folder.join("entries.json");
        let failed = |source| RecoverError::Io { path: path.clone(), source };
        let text = fs::read(&path).map_err(failed)?;
        let entries: Entries =
            serde_json::from_slice(&text).map_err(|error| failed(io::Error::other(error)))?;
        for (at, entry) in entries.files.iter().enumerate() {
            let failed = |source| RecoverError::Io { path: root.join(&entry.path), source };
            restore(root, folder, at, entry, &mut recovered).map_err(failed)?;
        }
        for made in entries.folders.iter().rev() {
            // A folder that is not empty has become somebody's.
            let _ = fs::remove_dir(root.join(made));
        }
        fs::remove_file(&armed).map_err(|source| RecoverError::Io { path: armed, source })?;
    }
    fs::remove_dir_all(folder).map_err(|source| RecoverError::Io { path: folder.to_owned(), source })?;
    Ok(recovered)
}

fn restore(
    root: &Path,
    folder: &Path,
    at: usize,
    entry: &Entry,
    recovered: &mut Recovered,
) -> io::Result<()> {
    if folder.join(format!("{at}.new")).exists() {
        // Never came to its place.
        return Ok(());
    }
    let location = root.join(&entry.path);
    let old = folder.join(format!("{at}.old"));
    if entry.existed && !old.exists() {
        // Set back by an earlier attempt.
        return Ok(());
    }
    match fs::read(&location) {
        Ok(bytes) if digest(&bytes) == entry.new_digest => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(_) => {
            if entry.existed {
                let aside = format!("{}.before-loadworthy-fix", entry.path);
                fs::rename(&old, root.join(&aside))?;
                recovered.kept.insert(entry.path.clone(), aside);
            }
            return Ok(());
        }
    }
    if entry.existed {
        fs::rename(&old, &location)?;
    } else {
        fs::remove_file(&location)?;
    }
    recovered.restored.push(entry.path.clone());
    Ok(())
}

/// SHA-256 in hexadecimal digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
