//! Outbound calls without a deadline, grouped by what one fix would mend.

use std::collections::BTreeMap;

use loadworthy_analysis::{Call, Deadline, Deadlines, FunctionRef, LibraryCall, Missing, Site};
use loadworthy_capacity::{ExternalWait, Severity};
use loadworthy_knowledge::DeadlineRow;
use loadworthy_project::{FileClass, PackageId};
use loadworthy_syntax::{BindingKind, FunctionId, Kind, Module, NodeId};

use super::META;
use super::words::{self, fix};
use crate::audit::Audit;
use crate::dependency::{dependency, is_local, is_relative};
use crate::finding::{Confidence, Evidence, Finding, Place};
use crate::runs::{Runs, cost_of, runs};

/// A call that nothing ends soon enough.
pub(super) struct Unended<'a, 'p> {
    pub(super) call: &'a Call<'p>,
    pub(super) library: &'a LibraryCall<'p>,
    pub(super) row: &'p DeadlineRow,
    pub(super) why: Why<'p>,
    pub(super) runs: Runs,
    pub(super) dependency: String,
}

/// Why nothing ends it.
pub(super) enum Why<'p> {
    Nothing(Missing),
    Default { millis: f64, meaning: Option<&'p str> },
    Unknown(Site),
}

/// A library that gives up by itself within this is left alone: half a minute at 1 req/s is 30 requests in flight.
const SHORT_DEFAULT_MILLIS: f64 = 30_000.0;

/// What one fix mends.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Root {
    Client((usize, usize)),
    Helper((usize, usize)),
    File(usize, String, Runs),
    Package(Option<PackageId>, String, Runs),
}

pub(super) fn run<'p>(audit: &Audit<'_, 'p>, deadlines: &Deadlines<'_, 'p>, findings: &mut Vec<Finding>) {
    let mut groups: BTreeMap<Root, Vec<Unended<'_, '_>>> = BTreeMap::new();
    for call in audit.analysis.calls().iter() {
        let Some(unended) = unended(audit, deadlines, call) else { continue };
        groups.entry(root(audit, &unended)).or_default().push(unended);
    }
    for (root, calls) in groups {
        let (unknown, known): (Vec<_>, Vec<_>) =
            calls.into_iter().partition(|it| matches!(it.why, Why::Unknown(_)));
        findings.extend(finding(audit, &root, &known));
        findings.extend(finding(audit, &root, &unknown));
    }
}

fn unended<'a, 'p>(
    audit: &'a Audit<'a, 'p>,
    deadlines: &Deadlines<'a, 'p>,
    call: &'a Call<'p>,
) -> Option<Unended<'a, 'p>> {
    let library = call.library.as_ref()?;
    let row = deadlines.row(call, library).filter(|row| !row.standing)?;
    let runs = match runs(audit, call.site)? {
        // A relative address has nothing to be relative to outside a page.
        Runs::Request | Runs::Unreached if library.made_at.is_none() && is_relative(audit, call.site) => {
            Runs::Browser
        }
        runs => runs,
    };
    if is_service_worker(audit, call.site) {
        return None;
    }
    let why = match deadlines.of(call, library, row) {
        Deadline::Missing(missing) => Why::Nothing(missing),
        Deadline::Default { millis, row } if millis >= SHORT_DEFAULT_MILLIS => {
            Why::Default { millis, meaning: row.and_then(|row| row.meaning.as_deref()) }
        }
        // Options that nobody can see, in code that nobody is seen to call: nothing to say.
        Deadline::Unknown { options } if runs == Runs::Request => Why::Unknown(options),
        Deadline::Set { .. } | Deadline::Raced(_) | Deadline::Default { .. } | Deadline::Unknown { .. } => {
            return None;
        }
    };
    let dependency = dependency(audit, call, library);
    (!is_local(&dependency)).then_some(Unended { call, library, row, why, runs, dependency })
}

fn root(audit: &Audit<'_, '_>, unended: &Unended<'_, '_>) -> Root {
    let at = |site: Site| (site.0.index(), site.1.index());
    let call = unended.call;
    let owner = audit.analysis.owner(call.site);
    // A client that is made where it is used is one of as many as there are uses: the file has the habit.
    let is_shared = |made_at: &Site| {
        let maker = audit.analysis.owner(*made_at);
        maker.1 == FunctionId::NONE || maker != owner
    };
    let client = unended.library.made_at.filter(|_| unended.row.client_add.is_some());
    if let Some(made_at) = client.filter(is_shared) {
        return Root::Client(at(made_at));
    }
    if is_helper(audit, call.site, owner) {
        return Root::Helper(at(call.site));
    }
    let kind = audit.knowledge().library(unended.library.lib).id.clone();
    if matches!(unended.runs, Runs::Browser | Runs::Unreached) {
        let package = audit.program().project().file(call.site.0).map(|file| file.package);
        return Root::Package(package, kind, unended.runs);
    }
    Root::File(call.site.0.index(), kind, unended.runs)
}

/// Whether the function around a call makes it for others: it is told what to call.
fn is_helper(audit: &Audit<'_, '_>, call: Site, owner: FunctionRef) -> bool {
    if owner.1 == FunctionId::NONE {
        return false;
    }
    let callers = audit.program().links().call_sites(owner.0, owner.1).len();
    let Some(module) = audit.module(call) else { return false };
    let Some((_, first)) = audit.resolver.argument(call, 0) else { return false };
    callers >= 2 && begins_with_parameter(module, first, owner.1)
}

