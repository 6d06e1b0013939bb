//! Text of the audited code, made harmless in a terminal and in Markdown.

/// Characters that do not print, or that reorder what does (bidirectional controls).
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{061C}')
}

/// Each hidden character as `\u{…}`; line breaks as well. A tab is a space.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        push_visible(&mut out, character);
    }
    out
}

fn push_visible(out: &mut String, character: char) {
    match character {
        '\t' => out.push(' '),
        hidden if is_hidden(hidden) => out.extend(hidden.escape_unicode()),
        plain => out.push(plain),
    }
}

/// One line of prose: white space of any length is one space, hidden characters are visible.
#[must_use]
pub fn one_line(text: &str) -> String {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Prose as Markdown that renders as written. Code spans in `text` stay code spans; nothing else in
/// it is markup.
#[must_use]
pub fn markdown_prose(text: &str) -> String {
    let line = one_line(text);
    let parts: Vec<&str> = line.split('`').collect();
    let paired = if parts.len() % 2 == 1 { parts.len() } else { parts.len() - 1 };
    let mut out = String::new();
    for (place, part) in parts.iter().enumerate() {
        match (place % 2 == 1, place < paired) {
            (true, true) if !part.trim().is_empty() => out.extend(["`", &part.replace('|', "\\|"), "`"]),
            (true, true) => out.extend(["\\`", part, "\\`"]),
            (_, false) => out.extend(["\\`", &escaped(part)]),
            (false, true) => out.push_str(&escaped(part)),
        }
    }
    escaped_start(&out)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let in_word = before.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric());
        if is_markup(character) && !(character == '_' && in_word) {
            out.push('\\');
        }
        out.push(character);
        before = character;
    }
    out
}

fn is_markup(character: char) -> bool {
    matches!(character, '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$')
}

/// What would start a heading, a list or a rule at the beginning of a block.
fn escaped_start(text: &str) -> String {
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits).unwrap_or(("", text));
    if digits > 0 && [". ", ") "].iter().any(|marker| rest.starts_with(marker)) {
        return format!("{number}\\{rest}");
    }
    if text.starts_with(['#', '-', '+', '=']) { format!("\\{text}") } else { text.to_owned() }
}

/// Code as a fenced block; the fence is longer than any run of backticks inside.
pub(crate) fn code_block(code: &str, language: &str) -> String {
    let fence = "`".repeat(longest_run_of_backticks(code).max(2) + 1);
    let mut body = String::new();
    for line in code.lines() {
        for character in line.chars() {
            if character == '\t' { body.push('\t') } else { push_visible(&mut body, character) }
        }
        body.push('\n');
    }
    format!("{fence}{language}\n{body}{fence}\n")
}

fn longest_run_of_backticks(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn terminal_escapes_become_text() {
        assert_eq!(visible("a\u{1b}[31mb\u{202E}\t\r"), "a\\u{1b}[31mb\\u{202e} \\u{d}");
    }

    #[test]
    fn markup_is_escaped_and_code_spans_stay() {
        assert_eq!(
            markdown_prose("`a_b|c` and <img> *x* user_id _y_ [z](u)"),
            "`a_b\\|c` and \\<img\\> \\*x\\* user_id \\_y\\_ \\[z\\](u)"
        );
        assert_eq!(markdown_prose("an odd ` tick"), "an odd \\` tick");
        assert_eq!(markdown_prose("# title"), "\\# title");
        assert_eq!(markdown_prose("1. one"), "1\\. one");
    }

    #[test]
    fn a_fence_is_longer_than_the_backticks_inside() {
        assert_eq!(code_block("```\nx\n````", "ts"), "`````ts\n```\nx\n````\n`````\n");
    }

    proptest! {
        #[test]
        fn nothing_hidden_survives(text in any::<String>()) {
            prop_assert!(!visible(&text).chars().any(is_hidden));
            prop_assert!(!markdown_prose(&text).chars().any(is_hidden));
        }

        #[test]
        fn a_block_closes_only_at_its_end(code in "[`a\\n ~]{0,40}") {
            let block = code_block(&code, "");
            let fence = block.lines().next().unwrap().to_owned();
            prop_assert_eq!(block.lines().filter(|line| line.trim().starts_with(&fence)).count(), 2);
        }
    }
}
