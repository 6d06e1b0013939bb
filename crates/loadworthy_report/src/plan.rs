//! What to do, in order.

use crate::effort::{effort_minutes, watch};
use crate::load_test::load_test;
use crate::measures::measures;
use crate::model::{Finding, MonitorItem, Plan, PlanItem, Route, Severity, Target};
use crate::score::by_worth;

/// HIGH findings worth doing with the CRITICAL ones.
const TOP_HIGH: usize = 3;

/// Sorts findings into now, soon and monitor; each by risk removed ÷ effort.
#[must_use]
pub fn plan(findings: &[Finding], routes: &[Route], route_count: usize, target: &Target) -> Plan {
    let of = |severity| {
        let chosen: Vec<&Finding> = findings.iter().filter(|finding| finding.severity == severity).collect();
        by_worth(&chosen, route_count)
    };
    let high = of(Severity::High);
    let (top, rest) = high.split_at(high.len().min(TOP_HIGH));
    let fix_now: Vec<PlanItem> =
        of(Severity::Critical).into_iter().chain(top.iter().copied()).map(item).collect();
    Plan {
        fix_now_minutes: fix_now.iter().map(|item| item.effort_minutes).fold(0, u32::saturating_add),
        fix_now,
        fix_soon: rest.iter().copied().chain(of(Severity::Medium)).map(item).collect(),
        monitor: of(Severity::Monitor).into_iter().map(|finding| monitored(finding, target)).collect(),
        measure: measures(findings, target),
        load_test: load_test(routes, findings, target),
    }
}

fn item(finding: &Finding) -> PlanItem {
    PlanItem {
        finding: finding.id.clone(),
        check: finding.check.clone(),
        severity: finding.severity,
        title: finding.title.clone(),
        location: finding.location.clone(),
        effort_minutes: effort_minutes(&finding.check),
    }
}

fn monitored(finding: &Finding, target: &Target) -> MonitorItem {
    let (metric, threshold) = watch(finding, target);
    MonitorItem {
        finding: finding.id.clone(),
        check: finding.check.clone(),
        title: finding.title.clone(),
        location: finding.location.clone(),
        metric: metric.to_owned(),
        threshold,
    }
}
