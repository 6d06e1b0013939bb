//! Times as logs write them, in milliseconds since 1970.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde_json::Value;

/// `10/Oct/2000:13:55:36 -0700` of servers, else RFC 3339. Without an offset it is taken as UTC: only differences are asked
/// for.
pub(crate) fn of_text(text: &str) -> Option<i64> {
    let text = text.trim();
    // What is no time at all is sorted out before the parsers are asked.
    if !text.starts_with(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    let of_server = || strtime::parse("%d/%b/%Y:%H:%M:%S %z", text).ok()?.to_timestamp().ok();
    let of_standard = || text.parse::<Timestamp>().ok();
    let without_offset = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    let time = of_server().or_else(of_standard).or_else(without_offset)?;
    Some(time.as_millisecond())
}

/// A text, or a number of seconds, milliseconds, microseconds or nanoseconds, told by its size.
pub(crate) fn of_value(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => of_text(text).or_else(|| of_number(text.trim().parse().ok()?)),
        Value::Number(number) => of_number(number.as_f64()?),
        _ => None,
    }
}

fn of_number(number: f64) -> Option<i64> {
    let millis = match number {
        _ if !number.is_finite() || number < 0.0 => return None,
        _ if number < 1e11 => number * 1e3,
        _ if number < 1e14 => number,
        _ if number < 1e17 => number / 1e3,
        _ => number / 1e6,
    };
    #[expect(clippy::cast_possible_truncation, reason = "a number too large becomes the largest")]
    let millis = millis as i64;
    Some(millis)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_forms_give_the_same_moment() {
        let same = Some(971_211_336_000);
        assert_eq!(of_text("10/Oct/2000:13:55:36 -0700"), same);
        assert_eq!(of_text("2000-10-10T20:55:36Z"), same);
        assert_eq!(of_text("2000-10-10T13:55:36.000-07:00"), same);
        assert_eq!(of_text("2000-10-10 20:55:36"), same);
        for number in [json!(971_211_336), json!(971_211_336_000_i64), json!(971_211_336_000_000_000_i64)] {
            assert_eq!(of_value(&number), same);
        }
        assert_eq!(of_value(&json!("971211336.000")), same);
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "-", "yesterday", "99/Foo/2000:13:55:36 -0700", "2000-13-45"] {
            assert_eq!(of_text(text), None, "{text}");
        }
        assert_eq!(of_value(&json!(null)), None);
        assert_eq!(of_value(&json!(-1)), None);
    }
}
