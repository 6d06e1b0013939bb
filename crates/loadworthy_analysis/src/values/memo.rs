//! What was asked before: answers that hold for good, answers that hold as long as a cycle is open, and the questions
//! that are being answered.
//!
//! A question that is asked again while it is open is a cycle, and adds nothing. An answer that such a cycle shortened is
//! provisional until the question where the cycle closes has its own answer: kept for good, it would depend on which
//! question happened to be asked first, and so on the thread.

use std::cell::{Cell, RefCell};
use std::sync::{Mutex, PoisonError};

use loadworthy_project::FileId;
use loadworthy_syntax::{ClassId, FunctionId, NodeId, TypeId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Values, none};

/// Longest chain of questions behind one answer. Real chains (route → controller → service → repository → client, each
/// through an import, a field and a factory) stay below 60.
pub(super) const MAX_DEPTH: usize = 160;

/// An interned name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Name(u32);

/// What the resolver asks itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Question {
    /// What a node is.
    Node(FileId, NodeId),
    /// What a file exports under a name.
    Export(FileId, Name),
    /// What a function gives back.
    Result(FileId, FunctionId),
    /// What is passed for a parameter.
    Argument(FileId, FunctionId, usize),
    /// A member of what is passed for a parameter.
    ArgumentMember(FileId, FunctionId, usize, Name),
    /// A property of an object literal.
    Property(FileId, NodeId, Name),
    /// What a value of a declared type is.
    Type(FileId, TypeId),
    /// A member of a class; the flag says whether of the class itself.
    ClassMember(FileId, ClassId, Name, bool),
}

/// The memory of one resolver.
#[derive(Default)]
pub(super) struct Memo {
    answers: RefCell<FxHashMap<Question, Values>>,
    /// Answers that hold while the question at the given position of the stack is open.
    provisional: RefCell<FxHashMap<Question, (Values, usize)>>,
    /// Keys of `provisional`, in the order of their making.
    made: RefCell<Vec<Question>>,
    open: RefCell<FxHashMap<Question, usize>>,
    /// Answers in which a cycle closed: good for the outermost question under way alone, as another would enter the cycle
    /// elsewhere.
    entered: RefCell<FxHashMap<Question, Values>>,
    /// Answers to outermost questions in which a cycle closed: good for the same question alone.
    outermost: RefCell<FxHashMap<Question, Values>>,
    /// Whether a cycle closed in an answer under way.
    met_cycle: Cell<bool>,
    /// The lowest position of an open question that an answer under way was shortened by.
    shortened_by: Cell<usize>,
    names: RefCell<FxHashMap<Box<str>, Name>>,
    /// Questions whose answer would need to know who calls and passes what, of a resolver that does not know yet.
    unseen: RefCell<FxHashSet<Question>>,
    /// Whether an answer under way is such a one.
    met_unseen: Cell<bool>,
}

/// Memories between two uses: a resolver takes one and gives it back, so that no thread works anything out twice.
#[derive(Default)]
pub(crate) struct Memories(Mutex<Vec<Memo>>);

impl Memories {
    pub(super) fn take(&self) -> Memo {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Keeps a memory, unless a panic left it amid a question.
    pub(super) fn give(&self, memo: Memo) {
        if memo.open.borrow().is_empty() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(memo);
        }
    }

    /// Forgets what blind resolvers could not see; from now on resolvers see.
    pub(crate) fn see(&self) {
        for memo in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            let unseen = std::mem::take(memo.unseen.get_mut());
            memo.answers.get_mut().retain(|question, _| !unseen.contains(question));
            memo.outermost.get_mut().retain(|question, _| !unseen.contains(question));
        }
    }
}

impl Memo {
    pub(super) fn name(&self, name: &str) -> Name {
        let known = self.names.borrow().get(name).copied();
        known.unwrap_or_else(|| {
            let mut names = self.names.borrow_mut();
            let id = Name(u32::try_from(names.len()).unwrap_or(u32::MAX));
            names.insert(name.into(), id);
            id
        })
    }

