//! Endpoints that a client declares and calls by hooks: RTK Query's `builder.query({ query: () => url })`, used as
//! `useGetOrdersQuery()`.

use loadworthy_syntax::{FunctionId, Kind, Module, NodeId};

use super::{Address, METHODS};
use crate::analysis::Analysis;
use crate::query::Options;
use crate::values::{Resolver, Site};

/// A declared endpoint.
pub(super) struct Endpoint {
    /// `builder.query({…})`.
    pub(super) site: Site,
    pub(super) method: String,
    pub(super) address: Address,
    /// The hooks that ask it: `useGetOrdersQuery`, `useLazyGetOrdersQuery`.
    pub(super) hooks: Vec<String>,
}

/// The endpoint that a call declares, with the base address of the client that it belongs to.
pub(super) fn endpoint(
    resolver: &Resolver<'_>,
    module: &Module,
    (file, call): Site,
    base: Option<&str>,
) -> Option<Endpoint> {
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    let Kind::Member { name: kind, .. } = module.kind(callee) else { return None };
    let kind = match module.str(kind) {
        "query" => "Query",
        "infiniteQuery" => "InfiniteQuery",
        "mutation" => "Mutation",
        _ => return None,
    };
    let Kind::Property { key, .. } = module.kind(module.parent(call)) else { return None };
    let name = module.str(key);
    if !is_in_endpoints(module, call) {
        return None;
    }
    let options = Options::of(resolver, (file, module.list(arguments).next()?));
    let query = options.get("query")?;
    let (request, at) = returned(resolver, query)?;
    let (url, method) = match request.kind(at.1) {
        Kind::Object(_) => {
            let options = Options::of(resolver, at);
            let method = options.get("method").and_then(|at| resolver.text_of(at));
            (options.get("url")?, method.map(|method| method.to_ascii_uppercase()))
        }
        _ => (at, None),
    };
    let module = resolver.program().module(url.0)?;
    let address = Address::below(resolver, module, url, base.unwrap_or_default())?;
    let method =
        method.filter(|method| METHODS.contains(&method.as_str())).unwrap_or_else(|| String::from("GET"));
    let capital: String =
        name.chars().take(1).flat_map(char::to_uppercase).chain(name.chars().skip(1)).collect();
    let hooks = vec![format!("use{capital}{kind}"), format!("useLazy{capital}{kind}")];
    Some(Endpoint { site: (file, call), method, address, hooks })
}

/// Whether a place is in the function, or object, that is the property `endpoints`.
fn is_in_endpoints(module: &Module, node: NodeId) -> bool {
    module.ancestors(node).any(
        |outer| matches!(module.kind(outer), Kind::Property { key, .. } if module.str(key) == "endpoints"),
    )
}

/// What a function gives back: the expression of a short arrow, or its first `return`.
fn returned<'p>(resolver: &Resolver<'p>, (file, node): Site) -> Option<(&'p Module, Site)> {
    let module = resolver.program().module(file)?;
    let Kind::Function(function) = module.kind(node) else { return None };
    let body = module.function(function)?.body;
    if !matches!(module.kind(body), Kind::Block(_)) {
        return Some((module, (file, body)));
    }
    let value = module.all_nodes(body).into_iter().find_map(|inner| match module.kind(inner) {
        Kind::Return(value) if value.is_some() && module.enclosing_function(inner) == function => Some(value),
        _ => None,
    })?;
    Some((module, (file, value)))
}

/// The base address that `fetchBaseQuery({ baseUrl })` names; none where the files name several.
pub(super) fn base_of(analysis: &Analysis<'_>, resolver: &Resolver<'_>) -> Option<String> {
    let mut found: Vec<String> = Vec::new();
    for (file, module) in analysis.program().modules() {
        if !module.text().contains("fetchBaseQuery") {
            continue;
        }
        for call in module.calls() {
            let Kind::Call { callee, arguments } = module.kind(*call) else { continue };
            if module.source(callee) != "fetchBaseQuery"
                || module.enclosing_function(*call) != FunctionId::NONE
            {
                continue;
            }
            let Some(first) = module.list(arguments).next() else { continue };
            let base = Options::of(resolver, (file, first)).get("baseUrl");
            found.extend(base.and_then(|at| resolver.text_of(at)));
        }
    }
    found.dedup();
    match found.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}
