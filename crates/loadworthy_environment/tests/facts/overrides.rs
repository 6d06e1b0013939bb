//! What the user of the audit knows better.

use loadworthy_environment::{Basis, Overrides};

use super::{fact, manifest, value, with};

#[test]
fn overridden_facts_say_so_and_decide() {
    let manifest = manifest(&[("express", "4.21.2"), ("pg", "8.0.0")]);
    let files = [
        ("package.json", manifest.as_str()),
        ("index.js", "require('express')(); new (require('pg').Pool)({ max: 5 });"),
    ];
    let overrides = Overrides::parse([
        "database.pool.max=40",
        "database.max_connections=500",
        "deployment.instances=3",
        "deployment.memory_mb=1024",
        "node.version=14.2.0",
        "express.version=5.1.0",
        "proxy.present=true",
        "proxy.rate_limit=true",
    ])
    .unwrap();
    let environment = with(&files, &overrides);
    assert_eq!(environment.pool_max_per_instance().unwrap().value, 40);
    assert_eq!((environment.most_connections(), environment.max_connections.value), (Some(120), Some(500)));
    assert_eq!(environment.heap_limit_mb.value, 512.0);
    assert_eq!((environment.node_major(), environment.express_major()), (14, Some(5)));
    assert!(environment.is_behind_proxy() && environment.is_limited_by_proxy());
    assert!(value(&environment, "database.pool").contains("set by the user"));
    let node = fact(&environment, "node.version");
    assert_eq!((node.value.as_str(), node.basis), ("14.2.0 (set by the user)", Basis::Override));
}
