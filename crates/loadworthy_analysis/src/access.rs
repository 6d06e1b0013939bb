//! What a function reads and writes, in source order, its own queries and those of the functions it calls.

use loadworthy_project::FileId;
use loadworthy_syntax::{BindingId, FunctionId, Kind, Module, NodeId};

use crate::analysis::Analysis;
use crate::links::FunctionRef;
use crate::query::{Operation, Query};
use crate::values::Site;

/// A query as a function sees it.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// The query.
    pub query: &'a Query,
    /// Where the function has it: the query itself, or the call that leads to it.
    pub at: Site,
    /// How many calls lie between.
    pub hops: usize,
}

impl Access<'_> {
    /// The whole expression in the function: of a builder the head with what is chained to it.
    #[must_use]
    pub fn expression(&self) -> Site {
        if self.hops == 0 && self.query.via.is_none() { self.query.whole } else { self.at }
    }
}

/// Deepest chain of calls that is looked into: controller → service → repository.
const MAX_HOPS: usize = 3;

/// Most queries of a callee that still make it a step of its caller rather than work of its own.
const MAX_QUERIES: usize = 2;

/// The accesses of a function, in source order; those of functions inside it that run in its flow included.
#[must_use]
pub fn accesses<'a>(analysis: &'a Analysis<'_>, function: FunctionRef) -> Vec<Access<'a>> {
    let mut found = collect(analysis, function, 0);
    found.sort_by_key(|access| (access.at.1, access.query.site));
    found
}

fn collect<'a>(analysis: &'a Analysis<'_>, (file, function): FunctionRef, hops: usize) -> Vec<Access<'a>> {
    let mut found = Vec::new();
    let Some(module) = analysis.program().module(file) else { return found };
    for call in analysis.calls().of_file(file) {
        if !is_in_flow(analysis, module, (file, call.function), function) {
            continue;
        }
        if let Some(query) = analysis.queries().at(call.site) {
            if query.site == call.site && !query.is_part {
                found.push(Access { query, at: call.site, hops });
            }
            continue;
        }
        let [target] = call.targets.as_slice() else { continue };
        if hops >= MAX_HOPS || *target == (file, function) {
            continue;
        }
        let inner = collect(analysis, *target, hops + 1);
        // Of work with many queries only the rows that it adds and removes are a step of its caller's.
        let is_step = inner.len() <= MAX_QUERIES;
        let steps = inner.into_iter().filter(|access| is_step || changes_count(access.query.operation));
        found.extend(steps.map(|access| {
            let told = analysis.queries().told_at(call.site, access.query);
            Access { query: told.unwrap_or(access.query), at: call.site, hops: access.hops }
        }));
    }
    found
}

/// Whether there are more or fewer rows afterwards.
fn changes_count(operation: Operation) -> bool {
    matches!(operation, Operation::Insert | Operation::Delete)
}

/// Whether a function is `outer`, or a callback inside it that runs in its flow.
fn is_in_flow(
    analysis: &Analysis<'_>,
    module: &Module,
    (file, mut inner): FunctionRef,
    outer: FunctionId,
) -> bool {
    while inner != outer {
        let Some(function) = module.function(inner) else { return false };
        let is_flow = analysis
            .graph()
            .callers((file, inner))
            .any(|edge| edge.timing == crate::graph::Timing::InFlow && edge.caller.0 == file);
        if !is_flow {
            return false;
        }
        inner = function.parent;
    }
    true
}

/// The variables that a value is put into, patterns included: `const [row] = await …`, `row = …`.
#[must_use]
pub fn results(module: &Module, call: NodeId) -> Vec<BindingId> {
    let mut at = call;
    let mut chained = Vec::new();
    // Of `const [user, codes] = await Promise.all([…])` the name at the same position.
    let mut position = None;
    let names = |target: NodeId, position: Option<usize>| match (module.kind(target), position) {
        (Kind::ArrayPattern(parts), Some(position)) => {
            module.list(parts).nth(position).map_or_else(Vec::new, |part| bindings_in(module, part))
        }
        _ => bindings_in(module, target),
    };
    for outer in module.ancestors(call) {
        match module.kind(outer) {
            Kind::Declarator { target, init } if init == at => {
                chained.extend(names(target, position));
                return chained;
            }
            Kind::Assign { target, value, .. } if value == at => {
                chained.extend(names(target, position));
                return chained;
            }
            Kind::Array(items) if position.is_none() => {
                position = module.list(items).position(|item| item == at);
                at = outer;
            }
            // `User.findOne(…).then((user) => …)`; what the callback gives may be kept as well.
            Kind::Call { callee, arguments } if callee == at && is_then(module, callee) => {
                let first = module.list(arguments).next().map(|node| module.kind(node));
                if let Some(Kind::Function(function)) = first {
                    let parameters = module.function(function).map(|it| it.parameters);
                    let parameter = parameters.and_then(|list| module.list(list).next());
                    chained.extend(parameter.map_or_else(Vec::new, |pattern| bindings_in(module, pattern)));
                }
                at = outer;
            }
            Kind::Await(_)
            | Kind::Member { .. }
            | Kind::Index { .. }
            | Kind::Call { .. }
            | Kind::Binary { .. } => at = outer,
            _ => return chained,
        }
    }
    chained
}

fn is_then(module: &Module, callee: NodeId) -> bool {
    matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name) == "then")
}

fn bindings_in(module: &Module, pattern: NodeId) -> Vec<BindingId> {
    match module.kind(pattern) {
        Kind::Binding(binding) => vec![binding],
        Kind::Name { binding, .. } if binding.is_some() => vec![binding],
        Kind::ObjectPattern(parts) | Kind::ArrayPattern(parts) => {
            module.list(parts).flat_map(|part| bindings_in(module, part)).collect()
        }
        Kind::Property { value, .. } => bindings_in(module, value),
        Kind::Default { target, .. } | Kind::Rest(target) => bindings_in(module, target),
        _ => Vec::new(),
    }
}

