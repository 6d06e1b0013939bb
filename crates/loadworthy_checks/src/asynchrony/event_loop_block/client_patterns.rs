//! Regular expressions that a client writes: `new RegExp(req.query.q)`.

use loadworthy_analysis::Site;
use loadworthy_capacity::{Cost, Severity};
use loadworthy_project::FileClass;
use loadworthy_syntax::{BindingId, Kind, Module, NodeId};

use super::META;
use super::patterns::{EXPONENTIAL_MILLIS, From, origin};
use crate::audit::Audit;
use crate::finding::{Evidence, Finding, Fix, Place, Words};
use crate::runs::{Runs, cost_of, runs};

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    for (file, module) in audit.program().modules() {
        if audit.program().class(file) == Some(FileClass::Client) || !module.text().contains("RegExp(") {
            continue;
        }
        for node in module.node_ids() {
            let (Kind::New { callee, arguments } | Kind::Call { callee, arguments }) = module.kind(node)
            else {
                continue;
            };
            let is_pattern = matches!(module.kind(callee), Kind::Name { name, binding: BindingId::NONE }
                if module.str(name) == "RegExp");
            if let (true, Some(source)) = (is_pattern, module.list(arguments).next()) {
                findings.extend(finding(audit, module, (file, node), source));
            }
        }
    }
}

fn finding(audit: &Audit<'_, '_>, module: &Module, site: Site, source: NodeId) -> Option<Finding> {
    if is_escaped(module, source, 0) {
        return None;
    }
    let text = parts(module, source, 0).into_iter().find(|part| {
        let from = origin(audit, (site.0, *part));
        matches!(from, From::Client | From::ClientHead) && !is_escaped(module, *part, 0)
    })?;
    if runs(audit, site)? != Runs::Request {
        return None;
    }
    let written = audit.excerpt((site.0, text), 40);
    let reached = audit.reached_by(site);
    let mut evidence = audit.chain_to(site, String::from("the pattern is made here"));
    evidence
        .push(Evidence { place: Place::Code((site.0, text)), note: String::from("what the client sends") });
    let cost = Cost { is_attack: true, ..cost_of(audit, &[site]).loop_block(EXPONENTIAL_MILLIS) };
    let words = Words {
        title: format!("the client of {reached} writes a regular expression (`{written}`)"),
        problem: format!(
            "`{written}` becomes a pattern as it is. With `(a+)+$` the time of one match doubles with every character of the text, and \
             Node.js can't interrupt it: every other request of the process waits. A lone `(` throws, which is a 500."
        ),
        verify: format!(
            "Send `(a+)+$` as `{written}` to {reached} where the text that is searched holds 30 times `a` and a `b`, and watch the event \
             loop's delay; after the change it finds the characters themselves."
        ),
        tradeoff: String::from(
            "Users can't search by patterns any more; where they must, run them in a worker that is stopped after 100 ms, or by RE2.",
        ),
    };
    let before = audit.source(site).to_owned();
    let escaped = before.replacen(module.source(text), &format!("escapeRegExp({})", module.source(text)), 1);
    let fix = Fix {
        description: String::from(
            "Escape what the client sends, so that it is searched as a text; or search by `includes()` on both in lower case.",
        ),
        before: Some(before),
        after: Some(format!(
            "const escapeRegExp = (text) => String(text).replace(/[.*+?^${{}}()|[\\]\\\\]/g, '\\\\$&');\n\n{escaped}"
        )),
        ..Fix::default()
    };
    Some(
        Finding::new(&META, site, evidence, cost, words, fix)
            .at_least(Severity::Medium)
            .at_most(Severity::High),
    )
}

/// Deepest chain of names and expressions.
const MAX_DEPTH: u32 = 6;

/// The values that a pattern is put together from.
fn parts(module: &Module, node: NodeId, depth: u32) -> Vec<NodeId> {
    if depth > MAX_DEPTH {
        return Vec::new();
    }
    match module.kind(node) {
        Kind::Template { values, .. } => {
            module.list(values).flat_map(|value| parts(module, value, depth + 1)).collect()
        }
        Kind::Binary { left, right, .. } => {
            [parts(module, left, depth + 1), parts(module, right, depth + 1)].concat()
        }
        // `String(q)`, `q.trim()`, `q.split(" ").join(".*")`: still what the client sends.
        Kind::Call { callee, arguments } => match module.kind(callee) {
            Kind::Name { binding: BindingId::NONE, .. } => {
                module.list(arguments).flat_map(|argument| parts(module, argument, depth + 1)).collect()
            }
            Kind::Member { object, .. } => [vec![node], parts(module, object, depth + 1)].concat(),
            _ => vec![node],
        },
        // `const q = req.query.q ?? ""`
        Kind::Name { binding, .. } => {
            let declared = module.binding(binding).map(|it| module.parent(it.node));
            match declared.map(|it| module.kind(it)) {
                Some(Kind::Declarator { init, .. }) if init.is_some() => {
                    [vec![node], parts(module, init, depth + 1)].concat()
                }
                _ => vec![node],
            }
        }
        Kind::Array(items) => module.list(items).flat_map(|item| parts(module, item, depth + 1)).collect(),
        _ => vec![node],
    }
}

/// Whether characters with a meaning were taken from it: `escapeRegExp(q)`, `q.replace(/[.*+?]/g, …)`, here or where the
/// variable is set.
fn is_escaped(module: &Module, node: NodeId, depth: u32) -> bool {
    let text = module.source(node);
    if text.contains(".replace(") || text.contains(".replaceAll(") || text.to_lowercase().contains("escape") {
        return true;
    }
    let Kind::Name { binding, .. } = module.kind(node) else { return false };
    let Some(declared) = module.binding(binding).filter(|_| depth < MAX_DEPTH) else { return false };
    match module.kind(module.parent(declared.node)) {
        Kind::Declarator { init, target } if target == declared.node && init.is_some() => {
            is_escaped(module, init, depth + 1)
        }
        _ => false,
    }
}
