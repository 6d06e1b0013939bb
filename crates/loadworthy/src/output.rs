//! Where reports go, and their writing.

use std::fs;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use loadworthy_analysis::Program;
use loadworthy_checks::{CHECKS, Meta};
use loadworthy_report::{
    Color, Detail, Report, Rule, TerminalOptions, agent, github, github_summary, gitlab, html, json, junit,
    markdown, sarif, terminal,
};
use serde::Serialize;

use crate::arguments::{AuditArguments, Format};
use crate::failure::Failure;
use crate::location::text_of;

/// One report to write: its form, and its file unless it goes to the standard output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Destination {
    pub(crate) format: Format,
    pub(crate) file: Option<PathBuf>,
}

/// The reports that are asked for: each `--format` with the `--output` that follows it. `matches` knows the order.
pub(crate) fn destinations(
    arguments: &AuditArguments,
    matches: &ArgMatches,
) -> Result<Vec<Destination>, Failure> {
    let at = |name: &str| matches.indices_of(name).into_iter().flatten().collect::<Vec<usize>>();
    let formats = at("format").into_iter().zip(arguments.format.iter().map(|format| Word::Format(*format)));
    let outputs = at("output").into_iter().zip(arguments.output.iter().map(Word::Output));
    let mut words: Vec<(usize, Word<'_>)> = formats.chain(outputs).collect();
    words.sort_by_key(|(at, _)| *at);
    paired(words.into_iter().map(|(_, word)| word), is_read_by_agent())
}

enum Word<'a> {
    Format(Format),
    Output(&'a PathBuf),
}

/// Environment variables that coding agents set for the commands which they run.
const AGENTS: [&str; 6] =
    ["CLAUDECODE", "CURSOR_AGENT", "CODEX_SANDBOX", "GEMINI_CLI", "OPENCODE", "AI_AGENT"];

/// Whether a coding agent reads the output: it says so, and no person looks on.
fn is_read_by_agent() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !io::stdout().is_terminal() && AGENTS.iter().any(|name| is_set(name))
}

/// `is_agent`: what is written where nothing was asked for is read by a coding agent.
fn paired<'a>(words: impl Iterator<Item = Word<'a>>, is_agent: bool) -> Result<Vec<Destination>, Failure> {
    let mut destinations: Vec<Destination> = Vec::new();
    let mut open = None;
    for word in words {
        match word {
            Word::Format(format) => {
                destinations.extend(open.replace(format).map(to_standard_output));
            }
            Word::Output(file) => {
                let format = open.take().map_or_else(|| by_extension(file), Ok)?;
                let file = (file.as_os_str() != "-").then(|| file.clone());
                destinations.push(Destination { format, file });
            }
        }
    }
    destinations.extend(open.map(to_standard_output));
    if destinations.is_empty() {
        destinations.push(to_standard_output(if is_agent { Format::Agent } else { Format::Terminal }));
    }
    if destinations.iter().filter(|destination| destination.file.is_none()).count() > 1 {
        return Err(Failure::usage("two reports can't go to the standard output").hint(
            "name a file for each: --format json --output report.json --format markdown --output report.md",
        ));
    }
    Ok(destinations)
}

fn to_standard_output(format: Format) -> Destination {
    Destination { format, file: None }
}

fn by_extension(file: &Path) -> Result<Format, Failure> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("json") => Ok(Format::Json),
        Some("md" | "markdown") => Ok(Format::Markdown),
        Some("txt") => Ok(Format::Terminal),
        Some("html" | "htm") => Ok(Format::Html),
        Some("sarif") => Ok(Format::Sarif),
        Some("xml") => Ok(Format::Junit),
        _ if file.as_os_str() == "-" => Ok(Format::Terminal),
        _ => Err(Failure::usage(format!("which form shall {} have?", file.display())).hint(
            "put --format (terminal, markdown, json, html, sarif, github, gitlab, junit, agent) before --output",
        )),
    }
}

/// Writes the reports.
pub(crate) fn write(
    program: &Program<'_>,
    report: &Report,
    destinations: &[Destination],
    is_quiet: bool,
) -> Result<(), Failure> {
    for destination in destinations {
        if destination.format == Format::Github {
            summarise(report)?;
        }
        match &destination.file {
            None => print(&rendered(program, report, destination.format, &on_standard_output(is_quiet)))?,
            Some(file) => {
                let text = rendered(program, report, destination.format, &TerminalOptions::default());
                fs::write(file, text).map_err(|error| Failure::file(file, error))?;
            }
        }
    }
    Ok(())
}

