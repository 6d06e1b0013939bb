//! The traffic mix, the queries of each route, and what the application as a whole makes of a finding.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use loadworthy_analysis::{Analysis, Program, Resolver};
use loadworthy_capacity::{Severity, Target};
use loadworthy_checks::{
    Answers, Audit, Forecast, LEAST_SHARE, Mix, Observed, Setting, Weights, route_name, run_all,
};
use loadworthy_environment::Overrides;
use loadworthy_knowledge::Knowledge;
use loadworthy_project::{DiscoverOptions, Project};

const MANIFEST: &str =
    r#"{"name":"shop","dependencies":{"express":"4.19.2","pg":"8.11.0","express-rate-limit":"7.0.0"}}"#;

const APP: &str = r#"
import express from "express";
import { Pool } from "pg";
const pool = new Pool({ max: 10 });
const app = express();
async function owner(id) {
  if (!id) {
    return null;
  }
  return pool.query("SELECT name FROM users WHERE id = $1", [id]);
}
app.get("/orders", async (req, res) => {
  const { rows } = await pool.query("SELECT id, owner FROM orders LIMIT 50");
  for (const order of rows) {
    order.name = await owner(order.owner);
  }
  res.json(rows);
});
app.get("/orders/:id", async (req, res) => {
  const found = req.query.full
    ? await pool.query("SELECT * FROM orders WHERE id = $1", [req.params.id])
    : await pool.query("SELECT id FROM orders WHERE id = $1", [req.params.id]);
  if (!found.rows[0]) {
    await pool.query("INSERT INTO misses(id) VALUES ($1)", [req.params.id]);
    return res.sendStatus(404);
  }
  await pool.query("UPDATE orders SET seen = now() WHERE id = $1", [req.params.id]);
  res.json(found.rows[0]);
});
app.post("/orders", async (req, res) => {
  await pool.query("INSERT INTO orders(owner) VALUES ($1)", [req.body.owner]);
  res.sendStatus(201);
});
app.get("/health", (req, res) => res.send("ok"));
app.get("/admin/report", async (req, res) => {
  res.json(await pool.query("SELECT count(*) FROM orders"));
});
app.listen(3000);
"#;

/// An application in which signing in is the only thing that is written, and one in which there is nothing else.
const LOGIN: &str = r#"
import express from "express";
const app = express();
app.get("/items", (req, res) => res.send("ok"));
app.post("/auth/login", (req, res) => res.send("ok"));
app.listen(3000);
"#;

/// "GET /orders", its share and its queries, and the severity of each 1A finding.
fn audited(weights: &Weights, rate: f64) -> (Vec<(String, f64, f64)>, Vec<Severity>) {
    audited_app(APP, weights, rate)
}

fn audited_app(app: &str, weights: &Weights, rate: f64) -> (Vec<(String, f64, f64)>, Vec<Severity>) {
    audited_with(&[("app.js", app)], rate, |_| Mix::from(weights))
}

/// The shares after these requests.
fn observed(files: &[(&str, &str)], requests: &[(&str, &str)]) -> Vec<(String, f64, f64)> {
    let mix = |analysis: &Analysis<'_>| {
        let answers = Answers::of(analysis);
        let mut observed = Observed::new(&answers);
        for (method, path) in requests {
            observed.add(&answers, method, path, None);
        }
        Mix::Observed(Box::new(observed))
    };
    audited_with(files, 100.0, mix).0
}

fn audited_with(
    files: &[(&str, &str)],
    rate: f64,
    mix: impl Fn(&Analysis<'_>) -> Mix,
) -> (Vec<(String, f64, f64)>, Vec<Severity>) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("package.json"), MANIFEST).unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let project = Project::discover(dir.path(), &DiscoverOptions::default()).unwrap();
    let program = Program::load(&project, Knowledge::builtin(), 1).unwrap();
    let analysis = Analysis::new(&program);
    let target = Target { requests_per_second: rate, ..Target::default() };
    let setting = Setting::infer(&analysis, target, &Overrides::default(), &mix(&analysis));
    let found = run_all(&analysis, &setting, |code| code == "1A");
    let resolver = Resolver::new(&program);
    let audit = Audit::new(&analysis, &resolver, &setting);
    let forecast = Forecast::of(&audit, &found);
    let routes = analysis.routes().iter().enumerate();
    let rows = routes
        .map(|(at, route)| (route_name(route), setting.traffic.share(at), forecast.queries(at).unwrap()));
    (rows.collect(), found.iter().map(|finding| finding.assess(&audit, &forecast).severity).collect())
}

