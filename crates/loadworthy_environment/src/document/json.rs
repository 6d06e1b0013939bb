//! JSON, with comments and trailing commas.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::{Node, Value, line_at, nests_too_deep};

pub(super) fn document(text: &str) -> Option<Node> {
    if nests_too_deep(text) {
        return None;
    }
    let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default()).ok()?;
    parsed.value.map(|value| node(text, &value, None))
}

/// `start`: where the key stands.
fn node(text: &str, value: &ast::Value<'_>, start: Option<usize>) -> Node {
    let line = line_at(text, start.unwrap_or_else(|| value.range().start));
    let value = match value {
        ast::Value::StringLit(literal) => Value::Text(literal.value.to_string()),
        ast::Value::NumberLit(literal) => literal.value.parse().map_or(Value::Null, Value::Number),
        ast::Value::BooleanLit(literal) => Value::Bool(literal.value),
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::Array(array) => {
            Value::List(array.elements.iter().map(|item| node(text, item, None)).collect())
        }
        ast::Value::Object(object) => {
            let properties = object.properties.iter();
            Value::Map(
                properties
                    .map(|it| (it.name.as_str().to_owned(), node(text, &it.value, Some(it.range().start))))
                    .collect(),
            )
        }
    };
    Node { value, line }
}
