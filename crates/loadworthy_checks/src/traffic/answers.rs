//! Which entry points answer a request of the outside: by method and path, the narrowest path first, as routers decide.
//!
//! A prefix that only a proxy knows is not guessed.

use loadworthy_analysis::{Analysis, EntryKind, Route};
use loadworthy_project::PackageId;
use rustc_hash::FxHashMap;

use super::packages;
use super::pattern::{Pattern, Patterns};

/// The entry points of a program, ready to be looked up.
#[derive(Debug)]
pub struct Answers {
    entries: Vec<Entry>,
    patterns: Patterns,
    /// Fields of GraphQL schemas.
    fields: Vec<usize>,
    /// tRPC's procedures by their paths.
    procedures: FxHashMap<String, Vec<usize>>,
    /// Functions that pages call by posting to their own address.
    actions: Vec<usize>,
    packages: Vec<PackageId>,
}

/// An entry point with a path.
#[derive(Debug)]
struct Entry {
    route: usize,
    takes: Takes,
    rank: Vec<u8>,
    is_catch_all: bool,
}

/// Which methods an entry point answers.
#[derive(Debug)]
enum Takes {
    Any,
    /// And `HEAD`, where it is `GET`.
    One(String),
    /// What changes something.
    Changes,
}

impl Takes {
    fn takes(&self, method: &str) -> bool {
        match self {
            Self::Any => true,
            Self::One(own) => own == method || own == "GET" && method == "HEAD",
            Self::Changes => !matches!(method, "GET" | "HEAD"),
        }
    }
}

impl Answers {
    /// Of a program.
    #[must_use]
    pub fn of(analysis: &Analysis<'_>) -> Self {
        let (mut entries, mut expressions) = (Vec::new(), Vec::new());
        let (mut fields, mut actions) = (Vec::new(), Vec::new());
        let mut procedures: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        for (at, route) in analysis.routes().iter().enumerate() {
            if let Some((takes, path)) = address(route) {
                let Some(pattern) = Pattern::of(path) else { continue };
                let is_catch_all = pattern.is_catch_all();
                entries.push(Entry { route: at, takes, rank: pattern.rank, is_catch_all });
                expressions.push(pattern.expression);
                continue;
            }
            match route.kind {
                EntryKind::GraphqlResolver if route.method != "SUBSCRIPTION" => fields.push(at),
                EntryKind::Rpc if matches!(route.method.as_str(), "QUERY" | "MUTATION") => {
                    procedures.entry(route.path.clone()).or_default().push(at);
                }
                EntryKind::ServerAction => actions.push(at),
                _ => {}
            }
        }
        let patterns = Patterns::new(&expressions);
        Self { entries, patterns, fields, procedures, actions, packages: packages(analysis) }
    }

    /// The entry points that a request runs, by their places in the route table: several where they are alike, or where one
    /// address leads to many. `path` is decoded and has no query.
    #[must_use]
    pub fn to(&self, method: &str, path: &str) -> Vec<usize> {
        let procedures = self.procedures_of(path);
        if !procedures.is_empty() {
            return procedures;
        }
        let data = page_of_data(path);
        let path = data.as_deref().unwrap_or(path);
        let mut found = self.best(method, path);
        if self.is_graphql(method, path, &found) {
            found.extend(&self.fields);
            return found;
        }
        if found.is_empty() && method == "POST" && !self.actions.is_empty() {
            let pages = self.best("GET", path);
            let is_of_page = |action: &usize| {
                pages.iter().any(|page| self.packages.get(*page) == self.packages.get(*action))
            };
            found = self.actions.iter().copied().filter(is_of_page).collect();
        }
        found
    }

    /// Whether requests of the outside can be told to lead to each entry point, in the order of the route table.
    pub(super) fn visible(&self) -> Vec<bool> {
        let mut visible = vec![false; self.packages.len()];
        let entries = self.entries.iter().map(|entry| entry.route);
        #[expect(clippy::iter_over_hash_type, reason = "each only sets a flag")]
        for procedures in self.procedures.values() {
            for at in procedures {
                if let Some(it) = visible.get_mut(*at) {
                    *it = true;
                }
            }
        }
        for at in entries.chain(self.fields.iter().copied()).chain(self.actions.iter().copied()) {
            if let Some(it) = visible.get_mut(at) {
                *it = true;
            }
        }
        visible
    }

