//! Applications and routers with what is registered on them, and the walk from an application down its mounts.

use loadworthy_knowledge::LibId;
use rustc_hash::{FxHashMap, FxHashSet};

use super::owners::{Kin, Moment, Owner};
use super::{EntryKind, Handler, Route, UNKNOWN_PART};
use crate::values::Site;

/// Deepest nesting of mounts that is followed.
const MAX_MOUNTS: usize = 16;

/// What is registered on an application or router.
#[derive(Clone, PartialEq)]
pub(super) enum Entry {
    /// A method and paths with everything that serves them, each with the phase of a request that it runs in.
    Route { site: Site, method: String, paths: Vec<String>, handlers: Vec<(Phase, Handler)> },
    /// What runs before later routes under these paths.
    Middleware { paths: Vec<String>, phase: Phase, handlers: Vec<Handler> },
    /// What runs before routes with a parameter of this name.
    Parameter { name: String, handlers: Vec<Handler> },
    /// Another application or router under these paths.
    Mount { paths: Vec<String>, router: Site },
    /// A plugin that registers on its parent itself.
    Shared { router: Site },
    /// A prefix for every route of the router.
    Prefix(String),
}

/// The order of hooks in the life of a request; 0 where a framework has no phases.
pub(super) type Phase = u8;

/// How a framework treats its registrations.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Middleware sees the routes that are registered after it.
    AsRegistered,
    /// Hooks see every route of their router and of those below.
    HooksFirst,
    /// As registered, where the path of middleware is a pattern of the whole path (`/api/*`).
    ByPattern,
}

/// All registrations by their application or router.
pub(super) struct Table {
    framework: LibId,
    order: Order,
    entries: FxHashMap<Site, Vec<(Moment, Entry)>>,
    owners: Vec<(Site, Kin)>,
    mounted: FxHashSet<Site>,
    prefixes: FxHashMap<Site, String>,
    inherited: FxHashMap<Site, Site>,
}

impl Table {
    pub(super) fn new(framework: LibId, order: Order) -> Self {
        Self {
            framework,
            order,
            entries: FxHashMap::default(),
            owners: Vec::new(),
            mounted: FxHashSet::default(),
            prefixes: FxHashMap::default(),
            inherited: FxHashMap::default(),
        }
    }

    pub(super) fn framework(&self) -> LibId {
        self.framework
    }

    /// Adds what one registration says.
    pub(super) fn add(&mut self, owner: &Owner, moment: &Moment, entries: Vec<Entry>) {
        for entry in &entries {
            if let Entry::Mount { router, .. } | Entry::Shared { router } = entry {
                self.mounted.insert(*router);
            }
        }
        self.note(owner);
        let own = self.entries.entry(owner.key).or_default();
        for entry in entries {
            if let Entry::Prefix(prefix) = &entry {
                self.prefixes.insert(owner.key, prefix.clone());
                continue;
            }
            let is_known = own.iter().any(|(_, known)| *known == entry);
            if !is_known || matches!(entry, Entry::Middleware { .. }) {
                own.push((moment.clone(), entry));
            }
        }
    }

    /// Notes an owner, even one without registrations.
    pub(super) fn note(&mut self, owner: &Owner) {
        if !self.entries.contains_key(&owner.key) {
            self.owners.push((owner.key, owner.kin));
            self.entries.insert(owner.key, Vec::new());
        }
    }

    /// Every route of an owner stands under this prefix, wherever it is mounted.
    pub(super) fn set_prefix(&mut self, key: Site, prefix: &str) {
        self.prefixes.entry(key).or_insert_with(|| prefix.to_owned());
    }

    /// An owner has all registrations of another one, before its own.
    pub(super) fn inherit(&mut self, key: Site, base: Site) {
        self.inherited.insert(key, base);
        self.mounted.insert(base);
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = Site> + '_ {
        self.owners.iter().map(|owner| owner.0)
    }

