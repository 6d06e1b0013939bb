//! Whether the project is better with a plan: every touched file parses, what was fixed is gone, and nothing is new.

use std::collections::BTreeSet;

use loadworthy_fix::{Edit, Planned, Proposal, line_of, offset_of, plan};
use loadworthy_project::Language;
use loadworthy_report::{Finding, Report};
use loadworthy_syntax::parse;

use super::rounds::all;

/// A fix that does not hold.
#[derive(Debug)]
pub(super) struct Failing {
    pub(super) id: String,
    pub(super) reason: String,
}

/// What is wrong with a plan.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Nothing.
    Holds,
    /// These fixes.
    Fails(Vec<Failing>),
    /// A finding is new, in a file that no fix touches.
    Brings(Box<Finding>),
}

/// Judges a plan by the audits before and after it.
pub(super) fn judge(
    before: &Report,
    after: &Report,
    planned: &Planned,
    proposals: &[Proposal],
    text_of: &dyn Fn(&str) -> Option<String>,
) -> Verdict {
    let taken: Vec<&Proposal> =
        proposals.iter().filter(|proposal| planned.taken.contains(&proposal.id)).collect();
    let broken = broken(planned, &taken, text_of);
    if !broken.is_empty() {
        return Verdict::Fails(broken);
    }
    let fates = Fates::of(before, after, planned, text_of);
    let mut failing: Vec<Failing> = Vec::new();
    for (old, new) in &fates.kept {
        if planned.taken.contains(&old.id) {
            let reason =
                format!("after it, {}:{} is still reported", new.location.file, new.location.start_line);
            failing.push(Failing { id: old.id.clone(), reason });
        }
    }
    if !failing.is_empty() {
        return Verdict::Fails(failing);
    }
    let mut blamed = BTreeSet::new();
    for new in &fates.new {
        let Some(culprit) = culprit(new, planned, &taken) else {
            return Verdict::Brings(Box::new((*new).clone()));
        };
        if blamed.insert(culprit) {
            failing.push(Failing { id: culprit.to_owned(), reason: brings(new) });
        }
    }
    if failing.is_empty() { Verdict::Holds } else { Verdict::Fails(failing) }
}

/// Why a fix that brings a finding is left out.
pub(super) fn brings(new: &Finding) -> String {
    let at = &new.location;
    format!("it would bring a finding of {} at {}:{}: {}", new.check, at.file, at.start_line, new.title)
}

/// Whether an audit has a finding that is said to be new.
pub(super) fn has(report: &Report, new: &Finding) -> bool {
    all(report)
        .any(|it| it.check == new.check && it.location.file == new.location.file && it.title == new.title)
}

/// Fixes with which a file does not parse that did before.
fn broken(planned: &Planned, taken: &[&Proposal], text_of: &dyn Fn(&str) -> Option<String>) -> Vec<Failing> {
    let mut failing = Vec::new();
    for (path, text) in &planned.changes {
        let old = text_of(path).unwrap_or_default();
        if !parses_worse(path, &old, text) {
            continue;
        }
        let here: Vec<&&Proposal> = taken.iter().filter(|it| touches(it, path)).collect();
        let alone = here.iter().filter(|proposal| {
            let alone = plan(&[(**proposal).to_owned().clone()], text_of);
            alone.changes.get(path).is_some_and(|text| parses_worse(path, &old, text))
        });
        let mut ids: Vec<&str> = alone.map(|it| it.id.as_str()).collect();
        if ids.is_empty() {
            // Only together they do not: the one of the least importance goes.
            ids.extend(here.iter().max_by_key(|it| (it.rank, &it.id)).map(|it| it.id.as_str()));
        }
        let reason = format!("{path} would not parse with it");
        failing.extend(ids.into_iter().map(|id| Failing { id: id.to_owned(), reason: reason.clone() }));
    }
    failing.sort_by(|a, b| a.id.cmp(&b.id));
    failing.dedup_by(|a, b| a.id == b.id);
    failing
}

