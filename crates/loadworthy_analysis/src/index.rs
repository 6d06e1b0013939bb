//! What is asked of a module again and again, found in one pass over its nodes.

use loadworthy_syntax::{BindingId, BindingKind, ClassId, FunctionId, Kind, List, Module, NodeId};
use rustc_hash::FxHashMap;

/// Values under names.
pub(crate) type Named = [(Box<str>, NodeId)];

/// Lookup tables of one module.
#[derive(Debug, Default)]
pub(crate) struct ModuleIndex {
    /// Values that a function may give back, in source order.
    returns: FxHashMap<FunctionId, Vec<NodeId>>,
    /// `this.name = value` by the class whose method holds it, and `Name.name = value` of a class of the module.
    fields: FxHashMap<ClassId, FxHashMap<Box<str>, Vec<NodeId>>>,
    /// `name.member = value` by the variable.
    members: FxHashMap<BindingId, FxHashMap<Box<str>, Vec<NodeId>>>,
    /// `name[key] = value` by the variable.
    entries: FxHashMap<BindingId, Vec<NodeId>>,
    /// `request.member = value`, `app.locals.member = value`: what later handlers find there.
    handed_on: Vec<(Box<str>, NodeId)>,
    /// Functions that make the context of each request: `{ context: async () => ({ db }) }`.
    contexts: Vec<FunctionId>,
    /// `app.decorate("name", value)`: what the application, its requests or its replies have under a name.
    decorated: Vec<(Box<str>, NodeId)>,
}

/// What parameters are called that one handler passes on to the next with the request.
const CARRIERS: [&str; 6] = ["req", "request", "ctx", "context", "res", "c"];

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
                Kind::Property { key, value } if module.str(key) == "context" && value.is_some() => {
                    if let Kind::Function(function) = module.kind(value) {
                        index.contexts.push(function);
                    }
                }
                Kind::Assign { operator: None, target, value } => index.assigned(module, id, (target, value)),
                Kind::Call { callee, arguments } => {
                    if let Some((key, value)) = set(module, callee, arguments) {
                        index.handed_on.push((key, value));
                    }
                    index.decorated.extend(decorated(module, callee, arguments));
                }
                _ => {}
            }
        }
        index
    }

    fn assigned(&mut self, module: &Module, id: NodeId, (target, value): (NodeId, NodeId)) {
        match module.kind(target) {
            Kind::Member { object, name } => match module.kind(object) {
                Kind::This => {
                    if let Some(class) = enclosing_class(module, id) {
                        let fields = self.fields.entry(class).or_default();
                        fields.entry(module.str(name).into()).or_default().push(value);
                    }
                }
                _ if is_carrier(module, object) || is_prototype(module, object) => {
                    self.handed_on.push((module.str(name).into(), value));
                }
                Kind::Name { binding, .. } => {
                    let kind = module.binding(binding).map(|declared| declared.kind);
                    if matches!(kind, Some(BindingKind::Constant | BindingKind::Variable)) {
                        let members = self.members.entry(binding).or_default();
                        members.entry(module.str(name).into()).or_default().push(value);
                    }
                    // `Server.instance = new Server()`
                    let declared = module.binding(binding).filter(|it| it.kind == BindingKind::Class);
                    if let Some(Kind::Class(class)) = declared.map(|it| module.kind(it.node)) {
                        let fields = self.fields.entry(class).or_default();
                        fields.entry(module.str(name).into()).or_default().push(value);
                    }
                }
                _ => {}
            },
            Kind::Index { object, .. } => {
                if let Kind::Name { binding, .. } = module.kind(object) {
                    self.entries.entry(binding).or_default().push(value);
                }
            }
            _ => {}
        }
    }

    /// What is assigned to a member of a variable.
    pub(crate) fn members(&self, variable: BindingId, name: &str) -> &[NodeId] {
        self.members.get(&variable).and_then(|members| members.get(name)).map_or(&[], Vec::as_slice)
    }

    /// What is assigned to members of a variable whose names are no constants.
    pub(crate) fn entries(&self, variable: BindingId) -> &[NodeId] {
        self.entries.get(&variable).map_or(&[], Vec::as_slice)
    }

    /// What handlers hand on to later ones, by the member that holds it.
    pub(crate) fn handed_on(&self) -> &Named {
        &self.handed_on
    }

    /// The functions that make the context of each request.
    pub(crate) fn contexts(&self) -> &[FunctionId] {
        &self.contexts
    }

    /// What applications are decorated with, by its name there.
    pub(crate) fn decorated(&self) -> &Named {
        &self.decorated
    }

    pub(crate) fn returns(&self, function: FunctionId) -> &[NodeId] {
        self.returns.get(&function).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn fields(&self, class: ClassId, name: &str) -> &[NodeId] {
        self.fields.get(&class).and_then(|fields| fields.get(name)).map_or(&[], Vec::as_slice)
    }
}

