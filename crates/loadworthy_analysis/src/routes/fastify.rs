//! The routes of Fastify: plugins with prefixes, encapsulated hooks, folders of plugins, decorators as hooks.

use loadworthy_knowledge::LibId;
use loadworthy_project::FileId;
use loadworthy_syntax::{FunctionId, Kind, NodeId};
use rustc_hash::FxHashMap;

use super::loops::Loops;
use super::owners::{Kin, Owner, Tracer, moment};
use super::registration::{Call, Dialect, Registration, functions, scan};
use super::tree::{Entry, Order, Phase, Table, joined};
use super::{Handler, Route, calls_in_order, is_used};
use crate::handles::{Folded, Held};
use crate::values::{Resolver, Site, Value};

const NAMES: [&str; 11] =
    ["get", "post", "put", "patch", "delete", "head", "options", "all", "route", "register", "addHook"];

/// Hooks that run before the handler, in the order of a request's life.
const HOOKS: [&str; 4] = ["onRequest", "preParsing", "preValidation", "preHandler"];

/// The phase of handlers.
const HANDLER: Phase = 9;

/// Every route of Fastify applications.
pub(super) fn routes(resolver: &Resolver<'_>) -> Vec<Route> {
    let Some(lib) = is_used(resolver, "fastify") else { return Vec::new() };
    let mut table = Table::new(lib, Order::HooksFirst);
    let decorations = Decorations::find(resolver, lib);
    let folders = folders(resolver, lib);
    let plugins: Vec<_> =
        folders.iter().flat_map(|folder| &folder.plugins).map(|plugin| plugin.function).collect();
    for folder in &folders {
        table.note(&folder.owner);
    }
    let roots = folders.iter().filter_map(|folder| function_of(resolver, folder.owner.key));
    let plugins: Vec<_> = plugins.into_iter().chain(roots).collect();
    scan(
        &mut table,
        resolver,
        Dialect { lib, kin_of: kin, plugins: &plugins },
        &NAMES,
        |registration, _, call| Reader { registration, decorations: &decorations }.entries(call),
    );
    for folder in folders {
        let mounts = folder.plugins.iter().map(Plugin::entry).collect();
        table.add(&folder.owner, &moment(resolver, &folder.owner.via, folder.call), mounts);
    }
    table.routes()
}

fn function_of(resolver: &Resolver<'_>, (file, node): Site) -> Option<(FileId, FunctionId)> {
    match resolver.program().module(file)?.kind(node) {
        Kind::Function(function) => Some((file, function)),
        _ => None,
    }
}

fn kin(handle: &str) -> Option<Kin> {
    (handle == "app").then_some(Kin::App)
}

/// Reads the calls on one instance.
struct Reader<'r, 'p> {
    registration: &'r Registration<'r, 'p>,
    decorations: &'r Decorations,
}

impl Reader<'_, '_> {
    fn entries(&self, call: &Call<'_>) -> Vec<Entry> {
        let arguments: Vec<_> = self.registration.module.list(call.arguments).collect();
        match (call.name, arguments.as_slice()) {
            ("register", [plugin, rest @ ..]) => self.register(*plugin, rest.first().copied()),
            ("addHook", [name, hook, ..]) => self.hook(*name, *hook),
            ("route", [options, ..]) => self.described(call, *options).unwrap_or_default(),
            ("register" | "addHook" | "route", _) => Vec::new(),
            (method, [path, rest @ ..]) if !rest.is_empty() => {
                let mut handlers = Vec::new();
                for node in rest {
                    handlers.extend(self.options_or_handler(*node));
                }
                handlers.sort_by_key(|(phase, _)| *phase);
                vec![Entry::Route {
                    site: call.site,
                    method: method.to_uppercase(),
                    paths: self.registration.paths(*path),
                    handlers,
                }]
            }
            _ => Vec::new(),
        }
    }

    fn at(&self, node: NodeId) -> Site {
        (self.registration.file, node)
    }

    /// `{ preHandler: […], handler }`, or the handler itself.
    fn options_or_handler(&self, node: NodeId) -> Vec<(Phase, Handler)> {
        let is_object =
            self.registration.values(self.at(node)).iter().any(|value| matches!(value, Value::Object(..)));
        if is_object {
            return self.options(self.at(node));
        }
        self.handlers(self.at(node)).into_iter().map(|handler| (HANDLER, handler)).collect()
    }

