//! Members by library, handle and name.

use node_semver::Version;
use rustc_hash::FxHashMap;

use crate::closed_sets::Flag;
use crate::names::{HandleId, HandleNames, ITSELF, LibId, NameTable, canonical, module_fit};
use crate::rows::Member;
use crate::versions::{Nearest, choose};

/// Members by library, handle and name.
#[derive(Debug, Default)]
pub(crate) struct Members {
    rows: Vec<Member>,
    by_handle: FxHashMap<(LibId, HandleId), NameTable<usize>>,
    unmistakable: FxHashMap<Box<str>, usize>,
}

/// The import and version a lookup is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'q> {
    pub(crate) module: Option<&'q str>,
    pub(crate) version: Option<&'q Version>,
}

impl Members {
    pub(crate) fn add(&mut self, lib: LibId, row: Member, handles: &mut HandleNames) {
        let at = self.rows.len();
        if row.has(Flag::Unmistakable) {
            for name in &row.names {
                self.unmistakable.insert(name.as_str().into(), at);
            }
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

    pub(crate) fn unmistakable(&self, name: &str) -> Option<&Member> {
        self.rows.get(*self.unmistakable.get(name)?)
    }

    pub(crate) fn rows(&self) -> &[Member] {
        &self.rows
    }

    pub(crate) fn nearest(
        &self,
        lib: LibId,
        handle: HandleId,
        name: &str,
        origin: Origin<'_>,
    ) -> Option<Nearest<'_, Member>> {
        let table = self.by_handle.get(&(lib, handle))?;
        let name = canonical(handle, name);
        self.best(table.literal(name).iter(), origin)
            .or_else(|| self.best(table.by_pattern(name), origin))
            .or_else(|| {
                let name = own_module_name(handle, name, origin.module)?;
                self.best(table.literal(name).iter(), origin)
            })
    }

    fn best<'k>(
        &'k self,
        found: impl Iterator<Item = &'k usize>,
        origin: Origin<'_>,
    ) -> Option<Nearest<'k, Member>> {
        let rows = found.filter_map(|at| {
            let row = self.rows.get(*at)?;
            module_fit(row.module.as_deref(), origin.module).map(|fit| (fit, row))
        });
        choose(rows, origin.version)
    }
}

/// The default export of `lodash/debounce`, `lodash.debounce` or `date-fns/format` is the member
/// that the module is named after.
fn own_module_name<'q>(handle: HandleId, name: &str, module: Option<&'q str>) -> Option<&'q str> {
    let is_default = handle == HandleId::MODULE && name == ITSELF;
    let module = module.filter(|_| is_default)?;
    module.trim_end_matches(".js").rsplit(['/', '.']).next()
}