/// Longest chain of variables that are computed from one another.
const MAX_DERIVED: usize = 4;

/// The variables between two places of a function whose values are computed from the names, however: `const left = 5 -
/// codes.length`, `const match = await verify(code, hashes)`. What another query gives is not.
#[must_use]
pub fn derived(
    analysis: &Analysis<'_>,
    (file, module): (FileId, &Module),
    names: &[BindingId],
    (from, to): (NodeId, NodeId),
) -> Vec<BindingId> {
    let mut all = names.to_vec();
    let (start, end) = (module.node(from).span.end, module.node(to).span.end);
    let is_query = |node: NodeId| {
        let inside = analysis.calls().of_file(file).iter().filter(|call| module.contains(node, call.site.1));
        inside.into_iter().any(|call| analysis.queries().at(call.site).is_some())
    };
    for _ in 0..MAX_DERIVED {
        let mut more: Vec<BindingId> = Vec::new();
        for name in &all {
            for reference in module.references(*name) {
                let span = module.node(*reference).span;
                if span.start < start || span.end > end {
                    continue;
                }
                let Some((target, value)) =
                    module.ancestors(*reference).find_map(|outer| match module.kind(outer) {
                        Kind::Declarator { target, init } if module.contains(init, *reference) => {
                            Some((target, init))
                        }
                        _ => None,
                    })
                else {
                    continue;
                };
                if !matches!(module.kind(value), Kind::Function(_)) && !is_query(value) {
                    more.extend(bindings_in(module, target));
                }
            }
        }
        more.retain(|name| !all.contains(name));
        if more.is_empty() {
            break;
        }
        more.sort_unstable();
        more.dedup();
        all.extend(more);
    }
    all
}

/// Whether one of the names is used below a node.
#[must_use]
pub fn uses(module: &Module, node: NodeId, names: &[BindingId]) -> bool {
    names
        .iter()
        .any(|name| module.references(*name).iter().any(|reference| module.contains(node, *reference)))
}

/// A branch that what was read decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// The later place runs only in a branch of the test.
    Inside {
        /// The test.
        test: NodeId,
        /// Whether in the branch where it holds.
        where_true: bool,
    },
    /// The test's branch leaves the function: the later place runs where it did not hold.
    Guarded {
        /// The test.
        test: NodeId,
    },
}

impl Decision {
    /// The test.
    #[must_use]
    pub fn test(self) -> NodeId {
        match self {
            Self::Inside { test, .. } | Self::Guarded { test } => test,
        }
    }
}

/// The branch by one of the names, between `from` and `to`, that decides whether `to` runs.
#[must_use]
pub fn decision(module: &Module, names: &[BindingId], from: NodeId, to: NodeId) -> Option<Decision> {
    decision_by(module, &|test| uses(module, test, names) || module.contains(test, from), from, to)
}

/// As [`decision`], for the tests that `is_by` says.
#[must_use]
pub fn decision_by(
    module: &Module,
    is_by: &dyn Fn(NodeId) -> bool,
    from: NodeId,
    to: NodeId,
) -> Option<Decision> {
    let mut inner = to;
    for outer in module.ancestors(to) {
        match module.kind(outer) {
            Kind::If { test, then, otherwise } | Kind::Conditional { test, then, otherwise }
                if test != inner && is_by(test) =>
            {
                debug_assert!(then == inner || otherwise == inner || test == inner);
                return Some(Decision::Inside { test, where_true: then == inner });
            }
            Kind::Block(statements) => {
                let before = module.list(statements).take_while(|statement| *statement != inner);
                let after_read = before
                    .filter(|statement| module.node(*statement).span.end >= module.node(from).span.start);
                let guard = after_read.filter_map(|statement| guard(module, statement, is_by)).last();
                if guard.is_some() {
                    return guard;
                }
            }
            _ => {}
        }
        inner = outer;
    }
    None
}

/// `if (row) return …;`, `if (row) throw …;`, `while (row) …`, and a loop that is left where a test holds.
fn guard(module: &Module, statement: NodeId, is_by: &dyn Fn(NodeId) -> bool) -> Option<Decision> {
    let way_out = |body: NodeId| {
        module.all_nodes(body).into_iter().find_map(|node| {
            let Kind::If { test, then, .. } = module.kind(node) else { return None };
            let last = match module.kind(then) {
                Kind::Block(list) => module.list(list).last().unwrap_or(then),
                _ => then,
            };
            let breaks = matches!(module.kind(last), Kind::Break) && is_by(test);
            breaks.then_some(Decision::Inside { test, where_true: true })
        })
    };
    match module.kind(statement) {
        Kind::If { test, then, otherwise } => {
            let leaves = leaves(module, then) || otherwise.is_some() && leaves(module, otherwise);
            (leaves && is_by(test)).then_some(Decision::Guarded { test })
        }
        Kind::While { test, body } | Kind::DoWhile { test, body } => {
            let ends = is_by(test).then_some(Decision::Guarded { test });
            ends.or_else(|| way_out(body))
        }
        _ => None,
    }
}

/// Whether a branch always leaves the function.
pub(crate) fn leaves(module: &Module, branch: NodeId) -> bool {
    match module.kind(branch) {
        Kind::Return(_) | Kind::Throw(_) | Kind::Continue | Kind::Break => true,
        Kind::Block(list) => module.list(list).last().is_some_and(|last| leaves(module, last)),
        Kind::If { then, otherwise, .. } => {
            otherwise.is_some() && leaves(module, then) && leaves(module, otherwise)
        }
        _ => false,
    }
}
