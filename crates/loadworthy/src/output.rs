//! Writing reports.

use loadworthy_analysis::Program;
use loadworthy_report::{Report, TerminalOptions, json, markdown, terminal};

use crate::arguments::Format;
use crate::location::text_of;

/// Prints a report.
pub(crate) fn write(program: &Program<'_>, report: &Report, format: Format) {
    let text = match format {
        Format::Terminal => terminal(report, &TerminalOptions::default(), &|path| text_of(program, path)),
        Format::Markdown => markdown(report),
        Format::Json => json(report),
    };
    anstream::print!("{text}");
}
