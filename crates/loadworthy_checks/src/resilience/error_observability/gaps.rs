//! What an application does not show of itself: health, metrics, request ids, structured logs, traces. One finding for
//! each of them, which lists the applications, with the wiring as fix.

use loadworthy_analysis::{Application, EntryKind};
use loadworthy_capacity::{Cost, Severity};
use loadworthy_knowledge::{Concern, Role, Wiring};
use loadworthy_project::PackageId;
use loadworthy_syntax::Kind;

use super::META;
use super::process::{Processes, package_of};
use super::questions::{Question, question};
use super::style::Style;
use crate::audit::Audit;
use crate::edit::{behind, styled};
use crate::finding::{Applicability, Edit, Evidence, Finding, Fix, NewPackage, Place, Words};
use crate::imports::{Wanted, import, package};

/// Applications with fewer routes are taken for samples and sidecars.
const LEAST_ROUTES: usize = 3;

struct Gap {
    concern: Concern,
    /// Packages of these roles fill it.
    roles: &'static [Role],
    /// Route paths that contain one of these words do.
    paths: &'static [&'static str],
    /// Text in the code that does.
    words: &'static [&'static str],
    severity: Severity,
    title: &'static str,
    problem: &'static str,
    verify: &'static str,
    tradeoff: &'static str,
}

static GAPS: [Gap; 5] = [
    Gap {
        concern: Concern::Health,
        roles: &[],
        paths: &["health", "ready", "livez", "liveness", "alive", "heartbeat", "ping", "/status"],
        words: &["createTerminus", "HealthCheckService", "exposeStatusRoute", "healthcheck"],
        severity: Severity::Medium,
        title: "no health or readiness endpoint",
        problem: "A load balancer can't tell an instance that lost its database, or has not finished starting, from a healthy one: it keeps its share of the traffic and answers every request with an error. \
                  With several instances one broken one means a constant error rate above the target.",
        verify: "Stop the database of one instance: `curl -i localhost:3000/readyz` must answer 503 within a second, and the balancer must take the instance out.",
        tradeoff: "Readiness queries the database on every probe: keep the interval at 5 s or more, and let liveness check nothing but the process.",
    },
    Gap {
        concern: Concern::Metrics,
        roles: &[Role::Metrics, Role::Tracing],
        paths: &["metrics"],
        words: &["/metrics", "collectDefaultMetrics", "PrometheusModule"],
        severity: Severity::Medium,
        title: "no metrics",
        problem: "Nothing measures requests per second, latency percentiles, event-loop lag, heap or the pool's queue. Under the target load a saturating pool and a blocked loop look the same from outside, \
                  and the first sign of either is a timeout of a user.",
        verify: "Run the load test and query p95 by route, event-loop lag and pool wait from the metrics: each must have values.",
        tradeoff: "About 1 µs a request; keep ids and raw URLs out of labels, or the metrics themselves grow without bound.",
    },
    Gap {
        concern: Concern::RequestId,
        roles: &[Role::Tracing],
        paths: &[],
        words: &[
            "x-request-id",
            "x-correlation-id",
            "req.requestId",
            "req.id",
            "request.id",
            "request.requestId",
            "locals.requestId",
            "store.requestId",
            "requestIdMiddleware",
            "correlationId",
            "correlation_id",
            "traceId",
            "trace_id",
            "traceparent",
            "reqId",
            "genReqId",
            "pino-http",
            "nestjs-pino",
            "nestjs-cls",
        ],
        severity: Severity::Monitor,
        title: "no request id in logs",
        problem: "Log lines of concurrent requests are interleaved: at 100 req/s an error line can't be matched to its request, its user or the lines of the services behind it.",
        verify: "Send two requests at once, one of which fails: all lines of the failing one must carry the same id, which its response returns in `x-request-id`.",
        tradeoff: "AsyncLocalStorage costs a few percent of throughput on very hot paths.",
    },
    Gap {
        concern: Concern::StructuredLogs,
        roles: &[Role::Logging],
        paths: &[],
        words: &[],
        severity: Severity::Monitor,
        title: "no structured logger",
        problem: "Errors are written with `console`: lines without level, time or fields, which no log search can filter or count, and which are written synchronously when the output is a file or a terminal.",
        verify: "Query the log search for `level = error` by route during the load test: it must return counts.",
        tradeoff: "JSON lines are hard to read in a terminal: pretty-print in development only.",
    },
    Gap {
        concern: Concern::Tracing,
        roles: &[Role::Tracing],
        paths: &[],
        words: &["opentelemetry", "dd-trace", "newrelic", "elastic-apm"],
        severity: Severity::Monitor,
        title: "no tracing",
        problem: "A slow request does not say where its time went: handler, pool wait, query or external call. Without spans the causes of a p95 above the target are guessed.",
        verify: "Open the trace of one slow request: it must show the spans of its queries and outgoing calls.",
        tradeoff: "Sample (1–10 %) under load: full tracing costs 5–15 % of throughput.",
    },
];

