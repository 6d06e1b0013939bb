//! What becomes of a function passed as an argument: `[[callback]]` rows.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

use crate::closed_sets::Runs;
use crate::names::{HandleId, HandleNames, LibId, NameTable, canonical};
use crate::steps::is_argument;

/// What becomes of a function passed to a call.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    /// The library's id.
    pub lib: String,
    /// The handles it is called on.
    pub on: Vec<String>,
    /// Names of the called members.
    pub names: Vec<String>,
    /// The argument: an index, negative from the end; `None` any.
    pub arg: Option<i8>,
    /// The property of that argument that holds the function, when it is an object.
    pub property: Option<String>,
    /// When the function runs.
    pub runs: Runs,
    /// Whether one run ends before the next begins (false: all at once, or as they come).
    #[serde(default)]
    pub sequential: bool,
    /// For per-element: the argument that holds the elements; `None`: the receiver.
    pub elements: Option<usize>,
    /// For per-element: the parameter that takes the element.
    #[serde(default)]
    pub element_param: usize,
    /// The option that limits how many run at once.
    pub limit_option: Option<String>,
    /// The argument that limits how many run at once.
    pub limit_arg: Option<usize>,
    /// In words.
    pub notes: Option<String>,
}

impl Callback {
    /// Whether something limits how many runs are in flight at once.
    #[must_use]
    pub fn is_limitable(&self) -> bool {
        self.limit_option.is_some() || self.limit_arg.is_some()
    }
}

/// Callbacks by library, handle and member name.
#[derive(Debug, Default)]
pub(crate) struct Callbacks {
    rows: Vec<Callback>,
    by_handle: FxHashMap<(LibId, HandleId), NameTable<usize>>,
    /// Libraries that call properties of an argument.
    with_properties: FxHashSet<LibId>,
}

impl Callbacks {
    pub(crate) fn calls_properties(&self, lib: LibId) -> bool {
        self.with_properties.contains(&lib)
    }

    pub(crate) fn add(&mut self, lib: LibId, row: Callback, handles: &mut HandleNames) {
        let at = self.rows.len();
        if row.property.is_some() {
            self.with_properties.insert(lib);
        }
        for on in &row.on {
            let handle = handles.intern(on);
            let table = self.by_handle.entry((lib, handle)).or_default();
            for name in &row.names {
                table.insert(canonical(handle, name), at);
            }
        }
        self.rows.push(row);
    }

    pub(crate) fn rows(&self) -> &[Callback] {
        &self.rows
    }

    /// Whether functions that are properties of an argument are known of.
    pub(crate) fn has_properties(&self, (lib, handle): (LibId, HandleId), name: &str) -> bool {
        self.by_handle.get(&(lib, handle)).is_some_and(|table| {
            let rows = table.all(canonical(handle, name)).filter_map(|at| self.rows.get(*at));
            rows.into_iter().any(|row| row.property.is_some())
        })
    }

    /// The row of a function that is argument `arg` of `argc`, or its property `property`.
    pub(crate) fn find(
        &self,
        (lib, handle): (LibId, HandleId),
        name: &str,
        (arg, argc): (usize, usize),
        property: Option<&str>,
    ) -> Option<&Callback> {
        let table = self.by_handle.get(&(lib, handle))?;
        let mut rows = table.all(canonical(handle, name)).filter_map(|at| self.rows.get(*at));
        rows.find(|row| row.property.as_deref() == property && is_argument(row.arg, arg, argc))
    }
}
