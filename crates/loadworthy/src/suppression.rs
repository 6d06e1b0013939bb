//! Findings silenced by comments in the code, and comments that silence nothing.
//!
//! `loadworthy-ignore-next-line CHECKS -- reason`, `-line`, `-start` … `-end` and `-file`; without checks, all of them. In files
//! that are not parsed (schemas, SQL, YAML) the comment is found by its text.

use std::collections::{BTreeMap, BTreeSet};

use loadworthy_analysis::Program;
use loadworthy_report::{Diagnostic, DiagnosticKind, Finding};
use loadworthy_syntax::{SUPPRESSION_WORD, Suppression};

use crate::convert::Converted;
use crate::directive::{Directive, Form};
use crate::location::text_of;
use crate::selection::Selection;

/// Lines that a comment silences.
struct Silence {
    directive: Directive,
    /// Line of the comment.
    comment: u32,
    first: u32,
    last: u32,
    is_used: bool,
}

/// Silenced lines by file.
#[derive(Default)]
struct Silences {
    by_file: BTreeMap<String, Vec<Silence>>,
    problems: Vec<Diagnostic>,
}

/// Takes silenced findings out; what is wrong with comments, and which of them silence nothing.
pub(crate) fn suppress(
    program: &Program<'_>,
    selection: &Selection,
    converted: &mut Converted,
) -> Vec<Diagnostic> {
    let mut silences = Silences::default();
    for (file, module) in program.modules() {
        silences.add(program.path(file), module.suppressions());
    }
    let places = converted.places();
    for path in places.iter().filter(|path| program.project().file_by_path(path).is_none()) {
        silences.add(path, &comments_of(&text_of(program, path).unwrap_or_default()));
    }
    converted.findings.retain(|finding| !silences.silence(finding));
    converted.suspicious.retain(|suspicion| !silences.silence(&suspicion.finding));
    silences.diagnostics(selection)
}

impl Converted {
    /// The files of its findings.
    fn places(&self) -> BTreeSet<String> {
        let suspicious = self.suspicious.iter().map(|suspicion| &suspicion.finding);
        self.findings.iter().chain(suspicious).map(|finding| finding.location.file.clone()).collect()
    }
}

impl Silences {
    fn add(&mut self, path: &str, comments: &[Suppression]) {
        let mut open: Vec<Silence> = Vec::new();
        for comment in comments {
            let line = comment.first_line;
            let directive = match Directive::parse(&comment.text) {
                Ok(directive) => directive,
                Err(problem) => {
                    self.problems.push(diagnostic(path, line, problem));
                    continue;
                }
            };
            let (first, last) = match directive.form {
                Form::NextLine => (comment.last_line + 1, comment.last_line + 1),
                Form::Line => (line, comment.last_line),
                Form::File => (1, u32::MAX),
                Form::Start => (comment.last_line, u32::MAX),
                Form::End => {
                    self.close(path, &directive, line, &mut open);
                    continue;
                }
            };
            let silence = Silence { directive, comment: line, first, last, is_used: false };
            if silence.directive.form == Form::Start {
                open.push(silence);
            } else {
                self.of_file(path).push(silence);
            }
        }
        for silence in open {
            let message = "nothing ends this block: `loadworthy-ignore-end` is missing".to_owned();
            self.problems.push(diagnostic(path, silence.comment, message));
            self.of_file(path).push(silence);
        }
    }

    /// Ends the innermost block of the same checks; of any where the end names none.
    fn close(&mut self, path: &str, end: &Directive, line: u32, open: &mut Vec<Silence>) {
        let is_its = |silence: &Silence| end.codes.is_empty() || silence.directive.codes == end.codes;
        match open.iter().rposition(is_its) {
            Some(at) => {
                let silence = open.remove(at);
                self.of_file(path).push(Silence { last: line, ..silence });
            }
            None => self.problems.push(diagnostic(path, line, "this comment ends no block".to_owned())),
        }
    }

    fn of_file(&mut self, path: &str) -> &mut Vec<Silence> {
        self.by_file.entry(path.to_owned()).or_default()
    }

    /// Whether a comment silences the finding; each that does counts as used.
    fn silence(&mut self, finding: &Finding) -> bool {
        let line = finding.location.start_line;
        let silences = self.by_file.get_mut(&finding.location.file).into_iter().flatten();
        let mut is_silenced = false;
        for silence in silences {
            if (silence.first..=silence.last).contains(&line) && silence.directive.is_about(&finding.check) {
                silence.is_used = true;
                is_silenced = true;
            }
        }
        is_silenced
    }

    fn diagnostics(self, selection: &Selection) -> Vec<Diagnostic> {
        let unused = self.by_file.iter().flat_map(|(path, silences)| {
            let unused =
                silences.iter().filter(|it| !it.is_used && selection.includes_all(&it.directive.codes));
            unused.map(|it| diagnostic(path, it.comment, "this comment suppresses no finding".to_owned()))
        });
        let mut all: Vec<Diagnostic> = unused.chain(self.problems.iter().cloned()).collect();
        all.sort_by(|a, b| (&a.file, a.line, &a.message).cmp(&(&b.file, b.line, &b.message)));
        all
    }
}

fn diagnostic(path: &str, line: u32, message: String) -> Diagnostic {
    Diagnostic {
        kind: DiagnosticKind::UnusedSuppression,
        file: Some(path.to_owned()),
        line: Some(line),
        message,
    }
}

/// Comments to the tool in a text of any language: `//`, `#`, `--`, `/*` or `<!--` before the word.
fn comments_of(text: &str) -> Vec<Suppression> {
    let numbered = (1..).zip(text.lines());
    let comments = numbered.filter_map(|(line, code)| {
        let (before, after) = code.split_once(SUPPRESSION_WORD)?;
        let before = before.trim_end();
        let is_comment = ["//", "#", "--", "/*"].iter().any(|opener| before.ends_with(opener));
        let after = after.trim_end().trim_end_matches("*/").trim_end_matches("-->");
        is_comment.then(|| Suppression {
            first_line: line,
            last_line: line,
            text: format!("{SUPPRESSION_WORD}{after}").into(),
        })
    });
    comments.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_of_other_languages_are_found() {
        let text = "model A {\n  // loadworthy-ignore-next-line 1A -- small\n  b Int\n}\n-- loadworthy-ignore-file 1A\ntext about loadworthy-ignore\n";
        let found: Vec<_> = comments_of(text).into_iter().map(|it| (it.first_line, it.text)).collect();
        assert_eq!(
            found,
            [(2, "loadworthy-ignore-next-line 1A -- small".into()), (5, "loadworthy-ignore-file 1A".into())]
        );
    }
}
