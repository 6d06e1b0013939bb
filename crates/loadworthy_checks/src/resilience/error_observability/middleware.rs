//! Error middleware: absent, with the wrong number of parameters, or before the routes.

use loadworthy_analysis::{Application, Call, Positions, Site};
use loadworthy_capacity::{Cost, Severity};
use loadworthy_knowledge::{Concern, Effect, Runs};
use loadworthy_project::PackageId;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::META;
use super::process::{Processes, is_server_code, package_of};
use super::style::Style;
use crate::audit::Audit;
use crate::finding::{Evidence, Finding, Fix, Place, Words};

/// Parameters by which the framework recognises error middleware.
const ERROR_PARAMETERS: usize = 4;

/// Applications with fewer routes are taken for samples.
const LEAST_ROUTES: usize = 3;

pub(super) fn report(audit: &Audit<'_, '_>, processes: &Processes, findings: &mut Vec<Finding>) {
    for call in mounting_calls(audit) {
        findings.extend(wrong_arity(audit, call));
        findings.extend(throws_after_answer(audit, call));
    }
    for application in processes.applications() {
        findings.extend(misplaced(audit, application));
        findings.extend(absent(audit, application));
    }
}

/// Calls that put middleware into an application whose framework tells error middleware by its parameters.
fn mounting_calls<'a>(audit: &'a Audit<'a, '_>) -> impl Iterator<Item = &'a Call<'a>> {
    audit.analysis.calls().iter().filter(|call| is_mounting(audit, call) && is_server_code(audit, call.site))
}

fn is_mounting(audit: &Audit<'_, '_>, call: &Call<'_>) -> bool {
    let Some(library) = &call.library else { return false };
    let knowledge = audit.knowledge();
    let framework = knowledge.library(library.lib).id.as_str();
    &*library.name == "use" && knowledge.wiring(Concern::ErrorHandler, framework).is_some()
}

fn parameters(audit: &Audit<'_, '_>, function: loadworthy_analysis::FunctionRef) -> usize {
    let module = audit.program().module(function.0);
    module.and_then(|it| it.function(function.1)).map_or(0, |it| it.parameters.len())
}

/// Whether a call mounts error middleware, or something that may be.
fn mounts_error_handler(audit: &Audit<'_, '_>, call: &Call<'_>) -> bool {
    if call.handed.iter().any(|it| parameters(audit, it.function) == ERROR_PARAMETERS) {
        return true;
    }
    let Some(module) = audit.module(call.site) else { return false };
    arguments(module, call.site.1).iter().any(|node| {
        let text = module.source(*node).to_lowercase();
        let is_inline = matches!(module.kind(*node), Kind::Function(_));
        !is_inline && (text.contains("error") || text.contains("exception") || text.contains("sentry"))
    })
}

fn arguments(module: &Module, node: NodeId) -> Vec<NodeId> {
    match module.kind(node) {
        Kind::Call { arguments, .. } => module.list(arguments).collect(),
        _ => Vec::new(),
    }
}

/// Methods of a response that send the answer.
const ANSWERING: [&str; 5] = ["json", "send", "end", "sendStatus", "render"];

