//! `[[library]]` rows, and which library a package or a global belongs to.

use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::closed_sets::{Execution, Kind, Lifetime};
use crate::names::{LibId, Pattern, without_node};
use crate::versions::installed;

/// A library: one or more packages that share handles.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Library {
    /// Key; the npm name where one package is the library.
    pub id: String,
    /// npm specifiers that expose it; `*` is a wildcard.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Names available without an import.
    #[serde(default)]
    pub globals: Vec<String>,
    /// What sort of library it is.
    #[serde(default)]
    pub kind: Kind,
    /// Published versions the rows were read from, as `package@version`.
    #[serde(default)]
    pub versions_read: Vec<String>,
    /// How its objects come to be, in words.
    #[serde(default)]
    pub construct: Vec<String>,
    /// Their usual names.
    #[serde(default)]
    pub handle: Vec<String>,
    /// What expressions members are called on, in words.
    #[serde(default)]
    pub receivers: Vec<String>,
    /// Where an object belongs.
    pub lifetime: Option<Lifetime>,
    /// The same in words.
    pub lifetime_note: Option<String>,
    /// Members that release it.
    #[serde(default)]
    pub close: Vec<String>,
    /// The event that must have a listener.
    pub error_event: Option<String>,
    /// When the work of a call starts.
    pub execution: Option<Execution>,
    /// The same in words.
    pub execution_note: Option<String>,
    /// Options that set a deadline.
    #[serde(default)]
    pub timeout_options: Vec<String>,
    /// Options that size a pool.
    #[serde(default)]
    pub pool_options: Vec<String>,
    /// Options that set logging.
    #[serde(default)]
    pub log_options: Vec<String>,
    /// In words.
    pub notes: Option<String>,
    /// Where the row was read.
    pub source: Option<String>,
}

impl Library {
    /// Whether a version of the same major (of a `0.x`: the same minor) as an installed one was read.
    #[must_use]
    pub fn has_read(&self, package: &str, version: &str) -> bool {
        let Some(version) = installed(version) else { return false };
        self.versions_read.iter().any(|read| {
            let Some((name, read)) = read.rsplit_once('@') else { return false };
            name == package
                && installed(read).is_some_and(|read| {
                    read.major == version.major && (read.major > 0 || read.minor == version.minor)
                })
        })
    }
}

/// Libraries by id, package and global name.
#[derive(Debug, Default)]
pub(crate) struct Libraries {
    rows: Vec<Library>,
    ids: FxHashMap<Box<str>, LibId>,
    packages: FxHashMap<Box<str>, LibId>,
    wildcards: Vec<(Pattern, LibId)>,
    unknown: Library,
    globals: FxHashMap<Box<str>, LibId>,
}

impl Libraries {
    /// Adds a library, or describes the one that has its id. A package or global stays with the first library that named it.
    pub(crate) fn add(&mut self, row: Library) {
        let next = LibId(u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
        let id = *self.ids.entry(row.id.as_str().into()).or_insert(next);
        for package in &row.packages {
            match Pattern::parse(package) {
                Some(pattern) => self.wildcards.push((pattern, id)),
                None => {
                    self.packages.entry(without_node(package).into()).or_insert(id);
                }
            }
        }
        for global in &row.globals {
            self.globals.entry(global.as_str().into()).or_insert(id);
        }
        // A user's row that extends a library comes before the library's own description.
        match self.rows.get_mut(id.0 as usize) {
            Some(known) => {
                let first = std::mem::replace(known, row);
                known.packages.extend(first.packages);
                known.globals.extend(first.globals);
            }
            None => self.rows.push(row),
        }
    }

    pub(crate) fn rows(&self) -> &[Library] {
        &self.rows
    }

    /// The row of an id; an empty one for an id of other knowledge.
    pub(crate) fn get(&self, id: LibId) -> &Library {
        self.rows.get(id.0 as usize).unwrap_or(&self.unknown)
    }

    pub(crate) fn id(&self, id: &str) -> Option<LibId> {
        self.ids.get(id).copied()
    }

    pub(crate) fn global(&self, name: &str) -> Option<LibId> {
        self.globals.get(name).copied()
    }

    /// The subpath's own entry, then the package's, then wildcards. `package` may be a whole
    /// specifier.
    pub(crate) fn of_package(&self, package: &str, subpath: &str) -> Option<LibId> {
        let package = without_node(package);
        let subpath = subpath.trim_start_matches("./").trim_start_matches('/');
        let of_subpath = if subpath.is_empty() {
            None
        } else {
            self.packages.get(format!("{package}/{subpath}").as_str()).copied()
        };
        of_subpath.or_else(|| self.of_specifier(package)).or_else(|| self.of_specifier(package_of(package)))
    }

    fn of_specifier(&self, specifier: &str) -> Option<LibId> {
        self.packages.get(specifier).copied().or_else(|| {
            let found = self.wildcards.iter().find(|(pattern, _)| pattern.matches(specifier));
            found.map(|(_, id)| *id)
        })
    }
}

/// `@scope/name` of `@scope/name/sub`, `name` of `name/sub`.
fn package_of(specifier: &str) -> &str {
    let segments = if specifier.starts_with('@') { 2 } else { 1 };
    let end = specifier.match_indices('/').nth(segments - 1).map(|(at, _)| at);
    end.and_then(|at| specifier.get(..at)).unwrap_or(specifier)
}
