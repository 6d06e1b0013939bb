//! Loops that read the same text in more than one way: the candidates for an attack.
//!
//! Exponential (EDA): a state returns to itself over one word by two paths. Polynomial (IDA): a word loops at `p`,
//! leads from `p` to `q`, and loops at `q`. The search's own restart at each position is such a `p`.

use std::collections::{BTreeMap, VecDeque};

use oxc_span::Span;

use crate::analysis::Cause;
use crate::automaton::{Automaton, START};

/// Product states one search may visit, and all searches together.
const MOST_VISITED: usize = 4_000;
const BUDGET: usize = 250_000;
/// States of one loop that are tried as its representative.
const TRIED: usize = 5;

pub(crate) struct Candidate {
    pub(crate) cause: Cause,
    pub(crate) prefix: String,
    pub(crate) pump: String,
    pub(crate) span: Span,
}

pub(crate) fn candidates(automaton: &Automaton) -> Vec<Candidate> {
    let graph = Graph::of(automaton);
    let mut budget = BUDGET;
    let mut found = Vec::new();
    for scc in graph.loops.iter().filter(|scc| !scc.contains(&START)) {
        let (Some(&state), Some(pump)) = (scc.first(), graph.double_cycle(scc, &mut budget)) else {
            continue;
        };
        found.extend(graph.candidate(Cause::Nested, state, pump, scc, &[]));
    }
    for (from, into) in graph.loop_pairs() {
        let Some((state, pump)) = graph.handover(from, into, &mut budget) else { continue };
        let restart = from.contains(&START);
        let cause = if restart { Cause::Restart } else { Cause::Overlap };
        let outer = if restart { &[] } else { from };
        found.extend(graph.candidate(cause, state, pump, into, outer));
    }
    found.sort_by_key(|candidate| candidate.cause);
    found
}

struct Graph<'a> {
    automaton: &'a Automaton,
    back: Vec<Vec<usize>>,
    /// The strongly connected components that have a cycle.
    loops: Vec<Vec<usize>>,
    /// For each loop, which states lead into it (its own included).
    leads_to: Vec<Vec<bool>>,
}

impl<'a> Graph<'a> {
    fn of(automaton: &'a Automaton) -> Self {
        let count = automaton.states.len();
        let mut back = vec![Vec::new(); count];
        for state in 0..count {
            for edge in automaton.edges(state) {
                if let Some(sources) = back.get_mut(edge.to) {
                    sources.push(state);
                }
            }
        }
        let mut graph = Self { automaton, back, loops: Vec::new(), leads_to: Vec::new() };
        graph.find_loops(count);
        graph
    }

    fn find_loops(&mut self, count: usize) {
        let mut done = vec![false; count];
        for state in 0..count {
            if done.get(state).copied().unwrap_or(true) {
                continue;
            }
            let ahead = self.reached(self.successors(state), Self::successors);
            if !ahead.get(state).copied().unwrap_or(false) {
                continue;
            }
            let behind = self.reached(vec![state], Self::predecessors);
            let members: Vec<usize> = (0..count)
                .filter(|at| ahead.get(*at) == Some(&true) && behind.get(*at) == Some(&true))
                .collect();
            for &member in &members {
                if let Some(place) = done.get_mut(member) {
                    *place = true;
                }
            }
            self.loops.push(members);
            self.leads_to.push(behind);
        }
    }

    fn successors(&self, state: usize) -> Vec<usize> {
        self.automaton.edges(state).iter().map(|edge| edge.to).collect()
    }

    fn predecessors(&self, state: usize) -> Vec<usize> {
        self.back.get(state).cloned().unwrap_or_default()
    }

    fn reached(&self, from: Vec<usize>, next: fn(&Self, usize) -> Vec<usize>) -> Vec<bool> {
        let mut seen = vec![false; self.automaton.states.len()];
        let mut queue = from;
        while let Some(state) = queue.pop() {
            let Some(place) = seen.get_mut(state) else { continue };
            if !std::mem::replace(place, true) {
                queue.extend(next(self, state));
            }
        }
        seen
    }

    /// Loops from the first of which the second can be reached.
    fn loop_pairs(&self) -> Vec<(&[usize], &[usize])> {
        let mut pairs = Vec::new();
        for (into, leads) in self.loops.iter().zip(&self.leads_to) {
            for from in &self.loops {
                let reaches = from.first().and_then(|state| leads.get(*state)) == Some(&true);
                if from != into && reaches {
                    pairs.push((from.as_slice(), into.as_slice()));
                }
            }
        }
        pairs
    }

    /// A word that leads from the loop's first state back to it in two ways.
    fn double_cycle(&self, scc: &[usize], budget: &mut usize) -> Option<String> {
        let &home = scc.first()?;
        self.doubled_edge(home, scc).or_else(|| {
            let inside = |state: usize| scc.binary_search(&state).is_ok();
            let forward =
                search([home, home], budget, |[left, right]| self.both_steps(*left, *right, inside));
            let meets = forward.order.iter().filter(|[left, right]| left != right);
            meets.take(12).find_map(|meet| {
                let back = search(*meet, budget, |[left, right]| self.both_steps(*left, *right, inside));
                Some(forward.word(meet)? + &back.word(&[home, home])?)
            })
        })
    }

