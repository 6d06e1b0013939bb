//! The path of a request, as far as the code tells it, and the routes that it reaches.

use loadworthy_syntax::{Kind, Module, NodeId};

use super::answers_pages;
use crate::analysis::Analysis;
use crate::routes::{Route, UNKNOWN_PART};
use crate::values::{Resolver, Site};

/// The parts of a path; `None` for one that is chosen when the code runs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Address {
    parts: Vec<Option<String>>,
    /// A query follows, with these texts in it.
    query: String,
}

/// Deepest variable that is followed.
const MAX_DEPTH: u32 = 6;
/// Stands for what is chosen when the code runs while a text is put together.
const CHOSEN: char = '\u{1}';

impl Address {
    /// The address that an expression gives; none where it is no path.
    #[must_use]
    pub fn of(resolver: &Resolver<'_>, module: &Module, site: Site) -> Option<Self> {
        let mut text = String::new();
        write(resolver, module, site, 0, &mut text);
        Self::parse(&text)
    }

    /// As [`Self::of`], below a base address.
    pub(super) fn below(resolver: &Resolver<'_>, module: &Module, site: Site, base: &str) -> Option<Self> {
        let mut text = base.trim_end_matches('/').to_owned();
        let mut own = String::new();
        write(resolver, module, site, 0, &mut own);
        if !text.is_empty() && !own.starts_with('/') {
            text.push('/');
        }
        text.push_str(&own);
        Self::parse(&text)
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let path = match text.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("", |at| rest.get(at..).unwrap_or_default()),
            None => text,
        };
        // `${API_URL}/orders`: the first part is where the server is.
        let path = path.strip_prefix(CHOSEN).filter(|rest| rest.starts_with('/')).unwrap_or(path);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let is_path = path.starts_with('/')
            || path.contains('/') && path.starts_with(|first: char| first.is_ascii_lowercase());
        if !is_path || path.contains(' ') || path.starts_with("//") {
            return None;
        }
        let parts: Vec<Option<String>> = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(|part| (!part.contains(CHOSEN)).then(|| part.to_owned()))
            .collect();
        let named = parts.iter().flatten().count();
        (named > 0).then(|| Self { parts, query: query.to_owned() })
    }

    /// Adds a part.
    pub(super) fn push(&mut self, resolver: &Resolver<'_>, module: &Module, site: Site) {
        let mut text = String::new();
        write(resolver, module, site, 0, &mut text);
        for part in text.split('/').filter(|part| !part.is_empty()) {
            self.parts.push((!part.contains(CHOSEN)).then(|| part.to_owned()));
        }
    }

    /// `/orders/:/items`.
    #[must_use]
    pub fn path(&self) -> String {
        let parts = self.parts.iter().map(|part| part.as_deref().unwrap_or(":"));
        format!("/{}", parts.collect::<Vec<_>>().join("/"))
    }

    /// The query, as far as it is constant.
    #[must_use]
    pub fn query(&self) -> &str {
        &self.query
    }
}

fn write(resolver: &Resolver<'_>, module: &Module, (file, node): Site, depth: u32, out: &mut String) {
    if depth > MAX_DEPTH {
        out.push(CHOSEN);
        return;
    }
    let next = |node: NodeId, out: &mut String| write(resolver, module, (file, node), depth + 1, out);
    match module.kind(node) {
        Kind::String(text) => out.push_str(module.str(text)),
        Kind::Template { strings, values } => {
            let mut values = module.list(values);
            for text in module.atoms(strings) {
                out.push_str(text);
                if let Some(value) = values.next() {
                    next(value, out);
                }
            }
        }
        Kind::Binary { left, right, .. } => {
            next(left, out);
            next(right, out);
        }
        Kind::Conditional { then, .. } => next(then, out),
        _ => match resolver.text_of((file, node)) {
            Some(text) => out.push_str(&text),
            None => out.push(CHOSEN),
        },
    }
}

/// The routes that answer a request, the best match only; several where they are alike.
#[must_use]
pub fn matching(analysis: &Analysis<'_>, method: &str, address: &Address) -> Vec<usize> {
    let mut best: Vec<(usize, usize)> = Vec::new();
    for (at, route) in analysis.routes().iter().enumerate() {
        if !answers_pages(route.kind) || !has_method(route, method) {
            continue;
        }
        let Some(score) = score(&route.path, &address.parts) else { continue };
        match best.first() {
            Some((most, _)) if *most > score => {}
            Some((most, _)) if *most == score => best.push((score, at)),
            _ => best = vec![(score, at)],
        }
    }
    best.into_iter().map(|(_, at)| at).collect()
}

fn has_method(route: &Route, method: &str) -> bool {
    route.method == method || route.method == "ALL" || method == "HEAD" && route.method == "GET"
}

/// How well a route's path is met: equal parts count most, a prefix that one side lacks counts against.
fn score(path: &str, parts: &[Option<String>]) -> Option<usize> {
    let own: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    // A base address, or a proxy, may add or take a prefix of up to three parts.
    let (longer, shorter) = (own.len().max(parts.len()), own.len().min(parts.len()));
    let lack = longer - shorter;
    if lack > 3 || shorter == 0 {
        return None;
    }
    let own = own.get(own.len() - shorter..)?;
    let asked = parts.get(parts.len() - shorter..)?;
    let mut equal = 0_usize;
    let mut met = 0_usize;
    for (own, asked) in own.iter().zip(asked) {
        let is_parameter = own.starts_with(':')
            || own.starts_with('{')
            || own.starts_with('[')
            || *own == UNKNOWN_PART
            || *own == "*";
        match asked {
            Some(text) if text == own => equal += 1,
            // A parameter takes any text, but less gladly.
            Some(_) if is_parameter => {}
            None if is_parameter => met += 1,
            _ => return None,
        }
    }
    // Only the prefix may be unknown: something must be equal.
    (equal > 0).then_some((equal * 10 + met * 5 + 40).saturating_sub(lack * 7))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(path: &str) -> Vec<Option<String>> {
        path.split('/')
            .filter(|part| !part.is_empty())
            .map(|part| (part != ":").then(|| part.to_owned()))
            .collect()
    }

    #[test]
    fn literal_parts_go_before_parameters() {
        let literal = score("/products/search", &parts("/products/search"));
        assert!(literal > score("/products/:slug", &parts("/products/search")));
        assert!(
            score("/products/:slug", &parts("/products/:"))
                > score("/products/:slug", &parts("/products/search"))
        );
    }

    #[test]
    fn a_base_address_may_hold_the_prefix() {
        assert!(score("/api/v1/orders", &parts("/orders")).is_some());
        assert!(score("/orders", &parts("/api/orders")).is_some());
        assert!(score("/orders", &parts("/orders")) > score("/api/orders", &parts("/orders")));
        assert_eq!(score("/orders/:id", &parts("/users/:")), None);
        assert_eq!(score("/:id", &parts("/:")), None);
    }

    #[test]
    fn addresses_are_paths() {
        let path = |text: &str| Address::parse(text).map(|address| address.path());
        assert_eq!(path("https://api.example.com/v1/orders?limit=5").as_deref(), Some("/v1/orders"));
        assert_eq!(path("\u{1}/orders/\u{1}").as_deref(), Some("/orders/:"));
        assert_eq!(path("/orders/\u{1}/items").as_deref(), Some("/orders/:/items"));
        assert_eq!(path("application/json text"), None);
        assert_eq!(path("\u{1}"), None);
        assert_eq!(path("GET"), None);
    }
}
