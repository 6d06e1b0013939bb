//! What stands before the server.

use loadworthy_environment::{Confidence, TrustProxy};

use super::{fact, manifest, of, value};

fn server(index: &str, more: &[(&str, &str)]) -> loadworthy_environment::Environment {
    let manifest = manifest(&[("express", "4.21.2")]);
    let index = format!("const app = require('express')();\n{index}");
    let mut files = vec![("package.json", manifest.as_str()), ("index.js", index.as_str())];
    files.extend_from_slice(more);
    of(&files)
}

#[test]
fn trust_proxy_is_read_in_all_its_forms() {
    for (code, trust) in [
        ("app.set('trust proxy', 1);", TrustProxy::Some("1".to_owned())),
        ("app.set('trust proxy', true);", TrustProxy::All),
        ("app.enable('trust proxy');", TrustProxy::All),
        ("app.set('trust proxy', 'loopback');", TrustProxy::Some("loopback".to_owned())),
        ("app.set('trust proxy', compute());", TrustProxy::Unknown),
        ("app.set('trust proxy', hops === 0 ? false : hops);", TrustProxy::Unknown),
        ("app.set('trust proxy', hops > 0 ? 2 : false);", TrustProxy::Some("2".to_owned())),
        ("app.set('trust proxy', false);", TrustProxy::Off),
        ("app.set('view engine', 'ejs');", TrustProxy::Off),
    ] {
        assert_eq!(server(code, &[]).trust_proxy.value, trust, "{code}");
    }
}

#[test]
fn a_proxy_without_trust_is_to_be_confirmed() {
    let nginx = (
        "nginx.conf",
        "server {\n  listen 443 ssl;\n  location / { proxy_pass http://app:3000; limit_req zone=a; }\n}\n",
    );
    let environment = server("", &[nginx]);
    assert!(
        environment.is_behind_proxy()
            && environment.is_limited_by_proxy()
            && environment.tls_proxy().is_some()
    );
    assert!(!environment.is_compressed_by_proxy());
    assert!(fact(&environment, "trust_proxy").needs_confirmation.is_some());
    assert_eq!(value(&environment, "proxy"), "nginx, limits requests, terminates TLS");
}

#[test]
fn a_server_of_static_files_is_no_proxy() {
    let image = (
        "client/Dockerfile",
        "FROM node:20 AS build\nRUN npm run build\nFROM nginx:1.27\nCOPY --from=build /x /y\n",
    );
    let environment = server("", &[image]);
    assert!(!environment.is_behind_proxy() && environment.is_proxy_unknown());
    assert_eq!(value(&environment, "proxy"), "nginx, serves files");
}

#[test]
fn networks_are_known_by_files_and_headers() {
    let header =
        server("app.use((req, res, next) => { req.ip2 = req.headers['cf-connecting-ip']; next(); });", &[]);
    assert_eq!(
        (header.cdn.value.as_deref(), header.cdn.confidence),
        (Some("Cloudflare"), Confidence::Medium)
    );
    let terraform = server("", &[("infra/main.tf", "resource \"aws_cloudfront_distribution\" \"x\" {\n}\n")]);
    assert_eq!(terraform.cdn.value.as_deref(), Some("CloudFront"));
    assert_eq!(server("", &[]).cdn.value, None);
}