fn rendered(program: &Program<'_>, report: &Report, format: Format, options: &TerminalOptions) -> String {
    match format {
        Format::Terminal => terminal(report, options, &|path| text_of(program, path)),
        Format::Markdown => markdown(report),
        Format::Json => json(report),
        Format::Html => html(report),
        Format::Sarif => sarif(report, &rules()),
        Format::Github => github(report),
        Format::Gitlab => gitlab(report),
        Format::Junit => junit(report, &rules()),
        Format::Agent => agent(report),
    }
}

/// The checks, for the forms that list them.
fn rules() -> Vec<Rule> {
    let rule = |meta: &Meta| Rule {
        code: meta.code.to_owned(),
        slug: meta.slug.to_owned(),
        summary: meta.summary.to_owned(),
        page: meta.documentation(),
    };
    CHECKS.iter().map(|check| rule(check.meta())).collect()
}

/// Adds the summary of a GitHub job to the file that the workflow names.
fn summarise(report: &Report) -> Result<(), Failure> {
    let Some(file) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty()) else {
        return Ok(());
    };
    let file = PathBuf::from(file);
    let text = github_summary(report);
    fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&file)
        .and_then(|mut open| open.write_all(text.as_bytes()))
        .map_err(|error| Failure::file(&file, error))
}

/// Colours and width as the standard output has them.
fn on_standard_output(is_quiet: bool) -> TerminalOptions {
    let has_color = match anstream::ColorChoice::global() {
        anstream::ColorChoice::Auto => {
            anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
        }
        choice => choice != anstream::ColorChoice::Never,
    };
    let default = TerminalOptions::default();
    let width = terminal_size::terminal_size().map_or(default.width, |(width, _)| usize::from(width.0));
    TerminalOptions {
        color: if has_color { Color::Always } else { Color::Never },
        detail: if is_quiet { Detail::Quiet } else { Detail::All },
        width: if io::stdout().is_terminal() { width } else { default.width },
    }
}

/// Prints to the standard output; a reader that has gone away (`| head`) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::internal(format!("the standard output can't be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// A value as JSON, with a line's end.
pub(crate) fn json_text(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::internal(format!("the JSON could not be written: {error}")))?;
    Ok(text + "\n")
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    print(&json_text(value)?)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::arguments::Arguments;

    fn of(words: &[&str]) -> Result<Vec<(Format, Option<String>)>, Failure> {
        let matches = Arguments::command().try_get_matches_from([&["loadworthy"], words].concat()).unwrap();
        let arguments = Arguments::from_arg_matches(&matches).unwrap();
        let found = destinations(&arguments.audit, &matches)?;
        Ok(found.into_iter().map(|it| (it.format, it.file.map(|file| file.display().to_string()))).collect())
    }

    #[test]
    fn each_output_belongs_to_the_format_before_it() {
        let file = |name: &str| Some(name.to_owned());
        assert_eq!(of(&[]).unwrap(), [(Format::Terminal, None)]);
        assert_eq!(of(&["--format", "json"]).unwrap(), [(Format::Json, None)]);
        assert_eq!(
            of(&["--format", "json", "--output", "a", "--format", "markdown", "--output", "b", "x"]).unwrap(),
            [(Format::Json, file("a")), (Format::Markdown, file("b"))]
        );
        assert_eq!(
            of(&["--format", "terminal", "--format", "json", "-o", "a"]).unwrap(),
            [(Format::Terminal, None), (Format::Json, file("a"))]
        );
    }

    #[test]
    fn an_output_without_format_goes_by_its_extension() {
        assert_eq!(of(&["-o", "r.md"]).unwrap(), [(Format::Markdown, Some("r.md".to_owned()))]);
        assert_eq!(of(&["--format", "json", "-o", "-"]).unwrap(), [(Format::Json, None)]);
        assert!(of(&["-o", "report"]).is_err());
    }

    #[test]
    fn two_reports_on_the_standard_output_are_refused() {
        assert!(of(&["--format", "json", "--format", "markdown"]).is_err());
    }
}