fn of<'r>(rows: &'r [(String, f64, f64)], name: &str) -> &'r (String, f64, f64) {
    rows.iter().find(|row| row.0 == name).unwrap()
}

#[test]
fn reads_take_most_and_what_nobody_calls_next_to_nothing() {
    let (rows, _) = audited(&Weights::default(), 100.0);
    let sum: f64 = rows.iter().map(|row| row.1).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{rows:?}");
    let share = |name| of(&rows, name).1;
    assert!((share("POST /orders") - 0.2).abs() < 1e-9, "{rows:?}");
    assert!(share("GET /orders") > 0.35 && (share("GET /orders") - share("GET /orders/:id")).abs() < 1e-9);
    assert!(share("GET /admin/report") < 0.2 * share("GET /orders"));
    assert!(share("GET /health") < 0.02 * share("GET /orders"));
}

#[test]
fn each_user_signs_in_once_in_the_run() {
    let share = |app: &str| {
        let (rows, _) = audited_app(app, &Weights::default(), 100.0);
        let sum: f64 = rows.iter().map(|row| row.1).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{rows:?}");
        of(&rows, "POST /auth/login").1
    };
    // 1,000 users in 300 s at 100 requests a second.
    assert!((share(LOGIN) - 1000.0 / 30_000.0).abs() < 1e-9);
    assert!(
        (share(&LOGIN.replace("app.get(\"/items\", (req, res) => res.send(\"ok\"));", "")) - 1.0).abs()
            < 1e-9
    );
}

#[test]
fn weights_of_the_user_go_before() {
    let weights = Weights::from([("GET /health".to_owned(), 3.0), ("POST /orders".to_owned(), 1.0)]);
    let (rows, _) = audited(&weights, 100.0);
    assert!((of(&rows, "GET /health").1 - 0.75).abs() < 1e-9, "{rows:?}");
    assert!(of(&rows, "GET /orders").1.abs() < 1e-9, "{rows:?}");
}

/// "GET /orders" with its share in percent, of those above the least.
fn percents(rows: &[(String, f64, f64)]) -> Vec<String> {
    let seen = rows.iter().filter(|row| row.1 > LEAST_SHARE);
    seen.map(|row| format!("{} {:.0}", row.0, row.1 * 100.0)).collect()
}

#[test]
fn requests_that_were_counted_give_the_shares() {
    let rows = observed(
        &[("app.js", APP)],
        &[
            ("GET", "/orders"),
            ("HEAD", "/orders"),
            ("GET", "/Orders/7"),
            ("POST", "/orders"),
            ("PUT", "/orders"),
            ("GET", "/api/orders"),
            ("GET", "/assets/app.js"),
        ],
    );
    assert_eq!(percents(&rows), ["GET /orders 50", "GET /orders/:id 25", "POST /orders 25"]);
    let sum: f64 = rows.iter().map(|row| row.1).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{rows:?}");
    let unseen = of(&rows, "GET /admin/report").1;
    assert!(unseen > 0.0 && unseen <= LEAST_SHARE, "{rows:?}");
}

#[test]
fn the_narrowest_path_answers_and_a_fallback_takes_no_assets() {
    let app = r#"
import express from "express";
const app = express();
app.get("/users/:id", (req, res) => res.send("one"));
app.get("/users/me", (req, res) => res.send("me"));
app.all("/users/:id", (req, res) => res.send("any"));
app.get("*", (req, res) => res.sendFile("index.html"));
app.listen(3000);
"#;
    let shares = |path: &str| percents(&observed(&[("app.js", app)], &[("GET", "/users/7"), ("GET", path)]));
    assert_eq!(shares("/users/me"), ["GET /users/:id 50", "GET /users/me 50"]);
    assert_eq!(shares("/about/us"), ["GET /users/:id 50", "GET /* 50"]);
    assert_eq!(shares("/static/main.js"), ["GET /users/:id 100"]);
    let put = observed(&[("app.js", app)], &[("PUT", "/users/me")]);
    assert_eq!(percents(&put), ["ALL /users/:id 100"]);
}

