//! Where a file's code runs, from its path, its first bytes and its package.
//!
//! Imports are not known yet: a file that gives no sign is [`FileClass::Shared`], and the analysis decides by the
//! contexts that reach it.

use crate::head::{Directive, Head};
use crate::profile::Profile;
use crate::{FileClass, paths};

/// What is known about a file's surroundings.
pub(crate) struct Surroundings<'s> {
    /// Folder of its package.
    pub(crate) package_dir: &'s str,
    pub(crate) profile: Profile,
    /// Named only by one-off package scripts such as `seed`.
    pub(crate) is_one_off: bool,
}

/// The class of one file.
pub(crate) fn classify(path: &str, head: &Head, around: &Surroundings<'_>) -> FileClass {
    let place = Place::of(path, around.package_dir);
    not_audited(&place, head, around)
        .or_else(|| by_directive(head))
        .or_else(|| by_suffix(&place))
        .or_else(|| by_framework(&place, around.profile))
        .unwrap_or_else(|| by_place(&place, around.profile))
}

/// A path taken apart, in lower case.
struct Place {
    /// Folders from the root.
    folders: Vec<String>,
    /// Folders from the package, the last ones of `folders`.
    inner: Vec<String>,
    /// File name without the last extension.
    stem: String,
    name: String,
}

impl Place {
    fn of(path: &str, package_dir: &str) -> Self {
        let folders = |path: &str| -> Vec<String> {
            paths::parent(path).split('/').filter(|name| !name.is_empty()).map(str::to_lowercase).collect()
        };
        let name = paths::file_name(path).to_lowercase();
        let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem).to_owned();
        Self { folders: folders(path), inner: folders(paths::strip(path, package_dir)), stem, name }
    }

    fn has_any(&self, names: &[&str]) -> bool {
        self.folders.iter().any(|folder| names.contains(&folder.as_str()))
    }

    fn has_inner(&self, names: &[&str]) -> bool {
        self.inner.iter().any(|folder| names.contains(&folder.as_str()))
    }

    /// Such a folder, unless it is a feature named so: `routes/test`, `components/seeds`, or a part of the address of a
    /// page or route: `app/checks/test/route.ts`.
    fn has_plain(&self, names: &[&str]) -> bool {
        let is_address = ["page", "route", "layout"].contains(&self.stem.as_str());
        let (mut above, mut is_below_app, mut is_in_pages_api) = ("", false, false);
        for folder in &self.folders {
            // Every file below `pages/api` is an address, too.
            is_in_pages_api |= above == "pages" && folder == "api";
            let is_feature = FEATURES.contains(&above) || is_in_pages_api || (is_below_app && is_address);
            if names.contains(&folder.as_str()) && !is_feature {
                return true;
            }
            is_below_app |= folder == "app";
            above = folder;
        }
        false
    }

    fn parent(&self) -> &str {
        self.folders.last().map_or("", String::as_str)
    }

    /// The first folder below the package, `src` aside.
    fn first(&self) -> &str {
        self.inner.iter().map(String::as_str).find(|folder| *folder != "src").unwrap_or("")
    }

    fn has_part(&self, parts: &[&str]) -> bool {
        self.stem.split('.').skip(1).any(|part| parts.contains(&part))
    }

    fn is_jsx(&self) -> bool {
        matches!(self.name.rsplit('.').next(), Some("tsx" | "jsx"))
    }

    fn is_at_package_root(&self) -> bool {
        self.inner.is_empty()
    }
}

/// Folders whose children are features and may have any name.
const FEATURES: &[&str] = &[
    "api",
    "app",
    "components",
    "controllers",
    "features",
    "models",
    "modules",
    "pages",
    "routers",
    "routes",
    "screens",
    "services",
    "views",
];

fn not_audited(place: &Place, head: &Head, around: &Surroundings<'_>) -> Option<FileClass> {
    if is_vendored(place) {
        return Some(FileClass::Vendored);
    }
    if head.is_minified || place.has_part(&["min"]) || place.has_part(&["bundle"]) {
        return Some(FileClass::Minified);
    }
    if head.is_generated || is_generated(place) {
        return Some(FileClass::Generated);
    }
    if is_test(place) {
        return Some(FileClass::Test);
    }
    if place.has_plain(&["migrations", "migration"]) {
        return Some(FileClass::Migration);
    }
    (is_script(place) || around.is_one_off).then_some(FileClass::Script)
}

