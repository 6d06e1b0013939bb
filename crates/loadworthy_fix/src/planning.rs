//! Which proposals go together, and what the files are with them.

use std::collections::{BTreeMap, BTreeSet};

use crate::manifest::add_packages;
use crate::proposal::{Edit, NewPackage, Proposal};

/// Proposals that go together, and what they make of the files.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Planned {
    /// Ids of those that were taken, in the order of their ranks.
    pub taken: Vec<String>,
    /// Those that can't be done together with one that was taken: propose them anew on the result.
    pub clashes: Vec<Clash>,
    /// Those that can't be done at all.
    pub refused: Vec<Refused>,
    /// The whole texts of the files that change or are added, by path, without byte order marks.
    pub changes: BTreeMap<String, String>,
    /// The edits that were done, by file, in the order of their places.
    pub edits: BTreeMap<String, Vec<Edit>>,
    /// Packages that were declared.
    pub packages: Vec<NewPackage>,
}

/// A proposal that collides with another one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clash {
    /// Its id.
    pub id: String,
    /// The id of the one that was taken.
    pub with: String,
}

/// A proposal that can't be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Its id.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// Takes proposals by rank, then id: each whole, unless it collides with one taken before. `text_of` gives the texts that they
/// were made for; `None` where there is no such file. The result does not depend on the order of `proposals`.
pub fn plan(proposals: &[Proposal], text_of: impl Fn(&str) -> Option<String>) -> Planned {
    let mut ordered: Vec<&Proposal> = proposals.iter().collect();
    ordered.sort_by(|a, b| (a.rank, &a.id).cmp(&(b.rank, &b.id)));
    let mut planning =
        Planning { text_of, texts: BTreeMap::new(), taken: Vec::new(), added: BTreeMap::new() };
    let mut planned = Planned::default();
    for proposal in ordered {
        if let Some(reason) = planning.objection(proposal) {
            planned.refused.push(Refused { id: proposal.id.clone(), reason });
        } else if let Some(with) = planning.collision(proposal) {
            planned.clashes.push(Clash { id: proposal.id.clone(), with });
        } else {
            planning.take(proposal);
            planned.taken.push(proposal.id.clone());
        }
    }
    planning.finish(planned)
}

struct Planning<'p, T> {
    text_of: T,
    /// The texts that were asked for.
    texts: BTreeMap<String, Option<String>>,
    taken: Vec<&'p Proposal>,
    /// The added files with the proposal that adds each.
    added: BTreeMap<&'p str, (&'p str, &'p str)>,
}

impl<'p, T: Fn(&str) -> Option<String>> Planning<'p, T> {
    fn text(&mut self, path: &str) -> Option<&String> {
        let text_of = &self.text_of;
        self.texts.entry(path.to_owned()).or_insert_with(|| text_of(path)).as_ref()
    }

    /// Why a proposal can't be done whatever else is.
    fn objection(&mut self, proposal: &Proposal) -> Option<String> {
        for (at, edit) in proposal.edits.iter().enumerate() {
            let Some(text) = self.text(&edit.file) else {
                return Some(format!("{} is no file of the project", edit.file));
            };
            if edit.start > edit.end || text.get(edit.start..edit.end).is_none() {
                return Some(format!("{}..{} is no range of {}", edit.start, edit.end, edit.file));
            }
            if proposal.edits.iter().skip(at + 1).any(|other| edit.collides(other)) {
                return Some(format!("two of its edits in {} overlap", edit.file));
            }
        }
        for file in &proposal.files {
            if self.text(&file.path).is_some_and(|text| *text != file.text) {
                return Some(format!("{} exists already", file.path));
            }
        }
        for package in &proposal.packages {
            let Some(text) = self.text(&package.manifest) else {
                return Some(format!("there is no {} to declare `{}` in", package.manifest, package.name));
            };
            if add_packages(text, &[package]).is_none() {
                return Some(format!("{} can not be read as JSON", package.manifest));
            }
        }
        None
    }

