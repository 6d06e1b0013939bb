//! TOML.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Node, Value, line_at, nests_too_deep};

pub(super) fn document(text: &str) -> Option<Node> {
    if nests_too_deep(text) {
        return None;
    }
    let table = DeTable::parse(text).ok()?;
    Some(Node { value: map(text, table.get_ref()), line: 1 })
}

fn map(text: &str, table: &DeTable<'_>) -> Value {
    let mut entries: Vec<(usize, String, Node)> = table
        .iter()
        .map(|(key, value)| {
            let start = key.span().start;
            (start, key.get_ref().to_string(), Node { value: of(text, value), line: line_at(text, start) })
        })
        .collect();
    entries.sort_by_key(|(start, ..)| *start);
    Value::Map(entries.into_iter().map(|(_, key, node)| (key, node)).collect())
}

fn of(text: &str, value: &Spanned<DeValue<'_>>) -> Value {
    match value.get_ref() {
        DeValue::String(literal) => Value::Text(literal.to_string()),
        DeValue::Integer(literal) => {
            literal.as_str().replace('_', "").parse().map_or(Value::Null, Value::Number)
        }
        DeValue::Float(literal) => {
            literal.as_str().replace('_', "").parse().map_or(Value::Null, Value::Number)
        }
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(date) => Value::Text(date.to_string()),
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| Node { value: of(text, item), line: line_at(text, item.span().start) })
                .collect(),
        ),
        DeValue::Table(table) => map(text, table),
    }
}
