//! What the application runs on. Each value says whether it was read or assumed.

use serde::{Deserialize, Serialize};

use crate::number::within_range;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// Read from the code or its deployment files.
    Read,
    /// A default, with the reason for it.
    Assumed(String),
}

/// A value of the environment and its source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub source: Source,
}

impl<T> Fact<T> {
    /// A value found in the code or its deployment files.
    pub fn read(value: T) -> Self {
        Self { value, source: Source::Read }
    }

    /// A default, and why it is this one.
    pub fn assumed(value: T, reason: impl Into<String>) -> Self {
        Self { value, source: Source::Assumed(reason.into()) }
    }

    /// The reason, when the value is a default.
    #[must_use]
    pub fn assumption(&self) -> Option<&str> {
        match &self.source {
            Source::Read => None,
            Source::Assumed(reason) => Some(reason),
        }
    }
}

/// The processes that serve the application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// CPU cores each instance may use; a container limit of 500m is 0.5.
    pub cores: Fact<f64>,
    /// Old-space heap limit of one instance in MB (2^20 bytes).
    pub heap_limit_mb: Fact<f64>,
    /// Node processes that share the traffic evenly.
    pub instances: Fact<u32>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            cores: Fact::assumed(1.0, "one CPU core per instance: no CPU limit was found"),
            heap_limit_mb: Fact::assumed(
                2048.0,
                "a 2,048 MB heap per instance: V8's default on a 4 GB host, and no --max-old-space-size was found",
            ),
            instances: Fact::assumed(1, "one Node process: no cluster, pm2 or replica setting was found"),
        }
    }
}

impl Machine {
    /// Instances, at least one.
    pub(crate) fn instance_count(&self) -> f64 {
        f64::from(self.instances.value.max(1))
    }

    /// How fast the loop runs against a whole core: JavaScript uses one core at most, and a
    /// container with less is throttled (Linux CFS quota) to its part of one.
    pub(crate) fn loop_speed(&self) -> f64 {
        within_range(self.cores.value).clamp(0.01, 1.0)
    }

    /// The heap limit, at least 1 MB.
    pub(crate) fn heap_mb(&self) -> f64 {
        within_range(self.heap_limit_mb.value).max(1.0)
    }
}

/// The database connections of one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// Most connections one instance opens.
    pub max: Fact<u32>,
    /// `max_connections` of the server, where known; the instances together must stay below it.
    pub server_max_connections: Option<u32>,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            max: Fact::assumed(10, "a pool of 10 connections: the default of node-postgres and mysql2"),
            server_max_connections: None,
        }
    }
}

/// Everything the model knows of the deployment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Environment {
    /// The processes.
    pub machine: Machine,
    /// The database pool of each.
    pub pool: Pool,
}

impl Environment {
    /// Connections that serve one instance: its pool, or its even part of what the server admits.
    #[must_use]
    pub fn connections(&self) -> u32 {
        let own = self.pool.max.value.max(1);
        let instances = self.machine.instances.value.max(1);
        self.pool.server_max_connections.map_or(own, |server| own.min((server / instances).max(1)))
    }
}