/// `(err, req, res, next) => { res.status(500).json(…); throw err; }`
fn throws_after_answer(audit: &Audit<'_, '_>, call: &Call<'_>) -> Option<Finding> {
    let handed = call.handed.iter().find(|it| parameters(audit, it.function) == ERROR_PARAMETERS)?;
    let (file, function) = handed.function;
    let module = audit.program().module(file)?;
    let Kind::Block(statements) = module.kind(module.function(function)?.body) else { return None };
    let statements: Vec<NodeId> = module.list(statements).collect();
    let answers = |node: NodeId| {
        module.all_nodes(node).into_iter().any(|inner| {
            matches!(module.kind(inner), Kind::Call { callee, .. }
                if matches!(module.kind(callee), Kind::Member { name, .. } if ANSWERING.contains(&module.str(name))))
        })
    };
    let is_plain = |node: NodeId| !matches!(module.kind(node), Kind::If { .. } | Kind::Try { .. });
    let answer = statements.iter().position(|node| is_plain(*node) && answers(*node))?;
    let thrown =
        statements.iter().skip(answer + 1).find(|node| matches!(module.kind(**node), Kind::Throw(_)))?;
    let site = (file, *thrown);
    let evidence = vec![
        Evidence {
            place: Place::Code((file, *statements.get(answer)?)),
            note: String::from("the answer is sent here"),
        },
        Evidence { place: Place::Code(site), note: String::from("and the error is thrown again") },
    ];
    let words = Words {
        title: String::from("the error middleware throws after it has answered"),
        problem: String::from(
            "The answer is on its way when the error is thrown again, so the framework's last handler gets it. That one can't answer any more and destroys the \
             socket: clients that reuse connections see resets beside the 500, requests behind it on the same connection included, and the stack \
             is printed once more. Under load each error costs a new connection.",
        ),
        verify: String::from(
            "Let a route fail a hundred times over one kept-alive connection (`autocannon -c 1 -a 100`): resets and reconnects now, none after the change.",
        ),
        tradeoff: String::from("None: log the error there, where it was thrown for the log's sake."),
    };
    let before = audit.lines_around(site, 0);
    let fix = Fix {
        description: String::from("Log the error and end the handler with the answer."),
        after: Some(before.replacen("throw ", "console.error(", 1).replacen(';', ");", 1)),
        before: Some(before),
        ..Fix::default()
    };
    let finding = Finding::new(&META, site, evidence, Cost::at_share(0.01), words, fix);
    Some(finding.at_least(Severity::Medium).at_most(Severity::Medium))
}

/// `app.use((err, req, res) => …)`: taken for plain middleware.
fn wrong_arity(audit: &Audit<'_, '_>, call: &Call<'_>) -> Option<Finding> {
    let handed = call.handed.iter().find(|handed| {
        let (file, function) = handed.function;
        let Some(module) = audit.program().module(file) else { return false };
        let Some(lowered) = module.function(function) else { return false };
        let first =
            module.list(lowered.parameters).next().map(|node| module.source(node)).unwrap_or_default();
        let name = first.split(':').next().unwrap_or_default().trim();
        handed.runs == Some(Runs::PerRequest)
            && matches!(name, "err" | "error" | "_err" | "_error")
            && lowered.parameters.len() == ERROR_PARAMETERS - 1
    })?;
    let (file, function) = handed.function;
    let module = audit.program().module(file)?;
    let lowered = module.function(function)?;
    let site = (file, lowered.node);
    let evidence = vec![
        Evidence { place: Place::Code(call.site), note: String::from("it is mounted here") },
        Evidence {
            place: Place::Code(site),
            note: String::from("three parameters: a plain middleware to the framework"),
        },
    ];
    let words = Words {
        title: String::from("the error middleware has three parameters and is never called for errors"),
        problem: String::from(
            "The framework tells error middleware by its four parameters. With three this function runs for every request that gets that far, with the request as `err` and the response as `req`, \
             and errors go to the default handler, which sends the stack trace unless NODE_ENV is production.",
        ),
        verify: String::from("Throw in a route: the answer must be the one that this middleware writes."),
        tradeoff: String::from("None: the fourth parameter only has to be there."),
    };
    let before = audit.lines_around(site, 0);
    let parameters: Vec<NodeId> = module.list(lowered.parameters).collect();
    let after = parameters.last().map(|last| {
        let written = module.source(*last);
        before.replacen(&format!("{written})"), &format!("{written}, next)"), 1)
    });
    let fix = Fix {
        description: String::from("Add the fourth parameter, `next`, even if it is not used."),
        before: Some(before),
        after,
        ..Fix::default()
    };
    let cost = Cost::at_share(1.0);
    Some(
        Finding::new(&META, site, evidence, cost, words, fix)
            .at_least(Severity::High)
            .at_most(Severity::High),
    )
}

