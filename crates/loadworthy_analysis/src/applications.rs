//! The server applications of a program: where each is created, and by which framework.

use std::collections::BTreeMap;

use loadworthy_knowledge::{Effect, HandleId, Kind as LibraryKind, LibId};
use loadworthy_project::PackageId;

use crate::analysis::Analysis;
use crate::calls::Call;
use crate::handles::Folded;
use crate::values::{Resolver, Site};

/// A long-running server: the application object of a framework, or a bare HTTP server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Application {
    /// The package that it belongs to.
    pub package: PackageId,
    /// Where the application object is created.
    pub site: Site,
    /// The library that it is of.
    pub framework: LibId,
    /// The import specifier that it came from.
    pub module: Option<String>,
    /// Where it begins to listen, if that was found.
    pub listens_at: Option<Site>,
}

/// Names of the objects that stand for an application.
const APPLICATIONS: [&str; 2] = ["app", "server"];

impl Analysis<'_> {
    /// One application for each package that creates any: the one with the most registrations. In the order of packages.
    #[must_use]
    pub fn applications(&self, resolver: &Resolver<'_>) -> Vec<Application> {
        let mut best: BTreeMap<usize, ((bool, usize), Application)> = BTreeMap::new();
        for call in self.calls().iter() {
            let Some(application) = self.created_by(resolver, call) else { continue };
            let is_framework = self.knowledge().library(application.framework).kind == LibraryKind::Web;
            let weight = (is_framework, self.registrations(application.site));
            let known = best.get(&application.package.index());
            if known.is_none_or(|(most, _)| weight > *most) {
                best.insert(application.package.index(), (weight, application));
            }
        }
        best.into_values().map(|(_, application)| application).collect()
    }

    fn created_by(&self, resolver: &Resolver<'_>, call: &Call<'_>) -> Option<Application> {
        let library = call.library.as_ref()?;
        let knowledge = self.knowledge();
        let kind = knowledge.library(library.lib).kind;
        if !matches!(kind, LibraryKind::Web | LibraryKind::HttpServer) {
            return None;
        }
        let folded = resolver.folded(&resolver.value_of(call.site));
        let is_application = folded.iter().any(|folded| match folded {
            Folded::Held(held) => {
                held.made_at == Some(call.site) && APPLICATIONS.contains(&knowledge.handle_name(held.handle))
            }
            _ => false,
        });
        // `app.listen()` gives a server; the application is what it is called on.
        let is_started = library.effect() == Some(Effect::HttpListen) && library.on != HandleId::MODULE;
        if !is_application || is_started {
            return None;
        }
        let package = self.program().project().file(call.site.0)?.package;
        let listens = self.calls().iter().find(|it| self.is_listening(it, package));
        Some(Application {
            package,
            site: call.site,
            framework: library.lib,
            module: library.module.as_deref().map(ToOwned::to_owned),
            listens_at: listens.map(|it| it.site),
        })
    }

    fn is_listening(&self, call: &Call<'_>, package: PackageId) -> bool {
        call.library.as_ref().is_some_and(|it| it.effect() == Some(Effect::HttpListen))
            && self.program().project().file(call.site.0).is_some_and(|file| file.package == package)
    }

    /// How many calls are made on an object.
    fn registrations(&self, made_at: Site) -> usize {
        let is_on = |call: &&Call<'_>| call.library.as_ref().is_some_and(|it| it.made_at == Some(made_at));
        self.calls().iter().filter(is_on).count()
    }
}
