//! Ways through a request handler on which nobody answers, and answers that are sent twice.
//!
//! A handler answers by sending a response, by calling `next`, or by giving the response or `next` to somebody else: an
//! argument, an alias, a closure. What other functions do with it is not followed. Closures in promise chains and
//! node-style callbacks are, where the handler relies on them.

use loadworthy_knowledge::Runs;
use loadworthy_syntax::{BindingId, FunctionId, Kind, Module, NodeId, Unary};
use rustc_hash::FxHashSet;

use crate::analysis::Analysis;
use crate::links::FunctionRef;
use crate::paths::{Act, Assumption, Begin, Duty, Exit, ExitKind, ways};

/// What a handler does about its answer.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// Ways out without an answer: the function they are in (the handler, or a closure of it) and the way.
    pub missing: Vec<(FunctionId, Exit)>,
    /// Responses that are sent although another may have been: the second, and the first ones.
    pub doubled: Vec<(NodeId, Vec<NodeId>)>,
}

/// Where the response and `next` stand among a handler's parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Positions {
    /// The response.
    pub response: usize,
    /// The function that hands the request on.
    pub next: usize,
}

impl Positions {
    /// `(req, res, next)`, or `(err, req, res, next)` for a function of four parameters.
    #[must_use]
    pub fn of(parameters: usize) -> Self {
        if parameters == 4 { Self { response: 2, next: 3 } } else { Self { response: 1, next: 2 } }
    }
}

/// Members of a response that prepare or watch it and do not send.
const PREPARING: [&str; 30] = [
    "status",
    "set",
    "header",
    "type",
    "cookie",
    "clearCookie",
    "setHeader",
    "setHeaders",
    "removeHeader",
    "append",
    "appendHeader",
    "vary",
    "links",
    "location",
    "attachment",
    "contentType",
    "format",
    "writeHead",
    "flushHeaders",
    "on",
    "once",
    "off",
    "addListener",
    "removeListener",
    "get",
    "getHeader",
    "getHeaders",
    "hasHeader",
    "setTimeout",
    "writeContinue",
];

/// Members that send a whole response: two of them on one way are an error.
const SENDING: [&str; 9] =
    ["json", "send", "jsonp", "end", "render", "redirect", "sendStatus", "sendFile", "download"];

/// Words in conditions that tell of an answer that is sent, or of a client that has left.
const DONE_WORDS: [&str; 14] = [
    "headersSent",
    "writableEnded",
    "writableFinished",
    "finished",
    "destroyed",
    "aborted",
    "responded",
    "responseSent",
    "replied",
    "settled",
    "timedOut",
    "isClosed",
    "closed",
    "sent",
];

impl Analysis<'_> {
    /// What a handler does about its answer; nothing where it takes neither the response nor `next`.
    #[must_use]
    pub fn answers(&self, (file, function): FunctionRef, positions: Positions) -> Answers {
        let Some(module) = self.program().module(file) else { return Answers::default() };
        let Some(lowered) = module.function(function) else { return Answers::default() };
        let parameter = |at: usize| {
            module.list(lowered.parameters).nth(at).and_then(|node| match module.kind(node) {
                Kind::Binding(binding) => Some(binding),
                Kind::Default { target, .. } => match module.kind(target) {
                    Kind::Binding(binding) => Some(binding),
                    _ => None,
                },
                _ => None,
            })
        };
        let Some(response) = parameter(positions.response) else { return Answers::default() };
        let next = parameter(positions.next);
        let handler = Reading { analysis: self, module, file: (file, function), response, next };
        let mut answers = Answers::default();
        handler.read(function, 0, &mut answers);
        answers
    }
}

/// Deepest nesting of closures that is followed.
const MAX_CLOSURES: usize = 4;

struct Reading<'r, 'p> {
    analysis: &'r Analysis<'p>,
    module: &'r Module,
    file: FunctionRef,
    response: BindingId,
    next: Option<BindingId>,
}

