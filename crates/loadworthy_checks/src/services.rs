//! The other services that a server calls, and what ends each call.

use std::collections::BTreeMap;

use loadworthy_analysis::{Analysis, Call, Deadline, Deadlines, LibraryCall, Resolver, Site, attempts_below};
use loadworthy_knowledge::Effect;

use crate::audit::Audit;
use crate::dependency::{dependency, is_local, is_relative};
use crate::resilience::{isolated, named};
use crate::runs::{Runs, runs};
use crate::setting::Setting;

/// A service that is not a part of the project.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Its host, the setting that holds its address, or the library that speaks to it.
    pub name: String,
    /// The calls of it on the server, by place.
    pub calls: Vec<ServiceCall>,
}

/// A call of another service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceCall {
    /// Where it is made.
    pub site: Site,
    /// Entry points that wait for it ("GET /orders"); empty where none is known to reach it.
    pub routes: Vec<String>,
    /// Whether requests run it; jobs do otherwise, or nothing that was found.
    pub is_per_request: bool,
    /// What ends it.
    pub ends: Ends,
    /// Attempts that its library makes by itself, the first included.
    pub attempts: f64,
    /// Whether a breaker or a limit of concurrency is around it.
    pub is_isolated: bool,
}

/// What ends a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ends {
    /// The program, after so many milliseconds where they are a constant.
    Set(Option<f64>),
    /// The library, by its own default, after so many milliseconds.
    Default(f64),
    /// Nothing.
    Nothing,
    /// Options that the code does not show, or a library of which nothing is known.
    Unknown,
}

/// The services that the servers of a project call, by name.
#[must_use]
pub fn services(analysis: &Analysis<'_>, setting: &Setting) -> Vec<Service> {
    let resolver = Resolver::new(analysis.program());
    let audit = Audit::new(analysis, &resolver, setting);
    let deadlines = Deadlines::new(analysis, &resolver);
    let isolated = isolated(&audit);
    let mut found: BTreeMap<String, Vec<ServiceCall>> = BTreeMap::new();
    for (call, library) in analysis.effects(Effect::is_service_call) {
        let site = call.site;
        let is_served = matches!(runs(&audit, site), Some(Runs::Request | Runs::Job | Runs::Unreached));
        if !is_served || library.made_at.is_none() && is_relative(&audit, site) {
            continue;
        }
        let name = dependency(&audit, call, library);
        if is_local(&name) {
            continue;
        }
        let name = named(&audit, call, library, name);
        found.entry(name).or_default().push(ServiceCall {
            site,
            routes: audit.route_names_of(&[site]),
            is_per_request: audit.is_per_request(site),
            ends: ends(&deadlines, call, library),
            attempts: attempts_below(analysis, &resolver, site).map_or(1.0, |tried| tried.most),
            is_isolated: isolated.contains(&analysis.owner(site)),
        });
    }
    found
        .into_iter()
        .map(|(name, mut calls)| {
            calls.sort_by_key(|call| call.site);
            Service { name, calls }
        })
        .collect()
}

fn ends<'p>(deadlines: &Deadlines<'_, 'p>, call: &Call<'p>, library: &LibraryCall<'p>) -> Ends {
    let Some(row) = deadlines.row(call, library) else { return Ends::Unknown };
    match deadlines.of(call, library, row) {
        Deadline::Set { millis, .. } => Ends::Set(millis),
        Deadline::Raced(_) => Ends::Set(None),
        Deadline::Default { millis, .. } => Ends::Default(millis),
        Deadline::Missing(_) => Ends::Nothing,
        Deadline::Unknown { .. } => Ends::Unknown,
    }
}
