//! Facts of small projects: each source of facts and each topic, beside what only looks like it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
#![allow(clippy::float_cmp, reason = "the numbers come from text, not from arithmetic")]

mod broken;
mod client;
mod data;
mod deployment;
mod edge;
mod layout;
mod overrides;
mod pools;
mod secrets;
mod sessions;

use std::fs;

use loadworthy_analysis::{Program, Resolver};
use loadworthy_environment::{Environment, Fact, Overrides, environment};
use loadworthy_knowledge::Knowledge;
use loadworthy_project::{DiscoverOptions, Project};

/// The environment of a project with these files.
fn of(files: &[(&str, &str)]) -> Environment {
    with(files, &Overrides::default())
}

fn with(files: &[(&str, &str)], overrides: &Overrides) -> Environment {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let location = folder.path().join(path);
        fs::create_dir_all(location.parent().unwrap()).unwrap();
        fs::write(location, text).unwrap();
    }
    let project = Project::discover(folder.path(), &DiscoverOptions::default()).unwrap();
    let program = Program::load(&project, Knowledge::builtin(), 1).unwrap();
    environment(&Resolver::new(&program), Knowledge::builtin(), overrides)
}

/// The first fact of a key.
fn fact(environment: &Environment, key: &str) -> Fact {
    let facts = environment.facts();
    facts.into_iter().find(|fact| fact.key == key).unwrap_or_else(|| panic!("no fact {key}"))
}

fn value(environment: &Environment, key: &str) -> String {
    fact(environment, key).value
}

/// `file:line` of the first evidence.
fn place(environment: &Environment, key: &str) -> String {
    fact(environment, key).evidence.first().map(ToString::to_string).unwrap_or_default()
}

/// A `package.json` with these dependencies and a start script.
fn manifest(dependencies: &[(&str, &str)]) -> String {
    let list: Vec<String> =
        dependencies.iter().map(|(name, version)| format!("    \"{name}\": \"{version}\"")).collect();
    format!(
        "{{\n  \"name\": \"app\",\n  \"scripts\": {{ \"start\": \"node index.js\" }},\n  \"dependencies\": {{\n{}\n  }}\n}}\n",
        list.join(",\n")
    )
}
