//! Connection pools: what the code, the environment and the library's default say.

use loadworthy_environment::{Basis, Confidence, Pool};

use super::{manifest, of, place, value};

const EXPRESS: &str = "const express = require('express'); const app = express(); require('./db');";

/// The first pool of a server whose `db.js` is this.
fn pool(dependency: (&str, &str), code: &str, more: &[(&str, &str)]) -> Pool {
    let manifest = manifest(&[("express", "4.21.2"), dependency]);
    let mut files = vec![("package.json", manifest.as_str()), ("index.js", EXPRESS), ("db.js", code)];
    files.extend_from_slice(more);
    of(&files).pools.first().cloned().expect("a pool")
}

const PG: (&str, &str) = ("pg", "8.11.0");

#[test]
fn a_constant_is_what_it_is() {
    let pool = pool(
        PG,
        "const { Pool } = require('pg');\nmodule.exports = new Pool({\n  max: 5 * 6,\n  connectionTimeoutMillis: 2000,\n  statement_timeout: 10_000,\n});",
        &[],
    );
    assert_eq!((pool.max.value, pool.max.confidence, pool.max.basis), (30, Confidence::High, Basis::Read));
    assert_eq!(pool.max.evidence.first().unwrap().to_string(), "db.js:3");
    assert_eq!(
        (pool.acquire_timeout_ms.value, pool.statement_timeout_ms.value),
        (Some(2000.0), Some(10_000.0))
    );
}

const FROM_ENVIRONMENT: &str =
    "const { Pool } = require('pg');\nmodule.exports = new Pool({ max: Number(process.env.PG_MAX ?? 20) });";

#[test]
fn a_variable_counts_where_a_file_sets_it_and_the_default_elsewhere() {
    let alone = pool(PG, FROM_ENVIRONMENT, &[]);
    assert_eq!((alone.max.value, alone.max.confidence), (20, Confidence::Medium));
    let set = pool(PG, FROM_ENVIRONMENT, &[(".env", "PG_MAX=35\n")]);
    assert_eq!(set.max.value, 35);
    assert!(set.max.evidence.iter().any(|place| place.to_string() == ".env:1"));
    let example = pool(PG, FROM_ENVIRONMENT, &[(".env.example", "PG_MAX=7\n")]);
    assert_eq!((example.max.value, example.max.confidence), (7, Confidence::Low));
    let deployed = pool(
        PG,
        FROM_ENVIRONMENT,
        &[(".env.example", "PG_MAX=7\n"), ("Dockerfile", "FROM node:20\nENV PG_MAX=50\n")],
    );
    assert_eq!(deployed.max.value, 50);
}

#[test]
fn development_and_test_settings_do_not_count() {
    let pool = pool(PG, FROM_ENVIRONMENT, &[(".env.development", "PG_MAX=2\n"), (".env.test", "PG_MAX=1\n")]);
    assert_eq!(pool.max.value, 20);
}

#[test]
fn files_that_disagree_decide_nothing() {
    let one = "services:\n  api:\n    build: .\n    environment:\n      PG_MAX: 5\n";
    let two = one.replace("PG_MAX: 5", "PG_MAX: 9");
    let pool = pool(PG, FROM_ENVIRONMENT, &[("compose.a.yml", one), ("compose.b.yml", &two)]);
    assert_eq!(pool.max.value, 20);
}

#[test]
fn settings_are_followed_through_modules_conversions_and_schemas() {
    for config in [
        "module.exports = { pool: { size: parseInt(process.env.PG_MAX || '25', 10) } };",
        "const env = (key, fallback) => process.env[key] ?? fallback;\nmodule.exports = { pool: { size: env('PG_MAX', 25) } };",
        "const { z } = require('zod');\nconst env = z.object({ PG_MAX: z.coerce.number().default(25) }).parse(process.env);\nmodule.exports = { pool: { size: env.PG_MAX } };",
        "const { cleanEnv, num } = require('envalid');\nconst env = cleanEnv(process.env, { PG_MAX: num({ default: 25 }) });\nmodule.exports = { pool: { size: env.PG_MAX } };",
        "const production = process.env.NODE_ENV === 'production';\nmodule.exports = { pool: production ? { size: 25 } : { size: 2 } };",
        "module.exports = { pool: { size: process.env.NODE_ENV !== 'production' ? 2 : 25 } };",
    ] {
        let code = "const { Pool } = require('pg');\nconst config = require('./config');\nmodule.exports = new Pool({ max: config.pool.size });";
        let pool = pool(PG, code, &[("config.js", config)]);
        assert_eq!(pool.max.value, 25, "{config}");
    }
}

