//! AWS: the Serverless Framework, SAM templates, ECS task definitions and Elastic Beanstalk's.

use crate::command;
use crate::document::Node;
use crate::signs::{Scope, Signs, Target};

use super::target;

/// Memory of a Lambda function that says nothing, in MB: the Serverless Framework's default.
const SERVERLESS_FRAMEWORK_MEMORY_MB: f64 = 1024.0;

/// CPU units of ECS that make one core.
const CPU_UNITS: f64 = 1024.0;

/// `serverless.yml`.
pub(super) fn serverless(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let Some(provider) = document.key("provider") else { return };
    target(Target::function("AWS Lambda (Serverless Framework)"), provider, scope, signs);
    runtime(provider.key("runtime"), scope, signs);
    let memory = provider.key("memorySize");
    let functions = document.key("functions").map(Node::entries).unwrap_or_default();
    let own = functions.iter().find_map(|(_, function)| function.key("memorySize"));
    let node = memory.or(own);
    let limit = node.and_then(Node::number).unwrap_or(SERVERLESS_FRAMEWORK_MEMORY_MB);
    let note = if node.is_some() { "memorySize" } else { "the framework's default memorySize" };
    signs.memory_mb.push(scope.sign(limit, node.map_or(provider.line, |node| node.line), note));
    variables(provider.key("environment"), scope, signs);
}

fn runtime(node: Option<&Node>, scope: &Scope<'_>, signs: &mut Signs) {
    let Some((node, text)) = node.and_then(|node| Some((node, node.text()?))) else { return };
    let Some(version) = text.strip_prefix("nodejs") else { return };
    let version = version.trim_end_matches(".x").to_owned();
    signs.node_versions.push(scope.sign(version, node.line, format!("runtime {text}")));
}

fn variables(node: Option<&Node>, scope: &Scope<'_>, signs: &mut Signs) {
    for (key, value) in node.map(Node::entries).unwrap_or_default() {
        if let Some(text) = value.text() {
            command::variable(key, &text, scope, value.line, signs);
        }
    }
}

/// Whether a template has serverless functions.
pub(super) fn is_sam(document: &Node) -> bool {
    document.key("Resources").is_some() && document.key("Transform").is_some()
}

/// A SAM template.
pub(super) fn sam(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    target(Target::function("AWS Lambda (SAM)"), document, scope, signs);
    let mut memory = Vec::new();
    document.find_all("MemorySize", &mut memory);
    if let Some((node, limit)) = memory.first().and_then(|node| Some((node, node.number()?))) {
        signs.memory_mb.push(scope.sign(limit, node.line, "MemorySize"));
    }
    let mut runtimes = Vec::new();
    document.find_all("Runtime", &mut runtimes);
    runtime(runtimes.first().copied(), scope, signs);
}

/// Whether a JSON file is an ECS task definition.
pub(super) fn is_task(document: &Node) -> bool {
    document.key("containerDefinitions").is_some()
}

/// A task definition: memory in MB and CPU in units, of the task or of its first container.
pub(super) fn task(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let is_beanstalk = document.key("AWSEBDockerrunVersion").is_some();
    let platform =
        if is_beanstalk { Target::hosted("AWS Elastic Beanstalk") } else { Target::plain("AWS ECS") };
    target(platform, document, scope, signs);
    let containers = document.key("containerDefinitions").map(Node::items).unwrap_or_default();
    let find =
        |key: &str| containers.first().and_then(|container| container.key(key)).or_else(|| document.key(key));
    if let Some((node, limit)) =
        find("memory").and_then(|node| Some((node, node.number()?))).filter(|(_, it)| *it > 0.0)
    {
        signs.memory_mb.push(scope.sign(limit, node.line, "memory"));
    }
    if let Some((node, units)) =
        find("cpu").and_then(|node| Some((node, node.number()?))).filter(|(_, it)| *it > 0.0)
    {
        signs.cores.push(scope.sign(units / CPU_UNITS, node.line, "cpu units"));
    }
    for container in containers {
        for variable in container.key("environment").map(Node::items).unwrap_or_default() {
            let text = |key: &str| variable.key(key).and_then(Node::text);
            if let Some((key, value)) = text("name").zip(text("value")) {
                command::variable(&key, &value, scope, variable.line, signs);
            }
        }
    }
}