pub(super) fn report(audit: &Audit<'_, '_>, processes: &Processes, findings: &mut Vec<Finding>) {
    let applications: Vec<&Application> =
        processes.applications().iter().filter(|it| serves_enough(audit, it)).collect();
    for gap in &GAPS {
        let lacking: Vec<&Application> =
            applications.iter().copied().filter(|it| !is_filled(audit, gap, it)).collect();
        findings.extend(finding(audit, gap, &lacking));
    }
}

fn serves_enough(audit: &Audit<'_, '_>, application: &Application) -> bool {
    let routes = audit.analysis.routes().iter();
    let own = routes.filter(|route| {
        route.kind == EntryKind::Http && package_of(audit, route.site) == Some(application.package)
    });
    own.count() >= LEAST_ROUTES
}

fn is_filled(audit: &Audit<'_, '_>, gap: &Gap, application: &Application) -> bool {
    let framework = audit.knowledge().library(application.framework).id.as_str();
    // Without code to wire it in, there is nothing to advise: the framework does it by itself.
    if audit.knowledge().wiring(gap.concern, framework).is_none() {
        return true;
    }
    has_role(audit, gap, application.package)
        || has_path(audit, gap, application.package)
        || has_word(audit, gap, application.package)
}

fn has_role(audit: &Audit<'_, '_>, gap: &Gap, package: PackageId) -> bool {
    let project = audit.program().project();
    let rows = audit.knowledge().roles().iter().filter(|row| gap.roles.contains(&row.role));
    let mut packages = rows.flat_map(|row| &row.packages);
    packages.any(|it| project.depends_on(package, it))
}

fn has_path(audit: &Audit<'_, '_>, gap: &Gap, package: PackageId) -> bool {
    audit.analysis.routes().iter().any(|route| {
        route.kind == EntryKind::Http
            && package_of(audit, route.site) == Some(package)
            && gap.paths.iter().any(|word| is_path_of(&route.path.to_lowercase(), word))
    })
}

/// `/healthz`, `/api/health-check`: a word at the beginning of a part of the path. What lies below a parameter is of a row:
/// `/orders/:id/status`.
fn is_path_of(path: &str, word: &str) -> bool {
    !path.contains([':', '{'])
        && path.split('/').any(|part| {
            part.strip_prefix(word.trim_start_matches('/'))
                .is_some_and(|rest| !word.starts_with('/') || rest.is_empty())
        })
}

/// Whether a string, name or import of the package's loaded code has one of the words.
fn has_word(audit: &Audit<'_, '_>, gap: &Gap, package: PackageId) -> bool {
    if gap.words.is_empty() {
        return false;
    }
    audit.program().modules().any(|(file, module)| {
        audit.analysis.is_loaded(file)
            && audit.program().project().file(file).is_some_and(|it| it.package == package)
            && gap.words.iter().any(|word| module.text().contains(word))
    })
}

fn finding(audit: &Audit<'_, '_>, gap: &Gap, lacking: &[&Application]) -> Option<Finding> {
    let first = lacking.first()?;
    let evidence = lacking
        .iter()
        .map(|application| Evidence {
            place: Place::Code(application.site),
            note: format!("this application has {}", gap.title),
        })
        .collect();
    let words = Words {
        title: match lacking {
            [_] => gap.title.to_owned(),
            all => format!("{} in {} applications", gap.title, all.len()),
        },
        problem: gap.problem.to_owned(),
        verify: gap.verify.to_owned(),
        tradeoff: gap.tradeoff.to_owned(),
    };
    let mut finding = Finding::new(
        &META,
        first.site,
        evidence,
        Cost::at_share(1.0),
        words,
        wired_in_all(audit, gap.concern, lacking),
    );
    finding.routes = Some(Vec::new());
    Some(finding.at_least(gap.severity).at_most(gap.severity))
}

