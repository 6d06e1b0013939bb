//! What one request of a route sends, as a formula in the rounds of its loops: `2 + 3·N`.

use crate::analysis::Analysis;
use crate::tally::{Trip, TripKind, chosen};
use crate::values::Site;

/// Rounds of every loop where the ways of a branch are compared: a way with a loop sends more than one with a few queries.
const ROUNDS: f64 = 10.0;

/// So many trips in each round of some loops.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Term {
    /// Trips in one round of the innermost loop.
    pub count: u64,
    /// The loops, outermost first; empty for what is sent once. Rounds multiply.
    pub loops: Vec<Site>,
    /// What is sent.
    pub sites: Vec<Site>,
}

/// What is sent in all: the sum of the terms, what is sent once first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Formula {
    /// In the order of the code.
    pub terms: Vec<Term>,
}

impl Formula {
    /// The trips of one kind among those of a function or route, on the way through the branches that sends most.
    #[must_use]
    pub fn of(analysis: &Analysis<'_>, trips: &[Trip], kind: TripKind) -> Self {
        let statements = |trip: &Trip| {
            let query = analysis.queries().at(trip.site);
            let is_query = kind == TripKind::Query;
            query.filter(|_| is_query).map_or(1, |query| u64::from(query.statements()))
        };
        let worth = |trip: &Trip| {
            let rounds = trip.loops.iter().fold(1.0, |all, _| all * ROUNDS);
            f64::from(u32::try_from(statements(trip)).unwrap_or(u32::MAX)) * rounds
        };
        let own: Vec<&Trip> = trips.iter().filter(|trip| trip.kind == kind).collect();
        let mut formula = Self::default();
        for trip in chosen(&own, &worth) {
            let loops: Vec<Site> = trip.loops.iter().map(|repeat| repeat.at).collect();
            match formula.terms.iter_mut().find(|term| term.loops == loops) {
                Some(term) => {
                    term.count += statements(trip);
                    term.sites.push(trip.site);
                }
                None => formula.terms.push(Term { count: statements(trip), loops, sites: vec![trip.site] }),
            }
        }
        formula.terms.sort_by(|a, b| (a.loops.len(), &a.loops).cmp(&(b.loops.len(), &b.loops)));
        formula
    }

    /// Whether nothing is sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// `2 + 3·N + N·M`: each loop has its letter, the same in every term.
    #[must_use]
    pub fn text(&self) -> String {
        let mut known: Vec<Site> = Vec::new();
        let terms: Vec<String> = self.terms.iter().map(|term| term.text(&mut known)).collect();
        if terms.is_empty() { String::from("0") } else { terms.join(" + ") }
    }
}

/// Names of loops; beyond them every loop is `…`.
const LETTERS: [&str; 6] = ["N", "M", "K", "P", "Q", "R"];

impl Term {
    fn text(&self, known: &mut Vec<Site>) -> String {
        let letters = self.loops.iter().map(|at| {
            let position = known.iter().position(|it| it == at).unwrap_or_else(|| {
                known.push(*at);
                known.len() - 1
            });
            (*LETTERS.get(position).unwrap_or(&"…")).to_owned()
        });
        let number = (self.count != 1 || self.loops.is_empty()).then(|| self.count.to_string());
        number.into_iter().chain(letters).collect::<Vec<_>>().join("·")
    }
}

#[cfg(test)]
mod tests {
    use loadworthy_project::FileId;
    use loadworthy_syntax::NodeId;

    use super::*;

    fn site(at: u32) -> Site {
        (FileId::new(0), NodeId::new(usize::try_from(at).unwrap()))
    }

    fn term(count: u64, loops: &[u32]) -> Term {
        Term { count, loops: loops.iter().map(|at| site(*at)).collect(), sites: Vec::new() }
    }

    #[test]
    fn loops_have_one_letter_each() {
        let formula = Formula { terms: vec![term(2, &[]), term(1, &[7]), term(3, &[7, 9])] };
        assert_eq!(formula.text(), "2 + N + 3·N·M");
        assert_eq!(Formula::default().text(), "0");
        assert_eq!(Formula { terms: vec![term(1, &[])] }.text(), "1");
    }
}
