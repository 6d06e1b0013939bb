//! Entry points of Remix and React Router: the loaders and actions of route modules, whose paths their files or a list of
//! routes give.

use loadworthy_knowledge::{Convention, LibId};
use loadworthy_project::FileId;
use loadworthy_syntax::{Kind, Module};
use rustc_hash::FxHashMap;

use super::loops::Loops;
use super::registration::Registration;
use super::tree::joined;
use super::{EntryKind, Route};
use crate::handles::Called;
use crate::positions::{Place, path_in_package};
use crate::values::{Resolver, Site};

/// Deepest nesting of listed routes.
const MAX_DEPTH: usize = 12;

/// Every loader and action.
pub(super) fn routes(resolver: &Resolver<'_>) -> Vec<Route> {
    let knowledge = resolver.program().knowledge();
    let Some(lib) = knowledge.library_id("remix") else { return Vec::new() };
    let conventions: Vec<_> = knowledge.conventions().iter().filter(|it| it.lib == lib).collect();
    let listed = Listed::find(resolver, lib);
    let mut routes = Vec::new();
    for (file, module) in resolver.program().modules() {
        let is_placed = |convention: &&Convention| convention.has_place(resolver, file, module);
        let Some(convention) = conventions.iter().copied().find(is_placed) else { continue };
        let paths = match listed.paths.get(&file) {
            Some(paths) => paths.clone(),
            None => path_in_package(resolver, file).and_then(file_path).into_iter().collect(),
        };
        for path in paths {
            routes.extend(exports(resolver, file, convention, &path));
        }
    }
    routes
}

fn exports(resolver: &Resolver<'_>, file: FileId, convention: &Convention, path: &str) -> Vec<Route> {
    let entries =
        [("loader", EntryKind::Page, "PAGE"), ("action", EntryKind::ServerAction, "ACTION")].into_iter();
    entries
        .filter_map(|(name, kind, method)| {
            let site = resolver.export_site(file, name)?;
            let module = resolver.program().module(site.0)?;
            let registration = Registration { resolver, file: site.0, module, loops: Loops::default() };
            Some(Route {
                kind,
                framework: convention.lib,
                method: method.to_owned(),
                path: path.to_owned(),
                site,
                is_mounted: true,
                middleware: Vec::new(),
                handler: Some(registration.handler(site)),
            })
        })
        .collect()
}

/// `app/routes/posts.$id.tsx` as `/posts/:id`; `None` for files that are no routes by their place.
fn file_path(file: &str) -> Option<String> {
    let file = file.strip_prefix("app/")?;
    if file.starts_with("root.") {
        return Some("/".to_owned());
    }
    let file = file.strip_prefix("routes/")?;
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    // `routes/posts/route.tsx`, `routes/posts/index.tsx`
    let stem = stem.strip_suffix("/route").unwrap_or(stem);
    let mut path = String::new();
    for segment in stem.split('/').flat_map(split_dots) {
        let is_pathless = segment.starts_with('_') || segment == "index";
        if is_pathless {
            continue;
        }
        let segment = segment.trim_end_matches('_').trim_start_matches('(').trim_end_matches(')');
        path.push('/');
        match segment.strip_prefix('$') {
            Some("") => path.push('*'),
            Some(name) => {
                path.push(':');
                path.push_str(name);
            }
            None => path.push_str(&segment.replace(['[', ']'], "")),
        }
    }
    Some(if path.is_empty() { "/".to_owned() } else { path })
}

/// `posts.$id` is two segments, `sitemap[.]xml` one.
fn split_dots(segment: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_u32);
    for (at, letter) in segment.char_indices() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '.' if depth == 0 => {
                parts.extend(segment.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(segment.get(start..));
    parts
}

/// The paths of files that `app/routes.ts` lists.
#[derive(Default)]
struct Listed {
    paths: FxHashMap<FileId, Vec<String>>,
}

impl Listed {
    fn find(resolver: &Resolver<'_>, lib: LibId) -> Self {
        let mut listed = Self::default();
        for (file, module) in resolver.program().modules() {
            let is_list = path_in_package(resolver, file).is_some_and(|path| path.starts_with("app/routes."));
            if !is_list {
                continue;
            }
            let Some(list) = resolver.export_site(file, "default") else { continue };
            let reader = Reader { resolver, lib, file, module };
            reader.items(list, "", 0, &mut listed);
        }
        listed
    }
}

struct Reader<'r, 'p> {
    resolver: &'r Resolver<'p>,
    lib: LibId,
    file: FileId,
    module: &'r Module,
}

impl Reader<'_, '_> {
    fn items(&self, list: Site, prefix: &str, depth: usize, listed: &mut Listed) {
        if depth > MAX_DEPTH {
            return;
        }
        let registration = Registration {
            resolver: self.resolver,
            file: self.file,
            module: self.module,
            loops: Loops::default(),
        };
        for site in registration.flattened(list) {
            self.item(&registration, site, prefix, depth, listed);
        }
    }

    /// `route(path, file, children)`, `index(file)`, `layout(file, children)`, `prefix(path, children)`.
    fn item(
        &self,
        registration: &Registration<'_, '_>,
        (file, node): Site,
        prefix: &str,
        depth: usize,
        listed: &mut Listed,
    ) {
        let Some(module) = self.resolver.program().module(file) else { return };
        let node = match module.kind(node) {
            Kind::Spread(value) => value,
            _ => node,
        };
        let Some(Called { on, name }) = self.resolver.called_members((file, node)).into_iter().next() else {
            return;
        };
        if on.lib != self.lib {
            return;
        }
        let argument = |at| self.resolver.argument((file, node), at);
        let path_of = |at| argument(at).map(|it| registration.pattern(it)).unwrap_or_default();
        let (path, source, children) = match &*name {
            "route" => (joined(prefix, &path_of(0)), argument(1), [argument(2), argument(3)]),
            "index" => (prefix.to_owned(), argument(0), [None, None]),
            "layout" => (prefix.to_owned(), argument(0), [argument(1), argument(2)]),
            "prefix" => (joined(prefix, &path_of(0)), None, [argument(1), None]),
            _ => return,
        };
        if let Some(target) = source.and_then(|it| self.resolver.text_of(it)).and_then(|it| self.target(&it))
        {
            let shown = if path.is_empty() { "/".to_owned() } else { path.clone() };
            listed.paths.entry(target).or_default().push(shown);
        }
        for child in children.into_iter().flatten() {
            self.items(child, &path, depth + 1, listed);
        }
    }

    /// A file by its path from the folder of the list.
    fn target(&self, source: &str) -> Option<FileId> {
        let dir = self.resolver.program().path(self.file).rsplit_once('/').map_or("", |(dir, _)| dir);
        let path = format!("{dir}/{}", source.trim_start_matches("./"));
        self.resolver.program().project().file_by_path(path.trim_start_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_paths() {
        let path = |file: &str| file_path(file).unwrap_or_default();
        assert_eq!(path("app/routes/posts.$id.tsx"), "/posts/:id");
        assert_eq!(path("app/routes/_index.tsx"), "/");
        assert_eq!(path("app/routes/_auth.login.tsx"), "/login");
        assert_eq!(path("app/routes/posts_.$id.edit.tsx"), "/posts/:id/edit");
        assert_eq!(path("app/routes/sitemap[.]xml.ts"), "/sitemap.xml");
        assert_eq!(path("app/routes/posts/$id/route.tsx"), "/posts/:id");
        assert_eq!(path("app/routes/files.$.tsx"), "/files/*");
        assert_eq!(path("app/root.tsx"), "/");
        assert_eq!(path("app/lib/db.ts"), "");
    }
}
