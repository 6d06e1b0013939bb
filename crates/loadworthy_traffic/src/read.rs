//! A whole file: what it is, and its requests.

use std::io::{self, BufRead, Read};

use serde_json::Value;
use thiserror::Error;

use crate::har::{self, HarEntry};
use crate::line;
use crate::record::Records;
use crate::request::{Entry, Request};

/// Longest line that is read, in bytes; what follows is passed over.
const LONGEST_LINE: usize = 1 << 20;

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Lines of text or of JSON.
    Lines,
    /// One JSON array of records.
    Records,
    /// What a browser recorded: requests of every host that its pages asked.
    Har,
}

impl Form {
    /// "2 lines", "1 entry".
    #[must_use]
    pub fn count(self, count: u64) -> String {
        let (one, many) = match self {
            Self::Lines => ("line", "lines"),
            Self::Records => ("record", "records"),
            Self::Har => ("entry", "entries"),
        };
        format!("{count} {}", if count == 1 { one } else { many })
    }
}

/// What was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Requests that were handed on.
    pub requests: u64,
    /// Lines, records or entries that are not understood.
    pub unread: u64,
}

/// Why there are no requests.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file can't be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Its first bytes are those of a compressed file.
    #[error("the file is compressed ({0})")]
    Compressed(&'static str),
    /// It begins as JSON and does not go on so.
    #[error("not valid JSON: {0}")]
    Json(serde_json::Error),
    /// Nothing in it is a request.
    #[error("no request was found in its {0}")]
    NoRequest(String),
}

/// A file whose form is known.
#[derive(Debug)]
pub struct Log<R> {
    input: R,
    form: Form,
}

impl<R: BufRead> Log<R> {
    /// Looks at the first bytes.
    ///
    /// # Errors
    /// Fails where they can't be read or are those of no log.
    pub fn open(mut input: R) -> Result<Self, ReadError> {
        let form = form(input.fill_buf()?)?;
        Ok(Self { input, form })
    }

    /// What the file is.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// Hands every request on, in the order of the file.
    ///
    /// # Errors
    /// Fails where nothing is a request, and where the file can't be read or is one JSON value that is broken.
    pub fn read(self, each: &mut dyn FnMut(Request)) -> Result<Summary, ReadError> {
        let Self { input, form } = self;
        let mut count = Count { requests: 0, others: 0, unread: 0, each };
        match form {
            Form::Lines => lines(input, &mut count)?,
            Form::Har => {
                har::har(without_mark(input)?, &mut |it: &HarEntry| count.add(it.entry())).map_err(json)?;
            }
            Form::Records => {
                let mut records = Records::default();
                har::array(without_mark(input)?, &mut |it: &Value| count.add(records.of_value(it)))
                    .map_err(json)?;
            }
        }
        count.summary(form)
    }
}

fn json(error: serde_json::Error) -> ReadError {
    if error.is_io() { ReadError::Io(error.into()) } else { ReadError::Json(error) }
}

/// What the first bytes say.
fn form(head: &[u8]) -> Result<Form, ReadError> {
    match head {
        [] => return Err(ReadError::Empty),
        [0x1f, 0x8b, ..] => return Err(ReadError::Compressed("gzip")),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => return Err(ReadError::Compressed("zstd")),
        [b'B', b'Z', b'h', ..] => return Err(ReadError::Compressed("bzip2")),
        [b'P', b'K', 3, 4, ..] => return Err(ReadError::Compressed("zip")),
        _ => {}
    }
    // Of a record, `log` is a text: the output of a container.
    let is = |wanted: &[&str]| begins(head, wanted);
    Ok(match () {
        () if is(&["{", "\"log\"", ":", "{"]) => Form::Har,
        () if is(&["[", "{"]) => Form::Records,
        () => Form::Lines,
    })
}

/// Whether these follow each other at the head, with nothing but blanks between them.
fn begins(head: &[u8], wanted: &[&str]) -> bool {
    let mut rest = head.strip_prefix(MARK).unwrap_or(head);
    wanted.iter().all(|token| {
        let next = rest.trim_ascii_start().strip_prefix(token.as_bytes());
        rest = next.unwrap_or_default();
        next.is_some()
    })
}

/// The byte order mark that editors put at the head of files.
const MARK: &[u8] = "\u{feff}".as_bytes();

fn without_mark(mut input: impl BufRead) -> io::Result<impl Read> {
    if input.fill_buf()?.starts_with(MARK) {
        input.consume(MARK.len());
    }
    Ok(input)
}

