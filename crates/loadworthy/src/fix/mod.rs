//! `loadworthy fix`: applies the fixes that are edits, and none that does not do what it says.

mod judge;
mod rounds;
mod summary;
mod vcs;

use std::fmt::Write as _;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use loadworthy_fix::{Change, RecoverError, WriteError, diff, recover, write};

use crate::arguments::{FixArguments, TableFormat};
use crate::failure::Failure;
use crate::load::Load;
use crate::output::print;
use crate::selection::Selection;
use crate::session::Session;

use rounds::{Fixed, Wanted};

/// Plans the fixes, shows them, and writes them if that is asked for.
pub(crate) fn run(arguments: &FixArguments) -> Result<ExitCode, Failure> {
    undo_interrupted(&arguments.project.path)?;
    let mut session = Session::open(&arguments.project)?;
    let selection = Selection::new(&arguments.only, &arguments.skip)?;
    let load = Load::without_traffic(&arguments.known, arguments.target, &session.config)?;
    let wanted = Wanted {
        selection: &selection,
        with_review: arguments.review,
        finding: arguments.finding.as_deref(),
    };
    let fixed = rounds::fix(&mut session, &load, &wanted)?;
    session.progress.end();
    let is_json = arguments.format == TableFormat::Json;
    let is_written = decide(arguments, &session, &fixed)?;
    if is_json {
        print(&summary::json(&fixed, is_written)?)?;
    } else if is_written {
        print(&summary::text(&fixed, arguments, true))?;
    } else if !arguments.project.quiet && !is_asked(arguments) {
        anstream::eprint!("{}", summary::text(&fixed, arguments, false));
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether a person is asked.
fn is_asked(arguments: &FixArguments) -> bool {
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    is_terminal && !arguments.write && !arguments.dry_run && arguments.format == TableFormat::Terminal
}

/// Shows the difference, asks, and writes; whether it was written.
fn decide(arguments: &FixArguments, session: &Session, fixed: &Fixed) -> Result<bool, Failure> {
    let root = &session.project.root;
    if !arguments.write && arguments.format == TableFormat::Terminal {
        print(&coloured(&patch(fixed)))?;
    }
    if fixed.changes.is_empty() {
        return Ok(false);
    }
    let writes = arguments.write || (is_asked(arguments) && confirmed(arguments, fixed)?);
    if !writes {
        return Ok(false);
    }
    if !arguments.allow_dirty {
        vcs::refuse_dirty(root, fixed.changes.keys())?;
    }
    let changes: Result<Vec<Change>, _> = fixed
        .changes
        .iter()
        .map(|(path, change)| Change::of(root, path, change.before.as_deref(), &change.after))
        .collect();
    let written = changes.map_err(WriteError::from).and_then(|changes| write(root, &changes));
    written.map(|()| true).map_err(|error| unwritten(&error))
}

fn unwritten(error: &WriteError) -> Failure {
    let failure = Failure::usage(error.to_string());
    match error {
        WriteError::Change(_) => failure.hint("nothing was changed; run it again"),
        WriteError::Journal(RecoverError::Running) => failure.hint("wait for it to end"),
        _ => failure,
    }
}

/// The difference of all files.
fn patch(fixed: &Fixed) -> String {
    let parts = fixed.changes.iter().map(|(path, it)| diff(path, it.before.as_deref(), &it.after));
    parts.collect()
}

/// A patch with the colours that `git diff` gives; the output stream takes them out where they are not wanted.
fn coloured(patch: &str) -> String {
    let mut text = String::new();
    for line in patch.split_inclusive('\n') {
        let colour = match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => "1",
            [b'+', ..] => "32",
            [b'-', ..] => "31",
            [b'@', ..] => "36",
            _ => {
                text.push_str(line);
                continue;
            }
        };
        let bare = line.strip_suffix('\n').unwrap_or(line);
        let _ = write!(text, "\u{1b}[{colour}m{bare}\u{1b}[0m");
        text.push_str(line.get(bare.len()..).unwrap_or_default());
    }
    text
}

fn confirmed(arguments: &FixArguments, fixed: &Fixed) -> Result<bool, Failure> {
    anstream::eprint!("{}", summary::text(fixed, arguments, false));
    anstream::eprint!("Write these changes? [y/N] ");
    let failed = |error: io::Error| Failure::internal(format!("the answer can't be read: {error}"));
    io::stderr().flush().map_err(failed)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Sets the files back that an earlier run left half done.
fn undo_interrupted(root: &Path) -> Result<(), Failure> {
    let recovered = recover(root).map_err(|error| match error {
        RecoverError::Running => Failure::usage(error.to_string()).hint("wait for it to end"),
        RecoverError::Io { .. } => Failure::usage(error.to_string())
            .hint("an earlier run was interrupted; its files can't be set back until this is settled"),
    })?;
    if let Some(recovered) = recovered {
        let restored = summary::count(recovered.restored.len(), "file was", "files were");
        anstream::eprintln!("note: an earlier run was interrupted; {restored} set back");
        for (path, aside) in &recovered.kept {
            anstream::eprintln!("note: {path} was changed since; how it was before lies in {aside}");
        }
    }
    Ok(())
}
