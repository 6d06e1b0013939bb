//! Where components stand as elements, and what their properties are given there.

use loadworthy_syntax::{BindingId, BindingKind, FunctionId, Kind, Module, NodeId};

use crate::analysis::Analysis;
use crate::links::FunctionRef;
use crate::values::{Resolver, Site, Value};

/// Every element of a component; none of components that only share its name.
#[must_use]
pub fn elements_of(analysis: &Analysis<'_>, resolver: &Resolver<'_>, component: FunctionRef) -> Vec<Site> {
    let Some(module) = analysis.program().module(component.0) else { return Vec::new() };
    let Some(name) = crate::clients::component_name(module, component.1) else { return Vec::new() };
    let clients = analysis.clients();
    let named = clients.elements(&name).iter().chain(clients.renamed(component)).copied();
    named.filter(|site| component_at(analysis, resolver, *site) == Some(component)).collect()
}

/// The function of the program that an element renders.
#[must_use]
pub fn component_at(
    analysis: &Analysis<'_>,
    resolver: &Resolver<'_>,
    (file, element): Site,
) -> Option<FunctionRef> {
    let module = analysis.program().module(file)?;
    let Kind::Element { component, .. } = module.kind(element) else { return None };
    if !component.is_some() || matches!(module.kind(component), Kind::String(_)) {
        return None;
    }
    rendered(analysis, resolver, (file, component))
}

/// The function of the program that the name of a component stands for, also where it is loaded when it is first shown.
#[must_use]
pub fn rendered(
    analysis: &Analysis<'_>,
    resolver: &Resolver<'_>,
    (file, component): Site,
) -> Option<FunctionRef> {
    let values = resolver.value_of((file, component));
    if let Some(only) = only_function(&values) {
        return Some(only);
    }
    let module = analysis.program().module(file)?;
    let loader = loader(module, component)?;
    let result = resolver.result(file, loader);
    only_function(&result).or_else(|| only_function(&resolver.member(&result, "default")))
}

fn only_function(values: &[Value]) -> Option<FunctionRef> {
    let mut functions = values.iter().filter_map(|value| match value {
        Value::Function(file, function) => Some((*file, *function)),
        _ => None,
    });
    let only = functions.next()?;
    functions.next().is_none().then_some(only)
}

/// The function that loads a component when it is first shown: `lazy(() => import("./Row"))`, by whatever package.
#[must_use]
pub fn loader(module: &Module, component: NodeId) -> Option<FunctionId> {
    let Kind::Name { binding, .. } = module.kind(component) else { return None };
    let declared = module.binding(binding)?;
    let Kind::Declarator { init, .. } = module.kind(module.parent(declared.node)) else { return None };
    let Kind::Call { arguments, .. } = module.kind(init) else { return None };
    let Kind::Function(function) = module.kind(module.list(arguments).next()?) else { return None };
    let node = module.function(function)?.node;
    let imports = module.all_nodes(node).into_iter().any(|it| matches!(module.kind(it), Kind::Import(_)));
    imports.then_some(function)
}

/// What an element gives for a property.
#[must_use]
pub fn given(module: &Module, element: NodeId, property: &str) -> Option<NodeId> {
    let Kind::Element { parts, .. } = module.kind(element) else { return None };
    module.list(parts).find_map(|part| match module.kind(part) {
        Kind::Property { key, value } if module.str(key) == property && value.is_some() => Some(value),
        _ => None,
    })
}

/// The property of a component that a name stands for: `rows` of `({ rows })`, or of `const { rows } = props`.
#[must_use]
pub fn property_of(module: &Module, component: FunctionRef, binding: BindingId) -> Option<String> {
    let declared = module.binding(binding)?;
    let lowered = module.function(component.1)?;
    let first = module.list(lowered.parameters).next()?;
    let is_own = match declared.kind {
        BindingKind::Parameter => module.contains(first, declared.node) && declared.node != first,
        _ => module.ancestors(declared.node).take(6).any(|outer| {
            matches!(module.kind(outer), Kind::Declarator { init, .. } if is_parameter(module, init, first))
        }),
    };
    if !is_own {
        return None;
    }
    let pattern = module.ancestors(declared.node).take(3).find_map(|outer| match module.kind(outer) {
        Kind::Property { key, .. } => Some(module.str(key).to_owned()),
        Kind::Rest(_) => Some(String::new()),
        _ => None,
    })?;
    (!pattern.is_empty()).then_some(pattern)
}

