//! What the client asks of the server: every request of the pages with its method and URL, and the route that answers it.

mod address;
mod endpoints;
mod source;
mod store;

use loadworthy_knowledge::Effect;
use loadworthy_project::FileClass;
use loadworthy_syntax::{BindingId, BindingKind, Kind, Module, NodeId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::analysis::Analysis;
use crate::calls::Call;
use crate::links::FunctionRef;
use crate::query::Options;
use crate::routes::EntryKind;
use crate::values::{Resolver, Site, Value};

pub use address::{Address, matching};
pub(crate) use source::component_name;
pub use source::{Filled, filled_by};

/// A request that a page sends.
#[derive(Clone, Debug)]
pub struct ClientRequest {
    /// The call that names the address.
    pub site: Site,
    /// The function whose code holds it.
    pub function: FunctionRef,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path that is asked for, parameters as `:`.
    pub address: Address,
    /// Its routes in the route table; more than one where several servers have it.
    pub routes: Vec<usize>,
}

/// Every request of the pages, in the order of files and places.
#[derive(Debug, Default)]
pub struct ClientRequests {
    all: Vec<ClientRequest>,
    by_site: FxHashMap<Site, usize>,
    /// Requests by the name of the hook that sends them.
    by_hook: FxHashMap<String, usize>,
    elements: Elements,
}

/// Where components stand as elements.
#[derive(Debug, Default)]
struct Elements {
    by_name: FxHashMap<String, Vec<Site>>,
    /// Of components that a file imports under a name of its own.
    renamed: FxHashMap<FunctionRef, Vec<Site>>,
}

impl ClientRequests {
    /// Of a linked program.
    pub(crate) fn new(analysis: &Analysis<'_>, resolver: &Resolver<'_>) -> Self {
        let mut all: Vec<ClientRequest> = Vec::new();
        let mut seen: FxHashSet<Site> = FxHashSet::default();
        for call in analysis.calls().iter() {
            if !analysis.program().class(call.site.0).is_some_and(FileClass::may_be_client) {
                continue;
            }
            let Some((method, address)) = asked(analysis, resolver, call) else { continue };
            // The wrapper's own call has no address; an address is told once.
            if seen.insert(call.site) {
                let routes = matching(analysis, &method, &address);
                let function = (call.site.0, call.function);
                all.push(ClientRequest { site: call.site, function, method, address, routes });
            }
        }
        let by_hook = declared(analysis, resolver, &mut all);
        let by_site = all.iter().enumerate().map(|(at, request)| (request.site, at)).collect();
        let elements = elements(analysis, resolver);
        Self { all, by_site, by_hook, elements }
    }

    /// The request that a call sends, by its place in the list.
    #[must_use]
    pub fn at(&self, site: Site) -> Option<usize> {
        self.by_site.get(&site).copied()
    }

    /// The request that a hook sends, by its place in the list.
    pub(super) fn of_hook(&self, name: &str) -> Option<usize> {
        self.by_hook.get(name).copied()
    }

    /// The elements of a component by its name.
    pub(crate) fn elements(&self, component: &str) -> &[Site] {
        self.elements.by_name.get(component).map_or(&[], Vec::as_slice)
    }

    /// The elements of a component in files that import it under another name.
    pub(crate) fn renamed(&self, component: FunctionRef) -> &[Site] {
        self.elements.renamed.get(&component).map_or(&[], Vec::as_slice)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[ClientRequest] {
        &self.all
    }

    /// Those in the code of a function, its inner functions included.
    pub fn within(&self, module: &Module, function: FunctionRef) -> impl Iterator<Item = &ClientRequest> {
        let node = module.function(function.1).map(|found| found.node);
        self.all.iter().filter(move |request| {
            request.site.0 == function.0 && node.is_some_and(|node| module.contains(node, request.site.1))
        })
    }
}

/// Adds the endpoints that clients declare; the positions of their requests by the names of their hooks.
fn declared(
    analysis: &Analysis<'_>,
    resolver: &Resolver<'_>,
    all: &mut Vec<ClientRequest>,
) -> FxHashMap<String, usize> {
    let mut by_hook = FxHashMap::default();
    let base = endpoints::base_of(analysis, resolver);
    for (file, module) in analysis.program().modules() {
        if !module.text().contains("endpoints") {
            continue;
        }
        for call in module.calls() {
            let Some(found) = endpoints::endpoint(resolver, module, (file, *call), base.as_deref()) else {
                continue;
            };
            by_hook.extend(found.hooks.into_iter().map(|hook| (hook, all.len())));
            let routes = matching(analysis, &found.method, &found.address);
            let function = (file, module.enclosing_function(*call));
            let (method, address) = (found.method, found.address);
            all.push(ClientRequest { site: found.site, function, method, address, routes });
        }
    }
    by_hook
}

fn elements(analysis: &Analysis<'_>, resolver: &Resolver<'_>) -> Elements {
    let mut found = Elements::default();
    for (file, module) in analysis.program().modules() {
        if !module.text().contains("/>") && !module.text().contains("</") {
            continue;
        }
        let mut known: FxHashMap<BindingId, Option<FunctionRef>> = FxHashMap::default();
        for node in module.node_ids() {
            let Kind::Element { component, .. } = module.kind(node) else { continue };
            if !component.is_some() || matches!(module.kind(component), Kind::String(_)) {
                continue;
            }
            let name = module.source(component);
            found.by_name.entry(name.to_owned()).or_default().push((file, node));
            let Kind::Name { binding, .. } = module.kind(component) else { continue };
            let renamed = known.entry(binding).or_insert_with(|| {
                if !matches!(module.binding(binding)?.kind, BindingKind::Import(_)) {
                    return None;
                }
                let values = resolver.value_of((file, component));
                let [Value::Function(at, function)] = &*values else { return None };
                let own = analysis.program().module(*at)?;
                (source::component_name(own, *function)? != name).then_some((*at, *function))
            });
            if let Some(function) = renamed {
                found.renamed.entry(*function).or_default().push((file, node));
            }
        }
    }
    found
}

/// The method and address of a call that sends a request; none for other calls.
fn asked(analysis: &Analysis<'_>, resolver: &Resolver<'_>, call: &Call<'_>) -> Option<(String, Address)> {
    let module = analysis.program().module(call.site.0)?;
    let (Kind::Call { callee, arguments } | Kind::New { callee, arguments }) = module.kind(call.site.1)
    else {
        return None;
    };
    let arguments: Vec<NodeId> = module.list(arguments).collect();
    let effect = call.library.as_ref().and_then(crate::calls::LibraryCall::effect);
    if effect == Some(Effect::ReactFetch) {
        return of_query_key(resolver, module, call, &arguments);
    }
    let sends = effect == Some(Effect::HttpRequest)
        // A function of the program that wraps one; a library that is handed the function which sends it is none.
        || effect.is_none()
            && !call.targets.is_empty()
            && analysis.works().of_call(call).any(|effect| effect == Effect::HttpRequest)
        // A hook whose effect does: `useFetch("/api/orders")`.
        || effect.is_none() && call.targets.iter().any(|target| asks_in_effect(analysis, *target))
        || matches!(module.source(callee), "EventSource");
    if !sends {
        return None;
    }
    let file = call.site.0;
    // A wrapper's functions that are handed on are no addresses.
    let is_text = |node: &&NodeId| {
        matches!(
            module.kind(**node),
            Kind::String(_)
                | Kind::Template { .. }
                | Kind::Binary { .. }
                | Kind::Name { .. }
                | Kind::Member { .. }
        )
    };
    let address = arguments
        .iter()
        .filter(is_text)
        .find_map(|node| Address::of(resolver, module, (file, *node)))
        .or_else(|| of_options(resolver, module, (file, *arguments.first()?)))?;
    let method = method(resolver, module, call.site, callee, &arguments)
        .or_else(|| method_of_wrapper(analysis, call))
        .unwrap_or_else(|| String::from("GET"));
    Some((method, address))
}

/// Whether a hook of the program sends a request in one of its effects.
fn asks_in_effect(analysis: &Analysis<'_>, hook: FunctionRef) -> bool {
    let components = analysis.components(hook.0).iter();
    components.filter(|it| it.is_hook && it.function == hook).any(|it| {
        let mut effects = it.effects.iter();
        effects
            .any(|effect| analysis.works().of((hook.0, effect.function)).any(|it| it == Effect::HttpRequest))
    })
}

/// `{ url: "/orders", method: "get" }`.
fn of_options(resolver: &Resolver<'_>, module: &Module, site: Site) -> Option<Address> {
    let Kind::Object(_) = module.kind(site.1) else { return None };
    let url = Options::of(resolver, site).get("url")?;
    let module = resolver.program().module(url.0)?;
    Address::of(resolver, module, url)
}

/// `useQuery({ queryKey: ["/api/orders", id] })` without a function of its own: the key is the address.
fn of_query_key(
    resolver: &Resolver<'_>,
    module: &Module,
    call: &Call<'_>,
    arguments: &[NodeId],
) -> Option<(String, Address)> {
    let first = *arguments.first()?;
    let key = match module.kind(first) {
        Kind::Object(_) => {
            let options = Options::of(resolver, (call.site.0, first));
            // A function of its own has the address in it.
            if options.get("queryFn").is_some_and(|at| names_address(resolver, at)) {
                return None;
            }
            options.get("queryKey")?
        }
        // `createAsyncThunk("orders/load", async () => …)`: a name, and a function that has the address.
        Kind::String(text)
            if !module.str(text).starts_with('/')
                && arguments
                    .get(1)
                    .is_some_and(|second| matches!(module.kind(*second), Kind::Function(_))) =>
        {
            return None;
        }
        Kind::Array(_) | Kind::String(_) | Kind::Template { .. } => (call.site.0, first),
        _ => return None,
    };
    let module = resolver.program().module(key.0)?;
    let address = match module.kind(key.1) {
        Kind::Array(items) => {
            let mut items = module.list(items);
            let mut address = Address::of(resolver, module, (key.0, items.next()?))?;
            for item in items {
                match module.kind(item) {
                    // An object is a filter, not a part of the path.
                    Kind::Object(_) => {}
                    _ => address.push(resolver, module, (key.0, item)),
                }
            }
            address
        }
        _ => Address::of(resolver, module, key)?,
    };
    Some((String::from("GET"), address))
}

/// Whether a function's text names an address of its own.
fn names_address(resolver: &Resolver<'_>, (file, node): Site) -> bool {
    let Some(module) = resolver.program().module(file) else { return true };
    let text = module.source(node);
    ["fetch(", "axios", "\"/", "'/", "`/", "`${", ".get(", "api."].iter().any(|word| text.contains(word))
}

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// The method: of the options, of an argument (`apiRequest("POST", url)`), or the name of what is called.
fn method(
    resolver: &Resolver<'_>,
    module: &Module,
    site: Site,
    callee: NodeId,
    arguments: &[NodeId],
) -> Option<String> {
    let verb = |text: &str| {
        let upper = text.to_ascii_uppercase();
        METHODS.contains(&upper.as_str()).then_some(upper)
    };
    for argument in arguments {
        match module.kind(*argument) {
            Kind::String(text) => {
                if let Some(found) = verb(module.str(text)) {
                    return Some(found);
                }
            }
            Kind::Object(_) => {
                let options = Options::of(resolver, (site.0, *argument));
                let text = options.get("method").and_then(|at| resolver.text_of(at));
                if let Some(found) = text.and_then(|text| verb(&text)) {
                    return Some(found);
                }
            }
            _ => {}
        }
    }
    match module.kind(callee) {
        Kind::Member { name, .. } => verb(module.str(name)),
        _ => None,
    }
}

/// `sendJson(url)`: the one method that the wrapper's code names.
fn method_of_wrapper(analysis: &Analysis<'_>, call: &Call<'_>) -> Option<String> {
    let (file, function) = *call.targets.first()?;
    let module = analysis.program().module(file)?;
    let text = module.source(module.function(function)?.node);
    let mut named = METHODS
        .iter()
        .filter(|method| text.contains(&format!("\"{method}\"")) || text.contains(&format!("'{method}'")));
    let first = named.next()?;
    named.next().is_none().then(|| (*first).to_owned())
}

/// Whether a kind of entry point answers requests of pages.
pub(crate) fn answers_pages(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::Http)
}
