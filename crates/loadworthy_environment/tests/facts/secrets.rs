//! Values of secrets are looked into, never shown.

use super::{manifest, of};

const PASSWORD: &str = "hunter2-S3cr3t";

#[test]
fn no_fact_holds_a_secret_wherever_it_stands() {
    let url =
        format!("postgresql://app:{PASSWORD}@ep-a-pooler.eu.aws.neon.tech:5432/shop?connection_limit=9");
    let manifest = manifest(&[("express", "4.21.2"), ("@prisma/client", "5.22.0")])
        .replace("node index.js", &format!("DATABASE_URL={url} node index.js"));
    let compose = format!(
        "services:\n  api:\n    build: .\n    environment:\n      DATABASE_URL: {url}\n      - JWT_SECRET={PASSWORD}\n  db:\n    image: postgres:16\n    environment: {{POSTGRES_PASSWORD: {PASSWORD}}}\n"
    );
    let files = [
        ("package.json", manifest),
        (
            "index.js",
            format!(
                "const express = require('express');\nconst {{ PrismaClient }} = require('@prisma/client');\nexpress();\nnew PrismaClient({{ datasources: {{ db: {{ url: '{url}' }} }} }});\nmodule.exports = process.env.JWT_SECRET || '{PASSWORD}';"
            ),
        ),
        (
            "prisma/schema.prisma",
            format!("datasource db {{\n  provider = \"postgresql\"\n  url = \"{url}\"\n}}\n"),
        ),
        (
            ".env",
            format!(
                "DATABASE_URL=\"{url}\"\nJWT_SECRET={PASSWORD}\nNODE_ENV={PASSWORD}\nNODE_OPTIONS={PASSWORD}\n"
            ),
        ),
        (".env.example", format!("DATABASE_URL={url}\n")),
        ("docker-compose.yml", compose),
        (
            "Dockerfile",
            format!("FROM node:20\nENV DATABASE_URL={url}\nCMD DATABASE_URL={url} node index.js\n"),
        ),
        ("Procfile", format!("web: DATABASE_URL={url} node index.js\n")),
        (
            "k8s/api.yaml",
            format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api}}\nspec:\n  template:\n    spec:\n      containers:\n        - image: acme/api\n          env: [{{name: DATABASE_URL, value: '{url}'}}]\n"
            ),
        ),
        (
            "ecosystem.config.js",
            format!(
                "module.exports = {{ apps: [{{ name: 'api', script: 'index.js', env: {{ DATABASE_URL: '{url}' }} }}] }};"
            ),
        ),
        (
            "render.yaml",
            format!(
                "services:\n  - type: web\n    name: api\n    envVars: [{{key: DATABASE_URL, value: '{url}'}}]\n"
            ),
        ),
        (
            "infra/main.tf",
            format!(
                "resource \"aws_db_instance\" \"db\" {{\n  engine = \"postgres\"\n  password = \"{PASSWORD}\"\n}}\n"
            ),
        ),
        (
            ".github/workflows/ci.yml",
            format!("jobs:\n  a:\n    steps:\n      - run: DATABASE_URL={url} gcloud run deploy api\n"),
        ),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let environment = of(&files);
    assert_eq!(environment.pool_max_per_instance().unwrap().value, 9, "the URL was read");
    assert!(environment.has_external_pooler(), "the host was read");
    let shown = format!("{:?}{environment:?}", environment.facts());
    for secret in [PASSWORD, "app:", "ep-a-pooler"] {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
}
