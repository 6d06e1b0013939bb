//! What a Nest application says once for all of its entry points: prefixes, versions, modules, and what runs around every
//! handler.

use loadworthy_project::{FileId, PackageId};
use loadworthy_syntax::{ClassId, Kind, Module, NodeId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Handler;
use super::decorators::{Decorator, decorators};
use super::loops::Loops;
use super::objects::properties;
use super::registration::{Registration, functions};
use super::tree::joined;
use crate::handles::Folded;
use crate::values::{Resolver, Site, Value};

/// What stands around a handler, in the order of running: the decorator, the method of its class, the application's
/// method and token that register it for all.
pub(super) const AROUND: [(&str, &str, &str, &str); 3] = [
    ("UseGuards", "canActivate", "useGlobalGuards", "APP_GUARD"),
    ("UseInterceptors", "intercept", "useGlobalInterceptors", "APP_INTERCEPTOR"),
    ("UsePipes", "transform", "useGlobalPipes", "APP_PIPE"),
];

/// What is said once for an application.
#[derive(Default)]
pub(super) struct Application {
    /// Global prefixes, by the package of the file that sets them.
    prefixes: Vec<(PackageId, String)>,
    versions: Vec<(PackageId, Versioning)>,
    /// Middleware, guards, interceptors and pipes for every route, by phase.
    pub(super) around: Vec<(usize, Handler)>,
    /// Path prefixes of modules.
    pub(super) modules: FxHashMap<(FileId, ClassId), String>,
    /// Modules by the controllers that they list.
    pub(super) controllers: FxHashMap<(FileId, ClassId), Vec<(FileId, ClassId)>>,
    /// Middleware with the controllers or paths that it is for.
    pub(super) consumers: Vec<Consumer>,
}

/// Middleware of a module, with the controllers and paths that it is for.
pub(super) struct Consumer {
    pub(super) handler: Handler,
    paths: Vec<String>,
    classes: FxHashSet<(FileId, ClassId)>,
}

impl Consumer {
    /// Whether it runs before a route of a controller.
    pub(super) fn covers(&self, class: (FileId, ClassId), path: &str) -> bool {
        self.classes.contains(&class) || self.paths.iter().any(|it| is_under(it, path))
    }
}

/// Versions in the path.
#[derive(Clone)]
pub(super) struct Versioning {
    pub(super) prefix: String,
    pub(super) default: Option<String>,
}

impl Application {
    pub(super) fn read(resolver: &Resolver<'_>) -> Self {
        let mut app = Self::default();
        for (file, module) in resolver.program().modules() {
            for call in module.calls() {
                app.call(resolver, file, module, *call);
            }
            for (at, class) in module.classes().iter().enumerate() {
                let found = class.decorators.iter().flat_map(|it| decorators(resolver, (file, *it)));
                for decorator in found.filter(|it| it.name == "Module") {
                    app.module(resolver, (file, ClassId::new(at)), &decorator);
                }
            }
        }
        app
    }

    fn call(&mut self, resolver: &Resolver<'_>, file: FileId, module: &Module, call: NodeId) {
        let Kind::Call { callee, arguments } = module.kind(call) else { return };
        let Kind::Member { object, name } = module.kind(callee) else { return };
        let name = module.str(name);
        let arguments: Vec<_> = module.list(arguments).collect();
        let registration = Registration { resolver, file, module, loops: Loops::default() };
        match name {
            "setGlobalPrefix"
            | "enableVersioning"
            | "useGlobalGuards"
            | "useGlobalInterceptors"
            | "useGlobalPipes"
            | "use"
                if is_application(resolver, (file, object)) =>
            {
                self.configure(&registration, name, &arguments);
            }
            "forRoutes" => self.consumer(&registration, object, &arguments),
            "register" => {
                let members = resolver.called_members((file, call));
                let knowledge = resolver.program().knowledge();
                let is_router =
                    members.iter().any(|it| knowledge.handle_name(it.on.handle) == "RouterModule");
                if let (true, Some(list)) = (is_router, arguments.first()) {
                    self.module_paths(&registration, (file, *list), "");
                }
            }
            _ => {}
        }
    }

    fn configure(&mut self, registration: &Registration<'_, '_>, name: &str, arguments: &[NodeId]) {
        let at = |node: NodeId| (registration.file, node);
        let package = registration.resolver.program().project().file(registration.file).map(|it| it.package);
        let first = arguments.first().copied();
        match (name, first, package) {
            ("setGlobalPrefix", Some(prefix), Some(package)) => {
                self.prefixes.push((package, registration.pattern(at(prefix))));
            }
            ("enableVersioning", options, Some(package)) => {
                let option = |name| options.and_then(|options| registration.option(at(options), name));
                let is_uri = option("type").is_none_or(|(file, node)| {
                    let module = registration.resolver.program().module(file);
                    module.is_none_or(|module| module.source(node).ends_with("URI"))
                });
                if is_uri {
                    let prefix =
                        option("prefix").map_or_else(|| "v".to_owned(), |it| registration.pattern(it));
                    let default = option("defaultVersion").and_then(|it| registration.text(it));
                    self.versions.push((package, Versioning { prefix, default }));
                }
            }
            ("use", _, _) => {
                let handlers = arguments.iter().flat_map(|node| registration.handlers(*node));
                self.around.extend(handlers.map(|handler| (0, handler)));
            }
            _ => {
                let Some(phase) = AROUND.iter().position(|it| it.2 == name) else { return };
                let method = AROUND.get(phase).map_or("", |it| it.1);
                let handlers =
                    arguments.iter().map(|node| class_handler(registration.resolver, at(*node), method));
                self.around.extend(handlers.map(|handler| (phase + 1, handler)));
            }
        }
    }

    /// `consumer.apply(A, B).exclude(…).forRoutes(CatsController, "path")`
    fn consumer(&mut self, registration: &Registration<'_, '_>, object: NodeId, targets: &[NodeId]) {
        let module = registration.module;
        let mut node = object;
        let applied = loop {
            let Kind::Call { callee, arguments } = module.kind(node) else { return };
            let Kind::Member { object, name } = module.kind(callee) else { return };
            match module.str(name) {
                "apply" => break arguments,
                "exclude" => node = object,
                _ => return,
            }
        };
        let (mut paths, mut classes) = (Vec::new(), FxHashSet::default());
        for target in targets {
            let site = (registration.file, *target);
            for value in registration.values(site).iter() {
                match value {
                    Value::Class(file, class) => {
                        classes.insert((*file, *class));
                    }
                    Value::Text(text) => paths.push(joined("", text)),
                    Value::Object(..) => {
                        paths.extend(
                            registration.option(site, "path").map(|it| joined("", &registration.pattern(it))),
                        );
                    }
                    _ => {}
                }
            }
        }
        for middleware in module.list(applied) {
            let handler = class_handler(registration.resolver, (registration.file, middleware), "use");
            self.consumers.push(Consumer { handler, paths: paths.clone(), classes: classes.clone() });
        }
    }

    /// `RouterModule.register([{ path, module, children }])`
    fn module_paths(&mut self, registration: &Registration<'_, '_>, list: Site, prefix: &str) {
        for item in registration.flattened(list) {
            let path = registration.option(item, "path").map(|it| registration.pattern(it));
            let path = joined(prefix, &path.unwrap_or_default());
            let module = registration.option(item, "module");
            for value in module.map(|it| registration.values(it)).unwrap_or_default().iter() {
                if let Value::Class(file, class) = value {
                    self.modules.insert((*file, *class), path.clone());
                }
            }
            if let Some(children) = registration.option(item, "children").filter(|_| prefix.len() < 256) {
                self.module_paths(registration, children, &path);
            }
        }
    }

    fn module(&mut self, resolver: &Resolver<'_>, class: (FileId, ClassId), decorator: &Decorator) {
        let Some(options) = decorator.argument(resolver, 0) else { return };
        for (name, site) in properties(resolver, options) {
            let Some(module) = resolver.program().module(site.0) else { continue };
            let registration = Registration { resolver, file: site.0, module, loops: Loops::default() };
            match name.as_str() {
                "controllers" => {
                    for item in registration.flattened(site) {
                        for value in resolver.value_of(item).iter() {
                            if let Value::Class(file, controller) = value {
                                self.controllers.entry((*file, *controller)).or_default().push(class);
                            }
                        }
                    }
                }
                "providers" => {
                    for item in registration.flattened(site) {
                        self.provider(&registration, item);
                    }
                }
                _ => {}
            }
        }
    }

    /// `{ provide: APP_GUARD, useClass: AuthGuard }`
    fn provider(&mut self, registration: &Registration<'_, '_>, item: Site) {
        let resolver = registration.resolver;
        let Some(token) = registration.option(item, "provide") else { return };
        let token = resolver.folded(&resolver.value_of(token)).into_iter().find_map(|folded| match folded {
            Folded::Member(_, name) => Some(name.to_string()),
            _ => None,
        });
        let Some(phase) = AROUND.iter().position(|it| Some(it.3) == token.as_deref()) else { return };
        let given = ["useClass", "useExisting", "useValue", "useFactory"];
        let Some(given) = given.iter().find_map(|name| registration.option(item, name)) else { return };
        let method = AROUND.get(phase).map_or("", |it| it.1);
        self.around.push((phase + 1, class_handler(resolver, given, method)));
    }

    pub(super) fn prefix(&self, package: Option<PackageId>) -> &str {
        of_package(&self.prefixes, package).map_or("", String::as_str)
    }

    pub(super) fn versioning(&self, package: Option<PackageId>) -> Option<&Versioning> {
        of_package(&self.versions, package)
    }
}

/// What is said for a package, or for the only application there is.
fn of_package<T>(all: &[(PackageId, T)], package: Option<PackageId>) -> Option<&T> {
    let own = all.iter().find(|(of, _)| Some(*of) == package);
    own.or_else(|| all.first().filter(|_| all.len() == 1)).map(|(_, value)| value)
}

fn is_application(resolver: &Resolver<'_>, site: Site) -> bool {
    let knowledge = resolver.program().knowledge();
    let values = resolver.filled(&resolver.value_of(site));
    resolver.folded(&values).into_iter().any(|folded| match folded {
        Folded::Held(held) => {
            knowledge.library(held.lib).id == "nestjs" && knowledge.handle_name(held.handle) == "app"
        }
        _ => false,
    })
}

/// A guard, interceptor, pipe or middleware: the method of its class, or the function that it is.
pub(super) fn class_handler(resolver: &Resolver<'_>, site: Site, method: &str) -> Handler {
    let values = resolver.value_of(site);
    let mut found = functions(&values);
    for value in values.iter() {
        let member = match value {
            Value::Class(file, class) | Value::Instance(file, class) => {
                resolver.member(&[Value::Instance(*file, *class)], method)
            }
            _ => continue,
        };
        found.extend(functions(&member));
    }
    Handler { site, functions: found, is_wrapped: false }
}

/// `*`, `/users`, `users/*path`
fn is_under(pattern: &str, path: &str) -> bool {
    let start = pattern.split(['*', '(', ':']).next().unwrap_or_default().trim_end_matches('/');
    path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        || start.is_empty()
        // The global prefix is not part of a pattern.
        || path.contains(&format!("{start}/"))
        || path.ends_with(start)
}
