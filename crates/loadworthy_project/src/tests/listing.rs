use super::*;
use crate::{Language, ModuleKind};

fn paths(project: &Project) -> Vec<&str> {
    project.files.iter().map(|file| file.path.as_str()).collect()
}

#[test]
fn ignored_and_output_folders_are_left_out_and_sources_of_that_name_stay() {
    let project = project(&[
        (".gitignore", "ignored/\n"),
        ("ignored/a.js", "1"),
        (".hidden/a.js", "1"),
        ("node_modules/a/index.js", "1"),
        ("dist/a.js", "1"),
        ("packages/build/src/a.ts", "1"),
        ("web/build/index.html", ""),
        ("web/build/a.js", "1"),
        ("lib/a.js", "1"),
        ("compiled/lib/a.js", "1"),
        ("compiled/lib/a.js.map", ""),
        ("src/coverage/a.ts", "1"),
        ("coverage/lcov.info", ""),
        ("coverage/a.js", "1"),
        (".next/a.js", "1"),
        ("bin/www", "#!/usr/bin/env node\n"),
        ("bin/other", "#!/bin/sh\n"),
    ]);
    assert_eq!(paths(&project), ["bin/www", "lib/a.js", "packages/build/src/a.ts", "src/coverage/a.ts"]);
}

#[test]
fn excluded_patterns_are_left_out() {
    let folder = folder(&[("a/x.js", "1"), ("b/x.js", "1")]);
    let options = DiscoverOptions { exclude: vec!["a/".to_owned()], ..DiscoverOptions::default() };
    assert_eq!(paths(&Project::discover(folder.path(), &options).unwrap()), ["b/x.js"]);
}

#[test]
fn a_root_inside_an_ignored_folder_is_still_listed() {
    let folder = folder(&[(".gitignore", "work/**\n"), ("work/app/a.js", "1")]);
    let project = Project::discover(&folder.path().join("work/app"), &DiscoverOptions::default()).unwrap();
    assert_eq!(paths(&project), ["a.js"]);
}

#[test]
fn other_files_are_listed() {
    let names = [
        ".env.example",
        ".github/workflows/ci.yml",
        ".nvmrc",
        "Dockerfile",
        "Procfile",
        "db/a.sql",
        "docker-compose.yml",
        "nginx/nginx.conf",
        "package.json",
        "prisma/schema.prisma",
        "tsconfig.json",
        "vercel.json",
    ];
    let mut files: Vec<(&str, &str)> = names.iter().map(|name| (*name, "{}")).collect();
    files.extend([("README.md", ""), ("data.json", "{}")]);
    assert_eq!(project(&files).other_files, names);
}

#[test]
fn languages_and_module_kinds() {
    let project = project(&[
        ("package.json", r#"{"type": "module"}"#),
        ("a.ts", ""),
        ("b.cjs", ""),
        ("c.d.ts", ""),
        ("old/package.json", "{}"),
        ("old/d.jsx", ""),
        ("old/e.mjs", ""),
    ]);
    let facts: Vec<_> = project.files.iter().map(|file| (file.language, file.module_kind)).collect();
    let expected = [
        (Language::Ts, ModuleKind::Module),
        (Language::Js, ModuleKind::CommonJs),
        (Language::Dts, ModuleKind::Module),
        (Language::Jsx, ModuleKind::Unknown),
        (Language::Js, ModuleKind::Module),
    ];
    assert_eq!(facts, expected);
}

#[test]
fn manifests_keep_lines_and_shapes() {
    let project = project(&[(
        "package.json",
        "{\n  // comment\n  \"name\": \"a\",\n  \"scripts\": {\n    \"start\": \"node .\"\n  },\n  \"dependencies\": {\n    \"pg\": \"^8\",\n  },\n  \"engines\": {\"node\": \">=20\"}, \"bin\": \"./cli.js\", \"packageManager\": \"pnpm@9.0.0\"\n}",
    )]);
    let manifest = &project.packages[0].manifest;
    assert_eq!(manifest.dependency("pg").unwrap().line, Some(8));
    assert_eq!(manifest.script("start").unwrap().line, Some(5));
    assert_eq!(manifest.node_engine.as_deref(), Some(">=20"));
    assert_eq!(manifest.bin, ["./cli.js"]);
    assert_eq!(manifest.package_manager.as_deref(), Some("pnpm@9.0.0"));
}

#[test]
fn the_same_folder_gives_the_same_project() {
    let files: Vec<(String, String)> =
        (0..200).map(|i| (format!("d{}/f{i}.ts", i % 7), format!("// {i}"))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let folder = folder(&files);
    let (one, two) = (discover(&folder), discover(&folder));
    assert_eq!(one.files, two.files);
    assert!(one.files.is_sorted_by_key(|file| file.path.clone()));
    assert!(one.files.iter().enumerate().all(|(index, file)| file.id.index() == index));
}

#[test]
fn files_that_say_where_an_application_runs_are_listed() {
    let wanted = [
        ".do/app.yaml",
        ".replit",
        "Caddyfile.prod",
        "config/app.env",
        "default.conf.template",
        "env.example",
        "my.cnf",
        "task-definition.json",
        "wrangler.jsonc",
    ];
    let mut files: Vec<(&str, &str)> = wanted.iter().map(|path| (*path, "")).collect();
    files.extend([("data.json", "{}"), ("notes.txt", ""), (".hidden/app.yaml", "")]);
    assert_eq!(project(&files).other_files, wanted);
}
