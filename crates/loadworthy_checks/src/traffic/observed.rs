//! The mix of requests that were counted.
//!
//! Entry points that a log can't show (messages on sockets, remote procedures of other kinds, paths that are not constant)
//! keep what they have in the usual mix; the rest is divided as the requests were.

use std::collections::{BTreeMap, BTreeSet};

use loadworthy_project::PackageId;

use super::answers::Answers;
use super::parts;

/// Least part of a package's traffic that an entry point takes, seen or not: a log of a day says little about what is called
/// once a week, and that must be found before it is called.
pub const LEAST_SHARE: f64 = 0.001;
/// Most that is given so to all entry points together.
const LEAST_TOGETHER: f64 = 0.05;
/// Minutes that are counted apart; a log of a year has fewer.
const MAX_MINUTES: usize = 600_000;

/// Requests by the entry points that answered them.
#[derive(Clone, Debug)]
pub struct Observed {
    /// What says so, in words: the file, what of it was counted.
    pub source: String,
    /// In the order of the route table; a request that leads to several is shared among them.
    counts: Vec<f64>,
    visible: Vec<bool>,
    packages: Vec<Option<PackageId>>,
    /// Packages with requests that no other could have answered.
    own: BTreeSet<PackageId>,
    requests: u64,
    matched: u64,
    /// The first that no route answers.
    unmatched: Option<String>,
    times: Times,
}

/// How fast requests came that a route answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Requests per second from the first to the last.
    pub mean: f64,
    /// Requests per second in the busiest minute, of more than one.
    pub busiest_minute: Option<f64>,
}

#[derive(Clone, Debug, Default)]
struct Times {
    /// Milliseconds since 1970.
    range: Option<(i64, i64)>,
    count: u64,
    minutes: BTreeMap<i64, u64>,
}

impl Observed {
    /// Of no request yet.
    #[must_use]
    pub fn new(answers: &Answers) -> Self {
        let visible = answers.visible();
        Self {
            source: String::new(),
            counts: vec![0.0; visible.len()],
            packages: (0..visible.len()).map(|at| answers.package(at)).collect(),
            visible,
            own: BTreeSet::new(),
            requests: 0,
            matched: 0,
            unmatched: None,
            times: Times::default(),
        }
    }

    /// Counts a request; `at` is its time in milliseconds since 1970.
    pub fn add(&mut self, answers: &Answers, method: &str, path: &str, at: Option<i64>) {
        self.requests += 1;
        let routes = answers.to(method, path);
        if routes.is_empty() {
            self.unmatched.get_or_insert_with(|| format!("{method} {path}"));
            return;
        }
        self.matched += 1;
        self.times.add(at);
        #[expect(clippy::cast_precision_loss, reason = "few routes are alike")]
        let part = 1.0 / routes.len() as f64;
        for at in &routes {
            if let Some(count) = self.counts.get_mut(*at) {
                *count += part;
            }
        }
        let of: BTreeSet<PackageId> = routes.iter().filter_map(|at| answers.package(*at)).collect();
        if of.len() == 1 {
            self.own.extend(of);
        }
    }

    /// Requests that were counted.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Those that a route answers.
    #[must_use]
    pub fn matched(&self) -> u64 {
        self.matched
    }

    /// "GET /orders" of the first that no route answers.
    #[must_use]
    pub fn unmatched(&self) -> Option<&str> {
        self.unmatched.as_deref()
    }

    /// Entry points of the packages that answered, which could have been seen and were not.
    #[must_use]
    pub fn unseen(&self) -> usize {
        let all = self.counts.iter().zip(&self.visible).zip(&self.packages);
        let is_unseen = |count: f64, is_visible: bool| is_visible && count <= 0.0;
        all.filter(|((count, visible), package)| {
            is_unseen(**count, **visible) && package.is_some_and(|it| self.is_of_file(it))
        })
        .count()
    }

    /// How fast the requests came; `None` of less than a second, or without times.
    #[must_use]
    pub fn rate(&self) -> Option<Rate> {
        self.times.rate()
    }

    /// Whether the requests say something about a package: some are its alone, or all are of several at once.
    fn is_of_file(&self, package: PackageId) -> bool {
        self.own.contains(&package) || self.own.is_empty() && self.matched > 0
    }

    /// The shares of one package's entry points.
    pub(super) fn shares(&self, package: PackageId, usual: Vec<(usize, f64)>) -> Vec<(usize, f64)> {
        let count = |at: usize| self.counts.get(at).copied().unwrap_or(0.0);
        let sum: f64 = usual.iter().map(|(at, _)| count(*at)).sum();
        if !self.is_of_file(package) || sum <= 0.0 {
            return usual;
        }
        let (seen, unseen): (Vec<_>, Vec<_>) =
            usual.into_iter().partition(|(at, _)| self.visible.get(*at).copied().unwrap_or(false));
        #[expect(clippy::cast_precision_loss, reason = "a program has few entry points")]
        let least = LEAST_SHARE.min(LEAST_TOGETHER / seen.len() as f64);
        let hidden: f64 = unseen.iter().map(|(_, share)| share).sum();
        let weighed = seen.into_iter().map(|(at, _)| (at, (count(at) / sum).max(least))).collect();
        let mut shares = parts(weighed, 1.0 - hidden.min(1.0));
        shares.extend(unseen);
        shares
    }
}

impl Times {
    fn add(&mut self, at: Option<i64>) {
        let Some(at) = at else { return };
        self.count += 1;
        let (first, last) = self.range.unwrap_or((at, at));
        self.range = Some((first.min(at), last.max(at)));
        let minute = at.div_euclid(60_000);
        if self.minutes.len() < MAX_MINUTES || self.minutes.contains_key(&minute) {
            *self.minutes.entry(minute).or_default() += 1;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts and times are far below 2^52")]
    fn rate(&self) -> Option<Rate> {
        let (first, last) = self.range?;
        let seconds = last.saturating_sub(first) as f64 / 1000.0;
        let busiest = self.minutes.values().max().map(|most| *most as f64 / 60.0);
        (seconds >= 1.0).then(|| Rate {
            mean: self.count as f64 / seconds,
            busiest_minute: busiest.filter(|_| self.minutes.len() > 2),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_over_the_whole_time_and_of_the_busiest_minute() {
        let mut times = Times::default();
        assert_eq!(times.rate(), None);
        for second in 0..120 {
            times.add(Some(second * 1000));
            times.add((second < 60).then_some(second * 1000));
        }
        times.add(Some(200_000));
        times.add(None);
        let rate = times.rate().unwrap();
        assert!((rate.mean - 181.0 / 200.0).abs() < 1e-9, "{rate:?}");
        assert_eq!(rate.busiest_minute, Some(2.0));
    }

    #[test]
    fn times_at_the_ends_do_no_harm() {
        let mut times = Times::default();
        times.add(Some(i64::MIN));
        times.add(Some(i64::MAX));
        assert!(times.rate().unwrap().mean > 0.0);
    }
}
