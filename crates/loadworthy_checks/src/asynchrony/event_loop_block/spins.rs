//! Loops that wait or pretend to yield, and formatters that are built for each line.

use loadworthy_analysis::Site;
use loadworthy_capacity::Severity;
use loadworthy_knowledge::{Kind as LibraryKind, Runs as Timing};
use loadworthy_syntax::{Binary, FunctionId, Kind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Finding, Fix, Words};
use crate::runs::{Runs, cost_of, runs};

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for (file, module) in audit.program().modules() {
        for node in module.node_ids() {
            let found = match module.kind(node) {
                Kind::While { test, body } => busy_wait(audit, module, (file, node), test, body),
                Kind::For(parts) => {
                    counted(audit, module, (file, node), &module.list(parts).collect::<Vec<_>>())
                }
                _ => None,
            };
            findings.extend(found);
        }
        for function in module.functions() {
            findings.extend(formatter(audit, module, (file, function.node)));
        }
    }
}

/// `while (Date.now() < end) {}`
fn busy_wait(
    audit: &Audit<'_, '_>,
    module: &Module,
    site: Site,
    test: NodeId,
    body: NodeId,
) -> Option<Finding> {
    let condition = module.source(test);
    let is_clock = condition.contains("Date.now()")
        || condition.contains("performance.now()")
        || condition.contains("getTime()");
    let is_comparison = matches!(
        module.kind(test),
        Kind::Binary {
            operator: Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual,
            ..
        }
    );
    let waits = module.own_nodes(body).into_iter().any(|node| {
        matches!(
            module.kind(node),
            Kind::Await(_) | Kind::Yield(_) | Kind::Call { .. } | Kind::Break | Kind::Return(_)
        )
    });
    if !is_clock || !is_comparison || waits {
        return None;
    }
    let runs = runs(audit, site).filter(|runs| *runs != Runs::Browser)?;
    let finding = Finding::new(
        &META,
        site,
        audit.chain_to(site, "the loop waits for the clock"),
        cost_of(audit, &[site]).loop_block(100.0),
        Words {
            title: format!("`while ({})` waits on the event loop", audit.excerpt((site.0, test), 40)),
            problem: String::from(
                "The loop spins until the clock has moved on: nothing else runs, no request is read or answered, and a core is at 100 % meanwhile.",
            ),
            verify: format!(
                "Call {} and watch the event loop's delay: it must not jump by the waiting time.",
                audit.reached_by(site)
            ),
            tradeoff: String::from("None."),
        },
        Fix {
            description: String::from("Wait with a timer."),
            before: Some(audit.lines_around(site, 0)),
            after: Some(String::from("await new Promise((resolve) => setTimeout(resolve, ms));")),
            ..Fix::default()
        },
    );
    Some(reach(audit, site, runs, finding.at_least(Severity::High).assuming("a wait of 100 ms")))
}

/// Rounds a second of a loop whose body does a little.
const ROUNDS_PER_MILLI: f64 = 100_000.0;
/// Rounds from which a loop is felt: 10 ms.
const LEAST_ROUNDS: f64 = 1_000_000.0;

/// `for (let i = 0; i < 1e8; i++)`
fn counted(audit: &Audit<'_, '_>, module: &Module, site: Site, parts: &[NodeId]) -> Option<Finding> {
    let [_, test, _, body] = parts else { return None };
    let Kind::Binary { operator: Binary::Less | Binary::LessEqual, right, .. } = module.kind(*test) else {
        return None;
    };
    let rounds = audit.resolver.number_of((site.0, right)).filter(|rounds| *rounds >= LEAST_ROUNDS)?;
    let leaves = module.own_nodes(*body).into_iter().any(|node| {
        matches!(module.kind(node), Kind::Await(_) | Kind::Yield(_) | Kind::Break | Kind::Return(_))
    });
    if leaves {
        return None;
    }
    let runs = runs(audit, site).filter(|runs| *runs != Runs::Browser)?;
    let millis = rounds / ROUNDS_PER_MILLI;
    let finding = Finding::new(
        &META,
        site,
        audit.chain_to(site, format!("{rounds} rounds")),
        cost_of(audit, &[site]).loop_block(millis),
        Words {
            title: format!("a loop of {rounds} rounds runs in {}", audit.reached_by(site)),
            problem: format!(
                "The loop does not let go of the thread for its {rounds} rounds, {millis} ms and more: no other request of the process makes progress."
            ),
            verify: format!(
                "Call {} and watch the event loop's delay; the loop at {} must leave the profile.",
                audit.reached_by(site),
                audit.place_of(site)
            ),
            tradeoff: String::from("A worker costs a thread and the copying of its input."),
        },
        Fix {
            description: String::from(
                "Move the computation to a worker thread, or do it in parts with `setImmediate` between them.",
            ),
            ..Fix::default()
        },
    );
    Some(reach(
        audit,
        site,
        runs,
        finding.confidence(Confidence::Medium).assuming("100,000 rounds a millisecond"),
    ))
}

