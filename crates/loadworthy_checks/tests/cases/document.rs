//! Markdown as sections with titled code blocks.

/// A code block.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// The path of the file that it is; absent where the fence has no `title="…"`.
    pub(crate) title: Option<String>,
    /// The line of the document that holds the fence, counted from 1.
    pub(crate) fence_line: usize,
    /// The content, each line ended.
    pub(crate) text: String,
}

/// A heading and the blocks below it, up to the next heading of its level or above.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) heading: String,
    pub(crate) blocks: Vec<Block>,
}

/// The blocks before the first `##`, and each `##` section. Deeper headings are text.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) head: Section,
    pub(crate) sections: Vec<Section>,
}

impl Document {
    /// Reads a document; only an unclosed fence is an error.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut sections = vec![Section { heading: String::new(), blocks: Vec::new() }];
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            if let Some(fence) = fence_of(line) {
                let block = block(fence, index + 1, line, &mut lines)?;
                sections.last_mut().ok_or("no section")?.blocks.push(block);
            } else if let Some(heading) = line.strip_prefix("## ") {
                sections.push(Section { heading: heading.trim().to_owned(), blocks: Vec::new() });
            }
        }
        let mut sections = sections.into_iter();
        let head = sections.next().ok_or("no section")?;
        Ok(Self { head, sections: sections.collect() })
    }
}

/// The run of backquotes that opens a block.
fn fence_of(line: &str) -> Option<&str> {
    let ticks = line.len() - line.trim_start_matches('`').len();
    (ticks >= 3).then(|| line.split_at(ticks).0)
}

fn block<'t>(
    fence: &str,
    fence_line: usize,
    opening: &str,
    lines: &mut impl Iterator<Item = (usize, &'t str)>,
) -> Result<Block, String> {
    let mut text = String::new();
    for (_, line) in lines {
        if line.trim_end() == fence {
            return Ok(Block { title: title_of(opening), fence_line, text });
        }
        text.push_str(line);
        text.push('\n');
    }
    Err(format!("line {fence_line}: the code block is not closed"))
}

fn title_of(opening: &str) -> Option<String> {
    let (_, rest) = opening.split_once("title=\"")?;
    rest.split_once('"').map(|(title, _)| title.to_owned())
}
