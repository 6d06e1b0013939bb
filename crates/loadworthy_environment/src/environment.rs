//! The environment as typed facts.

use loadworthy_analysis::Resolver;
use loadworthy_knowledge::{Knowledge, Role};
use loadworthy_project::Diagnostic;

use crate::code::imports::Imports;
use crate::code::{Code, aside, variables};
use crate::fact::{Confidence, Known, Place};
use crate::overrides::Overrides;
use crate::signs::Proxy;
use crate::sources;
use crate::topics::Scene;
use crate::topics::components::{Component, Proof};
use crate::topics::databases::{self, Database};
use crate::topics::deployables::{Deployable, Deployables};
use crate::topics::frontend::{self, DataFetch};
use crate::topics::keys::{self, EnvKeys};
use crate::topics::language::{self, Language};
use crate::topics::limiters::{self, RateLimiter};
use crate::topics::node::{self, NodeVersion};
use crate::topics::pools::{self, Pool};
use crate::topics::process::{self, Instances, ProcessModel};
use crate::topics::proxy::{self, TrustProxy};
use crate::topics::sessions::{self, Sessions};

/// What the application runs on. Of several servers, the one with most code.
#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
    /// The packages that run somewhere.
    pub deployables: Vec<Deployable>,
    /// Language and module system of the server.
    pub language: Known<Language>,
    /// Version of Node.js.
    pub node: Known<NodeVersion>,
    /// HTTP frameworks.
    pub frameworks: Known<Vec<Component>>,
    /// What the server takes from forwarded headers.
    pub trust_proxy: Known<TrustProxy>,
    /// Databases, the surest first.
    pub databases: Vec<Known<Database>>,
    /// Most connections that the database server admits; `None` where there is no server.
    pub max_connections: Known<Option<u32>>,
    /// Mappers and query builders, or the driver used without one.
    pub query_libraries: Known<Vec<Component>>,
    /// Connection pools.
    pub pools: Vec<Pool>,
    /// Where the schema is changed when the server starts.
    pub schema_sync: Known<bool>,
    /// Session middlewares.
    pub sessions: Vec<Known<Sessions>>,
    /// Libraries that authenticate.
    pub authentication: Known<Vec<Component>>,
    /// Caches.
    pub caches: Known<Vec<Component>>,
    /// Queues.
    pub queues: Known<Vec<Component>>,
    /// Schedulers in the process.
    pub schedulers: Known<Vec<Component>>,
    /// WebSocket servers, with the adapters that connect instances.
    pub websockets: Known<Vec<Component>>,
    /// Adapters of WebSocket servers.
    pub websocket_adapters: Known<Vec<Component>>,
    /// Rate limiters in the code.
    pub rate_limiters: Vec<Known<RateLimiter>>,
    /// Middleware that compresses responses.
    pub compression: Known<Vec<Component>>,
    /// How processes come to be.
    pub process_model: Known<ProcessModel>,
    /// How many processes answer requests.
    pub instances: Known<Instances>,
    /// Cores of one instance.
    pub cores: Known<f64>,
    /// Memory of one instance in MB; `None` without a known limit.
    pub memory_mb: Known<Option<f64>>,
    /// Old-space limit of V8 in MB.
    pub heap_limit_mb: Known<f64>,
    /// Where the server is deployed.
    pub targets: Known<Vec<String>>,
    /// A tool for development that the production start uses.
    pub development_start: Option<Place>,
    /// Reverse proxies configured in the project.
    pub proxies: Vec<Proxy>,
    /// Whether something passes requests on to the server.
    pub behind_proxy: Known<bool>,
    /// Network that delivers static files.
    pub cdn: Known<Option<String>>,
    /// `NODE_ENV` where the server runs.
    pub node_env: Known<Option<String>>,
    /// Environment variables.
    pub env_keys: Known<EnvKeys>,
    /// React.
    pub react: Option<Known<Component>>,
    /// Whether the React Compiler is on.
    pub react_compiler: Known<bool>,
    /// Build tools of the client.
    pub bundlers: Known<Vec<Component>>,
    /// Libraries that fetch data in the client.
    pub data_fetch: Known<Vec<DataFetch>>,
    /// Logging libraries.
    pub logging: Known<Vec<Component>>,
    /// Metrics libraries.
    pub metrics: Known<Vec<Component>>,
    /// Tracing libraries.
    pub tracing: Known<Vec<Component>>,
    /// Error trackers.
    pub error_tracking: Known<Vec<Component>>,
    /// Load tests in the project.
    pub load_tests: Known<Vec<String>>,
    /// Files beside the code that could not be understood.
    pub unread: Vec<Diagnostic>,
    /// What the user said about the proxy: limits and compression there.
    pub(crate) proxy_says: ProxySays,
}

/// What the user said about a proxy that is not in the project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProxySays {
    pub(crate) rate_limit: Option<bool>,
    pub(crate) compression: Option<bool>,
}

