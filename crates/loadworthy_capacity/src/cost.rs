//! What one finding costs each time its code runs.

use serde::{Deserialize, Serialize};

/// Milliseconds of one indexed query with its round trip, where nothing better is known: 0.5–1 ms
/// between hosts of one zone, about 1 ms in the server.
pub const DEFAULT_QUERY_MILLIS: f64 = 2.0;

/// An amount known within bounds. Severity comes from `likely`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// The least it can be.
    pub low: f64,
    /// The value calculated with.
    pub likely: f64,
    /// The most it can be.
    pub high: f64,
}

impl Range {
    /// A known amount.
    #[must_use]
    pub fn exactly(value: f64) -> Self {
        Self { low: value, likely: value, high: value }
    }

    /// An amount between two bounds; the bounds give way to `likely`.
    #[must_use]
    pub fn between(low: f64, likely: f64, high: f64) -> Self {
        Self { low: low.min(likely), likely, high: high.max(likely) }
    }
}

impl From<f64> for Range {
    fn from(value: f64) -> Self {
        Self::exactly(value)
    }
}

/// How long a request waits for something outside the process.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum ExternalWait {
    /// Milliseconds it takes on a normal day: part of every response.
    Expected(f64),
    /// Milliseconds after which the caller gives up: matters while the dependency stalls.
    Deadline(f64),
    /// No deadline at all.
    Unbounded,
}

/// Requests that come on top of the target's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum ExtraRequests {
    /// More requests for each one (retries: attempts − 1).
    PerRequest(f64),
    /// Requests each active user sends per second (polling: 1 / interval).
    PerUserPerSecond(f64),
}

/// When the code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Reach {
    /// Reachable from a route, resolver, socket message or server action.
    PerRequest,
    /// In a queue or cron job.
    PerJob,
    /// In the browser, at each render.
    PerRender,
    /// Once, when the process starts.
    Startup,
}

/// What breaks, besides what gets slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Failure {
    /// The Node process ends.
    ProcessExit,
    /// A rejection nobody handles, in a runtime that survives it.
    UnhandledRejection,
    /// The request gets no answer.
    HangsRequest,
    /// A write is lost or done twice.
    LostWrite,
}

/// The cost of one finding. Absent fields cost nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Queries each request sends here.
    pub queries_per_request: Option<Range>,
    /// Milliseconds of one of them.
    pub query_millis: f64,
    /// How many of them one request has under way at the same time.
    pub queries_at_once: u32,
    /// Milliseconds a connection is held beyond the queries (a transaction around other work).
    pub pool_hold_millis: Option<f64>,
    /// Milliseconds the event loop is blocked each time.
    pub loop_block_millis: Option<f64>,
    /// Bytes alive while one request is answered.
    pub bytes_per_request: Option<f64>,
    /// Bytes each request leaves behind for good.
    pub heap_growth_bytes_per_request: Option<f64>,
    /// A wait for something outside the process.
    pub external_wait: Option<ExternalWait>,
    /// Traffic it adds.
    pub extra_requests: Option<ExtraRequests>,
    /// Part of the target's traffic that reaches it, 0 to 1: routes reached ÷ core routes.
    pub share: f64,
    /// When it runs.
    pub reach: Reach,
    /// Off the request path, but on the loop or the pool that serves requests.
    pub shares_process: bool,
    /// What breaks.
    pub failure: Option<Failure>,
    /// Only somebody who means harm causes it: it is no part of the usual load.
    #[serde(default)]
    pub is_attack: bool,
}

impl Cost {
    /// No cost yet, on the request path, at this share of the traffic.
    #[must_use]
    pub fn at_share(share: f64) -> Self {
        Self {
            queries_per_request: None,
            query_millis: DEFAULT_QUERY_MILLIS,
            queries_at_once: 1,
            pool_hold_millis: None,
            loop_block_millis: None,
            bytes_per_request: None,
            heap_growth_bytes_per_request: None,
            external_wait: None,
            extra_requests: None,
            share,
            reach: Reach::PerRequest,
            shares_process: false,
            failure: None,
            is_attack: false,
        }
    }

    /// No cost yet, at the share of routes that reach it, each with the same traffic.
    #[must_use]
    pub fn at_routes(reached: u32, total_core_routes: u32) -> Self {
        Self::at_share((f64::from(reached) / f64::from(total_core_routes.max(1))).min(1.0))
    }

    /// Whether the usual load pays it: on the request path, and not by an attack alone.
    #[must_use]
    pub fn is_of_each_request(&self) -> bool {
        self.reach == Reach::PerRequest && !self.is_attack
    }

    /// With queries per request.
    #[must_use]
    pub fn queries(mut self, per_request: impl Into<Range>) -> Self {
        self.queries_per_request = Some(per_request.into());
        self
    }

    /// With milliseconds a connection is held beyond the queries.
    #[must_use]
    pub fn pool_hold(mut self, millis: f64) -> Self {
        self.pool_hold_millis = Some(millis);
        self
    }

    /// With milliseconds of blocked loop.
    #[must_use]
    pub fn loop_block(mut self, millis: f64) -> Self {
        self.loop_block_millis = Some(millis);
        self
    }

    /// With bytes alive during a request.
    #[must_use]
    pub fn bytes(mut self, per_request: f64) -> Self {
        self.bytes_per_request = Some(per_request);
        self
    }

    /// With bytes that stay after a request.
    #[must_use]
    pub fn heap_growth(mut self, bytes_per_request: f64) -> Self {
        self.heap_growth_bytes_per_request = Some(bytes_per_request);
        self
    }

    /// With a wait outside the process.
    #[must_use]
    pub fn external(mut self, wait: ExternalWait) -> Self {
        self.external_wait = Some(wait);
        self
    }

    /// With traffic it adds.
    #[must_use]
    pub fn extra(mut self, requests: ExtraRequests) -> Self {
        self.extra_requests = Some(requests);
        self
    }

    /// With what breaks.
    #[must_use]
    pub fn failing(mut self, failure: Failure) -> Self {
        self.failure = Some(failure);
        self
    }

    /// Run at another time than per request.
    #[must_use]
    pub fn reached(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }
}