/// `props` of `function List(props)`.
fn is_parameter(module: &Module, node: NodeId, parameter: NodeId) -> bool {
    let Kind::Name { binding, .. } = module.kind(node) else { return false };
    module.binding(binding).is_some_and(|declared| declared.node == parameter)
}

/// The names that a property of a component has in its code; none where it is read in a way that is not followed.
#[must_use]
pub fn bindings_of(module: &Module, component: FunctionRef, property: &str) -> Option<Vec<BindingId>> {
    let lowered = module.function(component.1)?;
    let first = module.list(lowered.parameters).next()?;
    let pattern = match module.kind(first) {
        Kind::Default { target, .. } => target,
        _ => first,
    };
    match module.kind(pattern) {
        Kind::ObjectPattern(parts) => {
            // The rest takes what is not named.
            bound(module, module.list(parts), property)
        }
        Kind::Binding(props) => {
            let mut found = Vec::new();
            for name in module.references(props) {
                match module.kind(module.parent(*name)) {
                    Kind::Member { object, name: member } if object == *name => {
                        // `props.rows` by itself stands for no name.
                        if module.str(member) == property {
                            return None;
                        }
                    }
                    Kind::Declarator { target, init } if init == *name => match module.kind(target) {
                        Kind::ObjectPattern(parts) => {
                            found.extend(bound(module, module.list(parts), property)?);
                        }
                        _ => return None,
                    },
                    _ => return None,
                }
            }
            Some(found)
        }
        _ => None,
    }
}

fn bound(module: &Module, parts: impl Iterator<Item = NodeId>, property: &str) -> Option<Vec<BindingId>> {
    let mut found = Vec::new();
    for part in parts {
        match module.kind(part) {
            Kind::Property { key, value } if module.str(key) == property => {
                let target = match module.kind(value) {
                    Kind::Default { target, .. } => target,
                    _ => value,
                };
                let Kind::Binding(binding) = module.kind(target) else { return None };
                found.push(binding);
            }
            Kind::Property { .. } => {}
            _ => return None,
        }
    }
    Some(found)
}

/// Deepest tree of components that is counted.
const MAX_TREE: usize = 4;
/// Elements beyond which a row or page is large whatever more it has.
const MAX_ELEMENTS: usize = 400;

/// The elements that one run of the code below a node makes: its own, and those of the program's components that it renders.
/// Those of branches that exclude each other are added, those of lists are counted once.
#[must_use]
pub fn elements_made(analysis: &Analysis<'_>, resolver: &Resolver<'_>, (file, node): Site) -> usize {
    made_below(analysis, resolver, (file, node), 0)
}

fn made_below(analysis: &Analysis<'_>, resolver: &Resolver<'_>, (file, node): Site, depth: usize) -> usize {
    let Some(module) = analysis.program().module(file) else { return 0 };
    let mut count = 0;
    for inside in module.all_nodes(node) {
        if count >= MAX_ELEMENTS || !matches!(module.kind(inside), Kind::Element { .. }) {
            continue;
        }
        count += 1;
        if depth >= MAX_TREE {
            continue;
        }
        let Some((other, function)) = component_at(analysis, resolver, (file, inside)) else { continue };
        let lowered = analysis.program().module(other).and_then(|module| module.function(function));
        let inner = lowered.filter(|lowered| other != file || !module.contains(lowered.node, node));
        count += inner.map_or(0, |lowered| made_below(analysis, resolver, (other, lowered.node), depth + 1));
    }
    count.min(MAX_ELEMENTS)
}
