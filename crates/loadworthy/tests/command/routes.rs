//! `loadworthy routes` on small applications, as a user runs it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn run(arguments: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_loadworthy")).arg("routes").args(arguments).arg(dir).output().unwrap()
}

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

/// `METHOD path handler-file:line`, sorted.
fn table(files: &[(&str, &str)]) -> Vec<String> {
    let dir = project(files);
    let output = run(&["--format", "json"], dir.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut rows: Vec<String> = report["routes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            format!(
                "{} {} {}:{}",
                text(&row["method"]),
                text(&row["path"]),
                text(&row["handler"]["file"]),
                row["handler"]["line"]
            )
        })
        .collect();
    rows.sort();
    rows
}

#[test]
fn nested_routers_across_modules_give_full_paths() {
    let rows = table(&[
        (
            "server/index.js",
            "const express = require('express');\nconst app = express();\napp.use('/api/', require('./routes'));\napp.get('/health', (req, res) => res.send('ok'));\n",
        ),
        (
            "server/routes/index.js",
            "const { Router } = require('express');\nconst router = Router();\nrouter.use('/users', require('./users'));\nmodule.exports = router;\n",
        ),
        (
            "server/routes/users.js",
            "const router = require('express').Router();\nconst users = require('../controllers/users');\nrouter.route('/:id').get(users.one).put(users.save);\nrouter.get('/', users.list);\nmodule.exports = router;\n",
        ),
        (
            "server/controllers/users.js",
            "exports.list = async (req, res) => {};\nexports.one = (req, res) => {};\nconst save = (req, res) => {};\nexports.save = save;\n",
        ),
    ]);
    assert_eq!(
        rows,
        [
            "GET /api/users server/controllers/users.js:1",
            "GET /api/users/:id server/controllers/users.js:2",
            "GET /health server/index.js:4",
            "PUT /api/users/:id server/controllers/users.js:3",
        ]
    );
}

#[test]
fn an_application_passed_to_a_function_keeps_its_routes() {
    let rows = table(&[
        (
            "server/index.ts",
            "import express from 'express';\nimport { registerRoutes } from './routes';\nconst app = express();\nregisterRoutes(app);\n",
        ),
        (
            "server/routes.ts",
            "import type { Express } from 'express';\nimport { api } from '@shared/routes';\nimport { storage } from './storage';\nexport async function registerRoutes(app: Express) {\n  app.get(api.users.list.path, async (req, res) => res.json(await storage.users()));\n}\n",
        ),
        ("server/storage.ts", "export const storage = { users: async () => [] };\n"),
        (
            "shared/routes.ts",
            "const base = '/api';\nexport const api = { users: { list: { path: `${base}/users` } } } as const;\n",
        ),
        (
            "tsconfig.json",
            "{ // aliases\n \"compilerOptions\": { \"paths\": { \"@shared/*\": [\"./shared/*\"] } }, }",
        ),
    ]);
    assert_eq!(rows, ["GET /api/users server/routes.ts:5"]);
}

#[test]
fn wrappers_arrays_and_methods_lead_to_the_handler() {
    let rows = table(&[
        (
            "app.ts",
            "import express, { Router } from 'express';\nimport { OrderController } from './orders';\nconst wrap = (fn: any) => (req: any, res: any, next: any) => fn(req, res).catch(next);\nclass App {\n  private app = express();\n  private router = Router();\n  constructor(private readonly orders: OrderController) {\n    this.router.post('/orders', [check], wrap(this.orders.create));\n    this.router.get('/orders', this.orders.list.bind(this.orders));\n    this.app.use(['/v1', '/v2'], this.router);\n  }\n}\nfunction check() {}\n",
        ),
        (
            "orders.ts",
            "export class OrderController {\n  create = async (req: any, res: any) => {};\n  async list(req: any, res: any) {}\n}\n",
        ),
    ]);
    assert_eq!(
        rows,
        [
            "GET /v1/orders orders.ts:3",
            "GET /v2/orders orders.ts:3",
            "POST /v1/orders orders.ts:2",
            "POST /v2/orders orders.ts:2",
        ]
    );
}

#[test]
fn a_handler_wrapped_where_it_is_defined_is_the_handler() {
    let rows = table(&[
        (
            "app.js",
            "import express from 'express';\nimport * as issues from './issues';\nconst app = express();\napp.get('/issues', issues.list);\n",
        ),
        (
            "issues.js",
            "import { catchErrors } from './errors';\n\nexport const list = catchErrors(async (req, res) => {});\n",
        ),
        (
            "errors.js",
            "export const catchErrors = (handler) => async (req, res, next) => {\n  try { await handler(req, res, next); } catch (error) { next(error); }\n};\n",
        ),
    ]);
    assert_eq!(rows, ["GET /issues issues.js:3"]);
}

#[test]
fn lookalikes_are_no_routes() {
    let rows = table(&[(
        "app.js",
        "const express = require('express');\nconst axios = require('axios');\nconst app = express();\napp.get('env');\naxios.get('/x', {});\nnew Map().get('/y', f);\nconst cache = { get() {} };\ncache.get('/z', f);\n",
    )]);
    assert!(rows.is_empty(), "{rows:?}");
}

