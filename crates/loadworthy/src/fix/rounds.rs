//! The loop: plan the fixes of an audit together, audit the result in memory, leave out what does not hold, and plan what
//! collided on the result, until nothing is left to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use loadworthy_fix::{self as fixes, Planned, Proposal, plan};
use loadworthy_project::Project;
use loadworthy_report::{Applicability, Finding, NewPackage, Report};

use super::judge::{Failing, Verdict, brings, has, judge};
use crate::audit;
use crate::failure::Failure;
use crate::load::Load;
use crate::selection::Selection;
use crate::session::Session;

/// Which fixes are wanted.
pub(crate) struct Wanted<'w> {
    pub(crate) selection: &'w Selection,
    /// Those that a person has to read, too.
    pub(crate) with_review: bool,
    /// Of the finding whose id begins so, alone.
    pub(crate) finding: Option<&'w str>,
}

/// A file before all rounds and after them.
pub(crate) struct FileChange {
    pub(crate) before: Option<String>,
    pub(crate) after: String,
}

/// A fix that was not taken.
pub(crate) struct LeftOut {
    pub(crate) finding: Finding,
    pub(crate) reason: String,
}

/// What the rounds made.
pub(crate) struct Fixed {
    pub(crate) before: Report,
    pub(crate) after: Report,
    /// The findings that were fixed, in the order of the rounds.
    pub(crate) applied: Vec<Finding>,
    pub(crate) left_out: Vec<LeftOut>,
    pub(crate) changes: BTreeMap<String, FileChange>,
    pub(crate) packages: Vec<NewPackage>,
}

/// A round takes or leaves out at least one fix; more than this many are not met.
const MAX_ROUNDS: usize = 200;

/// Plans every wanted fix.
pub(crate) fn fix(session: &mut Session, load: &Load, wanted: &Wanted<'_>) -> Result<Fixed, Failure> {
    let first = audit::suppressed(session, load)?;
    check_named(&first, wanted)?;
    let mut rounds = Rounds {
        session,
        load,
        texts: BTreeMap::new(),
        current: first.clone(),
        applied: Vec::new(),
        left_out: BTreeMap::new(),
        packages: Vec::new(),
    };
    for _ in 0..MAX_ROUNDS {
        if !rounds.round(wanted)? {
            break;
        }
    }
    rounds.finish(first)
}

/// Refuses an id that names no finding, or one without edits.
fn check_named(report: &Report, wanted: &Wanted<'_>) -> Result<(), Failure> {
    let Some(id) = wanted.finding else { return Ok(()) };
    let named: Vec<&Finding> = all(report).filter(|finding| finding.id.starts_with(id)).collect();
    match named.as_slice() {
        [] => Err(Failure::usage(format!("there is no finding `{id}`"))
            .hint("`loadworthy PATH --format json` lists the ids")),
        [finding] if finding.fix.edits.is_empty() && finding.fix.files.is_empty() => {
            Err(Failure::usage(format!("the fix of `{id}` is no edit: {}", finding.title))
                .hint(finding.fix.description.clone()))
        }
        [finding] if finding.fix.applicability == Applicability::Review && !wanted.with_review => {
            Err(Failure::usage(format!("the fix of `{id}` has to be read by a person")).hint("add --review"))
        }
        [_] => Ok(()),
        [first, second, ..] => {
            Err(Failure::usage(format!("`{id}` begins the ids {} and {}", first.id, second.id)))
        }
    }
}

/// Proven problems and suspicious patterns.
pub(super) fn all(report: &Report) -> impl Iterator<Item = &Finding> {
    report.findings.iter().chain(report.suspicious.iter().map(|it| &it.finding))
}

struct Rounds<'r> {
    session: &'r mut Session,
    load: &'r Load,
    /// The texts that changed so far.
    texts: BTreeMap<String, String>,
    /// The audit of the project with them.
    current: Report,
    applied: Vec<Finding>,
    /// Why a fix is not tried any more, by the id and title of its finding: ids of like findings at one place follow their
    /// number, which changes when one of them is fixed.
    left_out: BTreeMap<(String, String), String>,
    packages: Vec<NewPackage>,
}

