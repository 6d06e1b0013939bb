//! What git knows of the project. Nothing that the repository configures is run.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a git command prints in `root`; `None` where there is no git.
pub(crate) fn output(root: &Path, arguments: &[&str]) -> Option<Output> {
    Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"])
        .args(["-c", "core.quotePath=false", "-c", "status.relativePaths=true"])
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .output()
        .ok()
}

/// As [`output`], as text; `None`, too, where the command fails.
pub(crate) fn text(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = output(root, arguments).filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where `root` lies in the repository (`packages/api/`): `-z` gives paths from its top.
pub(crate) fn prefix(root: &Path) -> Option<String> {
    text(root, &["rev-parse", "--show-prefix"]).map(|prefix| prefix.trim_end_matches(['\r', '\n']).to_owned())
}
