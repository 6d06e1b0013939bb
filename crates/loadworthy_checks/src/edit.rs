//! Edits of audited code: an option or an argument added to a call, text put in, replaced or put behind a statement; and how
//! code looks afterwards.

use loadworthy_analysis::Site;
use loadworthy_project::FileId;
use loadworthy_syntax::{Kind, List, Module, NodeId};

use crate::audit::{Audit, dedent};
use crate::finding::Edit;

/// Adds `text` (`timeout: 10_000`) to the options that are argument `at` of a call; negative from the end. `None` where
/// that is no small change.
pub(crate) fn add_option(audit: &Audit<'_, '_>, call: Site, at: i8, text: &str) -> Option<Edit> {
    let module = audit.module(call)?;
    let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = module.kind(call.1) else {
        return None;
    };
    let given: Vec<NodeId> = module.list(arguments).collect();
    if given.iter().any(|node| matches!(module.kind(*node), Kind::Spread(_))) {
        return None;
    }
    let last = given.len().checked_sub(1);
    let index = usize::try_from(at).ok().or(last).unwrap_or(0);
    match given.get(index) {
        Some(options) => match module.kind(*options) {
            Kind::Object(parts) => match value_of(module, parts, text) {
                Some((value, new)) => Some(replace(audit, (call.0, value), new.to_owned())),
                None => into_object(audit, call, *options, parts, &missing(module, parts, text)),
            },
            Kind::String(_) | Kind::Template { .. } | Kind::Binary { .. } if at < 0 => {
                append(audit, call, given.len(), given.len(), &format!("{{ {text} }}"))
            }
            Kind::Name { .. } | Kind::Member { .. } => {
                let own = module.source(*options);
                Some(replace(audit, (call.0, *options), format!("{{ {text}, ...{own} }}")))
            }
            _ => None,
        },
        None => append(audit, call, given.len(), index, &format!("{{ {text} }}")),
    }
}

/// The value that an object has for the key of `text` (`timeout: 10_000`), and the one it should have.
fn value_of<'t>(module: &Module, parts: List, text: &'t str) -> Option<(NodeId, &'t str)> {
    let (key, new) = text.split_once(": ")?;
    let value = module.list(parts).find_map(|part| match module.kind(part) {
        Kind::Property { key: own, value } if module.str(own) == key => Some(value),
        _ => None,
    })?;
    (!new.contains("}, ") && !new.contains(", ")).then_some((value, new))
}

/// Adds `text` as argument `index` of a call that has fewer; the ones between become `undefined`.
pub(crate) fn add_argument(audit: &Audit<'_, '_>, call: Site, index: usize, text: &str) -> Option<Edit> {
    let module = audit.module(call)?;
    let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = module.kind(call.1) else {
        return None;
    };
    (arguments.len() <= index).then(|| append(audit, call, arguments.len(), index, text)).flatten()
}

/// Another text for a node.
pub(crate) fn replace(audit: &Audit<'_, '_>, (file, node): Site, replacement: String) -> Edit {
    let span = audit.module((file, node)).map(|module| module.node(node).span).unwrap_or_default();
    Edit { file: audit.program().path(file).to_owned(), start: span.start, end: span.end, replacement }
}

/// Another text for a part of a file.
pub(crate) fn between(
    audit: &Audit<'_, '_>,
    file: FileId,
    (start, end): (usize, usize),
    replacement: String,
) -> Option<Edit> {
    let (start, end) = (u32::try_from(start).ok()?, u32::try_from(end).ok()?);
    Some(Edit { file: audit.program().path(file).to_owned(), start, end, replacement })
}

/// What one level of a file is indented by.
pub(crate) fn unit(module: &Module) -> &str {
    let mut least = None;
    for line in module.text().lines() {
        let inner = line.trim_start();
        // Lines of block comments stand one further in.
        if inner.is_empty() || inner.starts_with('*') || inner.len() == line.len() {
            continue;
        }
        let own = line.get(..line.len() - inner.len()).unwrap_or_default();
        if own.starts_with('\t') {
            return "\t";
        }
        if own.len() > 1 && least.is_none_or(|least: &str| own.len() < least.len()) {
            least = Some(own);
        }
    }
    least.filter(|least| matches!(least.len(), 2 | 4 | 8)).unwrap_or("  ")
}

/// The source of a node whose lines behind the first stand further in; as it is where a text of it has several lines.
pub(crate) fn deeper(module: &Module, node: NodeId, by: &str) -> String {
    let source = module.source(node);
    let has_long_text = module
        .all_nodes(node)
        .into_iter()
        .any(|it| matches!(module.kind(it), Kind::Template { .. }) && module.source(it).contains('\n'));
    if has_long_text {
        return source.to_owned();
    }
    let lines = source.lines().enumerate().map(|(at, line)| match (at, line.trim()) {
        (0, _) => line.to_owned(),
        (_, "") => String::new(),
        _ => format!("{by}{line}"),
    });
    lines.collect::<Vec<String>>().join("\n")
}

