//! Answers that are kept beside the sending, and serialised once more for the log.

use loadworthy_analysis::Site;
use loadworthy_project::FileClass;
use loadworthy_syntax::{BindingId, BindingKind, Kind, Module, NodeId};

use super::lines::{Line, Why, is_rare, stringified};
use crate::audit::Audit;

/// Methods of a response that are given the answer.
const SENDING: [&str; 4] = ["json", "send", "end", "write"];

/// `res.json = (body) => { captured = body; … }`, and later `JSON.stringify(captured)`.
pub(super) fn lines(audit: &Audit<'_, '_>) -> Vec<Line> {
    let mut found = Vec::new();
    for (file, module) in audit.program().modules() {
        let is_server = audit.program().class(file).is_some_and(FileClass::may_be_server);
        if !is_server || !module.text().contains("JSON.stringify") {
            continue;
        }
        for call in module.calls() {
            let site = (file, *call);
            if serialises_captured(module, *call) && !is_rare(module, *call) && audit.is_per_request(site) {
                found.push(line(audit, site));
            }
        }
    }
    found
}

fn line(audit: &Audit<'_, '_>, site: Site) -> Line {
    Line { site, owner: audit.analysis.owner(site), why: Why::Dump, rounds: 1.0, has_secret: false }
}

fn serialises_captured(module: &Module, call: NodeId) -> bool {
    let Some(Kind::Name { binding, .. }) = stringified(module, call).map(|it| module.kind(it)) else {
        return false;
    };
    is_captured(module, binding)
}

/// Whether a function that takes the place of a response's method puts what it is given into a variable.
fn is_captured(module: &Module, variable: BindingId) -> bool {
    module.references(variable).iter().any(|reference| {
        let Kind::Assign { target, value, operator: None } = module.kind(module.parent(*reference)) else {
            return false;
        };
        let Kind::Name { binding, .. } = module.kind(value) else { return false };
        let is_parameter = module.binding(binding).is_some_and(|it| it.kind == BindingKind::Parameter);
        target == *reference && is_parameter && replaces_sending(module, value)
    })
}

/// `res.json = function (body) { … }`
fn replaces_sending(module: &Module, node: NodeId) -> bool {
    let function = module.function(module.enclosing_function(node)).map(|lowered| lowered.node);
    let Some(function) = function else { return false };
    matches!(module.kind(module.parent(function)), Kind::Assign { target, .. }
        if matches!(module.kind(target), Kind::Member { name, .. } if SENDING.contains(&module.str(name))))
}
