use std::fs;

use super::*;
use crate::{DiscoverError, PackageId};

#[test]
fn a_path_that_does_not_exist_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let result = Project::discover(&folder.path().join("nowhere"), &DiscoverOptions::default());
    assert!(matches!(result, Err(DiscoverError::NoSuchPath(_))));
}

#[test]
fn a_file_as_root_is_an_error() {
    let folder = folder(&[("a.js", "")]);
    let result = Project::discover(&folder.path().join("a.js"), &DiscoverOptions::default());
    assert!(matches!(result, Err(DiscoverError::NotADirectory(_))));
}

#[test]
fn an_invalid_exclude_pattern_is_an_error() {
    let options = DiscoverOptions { exclude: vec!["a[".to_owned()], ..DiscoverOptions::default() };
    let folder = folder(&[]);
    assert!(matches!(Project::discover(folder.path(), &options), Err(DiscoverError::BadPattern { .. })));
}

#[test]
fn an_empty_folder_is_a_project_with_a_diagnostic() {
    let project = project(&[]);
    assert_eq!(kinds(&project), [(DiagnosticKind::Empty, String::new())]);
    assert_eq!(project.packages.len(), 1);
}

#[test]
fn without_package_json_the_root_is_still_a_package() {
    let project = project(&[("a.js", "1")]);
    assert_eq!(project.packages[0].dir, "");
    assert_eq!(project.packages[0].manifest.file, None);
    assert_eq!(project.files[0].package, PackageId::new(0));
    assert!(project.diagnostics.is_empty());
}

#[test]
fn broken_configuration_is_reported_with_its_line_and_skipped() {
    let project = project(&[
        ("package.json", "{\n  \"name\": \"a\",\n  \"x\": [}\n"),
        ("tsconfig.json", "{ \"compilerOptions\": "),
        ("pnpm-workspace.yaml", "packages: [a\nb: ]}"),
        ("a.ts", "1"),
    ]);
    let expected = ["package.json", "pnpm-workspace.yaml", "tsconfig.json"];
    let expected: Vec<_> = expected.iter().map(|file| (DiagnosticKind::Config, (*file).to_owned())).collect();
    assert_eq!(kinds(&project), expected);
    assert_eq!(project.diagnostics[0].line, Some(3));
}

#[test]
fn broken_lockfiles_are_reported_and_ranges_stand_in() {
    let manifest = ("package.json", r#"{"dependencies": {"pg": "^8.1.0"}}"#);
    let cases = [
        ("package-lock.json", "{\"packages\": "),
        ("package-lock.json", "[]"),
        ("pnpm-lock.yaml", "importers: [a\nb: ]}"),
        ("yarn.lock", "nonsense without blocks"),
        ("yarn.lock", "<<<<<<< HEAD\n"),
        ("bun.lock", "{}"),
        ("bun.lockb", "\u{1}"),
        ("package-lock.json", ""),
    ];
    for (name, text) in cases {
        let project = project(&[manifest, ("a.js", "1"), (name, text)]);
        assert_eq!(kinds(&project), [(DiagnosticKind::Lockfile, name.to_owned())], "{name}: {text}");
        assert_eq!(project.version_of(PackageId::new(0), "pg").unwrap().text, "8.1.0");
    }
}

#[test]
fn deep_nesting_is_refused() {
    let deep = "[".repeat(100_000);
    let sequences = "- ".repeat(100_000);
    let project = project(&[
        ("package.json", &deep),
        ("package-lock.json", &deep),
        ("pnpm-lock.yaml", &deep),
        ("pnpm-workspace.yaml", &sequences),
        ("a.js", "1"),
    ]);
    assert_eq!(project.diagnostics.len(), 4);
}

#[test]
fn cyclic_extends_ends() {
    let project = project(&[
        ("tsconfig.json", r#"{"extends": "./b.json", "compilerOptions": {"paths": {"~x": ["./x.ts"]}}}"#),
        ("b.json", r#"{"extends": "./tsconfig"}"#),
        ("a.ts", "1"),
        ("x.ts", "1"),
    ]);
    assert_eq!(kinds(&project), [(DiagnosticKind::Config, "tsconfig.json".to_owned())]);
    assert_eq!(resolve(&project, "a.ts", "~x"), "x.ts");
}

#[test]
fn missing_extends_is_reported() {
    let project = project(&[("tsconfig.json", r#"{"extends": "./gone.json"}"#), ("a.ts", "1")]);
    assert_eq!(kinds(&project), [(DiagnosticKind::Config, "tsconfig.json".to_owned())]);
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_not_followed() {
    let folder = folder(&[("src/a.js", "1")]);
    std::os::unix::fs::symlink(folder.path(), folder.path().join("src/loop")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("src/a.js"), folder.path().join("b.js")).unwrap();
    let project = discover(&folder);
    assert_eq!(project.files.len(), 1);
}

#[test]
fn a_large_file_is_skipped_with_a_diagnostic() {
    let folder = folder(&[("a.js", "1")]);
    write(&folder, "bundle.js", "var a=1;".repeat(20 * 1024 * 128).as_bytes());
    let project = discover(&folder);
    assert_eq!(kinds(&project), [(DiagnosticKind::TooLarge, "bundle.js".to_owned())]);
    assert_eq!(project.file_by_path("bundle.js"), None);
}

#[test]
fn invalid_utf8_is_replaced_and_noted() {
    let folder = folder(&[]);
    write(&folder, "a.js", b"const a = '\xff';");
    let project = discover(&folder);
    assert_eq!(kinds(&project), [(DiagnosticKind::Encoding, "a.js".to_owned())]);
    assert_eq!(project.read(id(&project, "a.js")).unwrap(), "const a = '\u{fffd}';");
}

#[test]
fn files_of_other_formats_are_left_out() {
    let folder = folder(&[("tr.ts", "<?xml version=\"1.0\"?><TS/>")]);
    write(&folder, "video.ts", b"G\x00\x01");
    let project = discover(&folder);
    assert!(project.files.is_empty());
    assert_eq!(project.diagnostics.len(), 3);
}

#[test]
fn byte_order_mark_is_stripped_and_line_ends_stay() {
    let project_folder =
        folder(&[("a.js", "\u{feff}1;\r\n2;\r\n"), ("package.json", "\u{feff}{\r\n\"name\": \"x\"}")]);
    let project = discover(&project_folder);
    assert_eq!(project.read(id(&project, "a.js")).unwrap(), "1;\r\n2;\r\n");
    assert_eq!(project.packages[0].name.as_deref(), Some("x"));
}

#[test]
fn a_vanished_file_is_a_diagnostic() {
    let folder = folder(&[("a.js", "1"), ("schema.prisma", "")]);
    let project = discover(&folder);
    fs::remove_file(folder.path().join("a.js")).unwrap();
    assert_eq!(project.read(id(&project, "a.js")).unwrap_err().kind, DiagnosticKind::Unreadable);
    assert_eq!(project.read_other("schema.prisma").unwrap(), "");
    assert_eq!(project.read_other("../x").unwrap_err().kind, DiagnosticKind::Unreadable);
    assert!(project.read(FileId::new(99)).is_err());
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_a_diagnostic() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder(&[("a.js", "1")]);
    let location = folder.path().join("a.js");
    fs::set_permissions(&location, fs::Permissions::from_mode(0o000)).unwrap();
    let project = discover(&folder);
    if fs::read(&location).is_err() {
        assert_eq!(project.read(id(&project, "a.js")).unwrap_err().kind, DiagnosticKind::Unreadable);
    }
}
