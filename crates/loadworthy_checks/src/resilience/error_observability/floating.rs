//! Promises that nobody waits for and whose rejection nobody handles: one finding for each function that is started so,
//! and for each file that starts library work so.

use std::collections::BTreeMap;

use loadworthy_analysis::{Call, Cause, Fate, FunctionRef, Site, fate};
use loadworthy_capacity::Severity;
use loadworthy_knowledge::{Kind as LibraryKind, LibId, Returns};
use loadworthy_project::{FileId, PackageId};
use loadworthy_syntax::{BindingKind, Kind, Module, NodeId};

use super::META;
use super::process::{Outcome, Processes, failing_cost, is_server_code, package_of};
use crate::audit::Audit;
use crate::finding::{Applicability, Confidence, Edit, Evidence, Finding, Fix, Place, Words};

/// A promise whose rejection nobody handles, at least for a while.
struct Loose {
    site: Site,
    fate: Fate,
    cause: Cause,
}

/// What is one defect.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Root {
    /// A function that is started at several places.
    Started(FunctionRef),
    /// Work of libraries that the functions of one file start: one habit.
    File(FileId),
    /// Calls of one cache or queue from one package: they are best effort or they are not.
    Library(PackageId, LibId),
    /// Promises of one function that get their handler late.
    Late(FunctionRef),
}

pub(super) fn report(audit: &Audit<'_, '_>, processes: &Processes, findings: &mut Vec<Finding>) {
    let mut groups: BTreeMap<Root, Vec<Loose>> = BTreeMap::new();
    for call in audit.analysis.calls().iter() {
        if let Some((root, loose)) = loose(audit, call) {
            let group = groups.entry(root).or_default();
            if group.iter().all(|known| audit.statement(known.site) != audit.statement(loose.site)) {
                group.push(loose);
            }
        }
    }
    findings.extend(groups.iter().filter_map(|(root, group)| finding(audit, processes, root, group)));
}

/// What is left loose, and the defect that it belongs to.
fn loose(audit: &Audit<'_, '_>, call: &Call<'_>) -> Option<(Root, Loose)> {
    if !is_server_code(audit, call.site) || audit.is_startup_only(call.site) {
        return None;
    }
    let module = audit.module(call.site)?;
    let fate = fate(module, call.site.1);
    if !fate.is_unhandled() || is_never_run(module, call) || is_of_parameter(module, call.site.1) {
        return None;
    }
    let cause = audit.analysis.failures().of_call(audit.program(), call).rejects?;
    // Two missing facts are too many: nothing reaches it, and nothing says that it fails.
    let is_deliberate = fate == Fate::Voided;
    if !cause.kind.is_known() && !audit.is_per_request(call.site) && !is_deliberate {
        return None;
    }
    let root = root(audit, call, fate, cause);
    Some((root, Loose { site: call.site, fate, cause }))
}

fn root(audit: &Audit<'_, '_>, call: &Call<'_>, fate: Fate, cause: Cause) -> Root {
    let owner = (call.site.0, call.function);
    if let Fate::Late { .. } = fate {
        return Root::Late(owner);
    }
    let library = audit.analysis.calls().at(cause.root).and_then(|it| it.library.as_ref()).map(|it| it.lib);
    let is_shared = |lib: &LibId| {
        matches!(audit.knowledge().library(*lib).kind, LibraryKind::CacheRemote | LibraryKind::Queue)
    };
    if let (Some(lib), Some(package)) = (library.filter(is_shared), package_of(audit, call.site)) {
        return Root::Library(package, lib);
    }
    let started = call.targets.iter().find(|it| audit.analysis.failures().of(**it).rejects.is_some());
    started.map_or(Root::File(call.site.0), |function| Root::Started(*function))
}

/// `next()`, `callback()`: what it does is judged where it is defined.
fn is_of_parameter(module: &Module, node: NodeId) -> bool {
    let Kind::Call { callee, .. } = module.kind(node) else { return false };
    let Kind::Name { binding, .. } = module.kind(callee) else { return false };
    module.binding(binding).is_some_and(|it| it.kind == BindingKind::Parameter)
}

/// Queries that only run when somebody waits for them.
fn is_never_run(module: &Module, call: &Call<'_>) -> bool {
    let is_lazy = call
        .library
        .as_ref()
        .and_then(|library| library.member)
        .is_some_and(|member| member.returns == Returns::LazyThenable);
    is_lazy && !is_run(module, call.site.1)
}

/// Whether a chain of calls on it ends in one that runs it.
fn is_run(module: &Module, node: NodeId) -> bool {
    let mut at = node;
    loop {
        let member = module.parent(at);
        let Kind::Member { object, name } = module.kind(member) else { return false };
        if object != at {
            return false;
        }
        if matches!(module.str(name), "then" | "catch" | "finally" | "exec" | "execute") {
            return true;
        }
        at = module.parent(member);
    }
}

