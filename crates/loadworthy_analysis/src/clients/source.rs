//! Which request fills a value that a component shows: through state, queries, hooks, props and derived values.

use loadworthy_project::FileId;
use loadworthy_syntax::{BindingId, BindingKind, FunctionId, Kind, Module, NodeId};

use super::ClientRequests;
use super::store::{self, Payload};
use crate::analysis::Analysis;
use crate::links::FunctionRef;
use crate::values::Site;

/// Where a value comes from.
#[derive(Clone, Debug, Default)]
pub struct Filled {
    /// The requests that may fill it, as positions in the list of requests.
    pub requests: Vec<usize>,
    /// The queries that may fill it, where a component of the server hands its rows to the page.
    pub queries: Vec<Site>,
    /// Something on the way takes a part of it: `slice`, a page of it.
    pub is_cut: bool,
    /// The places on the way, from the value to the request.
    pub way: Vec<Site>,
}

/// Deepest way that is followed.
const MAX_DEPTH: u32 = 8;
/// Most elements of one component whose properties are followed.
const MAX_ELEMENTS: usize = 4;

/// The request behind an expression of a page; nothing where it is another value.
#[must_use]
pub fn filled_by(analysis: &Analysis<'_>, site: Site) -> Filled {
    let mut filled = Filled::default();
    Follow { analysis, requests: analysis.clients() }.expression(site, 0, &mut filled);
    filled.requests.sort_unstable();
    filled.requests.dedup();
    filled
}

struct Follow<'a, 'p> {
    analysis: &'a Analysis<'p>,
    requests: &'a ClientRequests,
}

impl Follow<'_, '_> {
    fn expression(&self, (file, node): Site, depth: u32, filled: &mut Filled) {
        let Some(module) = self.analysis.program().module(file) else { return };
        if depth > MAX_DEPTH {
            return;
        }
        let next = |node: NodeId, filled: &mut Filled| self.expression((file, node), depth + 1, filled);
        match module.kind(node) {
            Kind::Name { binding, .. } => self.binding(module, file, binding, depth, filled),
            Kind::Member { object, name } => {
                if is_selected(module, object) {
                    self.stored(module.str(name), depth, filled);
                } else if !self.part_of_state(module, file, object, module.str(name), depth, filled) {
                    next(object, filled);
                }
            }
            Kind::Index { object, .. } => next(object, filled),
            Kind::Await(value) => next(value, filled),
            Kind::Binary { left, .. } => next(left, filled),
            Kind::Conditional { then, otherwise, .. } => {
                next(then, filled);
                next(otherwise, filled);
            }
            Kind::Array(items) => {
                // `[...orders]`
                for item in module.list(items) {
                    if let Kind::Spread(value) = module.kind(item) {
                        next(value, filled);
                    }
                }
            }
            Kind::Call { callee, arguments } => {
                if let Some(at) = self.requests.at((file, node)) {
                    filled.requests.push(at);
                    filled.way.push((file, node));
                    return;
                }
                if let Some(query) = self.analysis.queries().at((file, node)) {
                    filled.queries.push(query.site);
                    filled.way.push((file, node));
                    return;
                }
                if let Kind::Member { object, name } = module.kind(callee) {
                    let name = module.str(name);
                    if matches!(name, "slice" | "splice" | "at" | "find") {
                        filled.is_cut = true;
                    }
                    if matches!(
                        name,
                        "filter"
                            | "sort"
                            | "slice"
                            | "reverse"
                            | "concat"
                            | "toSorted"
                            | "toReversed"
                            | "flatMap"
                            | "map"
                            | "data"
                            | "json"
                    ) {
                        next(object, filled);
                        return;
                    }
                }
                // `useMemo(() => orders.filter(…), [orders])`, `Object.values(byId)`
                let is_memo = module.source(callee).ends_with("useMemo")
                    || module.source(callee).starts_with("Object.");
                if is_memo {
                    for argument in module.list(arguments).take(1) {
                        match module.kind(argument) {
                            Kind::Function(function) => self.returned(module, file, function, depth, filled),
                            _ => next(argument, filled),
                        }
                    }
                    return;
                }
                let before = filled.requests.len();
                self.call((file, node), depth, filled);
                // `filterIssues(project.issues, filters)`, `get(data, "issues", [])`: a part of what it is given.
                if filled.requests.len() == before
                    && let Some(first) = module.list(arguments).next()
                    && matches!(
                        module.kind(first),
                        Kind::Name { .. } | Kind::Member { .. } | Kind::Call { .. }
                    )
                {
                    next(first, filled);
                }
            }
            _ => {}
        }
    }

