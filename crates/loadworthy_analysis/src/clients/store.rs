//! What fills a key of a Redux store: reducers that take it from an action's payload, and who makes those actions.

use loadworthy_project::{FileClass, FileId};
use loadworthy_syntax::{BindingKind, Kind, Module, NodeId};

use crate::analysis::Analysis;
use crate::values::{Resolver, Site, Step, Value};

/// Where a payload comes from.
pub(super) enum Payload {
    /// An expression: `dispatch({ type: LOADED, payload: data })`, `dispatch(setOrders(data))`.
    Value(Site),
    /// `createAsyncThunk("orders", load)`: the call, whose function gives it.
    Thunk(Site),
}

/// Most payloads of one key that are followed.
const MAX_PAYLOADS: usize = 12;

/// The payloads that reducers put under a key.
pub(super) fn payloads(analysis: &Analysis<'_>, key: &str) -> Vec<Payload> {
    let resolver = Resolver::new(analysis.program());
    let mut found = Vec::new();
    for (file, module) in stores(analysis) {
        for node in module.node_ids() {
            if is_kept(module, node, key) {
                by_reducer(analysis, &resolver, (file, module), node, &mut found);
            }
        }
    }
    found.truncate(MAX_PAYLOADS);
    found
}

fn stores<'a>(analysis: &'a Analysis<'_>) -> impl Iterator<Item = (FileId, &'a Module)> {
    let program = analysis.program();
    program.modules().filter(|(file, module)| {
        program.class(*file).is_some_and(FileClass::may_be_client) && module.text().contains("payload")
    })
}

/// `orders: action.payload`, `state.orders = action.payload.items`
fn is_kept(module: &Module, node: NodeId, key: &str) -> bool {
    let value = match module.kind(node) {
        Kind::Property { key: name, value } if module.str(name) == key => value,
        Kind::Assign { target, value, .. } => match module.kind(target) {
            Kind::Member { name, .. } if module.str(name) == key => value,
            _ => return false,
        },
        _ => return false,
    };
    value.is_some()
        && module.source(value).contains("payload")
        && !matches!(module.kind(value), Kind::Function(_))
}

/// What makes the actions of the reducer around a place.
fn by_reducer(
    analysis: &Analysis<'_>,
    resolver: &Resolver<'_>,
    (file, module): (FileId, &Module),
    node: NodeId,
    found: &mut Vec<Payload>,
) {
    let mut inner = node;
    for outer in module.ancestors(node) {
        match module.kind(outer) {
            Kind::Case { test, .. } if test.is_some() => {
                of_type(analysis, module.source(test), found);
                return;
            }
            // `builder.addCase(load.fulfilled, (state, action) => …)`
            Kind::Call { callee, arguments } if inner != callee => {
                let is_case =
                    matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name) == "addCase");
                if let Some(first) = module.list(arguments).next().filter(|_| is_case) {
                    if let Kind::Member { object, .. } = module.kind(first) {
                        found.extend(thunk(resolver, (file, object)).map(Payload::Thunk));
                    }
                    return;
                }
            }
            // `reducers: { setOrders(state, action) {…} }`, `[load.fulfilled]: (state, action) => …`
            Kind::Property { key, value }
                if value == inner && matches!(module.kind(value), Kind::Function(_)) =>
            {
                of_creator(analysis, module.str(key), found);
                return;
            }
            Kind::ComputedProperty { key, value } if value == inner => {
                if let Kind::Member { object, .. } = module.kind(key) {
                    found.extend(thunk(resolver, (file, object)).map(Payload::Thunk));
                }
                return;
            }
            _ => {}
        }
        inner = outer;
    }
}

fn thunk(resolver: &Resolver<'_>, site: Site) -> Option<Site> {
    resolver.value_of(site).iter().find_map(|value| match value {
        Value::External(external) => external.steps.iter().find_map(Step::site),
        _ => None,
    })
}

/// `{ type: ORDERS_LOADED, payload: data }`
fn of_type(analysis: &Analysis<'_>, action: &str, found: &mut Vec<Payload>) {
    for (file, module) in stores(analysis) {
        for node in module.node_ids() {
            let Kind::Object(parts) = module.kind(node) else { continue };
            let value = |wanted: &str| {
                module.list(parts).find_map(|part| match module.kind(part) {
                    Kind::Property { key, value } if module.str(key) == wanted => Some(value),
                    _ => None,
                })
            };
            if value("type").is_some_and(|at| module.source(at) == action)
                && let Some(payload) = value("payload")
            {
                found.push(Payload::Value((file, payload)));
            }
        }
    }
}

/// `setOrders(data)`, where `setOrders` is no variable of the place.
fn of_creator(analysis: &Analysis<'_>, creator: &str, found: &mut Vec<Payload>) {
    let program = analysis.program();
    for (file, module) in program.modules() {
        if !program.class(file).is_some_and(FileClass::may_be_client) || !module.text().contains(creator) {
            continue;
        }
        for call in module.calls() {
            let Kind::Call { callee, arguments } = module.kind(*call) else { continue };
            let Kind::Name { name, binding } = module.kind(callee) else { continue };
            let is_import =
                module.binding(binding).is_some_and(|it| matches!(it.kind, BindingKind::Import(_)));
            if module.str(name) == creator && is_import {
                found.extend(module.list(arguments).next().map(|first| Payload::Value((file, first))));
            }
        }
    }
}

/// The last name that `useSelector((state) => state.orders.list)` reads; nothing for other calls.
pub(super) fn selected(module: &Module, call: NodeId) -> Option<String> {
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    let name = module.source(callee).rsplit('.').next()?;
    if !matches!(name, "useSelector" | "useAppSelector") {
        return None;
    }
    let Kind::Function(function) = module.kind(module.list(arguments).next()?) else {
        return Some(String::new());
    };
    let body = module.function(function)?.body;
    match module.kind(body) {
        Kind::Member { name, .. } => Some(module.str(name).to_owned()),
        _ => Some(String::new()),
    }
}
