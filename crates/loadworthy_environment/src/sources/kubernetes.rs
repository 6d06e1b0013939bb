//! Kubernetes manifests, Helm values and templates, and Kustomize overlays.

use loadworthy_knowledge::{Knowledge, Role};

use crate::command;
use crate::document::Node;
use crate::number::{cores, count, megabytes};
use crate::paths;
use crate::signs::{Count, Product, Proxy, Scope, Signs, Target, Tier, Unit};
use crate::sources::images::Image;

const WORKLOADS: [&str; 6] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout", "Service"];

/// Whether a document is a manifest of Kubernetes or Knative.
pub(crate) fn is_manifest(document: &Node) -> bool {
    document.key("apiVersion").is_some() && document.key("kind").is_some()
}

/// Reads one manifest.
pub(crate) fn read(document: &Node, scope: &Scope<'_>, knowledge: &Knowledge, signs: &mut Signs) {
    let kind = document.key("kind").and_then(Node::text).unwrap_or_default();
    let name = document.get("metadata.name").and_then(Node::text).unwrap_or_default();
    let scope = &scope.of_unit(Unit { dir: scope.unit.dir.clone(), name: name.clone() });
    match kind.as_str() {
        "HorizontalPodAutoscaler" => autoscaler(document, scope, signs),
        "Ingress" | "IngressRoute" | "HTTPRoute" | "Gateway" | "VirtualService" => {
            ingress(&kind, document, scope, signs);
        }
        "ConfigMap" => {
            for (key, value) in document.key("data").map(Node::entries).unwrap_or_default() {
                if let Some(text) = value.text().filter(|_| crate::lines::is_key(key)) {
                    command::variable(key, &text, scope, value.line, signs);
                }
            }
        }
        "Kustomization" => kustomization(document, scope, signs),
        kind if WORKLOADS.contains(&kind) => workload(kind, &name, document, scope, knowledge, signs),
        _ => {}
    }
}

fn workload(
    kind: &str,
    name: &str,
    document: &Node,
    scope: &Scope<'_>,
    knowledge: &Knowledge,
    signs: &mut Signs,
) {
    let Some(containers) = document.get("spec.template.spec.containers") else { return };
    let mut is_application = false;
    for container in containers.items() {
        is_application |= read_container(container, scope, knowledge, signs);
    }
    if !is_application {
        return;
    }
    let target = Target::plain("Kubernetes");
    signs.targets.push(scope.sign(target, document.line, format!("{kind} {name}")));
    if let Some((node, replicas)) =
        document.get("spec.replicas").and_then(|node| Some((node, node.number()?)))
    {
        let replicas = count(replicas);
        signs.replicas.push(scope.sign(
            Count::Fixed(replicas),
            node.line,
            format!("replicas: {replicas} of {name}"),
        ));
    }
}

/// Whether the container runs the application, not a known product.
fn read_container(container: &Node, scope: &Scope<'_>, knowledge: &Knowledge, signs: &mut Signs) -> bool {
    let text = container.key("image").and_then(Node::text).unwrap_or_default();
    let image = Image::parse(&text);
    let line = container.key("image").map_or(container.line, |image| image.line);
    if let Some(row) = knowledge.image(image.name()) {
        let product = Product { name: row.name.clone(), version: image.version() };
        let sign = scope.sign(product, line, format!("image {}", image.shown()));
        match row.role {
            Role::Database => {
                signs.databases.push(sign);
                crate::sources::compose::max_connections(container, scope, signs);
            }
            Role::Cache => signs.caches.push(sign),
            Role::Queue => signs.queues.push(sign),
            Role::Pooler => signs.poolers.push(sign),
            Role::Metrics => signs.metrics.push(sign),
            Role::Tracing => signs.tracing.push(sign),
            Role::Proxy => signs.proxies.push(Proxy::new(&row.name, sign.place)),
            _ => {}
        }
        return false;
    }
    if let Some(version) = image.node_version() {
        signs.node_versions.push(scope.sign(version, line, format!("image {}", image.shown())));
    }
    for variable in container.key("env").map(Node::items).unwrap_or_default() {
        let key = variable.key("name").and_then(Node::text);
        let value = variable.key("value").and_then(Node::text);
        if let Some((key, value)) = key.zip(value) {
            command::variable(&key, &value, scope, variable.line, signs);
        }
    }
    for start in ["command", "args"].iter().filter_map(|key| container.key(key)) {
        command::read(&start.words().join(" "), scope, start.line, signs);
    }
    resources(container, scope, signs);
    true
}

