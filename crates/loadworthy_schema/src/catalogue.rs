//! The tables of a database, found by any of their names.

use crate::table::{Index, Table};

/// All known tables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalogue {
    /// In order of declaration.
    pub tables: Vec<Table>,
}

impl Catalogue {
    /// The table of that name: the exact name first, then any spelling of it.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.position(name).and_then(|at| self.tables.get(at))
    }

    /// As [`Catalogue::table`], to change it.
    pub fn table_mut(&mut self, name: &str) -> Option<&mut Table> {
        self.position(name).and_then(|at| self.tables.get_mut(at))
    }

    fn position(&self, name: &str) -> Option<usize> {
        let bare = name.rsplit('.').next().unwrap_or(name);
        let exactly = self.tables.iter().position(|table| table.is_exactly(bare));
        exactly.or_else(|| self.tables.iter().position(|table| table.is_named(name)))
    }

    /// Adds a table, in place of one of the very same name.
    pub fn add(&mut self, table: Table) {
        match self.exact_mut(&table.name) {
            Some(known) => *known = table,
            None => self.tables.push(table),
        }
    }

    /// Removes and returns the table of the very same name.
    pub fn remove(&mut self, name: &str) -> Option<Table> {
        let at = self.tables.iter().position(|table| table.name.eq_ignore_ascii_case(name))?;
        Some(self.tables.remove(at))
    }

    /// The table of the very same name (case aside).
    pub fn exact_mut(&mut self, name: &str) -> Option<&mut Table> {
        self.tables.iter_mut().find(|table| table.name.eq_ignore_ascii_case(name))
    }

    /// Whether equality on `columns` finds at most one row: they cover a primary or unique key.
    #[must_use]
    pub fn is_unique(&self, table: &str, columns: &[&str]) -> bool {
        self.table(table).is_some_and(|table| table.is_unique(columns))
    }

    /// See [`Table::index_serving`].
    #[must_use]
    pub fn index_serving(&self, table: &str, equality: &[&str], order: &[&str]) -> Option<&Index> {
        self.table(table)?.index_serving(equality, order)
    }

    /// See [`Table::index_narrowing`].
    #[must_use]
    pub fn index_narrowing(&self, table: &str, columns: &[&str]) -> Option<&Index> {
        self.table(table)?.index_narrowing(columns)
    }
}
