//! Databases, mappers and what the server admits.

use loadworthy_environment::Basis;

use super::{fact, manifest, of, value};

const INDEX: (&str, &str) = ("index.js", "const express = require('express'); express(); require('./db');");

fn server(
    dependencies: &[(&str, &str)],
    db: &str,
    more: &[(&str, &str)],
) -> loadworthy_environment::Environment {
    let mut all = vec![("express", "4.21.2")];
    all.extend_from_slice(dependencies);
    let manifest = manifest(&all);
    let mut files = vec![("package.json", manifest.as_str()), INDEX, ("db.js", db)];
    files.extend_from_slice(more);
    of(&files)
}

#[test]
fn the_product_follows_driver_dialect_and_schema() {
    for (dependencies, db, product) in [
        (&[("pg", "8.11.0")][..], "module.exports = new (require('pg').Pool)()", "PostgreSQL"),
        (
            &[("mysql2", "3.0.0"), ("sequelize", "6.0.0")],
            "const { Sequelize } = require('sequelize'); module.exports = new Sequelize({ dialect: 'mysql' })",
            "MySQL",
        ),
        (&[("mongoose", "8.0.0")], "require('mongoose').connect(process.env.URI)", "MongoDB"),
        (&[("better-sqlite3", "9.0.0")], "module.exports = require('better-sqlite3')('x.db')", "SQLite"),
        (
            &[("firebase-admin", "12.0.0")],
            "module.exports = require('firebase-admin/firestore').getFirestore()",
            "Firestore",
        ),
    ] {
        assert_eq!(value(&server(dependencies, db, &[]), "database.kind"), product, "{db}");
    }
    assert_eq!(
        value(
            &server(&[("firebase-admin", "12.0.0")], "require('firebase-admin').auth()", &[]),
            "database.kind"
        ),
        "none found"
    );
}

#[test]
fn the_version_comes_from_images_and_is_asked_for_elsewhere() {
    let db = "module.exports = new (require('pg').Pool)()";
    let compose = (
        "docker-compose.yml",
        "services:\n  db:\n    image: postgres:16-alpine\n    command: [postgres, -c, max_connections=250]\n",
    );
    let known = server(&[("pg", "8.11.0")], db, &[compose]);
    assert_eq!(value(&known, "database.kind"), "PostgreSQL 16");
    assert_eq!(known.max_connections.value, Some(250));
    let unknown = server(&[("pg", "8.11.0")], db, &[]);
    assert!(fact(&unknown, "database.kind").needs_confirmation.unwrap().look_at.contains("server_version"));
    assert_eq!((unknown.max_connections.value, unknown.max_connections.basis), (Some(100), Basis::Default));
}

#[test]
fn managed_services_and_poolers_are_known_by_their_host() {
    let db = "module.exports = new (require('pg').Pool)({ connectionString: process.env.DATABASE_URL })";
    let environment = server(
        &[("pg", "8.11.0")],
        db,
        &[(".env.example", "DATABASE_URL=postgres://u:p@ep-a-pooler.eu.aws.neon.tech/db\n")],
    );
    assert_eq!(value(&environment, "database.kind"), "PostgreSQL at Neon, through a pooler");
    assert!(environment.has_external_pooler());
}

#[test]
fn a_schema_for_tests_is_not_the_database() {
    let schema = |provider: &str| {
        format!("datasource db {{\n  provider = \"{provider}\"\n  url = env(\"DATABASE_URL\")\n}}\n")
    };
    let db = "const { PrismaClient } = require('@prisma/client'); module.exports = new PrismaClient()";
    let (main, other) = (schema("postgresql"), schema("sqlite"));
    let environment = server(
        &[("@prisma/client", "5.0.0")],
        db,
        &[("prisma/schema.prisma", &main), ("prisma/schema.sqlite.prisma", &other)],
    );
    assert_eq!(environment.databases.len(), 1);
    assert_eq!(value(&environment, "database.library"), "Prisma (@prisma/client 5.0.0)");
}

#[test]
fn a_dialect_from_the_environment_is_its_default() {
    let db = "module.exports = require('knex')({ client: process.env.DB_CLIENT || 'mysql2' })";
    let environment = server(&[("knex", "3.0.0"), ("pg", "8.0.0"), ("mysql2", "3.0.0")], db, &[]);
    assert_eq!(environment.databases.iter().map(|it| it.value.kind.as_str()).collect::<Vec<_>>(), ["MySQL"]);
}

#[test]
fn a_schema_that_follows_the_code_is_said() {
    let db = |on: &str| {
        format!(
            "const {{ DataSource }} = require('typeorm'); module.exports = new DataSource({{ type: 'postgres', synchronize: {on} }})"
        )
    };
    let is_synced =
        |on: &str| server(&[("typeorm", "0.3.0"), ("pg", "8.0.0")], &db(on), &[]).schema_sync.value;
    assert!(is_synced("true"));
    assert!(!is_synced("false"));
    assert!(!is_synced("process.env.NODE_ENV !== 'production'"));
}

#[test]
fn caches_queues_and_sockets_must_be_used_to_count() {
    let dependencies =
        [("ioredis", "5.0.0"), ("bullmq", "5.0.0"), ("socket.io", "4.8.0"), ("node-cron", "3.0.0")];
    let used = "const R = require('ioredis'); const { Queue } = require('bullmq'); const { Server } = require('socket.io'); require('node-cron'); module.exports = { r: new R(), q: new Queue('a'), s: new Server() };";
    let environment = server(&dependencies, used, &[]);
    assert_eq!(value(&environment, "cache"), "Redis (ioredis 5.0.0)");
    assert_eq!(value(&environment, "queue"), "BullMQ (Redis) (bullmq 5.0.0)");
    assert_eq!(value(&environment, "websocket"), "Socket.IO 4.8.0, in-memory adapter");
    assert_eq!(value(&environment, "scheduler"), "node-cron 3.0.0");
    let idle = server(&dependencies, "module.exports = 1", &[]);
    assert_eq!(value(&idle, "cache"), "none");
    assert!(fact(&idle, "cache").evidence.first().unwrap().note.contains("never imported"));
}

#[test]
fn what_observes_the_application_is_told_apart() {
    let dependencies = [
        ("prom-client", "15.0.0"),
        ("@opentelemetry/sdk-node", "0.50.0"),
        ("@sentry/node", "8.0.0"),
        ("pino", "9.0.0"),
    ];
    let environment = server(
        &dependencies,
        "require('prom-client'); require('@opentelemetry/sdk-node'); require('@sentry/node'); require('pino'); module.exports = 1",
        &[],
    );
    assert_eq!(value(&environment, "metrics"), "Prometheus (prom-client 15.0.0)");
    assert_eq!(
        value(&environment, "tracing"),
        "OpenTelemetry (@opentelemetry/sdk-node 0.50.0), Sentry (@sentry/node 8.0.0)"
    );
    assert_eq!(value(&environment, "error_tracking"), "Sentry (@sentry/node 8.0.0)");
    assert_eq!(value(&environment, "logging"), "pino 9.0.0");
}
