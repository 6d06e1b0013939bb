//! Broken and hostile files: what can be read is read, nothing fails, and the order of facts stays.

use super::{manifest, of};

const NAMES: &[&str] = &[
    "Dockerfile",
    "docker-compose.yml",
    "k8s/api.yaml",
    "nginx.conf",
    "Caddyfile",
    "haproxy.cfg",
    "Procfile",
    ".env",
    ".nvmrc",
    "ecosystem.config.js",
    "ecosystem.json",
    "serverless.yml",
    "vercel.json",
    "netlify.toml",
    "render.yaml",
    "fly.toml",
    ".replit",
    "railway.json",
    "app.yaml",
    "app.json",
    "main.tf",
    "api.service",
    "postgresql.conf",
    ".github/workflows/ci.yml",
    "prisma/schema.prisma",
    "values.yaml",
    "next.config.mjs",
    "template.yaml",
    "kustomization.yaml",
    "traefik.yml",
];

#[test]
fn any_text_in_any_file_is_survived() {
    let deep = "[".repeat(3_000);
    let nested: Vec<String> = (0..300).map(|depth| format!("{}a:", " ".repeat(depth))).collect();
    let nested = nested.join(
        "
",
    );
    for text in [
        "",
        "\u{0}",
        "{",
        "}}}",
        "a: [1\nb",
        "<<: *x",
        "- - - -",
        "FROM",
        "ENV",
        "=",
        "services:",
        "services: 3",
        "\"",
        "%%%",
        "apps: x",
        &deep,
        &nested,
    ] {
        let manifest = manifest(&[("express", "4.21.2")]);
        let mut files: Vec<(&str, &str)> = NAMES.iter().map(|name| (*name, text)).collect();
        files.push(("package.json", &manifest));
        files.push(("index.js", "require('express')();"));
        assert!(of(&files).facts().len() > 25, "{text:?}");
    }
}

#[test]
fn an_empty_project_has_facts_too() {
    let keys = |files: &[(&str, &str)]| of(files).facts().iter().map(|fact| fact.key).collect::<Vec<_>>();
    assert!(keys(&[("package.json", "{")]).contains(&"database.kind"));
    assert_eq!(keys(&[("a.js", "1")]), keys(&[("a.js", "1")]));
}

#[test]
fn facts_are_the_same_each_time() {
    let manifest = manifest(&[("express", "4.21.2"), ("pg", "8.0.0"), ("ioredis", "5.0.0")]);
    let files = [
        ("package.json", manifest.as_str()),
        (
            "index.js",
            "require('express')(); require('ioredis'); new (require('pg').Pool)(); process.env.A; process.env.B;",
        ),
        (
            "docker-compose.yml",
            "services:\n  api: {build: ., deploy: {replicas: 2}}\n  db: {image: 'postgres:16'}\n",
        ),
    ];
    let first = of(&files).facts();
    for _ in 0..3 {
        assert_eq!(of(&files).facts(), first);
    }
}

#[test]
fn a_file_that_is_not_understood_is_said_and_a_template_is_not() {
    let manifest = manifest(&[("express", "4.21.2")]);
    let files = [
        ("package.json", manifest.as_str()),
        ("index.js", "require('express')();"),
        ("docker-compose.yml", "services:\n  a: [1\n"),
        ("fly.toml", "app = "),
        ("k8s/template.yaml", "a: {{ b }\n  c: [{{ d }}\n"),
        ("empty.yml", "# nothing\n"),
    ];
    let unread = of(&files).unread;
    let paths: Vec<_> = unread.iter().filter_map(|diagnostic| diagnostic.file.as_deref()).collect();
    assert_eq!(paths, ["docker-compose.yml", "fly.toml"]);
}
