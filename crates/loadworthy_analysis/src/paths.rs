//! Whether something is done on every way through a function: a connection released, a request answered.
//!
//! A duty begins at the function's entry or at a node (the acquisition) and is discharged by others (the release). The
//! walk follows branches, loops, `switch`, early returns, `throw`, failures of awaited work, `catch` and `finally`, and
//! tells the ways out on which the duty is still open. Functions inside are not entered: what a call does for the duty,
//! through callees and callbacks alike, is for the [`Duty`] to say.
//!
//! Conditions are taken as independent, except where the duty knows better ([`Duty::assume`]). Labels are not kept by the
//! tree: `break` leaves the innermost loop or `switch`.

use loadworthy_syntax::{Binary, FunctionId, Kind, List, Module, NodeId, Unary};

/// What has to be done on every way.
pub trait Duty {
    /// What a node does for it, once its parts have been evaluated.
    fn act(&self, node: NodeId) -> Act;

    /// Whether control may leave at a node by a failure. Awaited work may, unless said otherwise.
    fn may_fail(&self, module: &Module, node: NodeId) -> bool {
        matches!(module.kind(node), Kind::Await(_) | Kind::ForAwait { .. })
    }

    /// What is known where a condition (no negation, conjunction or disjunction) holds or does not.
    fn assume(&self, _test: NodeId, _holds: bool) -> Assumption {
        Assumption::Nothing
    }
}

/// What a node does for a duty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// Nothing.
    Nothing,
    /// From here on it has to be done.
    Begins,
    /// It is done, or somebody else has taken it over.
    Discharges,
    /// Control does not go on: the process ends.
    NeverReturns,
}

/// What a condition tells about a duty that has begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Assumption {
    /// Nothing.
    Nothing,
    /// It is done already (`if (res.headersSent)`).
    Discharged,
    /// It can't be so (`if (client)` does not hold once there is a client).
    Impossible,
}

/// How control leaves a function.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ExitKind {
    /// Past the last statement.
    End,
    /// `return`.
    Return,
    /// `throw`.
    Throw,
    /// Something failed that nothing catches.
    Failure,
}

/// A way out on which the duty is open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exit {
    /// How.
    pub kind: ExitKind,
    /// The statement, the failing node, or the function's body for its end.
    pub node: NodeId,
    /// The branches last entered on the ways that lead here: a `catch` clause, a branch of an `if` (the `if` itself where
    /// it has no such branch), a `case`, a loop; the function's body or the node where the duty began if none was.
    pub via: Vec<NodeId>,
}

/// What the walk found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ways {
    /// Ways out on which the duty is open, in the order of their places.
    pub open: Vec<Exit>,
    /// Discharged again: the node, and those that may have done so before on the same way.
    pub again: Vec<(NodeId, Vec<NodeId>)>,
    /// Nodes that discharge it on some way.
    pub discharged_by: Vec<NodeId>,
}

/// When a duty begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begin {
    /// At the function's entry.
    AtEntry,
    /// At nodes that say so.
    AtAct,
}

/// Walks the ways through a function.
#[must_use]
pub fn ways(module: &Module, function: FunctionId, begin: Begin, duty: &dyn Duty) -> Ways {
    let Some(lowered) = module.function(function) else { return Ways::default() };
    let body = lowered.body;
    let entry = match begin {
        Begin::AtEntry => State { open: vec![body], ..State::default() },
        Begin::AtAct => State { idle: true, ..State::default() },
    };
    let mut walk = Walk { module, duty, leavings: Vec::new(), ways: Ways::default(), depth: 0 };
    if let Kind::Block(_) = module.kind(body) {
        let end = walk.statement(body, entry);
        walk.leave(Leave::Out(ExitKind::End), body, end);
    } else {
        let end = walk.expression(body, entry);
        walk.leave(Leave::Out(ExitKind::Return), body, end);
    }
    walk.finish()
}

/// Where a duty stands on the ways that lead to a point. None of them: no way leads there.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct State {
    /// On some way it has not begun.
    idle: bool,
    /// On some ways it is open: the branches last entered on them.
    open: Vec<NodeId>,
    /// On some ways it is done: by these nodes.
    done: Vec<NodeId>,
}

impl State {
    fn is_dead(&self) -> bool {
        !self.idle && self.open.is_empty() && self.done.is_empty()
    }

    fn join(mut self, other: Self) -> Self {
        self.idle |= other.idle;
        if self.open.is_empty() {
            self.open = other.open;
        } else {
            unite(&mut self.open, &other.open);
        }
        if self.done.is_empty() {
            self.done = other.done;
        } else {
            unite(&mut self.done, &other.done);
        }
        self
    }

    /// On the ways through a branch.
    fn through(mut self, branch: NodeId) -> Self {
        if !self.open.is_empty() {
            self.open = vec![branch];
        }
        self
    }
}

