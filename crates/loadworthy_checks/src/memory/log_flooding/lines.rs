//! Calls that write to a log while requests are served, and what is wrong with each.

use loadworthy_analysis::{FunctionRef, LibraryCall, Site, runs_until_made};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileClass;
use loadworthy_syntax::{Binary, Kind, Module, NodeId};

use super::captured;
use crate::audit::Audit;
use crate::database::rows::{Count, count};

/// Why a line counts, the worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Why {
    /// It prints a whole request, body or result.
    Dump,
    /// It stands in a loop.
    Loop,
    /// It is one of many.
    Plain,
}

/// A line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) site: Site,
    pub(super) owner: FunctionRef,
    pub(super) why: Why,
    /// How often one request writes it.
    pub(super) rounds: f64,
    pub(super) has_secret: bool,
}

/// Names of members that are switched off in production, or that report what is rare.
const QUIET: [&str; 8] = ["trace", "verbose", "silly", "error", "warn", "fatal", "child", "debug"];

pub(super) fn lines(audit: &Audit<'_, '_>) -> Vec<Line> {
    let writes = audit.analysis.effects(|effect| effect == Effect::LogWrite);
    writes
        .filter(|(call, library)| {
            let class = audit.program().class(call.site.0);
            class != Some(FileClass::Client) && audit.is_per_request(call.site) && !is_transport(library)
        })
        .filter_map(|(call, library)| line(audit, call.site, library))
        .chain(captured::lines(audit))
        .collect()
}

fn is_transport(library: &LibraryCall<'_>) -> bool {
    matches!(&*library.name, "File" | "Console" | "Http" | "Stream")
}

fn line(audit: &Audit<'_, '_>, site: Site, library: &LibraryCall<'_>) -> Option<Line> {
    let module = audit.module(site)?;
    if is_rare(module, site.1) || runs_until_made(audit.analysis, site) {
        return None;
    }
    let arguments: Vec<NodeId> = match module.kind(site.1) {
        Kind::Call { arguments, .. } => module.list(arguments).collect(),
        _ => return None,
    };
    let is_dump = arguments.iter().any(|node| is_dump(audit, module, (site.0, *node)));
    // A console without levels prints `debug` too.
    let is_quiet =
        QUIET.contains(&&*library.name) && !(&*library.name == "debug" && is_console(module, site.1));
    if is_quiet
        && !(is_dump && is_console(module, site.1) && &*library.name != "error" && &*library.name != "warn")
    {
        return None;
    }
    let repeated = audit.analysis.repetitions(site).into_iter().find(|it| it.way.is_empty());
    let rounds = repeated.as_ref().and_then(|it| it.repeat.source).map(|source| match count(audit, source) {
        Count::Likely { rounds, .. } => rounds.likely,
        Count::Constant(Some(most)) => f64::from(u32::try_from(most).unwrap_or(u32::MAX)),
        Count::Constant(None) | Count::Unknown => 1.0,
    });
    let why = if is_dump {
        Why::Dump
    } else if rounds.is_some_and(|rounds| rounds > 3.0) {
        Why::Loop
    } else {
        Why::Plain
    };
    Some(Line {
        site,
        owner: audit.analysis.owner(site),
        why,
        rounds: rounds.unwrap_or(1.0).max(1.0),
        has_secret: arguments.iter().any(|node| names_secret(module, *node)),
    })
}

fn is_console(module: &Module, call: NodeId) -> bool {
    module.source(call).starts_with("console.")
}

/// In a `catch`, or where a condition on the environment, a level, an error or a status leads to.
pub(super) fn is_rare(module: &Module, node: NodeId) -> bool {
    let mut inner = node;
    for outer in module.ancestors(node) {
        match module.kind(outer) {
            Kind::Catch { .. } => return true,
            Kind::If { test, then, otherwise } => {
                if inner == then && is_rare_test(module.source(test))
                    || inner == otherwise && otherwise.is_some() && is_usual_test(module.source(test))
                {
                    return true;
                }
                // A branch that ends the request early: what is wrong with it is said once.
                if inner == then && ends(module, then) {
                    return true;
                }
            }
            Kind::Binary { operator: Binary::And, left, right }
                if inner == right && is_rare_test(module.source(left)) =>
            {
                return true;
            }
            Kind::Function(_) if is_rare_callback(module, outer) => return true,
            _ => {}
        }
        inner = outer;
    }
    false
}

fn is_rare_test(text: &str) -> bool {
    let text = text.to_lowercase();
    RARE.iter().any(|word| text.contains(word))
}

/// `if (res.ok) … else log()`.
fn is_usual_test(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("ok") || text.contains("success") || text.contains("production")
}

const RARE: [&str; 16] = [
    "env",
    "debug",
    "verbose",
    "isdev",
    "development",
    "err",
    "fail",
    "slow",
    "status",
    "level",
    "sample",
    "random",
    "duration",
    "elapsed",
    "timeout",
    "invalid",
];

