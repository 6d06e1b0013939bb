use std::fs;

use loadworthy_knowledge::Knowledge;
use loadworthy_project::{DiscoverOptions, Project};

use super::*;
use crate::Program;

/// What the first argument of the first call is.
fn argument(code: &str) -> Values {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.js"), code).unwrap();
    let project = Project::discover(folder.path(), &DiscoverOptions::default()).unwrap();
    let program = Program::load(&project, Knowledge::builtin(), 1).unwrap();
    let file = project.file_by_path("a.js").unwrap();
    let resolver = Resolver::new(&program);
    let call = *program.module(file).unwrap().calls().first().unwrap();
    resolver.value_of(resolver.argument((file, call), 0).unwrap())
}

#[test]
fn an_object_that_spreads_itself_has_an_end() {
    let code = "let options = { a: 1 }; options = { ...options, b: 2 }; f(options.missing);";
    assert!(argument(code).is_empty());
    let code = "f(options.b); let options = { a: 1 }; options = { ...options, b: 'x' };";
    assert_eq!(*argument(code), [Value::Text("x".into())]);
}

#[test]
fn only_the_default_of_a_package_itself_is_the_package() {
    let steps = |code: &str| match &*argument(code) {
        [Value::External(external)] => external.steps.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(steps("f(require('x').default)"), 0);
    assert_eq!(steps("f(require('x').column.default)"), 2);
}
