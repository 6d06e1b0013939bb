//! Writing all changes, or none.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::change::{Change, ChangeError};
use crate::journal::{self, Entries, Entry, JOURNAL, RecoverError, digest};

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file is not what the change was made for, or may not be written.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// A run was interrupted and has to be undone first, or is under way.
    #[error(transparent)]
    Journal(#[from] RecoverError),
    /// The system does not allow it; the files are as they were.
    #[error("{path}: {source}; nothing was changed")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system does not allow it, nor to set the files back; `loadworthy fix` does it when it is run again.
    #[error("{path}: {source}; and the files could not be set back ({undo})")]
    Torn {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
        /// Why it could not be undone.
        undo: RecoverError,
    },
}

/// Writes all changes, or sets the files back as they were. A run that is killed midway is undone by
/// [`recover`](crate::recover).
///
/// # Errors
/// Where nothing was written.
pub fn write(root: &Path, changes: &[Change]) -> Result<(), WriteError> {
    write_with(root, changes, &mut |_| Ok(()))
}

/// As [`write`]; `before` is asked before each step on the disk.
pub(crate) fn write_with(
    root: &Path,
    changes: &[Change],
    before: &mut dyn FnMut(&Path) -> io::Result<()>,
) -> Result<(), WriteError> {
    for change in changes {
        change.check(root)?;
    }
    let folder = root.join(JOURNAL);
    fs::create_dir(&folder).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => WriteError::Journal(RecoverError::Running),
        _ => WriteError::Io { path: folder.clone(), source },
    })?;
    let lock = journal::lock(&folder)?;
    let mut writing = Writing { root, folder: &folder, before };
    let result = writing.all(changes);
    drop(lock);
    match result {
        Ok(()) => Ok(()),
        Err((path, source)) => match journal::undo(root, &folder) {
            Ok(_) => Err(WriteError::Io { path, source }),
            Err(undo) => Err(WriteError::Torn { path, source, undo }),
        },
    }
}

type Failed = (PathBuf, io::Error);

struct Writing<'w> {
    root: &'w Path,
    folder: &'w Path,
    before: &'w mut dyn FnMut(&Path) -> io::Result<()>,
}

impl Writing<'_> {
    fn all(&mut self, changes: &[Change]) -> Result<(), Failed> {
        let entries = self.prepare(changes)?;
        for made in &entries.folders {
            let location = self.root.join(made);
            self.step(&location, |location| match fs::create_dir(location) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                other => other,
            })?;
        }
        for (at, change) in changes.iter().enumerate() {
            let new = self.folder.join(format!("{at}.new"));
            let location = self.root.join(&change.path);
            self.step(&location, |location| fs::rename(&new, location))?;
            self.step(&location, |location| synced(location.parent().unwrap_or(location)))?;
        }
        // From here the new tree counts.
        self.step(&self.folder.join("armed"), |armed| fs::remove_file(armed))?;
        // What is left of a journal that is not armed says that nothing is to be undone.
        let _ = self.step(self.folder, |folder| fs::remove_dir_all(folder));
        Ok(())
    }

    /// Everything that undoing needs, and then the mark that it is there.
    fn prepare(&mut self, changes: &[Change]) -> Result<Entries, Failed> {
        let mut entries = Entries::default();
        for (at, change) in changes.iter().enumerate() {
            let location = self.root.join(&change.path);
            let (old, new) = (self.folder.join(format!("{at}.old")), self.folder.join(format!("{at}.new")));
            self.step(&new, |new| file(new, &change.after))?;
            if let Some(bytes) = &change.before {
                let permissions = fs::metadata(&location).map(|it| it.permissions());
                self.step(&old, |old| {
                    file(old, bytes)?;
                    let permissions = permissions?;
                    fs::set_permissions(old, permissions.clone())?;
                    fs::set_permissions(&new, permissions)
                })?;
            }
            entries.folders.extend(self.missing_folders(&change.path, &entries.folders));
            entries.files.push(Entry {
                path: change.path.clone(),
                existed: change.before.is_some(),
                new_digest: digest(&change.after),
            });
        }
        let text = serde_json::to_vec(&entries)
            .map_err(|error| (self.folder.to_owned(), io::Error::other(error)))?;
        self.step(&self.folder.join("entries.json"), |path| file(path, &text))?;
        self.step(&self.folder.join("armed"), |path| file(path, b""))?;
        self.step(self.folder, synced)?;
        Ok(entries)
    }

    /// The folders above a path that are not there, outer ones first.
    fn missing_folders(&self, path: &str, known: &[String]) -> Vec<String> {
        let ends = path.match_indices('/').filter_map(|(end, _)| path.get(..end));
        ends.filter(|folder| !known.iter().any(|it| it == folder) && !self.root.join(folder).exists())
            .map(str::to_owned)
            .collect()
    }

    fn step<T>(&mut self, path: &Path, act: impl FnOnce(&Path) -> io::Result<T>) -> Result<T, Failed> {
        (self.before)(path).and_then(|()| act(path)).map_err(|error| (path.to_owned(), error))
    }
}