/// The calls on an application object in one function, in their order.
fn calls_on<'a>(audit: &'a Audit<'a, '_>, application: &Application) -> Vec<&'a Call<'a>> {
    let calls = audit.analysis.calls().of_file(application.site.0).iter();
    let mut own: Vec<&Call<'_>> = calls
        .filter(|call| call.library.as_ref().is_some_and(|it| it.made_at == Some(application.site)))
        .collect();
    let module = audit.module(application.site);
    own.sort_by_key(|call| module.map_or(0, |module| module.node(call.site.1).span.start));
    own
}

/// Error middleware with routes behind it: it does not see their errors.
fn misplaced(audit: &Audit<'_, '_>, application: &Application) -> Option<Finding> {
    let calls = calls_on(audit, application);
    let is_handler = |call: &&Call<'_>| {
        is_mounting(audit, call)
            && call.handed.iter().any(|it| parameters(audit, it.function) == ERROR_PARAMETERS)
    };
    let last = calls.iter().rposition(is_handler)?;
    let handler = calls.get(last)?;
    let behind: Vec<&&Call<'_>> = calls
        .iter()
        .skip(last + 1)
        .filter(|call| call.function == handler.function && serves(audit, call))
        .collect();
    let first = behind.first()?;
    let evidence = std::iter::once(Evidence {
        place: Place::Code(handler.site),
        note: String::from("the error middleware is mounted here"),
    })
    .chain(behind.iter().map(|call| Evidence {
        place: Place::Code(call.site),
        note: format!("behind it: `{}`", audit.excerpt(call.site, 60)),
    }))
    .collect();
    let words = Words {
        title: format!("the error middleware stands before {} of the routes", behind.len()),
        problem: format!(
            "Error middleware only sees the errors of what is mounted before it. Errors of `{}` and whatever else follows go to the default handler: an HTML page, with the stack trace unless NODE_ENV is production.",
            audit.excerpt(first.site, 60)
        ),
        verify: String::from(
            "Throw in one of the routes behind it: the answer must be the one that the error middleware writes.",
        ),
        tradeoff: String::from("None: only the order changes."),
    };
    let fix = Fix {
        description: String::from("Mount the error middleware behind all routes."),
        before: Some(audit.lines_around(audit.statement(handler.site), 0)),
        after: Some(format!(
            "{}\n// … all routes …\n{}",
            audit.lines_around(audit.statement(first.site), 0),
            audit.lines_around(audit.statement(handler.site), 0)
        )),
        ..Fix::default()
    };
    let finding = Finding::new(&META, handler.site, evidence, Cost::at_share(1.0), words, fix);
    Some(finding.at_least(Severity::Medium).at_most(Severity::Medium))
}

/// Whether a call registers a route, or mounts a router.
fn serves(audit: &Audit<'_, '_>, call: &Call<'_>) -> bool {
    let Some(library) = &call.library else { return false };
    // `app.get("setting")` reads a setting.
    let count = audit.module(call.site).map_or(0, |module| arguments(module, call.site.1).len());
    if library.effect() == Some(Effect::RouteAdd) && &*library.name != "use" && count > 1 {
        return true;
    }
    let mounts_router = || {
        let Some(module) = audit.module(call.site) else { return false };
        arguments(module, call.site.1).into_iter().any(|node| is_router(audit, (call.site.0, node)))
    };
    &*library.name == "use" && mounts_router()
}

fn is_router(audit: &Audit<'_, '_>, site: Site) -> bool {
    let folded = audit.resolver.folded(&audit.resolver.filled(&audit.resolver.value_of(site)));
    folded.iter().any(|folded| match folded {
        loadworthy_analysis::Folded::Held(held) => audit.knowledge().handle_name(held.handle) == "router",
        _ => false,
    })
}