    /// Every route, in the order of applications, mounts and registrations; then those of routers mounted nowhere.
    pub(super) fn routes(mut self) -> Vec<Route> {
        self.owners.sort_by_key(|owner| owner.0);
        for (key, _) in &self.owners {
            let Some(entries) = self.entries.get_mut(key) else { continue };
            // The module that makes an application runs before those that import it.
            let seen_from = |moment: &Moment| -> Vec<_> {
                moment.iter().map(|(file, end)| (*file != key.0, *file, *end)).collect()
            };
            entries.sort_by_cached_key(|(moment, _)| seen_from(moment));
        }
        let mut walk = Walk {
            table: &self,
            routes: Vec::new(),
            seen: FxHashSet::default(),
            skipped: FxHashSet::default(),
            path: Vec::new(),
        };
        for owner in self.owners.iter().filter(|it| it.1 == Kin::App && !self.mounted.contains(&it.0)) {
            walk.owner(owner.0, "", &[], true);
        }
        for owner in self.owners.iter().filter(|it| it.1 == Kin::Unseen && !self.mounted.contains(&it.0)) {
            walk.skipped = walk.seen.clone();
            walk.owner(owner.0, "", &[], false);
            walk.skipped.clear();
        }
        for owner in &self.owners {
            if !walk.seen.contains(&owner.0) {
                walk.owner(owner.0, UNKNOWN_PART, &[], false);
            }
        }
        walk.routes
    }
}

/// Middleware on the way to a route.
#[derive(Clone)]
struct Before {
    scope: Scope,
    phase: Phase,
    handler: Handler,
}

/// The requests that middleware sees.
#[derive(Clone)]
enum Scope {
    /// Those whose path begins so.
    Under(String),
    /// Those of the routes of one router whose path has this parameter.
    Parameter(Site, String),
}

/// Follows mounts from an application down, collecting prefixes and middleware.
struct Walk<'t> {
    table: &'t Table,
    routes: Vec<Route>,
    seen: FxHashSet<Site>,
    /// Owners whose routes are not listed again.
    skipped: FxHashSet<Site>,
    /// Owners that are being walked: a router mounted in itself ends there.
    path: Vec<Site>,
}

impl Walk<'_> {
    fn owner(&mut self, owner: Site, prefix: &str, outer: &[Before], is_mounted: bool) {
        let own = self.table.prefixes.get(&owner).map_or("", String::as_str);
        let prefix = joined(prefix, own);
        let mut before = outer.to_vec();
        self.registrations(owner, &prefix, &mut before, is_mounted);
    }

    fn registrations(&mut self, owner: Site, prefix: &str, before: &mut Vec<Before>, is_mounted: bool) {
        if self.path.contains(&owner) || self.path.len() >= MAX_MOUNTS || self.skipped.contains(&owner) {
            return;
        }
        self.seen.insert(owner);
        self.path.push(owner);
        if let Some(base) = self.table.inherited.get(&owner) {
            self.registrations(*base, prefix, before, is_mounted);
        }
        if self.table.order == Order::HooksFirst {
            self.hooks(owner, prefix, before);
        }
        for (_, entry) in self.table.entries.get(&owner).into_iter().flatten() {
            self.entry(owner, entry, prefix, before, is_mounted);
        }
        self.path.pop();
    }

    /// The hooks of an owner and of the plugins that share it.
    fn hooks(&self, owner: Site, prefix: &str, before: &mut Vec<Before>) {
        for (_, entry) in self.table.entries.get(&owner).into_iter().flatten() {
            match entry {
                Entry::Middleware { paths, phase, handlers } => {
                    before.extend(middleware(paths, *phase, handlers, prefix));
                }
                Entry::Shared { router } if !self.path.contains(router) && before.len() < 256 => {
                    self.hooks(*router, prefix, before);
                }
                _ => {}
            }
        }
    }

    fn entry(
        &mut self,
        owner: Site,
        entry: &Entry,
        prefix: &str,
        before: &mut Vec<Before>,
        is_mounted: bool,
    ) {
        match entry {
            Entry::Middleware { paths, phase, handlers } => {
                if self.table.order != Order::HooksFirst {
                    before.extend(middleware(paths, *phase, handlers, prefix));
                }
            }
            Entry::Parameter { name, handlers } => before.extend(handlers.iter().map(|handler| Before {
                scope: Scope::Parameter(owner, name.clone()),
                phase: 0,
                handler: handler.clone(),
            })),
            Entry::Mount { paths, router } => {
                for path in paths {
                    self.owner(*router, &joined(prefix, path), before, is_mounted);
                }
            }
            Entry::Prefix(_) => {}
            Entry::Shared { router } => self.shared(*router, prefix, before, is_mounted),
            Entry::Route { site, method, paths, handlers } => {
                for path in paths {
                    self.route((owner, *site), method, &joined(prefix, path), handlers, before, is_mounted);
                }
            }
        }
    }

    /// The routes of a plugin that registers on its parent; its hooks were taken with the parent's.
    fn shared(&mut self, router: Site, prefix: &str, before: &mut Vec<Before>, is_mounted: bool) {
        if self.path.contains(&router) || self.path.len() >= MAX_MOUNTS {
            return;
        }
        self.seen.insert(router);
        self.path.push(router);
        for (_, entry) in self.table.entries.get(&router).into_iter().flatten() {
            self.entry(router, entry, prefix, before, is_mounted);
        }
        self.path.pop();
    }

    fn route(
        &mut self,
        (owner, site): (Site, Site),
        method: &str,
        path: &str,
        handlers: &[(Phase, Handler)],
        outer: &[Before],
        is_mounted: bool,
    ) {
        let path = if path.is_empty() { "/" } else { path };
        let is_whole = self.table.order == Order::ByPattern;
        let covering = outer.iter().filter(|it| it.scope.covers(owner, path, is_whole));
        let mut before: Vec<(Phase, Handler)> = covering.map(|it| (it.phase, it.handler.clone())).collect();
        before.extend(handlers.iter().take(handlers.len().saturating_sub(1)).cloned());
        before.sort_by_key(|(phase, _)| *phase);
        self.routes.push(Route {
            kind: EntryKind::Http,
            framework: self.table.framework,
            method: method.to_owned(),
            path: path.to_owned(),
            site,
            is_mounted,
            middleware: before.into_iter().map(|(_, handler)| handler).collect(),
            handler: handlers.last().map(|(_, handler)| handler.clone()),
        });
    }
}

