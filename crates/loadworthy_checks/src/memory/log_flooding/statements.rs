//! Options that write every statement to the log, and files that grow without end.

use loadworthy_analysis::{Switch, switches};
use loadworthy_capacity::{Cost, Severity};
use loadworthy_knowledge::OptionTrait;
use loadworthy_project::FileClass;

use super::{LINE_MILLIS, META};
use crate::audit::Audit;
use crate::finding::{Applicability, Edit, Evidence, Finding, Fix, Place, Words};

/// Statements of a usual request.
const STATEMENTS: f64 = 4.0;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let is_server =
        |switch: &Switch<'_>| audit.program().class(switch.call.0).is_some_and(FileClass::may_be_server);
    let of = |does| {
        switches(audit.analysis, audit.resolver, does).into_iter().filter(is_server).collect::<Vec<_>>()
    };
    findings.extend(of(OptionTrait::LogsStatements).iter().map(|switch| statement_log(audit, switch)));
    let files = of(OptionTrait::GrowsFile);
    if let Some(first) = files.first() {
        findings.push(endless_file(audit, first, &files));
    }
}

fn statement_log(audit: &Audit<'_, '_>, switch: &Switch<'_>) -> Finding {
    let option = &switch.row.option;
    let code = audit.excerpt(switch.at, 60);
    let evidence = vec![
        Evidence { place: Place::Code(switch.call), note: String::from("the client is made here") },
        Evidence { place: Place::Code(switch.at), note: format!("`{option}` {}", switch.row.says) },
    ];
    let words = Words {
        title: format!("`{option}: {code}` {}", switch.row.says),
        problem: format!(
            "The option is on in every environment: each query becomes a line with its text and often its parameters, {STATEMENTS} and more per request. At the target that is hundreds of lines a second, built and written on the event loop, with the data of users in them."
        ),
        verify: String::from(
            "Start the application with NODE_ENV=production and send one request: its log must hold no SQL.",
        ),
        tradeoff: String::from(
            "Slow statements are found by the database's own log (log_min_duration_statement) instead.",
        ),
    };
    let span = audit.module(switch.at).map(|module| module.node(switch.at.1).span);
    let off = if code.starts_with('[') { "[\"warn\", \"error\"]" } else { "false" };
    let fix = Fix {
        description: String::from("Switch it on in development only."),
        before: Some(format!("{option}: {code}")),
        after: Some(format!("{option}: process.env.NODE_ENV === \"development\" ? {code} : {off}")),
        edits: span
            .map(|span| Edit {
                file: audit.program().path(switch.at.0).to_owned(),
                start: span.start,
                end: span.end,
                replacement: format!(
                    "process.env.NODE_ENV === \"development\" ? {} : {off}",
                    audit.source(switch.at)
                ),
            })
            .into_iter()
            .collect(),
        applicability: Applicability::Safe,
        ..Fix::default()
    };
    let mut found = Finding::new(
        &META,
        switch.at,
        evidence,
        Cost::at_share(1.0).loop_block(STATEMENTS * LINE_MILLIS),
        words,
        fix,
    );
    found.routes = Some(Vec::new());
    found.at_least(Severity::Medium).at_most(Severity::High)
}

fn endless_file(audit: &Audit<'_, '_>, first: &Switch<'_>, all: &[Switch<'_>]) -> Finding {
    let evidence = all
        .iter()
        .map(|switch| Evidence {
            place: Place::Code(switch.call),
            note: format!("{} {}", audit.excerpt(switch.call, 60), switch.row.says),
        })
        .collect();
    let words = Words {
        title: String::from("the log goes to a file that is never rotated"),
        problem: String::from(
            "The file grows with every request until the disk is full: then writes fail, and in a container the instance is evicted. At 100 req/s and 4 lines of 120 bytes that is 4 GB a day.",
        ),
        verify: String::from(
            "Look at the size of the file before and after the load test: it must stay below the maximum that rotation sets.",
        ),
        tradeoff: String::from(
            "Rotated files are lost with the instance: in containers write to standard output and let the platform collect it.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Limit size and number of files, or write to standard output in production and leave rotation to the platform.",
        ),
        before: Some(audit.excerpt(first.call, 120)),
        after: Some(String::from(
            "new winston.transports.File({ filename: \"app.log\", maxsize: 10_000_000, maxFiles: 5, tailable: true })",
        )),
        ..Fix::default()
    };
    let mut found = Finding::new(&META, first.call, evidence, Cost::at_share(1.0), words, fix);
    found.routes = Some(Vec::new());
    found.at_least(Severity::Medium).at_most(Severity::Medium)
}
