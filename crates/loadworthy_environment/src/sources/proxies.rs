//! Configuration of reverse proxies: nginx, Caddy, HAProxy, Traefik, Apache.

use crate::document::Node;
use crate::fact::Place;
use crate::number::megabytes;
use crate::signs::{Proxy, Scope, Sign, Signs, Tier};

const MEGABYTE: f64 = 1024.0 * 1024.0;

impl Proxy {
    pub(crate) fn new(kind: &str, place: Place) -> Self {
        Self {
            kind: kind.to_owned(),
            place,
            rate_limit: None,
            tls: None,
            compression: None,
            body_limit_bytes: None,
            read_timeout_seconds: None,
            upstreams: 0,
            is_forwarding: true,
            is_development: false,
        }
    }
}

impl Sign<()> {
    pub(crate) fn place(scope: &Scope<'_>, line: u32, note: &str) -> Place {
        scope.sign((), line, note).place
    }
}

/// One directive of nginx: its words, its line, and how deep it stands.
struct Directive {
    words: Vec<String>,
    line: u32,
}

/// Reads a configuration of nginx, whole or a part (`conf.d/app.conf`). Only one that passes requests on, limits them or
/// serves files is a proxy.
pub(crate) fn nginx(text: &str, scope: &Scope<'_>, signs: &mut Signs) {
    let directives = directives(text);
    let find = |name: &str| directives.iter().find(|it| it.words.first().is_some_and(|word| word == name));
    let Some(anchor) = find("proxy_pass")
        .or_else(|| find("upstream"))
        .or_else(|| find("server_name"))
        .or_else(|| find("listen"))
    else {
        return;
    };
    let place = |directive: &Directive, note: &str| Sign::place(scope, directive.line, note);
    let value = |name: &str| find(name).and_then(|directive| directive.words.get(1).map(String::as_str));
    let is_on =
        |name: &str| find(name).filter(|directive| directive.words.get(1).is_some_and(|word| word == "on"));
    let listens_tls = directives.iter().find(|it| {
        it.words.first().is_some_and(|word| word == "listen")
            && it.words.iter().skip(1).any(|word| word == "ssl" || word == "443")
    });
    let note = if anchor.words.first().is_some_and(|word| word == "proxy_pass") {
        "passes requests on"
    } else {
        "server"
    };
    signs.proxies.push(Proxy {
        rate_limit: find("limit_req").map(|it| place(it, "limit_req")),
        tls: find("ssl_certificate").or(listens_tls).map(|it| place(it, "TLS")),
        compression: is_on("gzip").or_else(|| is_on("brotli")).map(|it| place(it, "compression on")),
        body_limit_bytes: value("client_max_body_size")
            .and_then(|text| megabytes(text, 1.0))
            .map(|size| size * MEGABYTE),
        read_timeout_seconds: value("proxy_read_timeout").and_then(seconds),
        upstreams: upstreams(&directives),
        is_forwarding: find("proxy_pass").is_some() || find("fastcgi_pass").is_some(),
        is_development: scope.tier == Tier::Development,
        ..Proxy::new("nginx", place(anchor, note))
    });
}

