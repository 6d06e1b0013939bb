use super::*;
use crate::{PackageId, VersionSource};

const MANIFEST: (&str, &str) = (
    "package.json",
    r#"{"name": "r", "workspaces": ["packages/*"], "dependencies": {"pg": "^8.0.0", "@a/b": "1.x"}}"#,
);
const MEMBER: (&str, &str) =
    ("packages/x/package.json", r#"{"name": "x", "dependencies": {"pg": "^7.0.0"}}"#);

fn check(name: &str, text: &str) {
    let project = project(&[MANIFEST, MEMBER, ("a.js", "1"), (name, text)]);
    assert!(project.diagnostics.is_empty(), "{name}: {:?}", project.diagnostics);
    let text_of = |package: usize, dependency: &str| {
        let version = project.version_of(PackageId::new(package), dependency).unwrap();
        assert_eq!((version.source, version.file.as_str()), (VersionSource::Lockfile, name));
        version.text.clone()
    };
    assert_eq!(text_of(0, "pg"), "8.11.3", "{name}");
    assert_eq!(text_of(0, "@a/b"), "1.2.3", "{name}");
    assert_eq!(text_of(1, "pg"), "7.18.2", "{name}");
    assert_eq!(text_of(1, "@a/b"), "1.2.3", "{name}");
    assert_eq!(text_of(0, "pg-types"), "2.2.0", "{name}");
}

#[test]
fn npm_2_and_3() {
    for version in [2, 3] {
        let packages = r#""packages": {"": {}, "node_modules/pg": {"version": "8.11.3"}, "node_modules/@a/b": {"version": "1.2.3"},
            "node_modules/pg-types": {"version": "2.2.0"}, "packages/x/node_modules/pg": {"version": "7.18.2"},
            "node_modules/k/node_modules/pg": {"version": "6.0.0"}, "node_modules/x": {"resolved": "packages/x", "link": true}}"#;
        check("package-lock.json", &format!("{{\"lockfileVersion\": {version}, {packages}}}"));
        check("npm-shrinkwrap.json", &format!("{{\"lockfileVersion\": {version}, {packages}}}"));
    }
}

#[test]
fn npm_1() {
    let lock = r#"{"lockfileVersion": 1, "dependencies": {"pg": {"version": "8.11.3"}, "real": {"version": "npm:other@2.0.0"}}}"#;
    let manifest = r#"{"dependencies": {"pg": "^8", "real": "npm:other@^2"}}"#;
    let project = project(&[("package.json", manifest), ("package-lock.json", lock), ("a.js", "1")]);
    let version = project.version_of(PackageId::new(0), "pg").unwrap();
    assert_eq!((version.major, version.minor, version.patch), (8, 11, 3));
    assert_eq!(project.version_of(PackageId::new(0), "real").unwrap().text, "2.0.0");
}

#[test]
fn pnpm_5() {
    check(
        "pnpm-lock.yaml",
        "lockfileVersion: 5.4\nimporters:\n  .:\n    specifiers:\n      pg: ^8.0.0\n    dependencies:\n      pg: 8.11.3_x@1.0.0\n      '@a/b': 1.2.3\n  packages/x:\n    dependencies:\n      pg: 7.18.2\npackages:\n\n  /@a/b/1.2.3:\n    dev: false\n  /pg-types/2.2.0:\n    dev: false\n",
    );
}

#[test]
fn pnpm_6_and_9() {
    let importers = "importers:\n  .:\n    dependencies:\n      pg:\n        specifier: ^8.0.0\n        version: 8.11.3(x@1.0.0)\n      '@a/b':\n        specifier: 1.x\n        version: 1.2.3\n  packages/x:\n    dependencies:\n      pg:\n        specifier: ^7.0.0\n        version: 7.18.2\n";
    check(
        "pnpm-lock.yaml",
        &format!(
            "lockfileVersion: '6.0'\n{importers}packages:\n\n  /@a/b@1.2.3:\n    dev: false\n  /pg-types@2.2.0:\n    dev: false\n"
        ),
    );
    check(
        "pnpm-lock.yaml",
        &format!(
            "lockfileVersion: '9.0'\n{importers}packages:\n\n  '@a/b@1.2.3':\n    engines: {{}}\n  pg-types@2.2.0:\n    engines: {{}}\nsnapshots:\n\n  pg-types@2.2.0: {{}}\n"
        ),
    );
}

