//! Dockerfiles: the image that runs, its Node.js version, variables and command.

use loadworthy_knowledge::{Knowledge, Role};

use crate::command;
use crate::lines;
use crate::signs::{Product, Proxy, Scope, Signs, Target, Tier};
use crate::sources::images::Image;

/// One `FROM` and what follows it.
struct Stage {
    line: u32,
    base: String,
    name: Option<String>,
    instructions: Vec<(u32, String, String)>,
}

/// Reads a Dockerfile. Only what runs counts: the last stage, and the stages it is built on.
pub(crate) fn read(text: &str, scope: &Scope<'_>, knowledge: &Knowledge, signs: &mut Signs) {
    let stages = stages(text);
    let Some(last) = stages.last() else { return };
    let scope = &Scope {
        tier: if is_development(&stages, last) { Tier::Development } else { scope.tier },
        file: scope.file,
        unit: scope.unit.clone(),
    };
    // Of the images of a project only those built with Node.js hold the application.
    if stages.iter().any(|stage| is_runtime(&stage.base)) {
        signs.targets.push(scope.sign(Target::plain("Docker image"), last.line, "the image that runs"));
    }
    base(&stages, last, scope, knowledge, signs);
    for stage in chain(&stages, last) {
        for (line, keyword, rest) in &stage.instructions {
            match keyword.as_str() {
                "ENV" => variables(rest, scope, *line, signs),
                "CMD" | "ENTRYPOINT" => command::read(&shell(rest), scope, *line, signs),
                _ => {}
            }
        }
    }
}

/// `ENV NODE_ENV=development`: an image for developers.
fn is_development(stages: &[Stage], last: &Stage) -> bool {
    chain(stages, last).into_iter().flat_map(|stage| &stage.instructions).any(|(_, keyword, rest)| {
        keyword == "ENV"
            && rest.split_whitespace().collect::<Vec<_>>().join("=").contains("NODE_ENV=development")
    })
}

/// Whether an image runs JavaScript.
fn is_runtime(base: &str) -> bool {
    let image = Image::parse(base);
    image.node_version().is_some() || ["bun", "deno"].iter().any(|name| image.name().ends_with(name))
}

fn stages(text: &str) -> Vec<Stage> {
    let mut arguments: Vec<(String, String)> = Vec::new();
    let mut stages: Vec<Stage> = Vec::new();
    for (line, instruction) in lines::instructions(text) {
        let Some((keyword, rest)) = instruction.split_once(char::is_whitespace) else { continue };
        let rest = substituted(rest.trim(), &arguments);
        match keyword.to_ascii_uppercase().as_str() {
            "ARG" => {
                if let Some((key, value)) = lines::assignment(&rest) {
                    arguments.push((key.to_owned(), value));
                }
            }
            "FROM" => stages.push(stage(line, &rest)),
            keyword => {
                if let Some(stage) = stages.last_mut() {
                    stage.instructions.push((line, keyword.to_owned(), rest));
                }
            }
        }
    }
    stages
}

/// `--platform=x image AS name`.
fn stage(line: u32, rest: &str) -> Stage {
    let mut words = rest.split_whitespace().filter(|word| !word.starts_with("--"));
    let base = words.next().unwrap_or_default().to_owned();
    let is_named = words.next().is_some_and(|word| word.eq_ignore_ascii_case("as"));
    let name = if is_named { words.next().map(str::to_ascii_lowercase) } else { None };
    Stage { line, base, name, instructions: Vec::new() }
}

/// `${NAME}`, `${NAME:-default}` and `$NAME` of build arguments.
fn substituted(text: &str, arguments: &[(String, String)]) -> String {
    let value =
        |name: &str| arguments.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        rest = after;
        if let Some((inner, after)) = after.strip_prefix('{').and_then(|after| after.split_once('}')) {
            let (name, default) = inner.split_once(":-").unwrap_or((inner, ""));
            result.push_str(value(name).unwrap_or(default));
            rest = after;
        } else {
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
            if let Some((name, after)) = after.split_at_checked(end) {
                result.push_str(value(name).unwrap_or_default());
                rest = after;
            }
        }
    }
    result.push_str(rest);
    result
}

/// A stage and those of the file that it is built on, outermost first.
fn chain<'s>(stages: &'s [Stage], last: &'s Stage) -> Vec<&'s Stage> {
    let mut chain = vec![last];
    while let Some(base) = chain.last().and_then(|stage| parent(stages, stage))
        && chain.len() <= stages.len()
    {
        chain.push(base);
    }
    chain.reverse();
    chain
}

/// The stage that another begins from: only an earlier one can be meant.
fn parent<'s>(stages: &'s [Stage], stage: &Stage) -> Option<&'s Stage> {
    let base = stage.base.to_ascii_lowercase();
    stages.iter().rev().find(|other| other.line < stage.line && other.name.as_deref() == Some(&base))
}

