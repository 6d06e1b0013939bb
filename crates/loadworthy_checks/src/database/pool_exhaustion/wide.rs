//! Requests that take most of the pool at once: `Promise.all` of many queries that stand in the code one by one.

use loadworthy_analysis::{Call, Context, Site};
use loadworthy_capacity::{DEFAULT_QUERY_MILLIS, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_syntax::{Kind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Fewer at once are no burden to any pool that is worth the name.
const FEW: usize = 5;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let pool = audit.environment.pool.max.value.max(1) as usize;
    let least = FEW.max(pool / 2 + 1);
    for (file, module) in audit.program().modules() {
        if !module.text().contains("Promise.all") {
            continue;
        }
        for call in audit.analysis.calls().of_file(file) {
            let Some(list) = promises(module, call) else { continue };
            let queries: Vec<NodeId> = list
                .into_iter()
                .filter(|element| {
                    let call = audit.analysis.calls().at((file, *element));
                    call.is_some_and(|call| takes_connection(audit, call))
                })
                .collect();
            let is_live = || audit.contexts(call.site).contains(&Context::PerRequest);
            if queries.len() >= least && is_live() {
                findings.push(finding(audit, call.site, &queries, pool));
            }
        }
    }
}

/// The elements of `Promise.all([…])`, also where a variable holds the array.
fn promises(module: &Module, call: &Call<'_>) -> Option<Vec<NodeId>> {
    let Kind::Call { callee, arguments } = module.kind(call.site.1) else { return None };
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    if module.source(object) != "Promise" || !matches!(module.str(name), "all" | "allSettled") {
        return None;
    }
    let list = module.list(arguments).next()?;
    let array = match module.kind(list) {
        Kind::Name { binding, .. } => match module.kind(module.parent(module.binding(binding)?.node)) {
            Kind::Declarator { init, .. } => init,
            _ => return None,
        },
        _ => list,
    };
    match module.kind(array) {
        Kind::Array(items) => Some(module.list(items).collect()),
        _ => None,
    }
}

/// Whether a call sends a statement over a connection of the pool; those of one transaction share its connection.
fn takes_connection(audit: &Audit<'_, '_>, call: &Call<'_>) -> bool {
    let query = audit.analysis.queries().at(call.site);
    let text = audit.source(call.site);
    let is_of_transaction = text.contains("{ transaction")
        || ["tx.", "trx.", "client.", "transaction", "conn.", "connection."]
            .iter()
            .any(|word| text.starts_with(word));
    let works = audit.analysis.works().of_call(call);
    !is_of_transaction && (query.is_some() || works.any(Effect::is_database_trip))
}

fn finding(audit: &Audit<'_, '_>, site: Site, queries: &[NodeId], pool: usize) -> Finding {
    let count = queries.len();
    let reached = audit.reached_by(site);
    let together = pool.div_euclid(count).max(1);
    let mut evidence = audit.chain_to(site, format!("{count} queries at once"));
    evidence.extend(queries.iter().take(3).map(|query| Evidence {
        place: Place::Code((site.0, *query)),
        note: String::from("takes a connection"),
    }));
    let part = if count >= pool { "all" } else { "most" };
    #[expect(clippy::cast_precision_loss, reason = "a list in the code is short")]
    let held = count as f64 * DEFAULT_QUERY_MILLIS;
    Finding::new(
        &META,
        site,
        evidence,
        audit.cost_at(site).pool_hold(held),
        Words {
            title: format!("{reached} takes {part} of the pool at once: {count} of {pool} connections"),
            problem: format!(
                "{count} queries start together, and each takes a connection of its own: with a pool of {pool} {} of these requests \
                 at the same moment leave none for the others, cheap ones and health checks included. They wait for the slowest of \
                 the {count}.",
                if together == 1 { String::from("two") } else { format!("{}", together + 1) }
            ),
            verify: format!(
                "Send 10 requests to {reached} at once while polling another route that needs one query, and watch the pool's \
                 waiting count (`pool.waitingCount`, `SHOW POOLS`): the other route's latency follows it."
            ),
            tradeoff: String::from(
                "Fewer at once make this request slower by one or two rounds; one statement for several numbers is both faster and \
                 lighter.",
            ),
        },
        Fix {
            description: String::from(
                "Ask for several numbers in one statement (`SELECT count(*) FILTER (WHERE …), …`, one multi-row insert), or let three \
                 or four run at a time (`p-limit`); size the pool for what is left.",
            ),
            before: Some(audit.excerpt(site, 160)),
            after: Some(fewer(audit, site)),
            ..Fix::default()
        },
    )
    .at_least(if count >= pool { Severity::Medium } else { Severity::Monitor })
    .at_most(Severity::Medium)
    .confidence(Confidence::Medium)
    .assuming(format!("a pool of {pool} connections for each instance"))
}

/// Queries of a literal list that run at once in the code after the fix.
const AT_ONCE: usize = 4;
/// Columns of one query that is shown.
const SHOWN: usize = 90;

/// The same queries, a few at a time.
fn fewer(audit: &Audit<'_, '_>, site: Site) -> String {
    let list = audit.resolver.argument(site, 0);
    let module = audit.module(site);
    let items: Vec<Site> = match (module, list) {
        (Some(module), Some((file, node))) => match module.kind(node) {
            Kind::Array(items) => module.list(items).map(|item| (file, item)).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    if items.is_empty() {
        return format!(
            "const limit = pLimit({AT_ONCE});\n// where each promise of {} is begun: limit(() => …) around the call that begins it",
            list.map(|list| audit.excerpt(list, 40)).unwrap_or_default()
        );
    }
    let groups = items.chunks(AT_ONCE).map(|group| {
        let lines: Vec<String> =
            group.iter().map(|item| format!("  {},\n", audit.excerpt(*item, SHOWN))).collect();
        format!("...(await Promise.all([\n{}])),", lines.concat())
    });
    let groups: Vec<String> = groups.map(|group| group.replace('\n', "\n  ")).collect();
    format!("const results = [\n  {}\n];", groups.join("\n  "))
}
