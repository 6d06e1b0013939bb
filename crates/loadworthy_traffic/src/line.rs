//! Text lines: the common and combined forms of Apache and nginx and what is made of them (load balancers, proxies), and the
//! short ones of morgan (`GET /orders 200 3.2 ms - 15`).

use std::borrow::Cow;

use crate::request::{Entry, is_method};
use crate::time;

/// Words at the head of a line among which an unquoted request is looked for.
const HEAD: usize = 12;

/// The request that a line tells of.
pub(crate) fn entry(line: &str) -> Entry {
    let line = uncoloured(line);
    let request = quoted(&line).and_then(parts).or_else(|| bare(&line));
    match request {
        Some((method, address)) => Entry::of(method, address, time_of(&line)),
        None => Entry::Unread,
    }
}

/// The request of `GET /orders HTTP/1.1`, alone.
pub(crate) fn parts(request: &str) -> Option<(&str, &str)> {
    let (method, rest) = request.trim().split_once(' ')?;
    let rest = rest.trim();
    // Broken clients send spaces in paths; the protocol is what follows the last one.
    let address = match rest.rsplit_once(' ') {
        Some((address, protocol)) if protocol.starts_with("HTTP/") => address.trim(),
        _ => rest,
    };
    (is_method(method) && !address.is_empty()).then_some((method, address))
}

/// The first text in quotes: in every form it is the request. Those that follow are the client's words, which may look like one.
fn quoted(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once('"')?;
    let mut is_escaped = false;
    let end = rest.find(|letter| {
        let ends = letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        ends
    })?;
    rest.get(..end)
}

/// A method, a path, and a status or the protocol.
fn bare(line: &str) -> Option<(&str, &str)> {
    let words: Vec<&str> = line.split_whitespace().take(HEAD).collect();
    words.windows(3).find_map(|words| {
        let [method, address, next] = words else { return None };
        let is_address = address.starts_with('/') || address.contains("://");
        let is_status = *next == "-" || next.len() == 3 && next.bytes().all(|byte| byte.is_ascii_digit());
        (is_method(method) && is_address && (is_status || next.starts_with("HTTP/")))
            .then_some((*method, *address))
    })
}

/// The time in brackets, or one of the first words.
fn time_of(line: &str) -> Option<i64> {
    let bracketed = line.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(inner, _)| inner);
    bracketed.and_then(time::of_text).or_else(|| line.split_whitespace().take(3).find_map(time::of_text))
}

/// Without the colours of a terminal.
fn uncoloured(line: &str) -> Cow<'_, str> {
    if line.contains('\u{1b}') {
        Cow::Owned(anstream::adapter::strip_str(line).to_string())
    } else {
        Cow::Borrowed(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<String> {
        match entry(line) {
            Entry::Request(it) => {
                Some(format!("{} {} {}", it.method, it.path, it.at.map_or(0, |at| at / 1000)))
            }
            _ => None,
        }
    }

    #[test]
    fn common_and_combined() {
        let same = Some("GET /orders/7 971211336".to_owned());
        let line =
            r#"10.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /orders/7?full=1 HTTP/1.0" 200 2326"#;
        assert_eq!(of(line), same);
        assert_eq!(of(&format!(r#"{line} "http://a.example/" "Mozilla/5.0 (\"x\")""#)), same);
        assert_eq!(of(&format!("shop.example:443 {line}")), same);
        assert_eq!(of(r#"::1 - - [-] "POST /a b HTTP/1.1" 201 -"#), Some("POST /a b 0".to_owned()));
    }

    #[test]
    fn load_balancers() {
        let line = r#"https 2018-07-02T22:23:00.186641Z app/lb/50dc 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://www.example.com:443/orders HTTP/1.1" "curl/7.46.0" - -"#;
        assert_eq!(of(line), Some("GET /orders 1530570180".to_owned()));
    }

    #[test]
    fn morgan() {
        let same = Some("GET /orders 0".to_owned());
        assert_eq!(of("GET /orders 200 15 - 3.2 ms"), same);
        assert_eq!(of("\u{1b}[0mGET /orders \u{1b}[32m200\u{1b}[0m 3.2 ms - 15\u{1b}[0m"), same);
        assert_eq!(of("::1 - GET /orders HTTP/1.1 200 15 - 3.2 ms"), same);
        assert_eq!(of("api-1  | GET /orders 304 3.2 ms - -"), same);
    }

    #[test]
    fn what_is_no_request_is_not_taken_for_one() {
        for line in [
            "",
            "\"",
            "listening on 3000",
            "GET out of here 200",
            r#"1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "\x16\x03\x01" 400 150"#,
            r#"1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "-" 408 0 "-" "GET /admin HTTP/1.1""#,
        ] {
            assert_eq!(entry(line), Entry::Unread, "{line}");
        }
    }
}