    /// What a function of the file gives back.
    fn returned(&self, module: &Module, file: FileId, function: FunctionId, depth: u32, filled: &mut Filled) {
        let Some(found) = module.function(function) else { return };
        if !matches!(module.kind(found.body), Kind::Block(_)) {
            self.expression((file, found.body), depth + 1, filled);
            return;
        }
        for node in module.node_ids() {
            if let Kind::Return(value) = module.kind(node)
                && module.contains(found.body, node)
                && module.enclosing_function(node) == function
                && value.is_some()
            {
                self.expression((file, value), depth + 1, filled);
            }
        }
    }

    /// A hook or function whose code sends the request.
    fn call(&self, site: Site, depth: u32, filled: &mut Filled) {
        let Some(call) = self.analysis.calls().at(site) else { return };
        // A query of a library: the request is in its function, or in the hook's key.
        let Some(module) = self.analysis.program().module(site.0) else { return };
        if let Kind::Call { callee, .. } = module.kind(site.1)
            && let Some(name) = module.source(callee).rsplit('.').next()
            && let Some(at) = self.requests.of_hook(name)
        {
            filled.requests.push(at);
            filled.way.extend(self.requests.all().get(at).map(|request| request.site));
            return;
        }
        for (at, request) in self.requests.all().iter().enumerate() {
            if request.site.0 == site.0 && module.contains(site.1, request.site.1) {
                filled.requests.push(at);
                filled.way.push(request.site);
            }
        }
        if !filled.requests.is_empty() {
            return;
        }
        let handed = call.handed.iter().map(|handed| handed.function);
        let functions: Vec<FunctionRef> = call.targets.iter().copied().chain(handed).collect();
        for function in functions {
            self.function(function, depth, filled);
        }
    }

    fn function(&self, function: FunctionRef, depth: u32, filled: &mut Filled) {
        if depth > MAX_DEPTH {
            return;
        }
        let Some(module) = self.analysis.program().module(function.0) else { return };
        let before = filled.requests.len();
        for request in self.requests.within(module, function) {
            if let Some(at) = self.requests.at(request.site) {
                filled.requests.push(at);
                filled.way.push(request.site);
            }
        }
        if filled.requests.len() > before {
            return;
        }
        let targets: Vec<FunctionRef> = self
            .analysis
            .graph()
            .callees(function)
            .map(|edge| edge.callee)
            .filter(|callee| *callee != function)
            .take(20)
            .collect();
        for target in targets {
            self.function(target, depth + 2, filled);
        }
    }