#[test]
fn routers_that_mount_each_other_end() {
    let rows = table(&[
        (
            "a.js",
            "const r = require('express').Router();\nr.use('/b', require('./b'));\nr.get('/x', f);\nmodule.exports = r;\n",
        ),
        (
            "b.js",
            "const r = require('express').Router();\nr.use('/a', require('./a'));\nmodule.exports = r;\n",
        ),
    ]);
    assert_eq!(rows.len(), 1, "{rows:?}");
}

#[test]
fn the_output_is_the_same_at_any_thread_count() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/storefront");
    let outputs: Vec<_> = ["1", "2", "8"]
        .iter()
        .map(|threads| run(&["--format", "json", "--threads", threads], &demo).stdout)
        .collect();
    assert!(outputs[0].len() > 1_000);
    assert!(outputs.iter().all(|output| *output == outputs[0]));
}

#[test]
fn a_broken_file_is_noted_and_the_rest_is_read() {
    let dir = project(&[
        ("package.json", "{ broken"),
        ("tsconfig.json", "{ \"extends\": \"./tsconfig.json\" }"),
        ("bad.ts", "const = ;"),
        ("app.js", "const app = require('express')();\napp.get('/a', (req, res) => {});\n"),
    ]);
    fs::write(dir.path().join("latin1.js"), b"const a = '\xe9';").unwrap();
    let output = run(&[], dir.path());
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success());
    assert!(stdout.contains("GET     /a"), "{stdout}");
    assert!(stderr.contains("bad.ts:1:") && stderr.contains("package.json:1: not valid JSON"), "{stderr}");
}

#[test]
fn an_empty_folder_is_said_and_a_missing_one_is_wrong_use() {
    let dir = tempfile::tempdir().unwrap();
    let empty = run(&[], dir.path());
    assert!(empty.status.success());
    assert!(String::from_utf8_lossy(&empty.stderr).contains("the folder is empty"));
    let missing = run(&[], &dir.path().join("nowhere"));
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("does not exist"));
}

#[cfg(unix)]
#[test]
fn a_loop_of_links_ends() {
    let dir = project(&[("src/app.js", "const app = require('express')();\napp.get('/a', f);\n")]);
    std::os::unix::fs::symlink(dir.path(), dir.path().join("src/again")).unwrap();
    assert!(String::from_utf8_lossy(&run(&[], dir.path()).stdout).ends_with("1 route\n"));
}

/// A list of paths with their routers: each path has its own router, not every one.
#[test]
fn a_list_of_mounts_pairs_paths_and_routers() {
    const APP: &str = r#"const express = require("express");
const users = express.Router();
users.get("/me", (req, res) => res.end());
const orders = express.Router();
orders.get("/last", (req, res) => res.end());
const app = express();
const mounts = [{ path: "/users", route: users }, { path: "/orders", route: orders }];
mounts.forEach((mount) => {
  app.use(mount.path, mount.route);
});
for (const { path, route } of mounts) app.use(`/v2${path}`, route);
app.listen(3000);
"#;
    let manifest = r#"{ "name": "api", "dependencies": { "express": "4.18.2" } }"#;
    let rows = table(&[("package.json", manifest), ("src/app.js", APP)]);
    let paths: Vec<&str> = rows.iter().filter_map(|row| row.split(' ').nth(1)).collect();
    assert_eq!(paths, ["/orders/last", "/users/me", "/v2/orders/last", "/v2/users/me"]);
}

/// "GET /path: 1 + N queries" of every route.
fn sends(files: &[(&str, &str)]) -> Vec<String> {
    let dir = project(files);
    let output = run(&["--format", "json"], dir.path());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = report["routes"].as_array().unwrap().iter();
    rows.map(|row| {
        let sends = &row["sends"];
        let formula = |what: &str| sends[what]["formula"].as_str().unwrap().to_owned();
        format!(
            "{} {}: {} queries, {} calls, {} commands",
            row["method"].as_str().unwrap(),
            row["path"].as_str().unwrap(),
            formula("queries"),
            formula("external_calls"),
            formula("cache_and_queue")
        )
    })
    .collect()
}