fn ends(module: &Module, branch: NodeId) -> bool {
    let last = match module.kind(branch) {
        Kind::Block(statements) => module.list(statements).last(),
        _ => Some(branch),
    };
    last.is_some_and(|node| matches!(module.kind(node), Kind::Return(_) | Kind::Throw(_)))
}

/// `.catch((error) => …)`, `.on("error", …)`.
fn is_rare_callback(module: &Module, function: NodeId) -> bool {
    let parent = module.parent(function);
    let Kind::Call { callee, arguments } = module.kind(parent) else { return false };
    let Kind::Member { name, .. } = module.kind(callee) else { return false };
    let name = module.str(name);
    let is_listener = module.list(arguments).next().is_some_and(|first| {
        let text = module.source(first);
        text.contains("error") || text.contains("close") || text.contains("exit")
    });
    name == "catch" || name == "on" && is_listener
}

/// A whole request, its body or headers, or the rows of a query.
fn is_dump(audit: &Audit<'_, '_>, module: &Module, (file, node): Site) -> bool {
    let node = match module.kind(node) {
        Kind::Object(parts) => {
            return module.list(parts).any(|part| match module.kind(part) {
                Kind::Property { value, .. } => value.is_some() && is_dump(audit, module, (file, value)),
                Kind::Spread(value) => is_dump(audit, module, (file, value)),
                _ => false,
            });
        }
        Kind::Template { .. } => {
            let mut texts = module.all_nodes(node).into_iter().filter_map(|inner| stringified(module, inner));
            return texts.any(|value| is_large(audit, module, (file, value)));
        }
        _ => stringified(module, node).unwrap_or(node),
    };
    is_large(audit, module, (file, node))
}

/// `body` of `JSON.stringify(body)`.
pub(super) fn stringified(module: &Module, call: NodeId) -> Option<NodeId> {
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    module.list(arguments).next().filter(|_| module.source(callee) == "JSON.stringify")
}

fn is_large(audit: &Audit<'_, '_>, module: &Module, (file, node): Site) -> bool {
    let text = module.source(node);
    let parts: Vec<&str> = text.split('.').collect();
    let is_request = |name: &str| matches!(name, "req" | "request" | "ctx");
    let is_whole = match parts.as_slice() {
        [name] => matches!(*name, "req" | "request"),
        [name, part] => {
            is_request(name)
                && matches!(
                    *part,
                    "body" | "headers" | "rawHeaders" | "cookies" | "rawBody" | "files" | "request"
                )
        }
        [name, "request", part] => is_request(name) && matches!(*part, "body" | "headers"),
        _ => false,
    };
    if is_whole && audit.is_per_request((file, node)) {
        return true;
    }
    if !matches!(module.kind(node), Kind::Name { .. } | Kind::Member { .. }) || text.ends_with(".length") {
        return false;
    }
    match count(audit, (file, node)) {
        // The rows of a query, or a list of the client's: what is only part of an answer may be one value.
        Count::Likely { rounds, is_unbounded, at, .. } => {
            let is_query = at.is_some_and(|at| audit.analysis.queries().at(at).is_some());
            is_query && (is_unbounded || rounds.likely >= 20.0)
        }
        _ => false,
    }
}

fn names_secret(module: &Module, node: NodeId) -> bool {
    if matches!(module.kind(node), Kind::String(_)) {
        return false;
    }
    let text = module.source(node).to_lowercase();
    ["password", "secret", "authorization", "headers", "body", "cookie"]
        .iter()
        .any(|word| text.contains(word))
        || text.contains("token") && !text.contains("tokens")
}

/// A line that is only written where somebody looks for it: at the level below, or behind a setting where there are no levels.
fn quieter(callee: &str, call: &str) -> Option<String> {
    let (logger, _) = callee.rsplit_once('.')?;
    let arguments = call.strip_prefix(callee)?;
    Some(if logger == "console" {
        format!("if (process.env.LOG_LEVEL === 'debug') {call};")
    } else {
        format!("{logger}.debug{arguments};")
    })
}

/// The call without what it dumps.
pub(super) fn shorter(audit: &Audit<'_, '_>, line: &Line) -> Option<String> {
    let module = audit.module(line.site)?;
    let Kind::Call { callee, arguments } = module.kind(line.site.1) else { return None };
    if line.why != Why::Dump {
        return quieter(module.source(callee), module.source(line.site.1));
    }
    let kept: Vec<&str> = module
        .list(arguments)
        .filter(|node| !is_dump(audit, module, (line.site.0, *node)))
        .map(|node| module.source(node))
        .collect();
    Some(if kept.is_empty() {
        String::from("// removed: nothing but the dump was written")
    } else {
        format!("{}({});", module.source(callee), kept.join(", "))
    })
}
