//! The path of a route as a regular expression, in the notations of all routers: `:id`, `:id?`, `:path*`, `:id(\\d+)`,
//! `:id{[0-9]+}`, `{/:id}`, `*`, `/*path`, `(.*)`; and how specific it is.

use loadworthy_analysis::UNKNOWN_PART;
use regex::bytes::{RegexBuilder, RegexSet, RegexSetBuilder};

/// Deepest nesting of optional parts.
const MAX_DEPTH: usize = 8;
/// Most bytes that the automaton of one path may take.
const MAX_BYTES: usize = 1 << 18;
/// Longest path in bytes that is read; longer ones are no address.
const LONGEST_PATH: usize = 2000;
/// Patterns of a set.
const SET: usize = 100;

/// How narrow a part of a path is; the more, the narrower. What ends where another path goes on is narrower still.
const WILDCARD: u8 = 0;
const PARAMETER: u8 = 1;
const CONSTRAINED: u8 = 2;
const MIXED: u8 = 3;
const LITERAL: u8 = 4;
const END: u8 = 5;

/// The paths that a route answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// A regular expression that is known to be valid.
    pub(super) expression: String,
    /// Narrowness of its parts from the left; of two patterns that a path meets, the greater answers.
    pub(super) rank: Vec<u8>,
}

impl Pattern {
    /// Of the path of a route; `None` where nothing of it is constant, so that it would meet anything.
    pub(super) fn of(path: &str) -> Option<Self> {
        // What a router checks of a parameter is left out where it can't be expressed (it looks ahead, say).
        if path.len() > LONGEST_PATH {
            return None;
        }
        // Without expressions of its own the pattern is valid and small for certain.
        let is_plain = !path.contains(['(', '{', '?']);
        [Constraints::Kept, Constraints::Dropped]
            .into_iter()
            .map(|constraints| Self::with(path, constraints))
            .find(|it| is_plain || is_valid(&it.expression))
            .filter(|it| !path.contains(UNKNOWN_PART) || it.rank.contains(&LITERAL))
    }

    fn with(path: &str, constraints: Constraints) -> Self {
        let mut pattern = Self { expression: String::from("^"), rank: Vec::new() };
        for part in split(path).into_iter().filter(|part| !part.is_empty()) {
            let mut reader = Reader { rest: part, constraints, text: String::new(), kinds: Vec::new() };
            reader.read(0);
            pattern.add(part, &reader);
        }
        pattern.expression.push_str("/?$");
        pattern.rank.push(END);
        pattern
    }

    fn add(&mut self, part: &str, read: &Reader<'_>) {
        let text = &read.text;
        let whole = match read.kinds.as_slice() {
            // A prefix that is not known is of any length, with its slash or without.
            [Piece::Wildcard] if part == UNKNOWN_PART => String::from(".*"),
            // `{/:lang}` has its slash with it.
            _ if part.starts_with("{/") => text.clone(),
            [Piece::Parameter(Some('?' | '*')) | Piece::Constrained(Some('?' | '*'))] => {
                format!("(?:/{text})?")
            }
            [Piece::Wildcard] => String::from("(?:/.*)?"),
            _ => format!("/{text}"),
        };
        self.expression.push_str(&whole);
        self.rank.push(rank(&read.kinds));
    }

    /// Whether it meets every path.
    pub(super) fn is_catch_all(&self) -> bool {
        self.rank.first() == Some(&WILDCARD) && !self.rank.contains(&LITERAL)
    }
}

/// Compiled as [`Patterns`] does it.
fn is_valid(expression: &str) -> bool {
    let mut builder = RegexBuilder::new(expression);
    builder
        .unicode(false)
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .size_limit(MAX_BYTES)
        .build()
        .is_ok()
}

/// Many patterns that are tried at once.
#[derive(Debug)]
pub(super) struct Patterns {
    sets: Vec<RegexSet>,
}

