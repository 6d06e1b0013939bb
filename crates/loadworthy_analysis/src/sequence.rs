//! Awaited reads that stand one after the other in a block, and which of them need an earlier one's result.

use loadworthy_knowledge::Effect;
use loadworthy_project::FileId;
use loadworthy_syntax::{BindingId, BindingKind, FunctionId, Kind, List, Module, NodeId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::analysis::Analysis;
use crate::calls::{Call, LibraryCall};
use crate::values::Site;
use crate::work::Work;

/// Awaited reads in a row of which some could run side by side.
#[derive(Clone, Debug)]
pub struct Waterfall {
    /// The file.
    pub file: FileId,
    /// The reads, in source order; at least two.
    pub steps: Vec<Step>,
}

/// One awaited read.
#[derive(Clone, Debug)]
pub struct Step {
    /// The statement.
    pub statement: NodeId,
    /// The `await`.
    pub awaiting: NodeId,
    /// The call that is awaited.
    pub call: NodeId,
    /// What it does in all.
    pub work: Work,
    /// How many rounds it must wait for at least, its own included: 1 where it needs no other step.
    pub round: usize,
}

impl Waterfall {
    /// Rounds that remain when everything independent runs side by side.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.steps.iter().map(|step| step.round).max().unwrap_or(0)
    }

    /// Rounds that it saves to run the independent steps side by side.
    #[must_use]
    pub fn saved(&self) -> usize {
        self.steps.len().saturating_sub(self.rounds())
    }
}

/// Every waterfall of a file.
#[must_use]
pub fn waterfalls(analysis: &Analysis<'_>, file: FileId) -> Vec<Waterfall> {
    let Some(module) = analysis.program().module(file) else { return Vec::new() };
    let reader = Reader { analysis, file, module };
    let mut found = Vec::new();
    for node in module.node_ids() {
        match module.kind(node) {
            Kind::Block(list) | Kind::Case { body: list, .. } => reader.block(list, &mut found),
            Kind::Call { callee, arguments } => found.extend(reader.awaited_elements(callee, arguments)),
            _ => {}
        }
    }
    found
}

struct Reader<'a, 'p> {
    analysis: &'a Analysis<'p>,
    file: FileId,
    module: &'a Module,
}

/// Steps that stand in a row, and the names that hold what they gave.
#[derive(Default)]
struct Row {
    steps: Vec<Step>,
    /// The round after which a name's value is there.
    rounds: FxHashMap<BindingId, usize>,
}

impl Reader<'_, '_> {
    fn block(&self, statements: List, found: &mut Vec<Waterfall>) {
        let mut row = Row::default();
        for statement in self.module.list(statements) {
            if let Some((awaiting, call, work)) = self.read(statement) {
                let round = 1 + self.needed(statement, &row);
                row.steps.push(Step { statement, awaiting, call, work, round });
                self.bind(statement, round, &mut row);
            } else if self.is_plain(statement) {
                let round = self.needed(statement, &row);
                self.bind(statement, round, &mut row);
            } else {
                self.finish(&mut row, found);
            }
        }
        self.finish(&mut row, found);
    }

    fn finish(&self, row: &mut Row, found: &mut Vec<Waterfall>) {
        let steps = std::mem::take(row).steps;
        let waterfall = Waterfall { file: self.file, steps };
        if waterfall.saved() > 0 {
            found.push(waterfall);
        }
    }

    /// `Promise.all([await a(), await b()])`: the elements wait for each other.
    fn awaited_elements(&self, callee: NodeId, arguments: List) -> Option<Waterfall> {
        let Kind::Member { object, name } = self.module.kind(callee) else { return None };
        let is_all =
            matches!(self.module.str(name), "all" | "allSettled") && self.module.source(object) == "Promise";
        let first = self.module.list(arguments).next().filter(|_| is_all)?;
        let Kind::Array(items) = self.module.kind(first) else { return None };
        let mut steps = Vec::new();
        for item in self.module.list(items) {
            let Kind::Await(call) = self.module.kind(item) else { continue };
            let known = self.analysis.calls().at((self.file, call))?;
            let work = self.analysis.works().of_call(known);
            if work.waits() {
                steps.push(Step { statement: callee, awaiting: item, call, work, round: 1 });
            }
        }
        (steps.len() > 1).then_some(Waterfall { file: self.file, steps })
    }

