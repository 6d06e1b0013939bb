//! What Cargo does for the tasks.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;

/// All tests of all crates; Cargo's own output is the report.
pub(crate) fn test() -> Result<(), Failure> {
    cargo(&["test", "--workspace", "--locked"])
}

/// Builds packages as the tests do.
pub(crate) fn build(packages: &[&str]) -> Result<(), Failure> {
    let mut arguments = vec!["build", "--workspace", "--locked", "--quiet"];
    arguments.extend(packages.iter().flat_map(|package| ["--bin", package]));
    cargo(&arguments)
}

/// Builds packages with the release profile; the folder of their binaries.
pub(crate) fn release(packages: &[&str]) -> Result<PathBuf, Failure> {
    let mut arguments = vec!["build", "--release", "--locked", "--quiet"];
    arguments.extend(packages.iter().flat_map(|package| ["--package", package]));
    cargo(&arguments)?;
    Ok(target_folder().join("release"))
}

fn cargo(arguments: &[&str]) -> Result<(), Failure> {
    cargo_with(arguments, None)
}

/// Runs Cargo in the workspace, with one more environment variable.
pub(crate) fn cargo_with(arguments: &[&str], variable: Option<(&str, &OsStr)>) -> Result<(), Failure> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let status = Command::new(program)
        .args(arguments)
        .envs(variable)
        .current_dir(workspace())
        .status()
        .map_err(|error| Failure::of("cargo", error))?;
    if status.success() { Ok(()) } else { Err(Failure::Red(format!("cargo {}", arguments.join(" ")))) }
}

/// The root of the workspace that this task runner was built from.
pub(crate) fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// A binary of the development build.
pub(crate) fn debug_binary(name: &str) -> PathBuf {
    target_folder().join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

pub(crate) fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}
