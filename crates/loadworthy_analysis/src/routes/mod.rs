//! Entry points: everything that runs server code for a client, a message, a job or a clock, in every framework that is
//! known, with what runs before it.
//!
//! A router that is mounted nowhere is listed with an unknown prefix.

mod callbacks;
mod decorators;
mod express;
mod fastify;
mod graphql;
mod hono;
mod koa;
mod loops;
mod nest;
mod nest_application;
mod next;
mod objects;
mod owners;
mod registration;
mod remix;
mod serverless;
mod strays;
mod tree;
mod trpc;

pub(crate) use graphql::resolver_maps;
use loadworthy_knowledge::LibId;
use loadworthy_project::FileId;
use loadworthy_syntax::{FunctionId, Module, NodeId};

use crate::values::{Resolver, Site};

/// What starts the code of a route.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EntryKind {
    /// An HTTP request.
    Http,
    /// A call of a function that runs on the server (`"use server"`, a form's action).
    ServerAction,
    /// A page that is rendered on the server for each request: a component, its data, its metadata.
    Page,
    /// A page's data, read when the application is built.
    StaticPage,
    /// A field of a GraphQL schema.
    GraphqlResolver,
    /// A remote procedure: tRPC, gRPC, a message pattern of a microservice.
    Rpc,
    /// A message on a socket.
    SocketMessage,
    /// A new connection.
    SocketConnection,
    /// A job or message of a queue.
    Job,
    /// A clock: cron, an interval.
    Schedule,
    /// A call of a function by its platform.
    Serverless,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Http,
        Self::ServerAction,
        Self::Page,
        Self::StaticPage,
        Self::GraphqlResolver,
        Self::Rpc,
        Self::SocketMessage,
        Self::SocketConnection,
        Self::Job,
        Self::Schedule,
        Self::Serverless,
    ];

    /// Its word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::ServerAction => "server-action",
            Self::Page => "page",
            Self::StaticPage => "static-page",
            Self::GraphqlResolver => "graphql",
            Self::Rpc => "rpc",
            Self::SocketMessage => "socket-message",
            Self::SocketConnection => "socket-connection",
            Self::Job => "job",
            Self::Schedule => "schedule",
            Self::Serverless => "serverless",
        }
    }

    /// Whether a client waits for it, so that more clients mean more runs.
    #[must_use]
    pub const fn is_per_request(self) -> bool {
        !matches!(self, Self::StaticPage | Self::Job | Self::Schedule)
    }
}

/// One entry point: an HTTP method and path or their like, with what serves it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// What starts it.
    pub kind: EntryKind,
    /// The library that calls it.
    pub framework: LibId,
    /// `GET`, `POST`, …, `ALL` for any; `PAGE`, `ACTION`, `QUERY`, `MUTATION`, `SUBSCRIPTION`, `FIELD`, `RPC`, `SOCKET`,
    /// `CONNECT`, `JOB`, `CRON`, `LAMBDA` for other kinds.
    pub method: String,
    /// Full path with the prefixes of all mounts, or the field, procedure, event, queue or schedule; `{?}` stands for a
    /// part that is no constant.
    pub path: String,
    /// Where it is registered.
    pub site: Site,
    /// Whether a chain of mounts from an application was found.
    pub is_mounted: bool,
    /// Middleware, guards, hooks and pipes that run before, outermost first.
    pub middleware: Vec<Handler>,
    /// The last handler, which answers.
    pub handler: Option<Handler>,
}

/// A function in a route's chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handler {
    /// The expression that was registered.
    pub site: Site,
    /// The functions of the program that it stands for; none for a library's.
    pub functions: Vec<(FileId, FunctionId)>,
    /// Whether another function wraps it where it is registered (`asyncHandler(fn)`).
    pub is_wrapped: bool,
}

/// Stands for a part of a path that is no constant.
pub const UNKNOWN_PART: &str = "{?}";

/// Every entry point of the program: by framework, then in the order of applications, mounts and registrations.
#[must_use]
pub fn routes(resolver: &Resolver<'_>) -> Vec<Route> {
    let frameworks = [
        express::routes,
        fastify::routes,
        koa::routes,
        hono::routes,
        nest::routes,
        next::routes,
        remix::routes,
        graphql::routes,
        trpc::routes,
        serverless::routes,
        callbacks::routes,
    ];
    let mut found: Vec<Route> = frameworks.iter().flat_map(|framework| framework(resolver)).collect();
    found.extend(strays::routes(resolver, &found));
    found
}

/// The library, if any file imports it.
fn is_used(resolver: &Resolver<'_>, id: &str) -> Option<LibId> {
    let program = resolver.program();
    let lib = program.knowledge().library_id(id)?;
    program.imports(lib).then_some(lib)
}

/// The calls of a module by their ends: `route().get(a).post(b)` lists get before post, though its head is the call of post.
fn calls_in_order(module: &Module) -> Vec<NodeId> {
    let mut calls = module.calls().to_vec();
    calls.sort_by_key(|call| (module.node(*call).span.end, *call));
    calls
}