fn touches(proposal: &Proposal, path: &str) -> bool {
    proposal.edits.iter().any(|edit| edit.file == path) || proposal.files.iter().any(|file| file.path == path)
}

/// Whether a source file has more syntax errors than before.
fn parses_worse(path: &str, old: &str, new: &str) -> bool {
    Language::of_path(path).is_some() && parse(path, new).errors.len() > parse(path, old).errors.len()
}

/// What became of the findings.
struct Fates<'r> {
    /// The old finding, and how it is reported now.
    kept: Vec<(&'r Finding, &'r Finding)>,
    new: Vec<&'r Finding>,
}

impl<'r> Fates<'r> {
    /// Identities change with the code (and those of equal places with their number), so findings are followed by their places
    /// and words first.
    fn of(
        before: &'r Report,
        after: &'r Report,
        planned: &Planned,
        text_of: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let mut old: Vec<(&Finding, u32)> =
            all(before).map(|finding| (finding, line_after(finding, planned, text_of))).collect();
        let mut new: Vec<&Finding> = all(after).collect();
        let mut fates = Self { kept: Vec::new(), new: Vec::new() };
        let about = |a: &Finding, b: &Finding| a.check == b.check && a.location.file == b.location.file;
        let at =
            |(old, line): (&Finding, u32), new: &Finding| about(old, new) && line == new.location.start_line;
        fates.follow(&mut old, &mut new, |old, new| at(old, new) && old.0.title == new.title);
        fates.follow(&mut old, &mut new, |old, new| at(old, new) && old.0.id == new.id);
        fates.follow(&mut old, &mut new, at);
        fates.follow(&mut old, &mut new, |old, new| old.0.id == new.id);
        fates.follow(&mut old, &mut new, |old, new| about(old.0, new) && old.0.title == new.title);
        // Where code came to be between, or a finding is of the whole application, the words still tell.
        fates.follow(&mut old, &mut new, |old, new| old.0.check == new.check && old.0.title == new.title);
        fates.new = new;
        fates
    }

    fn follow(
        &mut self,
        old: &mut Vec<(&'r Finding, u32)>,
        new: &mut Vec<&'r Finding>,
        is_same: impl Fn((&'r Finding, u32), &Finding) -> bool,
    ) {
        new.retain(|candidate| match old.iter().position(|it| is_same(*it, candidate)) {
            Some(found) => {
                let (finding, _) = old.remove(found);
                self.kept.push((finding, candidate));
                false
            }
            None => true,
        });
    }
}

/// The line on which a finding lies after the edits.
fn line_after(finding: &Finding, planned: &Planned, text_of: &dyn Fn(&str) -> Option<String>) -> u32 {
    let at = &finding.location;
    let (Some(text), Some(changed)) = (text_of(&at.file), planned.changes.get(&at.file)) else {
        return at.start_line;
    };
    let offset = offset_of(&text, at.start_line, at.start_column);
    line_of(changed, planned.moved(&at.file, offset))
}

/// The fix that a new finding comes from: of those in its file the nearest.
fn culprit<'p>(new: &Finding, planned: &Planned, taken: &[&'p Proposal]) -> Option<&'p str> {
    let file = &new.location.file;
    let text = planned.changes.get(file);
    let distance = |edit: &Edit| {
        let line = text.map_or(0, |text| line_of(text, planned.moved(file, edit.start)));
        let (first, last) = (new.location.start_line, new.location.end_line);
        if line < first { first - line } else { line.saturating_sub(last) }
    };
    let nearest = taken.iter().filter_map(|proposal| {
        let own = proposal.edits.iter().filter(|edit| edit.file == *file);
        own.map(distance).min().map(|distance| (distance, proposal.rank, &proposal.id))
    });
    nearest.min().map(|(_, _, id)| id.as_str())
}