/// What the nodes of one function do for the answer.
#[derive(Default)]
struct Marks {
    /// They answer, or give the duty to others.
    answering: FxHashSet<NodeId>,
    /// Of those: they send a whole response.
    sending: FxHashSet<NodeId>,
    /// Of those: calls with a closure that answers.
    delegating: Vec<(NodeId, FunctionId)>,
}

struct Answering<'m> {
    module: &'m Module,
    by: FxHashSet<NodeId>,
    next: Option<BindingId>,
}

impl Duty for Answering<'_> {
    fn act(&self, node: NodeId) -> Act {
        if self.by.contains(&node) {
            return Act::Discharges;
        }
        match self.module.kind(node) {
            Kind::Call { callee, .. } if self.module.source(callee) == "process.exit" => Act::NeverReturns,
            _ => Act::Nothing,
        }
    }

    fn assume(&self, test: NodeId, holds: bool) -> Assumption {
        // A third parameter with another name (`render = true`) is `next` where the framework calls the handler.
        if let Kind::Name { binding, .. } = self.module.kind(test)
            && Some(binding) == self.next
        {
            return if holds { Assumption::Nothing } else { Assumption::Impossible };
        }
        let condition = self.module.source(test);
        let tells =
            DONE_WORDS.iter().any(|word| condition.contains(word)) || self.is_set_where_answered(test);
        if tells && holds { Assumption::Discharged } else { Assumption::Nothing }
    }
}

impl Answering<'_> {
    /// A variable without an initial value that only gets one where an answer follows: `let token; if (header) { token =
    /// …; next(); } if (!token) …`.
    fn is_set_where_answered(&self, test: NodeId) -> bool {
        let module = self.module;
        let Kind::Name { binding, .. } = module.kind(test) else { return false };
        let Some(declared) = module.binding(binding) else { return false };
        let is_empty = matches!(
            module.kind(module.parent(declared.node)),
            Kind::Declarator { init, .. } if !init.is_some() || module.kind(init) == Kind::Null
        );
        let assignments = module.references(binding).iter().filter_map(|name| {
            let parent = module.parent(*name);
            matches!(module.kind(parent), Kind::Assign { target, .. } if target == *name).then_some(parent)
        });
        let mut any = false;
        let all = assignments.into_iter().all(|assignment| {
            any = true;
            self.is_answered_after(assignment)
        });
        is_empty && any && all
    }

    /// Whether an answer follows in the block of a node.
    fn is_answered_after(&self, node: NodeId) -> bool {
        let module = self.module;
        let block = module.ancestors(node).find(|it| matches!(module.kind(*it), Kind::Block(_)));
        let Some(block) = block else { return false };
        let (start, end) = (module.node(node).span.end, module.node(block).span.end);
        self.by.iter().any(|it| (start..end).contains(&module.node(*it).span.start))
    }
}

impl Reading<'_, '_> {
    fn read(&self, function: FunctionId, depth: usize, answers: &mut Answers) {
        let marks = self.marks(function);
        let duty = |answering| Answering { module: self.module, by: answering, next: self.next };
        let found = ways(self.module, function, Begin::AtEntry, &duty(marks.answering.clone()));
        answers.missing.extend(found.open.into_iter().filter(ends_quietly).map(|exit| (function, exit)));
        for (second, first) in found.again {
            let first: Vec<NodeId> = first.into_iter().filter(|it| marks.sending.contains(it)).collect();
            if marks.sending.contains(&second) && !first.is_empty() {
                answers.doubled.push((second, first));
            }
        }
        if marks.delegating.is_empty() || depth >= MAX_CLOSURES {
            return;
        }
        // `.catch(next)` answers failures only.
        let mut own = marks.answering;
        own.retain(|node| {
            !self.is_named(*node, "catch") && marks.delegating.iter().all(|(call, _)| call != node)
        });
        let alone = ways(self.module, function, Begin::AtEntry, &duty(own));
        if !alone.open.iter().any(ends_quietly) {
            return;
        }
        for (call, closure) in &marks.delegating {
            if !self.is_relied_on(*call, &marks.delegating) {
                continue;
            }
            let mut own = Answers::default();
            self.read(*closure, depth + 1, &mut own);
            if self.answers_by_itself(*call) {
                own.missing.retain_mut(|(_, exit)| self.is_open_with_error(exit));
            }
            answers.missing.append(&mut own.missing);
            answers.doubled.append(&mut own.doubled);
        }
    }

