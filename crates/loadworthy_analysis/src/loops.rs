//! Loops around a place in its function, and what they run over.

use loadworthy_syntax::{Binary, Kind, Module, NodeId};

use crate::values::Site;

/// Code that runs more than once for one run of what is around it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repeat {
    /// The loop statement, or the call that runs a callback for each element.
    pub at: Site,
    /// What it runs over; absent where the code does not say (`while (x)`).
    pub source: Option<Site>,
    /// Its form.
    pub form: LoopForm,
    /// Whether one round ends before the next begins.
    pub is_sequential: bool,
    /// Whether something limits how many rounds are under way at once.
    pub is_limited: bool,
}

/// Forms of loops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoopForm {
    /// `for (;;)`.
    For,
    /// `for … of`, `for await … of`.
    ForOf,
    /// `for … in`.
    ForIn,
    /// `while`, `do … while`.
    While,
    /// A callback that runs for each element.
    Callback,
    /// A function that calls itself.
    Recursion,
}

/// The loop statements around a node inside its function, innermost first.
#[must_use]
pub fn loops_around(module: &Module, (file, node): Site) -> Vec<Repeat> {
    let mut loops = Vec::new();
    let mut inner = node;
    for outer in module.ancestors(node) {
        if matches!(module.kind(outer), Kind::Function(_)) {
            break;
        }
        if let Some((form, source)) = repeats(module, outer, inner)
            && !ends_in_first_round(module, outer, inner)
        {
            loops.push(Repeat {
                at: (file, outer),
                source: source.map(|source| (file, source)),
                form,
                is_sequential: true,
                is_limited: false,
            });
        }
        inner = outer;
    }
    loops
}

/// The form and source of a loop statement that runs its child `inner` repeatedly.
fn repeats(module: &Module, node: NodeId, inner: NodeId) -> Option<(LoopForm, Option<NodeId>)> {
    match module.kind(node) {
        Kind::For(parts) => {
            let parts: Vec<NodeId> = module.list(parts).collect();
            let [init, test, update, body] = parts.as_slice() else { return None };
            let is_repeated = [*test, *update, *body].contains(&inner) && inner != *init;
            is_repeated.then(|| (LoopForm::For, counted(module, *test)))
        }
        Kind::ForOf { iterable, body, .. } | Kind::ForAwait { iterable, body, .. } if inner == body => {
            Some((LoopForm::ForOf, Some(iterable)))
        }
        Kind::ForIn { object, body, .. } if inner == body => Some((LoopForm::ForIn, Some(object))),
        Kind::While { test, body } | Kind::DoWhile { test, body } if inner == body || inner == test => {
            Some((LoopForm::While, counted(module, test)))
        }
        _ => None,
    }
}

/// `rows` of `i < rows.length`, or the bound itself.
fn counted(module: &Module, test: NodeId) -> Option<NodeId> {
    let Kind::Binary { operator, left, right } = module.kind(test) else {
        return emptied(module, test).or_else(|| counted_down(module, test));
    };
    let bound = match operator {
        Binary::Less | Binary::LessEqual | Binary::NotEqual => right,
        Binary::Greater | Binary::GreaterEqual => left,
        _ => return None,
    };
    match module.kind(bound) {
        Kind::Member { object, name } if matches!(module.str(name), "length" | "size") => Some(object),
        _ => Some(bound),
    }
}

/// `while (queue.length)`: what is taken from it was put there.
fn emptied(module: &Module, test: NodeId) -> Option<NodeId> {
    let Kind::Member { object, name } = module.kind(test) else { return None };
    let Kind::Name { binding, .. } = module.kind(object) else { return None };
    let declared = module.binding(binding).filter(|_| module.str(name) == "length")?;
    let Kind::Declarator { init, .. } = module.kind(module.parent(declared.node)) else { return None };
    // `const queue = [...rows]`
    let Kind::Array(items) = module.kind(init) else { return init.is_some().then_some(object) };
    let mut items = module.list(items);
    match (items.next().map(|item| module.kind(item)), items.next()) {
        (Some(Kind::Spread(list)), None) => Some(list),
        _ => None,
    }
}

/// `let i = rows.length; while (i--) …`
fn counted_down(module: &Module, test: NodeId) -> Option<NodeId> {
    let Kind::Update(counter) = module.kind(test) else { return None };
    let Kind::Name { binding, .. } = module.kind(counter) else { return None };
    let declared = module.binding(binding)?;
    let Kind::Declarator { init, .. } = module.kind(module.parent(declared.node)) else { return None };
    match module.kind(init) {
        Kind::Member { object, name } if module.str(name) == "length" => Some(object),
        _ => None,
    }
}

/// Whether the loop's body always leaves the loop: `for (…) { …; return x; }`.
fn ends_in_first_round(module: &Module, node: NodeId, inner: NodeId) -> bool {
    let body = match module.kind(node) {
        Kind::ForOf { body, .. }
        | Kind::ForAwait { body, .. }
        | Kind::ForIn { body, .. }
        | Kind::While { body, .. }
        | Kind::DoWhile { body, .. } => body,
        Kind::For(parts) => module.list(parts).last().unwrap_or(NodeId::NONE),
        _ => return false,
    };
    if inner != body {
        return false;
    }
    let Kind::Block(statements) = module.kind(body) else {
        return matches!(module.kind(body), Kind::Return(_));
    };
    let last = module.list(statements).last();
    let leaves =
        last.is_some_and(|last| matches!(module.kind(last), Kind::Return(_) | Kind::Throw(_) | Kind::Break));
    leaves && !has_continue(module, statements)
}

fn has_continue(module: &Module, statements: loadworthy_syntax::List) -> bool {
    let (Some(first), Some(last)) = (module.list(statements).next(), module.list(statements).last()) else {
        return false;
    };
    let (start, end) = (module.node(first).span.start, module.node(last).span.end);
    // Nodes are few in a loop that ends in its first round; a scan of the module's nodes is rare.
    module.node_ids().any(|id| {
        module.kind(id) == Kind::Continue
            && module.node(id).span.start >= start
            && module.node(id).span.end <= end
    })
}
