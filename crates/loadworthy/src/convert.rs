//! From what the checks say to the report's model, in an order that does not depend on threads.

use std::collections::BTreeMap;

use loadworthy_analysis::{Analysis, EntryKind, Resolver, Route, UNKNOWN_PART};
use loadworthy_capacity::{self as capacity, Target};
use loadworthy_checks::{self as checks, Audit, Forecast, Observed, Place, Setting, Verdict};
use loadworthy_knowledge::Effect;
use loadworthy_project::{Diagnostic, DiagnosticKind};
use loadworthy_report::{self as report, FingerprintOf, fingerprint};

use crate::location::{location, of_site, text_of};

/// Proven problems and suspicious patterns, each from the worst to the least.
#[derive(Default)]
pub(crate) struct Converted {
    pub(crate) findings: Vec<report::Finding>,
    pub(crate) suspicious: Vec<report::Suspicion>,
    /// The route table.
    pub(crate) routes: Vec<report::Route>,
}

/// Puts severities, places, names and words to what the checks found.
pub(crate) fn convert(analysis: &Analysis<'_>, setting: &Setting, found: Vec<checks::Finding>) -> Converted {
    let resolver = Resolver::new(analysis.program());
    let audit = Audit::new(analysis, &resolver, setting);
    let mut converted = Converted::default();
    let mut ordinals = BTreeMap::new();
    let forecast = Forecast::of(&audit, &found);
    for finding in found {
        let verdict = finding.verdict.clone();
        let finding = one(&audit, &forecast, &mut ordinals, finding);
        match verdict {
            Verdict::Proven => converted.findings.push(finding),
            Verdict::Suspicious { missing_fact } => {
                converted.suspicious.push(report::Suspicion { finding, missing_fact });
            }
        }
    }
    let routes = analysis.routes().iter().enumerate();
    converted.routes = routes.map(|(at, it)| route(&audit, it, at, &forecast)).collect();
    converted.findings.sort_by(|a, b| order(a).cmp(&order(b)));
    converted.suspicious.sort_by(|a, b| order(&a.finding).cmp(&order(&b.finding)));
    converted
}

type Order<'f> = (std::cmp::Reverse<report::Severity>, &'f str, &'f report::Location, &'f str, &'f str);

fn order(finding: &report::Finding) -> Order<'_> {
    (std::cmp::Reverse(finding.severity), &finding.check, &finding.location, &finding.title, &finding.id)
}

