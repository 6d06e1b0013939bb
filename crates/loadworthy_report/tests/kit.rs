//! The load-test kit: every placeholder is filled, its data is what the scripts read.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use loadworthy_report::{Route, kit, load_test};

fn route(method: &str, path: &str, share: f64, left_out: Option<&str>) -> Route {
    let mut route = common::sample().routes.remove(0);
    method.clone_into(&mut route.method);
    path.clone_into(&mut route.path);
    route.traffic_share = share;
    route.left_out = left_out.map(str::to_owned);
    route
}

#[test]
fn shares_are_those_of_what_is_driven() {
    let routes = [
        route("GET", "/orders/:id", 0.4, None),
        route("GET", "/orders", 0.2, None),
        route("POST", "/orders", 0.2, Some("it pays")),
        route("GET", "/healthz", 0.0001, None),
    ];
    let test = load_test(&routes, &[], &common::target());
    let shares: Vec<(&str, f64)> = test.requests.iter().map(|it| (it.path.as_str(), it.share)).collect();
    assert_eq!(shares, [("/orders/:id", 0.6667), ("/orders", 0.3333)]);
    assert_eq!(test.left_out.len(), 1);
    assert!(test.command.ends_with("\"http://localhost:3000/orders\""), "{}", test.command);
}

#[test]
fn nothing_to_drive_gives_no_command() {
    let test = load_test(&[], &[], &common::target());
    assert!(test.command.is_empty() && test.steps.is_empty());
}

#[test]
fn files_are_complete() {
    let files = kit::files(&common::sample());
    for file in &files {
        assert!(!file.text.contains("{{"), "{}: a placeholder is left", file.name);
        assert!(file.text.ends_with('\n'), "{}: no line end", file.name);
    }
    let requests = files.iter().find(|file| file.name == "requests.json").unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&requests.text).unwrap();
    let first = &parsed["requests"][0];
    assert_eq!(first["method"], "GET");
    assert_eq!(first["parameters"]["id"][0], "1");
}
