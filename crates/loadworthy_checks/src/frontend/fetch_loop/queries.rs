//! Query libraries: intervals, invalidation of everything, and defaults that ask again on every focus.

use loadworthy_analysis::{Call, Options, Site};
use loadworthy_capacity::{ExtraRequests, Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::FileClass;
use loadworthy_syntax::Kind;

use super::{META, WORTH_TELLING};
use crate::audit::Audit;
use crate::database::rows::plain;
use crate::finding::{Applicability, Confidence, Edit, Evidence, Finding, Fix, Place, Words};

/// Part of the target's rate from which polling is more than something to watch.
const LARGE_PART: f64 = 0.33;
/// Queries of a page set from which each return to the tab is a burst of requests.
const MANY_QUERIES: usize = 10;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let calls = || audit.analysis.calls().iter().filter(|call| is_page(audit, call.site));
    for call in calls() {
        let Some(library) = &call.library else { continue };
        if library.effect() == Some(Effect::ReactFetch) {
            findings.extend(polls(audit, call));
        }
        if &*library.name == "invalidateQueries"
            && has_no_argument(audit, call.site)
            && !changes_user(audit, call.site)
        {
            findings.push(everything(audit, call.site));
        }
    }
    let queries = calls()
        .filter(|call| {
            call.library
                .as_ref()
                .is_some_and(|it| it.effect() == Some(Effect::ReactFetch) && it.name.contains("Query"))
        })
        .count();
    if queries < MANY_QUERIES {
        return;
    }
    for call in calls().filter(|call| call.library.as_ref().is_some_and(|it| &*it.name == "QueryClient")) {
        findings.extend(defaults(audit, call.site, queries));
    }
}

/// Another user sees other data: after a login or logout everything is asked for anew.
fn changes_user(audit: &Audit<'_, '_>, site: Site) -> bool {
    let Some(module) = audit.module(site) else { return false };
    let around =
        module.ancestors(site.1).filter(|outer| matches!(module.kind(*outer), Kind::Call { .. })).last();
    let text = around.map_or("", |around| module.source(around)).to_lowercase();
    ["login", "logout", "signin", "signout", "sign-in", "sign-out", "impersonat"]
        .iter()
        .any(|word| text.contains(word))
}

/// The component or hook around a place.
fn component(audit: &Audit<'_, '_>, site: Site) -> String {
    let Some(module) = audit.module(site) else { return String::from("the page") };
    audit.function_name((site.0, module.outermost_function(site.1)))
}

fn is_page(audit: &Audit<'_, '_>, site: Site) -> bool {
    audit.program().class(site.0).is_some_and(FileClass::may_be_client)
}

fn has_no_argument(audit: &Audit<'_, '_>, site: Site) -> bool {
    let Some(module) = audit.module(site) else { return false };
    matches!(module.kind(site.1), Kind::Call { arguments, .. } if module.list(arguments).next().is_none())
}

/// `refetchInterval: 3000`, `refreshInterval: 3000`.
fn polls(audit: &Audit<'_, '_>, call: &Call<'_>) -> Option<Finding> {
    let at = (0..3).find_map(|at| {
        let options = Options::of(audit.resolver, audit.resolver.argument(call.site, at)?);
        let found =
            ["refetchInterval", "refreshInterval", "pollInterval"].iter().find_map(|name| options.get(name));
        found.filter(|_| !options.iter().any(|it| it.is_optional))
    })?;
    let millis = audit.origins().number(at).filter(|millis| *millis >= 1.0)?;
    let rate = f64::from(audit.target.users) * 1000.0 / millis;
    if rate < audit.target.requests_per_second * WORTH_TELLING {
        return None;
    }
    let component = component(audit, call.site);
    // Pages of staff have a few users, not all of them.
    let is_staff = audit.program().path(call.site.0).to_lowercase().contains("admin");
    let is_large = rate >= audit.target.requests_per_second * LARGE_PART && !is_staff;
    let seconds = millis / 1000.0;
    let words = Words {
        title: format!("{component} polls every {seconds} s"),
        problem: format!(
            "Every open {component} asks again each {seconds} s, whether something has changed or not: {} users ÷ {seconds} s = {} requests per second, against {} req/s of the whole target. What the endpoint costs is paid at that rate.",
            audit.target.users,
            plain(rate),
            plain(audit.target.requests_per_second)
        ),
        verify: format!(
            "Open {component} in ten tabs and count the requests per minute in the server's log: {}.",
            plain(600.0 / seconds)
        ),
        tradeoff: String::from(
            "A longer interval shows changes later; a push (server-sent events) keeps a connection for each user.",
        ),
    };
    let fix = Fix {
        description: String::from(
            "Ask less often (30 s and more, with the tab visible), let the server answer 304 by ETag, or push changes by server-sent events and invalidate the query then.",
        ),
        before: Some(format!("refetchInterval: {}", audit.source(at))),
        after: Some(String::from("refetchInterval: 30_000")),
        ..Fix::default()
    };
    let evidence = vec![Evidence {
        place: Place::Code(at),
        note: format!("every {seconds} s, for each user who has it open"),
    }];
    let cost = audit
        .cost_at(call.site)
        .reached(Reach::PerRender)
        .extra(ExtraRequests::PerUserPerSecond(1.0 / seconds));
    Some(
        Finding::new(&META, at, evidence, cost, words, fix)
            .confidence(Confidence::Medium)
            .at_least(if is_large { Severity::Medium } else { Severity::Monitor })
            .at_most(if is_large { Severity::High } else { Severity::Monitor }),
    )
}