/// Most branches or nodes that are told apart.
const MOST_KEPT: usize = 8;

fn unite(all: &mut Vec<NodeId>, more: &[NodeId]) {
    for node in more {
        if all.len() < MOST_KEPT && !all.contains(node) {
            all.push(*node);
        }
    }
}

/// How control leaves a construct.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Leave {
    Break,
    Continue,
    Out(ExitKind),
}

struct Leaving {
    how: Leave,
    node: NodeId,
    state: State,
}

struct Walk<'w> {
    module: &'w Module,
    duty: &'w dyn Duty,
    leavings: Vec<Leaving>,
    ways: Ways,
    depth: usize,
}

/// Deepest nesting that is followed; what is deeper is taken to do nothing.
const MAX_DEPTH: usize = 400;

/// Rounds of a loop that are walked: the first, and one that sees what the first did.
const LOOP_ROUNDS: usize = 2;

/// The parts of a loop.
struct Loop {
    node: NodeId,
    test: NodeId,
    update: NodeId,
    body: NodeId,
    /// The body runs before the first test.
    runs_first: bool,
}

impl Walk<'_> {
    fn finish(mut self) -> Ways {
        let mut open: Vec<Exit> = Vec::new();
        for leaving in self.leavings {
            let Leave::Out(kind) = leaving.how else { continue };
            if leaving.state.open.is_empty() {
                continue;
            }
            open.push(Exit { kind, node: leaving.node, via: leaving.state.open });
        }
        open.sort_by_key(|exit| (self.module.node(exit.node).span.start, exit.kind, exit.node));
        self.ways.open = open;
        self.ways.again.sort_by_key(|(node, _)| *node);
        self.ways.discharged_by.sort_unstable();
        self.ways
    }

    fn leave(&mut self, how: Leave, node: NodeId, state: State) {
        if state.is_dead() {
            return;
        }
        let known = self.leavings.iter_mut().find(|known| known.how == how && known.node == node);
        match known {
            Some(known) => known.state = std::mem::take(&mut known.state).join(state),
            None => self.leavings.push(Leaving { how, node, state }),
        }
    }

    /// Takes the leavings that `is_taken` and joins their states.
    fn take(&mut self, is_taken: impl Fn(Leave) -> bool) -> State {
        let (taken, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.leavings).into_iter().partition(|leaving| is_taken(leaving.how));
        self.leavings = rest;
        taken.into_iter().fold(State::default(), |all, leaving| all.join(leaving.state))
    }

    fn statements(&mut self, list: List, mut state: State) -> State {
        for node in self.module.list(list) {
            if state.is_dead() {
                break;
            }
            state = self.statement(node, state);
        }
        state
    }

    fn statement(&mut self, node: NodeId, state: State) -> State {
        if self.depth >= MAX_DEPTH || state.is_dead() {
            return state;
        }
        self.depth += 1;
        let after = self.statement_of(node, state);
        self.depth -= 1;
        after
    }

    fn statement_of(&mut self, node: NodeId, state: State) -> State {
        match self.module.kind(node) {
            Kind::Block(list) => self.statements(list, state),
            Kind::If { test, then, otherwise } => self.branch(node, test, then, otherwise, state),
            Kind::Return(value) => {
                let state = self.optional(value, state);
                self.leave(Leave::Out(ExitKind::Return), node, state);
                State::default()
            }
            Kind::Throw(value) => {
                let state = self.optional(value, state);
                self.leave(Leave::Out(ExitKind::Throw), node, state);
                State::default()
            }
            Kind::Break => {
                self.leave(Leave::Break, node, state);
                State::default()
            }
            Kind::Continue => {
                self.leave(Leave::Continue, node, state);
                State::default()
            }
            Kind::For(parts) => self.for_statement(node, parts, state),
            Kind::While { test, body } => {
                self.repeated(&Loop { node, test, update: NodeId::NONE, body, runs_first: false }, state)
            }
            Kind::DoWhile { test, body } => {
                self.repeated(&Loop { node, test, update: NodeId::NONE, body, runs_first: true }, state)
            }
            Kind::ForIn { object: over, body, .. } | Kind::ForOf { iterable: over, body, .. } => {
                let state = self.optional(over, state);
                self.over_elements(node, body, state)
            }
            Kind::ForAwait { iterable, body, .. } => {
                let state = self.optional(iterable, state);
                if self.duty.may_fail(self.module, node) {
                    self.leave(Leave::Out(ExitKind::Failure), node, state.clone());
                }
                self.over_elements(node, body, state)
            }
            Kind::Switch { subject, cases } => self.switch(node, subject, cases, state),
            Kind::Try { block, handler, finalizer } => self.attempt(block, handler, finalizer, state),
            Kind::Expression(value) => self.expression(value, state),
            Kind::Function(_) | Kind::Class(_) | Kind::Empty => state,
            _ => self.expression(node, state),
        }
    }

    fn branch(&mut self, node: NodeId, test: NodeId, then: NodeId, otherwise: NodeId, state: State) -> State {
        let state = self.expression(test, state);
        let before = state.clone();
        let second = otherwise.ok().unwrap_or(node);
        let holds = self.assume(test, true, state.clone()).through(then);
        let fails = self.assume(test, false, state).through(second);
        let holds = self.statement(then, holds);
        let fails = if otherwise.is_some() { self.statement(otherwise, fails) } else { fails };
        let is_unchanged = holds.open == [then]
            && fails.open == [second]
            && holds.done == before.done
            && fails.done == before.done;
        if is_unchanged { before } else { holds.join(fails) }
    }

    /// What is known where a test holds or does not.
    fn assume(&self, test: NodeId, holds: bool, state: State) -> State {
        match self.module.kind(test) {
            Kind::Unary { operator: Unary::Not, value } => self.assume(value, !holds, state),
            Kind::Binary { operator: Binary::And, left, right } if holds => {
                let state = self.assume(left, true, state);
                self.assume(right, true, state)
            }
            Kind::Binary { operator: Binary::Or, left, right } if !holds => {
                let state = self.assume(left, false, state);
                self.assume(right, false, state)
            }
            Kind::Bool(flag) if flag != holds => State::default(),
            _ => match self.duty.assume(test, holds) {
                Assumption::Nothing => state,
                Assumption::Impossible => State { idle: state.idle, ..State::default() },
                Assumption::Discharged if state.open.is_empty() => state,
                Assumption::Discharged => {
                    let mut done = state.done;
                    unite(&mut done, &[test]);
                    State { idle: state.idle, open: Vec::new(), done }
                }
            },
        }
    }

    fn for_statement(&mut self, node: NodeId, parts: List, state: State) -> State {
        let parts: Vec<NodeId> = self.module.list(parts).collect();
        let [init, test, update, body] = parts.as_slice() else { return state };
        let state = self.statement(*init, state);
        self.repeated(&Loop { node, test: *test, update: *update, body: *body, runs_first: false }, state)
    }

    fn repeated(&mut self, it: &Loop, state: State) -> State {
        let outer = std::mem::take(&mut self.leavings);
        let is_endless = matches!(self.module.kind(it.test), Kind::Hole | Kind::Bool(true));
        let mut head = if it.runs_first { State::default() } else { state.clone() };
        let mut first = if it.runs_first { state } else { State::default() };
        let mut after = State::default();
        for _ in 0..LOOP_ROUNDS {
            let tested = self.optional(it.test, head.clone());
            let holds = self.assume(it.test, true, tested.clone()).join(std::mem::take(&mut first));
            if !is_endless {
                after = after.join(self.assume(it.test, false, tested).through(it.node));
            }
            let round = self.statement(it.body, holds.through(it.body));
            let round = round.join(self.take(|how| how == Leave::Continue));
            head = head.join(self.optional(it.update, round));
        }
        if !is_endless {
            let tested = self.optional(it.test, head);
            after = after.join(self.assume(it.test, false, tested).through(it.node));
        }
        after = after.join(self.take(|how| how == Leave::Break));
        self.restore(outer);
        after
    }

    fn over_elements(&mut self, node: NodeId, body: NodeId, state: State) -> State {
        let outer = std::mem::take(&mut self.leavings);
        let before = state.clone();
        let mut head = state.through(node);
        for _ in 0..LOOP_ROUNDS {
            let round = self.statement(body, head.clone().through(body));
            let round = round.join(self.take(|how| how == Leave::Continue));
            head = head.join(round);
        }
        let after = head.join(self.take(|how| how == Leave::Break));
        self.restore(outer);
        let is_unchanged = after.done == before.done
            && !before.open.is_empty()
            && after.open.iter().all(|via| [node, body].contains(via));
        if is_unchanged { before } else { after }
    }

    fn restore(&mut self, outer: Vec<Leaving>) {
        let inner = std::mem::replace(&mut self.leavings, outer);
        for leaving in inner {
            self.leave(leaving.how, leaving.node, leaving.state);
        }
    }

    fn switch(&mut self, node: NodeId, subject: NodeId, cases: List, state: State) -> State {
        let outer = std::mem::take(&mut self.leavings);
        let state = self.expression(subject, state);
        let mut has_default = false;
        let mut falling = State::default();
        for case in self.module.list(cases) {
            let Kind::Case { test, body } = self.module.kind(case) else { continue };
            has_default |= !test.is_some();
            let tested = self.optional(test, state.clone());
            falling = self.statements(body, tested.through(case).join(falling));
        }
        let mut after = falling.join(self.take(|how| how == Leave::Break));
        if !has_default {
            after = after.join(state.through(node));
        }
        self.restore(outer);
        after
    }

    fn attempt(&mut self, block: NodeId, handler: NodeId, finalizer: NodeId, state: State) -> State {
        let outer = std::mem::take(&mut self.leavings);
        let mut after = self.statement(block, state);
        if let Kind::Catch { body, .. } = self.module.kind(handler) {
            let failed = self.take(|how| matches!(how, Leave::Out(ExitKind::Throw | ExitKind::Failure)));
            let caught = self.statement(body, failed.through(handler));
            after = after.join(caught);
        }
        if finalizer.is_some() {
            let leavings = std::mem::take(&mut self.leavings);
            after = self.statement(finalizer, after);
            for leaving in leavings {
                let state = self.statement(finalizer, leaving.state);
                self.leave(leaving.how, leaving.node, state);
            }
        }
        self.restore(outer);
        after
    }

    fn optional(&mut self, node: NodeId, state: State) -> State {
        if node.is_some() { self.expression(node, state) } else { state }
    }

    fn expression(&mut self, node: NodeId, state: State) -> State {
        if self.depth >= MAX_DEPTH || state.is_dead() {
            return state;
        }
        self.depth += 1;
        let after = self.expression_of(node, state);
        self.depth -= 1;
        after
    }

    fn expression_of(&mut self, node: NodeId, state: State) -> State {
        match self.module.kind(node) {
            Kind::Function(_) | Kind::Class(_) => state,
            Kind::Binary {
                operator: operator @ (Binary::And | Binary::Or | Binary::Nullish),
                left,
                right,
            } => {
                let state = self.expression(left, state);
                let (goes_on, stops) = match operator {
                    Binary::And => (self.assume(left, true, state.clone()), self.assume(left, false, state)),
                    Binary::Or => (self.assume(left, false, state.clone()), self.assume(left, true, state)),
                    _ => (state.clone(), state),
                };
                self.either(goes_on, right, stops, NodeId::NONE)
            }
            Kind::Conditional { test, then, otherwise } => {
                let state = self.expression(test, state);
                let holds = self.assume(test, true, state.clone());
                let fails = self.assume(test, false, state);
                self.either(holds, then, fails, otherwise)
            }
            Kind::Await(value) => {
                let before = state.clone();
                let awaited = self.expression(value, state);
                // Where what it awaits begins the duty, it has not begun if that failed.
                let failed = if self.duty.act(value) == Act::Begins { before } else { awaited.clone() };
                self.acted(node, failed, awaited)
            }
            _ => {
                let parts = self.module.children(node);
                let state = parts.into_iter().fold(state, |state, part| self.expression(part, state));
                self.acted(node, state.clone(), state)
            }
        }
    }

    /// One of two expressions, the second of which may be absent.
    fn either(&mut self, first: State, then: NodeId, second: State, otherwise: NodeId) -> State {
        let before = first.clone();
        let (first, second) = (first.through(then), second.through(otherwise.ok().unwrap_or(then)));
        let holds = self.expression(then, first.clone());
        let fails = self.optional(otherwise, second.clone());
        if holds == first && fails == second { before.join(second) } else { holds.join(fails) }
    }

    /// After a node has done what it does; `failed` is where things stand if it fails instead.
    fn acted(&mut self, node: NodeId, failed: State, state: State) -> State {
        let act = self.duty.act(node);
        let after = self.after(node, act, state);
        if self.duty.may_fail(self.module, node) {
            let failed = if act == Act::Discharges { after.clone() } else { failed };
            self.leave(Leave::Out(ExitKind::Failure), node, failed);
        }
        after
    }

    fn after(&mut self, node: NodeId, act: Act, state: State) -> State {
        match act {
            Act::Nothing => state,
            Act::NeverReturns => State::default(),
            Act::Begins => State { open: vec![node], ..State::default() },
            Act::Discharges => {
                if !state.done.is_empty() {
                    self.note_again(node, &state.done);
                }
                if state.open.is_empty() && state.done.is_empty() {
                    return state;
                }
                unite_all(&mut self.ways.discharged_by, node);
                State { idle: state.idle, open: Vec::new(), done: vec![node] }
            }
        }
    }

    fn note_again(&mut self, node: NodeId, before: &[NodeId]) {
        match self.ways.again.iter_mut().find(|(known, _)| *known == node) {
            Some((_, known)) => unite(known, before),
            None => self.ways.again.push((node, before.to_vec())),
        }
    }
}

fn unite_all(all: &mut Vec<NodeId>, node: NodeId) {
    if !all.contains(&node) {
        all.push(node);
    }
}

#[cfg(test)]
mod tests;