/// Log lines that a request writes, for the cost of what formats them.
const LINES_PER_REQUEST: f64 = 4.0;

/// A function that builds an `Intl` formatter (or asks for a locale with options) each time a logger calls it.
fn formatter(audit: &Audit<'_, '_>, module: &Module, site: Site) -> Option<Finding> {
    let Kind::Function(function) = module.kind(site.1) else { return None };
    if function == FunctionId::NONE || !is_logs(audit, module, site) {
        return None;
    }
    let built: Vec<NodeId> = module
        .own_nodes(module.function(function)?.body)
        .into_iter()
        .filter(|node| builds_formatter(module, *node))
        .collect();
    let first = *built.first()?;
    let cost = audit.knowledge().cost("Intl.DateTimeFormat.new")?.value;
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    let per_line = cost * built.len() as f64;
    let at = (site.0, first);
    let mut cost = cost_of(audit, &[at]).loop_block(per_line * LINES_PER_REQUEST);
    cost.share = 1.0;
    cost.reach = loadworthy_capacity::Reach::PerRequest;
    let finding = Finding::new(
        &META,
        at,
        audit.chain_to(at, "a formatter is built for each log line"),
        cost,
        Words {
            title: format!(
                "`{}` builds a formatter for each log line",
                audit.function_name((site.0, function))
            ),
            problem: format!(
                "An `Intl` formatter costs about {per_line:.2} ms to build and a thousandth of that to use. Built for each log line it is the dearest part of logging."
            ),
            verify: format!(
                "Profile a minute of the load test: `{}` must leave the flame graph.",
                audit.excerpt(at, 40)
            ),
            tradeoff: String::from("None: a formatter keeps no state."),
        },
        Fix {
            description: String::from(
                "Build one formatter at module level and call its `format` for each line, or log ISO timestamps.",
            ),
            before: Some(audit.lines_around(audit.statement(at), 0)),
            after: Some(String::from(
                "const timestampFormat = new Intl.DateTimeFormat(\"en-US\", { dateStyle: \"short\", timeStyle: \"medium\" });\nconst timestamp = () => timestampFormat.format(new Date());",
            )),
            ..Fix::default()
        },
    );
    Some(
        finding
            .at_most(Severity::Medium)
            .confidence(Confidence::Medium)
            .assuming(format!("{LINES_PER_REQUEST} log lines per request")),
    )
}

/// Whether a function is handed to a logging library, and not run at once.
fn is_logs(audit: &Audit<'_, '_>, module: &Module, (file, node): Site) -> bool {
    let Kind::Function(function) = module.kind(node) else { return false };
    audit.program().links().passed_sites(file, function).iter().any(|passed| {
        let call = audit.analysis.calls().at(passed.call);
        let library = call.and_then(|call| call.library.as_ref());
        let is_now = call.is_some_and(|call| {
            call.handed.iter().any(|it| it.function == (file, function) && it.runs == Some(Timing::Now))
        });
        library.is_some_and(|it| audit.knowledge().library(it.lib).kind == LibraryKind::Logging) && !is_now
    })
}

fn builds_formatter(module: &Module, node: NodeId) -> bool {
    match module.kind(node) {
        Kind::New { callee, .. } | Kind::Call { callee, .. }
            if module.source(callee).starts_with("Intl.") =>
        {
            true
        }
        Kind::Call { callee, arguments } => match module.kind(callee) {
            Kind::Member { name, .. } => {
                matches!(module.str(name), "toLocaleString" | "toLocaleDateString" | "toLocaleTimeString")
                    && arguments.len() == 2
            }
            _ => false,
        },
        _ => false,
    }
}

fn reach(audit: &Audit<'_, '_>, site: Site, runs: Runs, finding: Finding) -> Finding {
    match runs {
        Runs::Request | Runs::Browser => finding,
        Runs::Job => finding.at_most(Severity::Medium),
        Runs::Unreached => finding.unless(format!(
            "no route or job that reaches `{}` was found",
            audit.function_name(audit.analysis.owner(site))
        )),
    }
}
