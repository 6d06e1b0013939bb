//! Applications and routers with what is registered on them, and the walk from an application down its mounts.

use loadworthy_knowledge::LibId;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{EntryKind, Handler, Route, UNKNOWN_PART};
use crate::values::Site;

/// Deepest nesting of mounts that is followed.
const MAX_MOUNTS: usize = 16;

/// What is registered on an application or router.
pub(super) enum Entry {
    /// A method and paths with everything that serves them.
    Route { site: Site, method: String, paths: Vec<String>, handlers: Vec<Handler> },
    /// What runs before later routes under these paths.
    Middleware { paths: Vec<String>, handlers: Vec<Handler> },
    /// Another application or router under these paths.
    Mount { paths: Vec<String>, router: Site },
}

/// Whether requests reach it by themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// An application.
    App,
    /// A router: only through a mount.
    Router,
}

/// All registrations by their application or router, which the place of its creation stands for.
pub(super) struct Table {
    framework: LibId,
    entries: FxHashMap<Site, Vec<Entry>>,
    owners: Vec<(Site, Owner)>,
    mounted: FxHashSet<Site>,
}

impl Table {
    pub(super) fn new(framework: LibId) -> Self {
        Self { framework, entries: FxHashMap::default(), owners: Vec::new(), mounted: FxHashSet::default() }
    }

    /// Adds what one registration says.
    pub(super) fn add(&mut self, owner: Site, kind: Owner, entries: Vec<Entry>) {
        for entry in &entries {
            if let Entry::Mount { router, .. } = entry {
                self.mounted.insert(*router);
            }
        }
        if !self.entries.contains_key(&owner) {
            self.owners.push((owner, kind));
        }
        self.entries.entry(owner).or_default().extend(entries);
    }

    /// Every route, in the order of applications, mounts and registrations; then those of routers mounted nowhere.
    pub(super) fn routes(mut self) -> Vec<Route> {
        self.owners.sort_by_key(|owner| owner.0);
        let mut walk =
            Walk { table: &self, routes: Vec::new(), seen: FxHashSet::default(), path: Vec::new() };
        for owner in self.owners.iter().filter(|it| it.1 == Owner::App && !self.mounted.contains(&it.0)) {
            walk.owner(owner.0, "", &[], true);
        }
        for owner in &self.owners {
            if !walk.seen.contains(&owner.0) {
                walk.owner(owner.0, UNKNOWN_PART, &[], false);
            }
        }
        walk.routes
    }
}

/// Follows mounts from an application down, collecting prefixes and middleware.
struct Walk<'t> {
    table: &'t Table,
    routes: Vec<Route>,
    seen: FxHashSet<Site>,
    /// Owners that are being walked: a router mounted in itself ends there.
    path: Vec<Site>,
}

impl Walk<'_> {
    fn owner(&mut self, owner: Site, prefix: &str, outer: &[(String, Handler)], is_mounted: bool) {
        if self.path.contains(&owner) || self.path.len() >= MAX_MOUNTS {
            return;
        }
        self.seen.insert(owner);
        self.path.push(owner);
        let mut middleware = outer.to_vec();
        for entry in self.table.entries.get(&owner).into_iter().flatten() {
            match entry {
                Entry::Middleware { paths, handlers } => {
                    for path in paths {
                        let under = joined(prefix, path);
                        middleware.extend(handlers.iter().map(|handler| (under.clone(), handler.clone())));
                    }
                }
                Entry::Mount { paths, router } => {
                    for path in paths {
                        self.owner(*router, &joined(prefix, path), &middleware, is_mounted);
                    }
                }
                Entry::Route { site, method, paths, handlers } => {
                    for path in paths {
                        self.route(*site, method, &joined(prefix, path), handlers, &middleware, is_mounted);
                    }
                }
            }
        }
        self.path.pop();
    }

    fn route(
        &mut self,
        site: Site,
        method: &str,
        path: &str,
        handlers: &[Handler],
        outer: &[(String, Handler)],
        is_mounted: bool,
    ) {
        let before =
            outer.iter().filter(|(under, _)| covers(under, path)).map(|(_, handler)| handler.clone());
        let own = handlers.iter().take(handlers.len().saturating_sub(1)).cloned();
        self.routes.push(Route {
            kind: EntryKind::Http,
            framework: self.table.framework,
            method: method.to_owned(),
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
            site,
            is_mounted,
            middleware: before.chain(own).collect(),
            handler: handlers.last().cloned(),
        });
    }
}

/// `/api` + `/users/` is `/api/users`: Express takes a trailing slash for the same path.
fn joined(prefix: &str, path: &str) -> String {
    let path = path.trim_matches('/');
    match path {
        "" => prefix.to_owned(),
        _ => format!("{}/{path}", prefix.trim_end_matches('/')),
    }
}

/// Whether middleware mounted under a path sees requests to another.
fn covers(under: &str, path: &str) -> bool {
    path.strip_prefix(under).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
