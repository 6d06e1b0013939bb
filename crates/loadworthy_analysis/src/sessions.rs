//! What session middleware sends in each request, where sessions are kept outside of the process.

use loadworthy_knowledge::{Medium, Role};

use crate::calls::package_name;
use crate::routes::Handler;
use crate::tally::TripKind;
use crate::values::{Resolver, Root, Site, Step, Value};

/// Trips of one request that brings a session cookie: it is read when the request comes, and touched or saved when the
/// response ends (express-session 1.x `index.js`: `store.get`, then `store.touch` or `store.set`).
pub(crate) const TRIPS: usize = 2;

/// Where session middleware is made, and where it sends its trips; none for other middleware, and for sessions in the
/// process, in files or in the cookie.
pub(crate) fn kept_outside(resolver: &Resolver<'_>, middleware: &Handler) -> Option<(Site, TripKind)> {
    let values = resolver.value_of(middleware.site);
    values.iter().find_map(|value| {
        let made = made_by(resolver, value, Role::Session)?;
        let options = resolver.argument(made, 0)?;
        let store = resolver.member(&resolver.value_of(options), "store");
        store.iter().find_map(|store| Some((made, kind_of(resolver, store)?)))
    })
}

/// The call that makes a value, if a package with this role does.
fn made_by(resolver: &Resolver<'_>, value: &Value, role: Role) -> Option<Site> {
    let Value::External(external) = value else { return None };
    let Root::Package(package) = &external.root else { return None };
    let roles = resolver.program().knowledge().roles_of(package_name(package));
    roles.iter().any(|row| row.role == role).then(|| external.steps.iter().find_map(Step::site))?
}

fn kind_of(resolver: &Resolver<'_>, store: &Value) -> Option<TripKind> {
    let Value::External(external) = store else { return None };
    let Root::Package(package) = &external.root else { return None };
    let roles = resolver.program().knowledge().roles_of(package_name(package));
    match roles.iter().find(|row| row.role == Role::SessionStore)?.kept_in? {
        Medium::Database => Some(TripKind::Query),
        Medium::Cache => Some(TripKind::Cache),
        Medium::Process | Medium::Files => None,
    }
}
