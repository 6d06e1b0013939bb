//! Which functions can fail, and which failures nobody handles.
//!
//! A function *throws* where its call throws, and *rejects* where the promise that it gives back does. Both spread from
//! what can fail by itself (work outside the process, `throw`, calls that throw on bad input, promises of unknown code
//! that are awaited) to the callers that catch nothing, and through functions handed to libraries by what the knowledge
//! says becomes of their failure.

use std::collections::VecDeque;

use loadworthy_knowledge::{Becomes, Effect, Runs};
use loadworthy_syntax::{BindingId, BindingKind, FunctionId, Kind, Module, NodeId};
use rustc_hash::FxHashMap;

use crate::calls::{Call, Calls, Handed, LibraryCall, package_name};
use crate::fate::{Fate, fate};
use crate::handling::is_in_try;
use crate::links::FunctionRef;
use crate::program::Program;
use crate::values::Site;

/// What fails in the first place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CauseKind {
    /// Work of a library: a query, a request, a file.
    Work(Effect),
    /// A `throw` statement, or a promise that is rejected by hand.
    Thrown,
    /// A call that throws on bad input (`JSON.parse`).
    BadInput,
    /// Unknown code whose promise is awaited.
    Unknown,
}

impl CauseKind {
    /// Whether it is known to fail at times.
    #[must_use]
    pub const fn is_known(self) -> bool {
        !matches!(self, Self::Unknown)
    }

    /// The likelier to be met under load, the larger.
    const fn rank(self) -> u8 {
        match self {
            Self::Work(_) => 3,
            Self::Thrown => 2,
            Self::BadInput => 1,
            Self::Unknown => 0,
        }
    }

    /// Whether it fails when something outside the process does, however correct the input is.
    #[must_use]
    pub fn is_outside(self) -> bool {
        matches!(self, Self::Work(_))
    }
}

/// Why something fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cause {
    /// What fails in the first place.
    pub kind: CauseKind,
    /// Where.
    pub root: Site,
    /// The place in the function asked about where the failure leaves it.
    pub at: Site,
}

/// How a function, or a call of it, can fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Failing {
    /// Its call throws.
    pub throws: Option<Cause>,
    /// The promise that it gives rejects.
    pub rejects: Option<Cause>,
}

impl Failing {
    /// Either way.
    #[must_use]
    pub fn any(self) -> Option<Cause> {
        self.rejects.or(self.throws)
    }

    fn or(self, other: Self) -> Self {
        Self { throws: better(self.throws, other.throws), rejects: better(self.rejects, other.rejects) }
    }
}

/// The likelier cause; of equals the first.
fn better(first: Option<Cause>, second: Option<Cause>) -> Option<Cause> {
    match (first, second) {
        (Some(a), Some(b)) if b.kind.rank() > a.kind.rank() => Some(b),
        (first, second) => first.or(second),
    }
}

/// How every function can fail.
#[derive(Debug, Default)]
pub struct Failures {
    of: FxHashMap<FunctionRef, Failing>,
}

/// What becomes of failures of a function that is handed to a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outlet {
    /// Of its rejection.
    pub rejected: Becomes,
    /// Of what it throws.
    pub thrown: Becomes,
}

impl Failures {
    /// Finds how the functions of a program can fail.
    #[must_use]
    pub(crate) fn new(program: &Program<'_>, calls: &Calls<'_>) -> Self {
        let mut spread = Spread { program, calls, failures: Self::default(), queue: VecDeque::new() };
        spread.seed();
        spread.drain();
        spread.failures
    }

    /// How a function can fail.
    #[must_use]
    pub fn of(&self, function: FunctionRef) -> Failing {
        self.of.get(&function).copied().unwrap_or_default()
    }

