//! `cargo xtask generate`: documents that follow from the code.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use loadworthy_checks::CHECKS;
use loadworthy_report::json_schema;

use crate::cargo::{debug_binary, workspace};
use crate::failure::Failure;
use crate::say;

/// Writes docs/checks, docs/cli.md and the schemas of the report and the configuration.
#[derive(Args)]
pub(crate) struct Options {
    /// Write nothing; fail if a document is not what the code says.
    #[arg(long)]
    check: bool,
}

impl Options {
    /// Only compare.
    pub(crate) const fn checking() -> Self {
        Self { check: true }
    }
}

/// Writes the documents, or compares them.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let mut stale = Vec::new();
    for (path, text) in documents()? {
        let full = workspace().join(&path);
        if fs::read_to_string(&full).is_ok_and(|own| own == text) {
            continue;
        }
        if options.check {
            stale.push(path);
            continue;
        }
        if let Some(folder) = full.parent() {
            fs::create_dir_all(folder).map_err(|error| Failure::of(folder.display().to_string(), error))?;
        }
        fs::write(&full, text).map_err(|error| Failure::of(full.display().to_string(), error))?;
        say(&format!("wrote {}", path.display()));
    }
    if stale.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = stale.iter().map(|path| path.display().to_string()).collect();
    Err(Failure::Red(format!("{} differ from the code (run `cargo xtask generate`)", names.join(", "))))
}

fn documents() -> Result<Vec<(PathBuf, String)>, Failure> {
    let mut all = Vec::new();
    let mut index = String::from(
        "# The checks\n\nMade by `cargo xtask generate` from the checks themselves.\n\n| Code | Name | Finds |\n|---|---|---|\n",
    );
    for check in CHECKS {
        let meta = check.meta();
        // Writing to a string can't fail.
        let _ = writeln!(index, "| {} | [{}]({}.md) | {} |", meta.code, meta.slug, meta.slug, meta.summary);
        all.push((
            PathBuf::from(format!("docs/checks/{}.md", meta.slug)),
            page(meta.code, &meta.documentation()),
        ));
    }
    all.push((PathBuf::from("docs/checks/README.md"), index));
    all.push((PathBuf::from("docs/report.schema.json"), schema()));
    all.push((PathBuf::from("docs/config.schema.json"), printed(&["schema", "config"])?));
    all.push((PathBuf::from("docs/cli.md"), command_line()?));
    Ok(all)
}

/// The JSON Schema of reports as it is published.
fn schema() -> String {
    let text = serde_json::to_string_pretty(&json_schema()).unwrap_or_default();
    text + "\n"
}

/// A check's page with its code in the heading; what the tests read in the examples is said once.
fn page(code: &str, documentation: &str) -> String {
    let mut text = documentation.replacen("# ", &format!("# {code} "), 1);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str("\nIn the examples `finding: ");
    text.push_str(code);
    text.push_str("` marks the line that is reported.\n");
    text
}

/// The help of every command.
fn command_line() -> Result<String, Failure> {
    let mut text =
        String::from("# The command line\n\nMade by `cargo xtask generate` from the command's own help.\n");
    for command in ["", "audit", "env", "routes", "capacity", "plan", "checks", "explain", "schema"] {
        let arguments: Vec<&str> = [command, "--help"].into_iter().filter(|it| !it.is_empty()).collect();
        let help = printed(&arguments)?.replace("loadworthy.exe", "loadworthy");
        let name = format!("loadworthy {command}");
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        let _ = write!(text, "\n## {}\n\n```text\n{}\n```\n", name.trim_end(), lines.join("\n").trim_end());
    }
    Ok(text)
}

/// What the command prints.
fn printed(arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new(debug_binary("loadworthy"))
        .args(arguments)
        .env("COLUMNS", "100")
        .output()
        .map_err(|error| Failure::of("loadworthy (run `cargo build --workspace` first)", error))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
