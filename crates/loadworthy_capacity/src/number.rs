//! Numbers brought into range, and numbers as people read them.

/// The largest value the model calculates with; squares of it are still finite.
const LARGEST: f64 = 1e15;

/// `value` as a finite, non-negative number; not-a-number counts as zero.
pub(crate) fn within_range(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, LARGEST) }
}

/// A number with the digits that matter: whole from 100, one decimal from 10, two from 0.1, else
/// three. Zeros at the end are dropped, thousands are separated by commas.
#[must_use]
pub fn plain(value: f64) -> String {
    if !value.is_finite() {
        return "unbounded".to_owned();
    }
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let whole = with_thousands(whole);
    if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") }
}

fn with_thousands(whole: &str) -> String {
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut out = String::from(sign);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_the_digits_that_matter() {
        let shown = [0.0, 0.0234, 0.5, 2.0, 12.34, 999.6, 1_234_567.0, f64::INFINITY].map(plain);
        assert_eq!(shown, ["0", "0.023", "0.5", "2", "12.3", "1,000", "1,234,567", "unbounded"]);
    }

    #[test]
    fn values_out_of_range_become_finite() {
        assert!(within_range(f64::NAN) == 0.0 && within_range(-3.0) == 0.0);
        assert!(within_range(f64::INFINITY).is_finite());
    }
}
