//! The examples of the checks: `cargo test -p loadworthy_checks --test cases`, in fewer words.

use std::path::PathBuf;

use clap::Args;

use crate::cargo::cargo_with;
use crate::failure::Failure;

/// Which examples, and whether they stay.
#[derive(Args)]
pub(crate) struct Options {
    /// Only examples whose name holds this ("n-plus-one", "n-plus-one/page", "app/").
    filter: Option<String>,
    /// Leave each example's application in this folder, to run the command on it.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// List the examples and run none.
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let mut arguments = vec!["test", "--quiet", "--package", "loadworthy_checks", "--test", "cases", "--"];
    arguments.extend(options.filter.as_deref());
    if options.list {
        arguments.push("--list");
    }
    let kept = options.keep.as_deref().map(|folder| std::path::absolute(folder).map_err(Failure::at(folder)));
    let kept = kept.transpose()?;
    cargo_with(&arguments, kept.as_deref().map(|folder| ("LOADWORTHY_CASES_DIR", folder.as_os_str())))
}