/// `resources.limits` of a container or of Helm values.
fn resources(holder: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let memory = holder.get("resources.limits.memory");
    if let Some((node, limit)) = memory.and_then(|node| Some((node, megabytes(&node.text()?, 1.0)?))) {
        signs.memory_mb.push(scope.sign(limit, node.line, "memory limit"));
    }
    let cpu = holder.get("resources.limits.cpu");
    if let Some((node, limit)) = cpu.and_then(|node| Some((node, cores(&node.text()?)?))) {
        signs.cores.push(scope.sign(limit, node.line, "CPU limit"));
    }
}

fn autoscaler(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let number = |path: &str| document.get(path).and_then(Node::number).map(count);
    let min = number("spec.minReplicas").unwrap_or(1);
    let range = Count::Range { min, max: number("spec.maxReplicas") };
    let target = document.get("spec.scaleTargetRef.name").and_then(Node::text);
    let unit = Unit { dir: scope.unit.dir.clone(), name: target.unwrap_or_default() };
    let line = document.get("spec.minReplicas").map_or(document.line, |node| node.line);
    signs.replicas.push(scope.of_unit(unit).sign(range, line, format!("autoscaled: {range}")));
}

fn ingress(kind: &str, document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let annotations = document.get("metadata.annotations").map(Node::entries).unwrap_or_default();
    let of = |words: &[&str]| {
        annotations.iter().find(|(key, _)| words.iter().any(|word| key.contains(word))).map(|(_, node)| node)
    };
    let class = document.get("spec.ingressClassName").and_then(Node::text);
    let class = class.or_else(|| of(&["ingress.class"]).and_then(Node::text));
    let is_nginx = annotations.iter().any(|(key, _)| key.starts_with("nginx.ingress"));
    let product = match class.as_deref() {
        Some(class) if class.contains("nginx") => "nginx",
        Some(class) if class.contains("alb") => "AWS ALB",
        Some(class) if class.contains("traefik") => "Traefik",
        Some(class) if class.contains("gce") => "Google Cloud load balancer",
        _ if is_nginx => "nginx",
        _ => kind,
    };
    let place = scope.sign((), document.line, format!("{kind} {}", scope.unit.name)).place;
    signs.proxies.push(Proxy {
        rate_limit: of(&["limit-rps", "limit-rpm", "limit-connections", "ratelimit"])
            .map(|node| scope.sign((), node.line, "rate limit annotation").place),
        tls: document.get("spec.tls").map(|node| scope.sign((), node.line, "tls").place),
        body_limit_bytes: of(&["proxy-body-size"])
            .and_then(|node| megabytes(&node.text()?, 1.0))
            .map(|megabytes| megabytes * 1024.0 * 1024.0),
        read_timeout_seconds: of(&["proxy-read-timeout"]).and_then(Node::number),
        is_development: scope.tier == Tier::Development,
        ..Proxy::new(product, place)
    });
}

/// `replicas:` of an overlay.
fn kustomization(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    for entry in document.key("replicas").map(Node::items).unwrap_or_default() {
        let name = entry.key("name").and_then(Node::text).unwrap_or_default();
        if let Some((node, copies)) = entry.key("count").and_then(|node| Some((node, node.number()?))) {
            let unit = Unit { dir: scope.unit.dir.clone(), name };
            let copies = count(copies);
            signs.replicas.push(scope.of_unit(unit).sign(
                Count::Fixed(copies),
                node.line,
                format!("replicas: {copies}"),
            ));
        }
    }
}

/// Whether a file of values belongs to a chart: it stands beside a `Chart.yaml`.
pub(crate) fn is_values(name: &str) -> bool {
    name.starts_with("values") && matches!(paths::extension(name).as_str(), "yaml" | "yml")
}

/// Values of a Helm chart, at the top and one level below (a chart of several services).
pub(crate) fn read_values(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    values(document, scope, signs);
    for (name, part) in document.entries() {
        if part.key("replicaCount").is_some()
            || part.key("resources").is_some()
            || part.key("replicas").is_some()
        {
            values(part, &scope.of_unit(Unit { dir: scope.unit.dir.clone(), name: name.clone() }), signs);
        }
    }
}

