//! What becomes of failures: `[[rejection]]`, `[[throws]]` and `[[error_event]]` rows.

use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::closed_sets::{Becomes, Without};
use crate::names::{HandleId, HandleNames, LibId, canonical, module_fit};
use crate::versions::{Nearest, Versioned, Versions, choose, installed};

/// What becomes of a failure of a function that a library calls.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rejection {
    /// The library's id.
    pub lib: String,
    /// The one package of the library.
    pub module: Option<String>,
    /// The versions it holds for; `None`: all.
    pub versions: Option<Versions>,
    /// The handles that the function is handed to; empty: any.
    #[serde(default)]
    pub on: Vec<String>,
    /// The members; empty: any.
    #[serde(default)]
    pub names: Vec<String>,
    /// What becomes of its rejection.
    pub rejected: Becomes,
    /// What becomes of what it throws before its first `await`; `None`: the same.
    pub thrown: Option<Becomes>,
}

/// Calls that throw on bad input.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throws {
    /// The library's id.
    pub lib: String,
    /// The handles it is called on.
    pub on: Vec<String>,
    /// The members.
    pub names: Vec<String>,
    /// What must be sent to make it throw, in words.
    pub input: String,
    /// Called with more arguments it does not throw so easily.
    pub most_arguments: Option<usize>,
}

/// An event that needs a listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorEvent {
    /// The library's id.
    pub lib: String,
    /// The object that emits it.
    pub handle: String,
    /// The handles whose members make the object or pass it to a callback; empty: any.
    #[serde(default)]
    pub from: Vec<String>,
    /// Those members; empty: any.
    #[serde(default)]
    pub names: Vec<String>,
    /// The packages that such an object must come from; empty: any of the library.
    #[serde(default)]
    pub modules: Vec<String>,
    /// Packages that listen themselves to what they are given.
    #[serde(default)]
    pub listened_by: Vec<String>,
    /// The event.
    pub event: String,
    /// What happens without a listener.
    pub without: Without,
    /// What makes it happen, in words.
    pub when: String,
}

/// A connect that nothing tries again by itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivesUp {
    /// The library's id.
    pub lib: String,
    /// The handles it is called on.
    pub on: Vec<String>,
    /// The members.
    pub names: Vec<String>,
    /// What happens to later work, in words.
    pub then: String,
}

/// Packages that keep the process alive when nobody handles a rejection.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepsAlive {
    /// npm packages.
    pub packages: Vec<String>,
    /// In words.
    pub note: String,
}

impl Versioned for Rejection {
    fn versions(&self) -> Option<&Versions> {
        self.versions.as_ref()
    }
}

impl Rejection {
    /// How well it fits a member, the more exact the larger; `None` where it is about others.
    fn fit(&self, on: &str, name: &str, module: Option<&str>) -> Option<u8> {
        let of_handle = one_of(&self.on, on)?;
        let of_name = one_of(&self.names, name)?;
        Some(4 * of_name + 2 * of_handle + module_fit(self.module.as_deref(), module)?)
    }
}

/// 1 if it is listed, 0 if nothing is.
fn one_of(listed: &[String], wanted: &str) -> Option<u8> {
    if listed.is_empty() {
        return Some(0);
    }
    listed.iter().any(|it| it == wanted).then_some(1)
}

/// Failures by library.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    rejections: FxHashMap<LibId, Vec<Rejection>>,
    throws: FxHashMap<LibId, Vec<Throws>>,
    events: Vec<(LibId, HandleId, ErrorEvent)>,
    gives_up: FxHashMap<LibId, Vec<GivesUp>>,
    pub(crate) keep_alive: Vec<KeepsAlive>,
}

impl Failures {
    pub(crate) fn add_rejection(&mut self, lib: LibId, row: Rejection) {
        self.rejections.entry(lib).or_default().push(row);
    }

    pub(crate) fn add_throws(&mut self, lib: LibId, row: Throws) {
        self.throws.entry(lib).or_default().push(row);
    }

    pub(crate) fn add_event(&mut self, lib: LibId, row: ErrorEvent, handles: &mut HandleNames) {
        self.events.push((lib, handles.intern(&row.handle), row));
    }

    pub(crate) fn rejection(
        &self,
        lib: LibId,
        (on, on_name): (HandleId, &str),
        name: &str,
        module: Option<&str>,
        version: Option<&str>,
    ) -> Option<Nearest<'_, Rejection>> {
        let name = canonical(on, name);
        let rows = self.rejections.get(&lib)?.iter();
        let fitting = rows.filter_map(|row| row.fit(on_name, name, module).map(|fit| (fit, row)));
        choose(fitting, version.and_then(installed).as_ref())
    }

    pub(crate) fn throws(&self, lib: LibId, (on, on_name): (HandleId, &str), name: &str) -> Option<&Throws> {
        let name = canonical(on, name);
        let mut rows = self.throws.get(&lib)?.iter();
        rows.find(|row| row.on.iter().any(|it| it == on_name) && row.names.iter().any(|it| it == name))
    }

    pub(crate) fn add_gives_up(&mut self, lib: LibId, row: GivesUp) {
        self.gives_up.entry(lib).or_default().push(row);
    }

    pub(crate) fn gives_up(&self, lib: LibId, on: &str, name: &str) -> Option<&GivesUp> {
        let mut rows = self.gives_up.get(&lib)?.iter();
        rows.find(|row| row.on.iter().any(|it| it == on) && row.names.iter().any(|it| it == name))
    }

    pub(crate) fn events(&self) -> &[(LibId, HandleId, ErrorEvent)] {
        &self.events
    }
}