    /// The one awaited read of a statement that keeps its result; `None` for anything else.
    fn read(&self, statement: NodeId) -> Option<(NodeId, NodeId, Work)> {
        let value = match self.module.kind(statement) {
            Kind::Variables(list) if list.len() == 1 => {
                match self.module.kind(self.module.list(list).next()?) {
                    Kind::Declarator { init, .. } => init,
                    _ => return None,
                }
            }
            Kind::Expression(expression) => match self.module.kind(expression) {
                Kind::Assign { operator: None, target, value } if self.is_local(target) => value,
                _ => return None,
            },
            _ => return None,
        };
        let awaits = self.awaits_in(value);
        let [awaiting] = awaits.as_slice() else { return None };
        if !self.is_always_awaited(value, *awaiting) {
            return None;
        }
        let Kind::Await(awaited) = self.module.kind(*awaiting) else { return None };
        let call = self.call_in(awaited)?;
        let work = self.works_below(value);
        (work.waits() && !work.changes() && !self.is_serial(call)).then_some((*awaiting, awaited, work))
    }

    /// A local variable, or a pattern of them.
    fn is_local(&self, target: NodeId) -> bool {
        matches!(self.module.kind(target), Kind::Name { binding, .. } if binding.is_some())
    }

    /// The `await`s of an expression, those of inner functions aside.
    fn awaits_in(&self, expression: NodeId) -> Vec<NodeId> {
        self.below(expression)
            .into_iter()
            .filter(|node| matches!(self.module.kind(*node), Kind::Await(_)))
            .collect()
    }

    /// Not behind `a ? … : …` or `a && …`: whether it runs may hang on what came before.
    fn is_always_awaited(&self, top: NodeId, awaiting: NodeId) -> bool {
        let mut inner = awaiting;
        for outer in std::iter::once(awaiting).chain(self.module.ancestors(awaiting)) {
            match self.module.kind(outer) {
                Kind::Conditional { test, .. } if test != inner => return false,
                Kind::Binary { operator, right, .. } if right == inner && is_short_circuit(operator) => {
                    return false;
                }
                _ => {}
            }
            if outer == top {
                return true;
            }
            inner = outer;
        }
        true
    }

    /// The nodes of an expression in source order, those of inner functions aside.
    fn below(&self, expression: NodeId) -> Vec<NodeId> {
        let span = self.module.node(expression).span;
        let mut nodes = Vec::new();
        // Nodes are numbered outer before inner: those of the expression follow it.
        for at in expression.index()..usize::MAX {
            let node = NodeId::new(at);
            let lowered = self.module.node(node);
            if lowered.span.start < span.start || lowered.span.end > span.end || !lowered.parent.is_some() {
                break;
            }
            if self.owner(node) == self.owner(expression) {
                nodes.push(node);
            }
        }
        nodes
    }

    fn owner(&self, node: NodeId) -> FunctionId {
        self.module.enclosing_function(node)
    }

