//! Compose files: services, their images, copies, limits, variables and commands.

use loadworthy_knowledge::{Knowledge, Role};

use crate::command;
use crate::document::Node;
use crate::number::{cores, count, megabytes};
use crate::paths;
use crate::signs::{Count, Product, Proxy, Scope, Sign, Signs, Target, Tier, Unit};
use crate::sources::images::Image;

/// Whether a YAML document is a compose file.
pub(crate) fn is_compose(document: &Node) -> bool {
    document.key("services").is_some_and(|services| {
        services
            .entries()
            .iter()
            .any(|(_, service)| service.key("image").is_some() || service.key("build").is_some())
    })
}

/// Reads one compose file.
pub(crate) fn read(document: &Node, scope: &Scope<'_>, knowledge: &Knowledge, signs: &mut Signs) {
    let Some(services) = document.key("services") else { return };
    let mut has_app = false;
    let mut is_for_development = true;
    for (name, service) in services.entries() {
        let image = service.key("image").and_then(Node::text);
        let product = image.as_deref().and_then(|image| knowledge.image(Image::parse(image).name()));
        if let Some(row) = product {
            let image = Image::parse(image.as_deref().unwrap_or_default());
            infrastructure(row.role, &row.name, &image, service, scope, signs);
        } else {
            has_app = true;
            is_for_development &= is_development(service);
            application(name, service, scope, signs);
        }
    }
    if has_app {
        let tier = if is_for_development { Tier::Development } else { scope.tier };
        let scope = Scope { tier, unit: scope.unit.clone(), file: scope.file };
        signs.targets.push(scope.sign(Target::plain("Docker Compose"), services.line, "services"));
    }
}

/// A database, cache, proxy … beside the application.
fn infrastructure(
    role: Role,
    name: &str,
    image: &Image<'_>,
    service: &Node,
    scope: &Scope<'_>,
    signs: &mut Signs,
) {
    let line = service.key("image").map_or(service.line, |image| image.line);
    let product = Product { name: name.to_owned(), version: image.version() };
    let sign = scope.sign(product, line, format!("image {}", image.shown()));
    match role {
        Role::Database => {
            signs.databases.push(sign);
            max_connections(service, scope, signs);
        }
        Role::Cache => signs.caches.push(sign),
        Role::Queue => signs.queues.push(sign),
        Role::Pooler => signs.poolers.push(sign),
        Role::Metrics => signs.metrics.push(sign),
        Role::Tracing => signs.tracing.push(sign),
        Role::Proxy => {
            let mut proxy = Proxy::new(name, sign.place);
            proxy.is_development = scope.tier == Tier::Development;
            traefik(service, scope, &mut proxy);
            signs.proxies.push(proxy);
        }
        _ => {}
    }
}

/// `postgres -c max_connections=200`.
pub(crate) fn max_connections(service: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let commands = ["command", "args"].iter().filter_map(|key| service.key(key));
    for command in commands {
        for word in command.words() {
            let word = word.trim_start_matches('-').replace('-', "_");
            let Some(value) = word.strip_prefix("max_connections=") else { continue };
            if let Ok(limit) = value.parse() {
                signs.max_connections.push(scope.sign(
                    limit,
                    command.line,
                    format!("max_connections={limit}"),
                ));
            }
        }
    }
}

/// Traefik is configured by flags and labels.
fn traefik(service: &Node, scope: &Scope<'_>, proxy: &mut Proxy) {
    let Some(command) = service.key("command") else { return };
    for word in command.words() {
        if word.contains("entrypoints.") && (word.contains(":443") || word.contains(".tls")) {
            proxy.tls = Some(scope.sign((), command.line, "TLS entry point").place);
        }
    }
}

fn application(name: &str, service: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let unit = Unit { dir: context_of(service, scope), name: name.to_owned() };
    let tier = if is_development(service) { Tier::Development } else { scope.tier };
    let scope = &Scope { tier, unit, file: scope.file };
    if let Some(image) = service.key("image") {
        let text = image.text().unwrap_or_default();
        if let Some(version) = Image::parse(&text).node_version() {
            signs.node_versions.push(scope.sign(
                version,
                image.line,
                format!("image {}", Image::parse(&text).shown()),
            ));
        }
    }
    variables(service, scope, signs);
    if let Some(start) = service.key("command").or_else(|| service.key("entrypoint")) {
        command::read(&start.words().join(" "), scope, start.line, signs);
    }
    limits(service, scope, signs);
    labels(service, scope, signs);
    let replicas = service.get("deploy.replicas").or_else(|| service.key("scale"));
    if let Some((node, copies)) = replicas.and_then(|node| Some((node, node.number()?))) {
        let copies = count(copies);
        signs.replicas.push(scope.sign(
            Count::Fixed(copies),
            node.line,
            format!("{copies} replicas of {name}"),
        ));
    }
}

/// A service that runs in development mode tells nothing about production.
fn is_development(service: &Node) -> bool {
    let environment = service.key("environment");
    let mode = environment.and_then(|it| it.key("NODE_ENV")).and_then(Node::text);
    let listed = environment.map(Node::items).unwrap_or_default().iter().filter_map(Node::text);
    let command = service.key("command").map(Node::words).unwrap_or_default();
    mode.is_some_and(|mode| mode.contains("development"))
        || listed.into_iter().any(|pair| pair.replace(' ', "") == "NODE_ENV=development")
        || command.iter().any(|word| matches!(word.as_str(), "dev" | "nodemon" | "start:dev"))
}

