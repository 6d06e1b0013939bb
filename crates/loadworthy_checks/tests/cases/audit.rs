//! The audit of an application on disk, as the cases need it: tiers, places and severities.

use std::path::Path;
use std::sync::LazyLock;

use loadworthy_analysis::{Analysis, Program, Resolver};
use loadworthy_capacity::{Severity, Target};
use loadworthy_checks::{Audit, Finding, Fix, Forecast, Mix, Place, Setting, Verdict, route_name, run_all};
use loadworthy_environment::Overrides;
use loadworthy_knowledge::Knowledge;
use loadworthy_project::{Diagnostic, DiscoverOptions, Project};
use loadworthy_syntax::STACK_BYTES;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::marks::Tier;

/// One thing that was reported.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) tier: Tier,
    pub(crate) code: &'static str,
    pub(crate) severity: Severity,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) title: String,
    pub(crate) missing_fact: String,
    pub(crate) fix: Fix,
    /// What every finding must have and this one lacks.
    pub(crate) gaps: Vec<&'static str>,
}

/// What came of an audit.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) got: Vec<Got>,
    /// "GET /orders (src/app.ts:4)".
    pub(crate) routes: Vec<String>,
    /// What could not be read: a case must be free of it.
    pub(crate) diagnostics: Vec<String>,
}

/// Parsing and lowering recurse: their threads need large stacks.
static POOL: LazyLock<Result<ThreadPool, String>> = LazyLock::new(|| {
    ThreadPoolBuilder::new().stack_size(STACK_BYTES).build().map_err(|error| error.to_string())
});

/// Audits a folder with the checks of these codes.
pub(crate) fn audit(root: &Path, is_wanted: impl Fn(&str) -> bool + Send + Sync) -> Result<Outcome, String> {
    let project = Project::discover(root, &DiscoverOptions::default()).map_err(|error| error.to_string())?;
    let pool = POOL.as_ref().map_err(Clone::clone)?;
    Ok(pool.install(|| {
        let program = Program::read(&project, Knowledge::builtin());
        let analysis = Analysis::new(&program);
        let setting = Setting::infer(&analysis, Target::default(), &Overrides::default(), &Mix::Usual);
        let found = run_all(&analysis, &setting, is_wanted);
        let resolver = Resolver::new(&program);
        let audit = Audit::new(&analysis, &resolver, &setting);
        let forecast = Forecast::of(&audit, &found);
        Outcome {
            got: found.iter().map(|finding| got(&audit, &forecast, finding)).collect(),
            routes: analysis
                .routes()
                .iter()
                .map(|route| format!("{} ({})", route_name(route), audit.place_of(route.site)))
                .collect(),
            diagnostics: project.diagnostics.iter().chain(program.diagnostics()).map(sentence).collect(),
        }
    }))
}

fn got(audit: &Audit<'_, '_>, forecast: &Forecast, finding: &Finding) -> Got {
    let (file, line) = place(audit, &finding.place);
    let (tier, missing_fact) = match &finding.verdict {
        Verdict::Proven => (Tier::Finding, String::new()),
        Verdict::Suspicious { missing_fact } => (Tier::Suspicious, missing_fact.clone()),
    };
    Got {
        tier,
        code: finding.meta.code,
        severity: finding.assess(audit, forecast).severity,
        file,
        line,
        title: finding.words.title.clone(),
        gaps: gaps(finding, tier, &missing_fact),
        missing_fact,
        fix: finding.fix.clone(),
    }
}

fn place(audit: &Audit<'_, '_>, place: &Place) -> (String, u32) {
    match place {
        Place::Line { file, first, .. } => (file.clone(), *first),
        Place::Code(site) => {
            let line = audit.program().lowered(site.0).map_or(1, |module| module.lines_of(site.1).0);
            (audit.program().path(site.0).to_owned(), line)
        }
    }
}

fn gaps(finding: &Finding, tier: Tier, missing_fact: &str) -> Vec<&'static str> {
    let words = &finding.words;
    let rules = [
        (!words.title.trim().is_empty() && !words.title.contains('\n'), "a title of one line"),
        (!words.problem.trim().is_empty(), "a problem"),
        (!words.verify.trim().is_empty(), "a step that verifies it"),
        (!words.tradeoff.trim().is_empty(), "a trade-off"),
        (!finding.fix.description.trim().is_empty(), "a description of its fix"),
        (!finding.evidence.is_empty(), "evidence"),
        (finding.evidence.iter().all(|step| !step.note.trim().is_empty()), "a note on each step of evidence"),
        (tier == Tier::Finding || !missing_fact.trim().is_empty(), "a missing fact"),
    ];
    rules.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what).collect()
}

fn sentence(diagnostic: &Diagnostic) -> String {
    let file = diagnostic.file.as_deref().unwrap_or("the app");
    let line = diagnostic.line.map_or_else(String::new, |line| format!(":{line}"));
    format!("{file}{line}: {}", diagnostic.message)
}