impl Patterns {
    /// Of expressions that are known to be valid.
    pub(super) fn new(expressions: &[String]) -> Self {
        // Over bytes, which keeps the automatons small; in any case, as Express compares.
        let set = |own: &[String]| {
            RegexSetBuilder::new(own)
                .unicode(false)
                .case_insensitive(true)
                .dot_matches_new_line(true)
                .size_limit(SET * MAX_BYTES)
                .build()
                .unwrap_or_else(|_| RegexSet::empty())
        };
        Self { sets: expressions.chunks(SET).map(set).collect() }
    }

    /// The places of those that a path meets.
    pub(super) fn met_by<'p>(&'p self, path: &'p str) -> impl Iterator<Item = usize> + 'p {
        let sets = self.sets.iter().enumerate();
        sets.flat_map(move |(at, set)| set.matches(path.as_bytes()).into_iter().map(move |it| at * SET + it))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Constraints {
    Kept,
    Dropped,
}

/// What a part of a path consists of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Piece {
    Literal,
    Parameter(Option<char>),
    Constrained(Option<char>),
    Wildcard,
}

fn rank(pieces: &[Piece]) -> u8 {
    let has_literal = pieces.contains(&Piece::Literal);
    let has_wildcard = pieces.contains(&Piece::Wildcard);
    match pieces {
        [Piece::Parameter(Some('*' | '+')) | Piece::Constrained(Some('*' | '+'))] => WILDCARD,
        [Piece::Parameter(_)] => PARAMETER,
        [Piece::Constrained(_)] => CONSTRAINED,
        _ if has_literal && pieces.iter().all(|it| *it == Piece::Literal) => LITERAL,
        _ if has_literal => MIXED,
        _ if has_wildcard => WILDCARD,
        _ => PARAMETER,
    }
}

/// A path at its slashes, but for those in brackets.
fn split(path: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    path.split(|letter| {
        match letter {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == '/' && depth == 0
    })
    .collect()
}

struct Reader<'p> {
    rest: &'p str,
    constraints: Constraints,
    text: String,
    kinds: Vec<Piece>,
}

impl<'p> Reader<'p> {
    fn read(&mut self, depth: usize) {
        while let Some(letter) = self.rest.chars().next() {
            if let Some(rest) = self.rest.strip_prefix(UNKNOWN_PART) {
                self.rest = rest;
                self.push(Piece::Wildcard, ".*");
                continue;
            }
            self.rest = self.rest.get(letter.len_utf8()..).unwrap_or_default();
            match letter {
                ':' if self.rest.starts_with(is_of_name) => self.parameter(),
                '*' => {
                    self.name();
                    self.push(Piece::Wildcard, ".*");
                }
                '{' if depth < MAX_DEPTH => self.optional(depth),
                '(' => self.group(),
                // `/ab?c` of older routers: the letter before it may be absent.
                '?' if self.kinds.last() == Some(&Piece::Literal) => self.text.push('?'),
                '\\' => {
                    let next = self.rest.chars().next().unwrap_or('\\');
                    self.rest = self.rest.get(next.len_utf8()..).unwrap_or_default();
                    self.literal(next);
                }
                other => self.literal(other),
            }
        }
    }

    fn push(&mut self, piece: Piece, text: &str) {
        if self.kinds.last() != Some(&piece) {
            self.kinds.push(piece);
        }
        self.text.push_str(text);
    }

    /// In a group of its own, so that a `?` that follows is of the whole letter.
    fn literal(&mut self, letter: char) {
        let escaped = regex::escape(letter.encode_utf8(&mut [0; 4]));
        let text = if letter.is_ascii() { escaped } else { format!("(?:{escaped})") };
        match letter {
            // Within an optional part; it makes nothing narrower.
            '/' => self.text.push('/'),
            _ => self.push(Piece::Literal, &text),
        }
    }

    fn name(&mut self) -> &'p str {
        let end = self.rest.find(|letter| !is_of_name(letter)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name
    }

