//! Entry points that are functions handed to a library's call, as the knowledge knows them: socket connections and
//! messages, queue consumers, schedules, plain HTTP servers, functions of a platform.

use loadworthy_knowledge::{Callback, Kind as LibraryKind, LibId, Runs};
use loadworthy_project::{FileClass, FileId};
use loadworthy_syntax::{Kind, List, Module, NodeId};

use super::loops::Loops;
use super::objects::properties;
use super::registration::Registration;
use super::{EntryKind, Handler, Route, UNKNOWN_PART};
use crate::handles::{Called, Held};
use crate::values::{Resolver, Site};

/// Events of sockets and consumers that are no message.
const NO_MESSAGES: [&str; 10] = [
    "error",
    "connect",
    "connect_error",
    "open",
    "ready",
    "listening",
    "reconnect",
    "headers",
    "wsClientError",
    "completed",
];

/// Every function that is handed to a socket, queue, clock, HTTP server or platform.
pub(super) fn routes(resolver: &Resolver<'_>) -> Vec<Route> {
    let mut routes = Vec::new();
    for (file, module) in resolver.program().modules() {
        let reader = Reader { resolver, file, module };
        for call in module.calls() {
            routes.extend(reader.of_call(*call));
        }
    }
    routes
}

struct Reader<'r, 'p> {
    resolver: &'r Resolver<'p>,
    file: FileId,
    module: &'r Module,
}

impl Reader<'_, '_> {
    fn of_call(&self, call: NodeId) -> Vec<Route> {
        let (Kind::Call { callee, arguments } | Kind::New { callee, arguments }) = self.module.kind(call)
        else {
            return Vec::new();
        };
        if !self.may_be_one(callee, arguments) {
            return Vec::new();
        }
        let called = self.resolver.called_members((self.file, call)).into_iter().next();
        let Some(called) = called else { return Vec::new() };
        let mut routes = Vec::new();
        for (at, argument) in self.module.list(arguments).enumerate() {
            for (callback, site) in self.callbacks(&called, argument, (at, arguments.len())) {
                routes.extend(self.route(call, arguments, &called, callback, site));
            }
        }
        routes
    }

    /// Most calls are of members that no callback row names: they are not resolved.
    fn may_be_one(&self, callee: NodeId, arguments: List) -> bool {
        let name = match self.module.kind(callee) {
            Kind::Member { name, .. } | Kind::Name { name, .. } => self.module.str(name),
            _ => return false,
        };
        !arguments.is_empty()
            && !matches!(name, "require" | "then" | "catch" | "map" | "forEach" | "push" | "log")
    }

    /// The functions that an argument is or holds, with the rows that say when they run.
    fn callbacks(
        &self,
        called: &Called,
        argument: NodeId,
        (at, count): (usize, usize),
    ) -> Vec<(&Callback, Site)> {
        let knowledge = self.resolver.program().knowledge();
        let Called { on, name } = called;
        if let Some(callback) = knowledge.callback(on.lib, on.handle, name, at, count) {
            return vec![(callback, (self.file, argument))];
        }
        let is_object = matches!(self.module.kind(argument), Kind::Object(_) | Kind::Name { .. });
        if !is_object || !knowledge.has_callback_properties(on.lib, on.handle, name) {
            return Vec::new();
        }
        let properties = properties(self.resolver, (self.file, argument)).into_iter();
        properties
            .filter_map(|(key, site)| {
                let callback = knowledge.callback_property(on.lib, on.handle, name, at, count, &key)?;
                Some((callback, site))
            })
            .collect()
    }

    fn route(
        &self,
        call: NodeId,
        arguments: List,
        called: &Called,
        callback: &Callback,
        site: Site,
    ) -> Option<Route> {
        let (kind, method) = self.kind_of(called, callback)?;
        let path = self.label(call, arguments, called, kind);
        if kind == EntryKind::SocketMessage && self.is_no_message(called, &path) {
            return None;
        }
        if kind == EntryKind::SocketConnection
            && NO_MESSAGES.iter().any(|it| *it == path && path != "connect")
        {
            return None;
        }
        let handler = self.handler(site)?;
        let path = match kind {
            EntryKind::SocketConnection => self.namespace(&called.on).unwrap_or_else(|| "/".to_owned()),
            _ => path,
        };
        Some(Route {
            kind,
            framework: called.on.lib,
            method: method.to_owned(),
            path,
            site: (self.file, call),
            is_mounted: true,
            middleware: Vec::new(),
            handler: Some(handler),
        })
    }

    /// Plain sockets have their own `ping` and `pong`; elsewhere these are names like any other.
    fn is_no_message(&self, called: &Called, event: &str) -> bool {
        let handle = self.resolver.program().knowledge().handle_name(called.on.handle);
        NO_MESSAGES.contains(&event) || (handle == "ws" && matches!(event, "ping" | "pong"))
    }

    fn handler(&self, site: Site) -> Option<Handler> {
        let module = self.resolver.program().module(site.0)?;
        let registration =
            Registration { resolver: self.resolver, file: site.0, module, loops: Loops::default() };
        Some(registration.handler(site)).filter(|handler| !handler.functions.is_empty())
    }

