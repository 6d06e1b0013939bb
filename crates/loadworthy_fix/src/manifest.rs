//! Packages in a `package.json`.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};

use crate::proposal::NewPackage;

/// The sections that declare a package for the application.
const SECTIONS: [&str; 4] = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

/// The manifest with those packages among its dependencies that no section has, and which these are. All else keeps its form;
/// names go where the order of the section puts them. `None` if the text is no JSON object.
#[must_use]
pub fn add_packages<'p>(text: &str, packages: &[&'p NewPackage]) -> Option<(String, Vec<&'p NewPackage>)> {
    let root = CstRootNode::parse(text, &ParseOptions::default()).ok()?;
    let manifest = root.object_value()?;
    let mut added = Vec::new();
    for package in packages {
        let sections = SECTIONS.iter().filter_map(|name| manifest.object_value(name));
        if sections.into_iter().any(|section| section.get(&package.name).is_some()) {
            continue;
        }
        let section = manifest.object_value_or_create("dependencies")?;
        insert(&section, package);
        added.push(*package);
    }
    Some((root.to_string(), added))
}

fn insert(section: &CstObject, package: &NewPackage) {
    let names: Vec<String> = section
        .properties()
        .iter()
        .filter_map(|property| property.name().and_then(|name| name.decoded_value().ok()))
        .collect();
    let at = if names.is_sorted() {
        names.iter().position(|name| *name > package.name).unwrap_or(names.len())
    } else {
        names.len()
    };
    section.insert(at, &package.name, CstInputValue::String(package.range.clone()));
}