#[test]
fn a_setting_nobody_can_read_is_to_be_confirmed() {
    let pool =
        pool(PG, "const { Pool } = require('pg');\nmodule.exports = new Pool({ max: compute() });", &[]);
    assert_eq!((pool.max.value, pool.max.basis), (10, Basis::Assumed));
    assert!(pool.max.needs_confirmation.unwrap().look_at.contains("db.js:2"));
}

#[test]
fn options_nobody_can_read_are_not_taken_for_none() {
    let read = pool(PG, "const { Pool } = require('pg');\nmodule.exports = new Pool(load('db'));", &[]);
    assert_eq!(read.max.basis, Basis::Assumed);
    let none = pool(PG, "const { Pool } = require('pg');\nmodule.exports = new Pool();", &[]);
    assert_eq!((none.max.value, none.max.basis), (10, Basis::Default));
    assert_eq!(none.acquire_timeout_ms.value, None);
}

#[test]
fn defaults_follow_library_and_version() {
    for (dependency, code, max) in [
        (("mongoose", "8.3.2"), "require('mongoose').connect(process.env.MONGO_URI)", 100),
        (
            ("mongoose", "5.12.0"),
            "require('mongoose').connect(process.env.MONGO_URI, { useUnifiedTopology: true })",
            10,
        ),
        (("mongoose", "5.12.0"), "require('mongoose').connect(process.env.MONGO_URI)", 5),
        (
            ("sequelize", "6.37.0"),
            "const { Sequelize } = require('sequelize'); module.exports = new Sequelize('a', 'b', 'c', { dialect: 'mysql' })",
            5,
        ),
        (
            ("knex", "3.1.0"),
            "module.exports = require('knex')({ client: 'pg', connection: process.env.DATABASE_URL })",
            10,
        ),
        (("postgres", "3.4.0"), "module.exports = require('postgres')(process.env.DATABASE_URL)", 10),
        (
            ("mysql2", "3.9.0"),
            "module.exports = require('mysql2').createPool({ host: 'x', connectionLimit: 4 })",
            4,
        ),
        (
            ("mongodb", "6.5.0"),
            "const { MongoClient } = require('mongodb'); module.exports = new MongoClient(process.env.URL)",
            100,
        ),
        (
            ("@prisma/client", "6.2.0"),
            "const { PrismaClient } = require('@prisma/client'); module.exports = new PrismaClient()",
            3,
        ),
    ] {
        assert_eq!(pool(dependency, code, &[]).max.value, max, "{dependency:?} {code}");
    }
}

#[test]
fn embedded_databases_and_plain_clients_are_one_connection() {
    let sqlite = pool(
        ("knex", "3.1.0"),
        "module.exports = require('knex')({ client: 'better-sqlite3', connection: { filename: 'x' } })",
        &[],
    );
    assert!(sqlite.is_single_connection && sqlite.max.value == 1);
    let client = pool(PG, "const { Client } = require('pg'); module.exports = new Client()", &[]);
    assert!(client.is_single_connection);
}

#[test]
fn parameters_of_the_url_count_for_the_client_that_uses_it() {
    let schema = "datasource db {\n  provider = \"postgresql\"\n  url = env(\"DATABASE_URL\")\n}\n";
    let code = "const { PrismaClient } = require('@prisma/client'); module.exports = new PrismaClient()";
    let environment = "OTHER_URL=postgres://u:p@h/d?connection_limit=99\nDATABASE_URL=\"postgres://u:p@h/d?connection_limit=7&pool_timeout=20\"\n";
    let pool =
        pool(("@prisma/client", "5.22.0"), code, &[("prisma/schema.prisma", schema), (".env", environment)]);
    assert_eq!((pool.max.value, pool.acquire_timeout_ms.value), (7, Some(20_000.0)));
    assert_eq!(pool.max.evidence.first().unwrap().to_string(), ".env:2");
}

#[test]
fn a_mapper_takes_the_pool_of_its_driver_or_what_it_hands_on() {
    let manifest = manifest(&[("express", "4.21.2"), ("typeorm", "0.3.20"), ("pg", "8.11.0")]);
    let with = |options: &str| {
        let code = format!(
            "const {{ DataSource }} = require('typeorm'); module.exports = new DataSource({{ type: 'postgres', {options} }})"
        );
        let environment = of(&[("package.json", &manifest), ("index.js", EXPRESS), ("db.js", &code)]);
        environment.pools.first().unwrap().max.clone()
    };
    assert_eq!((with("").value, with("").basis), (10, Basis::Default));
    assert_eq!(with("extra: { max: 40 }").value, 40);
    assert_eq!(with("poolSize: 15").value, 15);
}

#[test]
fn a_pool_handed_to_a_mapper_is_counted_once() {
    let manifest = manifest(&[("express", "4.21.2"), ("drizzle-orm", "0.45.0"), ("pg", "8.11.0")]);
    let code = "const { Pool } = require('pg');\nconst { drizzle } = require('drizzle-orm/node-postgres');\nconst pool = new Pool({ max: 12 });\nmodule.exports = drizzle(pool);";
    let environment = of(&[("package.json", &manifest), ("index.js", EXPRESS), ("db.js", code)]);
    assert_eq!(environment.pools.len(), 1);
    assert_eq!(environment.pool_max_per_instance().unwrap().value, 12);
}

