//! Files and fields that choose the version of Node.js.

use crate::document::Node;
use crate::fact::Confidence;
use crate::signs::{Scope, Signs};

/// `.nvmrc`, `.node-version`: one version. `.tool-versions`: `nodejs 20.11.0`.
pub(crate) fn read(text: &str, scope: &Scope<'_>, signs: &mut Signs) {
    for (line, row) in (1u32..).zip(text.lines()) {
        let row = row.split('#').next().unwrap_or_default().trim();
        let version = match row.split_once(char::is_whitespace) {
            Some(("nodejs" | "node", version)) => version.trim(),
            Some(_) => continue,
            None => row,
        };
        if version.is_empty() {
            continue;
        }
        let version = version.trim_start_matches(['v', 'V']).to_owned();
        let note = format!("Node.js {version}");
        signs.node_versions.push(scope.sign(version, line, note).sure(Confidence::Medium));
        return;
    }
}

/// `node-version` of CI workflows: what is tested, not what runs.
pub(crate) fn read_workflow(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let mut nodes = Vec::new();
    for key in ["node-version", "node_version", "nodeVersion", "NODE_VERSION"] {
        document.find_all(key, &mut nodes);
    }
    for node in nodes {
        let many = if node.items().is_empty() { std::slice::from_ref(node) } else { node.items() };
        for version in many.iter().filter_map(Node::text) {
            let version = version.trim().trim_start_matches('v').to_owned();
            if version.starts_with(|first: char| first.is_ascii_digit()) {
                let note = format!("CI runs Node.js {version}");
                signs.node_versions.push(scope.sign(version, node.line, note).sure(Confidence::Low));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::documents;
    use crate::signs::{Tier, Unit};

    fn versions(read: impl Fn(&Scope<'_>, &mut Signs)) -> Vec<String> {
        let mut signs = Signs::default();
        read(&Scope { file: ".nvmrc", tier: Tier::Unspecified, unit: Unit::default() }, &mut signs);
        signs.node_versions.into_iter().map(|sign| sign.value).collect()
    }

    #[test]
    fn version_files_hold_one_version() {
        assert_eq!(versions(|scope, signs| read("v20.11.0\n", scope, signs)), ["20.11.0"]);
        assert_eq!(versions(|scope, signs| read("# note\nlts/iron\n", scope, signs)), ["lts/iron"]);
        assert_eq!(versions(|scope, signs| read("python 3.12\nnodejs 18.19.0\n", scope, signs)), ["18.19.0"]);
        assert!(versions(|scope, signs| read("\n", scope, signs)).is_empty());
    }

    #[test]
    fn matrices_give_every_version_and_expressions_none() {
        let text = "jobs:\n  a:\n    strategy: {matrix: {node-version: [18, 20.x]}}\n    steps:\n      - with: {node-version: '${{ matrix.node-version }}'}\n";
        let document = documents("ci.yml", text).remove(0);
        assert_eq!(versions(|scope, signs| read_workflow(&document, scope, signs)), ["18", "20.x"]);
    }
}
