//! Numbers and sizes as they are written in configuration files.

/// A count from a number: whole, not negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of u32")]
pub(crate) fn count(number: f64) -> u32 {
    if number.is_nan() { 0 } else { number.clamp(0.0, f64::from(u32::MAX)) as u32 }
}

/// As few digits as needed: `10`, `0.5`.
pub(crate) fn plain(number: f64) -> String {
    if number.fract() == 0.0 {
        format!("{number:.0}")
    } else {
        format!("{number:.2}").trim_end_matches('0').to_owned()
    }
}

/// Memory as Kubernetes, compose, fly and Cloud Run write it, in MB (2^20 bytes): `512Mi`, `1g`, `256mb`, `2Gi`,
/// `1.5G`; a bare number counts in `unit` bytes.
pub(crate) fn megabytes(text: &str, unit: f64) -> Option<f64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(digits)?;
    let number: f64 = number.parse().ok()?;
    let bytes = match suffix.trim().to_ascii_lowercase().as_str() {
        "" => unit,
        "b" => 1.0,
        "k" | "kb" | "ki" | "kib" => 1024.0,
        "m" | "mb" | "mi" | "mib" => 1024.0 * 1024.0,
        "g" | "gb" | "gi" | "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let megabytes = number * bytes / (1024.0 * 1024.0);
    (megabytes > 0.0).then_some(megabytes)
}

/// CPU cores as Kubernetes and compose write them: `500m`, `0.5`, `2`.
pub(crate) fn cores(text: &str) -> Option<f64> {
    let text = text.trim();
    let cores = match text.strip_suffix('m') {
        Some(millis) => millis.parse::<f64>().ok()? / 1000.0,
        None => text.parse().ok()?,
    };
    (cores > 0.0 && cores.is_finite()).then_some(cores)
}

/// A product and sum of numbers and one named quantity, from left to right: `num_physical_cpus * 2 + 1`.
pub(crate) fn expression(text: &str, name: &str, quantity: f64) -> Option<f64> {
    let value = |word: &str| if word == name { Some(quantity) } else { word.parse().ok() };
    let mut words = text.split_whitespace();
    let mut result: f64 = value(words.next()?)?;
    while let Some(operator) = words.next() {
        let operand = value(words.next()?)?;
        match operator {
            "*" => result *= operand,
            "+" => result += operand,
            "-" => result -= operand,
            _ => return None,
        }
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_every_notation_are_megabytes() {
        for (text, expected) in [
            ("512Mi", 512.0),
            ("1g", 1024.0),
            ("256mb", 256.0),
            ("2Gi", 2048.0),
            ("1.5G", 1536.0),
            ("1048576", 1.0),
        ] {
            assert_eq!(megabytes(text, 1.0), Some(expected), "{text}");
        }
        assert_eq!(megabytes("512", 1024.0 * 1024.0), Some(512.0));
        for text in ["", "x", "12q", "0", "-5", "..", "${MEM}"] {
            assert_eq!(megabytes(text, 1.0), None, "{text}");
        }
    }

    #[test]
    fn cores_may_be_thousandths() {
        assert_eq!(cores("500m"), Some(0.5));
        assert_eq!(cores("2"), Some(2.0));
        assert_eq!(cores("0"), None);
        assert_eq!(cores("max"), None);
    }

    #[test]
    fn expressions_of_defaults_are_calculated() {
        assert_eq!(expression("num_physical_cpus * 2 + 1", "num_physical_cpus", 4.0), Some(9.0));
        assert_eq!(expression("driver default", "x", 1.0), None);
    }

    #[test]
    fn numbers_print_without_trailing_zeros() {
        assert_eq!(plain(10.0), "10");
        assert_eq!(plain(0.5), "0.5");
        assert_eq!(plain(0.25), "0.25");
    }
}
