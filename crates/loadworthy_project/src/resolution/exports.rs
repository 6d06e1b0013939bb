//! `exports` and `imports` of a manifest: which targets a subpath may mean.

use serde_json::Value;

/// The targets for `subpath` (`.`, `./x` or `#x`) in order of preference: sources, then the order of the file,
/// declarations last. Every condition counts: which of them a build sets is not known.
pub(crate) fn targets(table: &Value, subpath: &str) -> Vec<String> {
    let mut found = Vec::new();
    match table {
        Value::Object(entries) if entries.keys().any(|key| key.starts_with(['.', '#'])) => {
            if let Some((target, matched)) = entry(entries, subpath) {
                collect(target, matched.as_deref(), 0, &mut found);
            }
        }
        other if subpath == "." => collect(other, None, 0, &mut found),
        _ => {}
    }
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, target)| target).collect()
}

/// The exact key, else the pattern with the longest prefix, and what its `*` stands for.
fn entry<'v>(
    entries: &'v serde_json::Map<String, Value>,
    subpath: &str,
) -> Option<(&'v Value, Option<String>)> {
    if let Some(target) = entries.get(subpath) {
        return Some((target, None));
    }
    let matches = entries.iter().filter_map(|(key, target)| {
        let (prefix, suffix) = match key.split_once('*') {
            Some(parts) => parts,
            None if key.ends_with('/') => (key.as_str(), ""),
            None => return None,
        };
        let matched = subpath.strip_prefix(prefix)?.strip_suffix(suffix)?;
        (!matched.is_empty()).then(|| (prefix.len(), target, matched.to_owned()))
    });
    let best = matches.max_by_key(|(length, ..)| *length)?;
    Some((best.1, Some(best.2)))
}

/// Conditions may nest; deeper than this they are not meant seriously.
const MAX_DEPTH: usize = 16;

fn collect(target: &Value, matched: Option<&str>, depth: usize, found: &mut Vec<(u8, String)>) {
    if depth > MAX_DEPTH {
        return;
    }
    match target {
        Value::String(path) => {
            let path = match matched {
                Some(matched) if path.ends_with('/') => format!("{path}{matched}"),
                Some(matched) => path.replace('*', matched),
                None => path.clone(),
            };
            found.push((rank(&path), path));
        }
        Value::Array(choices) => choices.iter().for_each(|choice| collect(choice, matched, depth + 1, found)),
        Value::Object(conditions) => {
            conditions.values().for_each(|choice| collect(choice, matched, depth + 1, found));
        }
        _ => {}
    }
}

fn rank(path: &str) -> u8 {
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| path.ends_with(suffix));
    if ends(&[".d.ts", ".d.mts", ".d.cts"]) { 2 } else { u8::from(!ends(&[".ts", ".tsx", ".mts", ".cts"])) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_patterns_and_sugar() {
        let table = json!({
            ".": {"types": "./dist/i.d.ts", "import": {"default": "./dist/i.mjs"}, "require": "./dist/i.cjs"},
            "./features/*": "./src/features/*.ts",
            "./features/internal/*": null,
            "./old/": "./lib/",
        });
        assert_eq!(targets(&table, "."), ["./dist/i.mjs", "./dist/i.cjs", "./dist/i.d.ts"]);
        assert_eq!(targets(&table, "./features/a/b"), ["./src/features/a/b.ts"]);
        assert!(targets(&table, "./features/internal/x").is_empty());
        assert_eq!(targets(&table, "./old/x.js"), ["./lib/x.js"]);
        assert_eq!(targets(&json!("./a.js"), "."), ["./a.js"]);
        assert_eq!(targets(&json!({"import": "./a.js"}), "."), ["./a.js"]);
        assert!(targets(&json!("./a.js"), "./b").is_empty());
    }
}