fn lines(mut input: impl BufRead, count: &mut Count<'_>) -> Result<(), ReadError> {
    let mut records = Records::default();
    let mut line = Vec::new();
    while next_line(&mut input, &mut line)? {
        let bytes = line.strip_prefix(MARK).unwrap_or(&line);
        let text = if line.len() > LONGEST_LINE { None } else { std::str::from_utf8(bytes).ok() };
        match text.map(str::trim) {
            Some("") => {}
            Some(text) if text.starts_with('{') => count.add(records.of_text(text)),
            Some(text) => count.add(line::entry(text)),
            None => count.add(Entry::Unread),
        }
    }
    Ok(())
}

/// Reads the next line, of one that is too long its head alone; whether there was one.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let most = LONGEST_LINE as u64 + 1;
    if input.by_ref().take(most).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    if line.len() > LONGEST_LINE && line.last() != Some(&b'\n') {
        input.skip_until(b'\n')?;
    }
    Ok(true)
}

struct Count<'f> {
    requests: u64,
    others: u64,
    unread: u64,
    each: &'f mut dyn FnMut(Request),
}

impl Count<'_> {
    fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Request(request) => {
                self.requests += 1;
                (self.each)(request);
            }
            Entry::Other => self.others += 1,
            Entry::Unread => self.unread += 1,
        }
    }

    fn summary(&self, form: Form) -> Result<Summary, ReadError> {
        let Self { requests, unread, .. } = *self;
        if requests > 0 {
            return Ok(Summary { requests, unread });
        }
        Err(ReadError::NoRequest(form.count(unread + self.others)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> (Vec<String>, Result<Summary, ReadError>) {
        let mut seen = Vec::new();
        let read = Log::open(bytes).and_then(|log| {
            log.read(&mut |it| {
                seen.push(format!("{} {}{}", it.method, it.host.unwrap_or_default(), it.path));
            })
        });
        (seen, read)
    }

    fn refused(bytes: &[u8]) -> String {
        of(bytes).1.unwrap_err().to_string()
    }

    #[test]
    fn lines_of_text_and_json_may_alternate_and_broken_ones_are_counted() {
        let log = b"\xef\xbb\xbfGET /a 200 1 ms\r\n\n{\"method\":\"POST\",\"url\":\"/b\"}\n\xff\xfe\n{broken\nstarted\n{\"msg\":\"x\"}\nGET /c 200 -";
        let (seen, read) = of(log);
        assert_eq!(seen, ["GET /a", "POST /b", "GET /c"]);
        assert_eq!(read.unwrap(), Summary { requests: 3, unread: 3 });
    }

    #[test]
    fn a_line_that_is_too_long_is_one_line() {
        let log = format!("GET /a 200 -\n{}\nGET /b 200 -\n", "x".repeat(3 * LONGEST_LINE));
        let (seen, read) = of(log.as_bytes());
        assert_eq!((seen.len(), read.unwrap().unread), (2, 1));
    }

    #[test]
    fn a_har_has_hosts() {
        let har = br#" { "log" : { "version": "1.2", "pages": [], "entries": [
            { "startedDateTime": "2024-01-01T00:00:00Z", "request": { "method": "GET", "url": "https://shop.example/a?b", "headers": [] }, "response": { "content": { "text": "x" } } },
            { "request": { "method": "OPTIONS", "url": "https://shop.example/a" } },
            { "request": { "method": "POST", "url": "https://cdn.example/b" } },
            { "request": { "method": "GET", "url": "data:x" } } ] } }"#;
        let (seen, read) = of(har);
        assert_eq!(seen, ["GET shop.example/a", "POST cdn.example/b"]);
        assert_eq!(read.unwrap(), Summary { requests: 2, unread: 1 });
    }

    #[test]
    fn an_array_of_records_is_read() {
        let (seen, read) = of(br#"[ {"httpRequest":{"requestMethod":"GET","requestUrl":"http://x/a"}}, {"textPayload":"up"}, 7 ]"#);
        assert_eq!(seen, ["GET x/a"]);
        assert_eq!(read.unwrap(), Summary { requests: 1, unread: 1 });
    }

    #[test]
    fn a_time_in_brackets_begins_no_array() {
        let (seen, _) = of(b"[10/Oct/2000:13:55:36 -0700] \"GET /a HTTP/1.1\" 200\n");
        assert_eq!(seen, ["GET /a"]);
    }

    #[test]
    fn what_has_no_request_is_said() {
        assert_eq!(refused(b""), "the file is empty");
        assert_eq!(refused(b"\x1f\x8b\x08"), "the file is compressed (gzip)");
        assert_eq!(refused(b"hello\nworld\n"), "no request was found in its 2 lines");
        assert_eq!(refused(br#"{"log":{"entries":[]}}"#), "no request was found in its 0 entries");
        assert!(refused(br#"{"log":{"entries":[{"#).starts_with("not valid JSON: EOF while parsing"));
        assert!(refused(br#"{"log":{"entries":7}}"#).starts_with("not valid JSON: invalid type"));
    }
}