    fn binding(&self, module: &Module, file: FileId, binding: BindingId, depth: u32, filled: &mut Filled) {
        let Some(declared) = module.binding(binding) else { return };
        if declared.kind == BindingKind::Parameter {
            self.property(module, file, declared.node, depth, filled);
            return;
        }
        // The state's setter says what fills it.
        let function = module.outermost_function(declared.node);
        let states = self.analysis.components(file);
        let state = states
            .iter()
            .filter(|component| {
                component.function == (file, function)
                    || component.function.1 == module.enclosing_function(declared.node)
            })
            .flat_map(|component| &component.states)
            .find(|state| state.value == Some(binding));
        if let Some(setter) = state.and_then(|state| state.setter) {
            self.set(module, file, setter, depth, filled);
            return;
        }
        let Some(init) = initial(module, declared.node) else { return };
        filled.way.push((file, init));
        // `const [users, orders] = await Promise.all([…, …])`
        if let Some(element) = gathered(module, declared.node, init) {
            self.expression((file, element), depth + 1, filled);
            return;
        }
        // `const [{ orders }, dispatch] = useReducer(…)`
        if let Some(dispatch) = dispatch_of(module, declared.node) {
            self.set(module, file, dispatch, depth, filled);
            return;
        }
        let key = property_name(module, declared.node);
        if let Some(last) = store::selected(module, init) {
            self.stored(&key.unwrap_or(last), depth, filled);
            return;
        }
        if let Some(key) = key.as_deref().filter(|_| is_selected(module, init)) {
            self.stored(key, depth, filled);
            return;
        }
        if let Some(key) = &key
            && self.part_of_state(module, file, init, key, depth, filled)
        {
            return;
        }
        if let Some(key) = key
            && let Some(context) = self.context_of((file, init))
        {
            self.provided(&context, &key, depth, filled);
            return;
        }
        self.expression((file, init), depth + 1, filled);
    }

    /// A part of a state that is an object: `orders` of `setPage({ orders: response.data, users })`. Whether something was found.
    fn part_of_state(
        &self,
        module: &Module,
        file: FileId,
        object: NodeId,
        key: &str,
        depth: u32,
        filled: &mut Filled,
    ) -> bool {
        let Kind::Name { binding, .. } = module.kind(object) else { return false };
        let components = self.analysis.components(file).iter();
        let mut states = components.flat_map(|component| &component.states);
        let Some(setter) = states.find(|state| state.value == Some(binding)).and_then(|state| state.setter)
        else {
            return false;
        };
        let before = filled.requests.len();
        for name in module.references(setter) {
            let Kind::Call { callee, arguments } = module.kind(module.parent(*name)) else { continue };
            let Some(given) = module.list(arguments).next().filter(|_| callee == *name) else { continue };
            // `(former) => ({ ...former, orders })`
            let body = match module.kind(given) {
                Kind::Function(update) => module.function(update).map_or(given, |lowered| lowered.body),
                _ => given,
            };
            let Kind::Object(parts) = module.kind(body) else { continue };
            let value = module.list(parts).find_map(|part| match module.kind(part) {
                Kind::Property { key: name, value } if module.str(name) == key && value.is_some() => {
                    Some(value)
                }
                _ => None,
            });
            if let Some(value) = value {
                self.expression((file, value), depth + 1, filled);
            }
        }
        filled.requests.len() > before
    }

    /// What reducers put under a key of the store.
    fn stored(&self, key: &str, depth: u32, filled: &mut Filled) {
        if depth > MAX_DEPTH || key.is_empty() {
            return;
        }
        for payload in store::payloads(self.analysis, key) {
            match payload {
                Payload::Value(site) => self.expression(site, depth + 2, filled),
                Payload::Thunk(call) => self.call(call, depth + 2, filled),
            }
        }
        filled.requests.sort_unstable();
        filled.requests.dedup();
    }

    /// `setOrders(await response.json())`: the request of the function that sets it.
    fn set(&self, module: &Module, file: FileId, setter: BindingId, depth: u32, filled: &mut Filled) {
        for name in module.references(setter) {
            let parent = module.parent(*name);
            let given = match module.kind(parent) {
                Kind::Call { callee, arguments } if callee == *name => module.list(arguments).next(),
                // `.then(setOrders)`
                Kind::Call { callee, .. } => Some(callee),
                _ => None,
            };
            let Some(given) = given else { continue };
            let before = filled.requests.len();
            if let Kind::Object(parts) = module.kind(given) {
                // `dispatch({ type: "LOADED", payload: data })`
                for part in module.list(parts) {
                    if let Kind::Property { key, value } = module.kind(part)
                        && module.str(key) != "type"
                        && matches!(
                            module.kind(value),
                            Kind::Name { .. } | Kind::Member { .. } | Kind::Await(_)
                        )
                    {
                        self.expression((file, value), depth + 1, filled);
                    }
                }
            } else if !matches!(module.kind(given), Kind::Function(_)) {
                self.expression((file, given), depth + 1, filled);
            }
            if filled.requests.len() > before {
                continue;
            }
            // `fetch(…).then((r) => r.json()).then((data) => setOrders(data))`: around the setter.
            let before = filled.requests.len();
            if let Some(around) = chain_around(module, *name) {
                self.call((file, around), depth + 1, filled);
            }
            let is_emptied = matches!(
                module.kind(given),
                Kind::Array(_)
                    | Kind::Null
                    | Kind::Object(_)
                    | Kind::Bool(_)
                    | Kind::String(_)
                    | Kind::Number(_)
            );
            if filled.requests.len() == before
                && !is_emptied
                && matches!(
                    module.kind(given),
                    Kind::Name { .. } | Kind::Member { .. } | Kind::Await(_) | Kind::Call { .. }
                )
            {
                let function = module.enclosing_function(*name);
                self.function((file, function), depth + 1, filled);
            }
        }
    }

