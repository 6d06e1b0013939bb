//! What the words of an SQL text tell when it does not parse.

use crate::sql::{Limit, SqlShape, StatementKind, TableRef, is_marker};

/// The shape from words alone.
pub(crate) fn shape(text: &str) -> SqlShape {
    let words = words(text);
    let upper: Vec<String> = words.iter().map(|word| word.to_ascii_uppercase()).collect();
    let has = |run: &[&str]| upper.windows(run.len()).any(|part| part.iter().eq(run.iter()));
    SqlShape {
        kind: kind(&upper),
        tables: tables(&words, &upper),
        star: has(&["SELECT", "*"]),
        has_where: has(&["WHERE"]),
        limit: after(&upper, "LIMIT"),
        offset: after(&upper, "OFFSET"),
        for_update: has(&["FOR", "UPDATE"]) || has(&["FOR", "SHARE"]),
        skips_locked: has(&["SKIP", "LOCKED"]) || has(&["NOWAIT"]),
        on_conflict: has(&["ON", "CONFLICT"]) || has(&["ON", "DUPLICATE", "KEY"]),
        has_group_by: has(&["GROUP", "BY"]),
        distinct: has(&["SELECT", "DISTINCT"]),
        dynamic: words.iter().any(|word| is_marker(word)),
        ..SqlShape::default()
    }
}

/// The kind by the first word; `WITH` by the first verb after it.
pub(crate) fn kind(upper: &[String]) -> StatementKind {
    let one = |word: &str| match word {
        "SELECT" | "TABLE" | "VALUES" => Some(StatementKind::Select),
        "INSERT" | "REPLACE" => Some(StatementKind::Insert),
        "UPDATE" => Some(StatementKind::Update),
        "DELETE" => Some(StatementKind::Delete),
        "CREATE" | "ALTER" | "DROP" | "TRUNCATE" | "REINDEX" => Some(StatementKind::Ddl),
        "BEGIN" | "START" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" | "END" => {
            Some(StatementKind::Transaction)
        }
        _ => None,
    };
    let mut meaningful = upper.iter().map(String::as_str).skip_while(|word| *word == "(");
    match meaningful.next() {
        Some("WITH" | "EXPLAIN") => meaningful.find_map(one).unwrap_or_default(),
        Some(first) => one(first).unwrap_or_default(),
        None => StatementKind::Other,
    }
}

fn tables(words: &[String], upper: &[String]) -> Vec<TableRef> {
    let mut found: Vec<TableRef> = Vec::new();
    for (at, word) in upper.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| upper.get(before)).map(String::as_str);
        let names_table = match word.as_str() {
            "FROM" | "JOIN" | "INTO" => true,
            "UPDATE" => !matches!(before, Some("FOR" | "DO" | "KEY" | "ON")),
            _ => false,
        };
        let name = words.get(at + 1).filter(|name| names_table && is_name(name));
        let Some(name) = name else { continue };
        let name = name.rsplit('.').next().unwrap_or(name).to_owned();
        if !is_marker(&name) && !found.iter().any(|known| known.name == name) {
            found.push(TableRef { name, alias: None });
        }
    }
    found
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && !["SELECT", "ONLY", "LATERAL", "SET"].contains(&word.to_ascii_uppercase().as_str())
}

fn after(upper: &[String], keyword: &str) -> Limit {
    let Some(at) = upper.iter().rposition(|word| word == keyword) else { return Limit::None };
    match upper.get(at + 1).map(String::as_str) {
        Some("ALL" | "NULL") | None => Limit::None,
        Some(word) => word.parse().map_or(Limit::Parameter, Limit::Literal),
    }
}

/// Names (quotes off, dots kept), numbers, and single symbols; strings and comments left out.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '\'' => quoted(rest, '\''),
            '"' | '`' => {
                let length = quoted(rest, first);
                let inside = rest.get(..length).unwrap_or_default();
                found.push(inside.trim_matches(first).to_owned());
                length
            }
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            c if c.is_whitespace() => c.len_utf8(),
            c if c.is_alphanumeric() || c == '_' => {
                let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$');
                let length = rest.find(|c| !inside(c)).unwrap_or(rest.len());
                found.push(rest.get(..length).unwrap_or_default().to_owned());
                length
            }
            c => {
                found.push(c.to_string());
                c.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    found
}

/// The length of a quoted text, its quotes included.
fn quoted(rest: &str, quote: char) -> usize {
    let inside = rest.get(1..).unwrap_or_default();
    inside.find(quote).map_or(rest.len(), |at| at + 2)
}
