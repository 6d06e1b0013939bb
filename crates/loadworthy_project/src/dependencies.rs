//! The names each package declares, for quick membership questions.

use rustc_hash::FxHashSet;

use crate::{Package, PackageId};

#[derive(Debug, Default)]
pub(crate) struct Declared(Vec<FxHashSet<String>>);

impl Declared {
    pub(crate) fn of(packages: &[Package]) -> Self {
        let names =
            |package: &Package| package.manifest.dependencies.iter().map(|one| one.name.clone()).collect();
        Self(packages.iter().map(names).collect())
    }

    pub(crate) fn contains(&self, package: PackageId, name: &str) -> bool {
        self.0.get(package.index()).is_some_and(|names| names.contains(name))
    }
}