/// `url`, `options.url`, `` `${BASE}${path}` ``, `{ url, method }`: the caller says where it goes, not just for what.
fn begins_with_parameter(module: &Module, node: NodeId, owner: FunctionId) -> bool {
    let of = |node: NodeId| begins_with_parameter(module, node, owner);
    match module.kind(node) {
        Kind::Name { binding, .. } => module.binding(binding).is_some_and(|it| {
            it.kind == BindingKind::Parameter && module.enclosing_function(it.node) == owner
        }),
        Kind::Member { object, .. } => of(object),
        Kind::Binary { left, right, .. } => of(left) || of(right),
        Kind::Template { strings, values } => {
            let texts = module.atoms(strings).zip(module.list(values));
            texts.take_while(|(text, _)| !text.contains(char::is_alphanumeric)).any(|(_, value)| of(value))
        }
        Kind::Object(parts) => module.list(parts).any(|part| match module.kind(part) {
            Kind::Property { key, value } => module.str(key) == "url" && of(value),
            Kind::Spread(value) => of(value),
            _ => false,
        }),
        _ => false,
    }
}

fn finding(audit: &Audit<'_, '_>, root: &Root, calls: &[Unended<'_, '_>]) -> Option<Finding> {
    let busiest = busiest(audit, calls)?;
    let place = match (root, calls.first().and_then(|first| first.library.made_at)) {
        (Root::Client(_), Some(made_at)) => made_at,
        _ => busiest.call.site,
    };
    let sites: Vec<Site> = calls.iter().map(|it| it.call.site).collect();
    let wait = match &busiest.why {
        Why::Default { millis, .. } => ExternalWait::Deadline(*millis),
        Why::Nothing(_) | Why::Unknown(_) => ExternalWait::Unbounded,
    };
    let cost = cost_of(audit, &sites).external(wait);
    let mut finding = Finding::new(
        &META,
        place,
        evidence(audit, place, busiest, calls),
        cost,
        words::of(audit, busiest, calls, scope(root)),
        fix(audit, busiest, calls, place),
    );
    finding.routes = Some(audit.route_names_of(&sites));
    match busiest.runs {
        Runs::Request => {}
        Runs::Job | Runs::Browser => finding = finding.at_most(Severity::Medium),
        Runs::Unreached => {
            let function = audit.function_name(audit.analysis.owner(busiest.call.site));
            finding = finding.at_most(Severity::Medium).unless(format!(
                "no route or job that reaches `{function}` was found; if one does, each of its runs can wait for ever"
            ));
        }
    }
    Some(match &busiest.why {
        Why::Unknown(options) => finding.unless(format!(
            "whether `{}` ({}) sets a timeout or a signal with a timer",
            audit.excerpt(*options, 60),
            audit.place_of(*options)
        )),
        Why::Default { .. } => finding.confidence(Confidence::Medium),
        Why::Nothing(_) => finding,
    })
}

/// The call that most routes reach, of equals the first.
fn busiest<'u, 'a, 'p>(audit: &Audit<'_, '_>, calls: &'u [Unended<'a, 'p>]) -> Option<&'u Unended<'a, 'p>> {
    let routes =
        |it: &Unended<'_, '_>| (std::cmp::Reverse(it.runs), audit.analysis.routes_to(it.call.site).count());
    let mut best = calls.first()?;
    for call in calls {
        if routes(call) > routes(best) {
            best = call;
        }
    }
    Some(best)
}

/// Places told of beside the busiest.
const MOST_PLACES: usize = 60;

fn evidence(
    audit: &Audit<'_, '_>,
    place: Site,
    busiest: &Unended<'_, '_>,
    calls: &[Unended<'_, '_>],
) -> Vec<Evidence> {
    let note = format!("nothing ends this {}", busiest.row.what);
    let mut evidence = audit.chain_to(busiest.call.site, note);
    if place != busiest.call.site {
        evidence.push(Evidence { place: Place::Code(place), note: "the client is made here".to_owned() });
    }
    if let Why::Nothing(Missing { signal: Some(signal), .. }) = &busiest.why {
        evidence
            .push(Evidence { place: Place::Code(*signal), note: "no timer aborts this signal".to_owned() });
    }
    if let Why::Nothing(Missing { callers, .. }) = &busiest.why {
        let callers = callers.iter().take(MOST_PLACES);
        evidence.extend(callers.map(|site| Evidence {
            place: Place::Code(*site),
            note: "this caller passes no deadline".to_owned(),
        }));
    }
    let others = calls.iter().filter(|it| it.call.site != busiest.call.site).take(MOST_PLACES);
    evidence.extend(others.map(|it| Evidence {
        place: Place::Code(it.call.site),
        note: match audit.reached_by(it.call.site) {
            by if by.is_empty() => "as this one".to_owned(),
            by => format!("as this one, in {by}"),
        },
    }));
    evidence
}

/// Where the calls of a group are.
fn scope(root: &Root) -> words::Scope {
    match root {
        Root::Client(_) => words::Scope::Client,
        Root::Helper(_) => words::Scope::Helper,
        Root::File(..) => words::Scope::File,
        Root::Package(..) => words::Scope::Package,
    }
}

/// Whether a file is a service worker: it passes on the requests of a page, which may end them.
fn is_service_worker(audit: &Audit<'_, '_>, site: Site) -> bool {
    audit.module(site).is_some_and(|module| module.text().contains("self.addEventListener("))
}

/// Whether a file is the browser's.
pub(super) fn is_client(audit: &Audit<'_, '_>, site: Site) -> bool {
    audit.program().class(site.0) == Some(FileClass::Client)
}
