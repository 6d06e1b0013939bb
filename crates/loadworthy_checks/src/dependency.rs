//! What a call leaves the process for: a host, a setting that holds one, or a service by the name of its library.

use loadworthy_analysis::{Call, LibraryCall, Options, Root, Site, Step, Value};
use loadworthy_syntax::{Kind, NodeId};

use crate::audit::Audit;

/// A name for what is called: `api.example.com`, `PAYMENT_URL`, `openai`.
pub(crate) fn dependency(audit: &Audit<'_, '_>, call: &Call<'_>, library: &LibraryCall<'_>) -> String {
    let url = address(audit, call, library);
    url.unwrap_or_else(|| audit.knowledge().library(library.lib).id.clone())
}

/// The host or setting that a URL among the arguments, or in the client's options, begins with.
fn address(audit: &Audit<'_, '_>, call: &Call<'_>, library: &LibraryCall<'_>) -> Option<String> {
    let first = audit.resolver.argument(call.site, 0)?;
    named(audit, first, 0).or_else(|| {
        let options = library.options?;
        // `baseURL: process.env.API ?? "http://localhost:5000"` is what the setting says.
        let written = Options::of(audit.resolver, options).get("baseURL");
        if let Some(name) = written.and_then(|site| named(audit, site, 0)) {
            return Some(name);
        }
        let values = audit.resolver.value_of(options);
        let base = audit.resolver.member(&values, "baseURL");
        let setting = base.iter().find_map(setting);
        setting.or_else(|| match &*base {
            [Value::Text(text)] => host_of(text),
            _ => None,
        })
    })
}

/// `NAME` of `process.env.NAME`.
fn setting(value: &Value) -> Option<String> {
    let Value::External(external) = value else { return None };
    match (&external.root, external.steps.last()) {
        (Root::Global(name), Some(Step::Get(setting))) if &**name == "process" => Some(setting.to_string()),
        _ => None,
    }
}

/// Deepest variable that is followed.
const MAX_DEPTH: u32 = 6;

fn named(audit: &Audit<'_, '_>, (file, node): Site, depth: u32) -> Option<String> {
    let module = audit.module((file, node))?;
    if depth > MAX_DEPTH {
        return None;
    }
    let next = |node: NodeId| named(audit, (file, node), depth + 1);
    match module.kind(node) {
        Kind::String(text) => host_of(module.str(text)),
        Kind::Template { strings, values } => {
            let start = module.atoms(strings).next().unwrap_or_default();
            if start.is_empty() { module.list(values).next().and_then(next) } else { host_of(start) }
        }
        Kind::Binary { left, right, .. } => next(left).or_else(|| next(right)),
        Kind::Member { object, name } => match module.source(object) {
            "process.env" | "import.meta.env" => Some(module.str(name).to_owned()),
            _ => audit.resolver.text_of((file, node)).and_then(|text| host_of(&text)),
        },
        Kind::Name { binding, .. } => {
            let declared = module.binding(binding)?;
            match module.kind(module.parent(declared.node)) {
                Kind::Declarator { init, target } if target == declared.node && init.is_some() => next(init),
                _ => audit.resolver.text_of((file, node)).and_then(|text| host_of(&text)),
            }
        }
        Kind::Call { arguments, .. } | Kind::New { arguments, .. } => {
            module.list(arguments).next().and_then(next)
        }
        Kind::Object(parts) => module.list(parts).find_map(|part| match module.kind(part) {
            Kind::Property { key, value }
                if matches!(module.str(key), "url" | "uri" | "hostname" | "host") =>
            {
                next(value)
            }
            _ => None,
        }),
        _ => None,
    }
}

/// `api.example.com` of `https://api.example.com/v1`.
fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', ':', '#', '$']).next()?;
    let host = host.rsplit('@').next()?;
    (host.contains('.') || host == "localhost").then(|| host.to_owned())
}

/// Whether a call's address is relative: only a page has something to be relative to.
pub(crate) fn is_relative(audit: &Audit<'_, '_>, call: Site) -> bool {
    let Some((file, node)) = audit.resolver.argument(call, 0) else { return false };
    let Some(module) = audit.module(call) else { return false };
    let start = match module.kind(node) {
        Kind::String(text) => module.str(text).to_owned(),
        Kind::Template { strings, .. } => module.atoms(strings).next().unwrap_or_default().to_owned(),
        _ => audit.resolver.text_of((file, node)).unwrap_or_default(),
    };
    start.starts_with('/') && !start.starts_with("//")
}

/// Whether a name is of this machine.
pub(crate) fn is_local(dependency: &str) -> bool {
    matches!(dependency, "localhost" | "127.0.0.1" | "0.0.0.0" | "host.docker.internal")
}
