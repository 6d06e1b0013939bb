//! What is asked of a module again and again, found in one pass over its nodes.

use loadworthy_syntax::{ClassId, FunctionId, Kind, Module, NodeId};
use rustc_hash::FxHashMap;

/// Lookup tables of one module.
#[derive(Debug, Default)]
pub(crate) struct ModuleIndex {
    /// Values that a function may give back, in source order.
    returns: FxHashMap<FunctionId, Vec<NodeId>>,
    /// `this.name = value` by the class whose method holds it.
    fields: FxHashMap<ClassId, FxHashMap<Box<str>, Vec<NodeId>>>,
}

impl ModuleIndex {
    pub(crate) fn new(module: &Module) -> Self {
        let mut index = Self::default();
        for (id, function) in module.functions().iter().enumerate() {
            // A short arrow gives back its body.
            if function.body.is_some() && !matches!(module.kind(function.body), Kind::Block(_)) {
                index.returns.insert(FunctionId::new(id), vec![function.body]);
            }
        }
        for id in module.node_ids() {
            match module.kind(id) {
                Kind::Return(value) if value.is_some() => {
                    index.returns.entry(module.enclosing_function(id)).or_default().push(value);
                }
                Kind::Assign { operator: None, target, value } => {
                    if let Kind::Member { object, name } = module.kind(target)
                        && module.kind(object) == Kind::This
                        && let Some(class) = enclosing_class(module, id)
                    {
                        let fields = index.fields.entry(class).or_default();
                        fields.entry(module.str(name).into()).or_default().push(value);
                    }
                }
                _ => {}
            }
        }
        index
    }

    pub(crate) fn returns(&self, function: FunctionId) -> &[NodeId] {
        self.returns.get(&function).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn fields(&self, class: ClassId, name: &str) -> &[NodeId] {
        self.fields.get(&class).and_then(|fields| fields.get(name)).map_or(&[], Vec::as_slice)
    }
}

/// The class that `this` means at a node: arrows keep it, other functions have their own.
pub(crate) fn enclosing_class(module: &Module, id: NodeId) -> Option<ClassId> {
    let mut previous = id;
    for node in module.ancestors(id) {
        match module.kind(node) {
            Kind::Function(function) => {
                let function = module.function(function)?;
                if function.class.is_some() {
                    return Some(function.class);
                }
                if !function.is_arrow {
                    return None;
                }
            }
            // A field's initial value; the heritage and decorators see the outer `this`.
            Kind::Class(class) => {
                let is_field = module.class(class)?.members.iter().any(|member| member.value == previous);
                return is_field.then_some(class);
            }
            _ => {}
        }
        previous = node;
    }
    None
}

/// The object literal that `this` means at a node: that of the method around it.
pub(crate) fn enclosing_object(module: &Module, id: NodeId) -> Option<NodeId> {
    let method = module.ancestors(id).find(|node| match module.kind(*node) {
        Kind::Function(function) => module.function(function).is_some_and(|lowered| !lowered.is_arrow),
        _ => false,
    })?;
    let property = module.parent(method);
    let object = module.parent(property);
    match (module.kind(property), module.kind(object)) {
        (Kind::Property { value, .. }, Kind::Object(_)) if value == method => Some(object),
        _ => None,
    }
}
