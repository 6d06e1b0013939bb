//! Databases: product, version, provider, and how many connections the server admits.

use loadworthy_analysis::{Root, Site, Value};
use loadworthy_knowledge::{DefaultValue, Role};
use loadworthy_syntax::Kind;

use super::Scene;
use super::components::Proof;
use crate::code::clients::Client;
use crate::code::settings::Candidate;
use crate::connection_url::{ConnectionUrl, product_of};
use crate::fact::{Basis, Confidence, Known, Place};
use crate::number::count;
use crate::signs::Tier;

/// A database that the server talks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// The product (`PostgreSQL`).
    pub kind: String,
    /// Version of the server, where a file names it.
    pub version: Option<String>,
    /// Who runs it, where a host name tells (`Neon`).
    pub provider: Option<String>,
    /// Whether the connection leads through a pooler (`PgBouncer`).
    pub is_pooled: bool,
}

/// A product with what speaks for it.
struct Found {
    kind: String,
    confidence: Confidence,
    evidence: Vec<Place>,
}

/// Every database, the surest first.
pub(crate) fn databases(scene: &Scene<'_>, clients: &[Client<'_>]) -> Vec<Known<Database>> {
    if let Some(kind) = scene.overrides.text("database.kind") {
        let kind =
            product_of(&kind.to_ascii_lowercase(), scene.code.knowledge).unwrap_or_else(|| kind.to_owned());
        let version = scene.overrides.text("database.version").map(str::to_owned);
        return vec![Known::overridden(Database { kind, version, provider: None, is_pooled: false })];
    }
    let mut found: Vec<Found> = Vec::new();
    from_schemas(scene, &mut found);
    from_clients(scene, clients, &mut found);
    from_packages(scene, &mut found);
    let urls = connection_urls(scene);
    if found.is_empty() {
        from_files(scene, &urls, &mut found);
    }
    found.into_iter().map(|found| known(scene, found, &urls)).collect()
}

fn add(found: &mut Vec<Found>, kind: String, confidence: Confidence, place: Place) {
    match found.iter_mut().find(|known| known.kind == kind) {
        Some(known) => {
            known.confidence = known.confidence.max(confidence);
            known.evidence.push(place);
        }
        None => found.push(Found { kind, confidence, evidence: vec![place] }),
    }
}

/// `provider` of the `datasource` block in Prisma schemas.
fn from_schemas(scene: &Scene<'_>, found: &mut Vec<Found>) {
    for source in data_sources(scene) {
        if let Some(kind) = product_of(&source.provider, scene.code.knowledge) {
            add(found, kind, Confidence::High, source.place);
        }
    }
}

/// A `datasource` block of a Prisma schema.
#[derive(Clone, Debug)]
pub(crate) struct DataSource {
    pub(crate) provider: String,
    /// The variable of its URL.
    pub(crate) variable: Option<String>,
    pub(crate) place: Place,
}

/// The data sources of all Prisma schemas.
pub(crate) fn data_sources(scene: &Scene<'_>) -> Vec<DataSource> {
    let project = scene.code.project();
    let schemas = project.other_files.iter().filter(|path| path.ends_with(".prisma"));
    let all: Vec<DataSource> =
        schemas.filter_map(|path| data_source(path, &project.read_other(path).ok()?)).collect();
    // `schema.sqlite.prisma` beside `schema.prisma` is another way to run it.
    let usual: Vec<&str> = all
        .iter()
        .filter(|source| crate::paths::file_name(&source.place.file) == "schema.prisma")
        .map(|source| crate::paths::parent(&source.place.file))
        .collect();
    let is_variant = |source: &DataSource| {
        crate::paths::file_name(&source.place.file) != "schema.prisma"
            && usual.contains(&crate::paths::parent(&source.place.file))
    };
    all.iter().filter(|source| !is_variant(source)).cloned().collect()
}

