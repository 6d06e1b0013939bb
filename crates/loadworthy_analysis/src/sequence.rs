//! Awaited reads that stand one after the other in a block, and which of them need an earlier one's result.

use loadworthy_knowledge::{Effect, Kind as LibraryKind};
use loadworthy_project::FileId;
use loadworthy_syntax::{Binary, BindingId, BindingKind, FunctionId, Kind, List, Module, NodeId, Unary};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::access::{leaves, results};
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
    /// Its failure is caught at once, and what follows runs without its result.
    pub is_caught: bool,
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
            Kind::Object(parts) => found.extend(reader.awaited_properties(parts)),
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
    /// The latest round of a step that may refuse the request.
    refusing: usize,
}

impl Reader<'_, '_> {
    fn block(&self, statements: List, found: &mut Vec<Waterfall>) {
        let mut row = Row::default();
        for statement in self.module.list(statements) {
            let caught = self.caught(statement);
            let inner = caught.unwrap_or(statement);
            if let Some((awaiting, call, work)) = self.read(inner) {
                // Nobody asks another service for a request that is refused in the end.
                let behind = if asks_elsewhere(work) { row.refusing } else { 0 };
                let round = 1 + self.needed(self.asking(statement), &row).max(behind);
                // What is caught refuses nothing.
                let is_caught = caught.is_some();
                if !is_caught && self.may_refuse(call) {
                    row.refusing = row.refusing.max(round);
                }
                row.steps.push(Step { statement: inner, awaiting, call, work, round, is_caught });
                self.bind(statement, round, &mut row);
            } else if self.is_formality(statement, &row) {
                // The reads behind it run in all but the rarest case.
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
                steps.push(Step {
                    statement: callee,
                    awaiting: item,
                    call,
                    work,
                    round: 1,
                    is_caught: false,
                });
            }
        }
        (steps.len() > 1).then_some(Waterfall { file: self.file, steps })
    }

    /// `{ users: await users(), posts: await posts() }`: the values wait for each other.
    fn awaited_properties(&self, parts: List) -> Option<Waterfall> {
        let mut steps = Vec::new();
        for part in self.module.list(parts) {
            let Kind::Property { value, .. } = self.module.kind(part) else { continue };
            let Kind::Await(awaited) = self.module.kind(value) else { continue };
            let call = self.call_in(awaited)?;
            let work = self.works_below(value);
            if work.changes() || self.is_serial(call) {
                return None;
            }
            if work.waits() {
                steps.push(Step {
                    statement: part,
                    awaiting: value,
                    call: awaited,
                    work,
                    round: 1,
                    is_caught: false,
                });
            }
        }
        (steps.len() > 1).then_some(Waterfall { file: self.file, steps })
    }

    /// The one statement of a `try` whose failure changes nothing for what comes after it: the `catch` clause goes on.
    fn caught(&self, statement: NodeId) -> Option<NodeId> {
        let Kind::Try { block, handler, finalizer } = self.module.kind(statement) else { return None };
        let (Kind::Block(list), Kind::Catch { body, .. }) =
            (self.module.kind(block), self.module.kind(handler))
        else {
            return None;
        };
        let mut statements = self.module.list(list);
        let only = statements.next().filter(|_| statements.next().is_none() && !finalizer.is_some())?;
        let leaves = self.below(body).into_iter().any(|node| {
            matches!(
                self.module.kind(node),
                Kind::Return(_) | Kind::Throw(_) | Kind::Break | Kind::Continue | Kind::Await(_)
            )
        });
        (!leaves && !self.works_below(handler).changes()).then_some(only)
    }

    /// `if (!user) return …` after a read by who the client is: the account of a valid session is there. What such a guard
    /// protects may be read before it is asked.
    fn is_formality(&self, statement: NodeId, row: &Row) -> bool {
        let Kind::If { test, then, otherwise } = self.module.kind(statement) else { return false };
        if otherwise.is_some() || !leaves(self.module, then) || !self.awaits_in(statement).is_empty() {
            return false;
        }
        let step_of = |binding: BindingId| {
            row.steps.iter().find(|step| results(self.module, step.call).contains(&binding))
        };
        self.found_nothing(test).and_then(step_of).is_some_and(|step| {
            names_identity(self.module, step.call, 0) && !names_permission(self.module, then)
        })
    }

