//! `loadworthy routes`: the route table.

use std::fmt::Write;
use std::path::Path;

use loadworthy_analysis::{Handler, Program, Resolver, Route, Site, routes};
use loadworthy_knowledge::Knowledge;
use loadworthy_project::{Diagnostic, DiscoverOptions, Project};
use serde::Serialize;

use crate::arguments::TableFormat;
use crate::failure::Failure;

/// Prints the route table.
pub(crate) fn run(path: &Path, format: TableFormat, threads: usize) -> Result<(), Failure> {
    let project = Project::discover(path, &DiscoverOptions::default())
        .map_err(|error| Failure::usage(error.to_string()))?;
    let program = Program::load(&project, Knowledge::builtin(), threads)
        .map_err(|error| Failure::internal(format!("the worker threads could not be started: {error}")))?;
    let diagnostics: Vec<&Diagnostic> = project.diagnostics.iter().chain(program.diagnostics()).collect();
    let text = match format {
        TableFormat::Terminal => table(&program),
        TableFormat::Json => json(&program, &diagnostics)
            .map_err(|error| Failure::internal(format!("the report could not be written: {error}")))?,
    };
    anstream::print!("{text}");
    if format == TableFormat::Terminal {
        for diagnostic in diagnostics {
            anstream::eprintln!("note: {}", sentence(diagnostic));
        }
    }
    Ok(())
}

fn sentence(diagnostic: &Diagnostic) -> String {
    match (&diagnostic.file, diagnostic.line) {
        (Some(file), Some(line)) => format!("{file}:{line}: {}", diagnostic.message),
        (Some(file), None) => format!("{file}: {}", diagnostic.message),
        (None, _) => diagnostic.message.clone(),
    }
}

#[derive(Serialize)]
struct Report<'r> {
    routes: Vec<Row>,
    diagnostics: Vec<Note<'r>>,
}

#[derive(Serialize)]
struct Row {
    kind: &'static str,
    framework: String,
    method: String,
    path: String,
    mounted: bool,
    registered: Place,
    middleware: Vec<String>,
    handler: Option<Place>,
}

#[derive(Serialize)]
struct Place {
    file: String,
    line: u32,
}

#[derive(Serialize)]
struct Note<'r> {
    file: Option<&'r str>,
    line: Option<u32>,
    message: &'r str,
}

/// One JSON object with `routes` and `diagnostics`.
fn json(program: &Program<'_>, diagnostics: &[&Diagnostic]) -> Result<String, serde_json::Error> {
    let notes =
        diagnostics.iter().map(|it| Note { file: it.file.as_deref(), line: it.line, message: &it.message });
    let report = Report { routes: rows(program), diagnostics: notes.collect() };
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

/// A table for people.
fn table(program: &Program<'_>) -> String {
    let rows = rows(program);
    let width = rows.iter().map(|row| row.path.len()).max().unwrap_or(0).min(60);
    let mut text = String::new();
    for row in &rows {
        let handler = row.handler.as_ref().unwrap_or(&row.registered);
        let through = if row.middleware.is_empty() {
            String::new()
        } else {
            format!("  [{}]", row.middleware.join(", "))
        };
        let prefix = if row.mounted { "" } else { "  (mounted nowhere that was found)" };
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "{:<7} {:<width$}  {}:{}{through}{prefix}",
            row.method, row.path, handler.file, handler.line
        );
    }
    let _ = writeln!(text, "{} route{}", rows.len(), if rows.len() == 1 { "" } else { "s" });
    text
}

fn rows(program: &Program<'_>) -> Vec<Row> {
    let resolver = Resolver::new(program);
    routes(&resolver).into_iter().map(|route| row(program, route)).collect()
}

fn row(program: &Program<'_>, route: Route) -> Row {
    Row {
        kind: route.kind.as_str(),
        framework: program.knowledge().library(route.framework).id.clone(),
        registered: place(program, route.site),
        middleware: route.middleware.iter().map(|handler| name(program, handler)).collect(),
        handler: route.handler.map(|handler| handler_place(program, &handler)),
        method: route.method,
        path: route.path,
        mounted: route.is_mounted,
    }
}

fn handler_place(program: &Program<'_>, handler: &Handler) -> Place {
    let function = handler.functions.first().and_then(|(file, function)| {
        let node = program.module(*file)?.function(*function)?.node;
        Some(place(program, (*file, node)))
    });
    function.unwrap_or_else(|| place(program, handler.site))
}

fn place(program: &Program<'_>, (file, node): Site) -> Place {
    let line = program.module(file).map_or(1, |module| module.lines_of(node).0);
    Place { file: program.path(file).to_owned(), line }
}

/// The expression that was registered, on one line and without control characters.
pub(crate) fn name(program: &Program<'_>, handler: &Handler) -> String {
    const LONGEST: usize = 40;
    let (file, node) = handler.site;
    let source = program.module(file).map_or("", |module| module.source(node));
    let words: Vec<_> = source.split_whitespace().collect();
    let line: String = words.join(" ").chars().filter(|letter| !letter.is_control()).collect();
    if line.chars().count() <= LONGEST {
        return line;
    }
    let (line_start, _) = program.module(file).map_or((1, 1), |module| module.lines_of(node));
    let head: String = line.chars().take(LONGEST - 1).collect();
    format!("{head}… (line {line_start})")
}
