//! Places in a text, and where they are after edits.

use crate::planning::Planned;

impl Planned {
    /// Where a byte of the old text of a file is in the new one; the beginning of the replacement, if it was replaced.
    #[must_use]
    pub fn moved(&self, file: &str, offset: usize) -> usize {
        let (old, new) = (self.edits.get(file), self.changes.get(file));
        let (Some(edits), Some(text)) = (old, new) else { return offset };
        let is_crlf = text.contains("\r\n");
        let mut at = offset;
        let mut shift: isize = 0;
        for edit in edits {
            if edit.start > offset || (edit.start == offset && edit.end > offset) {
                break;
            }
            if edit.end > offset {
                at = edit.start;
                break;
            }
            let extra = if is_crlf { edit.replacement.matches('\n').count() } else { 0 };
            shift += edit.replacement.len().cast_signed() + extra.cast_signed();
            shift -= (edit.end - edit.start).cast_signed();
        }
        at.checked_add_signed(shift).unwrap_or(0)
    }
}

/// The byte of a line and a column, both from 1; the column in characters.
#[must_use]
pub fn offset_of(text: &str, line: u32, column: u32) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match text.get(start..).and_then(|rest| rest.find('\n')) {
            Some(found) => start += found + 1,
            None => return text.len(),
        }
    }
    let rest = text.get(start..).unwrap_or_default();
    let characters = rest.char_indices().take_while(|(_, it)| *it != '\n');
    let within = characters.map(|(at, it)| at + it.len_utf8()).take(column.saturating_sub(1) as usize).last();
    start + within.unwrap_or(0)
}

/// The line of a byte, from 1.
#[must_use]
pub fn line_of(text: &str, offset: usize) -> u32 {
    let ends = text.match_indices('\n').take_while(|(at, _)| *at < offset).count();
    u32::try_from(ends).unwrap_or(u32::MAX - 1) + 1
}
