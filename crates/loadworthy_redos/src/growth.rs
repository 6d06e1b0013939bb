//! How the steps of a match grow with the length of an attack.

use crate::analysis::Kind;
use crate::matcher::steps;
use crate::program::Program;

/// Steps one measurement may take.
const LIMIT: u64 = 400_000;
/// Steps all measurements of one pattern may take.
const BUDGET: u64 = 15_000_000;
/// Repeats of the pump that exponential growth is looked for in.
const FEW: usize = 26;
/// Smallest factor of one more pump that is called exponential.
const FACTOR: f64 = 1.2;
/// Smallest measured exponent that is called quadratic: the asymptote is approached from below.
const QUADRATIC: f64 = 1.7;

/// Repeats at which linear growth shows. `a·n + b·n²` with an exponent of [`QUADRATIC`] − 0.3 from 128 to 256 repeats, the
/// least that is called quadratic, has 1.14 from 32 to 64.
const SURE_OF_LINEAR: usize = 64;
/// Largest measured exponent that is called linear there.
const LINEAR: f64 = 1.08;

/// An attack as code points.
pub(crate) struct Text {
    pub(crate) prefix: Vec<u32>,
    pub(crate) pump: Vec<u32>,
    pub(crate) suffix: Vec<u32>,
}

impl Text {
    pub(crate) fn of(prefix: &str, pump: &str, suffix: &str) -> Self {
        let points = |text: &str| text.chars().map(u32::from).collect();
        Self { prefix: points(prefix), pump: points(pump), suffix: points(suffix) }
    }

    fn repeated(&self, times: usize) -> Vec<u32> {
        let mut text = self.prefix.clone();
        for _ in 0..times {
            text.extend(&self.pump);
        }
        text.extend(&self.suffix);
        text
    }
}

/// Measures attacks on one program, up to a budget of steps.
pub(crate) struct Meter<'p> {
    program: &'p Program,
    left: u64,
}

impl<'p> Meter<'p> {
    pub(crate) fn new(program: &'p Program) -> Self {
        Self { program, left: BUDGET }
    }

    /// The growth of the steps in the repeats of the pump, if it is more than linear.
    pub(crate) fn growth(&mut self, text: &Text, may_explode: bool) -> Option<(Kind, u32)> {
        if may_explode && is_exponential(self, text) {
            return Some((Kind::Exponential, 0));
        }
        degree(self, text).map(|degree| (Kind::Polynomial, degree))
    }

    fn steps(&mut self, text: &[u32]) -> Option<u64> {
        let limit = LIMIT.min(self.left);
        let taken = steps(self.program, text, limit);
        self.left -= taken.unwrap_or(limit);
        taken
    }
}

fn is_exponential(meter: &mut Meter<'_>, text: &Text) -> bool {
    let measured: Vec<u64> = (1..=FEW).map_while(|times| meter.steps(&text.repeated(times))).collect();
    let last = measured.len();
    let apart = (last / 4).max(1);
    let at = |times: usize| times.checked_sub(1).and_then(|index| measured.get(index)).copied();
    let (Some(high), Some(middle), Some(low)) =
        (at(last), at(last.saturating_sub(apart)), at(last.saturating_sub(2 * apart)))
    else {
        return false;
    };
    let (late, early) = (ratio(high, middle), ratio(middle, low));
    let exponent = i32::try_from(apart).unwrap_or(i32::MAX);
    high > 1_000 && late >= FACTOR.powi(exponent) * 1.3 && late >= 0.75 * early
}

fn degree(meter: &mut Meter<'_>, text: &Text) -> Option<u32> {
    let mut measured = Vec::new();
    for times in [8, 16, 32, 64, 128, 256, 512] {
        let Some(count) = meter.steps(&text.repeated(times)) else { break };
        let before = measured.last().copied();
        measured.push(count);
        if times == SURE_OF_LINEAR && before.is_some_and(|before| ratio(count, before).log2() < LINEAR) {
            return None;
        }
    }
    let [.., low, middle, high] = measured.as_slice() else { return None };
    let (early, late) = (ratio(*middle, *low).log2(), ratio(*high, *middle).log2());
    (late >= QUADRATIC && early >= QUADRATIC - 0.3).then_some(rounded(late))
}

#[expect(clippy::cast_precision_loss, reason = "counts stay under the step limit")]
fn ratio(high: u64, low: u64) -> f64 {
    high as f64 / low.max(1) as f64
}

fn rounded(degree: f64) -> u32 {
    [2_u32, 3, 4, 5, 6, 7].into_iter().find(|whole| degree < f64::from(*whole) + 0.4).unwrap_or(8)
}