    /// The known answer, or the one that is worked out now; nothing for a question that is open already.
    pub(super) fn ask(&self, question: Question, answer: impl FnOnce() -> Values) -> Values {
        if let Some(known) = self.answers.borrow().get(&question) {
            self.recall(&question);
            return known.clone();
        }
        if let Some(known) = self.entered.borrow().get(&question) {
            self.met_cycle.set(true);
            self.recall(&question);
            return known.clone();
        }
        if self.open.borrow().is_empty()
            && let Some(known) = self.outermost.borrow().get(&question)
        {
            return known.clone();
        }
        if let Some((known, position)) = self.provisional.borrow().get(&question) {
            self.shorten(*position);
            self.recall(&question);
            return known.clone();
        }
        let depth = {
            let mut open = self.open.borrow_mut();
            if let Some(position) = open.get(&question) {
                self.shorten(*position);
                return none();
            }
            let depth = open.len();
            if depth >= MAX_DEPTH {
                self.shorten(0);
                return none();
            }
            open.insert(question, depth);
            depth
        };
        let before = self.shortened_by.replace(usize::MAX);
        let had_met_unseen = self.met_unseen.replace(false);
        let had_met_cycle = self.met_cycle.replace(false);
        let mark = self.made.borrow().len();
        let values = answer();
        self.open.borrow_mut().remove(&question);
        let shortest = self.shortened_by.get();
        self.close(depth, mark);
        if self.met_unseen.get() {
            self.unseen.borrow_mut().insert(question);
        } else {
            self.met_unseen.set(had_met_unseen);
        }
        let met_cycle = self.met_cycle.get() || shortest != usize::MAX;
        self.met_cycle.set(had_met_cycle || met_cycle);
        if depth == 0 {
            self.met_cycle.set(false);
            self.entered.borrow_mut().clear();
        }
        if shortest >= depth || depth == 0 {
            let kept = match (met_cycle, depth) {
                (false, _) => &self.answers,
                (true, 0) => &self.outermost,
                (true, _) => &self.entered,
            };
            kept.borrow_mut().insert(question, values.clone());
            self.shortened_by.set(before);
        } else {
            self.provisional.borrow_mut().insert(question, (values.clone(), shortest));
            self.made.borrow_mut().push(question);
            self.shortened_by.set(before.min(shortest));
        }
        values
    }

    /// The answer under way needs to know who calls or passes what.
    pub(super) fn note_unseen(&self) {
        self.met_unseen.set(true);
    }

    /// A part of the answer under way is known already.
    fn recall(&self, question: &Question) {
        let unseen = self.unseen.borrow();
        if !unseen.is_empty() && unseen.contains(question) {
            self.met_unseen.set(true);
        }
    }

    fn shorten(&self, position: usize) {
        self.shortened_by.set(self.shortened_by.get().min(position));
    }

    /// The question at `depth` has its answer: what was provisional because of it is asked anew.
    fn close(&self, depth: usize, mark: usize) {
        let mut made = self.made.borrow_mut();
        let mut provisional = self.provisional.borrow_mut();
        let recent: Vec<Question> = made.drain(mark..).collect();
        for question in recent {
            let Some((_, position)) = provisional.get(&question) else { continue };
            if *position >= depth {
                provisional.remove(&question);
            } else {
                made.push(question);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Value, join, one};
    use super::*;

    fn question(at: usize) -> Question {
        Question::Argument(FileId::new(0), FunctionId::new(0), at)
    }

    fn yes() -> Values {
        one(Value::Bool(true))
    }

    /// Asks; says whether the answer was known.
    fn is_known(memo: &Memo, at: usize) -> bool {
        let mut known = true;
        memo.ask(question(at), || {
            known = false;
            yes()
        });
        known
    }

    #[test]
    fn the_next_resolver_knows_what_the_last_one_found_out() {
        let memories = Memories::default();
        let memo = memories.take();
        assert!(!is_known(&memo, 1));
        memories.give(memo);
        assert!(is_known(&memories.take(), 1));
        assert!(!is_known(&memories.take(), 1), "a memory is with one resolver at a time");
    }

    #[test]
    fn what_blind_resolvers_could_not_see_is_asked_again_with_all_that_rests_on_it() {
        let memories = Memories::default();
        let memo = memories.take();
        let unseen = || {
            memo.note_unseen();
            none()
        };
        memo.ask(question(0), || join([memo.ask(question(1), unseen), memo.ask(question(2), yes)]));
        memo.ask(question(3), || memo.ask(question(1), none));
        memories.give(memo);
        memories.see();
        let memo = memories.take();
        assert!(is_known(&memo, 2));
        for at in [0, 1, 3] {
            assert!(!is_known(&memo, at), "{at}");
        }
    }

    /// Questions that ask others, cycles included: each one's answer is its own number and what those say that it asks.
    type Asks = Vec<Vec<usize>>;

    fn asked(memo: &Memo, asks: &Asks, at: usize) -> Values {
        memo.ask(question(at), || {
            let own = one(Value::Text(at.to_string().into()));
            join(std::iter::once(own).chain(asks[at].iter().map(|&other| asked(memo, asks, other))))
        })
    }

    proptest::proptest! {
        /// Which question a thread asks first is chance: no answer may depend on it.
        #[test]
        fn an_answer_does_not_depend_on_what_was_asked_before(
            asks in proptest::collection::vec(proptest::collection::vec(0..7_usize, 0..4), 7),
            order in proptest::collection::vec(0..7_usize, 1..12),
        ) {
            let memo = Memo::default();
            for at in order {
                let alone = asked(&Memo::default(), &asks, at);
                proptest::prop_assert_eq!(asked(&memo, &asks, at), alone);
            }
        }
    }
}
