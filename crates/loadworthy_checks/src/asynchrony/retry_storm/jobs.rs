//! Jobs that are repeated without a pause.

use loadworthy_analysis::{Options, Site};
use loadworthy_capacity::{Cost, Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileClass;

use super::META;
use crate::audit::Audit;
use crate::finding::{Applicability, Edit, Evidence, Finding, Fix, Place, Words};

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut seen: Vec<Site> = Vec::new();
    for call in audit.analysis.calls().iter() {
        let Some(library) = &call.library else { continue };
        if !audit.program().class(call.site.0).is_some_and(FileClass::may_be_server) {
            continue;
        }
        let is_publish = library.effect() == Some(Effect::QueuePublish);
        let is_queue = matches!(&*library.name, "Queue" | "registerQueue" | "forRoot");
        let at = if is_publish {
            2
        } else if is_queue {
            usize::from(&*library.name == "Queue")
        } else {
            continue;
        };
        let Some(given) = audit.resolver.argument(call.site, at) else { continue };
        let mut options = Options::of(audit.resolver, given);
        if is_queue {
            let Some(inner) = options.get("defaultJobOptions") else { continue };
            options = Options::of(audit.resolver, inner);
        }
        let Some(attempts) = options.get("attempts") else { continue };
        let is_once = audit.source(attempts).trim() == "1";
        if is_once || options.get("backoff").is_some() || options.is_open || seen.contains(&attempts) {
            continue;
        }
        seen.push(attempts);
        findings.push(finding(audit, call.site, attempts));
    }
}

fn finding(audit: &Audit<'_, '_>, call: Site, attempts: Site) -> Finding {
    let count = audit.excerpt(attempts, 20);
    let words = Words {
        title: format!("jobs are repeated {count} times without a pause"),
        problem: format!(
            "A job that fails is put back at once, {count} times: while the service it needs is down, every job uses up its attempts within a second, fails for good, and the service gets {count} times the calls. After an outage all of the work is lost to the dead-letter list."
        ),
        verify: String::from(
            "Stop what the job needs for 30 s and add 100 jobs: all of them are done after it is back, and the log shows growing pauses between attempts.",
        ),
        tradeoff: String::from(
            "Jobs wait longer after a failure; choose attempts × delay to span the outages that are to be survived.",
        ),
    };
    let fix = Fix {
        description: String::from("Give the jobs an exponential backoff."),
        before: Some(format!("attempts: {count}")),
        after: Some(format!("attempts: {count}, backoff: {{ type: \"exponential\", delay: 1_000 }}")),
        edits: audit
            .module(attempts)
            .map(|module| module.node(attempts.1).span)
            .map(|span| Edit {
                file: audit.program().path(attempts.0).to_owned(),
                start: span.end,
                end: span.end,
                replacement: String::from(", backoff: { type: \"exponential\", delay: 1_000 }"),
            })
            .into_iter()
            .collect(),
        applicability: Applicability::Safe,
        ..Fix::default()
    };
    let evidence = vec![
        Evidence { place: Place::Code(call), note: String::from("the options of the jobs") },
        Evidence { place: Place::Code(attempts), note: format!("{count} attempts, no backoff") },
    ];
    let mut found =
        Finding::new(&META, attempts, evidence, Cost::at_share(1.0).reached(Reach::PerJob), words, fix);
    found.routes = Some(Vec::new());
    found.at_least(Severity::Medium).at_most(Severity::Medium)
}
