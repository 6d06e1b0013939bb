use super::*;

fn check(project: &Project, from: &str, rows: &[(&str, &str)]) {
    for (specifier, expected) in rows {
        assert_eq!(resolve(project, from, specifier), *expected, "{specifier} from {from}");
    }
}

#[test]
fn relative_paths_with_every_probe() {
    let project = project(&[
        ("src/a.ts", ""),
        ("src/b.ts", ""),
        ("src/c.tsx", ""),
        ("src/d.js", ""),
        ("src/d.d.ts", ""),
        ("src/e/index.ts", ""),
        ("src/f/package.json", r#"{"main": "lib/f.js"}"#),
        ("src/f/lib/f.js", ""),
        ("src/g.mts", ""),
        ("src/index.ts", ""),
        ("src/data.json", "{}"),
        ("src/h.server.ts", ""),
        ("src/e.ts", ""),
    ]);
    check(
        &project,
        "src/a.ts",
        &[
            ("./b", "src/b.ts"),
            ("./b.js", "src/b.ts"),
            ("./b.ts", "src/b.ts"),
            ("./c.js", "src/c.tsx"),
            ("./c.jsx", "src/c.tsx"),
            ("./d", "src/d.js"),
            ("./e", "src/e.ts"),
            ("./e/", "src/e/index.ts"),
            ("./f", "src/f/lib/f.js"),
            ("./g.mjs", "src/g.mts"),
            (".", "src/index.ts"),
            ("../src/b", "src/b.ts"),
            ("./data.json", "missing"),
            ("./h.server", "src/h.server.ts"),
            ("./gone", "missing"),
            ("../../outside", "missing"),
            ("./b?worker", "src/b.ts"),
            ("", "missing"),
        ],
    );
}

#[test]
fn packages_and_builtins() {
    let project = project(&[("a.ts", "")]);
    check(
        &project,
        "a.ts",
        &[
            ("fs", "builtin fs"),
            ("node:fs/promises", "builtin fs/promises"),
            ("node:test", "builtin test"),
            ("express", "package express []"),
            ("drizzle-orm/pg-core", "package drizzle-orm [pg-core]"),
            ("@nestjs/common", "package @nestjs/common []"),
            ("@a/b/c/d", "package @a/b [c/d]"),
            ("@/gone", "missing"),
            ("virtual:x", "missing"),
            ("#gone", "missing"),
            ("npm:zod", "package zod []"),
        ],
    );
}

#[test]
fn tsconfig_paths_base_url_and_extends() {
    let project = project(&[
        (
            "tsconfig.base.json",
            r#"{"compilerOptions": {"baseUrl": ".", "paths": {"@lib/*": ["libs/*/src", "libs/*"], "exact": ["libs/e.ts"],}}} // c"#,
        ),
        (
            "app/tsconfig.json",
            r#"{"extends": ["../tsconfig.base", "./more.json"], "references": [{"path": "./x"}]}"#,
        ),
        ("app/more.json", "{}"),
        ("app/src/a.ts", ""),
        ("libs/u/src/index.ts", ""),
        ("libs/v.ts", ""),
        ("libs/e.ts", ""),
        ("web/tsconfig.json", r#"{"files": [], "references": []}"#),
        (
            "web/tsconfig.app.json",
            r#"{"compilerOptions": {"paths": {"~/*": ["./src/*"], "cfg/*": ["${configDir}/src/*"]}}}"#,
        ),
        ("web/src/a.ts", ""),
        ("web/src/b.ts", ""),
        ("js/jsconfig.json", r#"{"compilerOptions": {"baseUrl": "src"}}"#),
        ("js/src/a.js", ""),
        ("js/src/utils/b.js", ""),
        ("js/src/constants/index.js", ""),
        ("js/src/events.js", ""),
    ]);
    check(
        &project,
        "app/src/a.ts",
        &[
            ("@lib/u", "libs/u/src/index.ts"),
            ("@lib/v", "libs/v.ts"),
            ("exact", "libs/e.ts"),
            ("libs/v", "libs/v.ts"),
        ],
    );
    check(&project, "web/src/a.ts", &[("~/b", "web/src/b.ts"), ("cfg/b", "web/src/b.ts")]);
    check(
        &project,
        "js/src/a.js",
        &[
            ("utils/b", "js/src/utils/b.js"),
            ("constants", "js/src/constants/index.js"),
            ("events", "builtin events"),
        ],
    );
}

#[test]
fn extends_from_a_workspace_package() {
    let project = project(&[
        ("package.json", r#"{"workspaces": ["packages/*"]}"#),
        ("packages/conf/package.json", r#"{"name": "@r/conf"}"#),
        ("packages/conf/base.json", r#"{"compilerOptions": {"paths": {"@up/*": ["../api/src/*"]}}}"#),
        ("packages/api/package.json", r#"{"name": "@r/api"}"#),
        ("packages/api/tsconfig.json", r#"{"extends": "@r/conf/base.json"}"#),
        ("packages/api/src/a.ts", ""),
        ("packages/api/src/b.ts", ""),
    ]);
    check(&project, "packages/api/src/a.ts", &[("@up/b", "packages/api/src/b.ts")]);
}

const DB: &str = r#"{"name": "@r/db", "exports": {".": {"types": "./dist/index.d.ts", "import": "./dist/esm/index.js"},
    "./models/*": "./dist/models/*.js", "./hidden/*": null}}"#;

fn workspace(extra: &[(&'static str, &'static str)]) -> Project {
    let mut files = vec![
        ("packages/db/package.json", DB),
        ("packages/db/src/index.ts", ""),
        ("packages/db/src/models/user.ts", ""),
        ("packages/ui/package.json", r#"{"name": "ui", "main": "./lib/index.js"}"#),
        ("packages/ui/src/index.tsx", ""),
        ("packages/ui/src/button.tsx", ""),
        ("packages/old/package.json", r#"{"name": "old"}"#),
        ("packages/old/index.js", ""),
        (
            "apps/api/package.json",
            r##"{"name": "api", "imports": {"#db": "./src/db.ts", "#lib/*": {"node": "./dist/lib/*.js"}, "#pg": "pg", "#loop": "#loop"}}"##,
        ),
        ("apps/api/src/a.ts", ""),
        ("apps/api/src/db.ts", ""),
        ("apps/api/src/lib/x.ts", ""),
    ];
    files.extend(extra);
    project(&files)
}

fn check_workspace(project: &Project) {
    check(
        project,
        "apps/api/src/a.ts",
        &[
            ("@r/db", "packages/db/src/index.ts"),
            ("@r/db/models/user", "packages/db/src/models/user.ts"),
            ("@r/db/gone", "missing"),
            ("ui", "packages/ui/src/index.tsx"),
            ("ui/button", "packages/ui/src/button.tsx"),
            ("#db", "apps/api/src/db.ts"),
            ("#lib/x", "apps/api/src/lib/x.ts"),
            ("#pg", "package pg []"),
            ("#loop", "missing"),
        ],
    );
}

#[test]
fn npm_and_yarn_workspaces() {
    let project =
        workspace(&[("package.json", r#"{"workspaces": ["packages/*", "apps/**", "!packages/old"]}"#)]);
    check_workspace(&project);
    check(&project, "apps/api/src/a.ts", &[("old", "package old []")]);
    check_workspace(&workspace(&[(
        "package.json",
        r#"{"workspaces": {"packages": ["./packages/*/", "apps/*"]}}"#,
    )]));
}

#[test]
fn pnpm_and_lerna_workspaces() {
    let project = workspace(&[
        ("package.json", "{}"),
        ("pnpm-workspace.yaml", "packages:\n  - 'packages/*'\n  - apps/*\n  - '!**/old'\n"),
    ]);
    check_workspace(&project);
    assert!(project.packages.iter().filter(|package| package.is_workspace_member).count() == 3);
    check_workspace(&workspace(&[("lerna.json", r#"{"packages": ["packages/*", "apps/*"]}"#)]));
}

#[test]
fn a_published_package_wins_over_a_folder_that_is_no_member() {
    let project = project(&[
        ("package.json", r#"{"dependencies": {"linked": "file:./x/linked"}}"#),
        ("x/pg/package.json", r#"{"name": "pg"}"#),
        ("x/pg/index.js", ""),
        ("x/linked/package.json", r#"{"name": "linked"}"#),
        ("x/linked/index.js", ""),
        ("a.js", ""),
    ]);
    check(&project, "a.js", &[("pg", "package pg []"), ("linked", "x/linked/index.js")]);
}

#[test]
fn bundler_aliases_are_believed_when_the_file_exists() {
    let project = project(&[
        ("package.json", r#"{"_moduleAliases": {"@root": "."}, "dependencies": {"@scope/real": "1"}}"#),
        ("client/src/a.jsx", ""),
        ("client/src/components/b.jsx", ""),
        ("shared/schema.ts", ""),
        ("src/real.js", ""),
        ("src/scope/real.js", ""),
        ("web/package.json", r#"{"name": "web"}"#),
        ("web/src/x.js", ""),
        ("web/src/y.js", ""),
    ]);
    check(
        &project,
        "client/src/a.jsx",
        &[
            ("@/components/b", "client/src/components/b.jsx"),
            ("@shared/schema", "shared/schema.ts"),
            ("@scope/real", "package @scope/real []"),
            ("@root/src/real", "src/real.js"),
            ("src/real", "src/real.js"),
            ("/src/real.js", "src/real.js"),
        ],
    );
    check(&project, "web/src/x.js", &[("@/y", "web/src/y.js"), ("~/y", "web/src/y.js")]);
}

#[test]
fn resolution_works_from_many_threads() {
    let project = project(&[("a.ts", ""), ("b.ts", "")]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(resolve(&project, "a.ts", "./b"), "b.ts"));
        }
    });
}
