//! YAML: several documents, anchors, merge keys, and the templates of Helm as far as they leave a document.

use std::borrow::Cow;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};

use super::{Node, Value, nests_too_deep};

/// What an expression of a template stands for; no reader takes it for a value.
const TEMPLATED: &str = "__templated__";

/// Most nodes of one file: anchors can multiply.
const MAX_NODES: usize = 200_000;

pub(super) fn documents(text: &str) -> Vec<Node> {
    let text = without_templates(text);
    if nests_too_deep(&text) {
        return Vec::new();
    }
    let Ok(documents) = MarkedYaml::load_from_str(&text) else { return Vec::new() };
    let mut budget = MAX_NODES;
    documents.iter().filter_map(|document| node(document, None, &mut budget)).collect()
}

/// `line`: of the key.
fn node(yaml: &MarkedYaml<'_>, line: Option<u32>, budget: &mut usize) -> Option<Node> {
    *budget = budget.checked_sub(1)?;
    let line = line.unwrap_or_else(|| line_of(yaml));
    let value = match &yaml.data {
        YamlData::Value(scalar) => of_scalar(scalar),
        YamlData::Representation(text, ..) => Value::Text(text.to_string()),
        YamlData::Tagged(_, inner) => node(inner, Some(line), budget)?.value,
        YamlData::Sequence(items) => {
            Value::List(items.iter().filter_map(|item| node(item, None, budget)).collect())
        }
        YamlData::Mapping(pairs) => {
            let mut entries = Vec::new();
            for (key, value) in pairs {
                let Some(name) = node(key, None, budget).and_then(|key| key.text()) else { continue };
                let Some(value) = node(value, Some(line_of(key)), budget) else { continue };
                entries.push((name, value));
            }
            Value::Map(merged(entries))
        }
        YamlData::BadValue | YamlData::Alias(_) => Value::Null,
    };
    Some(Node { value, line })
}

fn line_of(yaml: &MarkedYaml<'_>) -> u32 {
    u32::try_from(yaml.span.start.line()).unwrap_or(u32::MAX)
}

fn of_scalar(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(flag) => Value::Bool(*flag),
        #[expect(clippy::cast_precision_loss, reason = "settings are far below 2^53")]
        Scalar::Integer(number) => Value::Number(*number as f64),
        Scalar::FloatingPoint(number) => Value::Number(number.into_inner()),
        Scalar::String(text) if text.contains(TEMPLATED) => Value::Null,
        Scalar::String(text) => Value::Text(text.to_string()),
    }
}

/// `<<: *anchor` gives what the mapping does not say itself.
fn merged(entries: Vec<(String, Node)>) -> Vec<(String, Node)> {
    if !entries.iter().any(|(key, _)| key == "<<") {
        return entries;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| key == "<<");
    for (_, merge) in merges {
        let sources = if merge.items().is_empty() { vec![merge] } else { merge.items().to_vec() };
        for (key, value) in sources.iter().flat_map(Node::entries) {
            if !own.iter().any(|(known, _)| known == key) {
                own.push((key.clone(), value.clone()));
            }
        }
    }
    own
}

/// Lines that only hold a template become empty, so that the numbers of the others stay.
fn without_templates(text: &str) -> Cow<'_, str> {
    if !text.contains("{{") {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    for line in text.lines() {
        let trimmed = line.trim();
        if !(trimmed.starts_with("{{") && trimmed.ends_with("}}")) {
            push_without_templates(line, &mut clean);
        }
        clean.push('\n');
    }
    Cow::Owned(clean)
}

fn push_without_templates(line: &str, clean: &mut String) {
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("{{") {
        clean.push_str(before);
        let Some((_, after)) = after.split_once("}}") else { return };
        clean.push_str(TEMPLATED);
        rest = after;
    }
    clean.push_str(rest);
}
