//! HTTP servers that keep Node.js's own timeouts.

use loadworthy_analysis::{Call, LibraryCall, Site};
use loadworthy_capacity::Severity;
use loadworthy_knowledge::{DefaultValue, Effect};
use loadworthy_project::PackageId;
use loadworthy_syntax::Kind;

use super::META;
use crate::audit::Audit;
use crate::finding::{Confidence, Finding, Fix, Words};
use crate::listening::Listening;

/// Idle time after which common load balancers close a connection: 60 s.
const BALANCER_IDLE_MILLIS: f64 = 60_000.0;
/// The library whose server options count, and its option.
const HTTP: &str = "node:http";

pub(super) fn run(audit: &Audit<'_, '_>, findings: &mut Vec<Finding>) {
    let settings = Settings::of(audit);
    let mut seen: Vec<Option<PackageId>> = Vec::new();
    for (call, library) in audit.analysis.effects(|effect| effect == Effect::HttpListen) {
        let package = package(audit, call.site);
        let has_routes = audit
            .analysis
            .routes()
            .iter()
            .any(|route| route.kind.is_per_request() && self::package(audit, route.site) == package);
        if seen.contains(&package) || !has_routes || !keeps_default(audit, call, library) {
            continue;
        }
        if settings.of_package(package) {
            continue;
        }
        seen.push(package);
        findings.push(finding(audit, call));
    }
}

/// Whether the framework leaves the keep-alive at Node's 5 s.
fn keeps_default(audit: &Audit<'_, '_>, call: &Call<'_>, library: &LibraryCall<'_>) -> bool {
    let Some(keep_alive) = option_names(audit).into_iter().find(|name| name.starts_with("keepAlive")) else {
        return false;
    };
    let is_server = !matches!(library.module.as_deref(), Some("net" | "node:net" | "tls" | "node:tls"));
    let project = audit.program().project();
    let own = library.module.as_deref().and_then(|module| {
        let package = project.file(call.site.0)?.package;
        let version = project.version_of(package, module).map(|version| version.text.as_str());
        audit.knowledge().default_nearest(module, &keep_alive, version)
    });
    let millis = own.map_or(5_000.0, |found| match found.row.value() {
        DefaultValue::Number(number) => number,
        _ => 5_000.0,
    });
    is_server && millis < BALANCER_IDLE_MILLIS
}

/// `keepAliveTimeout`, `headersTimeout` …: what the knowledge says ends something on a server.
fn option_names(audit: &Audit<'_, '_>) -> Vec<String> {
    let knowledge = audit.knowledge();
    let Some(lib) = knowledge.library_id(HTTP) else { return Vec::new() };
    let options = knowledge.library(lib).timeout_options.iter();
    options.filter_map(|option| option.strip_prefix("server.").map(str::to_owned)).collect()
}

/// Packages that set a timeout of a server.
struct Settings(Vec<Option<PackageId>>);

impl Settings {
    fn of(audit: &Audit<'_, '_>) -> Self {
        let names = option_names(audit);
        let mut packages = Vec::new();
        for (file, module) in audit.program().modules() {
            let is_mentioned = names.iter().any(|name| module.text().contains(name.as_str()));
            if !is_mentioned && !module.text().contains("setTimeout(") {
                continue;
            }
            let sets = module.node_ids().any(|node| match module.kind(node) {
                Kind::Assign { target, .. } => match module.kind(target) {
                    Kind::Member { name, .. } => {
                        let name = module.str(name);
                        name != "timeout" && names.iter().any(|it| it == name)
                    }
                    _ => false,
                },
                Kind::Property { key, .. } => {
                    let key = module.str(key);
                    key != "timeout" && names.iter().any(|it| it == key)
                }
                _ => false,
            });
            let waits = audit.analysis.calls().of_file(file).iter().any(|call| is_server_timer(audit, call));
            if sets || waits {
                packages.push(package(audit, (file, module.root())));
            }
        }
        Self(packages)
    }

    fn of_package(&self, package: Option<PackageId>) -> bool {
        self.0.contains(&package)
    }
}

/// `server.setTimeout(…)`, or middleware that ends requests.
fn is_server_timer(audit: &Audit<'_, '_>, call: &Call<'_>) -> bool {
    if call.library.as_ref().is_some_and(|it| it.effect() == Some(Effect::TimeoutWrap)) {
        return true;
    }
    let Some(module) = audit.module(call.site) else { return false };
    let Kind::Call { callee, .. } = module.kind(call.site.1) else { return false };
    let Kind::Member { object, name } = module.kind(callee) else { return false };
    let receiver = module.source(object).to_lowercase();
    module.str(name) == "setTimeout" && (receiver.ends_with("server") || receiver.ends_with("req"))
}

fn finding(audit: &Audit<'_, '_>, call: &Call<'_>) -> Finding {
    let evidence = audit.chain_to(call.site, "this server keeps Node's own timeouts");
    let words = Words {
        title: format!("`{}` keeps connections open for only 5 s", audit.excerpt(call.site, 60)),
        problem: String::from(
            "Node closes an idle connection after 5 s, load balancers and proxies reuse it for 60 s: a request that is sent in between meets a closed socket, and the user gets a 502. Nothing limits how long a request may take either (`server.requestTimeout` covers only its arrival).",
        ),
        verify: String::from(
            "Run the load test through the balancer with pauses of 5–10 s between requests of one connection and count 502s; without a balancer, `curl -v` twice 6 s apart must reuse the connection.",
        ),
        tradeoff: String::from("Idle connections stay longer: a few KB each."),
    };
    let mut finding =
        Finding::new(&META, call.site, evidence, audit.cost_at(call.site), words, fix(audit, call));
    finding.routes = Some(Vec::new());
    finding
        .at_least(Severity::Medium)
        .at_most(Severity::Medium)
        .confidence(Confidence::Medium)
        .assuming("a load balancer or proxy with an idle timeout of 60 s")
}

fn fix(audit: &Audit<'_, '_>, call: &Call<'_>) -> Fix {
    let plain = Fix {
        description: String::from("Set the server's timeouts above those of the balancer in front of it."),
        ..Fix::default()
    };
    let settings = |name: &str, end: &str| {
        format!(
            "{name}.keepAliveTimeout = 65_000{end} // above the balancer's idle timeout\n{name}.headersTimeout = 66_000{end}"
        )
    };
    if let Some(server) = Listening::at(audit, call.site) {
        let lines = settings(&server.name, server.semicolon(audit));
        return server.followed_by(audit, &lines, plain);
    }
    let before = audit.lines_around(audit.statement(call.site), 0);
    let name = server_name(audit, call.site);
    let is_named = before.contains(&format!("{name} ="));
    let started =
        if is_named { before.clone() } else { format!("const {name} = {};", audit.source(call.site)) };
    Fix { before: Some(before), after: Some(format!("{started}\n{}", settings(&name, ";"))), ..plain }
}

/// The variable that holds the server, or the one to put it in.
fn server_name(audit: &Audit<'_, '_>, (file, node): Site) -> String {
    let Some(module) = audit.module((file, node)) else { return String::from("server") };
    match module.kind(module.parent(node)) {
        Kind::Declarator { target, .. } | Kind::Assign { target, .. } => module.source(target).to_owned(),
        _ => String::from("server"),
    }
}

fn package(audit: &Audit<'_, '_>, site: Site) -> Option<PackageId> {
    audit.program().project().file(site.0).map(|file| file.package)
}