    /// Two empty ways along one edge, as in `(a+)+`.
    fn doubled_edge(&self, home: usize, scc: &[usize]) -> Option<String> {
        let inside = |state: &usize| scc.binary_search(state).is_ok();
        let (source, target) = scc.iter().find_map(|&state| {
            let edges = self.automaton.edges(state).iter();
            let mut doubled = edges.filter(|edge| edge.ways > 1 && inside(&edge.to));
            doubled.next().map(|edge| (state, edge.to))
        })?;
        let there = self.path(home, source, inside)?;
        let across = self.automaton.sample(self.automaton.classes(target))?;
        let back = self.path(target, home, inside)?;
        Some(format!("{there}{across}{back}"))
    }

    fn both_steps(
        &self,
        left: usize,
        right: usize,
        inside: impl Fn(usize) -> bool,
    ) -> Vec<([usize; 2], char)> {
        let mut steps = Vec::new();
        for one in self.automaton.edges(left).iter().filter(|edge| inside(edge.to)) {
            let first = self.automaton.classes(one.to);
            for two in self.automaton.edges(right).iter().filter(|edge| inside(edge.to)) {
                let common = first & self.automaton.classes(two.to);
                steps.extend(self.automaton.sample(common).map(|read| ([one.to, two.to], read)));
            }
        }
        steps
    }

    /// A word that loops in `from`, leads over to `into`, and loops there; with the state of `from` it loops at.
    fn handover(&self, from: &[usize], into: &[usize], budget: &mut usize) -> Option<(usize, String)> {
        let at = self.loops.iter().position(|known| known.as_slice() == into)?;
        let leads = self.leads_to.get(at)?;
        for &p in from.iter().take(TRIED) {
            for &q in into.iter().take(TRIED) {
                let found =
                    search([p, p, q], budget, |[a, b, c]| self.three_steps([*a, *b, *c], from, into, leads));
                if let Some(word) = found.word(&[p, q, q]) {
                    return Some((p, word));
                }
            }
        }
        None
    }

    fn three_steps(
        &self,
        [a, b, c]: [usize; 3],
        from: &[usize],
        into: &[usize],
        leads: &[bool],
    ) -> Vec<([usize; 3], char)> {
        let within = |scc: &[usize], state: usize| scc.binary_search(&state).is_ok();
        let mut steps = Vec::new();
        for third in self.automaton.edges(c).iter().filter(|edge| within(into, edge.to)) {
            let classes = self.automaton.classes(third.to);
            for (pair, _) in self.both_steps(a, b, |to| leads.get(to) == Some(&true)) {
                let [first, second] = pair;
                if !within(from, first) {
                    continue;
                }
                let common = classes & self.automaton.classes(first) & self.automaton.classes(second);
                let read = self.automaton.sample(common);
                steps.extend(read.map(|read| ([first, second, third.to], read)));
            }
        }
        steps
    }

    fn path(&self, from: usize, to: usize, inside: impl Fn(&usize) -> bool) -> Option<String> {
        let mut budget = BUDGET;
        let found = search([from], &mut budget, |[state]| {
            let edges = self.automaton.edges(*state).iter().filter(|edge| inside(&edge.to));
            edges
                .filter_map(|edge| {
                    let read = self.automaton.sample(self.automaton.classes(edge.to))?;
                    Some(([edge.to], read))
                })
                .collect()
        });
        found.word(&[to])
    }

    fn candidate(
        &self,
        cause: Cause,
        state: usize,
        pump: String,
        members: &[usize],
        outer: &[usize],
    ) -> Option<Candidate> {
        let prefix = self.path(START, state, |_| true)?;
        let inner = self.loop_span(members)?;
        let span = self.loop_span(outer).map_or(inner, |outer| inner.merge(outer));
        Some(Candidate { cause, prefix, pump, span })
    }

    /// The largest unbounded repeat around the states: all its states are in their component.
    fn loop_span(&self, members: &[usize]) -> Option<Span> {
        let spans = members.iter().filter_map(|state| self.automaton.states.get(*state));
        let hull = spans.map(|state| state.span).reduce(Span::merge)?;
        let around = self.automaton.loops.iter();
        around
            .filter(|span| span.start <= hull.start && hull.end <= span.end)
            .max_by_key(|span| span.end - span.start)
            .copied()
            .or(Some(hull))
    }
}

/// What a breadth-first search reached, in order, and by which character from where.
struct Search<const N: usize> {
    order: Vec<[usize; N]>,
    came: BTreeMap<[usize; N], Option<([usize; N], char)>>,
}

impl<const N: usize> Search<N> {
    /// The word from the search's start to `place`.
    fn word(&self, place: &[usize; N]) -> Option<String> {
        let mut word = Vec::new();
        let mut at = self.came.get(place)?;
        while let Some((before, read)) = at {
            word.push(*read);
            at = self.came.get(before)?;
        }
        Some(word.iter().rev().collect())
    }
}

fn search<const N: usize>(
    start: [usize; N],
    budget: &mut usize,
    next: impl Fn(&[usize; N]) -> Vec<([usize; N], char)>,
) -> Search<N> {
    let mut found = Search { order: vec![start], came: BTreeMap::from([(start, None)]) };
    let mut queue = VecDeque::from([start]);
    while let Some(place) = queue.pop_front() {
        let steps = next(&place);
        *budget = budget.saturating_sub(steps.len().max(1));
        if *budget == 0 || found.order.len() > MOST_VISITED {
            break;
        }
        for (to, read) in steps {
            if let std::collections::btree_map::Entry::Vacant(free) = found.came.entry(to) {
                free.insert(Some((place, read)));
                found.order.push(to);
                queue.push_back(to);
            }
        }
    }
    found
}
