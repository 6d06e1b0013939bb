//! The configuration: `loadworthy.json` (JSON with comments) or the key `"loadworthy"` of `package.json`.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jsonc_parser::{ParseOptions, parse_to_serde_value};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::arguments::Level;
use crate::failure::Failure;
use crate::rules::Override;

/// Settings of an audit. What the command line says goes before them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Config {
    /// The address of this schema, for editors.
    #[serde(rename = "$schema")]
    _schema: Option<String>,
    /// Run these checks only (codes or names).
    pub(crate) only: Vec<String>,
    /// Leave these checks out (codes or names).
    pub(crate) skip: Vec<String>,
    /// Globs of files and folders to leave out, relative to the project.
    pub(crate) exclude: Vec<String>,
    /// Checks that report more or less in some of the files.
    pub(crate) overrides: Vec<Override>,
    /// Report this severity and above; the score counts all.
    pub(crate) severity: Option<Level>,
    /// Exit with 1 if a finding has this severity or above.
    pub(crate) fail_on: Option<Level>,
    /// Exit with 1 if the score is below this.
    pub(crate) min_score: Option<f64>,
    /// The load to survive.
    pub(crate) target: TargetConfig,
    /// The traffic mix: a weight for each entry point as `loadworthy routes` names it (`{"GET /api/orders": 5}`); those
    /// that are not named get no traffic. `--traffic FILE` goes before it; without both, reads take 80 % and writes 20 %,
    /// each evenly.
    pub(crate) traffic: BTreeMap<String, f64>,
    /// Facts about the deployment that the project does not hold: `{"deployment.instances": 4}`, nested or dotted.
    pub(crate) environment: serde_json::Map<String, Value>,
    /// A TOML file with wrappers and libraries of the project, relative to this file.
    pub(crate) knowledge: Option<PathBuf>,
}

/// The load to survive.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TargetConfig {
    /// Users active at the same time (1000).
    pub(crate) users: Option<u32>,
    /// Requests per second over all routes (100).
    pub(crate) rps: Option<f64>,
    /// Seconds the load lasts (300).
    pub(crate) duration: Option<f64>,
    /// Milliseconds within which 95% of requests must answer (500).
    pub(crate) p95: Option<f64>,
    /// Largest part of requests that may fail, 0 to 1 (0.01).
    pub(crate) error_rate: Option<f64>,
}

/// A configuration and the folder that its paths are relative to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Located {
    pub(crate) config: Config,
    pub(crate) folder: PathBuf,
}

/// The name of the configuration's file.
pub(crate) const FILE: &str = "loadworthy.json";
const KEY: &str = "loadworthy";

/// The configuration of `root`, or that of `file` where one is named.
pub(crate) fn load(root: &Path, file: Option<&Path>) -> Result<Located, Failure> {
    let own = root.join(FILE);
    if let Some(file) = file {
        let text = fs::read_to_string(file).map_err(|error| Failure::file(file, error))?;
        return of_text(file, &text);
    }
    match fs::read_to_string(&own) {
        Ok(text) => of_text(&own, &text),
        // Discovery says what is wrong with a root that is no folder.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            of_manifest(root)
        }
        Err(error) => Err(Failure::file(&own, error)),
    }
}

fn of_text(file: &Path, text: &str) -> Result<Located, Failure> {
    let text = text.trim_start_matches('\u{feff}');
    let config: Option<Config> = parse_to_serde_value(text, &ParseOptions::default())
        .map_err(|error| Failure::file(file, error).hint(HINT))?;
    Ok(Located { config: config.unwrap_or_default(), folder: folder_of(file) })
}

/// The key of `package.json`; a manifest that can't be read is the audit's to report.
fn of_manifest(root: &Path) -> Result<Located, Failure> {
    let file = root.join("package.json");
    let text = fs::read_to_string(&file).unwrap_or_default();
    let manifest: Value = parse_to_serde_value(text.trim_start_matches('\u{feff}'), &ParseOptions::default())
        .unwrap_or_default();
    let Some(own) = manifest.get(KEY) else { return Ok(Located::default()) };
    let config = serde_json::from_value(own.clone())
        .map_err(|error| Failure::file(&file, format!("\"{KEY}\": {error}")).hint(HINT))?;
    Ok(Located { config, folder: folder_of(&file) })
}

const HINT: &str = "docs/config.schema.json describes every setting";

fn folder_of(file: &Path) -> PathBuf {
    file.parent().map(Path::to_path_buf).unwrap_or_default()
}
