//! `loadworthy audit`: discover, read, link, check, assess, report.

use std::process::ExitCode;

use clap::ArgMatches;
use loadworthy_analysis::Analysis;
use loadworthy_checks::{Mix, Setting, run_all};
use loadworthy_report::{Audited, Report, SCHEMA_VERSION, Severity, Tool, plan, score};

use crate::arguments::AuditArguments;
use crate::baseline::{Baseline, Compared};
use crate::changes::Changes;
use crate::convert::{self, Converted, convert};
use crate::deployables;
use crate::env;
use crate::failure::Failure;
use crate::gate::Gate;
use crate::load::{self, Load};
use crate::output;
use crate::rules::Rules;
use crate::selection::Selection;
use crate::session::{Session, diagnostics};
use crate::suppression::suppress;

/// The report of an audit with everything at its default: what other commands build on.
pub(crate) fn whole(session: &Session, load: &Load) -> Result<Report, Failure> {
    session.with_analysis(|analysis| {
        let (checked, converted) = checked(session, analysis, load, |_| true)?;
        session.progress.end();
        Ok(report(analysis, &checked, converted))
    })
}

/// The report of every check, without what comments in the code silence, for a command that audits more than once.
pub(crate) fn suppressed(session: &Session, load: &Load) -> Result<Report, Failure> {
    session.with_one_analysis(|analysis| {
        let (checked, mut converted) = checked(session, analysis, load, |_| true)?;
        suppress(analysis.program(), &Selection::all(), &mut converted);
        Ok(report(analysis, &checked, converted))
    })
}

/// Runs the audit and writes its reports.
pub(crate) fn run(arguments: &AuditArguments, matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let destinations = output::destinations(arguments, matches)?;
    let session = Session::open(&arguments.project)?;
    let selection = Selection::of(arguments, &session.config)?;
    let load = Load::of(&arguments.load, &session)?;
    let gate = Gate::of(arguments, &session.config)?;
    let rules = Rules::of(&session.config.overrides)?;
    let baseline = arguments.baseline.as_deref().map(Baseline::read).transpose()?;
    let changes = arguments
        .since
        .as_deref()
        .map(|revision| Changes::since(&session.project.root, revision))
        .transpose()?;
    let verdict = session.with_analysis(|analysis| {
        let (checked, mut converted) = checked(&session, analysis, &load, |code| selection.includes(code))?;
        let comments = suppress(analysis.program(), &selection, &mut converted);
        rules.apply(&mut converted);
        let mut report = report(analysis, &checked, converted);
        report.packages = deployables::scores(&session.project, &report);
        report.diagnostics.extend(checked.0.facts.unread.iter().map(convert::diagnostic));
        report.diagnostics.extend(comments);
        let compared = baseline.as_ref().map(|it| it.apply(&session.project, &mut report));
        let unchanged = changes.as_ref().map(|it| it.apply(&mut report));
        let verdict = gate.judge(&report);
        session.progress.end();
        load::tell(&checked.1, arguments.project.quiet);
        if let Some(compared) = compared.filter(|_| !arguments.project.quiet) {
            tell(compared);
        }
        if let Some(hidden) = unchanged.filter(|_| !arguments.project.quiet) {
            let are = if hidden == 1 { "finding touches" } else { "findings touch" };
            anstream::eprintln!("note: {hidden} {are} nothing that changed, and are not shown");
        }
        let shown = above(report, gate.shown);
        output::write(analysis.program(), &shown, &destinations, arguments.project.quiet).map(|()| verdict)
    });
    Ok(verdict?.tell())
}

/// What a baseline did, on the error stream.
fn tell(compared: Compared) {
    let Compared { hidden, gone } = compared;
    let are = if hidden == 1 { "finding is" } else { "findings are" };
    anstream::eprintln!(
        "note: {hidden} {are} in the baseline and not shown; {gone} of the baseline are gone"
    );
}

/// What findings are judged against, and where the traffic mix is from.
type Judged = (Setting, Mix);

/// The findings of the selected checks, and what they were judged against.
fn checked(
    session: &Session,
    analysis: &Analysis<'_>,
    load: &Load,
    includes: impl Fn(&str) -> bool,
) -> Result<(Judged, Converted), Failure> {
    let (setting, mix) = load.setting(session, analysis)?;
    session.progress.stage("checking");
    let found = run_all(analysis, &setting, includes);
    let converted = convert(analysis, &setting, found);
    Ok(((setting, mix), converted))
}

fn report(analysis: &Analysis<'_>, (setting, mix): &Judged, converted: Converted) -> Report {
    let Converted { findings, suspicious, routes } = converted;
    let target = convert::target(&setting.target);
    let route_count = route_count(analysis);
    let mut environment = env::for_report(&setting.facts);
    let mut plan = plan(&findings, &routes, route_count, &target);
    if let Mix::Observed(observed) = mix {
        environment.push(convert::traffic_mix(observed));
        plan.load_test.weights.clone_from(&observed.source);
    }
    Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: String::from("loadworthy"), version: env!("CARGO_PKG_VERSION").to_owned() },
        environment,
        score: score(&Audited { findings: &findings, suspicious: &suspicious, route_count }),
        packages: Vec::new(),
        plan,
        findings,
        suspicious,
        routes,
        diagnostics: diagnostics(analysis.program()).map(convert::diagnostic).collect(),
        target,
    }
}

fn route_count(analysis: &Analysis<'_>) -> usize {
    analysis.routes().iter().filter(|route| route.kind.is_per_request()).count()
}

/// What is at least so severe; score and plan stay those of all.
fn above(mut report: Report, least: Severity) -> Report {
    report.findings.retain(|finding| finding.severity >= least);
    report.suspicious.retain(|suspicion| suspicion.finding.severity >= least);
    report
}