fn is_vendored(place: &Place) -> bool {
    if place.has_any(&["vendor", "vendors", "third_party", "third-party", "thirdparty", "bower_components"]) {
        return true;
    }
    let mut folders =
        place.folders.iter().map(String::as_str).skip_while(|folder| !PUBLIC.contains(folder)).skip(1);
    folders.any(|folder| ["assets", "lib", "libs", "plugins", "build", "dist", "bundles"].contains(&folder))
}

/// Folders served as they are.
const PUBLIC: &[&str] = &["public", "static", "wwwroot"];

fn is_generated(place: &Place) -> bool {
    place.has_any(&["__generated__", "generated", "_generated", ".prisma"])
        || place.has_part(&["gen", "generated", "g"])
}

fn is_test(place: &Place) -> bool {
    const SUFFIXES: &[&str] =
        &["test", "tests", "spec", "stories", "story", "cy", "e2e", "e2e-spec", "mock", "bench"];
    const STEMS: &[&str] = &["setuptests", "jest.setup", "vitest.setup", "test-utils", "testutils"];
    place.has_part(SUFFIXES)
        || STEMS.contains(&place.stem.as_str())
        || place.has_any(&[
            "__tests__",
            "__mocks__",
            "__fixtures__",
            "__stories__",
            ".storybook",
            "cypress",
            "playwright",
        ])
        || place.has_plain(&["test", "tests", "e2e", "spec", "specs", "fixtures", "stories", "benchmarks"])
}

fn is_script(place: &Place) -> bool {
    let is_public = place.has_any(PUBLIC) || place.has_any(&["assets"]);
    let in_scripts =
        place.has_plain(&["scripts", "script", "seeds", "seeders", "seed", "codemods"]) && !is_public;
    let is_tool = matches!(place.first(), "tools" | "tooling") && !place.has_inner(&["src"]);
    let is_binary = place.parent() == "bin" && !STARTERS.contains(&place.stem.as_str());
    in_scripts || is_tool || is_binary || is_seed(place) || is_configuration(place)
}

/// Names of files that start a server.
const STARTERS: &[&str] = &["api", "app", "index", "main", "server", "start", "worker", "www"];

/// `seed.ts`, `seedUsers.js` and `migrate.js`, but not the routes of a garden shop.
fn is_seed(place: &Place) -> bool {
    const STEMS: &[&str] = &["migrate", "seed", "seeder", "seeds", "run-migrations", "migrations"];
    const STARTS: &[&str] = &["seed-", "seed_", "seeddata", "seeddb", "seeduser", "seedproduct", "seed."];
    let is_named =
        STEMS.contains(&place.stem.as_str()) || STARTS.iter().any(|start| place.stem.starts_with(start));
    is_named && !FEATURES.contains(&place.parent())
}

/// Configuration of tools; that of the application itself (`app.config.ts`) is server code.
fn is_configuration(place: &Place) -> bool {
    const TOOLS: &[&str] = &[
        "babel",
        "commitlint",
        "craco",
        "cypress",
        "drizzle",
        "esbuild",
        "eslint",
        "jest",
        "karma",
        "metro",
        "next",
        "playwright",
        "pm2",
        "ecosystem",
        "postcss",
        "prettier",
        "rollup",
        "rspack",
        "stylelint",
        "svelte",
        "tailwind",
        "tsup",
        "vite",
        "vitest",
        "webpack",
    ];
    const STEMS: &[&str] =
        &["gruntfile", "gulpfile", "vite-env.d", "next-env.d", "react-app-env.d", ".eslintrc", ".prettierrc"];
    let tool = place.stem.split('.').next().unwrap_or_default();
    let is_config = place.has_part(&["config", "conf", "setup", "workspace"]);
    (is_config && (TOOLS.contains(&tool) || place.is_at_package_root()))
        || STEMS.contains(&place.stem.as_str())
}

fn by_directive(head: &Head) -> Option<FileClass> {
    head.directive.map(|directive| match directive {
        Directive::UseClient => FileClass::Client,
        Directive::UseServer => FileClass::Server,
    })
}

fn by_suffix(place: &Place) -> Option<FileClass> {
    if place.has_part(&["server"]) {
        return Some(FileClass::Server);
    }
    place.has_part(&["client", "native", "ios", "android", "web"]).then_some(FileClass::Client)
}

