//! Callbacks that a middleware of a library runs though they were handed to another call of it: the verify functions of the
//! strategies behind `passport.authenticate("local")`.

use loadworthy_knowledge::fits_name;
use rustc_hash::FxHashMap;

use crate::calls::{Call, Calls};
use crate::links::FunctionRef;
use crate::program::Program;
use crate::routes::Route;
use crate::values::{Resolver, Site, Value};

/// By the place where the middleware is registered.
pub(crate) type Registered = FxHashMap<Site, Vec<FunctionRef>>;

/// What the middleware of all routes run.
pub(crate) fn registered(program: &Program<'_>, calls: &Calls<'_>, routes: &[Route]) -> Registered {
    let mut found = Registered::default();
    let runs_others = |call: &Call<'_>| names(call).is_some_and(|names| !names.is_empty());
    if !calls.iter().any(runs_others) {
        return found;
    }
    let resolver = Resolver::new(program);
    for handler in routes.iter().flat_map(|route| route.middleware.iter().chain(&route.handler)) {
        if !handler.functions.is_empty() || found.contains_key(&handler.site) {
            continue;
        }
        let Some(call) = call_of(&resolver, calls, handler.site) else { continue };
        let functions = callbacks(&resolver, calls, call);
        if !functions.is_empty() {
            found.insert(handler.site, functions);
        }
    }
    found
}

fn names<'c>(call: &'c Call<'_>) -> Option<&'c [String]> {
    Some(call.library.as_ref()?.member?.runs_registered.as_slice())
}

/// The call that makes a middleware, also where a variable holds it.
fn call_of<'c, 'p>(resolver: &Resolver<'_>, calls: &'c Calls<'p>, site: Site) -> Option<&'c Call<'p>> {
    calls.at(site).or_else(|| {
        resolver.value_of(site).iter().find_map(|value| match value {
            Value::External(external) => calls.at(external.site()?),
            _ => None,
        })
    })
}

/// The callbacks that calls of the named members were handed, those of the one that the middleware names where it names one.
fn callbacks(resolver: &Resolver<'_>, calls: &Calls<'_>, middleware: &Call<'_>) -> Vec<FunctionRef> {
    let (Some(library), Some(names)) = (&middleware.library, names(middleware)) else { return Vec::new() };
    let asked = resolver.argument(middleware.site, 0).and_then(|first| resolver.text_of(first));
    let mut all: Vec<(bool, FunctionRef)> = Vec::new();
    for call in calls.iter() {
        let Some(other) = call.library.as_ref().filter(|it| it.lib == library.lib) else { continue };
        if !names.iter().any(|name| fits_name(name, &other.name)) {
            continue;
        }
        // `passport-jwt` is what `authenticate("jwt")` asks for; `use("admin", strategy)` says its name itself.
        let own = resolver.argument(call.site, 0).and_then(|first| resolver.text_of(first));
        let is_asked = asked.as_deref().is_some_and(|asked| {
            own.as_deref() == Some(asked) || other.module.as_deref().is_some_and(|it| it.contains(asked))
        });
        all.extend(call.handed.iter().filter(|it| it.runs.is_some()).map(|it| (is_asked, it.function)));
    }
    let is_told = all.iter().any(|(is_asked, _)| *is_asked);
    let mut functions: Vec<FunctionRef> =
        all.into_iter().filter(|(is_asked, _)| *is_asked || !is_told).map(|(_, function)| function).collect();
    functions.sort_unstable();
    functions.dedup();
    functions
}
