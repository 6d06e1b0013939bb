//! What changed between two runs, finding by finding; fingerprints say which is which.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::record::{Audit, Item, Record};

/// Everything that changed, in the order of applications.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Difference {
    added: Vec<Change>,
    removed: Vec<Change>,
    changed: Vec<Change>,
    /// Findings of which only the text, evidence or figures changed, by check.
    reworded: BTreeMap<String, usize>,
    unchanged: usize,
    /// Applications that can't be compared, and why.
    notes: Vec<String>,
    seconds: (f64, f64),
    peak_bytes: (u64, u64),
}

#[derive(Debug, PartialEq)]
struct Change {
    app: String,
    item: Item,
    /// What was before, where there was something.
    was: String,
}

impl Difference {
    /// Compares the applications that both runs audited at the same commit.
    pub(super) fn between(before: &Record, after: &Record) -> Self {
        let mut difference = Self::default();
        for (app, now) in &after.apps {
            match before.apps.get(app) {
                None => difference.notes.push(format!("{app}: not in the recorded run")),
                Some(then) if then.commit != now.commit => {
                    difference.notes.push(format!("{app}: recorded at another commit"));
                }
                Some(then) => difference.compare(app, then, now),
            }
        }
        difference
    }

    fn compare(&mut self, app: &str, then: &Audit, now: &Audit) {
        if then.error != now.error {
            let state = |audit: &Audit| audit.error.clone().unwrap_or_else(|| "a report".to_owned());
            self.notes.push(format!("{app}: {} -> {}", state(then), state(now)));
        }
        if then.error.is_some() || now.error.is_some() {
            return;
        }
        self.seconds = (self.seconds.0 + then.usage.seconds, self.seconds.1 + now.usage.seconds);
        self.peak_bytes.0 = self.peak_bytes.0.max(then.usage.peak_bytes);
        self.peak_bytes.1 = self.peak_bytes.1.max(now.usage.peak_bytes);
        let (mut then, now) = (keyed(&then.items), keyed(&now.items));
        for (key, item) in now {
            match then.remove(&key) {
                None => self.added.push(change(app, item, String::new())),
                Some(old) => self.pair(app, old, item),
            }
        }
        self.removed.extend(then.into_values().map(|item| change(app, item, String::new())));
    }

    fn pair(&mut self, app: &str, old: &Item, new: &Item) {
        let mut was = Vec::new();
        let mut note = |then: &str, now: &str| {
            if then != now {
                was.push(then.to_owned());
            }
        };
        note(old.tier.name(), new.tier.name());
        note(&old.severity, &new.severity);
        note(&format!("confidence {}", old.confidence), &format!("confidence {}", new.confidence));
        note(&format!("{}:{}", old.file, old.line), &format!("{}:{}", new.file, new.line));
        if !was.is_empty() {
            self.changed.push(change(app, new, was.join(", ")));
        } else if old == new {
            self.unchanged += 1;
        } else {
            *self.reworded.entry(new.check.clone()).or_default() += 1;
        }
    }

    /// A text for people: every added, removed and changed finding, then the sums.
    pub(super) fn render(&self) -> String {
        let mut text = String::new();
        for (sign, changes) in [('+', &self.added), ('-', &self.removed), ('~', &self.changed)] {
            for change in changes {
                // Writing to a string does not fail.
                let _ = writeln!(text, "{sign} {}", change.render());
            }
        }
        for note in &self.notes {
            let _ = writeln!(text, "! {note}");
        }
        let reworded: usize = self.reworded.values().sum();
        let by_check: Vec<String> =
            self.reworded.iter().map(|(check, number)| format!("{check}: {number}")).collect();
        let _ = write!(
            text,
            "{} added, {} removed, {} changed, {} unchanged, {reworded} reworded{}",
            self.added.len(),
            self.removed.len(),
            self.changed.len(),
            self.unchanged,
            if by_check.is_empty() { String::new() } else { format!(" ({})", by_check.join(", ")) },
        );
        let mib = crate::measure::mib;
        let _ = write!(
            text,
            "\ntime {:.2} s -> {:.2} s, largest peak {:.0} MiB -> {:.0} MiB",
            self.seconds.0,
            self.seconds.1,
            mib(self.peak_bytes.0),
            mib(self.peak_bytes.1),
        );
        text
    }
}

/// Items by fingerprint; a number tells apart those that share one.
fn keyed(items: &[Item]) -> BTreeMap<(&str, usize), &Item> {
    let mut keyed = BTreeMap::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for item in items {
        let number = seen.entry(&item.id).or_default();
        keyed.insert((item.id.as_str(), *number), item);
        *number += 1;
    }
    keyed
}

