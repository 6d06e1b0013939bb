//! Memory and CPU that a plan's name stands for.

use loadworthy_knowledge::Knowledge;

use crate::document::Node;
use crate::fact::Confidence;
use crate::signs::{Scope, Signs};

/// What a plan gives one instance; an unknown plan says nothing.
pub(super) fn read(platform: &str, node: &Node, scope: &Scope<'_>, knowledge: &Knowledge, signs: &mut Signs) {
    let Some(row) = node.text().and_then(|name| knowledge.plan(platform, &name)) else { return };
    let note = format!("plan {}", row.name);
    signs.memory_mb.push(scope.sign(row.memory_mb, node.line, note.clone()).sure(Confidence::Medium));
    if let Some(cores) = row.cores {
        signs.cores.push(scope.sign(cores, node.line, note).sure(Confidence::Medium));
    }
}
