//! Entry points of Nest: controllers, resolvers, message patterns, gateways, processors and schedules, with the guards,
//! interceptors and pipes around them; and of other libraries whose resolvers are decorated classes.

use loadworthy_knowledge::LibId;
use loadworthy_project::{FileId, PackageId};
use loadworthy_syntax::{ClassId, ClassMember, Kind};

use super::decorators::{Decorator, base_of, decorators, inherited_methods};
use super::loops::Loops;
use super::nest_application::{AROUND, Application, class_handler};
use super::objects::properties;
use super::registration::{Registration, functions};
use super::tree::joined;
use super::{EntryKind, Handler, Route, UNKNOWN_PART, is_used};
use crate::values::{Resolver, Site, Value};

/// Method decorators of HTTP routes.
const VERBS: [(&str, &str); 10] = [
    ("Get", "GET"),
    ("Post", "POST"),
    ("Put", "PUT"),
    ("Patch", "PATCH"),
    ("Delete", "DELETE"),
    ("Head", "HEAD"),
    ("Options", "OPTIONS"),
    ("All", "ALL"),
    ("Search", "SEARCH"),
    ("Sse", "GET"),
];

/// Every entry point of Nest applications.
pub(super) fn routes(resolver: &Resolver<'_>) -> Vec<Route> {
    if is_used(resolver, "nestjs").or_else(|| is_used(resolver, "type-graphql")).is_none() {
        return Vec::new();
    }
    let app = Application::read(resolver);
    let mut routes = Vec::new();
    for (file, module) in resolver.program().modules() {
        for (at, class) in module.classes().iter().enumerate() {
            let found: Vec<_> =
                class.decorators.iter().flat_map(|it| decorators(resolver, (file, *it))).collect();
            let reader = Reader { resolver, app: &app, class: (file, ClassId::new(at)), decorators: found };
            routes.extend(reader.entries());
        }
    }
    routes
}

/// Reads one class.
struct Reader<'r, 'p> {
    resolver: &'r Resolver<'p>,
    app: &'r Application,
    class: (FileId, ClassId),
    decorators: Vec<Decorator>,
}

impl Reader<'_, '_> {
    fn decorator(&self, name: &str) -> Option<&Decorator> {
        self.decorators.iter().find(|it| it.name == name)
    }

    fn entries(&self) -> Vec<Route> {
        let mut routes = Vec::new();
        if let Some(controller) = self.decorator("Controller") {
            let bases = self.bases(controller);
            for (file, member) in inherited_methods(self.resolver, self.class) {
                routes.extend(self.http(file, &member, &bases));
            }
        }
        for (file, member) in inherited_methods(self.resolver, self.class) {
            routes.extend(self.other(file, &member));
        }
        routes.extend(self.worker());
        routes.extend(self.connection());
        routes
    }

    /// The paths of a controller, with the global prefix and the path of its module; the version goes between.
    fn bases(&self, controller: &Decorator) -> Vec<String> {
        let argument = controller.argument(self.resolver, 0);
        let Some(argument) = argument else { return vec![String::new()] };
        let Some(module) = self.resolver.program().module(argument.0) else { return vec![String::new()] };
        let registration =
            Registration { resolver: self.resolver, file: argument.0, module, loops: Loops::default() };
        match registration.option(argument, "path") {
            Some((_, path)) => registration.paths(path),
            None if matches!(module.kind(argument.1), Kind::Object(_)) => vec![String::new()],
            None => registration.paths(argument.1),
        }
    }

    fn package(&self) -> Option<PackageId> {
        self.resolver.program().project().file(self.class.0).map(|file| file.package)
    }