    /// `:id`, what it must look like, and how often it is there.
    fn parameter(&mut self) {
        self.name();
        let mut own = None;
        if self.rest.starts_with('(') {
            own = self.bracketed('(', ')');
        } else if self.rest.starts_with('{') {
            // Of braces, Hono's hold an expression, those of Express 5 a part with its separator.
            let before = self.rest;
            own = self
                .bracketed('{', '}')
                .filter(|inner| !inner.starts_with(['/', '.', '-']) && !inner.contains(':') && *inner != "?");
            if own.is_none() {
                self.rest = before;
            }
        }
        let modifier = self.rest.chars().next().filter(|it| matches!(it, '?' | '*' | '+'));
        self.rest = self.rest.get(usize::from(modifier.is_some())..).unwrap_or_default();
        let own = own.filter(|_| self.constraints == Constraints::Kept);
        let own = own.map(|inner| inner.trim_start_matches('^').trim_end_matches('$'));
        if own == Some(".*") {
            return self.push(Piece::Wildcard, ".*");
        }
        let text = own.map_or_else(|| String::from("[^/]+"), |inner| format!("(?:{inner})"));
        let text = match modifier {
            Some('?') => format!("(?:{text})?"),
            Some('*') => String::from(".*"),
            Some('+') => String::from(".+"),
            _ => text,
        };
        self.push(
            if own.is_some() { Piece::Constrained(modifier) } else { Piece::Parameter(modifier) },
            &text,
        );
    }

    /// `{/:id}`
    fn optional(&mut self, depth: usize) {
        let Some(inner) = enclosed(self.rest, '{', '}') else { return self.literal('{') };
        self.rest = self.rest.get(inner.len() + 1..).unwrap_or_default();
        let mut reader =
            Reader { rest: inner, constraints: self.constraints, text: String::new(), kinds: Vec::new() };
        reader.read(depth + 1);
        let is_wildcard = reader.kinds == [Piece::Wildcard];
        let piece = if is_wildcard { Piece::Wildcard } else { Piece::Parameter(Some('?')) };
        self.push(piece, &format!("(?:{})?", reader.text));
    }

    /// `(.*)`, `(a|b)`
    fn group(&mut self) {
        let Some(inner) = enclosed(self.rest, '(', ')') else { return self.literal('(') };
        self.rest = self.rest.get(inner.len() + 1..).unwrap_or_default();
        let is_any = matches!(inner, ".*" | ".+" | "*") || self.constraints == Constraints::Dropped;
        let text = if is_any { String::from(".*") } else { format!("(?:{inner})") };
        self.push(if is_any { Piece::Wildcard } else { Piece::Constrained(None) }, &text);
    }

    fn bracketed(&mut self, open: char, close: char) -> Option<&'p str> {
        let inner = enclosed(self.rest.get(1..)?, open, close)?;
        self.rest = self.rest.get(inner.len() + 2..).unwrap_or_default();
        Some(inner)
    }
}

