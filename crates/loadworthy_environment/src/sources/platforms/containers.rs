//! Platforms that run processes: Render, Fly, Railway, Replit, Heroku, DigitalOcean.

use loadworthy_knowledge::Knowledge;

use super::{plans, target};
use crate::command;
use crate::document::Node;
use crate::number::{count, megabytes};
use crate::paths;
use crate::signs::{Count, Product, Scope, Signs, Target, Unit};

/// `key`/`value` pairs of a list of variables.
fn variables(list: Option<&Node>, scope: &Scope<'_>, signs: &mut Signs) {
    for variable in list.map(Node::items).unwrap_or_default() {
        let text = |key: &str| variable.key(key).and_then(Node::text);
        if let Some((key, value)) = text("key").zip(text("value")) {
            command::variable(&key, &value, scope, variable.line, signs);
        }
    }
}

fn start(node: Option<&Node>, scope: &Scope<'_>, signs: &mut Signs) {
    if let Some((node, text)) = node.and_then(|node| Some((node, node.text()?))) {
        command::read(&text, scope, node.line, signs);
    }
}

/// Service part of a platform's file: its folder and name.
fn unit(service: &Node, folder_key: &str, scope: &Scope<'_>) -> Unit {
    let folder = service.key(folder_key).and_then(Node::text);
    Unit {
        dir: folder
            .and_then(|dir| paths::join(&scope.unit.dir, &dir))
            .unwrap_or_else(|| scope.unit.dir.clone()),
        name: service.key("name").and_then(Node::text).unwrap_or_default(),
    }
}

/// `render.yaml`.
pub(super) fn render(document: &Node, scope: &Scope<'_>, knowledge: &Knowledge, signs: &mut Signs) {
    for service in document.key("services").map(Node::items).unwrap_or_default() {
        let text = |key: &str| service.key(key).and_then(Node::text).unwrap_or_default();
        let scope = &scope.of_unit(unit(service, "rootDir", scope));
        let kind = text("type");
        if matches!(kind.as_str(), "redis" | "keyvalue") {
            let product = Product { name: "Redis".to_owned(), version: None };
            signs.caches.push(scope.sign(product, service.line, "Render key-value store"));
            continue;
        }
        if text("runtime") == "static" || text("env") == "static" {
            target(Target::hosted("Render (static site)"), service, scope, signs);
            signs.cdns.push(scope.sign("Render".to_owned(), service.line, "static site of Render"));
            continue;
        }
        target(Target::hosted("Render"), service, scope, signs);
        if kind != "web" {
            continue;
        }
        if let Some(plan) = service.key("plan") {
            plans::read("render", plan, scope, knowledge, signs);
        }
        render_copies(service, scope, signs);
        start(service.key("startCommand"), scope, signs);
        variables(service.key("envVars"), scope, signs);
        for variable in service.key("envVars").map(Node::items).unwrap_or_default() {
            let text = |key: &str| variable.key(key).and_then(Node::text);
            if text("key").as_deref() == Some("NODE_VERSION")
                && let Some(version) = text("value")
            {
                signs.node_versions.push(scope.sign(version, variable.line, "NODE_VERSION"));
            }
        }
    }
    for database in document.key("databases").map(Node::items).unwrap_or_default() {
        let version = database.key("postgresMajorVersion").and_then(Node::text);
        let product = Product { name: "PostgreSQL".to_owned(), version };
        signs.databases.push(scope.sign(product, database.line, "database of Render"));
    }
}

fn render_copies(service: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    if let Some((node, copies)) =
        service.key("numInstances").and_then(|node| Some((node, count(node.number()?))))
    {
        signs.replicas.push(scope.sign(Count::Fixed(copies), node.line, format!("numInstances: {copies}")));
    } else if let Some(scaling) = service.key("scaling") {
        let number = |key: &str| scaling.key(key).and_then(Node::number).map(count);
        let range = Count::Range { min: number("minInstances").unwrap_or(1), max: number("maxInstances") };
        signs.replicas.push(scope.sign(range, scaling.line, format!("scaled: {range}")));
    } else {
        signs.replicas.push(scope.sign(Count::Fixed(1), service.line, "no numInstances: one"));
    }
}

/// `fly.toml`. A machine without `[[vm]]` is the smallest.
pub(super) fn fly(document: &Node, scope: &Scope<'_>, knowledge: &Knowledge, signs: &mut Signs) {
    target(Target::hosted("Fly.io"), document.key("app").unwrap_or(document), scope, signs);
    let machines = document.key("vm");
    let machine = machines.map(|it| it.items().first().unwrap_or(it));
    if let Some(size) = machine.and_then(|machine| machine.key("size")) {
        plans::read("fly", size, scope, knowledge, signs);
    }
    let memory = machine.and_then(|machine| machine.key("memory").or_else(|| machine.key("memory_mb")));
    if let Some((node, limit)) =
        memory.and_then(|node| Some((node, megabytes(&node.text()?, 1024.0 * 1024.0)?)))
    {
        signs.memory_mb.push(scope.sign(limit, node.line, "memory of the machine"));
    }
    if let Some((node, cpus)) =
        machine.and_then(|it| it.key("cpus")).and_then(|node| Some((node, node.number()?)))
    {
        signs.cores.push(scope.sign(cpus, node.line, "cpus of the machine"));
    }
    let service = document.key("http_service");
    if let Some((node, least)) = service
        .and_then(|it| it.key("min_machines_running"))
        .and_then(|node| Some((node, count(node.number()?))))
    {
        let range = Count::Range { min: least, max: None };
        signs.replicas.push(scope.sign(range, node.line, format!("min_machines_running: {least}")));
    }
    for (key, value) in document.key("env").map(Node::entries).unwrap_or_default() {
        if let Some(text) = value.text() {
            command::variable(key, &text, scope, value.line, signs);
        }
    }
    for (_, process) in document.key("processes").map(Node::entries).unwrap_or_default() {
        start(Some(process), scope, signs);
    }
}

