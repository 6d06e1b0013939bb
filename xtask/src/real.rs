//! The demos on the real thing: installed, started on PostgreSQL, driven, their statements counted against the audit's
//! formulas; and small servers whose behaviour is measured against what findings say of them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::browser;
use crate::cargo;
use crate::failure::Failure;

const DEMOS: [&str; 2] = ["storefront", "storefront-fixed"];

/// The one that is started a second time, as `loadworthy fix` leaves it.
const FIXABLE: &str = "storefront";

/// Least major version of Node.js that the demos run on.
const NODE: u32 = 20;

/// Installs and starts each demo and compares what it does with what the audit says.
pub(crate) fn run() -> Result<(), Failure> {
    needs_node()?;
    cargo::build(&["loadworthy"])?;
    for demo in DEMOS {
        let routes = routes(demo)?;
        let script = cargo::workspace().join("examples").join("smoke.mjs");
        smoke(&script, demo, &[&routes])?;
        if demo == FIXABLE {
            smoke(&script, demo, &[&routes, &cargo::debug_binary("loadworthy")])?;
        }
    }
    measured(&[])?;
    browser::run()
}

/// Builds the tool and compares what findings say with what small servers do; all of them, where none is named.
pub(crate) fn evidence(scenarios: &[String]) -> Result<(), Failure> {
    needs_node()?;
    cargo::build(&["loadworthy"])?;
    measured(scenarios)
}

fn measured(scenarios: &[String]) -> Result<(), Failure> {
    let script = cargo::workspace().join("examples").join("evidence").join("run.mjs");
    let mut command = Command::new("node");
    command.arg(&script).arg(cargo::debug_binary("loadworthy")).args(scenarios);
    let status = command.status().map_err(|error| Failure::of("node", error))?;
    if status.success() { Ok(()) } else { Err(Failure::Red(format!("node {}", script.display()))) }
}

fn smoke(script: &Path, demo: &str, arguments: &[&PathBuf]) -> Result<(), Failure> {
    let mut command = Command::new("node");
    command.arg(script).arg(demo).args(arguments);
    let status = command.status().map_err(|error| Failure::of("node", error))?;
    if status.success() {
        return Ok(());
    }
    let given: Vec<String> = arguments.iter().map(|it| it.display().to_string()).collect();
    Err(Failure::Red(format!("node {} {demo} {}", script.display(), given.join(" "))))
}

/// The route table of a demo, in a file.
fn routes(demo: &str) -> Result<PathBuf, Failure> {
    let app = cargo::workspace().join("examples").join(demo);
    let binary = cargo::debug_binary("loadworthy");
    let arguments: [OsString; 5] =
        ["routes".into(), "--format".into(), "json".into(), "--quiet".into(), app.into_os_string()];
    let output = Command::new(&binary)
        .args(&arguments)
        .output()
        .map_err(|error| Failure::of(binary.display().to_string(), error))?;
    if !output.status.success() {
        return Err(Failure::of("loadworthy routes", String::from_utf8_lossy(&output.stderr)));
    }
    let file = cargo::target_folder().join(format!("{demo}-routes.json"));
    fs::write(&file, output.stdout).map_err(Failure::at(&file))?;
    Ok(file)
}

fn needs_node() -> Result<(), Failure> {
    let install =
        format!("install Node.js {NODE} or later with npm; `cargo test --workspace` runs the other tests");
    let output = Command::new("node").arg("--version").output();
    let version = output.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let major = version
        .as_deref()
        .and_then(|version| version.trim_start_matches('v').split('.').next()?.parse().ok());
    match major {
        Some(major) if NODE <= major => Ok(()),
        _ => Err(Failure::of("node", install)),
    }
}
