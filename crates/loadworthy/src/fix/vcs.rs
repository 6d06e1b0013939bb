//! Whether there is a way back: the state of the git working tree.

use std::path::Path;

use crate::failure::Failure;
use crate::git;

/// Refuses to write where git knows changes that are not committed, or files to be changed that it does not know.
/// Without git, or outside of a repository, there is nothing to refuse.
pub(crate) fn refuse_dirty<'p>(
    root: &Path,
    touched: impl Iterator<Item = &'p String>,
) -> Result<(), Failure> {
    let Some(status) = status(root) else { return Ok(()) };
    let touched: Vec<&String> = touched.collect();
    let is_in_the_way = |(code, path): &(String, String)| {
        code != "??" || touched.iter().any(|it| *it == path || it.starts_with(path.as_str()))
    };
    let dirty: Vec<String> = status.into_iter().filter(is_in_the_way).map(|(_, path)| path).collect();
    let Some(first) = dirty.first() else { return Ok(()) };
    let others = if dirty.len() > 1 { format!(" and {} more", dirty.len() - 1) } else { String::new() };
    Err(Failure::usage(format!("there are changes that are not committed: {first}{others}")).hint(
        "commit or stash them, so that the fixes can be told apart and taken back; or give --allow-dirty",
    ))
}

/// The state code and the path (relative to `root`) of each changed or unknown file; `None` where git can't tell.
fn status(root: &Path) -> Option<Vec<(String, String)>> {
    let arguments = ["status", "--porcelain=v1", "-z", "--untracked-files=normal", "--ignore-submodules=all"];
    let text = git::text(root, &[&arguments[..], &["--", "."]].concat())?;
    let prefix = git::prefix(root)?;
    let mut files = Vec::new();
    let mut entries = text.split('\0').filter(|entry| !entry.is_empty());
    while let Some(entry) = entries.next() {
        let (Some(code), Some(path)) = (entry.get(..2), entry.get(3..)) else { continue };
        if code.starts_with(['R', 'C']) {
            // The name that it had.
            entries.next();
        }
        let path = path.strip_prefix(prefix.as_str()).unwrap_or(path);
        files.push((code.to_owned(), path.to_owned()));
    }
    Some(files)
}
