//! Rules for parts of the project: `overrides` of the configuration.

use globset::{Glob, GlobSet, GlobSetBuilder};
use loadworthy_report::Finding;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::convert::Converted;
use crate::failure::Failure;
use crate::selection::Selection;

/// Which checks speak about some of the files.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Override {
    /// Globs relative to the project (`scripts/**`). Of several overrides that match a file, each takes effect.
    pub(crate) paths: Vec<String>,
    /// Only these checks report there (codes or names).
    pub(crate) only: Vec<String>,
    /// These checks report nothing there (codes or names).
    pub(crate) skip: Vec<String>,
}

/// The overrides, ready to be asked.
pub(crate) struct Rules(Vec<(GlobSet, Selection)>);

impl Rules {
    /// Checks the globs and the names of checks.
    pub(crate) fn of(overrides: &[Override]) -> Result<Self, Failure> {
        let rule = |it: &Override| Ok((globs(&it.paths)?, Selection::new(&it.only, &it.skip)?));
        overrides.iter().map(rule).collect::<Result<_, Failure>>().map(Self)
    }

    /// Takes out what the project does not want to hear of these files; nothing of it counts.
    pub(crate) fn apply(&self, converted: &mut Converted) {
        converted.findings.retain(|finding| self.allow(finding));
        converted.suspicious.retain(|suspicion| self.allow(&suspicion.finding));
    }

    fn allow(&self, finding: &Finding) -> bool {
        let concerns = |globs: &GlobSet| globs.is_match(&finding.location.file);
        self.0.iter().filter(|(globs, _)| concerns(globs)).all(|(_, wanted)| wanted.includes(&finding.check))
    }
}

fn globs(paths: &[String]) -> Result<GlobSet, Failure> {
    if paths.is_empty() {
        return Err(
            Failure::usage("an entry of `overrides` names no `paths`").hint("\"paths\": [\"scripts/**\"]")
        );
    }
    let mut builder = GlobSetBuilder::new();
    for path in paths {
        builder.add(Glob::new(path).map_err(|error| Failure::usage(format!("overrides: {error}")))?);
    }
    builder.build().map_err(|error| Failure::usage(format!("overrides: {error}")))
}