    pub(super) fn package(&self, route: usize) -> Option<PackageId> {
        self.packages.get(route).copied()
    }

    /// Those with the narrowest path, and among them those that name the method.
    fn best(&self, method: &str, path: &str) -> Vec<usize> {
        let met = self.patterns.met_by(path).filter_map(|at| self.entries.get(at));
        let is_asset = is_asset(path);
        let met = met.filter(|entry| entry.takes.takes(method) && !(is_asset && entry.is_catch_all));
        let key = |entry: &&Entry| (entry.rank.clone(), !matches!(entry.takes, Takes::Any));
        let met: Vec<&Entry> = met.collect();
        let Some(most) = met.iter().map(key).max() else { return Vec::new() };
        met.into_iter().filter(|entry| key(entry) == most).map(|entry| entry.route).collect()
    }

    /// `/graphql`, and the root of a server that has nothing else there.
    fn is_graphql(&self, method: &str, path: &str, found: &[usize]) -> bool {
        let last = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let is_endpoint = matches!(last.as_str(), "graphql" | "gql");
        !self.fields.is_empty() && (is_endpoint || found.is_empty() && method == "POST" && path == "/")
    }

    /// `/api/trpc/users.list,orders.one`: each procedure that is named; all where none is.
    fn procedures_of(&self, path: &str) -> Vec<usize> {
        if self.procedures.is_empty() {
            return Vec::new();
        }
        let (before, last) = path.rsplit_once('/').unwrap_or(("", path));
        let is_mount = |part: &str| part.to_ascii_lowercase().contains("trpc");
        if is_mount(last) {
            let mut all: Vec<usize> = self.procedures.values().flatten().copied().collect();
            all.sort_unstable();
            return all;
        }
        if !before.is_empty() && !before.split('/').any(is_mount) {
            return Vec::new();
        }
        last.split(',').filter_map(|name| self.procedures.get(name)).flatten().copied().collect()
    }
}

/// The methods and the path that an entry point answers, if it has them.
fn address(route: &Route) -> Option<(Takes, &str)> {
    let one = |method: &str| if method == "ALL" { Takes::Any } else { Takes::One(method.to_owned()) };
    let (takes, path) = match route.kind {
        EntryKind::Http => (one(&route.method), route.path.as_str()),
        EntryKind::Page => (one("GET"), route.path.as_str()),
        EntryKind::ServerAction => (Takes::Changes, route.path.as_str()),
        EntryKind::Serverless => match route.path.split_once(' ') {
            Some(("ANY" | "*", path)) => (Takes::Any, path),
            Some((method, path)) => (one(method), path),
            None => (Takes::Any, route.path.as_str()),
        },
        _ => return None,
    };
    (route.kind == EntryKind::Http || path.starts_with('/')).then_some((takes, path))
}

/// `/_next/data/BUILD/orders/7.json` is the data of `/orders/7`.
fn page_of_data(path: &str) -> Option<String> {
    let (_, page) = path.strip_prefix("/_next/data/")?.split_once('/')?;
    let page = page.strip_suffix(".json")?;
    Some(if page == "index" { String::from("/") } else { format!("/{page}") })
}

/// Whether a path is that of a file which is served before a route that takes everything.
fn is_asset(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    let Some((_, extension)) = last.rsplit_once('.') else { return false };
    ASSETS.contains(&extension.to_ascii_lowercase().as_str())
}

/// Extensions of what pages load.
const ASSETS: [&str; 22] = [
    "js",
    "mjs",
    "css",
    "map",
    "png",
    "jpg",
    "jpeg",
    "gif",
    "svg",
    "webp",
    "avif",
    "ico",
    "woff",
    "woff2",
    "ttf",
    "otf",
    "eot",
    "mp4",
    "webm",
    "txt",
    "webmanifest",
    "wasm",
];