/// Infers the environment from the code of the resolver's program and the files beside it.
#[must_use]
pub fn environment(resolver: &Resolver<'_>, knowledge: &Knowledge, overrides: &Overrides) -> Environment {
    let aside = aside::find(resolver.program(), knowledge);
    let code = Code { resolver, knowledge, aside: &aside };
    let project = code.project();
    let files = sources::read(project, knowledge);
    let parts = Deployables::find(project, knowledge);
    let imports = Imports::find(code);
    let creations = code.creations();
    let keys = variables::read(code);
    let scene = Scene {
        code,
        files: &files,
        parts: &parts,
        imports: &imports,
        creations: &creations,
        keys: &keys,
        overrides,
    };
    assemble(&scene)
}

fn assemble(scene: &Scene<'_>) -> Environment {
    let mut clients = scene.code.clients(scene.creations);
    clients.retain(|client| {
        let file = client.creation.site.0;
        let is_in_client =
            scene.code.package_of(file).is_some_and(|package| scene.parts.is_client_only(package));
        !is_in_client && !scene.code.aside.is_for_a_tool(scene.code.program(), file)
    });
    let cores = process::cores(scene);
    let memory_mb = process::memory(scene);
    let process_model = process::model(scene);
    let databases = databases::databases(scene, &clients);
    let imported = |role| scene.components(role, Proof::Imported);
    Environment {
        deployables: scene.parts.all.clone(),
        language: language::language(scene),
        node: node::version(scene),
        frameworks: frameworks(scene),
        trust_proxy: proxy::trust_proxy(scene),
        max_connections: databases::max_connections(scene, &databases),
        databases,
        query_libraries: query_libraries(scene),
        pools: pools::pools(scene, &clients, &cores),
        schema_sync: databases::schema_sync(scene, &clients),
        sessions: sessions::sessions(scene),
        authentication: sessions::authentication(scene),
        caches: imported(Role::Cache),
        queues: imported(Role::Queue),
        schedulers: imported(Role::Scheduler),
        websockets: imported(Role::Websocket),
        websocket_adapters: imported(Role::WebsocketAdapter),
        rate_limiters: limiters::limiters(scene),
        compression: imported(Role::Compression),
        instances: process::instances(scene, process_model.value, &cores),
        heap_limit_mb: process::heap(scene, &memory_mb),
        development_start: process::development_start(scene, process_model.value),
        process_model,
        cores,
        memory_mb,
        targets: process::targets(scene),
        proxies: proxy::proxies(scene),
        behind_proxy: proxy::behind_proxy(scene),
        cdn: proxy::cdn(scene),
        node_env: process::node_env(scene),
        env_keys: keys::keys(scene),
        react: frontend::react(scene),
        react_compiler: frontend::compiler(scene),
        bundlers: frontend::bundlers(scene),
        data_fetch: frontend::data_fetch(scene),
        logging: imported(Role::Logging),
        metrics: imported(Role::Metrics),
        tracing: imported(Role::Tracing),
        error_tracking: imported(Role::ErrorTracking),
        load_tests: load_tests(scene),
        unread: scene.files.unread.clone(),
        proxy_says: ProxySays {
            rate_limit: scene.overrides.flag("proxy.rate_limit"),
            compression: scene.overrides.flag("proxy.compression"),
        },
    }
}

/// Frameworks of the servers, the main one's first.
fn frameworks(scene: &Scene<'_>) -> Known<Vec<Component>> {
    let mut known = scene.components(Role::WebFramework, Proof::Imported);
    let server = scene.server();
    known.value.sort_by_key(|component| component.package != server);
    if let Some(version) = scene.overrides.text("express.version") {
        for component in known.value.iter_mut().filter(|component| component.library == "express") {
            component.version = Some(version.to_owned());
            component.major = version.split('.').next().and_then(|major| major.parse().ok());
            component.is_pinned = true;
        }
    }
    known
}

fn query_libraries(scene: &Scene<'_>) -> Known<Vec<Component>> {
    let mut mappers = scene.components(Role::Orm, Proof::Imported);
    // A client that is generated from a schema is imported from the project's own folder.
    if !databases::data_sources(scene).is_empty() {
        let pools = scene.code.knowledge.pools().iter().filter(|row| row.url_in_schema);
        let generated: Vec<&str> = pools.map(|row| row.defaults.as_str()).collect();
        for component in scene.components(Role::Orm, Proof::Declared).value {
            let is_new = !mappers.value.contains(&component);
            if is_new && generated.contains(&component.library.as_str()) {
                mappers.evidence.extend(scene.declared(&component.library, component.package));
                mappers.value.push(component);
            }
        }
    }
    if !mappers.value.is_empty() {
        return mappers;
    }
    scene.components(Role::Driver, Proof::Imported)
}

fn load_tests(scene: &Scene<'_>) -> Known<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let mut evidence = Vec::new();
    for sign in &scene.files.signs.load_tests {
        if !names.contains(&sign.value) {
            names.push(sign.value.clone());
            evidence.push(sign.place.clone());
        }
    }
    for component in scene.components(Role::LoadTest, Proof::Declared).value {
        if !names.iter().any(|name| name.eq_ignore_ascii_case(&component.name)) {
            evidence.extend(scene.declared(&component.library, component.package));
            names.push(component.name);
        }
    }
    Known::read(names, Confidence::High, evidence)
}
