//! What a package does about rejections that nobody handles, and its application.

use loadworthy_analysis::{Application, CauseKind, Site};
use loadworthy_capacity::{Cost, Failure, Reach};
use loadworthy_knowledge::Effect;
use loadworthy_project::{FileClass, PackageId};

use crate::audit::Audit;

/// The processes of a program, package by package.
pub(super) struct Processes {
    applications: Vec<Application>,
    listeners: Vec<Listener>,
    patched: Vec<PackageId>,
}

/// A listener of the process's own events.
pub(super) struct Listener {
    pub(super) package: PackageId,
    pub(super) event: &'static str,
    pub(super) site: Site,
    /// Whether it ends the process.
    pub(super) exits: bool,
}

/// What becomes of the process when nobody handles a rejection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome<'k> {
    /// It ends.
    Ends,
    /// A listener of the program keeps it alive.
    KeptBy(Site),
    /// A library does.
    KeptByLibrary(&'k str),
}

const REJECTION: &str = "unhandledRejection";
pub(super) const EXCEPTION: &str = "uncaughtException";

impl Processes {
    pub(super) fn of(audit: &Audit<'_, '_>) -> Self {
        Self {
            applications: audit.analysis.applications(audit.resolver),
            listeners: listeners(audit),
            patched: audit.analysis.patched_packages(),
        }
    }

    /// The application of the package of a site, or the only one of the program.
    pub(super) fn application(&self, audit: &Audit<'_, '_>, site: Site) -> Option<&Application> {
        let package = package_of(audit, site)?;
        let own = self.applications.iter().find(|it| it.package == package);
        own.or(match self.applications.as_slice() {
            [only] => Some(only),
            _ => None,
        })
    }

    pub(super) fn applications(&self) -> &[Application] {
        &self.applications
    }

    pub(super) fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// Whether the package of a site imports something that hands the rejections of handlers on.
    pub(super) fn is_patched(&self, audit: &Audit<'_, '_>, site: Site) -> bool {
        package_of(audit, site).is_some_and(|package| self.patched.contains(&package))
    }

    /// What becomes of the process when a rejection at a site is handled by nobody.
    pub(super) fn on_rejection<'p>(&self, audit: &Audit<'_, 'p>, site: Site) -> Outcome<'p> {
        let Some(package) = package_of(audit, site) else { return Outcome::Ends };
        let listener = self.listeners.iter().find(|it| it.package == package && it.event == REJECTION);
        if let Some(listener) = listener {
            return if listener.exits { Outcome::Ends } else { Outcome::KeptBy(listener.site) };
        }
        if !audit.facts.unhandled_rejection_exits() {
            return Outcome::KeptByLibrary("this version of Node.js, before 15, only prints a warning");
        }
        let project = audit.program().project();
        let keeps = audit.knowledge().keep_alive().iter();
        let mut keeps = keeps.filter(|row| row.packages.iter().any(|it| project.depends_on(package, it)));
        keeps.next().map_or(Outcome::Ends, |row| Outcome::KeptByLibrary(&row.note))
    }

    /// What becomes of it when an exception at a site is caught by nobody.
    pub(super) fn on_exception(&self, audit: &Audit<'_, '_>, site: Site) -> Outcome<'static> {
        let package = package_of(audit, site);
        let listener = self
            .listeners
            .iter()
            .find(|it| Some(it.package) == package && it.event == EXCEPTION && !it.exits);
        listener.map_or(Outcome::Ends, |listener| Outcome::KeptBy(listener.site))
    }
}

impl Outcome<'_> {
    pub(super) fn failure(self) -> Failure {
        match self {
            Self::Ends => Failure::ProcessExit,
            Self::KeptBy(_) | Self::KeptByLibrary(_) => Failure::UnhandledRejection,
        }
    }

    /// A sentence.
    pub(super) fn sentence(self, audit: &Audit<'_, '_>) -> String {
        match self {
            Self::Ends => String::from(
                "Nothing handles the rejection, so Node.js (15 and later) ends the process with exit code 1 and every request in flight on this instance is lost.",
            ),
            Self::KeptBy(site) => format!(
                "The `{REJECTION}` listener at {} keeps the process alive, but the work is lost silently and whoever waits for it waits until a timeout.",
                audit.place_of(site)
            ),
            Self::KeptByLibrary(note) => format!(
                "The process stays alive ({note}), but the work is lost silently and whoever waits for it waits until a timeout."
            ),
        }
    }
}

fn listeners(audit: &Audit<'_, '_>) -> Vec<Listener> {
    let mut found = Vec::new();
    for call in audit.analysis.calls().iter() {
        let Some(library) = &call.library else { continue };
        let is_on = matches!(&*library.name, "on" | "once" | "addListener")
            && audit.knowledge().handle_name(library.on) == "process";
        if !is_on {
            continue;
        }
        let event = audit.resolver.argument(call.site, 0).and_then(|it| audit.resolver.text_of(it));
        let event = match event.as_deref() {
            Some(REJECTION) => REJECTION,
            Some(EXCEPTION) => EXCEPTION,
            _ => continue,
        };
        let Some(package) = package_of(audit, call.site) else { continue };
        let exits = call.handed.iter().any(|handed| ends_process(audit, handed.function));
        found.push(Listener { package, event, site: call.site, exits });
    }
    found
}

/// Whether a function, or one that it runs, ends the process or throws on.
fn ends_process(audit: &Audit<'_, '_>, function: loadworthy_analysis::FunctionRef) -> bool {
    let mut open = vec![function];
    let mut seen = vec![function];
    while let Some(function) = open.pop() {
        if audit.analysis.failures().of(function).any().is_some_and(|cause| cause.kind == CauseKind::Thrown) {
            return true;
        }
        for call in audit.analysis.calls().of_function(function) {
            if call.library.as_ref().is_some_and(|it| it.effect() == Some(Effect::ProcExit)) {
                return true;
            }
        }
        for edge in audit.analysis.graph().callees(function) {
            if seen.len() < 64 && !seen.contains(&edge.callee) {
                seen.push(edge.callee);
                open.push(edge.callee);
            }
        }
    }
    false
}

pub(in crate::resilience) fn package_of(audit: &Audit<'_, '_>, site: Site) -> Option<PackageId> {
    audit.program().project().file(site.0).map(|file| file.package)
}

/// Whether the code at a site runs in a server process, as far as is known.
pub(super) fn is_server_code(audit: &Audit<'_, '_>, site: Site) -> bool {
    if !audit.analysis.is_loaded(site.0) {
        return false;
    }
    audit.program().project().file(site.0).is_some_and(|file| match file.class {
        FileClass::Server => true,
        FileClass::Shared => audit.is_per_request(site) || audit.is_per_job(site),
        _ => false,
    })
}

/// The cost of a failure at a place. Jobs of a package with routes share the process that serves them.
pub(super) fn failing_cost(audit: &Audit<'_, '_>, site: Site, failure: Failure) -> Cost {
    let mut cost = audit.cost_at(site).failing(failure);
    if cost.reach != Reach::PerRequest {
        let package = package_of(audit, site);
        let mut routes = audit.analysis.routes().iter();
        cost.shares_process =
            routes.any(|route| route.kind.is_per_request() && package_of(audit, route.site) == package);
    }
    cost
}
