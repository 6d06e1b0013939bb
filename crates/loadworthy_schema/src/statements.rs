//! Splits SQL text into statements, by quotes, comments and dollar quotes only.

/// A statement and the line (from 1) its first word is on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: u32,
}

pub(crate) fn split(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(';') {
            pieces.extend(piece(text, start, at));
            at += 1;
            start = at;
        } else {
            at += unit(rest);
        }
    }
    pieces.extend(piece(text, start, text.len()));
    pieces
}

fn piece(text: &str, start: usize, end: usize) -> Option<Piece<'_>> {
    let mut from = start;
    while from < end {
        let rest = text.get(from..end)?;
        let spaces = rest.len() - rest.trim_start().len();
        let comment = if is_comment(rest) { unit(rest) } else { 0 };
        if spaces + comment == 0 {
            break;
        }
        from += spaces.max(comment);
    }
    let statement = text.get(from..end)?.trim_end();
    let lines = text.get(..from)?.matches('\n').count();
    let line = u32::try_from(lines + 1).unwrap_or(u32::MAX);
    (!statement.is_empty()).then_some(Piece { text: statement, line })
}

fn is_comment(rest: &str) -> bool {
    rest.starts_with("--") || rest.starts_with("/*")
}

/// The length of the quoted text, comment or character at the start of `rest`.
fn unit(rest: &str) -> usize {
    let closed = |from: usize, end: &str| {
        let inside = rest.get(from..).unwrap_or_default();
        inside.find(end).map_or(rest.len(), |at| from + at + end.len())
    };
    match rest.as_bytes() {
        [b'-', b'-', ..] => rest.find('\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => closed(2, "*/"),
        [b'\'', ..] => closed(1, "'"),
        [b'"', ..] => closed(1, "\""),
        [b'`', ..] => closed(1, "`"),
        [b'$', ..] => dollar_tag(rest).map_or(1, |tag| closed(tag.len(), tag)),
        _ => rest.chars().next().map_or(1, char::len_utf8),
    }
}

/// `$$` or `$name$`.
fn dollar_tag(rest: &str) -> Option<&str> {
    let end = rest.get(1..)?.find('$')? + 2;
    let tag = rest.get(..end)?;
    let name = tag.trim_matches('$');
    let named = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (named && !name.starts_with(|c: char| c.is_ascii_digit())).then_some(tag)
}