/// `60`, `60s`, `2m`, `1h`.
fn seconds(text: &str) -> Option<f64> {
    let (number, factor) = match text.chars().last()? {
        's' => (text.strip_suffix('s')?, 1.0),
        'm' => (text.strip_suffix('m')?, 60.0),
        'h' => (text.strip_suffix('h')?, 3600.0),
        _ => (text, 1.0),
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}

/// Servers of the `upstream` blocks: `server host:port;` with two words or more, none of which opens a block.
fn upstreams(directives: &[Directive]) -> u32 {
    let servers = directives.iter().filter(|it| {
        it.words.first().is_some_and(|word| word == "server")
            && it.words.get(1).is_some_and(|word| word != "{" && !word.starts_with("unix:"))
    });
    u32::try_from(servers.count()).unwrap_or(u32::MAX)
}

/// Directives in order; a block's head is one as well.
fn directives(text: &str) -> Vec<Directive> {
    let mut found = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut line_of_first = 1;
    for (number, line) in (1u32..).zip(text.lines()) {
        let code = line.split('#').next().unwrap_or_default();
        for part in code.split_inclusive([';', '{', '}']) {
            let (body, end) = match part.strip_suffix([';', '{', '}']) {
                Some(body) => (body, true),
                None => (part, false),
            };
            for word in body.split_whitespace() {
                if words.is_empty() {
                    line_of_first = number;
                }
                words.push(word.trim_matches(['"', '\'']).to_owned());
            }
            if end {
                if !words.is_empty() {
                    if part.ends_with('{') {
                        words.push("{".to_owned());
                    }
                    found.push(Directive { words: std::mem::take(&mut words), line: line_of_first });
                }
                words.clear();
            }
        }
    }
    found
}

/// A Caddyfile: TLS is automatic for sites with a host name.
pub(crate) fn caddy(text: &str, scope: &Scope<'_>, signs: &mut Signs) {
    let lines: Vec<(u32, &str)> =
        (1u32..).zip(text.lines()).map(|(number, line)| (number, line.trim())).collect();
    let find = |word: &str| lines.iter().find(|(_, line)| line.split_whitespace().next() == Some(word));
    let Some((anchor, _)) = find("reverse_proxy").or_else(|| find("file_server")) else { return };
    let is_site = |line: &str| {
        line.ends_with('{')
            && line.contains('.')
            && !line.starts_with([':', '(', '@', '#', '/'])
            && !line.starts_with("http://")
    };
    let site = lines.iter().find(|(_, line)| is_site(line) || line.starts_with("tls "));
    let place = |line: u32, note: &str| Sign::place(scope, line, note);
    signs.proxies.push(Proxy {
        rate_limit: find("rate_limit").map(|(line, _)| place(*line, "rate_limit")),
        tls: site.map(|(line, _)| place(*line, "automatic TLS")),
        compression: find("encode").map(|(line, _)| place(*line, "encode")),
        is_development: scope.tier == Tier::Development,
        is_forwarding: find("reverse_proxy").is_some(),
        ..Proxy::new("Caddy", place(*anchor, "site"))
    });
}

/// HAProxy: `stick-table` with `http_req_rate` limits requests.
pub(crate) fn haproxy(text: &str, scope: &Scope<'_>, signs: &mut Signs) {
    let lines: Vec<(u32, &str)> =
        (1u32..).zip(text.lines()).map(|(number, line)| (number, line.trim())).collect();
    let find = |word: &str| lines.iter().find(|(_, line)| !line.starts_with('#') && line.contains(word));
    let Some((anchor, _)) =
        lines.iter().find(|(_, line)| line.starts_with("backend ") || line.starts_with("listen "))
    else {
        return;
    };
    let place = |line: u32, note: &str| Sign::place(scope, line, note);
    let servers = lines.iter().filter(|(_, line)| line.starts_with("server ")).count();
    signs.proxies.push(Proxy {
        rate_limit: find("http_req_rate").map(|(line, _)| place(*line, "http_req_rate")),
        tls: find("ssl crt").map(|(line, _)| place(*line, "TLS")),
        compression: find("compression algo").map(|(line, _)| place(*line, "compression")),
        upstreams: u32::try_from(servers).unwrap_or(u32::MAX),
        is_development: scope.tier == Tier::Development,
        ..Proxy::new("HAProxy", place(*anchor, "backend"))
    });
}

/// Whether a document is a static or dynamic configuration of Traefik.
pub(crate) fn is_traefik(document: &Node) -> bool {
    document.key("entryPoints").is_some() || document.get("http.routers").is_some()
}

/// Traefik's own files.
pub(crate) fn traefik(document: &Node, scope: &Scope<'_>, signs: &mut Signs) {
    let mut limits = Vec::new();
    document.find_all("rateLimit", &mut limits);
    let mut compress = Vec::new();
    document.find_all("compress", &mut compress);
    let tls = document.key("certificatesResolvers").or_else(|| document.get("entryPoints.websecure"));
    signs.proxies.push(Proxy {
        rate_limit: limits.first().map(|node| Sign::place(scope, node.line, "rateLimit")),
        tls: tls.map(|node| Sign::place(scope, node.line, "TLS")),
        compression: compress.first().map(|node| Sign::place(scope, node.line, "compress")),
        is_development: scope.tier == Tier::Development,
        ..Proxy::new("Traefik", Sign::place(scope, document.line, "Traefik configuration"))
    });
}

/// Apache: `ProxyPass` in a `.conf` or `.htaccess`.
pub(crate) fn apache(text: &str, scope: &Scope<'_>, signs: &mut Signs) {
    let lines: Vec<(u32, &str)> =
        (1u32..).zip(text.lines()).map(|(number, line)| (number, line.trim())).collect();
    let find = |word: &str| lines.iter().find(|(_, line)| line.starts_with(word));
    let Some((anchor, _)) = find("ProxyPass") else { return };
    let place = |line: u32, note: &str| Sign::place(scope, line, note);
    signs.proxies.push(Proxy {
        tls: find("SSLEngine on").map(|(line, _)| place(*line, "TLS")),
        compression: find("AddOutputFilterByType DEFLATE").map(|(line, _)| place(*line, "DEFLATE")),
        is_development: scope.tier == Tier::Development,
        ..Proxy::new("Apache", place(*anchor, "ProxyPass"))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::documents;
    use crate::signs::Unit;

    fn scope() -> Scope<'static> {
        Scope { file: "nginx.conf", tier: Tier::Unspecified, unit: Unit::default() }
    }

    fn first(read: impl Fn(&Scope<'_>, &mut Signs)) -> Option<Proxy> {
        let mut signs = Signs::default();
        read(&scope(), &mut signs);
        signs.proxies.first().cloned()
    }

    #[test]
    fn nginx_tells_limits_tls_compression_and_upstreams() {
        let text = "limit_req_zone $binary_remote_addr zone=a:10m rate=10r/s;\nupstream api {\n  server 10.0.0.1:3000;\n  server 10.0.0.2:3000;\n}\nserver {\n  listen 443 ssl;\n  # gzip on;\n  client_max_body_size 20m;\n  location /api {\n    limit_req zone=a;\n    proxy_read_timeout 2m;\n    proxy_pass http://api;\n  }\n}\n";
        let proxy = first(|scope, signs| nginx(text, scope, signs)).unwrap();
        assert_eq!((proxy.place.line, proxy.upstreams), (Some(13), 2));
        assert_eq!(proxy.rate_limit.unwrap().line, Some(11));
        assert_eq!(proxy.tls.unwrap().line, Some(7));
        assert_eq!(proxy.compression, None);
        assert_eq!(
            (proxy.body_limit_bytes, proxy.read_timeout_seconds),
            (Some(20.0 * MEGABYTE), Some(120.0))
        );
    }

    #[test]
    fn a_zone_alone_limits_nothing() {
        let text = "limit_req_zone $binary_remote_addr zone=a:10m rate=10r/s;\nserver { listen 80; gzip on; location / { proxy_pass http://x; } }";
        let proxy = first(|scope, signs| nginx(text, scope, signs)).unwrap();
        assert!(proxy.rate_limit.is_none() && proxy.tls.is_none() && proxy.compression.is_some());
        assert_eq!(proxy.upstreams, 0);
    }

    #[test]
    fn broken_and_foreign_configurations_are_no_proxies() {
        for text in ["", "}}}{{{;;", "max_connections = 100\n", "server"] {
            assert_eq!(first(|scope, signs| nginx(text, scope, signs)), None, "{text}");
            assert_eq!(first(|scope, signs| caddy(text, scope, signs)), None, "{text}");
            assert_eq!(first(|scope, signs| haproxy(text, scope, signs)), None, "{text}");
        }
    }

    #[test]
    fn caddy_has_tls_for_host_names() {
        let site = "example.com {\n  encode gzip\n  reverse_proxy api:3000\n}\n";
        let proxy = first(|scope, signs| caddy(site, scope, signs)).unwrap();
        assert!(proxy.tls.is_some() && proxy.compression.is_some() && proxy.rate_limit.is_none());
        let local =
            first(|scope, signs| caddy(":80 {\n  reverse_proxy api:3000\n}\n", scope, signs)).unwrap();
        assert!(local.tls.is_none());
    }

    #[test]
    fn traefik_files_are_read() {
        let text = "entryPoints:\n  websecure: {address: ':443'}\nhttp:\n  middlewares:\n    a: {rateLimit: {average: 10}}\n";
        let document = documents("traefik.yml", text).remove(0);
        assert!(is_traefik(&document));
        let proxy = first(|scope, signs| traefik(&document, scope, signs)).unwrap();
        assert!(proxy.rate_limit.is_some() && proxy.tls.is_some());
    }
}