    /// The proposal taken before that does not allow this one.
    fn collision(&self, proposal: &Proposal) -> Option<String> {
        let file = proposal.files.iter().find_map(|file| {
            let number = numbered(&file.path);
            let mut added = self.added.iter();
            let taken = added.find(|(path, (text, _))| {
                let is_other = **path != file.path || *text != file.text;
                is_other && (**path == file.path || number.is_some() && numbered(path) == number)
            });
            taken.map(|(_, (_, id))| (*id).to_owned())
        });
        file.or_else(|| {
            let colliding = self.taken.iter().find(|taken| {
                taken.edits.iter().any(|edit| proposal.edits.iter().any(|own| own.collides(edit)))
            });
            colliding.map(|taken| taken.id.clone())
        })
    }

    fn take(&mut self, proposal: &'p Proposal) {
        self.taken.push(proposal);
        for file in &proposal.files {
            self.added.entry(&file.path).or_insert((&file.text, &proposal.id));
        }
    }

    fn finish(mut self, mut planned: Planned) -> Planned {
        for proposal in &self.taken {
            for edit in &proposal.edits {
                let edits = planned.edits.entry(edit.file.clone()).or_default();
                if !edits.contains(edit) {
                    edits.push(edit.clone());
                }
            }
        }
        for (file, edits) in &mut planned.edits {
            // Stable: insertions at one place stay in the order of the proposals, before what is replaced there.
            edits.sort_by_key(|edit| (edit.start, edit.end));
            if let Some(Some(text)) = self.texts.get(file) {
                planned.changes.insert(file.clone(), edited(text, edits));
            }
        }
        for (path, (text, _)) in &self.added {
            if self.texts.get(*path).is_none_or(Option::is_none) {
                planned.changes.insert((*path).to_owned(), (*text).to_owned());
            }
        }
        self.declare(&mut planned);
        planned
    }

    fn declare(&mut self, planned: &mut Planned) {
        let mut seen = BTreeSet::new();
        let wanted = self.taken.iter().flat_map(|proposal| &proposal.packages);
        let packages: Vec<&NewPackage> =
            wanted.filter(|package| seen.insert((&package.manifest, &package.name))).collect();
        let manifests: BTreeSet<&String> = packages.iter().map(|package| &package.manifest).collect();
        for manifest in manifests {
            let own: Vec<&NewPackage> =
                packages.iter().copied().filter(|package| package.manifest == *manifest).collect();
            let current = planned.changes.get(manifest);
            let current = current.or_else(|| self.texts.get(manifest).and_then(Option::as_ref));
            let Some((text, added)) = current.and_then(|text| add_packages(text, &own)) else { continue };
            if !added.is_empty() {
                planned.changes.insert(manifest.clone(), text);
                planned.packages.extend(added.into_iter().cloned());
            }
        }
    }
}

/// The folder and the number of a file whose name begins with one: two migrations can't have the same.
fn numbered(path: &str) -> Option<(&str, &str)> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = name.strip_prefix('V').unwrap_or(name);
    let end = name.find(|letter: char| !letter.is_ascii_digit()).filter(|end| *end > 0)?;
    Some((folder, name.get(..end)?))
}

/// A text after edits that are in order and do not collide.
fn edited(text: &str, edits: &[Edit]) -> String {
    let breaks = text.matches('\n').count();
    let is_crlf = breaks > 0 && text.matches("\r\n").count() * 2 > breaks;
    let (mut result, mut at) = (String::with_capacity(text.len()), 0);
    for edit in edits {
        result.push_str(text.get(at..edit.start).unwrap_or_default());
        if is_crlf {
            result.push_str(&edit.replacement.replace("\r\n", "\n").replace('\n', "\r\n"));
        } else {
            result.push_str(&edit.replacement);
        }
        at = edit.end.max(at);
    }
    result.push_str(text.get(at..).unwrap_or_default());
    result
}
