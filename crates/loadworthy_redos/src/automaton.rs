//! The position automaton of a pattern: one state for each character position, edges with the number of distinct
//! empty paths between two positions (1, or 2 for "more than one").
//!
//! Lookarounds, boundaries and references are empty here: the matcher, not the automaton, decides what they do.

use oxc_span::Span;

use crate::analysis::Unknown;
use crate::charset::{CharSet, MAX};
use crate::tree::{Assertion, Node, Pattern};

const MOST_POSITIONS: usize = 1_200;
const MOST_EDGES: usize = 40_000;
/// Classes of characters that no set tells apart, one bit each.
const MOST_CLASSES: usize = 128;

/// State 0 is before the match: with `restarts` it loops on every character.
pub(crate) const START: usize = 0;

pub(crate) struct Automaton {
    pub(crate) states: Vec<State>,
    /// One character for each class, in the bit order of [`State::classes`].
    pub(crate) samples: Vec<char>,
    /// The unbounded repeats of the pattern.
    pub(crate) loops: Vec<Span>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) classes: u128,
    pub(crate) span: Span,
    pub(crate) next: Vec<Edge>,
}

#[derive(Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) to: usize,
    pub(crate) ways: u8,
}

impl Automaton {
    pub(crate) fn of(pattern: &Pattern) -> Result<Self, Unknown> {
        let (samples, classes) = classes(&pattern.sets)?;
        let every = u128::MAX >> (MOST_CLASSES - samples.len().clamp(1, MOST_CLASSES));
        let mut builder = Builder {
            classes,
            edges: 0,
            visits: 0,
            automaton: Self {
                states: vec![State { classes: every, ..State::default() }],
                samples,
                loops: Vec::new(),
            },
        };
        let whole = builder.fragment(&pattern.root)?;
        if !pattern.sticky && !anchored(&pattern.root) {
            builder.connect(&[(START, 1)], &[(START, 1)])?;
        }
        builder.connect(&[(START, 1)], &whole.first)?;
        Ok(builder.automaton)
    }

    pub(crate) fn edges(&self, state: usize) -> &[Edge] {
        self.states.get(state).map_or(&[], |found| &found.next)
    }

    pub(crate) fn classes(&self, state: usize) -> u128 {
        self.states.get(state).map_or(0, |found| found.classes)
    }

    /// A character of one of `classes`.
    pub(crate) fn sample(&self, classes: u128) -> Option<char> {
        self.samples
            .iter()
            .enumerate()
            .filter(|(bit, _)| classes >> bit & 1 == 1)
            .map(|(_, sample)| *sample)
            .min_by_key(|sample| preference(*sample))
    }
}

/// Whether every match begins at the start of the text.
fn anchored(node: &Node) -> bool {
    match node {
        Node::Assert(assertion) => *assertion == Assertion::Start { multiline: false },
        Node::Cat(parts) => {
            parts.iter().find(|part| !matches!(part, Node::Look { .. } | Node::Empty)).is_some_and(anchored)
        }
        Node::Alt(parts) => parts.iter().all(anchored),
        Node::Group { body, .. } => anchored(body),
        _ => false,
    }
}

