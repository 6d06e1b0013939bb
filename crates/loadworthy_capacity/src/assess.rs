//! One finding's cost at the target: the resource it uses most, its severity and the arithmetic.

use serde::Serialize;

use crate::background::Background;
use crate::cost::{Cost, Failure, Reach};
use crate::environment::Environment;
use crate::number::plain;
use crate::resources::{Load, Resource, Situation};
use crate::severity::Severity;
use crate::target::Target;
use crate::{heap, waiting};

/// Requests per second from which a route counts as hot: a failure there is met within a second.
const HOT_REQUESTS_PER_SECOND: f64 = 1.0;

/// A number of the arithmetic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// What it is, in `snake_case`.
    pub name: &'static str,
    /// Its value; infinite where a queue never drains.
    pub value: f64,
    /// Its unit; `ratio` for parts of one.
    pub unit: &'static str,
}

impl Figure {
    pub(crate) fn new(name: &'static str, value: f64, unit: &'static str) -> Self {
        Self { name, value, unit }
    }
}

/// What a cost does to the target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assessment {
    /// How bad it is.
    pub severity: Severity,
    /// The resource that decides the severity.
    pub resource: Resource,
    /// Use of that resource; 1 is all of it, more is a queue that grows.
    pub utilisation: f64,
    /// The predicted 95th percentile of this work alone; `None` where nothing waits or a queue
    /// never drains.
    pub p95_millis: Option<f64>,
    /// The numbers, each name once.
    pub figures: Vec<Figure>,
    /// What was taken for granted, each once.
    pub assumptions: Vec<String>,
    /// The arithmetic in sentences, the deciding resource first.
    pub text: String,
}

/// Puts `cost` at its share of `target` on `environment`.
///
/// Each resource is assessed by itself and the worst decides: pool (M/M/c), event loop (M/G/1),
/// heap (growth over the run, bytes in flight), requests in flight (Little), added traffic, and
/// failures. Pool and loop are shared: `background` is what the whole application keeps busy, the
/// finding's own part included. What fills a resource is as severe as the whole where it takes a
/// quarter of it or more, see [`crate::LARGE_PART`].
/// Off the request path the severity is `Medium` at most, unless the code shares the loop or pool.
#[must_use]
pub fn assess(cost: &Cost, target: &Target, environment: &Environment, background: Background) -> Assessment {
    let situation = Situation { cost, target, environment, background };
    let mut loads: Vec<Load> = [
        waiting::pool(&situation),
        waiting::event_loop(&situation),
        heap::growth(&situation),
        heap::in_flight(&situation),
        waiting::outside(&situation),
        waiting::extra_requests(&situation),
        failure(&situation),
    ]
    .into_iter()
    .flatten()
    .collect();
    loads.sort_by(|a, b| b.severity.cmp(&a.severity).then(b.utilisation.total_cmp(&a.utilisation)));
    combined(&situation, loads)
}

fn combined(situation: &Situation<'_>, loads: Vec<Load>) -> Assessment {
    let mut assessment = Assessment {
        severity: Severity::Monitor,
        resource: loads.first().map_or(Resource::Unmeasured, |load| load.resource),
        utilisation: loads.first().map_or(0.0, |load| load.utilisation),
        p95_millis: loads.iter().filter_map(|load| load.p95_millis).reduce(f64::max),
        figures: vec![Figure::new("requests_per_second", situation.rate(), "requests/s")],
        assumptions: Vec::new(),
        text: String::new(),
    };
    for load in loads {
        assessment.severity = assessment.severity.max(load.severity);
        add(&mut assessment, load);
    }
    if assessment.text.is_empty() {
        assessment.text.push_str("No resource of the load model is used in a measurable amount.");
    }
    limit_off_request_path(situation.cost, &mut assessment);
    assessment
}

fn add(assessment: &mut Assessment, load: Load) {
    for figure in load.figures {
        if assessment.figures.iter().all(|known| known.name != figure.name) {
            assessment.figures.push(figure);
        }
    }
    for assumption in load.assumptions {
        if !assessment.assumptions.contains(&assumption) {
            assessment.assumptions.push(assumption);
        }
    }
    if !assessment.text.is_empty() {
        assessment.text.push(' ');
    }
    assessment.text.push_str(&load.text);
}

fn limit_off_request_path(cost: &Cost, assessment: &mut Assessment) {
    if cost.reach == Reach::PerRequest || cost.shares_process || assessment.severity <= Severity::Medium {
        return;
    }
    assessment.severity = Severity::Medium;
    assessment.assumptions.push("it runs off the request path, so MEDIUM at most".to_owned());
}

fn failure(situation: &Situation<'_>) -> Option<Load> {
    let failure = situation.cost.failure?;
    let rate = situation.rate();
    let hot = rate >= HOT_REQUESTS_PER_SECOND;
    let severity = match failure {
        Failure::ProcessExit => Severity::Critical,
        _ if hot => Severity::High,
        _ => Severity::Medium,
    };
    Some(Load {
        resource: Resource::Process,
        utilisation: 0.0,
        severity,
        p95_millis: None,
        figures: vec![Figure::new("error_budget", situation.target.error_budget(), "requests")],
        assumptions: Vec::new(),
        text: failure_text(situation, failure),
    })
}

fn failure_text(situation: &Situation<'_>, failure: Failure) -> String {
    let what = match failure {
        Failure::ProcessExit => "One failure ends the process and every request it holds",
        Failure::UnhandledRejection => "Each failure is a rejection nobody handles",
        Failure::HangsRequest => "Each failure leaves its request without an answer",
        Failure::LostWrite => "Requests that overlap lose or repeat a write",
    };
    format!(
        "{what}; {} req/s reach this code, and the run may lose {} requests.",
        plain(situation.rate()),
        plain(situation.target.error_budget())
    )
}