    /// Whether a closure given to a call has to answer on every way: a node-style callback, the only `then` of a chain
    /// that answers, a `catch` that nothing follows.
    fn is_relied_on(&self, call: NodeId, delegating: &[(NodeId, FunctionId)]) -> bool {
        let Kind::Call { callee, .. } = self.module.kind(call) else { return false };
        let name = match self.module.kind(callee) {
            Kind::Member { name, .. } => self.module.str(name),
            _ => "",
        };
        match name {
            "catch" => !self.later_in_chain(call).any(|later| delegating.iter().any(|it| it.0 == later)),
            "then" => {
                let others = delegating.iter().filter(|it| it.0 != call && self.is_same_chain(it.0, call));
                others.filter(|it| !self.is_named(it.0, "catch")).count() == 0
            }
            "finally" => false,
            _ => self.analysis.calls().at((self.file.0, call)).is_some_and(|call| {
                call.handed.len() == 1 && call.handed.iter().all(|handed| handed.runs == Some(Runs::Later))
            }),
        }
    }

    /// `res.sendFile(path, callback)` leaves to the callback what fails.
    fn answers_by_itself(&self, call: NodeId) -> bool {
        ["sendFile", "sendfile", "download"].iter().any(|name| self.is_named(call, name))
    }

    /// Whether a way out of such a callback is one with an error: not the way past `if (error)` or into `if (!error)`.
    fn is_open_with_error(&self, exit: &mut Exit) -> bool {
        exit.via.retain(|node| {
            let is_denied = matches!(self.module.kind(self.module.parent(*node)), Kind::If { test, then, .. }
                if then == *node && matches!(self.module.kind(test), Kind::Unary { operator: Unary::Not, .. }));
            !is_denied && !matches!(self.module.kind(*node), Kind::If { .. })
        });
        !exit.via.is_empty()
    }

    fn is_named(&self, call: NodeId, wanted: &str) -> bool {
        let Kind::Call { callee, .. } = self.module.kind(call) else { return false };
        matches!(self.module.kind(callee), Kind::Member { name, .. } if self.module.str(name) == wanted)
    }

    /// `b` and `c` of `a().b().c()`, after `a()`.
    fn later_in_chain(&self, call: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(Some(call), |call| {
            let member = self.module.parent(*call);
            let Kind::Member { object, .. } = self.module.kind(member) else { return None };
            let outer = self.module.parent(member);
            let is_called = matches!(self.module.kind(outer), Kind::Call { callee, .. } if callee == member);
            (object == *call && is_called).then_some(outer)
        })
        .skip(1)
    }

    fn is_same_chain(&self, a: NodeId, b: NodeId) -> bool {
        self.later_in_chain(a).any(|it| it == b) || self.later_in_chain(b).any(|it| it == a)
    }

    /// What the nodes of a function do.
    fn marks(&self, function: FunctionId) -> Marks {
        let mut marks = Marks::default();
        for name in self.module.references(self.response) {
            self.use_of(function, *name, &mut marks, true);
        }
        for name in self.next.iter().flat_map(|next| self.module.references(*next)) {
            self.use_of(function, *name, &mut marks, false);
        }
        marks
    }

    fn use_of(&self, function: FunctionId, name: NodeId, marks: &mut Marks, is_response: bool) {
        let module = self.module;
        if module.enclosing_function(name) != function {
            let does_something = !is_response || self.effect_of(name, is_response).is_some();
            if let Some(closure) = self.closure_in(function, name).filter(|_| does_something) {
                self.closure(function, closure, marks, 0);
            }
            return;
        }
        let Some((node, sends)) = self.effect_of(name, is_response) else { return };
        marks.answering.insert(node);
        if sends {
            marks.sending.insert(node);
        }
    }

