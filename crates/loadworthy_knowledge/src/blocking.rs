//! Work that holds the event loop: `[[blocking]]` rows.

use node_semver::Version;
use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::closed_sets::closed_set;
use crate::names::{HandleId, HandleNames, LibId, NameTable, canonical, module_fit};
use crate::versions::{Versioned, Versions, choose};

closed_set! {
    /// How a cost grows with its parameter.
    Growth { Double = "double", Linear = "linear", }
}

closed_set! {
    /// What one finding covers.
    Grouping { Package = "package", File = "file", Call = "call", }
}

/// A member that holds the event loop, and what scales its cost.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockingRow {
    /// The library's id.
    pub lib: String,
    /// The one package or subpath of the library.
    pub module: Option<String>,
    /// The versions it holds for.
    pub versions: Option<Versions>,
    /// The handles it is called on.
    pub on: Vec<String>,
    /// Its names.
    pub names: Vec<String>,
    /// The operation of the costs table.
    pub op: String,
    /// What it does, in words that follow "it".
    pub does: String,
    /// The parameter's value that the cost was measured at.
    pub at: Option<f64>,
    /// The argument that is the parameter.
    pub parameter: Option<usize>,
    /// How the cost grows with it.
    pub growth: Option<Growth>,
    /// The parameter where none is given.
    pub default: Option<f64>,
    /// The argument whose size scales the cost; negative: the receiver.
    pub input: Option<i8>,
    /// MB or thousands of rows of an input whose size is not known.
    pub assumed: Option<f64>,
    /// Milliseconds on top of what was measured warm.
    #[serde(default)]
    pub cold: f64,
    /// `option=prefix` that must hold.
    pub only: Option<String>,
    /// The argument that `only` is about.
    pub options: Option<usize>,
    /// The asynchronous member with the same arguments; `{}` is the name without `Sync`.
    pub turn: Option<String>,
    /// The package with the same calls that does it off the main thread.
    pub package: Option<String>,
    /// What to do.
    pub instead: String,
    /// What one finding covers.
    pub group: Grouping,
    /// Where a fact was read that is not measured.
    pub source: Option<String>,
}

impl Versioned for BlockingRow {
    fn versions(&self) -> Option<&Versions> {
        self.versions.as_ref()
    }
}

/// Rows by library, handle and name.
#[derive(Debug, Default)]
pub(crate) struct Blocking {
    rows: Vec<BlockingRow>,
    by_handle: FxHashMap<(LibId, HandleId), NameTable<usize>>,
}

impl Blocking {
    pub(crate) fn add(&mut self, lib: LibId, row: BlockingRow, handles: &mut HandleNames) {
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

    pub(crate) fn rows(&self) -> &[BlockingRow] {
        &self.rows
    }

    /// The row of the nearest versions.
    pub(crate) fn find(
        &self,
        (lib, handle): (LibId, HandleId),
        name: &str,
        module: Option<&str>,
        version: Option<&Version>,
    ) -> Option<&BlockingRow> {
        let table = self.by_handle.get(&(lib, handle))?;
        let rows = table.all(canonical(handle, name)).filter_map(|at| {
            let row = self.rows.get(*at)?;
            module_fit(row.module.as_deref(), module).map(|fit| (fit, row))
        });
        choose(rows, version).map(|nearest| nearest.row)
    }
}
