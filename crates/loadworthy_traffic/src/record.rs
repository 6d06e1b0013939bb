//! Records of JSON logs: pino, bunyan, winston and morgan of Node.js, nginx, Caddy, Traefik, load balancers and clouds.

use serde_json::Value;

use crate::request::Entry;
use crate::{line, time};

/// Where a record names the method, and where the address beside it.
const NAMES: [(&str, &[&str]); 12] = [
    ("req.method", &["req.originalUrl", "req.url", "req.path"]),
    ("request.method", &["request.originalUrl", "request.uri", "request.url", "request.path"]),
    ("httpRequest.requestMethod", &["httpRequest.requestUrl"]),
    ("http.request.method", &["url.path", "url.original", "url.full"]),
    ("http.method", &["http.target", "http.url", "http.url_details.path"]),
    ("meta.req.method", &["meta.req.originalUrl", "meta.req.url"]),
    ("request_method", &["request_uri", "uri"]),
    ("requestMethod", &["requestUrl", "requestPath"]),
    ("RequestMethod", &["RequestPath"]),
    ("httpMethod", &["originalUrl", "url", "path"]),
    ("method", &["originalUrl", "url", "path", "uri", "request_uri", "target"]),
    ("verb", &["originalUrl", "url", "path"]),
];

/// Texts that may hold a whole line of an access log, or another record.
const TEXTS: [&str; 6] = ["request", "message", "msg", "log", "textPayload", "MESSAGE"];

/// What a record has that is written once a request is answered.
const ANSWERS: [&str; 10] = [
    "res",
    "response",
    "status",
    "statusCode",
    "status_code",
    "responseTime",
    "httpRequest.status",
    "http.response.status_code",
    "http.status_code",
    "DownstreamStatus",
];

/// Where the time is.
const TIMES: [&str; 10] = [
    "time",
    "timestamp",
    "@timestamp",
    "ts",
    "datetime",
    "date",
    "time_iso8601",
    "time_local",
    "msec",
    "StartUTC",
];

/// Reads records one after the other.
#[derive(Default)]
pub(crate) struct Records {
    /// Whether a record with an answer was seen.
    is_answer_logged: bool,
}

impl Records {
    /// The request that a line of JSON tells of.
    pub(crate) fn of_text(&mut self, text: &str) -> Entry {
        serde_json::from_str(text).map_or(Entry::Unread, |value| self.of_value(&value))
    }

    /// The request that a record tells of.
    pub(crate) fn of_value(&mut self, record: &Value) -> Entry {
        if !record.is_object() {
            return Entry::Unread;
        }
        let at = TIMES.iter().find_map(|name| time::of_value(find(record, name)?));
        if let Some((method, address)) = named(record) {
            let is_answered = ANSWERS.iter().any(|name| find(record, name).is_some());
            // Loggers that belong to a request write it with every message; the line of its answer is the one to count.
            if self.is_answer_logged && !is_answered {
                return Entry::Other;
            }
            self.is_answer_logged |= is_answered;
            return Entry::of(method, address, at);
        }
        let texts = TEXTS.iter().filter_map(|name| find(record, name)?.as_str());
        // A valid record of something else is a message of the application.
        texts
            .map(|text| self.of_inner(text.trim(), at))
            .find(|it| *it != Entry::Unread)
            .unwrap_or(Entry::Other)
    }

    fn of_inner(&mut self, text: &str, at: Option<i64>) -> Entry {
        let inner = if text.starts_with('{') {
            // What wraps the output of a container does so once.
            match serde_json::from_str::<Value>(text) {
                Ok(inner) if named(&inner).is_some() => self.of_value(&inner),
                _ => Entry::Unread,
            }
        } else if let Some((method, address)) = line::parts(text).filter(|(_, it)| !it.contains(' ')) {
            Entry::of(method, address, at)
        } else {
            line::entry(text)
        };
        match inner {
            Entry::Request(mut request) => {
                request.at = request.at.or(at);
                Entry::Request(request)
            }
            other => other,
        }
    }
}

fn named(record: &Value) -> Option<(&str, &str)> {
    let text = |name: &str| find(record, name)?.as_str();
    NAMES.iter().find_map(|(method, addresses)| {
        let method = text(method)?;
        addresses.iter().find_map(|address| Some((method, text(address)?)))
    })
}