/// `context.set("key", value)`, `app.set("key", value)`.
fn set(module: &Module, callee: NodeId, arguments: List) -> Option<(Box<str>, NodeId)> {
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    let mut arguments = module.list(arguments);
    let (key, value) = (arguments.next()?, arguments.next()?);
    let Kind::String(key) = module.kind(key) else { return None };
    let is_set = module.str(name) == "set" && arguments.next().is_none() && is_registry(module, object);
    is_set.then(|| (module.str(key).into(), value))
}

/// `app.decorate("key", value)`, `app.decorateRequest("key", value)`.
fn decorated(module: &Module, callee: NodeId, arguments: List) -> Option<(Box<str>, NodeId)> {
    let Kind::Member { name, .. } = module.kind(callee) else { return None };
    let mut arguments = module.list(arguments);
    let (key, value) = (arguments.next()?, arguments.next()?);
    let Kind::String(key) = module.kind(key) else { return None };
    let decorates = matches!(module.str(name), "decorate" | "decorateRequest" | "decorateReply");
    decorates.then(|| (module.str(key).into(), value))
}

/// `context.get("key")`, `req.app.get("key")`: the key.
pub(crate) fn gotten(module: &Module, callee: NodeId, arguments: List) -> Option<&str> {
    let Kind::Member { object, name } = module.kind(callee) else { return None };
    let Kind::String(key) = module.kind(module.list(arguments).next()?) else { return None };
    let is_get = module.str(name) == "get" && arguments.len() == 1 && is_registry(module, object);
    is_get.then(|| module.str(key))
}

/// The application, or the context of a request.
fn is_registry(module: &Module, node: NodeId) -> bool {
    match module.kind(node) {
        Kind::Name { name, .. } if module.str(name) == "app" => true,
        Kind::Member { name, .. } => module.str(name) == "app",
        _ => is_carrier(module, node),
    }
}

/// Whether a node may hold what handlers hand on: a parameter of that custom, or `app.locals`.
pub(crate) fn is_carrier(module: &Module, node: NodeId) -> bool {
    match module.kind(node) {
        Kind::Name { binding, name } => {
            let declared = module.binding(binding);
            declared.is_some_and(|it| it.kind == BindingKind::Parameter)
                && CARRIERS.contains(&module.str(name))
        }
        Kind::Member { name, .. } => module.str(name) == "locals",
        _ => false,
    }
}

/// `app.context`: what every request's context has from the start.
fn is_prototype(module: &Module, node: NodeId) -> bool {
    let Kind::Member { object, name } = module.kind(node) else { return false };
    module.str(name) == "context" && matches!(module.kind(object), Kind::Name { .. })
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

/// Whether a node is in a static member of a class.
pub(crate) fn is_in_static(module: &Module, class: ClassId, node: NodeId) -> bool {
    let members = module.class(class).map(|class| class.members.iter()).into_iter().flatten();
    let mut around = members.filter(|member| member.value.is_some() && module.contains(member.value, node));
    around.next().is_some_and(|member| member.is_static)
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