fn data_source(path: &str, text: &str) -> Option<DataSource> {
    let mut is_inside = false;
    let mut provider = None;
    let mut variable = None;
    for (line, row) in (1u32..).zip(text.lines()) {
        let row = row.split("//").next().unwrap_or_default().trim();
        if row.starts_with("datasource ") {
            is_inside = true;
        } else if row.starts_with('}') {
            is_inside = false;
        } else if let Some((key, value)) = row.split_once('=').filter(|_| is_inside) {
            let quoted = value.split('"').nth(1).unwrap_or_default().to_owned();
            match key.trim() {
                "provider" => provider = Some((quoted, line)),
                "url" if value.contains("env(") => variable = Some(quoted),
                _ => {}
            }
        }
    }
    let (provider, line) = provider.filter(|(provider, _)| !provider.is_empty())?;
    let place = Place::at(path, line, format!("provider {provider}"));
    Some(DataSource { provider, variable, place })
}

/// What clients say they connect to, or what their driver is for.
fn from_clients(scene: &Scene<'_>, clients: &[Client<'_>], found: &mut Vec<Found>) {
    for (kind, confidence, place) in clients.iter().filter_map(|client| dialect(scene, client)) {
        add(found, kind, confidence, place);
    }
}

/// The product that a client connects to: what its options name (constant, from the environment, or the default behind
/// it), or what the package or subpath that makes it is for.
pub(crate) fn dialect(scene: &Scene<'_>, client: &Client<'_>) -> Option<(String, Confidence, Place)> {
    let named = client.options.iter().find_map(|object| {
        ["dialect", "type", "client"].iter().find_map(|key| scene.code.property(*object, key))
    });
    let by_option = named.and_then(|site| {
        scene.code.candidates(site).iter().find_map(|candidate| {
            let (word, confidence) = match candidate {
                Candidate::Text(text) => (text.clone(), Confidence::High),
                Candidate::Variable(key) => {
                    (scene.variable(key)?.0.expose().to_ascii_lowercase(), Confidence::Medium)
                }
                Candidate::Number(_) | Candidate::Flag(_) => return None,
            };
            let kind = product_of(&word, scene.code.knowledge)?;
            let place = scene.code.place(site, format!("dialect of {kind}"));
            Some((kind, confidence, place))
        })
    });
    by_option.or_else(|| {
        let module = client.creation.module.as_str();
        let kind = product_of(module, scene.code.knowledge)
            .or_else(|| product_of(package_of(module), scene.code.knowledge))?;
        let place = scene.code.place(client.creation.site, format!("client of {kind}"));
        Some((kind, Confidence::High, place))
    })
}

/// `mysql2` of `mysql2/promise`.
pub(crate) fn package_of(specifier: &str) -> &str {
    let parts = if specifier.starts_with('@') { 2 } else { 1 };
    let end = specifier.match_indices('/').nth(parts - 1).map(|(at, _)| at);
    end.and_then(|at| specifier.get(..at)).unwrap_or(specifier)
}

/// Drivers that the code imports; those only declared speak for a product where nothing else does.
fn from_packages(scene: &Scene<'_>, found: &mut Vec<Found>) {
    let mut imported = scene.components(Role::Database, Proof::Imported).value;
    // A browser may talk to a hosted database by itself; where the server has one, that is the one.
    imported.sort_by_key(|component| scene.parts.is_client_only(component.package));
    let has_better = !found.is_empty();
    for component in &imported {
        if scene.parts.is_client_only(component.package) && !found.is_empty() {
            continue;
        }
        let place = scene
            .declared(&component.library, component.package)
            .or_else(|| scene.imports.first(&component.library).cloned());
        let Some(place) = place else { continue };
        // A mapper that knows its dialect makes a driver of another product an option, not a database in use.
        let is_known = found.iter().any(|known| known.kind == component.name);
        if is_known || !has_better || is_named_by_code(scene, &component.library) {
            add(found, component.name.clone(), Confidence::High, place);
        }
    }
    if found.is_empty() {
        for component in scene.components(Role::Database, Proof::Declared).value {
            if let Some(place) = scene.declared(&component.library, component.package) {
                add(found, component.name, Confidence::Medium, place);
            }
        }
    }
}

