//! What becomes of a promise, and whether a failure at a place is caught.

use loadworthy_syntax::{Binary, BindingId, Kind, List, Module, NodeId, Unary};

/// What becomes of the promise that an expression gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handling {
    /// `await p`, `for await`.
    Awaited,
    /// Given back to the caller.
    Returned,
    /// An element of an array literal, or pushed onto a list.
    Collected,
    /// An argument of a call, a property of an object, an attribute.
    Passed,
    /// Put into a variable.
    Stored(BindingId),
    /// Put into a property or element.
    Kept,
    /// `p.catch(…)` or `p.then(a, b)` whose own promise nobody takes: failures end there.
    Caught,
    /// `void p`: said to be deliberate, its failure is still unhandled.
    Voided,
    /// Nobody waits for it and nobody catches its failure.
    Floating,
}

/// What becomes of the promise that `node` gives.
#[must_use]
pub fn handling(module: &Module, node: NodeId) -> Handling {
    follow(module, node, false)
}

fn follow(module: &Module, node: NodeId, is_caught: bool) -> Handling {
    let parent = module.parent(node);
    match module.kind(parent) {
        Kind::Await(_) | Kind::Yield(_) => Handling::Awaited,
        Kind::ForAwait { iterable, .. } if iterable == node => Handling::Awaited,
        Kind::Return(_) => Handling::Returned,
        Kind::Function(function) => {
            let is_body = module.function(function).is_some_and(|it| it.body == node);
            if is_body { Handling::Returned } else { Handling::Passed }
        }
        Kind::Member { object, name } if object == node => {
            chained(module, parent, module.str(name), is_caught)
        }
        Kind::Array(_) => Handling::Collected,
        Kind::Call { callee, arguments } | Kind::New { callee, arguments } if callee != node => {
            argument(module, callee, arguments)
        }
        Kind::Declarator { init, target } if init == node => match module.kind(target) {
            Kind::Binding(binding) => Handling::Stored(binding),
            _ => Handling::Kept,
        },
        Kind::Assign { target, value, .. } if value == node => match module.kind(target) {
            Kind::Name { binding, .. } if binding.is_some() => Handling::Stored(binding),
            _ => Handling::Kept,
        },
        Kind::Binary { operator: Binary::And | Binary::Or | Binary::Nullish, right, .. } if right == node => {
            follow(module, parent, is_caught)
        }
        Kind::Conditional { test, .. } if test != node => follow(module, parent, is_caught),
        Kind::Sequence(_) | Kind::Spread(_) => follow(module, parent, is_caught),
        Kind::Unary { operator: Unary::Void, .. } | Kind::Expression(_) if is_caught => Handling::Caught,
        Kind::Unary { operator: Unary::Void, .. } => Handling::Voided,
        Kind::Expression(_) => Handling::Floating,
        _ => Handling::Passed,
    }
}

/// `p.then(…)`, `p.catch(…)`: what becomes of the promise that it gives.
fn chained(module: &Module, member: NodeId, name: &str, is_caught: bool) -> Handling {
    let call = module.parent(member);
    let Kind::Call { callee, arguments } = module.kind(call) else { return Handling::Passed };
    if callee != member {
        return Handling::Passed;
    }
    match name {
        "catch" => follow(module, call, true),
        "then" => follow(module, call, is_caught || arguments.len() >= 2),
        // `finally`, or a method of a builder or wrapper: what it gives may be the promise.
        _ => follow(module, call, is_caught),
    }
}

fn argument(module: &Module, callee: NodeId, _arguments: List) -> Handling {
    match module.kind(callee) {
        Kind::Member { name, .. } if matches!(module.str(name), "push" | "unshift") => Handling::Collected,
        _ => Handling::Passed,
    }
}

/// Whether a failure at a node is caught in its own function: a `try` with a `catch` clause around it.
#[must_use]
pub fn is_in_try(module: &Module, node: NodeId) -> bool {
    let mut inner = node;
    for outer in module.ancestors(node) {
        match module.kind(outer) {
            Kind::Function(_) => return false,
            Kind::Try { block, handler, .. } if block == inner && handler.is_some() => return true,
            _ => {}
        }
        inner = outer;
    }
    false
}
