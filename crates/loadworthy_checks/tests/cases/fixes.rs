//! Fixes applied: the result parses, and what was fixed is reported no more.

use std::path::Path;

use loadworthy_fix::{Edit, NewFile, NewPackage, Planned, Proposal, plan};

use crate::app::App;
use crate::audit::{Got, Outcome, audit};
use crate::compare::described;

/// Fixes that collide are made one after the other; more rounds than any case needs.
const MAX_ROUNDS: usize = 20;

/// Applies the fixes of every finding of `code` and audits again, until there are none; what is wrong with the result, if
/// anything.
pub(crate) fn problems(app: &App, outcome: &Outcome, code: &str, root: &Path) -> Result<Vec<String>, String> {
    let mut proposals = proposals(&outcome.got, code);
    let apart = apart(&proposals, root);
    if !apart.is_empty() {
        return Ok(apart);
    }
    let unfixed = outcome.got.iter().filter(|got| got.code == code).count() - proposals.len();
    for _ in 0..MAX_ROUNDS {
        if proposals.is_empty() {
            return Ok(Vec::new());
        }
        let planned = plan(&proposals, |path| std::fs::read_to_string(root.join(path)).ok());
        if let Some(refused) = planned.refused.first() {
            return Ok(vec![format!("  a fix of {code} can't be made: {}", refused.reason)]);
        }
        write(app, root, &planned)?;
        let fixed = audit(root, |wanted| wanted == code)?;
        let broken: Vec<String> =
            fixed.diagnostics.iter().map(|note| format!("  the fixed app does not parse: {note}")).collect();
        // What collided is left for the next round.
        let allowed = unfixed + planned.clashes.len();
        let still = still_there(&fixed.got, allowed);
        if !broken.is_empty() || still.is_some() {
            return Ok(broken.into_iter().chain(still).collect());
        }
        proposals = self::proposals(&fixed.got, code);
    }
    Ok(vec![format!("  the fixes of {code} come to no end")])
}

/// What is wrong when only some of the fixes are made, or in another order: each alone, all but one, all from the last.
fn apart(proposals: &[Proposal], root: &Path) -> Vec<String> {
    let text_of = |path: &str| std::fs::read_to_string(root.join(path)).ok();
    let mut subsets: Vec<Vec<Proposal>> = proposals.iter().map(|it| vec![it.clone()]).collect();
    subsets.extend(
        proposals
            .iter()
            .map(|left| proposals.iter().filter(|it| it.id != left.id).cloned().collect::<Vec<Proposal>>()),
    );
    let mut problems = Vec::new();
    for subset in &subsets {
        for (path, text) in &plan(subset, text_of).changes {
            let is_code = loadworthy_project::Language::of_path(path).is_some();
            if is_code && !loadworthy_syntax::parse(path, text).errors.is_empty() {
                let ids: Vec<&str> = subset.iter().map(|it| it.id.as_str()).collect();
                problems.push(format!("  {path} does not parse with the fixes {} alone", ids.join(", ")));
            }
        }
    }
    let turned: Vec<Proposal> = proposals.iter().rev().cloned().collect();
    if plan(proposals, text_of).changes != plan(&turned, text_of).changes {
        problems.push(String::from("  the fixes give something else in another order"));
    }
    problems
}

fn proposals(got: &[Got], code: &str) -> Vec<Proposal> {
    let own = got.iter().filter(|got| got.code == code).enumerate();
    let fixable = own.filter(|(_, got)| !got.fix.edits.is_empty() || !got.fix.files.is_empty());
    fixable.map(|(at, got)| proposal(&format!("{at:04}"), got)).collect()
}

fn proposal(id: &str, got: &Got) -> Proposal {
    let edits = got.fix.edits.iter().map(|it| Edit {
        file: it.file.clone(),
        start: it.start as usize,
        end: it.end as usize,
        replacement: it.replacement.clone(),
    });
    let files = got.fix.files.iter().map(|it| NewFile { path: it.path.clone(), text: it.text.clone() });
    Proposal {
        id: id.to_owned(),
        rank: 0,
        edits: edits.collect(),
        files: files.collect(),
        packages: got
            .fix
            .packages
            .iter()
            .map(|it| NewPackage {
                name: it.name.clone(),
                range: it.range.clone(),
                manifest: it.manifest.clone(),
            })
            .collect(),
    }
}

fn still_there(got: &[Got], allowed: usize) -> Option<String> {
    (got.len() > allowed).then(|| {
        let lines: Vec<String> =
            got.iter().map(|got| format!("\n      {}:{} {}", got.file, got.line, described(got))).collect();
        format!("  after the fixes, {} are reported ({allowed} were left):{}", got.len(), lines.concat())
    })
}

fn write(app: &App, root: &Path, planned: &Planned) -> Result<(), String> {
    for (path, text) in &planned.changes {
        if planned.edits.contains_key(path) && app.file(path).is_none() && !root.join(path).exists() {
            return Err(format!("{path} of the fix is no file of the app"));
        }
        let location = root.join(path);
        let written = location.parent().map_or(Ok(()), std::fs::create_dir_all);
        written
            .and_then(|()| std::fs::write(&location, text))
            .map_err(|error| format!("{path} of the fix: {error}"))?;
    }
    Ok(())
}
