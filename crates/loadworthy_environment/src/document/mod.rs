//! Configuration documents of every notation, as one tree of values with lines.

mod json;
mod toml;
mod yaml;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    /// One-based line of the value (of its key, in a mapping).
    pub(crate) line: u32,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file.
    Map(Vec<(String, Node)>),
}

/// Deeper nesting is refused: trees are built and dropped recursively.
const MAX_NESTING: usize = 100;

/// The documents of a file, by its extension; none where it can not be understood.
pub(crate) fn documents(path: &str, text: &str) -> Vec<Node> {
    match path.rsplit('.').next() {
        Some("json" | "jsonc") => json::document(text).into_iter().collect(),
        Some("toml" | "replit") => toml::document(text).into_iter().collect(),
        _ => yaml::documents(text),
    }
}

impl Node {
    /// The node at a dotted path of keys.
    pub(crate) fn get(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |node, key| node.key(key))
    }

    /// The node of one key, dots included.
    pub(crate) fn key(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The pairs of a mapping; none of anything else.
    pub(crate) fn entries(&self) -> &[(String, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text of a scalar, numbers and booleans included.
    pub(crate) fn text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// A number, also one written as text.
    pub(crate) fn number(&self) -> Option<f64> {
        match &self.value {
            Value::Number(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    /// A truth value, also one written as text.
    pub(crate) fn flag(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(flag) => Some(*flag),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The texts of a list, or the words of the one text in its place.
    pub(crate) fn words(&self) -> Vec<String> {
        match &self.value {
            Value::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
            _ => self.items().iter().filter_map(Self::text).collect(),
        }
    }

    /// Every node with this key, at any depth, in the order of the file.
    pub(crate) fn find_all<'n>(&'n self, key: &str, found: &mut Vec<&'n Self>) {
        for (name, node) in self.entries() {
            if name == key {
                found.push(node);
            }
            node.find_all(key, found);
        }
        for item in self.items() {
            item.find_all(key, found);
        }
    }
}

/// The one-based line of a byte.
fn line_at(text: &str, byte: usize) -> u32 {
    let before = text.as_bytes().get(..byte).unwrap_or_default();
    let newlines = before.split(|byte| *byte == b'\n').count().saturating_sub(1);
    u32::try_from(newlines).map_or(u32::MAX, |count| count.saturating_add(1))
}

/// An upper bound of the depth, from brackets and indentation.
fn nests_too_deep(text: &str) -> bool {
    let mut depth: usize = 0;
    let mut deepest = 0;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let leading =
        |line: &str| line.bytes().take_while(|byte| matches!(byte, b' ' | b'-' | b'?' | b'\t')).count();
    deepest > MAX_NESTING || text.lines().any(|line| leading(line) > 2 * MAX_NESTING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(path: &str, text: &str) -> Node {
        let mut documents = documents(path, text);
        assert_eq!(documents.len(), 1, "{text}");
        documents.remove(0)
    }

    #[test]
    fn every_notation_gives_values_with_the_line_of_their_key() {
        for (path, text) in [
            ("a.json", "{\n  // note\n  \"a\": {\"b\": 3},\n}"),
            ("a.yaml", "# note\n\na:\n  b: 3\n"),
            ("a.toml", "# note\n\n[a]\nb = 3\n"),
        ] {
            let node = one(path, text);
            assert_eq!(node.get("a.b").and_then(Node::number), Some(3.0), "{path}");
            assert!((3..=4).contains(&node.get("a.b").unwrap().line), "{path}");
        }
    }

    #[test]
    fn yaml_merges_anchors_and_keeps_several_documents() {
        let node = one("a.yml", "x: &x\n  a: 1\n  b: 1\ny:\n  <<: *x\n  b: 2\n");
        assert_eq!(node.get("y.a").and_then(Node::number), Some(1.0));
        assert_eq!(node.get("y.b").and_then(Node::number), Some(2.0));
        assert_eq!(documents("a.yml", "a: 1\n---\nb: 2\n").len(), 2);
    }

    #[test]
    fn templates_of_helm_become_unknown_text() {
        let text =
            "{{- if .Values.on }}\nspec:\n  replicas: {{ .Values.replicas }}\n  kind: web\n{{- end }}\n";
        let node = one("a.yaml", text);
        assert_eq!(node.get("spec.replicas").and_then(Node::number), None);
        assert_eq!(node.get("spec.kind").and_then(Node::text).as_deref(), Some("web"));
        assert_eq!(node.get("spec.kind").unwrap().line, 4);
    }

    #[test]
    fn broken_documents_give_nothing() {
        assert!(documents("a.json", "{\"a\":").is_empty());
        assert!(documents("a.toml", "a = ").is_empty());
        assert!(documents("a.yml", "a: [1\nb: ]:").is_empty());
        assert!(documents("a.yml", &"[".repeat(5_000)).is_empty());
        assert!(documents("a.json", &"[".repeat(5_000)).is_empty());
        assert!(documents("a.toml", &format!("a = {}", "[".repeat(5_000))).is_empty());
    }
}
