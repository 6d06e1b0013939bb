//! Clients of one database that several modules make, each with a pool of its own.

use std::collections::BTreeMap;

use loadworthy_analysis::{Site, standing_clients};
use loadworthy_capacity::{Cost, Severity};
use loadworthy_knowledge::LibId;
use loadworthy_project::{FileClass, PackageId};
use loadworthy_syntax::Kind;

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Places from which on it is no longer a second database or a reader beside a writer.
const LEAST: usize = 3;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut groups: BTreeMap<(PackageId, LibId, String), Vec<Site>> = BTreeMap::new();
    for (site, lib) in standing_clients(audit.analysis, audit.resolver) {
        let Some(file) = audit.program().project().file(site.0) else { continue };
        let is_server = audit.program().class(site.0).is_some_and(FileClass::may_be_server);
        if !is_server || !audit.analysis.is_loaded(site.0) {
            continue;
        }
        // Other arguments are another database.
        let group = groups.entry((file.package, lib, arguments(audit, site))).or_default();
        if group.iter().all(|known| known.0 != site.0) {
            group.push(site);
        }
    }
    findings.extend(groups.values().filter(|group| group.len() >= LEAST).filter_map(|it| finding(audit, it)));
}

fn arguments(audit: &Audit<'_, '_>, site: Site) -> String {
    let Some(module) = audit.module(site) else { return String::new() };
    let (Kind::New { arguments, .. } | Kind::Call { arguments, .. }) = module.kind(site.1) else {
        return String::new();
    };
    let texts: Vec<&str> = module.list(arguments).map(|node| module.source(node)).collect();
    texts.join(", ").split_whitespace().collect()
}

fn finding(audit: &Audit<'_, '_>, group: &[Site]) -> Option<Finding> {
    let first = *group.first()?;
    let what = audit.excerpt(first, 40);
    let count = group.len();
    let evidence = group
        .iter()
        .map(|site| Evidence {
            place: Place::Code(*site),
            note: String::from("makes a client with a pool of its own"),
        })
        .collect();
    let words = Words {
        title: format!("{count} modules make a client of the same database each"),
        problem: format!(
            "`{what}` stands in {count} modules, and each makes a pool: the process may open {count} times as many connections as one pool \
             allows, with every instance on top. Under load the busy modules wait for their own few connections while those of the \
             others idle, and the server refuses connections when all pools fill (`too many clients already`)."
        ),
        verify: String::from(
            "Run the load test and count the server's connections (`SELECT count(*) FROM pg_stat_activity`, `db.serverStatus().connections`): \
             they exceed one pool's size, and fall to it after the change.",
        ),
        tradeoff: String::from(
            "One pool needs the size of all of them together; take it from the target, not from the number of modules.",
        ),
    };
    let fix = Fix {
        description: format!(
            "Make `{what}` once in a module of its own that exports it, and import that in the other {} places.",
            count - 1
        ),
        before: Some(audit.source(audit.statement(first)).to_owned()),
        after: Some(format!(
            "// db.js: the one client of the process\n{}\n// elsewhere: import it",
            exported(audit, first)
        )),
        ..Fix::default()
    };
    let mut found = Finding::new(&META, first, evidence, Cost::at_share(1.0), words, fix)
        .confidence(Confidence::Medium)
        .at_least(Severity::High)
        .at_most(Severity::High);
    found.routes = Some(Vec::new());
    Some(found)
}

fn exported(audit: &Audit<'_, '_>, site: Site) -> String {
    let statement = audit.source(audit.statement(site)).trim_start_matches("export ").to_owned();
    let is_commonjs = audit.module(site).is_some_and(|module| module.text().contains("require("));
    // `const db = …`
    match statement.split_whitespace().nth(1) {
        Some(name) if is_commonjs => format!("{statement}\nmodule.exports = {{ {name} }};"),
        _ => format!("export {statement}"),
    }
}