    fn http(&self, file: FileId, member: &ClassMember, bases: &[String]) -> Vec<Route> {
        let own = self.method_decorators(file, member);
        let mut routes = Vec::new();
        for decorator in &own {
            let Some((_, method)) = VERBS.iter().find(|(name, _)| *name == decorator.name) else { continue };
            let modules = self.app.controllers.get(&self.class).map_or(&[][..], Vec::as_slice);
            let module_path =
                modules.iter().find_map(|module| self.app.modules.get(module)).map_or("", String::as_str);
            let version = self.version(&own);
            for base in bases {
                for path in self.paths(decorator) {
                    let prefix = joined(&joined("", self.app.prefix(self.package())), &version);
                    let full = joined(&joined(&joined(&prefix, module_path), base), &path);
                    let mut route = self.route(file, member, decorator, (EntryKind::Http, method, &full));
                    route.is_mounted = !modules.is_empty();
                    route.middleware = self.around(&own, &full);
                    routes.push(route);
                }
            }
        }
        routes
    }

    fn paths(&self, decorator: &Decorator) -> Vec<String> {
        let Some(argument) = decorator.argument(self.resolver, 0) else { return vec![String::new()] };
        let Some(module) = self.resolver.program().module(argument.0) else { return vec![String::new()] };
        let registration =
            Registration { resolver: self.resolver, file: argument.0, module, loops: Loops::default() };
        registration.paths(argument.1)
    }

    /// `v1`, where versions are part of the path.
    fn version(&self, own: &[Decorator]) -> String {
        let Some(versioning) = self.app.versioning(self.package()) else { return String::new() };
        let text = |site: Site| self.resolver.text_of(site);
        let of_decorator = |decorators: &[Decorator]| {
            let version = decorators.iter().find(|it| it.name == "Version")?;
            version.argument(self.resolver, 0)
        };
        let of_options = || {
            let options = self.decorator("Controller")?.argument(self.resolver, 0)?;
            let found = properties(self.resolver, options).into_iter().find(|(name, _)| name == "version");
            found.map(|(_, site)| site)
        };
        let said = of_decorator(own).or_else(|| of_decorator(&self.decorators)).or_else(of_options);
        let version = match said {
            // `VERSION_NEUTRAL` has no text, and no part in the path.
            Some(site) => text(site),
            None => versioning.default.clone(),
        };
        version.map(|version| format!("{}{version}", versioning.prefix)).unwrap_or_default()
    }

    fn method_decorators(&self, file: FileId, member: &ClassMember) -> Vec<Decorator> {
        member.decorators.iter().flat_map(|it| decorators(self.resolver, (file, *it))).collect()
    }

    /// Middleware, then guards, interceptors and pipes: those of the application, the class, the method.
    fn around(&self, own: &[Decorator], path: &str) -> Vec<Handler> {
        let mut handlers: Vec<Handler> = self.of_phase(0);
        let consumers = self.app.consumers.iter().filter(|it| it.covers(self.class, path));
        handlers.extend(consumers.map(|it| it.handler.clone()));
        for (phase, (decorator, method, _, _)) in AROUND.iter().enumerate() {
            handlers.extend(self.of_phase(phase + 1));
            let named = self.decorators.iter().chain(own).filter(|it| it.name == *decorator);
            for site in named.flat_map(|it| it.arguments(self.resolver)) {
                handlers.push(class_handler(self.resolver, site, method));
            }
        }
        handlers
    }

    fn of_phase(&self, phase: usize) -> Vec<Handler> {
        let all = self.app.around.iter().filter(|(of, _)| *of == phase);
        all.map(|(_, handler)| handler.clone()).collect()
    }

    fn route(
        &self,
        file: FileId,
        member: &ClassMember,
        decorator: &Decorator,
        (kind, method, path): (EntryKind, &str, &str),
    ) -> Route {
        Route {
            kind,
            framework: decorator.lib,
            method: method.to_owned(),
            path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
            site: decorator.site,
            is_mounted: true,
            middleware: Vec::new(),
            handler: Some(self.handler(file, member)),
        }
    }

    fn handler(&self, file: FileId, member: &ClassMember) -> Handler {
        let functions = functions(&self.resolver.value_of((file, member.value)));
        Handler { site: (file, member.value), functions, is_wrapped: false }
    }

