//! Aliases of bundlers, whose configuration is code and therefore not read: guessed, and only believed when the
//! file exists.

use super::Query;
use crate::{FileId, paths};

impl Query<'_> {
    /// `_moduleAliases`, then `@/x`, `~/x`, `@components/x` and `src/x` in the usual places.
    pub(super) fn alias(&self, specifier: &str) -> Option<FileId> {
        self.declared_alias(specifier).or_else(|| self.customary_alias(specifier))
    }

    fn declared_alias(&self, specifier: &str) -> Option<FileId> {
        self.scope.iter().find_map(|package| {
            package.manifest.module_aliases.iter().find_map(|(alias, target)| {
                let rest = paths::is_within(specifier, alias).then(|| paths::strip(specifier, alias))?;
                self.source_of(&paths::join(&package.dir, &format!("{target}/{rest}"))?)
            })
        })
    }

    fn customary_alias(&self, specifier: &str) -> Option<FileId> {
        let (rest, places) = match specifier.strip_prefix(['@', '~', '#']) {
            Some(rest) => {
                (rest.trim_start_matches(['@', '~', '/']), ["src", "client/src", "", "app"].as_slice())
            }
            None if specifier.starts_with("src/") => (specifier, [""].as_slice()),
            None => return None,
        };
        if rest.is_empty() {
            return None;
        }
        self.scope.iter().find_map(|package| {
            places.iter().find_map(|place| {
                let place = paths::child(&package.dir, place);
                self.source_of(&paths::join(&place, rest)?)
            })
        })
    }
}
