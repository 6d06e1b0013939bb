//! The facts as they are printed, in a fixed order.

use crate::environment::Environment;
use crate::fact::{Basis, Confidence, Fact, Known, Place};
use crate::number::plain;
use crate::signs::Proxy;
use crate::topics::components::Component;
use crate::topics::databases::Database;
use crate::topics::limiters::RateLimiter;
use crate::topics::pools::Pool;

impl Environment {
    /// Every fact, in a fixed order.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        let mut facts = Facts { environment: self, all: Vec::new() };
        facts.platform();
        facts.data();
        facts.access();
        facts.processes();
        facts.edge();
        facts.client();
        facts.observability();
        facts.all
    }
}

struct Facts<'e> {
    environment: &'e Environment,
    all: Vec<Fact>,
}

impl Facts<'_> {
    fn add<T>(&mut self, key: &'static str, name: &str, known: &Known<T>, value: String) {
        let value = if known.basis == Basis::Override { format!("{value} (set by the user)") } else { value };
        self.all.push(Fact {
            key,
            name: name.to_owned(),
            value,
            confidence: known.confidence,
            basis: known.basis,
            evidence: known.evidence.clone(),
            needs_confirmation: known.needs_confirmation.clone(),
        });
    }

    fn components(&mut self, key: &'static str, name: &str, known: &Known<Vec<Component>>) {
        let value = self.list(&known.value);
        self.add(key, name, known, value);
    }

    /// Names with versions, and the package where there are several.
    fn list(&self, components: &[Component]) -> String {
        if components.is_empty() {
            return "none".to_owned();
        }
        let shown =
            components.iter().map(|component| format!("{}{}", component.shown(), self.label(component)));
        shown.collect::<Vec<_>>().join(", ")
    }

    fn label(&self, component: &Component) -> String {
        match (self.environment.deployables.len() < 2, component.dir.is_empty()) {
            (true, _) => String::new(),
            (false, true) => " in the root".to_owned(),
            (false, false) => format!(" in {}", component.dir),
        }
    }

    fn platform(&mut self) {
        let environment = self.environment;
        let parts: Vec<String> = environment.deployables.iter().map(part).collect();
        let places = environment.deployables.iter().map(|part| {
            Place::whole(
                &if part.dir.is_empty() {
                    "package.json".to_owned()
                } else {
                    format!("{}/package.json", part.dir)
                },
                part.name.clone(),
            )
        });
        let known = Known::read((), Confidence::High, places.collect());
        self.add("packages", "Deployed packages", &known, parts.join("; "));
        self.add(
            "language",
            "Language and modules",
            &environment.language,
            environment.language.value.shown(),
        );
        self.add("node.version", "Node.js", &environment.node, environment.node.value.text.clone());
        self.components("framework", "HTTP framework", &environment.frameworks);
    }

    fn data(&mut self) {
        let environment = self.environment;
        for database in &environment.databases {
            self.add("database.kind", "Database", database, database_shown(&database.value));
        }
        if environment.databases.is_empty() {
            let none = Known::assumed(
                (),
                "where the server keeps its data (no driver, schema or URL was found)",
                "the pool and the indexes decide most of the load",
            );
            self.add("database.kind", "Database", &none, "none found".to_owned());
        }
        if let Some(limit) = environment.max_connections.value {
            let value = match environment.max_connections.basis {
                Basis::Default => format!("{limit} (the server's default)"),
                _ => limit.to_string(),
            };
            self.add(
                "database.max_connections",
                "Connections the server admits",
                &environment.max_connections,
                value,
            );
        }
        self.components("database.library", "Query library", &environment.query_libraries);
        self.pools();
        if environment.schema_sync.value {
            self.add(
                "database.schema_sync",
                "Schema changes at start",
                &environment.schema_sync,
                "on: the schema follows the code at every start".to_owned(),
            );
        }
    }

    /// One fact for pools that are alike: many clients of one library are a finding of their own.
    fn pools(&mut self) {
        let mut groups: Vec<(String, Vec<&Pool>)> = Vec::new();
        for pool in &self.environment.pools {
            let summary = pool.summary();
            match groups.iter_mut().find(|(known, _)| *known == summary) {
                Some((_, pools)) => pools.push(pool),
                None => groups.push((summary, vec![pool])),
            }
        }
        for (summary, pools) in groups {
            let Some(first) = pools.first() else { continue };
            let mut evidence = pool_evidence(first);
            evidence.extend(pools.iter().skip(1).take(3).filter_map(|pool| pool.created_at.clone()));
            let known = Known { evidence, ..first.max.clone().map(|_| ()) };
            let value =
                if pools.len() > 1 { format!("{} clients, each {summary}", pools.len()) } else { summary };
            self.add("database.pool", "Connection pool", &known, value);
        }
    }

    fn access(&mut self) {
        let environment = self.environment;
        for sessions in &environment.sessions {
            let value =
                format!("{}, kept in {}", sessions.value.library.shown(), sessions.value.store.shown());
            self.add("sessions", "Sessions", sessions, value);
        }
        if environment.sessions.is_empty() {
            self.add(
                "sessions",
                "Sessions",
                &Known::read((), Confidence::High, Vec::new()),
                "none".to_owned(),
            );
        }
        self.components("authentication", "Authentication", &environment.authentication);
        let mut groups: Vec<(String, Vec<&Known<RateLimiter>>)> = Vec::new();
        for limiter in &environment.rate_limiters {
            let shown = limiter.value.shown();
            match groups.iter_mut().find(|(known, _)| *known == shown) {
                Some((_, limiters)) => limiters.push(limiter),
                None => groups.push((shown, vec![limiter])),
            }
        }
        for (shown, limiters) in groups {
            let Some(first) = limiters.first() else { continue };
            let places = limiters.iter().take(4).map(|limiter| limiter.value.place.clone());
            let known = Known::read((), first.confidence, places.collect());
            let value =
                if limiters.len() > 1 { format!("{} limiters, each {shown}", limiters.len()) } else { shown };
            self.add("rate_limiter", "Rate limiter", &known, value);
        }
        if environment.rate_limiters.is_empty() {
            self.add(
                "rate_limiter",
                "Rate limiter",
                &Known::read((), Confidence::High, Vec::new()),
                "none in the code".to_owned(),
            );
        }
        self.components("cache", "Cache", &environment.caches);
        self.components("queue", "Queue", &environment.queues);
        self.components("scheduler", "Scheduler", &environment.schedulers);
        let mut value = self.list(&environment.websockets.value);
        if let Some(adapter) = environment.websocket_adapters.value.first() {
            value = format!("{value}, adapter of {}", adapter.name);
        } else if environment.websockets.value.iter().any(|component| component.library == "socket.io") {
            value.push_str(", in-memory adapter");
        }
        self.add("websocket", "WebSockets", &environment.websockets, value);
    }

    fn processes(&mut self) {
        let environment = self.environment;
        let mut model = environment.process_model.value.as_str().to_owned();
        if let Some(place) = &environment.development_start {
            model = format!("{model}, {} ({place})", place.note);
        }
        self.add("deployment.process_model", "Process model", &environment.process_model, model);
        let instances = &environment.instances.value;
        self.add(
            "deployment.instances",
            "Instances",
            &environment.instances,
            assumed(&environment.instances, instances.shown.clone()),
        );
        self.add(
            "deployment.cores",
            "CPU cores of an instance",
            &environment.cores,
            assumed(&environment.cores, plain(environment.cores.value)),
        );
        let memory = environment
            .memory_mb
            .value
            .map_or_else(|| "no limit found".to_owned(), |megabytes| format!("{} MB", plain(megabytes)));
        self.add("deployment.memory_mb", "Memory of an instance", &environment.memory_mb, memory);
        let heap = format!("{} MB", plain(environment.heap_limit_mb.value));
        self.add(
            "deployment.heap_mb",
            "Heap limit",
            &environment.heap_limit_mb,
            assumed(&environment.heap_limit_mb, heap),
        );
        let targets = if environment.targets.value.is_empty() {
            "none found".to_owned()
        } else {
            environment.targets.value.join(", ")
        };
        self.add("deployment.targets", "Deployment", &environment.targets, targets);
        let mode = environment.node_env.value.clone().unwrap_or_else(|| "unset".to_owned());
        self.add(
            "deployment.node_env",
            "NODE_ENV",
            &environment.node_env,
            assumed(&environment.node_env, mode),
        );
        self.add("env_keys", "Environment keys", &environment.env_keys, environment.env_keys.value.summary());
    }

    fn edge(&mut self) {
        let environment = self.environment;
        let mut kinds: Vec<&str> = environment.proxies.iter().map(|proxy| proxy.kind.as_str()).collect();
        kinds.dedup();
        let mut seen = Vec::new();
        for kind in kinds {
            if !seen.contains(&kind) {
                seen.push(kind);
                self.proxy(kind);
            }
        }
        if environment.proxies.is_empty() {
            let first = environment.behind_proxy.evidence.first().map(|place| place.note.clone());
            let present = first.unwrap_or_else(|| "present".to_owned());
            let value =
                if environment.behind_proxy.value { present } else { "none in the project".to_owned() };
            self.add("proxy", "Reverse proxy", &environment.behind_proxy, value);
        }
        self.add(
            "trust_proxy",
            "trust proxy",
            &environment.trust_proxy,
            environment.trust_proxy.value.shown(),
        );
        let cdn = environment.cdn.value.clone().unwrap_or_else(|| "none found".to_owned());
        self.add("cdn", "CDN", &environment.cdn, cdn);
        self.components("compression", "Compression in the server", &environment.compression);
    }

    /// What the files about one product say together.
    fn proxy(&mut self, kind: &str) {
        let own: Vec<&Proxy> = self.environment.proxies.iter().filter(|proxy| proxy.kind == kind).collect();
        let mut parts = vec![kind.to_owned()];
        if !own.iter().any(|proxy| proxy.is_forwarding) {
            parts.push("serves files".to_owned());
        }
        let mut places: Vec<Place> = own.iter().take(2).map(|proxy| proxy.place.clone()).collect();
        let rate_limit = own.iter().find_map(|proxy| proxy.rate_limit.clone());
        let tls = own.iter().find_map(|proxy| proxy.tls.clone());
        let compression = own.iter().find_map(|proxy| proxy.compression.clone());
        for (place, words) in
            [(rate_limit, "limits requests"), (tls, "terminates TLS"), (compression, "compresses")]
        {
            if let Some(place) = place {
                parts.push(words.to_owned());
                places.push(place);
            }
        }
        let body = own.iter().find_map(|proxy| proxy.body_limit_bytes);
        parts.extend(body.map(|bytes| format!("body limit {} MB", plain(bytes / 1_048_576.0))));
        let timeout = own.iter().find_map(|proxy| proxy.read_timeout_seconds);
        parts.extend(timeout.map(|seconds| format!("read timeout {} s", plain(seconds))));
        let known = Known::read((), Confidence::High, places);
        self.add("proxy", "Reverse proxy", &known, parts.join(", "));
    }

    fn client(&mut self) {
        let environment = self.environment;
        let Some(react) = &environment.react else { return };
        let value = self.list(std::slice::from_ref(&react.value));
        self.add("react.version", "React", react, value);
        let compiler = if environment.react_compiler.value { "on" } else { "off" };
        self.add("react.compiler", "React Compiler", &environment.react_compiler, compiler.to_owned());
        self.components("bundler", "Bundler", &environment.bundlers);
        let fetch: Vec<String> =
            environment.data_fetch.value.iter().map(crate::topics::frontend::DataFetch::shown).collect();
        let fetch = if fetch.is_empty() { "fetch without a library".to_owned() } else { fetch.join("; ") };
        self.add("data_fetch", "Data fetching", &environment.data_fetch, fetch);
    }

    fn observability(&mut self) {
        let environment = self.environment;
        self.components("logging", "Logging", &environment.logging);
        self.components("metrics", "Metrics", &environment.metrics);
        self.components("tracing", "Tracing", &environment.tracing);
        self.components("error_tracking", "Error tracking", &environment.error_tracking);
        let tests = if environment.load_tests.value.is_empty() {
            "none".to_owned()
        } else {
            environment.load_tests.value.join(", ")
        };
        self.add("load_tests", "Load tests", &environment.load_tests, tests);
    }
}