    fn options(&self, options: Site) -> Vec<(Phase, Handler)> {
        let mut found = Vec::new();
        for (phase, name) in (1..).zip(HOOKS).chain([(HANDLER, "handler")]) {
            let hooks = self.registration.option(options, name).into_iter();
            let hooks = hooks.flat_map(|hook| self.registration.flattened(hook));
            found.extend(hooks.flat_map(|hook| self.handlers(hook)).map(|handler| (phase, handler)));
        }
        found
    }

    /// `fastify.route({ method, url, handler })`
    fn described(&self, call: &Call<'_>, options: NodeId) -> Option<Vec<Entry>> {
        let options = self.at(options);
        let methods = self.registration.flattened(self.registration.option(options, "method")?);
        let url = ["url", "path"].iter().find_map(|name| self.registration.option(options, name))?;
        let route = |method: String| Entry::Route {
            site: call.site,
            method: method.to_uppercase(),
            paths: vec![self.registration.pattern(url)],
            handlers: self.options(options),
        };
        Some(methods.into_iter().filter_map(|method| self.registration.text(method)).map(route).collect())
    }

    fn hook(&self, name: NodeId, hook: NodeId) -> Vec<Entry> {
        let name = self.registration.text(self.at(name)).unwrap_or_default();
        let Some(phase) = (1..).zip(HOOKS).find(|(_, known)| *known == name).map(|(phase, _)| phase) else {
            return Vec::new();
        };
        vec![Entry::Middleware { paths: vec![String::new()], phase, handlers: self.handlers(self.at(hook)) }]
    }

    /// A plugin of the program is a router; one of a library runs before the routes.
    fn register(&self, plugin: NodeId, options: Option<NodeId>) -> Vec<Entry> {
        let prefix = options
            .and_then(|options| self.registration.option(self.at(options), "prefix"))
            .map(|prefix| self.registration.pattern(prefix))
            .unwrap_or_default();
        let resolver = self.registration.resolver;
        let site = self.at(plugin);
        let plugins = plugins(resolver, site);
        if plugins.is_empty() && !is_folder_loader(resolver, site) {
            let handler = Handler { site, functions: Vec::new(), is_wrapped: false };
            return vec![Entry::Middleware { paths: vec![String::new()], phase: 0, handlers: vec![handler] }];
        }
        plugins.into_iter().map(|plugin| Plugin { prefix: prefix.clone(), ..plugin }.entry()).collect()
    }

    /// `fastify.authenticate` is the function that it was decorated with.
    fn handlers(&self, site: Site) -> Vec<Handler> {
        let handler = self.registration.handler(site);
        if !handler.functions.is_empty() {
            return vec![handler];
        }
        vec![Handler { functions: self.decorations.functions(self.registration.resolver, site), ..handler }]
    }
}

/// A function of the program that is run with an instance.
struct Plugin {
    function: (FileId, FunctionId),
    key: Site,
    prefix: String,
    /// Its instance is the parent's: it was wrapped so as not to be encapsulated.
    is_shared: bool,
}

impl Plugin {
    fn new(resolver: &Resolver<'_>, function: (FileId, FunctionId)) -> Option<Self> {
        let node = resolver.program().module(function.0)?.function(function.1)?.node;
        Some(Self { function, key: (function.0, node), prefix: String::new(), is_shared: false })
    }

    fn entry(&self) -> Entry {
        if self.is_shared {
            Entry::Shared { router: self.key }
        } else {
            Entry::Mount { paths: vec![self.prefix.clone()], router: self.key }
        }
    }
}

/// The plugins of the program that an argument is: functions, the default export of a module, or what is wrapped by
/// `fastify-plugin`.
fn plugins(resolver: &Resolver<'_>, site: Site) -> Vec<Plugin> {
    let values = resolver.filled(&resolver.value_of(site));
    let mut found = Vec::new();
    for value in values.iter() {
        match value {
            Value::Function(file, function) => found.extend(Plugin::new(resolver, (*file, *function))),
            Value::Namespace(_) => {
                let exported = functions(&resolver.member(std::slice::from_ref(value), "default"));
                found.extend(exported.into_iter().filter_map(|function| Plugin::new(resolver, function)));
            }
            Value::External(external) => {
                let Folded::Held(held) = resolver.fold(external) else { continue };
                let Some(wrapped) = held.made_at.filter(|_| is_handle(resolver, &held, "plugin")) else {
                    continue;
                };
                let Some(argument) = resolver.argument(wrapped, 0) else { continue };
                let inner = functions(&resolver.filled(&resolver.value_of(argument)));
                let plugins = inner.into_iter().filter_map(|function| Plugin::new(resolver, function));
                found.extend(plugins.map(|plugin| Plugin { is_shared: true, ..plugin }));
            }
            _ => {}
        }
    }
    found
}

