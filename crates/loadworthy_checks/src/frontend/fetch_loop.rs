//! # Fetch loops
//! Effects that run again because of what they do, cached requests whose key is another one in each render, requests on every
//! keystroke or focus, and polling: the clients' own load test.
//!
//! ## Why it fails under load
//! Each open page sends on its own: users ÷ interval requests per second for polling, one request per render for an effect
//! that sets what it depends on. 1,000 users who poll every 5 seconds are 200 requests per second before anybody clicks.
//!
//! ## Bad
//! ```tsx title="src/Orders.tsx"
//! import { useEffect, useState } from "react";
//! export function Orders() {
//!   const [orders, setOrders] = useState([]);
//!   const filter = { open: true };
//!   useEffect(() => { // finding: 5C
//!     fetch("/api/orders?open=" + filter.open).then((answer) => answer.json()).then(setOrders);
//!   }, [filter]);
//!   return <ul>{orders.length}</ul>;
//! }
//! ```
//!
//! ## Good
//! ```tsx title="src/Orders.tsx"
//! import { useEffect, useState } from "react";
//! const FILTER = { open: true };
//! export function Orders() {
//!   const [orders, setOrders] = useState([]);
//!   useEffect(() => {
//!     fetch("/api/orders?open=" + FILTER.open).then((answer) => answer.json()).then(setOrders);
//!   }, []);
//!   return <ul>{orders.length}</ul>;
//! }
//! ```
//!
//! ## Leaves alone
//! Dependencies that are primitive, memoised, refs or constants of the module; requests behind a debounce; polling that is
//! slow against the number of users; times in keys that are kept or rounded.

mod again;
mod cache_keys;
mod effects;
mod endless;
mod ignored;
mod parents;
mod polling;
mod pushes;
mod queries;
mod reload;
mod typing;

use loadworthy_analysis::Component;
use loadworthy_capacity::{Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_syntax::{FunctionId, Kind, Module};

use crate::audit::Audit;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};
use crate::meta::{Category, Check, Meta};

pub(crate) struct FetchLoop;

static META: Meta = Meta {
    code: "5C",
    slug: "fetch-loop",
    category: Category::Frontend,
    summary: "components request more often than there is something new",
    page: include_str!("fetch_loop.rs"),
};

/// Part of the target's rate from which polling is worth a finding.
const WORTH_TELLING: f64 = 0.1;

impl Check for FetchLoop {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
        queries::run(audit, findings);
        cache_keys::run(audit, findings);
        polling::run(audit, findings);
        pushes::run(audit, findings);
        again::run(audit, findings);
        for (file, module) in audit.program().modules() {
            for component in audit.analysis.components(file) {
                effects::run(audit, (file, module, component), findings);
                findings.extend(typing::run(audit, module, component));
                findings.extend(endless::run(audit, module, component));
                findings.extend(debounce_per_render(audit, module, component));
                findings.extend(reload::run(audit, module, component));
            }
        }
    }
}

/// `debounce(…)` in a component's body: another one in each render, so nothing is ever held back.
fn debounce_per_render(audit: &Audit<'_, '_>, module: &Module, component: &Component) -> Option<Finding> {
    let call = audit.analysis.calls().of_function(component.function).find(|call| {
        let is_debounce = call.library.as_ref().is_some_and(|library| {
            library.effect() == Some(Effect::TimerDebounce) && !library.name.starts_with("use")
        });
        is_debounce
            && call.function != FunctionId::NONE
            && matches!(
                module.kind(module.parent(call.site.1)),
                Kind::Declarator { .. } | Kind::Property { .. }
            )
    })?;
    let what = audit.excerpt(call.site, 50);
    let name = &component.name;
    Some(
        Finding::new(
            &META,
            call.site,
            vec![Evidence { place: Place::Code(call.site), note: String::from("made in each render") }],
            audit.cost_at(call.site).reached(Reach::PerRender),
            Words {
                title: format!("{name} makes another debounced function in each render"),
                problem: format!(
                    "`{what}` stands in the body of {name}: each render makes a new one with a timer of its own, so calls of \
                     different renders are not held back, and every keystroke that renders sends its request."
                ),
                verify: format!("Type ten letters quickly into {name} and count the requests in the network panel: about ten instead of one."),
                tradeoff: String::from("None; the memoised function must not capture values that change."),
            },
            Fix {
                description: String::from("Make it once: `useMemo(() => debounce(…), [])`, and cancel it in an effect's cleanup."),
                before: Some(audit.source(audit.statement(call.site)).to_owned()),
                ..Fix::default()
            },
        )
        .at_least(Severity::Medium)
        .at_most(Severity::Medium)
        .confidence(Confidence::Medium),
    )
}
