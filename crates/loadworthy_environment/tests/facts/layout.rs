//! Projects of several packages, and the environment keys of each.

use super::{fact, manifest, of, value};

fn parts(more: &[(&str, &str)]) -> loadworthy_environment::Environment {
    let (server, client) = (
        manifest(&[("express", "4.21.2"), ("pg", "8.0.0")]),
        manifest(&[("react", "18.3.1"), ("axios", "1.9.0")]),
    );
    let mut files = vec![
        ("server/package.json", server.as_str()),
        (
            "server/index.js",
            "const express = require('express');\nconst { Pool } = require('pg');\nexpress();\nnew Pool({ max: process.env.PG_MAX || 20 });\nconst { JWT_SECRET } = process.env;",
        ),
        ("client/package.json", client.as_str()),
        (
            "client/src/App.jsx",
            "import React from 'react';\nimport axios from 'axios';\nexport default () => axios.get(process.env.REACT_APP_API);",
        ),
    ];
    files.extend_from_slice(more);
    of(&files)
}

#[test]
fn facts_name_the_package_they_are_about() {
    let environment = parts(&[]);
    assert_eq!(value(&environment, "packages"), "client in client; server in server");
    assert_eq!(value(&environment, "framework"), "Express 4.21.2 in server");
    assert_eq!(value(&environment, "react.version"), "React 18.3.1 in client");
    assert_eq!((environment.express_major(), environment.react_major()), (Some(4), Some(18)));
}

#[test]
fn files_of_the_client_say_nothing_about_the_server() {
    let environment = parts(&[
        ("client/Dockerfile", "FROM node:12\nCMD [\"node\", \"--max-old-space-size=99\", \"x\"]\n"),
        ("server/Dockerfile", "FROM node:20\n"),
    ]);
    assert_eq!(environment.node_major(), 20);
    assert_ne!(environment.heap_limit_mb.value, 99.0);
}

#[test]
fn a_server_at_the_root_with_its_client_below_is_understood() {
    let (server, client) =
        (manifest(&[("express", "4.21.2"), ("mongoose", "8.0.0")]), manifest(&[("react", "18.3.1")]));
    let environment = of(&[
        ("package.json", &server),
        ("backend/server.js", "require('express')(); require('mongoose').connect(process.env.MONGO_URI);"),
        ("frontend/package.json", &client),
        ("frontend/src/App.jsx", "import React from 'react'; export default () => null;"),
        ("frontend/Dockerfile", "FROM node:10\n"),
        ("Dockerfile", "FROM node:18\n"),
    ]);
    assert_eq!(value(&environment, "packages"), "server in the root; client in frontend");
    assert_eq!((environment.node_major(), environment.pool_max_per_instance().unwrap().value), (18, 100));
}

#[test]
fn keys_missing_from_the_examples_are_named_by_package() {
    let none = parts(&[]);
    assert_eq!(value(&none, "env_keys"), "JWT_SECRET, PG_MAX, REACT_APP_API; no .env.example");
    let some = parts(&[("server/.env.example", "JWT_SECRET=\nUNUSED=1\n")]);
    assert_eq!(
        value(&some, "env_keys"),
        "JWT_SECRET, PG_MAX, REACT_APP_API; missing from the example files: PG_MAX"
    );
    assert!(fact(&some, "env_keys").evidence.iter().any(|place| place.to_string() == "server/index.js:4"));
    let all = parts(&[
        ("server/.env.example", "JWT_SECRET=\n# PG_MAX=\n"),
        ("client/.env.example", "REACT_APP_API=\n"),
    ]);
    assert!(value(&all, "env_keys").ends_with("all in the example files"));
}

#[test]
fn keys_of_checked_environments_and_configuration_services_count() {
    let manifest = manifest(&[("@nestjs/core", "10.0.0"), ("@nestjs/config", "3.0.0"), ("zod", "3.0.0")]);
    let environment = of(&[
        ("package.json", &manifest),
        (
            "src/env.ts",
            "import { z } from 'zod';\nexport const env = z.object({ FROM_SCHEMA: z.string() }).parse(process.env);",
        ),
        (
            "src/a.service.ts",
            "import { NestFactory } from '@nestjs/core';\nimport { ConfigService } from '@nestjs/config';\nexport class A {\n  constructor(private readonly config: ConfigService) {}\n  run() { return this.config.get('FROM_SERVICE', 'x'); }\n}\nexport const map = new Map().get('NOT_A_KEY');",
        ),
    ]);
    assert_eq!(value(&environment, "env_keys"), "FROM_SCHEMA, FROM_SERVICE; no .env.example");
}
