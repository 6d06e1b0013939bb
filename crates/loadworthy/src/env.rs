//! `loadworthy env`: what the application runs on, as facts with their evidence; and those facts for the audit.

use std::fmt::Write;

use clap::{Args, ValueEnum};
use loadworthy_analysis::Resolver;
use loadworthy_environment::{Confidence, Environment, Fact, Overrides, Place, environment};
use loadworthy_report::{self as report, markdown_prose, one_line};
use serde::Serialize;

use crate::arguments::ProjectArguments;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::print;
use crate::routes::sentence;
use crate::session::Session;

/// Options of `loadworthy env`.
#[derive(Args, Clone)]
pub(crate) struct EnvArguments {
    #[command(flatten)]
    pub(crate) project: ProjectArguments,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = EnvFormat::Terminal)]
    pub(crate) format: EnvFormat,
    #[command(flatten)]
    pub(crate) known: KnownArguments,
}

/// Facts that the user knows better.
#[derive(Args, Clone)]
pub(crate) struct KnownArguments {
    /// Set a fact about the deployment, as `deployment.instances=4` (repeatable; a wrong key lists all).
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// Forms of the list of facts.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EnvFormat {
    /// A list for people.
    Terminal,
    /// A document for people.
    Markdown,
    /// One JSON object.
    Json,
}

/// Prints the facts.
pub(crate) fn run(arguments: &EnvArguments) -> Result<(), Failure> {
    let session = Session::open(&arguments.project)?;
    let overrides = overrides(&arguments.known, &session.config)?;
    let found = session.with_program(|program| {
        session.progress.end();
        environment(&Resolver::new(program), program.knowledge(), &overrides)
    });
    let facts = found.facts();
    let text = match arguments.format {
        EnvFormat::Terminal => terminal(&facts),
        EnvFormat::Markdown => markdown(&facts),
        EnvFormat::Json => json(&facts)?,
    };
    print(&text)?;
    for diagnostic in found.unread.iter().filter(|_| !arguments.project.quiet) {
        anstream::eprintln!("note: {}", sentence(diagnostic));
    }
    Ok(())
}

/// What the command line sets, over what the configuration sets.
pub(crate) fn overrides(given: &KnownArguments, config: &Config) -> Result<Overrides, Failure> {
    let settings = serde_json::Value::Object(config.environment.clone());
    let mut overrides = Overrides::from_json(&settings).map_err(|error| Failure::usage(error.to_string()))?;
    for pair in &given.set {
        let own = Overrides::parse([pair.as_str()]).map_err(|error| Failure::usage(error.to_string()))?;
        overrides.extend(own);
    }
    Ok(overrides)
}

/// The facts as the report lists them.
pub(crate) fn for_report(environment: &Environment) -> Vec<report::Fact> {
    environment.facts().into_iter().map(reported).collect()
}

fn reported(fact: Fact) -> report::Fact {
    report::Fact {
        fact: fact.name,
        value: fact.value,
        confidence: match fact.confidence {
            Confidence::High => report::Confidence::High,
            Confidence::Medium => report::Confidence::Medium,
            Confidence::Low => report::Confidence::Low,
        },
        evidence: fact.evidence.into_iter().map(evidence).collect(),
        needs_confirmation: fact.needs_confirmation.map(|needed| report::NeedsConfirmation {
            look_at: needed.look_at,
            matters_because: needed.matters_because,
        }),
    }
}

fn evidence(place: Place) -> report::Evidence {
    let line = place.line.unwrap_or(1);
    report::Evidence { file: place.file, start_line: line, end_line: line, note: place.note }
}

/// A list for people: what is known, then what is to be confirmed.
fn terminal(facts: &[Fact]) -> String {
    let width = facts.iter().map(|fact| fact.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    // Writing to a string can't fail.
    for fact in facts {
        let (name, value) = (one_line(&fact.name), one_line(&fact.value));
        let _ = writeln!(text, "{name:<width$}  {value}  [{}]", fact.confidence);
        for place in &fact.evidence {
            let _ = writeln!(text, "{:width$}    {}", "", one_line(&shown(place)));
        }
    }
    let open: Vec<&Fact> = facts.iter().filter(|fact| fact.needs_confirmation.is_some()).collect();
    let _ = writeln!(text, "\nNeeds Confirmation: {}", open.len());
    for fact in open {
        let Some(needed) = &fact.needs_confirmation else { continue };
        let _ = writeln!(text, "  {}: {}", one_line(&fact.name), one_line(&fact.value));
        let _ = writeln!(text, "    look at {}", one_line(&needed.look_at));
        let _ = writeln!(text, "    because {}", one_line(&needed.matters_because));
    }
    text
}

fn shown(place: &Place) -> String {
    if place.note.is_empty() { place.to_string() } else { format!("{place} {}", place.note) }
}

/// Two tables: what is known, and what is to be confirmed.
fn markdown(facts: &[Fact]) -> String {
    let mut text =
        String::from("# Environment\n\n| Fact | Value | Confidence | Evidence |\n|---|---|---|---|\n");
    for fact in facts {
        let places: Vec<String> = fact.evidence.iter().map(|place| markdown_prose(&shown(place))).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            markdown_prose(&fact.name),
            markdown_prose(&fact.value),
            fact.confidence,
            places.join("<br>")
        );
    }
    text.push_str(
        "\n## Needs Confirmation\n\n| Fact | Assumed | Where to look | Why it matters |\n|---|---|---|---|\n",
    );
    for fact in facts {
        let Some(needed) = &fact.needs_confirmation else { continue };
        let cells = [&fact.name, &fact.value, &needed.look_at, &needed.matters_because]
            .map(|cell| markdown_prose(cell));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

#[derive(Serialize)]
struct Listing<'f> {
    environment: Vec<Row<'f>>,
}

#[derive(Serialize)]
struct Row<'f> {
    key: &'f str,
    fact: &'f str,
    value: &'f str,
    confidence: &'f str,
    basis: &'f str,
    evidence: Vec<Spot<'f>>,
    needs_confirmation: Option<Needed<'f>>,
}

#[derive(Serialize)]
struct Spot<'f> {
    file: &'f str,
    line: Option<u32>,
    note: &'f str,
}

#[derive(Serialize)]
struct Needed<'f> {
    look_at: &'f str,
    matters_because: &'f str,
}

fn json(facts: &[Fact]) -> Result<String, Failure> {
    let listing = Listing { environment: facts.iter().map(row).collect() };
    let text = serde_json::to_string_pretty(&listing)
        .map_err(|error| Failure::internal(format!("the facts could not be written: {error}")))?;
    Ok(text + "\n")
}

fn row(fact: &Fact) -> Row<'_> {
    Row {
        key: fact.key,
        fact: &fact.name,
        value: &fact.value,
        confidence: fact.confidence.as_str(),
        basis: fact.basis.as_str(),
        evidence: fact.evidence.iter().map(spot).collect(),
        needs_confirmation: fact
            .needs_confirmation
            .as_ref()
            .map(|needed| Needed { look_at: &needed.look_at, matters_because: &needed.matters_because }),
    }
}

fn spot(place: &Place) -> Spot<'_> {
    Spot { file: &place.file, line: place.line, note: &place.note }
}
