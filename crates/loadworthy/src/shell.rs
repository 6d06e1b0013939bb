//! What a shell and its manual know of the command.

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output::print;

/// Prints completions.
pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "loadworthy", &mut text);
    print(&String::from_utf8_lossy(&text))
}

/// Prints the manual page.
pub(crate) fn man() -> Result<(), Failure> {
    let mut text = Vec::new();
    let rendered = Man::new(Arguments::command()).render(&mut text);
    rendered.map_err(|error| Failure::internal(format!("the manual page could not be written: {error}")))?;
    print(&String::from_utf8_lossy(&text))
}
