//! Handlers whose rejection their framework drops: one finding for each package, which lists them.

use std::collections::BTreeMap;

use loadworthy_analysis::{Cause, FunctionRef, Handed, Site, Wrapping, installed_version, outlet};
use loadworthy_capacity::{Cost, Severity};
use loadworthy_knowledge::{Becomes, Effect, Flag, Kind as LibraryKind, Runs};
use loadworthy_project::PackageId;

use super::META;
use super::process::{Outcome, Processes, is_server_code, package_of};
use super::style::Style;
use crate::audit::{Audit, route_name};
use crate::finding::{Applicability, Confidence, Evidence, Finding, Fix, Place, Words};
use crate::imports::package;

/// A handler whose rejection nobody handles.
struct Exposed {
    function: FunctionRef,
    registered: Site,
    wrapper: Option<Site>,
    cause: Cause,
    /// The framework and its version: "Express 4".
    framework: String,
    routes: Vec<String>,
}

pub(super) fn report(audit: &Audit<'_, '_>, processes: &Processes, findings: &mut Vec<Finding>) {
    let mut groups: BTreeMap<usize, Vec<Exposed>> = BTreeMap::new();
    for exposed in exposed(audit, processes) {
        let package = package_of(audit, exposed.registered).map_or(0, PackageId::index);
        groups.entry(package).or_default().push(exposed);
    }
    findings.extend(groups.values().filter_map(|group| finding(audit, processes, group)));
}

fn exposed(audit: &Audit<'_, '_>, processes: &Processes) -> Vec<Exposed> {
    let mut found: Vec<Exposed> = Vec::new();
    for call in audit.analysis.calls().iter() {
        let Some(library) = &call.library else { continue };
        let is_framework = audit.knowledge().library(library.lib).kind == LibraryKind::Web;
        if !is_framework || !is_server_code(audit, call.site) || processes.is_patched(audit, call.site) {
            continue;
        }
        for handed in &call.handed {
            if found.iter().any(|known| known.function == handed.function) {
                continue;
            }
            let Some((cause, wrapper)) = escape(audit, call, handed) else { continue };
            found.push(Exposed {
                function: handed.function,
                registered: call.site,
                wrapper,
                cause,
                framework: framework_name(audit, call.site, library.module.as_deref()),
                routes: routes_of(audit, handed.function),
            });
        }
    }
    found
}

/// Why a handler rejects, and the wrapper that lets it; `None` where it does not, or somebody handles it.
fn escape(
    audit: &Audit<'_, '_>,
    call: &loadworthy_analysis::Call<'_>,
    handed: &Handed,
) -> Option<(Cause, Option<Site>)> {
    if handed.runs != Some(Runs::PerRequest) {
        return None;
    }
    let outlet = outlet(audit.program(), call, handed)?;
    if outlet.rejected != Becomes::Unhandled {
        return None;
    }
    let cause = audit.analysis.failures().of(handed.function).rejects?;
    match audit.analysis.wrapping(call, handed) {
        Wrapping::Bare => Some((cause, None)),
        Wrapping::Leaking(wrapper) => Some((cause, Some(wrapper))),
        Wrapping::Catching(_) | Wrapping::Using(_) => None,
    }
}

