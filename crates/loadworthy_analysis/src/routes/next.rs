//! Entry points of Next.js: route handlers, pages and layouts with their data, API routes, server actions, middleware.

use loadworthy_knowledge::{Convention, LibId};
use loadworthy_project::FileId;
use loadworthy_syntax::{Binary, FunctionId, Kind, MemberKind, Module, NodeId};

use super::loops::Loops;
use super::owners::property;
use super::registration::Registration;
use super::{EntryKind, Handler, Route};
use crate::positions::{Place, path_in_package};
use crate::values::{Resolver, Site};

/// Methods that handlers of `pages/api` tell apart.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Every entry point of Next.js applications.
pub(super) fn routes(resolver: &Resolver<'_>) -> Vec<Route> {
    let knowledge = resolver.program().knowledge();
    let Some(lib) = knowledge.library_id("next") else { return Vec::new() };
    let conventions: Vec<_> = knowledge.conventions().iter().filter(|it| it.lib == lib).collect();
    let middleware = Gate::find(resolver, &conventions);
    let mut routes = Vec::new();
    for (file, module) in resolver.program().modules() {
        let reader = Reader { resolver, file, module, lib };
        for convention in &conventions {
            let is_placed = convention.has_place(resolver, file, module);
            if is_placed || convention.directive.is_some() {
                routes.extend(reader.entries(convention, is_placed));
            }
        }
    }
    for route in &mut routes {
        let package = resolver.program().project().file(route.site.0).map(|file| file.package);
        let gates =
            middleware.iter().filter(|gate| Some(gate.package) == package && gate.covers(&route.path));
        let before: Vec<_> = gates.map(|gate| gate.handler.clone()).collect();
        route.middleware.splice(0..0, before);
    }
    routes
}

/// Reads one file.
struct Reader<'r, 'p> {
    resolver: &'r Resolver<'p>,
    file: FileId,
    module: &'r Module,
    lib: LibId,
}

impl Reader<'_, '_> {
    fn entries(&self, convention: &Convention, is_placed: bool) -> Vec<Route> {
        let handle = self.resolver.program().knowledge().handle_name(convention.handle);
        let path = path_in_package(self.resolver, self.file).unwrap_or_default();
        match handle {
            "route file" => self.route_handlers(convention, &app_path(path)),
            "page file" => self.page(&app_path(path), path).into_iter().collect(),
            "api file" => self.api(&pages_path(path)),
            "pages file" => self.pages(path, &pages_path(path)),
            "server action" => self.actions(convention, is_placed),
            _ => Vec::new(),
        }
    }

    fn exported(&self, name: &str) -> Option<Handler> {
        let site = self.resolver.export_site(self.file, name)?;
        let module = self.resolver.program().module(site.0)?;
        let registration =
            Registration { resolver: self.resolver, file: site.0, module, loops: Loops::default() };
        Some(registration.handler(site))
    }

    fn route(&self, kind: EntryKind, method: &str, path: &str, handler: Handler) -> Route {
        Route {
            kind,
            framework: self.lib,
            method: method.to_owned(),
            path: path.to_owned(),
            site: handler.site,
            is_mounted: true,
            middleware: Vec::new(),
            handler: Some(handler),
        }
    }

