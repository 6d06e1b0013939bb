//! The report for a terminal: short, worst first, with the source it is about.

use std::fmt::{self, Write};

use crate::escape::{one_line, visible};
use crate::model::{Diagnostic, Finding, Location, Report, Severity};

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Color {
    /// Plain text.
    #[default]
    Never,
    /// With ANSI colours.
    Always,
}

/// How much to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// Every finding.
    #[default]
    All,
    /// The CRITICAL findings and the summary.
    Quiet,
}

/// How to write for a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalOptions {
    /// Whether to colour.
    pub color: Color,
    /// How much to show.
    pub detail: Detail,
    /// Columns; at least 40 and at most 1,000 are used. Source lines are cut at it, prose wraps.
    pub width: usize,
}

impl Default for TerminalOptions {
    fn default() -> Self {
        Self { color: Color::Never, detail: Detail::All, width: 100 }
    }
}

/// Lines of source shown for one finding.
const FRAME_LINES: u32 = 5;
const NARROWEST: usize = 40;
/// Padding in `format!` ends at 65,535.
const WIDEST: usize = 1000;

const RESET: &str = "\u{1b}[0m";
const DIM: &str = "\u{1b}[2m";
const BOLD: &str = "\u{1b}[1m";

/// The report; `sources` gives the text of a file by its relative path, for the excerpts.
///
/// Control characters and bidirectional controls of the audited code are written as `\u{…}`.
#[must_use]
pub fn terminal(
    report: &Report,
    options: &TerminalOptions,
    sources: &dyn Fn(&str) -> Option<String>,
) -> String {
    let mut writer = Writer { out: String::new(), options, sources };
    // Writing to a String does not fail.
    writer.report(report).unwrap_or_default();
    writer.out
}

struct Writer<'a> {
    out: String,
    options: &'a TerminalOptions,
    sources: &'a dyn Fn(&str) -> Option<String>,
}