#[test]
fn what_a_request_sends_is_a_formula_in_the_rounds_of_its_loops() {
    let rows = sends(&[
        ("package.json", r#"{"dependencies":{"express":"4","pg":"8","axios":"1"}}"#),
        (
            "app.js",
            "const express = require('express');
const { Pool } = require('pg');
const axios = require('axios');
const pool = new Pool();
const app = express();
app.get('/carts', async (req, res) => {
  const { rows: carts } = await pool.query('SELECT * FROM carts');
  for (const cart of carts) {
    const { rows: items } = await pool.query('SELECT * FROM items WHERE cart_id = $1', [cart.id]);
    for (const item of items) {
      await pool.query('SELECT name FROM products WHERE id = $1', [item.product_id]);
      await axios.get('https://prices.example/' + item.product_id);
    }
  }
  res.json(carts);
});
app.get('/one', async (req, res) => {
  if (req.query.full) {
    await pool.query('SELECT 1');
    await pool.query('SELECT 2');
  } else {
    await pool.query('SELECT 3');
  }
  res.end();
});
app.listen(1);
",
        ),
    ]);
    assert_eq!(
        rows,
        [
            "GET /carts: 1 + N + N·M queries, N·M calls, 0 commands",
            "GET /one: 2 queries, 0 calls, 0 commands"
        ]
    );
}

#[test]
fn sessions_in_a_database_are_read_and_touched_by_each_request() {
    let app = |store: &str| {
        format!(
            "const express = require('express');
const session = require('express-session');
const {{ Pool }} = require('pg');
const {{ createClient }} = require('redis');
const PgStore = require('connect-pg-simple')(session);
const {{ RedisStore }} = require('connect-redis');
const app = express();
app.get('/before', (req, res) => res.end());
app.use(session({{ secret: process.env.SECRET, resave: false, saveUninitialized: false{store} }}));
app.get('/after', (req, res) => res.end());
app.listen(1);
"
        )
    };
    let manifest = r#"{"dependencies":{"express":"4","express-session":"1","connect-pg-simple":"10","connect-redis":"8","pg":"8","redis":"4"}}"#;
    let after = |store: &str| sends(&[("package.json", manifest), ("app.js", &app(store))]);
    let before = "GET /before: 0 queries, 0 calls, 0 commands";
    assert_eq!(
        after(", store: new PgStore({ pool: new Pool() })"),
        [before, "GET /after: 2 queries, 0 calls, 0 commands"]
    );
    assert_eq!(
        after(", store: new RedisStore({ client: createClient() })"),
        [before, "GET /after: 0 queries, 0 calls, 2 commands"]
    );
    assert_eq!(after(""), [before, "GET /after: 0 queries, 0 calls, 0 commands"]);
}

#[test]
fn what_stands_before_a_route_and_what_does_not() {
    let dir = project(&[
        (
            "package.json",
            r#"{"dependencies":{"express":"4","express-rate-limit":"7","compression":"1","multer":"1"}}"#,
        ),
        (
            "app.js",
            "const express = require('express');
const { rateLimit } = require('express-rate-limit');
const compression = require('compression');
const multer = require('multer');
const upload = multer({ dest: 'uploads/' });
const app = express();
function signedIn(req, res, next) {
  if (!req.user) return res.status(401).end();
  next();
}
app.get('/before', (req, res) => res.end());
app.use(compression());
app.use(express.json({ limit: '50kb' }));
app.post('/login', rateLimit({ windowMs: 60000, limit: 5 }), (req, res) => res.end());
app.post('/files', signedIn, upload.single('file'), (req, res) => res.end());
app.listen(1);
",
        ),
    ]);
    let output = run(&["--protection", "--format", "json"], dir.path());
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let shown: Vec<String> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let words = |list: &serde_json::Value, key: Option<&str>| {
                let all = list.as_array().unwrap().iter();
                let text = |it: &serde_json::Value| key.map_or(it.clone(), |key| it[key].clone());
                all.map(|it| text(it).as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
            };
            let guards = words(&row["guards"], Some("guard"));
            format!("{}: {guards} | {}", row["path"].as_str().unwrap(), words(&row["missing"], None))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "/before:  | rate-limit authentication compression timeout",
            "/login: compression body rate-limit | authentication timeout",
            "/files: compression body authentication upload | rate-limit timeout",
        ]
    );
    let table = run(&["--protection"], dir.path());
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.ends_with("3 routes, 1 with a rate limit\n"), "{table}");
    assert!(table.contains("body            express.json({ limit: '50kb' })  (app.js:13)"), "{table}");
}

const SERVICES: &str = "import express from 'express';
import OpenAI from 'openai';
import axios from 'axios';
const openai = new OpenAI({ timeout: 20_000, maxRetries: 1 });
const app = express();
app.get('/rates', async (_req, res) => {
  const rates = await fetch('https://rates.example.com/v1', { signal: AbortSignal.timeout(800) });
  res.json(await rates.json());
});
app.post('/ask', async (req, res) => {
  const answer = await openai.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: req.body.q }] });
  res.json(answer);
});
app.get('/charge', async (req, res) => {
  const answer = await axios.post(process.env.PAYMENT_URL, { cents: 100 });
  res.json(answer.data);
});
app.listen(3000);
";

#[test]
fn services_are_listed_with_who_waits_and_what_ends_the_wait() {
    let manifest = r#"{ "name": "shop", "type": "module", "dependencies": { "express": "4.18.2", "openai": "4.104.0", "axios": "1.7.9" } }"#;
    let dir = project(&[("package.json", manifest), ("src/app.js", SERVICES)]);
    let output = run(&["--services"], dir.path());
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap());
    let json = run(&["--services", "--format", "json"], dir.path());
    let rows: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 3);
}
