//! JSON with comments and trailing commas, as values with line numbers.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::{Map, Number, Value};

use crate::{Diagnostic, DiagnosticKind};

/// A parsed document.
pub(crate) struct Document<'t> {
    root: Option<ast::Value<'t>>,
    text: &'t str,
}

/// Parses a configuration file; a broken one is a diagnostic of `kind`. Empty text is null.
pub(crate) fn parse<'t>(text: &'t str, file: &str, kind: DiagnosticKind) -> Result<Document<'t>, Diagnostic> {
    match parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default()) {
        Ok(result) => Ok(Document { root: result.value, text }),
        Err(error) => {
            let line = u32::try_from(error.line_display()).ok();
            Err(Diagnostic::of_file(kind, file, format!("not valid JSON: {}", error.kind())).at_line(line))
        }
    }
}

impl Document<'_> {
    /// The whole document as a plain value.
    pub(crate) fn value(&self) -> Value {
        self.root.as_ref().map_or(Value::Null, value_of)
    }

    /// The properties of a top-level object with their one-based lines.
    pub(crate) fn lines_of(&self, key: &str) -> Vec<(String, u32)> {
        let Some(object) =
            self.root.as_ref().and_then(ast::Value::as_object).and_then(|root| root.get_object(key))
        else {
            return Vec::new();
        };
        object
            .properties
            .iter()
            .map(|property| (property.name.as_str().to_owned(), self.line_at(property.range().start)))
            .collect()
    }

    fn line_at(&self, offset: usize) -> u32 {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        let newlines = before.split(|byte| *byte == b'\n').count().saturating_sub(1);
        u32::try_from(newlines).map_or(u32::MAX, |count| count.saturating_add(1))
    }
}

fn value_of(node: &ast::Value<'_>) -> Value {
    match node {
        ast::Value::StringLit(text) => Value::String(text.value.to_string()),
        ast::Value::NumberLit(number) => number_of(number.value),
        ast::Value::BooleanLit(boolean) => Value::Bool(boolean.value),
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::Array(array) => Value::Array(array.elements.iter().map(value_of).collect()),
        ast::Value::Object(object) => Value::Object(object_of(object)),
    }
}

fn object_of(object: &ast::Object<'_>) -> Map<String, Value> {
    object
        .properties
        .iter()
        .map(|property| (property.name.as_str().to_owned(), value_of(&property.value)))
        .collect()
}

fn number_of(text: &str) -> Value {
    if let Ok(integer) = text.parse::<i64>() {
        return Value::Number(integer.into());
    }
    text.parse::<f64>().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
}

/// The strings of an array, or the one string given in its place.
pub(crate) fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