/// The lines that a node touches, whole: where they begin and end in the text.
pub(crate) fn lines_of(module: &Module, node: NodeId) -> (usize, usize) {
    let span = module.node(node).span;
    let text = module.text();
    let start = text.get(..span.start as usize).and_then(|it| it.rfind('\n')).map_or(0, |at| at + 1);
    let rest = text.get(span.end as usize..).unwrap_or_default();
    (start, span.end as usize + rest.find('\n').unwrap_or(rest.len()))
}

/// The white space before the line that a node begins on.
pub(crate) fn indentation(module: &Module, node: NodeId) -> String {
    let (start, _) = lines_of(module, node);
    let line = module.text().get(start..).unwrap_or_default();
    line.chars().take_while(|letter| matches!(letter, ' ' | '\t')).collect()
}

/// Text put in at a place of a file.
pub(crate) fn insert(audit: &Audit<'_, '_>, file: FileId, at: usize, replacement: String) -> Option<Edit> {
    let at = u32::try_from(at).ok()?;
    Some(Edit { file: audit.program().path(file).to_owned(), start: at, end: at, replacement })
}

/// Lines behind a statement, indented like it where they are not empty.
pub(crate) fn behind(audit: &Audit<'_, '_>, (file, statement): Site, lines: &str) -> Option<Edit> {
    let module = audit.module((file, statement))?;
    let indentation = indentation(module, statement);
    let indented = |line: &str| match line {
        "" => String::from("\n"),
        _ => format!("\n{indentation}{line}"),
    };
    let lines: Vec<String> = lines.lines().map(indented).collect();
    insert(audit, file, line_end(module, module.node(statement).span.end as usize), lines.concat())
}

/// The end of a line of which nothing but blanks or a comment is left behind a place; the place itself otherwise.
pub(crate) fn line_end(module: &Module, at: usize) -> usize {
    let rest = module.text().get(at..).unwrap_or_default().lines().next().unwrap_or_default();
    let more = rest.trim();
    if more.is_empty() || more.starts_with("//") { at + rest.len() } else { at }
}

/// Code that is written with two spaces a level and double quotes, in the style of a file.
pub(crate) fn styled(module: &Module, code: &str) -> String {
    let unit = unit(module);
    let is_single = module.text().matches('\'').count() > module.text().matches('"').count();
    let lines = code.lines().map(|line| {
        let inner = line.trim_start_matches(' ');
        let levels = (line.len() - inner.len()) / 2;
        let inner = if is_single { single_quoted(inner) } else { inner.to_owned() };
        format!("{}{inner}", unit.repeat(levels))
    });
    lines.collect::<Vec<String>>().join("\n")
}

/// `'x'` for `"x"`, where a line has nothing else that is quoted.
fn single_quoted(line: &str) -> String {
    let is_plain = !line.contains(['\'', '`', '\\']) && line.matches('"').count().is_multiple_of(2);
    if is_plain { line.replace('"', "'") } else { line.to_owned() }
}

/// Appends in place of the closing bracket, so that two do not both append.
fn append(audit: &Audit<'_, '_>, call: Site, count: usize, index: usize, text: &str) -> Option<Edit> {
    let module = audit.module(call)?;
    let source = module.source(call.1);
    let inside = source.strip_suffix(')')?;
    let trimmed = inside.trim_end();
    let undefined = "undefined, ".repeat(index.saturating_sub(count));
    let (at, comma) = match trimmed.strip_suffix(',') {
        Some(_) => (trimmed.len(), " "),
        None if count == 0 => (inside.len(), ""),
        None => (trimmed.len(), ", "),
    };
    let span = module.node(call.1).span;
    let start = span.start + u32::try_from(at).ok()?;
    let rest = source.get(at..)?.trim_start_matches(',');
    let replacement = format!("{comma}{undefined}{text}{rest}");
    Some(Edit { file: audit.program().path(call.0).to_owned(), start, end: span.end, replacement })
}

/// Of several options (`a: 1, b: 2`) those that an object does not have.
fn missing<'t>(module: &Module, parts: List, text: &'t str) -> Vec<&'t str> {
    if text.contains(['{', '(', '[']) {
        return vec![text];
    }
    let has = |key: &str| {
        module.list(parts).any(
            |part| matches!(module.kind(part), Kind::Property { key: own, .. } if module.str(own) == key),
        )
    };
    text.split(", ").filter(|option| !has(option.split(':').next().unwrap_or(option).trim())).collect()
}

fn into_object(
    audit: &Audit<'_, '_>,
    call: Site,
    options: NodeId,
    parts: List,
    added: &[&str],
) -> Option<Edit> {
    if added.is_empty() {
        return None;
    }
    let module = audit.module(call);
    let start = module.map_or(0, |module| module.node(options).span.start);
    // The bracket is part of it, so that two do not both add the same key.
    let text = added.join(", ");
    let replacement = match module.and_then(|module| next_line_indentation(module, options)) {
        _ if parts.is_empty() => format!("{{ {text} "),
        Some(indentation) => {
            let lines: Vec<String> = added.iter().map(|it| format!("\n{indentation}{it},")).collect();
            format!("{{{}", lines.concat())
        }
        None => format!("{{ {text},"),
    };
    Some(Edit { file: audit.program().path(call.0).to_owned(), start, end: start + 1, replacement })
}

