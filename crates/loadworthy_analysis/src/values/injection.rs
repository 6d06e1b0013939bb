//! Objects that a container hands out: by token, or by class.

use loadworthy_project::FileId;
use loadworthy_syntax::{FunctionId, Kind, List, Module, NodeId};

use super::{Resolver, Site, Value, Values, join, none, one};
use crate::handles::Folded;
use crate::providers::{Provided, injected_token, tokens};

/// Longest chain of tokens that stand for each other.
const MAX_ALIASES: usize = 4;

impl Resolver<'_> {
    /// What `container.resolve(token)` gives; nothing where it is no such call.
    pub(super) fn handed_out(&self, module: &Module, (file, callee): Site, arguments: List) -> Values {
        let Kind::Member { name, .. } = module.kind(callee) else { return none() };
        let asks = matches!(module.str(name), "get" | "resolve" | "getAsync" | "resolveAsync");
        let Some(token) = module.list(arguments).next().filter(|_| asks && self.program.injects()) else {
            return none();
        };
        let knowledge = self.program.knowledge();
        let values = self.value_of((file, callee));
        let tokens = tokens(self, (file, token));
        let are_classes = !tokens.is_empty() && tokens.iter().all(|token| matches!(token, Value::Class(..)));
        let is_container = self.folded(&values).iter().any(|folded| match folded {
            // An application of a library with containers hands out objects of classes, too.
            Folded::Member(held, _) => {
                knowledge.handle_name(held.handle) == "container"
                    || (are_classes && knowledge.has_containers(held.lib))
            }
            _ => false,
        });
        if is_container { self.of_tokens(&tokens) } else { none() }
    }

    /// What tokens stand for: what is bound to them; an object of the class where a token is one.
    pub(super) fn of_tokens(&self, tokens: &[Value]) -> Values {
        join(tokens.iter().map(|token| self.of_token(token, 0)))
    }

    fn of_token(&self, token: &Value, depth: usize) -> Values {
        let bound = self.bound(token, depth);
        match token {
            Value::Class(file, class) if bound.is_empty() => one(Value::Instance(*file, *class)),
            _ => bound,
        }
    }

    /// What is bound to a token.
    pub(super) fn bound(&self, token: &Value, depth: usize) -> Values {
        let Some(links) = self.links() else { return none() };
        join(links.provided(token).iter().map(|provided| match *provided {
            Provided::Class(site) => join(self.value_of(site).iter().map(|value| match value {
                Value::Class(file, class) => one(Value::Instance(*file, *class)),
                _ => none(),
            })),
            Provided::Value(site) => self.value_of(site),
            Provided::Factory(site) => join(self.value_of(site).iter().map(|value| match value {
                Value::Function(file, function) => self.result(*file, *function),
                _ => none(),
            })),
            Provided::Alias(site) if depth < MAX_ALIASES => {
                join(tokens(self, site).iter().map(|token| self.of_token(token, depth + 1)))
            }
            Provided::Alias(_) => none(),
        }))
    }

    /// `constructor({ users })`: a container may fill a constructor's parameter with what is bound to the names read from it.
    pub(super) fn injected_name(&self, file: FileId, function: FunctionId, name: &str) -> Values {
        let is_constructor = || {
            let module = self.module(file)?;
            Some(module.str(module.function(function)?.name) == "constructor")
        };
        if self.program.injects() && is_constructor() == Some(true) {
            self.bound(&Value::Text(name.into()), 0)
        } else {
            none()
        }
    }

    /// What the decorators of a field or parameter inject: `@Inject(TOKEN)`.
    pub(super) fn injected(&self, file: FileId, decorators: &[NodeId]) -> Values {
        let Some(module) = self.module(file) else { return none() };
        join(decorators.iter().map(|decorator| match injected_token(module, *decorator) {
            Some(token) => self.of_tokens(&tokens(self, (file, token))),
            None => none(),
        }))
    }

    /// What is injected for a parameter of a constructor.
    pub(super) fn injected_parameter(&self, file: FileId, function: FunctionId, index: usize) -> Values {
        let Some(module) = self.module(file) else { return none() };
        let Some(lowered) = module.function(function) else { return none() };
        let pattern = module.list(lowered.parameters).nth(index);
        match pattern.filter(|_| module.str(lowered.name) == "constructor") {
            Some(pattern) => self.injected(file, &parameter_decorators(module, pattern)),
            None => none(),
        }
    }
}

/// The decorators of a parameter.
pub(super) fn parameter_decorators(module: &Module, pattern: NodeId) -> Vec<NodeId> {
    let decorators = module.parameter_decorators().iter().filter(|it| it.parameter == pattern);
    decorators.flat_map(|it| it.decorators.iter().copied()).collect()
}