/// Writes a file and waits until the disk has it.
fn file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Waits until the disk has the entries of a folder; elsewhere than on Unix folders can't be opened.
fn synced(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::journal::recover;

    /// The files of a folder.
    fn tree(root: &Path) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                    files.insert(name, fs::read_to_string(&path).unwrap());
                }
            }
        }
        files
    }

    /// A project, the changes of it, and the trees before and after.
    fn project() -> (tempfile::TempDir, Vec<Change>, BTreeMap<String, String>, BTreeMap<String, String>) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("src")).unwrap();
        fs::write(dir.path().join("src/a.js"), "old a").unwrap();
        fs::write(dir.path().join("b.js"), "old b").unwrap();
        fs::write(dir.path().join("c.js"), "untouched").unwrap();
        let old = tree(dir.path());
        let change = |path: &str, before: Option<&str>, after: &str| {
            Change::of(dir.path(), path, before, after).unwrap()
        };
        let changes = vec![
            change("src/a.js", Some("old a"), "new a"),
            change("migrations/2/up.sql", None, "new up"),
            change("b.js", Some("old b"), "new b"),
        ];
        let mut new = old.clone();
        for change in &changes {
            new.insert(change.path.clone(), String::from_utf8(change.after.clone()).unwrap());
        }
        (dir, changes, old, new)
    }

    #[test]
    fn all_changes_are_written_and_the_journal_is_gone() {
        let (dir, changes, _, new) = project();
        write(dir.path(), &changes).unwrap();
        assert_eq!(tree(dir.path()), new);
        assert_eq!(recover(dir.path()).unwrap(), None);
    }

    #[test]
    fn an_error_at_any_step_leaves_the_old_tree() {
        for failing in 0.. {
            let (dir, changes, old, new) = project();
            let mut step = 0;
            let result = write_with(dir.path(), &changes, &mut |_| {
                step += 1;
                if step - 1 == failing { Err(io::Error::other("disk full")) } else { Ok(()) }
            });
            if step <= failing {
                assert!(failing > 10, "{failing} steps");
                assert!(result.is_ok());
                return;
            }
            if result.is_ok() {
                // The journal could not be removed after everything was written.
                assert_eq!(recover(dir.path()).unwrap(), Some(journal::Recovered::default()));
                assert_eq!(tree(dir.path()), new);
            } else {
                assert_eq!(tree(dir.path()), old, "step {failing}");
                assert!(!dir.path().join("migrations").exists());
            }
        }
    }

    #[test]
    fn a_kill_at_any_step_leaves_the_old_or_the_new_tree_after_recovery() {
        for failing in 0.. {
            let (dir, changes, old, new) = project();
            let mut step = 0;
            let result = catch_unwind(AssertUnwindSafe(|| {
                write_with(dir.path(), &changes, &mut |_| {
                    step += 1;
                    assert!(step - 1 != failing, "killed");
                    Ok(())
                })
            }));
            if result.is_ok() {
                assert!(failing > 10, "{failing} steps");
                return;
            }
            recover(dir.path()).unwrap();
            let left = tree(dir.path());
            assert!(left == old || left == new, "step {failing}: {left:?}");
            assert_eq!(recover(dir.path()).unwrap(), None);
            write(dir.path(), &changes).map_or_else(|_| assert_eq!(left, new), |()| assert_eq!(left, old));
        }
    }

    #[test]
    fn what_somebody_changed_after_a_kill_is_kept() {
        let (dir, changes, old, _) = project();
        let mut renamed = 0;
        let root = dir.path().to_owned();
        let _ = catch_unwind(AssertUnwindSafe(|| {
            write_with(&root, &changes, &mut |path| {
                renamed += usize::from(path == root.join("b.js"));
                assert!(renamed != 2, "killed after b.js came to its place");
                Ok(())
            })
        }));
        fs::write(dir.path().join("b.js"), "mine").unwrap();
        let recovered = recover(dir.path()).unwrap().unwrap();
        assert_eq!(recovered.restored, ["src/a.js", "migrations/2/up.sql"]);
        let left = tree(dir.path());
        assert_eq!(left["b.js"], "mine");
        assert_eq!(left[&recovered.kept["b.js"]], old["b.js"]);
        assert_eq!(left["src/a.js"], old["src/a.js"]);
    }

    #[test]
    fn a_file_that_changed_since_is_not_written() {
        let (dir, changes, _, _) = project();
        fs::write(dir.path().join("b.js"), "newer b").unwrap();
        let before = tree(dir.path());
        let error = write(dir.path(), &changes).unwrap_err();
        assert_eq!(error.to_string(), "b.js has changed since it was audited");
        assert_eq!(tree(dir.path()), before);
    }

    #[test]
    fn nothing_is_written_while_another_run_writes() {
        let (dir, changes, old, _) = project();
        let mut inner = None;
        write_with(dir.path(), &changes, &mut |_| {
            if inner.is_none() {
                inner = Some((write(dir.path(), &changes), recover(dir.path())));
            }
            Ok(())
        })
        .unwrap();
        let (written, recovered) = inner.unwrap();
        assert!(matches!(written, Err(WriteError::Journal(RecoverError::Running))), "{written:?}");
        assert!(matches!(recovered, Err(RecoverError::Running)), "{recovered:?}");
        assert_ne!(tree(dir.path()), old);
    }

    #[cfg(unix)]
    #[test]
    fn modes_stay_and_links_and_read_only_files_are_refused() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let (dir, changes, _, _) = project();
        let root = dir.path();
        fs::set_permissions(root.join("b.js"), fs::Permissions::from_mode(0o755)).unwrap();
        write(root, &changes).unwrap();
        assert_eq!(fs::metadata(root.join("b.js")).unwrap().permissions().mode() & 0o777, 0o755);
        fs::set_permissions(root.join("c.js"), fs::Permissions::from_mode(0o444)).unwrap();
        let read_only = Change::of(root, "c.js", Some("untouched"), "x");
        assert_eq!(read_only.unwrap_err().to_string(), "c.js is read-only");
        symlink(root.join("b.js"), root.join("link.js")).unwrap();
        assert!(matches!(Change::of(root, "link.js", Some("new b"), "x"), Err(ChangeError::Link(_))));
        symlink(root.join("src"), root.join("linked")).unwrap();
        assert!(matches!(Change::of(root, "linked/new.js", None, "x"), Err(ChangeError::Link(_))));
    }

    #[test]
    fn byte_order_marks_stay_and_other_encodings_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.js"), "\u{feff}old").unwrap();
        let change = Change::of(dir.path(), "a.js", Some("old"), "new").unwrap();
        assert_eq!(change.after, "\u{feff}new".as_bytes());
        fs::write(dir.path().join("b.js"), b"caf\xe9").unwrap();
        let refused = Change::of(dir.path(), "b.js", Some("caf\u{fffd}"), "new");
        assert!(matches!(refused, Err(ChangeError::NotUtf8(_))));
    }
}
