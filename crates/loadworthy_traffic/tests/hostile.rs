//! No input makes the reader panic, and what it hands on is as it promises.

use loadworthy_traffic::{Log, Request};
use proptest::prelude::*;

fn well_formed(bytes: &[u8]) {
    let mut count = 0_u64;
    let mut each = |request: Request| {
        count += 1;
        assert!(request.path.starts_with('/'), "{request:?}");
        assert!(request.path == "/" || !request.path.ends_with('/'), "{request:?}");
    };
    let result = Log::open(bytes).and_then(|log| log.read(&mut each));
    if let Ok(summary) = result {
        assert_eq!(summary.requests, count);
    }
}

/// Texts that are nearly lines of logs.
fn near_line() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("GET"),
        Just("POST"),
        Just("/a/%2F%"),
        Just("http://h/x"),
        Just("\""),
        Just("\\"),
        Just("["),
        Just("]"),
        Just("HTTP/1.1"),
        Just("200"),
        Just("{"),
        Just("}"),
        Just("\"req\":"),
        Just("\"method\":\"GET\""),
        Just("\"url\":\"/\""),
        Just(","),
        Just("\u{1b}[0m"),
        Just("10/Oct/2000:13:55:36 -0700"),
        Just("1e999"),
        Just("\"log\":"),
        Just("\"entries\":["),
        Just("\n"),
        Just("é"),
    ];
    proptest::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        well_formed(&bytes);
    }

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        well_formed(text.as_bytes());
        well_formed(format!("GET {text} HTTP/1.1").as_bytes());
    }

    #[test]
    fn nearly_lines(text in near_line()) {
        well_formed(text.as_bytes());
    }
}