    /// How a call can fail: by the functions it runs, by what the library does, by the functions handed to it.
    #[must_use]
    pub fn of_call(&self, program: &Program<'_>, call: &Call<'_>) -> Failing {
        let at = |cause: Cause| Cause { at: call.site, ..cause };
        let moved =
            |failing: Failing| Failing { throws: failing.throws.map(at), rejects: failing.rejects.map(at) };
        let mut failing = own_failing(program, call);
        for target in &call.targets {
            failing = failing.or(moved(self.of(*target)));
        }
        for handed in &call.handed {
            let Some(outlet) = outlet(program, call, handed) else { continue };
            failing = failing.or(moved(through(call, outlet, self.of(handed.function))));
        }
        failing
    }
}

/// What a call fails with when a function handed to it does.
fn through(call: &Call<'_>, outlet: Outlet, inner: Failing) -> Failing {
    let gives_promise = call.library.as_ref().is_some_and(gives_promise);
    let mut failing = Failing::default();
    if outlet.rejected == Becomes::Result {
        failing.rejects = inner.rejects;
    }
    if outlet.thrown == Becomes::Result {
        if gives_promise {
            failing.rejects = better(failing.rejects, inner.throws);
        } else {
            failing.throws = inner.throws;
        }
    }
    failing
}

fn gives_promise(library: &LibraryCall<'_>) -> bool {
    match library.member {
        Some(member) => member.returns.is_awaitable(),
        // `new Promise(executor)` and the methods of promises.
        None => matches!(&*library.name, "" | "then" | "catch" | "finally" | "Promise"),
    }
}

/// What becomes of failures of a function that is handed to a call; `None` where nothing is known.
#[must_use]
pub fn outlet(program: &Program<'_>, call: &Call<'_>, handed: &Handed) -> Option<Outlet> {
    let library = call.library.as_ref()?;
    let knowledge = program.knowledge();
    let module = library.module.as_deref();
    let version = installed_version(program, call.site, module);
    let row = knowledge.rejection(library.lib, library.on, &library.name, module, version);
    if let Some(found) = row {
        if !found.is_exact {
            return None;
        }
        let rejected = found.row.rejected;
        return Some(Outlet { rejected, thrown: found.row.thrown.unwrap_or(rejected) });
    }
    let becomes = match handed.runs? {
        Runs::Now | Runs::PerElement => Becomes::Result,
        Runs::Timer | Runs::Delayed | Runs::Event | Runs::Later | Runs::Startup => Becomes::Unhandled,
        _ => return None,
    };
    Some(Outlet { rejected: becomes, thrown: becomes })
}

/// The version of the package that a module specifier names, as the file at `site` gets it.
#[must_use]
pub fn installed_version<'p>(program: &Program<'p>, site: Site, module: Option<&str>) -> Option<&'p str> {
    let project = program.project();
    let package = project.file(site.0)?.package;
    project.version_of(package, package_name(module?)).map(|version| version.text.as_str())
}

/// How a call can fail by itself.
fn own_failing(program: &Program<'_>, call: &Call<'_>) -> Failing {
    let Some(module) = program.module(call.site.0) else { return Failing::default() };
    let cause = |kind| Some(Cause { kind, root: call.site, at: call.site });
    if let Some(library) = &call.library {
        let row = program.knowledge().throws(library.lib, library.on, &library.name);
        // A callback is given the error.
        let throws = !takes_callback(module, call)
            && row.is_some_and(|row| is_bad_input_possible(module, call.site.1, row.most_arguments));
        let rejects = may_reject(module, call, library);
        return Failing {
            throws: throws.then(|| cause(CauseKind::BadInput)).flatten(),
            rejects: rejects.and_then(cause),
        };
    }
    if is_rejecting_promise(module, call.site.1) {
        return Failing { throws: None, rejects: cause(CauseKind::Thrown) };
    }
    let is_unknown = call.targets.is_empty() && is_unknown_work(module, call.site.1);
    Failing { throws: None, rejects: if is_unknown { cause(CauseKind::Unknown) } else { None } }
}