/// An application without any error middleware.
fn absent(audit: &Audit<'_, '_>, application: &Application) -> Option<Finding> {
    let knowledge = audit.knowledge();
    let framework = knowledge.library(application.framework).id.as_str();
    let wiring = knowledge.wiring(Concern::ErrorHandler, framework)?;
    let routes = audit.analysis.routes().iter();
    let count = routes.filter(|route| package_of(audit, route.site) == Some(application.package)).count();
    if count < LEAST_ROUTES || has_error_handler(audit, application.package) {
        return None;
    }
    let style = Style::of(audit, application);
    let evidence = vec![Evidence {
        place: Place::Code(application.site),
        note: String::from("no middleware with four parameters is mounted on it or its routers"),
    }];
    let words = Words {
        title: String::from("no error middleware"),
        problem: String::from(
            "Errors that reach the framework (a body that is no JSON, `next(error)`, an exception in a handler) are answered by its default handler: an HTML page that API clients can't read, with the stack trace unless NODE_ENV is production, \
             and nothing that a log search or an alert could count.",
        ),
        verify: String::from(
            "`curl -i -X POST -H 'content-type: application/json' -d '{' localhost:3000/` on any route with a body must answer 400 with JSON and no stack trace.",
        ),
        tradeoff: String::from(
            "One place decides what clients learn of errors: keep messages of 5xx out of answers.",
        ),
    };
    let fix = Fix {
        description: format!("Put error middleware behind all routes in {}.", style.file),
        before: Some(audit.lines_around(audit.statement(application.site), 0)),
        after: Some(format!(
            "{}\n// … all routes …\n{}",
            audit.lines_around(audit.statement(application.site), 0),
            wiring.code.replace("{app}", &style.app).trim_end()
        )),
        ..Fix::default()
    };
    let mut finding = Finding::new(&META, application.site, evidence, Cost::at_share(1.0), words, fix);
    finding.routes = Some(Vec::new());
    Some(finding.at_least(Severity::Medium).at_most(Severity::Medium))
}

fn has_error_handler(audit: &Audit<'_, '_>, package: PackageId) -> bool {
    let of_package = |call: &&Call<'_>| package_of(audit, call.site) == Some(package);
    mounting_calls(audit).filter(of_package).any(|call| mounts_error_handler(audit, call))
        || audit.analysis.calls().iter().filter(of_package).any(|call| sets_up_errors(audit, call))
        || has_error_function(audit, package)
}

/// `setupExpressErrorHandler(app)` and its like.
fn sets_up_errors(audit: &Audit<'_, '_>, call: &Call<'_>) -> bool {
    let Some(module) = audit.module(call.site) else { return false };
    let Kind::Call { callee, arguments } = module.kind(call.site.1) else { return false };
    let name = match module.kind(callee) {
        Kind::Name { name, .. } | Kind::Member { name, .. } => module.str(name).to_lowercase(),
        _ => return false,
    };
    name.contains("error")
        && (name.contains("handler") || name.contains("middleware"))
        && !arguments.is_empty()
}

/// A function of four parameters that answers errors: mounted on a way that was not followed.
fn has_error_function(audit: &Audit<'_, '_>, package: PackageId) -> bool {
    audit.program().modules().any(|(file, module)| {
        let is_own = audit.program().project().file(file).is_some_and(|it| it.package == package);
        is_own
            && audit.analysis.is_loaded(file)
            && module.functions().iter().any(|function| {
                let first = module
                    .list(function.parameters)
                    .next()
                    .map(|node| module.source(node))
                    .unwrap_or_default();
                function.parameters.len() == ERROR_PARAMETERS
                    && first.trim_start_matches('_').to_lowercase().starts_with("err")
                    && Positions::of(ERROR_PARAMETERS).next == ERROR_PARAMETERS - 1
            })
    })
}
