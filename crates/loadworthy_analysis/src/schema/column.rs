//! One column as models and migrations declare it: its type, and the keys it makes by itself.

use loadworthy_schema::{Column, ForeignKey, Index, Key, Origin, Place, Table, Tool};

/// A declared column.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared {
    pub(super) column: Column,
    pub(super) is_primary: bool,
    pub(super) unique: Unique,
    /// Has an index of its own.
    pub(super) is_indexed: bool,
    /// The table and column it refers to; without a column, the primary key.
    pub(super) references: Option<(String, Option<String>)>,
    pub(super) place: Place,
    pub(super) tool: Tool,
}

/// Whether a column is unique by itself, or together with the others of one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Unique {
    #[default]
    No,
    Alone,
    Named(String),
}

impl Declared {
    /// Adds the column and its keys.
    pub(super) fn add_to(self, table: &mut Table) {
        let Self { column, is_primary, unique, is_indexed, references, place, tool } = self;
        let name = column.name.clone();
        table.add_column(column);
        let index = |origin, unique| Index {
            keys: vec![Key::column(&name)],
            unique,
            origin,
            place: place.clone(),
            tool,
            ..Index::default()
        };
        if is_primary {
            add_primary(table, index(Origin::Primary, true));
        }
        match unique {
            Unique::No => {}
            Unique::Alone => table.add_index(index(Origin::Unique, true)),
            Unique::Named(group) => {
                let is_group = |known: &&mut Index| known.name.as_ref() == Some(&group);
                match table.indexes.iter_mut().find(is_group) {
                    Some(known) => known.keys.push(Key::column(&name)),
                    None => {
                        table.add_index(Index { name: Some(group), ..index(Origin::Unique, true) });
                    }
                }
            }
        }
        if is_indexed {
            table.add_index(index(Origin::Declared, false));
        }
        if let Some((target, column)) = references {
            table.add_foreign_key(ForeignKey {
                columns: vec![name],
                table: target,
                referenced: column.into_iter().collect(),
                place,
                ..ForeignKey::default()
            });
        }
    }
}

/// Two columns that each say `primaryKey` make one key together.
fn add_primary(table: &mut Table, index: Index) {
    match table.indexes.iter_mut().find(|known| known.origin == Origin::Primary) {
        Some(known) => {
            let new = index.keys.into_iter().filter(|key| !known.keys.contains(key)).collect::<Vec<_>>();
            known.keys.extend(new);
        }
        None => table.indexes.push(index),
    }
}

/// An index over columns.
pub(super) fn index(columns: &[String], unique: bool, place: Place, tool: Tool) -> Index {
    Index {
        keys: columns.iter().map(Key::column).collect(),
        unique,
        origin: if unique { Origin::Unique } else { Origin::Declared },
        place,
        tool,
        ..Index::default()
    }
}

/// The most values of a type by its name: 2 for a boolean.
pub(super) fn values_of_type(name: &str) -> Option<u32> {
    let name = name.to_ascii_lowercase();
    matches!(name.as_str(), "boolean" | "bool" | "tinyint(1)").then_some(2)
}