#[test]
fn clients_of_scripts_run_by_hand_are_no_part_of_the_application() {
    let manifest = manifest(&[("express", "4.21.2"), ("pg", "8.11.0")]);
    let by_hand = "const { Pool } = require('pg');\nconst pool = new Pool({ max: 1 });\npool.query('select 1').then(console.log);";
    let db = "const { Pool } = require('pg');\nmodule.exports = new Pool({ max: 8 });";
    let environment =
        of(&[("package.json", &manifest), ("index.js", EXPRESS), ("db.js", db), ("check-users.js", by_hand)]);
    assert_eq!(environment.pools.iter().map(|pool| pool.max.value).collect::<Vec<_>>(), [8]);
}

#[test]
fn a_class_that_extends_the_client_is_one() {
    let manifest = manifest(&[("express", "4.21.2"), ("@prisma/client", "5.22.0")]);
    let code = "import { PrismaClient } from '@prisma/client';\nexport class PrismaService extends PrismaClient {\n  constructor() {\n    super({ datasources: { db: { url: 'postgres://u:p@h/d?connection_limit=6' } } });\n  }\n}";
    let index =
        "import express from 'express';\nimport { PrismaService } from './prisma.service';\nexpress();";
    let environment = of(&[("package.json", &manifest), ("index.ts", index), ("prisma.service.ts", code)]);
    assert_eq!(environment.pool_max_per_instance().unwrap().value, 6);
    assert_eq!(place(&environment, "database.pool"), "prisma.service.ts:4");
}

#[test]
fn many_clients_alike_are_one_line() {
    let manifest = manifest(&[("express", "4.21.2"), ("pg", "8.11.0")]);
    let code = "const { Pool } = require('pg');\nmodule.exports = new Pool();";
    let index = "const express = require('express'); express(); require('./a'); require('./b');";
    let environment = of(&[("package.json", &manifest), ("index.js", index), ("a.js", code), ("b.js", code)]);
    assert!(value(&environment, "database.pool").starts_with("2 clients, each pg 8.11.0: max 10"));
}

#[test]
fn an_adapter_brings_the_options_of_its_driver_or_a_pool_of_its_own() {
    let manifest = manifest(&[
        ("express", "4.21.2"),
        ("@prisma/client", "7.0.0"),
        ("@prisma/adapter-pg", "7.0.0"),
        ("pg", "8.11.0"),
    ]);
    let of_adapter = |made: &str| {
        let code = format!(
            "const {{ PrismaClient }} = require('@prisma/client');\nconst {{ PrismaPg }} = require('@prisma/adapter-pg');\nconst {{ Pool }} = require('pg');\nconst adapter = {made};\nmodule.exports = new PrismaClient({{ adapter }});"
        );
        let environment = of(&[("package.json", &manifest), ("index.js", EXPRESS), ("db.js", &code)]);
        environment.pools.iter().map(|pool| pool.max.value).collect::<Vec<_>>()
    };
    assert_eq!(of_adapter("new PrismaPg({ connectionString: process.env.URL, max: 18 })"), [18]);
    assert_eq!(of_adapter("new PrismaPg({ connectionString: process.env.URL })"), [10]);
    assert_eq!(of_adapter("new PrismaPg(new Pool({ max: 6 }))"), [6]);
}

#[test]
fn a_data_source_for_migrations_alone_is_not_the_pool() {
    let manifest = manifest(&[("express", "4.21.2"), ("typeorm", "0.3.20"), ("pg", "8.11.0")]);
    let manifest = manifest
        .replace("\"start\":", "\"migrate\": \"typeorm migration:run -d data-source.js\", \"start\":");
    let source = |max: u32| {
        format!(
            "const {{ DataSource }} = require('typeorm'); module.exports = new DataSource({{ type: 'postgres', poolSize: {max} }});"
        )
    };
    let (db, tool) = (source(12), source(1));
    let files = [
        ("package.json", manifest.as_str()),
        ("index.js", EXPRESS),
        ("db.js", &db),
        ("data-source.js", &tool),
    ];
    assert_eq!(of(&files).pools.iter().map(|pool| pool.max.value).collect::<Vec<_>>(), [12]);
    let used = [
        ("package.json", manifest.as_str()),
        ("index.js", EXPRESS),
        ("db.js", "module.exports = require('./data-source');"),
        ("data-source.js", &tool),
    ];
    assert_eq!(of(&used).pools.iter().map(|pool| pool.max.value).collect::<Vec<_>>(), [1]);
}