fn base(stages: &[Stage], last: &Stage, scope: &Scope<'_>, knowledge: &Knowledge, signs: &mut Signs) {
    let chain = chain(stages, last);
    let Some(root) = chain.first() else { return };
    let image = Image::parse(&root.base);
    if let Some(version) = image.node_version() {
        let note = format!("FROM {}", image.shown());
        signs.node_versions.push(scope.sign(version, root.line, note));
    }
    if image.is_lambda() {
        let target = Target::function("AWS Lambda (container image)");
        signs.targets.push(scope.sign(target, root.line, "base image of Lambda"));
    }
    match knowledge.image(image.name()) {
        Some(row) if row.role == Role::Proxy => signs.proxies.push(Proxy {
            is_forwarding: false,
            is_development: scope.tier == Tier::Development,
            ..Proxy::new(&row.name, scope.sign((), root.line, format!("FROM {}", image.shown())).place)
        }),
        Some(row) if row.role == Role::Database => {
            let product = Product { name: row.name.clone(), version: image.version() };
            signs.databases.push(scope.sign(product, root.line, format!("FROM {}", image.shown())));
        }
        _ => {}
    }
}

/// `ENV KEY=value KEY2="value 2"`, or the old form `ENV KEY value`.
fn variables(rest: &str, scope: &Scope<'_>, line: u32, signs: &mut Signs) {
    let words = lines::words(rest);
    let is_old_form = words.first().is_some_and(|word| !word.contains('='));
    if is_old_form {
        if let Some((key, value)) = rest.split_once(char::is_whitespace) {
            command::variable(key, value.trim(), scope, line, signs);
        }
        return;
    }
    for (key, value) in
        words.iter().filter_map(|word| word.split_once('=')).filter(|(key, _)| lines::is_key(key))
    {
        command::variable(key, value, scope, line, signs);
    }
}

/// `["node", "index.js"]` as a command line.
fn shell(rest: &str) -> String {
    match serde_json::from_str::<Vec<String>>(rest) {
        Ok(words) => words.join(" "),
        Err(_) => rest.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signs::Unit;

    fn signs(text: &str) -> Signs {
        let mut signs = Signs::default();
        let scope = Scope { file: "Dockerfile", tier: Tier::Production, unit: Unit::default() };
        read(text, &scope, Knowledge::builtin(), &mut signs);
        signs
    }

    fn node(text: &str) -> Option<(String, u32)> {
        let signs = signs(text);
        signs.node_versions.first().map(|sign| (sign.value.clone(), sign.place.line.unwrap()))
    }

    #[test]
    fn the_version_is_that_of_the_stage_that_runs() {
        let text = "ARG NODE=20.11\nFROM node:18 AS build\nRUN x\nFROM node:${NODE}-alpine AS base\nFROM base\nCMD node .";
        assert_eq!(node(text), Some(("20.11".to_owned(), 4)));
        assert_eq!(node("FROM --platform=linux/amd64 node:22-bookworm-slim"), Some(("22".to_owned(), 1)));
        assert_eq!(node("FROM gcr.io/distroless/nodejs20-debian12"), Some(("20".to_owned(), 1)));
        assert_eq!(node("FROM public.ecr.aws/lambda/nodejs:18"), Some(("18".to_owned(), 1)));
        assert_eq!(node("FROM node:lts-alpine"), Some(("lts".to_owned(), 1)));
    }

    #[test]
    fn a_build_stage_tells_nothing_about_what_runs() {
        let text = "FROM node:18 AS build\nENV NODE_ENV=development\nFROM nginx:1.27-alpine\nCOPY --from=build /a /b";
        let signs = signs(text);
        assert!(signs.node_versions.is_empty() && signs.variables.is_empty());
        assert_eq!(signs.proxies.first().unwrap().kind, "nginx");
    }

    #[test]
    fn variables_and_commands_are_read_in_both_forms() {
        let text = "FROM node:20\nENV NODE_ENV production\nENV A=1 \\\n  B=\"2 3\"\nCMD [\"node\", \"--max-old-space-size=400\", \"x.js\"]";
        let signs = signs(text);
        let keys: Vec<_> = signs.variables.iter().map(|sign| sign.value.key.as_str()).collect();
        assert_eq!(keys, ["NODE_ENV", "A", "B"]);
        assert_eq!(signs.heap_mb.first().unwrap().value, 400.0);
    }

    #[test]
    fn broken_files_give_what_can_be_read() {
        assert_eq!(node("FROM"), None);
        assert_eq!(node("from node:${X"), None);
        assert_eq!(node("FROM a AS a\nFROM b AS b\nCMD [\"x\""), None);
        assert_eq!(node(""), None);
        assert_eq!(node("FROM node AS node\nFROM node"), Some(("latest".to_owned(), 1)));
    }
}