    fn kind_of(&self, called: &Called, callback: &Callback) -> Option<(EntryKind, &'static str)> {
        let program = self.resolver.program();
        let library = program.knowledge().library(called.on.lib);
        let is_client = program.project().file(self.file).is_some_and(|file| file.class == FileClass::Client);
        if is_client {
            return None;
        }
        match callback.runs {
            // Runs before connections and messages, and answers none.
            Runs::PerConnection | Runs::PerMessage if &*called.name == "use" => None,
            Runs::PerConnection => Some((EntryKind::SocketConnection, "CONNECT")),
            Runs::PerMessage if library.kind == LibraryKind::Realtime => {
                Some((EntryKind::SocketMessage, "SOCKET"))
            }
            Runs::PerMessage | Runs::PerJob => Some((EntryKind::Job, "JOB")),
            Runs::Timer if self.is_server_timer(called.on.lib) => Some((EntryKind::Schedule, "CRON")),
            Runs::PerRequest if library.kind == LibraryKind::Serverless => {
                Some((EntryKind::Serverless, "LAMBDA"))
            }
            Runs::PerRequest if library.kind == LibraryKind::HttpServer => Some((EntryKind::Http, "ALL")),
            _ => None,
        }
    }

    /// An interval of a file that may run in a browser says nothing about a server.
    fn is_server_timer(&self, lib: LibId) -> bool {
        let program = self.resolver.program();
        if program.knowledge().library(lib).kind == LibraryKind::Scheduler {
            return true;
        }
        let class = program.class(self.file);
        class == Some(FileClass::Server)
    }

    /// The event, queue, topic or schedule.
    fn label(&self, call: NodeId, arguments: List, called: &Called, kind: EntryKind) -> String {
        let of_handle = || called.on.made_at.and_then(|made| self.first_text(made));
        let first = || self.first_text((self.file, call));
        let handle = self.resolver.program().knowledge().handle_name(called.on.handle);
        match kind {
            EntryKind::Schedule => {
                self.schedule(arguments).or_else(of_handle).unwrap_or_else(|| UNKNOWN_PART.to_owned())
            }
            EntryKind::Serverless => self.exported_as(call).unwrap_or_else(|| UNKNOWN_PART.to_owned()),
            EntryKind::Job => match (of_handle().filter(|_| handle == "queue"), first()) {
                (Some(queue), Some(job)) if queue != job => format!("{queue}:{job}"),
                (Some(one), _) | (None, Some(one)) => one,
                (None, None) => self.topic(called).unwrap_or_else(|| UNKNOWN_PART.to_owned()),
            },
            EntryKind::Http => "*".to_owned(),
            _ => first().unwrap_or_else(|| UNKNOWN_PART.to_owned()),
        }
    }

    /// The name that a call's result is exported under.
    fn exported_as(&self, call: NodeId) -> Option<String> {
        let exports = self.module.exports().iter().map(|export| self.module.str(export.name));
        exports
            .into_iter()
            .find(|name| self.resolver.export_site(self.file, name) == Some((self.file, call)))
            .map(str::to_owned)
    }

    /// The first argument of a call, as a text: itself, or its name, id or queue.
    fn first_text(&self, call: Site) -> Option<String> {
        let argument = self.resolver.argument(call, 0)?;
        self.resolver.text_of(argument).or_else(|| {
            let module = self.resolver.program().module(argument.0)?;
            let registration =
                Registration { resolver: self.resolver, file: argument.0, module, loops: Loops::default() };
            let names = ["id", "name", "queue", "queueUrl", "topic"].iter();
            names
                .filter_map(|name| registration.option(argument, name))
                .find_map(|it| self.resolver.text_of(it))
        })
    }

    /// `consumer.subscribe({ topic })` of the consumer that runs.
    fn topic(&self, called: &Called) -> Option<String> {
        self.module.calls().iter().find_map(|call| {
            let Kind::Call { callee, .. } = self.module.kind(*call) else { return None };
            let Kind::Member { name, .. } = self.module.kind(callee) else { return None };
            if self.module.str(name) != "subscribe" {
                return None;
            }
            let members = self.resolver.called_members((self.file, *call));
            let is_same = members.iter().any(|it| it.on.made_at == called.on.made_at);
            is_same.then(|| self.first_text((self.file, *call)))?
        })
    }

    /// `*/5 * * * *`, or `every 60000 ms`.
    fn schedule(&self, arguments: List) -> Option<String> {
        let mut arguments = self.module.list(arguments);
        let (first, second) = (arguments.next()?, arguments.next());
        let at = |node: NodeId| (self.file, node);
        let interval = second.and_then(|second| self.resolver.number_of(at(second)));
        if let Some(milliseconds) = interval {
            return Some(format!("every {milliseconds} ms"));
        }
        let described = ["cronTime", "cron", "rule"].iter().find_map(|name| {
            let found = properties(self.resolver, at(first)).into_iter().find(|(key, _)| key == name);
            found.map(|(_, site)| site)
        });
        self.resolver.text_of(described.unwrap_or(at(first)))
    }

    /// `io.of("/chat")`
    fn namespace(&self, on: &Held) -> Option<String> {
        let made = on.made_at?;
        let module = self.resolver.program().module(made.0)?;
        let Kind::Call { .. } = module.kind(made.1) else { return None };
        self.first_text(made)
    }
}