fn values(holder: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let replicas = holder.key("replicaCount").or_else(|| holder.key("replicas"));
    if let Some((node, copies)) = replicas.and_then(|node| Some((node, count(node.number()?)))) {
        let target = Target::plain("Kubernetes (Helm)");
        signs.targets.push(scope.sign(target, node.line, "chart values"));
        signs.replicas.push(scope.sign(Count::Fixed(copies), node.line, format!("replicaCount: {copies}")));
    }
    if let Some(scaling) =
        holder.key("autoscaling").filter(|it| it.key("enabled").and_then(Node::flag) == Some(true))
    {
        let number = |key: &str| scaling.key(key).and_then(Node::number).map(count);
        let range = Count::Range { min: number("minReplicas").unwrap_or(1), max: number("maxReplicas") };
        signs.replicas.push(scope.sign(range, scaling.line, format!("autoscaled: {range}")));
    }
    resources(holder, scope, signs);
    for (key, value) in holder.key("env").map(Node::entries).unwrap_or_default() {
        if let Some(text) = value.text() {
            command::variable(key, &text, scope, value.line, signs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::documents;

    fn signs(text: &str) -> Signs {
        let mut signs = Signs::default();
        let scope = Scope {
            file: "k8s/api.yaml",
            tier: Tier::Production,
            unit: Unit { dir: "k8s".into(), name: String::new() },
        };
        for document in documents("api.yaml", text) {
            if is_manifest(&document) {
                read(&document, &scope, Knowledge::builtin(), &mut signs);
            } else {
                read_values(&document, &scope, &mut signs);
            }
        }
        signs
    }

    const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api\nspec:\n  replicas: 3\n  template:\n    spec:\n      containers:\n        - name: api\n          image: acme/api:1.2\n          env:\n            - {name: NODE_ENV, value: production}\n            - name: SECRET\n              valueFrom: {secretKeyRef: {name: s, key: k}}\n          resources:\n            requests: {memory: 128Mi, cpu: 100m}\n            limits: {memory: 512Mi, cpu: 500m}\n";

    #[test]
    fn a_deployment_tells_copies_and_limits() {
        let read = signs(DEPLOYMENT);
        assert_eq!(read.replicas.first().unwrap().value, Count::Fixed(3));
        assert_eq!((read.memory_mb.first().unwrap().value, read.cores.first().unwrap().value), (512.0, 0.5));
        assert_eq!(read.variables.len(), 1);
        assert_eq!(read.targets.first().unwrap().value.name, "Kubernetes");
    }

    #[test]
    fn a_database_in_the_cluster_is_not_the_application() {
        let read = signs(&DEPLOYMENT.replace("acme/api:1.2", "postgres:15.4"));
        assert!(read.replicas.is_empty() && read.memory_mb.is_empty());
        assert_eq!(read.databases.first().unwrap().value.version.as_deref(), Some("15.4"));
    }

    #[test]
    fn autoscalers_and_ingresses_are_read() {
        let read = signs(
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: x}\nspec:\n  scaleTargetRef: {name: api}\n  minReplicas: 2\n  maxReplicas: 8\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\n  annotations:\n    nginx.ingress.kubernetes.io/limit-rps: '20'\n    nginx.ingress.kubernetes.io/proxy-body-size: 8m\nspec:\n  tls: [{hosts: [a]}]\n",
        );
        assert_eq!(read.replicas.first().unwrap().value, Count::Range { min: 2, max: Some(8) });
        let proxy = read.proxies.first().unwrap();
        assert_eq!((proxy.kind.as_str(), proxy.body_limit_bytes), ("nginx", Some(8.0 * 1024.0 * 1024.0)));
        assert!(proxy.rate_limit.is_some() && proxy.tls.is_some());
    }

    #[test]
    fn charts_give_their_values_and_templates_do_no_harm() {
        let read = signs(
            "replicaCount: 2\nautoscaling:\n  enabled: false\n  minReplicas: 5\nresources:\n  limits: {cpu: 1, memory: 1Gi}\n",
        );
        assert_eq!(read.replicas.len(), 1);
        assert_eq!(read.memory_mb.first().unwrap().value, 1024.0);
        let template = DEPLOYMENT.replace("replicas: 3", "replicas: {{ .Values.replicaCount }}");
        assert!(signs(&template).replicas.is_empty());
    }
}
