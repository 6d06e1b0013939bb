//! `loadworthy audit`: discover, read, link, check, assess, report.

use loadworthy_analysis::{Analysis, Program};
use loadworthy_capacity::{Environment, Target};
use loadworthy_checks::run_all;
use loadworthy_knowledge::Knowledge;
use loadworthy_project::{DiscoverOptions, Project};
use loadworthy_report::{Audited, Report, SCHEMA_VERSION, Tool, plan, score};
use loadworthy_syntax::STACK_BYTES;

use crate::arguments::AuditArguments;
use crate::convert::{self, Converted, convert};
use crate::failure::Failure;
use crate::output;
use crate::selection::Selection;

/// Runs the audit and writes its reports.
pub(crate) fn run(arguments: &AuditArguments) -> Result<(), Failure> {
    let selection = Selection::new(&arguments.only, &arguments.skip)?;
    let target = arguments.target.over(Target::default());
    let options = DiscoverOptions { exclude: arguments.exclude.clone(), ..DiscoverOptions::default() };
    let project =
        Project::discover(&arguments.path, &options).map_err(|error| Failure::usage(error.to_string()))?;
    let pool = pool(arguments.threads)?;
    let environment = Environment::default();
    pool.install(|| {
        let program = Program::read(&project, Knowledge::builtin());
        let analysis = Analysis::new(&program);
        let found = run_all(&analysis, &environment, &target, |code| selection.includes(code));
        let report = report(&analysis, &target, convert(&analysis, &environment, &target, found));
        output::write(&program, &report, arguments.format);
    });
    Ok(())
}

/// Threads whose stacks hold the deepest tree.
pub(crate) fn pool(threads: usize) -> Result<rayon::ThreadPool, Failure> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK_BYTES)
        .build()
        .map_err(|error| Failure::internal(format!("the worker threads could not be started: {error}")))
}

fn report(analysis: &Analysis<'_>, target: &Target, converted: Converted) -> Report {
    let Converted { findings, suspicious } = converted;
    let target = convert::target(target);
    let routes = analysis.routes();
    let route_count = routes.iter().filter(|route| route.kind.is_per_request()).count();
    let program = analysis.program();
    let diagnostics = program.project().diagnostics.iter().chain(program.diagnostics());
    Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: String::from("loadworthy"), version: env!("CARGO_PKG_VERSION").to_owned() },
        environment: Vec::new(),
        score: score(&Audited { findings: &findings, suspicious: &suspicious, route_count }),
        packages: Vec::new(),
        plan: plan(&findings, route_count, &target),
        findings,
        suspicious,
        routes: routes.iter().map(|route| convert::route(analysis, route)).collect(),
        diagnostics: diagnostics.map(convert::diagnostic).collect(),
        target,
    }
}
