//! Requests that a page sends by a clock: `setInterval`, and hooks that stand for it.

use std::collections::BTreeSet;

use loadworthy_analysis::{Call, Options, Site};
use loadworthy_capacity::{ExtraRequests, Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileClass;
use loadworthy_syntax::{FunctionId, Kind, Module, NodeId};

use super::{META, WORTH_TELLING};
use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// A request by a clock.
struct Poll {
    /// Where the interval is chosen.
    at: Site,
    /// The timer.
    timer: Site,
    millis: f64,
    /// The component or hook that polls.
    name: String,
}

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let mut told = BTreeSet::new();
    for (file, module) in audit.program().modules() {
        if !audit.program().class(file).is_some_and(FileClass::may_be_client) {
            continue;
        }
        for call in audit.analysis.calls().of_file(file) {
            for poll in polls(audit, module, call) {
                if told.insert(poll.at) {
                    findings.extend(finding(audit, &poll));
                }
            }
        }
    }
}

fn polls(audit: &Audit<'_, '_>, module: &Module, call: &Call<'_>) -> Vec<Poll> {
    let Kind::Call { callee, .. } = module.kind(call.site.1) else { return Vec::new() };
    let name = module.source(callee).rsplit('.').next().unwrap_or_default();
    let is_timer = name == "setInterval";
    if !is_timer && !is_interval_hook(name) || !asks(audit, module, call) {
        return Vec::new();
    }
    let owner = module.outermost_function(call.site.1);
    if owner == FunctionId::NONE || !is_page_code(audit, (call.site.0, owner)) {
        return Vec::new();
    }
    // `useInterval({ callback, interval: 5000 })`
    let of_options = || {
        let options = Options::of(audit.resolver, audit.resolver.argument(call.site, 0)?);
        ["interval", "delay", "intervalMs", "every", "ms"].iter().find_map(|name| options.get(name))
    };
    let delay = audit.resolver.argument(call.site, 1).or_else(of_options);
    if let Some(millis) = delay.and_then(|delay| audit.origins().number(delay)) {
        let name = audit.function_name((call.site.0, owner));
        return vec![Poll { at: call.site, timer: call.site, millis, name }];
    }
    // A hook whose callers choose the interval.
    delay.map_or_else(Vec::new, |delay| by_callers(audit, module, (call.site, owner), delay.1))
}

/// `useInterval(ask, 5000)`, as several packages have it.
fn is_interval_hook(name: &str) -> bool {
    name.starts_with("use") && (name.ends_with("Interval") || name.ends_with("Polling"))
}

/// A component or hook, by its name: what else sets timers in a client is not one for each page.
fn is_page_code(audit: &Audit<'_, '_>, function: loadworthy_analysis::FunctionRef) -> bool {
    audit.analysis.components(function.0).iter().any(|component| component.function == function)
}

/// The calls of a hook that give it the interval as a number.
fn by_callers(
    audit: &Audit<'_, '_>,
    module: &Module,
    (timer, owner): (Site, FunctionId),
    delay: NodeId,
) -> Vec<Poll> {
    let Kind::Name { name, binding } = module.kind(delay) else { return Vec::new() };
    let Some(lowered) = module.function(owner) else { return Vec::new() };
    let Some(declared) = module.binding(binding) else { return Vec::new() };
    let parameters: Vec<NodeId> = module.list(lowered.parameters).collect();
    let Some(index) = parameters.iter().position(|pattern| module.contains(*pattern, declared.node)) else {
        return Vec::new();
    };
    let key = module.str(name);
    let sites = audit.program().links().call_sites(timer.0, owner);
    let of = |site: &Site| {
        let argument = audit.resolver.argument(*site, index)?;
        let options = Options::of(audit.resolver, argument);
        let number = options.get(key).unwrap_or(argument);
        let millis = audit.origins().number(number)?;
        let file = audit.module(*site)?;
        let name = audit.function_name((site.0, file.outermost_function(site.1)));
        Some(Poll { at: *site, timer, millis, name })
    };
    sites.iter().filter_map(of).collect()
}

/// Members that make a query library or router ask again.
const ASKS_AGAIN: [&str; 7] =
    ["revalidate", "refetch", "mutate", "refresh", "invalidateQueries", "refetchQueries", "reload"];

/// Whether the function that is handed to the timer sends a request.
fn asks(audit: &Audit<'_, '_>, module: &Module, call: &Call<'_>) -> bool {
    let is_request = |effect| matches!(effect, Effect::HttpRequest | Effect::ReactFetch | Effect::AsyncNet);
    call.handed.iter().any(|handed| {
        let (file, function) = handed.function;
        if audit.analysis.works().of(handed.function).any(is_request) {
            return true;
        }
        let Some(lowered) = module.function(function).filter(|_| file == call.site.0) else { return false };
        module.all_nodes(lowered.node).into_iter().any(|node| {
            let Kind::Call { callee, .. } = module.kind(node) else { return false };
            let name = match module.kind(callee) {
                Kind::Member { object, name } => {
                    // `fetcher.load(path)` of a router that keeps its data
                    if module.str(name) == "load" && module.source(object).to_lowercase().ends_with("fetcher")
                    {
                        return true;
                    }
                    module.str(name)
                }
                Kind::Name { name, .. } => module.str(name),
                _ => return false,
            };
            ASKS_AGAIN.contains(&name)
        })
    })
}

fn finding(audit: &Audit<'_, '_>, poll: &Poll) -> Option<Finding> {
    let Poll { at, timer, millis, name } = poll;
    let rate = f64::from(audit.target.users) * 1000.0 / millis.max(1.0);
    if rate < audit.target.requests_per_second * WORTH_TELLING {
        return None;
    }
    let seconds = millis / 1000.0;
    let mut evidence = vec![Evidence { place: Place::Code(*at), note: format!("every {seconds} s") }];
    if timer != at {
        evidence.push(Evidence { place: Place::Code(*timer), note: String::from("the timer") });
    }
    let words = Words {
        title: format!("{name} polls every {seconds} s"),
        problem: format!(
            "Every open {name} sends a request each {seconds} s, whether something has changed or not, also in a hidden tab: {} users \
             ÷ {seconds} s = {rate:.0} requests per second, against {} req/s of the whole target.",
            audit.target.users, audit.target.requests_per_second
        ),
        verify: format!(
            "Open {name} in ten tabs and count the requests per minute in the server's log: {:.0}.",
            600.0 / seconds
        ),
        tradeoff: String::from(
            "A longer interval shows changes later; a push (server-sent events) keeps a connection for each user.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Poll less often, stop while `document.hidden`, add jitter, and let the server answer 304 by ETag; or push changes by \
             server-sent events.",
        ),
        before: Some(audit.source(*at).to_owned()),
        ..Fix::default()
    };
    let cost =
        audit.cost_at(*at).reached(Reach::PerRender).extra(ExtraRequests::PerUserPerSecond(1.0 / seconds));
    Some(
        Finding::new(&META, *at, evidence, cost, words, fix)
            .confidence(Confidence::Medium)
            .at_least(Severity::Medium)
            .at_most(Severity::High),
    )
}