impl Rounds<'_> {
    /// Takes or leaves out something; whether there was anything.
    fn round(&mut self, wanted: &Wanted<'_>) -> Result<bool, Failure> {
        let mut proposals = self.proposals(wanted);
        if proposals.is_empty() {
            return Ok(false);
        }
        let known = self.left_out.len();
        loop {
            let planned = plan(&proposals, |path| text_of(&self.session.project, path));
            let refused: Vec<Failing> = planned
                .refused
                .iter()
                .map(|it| Failing { id: it.id.clone(), reason: it.reason.clone() })
                .collect();
            self.leave_out(refused);
            if planned.taken.is_empty() {
                return Ok(self.left_out.len() > known);
            }
            let failing = self.try_out(&proposals, planned)?;
            if failing.is_empty() {
                return Ok(true);
            }
            proposals.retain(|proposal| !failing.iter().any(|it| it.id == proposal.id));
            self.leave_out(failing);
        }
    }

    fn leave_out(&mut self, failing: Vec<Failing>) {
        for it in failing {
            let title =
                all(&self.current).find(|finding| finding.id == it.id).map(|finding| finding.title.clone());
            self.left_out.insert((it.id, title.unwrap_or_default()), it.reason);
        }
    }

    /// Audits the project with a plan: keeps it if it holds, else says what does not.
    fn try_out(&mut self, proposals: &[Proposal], planned: Planned) -> Result<Vec<Failing>, Failure> {
        let paths = planned.changes.keys();
        let old: BTreeMap<&String, String> =
            paths.filter_map(|path| Some((path, text_of(&self.session.project, path)?))).collect();
        let (texts, after) = self.audited_with(&planned)?;
        let text = |path: &str| old.get(&path.to_owned()).cloned();
        let failing = match judge(&self.current, &after, &planned, proposals, &text) {
            Verdict::Holds => Vec::new(),
            Verdict::Fails(failing) => failing,
            Verdict::Brings(new) => vec![self.culprit(proposals, &new)?],
        };
        if !failing.is_empty() {
            self.session.rediscover(Arc::new(self.texts.clone()))?;
            return Ok(failing);
        }
        self.texts = texts;
        let current = std::mem::replace(&mut self.current, after);
        let taken = planned.taken.iter().filter_map(|id| all(&current).find(|it| it.id == *id).cloned());
        self.applied.extend(taken);
        self.packages.extend(planned.packages.into_iter().map(|it| NewPackage {
            name: it.name,
            range: it.range,
            manifest: it.manifest,
        }));
        Ok(Vec::new())
    }

    /// The project with a plan on top of what was taken, and its audit.
    fn audited_with(&mut self, planned: &Planned) -> Result<(BTreeMap<String, String>, Report), Failure> {
        let mut texts = self.texts.clone();
        texts.extend(planned.changes.clone());
        self.session.rediscover(Arc::new(texts.clone()))?;
        let report = audit::suppressed(self.session, self.load)?;
        Ok((texts, report))
    }

    /// The fix that a new finding comes with, by halving: of the shortest run of them that brings it, the last.
    fn culprit(&mut self, proposals: &[Proposal], new: &Finding) -> Result<Failing, Failure> {
        let mut ordered: Vec<Proposal> = proposals.to_vec();
        ordered.sort_by(|a, b| (a.rank, &a.id).cmp(&(b.rank, &b.id)));
        let (mut without, mut with) = (0, ordered.len());
        while with - without > 1 {
            let middle = without.midpoint(with);
            self.session.rediscover(Arc::new(self.texts.clone()))?;
            let run = ordered.get(..middle).unwrap_or_default();
            let planned = plan(run, |path| text_of(&self.session.project, path));
            let (_, report) = self.audited_with(&planned)?;
            if has(&report, new) {
                with = middle;
            } else {
                without = middle;
            }
        }
        let id = ordered.get(with.saturating_sub(1)).map(|it| it.id.clone()).unwrap_or_default();
        Ok(Failing { id, reason: brings(new) })
    }

    /// The fixes that may be tried now.
    fn proposals(&self, wanted: &Wanted<'_>) -> Vec<Proposal> {
        let of = |finding: &Finding, rank: usize| {
            let is_wanted = wanted.wants(finding) && !self.left_out.contains_key(&key(finding));
            let may = || finding.fix.edits.iter().all(|edit| may_edit(&self.session.project, &edit.file));
            (is_wanted && may()).then(|| proposal(finding, rank))
        };
        if wanted.finding.is_some() {
            // What comes back after its fix has another id, or is the same that was left out.
            let is_done = !self.applied.is_empty();
            return all(&self.current).filter(|_| !is_done).filter_map(|it| of(it, 0)).collect();
        }
        self.current.findings.iter().enumerate().filter_map(|(rank, it)| of(it, rank)).collect()
    }

    fn finish(self, before: Report) -> Result<Fixed, Failure> {
        let reason = |finding: &Finding| self.left_out.get(&key(finding)).cloned();
        let left_out = all(&self.current)
            .filter_map(|it| reason(it).map(|reason| LeftOut { finding: it.clone(), reason }))
            .collect();
        self.session.rediscover(Arc::default())?;
        let project = &self.session.project;
        let changes = self
            .texts
            .into_iter()
            .map(|(path, after)| {
                let before = text_of(project, &path);
                (path, FileChange { before, after })
            })
            .filter(|(_, change)| change.before.as_ref() != Some(&change.after))
            .collect();
        Ok(Fixed {
            before,
            after: self.current,
            applied: self.applied,
            left_out,
            changes,
            packages: self.packages,
        })
    }
}

