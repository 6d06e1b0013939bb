//! The index in the file that declares the table, in the language of its tool; where the migrations are written by hand, in a new one.

mod drizzle;
mod migrations;
mod mongoose;
mod prisma;
mod sequelize;
mod typeorm;

pub(super) use prisma::keys as prisma_keys;
pub(super) use typeorm::property;

use loadworthy_analysis::Site;
use loadworthy_schema::Tool;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::demands::Need;
use super::proposals::Proposal;
use crate::audit::Audit;
use crate::edit::shortened;
use crate::finding::{Edit, NewFile};

/// A declaration with the index in it.
pub(super) struct Declared {
    pub(super) before: String,
    pub(super) after: String,
    pub(super) edits: Vec<Edit>,
    pub(super) files: Vec<NewFile>,
    /// What is to be done after the edit, as a sentence.
    pub(super) then: String,
}

impl Declared {
    /// The lines of a declaration before and after, without those in which nothing happens.
    fn new(before: &str, after: &str, edits: Vec<Edit>, then: &str) -> Self {
        let (before, after) = shortened(before, after);
        Self { before, after, edits, files: Vec::new(), then: then.to_owned() }
    }
}

/// What the edit is; `None` where the declaration is not of a form that one can be added to.
pub(super) fn declare(audit: &Audit<'_, '_>, proposal: &Proposal<'_>) -> Option<Declared> {
    // A longer index takes the place of the one it extends: that is somebody's decision.
    if !is_plain(proposal.need) || proposal.extended().is_some() {
        return None;
    }
    let table = proposal.table.filter(|table| !table.place.file.is_empty())?;
    match table.tools.first().copied().unwrap_or_default() {
        Tool::Prisma => prisma::declare(audit, proposal, table),
        Tool::Drizzle => drizzle::declare(audit, proposal, table),
        Tool::Mongoose => mongoose::declare(audit, proposal, table),
        Tool::TypeOrm | Tool::MikroOrm => typeorm::declare(audit, proposal, table),
        Tool::Sequelize => sequelize::declare(audit, proposal, table),
        _ => migrations::declare(audit, proposal, table),
    }
}

/// Whether a plain index serves it.
fn is_plain(need: Need) -> bool {
    matches!(need, Need::Find | Need::Sort | Need::Join | Need::Cascade)
}

/// The outermost call or `new` that begins on a line and is what is looked for.
fn call_at(
    audit: &Audit<'_, '_>,
    path: &str,
    line: u32,
    is_it: impl Fn(&Module, NodeId, &[NodeId]) -> bool,
) -> Option<Site> {
    let file = audit.program().project().file_by_path(path)?;
    let module = audit.program().module(file)?;
    let found = module.node_ids().find(|node| {
        let (Kind::Call { callee, arguments } | Kind::New { callee, arguments }) = module.kind(*node) else {
            return false;
        };
        let begins = module.lines_of(*node).0 == line || module.lines_of(callee).0 == line;
        begins && is_it(module, callee, &module.list(arguments).collect::<Vec<_>>())
    })?;
    Some((file, found))
}

/// The arguments of a call or `new`.
fn arguments(module: &Module, call: NodeId) -> Vec<NodeId> {
    match module.kind(call) {
        Kind::Call { arguments, .. } | Kind::New { arguments, .. } => module.list(arguments).collect(),
        _ => Vec::new(),
    }
}

/// One step of indentation, as the file has it.
fn step(module: &Module) -> &'static str {
    let first = module.text().lines().find(|line| line.starts_with([' ', '\t'])).unwrap_or_default();
    match first.len() - first.trim_start_matches(' ').len() {
        0 if first.starts_with('\t') => "\t",
        4.. => "    ",
        _ => "  ",
    }
}

/// The quote that a file prefers.
fn quote(text: &str) -> char {
    if text.matches('"').count() > text.matches('\'').count() { '"' } else { '\'' }
}

/// The text of a range of a file with edits in it.
fn edited(text: &str, (start, end): (usize, usize), edits: &[&Edit]) -> String {
    let (mut result, mut at) = (String::new(), start);
    for edit in edits {
        result.push_str(text.get(at..edit.start as usize).unwrap_or_default());
        result.push_str(&edit.replacement);
        at = edit.end as usize;
    }
    result.push_str(text.get(at..end).unwrap_or_default());
    result
}