/// Where a pool is created and set up; what is said of one place is said once.
fn pool_evidence(pool: &Pool) -> Vec<Place> {
    let mut evidence: Vec<Place> = pool.created_at.iter().cloned().collect();
    let settings = [
        &pool.max.evidence,
        &pool.min.evidence,
        &pool.acquire_timeout_ms.evidence,
        &pool.statement_timeout_ms.evidence,
    ];
    for place in settings.into_iter().flatten() {
        match evidence.iter_mut().find(|known| known.file == place.file && known.line == place.line) {
            Some(known) if known.note.contains(&place.note) => {}
            Some(known) => known.note = format!("{}; {}", known.note, place.note),
            None => evidence.push(place.clone()),
        }
    }
    evidence
}

fn part(part: &crate::topics::deployables::Deployable) -> String {
    let role = match (part.is_server, part.is_client) {
        (true, true) => "server and client",
        (true, false) => "server",
        (false, true) => "client",
        (false, false) => "package",
    };
    let dir = if part.dir.is_empty() { "the root" } else { &part.dir };
    format!("{role} in {dir}")
}

fn database_shown(database: &Database) -> String {
    let mut shown = database.kind.clone();
    if let Some(version) = &database.version {
        shown = format!("{shown} {version}");
    }
    if let Some(provider) = &database.provider {
        shown = format!("{shown} at {provider}");
    }
    if database.is_pooled {
        shown.push_str(", through a pooler");
    }
    shown
}

fn assumed<T>(known: &Known<T>, value: String) -> String {
    if known.basis == Basis::Assumed { format!("{value} (assumed)") } else { value }
}