/// How often each identity was met so far.
type Ordinals = BTreeMap<(&'static str, String, String, String), u32>;

fn one(
    audit: &Audit<'_, '_>,
    forecast: &Forecast,
    ordinals: &mut Ordinals,
    finding: checks::Finding,
) -> report::Finding {
    let assessment = finding.assess(audit, forecast);
    let location = location(audit.program(), &finding.place);
    report::Finding {
        id: id_of(audit, ordinals, &finding, &location.file),
        check: finding.meta.code.to_owned(),
        slug: finding.meta.slug.to_owned(),
        severity: severity(assessment.severity),
        confidence: confidence(finding.confidence),
        category: category(finding.meta.category),
        title: finding.words.title,
        location,
        evidence: finding.evidence.iter().map(|step| evidence(audit, step)).collect(),
        contexts: contexts(audit, &finding.place),
        routes: finding.routes.unwrap_or_else(|| routes_of(audit, &finding.place)),
        problem: finding.words.problem,
        impact: impact(assessment, finding.assumptions),
        verify: finding.words.verify,
        fix: fix(finding.fix),
        tradeoff: finding.words.tradeoff,
    }
}

fn id_of(audit: &Audit<'_, '_>, ordinals: &mut Ordinals, finding: &checks::Finding, file: &str) -> String {
    let (symbol, source) = match &finding.place {
        Place::Code(site) => (audit.symbol(*site), source_of(audit, *site)),
        Place::Line { file, first, .. } => (String::new(), line_of(audit, file, *first)),
    };
    let check = finding.meta.code;
    let ordinal = ordinals.entry((check, file.to_owned(), symbol.clone(), source.clone())).or_insert(0);
    let id = fingerprint(&FingerprintOf { check, file, symbol: &symbol, source: &source, ordinal: *ordinal });
    *ordinal += 1;
    id
}

fn source_of(audit: &Audit<'_, '_>, (file, node): loadworthy_analysis::Site) -> String {
    audit.program().lowered(file).map_or_else(String::new, |module| module.source(node).to_owned())
}

fn line_of(audit: &Audit<'_, '_>, file: &str, line: u32) -> String {
    let text = text_of(audit.program(), file).unwrap_or_default();
    text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default().to_owned()
}

fn routes_of(audit: &Audit<'_, '_>, place: &Place) -> Vec<String> {
    let Place::Code(site) = place else { return Vec::new() };
    let mut names: Vec<String> = Vec::new();
    for name in audit.route_names(*site) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn contexts(audit: &Audit<'_, '_>, place: &Place) -> Vec<report::Context> {
    use loadworthy_analysis::Context;
    let Place::Code(site) = place else { return Vec::new() };
    let contexts = audit.contexts(*site).iter().map(|context| match context {
        Context::PerRequest => report::Context::PerRequest,
        Context::PerJob => report::Context::PerJob,
        Context::PerRender => report::Context::PerRender,
        Context::PerEvent => report::Context::PerEvent,
        Context::Startup => report::Context::Startup,
    });
    contexts.collect()
}

fn evidence(audit: &Audit<'_, '_>, step: &checks::Evidence) -> report::Evidence {
    let at = location(audit.program(), &step.place);
    report::Evidence {
        file: at.file,
        start_line: at.start_line,
        end_line: at.end_line,
        note: step.note.clone(),
    }
}

fn impact(assessment: capacity::Assessment, assumed: Vec<String>) -> report::Impact {
    let figures = assessment.figures.into_iter();
    let mut assumptions = assumed;
    for assumption in assessment.assumptions {
        if !assumptions.contains(&assumption) {
            assumptions.push(assumption);
        }
    }
    report::Impact {
        text: assessment.text,
        figures: figures
            .map(|figure| (figure.name.to_owned(), report::Figure::new(figure.value, figure.unit)))
            .collect(),
        assumptions,
    }
}

fn fix(fix: checks::Fix) -> report::Fix {
    let edits = fix.edits.into_iter().map(|edit| report::Edit {
        file: edit.file,
        start_offset: edit.start,
        end_offset: edit.end,
        replacement: edit.replacement,
    });
    report::Fix {
        description: fix.description,
        edits: edits.collect(),
        files: fix.files.into_iter().map(|it| report::NewFile { path: it.path, text: it.text }).collect(),
        packages: fix
            .packages
            .into_iter()
            .map(|it| report::NewPackage { name: it.name, range: it.range, manifest: it.manifest })
            .collect(),
        config: fix.setting.map(|(file, setting, value)| report::ConfigChange { file, setting, value }),
        before: fix.before,
        after: fix.after,
        applicability: match fix.applicability {
            checks::Applicability::Safe => report::Applicability::Safe,
            checks::Applicability::Review => report::Applicability::Review,
            checks::Applicability::Manual => report::Applicability::Manual,
        },
    }
}

fn severity(severity: capacity::Severity) -> report::Severity {
    match severity {
        capacity::Severity::Monitor => report::Severity::Monitor,
        capacity::Severity::Medium => report::Severity::Medium,
        capacity::Severity::High => report::Severity::High,
        capacity::Severity::Critical => report::Severity::Critical,
    }
}

fn confidence(confidence: checks::Confidence) -> report::Confidence {
    match confidence {
        checks::Confidence::Low => report::Confidence::Low,
        checks::Confidence::Medium => report::Confidence::Medium,
        checks::Confidence::High => report::Confidence::High,
    }
}

fn category(category: checks::Category) -> report::Category {
    match category {
        checks::Category::Database => report::Category::Database,
        checks::Category::Memory => report::Category::Memory,
        checks::Category::Async => report::Category::Async,
        checks::Category::Runtime => report::Category::Runtime,
        checks::Category::Resilience => report::Category::Resilience,
        checks::Category::Frontend => report::Category::Frontend,
    }
}

/// A route of the report.
fn route(audit: &Audit<'_, '_>, route: &Route, at: usize, forecast: &Forecast) -> report::Route {
    let program = audit.program();
    report::Route {
        method: route.method.clone(),
        path: route.path.clone(),
        location: of_site(program, route.site),
        middleware: route.middleware.iter().map(|it| crate::routes::name(program, it)).collect(),
        queries_per_request: forecast.queries(at),
        p95_millis: forecast.p95_millis(audit, at),
        traffic_share: (audit.traffic.share(at) * 1e4).round() / 1e4,
        left_out: left_out(audit, route),
    }
}

/// Why a load test does not drive a route.
fn left_out(audit: &Audit<'_, '_>, route: &Route) -> Option<String> {
    if route.kind != EntryKind::Http {
        return Some(format!("it is no plain HTTP route ({})", route.kind.as_str()));
    }
    if route.path.contains(UNKNOWN_PART) {
        return Some(String::from("its path is not constant"));
    }
    let works = audit.analysis.works();
    let functions = route.handler.iter().flat_map(|handler| &handler.functions);
    let paid = functions.clone().any(|function| {
        works
            .of(*function)
            .any(|effect| matches!(effect, Effect::PaymentCall | Effect::LlmCall | Effect::MailSend))
    });
    if paid {
        return Some(String::from("it pays, mails or asks a paid service: drive it against a stub"));
    }
    let calls_out =
        functions.clone().any(|function| works.of(*function).any(|effect| effect == Effect::HttpRequest));
    if calls_out && route.method != "GET" {
        return Some(String::from("it changes something at another service: drive it against a stub"));
    }
    if route.method == "DELETE" {
        return Some(String::from("it destroys data: add it with rows made for it"));
    }
    let takes_file = route.middleware.iter().any(|handler| {
        let name = crate::routes::name(audit.program(), handler).to_lowercase();
        name.contains("upload") || name.contains("multer")
    });
    takes_file.then(|| String::from("it takes a file: add it with a body of its kind"))
}

/// A diagnostic of the report.
pub(crate) fn diagnostic(diagnostic: &Diagnostic) -> report::Diagnostic {
    report::Diagnostic {
        kind: match diagnostic.kind {
            DiagnosticKind::Syntax
            | DiagnosticKind::Config
            | DiagnosticKind::Lockfile
            | DiagnosticKind::NotText
            | DiagnosticKind::Unreadable => report::DiagnosticKind::NotParsed,
            DiagnosticKind::TooLarge | DiagnosticKind::Limit => report::DiagnosticKind::LimitReached,
            DiagnosticKind::Encoding | DiagnosticKind::Empty => report::DiagnosticKind::Note,
        },
        file: diagnostic.file.clone(),
        line: diagnostic.line,
        message: diagnostic.message.clone(),
    }
}

/// The traffic mix as a fact of the report.
pub(crate) fn traffic_mix(observed: &Observed) -> report::Fact {
    report::Fact {
        fact: String::from("traffic mix"),
        value: observed.source.clone(),
        confidence: report::Confidence::High,
        evidence: Vec::new(),
        needs_confirmation: None,
    }
}

/// The target of the report.
pub(crate) fn target(target: &Target) -> report::Target {
    report::Target {
        users: target.users,
        requests_per_second: target.requests_per_second,
        duration_seconds: target.duration_seconds,
        p95_millis: target.p95_millis,
        error_rate: target.error_rate,
    }
}