/// Whether what a call is given may be bad: it is no constant, and there are not too many arguments.
fn is_bad_input_possible(module: &Module, node: NodeId, most_arguments: Option<usize>) -> bool {
    let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = module.kind(node) else {
        return false;
    };
    let first = module.list(arguments).next().map(|it| module.kind(it));
    let is_constant = matches!(first, None | Some(Kind::String(_) | Kind::Number(_)));
    !is_constant && most_arguments.is_none_or(|most| arguments.len() <= most)
}

fn may_reject(module: &Module, call: &Call<'_>, library: &LibraryCall<'_>) -> Option<CauseKind> {
    if &*library.name == "reject" && library.module.is_none() {
        return Some(CauseKind::Thrown);
    }
    if is_rejecting_promise(module, call.site.1) {
        return Some(CauseKind::Thrown);
    }
    let Some(member) = library.member else {
        // A member that the knowledge does not have, of a library that it has.
        return is_unknown_work(module, call.site.1).then_some(CauseKind::Unknown);
    };
    let takes_callback = takes_callback(module, call) && !FORWARDING.contains(&&*library.name);
    let can = member.returns.is_awaitable() && !takes_callback && is_fallible(member.effect);
    can.then_some(CauseKind::Work(member.effect))
}

/// Whether the last argument is a callback that runs when the work is done: there is no promise then.
fn takes_callback(module: &Module, call: &Call<'_>) -> bool {
    let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = module.kind(call.site.1) else {
        return false;
    };
    let is_known = call.handed.iter().any(|handed| {
        matches!(handed.runs, Some(Runs::Later | Runs::Delayed)) && handed.argument + 1 == arguments.len()
    });
    is_known || module.list(arguments).last().is_some_and(|last| takes_error_first(module, last))
}

/// `(err, data) => …`.
fn takes_error_first(module: &Module, node: NodeId) -> bool {
    let Kind::Function(function) = module.kind(node) else { return false };
    let Some(function) = module.function(function) else { return false };
    let first = module.list(function.parameters).next().map(|it| module.source(it)).unwrap_or_default();
    !function.parameters.is_empty() && first.trim_start_matches('_').to_lowercase().starts_with("err")
}

/// Work that fails when something outside the process, a file or the input does not do as expected.
fn is_fallible(effect: Effect) -> bool {
    effect.leaves_process()
        || matches!(
            effect,
            Effect::AsyncFs
                | Effect::AsyncCpu
                | Effect::AsyncZlib
                | Effect::DbDdl
                | Effect::CacheConnect
                | Effect::QueueConnect
                | Effect::QueueSchedule
                | Effect::QueueConsume
                | Effect::StreamPipe
                | Effect::ProcSpawn
                | Effect::RequestParse
                | Effect::RequestUpload
        )
}

/// `new Promise((resolve, reject) => …)` whose `reject` is used.
fn is_rejecting_promise(module: &Module, node: NodeId) -> bool {
    let Kind::New { callee, arguments } = module.kind(node) else { return false };
    if module.source(callee) != "Promise" {
        return false;
    }
    let Some(Kind::Function(executor)) = module.list(arguments).next().map(|it| module.kind(it)) else {
        return false;
    };
    let Some(executor) = module.function(executor) else { return false };
    match module.list(executor.parameters).nth(1).map(|it| module.kind(it)) {
        Some(Kind::Binding(reject)) => !module.references(reject).is_empty(),
        _ => false,
    }
}

/// Names of functions that wait and do nothing that could fail.
const PAUSES: [&str; 7] = ["sleep", "delay", "wait", "pause", "timeout", "tick", "nextTick"];

/// Names of methods whose promise fails only where what they are called on or given does.
const FORWARDING: [&str; 8] = ["then", "catch", "finally", "all", "allSettled", "race", "any", "resolve"];

fn is_parameter(module: &Module, binding: BindingId) -> bool {
    module.binding(binding).is_some_and(|it| it.kind == BindingKind::Parameter)
}