    /// The call that an awaited expression is: `x()`, `x().then(…)`, `x().lean()`.
    fn call_in(&self, awaited: NodeId) -> Option<&Call<'_>> {
        self.analysis.calls().at((self.file, awaited))
    }

    /// What the calls of an expression do in all.
    fn works_below(&self, expression: NodeId) -> Work {
        let calls =
            self.below(expression).into_iter().filter_map(|node| self.analysis.calls().at((self.file, node)));
        calls.map(|call| self.analysis.works().of_call(call)).fold(Work::default(), Work::and)
    }

    /// A declaration that waits for nothing and changes nothing.
    fn is_plain(&self, statement: NodeId) -> bool {
        let is_declaration = match self.module.kind(statement) {
            Kind::Variables(_) | Kind::Empty => true,
            // `user.teams = rows`
            Kind::Expression(expression) => match self.module.kind(expression) {
                Kind::Assign { target, .. } => {
                    self.leftmost(target).is_some_and(|binding| self.is_own(binding))
                }
                _ => false,
            },
            _ => false,
        };
        is_declaration && self.awaits_in(statement).is_empty() && !self.works_below(statement).changes()
    }

    /// The latest round that a statement needs the result of.
    fn needed(&self, statement: NodeId, row: &Row) -> usize {
        let is_inside = |node: NodeId| self.module.contains(statement, node);
        let used = row
            .rounds
            .iter()
            .filter(|(binding, _)| self.module.references(**binding).iter().any(|name| is_inside(*name)));
        used.map(|(_, round)| *round).max().unwrap_or(0)
    }

    /// The names that a statement fills.
    fn bind(&self, statement: NodeId, round: usize, row: &mut Row) {
        for node in self.below(statement) {
            let filled = match self.module.kind(node) {
                Kind::Binding(binding) => Some(binding),
                Kind::Assign { target, .. } => self.leftmost(target),
                _ => None,
            };
            if let Some(binding) = filled {
                let known = row.rounds.entry(binding).or_default();
                *known = round.max(*known);
            }
        }
    }

    /// Whether calls like it wait for each other anyway: on one connection, in one transaction.
    fn is_serial(&self, call: &Call<'_>) -> bool {
        let mut names: FxHashSet<BindingId> = FxHashSet::default();
        let (_, node) = call.site;
        if let Kind::Call { callee, arguments } = self.module.kind(node) {
            names.extend(self.leftmost(callee));
            names.extend(self.module.list(arguments).filter_map(|argument| self.leftmost(argument)));
        }
        names.into_iter().any(|binding| self.is_connection(binding))
    }

    /// A variable of the function, not something it was given or shares.
    fn is_own(&self, binding: BindingId) -> bool {
        self.module.binding(binding).is_some_and(|declared| {
            matches!(declared.kind, BindingKind::Variable | BindingKind::Constant)
                && self.owner(declared.node) != FunctionId::NONE
        })
    }

    /// `tx` of `tx.user.findMany()`.
    fn leftmost(&self, node: NodeId) -> Option<BindingId> {
        match self.module.kind(node) {
            Kind::Name { binding, .. } => binding.ok(),
            Kind::Member { object, .. } | Kind::Index { object, .. } => self.leftmost(object),
            Kind::Call { callee, .. } => self.leftmost(callee),
            _ => None,
        }
    }

    /// A parameter of a transaction's callback, or an acquired connection.
    fn is_connection(&self, binding: BindingId) -> bool {
        let Some(declared) = self.module.binding(binding) else { return false };
        let parent = self.module.parent(declared.node);
        if declared.kind == BindingKind::Parameter {
            let Kind::Function(function) = self.module.kind(parent) else { return false };
            let passed = self.analysis.program().links().passed_sites(self.file, function);
            return passed.iter().any(|passed| self.has_effect(passed.call, &[Effect::DbTransaction]))
                || is_transaction_name(self.module.str(declared.name));
        }
        let Kind::Declarator { init, .. } = self.module.kind(parent) else { return false };
        let made_by = match self.module.kind(init) {
            Kind::Await(call) => call,
            _ => init,
        };
        self.has_effect((self.file, made_by), &[Effect::DbAcquire, Effect::DbTransaction])
    }

    fn has_effect(&self, site: Site, wanted: &[Effect]) -> bool {
        let call = self.analysis.calls().at(site);
        call.and_then(|call| call.library.as_ref())
            .and_then(LibraryCall::effect)
            .is_some_and(|effect| wanted.contains(&effect))
    }
}

/// Parameters that by convention carry a transaction or one connection.
fn is_transaction_name(name: &str) -> bool {
    matches!(
        name,
        "tx" | "trx" | "transaction" | "client" | "conn" | "connection" | "manager" | "session" | "t"
    )
}

fn is_short_circuit(operator: loadworthy_syntax::Binary) -> bool {
    use loadworthy_syntax::Binary;
    matches!(operator, Binary::And | Binary::Or | Binary::Nullish)
}
