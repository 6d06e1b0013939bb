//! `loadworthy routes`: the route table.

use std::fmt::Write;

use loadworthy_analysis::{Analysis, ClientRequest, Handler, Program, Route, Site, Tallies};
use loadworthy_capacity::plain;
use loadworthy_checks::{Mix, Setting};
use loadworthy_environment::Overrides;
use loadworthy_project::Diagnostic;
use serde::Serialize;

use crate::arguments::{TableArguments, TableFormat};
use crate::capacity::words::{percent, timed};
use crate::capacity::{Forecast, RouteRow};
use crate::failure::Failure;
use crate::load::{Load, TargetArguments, tell};
use crate::output::{json_text, print};
use crate::protection;
use crate::sends::{Sends, sends};
use crate::services;
use crate::session::{Session, diagnostics};
use crate::target::target;

/// Prints the route table.
pub(crate) fn run(arguments: &TableArguments) -> Result<(), Failure> {
    let session = Session::open(&arguments.project)?;
    let load = arguments.load.then(|| Load::of(&arguments.forecast.load, &session)).transpose()?;
    session.with_analysis(|analysis| {
        session.progress.end();
        let program = analysis.program();
        let diagnostics: Vec<&Diagnostic> = diagnostics(program).collect();
        if arguments.clients {
            return print(&clients(analysis, arguments.format)?);
        }
        if arguments.services {
            let target = target(TargetArguments::default(), session.config.target)?;
            let setting =
                Setting::infer(analysis, target, &Overrides::default(), &Mix::from(&session.config.traffic));
            return print(&services::listing(analysis, &setting, arguments.format)?);
        }
        if arguments.protection {
            return print(&protection::matrix(analysis, arguments.format)?);
        }
        let mut rows = rows(analysis);
        if let Some(load) = &load {
            let times = arguments.forecast.times.times()?;
            let (forecast, mix) = Forecast::of(&session, analysis, load, times)?;
            add_load(&mut rows, &forecast);
            tell(&mix, arguments.project.quiet);
        }
        match arguments.format {
            TableFormat::Json => print(&json(rows, &diagnostics)?),
            TableFormat::Terminal => {
                print(&table(&rows))?;
                for diagnostic in diagnostics.into_iter().filter(|_| !arguments.project.quiet) {
                    anstream::eprintln!("note: {}", sentence(diagnostic));
                }
                Ok(())
            }
        }
    })
}

pub(crate) fn sentence(diagnostic: &Diagnostic) -> String {
    match (&diagnostic.file, diagnostic.line) {
        (Some(file), Some(line)) => format!("{file}:{line}: {}", diagnostic.message),
        (Some(file), None) => format!("{file}: {}", diagnostic.message),
        (None, _) => diagnostic.message.clone(),
    }
}

/// A request of a page.
#[derive(Serialize)]
struct ClientRow {
    method: String,
    path: String,
    at: Place,
    /// "GET /api/orders" of the routes that answer it; empty where none of the project does.
    routes: Vec<String>,
}

/// The requests of the pages, as a table or as JSON.
fn clients(analysis: &Analysis<'_>, format: TableFormat) -> Result<String, Failure> {
    let program = analysis.program();
    let row = |request: &ClientRequest| ClientRow {
        method: request.method.clone(),
        path: request.address.path(),
        at: place(program, request.site),
        routes: request
            .routes
            .iter()
            .filter_map(|at| analysis.routes().get(*at))
            .map(|route| format!("{} {}", route.method, route.path))
            .collect(),
    };
    let rows: Vec<ClientRow> = analysis.clients().all().iter().map(row).collect();
    if format == TableFormat::Json {
        let text = serde_json::to_string_pretty(&rows)
            .map_err(|error| Failure::internal(format!("the report could not be written: {error}")))?;
        return Ok(text + "\n");
    }
    let mut text = String::new();
    let width = rows.iter().map(|row| row.path.len()).max().unwrap_or(0).min(60);
    for row in &rows {
        let answered = if row.routes.is_empty() {
            String::from("no route of the project")
        } else {
            row.routes.join(", ")
        };
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "{:<7} {:<width$}  -> {answered}  ({}:{})",
            row.method, row.path, row.at.file, row.at.line
        );
    }
    let matched = rows.iter().filter(|row| !row.routes.is_empty()).count();
    let _ = writeln!(text, "{} requests, {matched} answered by routes of the project", rows.len());
    Ok(text)
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
    /// Whether the handler is a function of the program.
    resolved: bool,
    /// What one request sends, in the rounds of its loops.
    sends: Sends,
    /// At the target, with `--load`.
    #[serde(skip_serializing_if = "Option::is_none")]
    load: Option<RouteRow>,
}