/// A sample of each class, and the classes of each set.
fn classes(sets: &[CharSet]) -> Result<(Vec<char>, Vec<u128>), Unknown> {
    let mut cuts: Vec<u32> = sets.iter().flat_map(CharSet::boundaries).chain([0]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut members: Vec<(Vec<bool>, char)> = Vec::new();
    for (at, &low) in cuts.iter().enumerate() {
        let high = cuts.get(at + 1).map_or(MAX, |next| next - 1);
        let Some(sample) = sample(low, high) else { continue };
        let key: Vec<bool> = sets.iter().map(|set| set.contains(low)).collect();
        match members.iter_mut().find(|(known, _)| *known == key) {
            Some((_, best)) if preference(sample) < preference(*best) => *best = sample,
            Some(_) => {}
            None => members.push((key, sample)),
        }
    }
    if members.len() > MOST_CLASSES {
        return Err(Unknown::TooLarge);
    }
    let of_set = |set: usize| {
        members.iter().enumerate().fold(0, |bits, (bit, (key, _))| {
            bits | (u128::from(key.get(set).copied().unwrap_or(false)) << bit)
        })
    };
    let bits = (0..sets.len()).map(of_set).collect();
    Ok((members.iter().map(|(_, sample)| *sample).collect(), bits))
}

fn sample(low: u32, high: u32) -> Option<char> {
    let near = (low..=high.min(low.saturating_add(0x80))).filter_map(char::from_u32);
    near.min_by_key(|found| preference(*found)).or_else(|| char::from_u32(high))
}

/// Plain text first: an attack should be readable.
fn preference(sample: char) -> u32 {
    match sample {
        'a'..='z' => 0,
        '0'..='9' => 1,
        'A'..='Z' => 2,
        ' ' => 3,
        '!'..='~' => 4,
        '\t' => 5,
        '\n' => 6,
        '\u{80}'.. => 7,
        _ => 8,
    }
}

type Positions = Vec<(usize, u8)>;

struct Fragment {
    /// Ways to match nothing: 0, 1, or 2 for more.
    empty: u8,
    first: Positions,
    last: Positions,
}

impl Fragment {
    fn nothing() -> Self {
        Self { empty: 1, first: Vec::new(), last: Vec::new() }
    }
}

struct Builder {
    classes: Vec<u128>,
    edges: usize,
    /// Nodes visited: nested counts of empty groups make work without making states.
    visits: usize,
    automaton: Automaton,
}

impl Builder {
    fn fragment(&mut self, node: &Node) -> Result<Fragment, Unknown> {
        self.visits += 1;
        if self.visits > MOST_EDGES {
            return Err(Unknown::TooLarge);
        }
        match node {
            Node::Empty | Node::Look { .. } | Node::Assert(_) | Node::Reference(_) => Ok(Fragment::nothing()),
            Node::Set { set, span } => self.position(*set, *span),
            Node::Group { body, .. } => self.fragment(body),
            Node::Cat(parts) => {
                let mut whole = Fragment::nothing();
                for part in parts {
                    let part = self.fragment(part)?;
                    whole = self.then(whole, part)?;
                }
                Ok(whole)
            }
            Node::Alt(parts) => {
                let mut whole = Fragment { empty: 0, ..Fragment::nothing() };
                for part in parts {
                    let part = self.fragment(part)?;
                    whole.empty = both(whole.empty, part.empty);
                    merge(&mut whole.first, &part.first, 1);
                    merge(&mut whole.last, &part.last, 1);
                }
                Ok(whole)
            }
            Node::Repeat { body, min, max, span, .. } => self.repeat(body, *min, *max, *span),
        }
    }

    fn position(&mut self, set: usize, span: Span) -> Result<Fragment, Unknown> {
        let at = self.automaton.states.len();
        if at >= MOST_POSITIONS {
            return Err(Unknown::TooLarge);
        }
        let classes = self.classes.get(set).copied().unwrap_or(0);
        self.automaton.states.push(State { classes, span, next: Vec::new() });
        Ok(Fragment { empty: 0, first: vec![(at, 1)], last: vec![(at, 1)] })
    }

    fn repeat(&mut self, body: &Node, min: u64, max: Option<u64>, span: Span) -> Result<Fragment, Unknown> {
        let most = u64::try_from(MOST_POSITIONS).unwrap_or(u64::MAX);
        if min > most || max.is_some_and(|max| max > most) {
            return Err(Unknown::TooLarge);
        }
        let mut tail = Fragment::nothing();
        match max {
            None => {
                self.automaton.loops.push(span);
                tail = self.fragment(body)?;
                let (last, first) = (tail.last.clone(), tail.first.clone());
                self.connect(&last, &first)?;
                tail.empty = if min == 0 { 1 } else { tail.empty };
            }
            // x{2,4} is xx(x(x)?)?: one way for each count.
            Some(max) => {
                for _ in min..max {
                    let one = self.fragment(body)?;
                    tail = self.then(one, tail)?;
                    tail.empty = 1;
                }
            }
        }
        let copies = if max.is_none() { min.saturating_sub(1) } else { min };
        for _ in 0..copies {
            let one = self.fragment(body)?;
            tail = self.then(one, tail)?;
        }
        Ok(tail)
    }

    fn then(&mut self, left: Fragment, right: Fragment) -> Result<Fragment, Unknown> {
        self.connect(&left.last, &right.first)?;
        let mut whole = Fragment {
            empty: left.empty.saturating_mul(right.empty).min(2),
            first: left.first,
            last: right.last,
        };
        merge(&mut whole.first, &right.first, left.empty);
        merge(&mut whole.last, &left.last, right.empty);
        Ok(whole)
    }

    fn connect(&mut self, from: &[(usize, u8)], to: &[(usize, u8)]) -> Result<(), Unknown> {
        self.edges += from.len() * to.len();
        if self.edges > MOST_EDGES {
            return Err(Unknown::TooLarge);
        }
        for &(source, ways_out) in from {
            let Some(state) = self.automaton.states.get_mut(source) else { continue };
            for &(target, ways_in) in to {
                let ways = ways_out.saturating_mul(ways_in).min(2);
                match state.next.iter_mut().find(|edge| edge.to == target) {
                    Some(edge) => edge.ways = both(edge.ways, ways),
                    None => state.next.push(Edge { to: target, ways }),
                }
            }
        }
        Ok(())
    }
}

fn both(left: u8, right: u8) -> u8 {
    left.saturating_add(right).min(2)
}

fn merge(into: &mut Positions, from: &[(usize, u8)], times: u8) {
    if times == 0 {
        return;
    }
    for &(position, ways) in from {
        let ways = ways.saturating_mul(times).min(2);
        match into.iter_mut().find(|(known, _)| *known == position) {
            Some((_, sum)) => *sum = both(*sum, ways),
            None => into.push((position, ways)),
        }
    }
}
