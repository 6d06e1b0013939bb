//! Files beside the code, one reader a kind: what each says becomes a sign.

pub(crate) mod ci;
pub(crate) mod compose;
pub(crate) mod config_module;
pub(crate) mod dockerfile;
pub(crate) mod env_files;
pub(crate) mod images;
pub(crate) mod kubernetes;
pub(crate) mod load_tests;
pub(crate) mod node_version;
pub(crate) mod platforms;
pub(crate) mod pm2;
pub(crate) mod proxies;
pub(crate) mod scripts;
pub(crate) mod server_config;
pub(crate) mod terraform;

use loadworthy_knowledge::Knowledge;
use loadworthy_project::{Diagnostic, DiagnosticKind, Project};

use crate::document::{Node, documents};
use crate::paths;
use crate::signs::{Scope, Signs, Target, Tier, Unit};
use crate::sources::env_files::EnvFile;

/// What all files beside the code say.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    pub(crate) signs: Signs,
    pub(crate) env_files: Vec<EnvFile>,
    /// Files whose notation is broken.
    pub(crate) unread: Vec<Diagnostic>,
}

/// Files above this size are no configuration written by hand.
const MAX_BYTES: usize = 1 << 20;

/// Folders whose files show how something could be done, not how it is.
const ASIDE: [&str; 16] = [
    "__fixtures__",
    "__mocks__",
    "__tests__",
    "benchmarks",
    "cypress",
    "docs",
    "documentation",
    "e2e",
    "example",
    "examples",
    "fixtures",
    "mocks",
    "node_modules",
    "test",
    "tests",
    "vendor",
];

/// Reads every file that says something about where and how the application runs.
pub(crate) fn read(project: &Project, knowledge: &Knowledge) -> Surroundings {
    let mut found = Surroundings::default();
    for path in &project.other_files {
        if is_aside(path) || paths::file_name(path).ends_with("-lock.json") {
            continue;
        }
        if let Ok(text) = project.read_other(path)
            && text.len() <= MAX_BYTES
        {
            file(path, &text, knowledge, &mut found);
        }
    }
    // Discovery said it of those that it reads itself.
    found.unread.retain(|own| project.diagnostics.iter().all(|known| known.file != own.file));
    scripts::read(project, &mut found.signs);
    config_module::read(project, &mut found.signs);
    load_tests::read(project, &mut found.signs);
    found
}

fn is_aside(path: &str) -> bool {
    paths::parent(path).split('/').any(|folder| ASIDE.contains(&folder.to_ascii_lowercase().as_str()))
}

fn file(path: &str, text: &str, knowledge: &Knowledge, found: &mut Surroundings) {
    let name = paths::file_name(path);
    let unit = Unit { dir: paths::parent(path).to_owned(), name: suffix_of(name) };
    let scope = &Scope { file: path, tier: tier(path), unit };
    let signs = &mut found.signs;
    if env_files::is_env_file(path) {
        let scope = &Scope {
            tier: env_files::tier(path),
            unit: Unit { name: String::new(), ..scope.unit.clone() },
            file: path,
        };
        found.env_files.push(env_files::read(text, scope, signs));
        return;
    }
    let lower = name.to_ascii_lowercase();
    let extension = paths::extension(name);
    match name {
        ".nvmrc" | ".node-version" | ".tool-versions" => return node_version::read(text, scope, signs),
        "postgresql.conf" | "my.cnf" | "mysqld.cnf" => return server_config::database(text, scope, signs),
        "haproxy.cfg" => return proxies::haproxy(text, scope, signs),
        ".htaccess" => return proxies::apache(text, scope, signs),
        _ => {}
    }
    if lower.starts_with("dockerfile") || lower.ends_with("dockerfile") || lower.starts_with("containerfile")
    {
        dockerfile::read(text, scope, knowledge, signs);
    } else if lower.starts_with("procfile") {
        server_config::procfile(text, scope, signs);
    } else if lower.starts_with("caddyfile") {
        proxies::caddy(text, scope, signs);
    } else if extension == "service" {
        server_config::systemd(text, scope, signs);
    } else if extension == "tf" {
        terraform::read(text, scope, knowledge, signs);
    } else if extension == "conf" || lower.starts_with("nginx") || lower.ends_with(".conf.template") {
        proxies::nginx(text, scope, signs);
        proxies::apache(text, scope, signs);
    } else if is_structured(&lower) {
        let documents = documents(path, text);
        if documents.is_empty() && !is_blank(text) {
            found.unread.push(unread(path));
        }
        for document in documents {
            structured(path, &document, scope, knowledge, signs);
        }
    }
}

