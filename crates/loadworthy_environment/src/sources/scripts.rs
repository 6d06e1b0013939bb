//! Scripts of `package.json` that start the application, and load tests they run.

use loadworthy_project::Project;

use crate::command;
use crate::fact::Confidence;
use crate::lines;
use crate::signs::{Scope, Signs, Tier, Unit};

/// Reads the scripts of every package.
pub(crate) fn read(project: &Project, signs: &mut Signs) {
    for package in &project.packages {
        let Some(file) = &package.manifest.file else { continue };
        let scope = Scope {
            file,
            tier: Tier::Unspecified,
            unit: Unit { dir: package.dir.clone(), name: package.name.clone().unwrap_or_default() },
        };
        for script in &package.manifest.scripts {
            let line = script.line.unwrap_or(1);
            if is_start(&script.name) {
                command::read(&script.command, &scope, line, signs);
            }
            load_test(&script.command, &scope, line, signs);
        }
        if let Some(range) = &package.manifest.node_engine {
            let line = project_line(project, file, "\"engines\"");
            let sign = scope.sign(range.clone(), line, format!("engines.node {range}"));
            signs.node_versions.push(sign.sure(Confidence::Medium));
        }
    }
}

/// The first line of a file that holds a text.
fn project_line(project: &Project, file: &str, text: &str) -> u32 {
    let content = project.read_other(file).unwrap_or_default();
    (1u32..).zip(content.lines()).find(|(_, line)| line.contains(text)).map_or(1, |(line, _)| line)
}

/// `start`, `start:prod`, `serve`, `pm2:start`; not `start:dev`, `test:start`.
fn is_start(script: &str) -> bool {
    const STARTS: [&str; 9] =
        ["start", "prod", "production", "serve", "server", "pm2", "cluster", "deploy", "run"];
    const OTHERS: [&str; 14] = [
        "dev",
        "development",
        "test",
        "debug",
        "watch",
        "build",
        "e2e",
        "local",
        "lint",
        "storybook",
        "docs",
        "client",
        "preview",
        "ios",
    ];
    let parts: Vec<String> = script.split([':', '-', '_', '.']).map(str::to_ascii_lowercase).collect();
    parts.iter().any(|part| STARTS.contains(&part.as_str()))
        && !parts.iter().any(|part| OTHERS.contains(&part.as_str()))
}

fn load_test(command: &str, scope: &Scope<'_>, line: u32, signs: &mut Signs) {
    let words = lines::words(command);
    let has = |word: &str| words.iter().any(|own| own == word);
    let tool = ["k6", "artillery", "autocannon", "wrk", "hey", "jmeter", "locust", "loadtest", "bombardier"]
        .into_iter()
        .find(|tool| has(tool));
    if let Some(tool) = tool {
        signs
            .load_tests
            .push(scope.sign(tool.to_owned(), line, format!("script runs {tool}")).sure(Confidence::High));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_that_start_a_server_are_told_from_the_others() {
        for script in ["start", "start:prod", "start-production", "pm2:start", "serve", "server"] {
            assert!(is_start(script), "{script}");
        }
        for script in ["start:dev", "build", "dev:server", "test", "restart-docs", "start:client", "starter"]
        {
            assert!(!is_start(script), "{script}");
        }
    }
}
