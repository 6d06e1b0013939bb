//! What `new Proxy(target, handler)` stands for.

use loadworthy_project::FileId;
use loadworthy_syntax::{Kind, List, Module};

use super::{External, Resolver, Root, Value, Values, join, none};

impl Resolver<'_> {
    /// What a proxy stands for: its target; where that is an empty object, what its `get` reads the property of:
    /// `new Proxy({}, { get: (_, property) => connect()[property] })`.
    pub(super) fn behind_proxy(&self, module: &Module, file: FileId, arguments: List) -> Values {
        let mut arguments = module.list(arguments);
        let (Some(target), Some(handler)) = (arguments.next(), arguments.next()) else { return none() };
        let is_empty = matches!(module.kind(target), Kind::Object(parts) if parts.is_empty())
            || matches!(module.kind(target), Kind::Function(_));
        if !is_empty {
            return self.value_of((file, target));
        }
        let Kind::Object(parts) = module.kind(handler) else { return none() };
        let get = module.list(parts).find_map(|part| match module.kind(part) {
            Kind::Property { key, value } if module.str(key) == "get" => match module.kind(value) {
                Kind::Function(function) => module.function(function),
                _ => None,
            },
            _ => None,
        });
        let property = get.and_then(|get| match module.kind(module.list(get.parameters).nth(1)?) {
            Kind::Binding(property) => Some(property),
            _ => None,
        });
        let Some(property) = property else { return none() };
        join(module.references(property).iter().map(|name| {
            let parent = module.parent(*name);
            match module.kind(parent) {
                Kind::Index { object, index } if index == *name => self.value_of((file, object)),
                // `Reflect.get(client, property)`
                Kind::Call { callee, arguments } if module.source(callee) == "Reflect.get" => {
                    let first = module.list(arguments).next().filter(|first| first != name);
                    first.map_or_else(none, |first| self.value_of((file, first)))
                }
                _ => none(),
            }
        }))
    }
}

/// The language's own `Proxy`.
pub(super) fn is_proxy(class: &[Value]) -> bool {
    matches!(class, [Value::External(External { root: Root::Global(name), steps })] if &**name == "Proxy" && steps.is_empty())
}