fn is_named_by_code(scene: &Scene<'_>, library: &str) -> bool {
    scene.creations.iter().any(|creation| package_of(&creation.module) == library)
}

/// Connection URLs in env files and compose files.
fn connection_urls(scene: &Scene<'_>) -> Vec<(String, Option<String>, bool, Place, Confidence)> {
    let knowledge = scene.code.knowledge;
    let signs = scene.of_running_server(&scene.files.signs.variables);
    signs
        .into_iter()
        .filter_map(|sign| {
            let url = ConnectionUrl::parse(sign.value.value.expose())?;
            let kind = url.product(knowledge)?;
            let provider = url.service(knowledge).map(|row| row.provider.clone());
            Some((kind, provider, url.is_pooled(knowledge), sign.place.clone(), sign.confidence))
        })
        .collect()
}

type Url = (String, Option<String>, bool, Place, Confidence);

/// Containers and URLs, where the code tells nothing.
fn from_files(scene: &Scene<'_>, urls: &[Url], found: &mut Vec<Found>) {
    for sign in scene.files.signs.databases.iter().filter(|sign| sign.confidence > Confidence::Low) {
        add(found, sign.value.name.clone(), Confidence::Medium, sign.place.clone());
    }
    for (kind, _, _, place, confidence) in urls {
        add(found, kind.clone(), (*confidence).min(Confidence::Medium), place.clone());
    }
}

fn known(scene: &Scene<'_>, found: Found, urls: &[Url]) -> Known<Database> {
    let own: Vec<&Url> = urls.iter().filter(|(kind, ..)| *kind == found.kind).collect();
    let provider = own.iter().find_map(|(_, provider, ..)| provider.clone());
    let mut versions: Vec<_> = scene
        .files
        .signs
        .databases
        .iter()
        .filter(|sign| sign.value.name == found.kind && sign.value.version.is_some())
        .collect();
    versions.sort_by_key(|sign| std::cmp::Reverse((sign.tier > Tier::Development, sign.confidence)));
    let version = versions.first();
    let is_pooled =
        own.iter().any(|(_, _, is_pooled, ..)| *is_pooled) || !scene.files.signs.poolers.is_empty();
    let override_version = scene.overrides.text("database.version").map(str::to_owned);
    let database = Database {
        version: override_version.or_else(|| version.and_then(|sign| sign.value.version.clone())),
        kind: found.kind.clone(),
        provider,
        is_pooled,
    };
    let mut evidence = found.evidence;
    evidence.dedup();
    evidence.truncate(3);
    evidence.extend(version.map(|sign| sign.place.clone()));
    evidence.extend(
        own.iter().filter(|(_, provider, is_pooled, ..)| provider.is_some() || *is_pooled).take(1).map(
            |(_, provider, _, place, _)| Place {
                note: format!("host of {}", provider.as_deref().unwrap_or("a pooler")),
                ..place.clone()
            },
        ),
    );
    let has_version = database.version.is_some();
    let known = Known::read(database, found.confidence, evidence);
    match version_query(&found.kind).filter(|_| !has_version) {
        Some(query) => known.confirm(
            format!("the version: {query} on the server"),
            "plans, index types and connection limits differ by version",
        ),
        None => known,
    }
}

/// How to ask a server for its version; none where there is no server.
fn version_query(kind: &str) -> Option<&'static str> {
    match kind {
        "PostgreSQL" => Some("`SHOW server_version`"),
        "MySQL" | "MariaDB" => Some("`SELECT VERSION()`"),
        "MongoDB" => Some("`db.version()`"),
        "SQL Server" => Some("`SELECT @@VERSION`"),
        _ => None,
    }
}

