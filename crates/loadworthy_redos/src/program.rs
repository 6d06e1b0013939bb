//! A pattern as instructions of a backtracking machine.

use crate::analysis::Unknown;
use crate::charset::CharSet;
use crate::tree::{Assertion, Node, Pattern};

const LONGEST: usize = 6_000;
const MOST_VISITS: usize = 40_000;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// Reads one character of the set, to the left if `backward`.
    Set {
        set: usize,
        backward: bool,
    },
    /// Tries `first`, then `second`.
    Split {
        first: usize,
        second: usize,
    },
    Jump(usize),
    /// Remembers the position: even slots are group starts, odd ones ends.
    Save(usize),
    /// Remembers where an iteration begins.
    Enter(usize),
    /// Leaves the loop if the iteration read nothing.
    Leave {
        register: usize,
        exit: usize,
    },
    Assert(Assertion),
    /// Runs the steps that follow up to their `Done`, then goes on at `after`.
    Look {
        negative: bool,
        after: usize,
    },
    Reference {
        group: usize,
        backward: bool,
    },
    Done,
}

pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    pub(crate) sets: Vec<CharSet>,
    pub(crate) slots: usize,
    pub(crate) registers: usize,
    pub(crate) sticky: bool,
}

impl Program {
    pub(crate) fn of(pattern: &Pattern) -> Result<Self, Unknown> {
        let mut compiler = Compiler { steps: Vec::new(), registers: 0, visits: 0, backward: false };
        compiler.node(&pattern.root)?;
        compiler.emit(Step::Done)?;
        Ok(Self {
            steps: compiler.steps,
            sets: pattern.sets.clone(),
            slots: (pattern.groups + 1) * 2,
            registers: compiler.registers,
            sticky: pattern.sticky,
        })
    }
}

struct Compiler {
    steps: Vec<Step>,
    registers: usize,
    visits: usize,
    backward: bool,
}

impl Compiler {
    fn emit(&mut self, step: Step) -> Result<usize, Unknown> {
        if self.steps.len() >= LONGEST {
            return Err(Unknown::TooLarge);
        }
        self.steps.push(step);
        Ok(self.steps.len() - 1)
    }

    fn patch(&mut self, at: usize, step: Step) {
        if let Some(place) = self.steps.get_mut(at) {
            *place = step;
        }
    }

    fn node(&mut self, node: &Node) -> Result<(), Unknown> {
        self.visits += 1;
        if self.visits > MOST_VISITS {
            return Err(Unknown::TooLarge);
        }
        match node {
            Node::Empty => Ok(()),
            Node::Set { set, .. } => {
                let backward = self.backward;
                self.emit(Step::Set { set: *set, backward }).map(drop)
            }
            Node::Cat(parts) if self.backward => parts.iter().rev().try_for_each(|part| self.node(part)),
            Node::Cat(parts) => parts.iter().try_for_each(|part| self.node(part)),
            Node::Alt(parts) => self.alternatives(parts),
            Node::Group { index, body } => {
                let (open, close) = (index * 2, index * 2 + 1);
                self.emit(Step::Save(if self.backward { close } else { open }))?;
                self.node(body)?;
                self.emit(Step::Save(if self.backward { open } else { close })).map(drop)
            }
            Node::Look { body, ahead, negative } => self.look(body, *ahead, *negative),
            Node::Assert(assertion) => self.emit(Step::Assert(*assertion)).map(drop),
            Node::Reference(group) => {
                let backward = self.backward;
                self.emit(Step::Reference { group: *group, backward }).map(drop)
            }
            Node::Repeat { body, min, max, greedy, .. } => self.repeat(body, *min, *max, *greedy),
        }
    }

    fn alternatives(&mut self, parts: &[Node]) -> Result<(), Unknown> {
        let mut exits = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            if at + 1 == parts.len() {
                self.node(part)?;
                break;
            }
            let split = self.emit(Step::Done)?;
            self.node(part)?;
            exits.push(self.emit(Step::Done)?);
            let second = self.steps.len();
            self.patch(split, Step::Split { first: split + 1, second });
        }
        let end = self.steps.len();
        for exit in exits {
            self.patch(exit, Step::Jump(end));
        }
        Ok(())
    }

    fn look(&mut self, body: &Node, ahead: bool, negative: bool) -> Result<(), Unknown> {
        let at = self.emit(Step::Done)?;
        let outer = std::mem::replace(&mut self.backward, !ahead);
        let done = self.node(body).and_then(|()| self.emit(Step::Done));
        self.backward = outer;
        done?;
        let after = self.steps.len();
        self.patch(at, Step::Look { negative, after });
        Ok(())
    }

    fn repeat(&mut self, body: &Node, min: u64, max: Option<u64>, greedy: bool) -> Result<(), Unknown> {
        for _ in 0..min {
            self.node(body)?;
        }
        let Some(max) = max else { return self.star(body, greedy) };
        let mut splits = Vec::new();
        for _ in min..max {
            splits.push(self.emit(Step::Done)?);
            self.node(body)?;
        }
        let end = self.steps.len();
        for at in splits {
            self.patch(at, split(at + 1, end, greedy));
        }
        Ok(())
    }

    /// `split; enter; body; leave; jump back`.
    fn star(&mut self, body: &Node, greedy: bool) -> Result<(), Unknown> {
        let register = self.registers;
        self.registers += 1;
        let head = self.emit(Step::Done)?;
        self.emit(Step::Enter(register))?;
        self.node(body)?;
        let leave = self.emit(Step::Done)?;
        self.emit(Step::Jump(head))?;
        let exit = self.steps.len();
        self.patch(head, split(head + 1, exit, greedy));
        self.patch(leave, Step::Leave { register, exit });
        Ok(())
    }
}

fn split(inside: usize, outside: usize, greedy: bool) -> Step {
    if greedy {
        Step::Split { first: inside, second: outside }
    } else {
        Step::Split { first: outside, second: inside }
    }
}