#[test]
fn one_address_of_many_operations_is_divided_among_them() {
    let graphql = r#"
import { ApolloServer } from "@apollo/server";
const resolvers = {
  Query: { orders: async () => [], users: async () => [] },
  Mutation: { order: async () => 1 },
};
new ApolloServer({ typeDefs: "", resolvers });
"#;
    let rows = observed(&[("app.js", graphql)], &[("POST", "/graphql")]);
    assert_eq!(percents(&rows), ["QUERY orders 33", "QUERY users 33", "MUTATION order 33"]);
    let trpc = r#"
import { initTRPC } from "@trpc/server";
const t = initTRPC.create();
const users = t.router({ list: t.procedure.query(() => []), one: t.procedure.query(() => 1) });
export const appRouter = t.router({ users, save: t.procedure.mutation(() => 1) });
"#;
    let requests =
        [("GET", "/api/trpc/users.list,users.one"), ("POST", "/api/trpc/save"), ("GET", "/api/users.list")];
    let rows = observed(&[("app.js", trpc)], &requests);
    assert_eq!(percents(&rows), ["QUERY users.list 25", "QUERY users.one 25", "MUTATION save 50"]);
}

#[test]
fn a_package_whose_requests_are_not_in_the_file_keeps_the_usual_mix() {
    let app = |path: &str| {
        format!(
            "import express from 'express';\nconst app = express();\napp.get('/health', (q, r) => r.send(''));\n\
             app.get('/{path}', (q, r) => r.send(''));\napp.get('/{path}/:id', (q, r) => r.send(''));\napp.listen(1);\n"
        )
    };
    let (shop, blog) = (app("orders"), app("posts"));
    let manifest = r#"{"dependencies":{"express":"4.19.2"}}"#;
    let files = [
        ("shop/package.json", manifest),
        ("shop/app.js", &*shop),
        ("blog/package.json", manifest),
        ("blog/app.js", &*blog),
    ];
    let rows =
        observed(&files, &[("GET", "/orders"), ("GET", "/orders"), ("GET", "/orders/1"), ("GET", "/health")]);
    let share = |name| of(&rows, name).1;
    assert!(
        share("GET /orders") > 0.5 && (share("GET /posts") - share("GET /posts/:id")).abs() < 1e-9,
        "{rows:?}"
    );
}

#[test]
fn what_a_log_can_not_show_keeps_its_part() {
    let app = r#"
import express from "express";
import { Server } from "socket.io";
const app = express();
app.get("/orders", (req, res) => res.send("ok"));
app.get("/users", (req, res) => res.send("ok"));
const server = app.listen(3000);
const io = new Server(server);
io.on("connection", (socket) => { socket.on("chat", (text) => io.emit("chat", text)); });
"#;
    let manifest = ("package.json", r#"{"dependencies":{"express":"4.19.2","socket.io":"4.7.0"}}"#);
    let usual = audited_with(&[("app.js", app), manifest], 100.0, |_| Mix::Usual).0;
    let rows = observed(&[("app.js", app), manifest], &[("GET", "/orders")]);
    assert!((of(&rows, "SOCKET chat").1 - of(&usual, "SOCKET chat").1).abs() < 1e-9, "{rows:?} {usual:?}");
    assert!(of(&rows, "SOCKET chat").1 > 0.1 && of(&rows, "GET /orders").1 > 0.4, "{rows:?}");
}

#[test]
fn queries_follow_loops_and_take_the_larger_of_branches() {
    let (rows, _) = audited(&Weights::default(), 100.0);
    let queries = |name| of(&rows, name).2;
    assert!((queries("GET /orders") - 51.0).abs() < 1e-9, "{rows:?}");
    assert!((queries("GET /orders/:id") - 2.0).abs() < 1e-9, "{rows:?}");
    assert!((queries("POST /orders") - 1.0).abs() < 1e-9 && queries("GET /health").abs() < 1e-9, "{rows:?}");
}

#[test]
fn severity_follows_the_rate() {
    let severities = [1.0, 200.0, 400.0].map(|rate| audited(&Weights::default(), rate).1);
    assert_eq!(severities, [[Severity::Medium], [Severity::High], [Severity::Critical]]);
}
