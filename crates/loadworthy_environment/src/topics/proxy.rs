//! What stands before the server: reverse proxies, platforms' routers, CDNs, and what the server believes of them.

use loadworthy_syntax::{Kind, Module, NodeId};

use super::{Scene, settle};
use crate::code::settings::Candidate;
use crate::fact::{Basis, Confidence, Known, Place};
use crate::number::plain;
use crate::signs::{Proxy, Tier};

/// What the server takes from `X-Forwarded-*` headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustProxy {
    /// Nothing: the address of the peer is the client's.
    Off,
    /// Everything, whoever sends it.
    All,
    /// So many proxies, or these addresses.
    Some(String),
    /// Set to a value that is not constant.
    Unknown,
}

impl TrustProxy {
    /// What it is, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Off => "off (the default)".to_owned(),
            Self::All => "on for every sender".to_owned(),
            Self::Some(text) => text.clone(),
            Self::Unknown => "set by a value that is not constant".to_owned(),
        }
    }
}

/// `app.set("trust proxy", 1)`, `app.enable("trust proxy")`, `fastify({ trustProxy: true })`, `app.proxy = true` of Koa.
pub(crate) fn trust_proxy(scene: &Scene<'_>) -> Known<TrustProxy> {
    for (file, module) in scene.code.modules() {
        for call in module.calls() {
            if let Some((trust, note)) = from_call(scene, file, module, *call) {
                let place = scene.code.place((file, *call), note);
                let confidence =
                    if trust == TrustProxy::Unknown { Confidence::Low } else { Confidence::High };
                return Known::read(trust, confidence, vec![place]);
            }
        }
        for node in module.node_ids() {
            if let Kind::Assign { operator: None, target, value } = module.kind(node)
                && let Kind::Member { name, .. } = module.kind(target)
                && module.str(name) == "proxy"
                && module.kind(value) == Kind::Bool(true)
            {
                return Known::read(
                    TrustProxy::All,
                    Confidence::Medium,
                    vec![scene.code.place((file, node), "proxy = true")],
                );
            }
        }
    }
    let known = Known { basis: Basis::Default, ..Known::read(TrustProxy::Off, Confidence::High, Vec::new()) };
    if behind_proxy(scene).value {
        known.confirm(
            "`app.set(\"trust proxy\", 1)` where the application is created",
            "behind a proxy every client has the proxy's address: limiters and logs see one user",
        )
    } else {
        known
    }
}

fn from_call(
    scene: &Scene<'_>,
    file: loadworthy_project::FileId,
    module: &Module,
    call: NodeId,
) -> Option<(TrustProxy, String)> {
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    let arguments: Vec<NodeId> = module.list(arguments).collect();
    if let Kind::Member { name, .. } = module.kind(callee)
        && matches!(module.str(name), "set" | "enable")
        && let Some(Kind::String(setting)) = arguments.first().map(|first| module.kind(*first))
        && module.str(setting) == "trust proxy"
    {
        let trust = match arguments.get(1) {
            Some(value) => trust(scene, (file, *value)),
            None => TrustProxy::All,
        };
        return Some((trust, "trust proxy".to_owned()));
    }
    arguments.iter().find_map(|argument| {
        let Kind::Object(_) = module.kind(*argument) else { return None };
        let value = scene.code.property((file, *argument), "trustProxy")?;
        Some((trust(scene, value), "trustProxy".to_owned()))
    })
}

fn trust(scene: &Scene<'_>, site: loadworthy_analysis::Site) -> TrustProxy {
    let candidates = scene.code.candidates(site);
    // `hops === 0 ? false : hops`: one branch turns it off and another may set it, so a `false` alone decides nothing.
    let set = candidates.iter().find(|it| !matches!(it, Candidate::Variable(_) | Candidate::Flag(false)));
    let is_chosen = scene
        .code
        .module(site.0)
        .is_some_and(|module| matches!(module.kind(site.1), Kind::Conditional { .. } | Kind::Binary { .. }));
    match set {
        Some(Candidate::Flag(true)) => TrustProxy::All,
        Some(Candidate::Number(hops)) => TrustProxy::Some(plain(*hops)),
        Some(Candidate::Text(text)) => TrustProxy::Some(text.clone()),
        None if !is_chosen && matches!(candidates.as_slice(), [Candidate::Flag(false)]) => TrustProxy::Off,
        _ => TrustProxy::Unknown,
    }
}

/// Proxies configured for more than development, those for production first.
pub(crate) fn proxies(scene: &Scene<'_>) -> Vec<Proxy> {
    scene.files.signs.proxies.iter().filter(|proxy| !proxy.is_development).cloned().collect()
}

/// Whether something passes requests on to the server.
pub(crate) fn behind_proxy(scene: &Scene<'_>) -> Known<bool> {
    if let Some(present) = scene.overrides.flag("proxy.present") {
        return Known::overridden(present);
    }
    let proxies = proxies(scene);
    if let Some(first) = proxies.iter().find(|proxy| proxy.is_forwarding) {
        return Known::read(true, Confidence::High, vec![first.place.clone()]);
    }
    let targets = scene.of_running_server(&scene.files.signs.targets);
    if let Some(sign) = targets.iter().find(|sign| sign.value.has_router) {
        let place = Place { note: format!("router of {}", sign.value.name), ..sign.place.clone() };
        return Known::read(true, Confidence::High, vec![place]);
    }
    Known::assumed(
        false,
        "the load balancer or proxy before the server (nginx, ingress, platform router)",
        "it decides TLS, compression, body limits, timeouts and whose address a limiter sees",
    )
}

/// Networks that deliver static files, or everything.
pub(crate) fn cdn(scene: &Scene<'_>) -> Known<Option<String>> {
    let signs: Vec<_> = scene.files.signs.cdns.iter().filter(|sign| sign.tier > Tier::Development).collect();
    if let Some(known) = settle(&signs) {
        return known.map(Some);
    }
    if let Some(place) = cloudflare_header(scene) {
        return Known::read(Some("Cloudflare".to_owned()), Confidence::Medium, vec![place]);
    }
    Known::assumed(
        None,
        "where the built client is uploaded, and the DNS of the site",
        "without a CDN the server sends every static byte itself",
    )
}

/// Reading Cloudflare's header means standing behind it.
fn cloudflare_header(scene: &Scene<'_>) -> Option<Place> {
    const HEADERS: [&str; 2] = ["cf-connecting-ip", "cf-ray"];
    scene.code.modules().find_map(|(file, module)| {
        module.node_ids().find_map(|node| {
            let (Kind::String(text) | Kind::Member { name: text, .. }) = module.kind(node) else {
                return None;
            };
            let text = module.str(text);
            HEADERS
                .iter()
                .any(|header| text.eq_ignore_ascii_case(header))
                .then(|| scene.code.place((file, node), "header of Cloudflare"))
        })
    })
}
