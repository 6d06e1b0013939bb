//! Google Cloud: App Engine, and `gcloud run deploy` in build files and workflows.

use loadworthy_knowledge::Knowledge;

use super::{plans, target};
use crate::command;
use crate::document::Node;
use crate::number::{cores, count, megabytes};
use crate::signs::{Count, Scope, Signs, Target};

/// The smallest class is the default.
const DEFAULT_CLASS: &str = "F1";

/// `app.yaml`.
pub(super) fn app_engine(document: &Node, scope: &Scope<'_>, knowledge: &Knowledge, signs: &mut Signs) {
    target(Target::hosted("Google App Engine"), document, scope, signs);
    let runtime = document.key("runtime").and_then(|node| Some((node, node.text()?)));
    if let Some((node, version)) = runtime
        .and_then(|(node, text)| Some((node, text.strip_prefix("nodejs")?.to_owned())))
        .filter(|(_, it)| !it.is_empty())
    {
        signs.node_versions.push(scope.sign(version.clone(), node.line, format!("runtime nodejs{version}")));
    }
    match document.key("instance_class") {
        Some(class) => plans::read("appengine", class, scope, knowledge, signs),
        None => default_class(document, scope, knowledge, signs),
    }
    let scaling = ["automatic_scaling", "basic_scaling"].iter().find_map(|key| document.key(key));
    if let Some(scaling) = scaling {
        let bound =
            |keys: [&str; 2]| keys.iter().find_map(|key| scaling.key(key)).and_then(Node::number).map(count);
        let range = Count::Range {
            min: bound(["min_instances", "min_num_instances"]).unwrap_or(0),
            max: bound(["max_instances", "max_num_instances"]),
        };
        signs.replicas.push(scope.sign(range, scaling.line, format!("scaled: {range}")));
    }
    if let Some((node, copies)) =
        document.get("manual_scaling.instances").and_then(|node| Some((node, count(node.number()?))))
    {
        signs.replicas.push(scope.sign(Count::Fixed(copies), node.line, format!("{copies} instances")));
    }
    for (key, value) in document.key("env_variables").map(Node::entries).unwrap_or_default() {
        if let Some(text) = value.text() {
            command::variable(key, &text, scope, value.line, signs);
        }
    }
}

fn default_class(document: &Node, scope: &Scope<'_>, knowledge: &Knowledge, signs: &mut Signs) {
    let is_flexible = document.key("env").and_then(Node::text).is_some_and(|env| env.starts_with("flex"));
    match document.get("resources.memory_gb").and_then(|node| Some((node, node.number()?))) {
        Some((node, gigabytes)) => {
            signs.memory_mb.push(scope.sign(gigabytes * 1024.0, node.line, "memory_gb"));
        }
        None if is_flexible => {}
        None => {
            if let Some(row) = knowledge.plan("appengine", DEFAULT_CLASS) {
                let note = "the default instance class";
                signs.memory_mb.push(scope.sign(row.memory_mb, document.line, note));
            }
        }
    }
}

/// `gcloud run deploy … --memory 512Mi --cpu 1 --max-instances 4`: its flags, wherever the words stand.
pub(crate) fn cloud_run(words: &[String], scope: &Scope<'_>, line: u32, signs: &mut Signs) {
    // `gcloud run deploy`, or the arguments alone; not `npm run deploy`.
    let is_call = words.windows(2).enumerate().any(|(at, pair)| {
        let before = at.checked_sub(1).and_then(|at| words.get(at)).map(String::as_str);
        matches!(pair, [run, deploy] if run == "run" && deploy == "deploy")
            && matches!(before, None | Some("gcloud" | "beta" | "alpha"))
    });
    if !is_call {
        return;
    }
    let option = |name: &str| {
        words.iter().enumerate().find_map(|(at, word)| {
            let rest = word.strip_prefix(name)?;
            rest.strip_prefix('=')
                .map_or_else(|| words.get(at + 1).filter(|_| rest.is_empty()).map(String::as_str), Some)
        })
    };
    let target = Target::hosted("Google Cloud Run");
    signs.targets.push(scope.sign(target, line, "gcloud run deploy"));
    if let Some(limit) = option("--memory").and_then(|text| megabytes(text, 1.0)) {
        signs.memory_mb.push(scope.sign(limit, line, "--memory"));
    }
    if let Some(limit) = option("--cpu").and_then(cores) {
        signs.cores.push(scope.sign(limit, line, "--cpu"));
    }
    let bound = |name: &str| option(name).and_then(|text| text.parse().ok());
    let (min, max) = (bound("--min-instances"), bound("--max-instances"));
    if min.is_some() || max.is_some() {
        let range = Count::Range { min: min.unwrap_or(0), max };
        signs.replicas.push(scope.sign(range, line, format!("scaled: {range}")));
    }
}
