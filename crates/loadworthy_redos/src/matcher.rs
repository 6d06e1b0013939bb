//! Runs a program on a text as a backtracking engine does, and counts its steps.

use crate::charset::CharSet;
use crate::program::{Program, Step};
use crate::tree::Assertion;

const UNSET: usize = usize::MAX;
/// Most entries of the backtrack stack.
const DEEPEST: usize = 2_000_000;

/// The steps of one `exec` over the whole text; `None` if more than `limit`.
pub(crate) fn steps(program: &Program, text: &[u32], limit: u64) -> Option<u64> {
    let mut run = Run {
        program,
        text,
        left: limit,
        slots: vec![UNSET; program.slots],
        registers: vec![UNSET; program.registers],
        trail: Vec::new(),
    };
    let last = if program.sticky { 0 } else { text.len() };
    for start in 0..=last {
        run.slots.fill(UNSET);
        run.trail.clear();
        if run.matches(0, start)? {
            break;
        }
    }
    Some(limit - run.left)
}

struct OutOfSteps;

enum Undo {
    Try { step: usize, at: usize },
    Slot { slot: usize, was: usize },
    Register { register: usize, was: usize },
}

struct Run<'a> {
    program: &'a Program,
    text: &'a [u32],
    left: u64,
    slots: Vec<usize>,
    registers: Vec<usize>,
    trail: Vec<Undo>,
}

impl Run<'_> {
    /// Whether the steps from `step` on reach their `Done`; `None` when out of steps.
    fn matches(&mut self, step: usize, at: usize) -> Option<bool> {
        let base = self.trail.len();
        let (mut step, mut at) = (step, at);
        loop {
            self.left = self.left.checked_sub(1)?;
            if self.trail.len() > DEEPEST {
                return None;
            }
            let next = match self.program.steps.get(step) {
                None | Some(Step::Done) => return Some(true),
                Some(found) => self.advance(*found, step, at).ok()?,
            };
            match next.or_else(|| self.backtrack(base)) {
                Some(place) => (step, at) = place,
                None => return Some(false),
            }
        }
    }

    fn backtrack(&mut self, base: usize) -> Option<(usize, usize)> {
        while self.trail.len() > base {
            match self.trail.pop()? {
                Undo::Try { step, at } => return Some((step, at)),
                Undo::Slot { slot, was } => put(&mut self.slots, slot, was),
                Undo::Register { register, was } => put(&mut self.registers, register, was),
            }
        }
        None
    }

    /// Where to go on; `None` if the step fails.
    fn advance(&mut self, found: Step, step: usize, at: usize) -> Result<Option<(usize, usize)>, OutOfSteps> {
        let next = step + 1;
        Ok(match found {
            Step::Set { set, backward } => {
                let place = if backward { at.checked_sub(1) } else { Some(at) };
                place
                    .filter(|place| self.reads(set, *place))
                    .map(|place| (next, if backward { place } else { at + 1 }))
            }
            Step::Split { first, second } => {
                self.trail.push(Undo::Try { step: second, at });
                Some((first, at))
            }
            Step::Jump(target) => Some((target, at)),
            Step::Done => Some((step, at)),
            Step::Save(slot) => {
                let was = self.slots.get(slot).copied().unwrap_or(UNSET);
                self.trail.push(Undo::Slot { slot, was });
                put(&mut self.slots, slot, at);
                Some((next, at))
            }
            Step::Enter(register) => {
                let was = self.registers.get(register).copied().unwrap_or(UNSET);
                self.trail.push(Undo::Register { register, was });
                put(&mut self.registers, register, at);
                Some((next, at))
            }
            Step::Leave { register, exit } => {
                let empty = self.registers.get(register) == Some(&at);
                Some((if empty { exit } else { next }, at))
            }
            Step::Assert(assertion) => self.holds(assertion, at).then_some((next, at)),
            Step::Look { negative, after } => {
                let base = self.trail.len();
                let found = self.matches(next, at).ok_or(OutOfSteps)?;
                if found {
                    self.forget_choices(base);
                }
                (found != negative).then_some((after, at))
            }
            Step::Reference { group, backward } => self.refer(group, at, backward).map(|at| (next, at)),
        })
    }

    /// Lookarounds are atomic: their choices go, what undoes their captures stays.
    fn forget_choices(&mut self, base: usize) {
        let kept = self.trail.split_off(base.min(self.trail.len()));
        self.trail.extend(kept.into_iter().filter(|undo| !matches!(undo, Undo::Try { .. })));
    }

    fn reads(&self, set: usize, at: usize) -> bool {
        let character = self.text.get(at);
        character.is_some_and(|found| self.program.sets.get(set).is_some_and(|set| set.contains(*found)))
    }

    fn holds(&self, assertion: Assertion, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.text.get(before));
        let after = self.text.get(at);
        match assertion {
            Assertion::Start { multiline } => before.is_none_or(|found| multiline && is_line_end(*found)),
            Assertion::End { multiline } => after.is_none_or(|found| multiline && is_line_end(*found)),
            Assertion::Boundary => is_word(before) != is_word(after),
            Assertion::NoBoundary => is_word(before) == is_word(after),
        }
    }

    fn refer(&mut self, group: usize, at: usize, backward: bool) -> Option<usize> {
        let start = self.slots.get(group * 2).copied().unwrap_or(UNSET);
        let end = self.slots.get(group * 2 + 1).copied().unwrap_or(UNSET);
        if start == UNSET || end == UNSET || start >= end {
            return Some(at);
        }
        let length = end - start;
        self.left = self.left.saturating_sub(u64::try_from(length).unwrap_or(0));
        let from = if backward { at.checked_sub(length)? } else { at };
        let here = self.text.get(from..from + length)?;
        (self.text.get(start..end)? == here).then_some(if backward { from } else { at + length })
    }
}

fn put(places: &mut [usize], at: usize, value: usize) {
    if let Some(place) = places.get_mut(at) {
        *place = value;
    }
}

fn is_line_end(found: u32) -> bool {
    matches!(found, 0x0A | 0x0D | 0x2028 | 0x2029)
}

fn is_word(found: Option<&u32>) -> bool {
    found.is_some_and(|found| CharSet::word().contains(*found))
}