/// What stands before the bracket that closes the one before `text`.
fn enclosed(text: &str, open: char, close: char) -> Option<&str> {
    let mut depth = 1_usize;
    for (at, letter) in text.char_indices() {
        if letter == open {
            depth += 1;
        } else if letter == close {
            depth -= 1;
        }
        if depth == 0 {
            return text.get(..at);
        }
    }
    None
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meets(pattern: &str, path: &str) -> bool {
        let pattern = Pattern::of(pattern).unwrap();
        Patterns::new(&[pattern.expression]).met_by(path).next().is_some()
    }

    /// Of paths, those that a pattern meets.
    fn met<'p>(pattern: &str, paths: &[&'p str]) -> Vec<&'p str> {
        paths.iter().copied().filter(|path| meets(pattern, path)).collect()
    }

    #[test]
    fn the_notations_of_routers() {
        assert_eq!(met("/a/:id", &["/a", "/a/1", "/a/1/b", "/A/x.y"]), ["/a/1", "/A/x.y"]);
        assert_eq!(met("/a/:id?", &["/a", "/a/1", "/a/1/b"]), ["/a", "/a/1"]);
        assert_eq!(met("/a{/:id}", &["/a", "/a/1", "/a/1/b"]), ["/a", "/a/1"]);
        assert_eq!(met("/{/:lang}/about", &["/about", "/de/about", "/about/de"]), ["/about", "/de/about"]);
        assert_eq!(met("/a/:rest*", &["/a", "/a/1/b", "/ab"]), ["/a", "/a/1/b"]);
        assert_eq!(met("/a/:rest+", &["/a", "/a/1/b"]), ["/a/1/b"]);
        for wildcard in ["/a/*", "/a/*path", "/a/{*path}", "/a/(.*)", "/a/:path(.*)"] {
            assert_eq!(met(wildcard, &["/a/1", "/a/1/b", "/b", "/ab"]), ["/a/1", "/a/1/b"], "{wildcard}");
        }
        for digits in ["/a/:id(\\d+)", "/a/:id{[0-9]+}", "/a/:id(^[0-9]+$)"] {
            assert_eq!(met(digits, &["/a/12", "/a/me"]), ["/a/12"], "{digits}");
        }
        assert_eq!(met("/:from-:to.:ext?", &["/a-b.c", "/a-b.", "/ab"]), ["/a-b.c", "/a-b."]);
        assert_eq!(met("/(users|people)/:id", &["/people/1", "/pets/1"]), ["/people/1"]);
        assert_eq!(met("/", &["/", "/a"]), ["/"]);
        assert_eq!(met("*", &["/", "/a/b"]), ["/", "/a/b"]);
        assert_eq!(met("/a.b/c++", &["/a.b/c++", "/axb/c++"]), ["/a.b/c++"]);
        assert_eq!(met("/é/ab?c", &["/é/ac", "/é/abc"]), ["/é/ac", "/é/abc"]);
    }

    #[test]
    fn a_constraint_that_can_not_be_expressed_is_left_out() {
        assert_eq!(met("/a/:id((?!me).*)", &["/a/1", "/b/1"]), ["/a/1"]);
        assert_eq!(met("/a/:id(", &["/a/x(", "/b"]), ["/a/x("]);
    }

    #[test]
    fn a_prefix_that_is_not_known_may_be_any_but_not_the_whole() {
        assert_eq!(
            met("{?}/orders", &["/orders", "/api/v1/orders", "/api/users"]),
            ["/orders", "/api/v1/orders"]
        );
        assert_eq!(met("/{?}-x/orders", &["/a-x/orders", "/orders"]), ["/a-x/orders"]);
        assert_eq!(Pattern::of("{?}"), None);
        assert_eq!(Pattern::of("/{?}/:id"), None);
    }

    #[test]
    fn the_narrower_pattern_is_greater() {
        let rank = |path: &str| Pattern::of(path).unwrap().rank;
        assert!(rank("/a/me") > rank("/a/:id") && rank("/a") > rank("/a/:id?") && rank("/") > rank("*"));
        assert!(rank("/a/b-:id") > rank("/a/:id") && rank("/a/b") > rank("/:a/b"));
        assert!(rank("/a/:id(\\d+)") > rank("/a/:id") && rank("/a/:id") > rank("/a/*"));
        assert!(Pattern::of("*").unwrap().is_catch_all() && !Pattern::of("/a/*").unwrap().is_catch_all());
    }

    #[test]
    fn any_path_gives_a_valid_pattern_or_none() {
        let tokens = [
            "/", ":", "id", "(", ")", "{", "}", "?", "*", "+", "\\", "[", "{?}", "é", "^", "$", "|", ".", "-",
        ];
        let mut state = 7_u32;
        for _ in 0..2_000 {
            let mut path = String::new();
            for _ in 0..12 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                path.push_str(tokens[(state >> 16) as usize % tokens.len()]);
            }
            if let Some(pattern) = Pattern::of(&path) {
                Patterns::new(&[pattern.expression]).met_by("/a/b").count();
            }
        }
        assert!(
            Pattern::of(&"{".repeat(LONGEST_PATH)).is_some() && Pattern::of(&"{".repeat(100_000)).is_none()
        );
    }
}