/// Most connections the server of the first database admits; `None` where there is no such limit.
pub(crate) fn max_connections(scene: &Scene<'_>, databases: &[Known<Database>]) -> Known<Option<u32>> {
    if let Some(limit) = scene.overrides.count("database.max_connections") {
        return Known::overridden(Some(limit));
    }
    let database = databases.first().map(|known| &known.value);
    let Some(server) = database.and_then(|database| server_of(&database.kind)) else {
        return Known::read(None, Confidence::High, Vec::new());
    };
    if let Some(known) = super::settle(&scene.of_running_server(&scene.files.signs.max_connections)) {
        return known.map(Some);
    }
    let row = scene.code.knowledge.default_nearest(server, "max_connections", None).map(|found| found.row);
    let limit = row.and_then(|row| match row.value() {
        DefaultValue::Number(number) => Some(count(number)),
        _ => None,
    });
    let provider = database.and_then(|database| database.provider.as_deref());
    let note = match provider {
        Some(provider) => {
            format!("`SHOW max_connections` on the server: {provider} sets it by the size of the instance")
        }
        None => "`SHOW max_connections` (PostgreSQL) or `SELECT @@max_connections` (MySQL) on the server"
            .to_owned(),
    };
    Known {
        basis: Basis::Default,
        confidence: Confidence::Low,
        ..Known::read(limit, Confidence::Low, Vec::new())
    }
    .confirm(note, "all pools of all instances together must stay below it")
}

/// The server whose default is known.
fn server_of(kind: &str) -> Option<&'static str> {
    match kind {
        "PostgreSQL" => Some("postgresql"),
        "MySQL" | "MariaDB" => Some("mariadb"),
        _ => None,
    }
}

/// `synchronize: true` of a mapper, `sequelize.sync({ alter: true })`: the schema follows the code at every start.
pub(crate) fn schema_sync(scene: &Scene<'_>, clients: &[Client<'_>]) -> Known<bool> {
    let is_on = |site: &Site| scene.code.candidates(*site).contains(&Candidate::Flag(true));
    for client in clients {
        let set = client
            .options
            .iter()
            .find_map(|object| scene.code.property(*object, "synchronize"))
            .filter(is_on);
        if let Some(site) = set {
            return Known::read(true, Confidence::High, vec![scene.code.place(site, "synchronize: true")]);
        }
    }
    match synced(scene) {
        Some(place) => Known::read(true, Confidence::High, vec![place]),
        None => Known::read(false, Confidence::Medium, Vec::new()),
    }
}

/// `.sync({ alter: true })` or `.sync({ force: true })` of a mapper.
fn synced(scene: &Scene<'_>) -> Option<Place> {
    for (file, module) in scene.code.modules() {
        for call in module.calls() {
            let Kind::Call { callee, .. } = module.kind(*call) else { continue };
            let Kind::Member { object, name } = module.kind(callee) else { continue };
            if module.str(name) != "sync" {
                continue;
            }
            let is_mapper = scene.code.resolver.value_of((file, object)).iter().any(|value| match value {
                Value::External(external) => match &external.root {
                    Root::Package(package) => scene
                        .code
                        .knowledge
                        .roles_of(package_of(package))
                        .iter()
                        .any(|row| row.role == Role::Orm),
                    _ => false,
                },
                _ => false,
            });
            if is_mapper {
                return Some(scene.code.place((file, *call), "sync() at start"));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_sources_name_provider_and_variable() {
        let text = "generator client {\n  provider = \"prisma-client-js\"\n}\ndatasource db {\n  provider = \"postgresql\" // x\n  url      = env(\"DATABASE_URL\")\n}\n";
        let source = data_source("schema.prisma", text).unwrap();
        assert_eq!(
            (source.provider.as_str(), source.variable.as_deref(), source.place.line),
            ("postgresql", Some("DATABASE_URL"), Some(5))
        );
        assert!(data_source("models.prisma", "model A {\n id Int\n}\n").is_none());
    }
}
