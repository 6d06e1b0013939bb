//! What was found against what must be.

use crate::app::{App, File};
use crate::audit::{Got, Outcome};
use crate::marks::Mark;

/// Each difference on its lines; empty where there is none.
pub(crate) fn differences(
    app: &App,
    document: &str,
    outcome: &Outcome,
    is_judged: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut report = Vec::new();
    let mut left: Vec<&Got> = outcome.got.iter().filter(|got| is_judged(got.code)).collect();
    for file in &app.files {
        for mark in file.marks.iter().filter(|mark| is_judged(&mark.code)) {
            let met = left.iter().position(|got| is_same_place(got, file, mark));
            let got = met.map(|at| left.remove(at));
            if got.is_none_or(|got| !is_met(mark, got)) {
                let what = got.map_or_else(|| "nothing".to_owned(), described);
                let at = line(document, app, (&file.path, mark.line));
                report.push(format!("{at}\n      expected {}\n           got {what}", wanted(mark)));
            }
        }
    }
    for got in left {
        let at = line(document, app, (&got.file, got.line));
        report.push(format!("{at}\n      expected silence\n           got {}", described(got)));
    }
    report
}

fn is_same_place(got: &Got, file: &File, mark: &Mark) -> bool {
    got.file == file.path && got.line == mark.line && got.code == mark.code
}

fn is_met(mark: &Mark, got: &Got) -> bool {
    mark.tier == got.tier && mark.severity.is_none_or(|severity| severity == got.severity)
}

/// Where it is, in the document and in the app, and the code of the line.
fn line(document: &str, app: &App, (path, number): (&str, u32)) -> String {
    let file = app.file(path);
    let code = file.and_then(|file| file.text.lines().nth(number.saturating_sub(1) as usize));
    let code = code.unwrap_or_default().trim();
    match file.and_then(|file| file.offset) {
        Some(offset) => {
            format!("  {document}:{} ({path}:{number})\n      | {code}", offset + number as usize)
        }
        None => format!("  {document}/{path}:{number}\n      | {code}"),
    }
}

fn wanted(mark: &Mark) -> String {
    let severity = mark.severity.map_or_else(String::new, |severity| format!(" {severity}"));
    format!("{}: {}{severity}", mark.tier.name(), mark.code)
}

pub(crate) fn described(got: &Got) -> String {
    let unless =
        if got.missing_fact.is_empty() { String::new() } else { format!(" — {}", got.missing_fact) };
    format!("{}: {} {}: {}{unless}", got.tier.name(), got.code, got.severity, got.title)
}
