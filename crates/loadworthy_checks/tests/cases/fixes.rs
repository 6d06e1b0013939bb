//! Fixes applied: the result parses, and what was fixed is reported no more.

use std::path::Path;

use loadworthy_checks::Edit;

use crate::app::App;
use crate::audit::{Got, Outcome, audit};
use crate::compare::described;

/// Applies the edits of every finding of `code` and audits again; what is wrong with the result, if anything.
pub(crate) fn problems(app: &App, outcome: &Outcome, code: &str, root: &Path) -> Result<Vec<String>, String> {
    let mut edits: Vec<&Edit> =
        outcome.got.iter().filter(|got| got.code == code).flat_map(|got| &got.edits).collect();
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    edits.sort_by(|a, b| (&a.file, a.start, a.end).cmp(&(&b.file, b.start, b.end)));
    edits.dedup();
    if let Some(overlap) = edits.windows(2).find(|pair| overlaps(pair)) {
        return Ok(vec![format!("  two edits of {code} overlap: {overlap:?}")]);
    }
    for edit in edits.iter().rev() {
        apply(app, root, edit)?;
    }
    let fixed = audit(root, |wanted| wanted == code)?;
    let broken = fixed.diagnostics.iter().map(|note| format!("  the fixed app does not parse: {note}"));
    let without_edits = outcome.got.iter().filter(|got| got.code == code && got.edits.is_empty()).count();
    let still = still_there(&fixed.got, without_edits);
    Ok(broken.chain(still).collect())
}

fn overlaps(pair: &[&Edit]) -> bool {
    matches!(pair, [first, second] if first.file == second.file && second.start < first.end)
}

fn still_there(got: &[Got], allowed: usize) -> Option<String> {
    (got.len() > allowed).then(|| {
        let lines: Vec<String> =
            got.iter().map(|got| format!("\n      {}:{} {}", got.file, got.line, described(got))).collect();
        format!("  after the fixes, {} are reported ({allowed} had no edits):{}", got.len(), lines.concat())
    })
}

fn apply(app: &App, root: &Path, edit: &Edit) -> Result<(), String> {
    let path = root.join(&edit.file);
    let shown = || format!("{} of the fix", edit.file);
    if app.file(&edit.file).is_none() {
        return Err(format!("{} is no file of the app", shown()));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", shown()))?;
    let (start, end) = (edit.start as usize, edit.end as usize);
    let parts = text.get(..start).zip(text.get(end..)).filter(|_| start <= end);
    let (before, after) = parts.ok_or_else(|| format!("{}: {start}..{end} is no range of it", shown()))?;
    std::fs::write(&path, [before, &edit.replacement, after].concat())
        .map_err(|error| format!("{}: {error}", shown()))
}