fn framework_name(audit: &Audit<'_, '_>, site: Site, module: Option<&str>) -> String {
    let name = module.unwrap_or("the framework");
    let mut letters = name.chars();
    let name: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let version = installed_version(audit.program(), site, module).unwrap_or_default();
    let major: String = version
        .chars()
        .skip_while(|letter| !letter.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    if major.is_empty() { name } else { format!("{name} {major}") }
}

fn routes_of(audit: &Audit<'_, '_>, function: FunctionRef) -> Vec<String> {
    let serves = |route: &&loadworthy_analysis::Route| {
        route.handler.iter().chain(&route.middleware).any(|it| it.functions.contains(&function))
    };
    audit.analysis.routes().iter().filter(serves).map(route_name).collect()
}

fn finding(audit: &Audit<'_, '_>, processes: &Processes, group: &[Exposed]) -> Option<Finding> {
    // One that surely fails speaks for the others.
    let first = group.iter().find(|it| it.cause.kind.is_outside()).or_else(|| group.first())?;
    let outcome = processes.on_rejection(audit, first.registered);
    let mut routes: Vec<String> = Vec::new();
    for name in group.iter().flat_map(|it| &it.routes) {
        if !routes.contains(name) {
            routes.push(name.clone());
        }
    }
    let all = audit.analysis.routes().iter().filter(|route| route.kind.is_per_request()).count();
    let count = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
    let cost = Cost::at_routes(count(routes.len().max(1)), count(all.max(1))).failing(outcome.failure());
    let evidence = group.iter().flat_map(|it| evidence(audit, it)).collect();
    let words = words(audit, outcome, first, group.len());
    let fix = fix(audit, processes, first, group.len());
    let mut finding = Finding::new(&META, first.cause.at, evidence, cost, words, fix);
    if !group.iter().any(|it| it.cause.kind.is_outside()) {
        finding = finding.at_most(Severity::High).confidence(Confidence::Medium);
    }
    if !routes.is_empty() {
        finding.routes = Some(routes);
    }
    Some(finding)
}

fn evidence(audit: &Audit<'_, '_>, exposed: &Exposed) -> Vec<Evidence> {
    let (file, function) = exposed.function;
    let node = audit.program().module(file).and_then(|module| module.function(function)).map(|it| it.node);
    let who = name_of(audit, exposed);
    let way = match exposed.wrapper {
        Some(wrapper) => format!("; the wrapper `{}` does not catch it", audit.excerpt(wrapper, 40)),
        None => String::new(),
    };
    let what = audit.excerpt(exposed.cause.at, 70);
    let mut all = vec![Evidence {
        place: Place::Code(node.map_or(exposed.cause.at, |node| (file, node))),
        note: format!("{who}: `{what}` (line {}) may reject{way}", audit.line(exposed.cause.at)),
    }];
    all.extend(callee(audit, exposed));
    all
}

/// The function that the handler calls and whose failure it lets pass.
fn callee(audit: &Audit<'_, '_>, exposed: &Exposed) -> Option<Evidence> {
    let call = audit.analysis.calls().at(exposed.cause.at)?;
    let failing = |target: &&FunctionRef| audit.analysis.failures().of(**target).any().is_some();
    let target = *call.targets.iter().find(failing)?;
    let node = audit.program().module(target.0)?.function(target.1)?.node;
    let name = audit.function_name(target);
    let root = audit.excerpt(exposed.cause.root, 50);
    Some(Evidence {
        place: Place::Code((target.0, node)),
        note: format!("{name} lets the failure of `{root}` pass ({})", audit.place_of(exposed.cause.root)),
    })
}

fn name_of(audit: &Audit<'_, '_>, exposed: &Exposed) -> String {
    match exposed.routes.as_slice() {
        [] => audit.function_name(exposed.function),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}

fn words(audit: &Audit<'_, '_>, outcome: Outcome<'_>, first: &Exposed, count: usize) -> Words {
    let (framework, who) = (&first.framework, name_of(audit, first));
    let what = audit.excerpt(first.cause.at, 80);
    let title = if count == 1 {
        format!("{who}: {framework} drops the rejection of its async handler")
    } else {
        format!("{framework} drops the rejections of {count} async handlers")
    };
    let problem = format!(
        "{framework} ignores the promise that a handler gives back. In {who}, `{what}` stands outside `try`, so when it \
         rejects (the database restarts, the pool times out, a constraint is violated) no response is sent. {}",
        outcome.sentence(audit)
    );
    let path = first
        .routes
        .first()
        .map_or_else(|| String::from("/"), |route| route.replacen(' ', " http://localhost:3000", 1));
    Words {
        title,
        problem,
        verify: format!(
            "Make `{what}` fail (stop what it calls, or throw in its place) and send one request: `curl -i -m 5 -X {path}`. \
             Before the fix the request hangs and the process exits with ERR_UNHANDLED_REJECTION; after it the answer is a 500 and the process lives."
        ),
        tradeoff: String::from(
            "Errors then reach the error middleware: it must not send their text to clients, and an alert on the rate of 5xx replaces the restart as the sign of trouble.",
        ),
    }
}

fn fix(audit: &Audit<'_, '_>, processes: &Processes, first: &Exposed, count: usize) -> Fix {
    let application = processes.application(audit, first.registered);
    let Some(application) = application else { return by_hand(audit, first) };
    let Some(patch) = patch(audit) else { return by_hand(audit, first) };
    let style = Style::of(audit, application);
    let line = style.side_import(patch);
    let opening = style.opening();
    let number = if count == 1 { String::from("the handler") } else { format!("all {count} handlers") };
    Fix {
        description: format!(
            "Hand rejections of {number} to the error middleware with one line: install `{patch}` and import it in {} before \
             the routers are built. Or move to the next major version of the framework, which does it by itself. Keep an error middleware with four parameters after all routes.",
            style.file
        ),
        before: Some(opening.clone()),
        after: Some(format!("{line}\n{opening}")),
        edits: style.first_line(&line).into_iter().collect(),
        packages: package(audit, application.site.0, patch).unwrap_or_default(),
        applicability: Applicability::Review,
        ..Fix::default()
    }
}

/// The package that hands rejections on where it is imported.
fn patch<'p>(audit: &Audit<'_, 'p>) -> Option<&'p str> {
    let mut rows = audit.knowledge().members().iter();
    rows.find(|row| row.effect == Effect::ErrorForward && row.has(Flag::SideEffectImport))
        .and_then(|row| row.module.as_deref())
}

fn by_hand(audit: &Audit<'_, '_>, first: &Exposed) -> Fix {
    let statement = audit.statement(first.cause.at);
    let before = audit.lines_around(statement, 0);
    let indented: Vec<String> = before.lines().map(|line| format!("  {line}")).collect();
    Fix {
        description: String::from("Catch the failure and hand it to the error middleware."),
        after: Some(format!("try {{\n{}\n}} catch (error) {{\n  next(error);\n}}", indented.join("\n"))),
        before: Some(before),
        ..Fix::default()
    }
}
