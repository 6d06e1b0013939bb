//! Load tests kept in the project.

use loadworthy_project::Project;

use crate::document::Node;
use crate::fact::{Confidence, Place};
use crate::paths;
use crate::signs::{Sign, Signs, Tier, Unit};

/// What the paths of load tests hold.
const WORDS: [&str; 8] =
    ["k6", "load-test", "loadtest", "load_test", "artillery", "stress", "perf", "benchmark"];

/// Looks at source files that are named so, and believes those that use a load generator.
pub(crate) fn read(project: &Project, signs: &mut Signs) {
    for file in &project.files {
        let lower = file.path.to_ascii_lowercase();
        if !WORDS.iter().any(|word| lower.contains(word)) && !paths::file_name(&lower).contains("load") {
            continue;
        }
        let Ok(text) = project.read(file.id) else { continue };
        let tool = [
            ("k6/http", "k6"),
            ("from 'k6'", "k6"),
            ("from \"k6\"", "k6"),
            ("autocannon", "autocannon"),
            ("artillery", "Artillery"),
            ("loadtest", "loadtest"),
        ];
        let Some((word, name)) = tool.iter().find(|(word, _)| uses(&text, word)) else { continue };
        let line =
            (1u32..).zip(text.lines()).find(|(_, line)| line.contains(word)).map_or(1, |(line, _)| line);
        signs.load_tests.push(Sign {
            value: (*name).to_owned(),
            place: Place::at(&file.path, line, format!("uses {name}")),
            tier: Tier::Unspecified,
            confidence: Confidence::High,
            unit: Unit::default(),
        });
    }
}

/// An import or `require` of it, not a mention.
fn uses(text: &str, module: &str) -> bool {
    text.lines().any(|line| line.contains(module) && (line.contains("import") || line.contains("require(")))
}

/// Whether a document is a test of Artillery.
pub(crate) fn is_artillery(document: &Node) -> bool {
    document.key("scenarios").is_some() && document.get("config.phases").is_some()
}
