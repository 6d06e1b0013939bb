//! How often a call is tried by the library that makes it, before the program hears of a failure.

use loadworthy_knowledge::{AttemptsRow, Effect};

use crate::analysis::Analysis;
use crate::calls::{Call, LibraryCall};
use crate::failure::installed_version;
use crate::graph::Timing;
use crate::links::FunctionRef;
use crate::values::{Resolver, Site, Value};

/// What a library does by itself.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LibraryAttempts {
    /// The call that is tried.
    pub call: Site,
    /// All attempts, the first included.
    pub most: f64,
    /// Where the client is made to, if the program says so.
    pub by: Option<Site>,
}

/// Calls of functions between a place and the call that leaves the process.
const MAX_DEPTH: usize = 4;

/// The most that a library tries one of the calls which an expression makes, here or in what it calls.
#[must_use]
pub fn attempts_below(
    analysis: &Analysis<'_>,
    resolver: &Resolver<'_>,
    site: Site,
) -> Option<LibraryAttempts> {
    let mut most: Option<LibraryAttempts> = None;
    for call in calls_below(analysis, site) {
        let Some(found) = analysis.calls().at(call).and_then(|call| attempts(analysis, resolver, call))
        else {
            continue;
        };
        if most.is_none_or(|most| found.most > most.most) {
            most = Some(found);
        }
    }
    most
}

/// The call itself, and the calls in the functions that run in its flow, those that are handed to a library among them.
#[must_use]
pub fn calls_below(analysis: &Analysis<'_>, site: Site) -> Vec<Site> {
    let mut calls = vec![site];
    let graph = analysis.graph();
    let targets = analysis.calls().at(site).map(|call| call.targets.clone()).unwrap_or_default();
    let handed = analysis.calls().at(site).filter(|call| call.library.is_some());
    let handed = handed.into_iter().flat_map(|call| call.handed.iter().map(|handed| handed.function));
    let mut open: Vec<(FunctionRef, usize)> =
        targets.iter().copied().chain(handed).map(|target| (target, 0)).collect();
    let mut seen: Vec<FunctionRef> = Vec::new();
    while let Some((function, depth)) = open.pop() {
        if seen.contains(&function) {
            continue;
        }
        seen.push(function);
        calls.extend(analysis.calls().of_function(function).map(|call| call.site));
        if depth < MAX_DEPTH {
            let edges = graph.callees(function).filter(|edge| edge.timing == Timing::InFlow);
            open.extend(edges.map(|edge| (edge.callee, depth + 1)));
        }
    }
    calls
}

/// How often the library of a call tries it.
fn attempts(analysis: &Analysis<'_>, resolver: &Resolver<'_>, call: &Call<'_>) -> Option<LibraryAttempts> {
    let library = call.library.as_ref()?;
    if !library.effect().is_some_and(Effect::is_service_call) {
        return None;
    }
    wrapped(analysis, resolver, call, library).or_else(|| own(analysis, resolver, call, library))
}

/// By the options of the client.
fn own(
    analysis: &Analysis<'_>,
    resolver: &Resolver<'_>,
    call: &Call<'_>,
    library: &LibraryCall<'_>,
) -> Option<LibraryAttempts> {
    let version = installed_version(analysis.program(), call.site, library.module.as_deref());
    let row = analysis.knowledge().attempts(library.lib, version)?;
    let set = library.options.and_then(|options| number(resolver, options, row));
    let most = row.attempts(set.unwrap_or(row.default));
    Some(LibraryAttempts { call: call.site, most, by: library.options.filter(|_| set.is_some()) })
}

/// By a library that was handed the client.
fn wrapped(
    analysis: &Analysis<'_>,
    resolver: &Resolver<'_>,
    call: &Call<'_>,
    library: &LibraryCall<'_>,
) -> Option<LibraryAttempts> {
    let rows: Vec<_> = analysis.knowledge().retried_by(library.lib).collect();
    if rows.is_empty() {
        return None;
    }
    analysis.effects(|effect| effect == Effect::RetryWrap).find_map(|(wrap, by)| {
        let (_, row) = rows.iter().find(|(lib, _)| *lib == by.lib)?;
        let client = resolver.argument(wrap.site, 0)?;
        let is_its = resolver.value_of(client).iter().any(|value| match value {
            Value::External(external) => external.site() == library.made_at,
            _ => false,
        });
        let set = resolver.argument(wrap.site, 1).and_then(|options| number(resolver, options, row));
        let most = row.attempts(set.unwrap_or(row.default));
        is_its.then_some(LibraryAttempts { call: call.site, most, by: Some(wrap.site) })
    })
}

/// The number that options set.
fn number(resolver: &Resolver<'_>, options: Site, row: &AttemptsRow) -> Option<f64> {
    let all = resolver.filled(&resolver.value_of(options));
    row.options.iter().find_map(|path| {
        let at = path.split('.').fold(all.clone(), |values, name| resolver.member(&values, name));
        at.iter().find_map(|value| match value {
            Value::Number(number) => Some(number.get()),
            _ => None,
        })
    })
}
