//! `[[role]]`, `[[host]]`, `[[image]]`, `[[plan]]` and `[[pool]]` rows: what packages, hosts, images, plans and calls say about
//! an application's environment.

use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::closed_sets::closed_set;
use crate::names::Pattern;
use crate::source::File;

closed_set! {
    /// What a package is to the environment of an application.
    Role {
        Database = "database", Search = "search", Orm = "orm", Driver = "driver",
        WebFramework = "web-framework", Serverless = "serverless",
        Session = "session", SessionStore = "session-store", Auth = "auth",
        Cache = "cache", Queue = "queue", Scheduler = "scheduler",
        Websocket = "websocket", WebsocketAdapter = "websocket-adapter",
        RateLimiter = "rate-limiter", RateLimitStore = "rate-limit-store", Compression = "compression",
        Configuration = "configuration", TextRenderer = "text-renderer", ProcessManager = "process-manager", Proxy = "proxy", Pooler = "pooler",
        Logging = "logging", Metrics = "metrics", Tracing = "tracing", ErrorTracking = "error-tracking",
        LoadTest = "load-test",
        UiFramework = "ui-framework", ReactCompiler = "react-compiler", Bundler = "bundler",
        DataFetch = "data-fetch",
    }
}

/// Packages that tell one thing about the environment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRow {
    /// What they are.
    pub role: Role,
    /// The name shown to people.
    pub name: String,
    /// npm names; `*` is a wildcard.
    pub packages: Vec<String>,
    /// Of stores: where they keep what they are given.
    pub kept_in: Option<Medium>,
}

/// Where a store keeps what it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Medium {
    /// A database server: each access is a query.
    Database,
    /// A cache server.
    Cache,
    /// The memory of the process.
    Process,
    /// Files.
    Files,
}

/// A managed service, by its host names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostRow {
    /// How host names end.
    pub suffix: String,
    /// Who runs it.
    pub provider: String,
    /// The database product, where there is only one.
    pub database: Option<String>,
    /// Text in the host name, or `:port`, that marks a connection pooler.
    pub pooler: Option<String>,
}

/// Container images of a product.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageRow {
    /// What the product is.
    pub role: Role,
    /// The name shown to people.
    pub name: String,
    /// The last part of the image names, or the last parts.
    pub images: Vec<String>,
}

/// A plan of a hosting platform.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanRow {
    /// The platform.
    pub platform: String,
    /// Its name in configuration files, in any case.
    pub name: String,
    /// Memory of one instance in MB (2^20 bytes).
    pub memory_mb: f64,
    /// CPU cores of one instance, where the platform promises them.
    pub cores: Option<f64>,
}

/// How a library's connection pool is created and configured. Paths are dotted option names.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoolRow {
    /// The library's id.
    pub lib: String,
    /// Exports whose call or construction opens it; `""` is the package itself.
    pub create: Vec<String>,
    /// Most connections.
    pub max: Vec<String>,
    /// Connections kept.
    pub min: Vec<String>,
    /// How long a request waits for a connection.
    pub acquire_timeout: Vec<String>,
    /// How long an idle connection lives.
    pub idle_timeout: Vec<String>,
    /// How long a statement may run.
    pub statement_timeout: Vec<String>,
    /// Parameter of the connection URL for the most connections.
    pub url_max: Option<String>,
    /// Parameter of the connection URL for the wait.
    pub url_acquire_timeout: Option<String>,
    /// The option that holds a driver made with options of its own.
    pub adapter: Option<String>,
    /// Whether a schema file names the variable of its connection URL.
    pub url_in_schema: bool,
    /// Options and parameters in seconds; the others are in milliseconds.
    pub seconds: Vec<String>,
    /// A client that is no pool has this many connections.
    pub fixed_max: Option<u32>,
    /// Libraries whose pool it opens when it has no default of its own, in order.
    pub drivers: Vec<String>,
    /// The default row that names the bundled driver and its version.
    pub bundled: Option<String>,
    /// The `lib` of its default rows.
    pub defaults: String,
    /// Option of the default row, in order.
    pub default_max: Vec<String>,
    /// Option of the default row, in order.
    pub default_min: Vec<String>,
    /// Option of the default row, in order.
    pub default_acquire_timeout: Vec<String>,
    /// Option of the default row, in order.
    pub default_idle_timeout: Vec<String>,
}

/// The rows, by what is asked.
#[derive(Debug, Default)]
pub(crate) struct EnvironmentRows {
    roles: Vec<RoleRow>,
    by_package: FxHashMap<Box<str>, Vec<usize>>,
    wildcards: Vec<(Pattern, usize)>,
    hosts: Vec<HostRow>,
    images: Vec<ImageRow>,
    plans: Vec<PlanRow>,
    pools: Vec<PoolRow>,
}

impl EnvironmentRows {
    /// The rows of a file; its other tables are not looked at.
    pub(crate) fn new(file: File) -> Self {
        let mut table = Self {
            hosts: file.host,
            images: file.image,
            plans: file.plan,
            pools: file.pool,
            ..Self::default()
        };
        let roles = file.role;
        for (at, row) in roles.iter().enumerate() {
            for package in &row.packages {
                match Pattern::parse(package) {
                    Some(pattern) => table.wildcards.push((pattern, at)),
                    None => table.by_package.entry(package.as_str().into()).or_default().push(at),
                }
            }
        }
        table.roles = roles;
        table
    }

    pub(crate) fn roles(&self) -> &[RoleRow] {
        &self.roles
    }

    /// The roles of a package, in the order of the rows.
    pub(crate) fn roles_of(&self, package: &str) -> Vec<&RoleRow> {
        let exact = self.by_package.get(package).into_iter().flatten().copied();
        let matching =
            self.wildcards.iter().filter(|(pattern, _)| pattern.matches(package)).map(|(_, at)| *at);
        let mut found: Vec<usize> = exact.chain(matching).collect();
        found.sort_unstable();
        found.into_iter().filter_map(|at| self.roles.get(at)).collect()
    }

    pub(crate) fn host(&self, host: &str) -> Option<&HostRow> {
        let is_end = |suffix: &str| {
            host.strip_suffix(suffix).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        self.hosts.iter().find(|row| is_end(&row.suffix))
    }

    /// `image`: without registry port, tag and digest.
    pub(crate) fn image(&self, image: &str) -> Option<&ImageRow> {
        let is_end = |name: &str| {
            image.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        self.images.iter().find(|row| row.images.iter().any(|name| is_end(name)))
    }

    pub(crate) fn images(&self) -> &[ImageRow] {
        &self.images
    }

    pub(crate) fn plan(&self, platform: &str, name: &str) -> Option<&PlanRow> {
        self.plans.iter().find(|row| row.platform == platform && row.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn pools(&self) -> &[PoolRow] {
        &self.pools
    }
}