    fn export_names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.module.exports().iter().map(|it| self.module.str(it.name)).collect();
        names.dedup();
        names
    }

    fn route_handlers(&self, convention: &Convention, path: &str) -> Vec<Route> {
        let names = self.export_names().into_iter().filter(|name| convention.has_export(name));
        let handlers = names.filter_map(|name| Some((name, self.exported(name)?)));
        handlers.map(|(name, handler)| self.route(EntryKind::Http, name, path, handler)).collect()
    }

    /// A page with its layouts and metadata before it; layouts are listed with the pages below them only.
    fn page(&self, path: &str, file: &str) -> Option<Route> {
        let is_page = file.rsplit('/').next().is_some_and(|name| name.starts_with("page."));
        if !is_page || self.module.has_directive("use client") {
            return None;
        }
        let handler = self.exported("default")?;
        let kind = if self.is_static() { EntryKind::StaticPage } else { EntryKind::Page };
        let mut route = self.route(kind, "PAGE", path, handler);
        route.middleware = self.layouts(file);
        route.middleware.extend(self.exported("generateMetadata"));
        Some(route)
    }

    /// `dynamic = "force-static"`, or pages that are built again after a time.
    fn is_static(&self) -> bool {
        let text = |name| self.resolver.export_site(self.file, name);
        if let Some(dynamic) = text("dynamic").and_then(|site| self.resolver.text_of(site)) {
            return dynamic == "force-static" || dynamic == "error";
        }
        text("revalidate").is_some_and(|(file, node)| {
            let module = self.resolver.program().module(file);
            module.is_some_and(|module| match module.kind(node) {
                Kind::Number(number) => module.number(number) > 0.0,
                Kind::Bool(value) => !value,
                _ => false,
            })
        })
    }

    /// The layouts around a page, outermost first, each after its metadata.
    fn layouts(&self, page: &str) -> Vec<Handler> {
        let program = self.resolver.program();
        let own = program.path(self.file);
        let dir = own.strip_suffix(page).unwrap_or_default();
        let mut handlers = Vec::new();
        for (at, _) in page.match_indices('/') {
            let folder = page.get(..at).unwrap_or_default();
            for extension in ["tsx", "jsx", "ts", "js"] {
                let Some(file) = program.project().file_by_path(&format!("{dir}{folder}/layout.{extension}"))
                else {
                    continue;
                };
                let Some(module) = program.module(file) else { continue };
                let layout = Reader { file, module, ..*self };
                handlers.extend(layout.exported("generateMetadata"));
                if !module.has_directive("use client") {
                    handlers.extend(layout.exported("default").filter(|it| !it.functions.is_empty()));
                }
            }
        }
        handlers
    }

    fn api(&self, path: &str) -> Vec<Route> {
        let handler = self.exported("default").into_iter();
        let method = self.only_method().unwrap_or("ALL");
        handler.map(|handler| self.route(EntryKind::Http, method, path, handler)).collect()
    }

    /// The method that a handler of `pages/api` compares with `req.method`, if it is one only.
    fn only_method(&self) -> Option<&'static str> {
        let module = self.module;
        let is_method = |node: NodeId| match module.kind(node) {
            Kind::Member { name, .. } => module.str(name) == "method",
            Kind::Name { .. } => module.source(node) == "method",
            _ => false,
        };
        let mut compared = module.node_ids().filter_map(|node| {
            let text = match module.kind(node) {
                Kind::Binary { operator: Binary::Equal | Binary::NotEqual, left, right }
                    if is_method(left) =>
                {
                    right
                }
                Kind::Case { test, .. } => {
                    let Kind::Switch { subject, .. } = module.kind(module.parent(node)) else { return None };
                    if !is_method(subject) {
                        return None;
                    }
                    test
                }
                _ => return None,
            };
            let Kind::String(text) = module.kind(text) else { return None };
            METHODS.into_iter().find(|method| *method == module.str(text))
        });
        let first = compared.next()?;
        compared.all(|method| method == first).then_some(first)
    }

    fn pages(&self, file: &str, path: &str) -> Vec<Route> {
        let name = file.rsplit('/').next().unwrap_or_default();
        if file.starts_with("pages/api/")
            || file.starts_with("src/pages/api/")
            || name.starts_with("_middleware")
        {
            return Vec::new();
        }
        let data = [
            ("getServerSideProps", EntryKind::Page),
            ("getStaticProps", EntryKind::StaticPage),
            ("getStaticPaths", EntryKind::StaticPage),
        ];
        let mut routes: Vec<_> = data
            .into_iter()
            .filter_map(|(name, kind)| Some(self.route(kind, "PAGE", path, self.exported(name)?)))
            .collect();
        routes.extend(self.initial_props().map(|handler| self.route(EntryKind::Page, "PAGE", path, handler)));
        routes
    }

    /// `Page.getInitialProps = async (context) => …`, or a static method of a page that is a class.
    fn initial_props(&self) -> Option<Handler> {
        let module = self.module;
        let assigned = module.node_ids().find_map(|node| match module.kind(node) {
            Kind::Assign { operator: None, target, value } => match module.kind(target) {
                Kind::Member { name, .. } if module.str(name) == "getInitialProps" => Some(value),
                _ => None,
            },
            _ => None,
        });
        let method = || {
            let members = module.classes().iter().flat_map(|class| &class.members);
            let mut statics = members.filter(|it| it.is_static && it.kind == MemberKind::Method);
            statics.find(|it| module.str(it.name) == "getInitialProps").map(|it| it.value)
        };
        let site = (self.file, assigned.or_else(method)?);
        let registration =
            Registration { resolver: self.resolver, file: self.file, module, loops: Loops::default() };
        Some(registration.handler(site)).filter(|handler| !handler.functions.is_empty())
    }

    /// The exports of a file, and functions anywhere, that say they run on the server.
    fn actions(&self, convention: &Convention, is_placed: bool) -> Vec<Route> {
        let mut actions: Vec<(String, Handler)> = Vec::new();
        if is_placed {
            for name in self.export_names() {
                let handler = self.exported(name).filter(|handler| !handler.functions.is_empty());
                actions.extend(handler.map(|handler| (name.to_owned(), handler)));
            }
        }
        for (at, function) in self.module.functions().iter().enumerate() {
            if Some(self.module.str(function.directive)) == convention.directive.as_deref() {
                let functions = vec![(self.file, FunctionId::new(at))];
                let handler = Handler { site: (self.file, function.node), functions, is_wrapped: false };
                actions.push((self.function_name(FunctionId::new(at)), handler));
            }
        }
        let route = |(name, handler): (String, Handler)| {
            self.route(EntryKind::ServerAction, "ACTION", &name, handler)
        };
        actions.into_iter().map(route).collect()
    }

    fn function_name(&self, id: FunctionId) -> String {
        let Some(function) = self.module.function(id) else { return String::new() };
        if function.name.ok().is_some() {
            return self.module.str(function.name).to_owned();
        }
        let bound = match self.module.kind(self.module.parent(function.node)) {
            Kind::Declarator { target, .. } => self.module.source(target),
            Kind::Property { key, .. } => self.module.str(key),
            _ => "action",
        };
        bound.to_owned()
    }
}