fn finding(audit: &Audit<'_, '_>, processes: &Processes, root: &Root, group: &[Loose]) -> Option<Finding> {
    let first = group.iter().find(|it| audit.is_per_request(it.site)).or_else(|| group.first())?;
    let outcome = processes.on_rejection(audit, first.site);
    let cost = failing_cost(audit, first.site, outcome.failure());
    let what = audit.excerpt(first.site, 80);
    let mut evidence = audit.chain_to(first.site, note(audit, first));
    for other in group.iter().filter(|it| it.site != first.site) {
        evidence.push(Evidence { place: Place::Code(other.site), note: note(audit, other) });
    }
    evidence.extend(started(audit, first));
    if first.cause.root != first.site {
        let note =
            format!("`{}` fails and nothing on the way catches it", audit.excerpt(first.cause.root, 60));
        evidence.push(Evidence { place: Place::Code(first.cause.root), note });
    }
    let mut finding = Finding::new(
        &META,
        first.site,
        evidence,
        cost,
        words(audit, outcome, root, first, group.len()),
        fix(audit, first, group),
    );
    if outcome != Outcome::Ends {
        finding = finding.at_most(Severity::High);
    }
    if audit.is_unreached(first.site) {
        finding = finding.at_most(Severity::High).unless(format!(
            "no route or job that reaches `{}` was found; whether one does decides",
            audit.function_name(audit.analysis.owner(first.site))
        ));
    } else if !first.cause.kind.is_known() {
        finding = finding
            .at_most(Severity::High)
            .confidence(Confidence::Medium)
            .unless(format!("whether `{what}` can reject: its code is not in the project"));
    }
    Some(match root {
        Root::Started(_) | Root::File(_) => finding.of_habit("forgotten promises"),
        Root::Library(..) | Root::Late(_) => finding,
    })
}

/// The function that is started.
fn started(audit: &Audit<'_, '_>, loose: &Loose) -> Option<Evidence> {
    let call = audit.analysis.calls().at(loose.site)?;
    let rejects = |target: &&FunctionRef| audit.analysis.failures().of(**target).rejects.is_some();
    let target = *call.targets.iter().find(rejects)?;
    let node = audit.program().module(target.0)?.function(target.1)?.node;
    let told = format!("{} catches nothing of it", audit.function_name(target));
    Some(Evidence { place: Place::Code((target.0, node)), note: told })
}

fn note(audit: &Audit<'_, '_>, loose: &Loose) -> String {
    let what = audit.excerpt(loose.site, 60);
    match loose.fate {
        Fate::Late { between } => format!(
            "`{what}` is only awaited after `{}`: until then nobody handles its rejection",
            audit.excerpt((loose.site.0, between), 50)
        ),
        _ => format!("`{what}` is started here; nobody awaits or catches it"),
    }
}

fn words(audit: &Audit<'_, '_>, outcome: Outcome<'_>, root: &Root, first: &Loose, count: usize) -> Words {
    let what = audit.excerpt(first.site, 60);
    let where_ = audit.reached_by(first.site);
    let places = match root {
        _ if count == 1 => String::new(),
        Root::File(_) => format!(", as {} more promises of this file are", count - 1),
        _ => format!(" at {count} places"),
    };
    let (title, how) = match first.fate {
        Fate::Late { between } => (
            format!("`{what}` runs without a handler while {where_} awaits something else"),
            format!(
                "{where_} starts `{what}` and handles it only after awaiting `{}`. If it rejects first, or the other one fails, nobody handles the rejection.",
                audit.excerpt((first.site.0, between), 60)
            ),
        ),
        _ => (
            format!("`{what}` is started and forgotten{places} ({where_})"),
            format!(
                "{where_} starts `{what}` without awaiting or catching it{places}. A `try` around it catches nothing: the call returns before the work fails."
            ),
        ),
    };
    Words {
        title,
        problem: format!("{how} {}", outcome.sentence(audit)),
        verify: format!(
            "Make `{}` fail and run {where_}: the process prints an unhandled rejection (and exits) before the fix, one error log line after it.",
            audit.excerpt(first.cause.root, 60)
        ),
        tradeoff: String::from(
            "Work that must not be lost belongs in a queue or an outbox table; a caught failure is only visible if it is logged and counted.",
        ),
    }
}

fn fix(audit: &Audit<'_, '_>, loose: &Loose, group: &[Loose]) -> Fix {
    let statement = audit.statement(loose.site);
    let before = audit.lines_around(statement, 0);
    if let Fate::Late { .. } = loose.fate {
        return Fix {
            description: String::from(
                "Start both and await them together (`await Promise.all([first, second])`), so that each has a handler from the start; or attach `.catch` where the promise is made.",
            ),
            before: Some(before),
            ..Fix::default()
        };
    }
    let log = logger_call(audit, loose.site);
    let handler = format!(".catch((error) => {log})");
    let edit = catch_edit(audit, statement, &handler);
    let after = edit
        .as_ref()
        .map(|edit| format!("{}{}", before.trim_end().trim_end_matches(';'), edit.replacement) + ";");
    Fix {
        description: String::from(
            "Catch the failure where the work is started (or await it, if the caller must know the result).",
        ),
        after,
        before: Some(before),
        edits: group.iter().filter_map(|it| catch_edit(audit, audit.statement(it.site), &handler)).collect(),
        applicability: Applicability::Review,
        ..Fix::default()
    }
}

/// How the file logs errors.
fn logger_call(audit: &Audit<'_, '_>, site: Site) -> String {
    let text = audit.module(site).map_or("", |module| module.text());
    let known = ["logger.error(", "log.error(", "Logger.error(", "fastify.log.error(", "winston.error("];
    known
        .iter()
        .find(|call| text.contains(**call))
        .map_or_else(|| String::from("console.error(error)"), |call| format!("{call}error)"))
}

/// Puts a handler behind the promise of an expression statement.
fn catch_edit(audit: &Audit<'_, '_>, (file, statement): Site, handler: &str) -> Option<Edit> {
    let module = audit.program().module(file)?;
    let Kind::Expression(value) = module.kind(statement) else { return None };
    let value = match module.kind(value) {
        Kind::Unary { value, .. } => value,
        _ => value,
    };
    if !matches!(module.kind(value), Kind::Call { .. }) {
        return None;
    }
    let end = module.node(value).span.end;
    Some(Edit {
        file: audit.program().path(file).to_owned(),
        start: end,
        end,
        replacement: handler.to_owned(),
    })
}
