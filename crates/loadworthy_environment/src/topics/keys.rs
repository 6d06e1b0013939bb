//! Environment variables that the code reads, and those its example files forget.

use loadworthy_project::PackageId;

use super::Scene;
use crate::fact::{Basis, Confidence, Known, Place};
use crate::paths;

/// A variable that the code reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvKey {
    /// Its name.
    pub name: String,
    /// The package that reads it.
    pub package: PackageId,
    /// Where it is read first.
    pub place: Place,
    /// Whether a default stands behind it.
    pub has_default: bool,
    /// Whether no example file lists it, although there is one.
    pub is_missing: bool,
}

/// Every variable read, with the files that list variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvKeys {
    /// In the order of packages and names.
    pub keys: Vec<EnvKey>,
    /// Example files, or files of variables where there is no example.
    pub listed_in: Vec<String>,
    /// Whether those are examples to copy.
    pub has_example: bool,
}

/// Set by Node.js tools and platforms, not by whoever deploys.
const GIVEN: [&str; 18] = [
    "CI",
    "DEV",
    "HOME",
    "HOSTNAME",
    "MODE",
    "NODE_ENV",
    "NODE_OPTIONS",
    "PATH",
    "PROD",
    "PWD",
    "SSR",
    "TZ",
    "USER",
    "BASE_URL",
    "NEXT_RUNTIME",
    "NEXT_PHASE",
    "REPL_ID",
    "TEMP",
];
const GIVEN_STARTS: [&str; 9] =
    ["npm_", "NPM_", "VERCEL", "RENDER_", "HEROKU_", "RAILWAY_", "FLY_", "AWS_LAMBDA_", "REPLIT_"];

/// The variables with what their files lack.
pub(crate) fn keys(scene: &Scene<'_>) -> Known<EnvKeys> {
    let files = &scene.files.env_files;
    let has_example = files.iter().any(|file| file.is_example);
    let counted: Vec<_> = files.iter().filter(|file| file.is_example == has_example).collect();
    let project = scene.code.project();
    let keys: Vec<EnvKey> = scene
        .keys
        .iter()
        .map(|read| {
            let dir = project.package(read.package).map_or("", |package| package.dir.as_str());
            // The examples around the package, or below it.
            let near: Vec<_> = counted
                .iter()
                .filter(|file| {
                    let own = paths::parent(&file.path);
                    paths::is_within(dir, own) || paths::is_within(own, dir)
                })
                .collect();
            let is_listed = near.iter().any(|file| file.keys.iter().any(|(key, _)| *key == read.key));
            EnvKey {
                name: read.key.clone(),
                package: read.package,
                place: read.place.clone(),
                has_default: read.has_default,
                is_missing: has_example && !near.is_empty() && !is_listed && !is_given(&read.key),
            }
        })
        .collect();
    let mut evidence: Vec<Place> = counted
        .iter()
        .map(|file| Place::whole(&file.path, format!("{} keys listed", file.keys.len())))
        .collect();
    evidence.truncate(4);
    evidence.extend(keys.iter().filter(|key| key.is_missing).take(4).map(|key| key.place.clone()));
    let listed_in = counted.iter().map(|file| file.path.clone()).collect();
    Known {
        value: EnvKeys { keys, listed_in, has_example },
        confidence: Confidence::High,
        basis: Basis::Read,
        evidence,
        needs_confirmation: None,
    }
}

fn is_given(key: &str) -> bool {
    GIVEN.contains(&key) || GIVEN_STARTS.iter().any(|start| key.starts_with(start))
}

impl EnvKeys {
    /// The names, grouped: read, and missing from the examples.
    #[must_use]
    pub fn summary(&self) -> String {
        let names = |wanted: &dyn Fn(&EnvKey) -> bool| {
            let mut names: Vec<&str> =
                self.keys.iter().filter(|key| wanted(key)).map(|key| key.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            names.join(", ")
        };
        if self.keys.is_empty() {
            return "none read".to_owned();
        }
        let read = names(&|_| true);
        let missing = names(&|key| key.is_missing);
        let listing = match (self.has_example, self.listed_in.is_empty()) {
            (true, _) if missing.is_empty() => "all in the example files".to_owned(),
            (true, _) => format!("missing from the example files: {missing}"),
            (false, true) => "no .env.example".to_owned(),
            (false, false) => format!("no .env.example (values in {})", self.listed_in.join(", ")),
        };
        format!("{read}; {listing}")
    }
}
