//! `eval`: audits real applications at pinned commits and compares with a recorded run.

mod applications;
mod difference;
mod record;
mod source;
mod summary;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::failure::Failure;
use crate::measure::{Usage, errors_of, measure};
use crate::{cargo, say};

use applications::Application;
use difference::Difference;
use record::{Audit, Record};
use source::Source;

/// Arguments of `eval`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The list of applications, instead of `xtask/eval.toml`.
    #[arg(long, value_name = "FILE")]
    apps: Option<PathBuf>,
    /// Audit only the applications whose name contains this text; may be given several times.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// A folder with a bare repository of each, at `<owner>+<name>/repo` or `<owner>+<name>.git`.
    #[arg(long, value_name = "DIR", conflicts_with = "git")]
    mirror: Option<PathBuf>,
    /// Fetch the pinned commits from GitHub.
    #[arg(long)]
    git: bool,
    /// Write the run to this file, to compare with later.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Compare with the run in this file.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Audit with this `loadworthy`, instead of building one with the release profile.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Where the files of the applications are kept between runs; by default below the user's cache folder.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Seconds after which an audit is given up.
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    timeout: u64,
}

/// Audits, prints the tables, compares and records.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let list = options.apps.clone().unwrap_or_else(|| cargo::workspace().join("xtask/eval.toml"));
    let applications = wanted(applications::read(&list)?, &options.only)?;
    // Read first: a wrong path should not cost a whole run.
    let before = options.against.as_deref().map(Record::read).transpose()?;
    let cache = cache(options);
    let source = Source::new(options.mirror.as_deref(), options.git, &cache)?;
    let binary = binary(options)?;
    let mut record = Record::default();
    for application in &applications {
        let audit = audit(&binary, application, &source, options.timeout)?;
        say(&summary::progress(&application.name, &audit));
        record.apps.insert(application.name.clone(), audit);
    }
    say(&format!("\n{}\n\n{}", summary::by_app(&record), summary::by_check(&record)));
    if let Some(before) = before {
        say(&format!("\n{}", Difference::between(&before, &record).render()));
    }
    match &options.record {
        Some(file) => record.write(file),
        None => Ok(()),
    }
}

fn wanted(all: Vec<Application>, only: &[String]) -> Result<Vec<Application>, Failure> {
    let is_wanted = |name: &str| only.is_empty() || only.iter().any(|text| name.contains(text));
    let wanted: Vec<Application> = all.into_iter().filter(|app| is_wanted(&app.name)).collect();
    if wanted.is_empty() { Err(Failure::Usage("no application of that name".to_owned())) } else { Ok(wanted) }
}

fn binary(options: &Options) -> Result<PathBuf, Failure> {
    match &options.binary {
        Some(binary) => fs::canonicalize(binary).map_err(Failure::at(binary)),
        None => Ok(cargo::release(&["loadworthy"])?.join("loadworthy")),
    }
}

/// Outside the tree: its ignore files would hide the applications.
fn cache(options: &Options) -> PathBuf {
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    let user = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    let folder = || user.unwrap_or_else(std::env::temp_dir).join("loadworthy-eval");
    options.cache.clone().unwrap_or_else(folder)
}

/// An application that can't be had, or whose audit fails, is a row that says so; the others go on.
fn audit(binary: &Path, application: &Application, source: &Source, timeout: u64) -> Result<Audit, Failure> {
    let tree = match source.tree(application) {
        Ok(tree) => tree,
        Err(failure) => return Ok(Audit::failed(&application.commit, Usage::default(), failure.to_string())),
    };
    let output = std::env::temp_dir().join(format!("loadworthy-eval-{}.json", std::process::id()));
    let program = binary.display().to_string();
    let command = [program, "audit".to_owned(), tree.display().to_string(), "--format".into(), "json".into()];
    let usage = measure(&command, &output, Duration::from_secs(timeout))?;
    let report = fs::read(&output).map_err(Failure::at(&output))?;
    let errors = fs::read_to_string(errors_of(&output)).unwrap_or_default();
    let _ = fs::remove_file(&output);
    let _ = fs::remove_file(errors_of(&output));
    Ok(Audit::of(&application.commit, usage, &report, &errors))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application(name: &str) -> Application {
        Application { name: name.to_owned(), repository: "o/n".to_owned(), commit: "c".to_owned() }
    }

    #[test]
    fn a_name_that_matches_nothing_is_an_error() {
        let all = || vec![application("shop"), application("chat")];
        let names = |only: &[String]| wanted(all(), only).map(|apps| apps.len()).ok();
        assert_eq!(names(&[]), Some(2));
        assert_eq!(names(&["ho".to_owned()]), Some(1));
        assert_eq!(names(&["nothing".to_owned()]), None);
    }
}