#[derive(Serialize)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: u32,
}

#[derive(Serialize)]
struct Note<'r> {
    file: Option<&'r str>,
    line: Option<u32>,
    message: &'r str,
}

/// One JSON object with `routes` and `diagnostics`.
fn json(rows: Vec<Row>, diagnostics: &[&Diagnostic]) -> Result<String, Failure> {
    let notes =
        diagnostics.iter().map(|it| Note { file: it.file.as_deref(), line: it.line, message: &it.message });
    json_text(&Report { routes: rows, diagnostics: notes.collect() })
}

/// A table for people.
fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.path.len()).max().unwrap_or(0).min(60);
    let methods = rows.iter().map(|row| row.method.len()).max().unwrap_or(0).max(7);
    let mut text = String::new();
    for row in rows {
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
            "{:<methods$} {:<width$}  {}:{}{through}{prefix}{}{}",
            row.method,
            row.path,
            handler.file,
            handler.line,
            row.sends.words().map_or_else(String::new, |words| format!("  {words}")),
            row.load.as_ref().map_or_else(String::new, load_words)
        );
    }
    let _ = writeln!(text, "{} route{}", rows.len(), if rows.len() == 1 { "" } else { "s" });
    text
}

fn rows(analysis: &Analysis<'_>) -> Vec<Row> {
    let mut tallies = Tallies::new(analysis);
    let row = |route| row(analysis.program(), route, sends(analysis, &mut tallies, route));
    analysis.routes().iter().map(row).collect()
}

fn row(program: &Program<'_>, route: &Route, sends: Sends) -> Row {
    Row {
        sends,
        load: None,
        kind: route.kind.as_str(),
        framework: program.knowledge().library(route.framework).id.clone(),
        resolved: route.handler.as_ref().is_some_and(|handler| !handler.functions.is_empty()),
        registered: place(program, route.site),
        middleware: route.middleware.iter().map(|handler| name(program, handler)).collect(),
        handler: route.handler.as_ref().map(|handler| handler_place(program, handler)),
        method: route.method.clone(),
        path: route.path.clone(),
        mounted: route.is_mounted,
    }
}

fn add_load(rows: &mut [Row], forecast: &Forecast) {
    for route in forecast.routes() {
        if let Some(row) = rows.get_mut(route.at) {
            row.load = Some(route.clone());
        }
    }
}

/// "  12.5 req/s, loop 1.2%, pool 3%, p50 4 ms, p95 9 ms".
fn load_words(load: &RouteRow) -> String {
    format!(
        "  {} req/s, loop {}, pool {}, p50 {}, p95 {}",
        plain(load.requests_per_second),
        percent(load.event_loop),
        percent(load.connection_pool),
        timed(load.p50_millis),
        timed(load.p95_millis)
    )
}

fn handler_place(program: &Program<'_>, handler: &Handler) -> Place {
    let function = handler.functions.first().and_then(|(file, function)| {
        let node = program.module(*file)?.function(*function)?.node;
        Some(place(program, (*file, node)))
    });
    function.unwrap_or_else(|| place(program, handler.site))
}

pub(crate) fn place(program: &Program<'_>, (file, node): Site) -> Place {
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
