//! What changed since a revision: `--since REV`.

use std::collections::BTreeMap;
use std::path::Path;

use loadworthy_report::{Evidence, Finding, Report};

use crate::failure::Failure;
use crate::git;

/// The lines that a working tree has and the revision has not, by file (relative to the project).
pub(crate) struct Changes {
    by_file: BTreeMap<String, Changed>,
}

enum Changed {
    /// A new file.
    Whole,
    /// First and last line of each part, from 1. Where lines were only taken out, the lines around the gap.
    Lines(Vec<(u32, u32)>),
}

impl Changes {
    /// Asks git for the difference between the revision and the working tree, files that git does not know included.
    pub(crate) fn since(root: &Path, revision: &str) -> Result<Self, Failure> {
        let known = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
        let commit = git::text(root, &[&known[..], &[&format!("{revision}^{{commit}}")]].concat())
            .map(|commit| commit.trim().to_owned())
            .ok_or_else(|| unknown(root, revision))?;
        let plain = ["--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all"];
        let shape = ["--unified=0", "--relative", "--no-renames", "--src-prefix=a/", "--dst-prefix=b/"];
        let difference = git::text(root, &[&["diff"], &plain[..], &shape, &[&commit, "--", "."]].concat());
        let untracked = git::text(root, &["ls-files", "--others", "--exclude-standard", "-z", "--", "."]);
        let (Some(difference), Some(untracked)) = (difference, untracked) else {
            return Err(unknown(root, revision));
        };
        let mut by_file = of_difference(&difference);
        let new = untracked.split('\0').filter(|path| !path.is_empty());
        by_file.extend(new.map(|path| (path.to_owned(), Changed::Whole)));
        Ok(Self { by_file })
    }

    /// Leaves the findings whose place, or a step of the chain that leads there, has changed. Gives how many it hid.
    pub(crate) fn apply(&self, report: &mut Report) -> usize {
        let before = report.findings.len() + report.suspicious.len();
        report.findings.retain(|finding| self.touch(finding));
        report.suspicious.retain(|suspicion| self.touch(&suspicion.finding));
        before - report.findings.len() - report.suspicious.len()
    }

    fn touch(&self, finding: &Finding) -> bool {
        let place = &finding.location;
        let step = |it: &Evidence| self.covers(&it.file, it.start_line, it.end_line);
        self.covers(&place.file, place.start_line, place.end_line) || finding.evidence.iter().any(step)
    }

    fn covers(&self, file: &str, first: u32, last: u32) -> bool {
        match self.by_file.get(file) {
            None => false,
            Some(Changed::Whole) => true,
            Some(Changed::Lines(parts)) => parts.iter().any(|(from, to)| *from <= last && first <= *to),
        }
    }
}

fn unknown(root: &Path, revision: &str) -> Failure {
    Failure::usage(format!("--since {revision}: git knows no such revision in {}", root.display())).hint(
        "give a commit, a branch or a tag; in CI, fetch its history first (actions/checkout: `fetch-depth: 0`)",
    )
}

/// Reads a difference without context lines. What a part holds is skipped by its count: it may look like a header.
fn of_difference(text: &str) -> BTreeMap<String, Changed> {
    let mut by_file: BTreeMap<String, Changed> = BTreeMap::new();
    let mut file = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("+++ ") {
            file = new_name(name);
        } else if let Some(hunk) = Hunk::of(line) {
            if hunk.length() > 0 {
                let _ = lines.by_ref().filter(|line| !line.starts_with('\\')).nth(hunk.length() - 1);
            }
            let Some(name) = &file else { continue };
            let entry = by_file.entry(String::from(name)).or_insert_with(|| Changed::Lines(Vec::new()));
            if let Changed::Lines(parts) = entry {
                parts.push(hunk.lines());
            }
        }
    }
    by_file
}

/// `b/src/app.ts`, with a tab behind it where the name holds spaces; `/dev/null` is a file that is gone.
fn new_name(name: &str) -> Option<String> {
    name.trim_end_matches('\t').strip_prefix("b/").map(str::to_owned)
}

/// `@@ -10,2 +10,3 @@`: two lines were taken out, three came in, the first of which is line 10 of the new file.
struct Hunk {
    removed: u32,
    first: u32,
    added: u32,
}

impl Hunk {
    fn of(line: &str) -> Option<Self> {
        let (old, rest) = line.strip_prefix("@@ -")?.split_once(" +")?;
        let (_, removed) = range(old)?;
        let (first, added) = range(rest.split_once(' ')?.0)?;
        Some(Self { removed, first, added })
    }

    /// Lines of the difference that follow its head.
    fn length(&self) -> usize {
        usize::try_from(self.removed.saturating_add(self.added)).unwrap_or(usize::MAX)
    }

    /// First and last line of the new file; those around the gap, where nothing came in.
    fn lines(&self) -> (u32, u32) {
        let last = if self.added == 0 { 1 } else { self.added - 1 };
        (self.first, self.first.saturating_add(last))
    }
}

/// `10,2`, or `10` for one line.
fn range(text: &str) -> Option<(u32, u32)> {
    let (first, count) = text.split_once(',').unwrap_or((text, "1"));
    Some((first.parse().ok()?, count.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines<'c>(changes: &'c BTreeMap<String, Changed>, file: &str) -> &'c [(u32, u32)] {
        match &changes[file] {
            Changed::Lines(parts) => parts,
            Changed::Whole => panic!("{file} is not wholly new"),
        }
    }

    #[test]
    fn parts_of_a_difference_are_lines_of_the_new_file() {
        let changes = of_difference(concat!(
            "diff --git a/a.ts b/a.ts\n--- a/a.ts\n+++ b/a.ts\n@@ -3 +3,2 @@ function f() {\n-x\n+y\n+z\n@@ -9,2 +10,0 @@\n-x\n-y\n",
            "diff --git a/gone.ts b/gone.ts\n--- a/gone.ts\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-x\n-y\n",
            "diff --git a/with space.ts b/with space.ts\n--- a/with space.ts\t\n+++ b/with space.ts\t\n@@ -0,0 +1 @@\n+x\n",
        ));
        assert_eq!(lines(&changes, "a.ts"), [(3, 4), (10, 11)]);
        assert_eq!(lines(&changes, "with space.ts"), [(1, 1)]);
        assert_eq!(changes.len(), 2);
    }

    #[test]
    fn changed_text_that_looks_like_a_header_is_no_file() {
        let changes = of_difference(concat!(
            "--- a/a.md\n+++ b/a.md\n@@ -1,2 +1,2 @@ nonsense\n--- a/x\n-y\n+++ b/x.md\n+@@ -1 +7 @@\n\\ No newline at end of file\n",
            "@@ -x +y @@\n@@ -8 +9 @@\n-x\n+y\n",
        ));
        assert_eq!(lines(&changes, "a.md"), [(1, 2), (9, 9)]);
        assert_eq!(changes.len(), 1);
    }
}