/// The folder that the service is built from.
fn context_of(service: &Node, scope: &Scope<'_>) -> String {
    let build = service.key("build");
    let context = build.and_then(|build| build.key("context").unwrap_or(build).text());
    let dockerfile = build.and_then(|build| build.key("dockerfile")?.text());
    let context = context.and_then(|context| paths::join(&scope.unit.dir, &context));
    let context = context.unwrap_or_else(|| scope.unit.dir.clone());
    match dockerfile.and_then(|file| paths::join(&context, &file)) {
        Some(file) => paths::parent(&file).to_owned(),
        None => context,
    }
}

fn variables(service: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let Some(environment) = service.key("environment") else { return };
    for (key, value) in environment.entries() {
        if let Some(text) = value.text() {
            command::variable(key, &substituted(&text), scope, value.line, signs);
        }
    }
    for item in environment.items() {
        let text = item.text().unwrap_or_default();
        if let Some((key, value)) = text.split_once('=') {
            command::variable(key, &substituted(value), scope, item.line, signs);
        }
    }
}

/// `${NAME:-default}` is its default; a value that comes from elsewhere is empty.
fn substituted(value: &str) -> String {
    let Some(inner) = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
        return value.to_owned();
    };
    inner
        .split_once(":-")
        .or_else(|| inner.split_once('-'))
        .map_or_else(String::new, |(_, default)| default.to_owned())
}

fn limits(service: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let memory = service.get("deploy.resources.limits.memory").or_else(|| service.key("mem_limit"));
    if let Some((node, limit)) = memory.and_then(|node| Some((node, megabytes(&node.text()?, 1.0)?))) {
        signs.memory_mb.push(scope.sign(limit, node.line, "memory limit"));
    }
    let cpu = service.get("deploy.resources.limits.cpus").or_else(|| service.key("cpus"));
    if let Some((node, limit)) = cpu.and_then(|node| Some((node, cores(&node.text()?)?))) {
        signs.cores.push(scope.sign(limit, node.line, "CPU limit"));
    }
}

/// Labels that put the service behind Traefik or an nginx-proxy, with what they say about limits.
fn labels(service: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let Some(labels) = service.key("labels") else { return };
    let texts = labels.items().iter().filter_map(|item| Some((item.line, item.text()?)));
    let pairs = labels
        .entries()
        .iter()
        .map(|(key, node)| (node.line, format!("{key}={}", node.text().unwrap_or_default())));
    let all: Vec<(u32, String)> =
        texts.chain(pairs).filter(|(_, text)| text.starts_with("traefik.")).collect();
    let Some((line, _)) = all.first() else { return };
    let place_of = |word: &str, note: &str| {
        let found = all.iter().find(|(_, text)| text.to_ascii_lowercase().contains(word));
        found.map(|(line, _)| scope.sign((), *line, note).place)
    };
    signs.proxies.push(Proxy {
        rate_limit: place_of("ratelimit.average", "Traefik rate limit"),
        tls: place_of(".tls", "TLS router"),
        compression: place_of(".compress", "Traefik compression"),
        is_development: scope.tier == Tier::Development,
        ..Proxy::new("Traefik", Sign::place(scope, *line, "Traefik labels"))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::documents;

    fn signs(text: &str) -> Signs {
        let mut signs = Signs::default();
        let scope = Scope {
            file: "deploy/compose.yml",
            tier: Tier::Unspecified,
            unit: Unit { dir: "deploy".into(), name: String::new() },
        };
        for document in documents("compose.yml", text) {
            assert!(is_compose(&document));
            read(&document, &scope, Knowledge::builtin(), &mut signs);
        }
        signs
    }

    #[test]
    fn services_tell_products_copies_limits_and_variables() {
        let read = signs(
            "services:\n  db:\n    image: postgres:16-alpine\n    command: postgres -c max_connections=200\n  cache:\n    image: redis:7\n  api:\n    build: ../server\n    environment:\n      - NODE_ENV=production\n      - PG_MAX=${PG_MAX:-30}\n    command: node --max-old-space-size=400 index.js\n    deploy:\n      replicas: 3\n      resources:\n        limits: {cpus: '0.50', memory: 512M}\n",
        );
        let database = read.databases.first().unwrap();
        assert_eq!((database.value.version.as_deref(), database.place.line), (Some("16"), Some(3)));
        assert_eq!(read.max_connections.first().unwrap().value, 200);
        assert_eq!(read.caches.first().unwrap().value.name, "Redis");
        let copies = read.replicas.first().unwrap();
        assert_eq!((copies.value, copies.unit.dir.as_str()), (Count::Fixed(3), "server"));
        assert_eq!(read.memory_mb.first().unwrap().value, 512.0);
        assert_eq!(read.cores.first().unwrap().value, 0.5);
        assert_eq!(read.heap_mb.first().unwrap().value, 400.0);
        let variable = read.variables.iter().find(|sign| sign.value.key == "PG_MAX").unwrap();
        assert_eq!(variable.value.value.number(), Some(30.0));
    }

    #[test]
    fn a_compose_file_of_databases_alone_is_no_deployment() {
        assert!(signs("services:\n  db:\n    image: mongo:7\n").targets.is_empty());
    }

    #[test]
    fn labels_of_traefik_make_a_proxy() {
        let read = signs(
            "services:\n  web:\n    image: acme/web\n    labels:\n      - traefik.enable=true\n      - traefik.http.routers.web.tls.certresolver=le\n      - traefik.http.middlewares.rl.ratelimit.average=100\n",
        );
        let proxy = read.proxies.first().unwrap();
        assert!(
            proxy.tls.is_some()
                && proxy.rate_limit.as_ref().unwrap().line == Some(7)
                && proxy.compression.is_none()
        );
    }
}
