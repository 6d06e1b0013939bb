//! YAML documents, guarded against input that nests without end.

use saphyr::{LoadableYamlNode, Yaml};

use crate::{Diagnostic, DiagnosticKind};

/// Deeper nesting is refused: the loaded tree is dropped recursively.
const MAX_NESTING: usize = 200;

/// Parses the first document; a broken one is a diagnostic of `kind`.
pub(crate) fn parse<'t>(text: &'t str, file: &str, kind: DiagnosticKind) -> Result<Yaml<'t>, Diagnostic> {
    if nests_too_deep(text) {
        return Err(Diagnostic::of_file(kind, file, "not read: nested too deep"));
    }
    match Yaml::load_from_str(text) {
        Ok(documents) => Ok(documents.into_iter().next().unwrap_or(Yaml::BadValue)),
        Err(error) => {
            let line = u32::try_from(error.marker().line()).ok();
            Err(Diagnostic::of_file(kind, file, format!("not valid YAML: {}", error.info())).at_line(line))
        }
    }
}

/// An upper bound of the depth, from brackets, indentation and compact sequences.
fn nests_too_deep(text: &str) -> bool {
    let brackets = text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if brackets > MAX_NESTING && deepest_brackets(text) > MAX_NESTING {
        return true;
    }
    text.lines().any(|line| {
        line.bytes().take_while(|byte| matches!(byte, b' ' | b'-' | b'?' | b'\t')).count() > MAX_NESTING
    })
}

fn deepest_brackets(text: &str) -> usize {
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
    deepest
}

/// The pairs of a mapping as text; other values are skipped.
pub(crate) fn entries<'y>(node: Option<&'y Yaml<'_>>) -> impl Iterator<Item = (String, &'y Yaml<'y>)> {
    node.and_then(Yaml::as_mapping)
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((scalar(key)?, value)))
}

/// The text of a scalar, numbers included (`3.10` written bare is a number).
pub(crate) fn scalar(node: &Yaml<'_>) -> Option<String> {
    if let Some(text) = node.as_str() {
        return Some(text.to_owned());
    }
    if let Some(integer) = node.as_integer() {
        return Some(integer.to_string());
    }
    node.as_floating_point().map(|number| number.to_string())
}