/// Nothing but comments, or a template that is no document before it is filled.
fn is_blank(text: &str) -> bool {
    text.contains("{{")
        || text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#') || line == "---")
}

fn unread(path: &str) -> Diagnostic {
    let message = "not understood: what it says about the deployment does not count".to_owned();
    Diagnostic { file: Some(path.to_owned()), line: None, kind: DiagnosticKind::Config, message }
}

fn is_structured(name: &str) -> bool {
    name == ".replit" || [".yml", ".yaml", ".json", ".jsonc", ".toml"].iter().any(|end| name.ends_with(end))
}

fn structured(path: &str, document: &Node, scope: &Scope<'_>, knowledge: &Knowledge, signs: &mut Signs) {
    let name = paths::file_name(path);
    if name == "package.json" {
        if let Some(version) = document.get("volta.node") {
            let text = version.text().unwrap_or_default();
            signs.node_versions.push(scope.sign(text.clone(), version.line, format!("volta.node {text}")));
        }
    } else if ci::is_workflow(path) {
        ci::read(document, scope, knowledge, signs);
    } else if platforms::read(path, document, scope, knowledge, signs) {
    } else if kubernetes::is_manifest(document) || name.starts_with("kustomization") {
        kubernetes::read(document, scope, knowledge, signs);
    } else if kubernetes::is_values(name) {
        kubernetes::read_values(document, scope, signs);
    } else if compose::is_compose(document) {
        compose::read(document, scope, knowledge, signs);
    } else if proxies::is_traefik(document) {
        proxies::traefik(document, scope, signs);
    } else if name.starts_with("ecosystem")
        || name.starts_with("pm2")
        || name == "process.json"
        || name == "process.yml"
    {
        pm2::read(document, scope, signs);
    } else if load_tests::is_artillery(document) {
        signs.load_tests.push(scope.sign("Artillery".to_owned(), document.line, "scenarios"));
    } else if name == "captain-definition" {
        signs.targets.push(scope.sign(Target::hosted("CapRover"), document.line, "CapRover"));
    }
}

/// Words of file names that name no part of the project.
const KNOWN: [&str; 14] = [
    "dockerfile",
    "containerfile",
    "docker",
    "compose",
    "yml",
    "yaml",
    "json",
    "prod",
    "production",
    "dev",
    "staging",
    "override",
    "conf",
    "nginx",
];

/// `client` of `Dockerfile.client`, `client.Dockerfile`, `docker-compose.client.yml`: what part the file is about.
fn suffix_of(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let parts = lower.split(['.', '-', '_']);
    parts.filter(|part| !part.is_empty() && !KNOWN.contains(part)).collect::<Vec<_>>().join("-")
}

/// Which environment a file describes, from its name and folders.
fn tier(path: &str) -> Tier {
    let lower = path.to_ascii_lowercase();
    let has = |words: &[&str]| lower.split(['/', '.', '-', '_']).any(|part| words.contains(&part));
    if has(&[
        "dev",
        "development",
        "local",
        "test",
        "testing",
        "override",
        "example",
        "sample",
        "devcontainer",
        "backup",
        "bak",
        "old",
    ]) {
        return Tier::Development;
    }
    let name = paths::file_name(&lower);
    // An image that others are built from, or that builds, is not the one that runs.
    let is_building = ["base", "build", "builder", "ci"]
        .iter()
        .any(|word| name.split(['.', '-', '_']).any(|part| part == *word));
    if name.contains("dockerfile") && is_building {
        return Tier::Development;
    }
    let is_compose = name.contains("compose");
    if has(&["prod", "production", "staging"]) {
        return Tier::Production;
    }
    let is_version_file = matches!(name, ".nvmrc" | ".node-version" | ".tool-versions" | "package.json");
    if is_compose || is_version_file { Tier::Unspecified } else { Tier::Production }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_environment() {
        assert_eq!(tier("docker-compose.yml"), Tier::Unspecified);
        assert_eq!(tier("docker-compose.prod.yml"), Tier::Production);
        assert_eq!(tier("deploy/dev/Dockerfile"), Tier::Development);
        assert_eq!(tier("Dockerfile.dev"), Tier::Development);
        assert_eq!(tier("Dockerfile.base"), Tier::Development);
        assert_eq!(tier("build/Dockerfile"), Tier::Production);
        assert_eq!(tier("k8s/api.yaml"), Tier::Production);
        assert_eq!(tier("devices/api.yaml"), Tier::Production);
    }

    #[test]
    fn names_tell_the_part_of_the_project() {
        assert_eq!(suffix_of("Dockerfile.client"), "client");
        assert_eq!(suffix_of("server.Dockerfile"), "server");
        assert_eq!(suffix_of("docker-compose.prod.yml"), "");
    }
}
