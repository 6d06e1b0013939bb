//! The tables of a run.

use std::collections::{BTreeMap, BTreeSet};

use crate::table::Table;

use super::record::{Audit, Item, Record, Tier};

const SEVERITIES: [&str; 4] = ["CRITICAL", "HIGH", "MEDIUM", "MONITOR"];
const COUNTS: [&str; 6] = ["critical", "high", "medium", "monitor", "findings", "suspicious"];

/// One line while the run goes on.
pub(super) fn progress(name: &str, audit: &Audit) -> String {
    let of = |tier| audit.items.iter().filter(|item| item.tier == tier).count();
    match &audit.error {
        Some(error) => format!("{name}: {error}"),
        None => format!("{name}: {} findings, {} suspicious", of(Tier::Finding), of(Tier::Suspicious)),
    }
}

/// A row for each application: what was found, what could not be read, and the cost; the failed ones below.
pub(super) fn by_app(record: &Record) -> String {
    let rest = ["twice", "routes", "notes", "seconds", "cpu s", "peak MiB"];
    let mut table = Table::new(&[&["app"], &COUNTS[..], &rest].concat());
    for (name, audit) in record.apps.iter().filter(|(_, audit)| audit.error.is_none()) {
        let items: Vec<&Item> = audit.items.iter().collect();
        table.row([name.clone()].into_iter().chain(counts(&items)).chain(cost(audit)));
    }
    let all: Vec<&Item> = record.apps.values().flat_map(|audit| &audit.items).collect();
    table.row(["all".to_owned()].into_iter().chain(counts(&all)).chain(costs(record)));
    let failed = record.apps.iter().filter_map(|(name, audit)| Some((name, audit.error.as_ref()?)));
    let failed = failed.map(|(name, error)| format!("{name}: {error}"));
    [table.render()].into_iter().chain(failed).collect::<Vec<_>>().join("\n")
}

/// A row for each check that reported something.
pub(super) fn by_check(record: &Record) -> String {
    let mut checks: BTreeMap<&str, (Vec<&Item>, BTreeSet<&str>)> = BTreeMap::new();
    for (name, audit) in &record.apps {
        for item in &audit.items {
            let (items, apps) = checks.entry(&item.check).or_default();
            items.push(item);
            apps.insert(name);
        }
    }
    let mut table = Table::new(&[&["check"], &COUNTS[..], &["apps"]].concat());
    for (check, (items, apps)) in checks {
        table.row([check.to_owned()].into_iter().chain(counts(&items)).chain([apps.len().to_string()]));
    }
    table.render()
}

/// Findings by severity, findings and suspicious patterns.
fn counts(items: &[&Item]) -> Vec<String> {
    let findings: Vec<_> = items.iter().filter(|item| item.tier == Tier::Finding).collect();
    let of = |severity: &str| findings.iter().filter(|item| item.severity == severity).count();
    let mut counts: Vec<usize> = SEVERITIES.iter().map(|severity| of(severity)).collect();
    counts.extend([findings.len(), items.len() - findings.len()]);
    counts.iter().map(ToString::to_string).collect()
}

/// Items whose fingerprint another one has (a fault of the check), routes, diagnostics, time and memory.
fn cost(audit: &Audit) -> Vec<String> {
    let ids: BTreeSet<&str> = audit.items.iter().map(|item| item.id.as_str()).collect();
    vec![
        (audit.items.len() - ids.len()).to_string(),
        audit.routes.to_string(),
        audit.diagnostics.len().to_string(),
        format!("{:.2}", audit.usage.seconds),
        format!("{:.2}", audit.usage.cpu_seconds),
        format!("{:.0}", audit.usage.peak_mib()),
    ]
}

/// The sums, and the largest peak.
fn costs(record: &Record) -> Vec<String> {
    let audits = || record.apps.values();
    vec![
        String::new(),
        audits().map(|audit| audit.routes).sum::<usize>().to_string(),
        audits().map(|audit| audit.diagnostics.len()).sum::<usize>().to_string(),
        format!("{:.2}", audits().map(|audit| audit.usage.seconds).sum::<f64>()),
        format!("{:.2}", audits().map(|audit| audit.usage.cpu_seconds).sum::<f64>()),
        format!("{:.0}", audits().map(|audit| audit.usage.peak_mib()).fold(0.0, f64::max)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Usage;

    const REPORT: &str = r#"{
        "findings": [{"id": "a", "check": "1A", "severity": "HIGH"}, {"id": "a", "check": "1A", "severity": "MONITOR"}],
        "suspicious": [{"id": "b", "check": "2A", "severity": "CRITICAL"}],
        "routes": [{}]
    }"#;

    fn record() -> Record {
        let usage = Usage { seconds: 0.25, cpu_seconds: 0.4, peak_bytes: 40 << 20, ..Usage::default() };
        let shop = Audit::of("c", usage, REPORT.as_bytes(), "");
        let chat = Audit::failed("c", Usage::default(), "took too long".to_owned());
        Record { apps: [("shop".to_owned(), shop), ("chat".to_owned(), chat)].into() }
    }

    fn row<'t>(table: &'t str, first: &str) -> Vec<&'t str> {
        let line = table.lines().find(|line| line.starts_with(first)).unwrap();
        line.split_whitespace().skip(1).collect()
    }

    #[test]
    fn severities_count_findings_only() {
        let table = by_app(&record());
        assert_eq!(row(&table, "shop"), ["0", "1", "0", "1", "2", "1", "1", "1", "0", "0.25", "0.40", "40"]);
        assert_eq!(row(&table, "all"), ["0", "1", "0", "1", "2", "1", "1", "0", "0.25", "0.40", "40"]);
    }

    #[test]
    fn a_failed_audit_is_named_below_the_table() {
        assert_eq!(by_app(&record()).lines().last(), Some("chat: took too long"));
        assert_eq!(progress("chat", &record().apps["chat"]), "chat: took too long");
    }

    #[test]
    fn checks_are_counted_over_all_applications() {
        let table = by_check(&record());
        assert_eq!(row(&table, "1A"), ["0", "1", "0", "1", "2", "0", "1"]);
        assert_eq!(row(&table, "2A"), ["0", "0", "0", "0", "0", "1", "1"]);
    }
}
