//! Small readers of line-based text; none of them can fail.

/// Lines with their numbers, continued by a trailing backslash, without comments that begin with `#`.
pub(crate) fn instructions(text: &str) -> Vec<(u32, String)> {
    let mut found: Vec<(u32, String)> = Vec::new();
    let mut is_open = false;
    for (number, line) in (1u32..).zip(text.lines()) {
        let trimmed = line.trim();
        if trimmed.starts_with('#') || (trimmed.is_empty() && !is_open) {
            continue;
        }
        let (part, continues) = match trimmed.strip_suffix('\\') {
            Some(part) => (part.trim_end(), true),
            None => (trimmed, false),
        };
        match found.last_mut().filter(|_| is_open) {
            Some((_, open)) => {
                open.push(' ');
                open.push_str(part);
            }
            None => found.push((number, part.to_owned())),
        }
        is_open = continues;
    }
    found
}

/// Words of a command, quotes removed; `&&`, `;`, `|` and `||` are words of their own.
pub(crate) fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut is_quoted_word = false;
    for character in command.chars() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                is_quoted_word = true;
            }
            (None, ' ' | '\t' | '\n') => push(&mut words, &mut word, &mut is_quoted_word),
            (None, ';' | '&' | '|') => {
                push(&mut words, &mut word, &mut is_quoted_word);
                match words.last_mut() {
                    Some(last) if last.starts_with(character) && last.len() == 1 => last.push(character),
                    _ => words.push(character.to_string()),
                }
            }
            (Some(_) | None, _) => word.push(character),
        }
    }
    push(&mut words, &mut word, &mut is_quoted_word);
    words
}

fn push(words: &mut Vec<String>, word: &mut String, is_quoted: &mut bool) {
    if !word.is_empty() || *is_quoted {
        words.push(std::mem::take(word));
    }
    *is_quoted = false;
}

/// `KEY=value`, with an optional `export` before it, quotes and trailing comments removed.
pub(crate) fn assignment(line: &str) -> Option<(&str, String)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (key, value) = line.split_once('=')?;
    let key = key.trim();
    if !is_key(key) {
        return None;
    }
    Some((key, unquoted(value.trim())))
}

/// Whether a word can name an environment variable.
pub(crate) fn is_key(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

fn unquoted(value: &str) -> String {
    for quote in ['"', '\'', '`'] {
        if let Some(rest) = value.strip_prefix(quote) {
            return rest.split(quote).next().unwrap_or_default().to_owned();
        }
    }
    if value.starts_with('#') {
        return String::new();
    }
    let end = value.find(" #").unwrap_or(value.len());
    value.get(..end).unwrap_or(value).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continued_lines_are_one_instruction_at_their_first_line() {
        let lines = instructions("# note\nRUN a \\\n  # inner\n  && b\n\nCMD x\n");
        assert_eq!(lines, [(2, "RUN a && b".to_owned()), (6, "CMD x".to_owned())]);
    }

    #[test]
    fn commands_split_at_operators_and_keep_quotes_together() {
        assert_eq!(
            words("A=1 node 'a b'.js&&x || y;z"),
            ["A=1", "node", "a b.js", "&&", "x", "||", "y", ";", "z"]
        );
        assert_eq!(words("echo \"unterminated"), ["echo", "unterminated"]);
        assert_eq!(words("f '' x"), ["f", "", "x"]);
    }

    #[test]
    fn assignments_lose_quotes_and_comments() {
        assert_eq!(assignment("export A='x y' # note"), Some(("A", "x y".to_owned())));
        assert_eq!(assignment("URL=postgres://a#b"), Some(("URL", "postgres://a#b".to_owned())));
        assert_eq!(assignment("B= # empty"), Some(("B", String::new())));
        assert_eq!(assignment("not an assignment"), None);
        assert_eq!(assignment("a-b=1"), None);
    }
}