/// The code for the first application, with the edits for all of them; none, where one of them has none.
fn wired_in_all(audit: &Audit<'_, '_>, concern: Concern, lacking: &[&Application]) -> Fix {
    let mut all = lacking.iter().map(|application| wired(audit, concern, application));
    let Some(mut fix) = all.next() else { return Fix::default() };
    for other in all {
        if fix.edits.is_empty() || other.edits.is_empty() {
            return Fix {
                edits: Vec::new(),
                packages: Vec::new(),
                applicability: Applicability::Manual,
                ..fix
            };
        }
        fix.edits.extend(other.edits);
        fix.packages.extend(other.packages);
    }
    fix
}

/// The code that gives an application what it lacks, in its own style; empty where its framework is not known.
pub(in crate::resilience) fn wired(
    audit: &Audit<'_, '_>,
    concern: Concern,
    application: &Application,
) -> Fix {
    let framework = audit.knowledge().library(application.framework).id.as_str();
    let Some(wiring) = audit.knowledge().wiring(concern, framework) else { return Fix::default() };
    let style = Style::of(audit, application);
    let question = wiring.code.contains("{check}").then(|| question(audit, application));
    let check = question.as_ref().map_or("", |question| question.code.as_str());
    let code = wiring.code.replace("{app}", &style.app).replace("{check}", check);
    let install = match wiring.packages.as_slice() {
        [] => String::new(),
        packages => format!("Install {}. ", packages.join(" and ")),
    };
    let place = match wiring.place.as_deref() {
        None => format!(
            "Put the imports at the top of {} and the code behind the creation of `{}`.",
            style.file, style.app
        ),
        Some("last") => format!("Put the code behind all routes in {}.", style.file),
        Some(file) => format!("Put it into {}.", style.file_named(file)),
    };
    let imports: Vec<String> = wiring
        .imports
        .iter()
        .filter_map(|import| import.split_once('|'))
        .map(|(names, module)| style.import(names, module))
        .collect();
    let creation = audit.lines_around(audit.statement(application.site), 0);
    let is_own_file = wiring.place.as_deref().is_some_and(|place| place != "last");
    let creation_shown = if is_own_file { String::new() } else { format!("{creation}\n") };
    let fix = Fix {
        description: format!("{install}{place}"),
        before: Some(creation),
        after: Some(format!("{}\n{creation_shown}{}", imports.join("\n"), code.trim_end())),
        ..Fix::default()
    };
    let is_complete = wiring.place.is_none();
    match behind_creation(audit, wiring, application, &code, question).filter(|_| is_complete) {
        Some((edits, packages)) => Fix { edits, packages, applicability: Applicability::Review, ..fix },
        None => fix,
    }
}

/// The edits that put the code behind the creation of the application, with its imports and packages; `None` where a name of
/// the code means something else in the file, or is not there.
fn behind_creation(
    audit: &Audit<'_, '_>,
    wiring: &Wiring,
    application: &Application,
    code: &str,
    question: Option<Question>,
) -> Option<(Vec<Edit>, Vec<NewPackage>)> {
    let (file, statement) = audit.statement(application.site);
    let module = audit.module(application.site)?;
    if !matches!(module.kind(statement), Kind::Variables(_)) {
        return None;
    }
    let has = |name: &str| module.bindings().iter().any(|binding| module.str(binding.name) == name);
    let declared = code.lines().filter_map(|line| line.strip_prefix("const ")?.split([' ', ':', '=']).next());
    let is_said_only = code.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with("//"));
    if is_said_only || declared.into_iter().any(has) {
        return None;
    }
    let (mut edits, mut packages) = match question {
        Some(question) => question.reached?,
        None => (Vec::new(), Vec::new()),
    };
    for row in &wiring.imports {
        let (names, source) = row.split_once('|')?;
        let wanted: Vec<Wanted<'_>> = match names.strip_prefix('{') {
            Some(inside) => {
                inside.trim_end_matches('}').split(',').map(|it| Wanted::Named(it.trim())).collect()
            }
            None => vec![Wanted::Default(names)],
        };
        for wanted in wanted {
            let imported = import(audit, file, source, wanted)?;
            if imported.name != wanted.name() {
                return None;
            }
            edits.extend(imported.edit);
        }
    }
    for name in &wiring.packages {
        packages.extend(package(audit, file, name)?);
    }
    let code = format!("\n{}", styled(module, code.trim_end()));
    edits.push(behind(audit, (file, statement), &code)?);
    Some((edits, packages))
}
