//! CI workflows: versions they test with, and deployments they run.

use loadworthy_knowledge::{Knowledge, Role};

use crate::document::Node;
use crate::fact::Confidence;
use crate::lines;
use crate::paths;
use crate::signs::{Product, Scope, Signs, Tier};
use crate::sources::images::Image;
use crate::sources::{node_version, platforms};

/// Whether the file describes CI.
pub(crate) fn is_workflow(path: &str) -> bool {
    const NAMES: [&str; 7] = [
        ".gitlab-ci.yml",
        ".travis.yml",
        "azure-pipelines.yml",
        "bitbucket-pipelines.yml",
        "cloudbuild.yaml",
        "cloudbuild.yml",
        "appveyor.yml",
    ];
    path.contains(".github/workflows/")
        || path.contains(".circleci/")
        || NAMES.contains(&paths::file_name(path))
}

/// Reads one workflow. What it tests with is a hint; what it deploys is a statement.
pub(crate) fn read(document: &Node, scope: &Scope<'_>, knowledge: &Knowledge, signs: &mut Signs) {
    let deployed = scope;
    let scope = &Scope { tier: Tier::Unspecified, unit: scope.unit.clone(), file: scope.file };
    node_version::read_workflow(document, scope, signs);
    let mut images = Vec::new();
    document.find_all("image", &mut images);
    for node in images {
        let Some(text) = node.text() else { continue };
        let image = Image::parse(&text);
        if let Some(version) = image.node_version() {
            let note = format!("CI image {}", image.shown());
            signs.node_versions.push(scope.sign(version, node.line, note).sure(Confidence::Low));
        }
        if let Some(row) = knowledge.image(image.name()).filter(|row| row.role == Role::Database) {
            let product = Product { name: row.name.clone(), version: image.version() };
            let note = format!("CI service {}", image.shown());
            signs.databases.push(scope.sign(product, node.line, note).sure(Confidence::Low));
        }
    }
    deployments(document, deployed, signs);
}

fn deployments(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let mut steps = Vec::new();
    for key in ["run", "script", "args", "flags"] {
        document.find_all(key, &mut steps);
    }
    for step in steps {
        let words = match step.text() {
            Some(text) => lines::words(&text.replace("\\\n", " ")),
            None => step.words(),
        };
        platforms::cloud_run(&words, scope, step.line, signs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::documents;
    use crate::signs::{Count, Unit};

    #[test]
    fn workflows_hint_at_versions_and_state_deployments() {
        let text = "jobs:\n  test:\n    services:\n      db: {image: 'postgres:14'}\n    steps:\n      - uses: actions/setup-node@v4\n        with: {node-version: 20}\n      - run: |\n          gcloud run deploy api \\\n            --memory=1Gi --cpu 2 --max-instances=4\n";
        let mut signs = Signs::default();
        let scope = Scope { file: ".github/workflows/ci.yml", tier: Tier::Production, unit: Unit::default() };
        read(&documents("ci.yml", text).remove(0), &scope, Knowledge::builtin(), &mut signs);
        let node = signs.node_versions.first().unwrap();
        assert_eq!((node.value.as_str(), node.confidence), ("20", Confidence::Low));
        assert_eq!(signs.databases.first().unwrap().confidence, Confidence::Low);
        assert_eq!(
            (signs.memory_mb.first().unwrap().value, signs.cores.first().unwrap().value),
            (1024.0, 2.0)
        );
        assert_eq!(signs.replicas.first().unwrap().value, Count::Range { min: 0, max: Some(4) });
    }

    #[test]
    fn a_script_named_deploy_is_no_cloud() {
        let text = "jobs:\n  a:\n    steps:\n      - run: npm run deploy -- --memory=1Gi\n";
        let mut signs = Signs::default();
        let scope = Scope { file: ".github/workflows/ci.yml", tier: Tier::Production, unit: Unit::default() };
        read(&documents("ci.yml", text).remove(0), &scope, Knowledge::builtin(), &mut signs);
        assert!(signs.targets.is_empty() && signs.memory_mb.is_empty());
    }

    #[test]
    fn only_workflows_are_ci() {
        assert!(is_workflow(".github/workflows/deploy.yml") && is_workflow(".gitlab-ci.yml"));
        assert!(!is_workflow("docker-compose.yml") && !is_workflow("src/workflows/a.yml"));
    }
}