/// The indentation of the first property, if it begins a line.
fn next_line_indentation(module: &Module, object: NodeId) -> Option<&str> {
    let inside = module.source(object).strip_prefix('{')?;
    let (before, rest) = inside.split_once('\n')?;
    before.trim().is_empty().then(|| rest.split(|c: char| !c.is_whitespace()).next()).flatten()
}

/// The lines of a place as they are after the edits that lie in them.
pub(crate) fn after(audit: &Audit<'_, '_>, (file, node): Site, edits: &[Edit]) -> String {
    let Some(module) = audit.module((file, node)) else { return String::new() };
    let text = module.text();
    let (start, end) = lines_of(module, node);
    let path = audit.program().path(file);
    let mut inside: Vec<&Edit> = edits
        .iter()
        .filter(|edit| edit.file == path && edit.start as usize >= start && edit.end as usize <= end)
        .collect();
    inside.sort_by_key(|edit| edit.start);
    let (mut result, mut at) = (String::new(), start);
    for edit in inside {
        result.push_str(text.get(at..edit.start as usize).unwrap_or_default());
        result.push_str(&edit.replacement);
        at = (edit.end as usize).max(at);
    }
    result.push_str(text.get(at..end).unwrap_or_default());
    dedent(&result.lines().collect::<Vec<&str>>())
}

/// What statements of a file end with.
pub(crate) fn semicolon(module: &Module) -> &'static str {
    let text = module.text();
    if text.matches(";\n").count() + text.matches(";\r\n").count() > 2 { ";" } else { "" }
}

/// Lines kept beside those that differ.
const AROUND: usize = 2;

/// Two forms of a text without the lines in which nothing happens: the first line, those around the difference, and the last.
pub(crate) fn shortened(before: &str, after: &str) -> (String, String) {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same = |pairs: usize, at: &dyn Fn(usize) -> bool| (0..pairs).take_while(|it| at(*it)).count();
    let shorter = old.len().min(new.len());
    let head = same(shorter, &|it| old.get(it) == new.get(it));
    let tail = same(shorter - head, &|it| old.get(old.len() - 1 - it) == new.get(new.len() - 1 - it));
    let cut = |lines: &[&str]| {
        let mut kept: Vec<String> = Vec::new();
        let end = lines.len() - tail;
        for (at, line) in lines.iter().enumerate() {
            let is_near = at + AROUND >= head && at < end + AROUND;
            let is_edge = at == 0 || at + 1 == lines.len();
            // One line is not worth a gap.
            let is_alone =
                |it: usize| it == 0 || it + 1 == lines.len() || (it + AROUND >= head && it < end + AROUND);
            let is_single = at > 0 && is_alone(at - 1) && is_alone(at + 1);
            if is_near || is_edge || is_single {
                kept.push((*line).to_owned());
            } else if kept.last().is_none_or(|last| last.trim() != "// …") {
                let indentation: String = line.chars().take_while(|it| it.is_whitespace()).collect();
                kept.push(format!("{indentation}// …"));
            }
        }
        dedent(&kept.iter().map(String::as_str).collect::<Vec<&str>>())
    };
    (cut(&old), cut(&new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_are_there_are_not_added_again() {
        let parsed = loadworthy_syntax::parse("a.js", "new Pool({ max: 5, connectionTimeoutMillis: 1 });");
        let module = parsed.module.unwrap();
        let object = module.node_ids().find(|node| matches!(module.kind(*node), Kind::Object(_))).unwrap();
        let Kind::Object(parts) = module.kind(object) else { return };
        let of = |text| missing(&module, parts, text);
        assert_eq!(
            of("statement_timeout: 10_000, connectionTimeoutMillis: 5_000"),
            ["statement_timeout: 10_000"]
        );
        assert_eq!(of("max: 1"), Vec::<&str>::new());
        assert_eq!(of("retry: { a: 1, max: 2 }"), ["retry: { a: 1, max: 2 }"]);
    }

    #[test]
    fn lines_in_which_nothing_happens_are_left_out() {
        let before = "model A {\n  a Int\n  b Int\n  c Int\n  d Int\n  e Int\n}";
        let after = "model A {\n  a Int\n  b Int\n  c Int\n  d Int\n  e Int\n\n  @@index([a])\n}";
        let (old, new) = shortened(before, after);
        assert_eq!(old, "model A {\n  // …\n  d Int\n  e Int\n}");
        assert_eq!(new, "model A {\n  // …\n  d Int\n  e Int\n\n  @@index([a])\n}");
        let (old, new) = shortened("  a\n  b", "  a\n  c\n  b");
        assert_eq!((old.as_str(), new.as_str()), ("a\nb", "a\nc\nb"));
    }
}