fn change(app: &str, item: &Item, was: String) -> Change {
    Change { app: app.to_owned(), item: item.clone(), was }
}

impl Change {
    fn render(&self) -> String {
        let Item { check, tier, severity, file, line, title, .. } = &self.item;
        let was = if self.was.is_empty() { String::new() } else { format!(" (was {})", self.was) };
        format!("{} {check} {severity} {} {file}:{line} {title}{was}", self.app, tier.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::record::Tier;
    use crate::measure::Usage;

    fn item(id: &str, severity: &str, line: u64) -> Item {
        Item {
            id: id.to_owned(),
            tier: Tier::Finding,
            check: "1A".to_owned(),
            severity: severity.to_owned(),
            confidence: "High".to_owned(),
            file: "a.js".to_owned(),
            line,
            title: "t".to_owned(),
            rest: "0".to_owned(),
        }
    }

    fn record(items: &[Item]) -> Record {
        let mut audit = Audit::failed("c", Usage::default(), String::new());
        audit.error = None;
        audit.items = items.to_vec();
        Record { apps: [("shop".to_owned(), audit)].into() }
    }

    fn difference(before: &[Item], after: &[Item]) -> Difference {
        Difference::between(&record(before), &record(after))
    }

    fn counts(difference: &Difference) -> (usize, usize, usize, usize) {
        let Difference { added, removed, changed, unchanged, .. } = difference;
        (added.len(), removed.len(), changed.len(), *unchanged)
    }

    #[test]
    fn findings_are_paired_by_fingerprint_whatever_their_order() {
        let before = [item("a", "HIGH", 1), item("b", "HIGH", 2), item("c", "HIGH", 3)];
        let after = [item("c", "HIGH", 3), item("d", "HIGH", 4), item("a", "HIGH", 1)];
        let difference = difference(&before, &after);
        assert_eq!(counts(&difference), (1, 1, 0, 2));
        assert_eq!(
            (difference.added[0].item.id.as_str(), difference.removed[0].item.id.as_str()),
            ("d", "b")
        );
    }

    #[test]
    fn equal_runs_have_no_difference() {
        let items = [item("a", "HIGH", 1), item("a", "HIGH", 2)];
        assert_eq!(counts(&difference(&items, &items)), (0, 0, 0, 2));
    }

    #[test]
    fn severity_tier_and_place_are_changes() {
        let mut suspicious = item("b", "HIGH", 2);
        suspicious.tier = Tier::Suspicious;
        let before = [item("a", "HIGH", 1), item("b", "HIGH", 2), item("c", "HIGH", 3)];
        let after = [item("a", "CRITICAL", 1), suspicious, item("c", "HIGH", 30)];
        let difference = difference(&before, &after);
        assert_eq!(counts(&difference), (0, 0, 3, 0));
        let text = difference.render();
        assert!(text.contains("~ shop 1A CRITICAL finding a.js:1 t (was HIGH)"), "{text}");
        assert!(text.contains("~ shop 1A HIGH suspicious a.js:2 t (was finding)"), "{text}");
        assert!(text.contains("~ shop 1A HIGH finding a.js:30 t (was a.js:3)"), "{text}");
    }

    #[test]
    fn other_words_for_the_same_finding_are_only_counted() {
        let mut other = item("a", "HIGH", 1);
        other.rest = "1".to_owned();
        let difference = difference(&[item("a", "HIGH", 1)], &[other]);
        assert_eq!(counts(&difference), (0, 0, 0, 0));
        assert!(difference.render().contains("1 reworded (1A: 1)"));
    }

    #[test]
    fn one_of_two_findings_with_one_fingerprint_can_go() {
        let before = [item("a", "HIGH", 1), item("a", "HIGH", 2)];
        assert_eq!(counts(&difference(&before, &before[..1])), (0, 1, 0, 1));
    }

    #[test]
    fn another_commit_or_a_crash_is_said_and_not_compared() {
        let before = record(&[item("a", "HIGH", 1)]);
        let mut moved = record(&[]);
        moved.apps.get_mut("shop").unwrap().commit = "d".to_owned();
        let mut crashed = record(&[]);
        crashed.apps.get_mut("shop").unwrap().error = Some("exit code 3".to_owned());
        for (after, words) in [(moved, "another commit"), (crashed, "a report -> exit code 3")] {
            let difference = Difference::between(&before, &after);
            assert_eq!(counts(&difference), (0, 0, 0, 0));
            assert!(difference.render().contains(words), "{}", difference.render());
        }
    }
}
