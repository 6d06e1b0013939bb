//! React components: their state, effects and elements, and which values are made anew in each render.

mod anew;
mod elements;
mod row_fields;

use loadworthy_knowledge::Effect;
use loadworthy_project::FileId;
use loadworthy_syntax::{BindingId, BindingKind, FunctionId, Kind, Module, NodeId};

use crate::analysis::Analysis;
use crate::calls::{Call, LibraryCall};
use crate::graph::Timing;
use crate::links::FunctionRef;
use crate::values::{Resolver, Site, Value};

pub use anew::made_anew;
pub use elements::{
    bindings_of, component_at, elements_made, elements_of, given, loader, property_of, rendered,
};
pub use row_fields::{RowFields, row_fields};

/// A component, or a hook of the program.
#[derive(Clone, Debug)]
pub struct Component {
    /// Its function.
    pub function: FunctionRef,
    /// Its name.
    pub name: String,
    /// Whether it is a hook: `useX`.
    pub is_hook: bool,
    /// Its state.
    pub states: Vec<State>,
    /// Its effects.
    pub effects: Vec<EffectHook>,
    /// Number of JSX elements in it.
    pub elements: usize,
}

/// One `useState` or `useReducer`.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// The call.
    pub site: Site,
    /// The value.
    pub value: Option<BindingId>,
    /// The setter.
    pub setter: Option<BindingId>,
}

/// One `useEffect` or `useLayoutEffect`.
#[derive(Clone, Debug)]
pub struct EffectHook {
    /// The call.
    pub site: Site,
    /// The function that runs after the render.
    pub function: FunctionId,
    /// The dependencies; none where the array is missing.
    pub dependencies: Option<Vec<NodeId>>,
}

/// `useCallback(function, dependencies)`: a function that is another one when a dependency changes.
#[derive(Clone, Debug)]
pub struct Memoised {
    /// The function.
    pub function: FunctionId,
    /// What it depends on; empty where that is no list.
    pub dependencies: Vec<NodeId>,
}

/// The memoised function that a name of the same file stands for.
#[must_use]
pub fn memoised(resolver: &Resolver<'_>, (file, name): Site) -> Option<Memoised> {
    let module = resolver.program().module(file)?;
    let Kind::Name { binding, .. } = module.kind(name) else { return None };
    let declared = module.binding(binding)?;
    let Kind::Declarator { init, .. } = module.kind(module.parent(declared.node)) else { return None };
    let Kind::Call { arguments, .. } = module.kind(init) else { return None };
    let mut arguments = module.list(arguments);
    let Kind::Function(function) = module.kind(arguments.next()?) else { return None };
    let Kind::Array(items) = module.kind(arguments.next()?) else { return None };
    // What `useMemo` gives is no function of this file.
    let is_given_back = resolver.value_of((file, init)).contains(&Value::Function(file, function));
    is_given_back.then(|| Memoised { function, dependencies: module.list(items).collect() })
}

/// Every component and hook of a file, in source order.
pub(crate) fn components(analysis: &Analysis<'_>, file: FileId) -> Vec<Component> {
    let Some(module) = analysis.program().module(file) else { return Vec::new() };
    let mut counts = vec![0_usize; module.functions().len()];
    for node in module.node_ids() {
        if let Kind::Element { .. } = module.kind(node) {
            // An element in a callback of the component is the component's.
            let mut function = module.enclosing_function(node);
            while let Some(count) = counts.get_mut(function.index()) {
                *count += 1;
                function = module.function(function).map_or(FunctionId::NONE, |lowered| lowered.parent);
            }
        }
    }
    let named = (0..module.functions().len()).filter_map(|at| {
        let function = FunctionId::new(at);
        let name = name_of(module, function)?;
        let elements = counts.get(at).copied().unwrap_or(0);
        let is_hook = name.strip_prefix("use").is_some_and(|rest| rest.starts_with(char::is_uppercase));
        let is_component = name.starts_with(char::is_uppercase) && elements > 0;
        (is_hook || is_component)
            .then(|| component(analysis, module, (file, function), name, (is_hook, elements)))
    });
    named.collect()
}

fn component(
    analysis: &Analysis<'_>,
    module: &Module,
    function: FunctionRef,
    name: String,
    (is_hook, elements): (bool, usize),
) -> Component {
    let mut component =
        Component { function, name, is_hook, states: Vec::new(), effects: Vec::new(), elements };
    for call in analysis.calls().of_function(function) {
        match call.library.as_ref().and_then(LibraryCall::effect) {
            Some(Effect::ReactState) => component.states.extend(state(module, call)),
            Some(Effect::ReactEffect) => component.effects.extend(effect(module, call)),
            _ => {}
        }
    }
    component
}

/// `const [value, setValue] = useState(…)`.
fn state(module: &Module, call: &Call<'_>) -> Option<State> {
    let Kind::Declarator { target, .. } = module.kind(module.parent(call.site.1)) else { return None };
    let Kind::ArrayPattern(parts) = module.kind(target) else { return None };
    let binding = |node: Option<NodeId>| match node.map(|node| module.kind(node)) {
        Some(Kind::Binding(binding)) => Some(binding),
        _ => None,
    };
    let mut parts = module.list(parts);
    Some(State { site: call.site, value: binding(parts.next()), setter: binding(parts.next()) })
}

