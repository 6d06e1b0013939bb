//! Parses SQL as code contains it, in whichever dialect reads it.

use sqlparser::ast::Statement;
use sqlparser::dialect::{GenericDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use crate::sql::Dialect;
use crate::sql_tokens;

/// Longer texts are read by words.
const LONGEST: usize = 60_000;
/// Chains of operators make trees as deep as they are long: with more, a text is read by words.
const MOST_OPERATORS: usize = 250;

/// The statements of `text` in the first dialect that reads it.
pub(crate) fn parse(text: &str, dialect: Dialect) -> Option<Vec<Statement>> {
    if text.len() > LONGEST || operators(text) > MOST_OPERATORS {
        return None;
    }
    let generic = |text: &str| Parser::parse_sql(&GenericDialect {}, text).ok();
    let postgres = |text: &str| Parser::parse_sql(&PostgreSqlDialect {}, text).ok();
    let mysql = |text: &str| Parser::parse_sql(&MySqlDialect {}, text).ok();
    let sqlite = |text: &str| Parser::parse_sql(&SQLiteDialect {}, text).ok();
    let any = |text: &str| {
        let found = match dialect {
            Dialect::Unknown => None,
            Dialect::PostgreSql => postgres(text),
            Dialect::MySql => mysql(text),
            Dialect::Sqlite => sqlite(text),
        };
        let all =
            || generic(text).or_else(|| postgres(text)).or_else(|| mysql(text)).or_else(|| sqlite(text));
        found.or_else(all).filter(|statements| !statements.is_empty())
    };
    any(&plain_placeholders(text)).or_else(|| any(text))
}

fn operators(text: &str) -> usize {
    const WORDS: &[&str] = &[
        "AND",
        "OR",
        "IS",
        "IN",
        "NOT",
        "LIKE",
        "ILIKE",
        "BETWEEN",
        "COLLATE",
        "UNION",
        "EXCEPT",
        "INTERSECT",
        "ISNULL",
        "NOTNULL",
        "AT",
        "JOIN",
        "XOR",
        "DIV",
        "MOD",
    ];
    let symbols = text.bytes().filter(|byte| b"+-*/|&<>=%^#~:.[!@".contains(byte)).count();
    let words = sql_tokens::words(text);
    let is_operator = |word: &&String| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known));
    symbols + words.iter().filter(is_operator).count()
}

/// `:name`, `@p1` and `%s` as `?`.
fn plain_placeholders(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut quote: Option<char> = None;
    let mut before = ' ';
    while let Some(letter) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        let names = next.is_alphabetic() || next == '_';
        match (letter, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"' | '`', None) => quote = Some(letter),
            (':' | '@', None) if names && !matches!(before, ':' | '@') => {
                while rest.peek().is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                    rest.next();
                }
                out.push('?');
                before = '?';
                continue;
            }
            ('%', None) if next == 's' => {
                rest.next();
                out.push('?');
                before = '?';
                continue;
            }
            _ => {}
        }
        out.push(letter);
        before = letter;
    }
    out
}
