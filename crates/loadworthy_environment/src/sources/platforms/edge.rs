//! Platforms that serve files from a CDN and run functions: Vercel, Netlify, Cloudflare, Firebase, Amplify, Azure.

use super::target;
use crate::document::Node;
use crate::signs::{Scope, Signs, Target};

fn cdn(name: &str, node: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    signs.cdns.push(scope.sign(name.to_owned(), node.line, format!("served by {name}")));
}

/// `vercel.json`: functions, or a static site with rewrites.
pub(super) fn vercel(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let builds = document.key("builds").map(Node::items).unwrap_or_default();
    let node_build = builds.iter().find(|build| {
        build
            .key("use")
            .and_then(Node::text)
            .is_some_and(|builder| builder.contains("node") || builder.contains("next"))
    });
    let functions = document.key("functions");
    let holder = functions.or(node_build).unwrap_or(document);
    let is_serverless = functions.is_some() || node_build.is_some();
    target(Target { is_serverless, ..Target::hosted("Vercel") }, holder, scope, signs);
    cdn("Vercel", document, scope, signs);
    for (_, function) in functions.map(Node::entries).unwrap_or_default() {
        if let Some((node, limit)) = function.key("memory").and_then(|node| Some((node, node.number()?))) {
            signs.memory_mb.push(scope.sign(limit, node.line, "memory of a function"));
        }
    }
}

/// `netlify.toml`.
pub(super) fn netlify(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let functions = document.key("functions").or_else(|| document.get("build.functions"));
    let target_of = Target { is_serverless: functions.is_some(), ..Target::hosted("Netlify") };
    target(target_of, functions.unwrap_or(document), scope, signs);
    cdn("Netlify", document, scope, signs);
    if let Some((node, version)) =
        document.get("build.environment.NODE_VERSION").and_then(|node| Some((node, node.text()?)))
    {
        let version = version.trim_start_matches('v').to_owned();
        signs.node_versions.push(scope.sign(version, node.line, "NODE_VERSION of the build"));
    }
}

/// `wrangler.toml`.
pub(super) fn wrangler(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let node = document.key("main").or_else(|| document.key("name")).unwrap_or(document);
    target(Target::function("Cloudflare Workers"), node, scope, signs);
    cdn("Cloudflare", node, scope, signs);
}

/// `firebase.json`: functions and hosting.
pub(super) fn firebase(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    if let Some(functions) = document.key("functions") {
        target(Target::function("Firebase Functions"), functions, scope, signs);
        let runtime = functions.key("runtime").and_then(|node| Some((node, node.text()?)));
        if let Some((node, text)) = runtime
            && let Some(version) = text.strip_prefix("nodejs")
        {
            signs.node_versions.push(scope.sign(version.to_owned(), node.line, format!("runtime {text}")));
        }
    }
    if let Some(hosting) = document.key("hosting") {
        target(Target::hosted("Firebase Hosting"), hosting, scope, signs);
        cdn("Firebase Hosting", hosting, scope, signs);
    }
}

/// `amplify.yml`.
pub(super) fn amplify(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    target(Target::function("AWS Amplify"), document, scope, signs);
    cdn("CloudFront (Amplify)", document, scope, signs);
}

/// `staticwebapp.config.json`.
pub(super) fn static_web_app(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    target(Target::hosted("Azure Static Web Apps"), document, scope, signs);
    cdn("Azure Static Web Apps", document, scope, signs);
}