/// `app/(shop)/products/[id]/page.tsx` as `/products/:id`: groups, slots and intercepted parts are no part of the path.
fn app_path(file: &str) -> String {
    let file = file.strip_prefix("src/").unwrap_or(file);
    let file = file.strip_prefix("app/").unwrap_or_default();
    let folders = file.rsplit_once('/').map_or("", |(folders, _)| folders);
    let is_part = |segment: &&str| {
        let is_group = segment.starts_with('(') && segment.ends_with(')');
        !(segment.is_empty() || is_group || segment.starts_with('@'))
    };
    url_path(folders.split('/').filter(is_part))
}

/// `/a/:b`
fn url_path<'s>(segments: impl Iterator<Item = &'s str>) -> String {
    let segments: Vec<_> = segments.map(parameter).collect();
    format!("/{}", segments.join("/"))
}

/// `pages/posts/[id].tsx` as `/posts/:id`, `index` as its folder.
fn pages_path(file: &str) -> String {
    let file = file.strip_prefix("src/").unwrap_or(file);
    let file = file.strip_prefix("pages/").unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let segments: Vec<_> = stem.split('/').collect();
    let segments = match segments.split_last() {
        Some((&"index", folders)) => folders.to_vec(),
        _ => segments,
    };
    url_path(segments.into_iter())
}

/// `[id]` as `:id`, `[...slug]` and `[[...slug]]` as `:slug*`.
fn parameter(segment: &str) -> String {
    let bare = segment.trim_start_matches('[').trim_end_matches(']');
    if bare.len() == segment.len() {
        return segment.to_owned();
    }
    match bare.strip_prefix("...") {
        Some(rest) => format!(":{rest}*"),
        None => format!(":{bare}"),
    }
}

