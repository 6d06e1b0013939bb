//! One file a topic: the signs and the code, weighed into facts.

pub(crate) mod components;
pub(crate) mod databases;
pub(crate) mod deployables;
pub(crate) mod frontend;
pub(crate) mod keys;
pub(crate) mod language;
pub(crate) mod limiters;
pub(crate) mod node;
pub(crate) mod pools;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod sessions;

use loadworthy_project::PackageId;

use crate::code::Code;
use crate::code::imports::Imports;
use crate::code::{Creation, variables::ReadKey};
use crate::fact::{Confidence, Known, Place};
use crate::overrides::Overrides;
use crate::signs::{Hidden, Sign, Tier, Variable};
use crate::sources::Surroundings;
use crate::topics::deployables::Deployables;

/// Everything a topic looks at.
pub(crate) struct Scene<'s> {
    pub(crate) code: Code<'s>,
    pub(crate) files: &'s Surroundings,
    pub(crate) parts: &'s Deployables,
    pub(crate) imports: &'s Imports,
    pub(crate) creations: &'s [Creation],
    pub(crate) keys: &'s [ReadKey],
    pub(crate) overrides: &'s Overrides,
}

/// Most places that one fact names.
const MAX_EVIDENCE: usize = 4;

/// Weighs statements about one thing: the best counts, the others are named beside it.
pub(crate) fn settle<T: Clone + PartialEq>(signs: &[&Sign<T>]) -> Option<Known<T>> {
    let best = best(signs)?;
    let mut evidence = vec![best.place.clone()];
    evidence.extend(signs.iter().filter(|sign| !std::ptr::eq(**sign, best)).map(|sign| sign.place.clone()));
    evidence.truncate(MAX_EVIDENCE);
    let is_disputed = signs.iter().any(|sign| sign.tier == best.tier && sign.value != best.value);
    let confidence = if is_disputed { best.confidence.min(Confidence::Medium) } else { best.confidence };
    Some(Known::read(best.value.clone(), confidence, evidence))
}

/// The first of the highest tier and confidence.
pub(crate) fn best<'s, T>(signs: &[&'s Sign<T>]) -> Option<&'s Sign<T>> {
    let rank = |sign: &Sign<T>| (sign.tier, sign.confidence);
    let highest = signs.iter().map(|sign| rank(sign)).max()?;
    signs.iter().copied().find(|sign| rank(sign) == highest)
}

impl Scene<'_> {
    /// Statements that are about the server, not about another part of the project.
    pub(crate) fn of_server<'t, T>(&self, signs: &'t [Sign<T>]) -> Vec<&'t Sign<T>> {
        signs.iter().filter(|sign| self.parts.concerns_server(&sign.unit)).collect()
    }

    /// Like [`Scene::of_server`], without what only speaks of development.
    pub(crate) fn of_running_server<'t, T>(&self, signs: &'t [Sign<T>]) -> Vec<&'t Sign<T>> {
        let mut found = self.of_server(signs);
        found.retain(|sign| sign.tier > Tier::Development);
        found
    }

    /// The value that an environment variable has where the server runs, as far as files agree; examples come last.
    pub(crate) fn variable(&self, key: &str) -> Option<(&Hidden, &Place, Confidence)> {
        let signs = self.settings_of(key);
        let best = signs.first()?;
        let rank = |sign: &Sign<Variable>| (sign.tier, sign.confidence);
        // Variants of a deployment (`docker-compose.mariadb.yml`) say different things: none of them counts.
        let is_disputed =
            signs.iter().any(|sign| rank(sign) == rank(best) && sign.value.value != best.value.value);
        (!is_disputed).then_some((&best.value.value, &best.place, best.confidence))
    }

    /// Every file that sets a variable where the server may run, the surest first.
    pub(crate) fn settings_of(&self, key: &str) -> Vec<&Sign<Variable>> {
        let mut signs = self.of_running_server(&self.files.signs.variables);
        signs.retain(|sign| sign.value.key == key && !sign.value.value.expose().trim().is_empty());
        signs.sort_by_key(|sign| std::cmp::Reverse((sign.tier, sign.confidence)));
        signs
    }

    /// The package of the server, or the root.
    pub(crate) fn server(&self) -> PackageId {
        self.parts.server
    }

    /// The `package.json` of the server, as a thing to look at.
    pub(crate) fn server_manifest(&self) -> String {
        let manifest =
            self.code.project().package(self.server()).and_then(|package| package.manifest.file.clone());
        manifest.unwrap_or_else(|| "package.json".to_owned())
    }
}
