//! Clients of databases, caches and servers whose options end nothing.

use loadworthy_analysis::{Call, Deadline, Deadlines, LibraryCall, Site};
use loadworthy_capacity::{ExternalWait, Severity};
use loadworthy_knowledge::{DeadlineRow, Group};
use loadworthy_project::PackageId;

use super::META;
use crate::audit::Audit;
use crate::edit::{add_option, after};
use crate::finding::{Applicability, Confidence, Evidence, Finding, Fix, Place, Words};
use crate::runs::{Runs, cost_of, runs};

pub(super) fn run<'p>(audit: &Audit<'_, 'p>, deadlines: &Deadlines<'_, 'p>, findings: &mut Vec<Finding>) {
    for call in audit.analysis.calls().iter() {
        let Some(library) = &call.library else { continue };
        let Some(row) = deadlines.row(call, library).filter(|row| row.standing) else { continue };
        if !matches!(deadlines.of(call, library, row), Deadline::Missing(_)) {
            continue;
        }
        let served = served(audit, call, library, row);
        findings.extend(served.first().map(|_| finding(audit, call, row, &served)));
    }
}

/// Calls on the request path, or of the browser, that the client serves.
fn served(
    audit: &Audit<'_, '_>,
    client: &Call<'_>,
    library: &LibraryCall<'_>,
    row: &DeadlineRow,
) -> Vec<Site> {
    let Some(group) = row.serves else { return Vec::new() };
    if group == Group::Network {
        return vec![client.site];
    }
    let package =
        |site: Site| -> Option<PackageId> { audit.program().project().file(site.0).map(|file| file.package) };
    let of_group = audit.analysis.effects(|effect| effect.group() == group && effect.leaves_process());
    let on_path = of_group.filter(|(call, _)| runs(audit, call.site) == Some(Runs::Request));
    let (own, others): (Vec<_>, Vec<_>) = on_path
        .map(|(call, it)| (call.site, it.made_at == Some(client.site), it.lib == library.lib))
        .filter(|(site, is_own, _)| *is_own || package(*site) == package(client.site))
        .partition(|(_, is_own, _)| *is_own);
    let sites = |calls: Vec<(Site, bool, bool)>| calls.into_iter().map(|(site, ..)| site).collect();
    match group {
        _ if !own.is_empty() => sites(own),
        // An ORM stands between the pool and the queries.
        Group::Database if !others.is_empty() => sites(others),
        // Queries that were not recognised: the server has routes, and a database.
        Group::Database if has_routes(audit, package(client.site)) => vec![client.site],
        _ => Vec::new(),
    }
}

fn has_routes(audit: &Audit<'_, '_>, package: Option<PackageId>) -> bool {
    audit.analysis.routes().iter().any(|route| {
        route.kind.is_per_request()
            && audit.program().project().file(route.site.0).map(|file| file.package) == package
    })
}

fn finding(audit: &Audit<'_, '_>, call: &Call<'_>, row: &DeadlineRow, served: &[Site]) -> Finding {
    let first = served.first().copied().unwrap_or(call.site);
    let mut evidence =
        vec![Evidence { place: Place::Code(call.site), note: format!("these options end no {}", row.what) }];
    if first != call.site {
        evidence.extend(
            audit.chain_to(first, format!("one of {} calls that it serves for requests", served.len())),
        );
    }
    let is_browser = runs(audit, call.site) == Some(Runs::Browser);
    let finding = Finding::new(
        &META,
        call.site,
        evidence,
        cost_of(audit, served).external(ExternalWait::Unbounded),
        words(audit, call, row, served, is_browser),
        fix(audit, call, row),
    );
    // Every call hangs only while the server is up and does not answer: rarer than an outage, which the driver notices.
    finding.at_most(Severity::Medium).confidence(Confidence::Medium)
}

fn words(
    audit: &Audit<'_, '_>,
    call: &Call<'_>,
    row: &DeadlineRow,
    served: &[Site],
    is_browser: bool,
) -> Words {
    let code = audit.excerpt(call.site, 60);
    let what = &row.what;
    let place = audit.place_of(call.site);
    let problem = if is_browser {
        format!(
            "Every request through `{code}` waits as long as the server does: nothing ends it, and users reload."
        )
    } else {
        format!(
            "The client made by `{code}` ends no {what}: a lock, a bad plan or a half-open connection keeps it, and with it the request and the connection, for as long as the other side likes. {} calls on the request path share it.",
            served.len()
        )
    };
    Words {
        title: format!("no {what} of `{code}` has a deadline"),
        problem,
        verify: match row.serves {
            Some(Group::Database) => format!(
                "Lock a table that a route reads (`BEGIN; LOCK TABLE …`), call the route: it must fail within the timeout set at {place}, and the pool must recover."
            ),
            Some(Group::Cache) => format!(
                "Stop the cache's process with `kill -STOP` during the load test: the p99 of cached routes must stay below the command timeout set at {place}."
            ),
            _ => format!(
                "Let the other side accept and never answer: calls through {place} must fail within the timeout."
            ),
        },
        tradeoff: format!(
            "A {what} that needs longer fails: give exports and reports a client of their own with a longer limit."
        ),
    }
}

fn fix(audit: &Audit<'_, '_>, call: &Call<'_>, row: &DeadlineRow) -> Fix {
    let Some(text) = &row.add else { return raced(row) };
    let description = format!("Set `{text}` where the client is made.");
    let edit = row.argument.and_then(|at| add_option(audit, call.site, at, text));
    let Some(edit) = edit else { return Fix { description, ..Fix::default() } };
    let shown = audit.statement(call.site);
    let edits = vec![edit];
    Fix {
        description,
        before: Some(audit.lines_around(shown, 0)),
        after: Some(after(audit, shown, &edits)),
        edits,
        applicability: Applicability::Review,
        ..Fix::default()
    }
}

/// What waits for an answer gives up by itself, where no option of the client makes it.
fn raced(row: &DeadlineRow) -> Fix {
    Fix {
        description: format!(
            "No option of this version ends a {}: stop waiting for each by a timer, or move to a version that has one.",
            row.what
        ),
        after: Some(String::from(
            "const withDeadline = (work, millis = 1_000) => {\n  let timer;\n  const late = new Promise((_, reject) => {\n    timer = setTimeout(() => reject(new Error('no answer in time')), millis);\n  });\n  return Promise.race([work, late]).finally(() => clearTimeout(timer));\n};\n// await withDeadline(client.get(key))",
        )),
        ..Fix::default()
    }
}