    /// Fields, patterns, messages, jobs and schedules.
    fn other(&self, file: FileId, member: &ClassMember) -> Vec<Route> {
        let own = self.method_decorators(file, member);
        let Some(module) = self.resolver.program().module(file) else { return Vec::new() };
        let name = module.str(member.name);
        let mut routes = Vec::new();
        for decorator in &own {
            let label = || self.label(decorator, 0);
            let (kind, method, path) = match decorator.name.as_str() {
                "Query" => (EntryKind::GraphqlResolver, "QUERY", self.field(decorator, name)),
                "Mutation" => (EntryKind::GraphqlResolver, "MUTATION", self.field(decorator, name)),
                "Subscription" => (EntryKind::GraphqlResolver, "SUBSCRIPTION", self.field(decorator, name)),
                "ResolveField" | "ResolveProperty" | "FieldResolver" => {
                    let field = format!("{}.{}", self.parent(), self.field(decorator, name));
                    (EntryKind::GraphqlResolver, "FIELD", field)
                }
                "MessagePattern" | "EventPattern" => (EntryKind::Rpc, "RPC", label()),
                "GrpcMethod" | "GrpcStreamMethod" => {
                    let method =
                        decorator.argument(self.resolver, 1).and_then(|it| self.resolver.text_of(it));
                    let service =
                        decorator.argument(self.resolver, 0).and_then(|it| self.resolver.text_of(it));
                    let service = service.unwrap_or_else(|| self.class_name());
                    (EntryKind::Rpc, "RPC", format!("{service}.{}", method.as_deref().unwrap_or(name)))
                }
                "SubscribeMessage" => (EntryKind::SocketMessage, "SOCKET", label()),
                "Process" => (EntryKind::Job, "JOB", self.job(decorator)),
                "Cron" | "Interval" => (EntryKind::Schedule, "CRON", self.schedule(decorator)),
                _ => continue,
            };
            let mut route = self.route(file, member, decorator, (kind, method, &path));
            if kind == EntryKind::GraphqlResolver && self.is_plain_resolver(decorator.lib) {
                route.middleware = self.plain_middleware(&own);
            } else if kind != EntryKind::Job && kind != EntryKind::Schedule {
                route.middleware = self.around(&own, "");
            }
            routes.push(route);
        }
        routes
    }

    /// Whether the class belongs to a library of decorated resolvers other than Nest.
    fn is_plain_resolver(&self, lib: LibId) -> bool {
        self.resolver.program().knowledge().library(lib).id != "nestjs"
    }

    /// `@UseMiddleware(isAuth)`, `@Authorized()`
    fn plain_middleware(&self, own: &[Decorator]) -> Vec<Handler> {
        let named = self.decorators.iter().chain(own).filter(|it| it.name == "UseMiddleware");
        let sites = named.flat_map(|it| it.arguments(self.resolver));
        sites.map(|site| class_handler(self.resolver, site, "use")).collect()
    }

    /// The name of a field: said by the decorator, or that of the method.
    fn field(&self, decorator: &Decorator, name: &str) -> String {
        let said = decorator.arguments(self.resolver).into_iter().find_map(|site| {
            self.resolver.text_of(site).or_else(|| {
                let found = properties(self.resolver, site).into_iter().find(|(key, _)| key == "name");
                found.and_then(|(_, site)| self.resolver.text_of(site))
            })
        });
        said.unwrap_or_else(|| name.to_owned())
    }

    /// The type of a resolver class: `@Resolver(() => Post)`, `@Resolver("Post")`.
    fn parent(&self) -> String {
        let said = self.decorator("Resolver").and_then(|it| it.argument(self.resolver, 0)).and_then(|site| {
            let values = self.resolver.value_of(site);
            let called = functions(&values).into_iter();
            let mut results = called.map(|(file, function)| self.resolver.result(file, function));
            self.resolver.text_of(site).or_else(|| {
                let classes = results.next().unwrap_or(values);
                classes.iter().find_map(|value| match value {
                    Value::Class(file, class) => {
                        let module = self.resolver.program().module(*file)?;
                        Some(module.str(module.class(*class)?.name).to_owned())
                    }
                    _ => None,
                })
            })
        });
        said.unwrap_or_else(|| self.class_name().trim_end_matches("Resolver").to_owned())
    }

