//! How programs tell libraries to repeat what fails: `[[retry]]` rows.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::attempts::Counts;
use crate::names::{HandleId, HandleNames, LibId, NameTable, canonical, module_fit};

/// A call that states how failures are repeated, and where its options say what. Option paths have dots between their names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryRow {
    /// The library's id.
    pub lib: String,
    /// The one package or subpath of the library.
    pub module: Option<String>,
    /// The handles it is called on.
    pub on: Vec<String>,
    /// Names of the members.
    pub names: Vec<String>,
    /// The argument that holds the options.
    pub argument: usize,
    /// The path in it from which the other paths start.
    #[serde(default)]
    pub within: String,
    /// What is repeated.
    pub repeats: Repeats,
    /// The argument that is the task or the client.
    #[serde(default)]
    pub handed: usize,
    /// Options that hold the number.
    pub count: Vec<String>,
    /// What their number counts.
    pub counts: Counts,
    /// The number when nothing is set; absent: without end.
    pub default: Option<f64>,
    /// Options that make it endless.
    #[serde(default)]
    pub endless: Vec<String>,
    /// Options that say how long to wait.
    #[serde(default)]
    pub delay: Vec<String>,
    /// What the library's own functions for it do.
    #[serde(default)]
    pub delays: BTreeMap<String, Pause>,
    /// The pause when nothing is set.
    pub pause: Pause,
    /// Options that hold the first pause.
    #[serde(default)]
    pub first: Vec<String>,
    /// The first pause in milliseconds below which repeats come at once.
    #[serde(default)]
    pub short: f64,
    /// Options that hold what each pause is multiplied with.
    #[serde(default)]
    pub factor: Vec<String>,
    /// Options that put chance into the pause.
    #[serde(default)]
    pub random: Vec<String>,
    /// Options that list the methods which are repeated; without them those that change nothing twice are.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Options that decide on a failure.
    #[serde(default)]
    pub condition: Vec<String>,
    /// The library's own functions for it that leave alone what would happen twice.
    #[serde(default)]
    pub spares: Vec<String>,
    /// What the options should be.
    pub remedy: String,
    /// Where it was read, when not the library's versions.
    pub source: Option<String>,
}

/// What a call makes a library repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Repeats {
    /// The function that is handed over.
    Task,
    /// The requests of the client that is handed over.
    Client,
    /// Its own request, or those of the client that it makes.
    Own,
    /// What a page reads.
    Query,
    /// What a page changes.
    Mutation,
}

/// What lies between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pause {
    /// Nothing.
    None,
    /// The same each time.
    Constant,
    /// It grows, without chance in it.
    Growing,
    /// It grows, with chance in it.
    Random,
}

/// Rows by library, handle and name.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    rows: Vec<RetryRow>,
    by_handle: FxHashMap<(LibId, HandleId), NameTable<usize>>,
}

impl Retries {
    pub(crate) fn add(&mut self, lib: LibId, row: RetryRow, handles: &mut HandleNames) {
        let at = self.rows.len();
        for on in &row.on {
            let handle = handles.intern(on);
            let table = self.by_handle.entry((lib, handle)).or_default();
            for name in &row.names {
                table.insert(canonical(handle, name), at);
            }
        }
        self.rows.push(row);
    }

    pub(crate) fn rows(&self) -> &[RetryRow] {
        &self.rows
    }

    /// Every row of a call.
    pub(crate) fn find(
        &self,
        on: (LibId, HandleId),
        name: &str,
        module: Option<&str>,
    ) -> impl Iterator<Item = &RetryRow> {
        let table = self.by_handle.get(&on);
        let all = table.map(|table| table.all(canonical(on.1, name))).into_iter().flatten();
        all.filter_map(|at| self.rows.get(*at))
            .filter(move |row| module_fit(row.module.as_deref(), module).is_some())
    }
}
