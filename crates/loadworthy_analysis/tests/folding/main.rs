//! What values of libraries mean: the argument of each `probe(…)` folds to a handle or a member of one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod inputs;
mod services;

use std::fs;

use loadworthy_analysis::{Folded, Program, Resolver};
use loadworthy_knowledge::Knowledge;
use loadworthy_project::{DiscoverOptions, Project};
use loadworthy_syntax::Kind;

/// What the arguments of `probe` are, in the order of files and places: handle names, `handle.member` for members.
fn probes(files: &[(&str, &str)]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let project = Project::discover(dir.path(), &DiscoverOptions::default()).unwrap();
    let program = Program::load(&project, Knowledge::builtin(), 1).unwrap();
    let resolver = Resolver::new(&program);
    let mut found = Vec::new();
    for (file, module) in program.modules() {
        for call in module.calls() {
            let Kind::Call { callee, arguments } = module.kind(*call) else { continue };
            if module.source(callee) != "probe" {
                continue;
            }
            for argument in module.list(arguments) {
                let values = resolver.filled(&resolver.value_of((file, argument)));
                let names = resolver.folded(&values).into_iter().map(|folded| {
                    let name = |held: &loadworthy_analysis::Held| {
                        program.knowledge().handle_name(held.handle).to_owned()
                    };
                    match folded {
                        Folded::Held(held) => name(&held),
                        Folded::Member(held, member) => format!("{}.{member}", name(&held)),
                        other => format!("{other:?}"),
                    }
                });
                let names: Vec<_> = names.collect();
                found.push(if names.is_empty() { "nothing".to_owned() } else { names.join("|") });
            }
        }
    }
    found
}