/// What a finding is left out by.
fn key(finding: &Finding) -> (String, String) {
    (finding.id.clone(), finding.title.clone())
}

impl Wanted<'_> {
    pub(super) fn wants(&self, finding: &Finding) -> bool {
        let is_named = self.finding.is_none_or(|id| finding.id.starts_with(id));
        is_named && self.selection.includes(&finding.check) && self.may_take(finding)
    }

    /// Whether the fix is edits, of a kind that was asked for.
    pub(super) fn may_take(&self, finding: &Finding) -> bool {
        let fix = &finding.fix;
        let is_edit = !fix.edits.is_empty() || !fix.files.is_empty();
        is_edit
            && match fix.applicability {
                Applicability::Safe => true,
                Applicability::Review => self.with_review,
                Applicability::Manual => false,
            }
    }
}

/// Only files that are audited, and those that declare something: never generated ones, copies of libraries or tests.
fn may_edit(project: &Project, path: &str) -> bool {
    match project.file_by_path(path).and_then(|file| project.file(file)) {
        Some(file) => file.class.is_audited(),
        None => project.other_files.iter().any(|file| file == path),
    }
}

fn proposal(finding: &Finding, rank: usize) -> Proposal {
    let fix = &finding.fix;
    Proposal {
        id: finding.id.clone(),
        rank: u32::try_from(rank).unwrap_or(u32::MAX),
        edits: fix
            .edits
            .iter()
            .map(|it| fixes::Edit {
                file: it.file.clone(),
                start: it.start_offset as usize,
                end: it.end_offset as usize,
                replacement: it.replacement.clone(),
            })
            .collect(),
        files: fix
            .files
            .iter()
            .map(|it| fixes::NewFile { path: it.path.clone(), text: it.text.clone() })
            .collect(),
        packages: fix
            .packages
            .iter()
            .map(|it| fixes::NewPackage {
                name: it.name.clone(),
                range: it.range.clone(),
                manifest: it.manifest.clone(),
            })
            .collect(),
    }
}

/// The text of any file of the project.
pub(super) fn text_of(project: &Project, path: &str) -> Option<String> {
    match project.file_by_path(path) {
        Some(file) => project.read(file).ok(),
        None => project.read_other(path).ok(),
    }
}