#[test]
fn pnpm_single_package() {
    let lock = "lockfileVersion: '6.0'\ndependencies:\n  pg:\n    specifier: ^8\n    version: 8.11.3\n";
    let project = project(&[
        ("package.json", r#"{"dependencies": {"pg": "^8"}}"#),
        ("pnpm-lock.yaml", lock),
        ("a.js", "1"),
    ]);
    assert_eq!(project.version_of(PackageId::new(0), "pg").unwrap().text, "8.11.3");
}

#[test]
fn yarn_1() {
    check(
        "yarn.lock",
        "# yarn lockfile v1\n\n\n\"@a/b@1.x\":\n  version \"1.2.3\"\n\npg-types@^2.1.0, pg-types@^2.2.0:\n  version \"2.2.0\"\n\npg@^7.0.0:\n  version \"7.18.2\"\n  dependencies:\n    pg-types \"^2\"\n\npg@^8.0.0:\n  version \"8.11.3\"\n",
    );
}

#[test]
fn yarn_berry() {
    check(
        "yarn.lock",
        "__metadata:\n  version: 6\n\n\"@a/b@npm:1.x\":\n  version: 1.2.3\n\n\"pg-types@npm:^2.1.0, pg-types@npm:^2.2.0\":\n  version: 2.2.0\n\n\"pg@npm:^7.0.0\":\n  version: 7.18.2\n\n\"pg@npm:^8.0.0\":\n  version: 8.11.3\n\n\"x@workspace:packages/x\":\n  version: 0.0.0-use.local\n",
    );
}

#[test]
fn bun_text() {
    check(
        "bun.lock",
        r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "r"}, "packages/x": {"name": "x"},},
      "packages": {"pg": ["pg@8.11.3", "", {}], "@a/b": ["@a/b@1.2.3"], "pg-types": ["pg-types@2.2.0"], "x/pg": ["pg@7.18.2"], "x": ["x@workspace:packages/x"],}}"#,
    );
}

#[test]
fn installed_comes_before_the_range() {
    let manifest = r#"{"dependencies": {"pg": "^8.0.0",
        "knex": ">=2.1 <4", "any": "*", "git": "github:a/b"}}"#;
    let project = project(&[
        ("package.json", manifest),
        ("node_modules/pg/package.json", r#"{"version": "8.5.0"}"#),
        ("a.js", "1"),
    ]);
    let root = PackageId::new(0);
    assert_eq!(project.version_of(root, "pg").unwrap().source, VersionSource::Installed);
    let knex = project.version_of(root, "knex").unwrap();
    assert_eq!((knex.source, knex.text.as_str(), knex.line), (VersionSource::Range, "2.1.0", Some(2)));
    assert_eq!(project.version_of(root, "any"), None);
    assert_eq!(project.version_of(root, "git"), None);
    assert_eq!(project.version_of(root, "absent"), None);
}

#[test]
fn pnpm_catalogues_give_ranges() {
    let project = project(&[
        ("package.json", r#"{"dependencies": {"pg": "catalog:", "knex": "catalog:old"}}"#),
        (
            "pnpm-workspace.yaml",
            "packages: []\ncatalog:\n  pg: ^8.2.0\ncatalogs:\n  old:\n    knex: ^1.0.0\n",
        ),
        ("a.js", "1"),
    ]);
    assert_eq!(project.version_of(PackageId::new(0), "pg").unwrap().text, "8.2.0");
    assert_eq!(project.version_of(PackageId::new(0), "knex").unwrap().text, "1.0.0");
}

#[test]
fn dependencies_of_the_root_count_for_members() {
    let project = project(&[MANIFEST, MEMBER, ("a.js", "1")]);
    assert!(project.depends_on(PackageId::new(1), "@a/b"));
    assert!(!project.depends_on(PackageId::new(0), "nothing"));
    assert_eq!(project.version_of(PackageId::new(1), "pg").unwrap().text, "7.0.0");
}