fn by_framework(place: &Place, profile: Profile) -> Option<FileClass> {
    let first = place.first();
    if profile.has_next {
        return next(place, first);
    }
    if profile.has_isomorphic_router && first == "app" && place.has_inner(&["routes"]) {
        return Some(FileClass::Shared);
    }
    None
}

fn next(place: &Place, first: &str) -> Option<FileClass> {
    let is_api = first == "pages"
        && place
            .inner
            .iter()
            .skip_while(|folder| *folder != "pages")
            .nth(1)
            .is_some_and(|below| below == "api");
    if is_api
        || (place.inner.len() < 2
            && ["middleware", "instrumentation", "proxy"].contains(&place.stem.as_str()))
    {
        return Some(FileClass::Server);
    }
    match first {
        "app" | "server" | "actions" | "db" => Some(FileClass::Server),
        "hooks" | "contexts" | "store" | "stores" => Some(FileClass::Client),
        "components" if !place.is_jsx() => None,
        "pages" | "lib" | "utils" | "components" => Some(FileClass::Shared),
        _ => None,
    }
}

const CLIENT_ROOTS: &[&str] = &[
    "browser",
    "client",
    "client-app",
    "clientapp",
    "dashboard",
    "frontend",
    "front",
    "front-end",
    "mobile",
    "spa",
    "ui",
    "web",
    "webapp",
    "website",
];
const SERVER_ROOTS: &[&str] = &[
    "api",
    "back",
    "back-end",
    "backend",
    "functions",
    "lambda",
    "lambdas",
    "microservices",
    "server",
    "srv",
    "worker",
    "workers",
];
const NEUTRAL_ROOTS: &[&str] = &["common", "shared"];
const CLIENT_FOLDERS: &[&str] = &[
    "assets",
    "components",
    "containers",
    "context",
    "contexts",
    "hooks",
    "layouts",
    "pages",
    "redux",
    "screens",
    "slices",
    "store",
    "stores",
    "styles",
    "widgets",
];
const SERVER_FOLDERS: &[&str] = &[
    "api",
    "controller",
    "controllers",
    "cron",
    "crons",
    "daos",
    "database",
    "db",
    "entities",
    "graphql",
    "handlers",
    "jobs",
    "middleware",
    "middlewares",
    "models",
    "prisma",
    "queues",
    "repositories",
    "resolvers",
    "routers",
    "routes",
    "sockets",
];

fn by_place(place: &Place, profile: Profile) -> FileClass {
    if place.has_any(PUBLIC) {
        return FileClass::Client;
    }
    match (profile.has_client, profile.has_server) {
        (true, false) => in_client_package(place),
        (false, true) => in_server_package(place),
        _ => in_mixed_package(place),
    }
}

/// A server in a client package stands at its top (`server/index.js`, `api/` of serverless hosts).
fn in_client_package(place: &Place) -> FileClass {
    match place.inner.first().map(String::as_str) {
        Some("server" | "backend" | "api" | "functions" | "netlify") => FileClass::Server,
        Some(first) if NEUTRAL_ROOTS.contains(&first) => FileClass::Shared,
        None if place.stem == "server" => FileClass::Server,
        _ => FileClass::Client,
    }
}

fn in_server_package(place: &Place) -> FileClass {
    match place.inner.first().map(String::as_str) {
        Some(first)
            if ["client", "frontend", "front-end", "web", "webapp", "ui", "client-app"].contains(&first) =>
        {
            FileClass::Client
        }
        Some(first) if NEUTRAL_ROOTS.contains(&first) && place.inner.len() == 1 => FileClass::Shared,
        _ => FileClass::Server,
    }
}

/// Both kinds of dependencies, or none: the outermost telling folder decides, then the inner ones.
fn in_mixed_package(place: &Place) -> FileClass {
    for folder in place.folders.iter().map(String::as_str) {
        if CLIENT_ROOTS.contains(&folder) {
            return FileClass::Client;
        }
        if SERVER_ROOTS.contains(&folder) {
            return FileClass::Server;
        }
        if NEUTRAL_ROOTS.contains(&folder) {
            return FileClass::Shared;
        }
    }
    if place.is_jsx() || place.has_any(CLIENT_FOLDERS) {
        return FileClass::Client;
    }
    let is_starter =
        place.inner.len() < 2 && matches!(place.stem.as_str(), "server" | "www") || place.parent() == "bin";
    if is_starter || place.has_any(SERVER_FOLDERS) { FileClass::Server } else { FileClass::Shared }
}