    fn class_name(&self) -> String {
        let module = self.resolver.program().module(self.class.0);
        let name = module.and_then(|module| Some(module.str(module.class(self.class.1)?.name).to_owned()));
        name.unwrap_or_default()
    }

    /// A pattern: a text, or the source of an object.
    fn label(&self, decorator: &Decorator, at: usize) -> String {
        let Some(site) = decorator.argument(self.resolver, at) else { return UNKNOWN_PART.to_owned() };
        self.resolver.text_of(site).unwrap_or_else(|| {
            let mut found = properties(self.resolver, site).into_iter();
            let named = found.find_map(|(_, site)| self.resolver.text_of(site));
            named.unwrap_or_else(|| self.constant(site).unwrap_or_else(|| UNKNOWN_PART.to_owned()))
        })
    }

    /// The name of a library's constant: `CronExpression.EVERY_MINUTE`.
    fn constant(&self, (file, node): Site) -> Option<String> {
        let module = self.resolver.program().module(file)?;
        match module.kind(node) {
            Kind::Member { name, .. } => Some(module.str(name).to_owned()),
            _ => None,
        }
    }

    fn queue(&self) -> String {
        self.decorator("Processor").map_or_else(
            || UNKNOWN_PART.to_owned(),
            |it| {
                let named = it.argument(self.resolver, 0).map(|_| self.label(it, 0));
                named.unwrap_or_else(|| "default".to_owned())
            },
        )
    }

    fn job(&self, decorator: &Decorator) -> String {
        let queue = self.queue();
        match decorator.argument(self.resolver, 0) {
            Some(site) if self.resolver.number_of(site).is_none() => {
                format!("{queue}:{}", self.label(decorator, 0))
            }
            _ => queue,
        }
    }

    fn schedule(&self, decorator: &Decorator) -> String {
        let arguments = decorator.arguments(self.resolver);
        let interval = arguments.iter().find_map(|site| self.resolver.number_of(*site));
        match interval {
            Some(milliseconds) => format!("every {milliseconds} ms"),
            None => self.label(decorator, 0),
        }
    }

    /// `@Processor("mail") class extends WorkerHost { process(job) }`
    fn worker(&self) -> Option<Route> {
        let decorator = self.decorator("Processor")?;
        let methods = inherited_methods(self.resolver, self.class);
        let (file, member) = methods.into_iter().find(|(file, member)| {
            let module = self.resolver.program().module(*file);
            let is_process = module.is_some_and(|module| module.str(member.name) == "process");
            is_process && member.decorators.is_empty()
        })?;
        base_of(self.resolver, self.class)?;
        Some(self.route(file, &member, decorator, (EntryKind::Job, "JOB", &self.queue())))
    }

    /// `handleConnection` of a gateway.
    fn connection(&self) -> Option<Route> {
        let decorator = self.decorator("WebSocketGateway")?;
        let methods = inherited_methods(self.resolver, self.class);
        let (file, member) = methods.into_iter().find(|(file, member)| {
            let module = self.resolver.program().module(*file);
            module.is_some_and(|module| module.str(member.name) == "handleConnection")
        })?;
        let namespace = decorator.arguments(self.resolver).into_iter().find_map(|site| {
            let found = properties(self.resolver, site).into_iter().find(|(key, _)| key == "namespace");
            found.and_then(|(_, site)| self.resolver.text_of(site))
        });
        let path = joined("", &namespace.unwrap_or_default());
        Some(self.route(file, &member, decorator, (EntryKind::SocketConnection, "CONNECT", &path)))
    }
}