fn effect(module: &Module, call: &Call<'_>) -> Option<EffectHook> {
    let Kind::Call { arguments, .. } = module.kind(call.site.1) else { return None };
    let arguments: Vec<NodeId> = module.list(arguments).collect();
    let Kind::Function(function) = module.kind(*arguments.first()?) else { return None };
    let dependencies = match arguments.get(1).map(|node| module.kind(*node)) {
        Some(Kind::Array(items)) => Some(module.list(items).collect()),
        Some(_) => Some(Vec::new()),
        None => None,
    };
    Some(EffectHook { site: call.site, function, dependencies })
}

/// The name of a function: its own, or that of the variable that holds it, also through `memo(…)` and `forwardRef(…)`.
fn name_of(module: &Module, function: FunctionId) -> Option<String> {
    let lowered = module.function(function)?;
    let own = module.str(lowered.name);
    if !own.is_empty() {
        return Some(own.to_owned());
    }
    let mut at = module.parent(lowered.node);
    while let Kind::Call { .. } = module.kind(at) {
        at = module.parent(at);
    }
    match module.kind(at) {
        Kind::Declarator { target, .. } => match module.kind(target) {
            Kind::Binding(binding) => module.binding(binding).map(|it| module.str(it.name).to_owned()),
            _ => None,
        },
        _ => None,
    }
}

/// Whether an expression is another value in each render of the function it stands in: a literal of an object, array or
/// function, or a name for one.
#[must_use]
pub fn is_made_anew(module: &Module, component: FunctionId, node: NodeId) -> bool {
    match module.kind(node) {
        Kind::Object(_) | Kind::Array(_) | Kind::Function(_) | Kind::New { .. } | Kind::Element { .. } => {
            true
        }
        // `sort ? [sort] : []`
        Kind::Conditional { then, otherwise, .. } => {
            is_literal(module, then) && is_literal(module, otherwise)
        }
        Kind::Name { binding, .. } => {
            let Some(declared) = module.binding(binding) else { return false };
            if module.enclosing_function(declared.node) != component {
                return declared.kind == BindingKind::Function && is_inner(module, declared.node, component);
            }
            match (declared.kind, module.kind(module.parent(declared.node))) {
                (BindingKind::Function, _) => true,
                (BindingKind::Constant | BindingKind::Variable, Kind::Declarator { init, target })
                    if target == declared.node =>
                {
                    is_literal(module, init)
                }
                // `({ items = [] })`
                (_, Kind::Default { value, target }) if target == declared.node => {
                    matches!(module.kind(value), Kind::Object(_) | Kind::Array(_))
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// A function declaration in the component's body.
fn is_inner(module: &Module, node: NodeId, component: FunctionId) -> bool {
    matches!(module.kind(node), Kind::Function(function)
        if module.function(function).is_some_and(|lowered| lowered.parent == component))
}

/// Methods that give a new array each time.
const COPIES: [&str; 9] =
    ["map", "filter", "slice", "concat", "flatMap", "toSorted", "toReversed", "keys", "entries"];

fn is_literal(module: &Module, init: NodeId) -> bool {
    match module.kind(init) {
        Kind::Object(_) | Kind::Array(_) | Kind::Function(_) => true,
        Kind::New { callee, .. } => {
            matches!(module.source(callee), "Date" | "Map" | "Set" | "URLSearchParams")
        }
        Kind::Binary { left, right, .. } => is_literal(module, right) && !is_literal(module, left),
        Kind::Conditional { then, otherwise, .. } => {
            is_literal(module, then) && is_literal(module, otherwise)
        }
        Kind::Call { callee, .. } => {
            matches!(module.kind(callee), Kind::Member { name, .. } if COPIES.contains(&module.str(name)))
        }
        _ => false,
    }
}

/// The call of a setter that a place makes in the flow of a function: `setX(…)`.
#[must_use]
pub fn setter_calls(
    analysis: &Analysis<'_>,
    file: FileId,
    function: FunctionId,
    setter: BindingId,
) -> Vec<Site> {
    let Some(module) = analysis.program().module(file) else { return Vec::new() };
    module
        .references(setter)
        .iter()
        .filter(|name| matches!(module.kind(module.parent(**name)), Kind::Call { callee, .. } if callee == **name))
        .filter(|name| is_in_flow(analysis, (file, module.enclosing_function(**name)), function))
        .map(|name| (file, module.parent(*name)))
        .collect()
}

/// Whether a function is `outer` or runs in its flow: called in it, or a callback that runs at once.
#[must_use]
pub fn is_in_flow(analysis: &Analysis<'_>, (file, mut inner): FunctionRef, outer: FunctionId) -> bool {
    for _ in 0..MAX_NESTING {
        if inner == outer {
            return true;
        }
        let next = analysis
            .graph()
            .callers((file, inner))
            .find(|edge| {
                edge.timing == Timing::InFlow && edge.caller.0 == file && edge.caller.1 != FunctionId::NONE
            })
            .map(|edge| edge.caller.1);
        let Some(next) = next else { return false };
        inner = next;
    }
    false
}

/// Deepest nesting of callbacks that is followed.
const MAX_NESTING: usize = 8;
