//! Questions that the load model and the checks ask.

use crate::environment::Environment;
use crate::fact::{Basis, Known};
use crate::signs::Proxy;
use crate::topics::components::Component;
use crate::topics::pools::Pool;
use crate::topics::process::ProcessModel;

impl Environment {
    /// Database connections of one process: the main pool's.
    #[must_use]
    pub fn pool_max_per_instance(&self) -> Option<&Known<u32>> {
        self.main_pool().map(|pool| &pool.max)
    }

    /// The pool that requests share: the first real one, else a single connection.
    #[must_use]
    pub fn main_pool(&self) -> Option<&Pool> {
        self.pools.iter().find(|pool| !pool.is_single_connection).or_else(|| self.pools.first())
    }

    /// Connections that all processes together may open: pool × most instances; `None` without a bound.
    #[must_use]
    pub fn most_connections(&self) -> Option<u32> {
        let pool = self.pool_max_per_instance()?.value;
        self.instances.value.most.map(|most| pool.saturating_mul(most))
    }

    /// Processes that the load is spread over.
    #[must_use]
    pub fn instance_count(&self) -> u32 {
        self.instances.value.count
    }

    /// Whether more than one process may answer requests.
    #[must_use]
    pub fn has_several_instances(&self) -> bool {
        self.instances.value.most.is_none_or(|most| most > 1)
    }

    /// Lowest major version of Node.js.
    #[must_use]
    pub fn node_major(&self) -> u32 {
        self.node.value.major
    }

    /// Whether an unhandled rejection ends the process: always but before Node.js 15, where that very version runs and is
    /// not only allowed by a range.
    #[must_use]
    pub fn unhandled_rejection_exits(&self) -> bool {
        let is_range = self.node.value.text.contains(['>', '<', '^', '~', '|', '*']);
        is_range || self.node_major() >= 15
    }

    /// Major version of Express.
    #[must_use]
    pub fn express_major(&self) -> Option<u64> {
        self.framework("express").and_then(|component| component.major)
    }

    /// A framework by its npm name.
    #[must_use]
    pub fn framework(&self, library: &str) -> Option<&Component> {
        self.frameworks.value.iter().find(|component| component.library == library)
    }

    /// Major version of React.
    #[must_use]
    pub fn react_major(&self) -> Option<u64> {
        self.react.as_ref().and_then(|known| known.value.major)
    }

    /// Whether requests run in functions.
    #[must_use]
    pub fn is_serverless(&self) -> bool {
        self.process_model.value == ProcessModel::Serverless
    }

    /// Whether something passes requests on to the server, as far as the project tells.
    #[must_use]
    pub fn is_behind_proxy(&self) -> bool {
        self.behind_proxy.value
    }

    /// Whether nobody knows: neither the project nor the user said that there is a proxy or none.
    #[must_use]
    pub fn is_proxy_unknown(&self) -> bool {
        self.behind_proxy.basis == Basis::Assumed
    }

    /// A proxy in the project that limits requests.
    #[must_use]
    pub fn limiting_proxy(&self) -> Option<&Proxy> {
        self.proxies.iter().find(|proxy| proxy.rate_limit.is_some())
    }

    /// Whether requests are limited before they reach the server.
    #[must_use]
    pub fn is_limited_by_proxy(&self) -> bool {
        self.proxy_says.rate_limit.unwrap_or_else(|| self.limiting_proxy().is_some())
    }

    /// Whether a proxy compresses responses.
    #[must_use]
    pub fn is_compressed_by_proxy(&self) -> bool {
        self.proxy_says
            .compression
            .unwrap_or_else(|| self.proxies.iter().any(|proxy| proxy.compression.is_some()))
    }

    /// A proxy in the project that terminates TLS.
    #[must_use]
    pub fn tls_proxy(&self) -> Option<&Proxy> {
        self.proxies.iter().find(|proxy| proxy.tls.is_some())
    }

    /// Whether the connection leads through a pooler.
    #[must_use]
    pub fn has_external_pooler(&self) -> bool {
        self.databases.iter().any(|database| database.value.is_pooled)
    }
}