/// The middleware of a package.
struct Gate {
    package: loadworthy_project::PackageId,
    handler: Handler,
    /// Empty: everything.
    matchers: Vec<String>,
}

impl Gate {
    fn find(resolver: &Resolver<'_>, conventions: &[&Convention]) -> Vec<Self> {
        let program = resolver.program();
        let mut gates = Vec::new();
        for convention in conventions {
            if program.knowledge().handle_name(convention.handle) != "middleware file" {
                continue;
            }
            for (file, module) in program.modules() {
                if !convention.has_place(resolver, file, module) {
                    continue;
                }
                let reader = Reader { resolver, file, module, lib: convention.lib };
                let handler =
                    ["middleware", "proxy", "default"].iter().find_map(|name| reader.exported(name));
                let (Some(handler), Some(source)) = (handler, program.project().file(file)) else { continue };
                gates.push(Self { package: source.package, handler, matchers: matchers(resolver, file) });
            }
        }
        gates
    }

    fn covers(&self, path: &str) -> bool {
        self.matchers.is_empty() || self.matchers.iter().any(|matcher| is_matched(matcher, path))
    }
}

/// `export const config = { matcher: […] }`
fn matchers(resolver: &Resolver<'_>, file: FileId) -> Vec<String> {
    let Some((file, node)) = resolver.export_site(file, "config") else { return Vec::new() };
    let Some(module) = resolver.program().module(file) else { return Vec::new() };
    let Some(matcher) = property(module, node, "matcher") else { return Vec::new() };
    let list: Vec<_> = match module.kind(matcher) {
        Kind::Array(items) => module.list(items).collect(),
        _ => vec![matcher],
    };
    let source = |node: loadworthy_syntax::NodeId| -> Option<String> {
        let site: Site = (file, property(module, node, "source").unwrap_or(node));
        resolver.text_of(site)
    };
    list.into_iter().filter_map(source).collect()
}

/// `/dashboard/:path*`, `/((?!api|_next).*)`.
fn is_matched(matcher: &str, path: &str) -> bool {
    if let Some((before, rest)) = matcher.split_once("(?!") {
        let start = before.trim_end_matches('(');
        let excluded = rest.split_once(')').map_or(rest, |(excluded, _)| excluded);
        let Some(rest) = path.strip_prefix(start).or_else(|| path.strip_prefix(start.trim_end_matches('/')))
        else {
            return false;
        };
        return !excluded
            .split('|')
            .any(|word| !word.is_empty() && !word.contains('\\') && rest.starts_with(word));
    }
    let mut given = path.split('/').filter(|segment| !segment.is_empty());
    for wanted in matcher.split('/').filter(|segment| !segment.is_empty()) {
        if wanted.ends_with('*') || wanted.contains('(') {
            return true;
        }
        match given.next() {
            Some(segment) if wanted == segment || wanted.starts_with(':') => {}
            _ => return false,
        }
    }
    given.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_slots_and_files_are_no_part_of_a_path() {
        assert_eq!(app_path("app/(shop)/products/[id]/page.tsx"), "/products/:id");
        assert_eq!(app_path("src/app/@modal/docs/[[...slug]]/page.tsx"), "/docs/:slug*");
        assert_eq!(app_path("app/page.tsx"), "/");
        assert_eq!(pages_path("pages/posts/[id]/index.tsx"), "/posts/:id");
        assert_eq!(pages_path("src/pages/api/users.ts"), "/api/users");
        assert_eq!(pages_path("pages/index.js"), "/");
    }

    #[test]
    fn matchers_say_what_middleware_sees() {
        assert!(is_matched("/((?!api|_next/static|favicon.ico).*)", "/dashboard"));
        assert!(!is_matched("/((?!api|_next/static|favicon.ico).*)", "/api/users"));
        assert!(
            is_matched("/dashboard/:path*", "/dashboard")
                && is_matched("/dashboard/:path*", "/dashboard/a/b")
        );
        assert!(!is_matched("/dashboard/:path*", "/other") && !is_matched("/a", "/a/b"));
    }
}
