//! What an earlier report knew already: `--baseline FILE`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use loadworthy_project::Project;
use loadworthy_report::{Finding, Report};
use serde::Deserialize;

use crate::failure::Failure;

/// The findings of an earlier report.
pub(crate) struct Baseline {
    known: Vec<Known>,
}

/// What is read of an earlier report: its form is the JSON report's, of which everything else may change.
#[derive(Deserialize)]
struct Earlier {
    #[serde(rename = "schema_version")]
    _schema_version: u32,
    #[serde(default)]
    findings: Vec<Known>,
    #[serde(default)]
    suspicious: Vec<Known>,
}

#[derive(Deserialize)]
struct Known {
    id: String,
    check: String,
    title: String,
    location: Place,
}

#[derive(Deserialize)]
struct Place {
    file: String,
}

/// How many findings the baseline hid, and how many of its own are gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Compared {
    pub(crate) hidden: usize,
    pub(crate) gone: usize,
}

impl Baseline {
    /// Reads a report that `--format json` wrote.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(file).map_err(|error| Failure::file(file, error))?;
        let earlier: Earlier = serde_json::from_str(&text).map_err(|error| {
            Failure::file(file, error).hint(
                "a baseline is a report of an earlier run: loadworthy --format json --output baseline.json",
            )
        })?;
        Ok(Self { known: earlier.findings.into_iter().chain(earlier.suspicious).collect() })
    }

    /// Leaves only what is new. Ids survive moved lines; a finding in a file that was renamed is known by its check and
    /// title, if the file of the earlier one is gone.
    pub(crate) fn apply(&self, project: &Project, report: &mut Report) -> Compared {
        let before = report.findings.len() + report.suspicious.len();
        let mut met = BTreeSet::new();
        let mut is_new = |finding: &Finding| {
            let same = |known: &&(usize, &Known)| known.1.id == finding.id;
            let moved = |known: &&(usize, &Known)| {
                known.1.check == finding.check
                    && known.1.title == finding.title
                    && project.file_by_path(&known.1.location.file).is_none()
            };
            let all: Vec<(usize, &Known)> =
                self.known.iter().enumerate().filter(|(at, _)| !met.contains(at)).collect();
            match all.iter().find(same).or_else(|| all.iter().find(moved)) {
                Some((at, _)) => {
                    met.insert(*at);
                    false
                }
                None => true,
            }
        };
        report.findings.retain(&mut is_new);
        report.suspicious.retain(|suspicion| is_new(&suspicion.finding));
        let after = report.findings.len() + report.suspicious.len();
        Compared { hidden: before - after, gone: self.known.len() - met.len() }
    }
}