impl Scope {
    fn covers(&self, owner: Site, path: &str, is_whole: bool) -> bool {
        match self {
            Self::Under(under) => covers(under, path, is_whole),
            Self::Parameter(of, name) => *of == owner && has_parameter(path, name),
        }
    }
}

fn middleware<'h>(
    paths: &'h [String],
    phase: Phase,
    handlers: &'h [Handler],
    prefix: &'h str,
) -> impl Iterator<Item = Before> + 'h {
    paths.iter().flat_map(move |path| {
        let under = joined(prefix, path);
        handlers.iter().map(move |handler| Before {
            scope: Scope::Under(under.clone()),
            phase,
            handler: handler.clone(),
        })
    })
}

/// `/api` + `/users/` is `/api/users`: a trailing slash is taken for the same path.
pub(super) fn joined(prefix: &str, path: &str) -> String {
    let path = path.trim_matches('/');
    match path {
        "" => prefix.trim_end_matches('/').to_owned(),
        _ => format!("{}/{path}", prefix.trim_end_matches('/')),
    }
}

/// Whether middleware mounted under a path sees requests to another: `/api` (unless it must match as a whole), `/api/*`,
/// `/:tenant`, and `*` for all.
fn covers(under: &str, path: &str, is_whole: bool) -> bool {
    let mut given = path.split('/').filter(|segment| !segment.is_empty());
    for wanted in under.split('/').filter(|segment| !segment.is_empty()) {
        if wanted.starts_with('*') || wanted == "(.*)" || wanted.starts_with("{*") {
            return true;
        }
        match given.next() {
            Some(segment) if wanted == segment || wanted.starts_with(':') => {}
            _ => return false,
        }
    }
    !is_whole || given.next().is_none()
}

fn has_parameter(path: &str, name: &str) -> bool {
    path.split('/').filter_map(|segment| segment.strip_prefix(':')).any(|parameter| {
        let end = parameter.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
        parameter.get(..end.unwrap_or(parameter.len())) == Some(name)
    })
}
