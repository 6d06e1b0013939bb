//! Functions that a framework calls because of where they stand: `[[convention]]` rows.

use serde::Deserialize;

use crate::names::{HandleId, HandleNames, LibId};

/// A `[[convention]]` row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConventionRow {
    pub(crate) lib: String,
    pub(crate) package: String,
    #[serde(default)]
    pub(crate) files: Vec<String>,
    #[serde(default)]
    pub(crate) directive: Option<String>,
    #[serde(default)]
    pub(crate) exports: Vec<String>,
    pub(crate) handle: String,
}

/// Functions that a framework calls because of where they stand.
#[derive(Debug, Clone)]
pub struct Convention {
    /// The framework.
    pub lib: LibId,
    /// The package that the file's package depends on.
    pub package: String,
    /// What the exported functions are members of.
    pub handle: HandleId,
    /// What the file, or the function, begins with.
    pub directive: Option<String>,
    files: Vec<String>,
    exports: Vec<String>,
}

impl Convention {
    pub(crate) fn new(lib: LibId, row: ConventionRow, handles: &mut HandleNames) -> Self {
        let handle = handles.intern(&row.handle);
        let ConventionRow { package, directive, files, exports, .. } = row;
        Self { lib, package, handle, directive, files, exports }
    }

    /// Whether it is about the file at a path from the folder of its package.
    #[must_use]
    pub fn has_file(&self, path: &str) -> bool {
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        let segments: Vec<&str> = stem.split('/').collect();
        self.files.iter().any(|pattern| fits(&pattern.split('/').collect::<Vec<_>>(), &segments))
    }

    /// Whether it is about a function exported under this name.
    #[must_use]
    pub fn has_export(&self, name: &str) -> bool {
        self.exports.iter().any(|export| export == name || export == "*")
    }
}

/// `**` stands for any folders, `*` for one name or a part of it.
fn fits(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            (0..=path.len()).any(|skipped| fits(rest, path.get(skipped..).unwrap_or_default()))
        }
        (Some((wanted, rest)), Some((name, below))) => is_name(wanted, name) && fits(rest, below),
        _ => false,
    }
}

fn is_name(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => name
            .strip_prefix(start)
            .and_then(|rest| rest.strip_suffix(end))
            .is_some_and(|free| !free.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(pattern: &str, path: &str) -> bool {
        fits(&pattern.split('/').collect::<Vec<_>>(), &path.split('/').collect::<Vec<_>>())
    }

    #[test]
    fn two_stars_stand_for_any_folders_and_one_for_a_name() {
        assert!(has("app/**/route", "app/route"));
        assert!(has("app/**/route", "app/api/[id]/route"));
        assert!(has("pages/api/**/*", "pages/api/users"));
        assert!(!has("app/**/route", "src/app/route"));
        assert!(!has("app/**/route", "app/router"));
        assert!(!has("pages/api/**/*", "pages/api"));
        assert!(has("app/*.server", "app/db.server") && !has("app/*.server", "app/.server"));
    }
}