/// `queryClient.invalidateQueries()`.
fn everything(audit: &Audit<'_, '_>, site: Site) -> Finding {
    let component = component(audit, site);
    let words = Words {
        title: format!("{component} asks for everything again after a change"),
        problem: String::from(
            "Without a key every query of the page set is out of date, and each one in view is asked for again at once: one click becomes as many requests as there are queries, also for what the change did not touch.",
        ),
        verify: String::from(
            "Make the change with the network tab open and count the requests that follow: one or two after the change of the code.",
        ),
        tradeoff: String::from(
            "A key that is forgotten leaves old data in view: keep the keys of one kind of data in one place.",
        ),
    };
    let fix = Fix {
        description: String::from("Name what has changed, or put the answer of the mutation into the cache."),
        before: Some(audit.source(site).to_owned()),
        after: Some(
            audit
                .source(site)
                .replace("invalidateQueries()", "invalidateQueries({ queryKey: [\"orders\"] })"),
        ),
        ..Fix::default()
    };
    let evidence = vec![Evidence { place: Place::Code(site), note: String::from("invalidates every query") }];
    Finding::new(&META, site, evidence, audit.cost_at(site).reached(Reach::PerRender), words, fix)
        .at_least(Severity::Medium)
        .at_most(Severity::Medium)
}

/// A client whose answers are out of date at once and are asked for again on every focus.
fn defaults(audit: &Audit<'_, '_>, site: Site, queries: usize) -> Option<Finding> {
    let given = audit.resolver.argument(site, 0).map(|at| Options::of(audit.resolver, at));
    let inner = given
        .as_ref()
        .and_then(|options| options.get("defaultOptions"))
        .map(|at| Options::of(audit.resolver, at));
    let own =
        inner.as_ref().and_then(|options| options.get("queries")).map(|at| Options::of(audit.resolver, at));
    let is_open = [&given, &inner, &own].into_iter().flatten().any(|options| options.is_open);
    let has = |name: &str| own.as_ref().is_some_and(|options| options.get(name).is_some());
    if is_open || has("staleTime") || has("refetchOnWindowFocus") {
        return None;
    }
    let code = audit.excerpt(site, 60);
    let words = Words {
        title: String::from("answers are out of date at once and asked for again on every focus"),
        problem: format!(
            "`{code}` keeps the defaults: `staleTime` 0 and `refetchOnWindowFocus`. Every return to the tab, and every component that mounts, asks again for what is in view, of {queries} queries in all. Users who switch between tabs multiply the traffic without a change to show for it."
        ),
        verify: String::from(
            "Switch away from the tab and back ten times with the network tab open: no request within the stale time after the change.",
        ),
        tradeoff: String::from(
            "Data may be as old as the stale time; set it to 0 for the few queries that must be current.",
        ),
    };
    let span = audit.module(site)?.node(site.1).span;
    let is_bare = audit.source(site).trim_end().ends_with("()");
    let after = String::from(
        "new QueryClient({ defaultOptions: { queries: { staleTime: 60_000, refetchOnWindowFocus: false } } })",
    );
    let fix = Fix {
        description: String::from(
            "Give queries a stale time of a minute and refetch on focus only where it matters.",
        ),
        before: Some(code),
        after: Some(after.clone()),
        edits: is_bare
            .then(|| Edit {
                file: audit.program().path(site.0).to_owned(),
                start: span.start,
                end: span.end,
                replacement: after,
            })
            .into_iter()
            .collect(),
        applicability: Applicability::Review,
        ..Fix::default()
    };
    let evidence =
        vec![Evidence { place: Place::Code(site), note: format!("the defaults hold for {queries} queries") }];
    let mut found =
        Finding::new(&META, site, evidence, audit.cost_at(site).reached(Reach::PerRender), words, fix);
    found.routes = Some(Vec::new());
    Some(found.at_least(Severity::Monitor).at_most(Severity::Medium))
}