fn is_handle(resolver: &Resolver<'_>, held: &Held, name: &str) -> bool {
    resolver.program().knowledge().handle_name(held.handle) == name
}

/// A call that registers every plugin of a folder.
struct Folder {
    call: Site,
    owner: Owner,
    plugins: Vec<Plugin>,
}

fn is_folder_loader(resolver: &Resolver<'_>, site: Site) -> bool {
    let lib = resolver.program().knowledge().library_id("fastify-autoload");
    lib.is_some()
        && resolver.folded(&resolver.value_of(site)).iter().any(|folded| match folded {
            Folded::Held(held) | Folded::Member(held, _) => Some(held.lib) == lib,
            _ => false,
        })
}

fn folders(resolver: &Resolver<'_>, lib: LibId) -> Vec<Folder> {
    let mut folders = Vec::new();
    if is_used(resolver, "fastify-autoload").is_none() {
        return folders;
    }
    let loops = Loops::default();
    for (file, module) in resolver.program().modules() {
        for call in calls_in_order(module) {
            let Kind::Call { callee, arguments } = module.kind(call) else { continue };
            let Kind::Member { object, name } = module.kind(callee) else { continue };
            let arguments: Vec<_> = module.list(arguments).collect();
            let [loader, options, ..] = arguments.as_slice() else { continue };
            if module.str(name) != "register" || !is_folder_loader(resolver, (file, *loader)) {
                continue;
            }
            let tracer = Tracer { resolver, lib, kin_of: kin, loops: &loops, plugins: &[] };
            let mut owners = tracer.owners((file, object));
            if owners.is_empty() {
                owners.extend(started_by_command(resolver, (file, object)));
            }
            let registration = Registration { resolver, file, module, loops: Loops::default() };
            for owner in owners {
                let plugins = in_folder(&registration, (file, *options)).unwrap_or_default();
                folders.push(Folder { call: (file, call), owner, plugins });
            }
        }
    }
    folders
}

/// `module.exports = async (fastify) => …`: the application's plugin, which the framework's command starts.
fn started_by_command(resolver: &Resolver<'_>, (file, object): Site) -> Option<Owner> {
    let module = resolver.program().module(file)?;
    let function = module.enclosing_function(object).ok()?;
    let exported = resolver.exported(file, "default");
    let is_exported =
        exported.iter().any(|value| matches!(value, Value::Function(f, id) if (*f, *id) == (file, function)));
    let node = module.function(function)?.node;
    is_exported.then(|| Owner { key: (file, node), kin: Kin::App, via: Vec::new(), chain: Vec::new() })
}

/// The plugins of a folder: those below it with the folders on the way as prefix. A folder's `index` stands for the
/// files beside it.
fn in_folder(registration: &Registration<'_, '_>, options: Site) -> Option<Vec<Plugin>> {
    let resolver = registration.resolver;
    let dir = resolver.folder_of(registration.option(options, "dir")?)?;
    let inner = registration.option(options, "options");
    let prefix = inner.and_then(|inner| registration.option(inner, "prefix"));
    let prefix = prefix.map(|prefix| registration.pattern(prefix)).unwrap_or_default();
    let has_folders = !is_false(registration, registration.option(options, "dirNameRoutePrefix"));
    let program = resolver.program();
    let below: Vec<_> = program
        .modules()
        .filter_map(|(file, _)| Some((file, program.path(file).strip_prefix(&dir)?.strip_prefix('/')?)))
        .collect();
    let mut plugins = Vec::new();
    for (file, path) in &below {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let is_index = name.starts_with("index.");
        let has_index = below.iter().any(|(_, other)| {
            other.rsplit_once('/').unwrap_or(("", other)).0 == folder
                && file_name(other).starts_with("index.")
        });
        if name.starts_with("autohooks.") || (has_index && !is_index) {
            continue;
        }
        let own = text_export(resolver, *file, "autoPrefix");
        let folders = if has_folders { with_parameters(folder) } else { String::new() };
        let under = joined(&joined(&prefix, &folders), &own.unwrap_or_default());
        let exported = resolver.exported(*file, "default");
        let functions =
            functions(&exported).into_iter().filter_map(|function| Plugin::new(resolver, function));
        plugins.extend(functions.map(|plugin| Plugin { prefix: under.clone(), ..plugin }));
        plugins.extend(wrapped_exports(resolver, &exported));
    }
    Some(plugins)
}

