//! Rows of a page's list of which each sends a request of its own.

use std::collections::BTreeSet;

use loadworthy_analysis::{
    ClientRequest, Component, Context, Multiplicity, Site, Timing, decision_by, elements_of, uses,
};
use loadworthy_capacity::{ExtraRequests, Reach, Severity};
use loadworthy_knowledge::Effect;
use loadworthy_project::{FileClass, FileId};
use loadworthy_syntax::{BindingId, FunctionId, Kind, Module, NodeId};

use super::META;
use crate::audit::Audit;
use crate::database::rows::plain;
use crate::finding::{Confidence, Evidence, Finding, Fix, Place, Words};

/// Rows that a page shows of a list whose length the code does not tell.
const ROWS: f64 = 20.0;

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    findings.extend(loops(audit));
    for (file, module) in audit.program().modules() {
        if !audit.program().class(file).is_some_and(FileClass::may_be_client) {
            continue;
        }
        for component in audit.analysis.components(file).iter().filter(|component| !component.is_hook) {
            findings.extend(row(audit, (file, module), component));
        }
    }
}

/// Loops of a page whose rounds each ask for something: `Promise.all(shops.map((shop) => api.get(`/shops/${shop.id}/stats`)))`.
fn loops(audit: &Audit<'_, '_>) -> Vec<Finding> {
    let mut told: BTreeSet<Site> = BTreeSet::new();
    let mut found = Vec::new();
    for request in audit.analysis.clients().all() {
        if request.method != "GET"
            || !request.address.path().contains(':') && request.address.query().is_empty()
        {
            continue;
        }
        for repetition in audit.analysis.repetitions(request.site) {
            let at = repetition.repeat.at;
            let Some(list) = repetition.repeat.source else { continue };
            let rows = audit.origins().multiplicity(list);
            let is_few = matches!(rows, Multiplicity::Constant(_) | Multiplicity::Bounded { .. });
            let is_page = match audit.program().class(at.0) {
                Some(FileClass::Client) => true,
                Some(FileClass::Shared) => is_of_page(audit, at),
                _ => false,
            };
            // What somebody chose in the page are a few.
            let name = audit.excerpt(list, 40).to_lowercase();
            let is_chosen = ["selected", "checked", "file", "chosen", "edited", "changed"];
            if !is_few && is_page && !is_chosen.iter().any(|word| name.contains(word)) && told.insert(at) {
                let entry = repetition.way.first().map_or(request.site, |edge| edge.site);
                found.push(finding_of_loop(audit, request, (at, entry), list));
            }
        }
    }
    found
}

/// Whether the code runs in the browser, and not for a request of the server.
fn is_of_page(audit: &Audit<'_, '_>, site: Site) -> bool {
    let contexts = audit.contexts(site);
    contexts.iter().any(|it| matches!(it, Context::PerRender | Context::PerEvent))
        && !audit.is_per_request(site)
}

fn finding_of_loop(
    audit: &Audit<'_, '_>,
    request: &ClientRequest,
    (at, entry): (Site, Site),
    list: Site,
) -> Finding {
    let path = request.address.path();
    let rows = audit.excerpt(list, 40);
    let evidence = vec![
        Evidence { place: Place::Code(at), note: format!("runs once for each of `{rows}`") },
        Evidence { place: Place::Code(entry), note: format!("asks for {path}") },
        Evidence { place: Place::Code(request.site), note: String::from("the request") },
    ];
    let told = Told {
        title: format!("the page sends GET {path} once for each of `{rows}`"),
        cause: format!(
            "Each element of `{rows}` is a request of its own when the page loads: {ROWS} rows are {ROWS} requests more, six at a time over \
             HTTP/1.1, with a query or more each at the server."
        ),
        tradeoff: "The list's own answer grows by what is asked for one by one today.",
        remedy: String::from(
            "Let one request bring what all rows need: numbers in the list's own answer (a join or a grouped count at the server), or an \
             endpoint that takes all ids (`GET …?ids=`).",
        ),
        before: audit.lines_around(audit.statement(at), 0),
        after: format!(
            "// one request for all of them\nconst ids = {rows}.map((row) => row.id);\n// GET …?ids=${{ids.join(\",\")}}, then a Map by id"
        ),
    };
    told.finding(audit, at, (&path, &rows), evidence)
}

/// What the two kinds of rows say in their own words.
struct Told {
    title: String,
    /// First part of the problem; what it costs follows.
    cause: String,
    tradeoff: &'static str,
    remedy: String,
    before: String,
    after: String,
}

impl Told {
    /// A finding at `at` about requests to `path`, of which each of `rows` sends one.
    fn finding(
        self,
        audit: &Audit<'_, '_>,
        at: Site,
        (path, rows): (&str, &str),
        evidence: Vec<Evidence>,
    ) -> Finding {
        let users = audit.target.users;
        let words = Words {
            title: self.title,
            problem: format!(
                "{} {users} users who open it within a minute are {} requests per second, against {} of the whole target.",
                self.cause,
                plain(f64::from(users) * ROWS / 60.0),
                plain(audit.target.requests_per_second)
            ),
            verify: format!(
                "Open the page and count the requests to {path} in the network panel: one for each row now, one in all after the change."
            ),
            tradeoff: self.tradeoff.to_owned(),
        };
        let fix = Fix {
            description: self.remedy,
            before: Some(self.before),
            after: Some(self.after),
            ..Fix::default()
        };
        let cost = audit.cost_at(at).reached(Reach::PerRender).extra(ExtraRequests::PerRequest(ROWS));
        Finding::new(&META, at, evidence, cost, words, fix)
            .confidence(Confidence::Medium)
            .assuming(format!("{ROWS} rows of `{rows}`"))
            .at_least(Severity::Medium)
            .at_most(Severity::High)
    }
}

