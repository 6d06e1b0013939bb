//! The traffic mix: which part of the target's requests each entry point takes.
//!
//! Each package with entry points has a mix of its own, by what is known best: the requests of an access log, weights that
//! the user gives, else the usual mix of reads and writes.

mod answers;
mod observed;
mod pattern;
mod usual;

use std::collections::BTreeMap;

use loadworthy_analysis::{Analysis, Route};
use loadworthy_capacity::Target;
use loadworthy_project::PackageId;

pub use answers::Answers;
pub use observed::{LEAST_SHARE, Observed, Rate};
pub use usual::READ_PART;

/// Weights of entry points by "GET /path", as the user gives them.
pub type Weights = BTreeMap<String, f64>;

/// Where the traffic mix comes from.
#[derive(Clone, Debug, Default)]
pub enum Mix {
    /// Nobody says it.
    #[default]
    Usual,
    /// Entry points that are not named get nothing; a package of which none is named has the usual mix.
    Given(Weights),
    /// Requests that were counted; a package that answered none of them has the usual mix.
    Observed(Box<Observed>),
}

impl From<&Weights> for Mix {
    fn from(weights: &Weights) -> Self {
        if weights.is_empty() { Self::Usual } else { Self::Given(weights.clone()) }
    }
}

/// The part of the target's requests that each entry point takes.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// 0 to 1, in the order of the route table; each package's sum is 1.
    shares: Vec<f64>,
    packages: Vec<PackageId>,
    /// Shares up to this say that nothing was seen.
    least: f64,
}

impl Traffic {
    /// The mix of a program.
    #[must_use]
    pub fn of(analysis: &Analysis<'_>, target: &Target, mix: &Mix) -> Self {
        let routes = analysis.routes();
        let packages = packages(analysis);
        let mut shares = vec![0.0; routes.len()];
        let mut served = packages.clone();
        served.sort_unstable();
        served.dedup();
        for package in served {
            let members: Vec<usize> = (0..routes.len())
                .filter(|at| packages.get(*at) == Some(&package))
                .filter(|at| routes.get(*at).is_some_and(|route| route.kind.is_per_request()))
                .collect();
            let usual = usual::shares(analysis, target, &members);
            let own = match mix {
                Mix::Usual => usual,
                Mix::Given(weights) => given(analysis, weights, usual),
                Mix::Observed(observed) => observed.shares(package, usual),
            };
            for (at, share) in own {
                if let Some(slot) = shares.get_mut(at) {
                    *slot = share;
                }
            }
        }
        let least = if matches!(mix, Mix::Observed(_)) { LEAST_SHARE } else { 0.0 };
        Self { shares, packages, least }
    }

    /// The part of the traffic that an entry point takes, by its place in the route table.
    #[must_use]
    pub fn share(&self, route: usize) -> f64 {
        self.shares.get(route).copied().unwrap_or(0.0)
    }

    /// The part of the traffic that reaches any of these entry points: the most among the packages that they are of.
    #[must_use]
    pub fn share_of(&self, routes: impl IntoIterator<Item = usize>) -> f64 {
        let mut reached: Vec<usize> = routes.into_iter().collect();
        reached.sort_unstable();
        reached.dedup();
        let mut sums: BTreeMap<PackageId, f64> = BTreeMap::new();
        for at in reached {
            if let Some(package) = self.package(at) {
                *sums.entry(package).or_default() += self.share(at);
            }
        }
        sums.into_values().fold(0.0, f64::max).min(1.0)
    }

    /// The package that an entry point is of.
    #[must_use]
    pub fn package(&self, route: usize) -> Option<PackageId> {
        self.packages.get(route).copied()
    }

    /// For each package, its part of what `of` gives for its entry points, each at its share.
    #[must_use]
    pub fn by_package(&self, of: impl Fn(usize) -> f64) -> BTreeMap<PackageId, f64> {
        let mut sums = BTreeMap::new();
        for (at, package) in self.packages.iter().enumerate() {
            *sums.entry(*package).or_default() += self.share(at) * of(at);
        }
        sums
    }

    /// What an entry point takes that is like the others: for code which no known entry point leads to.
    #[must_use]
    pub fn typical_share(&self) -> f64 {
        let mut taken: Vec<f64> = self.shares.iter().copied().filter(|share| *share > self.least).collect();
        taken.sort_by(f64::total_cmp);
        taken.get(taken.len() / 2).copied().unwrap_or(1.0)
    }
}

/// The package of each entry point, in the order of the route table.
fn packages(analysis: &Analysis<'_>) -> Vec<PackageId> {
    let project = analysis.program().project();
    let package = |route: &Route| project.file(route.site.0).map_or(PackageId::new(0), |file| file.package);
    analysis.routes().iter().map(package).collect()
}

/// The shares of one package's entry points by the user's weights, if any of them has one.
fn given(analysis: &Analysis<'_>, weights: &Weights, usual: Vec<(usize, f64)>) -> Vec<(usize, f64)> {
    let weight = |at: usize| {
        let route = analysis.routes().get(at)?;
        weights.get(&format!("{} {}", route.method, route.path)).copied()
    };
    if usual.iter().all(|(at, _)| weight(*at).is_none()) {
        return usual;
    }
    parts(usual.into_iter().map(|(at, _)| (at, weight(at).unwrap_or(0.0).max(0.0))).collect(), 1.0)
}

/// A whole in proportion to weights.
fn parts(weighed: Vec<(usize, f64)>, whole: f64) -> Vec<(usize, f64)> {
    let sum: f64 = weighed.iter().map(|(_, weight)| weight).sum();
    weighed.into_iter().map(|(at, weight)| (at, if sum > 0.0 { whole * weight / sum } else { 0.0 })).collect()
}
