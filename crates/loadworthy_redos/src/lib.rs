//! Super-linear backtracking of JavaScript regular expressions.
//!
//! A pattern is read into a position automaton whose ambiguous loops are *candidates*; each candidate is an attack
//! text, which a step-counting backtracking matcher runs at growing lengths. Only measured growth is reported, so
//! anchors, lookarounds, boundaries, references and "nothing after it can fail" need no special rule.

mod ambiguity;
mod analysis;
mod automaton;
mod charset;
mod growth;
mod matcher;
mod program;
mod tree;

pub use analysis::{Attack, Cause, Kind, Unknown, Verdict, Vulnerability, analyse, judge};
