//! The score of each package that is shipped by itself.

use crate::support::{N_PLUS_ONE, project, report};

const ROOT: &str = r#"{ "name": "all", "private": true, "workspaces": ["apps/*", "libs/*"] }"#;
const CALM: &str = "import express from 'express';\nconst app = express();\napp.get('/', (_req, res) => {\n  res.json({});\n});\napp.listen(3001);\n";

fn manifest(name: &str, more: &str) -> String {
    format!(
        r#"{{ "name": "{name}", {more} "dependencies": {{ "express": "4.18.2", "@prisma/client": "5.10.0", "orders": "*" }} }}"#
    )
}

/// A function that the first application calls, in a library.
const LIBRARY: &str = "import { PrismaClient } from '@prisma/client';
const prisma = new PrismaClient();
export async function orders() {
  const orders = await prisma.order.findMany({ take: 50 });
  for (const order of orders) order.user = await prisma.user.findFirst({ where: { id: order.userId } });
  return orders;
}
";
const CALLER: &str = "import express from 'express';
import { orders } from 'orders';
const app = express();
app.get('/orders', async (_req, res) => {
  res.json(await orders());
});
app.listen(3000);
";

#[test]
fn each_application_has_its_own_score_and_libraries_have_none() {
    let dir = project(&[
        ("package.json", ROOT),
        ("apps/api/package.json", &manifest("api", "")),
        ("apps/api/src/app.ts", CALLER),
        ("apps/calm/package.json", &manifest("calm", "")),
        ("apps/calm/src/app.ts", CALM),
        (
            "apps/pages/package.json",
            &manifest("pages", r#""scripts": { "dev": "vite", "build": "vite build" },"#),
        ),
        ("apps/pages/src/main.tsx", "export const App = () => <p>hello</p>;\n"),
        (
            "libs/orders/package.json",
            r#"{ "name": "orders", "main": "index.ts", "scripts": { "dev": "x", "build": "x" }, "dependencies": { "@prisma/client": "5.10.0" } }"#,
        ),
        ("libs/orders/index.ts", LIBRARY),
    ]);
    let report = report(dir.path(), &["--only", "1A"]);
    let score = |package: &serde_json::Value| package["score"]["value"].as_f64().unwrap();
    let packages: Vec<(&str, &str, bool)> = report["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["name"].as_str().unwrap(), it["path"].as_str().unwrap(), score(it) < 10.0))
        .collect();
    assert_eq!(
        packages,
        [("api", "apps/api", true), ("calm", "apps/calm", false), ("pages", "apps/pages", false)]
    );
}

#[test]
fn one_application_has_no_list_of_packages() {
    let dir = project(&[("package.json", &manifest("api", "")), ("src/app.ts", N_PLUS_ONE)]);
    assert!(report(dir.path(), &[]).get("packages").is_none());
}
