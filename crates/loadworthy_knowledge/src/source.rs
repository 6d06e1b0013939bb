//! Reading the TOML files.

use serde::Deserialize;
use serde::de::{SeqAccess, Visitor};

use crate::attempts::AttemptsRow;
use crate::blocking::BlockingRow;
use crate::callbacks::Callback;
use crate::conventions::ConventionRow;
use crate::deadlines::DeadlineRow;
use crate::environment::{HostRow, ImageRow, PlanRow, PoolRow, RoleRow};
use crate::error::KnowledgeError;
use crate::failures::{ErrorEvent, GivesUp, KeepsAlive, Rejection, Throws};
use crate::hooks::Hook;
use crate::libraries::Library;
use crate::options::OptionRow;
use crate::packages::PackageRow;
use crate::reference::{Cost, DefaultRow, Trap};
use crate::retries::RetryRow;
use crate::rows::Member;
use crate::steps::HandleRow;
use crate::wiring::{Ping, Wiring};

pub(crate) const EFFECTS: (&str, &str) = ("effects.toml", include_str!("../data/effects.toml"));
pub(crate) const HANDLES: (&str, &str) = ("handles.toml", include_str!("../data/handles.toml"));
pub(crate) const CALLBACKS: (&str, &str) = ("callbacks.toml", include_str!("../data/callbacks.toml"));
pub(crate) const CONVENTIONS: (&str, &str) = ("conventions.toml", include_str!("../data/conventions.toml"));
pub(crate) const HOOKS: (&str, &str) = ("hooks.toml", include_str!("../data/hooks.toml"));
pub(crate) const PACKAGES: (&str, &str) = ("packages.toml", include_str!("../data/packages.toml"));
pub(crate) const DEFAULTS: (&str, &str) = ("defaults.toml", include_str!("../data/defaults.toml"));
pub(crate) const COSTS: (&str, &str) = ("costs.toml", include_str!("../data/costs.toml"));
pub(crate) const FAILURES: (&str, &str) = ("failures.toml", include_str!("../data/failures.toml"));
pub(crate) const WIRING: (&str, &str) = ("wiring.toml", include_str!("../data/wiring.toml"));
pub(crate) const OPTIONS: (&str, &str) = ("options.toml", include_str!("../data/options.toml"));
pub(crate) const TRAPS: (&str, &str) = ("traps.toml", include_str!("../data/traps.toml"));
pub(crate) const BLOCKING: (&str, &str) = ("blocking.toml", include_str!("../data/blocking.toml"));
pub(crate) const DEADLINES: (&str, &str) = ("deadlines.toml", include_str!("../data/deadlines.toml"));
pub(crate) const ATTEMPTS: (&str, &str) = ("attempts.toml", include_str!("../data/attempts.toml"));
pub(crate) const RETRIES: (&str, &str) = ("retries.toml", include_str!("../data/retries.toml"));
pub(crate) const ENVIRONMENT: (&str, &str) = ("environment.toml", include_str!("../data/environment.toml"));

/// The rows of one file; a user's file may have any.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct File {
    pub(crate) library: Vec<Library>,
    pub(crate) member: Vec<Member>,
    pub(crate) handle: Vec<HandleRow>,
    pub(crate) callback: Vec<Callback>,
    pub(crate) convention: Vec<ConventionRow>,
    pub(crate) rejection: Vec<Rejection>,
    pub(crate) throws: Vec<Throws>,
    pub(crate) error_event: Vec<ErrorEvent>,
    pub(crate) wiring: Vec<Wiring>,
    pub(crate) ping: Vec<Ping>,
    pub(crate) gives_up: Vec<GivesUp>,
    pub(crate) keeps_alive: Vec<KeepsAlive>,
    pub(crate) default: Vec<DefaultRow>,
    pub(crate) cost: Vec<Cost>,
    pub(crate) trap: Vec<Trap>,
    pub(crate) option: Vec<OptionRow>,
    pub(crate) deadline: Vec<DeadlineRow>,
    pub(crate) attempts: Vec<AttemptsRow>,
    pub(crate) retry: Vec<RetryRow>,
    pub(crate) blocking: Vec<BlockingRow>,
    pub(crate) hook: Vec<Hook>,
    pub(crate) package: Vec<PackageRow>,
    pub(crate) role: Vec<RoleRow>,
    pub(crate) host: Vec<HostRow>,
    pub(crate) image: Vec<ImageRow>,
    pub(crate) plan: Vec<PlanRow>,
    pub(crate) pool: Vec<PoolRow>,
}

impl File {
    pub(crate) fn parse((name, text): (&'static str, &str)) -> Result<Self, KnowledgeError> {
        toml::from_str(text).map_err(|source| KnowledgeError::Toml { file: name, source: Box::new(source) })
    }
}

/// A word or a list of words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OneOrMany(Vec<String>);

impl OneOrMany {
    pub(crate) fn module() -> Self {
        Self(vec!["module".to_owned()])
    }

    pub(crate) fn itself() -> Self {
        Self(vec![String::new()])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(OneOrManyVisitor)
    }
}

struct OneOrManyVisitor;

impl<'de> Visitor<'de> for OneOrManyVisitor {
    type Value = OneOrMany;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a string or a list of strings")
    }

    fn visit_str<E>(self, word: &str) -> Result<OneOrMany, E> {
        Ok(OneOrMany(vec![word.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut words: A) -> Result<OneOrMany, A::Error> {
        let mut all = Vec::new();
        while let Some(word) = words.next_element()? {
            all.push(word);
        }
        Ok(OneOrMany(all))
    }
}
