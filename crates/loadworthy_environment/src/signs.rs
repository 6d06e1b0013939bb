//! What configuration and deployment files say, before it is weighed.

use std::fmt;

use crate::fact::{Confidence, Place};

/// A statement of one file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sign<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
    pub(crate) tier: Tier,
    pub(crate) confidence: Confidence,
    /// What part of the project it is about.
    pub(crate) unit: Unit,
}

/// Which environment a file describes; a higher one counts first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// Development machines, examples, CI.
    Development,
    /// It does not say.
    Unspecified,
    Production,
}

/// A part of the project: a folder, and the name of a service or file suffix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) dir: String,
    pub(crate) name: String,
}

/// How many processes or copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    Fixed(u32),
    /// One for each core of the machine.
    PerCore,
    /// Scaled between bounds.
    Range {
        min: u32,
        max: Option<u32>,
    },
}

/// A value that may be secret: it is never shown, only looked at.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Hidden(String);

/// An environment variable set by a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variable {
    pub(crate) key: String,
    pub(crate) value: Hidden,
}

/// A product with its version, where an image or a managed service names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
}

/// Where the application runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) name: String,
    /// A function a request; no process of its own.
    pub(crate) is_serverless: bool,
    /// The platform's router stands before the application and terminates TLS.
    pub(crate) has_router: bool,
}

impl Target {
    /// A machine or container that the platform gives no router.
    pub(crate) fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), is_serverless: false, has_router: false }
    }

    pub(crate) fn function(name: &str) -> Self {
        Self { name: name.to_owned(), is_serverless: true, has_router: true }
    }

    /// A process behind the platform's router.
    pub(crate) fn hosted(name: &str) -> Self {
        Self { name: name.to_owned(), is_serverless: false, has_router: true }
    }
}

/// A reverse proxy or load balancer configured in the project.
#[derive(Clone, Debug, PartialEq)]
pub struct Proxy {
    /// Its product (`nginx`).
    pub kind: String,
    /// Where it is configured.
    pub place: Place,
    /// Where it limits requests.
    pub rate_limit: Option<Place>,
    /// Where it terminates TLS.
    pub tls: Option<Place>,
    /// Where it compresses responses.
    pub compression: Option<Place>,
    /// Largest request body in bytes, where set.
    pub body_limit_bytes: Option<f64>,
    /// Seconds until it gives up on the application, where set.
    pub read_timeout_seconds: Option<f64>,
    /// Application servers it spreads requests over, where listed.
    pub upstreams: u32,
    /// Whether it passes requests on to the application; an image that serves the built client does not.
    pub is_forwarding: bool,
    /// Whether it only serves development or examples.
    pub is_development: bool,
}

/// Everything the files say.
#[derive(Debug, Default)]
pub(crate) struct Signs {
    /// Versions of Node.js (`20.11`, `>=18`, `lts`).
    pub(crate) node_versions: Vec<Sign<String>>,
    /// Copies of a unit.
    pub(crate) replicas: Vec<Sign<Count>>,
    /// Node processes of one copy.
    pub(crate) workers: Vec<Sign<Count>>,
    /// What starts and keeps the process (`pm2`).
    pub(crate) managers: Vec<Sign<String>>,
    pub(crate) memory_mb: Vec<Sign<f64>>,
    pub(crate) cores: Vec<Sign<f64>>,
    /// `--max-old-space-size`.
    pub(crate) heap_mb: Vec<Sign<f64>>,
    /// pm2 restarts a process above this.
    pub(crate) restart_memory_mb: Vec<Sign<f64>>,
    pub(crate) variables: Vec<Sign<Variable>>,
    pub(crate) targets: Vec<Sign<Target>>,
    pub(crate) proxies: Vec<Proxy>,
    pub(crate) poolers: Vec<Sign<Product>>,
    pub(crate) databases: Vec<Sign<Product>>,
    pub(crate) max_connections: Vec<Sign<u32>>,
    pub(crate) caches: Vec<Sign<Product>>,
    pub(crate) queues: Vec<Sign<Product>>,
    pub(crate) metrics: Vec<Sign<Product>>,
    pub(crate) tracing: Vec<Sign<Product>>,
    pub(crate) cdns: Vec<Sign<String>>,
    pub(crate) load_tests: Vec<Sign<String>>,
    /// The React Compiler is switched on in a tool's configuration.
    pub(crate) react_compilers: Vec<Sign<()>>,
    /// Development tools that start the server where a production start is expected (`nodemon`).
    pub(crate) development_starts: Vec<Sign<String>>,
}

/// The file that is being read, and what all its signs share.
pub(crate) struct Scope<'f> {
    pub(crate) file: &'f str,
    pub(crate) tier: Tier,
    pub(crate) unit: Unit,
}

impl Scope<'_> {
    pub(crate) fn sign<T>(&self, value: T, line: u32, note: impl Into<String>) -> Sign<T> {
        Sign {
            value,
            place: Place::at(self.file, line, note),
            tier: self.tier,
            confidence: match self.tier {
                Tier::Production => Confidence::High,
                Tier::Unspecified => Confidence::Medium,
                Tier::Development => Confidence::Low,
            },
            unit: self.unit.clone(),
        }
    }

    /// The same file, about another part of the project.
    pub(crate) fn of_unit(&self, unit: Unit) -> Scope<'_> {
        Scope { file: self.file, tier: self.tier, unit }
    }
}

impl<T> Sign<T> {
    /// The same statement, with another confidence.
    pub(crate) fn sure(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }
}

impl Hidden {
    pub(crate) fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// A number is no secret.
    pub(crate) fn number(&self) -> Option<f64> {
        self.0.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// For looking into it, never for showing it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hidden")
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(count) => write!(formatter, "{count}"),
            Self::PerCore => formatter.write_str("one per core"),
            Self::Range { min, max: Some(max) } => write!(formatter, "{min} to {max}"),
            Self::Range { min, max: None } => write!(formatter, "{min} or more"),
        }
    }
}
