//! What a function does in all, with everything it runs in its own flow: the set of effects.

use std::collections::VecDeque;

use loadworthy_knowledge::{Effect, Flag, Runs};
use loadworthy_syntax::FunctionId;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::calls::{Call, Calls};
use crate::graph::{CallGraph, Timing};
use crate::links::FunctionRef;
use crate::query::Queries;
use crate::values::Site;

/// A set of effects.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Work {
    bits: u128,
}

impl Work {
    /// One effect.
    #[must_use]
    pub fn of(effect: Effect) -> Self {
        let at = Effect::ALL.iter().position(|it| *it == effect).unwrap_or(0);
        Self { bits: 1_u128.checked_shl(u32::try_from(at).unwrap_or(u32::MAX)).unwrap_or(0) }
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { bits: self.bits | other.bits }
    }

    /// Nothing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// Every effect in it.
    pub fn effects(self) -> impl Iterator<Item = Effect> {
        let effects = Effect::ALL.iter().copied().enumerate();
        effects.filter(move |(at, _)| self.bits >> at & 1 == 1).map(|(_, effect)| effect)
    }

    /// Whether some effect is such.
    #[must_use]
    pub fn any(self, wanted: impl Fn(Effect) -> bool) -> bool {
        self.effects().any(wanted)
    }

    /// Whether it waits for another machine.
    #[must_use]
    pub fn waits(self) -> bool {
        self.any(Effect::leaves_process)
    }

    /// Whether it changes something that others can see, or takes what they may want: a write, a message, a lock.
    #[must_use]
    pub fn changes(self) -> bool {
        self.any(|effect| {
            matches!(
                effect,
                Effect::DbWrite
                    | Effect::DbTransaction
                    | Effect::DbAcquire
                    | Effect::DbRelease
                    | Effect::DbConnect
                    | Effect::DbClose
                    | Effect::DbDdl
                    | Effect::CacheSet
                    | Effect::Pubsub
                    | Effect::QueuePublish
                    | Effect::QueueAck
                    | Effect::QueueWait
                    | Effect::PaymentCall
                    | Effect::MailSend
                    | Effect::StoragePut
                    | Effect::LlmCall
                    | Effect::SocketSend
                    | Effect::SocketBroadcast
                    | Effect::ResponseSend
                    | Effect::ResponseStream
                    | Effect::ProcSpawn
            )
        })
    }
}

/// The work of every function.
#[derive(Debug, Default)]
pub struct Works {
    of: FxHashMap<FunctionRef, Work>,
    /// Calls that send a text which writes: the call alone may as well read (`pool.query("INSERT …")`).
    writes: FxHashSet<Site>,
}

impl Works {
    pub(crate) fn new(calls: &Calls<'_>, graph: &CallGraph, queries: &Queries) -> Self {
        let written = queries.iter().filter(|query| query.operation.is_write());
        let writes = written.flat_map(|query| query.calls.iter().copied()).collect();
        let mut works = Self { writes, ..Self::default() };
        let mut queue = VecDeque::new();
        for call in calls.iter() {
            let own = works.own(call);
            if !own.is_empty() && works.add((call.site.0, call.function), own) {
                queue.push_back((call.site.0, call.function));
            }
        }
        while let Some(function) = queue.pop_front() {
            let work = works.of(function);
            for edge in graph.callers(function) {
                // What a module does when it is loaded is not the work of a function.
                let is_flow = matches!(edge.timing, Timing::InFlow | Timing::Unknown);
                if is_flow && edge.caller.1 != FunctionId::NONE && works.add(edge.caller, work) {
                    queue.push_back(edge.caller);
                }
            }
        }
        works
    }

    /// What a function does.
    #[must_use]
    pub fn of(&self, function: FunctionRef) -> Work {
        self.of.get(&function).copied().unwrap_or_default()
    }

    /// What a call does: the library's effect, and that of every function it runs in its flow.
    #[must_use]
    pub fn of_call(&self, call: &Call<'_>) -> Work {
        let targets = call.targets.iter().map(|target| self.of(*target));
        let handed = call.handed.iter().filter(|handed| handed.runs.is_none_or(Runs::is_in_caller_flow));
        let handed = handed.map(|handed| self.of(handed.function));
        targets.chain(handed).fold(self.own(call), Work::and)
    }

    /// What a call does by itself.
    fn own(&self, call: &Call<'_>) -> Work {
        let own = own_work(call);
        if self.writes.contains(&call.site) { own.and(Work::of(Effect::DbWrite)) } else { own }
    }

    /// Adds work to a function; whether it was new.
    fn add(&mut self, function: FunctionRef, work: Work) -> bool {
        let known = self.of.entry(function).or_default();
        let both = known.and(work);
        let is_new = both != *known;
        *known = both;
        is_new
    }
}

fn own_work(call: &Call<'_>) -> Work {
    let Some(library) = &call.library else { return Work::default() };
    let Some(effect) = library.effect() else { return Work::default() };
    // A lock or an atomic operation orders others: as good as a write.
    if library.has(Flag::Lock) { Work::of(effect).and(Work::of(Effect::DbWrite)) } else { Work::of(effect) }
}