/// A call of unknown code that is awaited, or whose promise is chained: it takes its time, so it may fail.
fn is_unknown_work(module: &Module, node: NodeId) -> bool {
    let Kind::Call { callee, .. } = module.kind(node) else { return false };
    let name = match module.kind(callee) {
        Kind::Member { name, .. } => module.str(name),
        // What a callback does is judged where it is defined.
        Kind::Name { name, binding } if !is_parameter(module, binding) => module.str(name),
        _ => return false,
    };
    let is_harmless =
        FORWARDING.contains(&name) || PAUSES.iter().any(|pause| name.eq_ignore_ascii_case(pause));
    if is_harmless {
        return false;
    }
    match module.kind(module.parent(node)) {
        Kind::Await(_) => true,
        // An async function that gives back what unknown code gives waits for it, too.
        Kind::Return(_) => {
            let function = module.function(module.enclosing_function(node));
            function.is_some_and(|it| it.is_async)
        }
        Kind::Declarator { target, .. } => match module.kind(target) {
            Kind::Binding(binding) => module
                .references(binding)
                .iter()
                .any(|name| matches!(module.kind(module.parent(*name)), Kind::Await(_))),
            _ => false,
        },
        _ => false,
    }
}

/// A way of failing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Throws,
    Rejects,
}

struct Spread<'s, 'p> {
    program: &'s Program<'p>,
    calls: &'s Calls<'p>,
    failures: Failures,
    queue: VecDeque<FunctionRef>,
}

impl Spread<'_, '_> {
    /// What functions fail with by themselves.
    fn seed(&mut self) {
        let program = self.program;
        for (file, module) in program.modules() {
            for node in module.node_ids() {
                if let Kind::Throw(_) = module.kind(node)
                    && !is_in_try(module, node)
                {
                    let site = (file, node);
                    let cause = Cause { kind: CauseKind::Thrown, root: site, at: site };
                    self.fail((file, module.enclosing_function(node)), Mode::Throws, cause);
                }
            }
        }
        let calls = self.calls;
        for call in calls.iter() {
            self.leave(call, own_failing(program, call));
        }
    }

    fn drain(&mut self) {
        // Calls that run or receive each function.
        let mut uses: FxHashMap<FunctionRef, Vec<&Call<'_>>> = FxHashMap::default();
        let calls = self.calls;
        for call in calls.iter() {
            for function in call.targets.iter().chain(call.handed.iter().map(|handed| &handed.function)) {
                uses.entry(*function).or_default().push(call);
            }
        }
        while let Some(function) = self.queue.pop_front() {
            for call in uses.get(&function).into_iter().flatten() {
                let failing = self.failures.of_call(self.program, call);
                self.leave(call, failing);
            }
        }
    }

    /// A call fails: so does the function around it, unless it catches that.
    fn leave(&mut self, call: &Call<'_>, failing: Failing) {
        let Some(module) = self.program.module(call.site.0) else { return };
        let around = (call.site.0, call.function);
        if let Some(cause) = failing.throws
            && !is_in_try(module, call.site.1)
        {
            self.fail(around, Mode::Throws, cause);
        }
        if let Some(cause) = failing.rejects
            && fate(module, call.site.1) == Fate::Escapes
        {
            self.fail(around, Mode::Rejects, cause);
        }
    }

    fn fail(&mut self, function: FunctionRef, mode: Mode, cause: Cause) {
        if function.1 == FunctionId::NONE {
            return;
        }
        let module = self.program.module(function.0);
        let is_async = module.and_then(|it| it.function(function.1)).is_some_and(|it| it.is_async);
        let failing = self.failures.of.entry(function).or_default();
        let slot = match mode {
            Mode::Throws if !is_async => &mut failing.throws,
            _ => &mut failing.rejects,
        };
        let best = better(*slot, Some(cause));
        if best != *slot {
            *slot = best;
            self.queue.push_back(function);
        }
    }
}

#[cfg(test)]
mod tests;
