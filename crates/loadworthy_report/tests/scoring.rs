//! The bands of the score, the top fixes and the plan.

mod common;

use common::{finding, report_of};
use loadworthy_report::{Audited, Band, Finding, Score, Severity, Suspicion, effort_minutes, plan, score};
use proptest::prelude::*;

const CHECKS: [&str; 6] = ["1A", "1C", "2B", "3A", "3E", "4D"];

fn scored(findings: &[Finding]) -> Score {
    score(&Audited { findings, suspicious: &[], route_count: 4 })
}

fn any_findings() -> impl Strategy<Value = Vec<Finding>> {
    let one =
        (prop::sample::select(CHECKS.to_vec()), prop::sample::select(Severity::ALL.to_vec()), 0..5usize)
            .prop_map(|(check, severity, routes)| {
                let mut finding = finding(check, severity);
                finding.routes = (0..routes).map(|route| format!("GET /{route}")).collect();
                finding
            });
    proptest::collection::vec(one, 0..25).prop_map(|mut findings| {
        for (place, finding) in findings.iter_mut().enumerate() {
            finding.id = format!("{place:016x}");
        }
        findings
    })
}

fn critical_checks(findings: &[Finding]) -> usize {
    CHECKS
        .iter()
        .filter(|check| findings.iter().any(|f| f.check == **check && f.severity == Severity::Critical))
        .count()
}

fn count(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.severity == severity).count()
}

#[test]
fn a_clean_application_scores_ten() {
    let score = scored(&[]);
    assert!(score.value >= 10.0 && score.band == Band::Ready && score.top_fixes.is_empty());
}

#[test]
fn repeats_of_one_check_take_less_than_different_checks() {
    let same = [finding("1A", Severity::High), finding("1A", Severity::High), finding("1A", Severity::High)];
    let different =
        [finding("1A", Severity::High), finding("3A", Severity::High), finding("4D", Severity::High)];
    assert!(scored(&same).value > scored(&different).value);
}

#[test]
fn a_finding_on_every_route_takes_more() {
    let one = finding("1A", Severity::Critical);
    let mut all = one.clone();
    all.routes = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    assert!(scored(&[all]).value < scored(&[one]).value);
}

#[test]
fn top_fixes_are_ordered_by_points_for_effort() {
    let findings =
        [finding("3E", Severity::High), finding("1C", Severity::High), finding("1A", Severity::Medium)];
    let checks: Vec<String> = scored(&findings).top_fixes.into_iter().map(|fix| fix.check).collect();
    assert_eq!(checks, ["1C", "3E", "1A"]);
}

#[test]
fn the_plan_takes_the_three_high_findings_worth_most() {
    let findings: Vec<Finding> = CHECKS.map(|check| finding(check, Severity::High)).to_vec();
    let plan = plan(&findings, &[], 4, &common::target());
    let now: Vec<&str> = plan.fix_now.iter().map(|item| item.check.as_str()).collect();
    assert_eq!(now, ["1C", "3A", "2B"]);
    assert_eq!((plan.fix_now_minutes, plan.fix_soon.len()), (50, 3));
    assert!(plan.monitor.is_empty());
}

#[test]
fn what_is_monitored_has_a_metric_and_a_threshold() {
    let report = report_of(CHECKS.map(|check| finding(check, Severity::Monitor)).to_vec(), Vec::new());
    assert_eq!(report.plan.monitor.len(), CHECKS.len());
    assert!(
        report.plan.monitor.iter().all(|item| !item.metric.is_empty() && item.threshold.starts_with("over"))
    );
}

#[test]
fn every_check_has_an_effort() {
    assert!(CHECKS.iter().all(|check| effort_minutes(check) > 0) && effort_minutes("9Z") == 60);
}

proptest! {
    #[test]
    fn bands_hold(findings in any_findings()) {
        let score = scored(&findings);
        prop_assert!((1.0..=10.0).contains(&score.value));
        prop_assert_eq!(score.band, Band::of(score.value));
        if critical_checks(&findings) >= 2 {
            prop_assert!(score.value <= 6.0);
        }
        if count(&findings, Severity::Critical) == 0 && count(&findings, Severity::High) <= 2 {
            prop_assert!(score.value >= 7.0);
        }
        if count(&findings, Severity::Critical) > 0 {
            prop_assert!(score.value <= 8.0);
        }
        prop_assert!((2..=5).contains(&score.justification.len()));
    }

    #[test]
    fn order_does_not_matter(findings in any_findings()) {
        let reversed: Vec<Finding> = findings.iter().rev().cloned().collect();
        prop_assert_eq!(scored(&findings), scored(&reversed));
    }

    #[test]
    fn fixing_never_lowers_the_score(findings in any_findings(), fixed in any::<prop::sample::Index>()) {
        prop_assume!(!findings.is_empty());
        let mut left = findings.clone();
        left.remove(fixed.index(findings.len()));
        prop_assert!(scored(&left).value >= scored(&findings).value);
        let score = scored(&findings);
        let after: Vec<f64> = score.top_fixes.iter().map(|fix| fix.score_after).collect();
        prop_assert!(after.is_sorted() && after.iter().all(|after| *after >= score.value));
    }

    #[test]
    fn suspicious_patterns_only_widen_the_range(findings in any_findings(), feared in any_findings()) {
        let suspicious: Vec<Suspicion> = feared
            .into_iter()
            .map(|finding| Suspicion { finding, missing_fact: "a fact".into() })
            .collect();
        let with = score(&Audited { findings: &findings, suspicious: &suspicious, route_count: 4 });
        prop_assert_eq!(with.value.to_bits(), scored(&findings).value.to_bits());
        prop_assert!(with.range.low <= with.value && with.range.high.to_bits() == with.value.to_bits());
    }

    #[test]
    fn every_finding_is_planned_once(findings in any_findings()) {
        let plan = plan(&findings, &[], 4, &common::target());
        let mut ids: Vec<String> = plan.fix_now.iter().chain(&plan.fix_soon).map(|item| item.finding.clone()).collect();
        ids.extend(plan.monitor.into_iter().map(|item| item.finding));
        ids.sort();
        prop_assert_eq!(ids, findings.into_iter().map(|finding| finding.id).collect::<Vec<_>>());
    }
}
