//! `loadworthy checks` and `loadworthy explain CHECK`.

use std::fmt::Write;

use loadworthy_checks::Meta;
use serde::Serialize;

use crate::arguments::{ListArguments, TableFormat};
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::selection::{metas, named, unknown};

#[derive(Serialize)]
struct Row {
    code: &'static str,
    slug: &'static str,
    category: &'static str,
    summary: &'static str,
}

/// Lists every check.
pub(crate) fn list(arguments: &ListArguments) -> Result<(), Failure> {
    let rows: Vec<Row> = metas().map(row).collect();
    match arguments.format {
        TableFormat::Terminal => print(&table(&rows)),
        TableFormat::Json => print_json(&rows),
    }
}

fn row(meta: &'static Meta) -> Row {
    Row { code: meta.code, slug: meta.slug, category: meta.category.name(), summary: meta.summary }
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.slug.len()).max().unwrap_or(0);
    let mut text = String::new();
    for row in rows {
        // Writing to a string can't fail.
        let _ = writeln!(text, "{}  {:<width$}  {:<10}  {}", row.code, row.slug, row.category, row.summary);
    }
    text
}

/// Prints a check's page.
pub(crate) fn explain(check: &str) -> Result<(), Failure> {
    let meta = named(check).ok_or_else(|| unknown(check))?;
    let head = format!("{} {} ({}): {}\n\n", meta.code, meta.slug, meta.category.name(), meta.summary);
    print(&(head + &plain(&meta.documentation())))
}

/// Markdown as text: headings without signs, code indented below its path.
fn plain(markdown: &str) -> String {
    let mut text = String::new();
    let mut is_code = false;
    for line in markdown.lines() {
        let _ = match line.strip_prefix("```") {
            Some(_) if is_code => {
                is_code = false;
                Ok(())
            }
            Some(fence) => {
                is_code = true;
                title(fence).map_or(Ok(()), |title| writeln!(text, "    {title}:"))
            }
            None if is_code => writeln!(text, "{}", format!("    {line}").trim_end()),
            None => writeln!(text, "{}", prose(line)),
        };
    }
    text
}

fn title(fence: &str) -> Option<&str> {
    fence.split_once("title=\"")?.1.split('"').next()
}

fn prose(line: &str) -> String {
    let heading = line.trim_start_matches('#');
    if heading.len() < line.len() && heading.starts_with(' ') {
        return heading.trim().to_uppercase();
    }
    line.replace("**", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_readable_text() {
        let text = plain("# N+1\nA **query**.\n## Bad\n```ts title=\"a.ts\"\n# x\n```\n");
        assert_eq!(text, "N+1\nA query.\nBAD\n    a.ts:\n    # x\n");
    }
}
