//! Which checks to run.

use loadworthy_checks::{CHECKS, Meta};

use crate::arguments::AuditArguments;
use crate::config::Config;
use crate::failure::Failure;

/// The checks that are wanted, by code.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    codes: Vec<&'static str>,
}

impl Selection {
    /// `--only` goes before the configuration's; `--skip` adds to it.
    pub(crate) fn of(arguments: &AuditArguments, config: &Config) -> Result<Self, Failure> {
        let only = if arguments.only.is_empty() { &config.only } else { &arguments.only };
        let skip: Vec<String> = config.skip.iter().chain(&arguments.skip).cloned().collect();
        Self::new(only, &skip)
    }

    /// Every check.
    pub(crate) fn all() -> Self {
        Self { codes: metas().map(|meta| meta.code).collect() }
    }

    /// All, or those of `only`, without those of `skip`; codes in any case, or names.
    pub(crate) fn new(only: &[String], skip: &[String]) -> Result<Self, Failure> {
        let only = codes_of(only)?;
        let skip = codes_of(skip)?;
        let codes = metas()
            .map(|meta| meta.code)
            .filter(|code| only.is_empty() || only.contains(code))
            .filter(|code| !skip.contains(code))
            .collect();
        Ok(Self { codes })
    }

    /// Whether all of these run; for none named, whether every check does.
    pub(crate) fn includes_all(&self, codes: &[&'static str]) -> bool {
        if codes.is_empty() {
            self.codes.len() == CHECKS.len()
        } else {
            codes.iter().all(|it| self.includes(it))
        }
    }

    pub(crate) fn includes(&self, code: &str) -> bool {
        self.codes.contains(&code)
    }
}

/// The names of every check.
pub(crate) fn metas() -> impl Iterator<Item = &'static Meta> {
    CHECKS.iter().map(|check| check.meta())
}

/// The check with that code (in any case) or name.
pub(crate) fn named(name: &str) -> Option<&'static Meta> {
    metas().find(|meta| meta.code.eq_ignore_ascii_case(name) || meta.slug.eq_ignore_ascii_case(name))
}

fn codes_of(names: &[String]) -> Result<Vec<&'static str>, Failure> {
    names.iter().map(|name| named(name).map(|meta| meta.code).ok_or_else(|| unknown(name))).collect()
}

/// No check has that name.
pub(crate) fn unknown(name: &str) -> Failure {
    let known: Vec<String> = metas().map(|meta| format!("{} {}", meta.code, meta.slug)).collect();
    Failure::usage(format!("there is no check `{name}`; the checks are: {}", known.join(", ")))
}
