//! One finding for a habit: the same shape in many places of a package is one root cause, told once with all its places.

use loadworthy_capacity::Severity;
use loadworthy_project::PackageId;

use crate::audit::Audit;
use crate::finding::{Evidence, Finding, Place, Verdict};

/// Places from which on a shape is a habit.
const HABIT: usize = 4;

/// What two findings of one habit share.
#[derive(PartialEq, Eq, Clone, Copy)]
struct Key {
    habit: &'static str,
    package: Option<PackageId>,
    bounds: (Severity, Severity),
    is_proven: bool,
    /// Those that the tool can mend stay apart from those that it can't: a fix mends all of its finding.
    has_edits: bool,
}

/// Joins the findings of each habit into its first; the order of the others stays.
pub(crate) fn joined(audit: &Audit<'_, '_>, findings: Vec<Finding>) -> Vec<Finding> {
    let keys: Vec<Option<Key>> = findings.iter().map(|finding| key(audit, finding)).collect();
    let count = |key: &Key| keys.iter().flatten().filter(|other| *other == key).count();
    let is_habit: Vec<bool> =
        keys.iter().map(|key| key.as_ref().is_some_and(|key| count(key) >= HABIT)).collect();
    let mut kept: Vec<(Option<Key>, Finding)> = Vec::new();
    for ((finding, key), is_habit) in findings.into_iter().zip(keys).zip(is_habit) {
        let key = key.filter(|_| is_habit);
        let first = kept.iter_mut().find(|(other, _)| key.is_some() && *other == key);
        match first {
            Some((_, first)) => join(first, finding),
            None => kept.push((key, finding)),
        }
    }
    let told = kept.into_iter().map(|(key, mut finding)| {
        if key.is_some() {
            let more = finding.joined;
            finding.words.title = format!("{}, and {more} more places like it", finding.words.title);
        }
        finding
    });
    told.collect()
}

fn key(audit: &Audit<'_, '_>, finding: &Finding) -> Option<Key> {
    let package = match &finding.place {
        Place::Code(site) => audit.program().project().file(site.0).map(|file| file.package),
        Place::Line { .. } => None,
    };
    Some(Key {
        habit: finding.habit?,
        package,
        bounds: finding.bounds,
        is_proven: finding.verdict == Verdict::Proven,
        has_edits: !finding.fix.edits.is_empty(),
    })
}

fn join(first: &mut Finding, other: Finding) {
    first.joined += 1;
    first.evidence.push(Evidence { place: other.place, note: other.words.title });
    // Places of the same defect that the other one names besides its own.
    for evidence in other.evidence {
        if first.evidence.iter().all(|known| known.place != evidence.place) {
            first.evidence.push(evidence);
        }
    }
    first.fix.edits.extend(other.fix.edits);
    first.fix.applicability = first.fix.applicability.max(other.fix.applicability);
    for package in other.fix.packages {
        if !first.fix.packages.contains(&package) {
            first.fix.packages.push(package);
        }
    }
    if let (Some(routes), Some(more)) = (&mut first.routes, other.routes) {
        for route in more {
            if !routes.contains(&route) {
                routes.push(route);
            }
        }
    }
}
