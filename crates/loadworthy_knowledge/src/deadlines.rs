//! What ends a call that leaves the process: `[[deadline]]` rows.

use node_semver::Version;
use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::effect::Group;
use crate::names::{HandleId, HandleNames, LibId, NameTable, canonical, module_fit};
use crate::versions::{Versioned, Versions, choose};

/// What ends a call that leaves the process, and where its deadline is set. Option paths have dots between their names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadlineRow {
    /// The library's id.
    pub lib: String,
    /// The one package or subpath of the library.
    pub module: Option<String>,
    /// The versions it holds for.
    pub versions: Option<Versions>,
    /// The handles it is called on.
    pub on: Vec<String>,
    /// Names of the members; of a standing client, of the call that makes it.
    pub names: Vec<String>,
    /// The call in words, without an article.
    pub what: String,
    /// The argument that holds the options; negative from the end.
    pub argument: Option<i8>,
    /// Options that set a deadline.
    #[serde(default)]
    pub options: Vec<String>,
    /// Options that hold an abort signal.
    #[serde(default)]
    pub signals: Vec<String>,
    /// Methods of the result that set one.
    #[serde(default)]
    pub chained: Vec<String>,
    /// The argument that is one.
    pub positional: Option<usize>,
    /// Options of the call that made the object, which hold for all of its calls.
    #[serde(default)]
    pub client_options: Vec<String>,
    /// Calls whose options hold for a client that a container hands out, in the same package: `HttpModule.register`.
    #[serde(default)]
    pub registered: Vec<String>,
    /// Members of the same object that set one for all of its calls.
    #[serde(default)]
    pub setters: Vec<String>,
    /// Whether `object.defaults.<option>` holds for all calls of the object.
    #[serde(default)]
    pub settable: bool,
    /// The key of the defaults table.
    pub defaults: Option<String>,
    /// The option there that holds when nothing is set.
    pub default: Option<String>,
    /// Milliseconds after which it gives up by itself, where no table of defaults has it.
    pub own_millis: Option<f64>,
    /// What a fix adds to the options of the call.
    pub add: Option<String>,
    /// What a fix adds to the options of the client.
    pub client_add: Option<String>,
    /// Whether the call makes a client whose options hold for all of its calls.
    #[serde(default)]
    pub standing: bool,
    /// The group of effects that a standing client serves.
    pub serves: Option<Group>,
    /// `option=value` that must hold for the row to apply.
    pub only: Option<String>,
    /// The option that makes it a stream; `*` where it always is one.
    pub streaming: Option<String>,
    /// Where it was read, when not the library's versions.
    pub source: Option<String>,
}

impl Versioned for DeadlineRow {
    fn versions(&self) -> Option<&Versions> {
        self.versions.as_ref()
    }
}

/// Rows by library, handle and name.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    rows: Vec<DeadlineRow>,
    by_handle: FxHashMap<(LibId, HandleId), NameTable<usize>>,
}

impl Deadlines {
    pub(crate) fn add(&mut self, lib: LibId, row: DeadlineRow, handles: &mut HandleNames) {
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

    pub(crate) fn rows(&self) -> &[DeadlineRow] {
        &self.rows
    }

    /// The row of the nearest versions.
    pub(crate) fn find(
        &self,
        (lib, handle): (LibId, HandleId),
        name: &str,
        module: Option<&str>,
        version: Option<&Version>,
    ) -> Option<&DeadlineRow> {
        let table = self.by_handle.get(&(lib, handle))?;
        let rows = table.all(canonical(handle, name)).filter_map(|at| {
            let row = self.rows.get(*at)?;
            module_fit(row.module.as_deref(), module).map(|fit| (fit, row))
        });
        choose(rows, version).map(|nearest| nearest.row)
    }
}