/// The value of a key, or of nested keys with dots between them.
fn find<'v>(record: &'v Value, name: &str) -> Option<&'v Value> {
    record.get(name).or_else(|| {
        let (outer, inner) = name.split_once('.')?;
        inner.split('.').try_fold(record.get(outer)?, |value, key| value.get(key))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<String> {
        match Records::default().of_text(text) {
            Entry::Request(it) => {
                Some(format!("{} {} {}", it.method, it.path, it.at.map_or(0, |at| at / 1000)))
            }
            _ => None,
        }
    }

    #[test]
    fn the_forms_of_loggers_and_servers() {
        let same = Some("GET /orders 971211336".to_owned());
        for record in [
            // pino-http, bunyan, express-winston, morgan
            r#"{"level":30,"time":971211336000,"req":{"id":1,"method":"GET","url":"/orders?page=2"},"res":{"statusCode":200},"responseTime":5}"#,
            r#"{"name":"shop","time":"2000-10-10T20:55:36.000Z","req":{"method":"GET","url":"/orders","headers":{}},"v":0}"#,
            r#"{"level":"info","timestamp":"2000-10-10T20:55:36Z","meta":{"req":{"method":"GET","url":"/orders"}}}"#,
            r#"{"timestamp":"2000-10-10T20:55:36Z","method":"GET","url":"/orders","status":"200"}"#,
            r#"{"timestamp":"2000-10-10T20:55:36Z","level":"http","message":"GET /orders 200 3.2 ms - 15"}"#,
            // nginx, Caddy, Traefik
            r#"{"time_local":"10/Oct/2000:13:55:36 -0700","request_method":"GET","request_uri":"/orders","status":"200"}"#,
            r#"{"time_local":"10/Oct/2000:13:55:36 -0700","request":"GET /orders HTTP/1.1","status":"200"}"#,
            r#"{"level":"info","ts":971211336.5,"request":{"method":"GET","host":"shop.example","uri":"/orders"},"status":200}"#,
            r#"{"StartUTC":"2000-10-10T20:55:36Z","RequestMethod":"GET","RequestPath":"/orders","DownstreamStatus":200}"#,
            // clouds and collectors
            r#"{"timestamp":"2000-10-10T20:55:36Z","httpRequest":{"requestMethod":"GET","requestUrl":"https://shop.example/orders","status":200}}"#,
            r#"{"@timestamp":"2000-10-10T20:55:36Z","http":{"request":{"method":"GET"}},"url":{"path":"/orders"}}"#,
            r#"{"@timestamp":"2000-10-10T20:55:36Z","http.request.method":"GET","url.path":"/orders"}"#,
            // the output of a container
            r#"{"log":"GET /orders 200 3.2 ms - 15\n","stream":"stdout","time":"2000-10-10T20:55:36Z"}"#,
            r#"{"log":"{\"req\":{\"method\":\"GET\",\"url\":\"/orders\"},\"res\":{}}\n","stream":"stdout","time":"2000-10-10T20:55:36Z"}"#,
        ] {
            assert_eq!(of(record), same, "{record}");
        }
    }

    #[test]
    fn messages_within_a_request_are_not_counted_beside_its_answer() {
        let mut records = Records::default();
        let mut is_request = |text: &str| matches!(records.of_text(text), Entry::Request(_));
        let answer = r#"{"req":{"method":"GET","url":"/orders"},"res":{"statusCode":200}}"#;
        let message = r#"{"req":{"method":"GET","url":"/orders"},"msg":"cache miss"}"#;
        assert!(is_request(answer) && !is_request(message) && is_request(answer));
    }

    #[test]
    fn a_logger_that_writes_requests_alone_is_counted_by_them() {
        let mut records = Records::default();
        let incoming = r#"{"req":{"method":"GET","url":"/orders"},"msg":"incoming request"}"#;
        assert!(matches!(records.of_text(incoming), Entry::Request(_)));
        assert_eq!(records.of_text(r#"{"res":{"statusCode":200},"msg":"request completed"}"#), Entry::Other);
        assert!(matches!(records.of_text(incoming), Entry::Request(_)));
    }

    #[test]
    fn what_is_no_record_is_not_read() {
        for text in ["{", "7", "null", r#"{"req":"#] {
            assert_eq!(Records::default().of_text(text), Entry::Unread, "{text}");
        }
        assert_eq!(Records::default().of_text(r#"{"msg":"listening"}"#), Entry::Other);
        assert_eq!(Records::default().of_text(r#"{"method":7,"url":[]}"#), Entry::Other);
    }
}
