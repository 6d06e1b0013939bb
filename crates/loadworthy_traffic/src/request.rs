//! One request: its method, and what its address says.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A request that an application was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, … in capitals.
    pub method: String,
    /// Begins with a slash and does not end with one; without query, percent-decoded but for `%2F`.
    pub path: String,
    /// Host and port, where the address names them.
    pub host: Option<String>,
    /// Milliseconds since 1970.
    pub at: Option<i64>,
}

/// What a line, a record or an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A request that a route may answer.
    Request(Request),
    /// Understood, and no request that a route answers: a preflight, a tunnel, a socket, a message of the application.
    Other,
    /// Not understood.
    Unread,
}

/// Methods whose requests routes answer.
const ANSWERED: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY"];
/// Methods that servers answer by themselves, and those of file servers.
const OTHERS: [&str; 10] =
    ["OPTIONS", "CONNECT", "TRACE", "PROPFIND", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT"];

/// Whether a word in capitals is a method.
pub(crate) fn is_method(word: &str) -> bool {
    ANSWERED.contains(&word) || OTHERS.contains(&word)
}

impl Entry {
    /// Of a method in any case and an address: `/path?query`, or with scheme and host.
    pub(crate) fn of(method: &str, address: &str, at: Option<i64>) -> Self {
        let method = method.trim().to_ascii_uppercase();
        if OTHERS.contains(&method.as_str()) {
            return Self::Other;
        }
        if !ANSWERED.contains(&method.as_str()) {
            return Self::Unread;
        }
        let address = address.trim();
        if address.starts_with('/') {
            return Self::Request(Request { method, path: path(address), host: None, at });
        }
        let Some((scheme, rest)) = address.split_once("://") else { return Self::Unread };
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Self::Other;
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, rest) = rest.split_at(end);
        // A user and password before the host are nobody's business.
        let host = host.rsplit('@').next().unwrap_or(host).to_ascii_lowercase();
        Self::Request(Request { method, path: path(rest), host: Some(host), at })
    }
}

/// The path of an address without scheme and host.
fn path(address: &str) -> String {
    let bare = address.split(['?', '#']).next().unwrap_or_default();
    let parts = bare.split('/').filter(|part| !part.is_empty()).map(decoded);
    let path: String = parts.flat_map(|part| [Cow::Borrowed("/"), part]).collect();
    if path.is_empty() { String::from("/") } else { path }
}

/// A part of a path as the application sees it. A slash in it stays encoded: it separates nothing.
fn decoded(part: &str) -> Cow<'_, str> {
    let text = percent_decode_str(part).decode_utf8_lossy();
    if text.contains('/') { Cow::Owned(text.replace('/', "%2F")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, address: &str) -> Option<(String, String, Option<String>)> {
        match Entry::of(method, address, None) {
            Entry::Request(it) => Some((it.method, it.path, it.host)),
            _ => None,
        }
    }

    fn path_of(address: &str) -> String {
        of("GET", address).unwrap().1
    }

    #[test]
    fn paths_are_cut_decoded_and_without_slash_at_the_end() {
        assert_eq!(path_of("/orders/?page=2#top"), "/orders");
        assert_eq!(path_of("//orders//7"), "/orders/7");
        assert_eq!(path_of("/a%20b/%C3%A9"), "/a b/é");
        assert_eq!(path_of("/files/a%2Fb"), "/files/a%2Fb");
        assert_eq!(path_of("/x/%"), "/x/%");
        assert_eq!(path_of("/?q"), "/");
    }

    #[test]
    fn addresses_with_a_host_are_split() {
        let host = |address| of("get", address).unwrap();
        let of = |path: &str, host: &str| ("GET".to_owned(), path.to_owned(), Some(host.to_owned()));
        assert_eq!(host("https://Shop.example:8443/a?b=/c"), of("/a", "shop.example:8443"));
        assert_eq!(host("http://shop.example?b"), of("/", "shop.example"));
        assert_eq!(host("http://me:secret@shop.example/"), of("/", "shop.example"));
    }

    #[test]
    fn what_no_route_answers_is_told_from_what_is_not_understood() {
        assert_eq!(Entry::of("OPTIONS", "/orders", None), Entry::Other);
        assert_eq!(Entry::of("CONNECT", "example.com:443", None), Entry::Other);
        assert_eq!(Entry::of("GET", "wss://example.com/socket", None), Entry::Other);
        assert_eq!(Entry::of("GET", "data:text/plain,x", None), Entry::Unread);
        assert_eq!(Entry::of("FETCH", "/orders", None), Entry::Unread);
    }
}
