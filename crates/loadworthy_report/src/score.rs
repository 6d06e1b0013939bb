//! The score, 1 to 10: the same findings give the same score.
//!
//! From 10, each finding takes 3 points (CRITICAL), 1.2 (HIGH), 0.3 (MEDIUM) or none (MONITOR),
//! times 0.75 to 1.25 by the part of the routes it reaches; within one check the second takes half,
//! the third a quarter, and so on, worst first. Then the bands hold:
//! any HIGH stays below 9, any CRITICAL at 8 or less, two CRITICALs of different checks at 6 or
//! less; without a CRITICAL and with two HIGH at most it is 7 or more.

use std::collections::{BTreeMap, BTreeSet};

use crate::effort::effort_minutes;
use crate::model::{Band, Finding, Score, ScoreRange, Severity, Suspicion, TopFix};

const BEST: f64 = 10.0;
const WORST: f64 = 1.0;
const TOP_FIXES: usize = 3;
const BULLETS: usize = 5;

/// What the score is made of.
#[derive(Debug, Clone, Copy)]
pub struct Audited<'a> {
    /// Proven problems.
    pub findings: &'a [Finding],
    /// They only widen the range.
    pub suspicious: &'a [Suspicion],
    /// Routes of the application; 0 where there are none.
    pub route_count: usize,
}

/// Scores an audit.
#[must_use]
pub fn score(audited: &Audited<'_>) -> Score {
    let findings: Vec<&Finding> = audited.findings.iter().collect();
    let value = value_of(&findings, audited.route_count);
    let mut feared = findings.clone();
    feared.extend(audited.suspicious.iter().map(|suspicion| &suspicion.finding));
    let low = value_of(&feared, audited.route_count).min(value);
    Score {
        value,
        range: ScoreRange { low, high: value },
        band: Band::of(value),
        justification: justification(audited, value, low),
        top_fixes: top_fixes(findings, audited.route_count),
    }
}

impl Band {
    /// The band of a score.
    #[must_use]
    pub fn of(value: f64) -> Self {
        match value {
            v if v >= 9.0 => Self::Ready,
            v if v >= 7.0 => Self::FixFirst,
            v if v >= 5.0 => Self::Refactor,
            v if v >= 3.0 => Self::WillFail,
            _ => Self::DoNotDeploy,
        }
    }

    /// What it means, in a sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ready => "ready for the target load",
            Self::FixFirst => "fix the worst findings first, then load test",
            Self::Refactor => "needs significant refactoring; load test only after the fixes",
            Self::WillFail => "will fail at the target load",
            Self::DoNotDeploy => "do not deploy",
        }
    }
}

/// Points that one finding takes, alone.
pub(crate) fn points(finding: &Finding, route_count: usize) -> f64 {
    let base = match finding.severity {
        Severity::Critical => 3.0,
        Severity::High => 1.2,
        Severity::Medium => 0.3,
        Severity::Monitor => 0.0,
    };
    base * (0.75 + 0.5 * reach(finding, route_count))
}

/// The part of the routes a finding reaches; a half where that is not known.
fn reach(finding: &Finding, route_count: usize) -> f64 {
    if route_count == 0 || finding.routes.is_empty() {
        return 0.5;
    }
    let [reached, all] = [finding.routes.len(), route_count].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    (f64::from(reached) / f64::from(all)).min(1.0)
}

fn value_of(findings: &[&Finding], route_count: usize) -> f64 {
    let mut by_check: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for finding in findings {
        by_check.entry(&finding.check).or_default().push(points(finding, route_count));
    }
    let lost: f64 = by_check.into_values().map(diminishing).sum();
    let (floor, cap) = bounds(findings);
    let value = (BEST - lost).min(cap).max(floor);
    (value * 10.0).round() / 10.0
}

fn diminishing(mut points: Vec<f64>) -> f64 {
    points.sort_by(|a, b| b.total_cmp(a));
    points.iter().rev().fold(0.0, |rest, own| own + rest / 2.0)
}

fn bounds(findings: &[&Finding]) -> (f64, f64) {
    let high = count(findings, Severity::High);
    let critical_checks: BTreeSet<&str> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Critical)
        .map(|finding| finding.check.as_str())
        .collect();
    match (critical_checks.len(), high) {
        (0, 0) => (7.0, BEST),
        (0, 1 | 2) => (7.0, 8.9),
        (0, _) => (WORST, 8.9),
        (1, _) => (WORST, 8.0),
        _ => (WORST, 6.0),
    }
}

fn count(findings: &[&Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.severity == severity).count()
}

fn justification(audited: &Audited<'_>, value: f64, low: f64) -> Vec<String> {
    let findings: Vec<&Finding> = audited.findings.iter().collect();
    let [critical, high, medium, monitor] = Severity::ALL.map(|severity| count(&findings, severity));
    let mut bullets = vec![format!(
        "{critical} CRITICAL, {high} HIGH, {medium} MEDIUM and {monitor} MONITOR findings on {} routes take {:.1} of 10 points.",
        audited.route_count,
        BEST - value
    )];
    for finding in worst_first(&findings, audited.route_count).into_iter().take(BULLETS - 2) {
        if points(finding, audited.route_count) > 0.0 {
            bullets.push(format!(
                "{} {} ({}) at {}:{}: {}",
                finding.severity.name(),
                finding.check,
                finding.title,
                finding.location.file,
                finding.location.start_line,
                finding.impact.text
            ));
        }
    }
    bullets.push(match audited.suspicious.len() {
        0 => "No suspicious pattern widens the range.".to_owned(),
        1 => format!("If the suspicious pattern is real, the score is {low:.1}."),
        count => format!("If all {count} suspicious patterns are real, the score is {low:.1}."),
    });
    bullets
}

fn worst_first<'a>(findings: &[&'a Finding], route_count: usize) -> Vec<&'a Finding> {
    let mut sorted = findings.to_vec();
    sorted.sort_by(|a, b| {
        points(b, route_count).total_cmp(&points(a, route_count)).then_with(|| order(a).cmp(&order(b)))
    });
    sorted
}

/// Findings by risk removed ÷ effort, best first.
pub(crate) fn by_worth<'a>(findings: &[&'a Finding], route_count: usize) -> Vec<&'a Finding> {
    let worth =
        |finding: &Finding| points(finding, route_count) / f64::from(effort_minutes(&finding.check).max(1));
    let mut sorted = findings.to_vec();
    sorted.sort_by(|a, b| worth(b).total_cmp(&worth(a)).then_with(|| order(a).cmp(&order(b))));
    sorted
}

fn order(finding: &Finding) -> (&str, u32, u32, &str, &str) {
    let location = &finding.location;
    (&location.file, location.start_line, location.start_column, &finding.check, &finding.id)
}

fn top_fixes(findings: Vec<&Finding>, route_count: usize) -> Vec<TopFix> {
    let best: Vec<&Finding> = by_worth(&findings, route_count)
        .into_iter()
        .filter(|finding| points(finding, route_count) > 0.0)
        .take(TOP_FIXES)
        .collect();
    let mut left = findings;
    best.into_iter()
        .map(|fixed| {
            left.retain(|finding| !std::ptr::eq(*finding, fixed));
            TopFix {
                finding: fixed.id.clone(),
                check: fixed.check.clone(),
                title: fixed.title.clone(),
                risk_removed: (points(fixed, route_count) * 100.0).round() / 100.0,
                effort_minutes: effort_minutes(&fixed.check),
                score_after: value_of(&left, route_count),
            }
        })
        .collect()
}