/// `railway.json`, `railway.toml`.
pub(super) fn railway(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    target(Target::hosted("Railway"), document.key("deploy").unwrap_or(document), scope, signs);
    if let Some((node, copies)) =
        document.get("deploy.numReplicas").and_then(|node| Some((node, count(node.number()?))))
    {
        signs.replicas.push(scope.sign(Count::Fixed(copies), node.line, format!("numReplicas: {copies}")));
    }
    start(document.get("deploy.startCommand"), scope, signs);
}

/// `.replit`: modules name the versions, the deployment its kind.
pub(super) fn replit(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let deployment = document.key("deployment");
    let kind = document.get("deployment.deploymentTarget").and_then(|node| Some((node, node.text()?)));
    match kind {
        Some((node, kind)) => {
            target(Target::hosted(&format!("Replit ({kind})")), node, scope, signs);
            let range = Count::Range { min: 0, max: None };
            if matches!(kind.as_str(), "autoscale" | "cloudrun") {
                signs.replicas.push(scope.sign(range, node.line, "autoscaled from none"));
            }
        }
        None => target(Target::hosted("Replit"), deployment.unwrap_or(document), scope, signs),
    }
    for module in document.key("modules").map(Node::items).unwrap_or_default() {
        let text = module.text().unwrap_or_default();
        // `nodejs-20:v8-20230920-bd784b9`
        let text = text.split(':').next().unwrap_or_default();
        if let Some(version) = text.strip_prefix("nodejs-") {
            signs.node_versions.push(scope.sign(
                version.to_owned(),
                module.line,
                format!("module nodejs-{version}"),
            ));
        }
        if let Some(version) = text.strip_prefix("postgresql-") {
            let product = Product { name: "PostgreSQL".to_owned(), version: Some(version.to_owned()) };
            signs.databases.push(scope.sign(product, module.line, format!("module postgresql-{version}")));
        }
    }
    if let Some(run) = document.get("deployment.run") {
        command::read(&run.words().join(" "), scope, run.line, signs);
    }
    for (key, value) in document.key("env").map(Node::entries).unwrap_or_default() {
        if let Some(text) = value.text() {
            command::variable(key, &text, scope, value.line, signs);
        }
    }
}

/// `nixpacks.toml`.
pub(super) fn nixpacks(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    start(document.get("start.cmd"), scope, signs);
    if let Some((node, version)) =
        document.get("variables.NIXPACKS_NODE_VERSION").and_then(|node| Some((node, node.text()?)))
    {
        signs.node_versions.push(scope.sign(version, node.line, "NIXPACKS_NODE_VERSION"));
    }
    for package in document.get("phases.setup.nixPkgs").map(Node::items).unwrap_or_default() {
        let text = package.text().unwrap_or_default();
        if let Some(version) =
            text.strip_prefix("nodejs").map(|rest| rest.trim_matches(['_', '-'])).filter(|it| !it.is_empty())
        {
            let version = version.split('_').next().unwrap_or(version).to_owned();
            signs.node_versions.push(scope.sign(version, package.line, format!("package {text}")));
        }
    }
}

/// `app.json` of Heroku.
pub(super) fn heroku(document: &Node, scope: &Scope<'_>, knowledge: &Knowledge, signs: &mut Signs) {
    let Some(web) = document.get("formation.web") else { return };
    target(Target::hosted("Heroku"), web, scope, signs);
    if let Some((node, copies)) = web.key("quantity").and_then(|node| Some((node, count(node.number()?)))) {
        signs.replicas.push(scope.sign(Count::Fixed(copies), node.line, format!("quantity: {copies}")));
    }
    if let Some(size) = web.key("size") {
        plans::read("heroku", size, scope, knowledge, signs);
    }
}

/// `.do/app.yaml`.
pub(super) fn digital_ocean(document: &Node, scope: &Scope<'_>, knowledge: &Knowledge, signs: &mut Signs) {
    for service in document.key("services").map(Node::items).unwrap_or_default() {
        let scope = &scope.of_unit(unit(service, "source_dir", scope));
        target(Target::hosted("DigitalOcean App Platform"), service, scope, signs);
        if let Some((node, copies)) =
            service.key("instance_count").and_then(|node| Some((node, count(node.number()?))))
        {
            signs.replicas.push(scope.sign(
                Count::Fixed(copies),
                node.line,
                format!("instance_count: {copies}"),
            ));
        }
        if let Some(size) = service.key("instance_size_slug") {
            plans::read("digitalocean", size, scope, knowledge, signs);
        }
        start(service.key("run_command"), scope, signs);
        variables(service.key("envs"), scope, signs);
    }
    for database in document.key("databases").map(Node::items).unwrap_or_default() {
        let text = |key: &str| database.key(key).and_then(Node::text);
        let name = match text("engine").as_deref() {
            Some("PG") => "PostgreSQL",
            Some("MYSQL") => "MySQL",
            Some("MONGODB") => "MongoDB",
            _ => continue,
        };
        let product = Product { name: name.to_owned(), version: text("version") };
        signs.databases.push(scope.sign(product, database.line, "database of DigitalOcean"));
    }
}
