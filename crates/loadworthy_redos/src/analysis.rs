//! The verdict on a pattern.

use crate::ambiguity::{Candidate, candidates};
use crate::automaton::Automaton;
use crate::growth::{Meter, Text};
use crate::program::Program;
use crate::tree;

/// Candidates that are measured.
const MOST_CANDIDATES: usize = 24;
/// Last characters that are tried to make a match fail.
const MOST_SUFFIXES: usize = 14;

/// How the time of a failing match grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// With a power of the length.
    Polynomial,
    /// Doubling (or more) with each few more characters.
    Exponential,
}

/// Why the pattern backtracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A loop reads the same text in several ways: `(a+)+`, `(a|a)*`.
    Nested,
    /// Two loops, one after the other, share text: `.*.*`.
    Overlap,
    /// One loop that the unanchored search starts again at each position: `\s+$`.
    Restart,
}

/// A text on which the pattern is slow: `prefix`, then `pump` any number of times, then `suffix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attack {
    /// Leads to the ambiguous part.
    pub prefix: String,
    /// What is repeated.
    pub pump: String,
    /// Makes the match fail.
    pub suffix: String,
}

impl Attack {
    /// The attack text with `times` repeats of the pump.
    #[must_use]
    pub fn text(&self, times: usize) -> String {
        format!("{}{}{}", self.prefix, self.pump.repeat(times), self.suffix)
    }
}

/// A pattern with super-linear backtracking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vulnerability {
    /// Exponential or polynomial.
    pub kind: Kind,
    /// The measured exponent of polynomial growth (2 or more); 0 for exponential.
    pub degree: u32,
    /// What makes it backtrack.
    pub cause: Cause,
    /// Byte offset in the pattern at which the ambiguous part starts.
    pub start: u32,
    /// Byte offset in the pattern after the ambiguous part.
    pub end: u32,
    /// A text that shows it.
    pub attack: Attack,
    /// One sentence for a reader.
    pub reason: String,
}

/// Why there is no verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The pattern or its flags are not valid.
    DoesNotParse,
    /// Longer, deeper, or with larger counts than is analysed.
    TooLarge,
    /// Uses a Unicode property or string class whose characters are not known here.
    Unsupported,
}

/// What is known of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No attack was found.
    Safe,
    /// An attack was found and measured.
    Vulnerable(Box<Vulnerability>),
    /// Not analysed.
    Unknown(Unknown),
}

/// The worst super-linear backtracking of `/pattern/flags`; `None` if safe or not analysed (see [`judge`]).
#[must_use]
pub fn analyse(pattern: &str, flags: &str) -> Option<Vulnerability> {
    match judge(pattern, flags) {
        Verdict::Vulnerable(found) => Some(*found),
        Verdict::Safe | Verdict::Unknown(_) => None,
    }
}

/// The verdict on `/pattern/flags`.
#[must_use]
pub fn judge(pattern: &str, flags: &str) -> Verdict {
    match worst(pattern, flags) {
        Ok(Some(found)) => Verdict::Vulnerable(Box::new(found)),
        Ok(None) => Verdict::Safe,
        Err(unknown) => Verdict::Unknown(unknown),
    }
}

fn worst(pattern: &str, flags: &str) -> Result<Option<Vulnerability>, Unknown> {
    let tree = tree::read(pattern, flags)?;
    let automaton = Automaton::of(&tree)?;
    let candidates = candidates(&automaton);
    if candidates.is_empty() {
        return Ok(None);
    }
    let program = Program::of(&tree)?;
    let mut meter = Meter::new(&program);
    let suffixes = suffixes(&automaton);
    let mut worst: Option<Vulnerability> = None;
    for candidate in candidates.iter().take(MOST_CANDIDATES) {
        let Some(found) = confirmed(&mut meter, candidate, &suffixes, pattern) else { continue };
        if found.kind == Kind::Exponential {
            return Ok(Some(found));
        }
        if worst.as_ref().is_none_or(|known| known.degree < found.degree) {
            worst = Some(found);
        }
    }
    Ok(worst)
}

/// Nothing, then characters of every class that the pattern tells apart, then some it may not.
fn suffixes(automaton: &Automaton) -> Vec<String> {
    let usual = ['!', '\n', '\u{0}', ' ', 'a', '0', '"', '<', '@'];
    let mut found = vec![String::new()];
    for sample in usual.iter().chain(&automaton.samples) {
        let suffix = sample.to_string();
        if found.len() < MOST_SUFFIXES && !found.contains(&suffix) {
            found.push(suffix);
        }
    }
    found.extend(["\n!".to_owned()]);
    found
}

fn confirmed(
    meter: &mut Meter<'_>,
    candidate: &Candidate,
    suffixes: &[String],
    pattern: &str,
) -> Option<Vulnerability> {
    let Candidate { cause, prefix, pump, span } = candidate;
    let mut best: Option<Vulnerability> = None;
    for (prefix, suffix) in ends(*cause, prefix, suffixes) {
        let text = Text::of(&prefix, pump, suffix);
        let Some((kind, degree)) = meter.growth(&text, *cause == Cause::Nested) else {
            continue;
        };
        if best.as_ref().is_some_and(|known| (known.kind, known.degree) >= (kind, degree)) {
            continue;
        }
        let attack = Attack { prefix, pump: pump.clone(), suffix: suffix.to_owned() };
        let (start, end) = (span.start, span.end);
        let reason = reason(kind, degree, *cause, part(pattern, start, end), &attack);
        best = Some(Vulnerability { kind, degree, cause: *cause, start, end, attack, reason });
        if kind == Kind::Exponential || *cause == Cause::Restart {
            break;
        }
    }
    best
}

/// The prefixes and suffixes to try. A restart may begin after a character that an anchored alternative stumbles on.
fn ends<'s>(cause: Cause, prefix: &str, suffixes: &'s [String]) -> Vec<(String, &'s str)> {
    let before: &[&str] = if cause == Cause::Restart { &["", "x", "!"] } else { &[""] };
    let with = |before: &&str| {
        let prefix = format!("{before}{prefix}");
        suffixes.iter().map(move |suffix| (prefix.clone(), suffix.as_str()))
    };
    before.iter().flat_map(with).collect()
}

fn part(pattern: &str, start: u32, end: u32) -> &str {
    let at = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
    pattern.get(at(start)..at(end)).unwrap_or(pattern)
}

fn reason(kind: Kind, degree: u32, cause: Cause, part: &str, attack: &Attack) -> String {
    let why = match cause {
        Cause::Nested => format!("`{part}` can read the same text in several ways"),
        Cause::Overlap => format!("the repeats in `{part}` can share the same text between them"),
        Cause::Restart => {
            format!("the unanchored search starts `{part}` again at each position it has read")
        }
    };
    let growth = match kind {
        Kind::Exponential => "time grows exponentially".to_owned(),
        Kind::Polynomial => format!("time grows with the length to the power {degree}"),
    };
    format!("{why}: {growth} on repeats of {:?} that end in {:?}", attack.pump, attack.suffix)
}
