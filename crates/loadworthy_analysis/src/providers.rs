//! What a program binds to injection tokens: `{ provide: TOKEN, useClass: Users }`, `container.register("Users", …)`,
//! `container.bind(TOKEN).to(Users)`, `container.register({ users: asClass(Users) })`.

use loadworthy_knowledge::HandleId;
use loadworthy_project::FileId;
use loadworthy_syntax::{BindingId, Kind, Module, NodeId};
use rustc_hash::FxHashMap;

use crate::handles::Called;
use crate::values::{Resolver, Root, Site, Step, Value};

/// What stands behind a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Provided {
    /// An object of a class.
    Class(Site),
    /// The value itself.
    Value(Site),
    /// What a function gives back.
    Factory(Site),
    /// What another token stands for.
    Alias(Site),
}

/// Everything bound to tokens, in the order of files and places.
#[derive(Debug, Default)]
pub(crate) struct Providers {
    by_token: FxHashMap<Value, Vec<Provided>>,
}

impl Providers {
    pub(crate) fn add(&mut self, token: Value, provided: Provided) {
        self.by_token.entry(token).or_default().push(provided);
    }

    pub(crate) fn of(&self, token: &Value) -> &[Provided] {
        self.by_token.get(token).map_or(&[], Vec::as_slice)
    }
}

/// How a property's value is provided.
type Use = fn(Site) -> Provided;

/// The properties of a provider object that say what is provided.
const USES: [(&str, Use); 8] = [
    ("useClass", Provided::Class),
    ("useValue", Provided::Value),
    ("useFactory", Provided::Factory),
    ("useExisting", Provided::Alias),
    ("useToken", Provided::Alias),
    ("type", Provided::Class),
    ("value", Provided::Value),
    ("factory", Provided::Factory),
];

/// What the code of a file binds.
pub(crate) fn providers(resolver: &Resolver<'_>, file: FileId, module: &Module) -> Vec<(Value, Provided)> {
    let reader = Reader { resolver, file, module };
    let mut found = Vec::new();
    for node in module.node_ids() {
        if let Kind::Object(_) = module.kind(node)
            && let Some(token) = reader.property(node, "provide")
        {
            found.extend(reader.bound(token, reader.uses(node)));
        }
    }
    for call in module.calls() {
        found.extend(reader.of_call(*call));
    }
    found
}

struct Reader<'r, 'p> {
    resolver: &'r Resolver<'p>,
    file: FileId,
    module: &'r Module,
}

impl Reader<'_, '_> {
    fn property(&self, object: NodeId, name: &str) -> Option<NodeId> {
        let Kind::Object(parts) = self.module.kind(object) else { return None };
        self.module.list(parts).find_map(|part| match self.module.kind(part) {
            Kind::Property { key, value } if self.module.str(key) == name => value.ok(),
            _ => None,
        })
    }

    fn uses(&self, object: NodeId) -> Option<Provided> {
        USES.iter().find_map(|(name, use_as)| Some(use_as((self.file, self.property(object, name)?))))
    }

    fn bound(&self, token: NodeId, provided: Option<Provided>) -> Vec<(Value, Provided)> {
        let Some(provided) = provided else { return Vec::new() };
        let tokens = tokens(self.resolver, (self.file, token));
        tokens.into_iter().map(|token| (token, provided)).collect()
    }

    fn of_call(&self, call: NodeId) -> Vec<(Value, Provided)> {
        let Kind::Call { callee, arguments } = self.module.kind(call) else { return Vec::new() };
        let Kind::Member { name, .. } = self.module.kind(callee) else { return Vec::new() };
        let arguments: Vec<_> = self.module.list(arguments).collect();
        let name = self.module.str(name);
        let binds = matches!(
            name,
            "register"
                | "registerSingleton"
                | "registerInstance"
                | "registerType"
                | "set"
                | "to"
                | "toConstantValue"
                | "toDynamicValue"
                | "toService"
        );
        if !binds || arguments.is_empty() {
            return Vec::new();
        }
        let called = self.resolver.called_members((self.file, call)).into_iter();
        called.flat_map(|called| self.of_container(name, &called, &arguments)).collect()
    }