/// A component that asks for something of its own when it is shown, and is shown for each element of a list.
fn row(audit: &Audit<'_, '_>, (file, module): (FileId, &Module), component: &Component) -> Option<Finding> {
    let mut requests = audit.analysis.clients().within(module, component.function);
    let request = requests.find(|request| {
        request.method == "GET"
            && request.address.path().contains(':')
            && is_sent_when_shown(audit, (file, module), component, request)
            && !waits_for_state(module, component, request)
    })?;
    let elements = elements_of(audit.analysis, audit.resolver, component.function);
    let (element, list) =
        elements.into_iter().find_map(|element| Some((element, list_of(audit, element)?)))?;
    Some(finding(audit, component, request, element, list))
}

/// Whether the request is sent by an effect of the component, or by a query that it reads while rendering.
fn is_sent_when_shown(
    audit: &Audit<'_, '_>,
    (file, module): (FileId, &Module),
    component: &Component,
    request: &ClientRequest,
) -> bool {
    let by_effect = component.effects.iter().any(|effect| {
        let reaches = |function: FunctionId| {
            function == effect.function
                || module.function(effect.function).is_some_and(|lowered| {
                    module.function(function).is_some_and(|inner| module.contains(lowered.node, inner.node))
                })
                || audit.analysis.graph().callers((file, function)).any(|edge| {
                    edge.timing == Timing::InFlow && edge.caller.0 == file && edge.caller.1 == effect.function
                })
        };
        reaches(request.function.1)
    });
    let by_query = || {
        module.ancestors(request.site.1).any(|outer| {
            let call = audit.analysis.calls().at((file, outer));
            let is_query = call.and_then(|call| call.library.as_ref()?.effect()) == Some(Effect::ReactFetch);
            is_query
                && module.enclosing_function(outer) == component.function.1
                && !is_switched(module, outer)
        })
    };
    by_effect || by_query()
}

/// `if (!chosen) return;`: the row asks once somebody has chosen something in it.
fn waits_for_state(module: &Module, component: &Component, request: &ClientRequest) -> bool {
    let values: Vec<BindingId> = component.states.iter().filter_map(|state| state.value).collect();
    let body = module.function(request.function.1).map_or(NodeId::NONE, |lowered| lowered.body);
    decision_by(module, &|test| uses(module, test, &values), body, request.site.1).is_some()
}

/// `enabled: isOpen`: the row asks when somebody wants to know.
fn is_switched(module: &Module, query: NodeId) -> bool {
    module.source(query).contains("enabled")
}

/// The list of unknown length for whose elements an element is made.
fn list_of(audit: &Audit<'_, '_>, (file, element): Site) -> Option<Site> {
    let module = audit.module((file, element))?;
    let mut inner = element;
    for outer in module.ancestors(element).take(40) {
        if let Kind::Call { callee, .. } = module.kind(outer)
            && callee != inner
            && let Kind::Member { object, name } = module.kind(callee)
            && module.str(name) == "map"
        {
            let rows = audit.origins().multiplicity((file, object));
            let is_few = matches!(rows, Multiplicity::Constant(_));
            return (!is_few).then_some((file, object));
        }
        inner = outer;
    }
    None
}

fn finding(
    audit: &Audit<'_, '_>,
    component: &Component,
    request: &ClientRequest,
    element: Site,
    list: Site,
) -> Finding {
    let name = &component.name;
    let path = request.address.path();
    let rows = audit.excerpt(list, 40);
    let evidence = vec![
        Evidence { place: Place::Code(request.site), note: format!("asks for {path}, a row at a time") },
        Evidence { place: Place::Code(element), note: format!("one {name} for each of `{rows}`") },
    ];
    let told = Told {
        title: format!("each {name} of `{rows}` sends GET {path}"),
        cause: format!(
            "{name} is shown once for each element of `{rows}`, and each one asks for GET {path} when it is shown: a page of {ROWS} \
             rows is {ROWS} requests more, six at a time over HTTP/1.1, the rest wait in the browser."
        ),
        tradeoff: "The list's answer grows by what the rows show; where few rows are ever opened, asking on demand is cheaper than either.",
        remedy: format!(
            "Let the list's own request bring what the rows show, or ask once for all of them (`GET …?ids=`) where the list is and \
             hand each {name} its part; where a row shows it only when opened, ask then."
        ),
        before: audit.source(audit.statement(request.site)).to_owned(),
        after: format!(
            "// where the list is: one request for all rows\nconst ids = {rows}.map((row) => row.id);\n// GET …?ids=${{ids.join(\",\")}}, then a Map by id; <{name} details={{byId.get(row.id)}} />"
        ),
    };
    told.finding(audit, request.site, (&path, &rows), evidence)
}