impl Writer<'_> {
    fn report(&mut self, report: &Report) -> fmt::Result {
        for severity in Severity::ALL {
            if self.options.detail == Detail::All || severity == Severity::Critical {
                self.group(report, severity)?;
            }
        }
        if self.options.detail == Detail::All {
            self.suspicious(report)?;
            self.diagnostics(&report.diagnostics)?;
        }
        self.summary(report)
    }

    fn group(&mut self, report: &Report, severity: Severity) -> fmt::Result {
        let findings: Vec<&Finding> =
            report.findings.iter().filter(|finding| finding.severity == severity).collect();
        if findings.is_empty() {
            return Ok(());
        }
        let heading = self.painted(color_of(severity), severity.name());
        writeln!(self.out, "{heading} ({})\n", findings.len())?;
        findings.into_iter().try_for_each(|finding| self.finding(finding, None))
    }

    fn suspicious(&mut self, report: &Report) -> fmt::Result {
        if report.suspicious.is_empty() {
            return Ok(());
        }
        let heading = self.painted(BOLD, "SUSPICIOUS");
        writeln!(self.out, "{heading} ({})\n", report.suspicious.len())?;
        report
            .suspicious
            .iter()
            .try_for_each(|suspicion| self.finding(&suspicion.finding, Some(&suspicion.missing_fact)))
    }

    fn finding(&mut self, finding: &Finding, missing_fact: Option<&str>) -> fmt::Result {
        let title = self.painted(BOLD, &one_line(&finding.title));
        writeln!(self.out, "{} {}: {title}", one_line(&finding.check), one_line(&finding.slug))?;
        self.frame(&finding.location)?;
        self.note("impact", &finding.impact.text)?;
        match missing_fact {
            Some(fact) => {
                self.note("unknown", fact)?;
                self.note("verify", &finding.verify)?;
            }
            None => self.note("fix", &finding.fix.description)?,
        }
        writeln!(self.out)
    }

    /// The place, and the lines with their numbers and a marker below the first.
    fn frame(&mut self, location: &Location) -> fmt::Result {
        let last = location.end_line.max(location.start_line);
        let gutter = last.to_string().len().max(2);
        let arrow = self.painted(DIM, "-->");
        let file = one_line(&location.file);
        writeln!(self.out, "{:gutter$}{arrow} {file}:{}:{}", "", location.start_line, location.start_column)?;
        let Some(source) = (self.sources)(&location.file) else { return Ok(()) };
        let shown = last.min(location.start_line.saturating_add(FRAME_LINES - 1));
        for number in location.start_line..=shown {
            let Some(line) = line_of(&source, number) else { break };
            self.source_line(gutter, number, line)?;
            if number == location.start_line {
                self.marker(gutter, line, location)?;
            }
        }
        if shown < last {
            writeln!(self.out, "{:gutter$} | … {} more lines", "", last - shown)?;
        }
        Ok(())
    }

    fn source_line(&mut self, gutter: usize, number: u32, line: &str) -> fmt::Result {
        let text = cut(visible(line).trim_end(), self.width().saturating_sub(gutter + 3));
        let number = self.painted(DIM, &format!("{number:>gutter$} |"));
        writeln!(self.out, "{}", format!("{number} {text}").trim_end())
    }

    fn marker(&mut self, gutter: usize, line: &str, location: &Location) -> fmt::Result {
        let start = usize::try_from(location.start_column.saturating_sub(1)).unwrap_or(0);
        let end = if location.end_line > location.start_line {
            line.trim_end().chars().count()
        } else {
            usize::try_from(location.end_column.saturating_sub(1)).unwrap_or(0)
        };
        let before = columns(line, 0, start);
        let room = self.width().saturating_sub(gutter + 3);
        if before >= room {
            return Ok(());
        }
        let length = columns(line, start, end).clamp(1, room - before);
        let marks = self.painted(BOLD, &"^".repeat(length));
        writeln!(self.out, "{:gutter$} | {:before$}{marks}", "", "")
    }

    /// `= label: text`, wrapped.
    fn note(&mut self, label: &str, text: &str) -> fmt::Result {
        let text = one_line(text);
        if text.is_empty() {
            return Ok(());
        }
        let indent = label.len() + 6;
        for (number, line) in wrapped(&text, self.width().saturating_sub(indent)).into_iter().enumerate() {
            if number == 0 {
                let label = self.painted(DIM, &format!("= {label}:"));
                writeln!(self.out, "  {label} {line}")?;
            } else {
                writeln!(self.out, "{:1$}{line}", "", indent)?;
            }
        }
        Ok(())
    }

    fn diagnostics(&mut self, diagnostics: &[Diagnostic]) -> fmt::Result {
        for diagnostic in diagnostics {
            let place = match (&diagnostic.file, diagnostic.line) {
                (Some(file), Some(line)) => format!("{}:{line}: ", one_line(file)),
                (Some(file), None) => format!("{}: ", one_line(file)),
                (None, _) => String::new(),
            };
            writeln!(self.out, "note: {place}{}", one_line(&diagnostic.message))?;
        }
        if diagnostics.is_empty() { Ok(()) } else { writeln!(self.out) }
    }

    fn summary(&mut self, report: &Report) -> fmt::Result {
        let count = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
        let [critical, high, medium, monitor] = Severity::ALL.map(count);
        let score = &report.score;
        let value = self.painted(BOLD, &format!("Score {:.1}/10", score.value));
        let range = if score.range.low < score.range.high {
            format!(" ({:.1} to {:.1})", score.range.low, score.range.high)
        } else {
            String::new()
        };
        writeln!(
            self.out,
            "{value}{range}: {}. {critical} critical, {high} high, {medium} medium, {monitor} monitor, {} suspicious.",
            score.band.meaning(),
            report.suspicious.len()
        )?;
        for package in &report.packages {
            let (name, path, score) = (one_line(&package.name), one_line(&package.path), &package.score);
            writeln!(self.out, "  {:.1}/10  {name} ({path}): {}", score.value, score.band.meaning())?;
        }
        Ok(())
    }

    fn painted(&self, style: &str, text: &str) -> String {
        match self.options.color {
            Color::Never => text.to_owned(),
            Color::Always => format!("{style}{text}{RESET}"),
        }
    }

    fn width(&self) -> usize {
        self.options.width.clamp(NARROWEST, WIDEST)
    }
}

fn color_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "\u{1b}[1;31m",
        Severity::High => "\u{1b}[31m",
        Severity::Medium => "\u{1b}[33m",
        Severity::Monitor => "\u{1b}[36m",
    }
}

fn line_of(source: &str, number: u32) -> Option<&str> {
    source.lines().nth(usize::try_from(number.checked_sub(1)?).ok()?)
}

/// How many columns the characters from `start` to `end` take once they are visible.
fn columns(line: &str, start: usize, end: usize) -> usize {
    let part: String = line.chars().skip(start).take(end.saturating_sub(start)).collect();
    visible(&part).chars().count()
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Lines of at most `width` characters; a longer word has a line of its own.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
