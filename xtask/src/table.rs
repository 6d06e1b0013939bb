//! Tables of text: the first column to the left, the others to the right.

/// Rows under a head.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    /// Adds a row; cells that are missing at its end stay empty.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The text, without a line break at its end.
    pub(crate) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(|column| self.width(column)).collect();
        let lines: Vec<String> = self.rows.iter().map(|row| line(row, &widths)).collect();
        lines.join("\n")
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).enumerate();
    let padded: Vec<String> = cells
        .map(|(column, (cell, width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        })
        .collect();
    padded.join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[&[&str]]) -> String {
        let mut table = Table::new(&["app", "findings"]);
        for row in rows {
            table.row(row.iter().map(|&cell| cell.to_owned()));
        }
        table.render()
    }

    #[test]
    fn the_first_column_is_left_and_numbers_are_right() {
        assert_eq!(
            table(&[&["shop", "7"], &["chat", "12"]]),
            "app   findings\nshop         7\nchat        12"
        );
    }

    #[test]
    fn width_counts_characters_not_bytes() {
        assert_eq!(
            table(&[&["zażółć", "1"], &["abcdef", "2"]]),
            "app     findings\nzażółć         1\nabcdef         2"
        );
    }

    #[test]
    fn short_rows_leave_no_spaces_behind() {
        assert_eq!(table(&[&["a"]]), "app  findings\na");
    }
}
