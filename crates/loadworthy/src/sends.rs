//! What one request of a route sends: queries, calls of other services, commands to caches and queues.

use loadworthy_analysis::{Analysis, Formula, Route, Tallies, TripKind};
use serde::Serialize;

use crate::routes::{Place, place};

/// What one request sends, on the way through its branches that sends most.
#[derive(Serialize)]
pub(crate) struct Sends {
    queries: Amount,
    external_calls: Amount,
    cache_and_queue: Amount,
}

/// A sum of terms.
#[derive(Serialize)]
struct Amount {
    /// `1 + 2·N`: each loop has its letter.
    formula: String,
    terms: Vec<Term>,
}

#[derive(Serialize)]
struct Term {
    /// In one round of the loops.
    count: u64,
    /// Outermost first; their rounds multiply.
    loops: Vec<Place>,
    /// The calls that send it.
    at: Vec<Place>,
}

impl Sends {
    /// "1 + N queries, 1 external call"; `None` if nothing is sent.
    pub(crate) fn words(&self) -> Option<String> {
        let told = |amount: &Amount, one: &str, many: &str| {
            let unit = if amount.formula == "1" { one } else { many };
            (!amount.terms.is_empty()).then(|| format!("{} {unit}", amount.formula))
        };
        let words = [
            told(&self.queries, "query", "queries"),
            told(&self.external_calls, "external call", "external calls"),
            told(&self.cache_and_queue, "command to a cache or queue", "commands to a cache or queue"),
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// What one request of a route sends.
pub(crate) fn sends(analysis: &Analysis<'_>, tallies: &mut Tallies<'_, '_>, route: &Route) -> Sends {
    let trips = tallies.of_route(route);
    let amount = |kind| {
        let formula = Formula::of(analysis, &trips, kind);
        let places = |sites: &[_]| sites.iter().map(|site| place(analysis.program(), *site)).collect();
        let terms = formula.terms.iter().map(|term| Term {
            count: term.count,
            loops: places(&term.loops),
            at: places(&term.sites),
        });
        Amount { terms: terms.collect(), formula: formula.text() }
    };
    Sends {
        queries: amount(TripKind::Query),
        external_calls: amount(TripKind::External),
        cache_and_queue: amount(TripKind::Cache),
    }
}
