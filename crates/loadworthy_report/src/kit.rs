//! The load-test kit: scripts for this application's routes, an arrival-rate test for k6, its distributed run, and alerts.

use crate::escape::markdown_prose;
use crate::model::{Report, TestRequest};

/// A file of the kit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KitFile {
    /// Its name within the kit's folder.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

const AUTOCANNON: &str = include_str!("kit/load-test.mjs");
const K6: &str = include_str!("kit/k6.js");
const TEST_RUN: &str = include_str!("kit/k6-testrun.yaml");
const ALERTS: &str = include_str!("kit/alerts.yaml");
const README: &str = include_str!("kit/README.md");

/// The files, in the order in which they are used.
#[must_use]
pub fn files(report: &Report) -> Vec<KitFile> {
    let file = |name, template: &str| KitFile { name, text: filled(template, report) };
    vec![
        file("README.md", README),
        file("load-test.mjs", AUTOCANNON),
        KitFile { name: "requests.json", text: requests(&report.plan.load_test.requests) },
        file("k6.js", K6),
        file("k6-testrun.yaml", TEST_RUN),
        file("alerts.yaml", ALERTS),
    ]
}

fn filled(template: &str, report: &Report) -> String {
    let target = &report.target;
    let number = |value: f64| format!("{value:.0}");
    let plan = &report.plan.load_test;
    let left_out: Vec<String> =
        plan.left_out.iter().map(|it| format!("- `{}`: {}", it.route.replace('`', "'"), it.reason)).collect();
    let steps: Vec<String> =
        plan.steps.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1)).collect();
    let seed: Vec<String> = plan.seed.iter().map(|line| format!("- {line}")).collect();
    template
        .replace("{{rate}}", &number(target.requests_per_second.max(1.0)))
        .replace("{{seconds}}", &number(target.duration_seconds.max(1.0)))
        .replace("{{p95}}", &number(target.p95_millis))
        .replace("{{p95_seconds}}", &format!("{}", target.p95_millis / 1_000.0))
        .replace("{{errors}}", &format!("{}", target.error_rate))
        .replace("{{users}}", &target.users.to_string())
        .replace("{{weights}}", &weights(&plan.weights))
        .replace("{{steps}}", &steps.join("\n"))
        .replace(
            "{{left_out}}",
            &if left_out.is_empty() { String::from("Nothing.") } else { left_out.join("\n") },
        )
        .replace(
            "{{seed}}",
            &if seed.is_empty() {
                String::from("Nothing beyond the application's own seed.")
            } else {
                seed.join("\n")
            },
        )
}

/// The sentence that says where the weights are from.
fn weights(weights: &str) -> String {
    if weights.is_empty() {
        String::new()
    } else {
        format!("\nThe weights in `requests.json` are {}.\n", markdown_prose(weights))
    }
}

/// The requests as JSON that a person completes: values of parameters, bodies, weights.
fn requests(requests: &[TestRequest]) -> String {
    let rows: Vec<serde_json::Value> = requests
        .iter()
        .map(|request| {
            let names: Vec<&str> =
                request.path.split('/').filter_map(|part| part.strip_prefix(':')).collect();
            let parameters: serde_json::Map<String, serde_json::Value> = names
                .into_iter()
                .map(|name| (name.trim_end_matches(['?', '*']).to_owned(), serde_json::json!(["1"])))
                .collect();
            let mut row = serde_json::json!({
                "method": request.method,
                "path": request.path,
                "weight": request.share,
            });
            if let Some(object) = row.as_object_mut() {
                if !parameters.is_empty() {
                    object.insert(String::from("parameters"), parameters.into());
                }
                if !matches!(request.method.as_str(), "GET" | "HEAD") {
                    object.insert(String::from("body"), serde_json::json!({}));
                }
            }
            row
        })
        .collect();
    let text = serde_json::to_string_pretty(&serde_json::json!({ "headers": {}, "requests": rows }));
    text.unwrap_or_default() + "\n"
}