    /// The context that `useContext(Shop)`, or a hook that gives it back, reads.
    fn context_of(&self, (file, node): Site) -> Option<String> {
        let program = self.analysis.program();
        let named = |text: &str| {
            let (_, rest) = text.split_once("useContext(")?;
            let name = rest.split(')').next()?.trim();
            (!name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_'))
                .then(|| name.to_owned())
        };
        let module = program.module(file)?;
        if let Some(name) = named(module.source(node)) {
            return Some(name);
        }
        let target = self.analysis.calls().at((file, node))?.targets.first()?;
        let module = program.module(target.0)?;
        named(module.source(module.function(target.1)?.node))
    }

    /// What `<Shop.Provider value={{ products }}>` gives for a key.
    fn provided(&self, context: &str, key: &str, depth: u32, filled: &mut Filled) {
        let provider = format!("{context}.Provider");
        for (file, element) in self.requests.elements(&provider).iter().take(MAX_ELEMENTS) {
            let file = *file;
            if let Some(module) = self.analysis.program().module(file) {
                let Kind::Element { parts, .. } = module.kind(*element) else { continue };
                let value = module.list(parts).find_map(|part| match module.kind(part) {
                    Kind::Property { key, value } if module.str(key) == "value" => Some(value),
                    _ => None,
                });
                let Some(value) = value else { continue };
                let declared = match module.kind(value) {
                    Kind::Name { binding, .. } => {
                        module.binding(binding).and_then(|it| initial(module, it.node)).unwrap_or(value)
                    }
                    _ => value,
                };
                let given = module.node_ids().find_map(|node| match module.kind(node) {
                    Kind::Property { key: name, value }
                        if module.str(name) == key && module.contains(declared, node) =>
                    {
                        Some(value)
                    }
                    _ => None,
                });
                if let Some(given) = given.filter(|given| given.is_some()) {
                    filled.way.push((file, given));
                    self.expression((file, given), depth + 1, filled);
                }
            }
        }
    }

    /// A property of a component: what its elements are given.
    fn property(&self, module: &Module, file: FileId, node: NodeId, depth: u32, filled: &mut Filled) {
        let owner = (file, module.enclosing_function(node));
        let Some(name) = property_name(module, node) else { return };
        let program = self.analysis.program();
        let Some(component) = component_name(module, owner.1) else { return };
        let named = self.requests.elements(&component).iter();
        for (other, element) in named.chain(self.requests.renamed(owner)).take(MAX_ELEMENTS) {
            let Some(text) = program.module(*other) else { continue };
            let Kind::Element { parts, .. } = text.kind(*element) else { continue };
            let given = text.list(parts).find_map(|part| match text.kind(part) {
                Kind::Property { key, value } if text.str(key) == name => Some(value),
                _ => None,
            });
            if let Some(given) = given.filter(|given| given.is_some()) {
                filled.way.push((*other, given));
                self.expression((*other, given), depth + 1, filled);
            }
        }
    }
}

/// The name of a component: its function's, or that of the variable that holds it.
pub(crate) fn component_name(module: &Module, component: FunctionId) -> Option<String> {
    let own = module.function(component).map(|function| module.str(function.name).to_owned());
    own.filter(|name| !name.is_empty()).or_else(|| variable_name(module, component))
}

/// The call of a promise's chain in whose callback a place stands; none inside of an effect or a handler alone.
fn chain_around(module: &Module, node: NodeId) -> Option<NodeId> {
    let mut inner = node;
    let mut found = None;
    for outer in module.ancestors(node).take(24) {
        if let Kind::Call { callee, .. } = module.kind(outer)
            && inner != callee
            && matches!(module.kind(callee), Kind::Member { name, .. } if matches!(module.str(name), "then" | "finally"))
        {
            found = Some(outer);
        }
        inner = outer;
    }
    found
}

/// The expression that a variable, or the pattern it is part of, is declared with.
fn initial(module: &Module, node: NodeId) -> Option<NodeId> {
    module.ancestors(node).take(8).find_map(|outer| match module.kind(outer) {
        Kind::Declarator { init, .. } if init.is_some() => Some(init),
        _ => None,
    })
}

/// The promise that fills one name of `const [a, b] = await Promise.all([…, …])`.
fn gathered(module: &Module, node: NodeId, init: NodeId) -> Option<NodeId> {
    let (pattern, at) = module.ancestors(node).take(3).find_map(|outer| match module.kind(outer) {
        Kind::ArrayPattern(parts) => {
            Some((outer, module.list(parts).position(|part| module.contains(part, node))?))
        }
        _ => None,
    })?;
    if !matches!(module.kind(module.parent(pattern)), Kind::Declarator { .. }) {
        return None;
    }
    let Kind::Await(call) = module.kind(init) else { return None };
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    if !matches!(module.source(callee), "Promise.all" | "Promise.allSettled") {
        return None;
    }
    let Kind::Array(items) = module.kind(module.list(arguments).next()?) else { return None };
    module.list(items).nth(at)
}

/// A variable that holds a part of a store: `const orderList = useSelector((state) => state.orderList)`.
fn is_selected(module: &Module, node: NodeId) -> bool {
    let Kind::Name { binding, .. } = module.kind(node) else { return false };
    let Some(declared) = module.binding(binding) else { return false };
    initial(module, declared.node).is_some_and(|init| store::selected(module, init).is_some())
}

/// The dispatcher beside a part of the state that a reducer makes: `orders` of `const [{ orders }, dispatch] = useReducer(…)`.
fn dispatch_of(module: &Module, node: NodeId) -> Option<BindingId> {
    let (pattern, declarator) = module.ancestors(node).find_map(|outer| match module.kind(outer) {
        Kind::ArrayPattern(_) => Some((outer, module.parent(outer))),
        _ => None,
    })?;
    let Kind::Declarator { target, init } = module.kind(declarator) else { return None };
    let Kind::Call { callee, .. } = module.kind(init) else { return None };
    if target != pattern || !module.source(callee).ends_with("useReducer") {
        return None;
    }
    let Kind::ArrayPattern(parts) = module.kind(pattern) else { return None };
    let mut parts = module.list(parts);
    let state = parts.next()?;
    match module.kind(parts.next()?) {
        Kind::Binding(dispatch) if module.contains(state, node) => Some(dispatch),
        _ => None,
    }
}

/// The key of a destructured parameter: `orders` of `({ orders: list = [] })`.
fn property_name(module: &Module, node: NodeId) -> Option<String> {
    module.ancestors(node).take(3).find_map(|outer| match module.kind(outer) {
        Kind::Property { key, .. } => Some(module.str(key).to_owned()),
        _ => None,
    })
}

/// `List` of `const List = ({ orders }) => …`, also behind `memo(…)`.
fn variable_name(module: &Module, function: FunctionId) -> Option<String> {
    let node = module.function(function)?.node;
    module.ancestors(node).take(3).find_map(|outer| match module.kind(outer) {
        Kind::Declarator { target, .. } => {
            Some(module.source(target).split(':').next().unwrap_or_default().trim().to_owned())
        }
        _ => None,
    })
}
