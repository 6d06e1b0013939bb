//! What was asked before: answers that hold for good, answers that hold as long as a cycle is open, and the questions
//! that are being answered.
//!
//! A question that is asked again while it is open is a cycle, and adds nothing. An answer that such a cycle shortened is
//! provisional until the question where the cycle closes has its own answer: kept for good, it would depend on which
//! question happened to be asked first, and so on the thread.

use std::cell::{Cell, RefCell};

use loadworthy_project::FileId;
use loadworthy_syntax::{ClassId, FunctionId, NodeId};
use rustc_hash::FxHashMap;

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
    /// The lowest position of an open question that an answer under way was shortened by.
    shortened_by: Cell<usize>,
    names: RefCell<FxHashMap<Box<str>, Name>>,
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
            return known.clone();
        }
        if let Some((known, position)) = self.provisional.borrow().get(&question) {
            self.shorten(*position);
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
        let mark = self.made.borrow().len();
        let values = answer();
        self.open.borrow_mut().remove(&question);
        let shortest = self.shortened_by.get();
        self.close(depth, mark);
        if shortest >= depth || depth == 0 {
            self.answers.borrow_mut().insert(question, values.clone());
            self.shortened_by.set(before);
        } else {
            self.provisional.borrow_mut().insert(question, (values.clone(), shortest));
            self.made.borrow_mut().push(question);
            self.shortened_by.set(before.min(shortest));
        }
        values
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