    fn of_container(&self, name: &str, called: &Called, arguments: &[NodeId]) -> Vec<(Value, Provided)> {
        let at = |node: NodeId| (self.file, node);
        match (self.handle_name(called.on.handle), name, arguments) {
            ("container", "register" | "set", [token, given, ..]) => {
                self.bound(*token, Some(self.given(*given)))
            }
            ("container", "register" | "set", [object]) => match self.property(*object, "id") {
                Some(token) => self.bound(token, self.uses(*object)),
                None => self.named(*object),
            },
            ("container", "registerSingleton" | "registerType", [token, class, ..]) => {
                self.bound(*token, Some(Provided::Class(at(*class))))
            }
            ("container", "registerInstance", [token, value, ..]) => {
                self.bound(*token, Some(Provided::Value(at(*value))))
            }
            ("binding", _, [given, ..]) => {
                let provided = match name {
                    "to" => Provided::Class(at(*given)),
                    "toConstantValue" => Provided::Value(at(*given)),
                    "toDynamicValue" => Provided::Factory(at(*given)),
                    _ => Provided::Alias(at(*given)),
                };
                let token = called.on.made_at.and_then(|made| self.resolver.argument(made, 0));
                let tokens = token.map(|token| tokens(self.resolver, token)).unwrap_or_default();
                tokens.into_iter().map(|token| (token, provided)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn handle_name(&self, handle: HandleId) -> &str {
        self.resolver.program().knowledge().handle_name(handle)
    }

    /// `{ useClass: X }`, `asClass(X)`, a class, or a value.
    fn given(&self, node: NodeId) -> Provided {
        if let Some(provided) = self.uses(node).or_else(|| self.wrapped(node)) {
            return provided;
        }
        let values = self.resolver.value_of((self.file, node));
        let is_class = values.iter().any(|value| matches!(value, Value::Class(..)));
        if is_class { Provided::Class((self.file, node)) } else { Provided::Value((self.file, node)) }
    }

    /// `asClass(X).singleton()`
    fn wrapped(&self, node: NodeId) -> Option<Provided> {
        let mut node = node;
        loop {
            let Kind::Call { callee, arguments } = self.module.kind(node) else { return None };
            match self.module.kind(callee) {
                Kind::Name { name, .. } => {
                    let given = self.module.list(arguments).next().map(|given| (self.file, given))?;
                    return match self.module.str(name) {
                        "asClass" => Some(Provided::Class(given)),
                        "asValue" => Some(Provided::Value(given)),
                        "asFunction" => Some(Provided::Factory(given)),
                        _ => None,
                    };
                }
                Kind::Member { object, .. } => node = object,
                _ => return None,
            }
        }
    }

    /// `{ users: asClass(Users) }`
    fn named(&self, object: NodeId) -> Vec<(Value, Provided)> {
        let Kind::Object(parts) = self.module.kind(object) else { return Vec::new() };
        let named = self.module.list(parts).filter_map(|part| match self.module.kind(part) {
            Kind::Property { key, value } if value.is_some() => {
                Some((Value::Text(self.module.str(key).into()), self.wrapped(value)?))
            }
            _ => None,
        });
        named.collect()
    }
}

/// The tokens that an expression may be: a text, a class, a symbol. Symbols of one key are one token.
pub(crate) fn tokens(resolver: &Resolver<'_>, site: Site) -> Vec<Value> {
    let values = resolver.value_of(site);
    let tokens = values.iter().filter(|value| {
        matches!(value, Value::Text(_) | Value::Class(..) | Value::Interface(..) | Value::External(_))
    });
    tokens.map(|token| shared_symbol(resolver, token).unwrap_or_else(|| token.clone())).collect()
}

/// `Symbol.for("users")`
fn shared_symbol(resolver: &Resolver<'_>, token: &Value) -> Option<Value> {
    let Value::External(external) = token else { return None };
    match (&external.root, &*external.steps) {
        (Root::Global(name), [Step::Get(method), Step::Call(call)])
            if &**name == "Symbol" && &**method == "for" =>
        {
            let key = resolver.text_of(resolver.argument(*call, 0)?)?;
            Some(Value::Text(format!("Symbol.for({key})").into()))
        }
        _ => None,
    }
}

/// The first argument of a decorator that names a token.
pub(crate) fn injected_token(module: &Module, decorator: NodeId) -> Option<NodeId> {
    let Kind::Call { callee, arguments } = module.kind(decorator) else { return None };
    let Kind::Name { name, binding } = module.kind(callee) else { return None };
    let is_inject = binding != BindingId::NONE && matches!(module.str(name), "Inject" | "inject");
    module.list(arguments).next().filter(|_| is_inject)
}