    /// The name that a test says is nothing: `!user`, `user === null`, `rows.length === 0`.
    fn found_nothing(&self, test: NodeId) -> Option<BindingId> {
        let plain = |node: NodeId| match self.module.kind(node) {
            Kind::Name { binding, .. } => binding.ok(),
            Kind::Member { object, name } if matches!(self.module.str(name), "length" | "rowCount") => {
                self.leftmost(object)
            }
            _ => None,
        };
        match self.module.kind(test) {
            Kind::Unary { operator: Unary::Not, value } => plain(value),
            Kind::Binary { operator: Binary::Equal, left, right } => {
                let is_nothing = matches!(self.module.source(right), "null" | "undefined" | "0");
                plain(left).filter(|_| is_nothing)
            }
            _ => None,
        }
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
                Kind::Assign { operator: None, target, value }
                    if self.is_local(target) || self.is_own_field(target) =>
                {
                    value
                }
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
        if self.gives_client(awaited) {
            return None;
        }
        let work = self.works_below(value);
        (work.waits() && !work.changes() && !self.is_serial(call)).then_some((*awaiting, awaited, work))
    }

    /// `const prisma = await database()`: what queries are sent through later is a client, no data.
    fn gives_client(&self, awaited: NodeId) -> bool {
        let is_client = |reference: NodeId| {
            let model = self.module.parent(reference);
            let member = self.module.parent(model);
            let call = self.module.parent(member);
            matches!(self.module.kind(model), Kind::Member { object, .. } if object == reference)
                && matches!(self.module.kind(member), Kind::Member { object, .. } if object == model)
                && matches!(self.module.kind(call), Kind::Call { callee, .. } if callee == member)
                && self.analysis.queries().at((self.file, call)).is_some()
        };
        results(self.module, awaited)
            .iter()
            .any(|name| self.module.references(*name).iter().any(|reference| is_client(*reference)))
    }

    /// A local variable, or a pattern of them.
    fn is_local(&self, target: NodeId) -> bool {
        matches!(self.module.kind(target), Kind::Name { binding, .. } if binding.is_some())
    }

    /// `stats.users` of a variable of the function.
    fn is_own_field(&self, target: NodeId) -> bool {
        let Kind::Member { object, .. } = self.module.kind(target) else { return false };
        matches!(self.module.kind(object), Kind::Name { binding, .. } if binding.is_some() && self.is_own(binding))
    }