fn wrapped_exports(resolver: &Resolver<'_>, exported: &[Value]) -> Vec<Plugin> {
    let calls = resolver.folded(exported).into_iter().filter_map(|folded| match folded {
        Folded::Held(held) if is_handle(resolver, &held, "plugin") => held.made_at,
        _ => None,
    });
    calls.flat_map(|call| plugins(resolver, call)).collect()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_false(registration: &Registration<'_, '_>, option: Option<Site>) -> bool {
    option.is_some_and(|(file, node)| {
        registration
            .resolver
            .program()
            .module(file)
            .is_some_and(|module| module.kind(node) == Kind::Bool(false))
    })
}

fn text_export(resolver: &Resolver<'_>, file: FileId, name: &str) -> Option<String> {
    resolver.exported(file, name).iter().find_map(|value| match value {
        Value::Text(text) => Some(text.to_string()),
        _ => None,
    })
}

/// `users/_id` as `users/:id`.
fn with_parameters(folder: &str) -> String {
    let segments = folder.split('/').map(|segment| match segment.strip_prefix('_') {
        Some(name) if !name.is_empty() => format!(":{}", name.trim_start_matches('_')),
        _ => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The functions that instances were decorated with, by name.
struct Decorations {
    by_name: FxHashMap<String, Vec<(FileId, FunctionId)>>,
    lib: LibId,
}

impl Decorations {
    fn find(resolver: &Resolver<'_>, lib: LibId) -> Self {
        let mut by_name: FxHashMap<String, Vec<_>> = FxHashMap::default();
        for (file, module) in resolver.program().modules() {
            for call in module.calls() {
                let Kind::Call { callee, arguments } = module.kind(*call) else { continue };
                let Kind::Member { name, .. } = module.kind(callee) else { continue };
                let arguments: Vec<_> = module.list(arguments).collect();
                let [name_node, value, ..] = arguments.as_slice() else { continue };
                if module.str(name) != "decorate" {
                    continue;
                }
                let Some(decorated) = resolver.text_of((file, *name_node)) else { continue };
                let registration = Registration { resolver, file, module, loops: Loops::default() };
                by_name.entry(decorated).or_default().extend(registration.handler((file, *value)).functions);
            }
        }
        Self { by_name, lib }
    }

    /// `fastify.authenticate`, `fastify.allow("admin")`, `fastify.auth([fastify.authenticate])`.
    fn functions(&self, resolver: &Resolver<'_>, site: Site) -> Vec<(FileId, FunctionId)> {
        let found: Vec<_> = resolver
            .folded(&resolver.value_of(site))
            .iter()
            .flat_map(|folded| self.of(resolver, folded))
            .collect();
        if !found.is_empty() {
            return found;
        }
        let Some(module) = resolver.program().module(site.0) else { return found };
        match module.kind(site.1) {
            Kind::Call { arguments, .. } | Kind::Array(arguments) => {
                module.list(arguments).flat_map(|node| self.functions(resolver, (site.0, node))).collect()
            }
            _ => found,
        }
    }

    fn of(&self, resolver: &Resolver<'_>, folded: &Folded) -> Vec<(FileId, FunctionId)> {
        match folded {
            Folded::Member(on, name) if on.lib == self.lib => self.named(name).to_vec(),
            Folded::Result(outcome) if outcome.on.lib == self.lib => {
                let made = self.named(&outcome.name).iter();
                made.flat_map(|(file, function)| functions(&resolver.result(*file, *function))).collect()
            }
            _ => Vec::new(),
        }
    }

    fn named(&self, name: &str) -> &[(FileId, FunctionId)] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }
}
