//! Which packages the audited code imports, and where first.

use std::collections::BTreeMap;

use loadworthy_project::{PackageId, Resolution};
use loadworthy_syntax::{Kind, Module};

use super::Code;
use crate::fact::Place;
use crate::paths;

/// First import of each package, and of each of its subpaths, by name.
#[derive(Debug, Default)]
pub(crate) struct Imports(BTreeMap<String, Vec<(PackageId, Place)>>);

impl Imports {
    pub(crate) fn find(code: Code<'_>) -> Self {
        let mut found = Self::default();
        for (file, module) in code.modules() {
            let Some(package) = code.package_of(file) else { continue };
            for specifier in specifiers(module) {
                let resolution = code.program().resolve(file, &specifier);
                let Resolution::Package { name, subpath } = resolution.as_ref() else {
                    continue;
                };
                let whole = if subpath.is_empty() { name.clone() } else { format!("{name}/{subpath}") };
                for key in [name, &whole] {
                    let places = found.0.entry(key.clone()).or_default();
                    if !places.iter().any(|(known, _)| *known == package) {
                        let line = line_of(module, &specifier);
                        let note = format!("{key} imported");
                        places.push((package, Place::at(code.program().path(file), line, note)));
                    }
                }
            }
        }
        found
    }

    /// Where a package is first imported.
    pub(crate) fn first(&self, name: &str) -> Option<&Place> {
        self.importers(name).first().map(|(_, place)| place)
    }

    /// The first import of a package in each package of the project.
    pub(crate) fn importers(&self, name: &str) -> &[(PackageId, Place)] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Where a package is first imported by a package of the project, or by one inside its folder.
    pub(crate) fn within(&self, code: Code<'_>, name: &str, package: PackageId) -> Option<&Place> {
        let dir = |id: PackageId| code.project().package(id).map_or("", |package| package.dir.as_str());
        let places = self.0.get(name)?;
        let own = places.iter().find(|(importer, _)| *importer == package);
        let found = own
            .or_else(|| places.iter().find(|(importer, _)| paths::is_within(dir(*importer), dir(package))));
        found.map(|(_, place)| place)
    }
}

/// Every specifier of a module, each once.
pub(crate) fn specifiers(module: &Module) -> Vec<String> {
    let mut all: Vec<String> =
        module.imports().iter().map(|import| module.str(import.source).to_owned()).collect();
    all.extend(module.side_imports().map(str::to_owned));
    for export in module.exports() {
        use loadworthy_syntax::ExportTarget::{From, Star};
        if let From { source, .. } | Star { source } = export.target {
            all.push(module.str(source).to_owned());
        }
    }
    for call in module.calls() {
        if let Kind::Call { callee, arguments } = module.kind(*call)
            && let Kind::Name { name, .. } = module.kind(callee)
            && module.str(name) == "require"
            && let Some(Kind::String(source)) = module.list(arguments).next().map(|first| module.kind(first))
        {
            all.push(module.str(source).to_owned());
        }
    }
    for node in module.node_ids() {
        if let Kind::Import(source) = module.kind(node)
            && let Kind::String(source) = module.kind(source)
        {
            all.push(module.str(source).to_owned());
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn line_of(module: &Module, specifier: &str) -> u32 {
    let is_quoted = |line: &str| {
        ['"', '\'', '`'].iter().any(|quote| line.contains(&format!("{quote}{specifier}{quote}")))
    };
    (1u32..).zip(module.text().lines()).find(|(_, line)| is_quoted(line)).map_or(1, |(line, _)| line)
}
