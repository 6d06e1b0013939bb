//! The difference as a patch.

use similar::TextDiff;

/// Lines of context around a change.
const CONTEXT_LINES: usize = 3;

/// A unified diff of one file that `git apply` and `patch -p1` take; `None` before means that the file is added.
#[must_use]
pub fn diff(path: &str, before: Option<&str>, after: &str) -> String {
    let old_name = before.map_or_else(|| String::from("/dev/null"), |_| format!("a/{path}"));
    TextDiff::from_lines(before.unwrap_or_default(), after)
        .unified_diff()
        .context_radius(CONTEXT_LINES)
        .header(&old_name, &format!("b/{path}"))
        .to_string()
}