    /// What of a statement asks: of `stats.users = await count()` only what is assigned, as the object is filled.
    fn asking(&self, statement: NodeId) -> NodeId {
        let Kind::Expression(expression) = self.module.kind(statement) else { return statement };
        match self.module.kind(expression) {
            Kind::Assign { operator: None, target, value } if self.is_own_field(target) => value,
            _ => statement,
        }
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

    /// Whether the function that is called throws of its own accord: a gate, a check.
    fn may_refuse(&self, awaited: NodeId) -> bool {
        let Some(call) = self.call_in(awaited) else { return false };
        call.targets.iter().any(|(file, function)| {
            let module = self.analysis.program().module(*file);
            let body = module.and_then(|module| Some((module, module.function(*function)?.body)));
            body.is_some_and(|(module, body)| {
                module.all_nodes(body).into_iter().any(|node| {
                    matches!(module.kind(node), Kind::Throw(_))
                        && module.enclosing_function(node) == *function
                })
            })
        })
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
        if call.library.as_ref().is_some_and(|library| self.is_one_connection(library)) {
            return true;
        }
        let mut names: FxHashSet<BindingId> = FxHashSet::default();
        let (_, node) = call.site;
        if let Kind::Call { callee, arguments } = self.module.kind(node) {
            names.extend(self.leftmost(callee));
            names.extend(self.module.list(arguments).filter_map(|argument| self.leftmost(argument)));
        }
        names.into_iter().any(|binding| self.is_connection(binding))
    }

    /// A client of a driver, whose statements wait for each other, whatever the variable is called.
    fn is_one_connection(&self, library: &LibraryCall<'_>) -> bool {
        let knowledge = self.analysis.knowledge();
        knowledge.library(library.lib).kind == LibraryKind::DriverSql
            && matches!(knowledge.handle_name(library.on), "client" | "connection" | "poolClient")
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
        if matches!(self.module.str(declared.name), "tx" | "trx" | "transaction" | "queryRunner") {
            return true;
        }
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
        "tx" | "trx"
            | "transaction"
            | "queryRunner"
            | "client"
            | "conn"
            | "connection"
            | "manager"
            | "session"
            | "t"
    )
}

/// Deepest chain of constants that is followed to a request's account.
const MAX_NAMES: usize = 3;

/// Whether a call is about the account of the request and nothing else: `findById(req.user.id)`, not `findOne({ id, owner:
/// req.user.id })`, which finds nothing where the client asks for somebody else's row.
fn names_identity(module: &Module, node: NodeId, depth: usize) -> bool {
    let Kind::Call { arguments, .. } = module.kind(node) else { return false };
    let mut is_named = false;
    for inner in module.list(arguments).flat_map(|argument| module.all_nodes(argument)) {
        let Kind::Name { binding, .. } = module.kind(inner) else { continue };
        let is_local = module
            .binding(binding)
            .is_some_and(|declared| module.enclosing_function(declared.node) != FunctionId::NONE);
        if !is_local {
            continue;
        }
        let chain =
            module.ancestors(inner).take_while(|outer| matches!(module.kind(*outer), Kind::Member { .. }));
        if !is_identity(module, inner, depth)
            && !chain.into_iter().any(|outer| is_identity(module, outer, depth))
        {
            return false;
        }
        is_named = true;
    }
    is_named
}

fn is_identity(module: &Module, node: NodeId, depth: usize) -> bool {
    match module.kind(node) {
        Kind::Member { object, name } => {
            // `req.user.id`, `res.locals.user`, `session.userId`; not `order.user` of a row, nor what the client sends.
            let is_root = match module.kind(object) {
                Kind::Name { binding, name } => {
                    let is_given = module
                        .binding(binding)
                        .is_some_and(|declared| declared.kind == BindingKind::Parameter);
                    let name = module.str(name);
                    is_given && !SENT.contains(&name) || matches!(name, "session" | "auth" | "currentUser")
                }
                Kind::Member { name, .. } => {
                    let name = module.str(name);
                    !SENT.contains(&name)
                        && matches!(name, "locals" | "state" | "context" | "var" | "req" | "request")
                }
                _ => false,
            };
            is_root && IDENTITIES.contains(&module.str(name))
        }
        Kind::Name { binding, .. } if depth < MAX_NAMES => {
            let Some(declared) = module.binding(binding) else { return false };
            let mut outer = module.ancestors(declared.node);
            outer
                .find_map(|outer| match module.kind(outer) {
                    Kind::Declarator { init, .. } => Some(init),
                    _ => None,
                })
                .is_some_and(|init| {
                    init.is_some()
                        && module.node(init).span.end < module.node(node).span.start
                        && matches!(module.kind(init), Kind::Member { .. } | Kind::Name { .. })
                        && module.all_nodes(init).into_iter().any(|it| is_identity(module, it, depth + 1))
                })
        }
        _ => false,
    }
}

/// What requests and contexts call the account that was authenticated.
const IDENTITIES: [&str; 8] =
    ["user", "userId", "auth", "session", "currentUser", "account", "accountId", "principal"];

/// Names of what a client sends: it may name anybody.
const SENT: [&str; 10] =
    ["body", "params", "query", "input", "data", "args", "dto", "payload", "row", "item"];

/// Whether a branch refuses: what it protects must not be read for strangers.
fn names_permission(module: &Module, branch: NodeId) -> bool {
    let text = module.source(branch).to_lowercase();
    ["401", "403", "forbidden", "unauthori", "denied", "permission"].iter().any(|word| text.contains(word))
}

/// Whether work leaves for another service.
fn asks_elsewhere(work: Work) -> bool {
    work.any(|effect| matches!(effect, Effect::HttpRequest | Effect::AsyncNet))
}

fn is_short_circuit(operator: Binary) -> bool {
    matches!(operator, Binary::And | Binary::Or | Binary::Nullish)
}