    /// The node at which a use of the response or `next` answers, and whether it sends a whole response.
    fn effect_of(&self, name: NodeId, is_response: bool) -> Option<(NodeId, bool)> {
        let module = self.module;
        let mut at = name;
        loop {
            let parent = module.parent(at);
            match module.kind(parent) {
                Kind::Member { object, name: member } if object == at && is_response => {
                    let call = module.parent(parent);
                    let is_called =
                        matches!(module.kind(call), Kind::Call { callee, .. } if callee == parent);
                    let member = module.str(member);
                    if !is_called {
                        return None;
                    }
                    if !PREPARING.contains(&member) {
                        return Some((call, SENDING.contains(&member)));
                    }
                    at = call;
                }
                Kind::Call { callee, .. } | Kind::New { callee, .. } if callee != at || !is_response => {
                    return Some((parent, false));
                }
                // `return res.status(400)` sends nothing.
                Kind::Return(_) | Kind::Expression(_) | Kind::Await(_) | Kind::Function(_) if at != name => {
                    return None;
                }
                Kind::Unary { .. } | Kind::Binary { .. } if at == name => return None,
                Kind::Object(_) | Kind::Array(_) | Kind::Property { .. } | Kind::Spread(_) => at = parent,
                _ => return Some((at, false)),
            }
        }
    }

    /// The outermost closure inside `function` that holds a node.
    fn closure_in(&self, function: FunctionId, node: NodeId) -> Option<NodeId> {
        let mut closure = None;
        for outer in self.module.ancestors(node) {
            if let Kind::Function(inner) = self.module.kind(outer) {
                if inner == function {
                    return closure;
                }
                closure = Some(outer);
            }
        }
        None
    }

    /// A closure that answers: the call that it is given to does, or the calls of its name.
    fn closure(&self, function: FunctionId, closure: NodeId, marks: &mut Marks, depth: usize) {
        let module = self.module;
        let Kind::Function(inner) = module.kind(closure) else { return };
        let mut at = closure;
        loop {
            let parent = module.parent(at);
            match module.kind(parent) {
                Kind::Call { .. } | Kind::New { .. } => {
                    marks.answering.insert(parent);
                    if !marks.delegating.contains(&(parent, inner)) && at == closure {
                        marks.delegating.push((parent, inner));
                    }
                    return;
                }
                Kind::Declarator { target, .. } | Kind::Assign { target, .. } => {
                    let binding = match module.kind(target) {
                        Kind::Binding(binding) | Kind::Name { binding, .. } => binding,
                        _ => BindingId::NONE,
                    };
                    if binding.is_some() {
                        self.named_closure(function, binding, marks, depth);
                    } else {
                        marks.answering.insert(parent);
                    }
                    return;
                }
                Kind::Block(_) => {
                    let declared = module.bindings().iter().position(|it| it.node == closure);
                    if let Some(binding) = declared {
                        self.named_closure(function, BindingId::new(binding), marks, depth);
                    }
                    return;
                }
                Kind::Function(_) | Kind::Expression(_) | Kind::Return(_) => {
                    marks.answering.insert(parent);
                    return;
                }
                _ if !parent.is_some() => return,
                _ => at = parent,
            }
        }
    }

    /// Every use of a closure's name answers: it is called, or handed on.
    fn named_closure(&self, function: FunctionId, binding: BindingId, marks: &mut Marks, depth: usize) {
        if depth > MAX_CLOSURES {
            return;
        }
        for name in self.module.references(binding) {
            if self.module.enclosing_function(*name) == function {
                let parent = self.module.parent(*name);
                marks.answering.insert(match self.module.kind(parent) {
                    Kind::Call { .. } | Kind::New { .. } => parent,
                    _ => *name,
                });
            } else if let Some(closure) = self.closure_in(function, *name) {
                self.closure(function, closure, marks, depth + 1);
            }
        }
    }
}

/// Failures reach the framework, or are another defect.
fn ends_quietly(exit: &Exit) -> bool {
    matches!(exit.kind, ExitKind::End | ExitKind::Return)
}

#[cfg(test)]
mod tests;
