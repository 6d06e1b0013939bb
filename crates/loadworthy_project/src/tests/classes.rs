use FileClass::{Client, Generated, Migration, Minified, Script, Server, Shared, Test, Vendored};

use super::*;

const EXPRESS: &str = r#"{"dependencies": {"express": "4", "pg": "8"}, "scripts": {"data:import": "node load.js", "start": "node main.js"}}"#;
const REACT: &str = r#"{"dependencies": {"react": "18", "react-dom": "18"}}"#;
const BOTH: &str = r#"{"dependencies": {"react": "18", "express": "4"}}"#;
const NEXT: &str = r#"{"dependencies": {"react": "18", "next": "14"}}"#;

fn table(manifest: &str, rows: &[(&str, FileClass)]) {
    let mut files = vec![("package.json", manifest)];
    files.extend(rows.iter().map(|(path, _)| (*path, "export const a = 1;\n")));
    let project = project(&files);
    for (path, expected) in rows {
        assert_eq!(class(&project, path), *expected, "{path} in {manifest}");
    }
}

#[test]
fn express_package() {
    table(
        EXPRESS,
        &[
            ("src/index.ts", Server),
            ("src/utils/x.ts", Server),
            ("client/src/App.js", Client),
            ("load.js", Script),
            ("main.js", Server),
            ("src/config/app.config.ts", Server),
            ("bin/www.js", Server),
            ("bin/tool.js", Script),
            ("public/js/site.js", Client),
            ("public/lib/jquery.js", Vendored),
            ("routes/seedRoutes.js", Server),
            ("src/tools/search.ts", Server),
            ("knexfile.js", Server),
        ],
    );
}

#[test]
fn react_package() {
    table(
        REACT,
        &[
            ("src/App.tsx", Client),
            ("src/api/users.ts", Client),
            ("server/index.js", Server),
            ("vite.config.ts", Script),
            ("shared/a.ts", Shared),
        ],
    );
}

#[test]
fn one_package_for_both() {
    table(
        BOTH,
        &[
            ("client/src/api/x.ts", Client),
            ("server/routes/a.ts", Server),
            ("shared/schema.ts", Shared),
            ("src/components/List.js", Client),
            ("src/controllers/a.js", Server),
            ("src/List.jsx", Client),
            ("server.js", Server),
            ("src/util.ts", Shared),
        ],
    );
}

#[test]
fn next_application() {
    table(
        NEXT,
        &[
            ("app/page.tsx", Server),
            ("src/app/api/users/route.ts", Server),
            ("app/api/checks/test/http/route.ts", Server),
            ("app/.well-known/mcp/route.ts", Server),
            ("app/api/checks/test/http/helper.ts", Test),
            ("test/app/route.ts", Test),
            ("pages/api/a.ts", Server),
            ("pages/index.tsx", Shared),
            ("middleware.ts", Server),
            ("lib/db.ts", Shared),
            ("hooks/use-a.ts", Client),
            ("next.config.js", Script),
        ],
    );
    let project = project(&[
        ("package.json", NEXT),
        ("app/button.tsx", "// a\n'use client';\n"),
        ("components/actions.ts", "\"use server\"\n"),
    ]);
    assert_eq!(class(&project, "app/button.tsx"), Client);
    assert_eq!(class(&project, "components/actions.ts"), Server);
}

#[test]
fn not_audited() {
    table(
        EXPRESS,
        &[
            ("src/a.test.ts", Test),
            ("src/__tests__/a.ts", Test),
            ("test/a.js", Test),
            ("e2e/a.ts", Test),
            ("cypress/a.js", Test),
            ("src/A.stories.tsx", Test),
            ("src/__mocks__/a.ts", Test),
            ("src/routes/test/a.ts", Server),
            ("scripts/a.js", Script),
            ("prisma/seed.ts", Script),
            ("db/seeds/a.js", Script),
            ("tools/a.js", Script),
            ("jest.config.js", Script),
            ("db/migrations/1.js", Migration),
            ("pages/api/v1/migration/index.ts", Server),
            ("src/a.gen.ts", Generated),
            ("src/__generated__/a.ts", Generated),
            ("src/generated/client/a.ts", Generated),
            ("vendor/a.js", Vendored),
            ("src/a.min.js", Minified),
        ],
    );
}

#[test]
fn generated_and_minified_by_content() {
    let dense = "function a(b){return b+1};".repeat(400);
    let project = project(&[("a.ts", "// @generated\n"), ("b.js", &dense), ("c.ts", "// DO NOT EDIT\n")]);
    assert_eq!(class(&project, "a.ts"), Generated);
    assert_eq!(class(&project, "b.js"), Minified);
    assert_eq!(class(&project, "c.ts"), Generated);
    assert!(!Generated.is_audited() && Shared.is_audited());
}

#[test]
fn packages_of_a_workspace_are_judged_each_by_itself() {
    let project = project(&[
        ("package.json", r#"{"workspaces": ["packages/*"]}"#),
        ("packages/a/package.json", REACT),
        ("packages/a/src/x.ts", "1"),
        ("packages/b/package.json", EXPRESS),
        ("packages/b/src/x.ts", "1"),
        ("packages/c/package.json", r#"{"name": "c"}"#),
        ("packages/c/src/x.ts", "1"),
    ]);
    assert_eq!(class(&project, "packages/a/src/x.ts"), Client);
    assert_eq!(class(&project, "packages/b/src/x.ts"), Server);
    assert_eq!(class(&project, "packages/c/src/x.ts"), Shared);
}

#[test]
fn what_a_compiler_wrote_beside_its_source_is_generated() {
    let compiled =
        "\"use strict\";\nObject.defineProperty(exports, \"__esModule\", { value: true });\nexports.a = 1;\n";
    let project = project(&[
        ("package.json", "{}"),
        ("db/schema.ts", "export const a = 1;\n"),
        ("db/schema.js", compiled),
        ("db/other.js", compiled),
    ]);
    let class = |path: &str| project.file(id(&project, path)).unwrap().class;
    assert_eq!(class("db/schema.js"), FileClass::Generated);
    assert_ne!(class("db/other.js"), FileClass::Generated);
    assert_ne!(class("db/schema.ts"), FileClass::Generated);
}
