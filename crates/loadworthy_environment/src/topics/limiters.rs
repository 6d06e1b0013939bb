//! Rate limiters that the code creates.

use std::fmt::Write;

use loadworthy_analysis::{Root, Site, Value};
use loadworthy_knowledge::Role;
use loadworthy_syntax::Kind;

use super::Scene;
use super::components::Component;
use super::databases::package_of;
use crate::code::settings::Candidate;
use crate::fact::{Confidence, Known, Place};
use crate::number::plain;

/// A rate limiter.
#[derive(Clone, Debug, PartialEq)]
pub struct RateLimiter {
    /// Its library.
    pub library: Component,
    /// Where it is made.
    pub place: Place,
    /// Requests within the window, where constant.
    pub max: Option<f64>,
    /// The window in milliseconds, where constant.
    pub window_ms: Option<f64>,
    /// Whether it counts in the memory of the process.
    pub is_in_memory: bool,
}

/// Every limiter, in source order.
pub(crate) fn limiters(scene: &Scene<'_>) -> Vec<Known<RateLimiter>> {
    let mut found = Vec::new();
    for creation in scene.creations.iter().filter(|creation| creation.is_direct) {
        let package = package_of(&creation.module);
        let roles = scene.code.knowledge.roles_of(package);
        let Some(row) = roles.iter().find(|row| row.role == Role::RateLimiter) else { continue };
        let options: Vec<_> = scene
            .code
            .arguments(creation.site)
            .into_iter()
            .flat_map(|argument| scene.code.objects(argument))
            .collect();
        let number = |names: &[&str]| {
            let site = options.iter().find_map(|object| {
                names.iter().find_map(|name| {
                    let nested = || {
                        nested(scene, *object).into_iter().find_map(|inner| scene.code.property(inner, name))
                    };
                    scene.code.property(*object, name).or_else(nested)
                })
            })?;
            scene.code.candidates(site).into_iter().find_map(|candidate| match candidate {
                Candidate::Number(number) => Some(number),
                _ => None,
            })
        };
        let max = number(&["max", "limit", "points"]);
        let window_ms =
            number(&["windowMs", "timeWindow", "ttl"]).or_else(|| Some(number(&["duration"])? * 1000.0));
        // Helpers of the package (`ipKeyGenerator(ip)`) take no options.
        if options.is_empty() && max.is_none() && !creation.name().to_ascii_lowercase().contains("limit") {
            continue;
        }
        let store = options.iter().find_map(|object| {
            ["store", "storage", "storeClient", "redis"]
                .iter()
                .find_map(|name| scene.code.property(*object, name))
        });
        let is_shared_by_name = ["redis", "mongo", "memcache", "postgres", "mysql", "prisma"]
            .iter()
            .any(|product| creation.name().to_ascii_lowercase().contains(product));
        let is_memory_store = store.is_some_and(|site| {
            scene.code.resolver.value_of(site).iter().any(|value| match value {
                Value::External(external) => {
                    matches!(&external.root, Root::Package(name) if package_of(name) == package)
                }
                _ => false,
            })
        });
        let owner = scene.code.package_of(creation.site.0).unwrap_or_else(|| scene.server());
        let place = scene.code.place(creation.site, format!("{package} made"));
        let is_hosted = package.starts_with("@upstash/") || package.starts_with("@arcjet/");
        let limiter = RateLimiter {
            library: scene.component(&row.name, package, owner),
            max,
            window_ms,
            is_in_memory: (store.is_none() || is_memory_store) && !is_shared_by_name && !is_hosted,
            place: place.clone(),
        };
        found.push(Known::read(limiter, Confidence::High, vec![place]));
    }
    found
}

/// Objects one level below: `@Throttle({ login: { limit, ttl } })`.
fn nested(scene: &Scene<'_>, (file, object): Site) -> Vec<Site> {
    let Some(module) = scene.code.module(file) else { return Vec::new() };
    let Kind::Object(list) = module.kind(object) else { return Vec::new() };
    let values = module.list(list).filter_map(|part| match module.kind(part) {
        Kind::Property { value, .. } => Some((file, value)),
        _ => None,
    });
    values.flat_map(|value| scene.code.objects(value)).collect()
}

impl RateLimiter {
    /// `express-rate-limit 7.5.0: 100 in 900 s, in memory`.
    #[must_use]
    pub fn shown(&self) -> String {
        // Writing to a string can't fail.
        let mut shown = self.library.shown();
        if let Some(max) = self.max {
            let _ = write!(shown, ": {}", plain(max));
            if let Some(window) = self.window_ms {
                let _ = write!(shown, " in {} s", plain(window / 1000.0));
            }
        }
        shown.push_str(if self.is_in_memory { ", in memory" } else { ", in a shared store" });
        shown
    }
}
