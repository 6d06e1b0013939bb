//! What migrations do to a catalogue, in whichever language they are written: one step each.

use crate::catalogue::Catalogue;
use crate::sql_tokens::words;
use crate::table::{Column, ForeignKey, Index, Key, KeyPart, Origin, Place, Table};

impl Catalogue {
    /// Creates a table; `if_absent` keeps one that is there.
    pub fn create_table(&mut self, table: Table, if_absent: bool) {
        if !(if_absent && self.exact_mut(&table.name).is_some()) {
            self.add(table);
        }
    }

    /// Changes the table of that name; one whose creation was not seen is declared by the change.
    pub fn change_table(&mut self, name: &str, place: &Place, change: impl FnOnce(&mut Table)) {
        if self.exact_mut(name).is_none() {
            self.tables.push(Table { name: name.to_owned(), place: place.clone(), ..Table::default() });
        }
        if let Some(table) = self.exact_mut(name) {
            change(table);
        }
    }

    /// Renames a table, also where foreign keys name it.
    pub fn rename_table(&mut self, from: &str, to: &str) {
        for table in &mut self.tables {
            let foreign = table.foreign_keys.iter_mut().filter(|key| key.table.eq_ignore_ascii_case(from));
            foreign.for_each(|key| to.clone_into(&mut key.table));
        }
        if let Some(mut table) = self.remove(from) {
            to.clone_into(&mut table.name);
            self.add(table);
        }
    }

    /// Drops the index of that name, of the table or of any.
    pub fn drop_index(&mut self, table: Option<&str>, name: &str) {
        let of = |known: &&mut Table| table.is_none_or(|table| known.name.eq_ignore_ascii_case(table));
        for known in self.tables.iter_mut().filter(of) {
            known.drop_index(name);
        }
    }
}

impl Table {
    /// Adds a column, in place of one of the same name.
    pub fn add_column(&mut self, column: Column) {
        match self.columns.iter_mut().find(|known| known.name.eq_ignore_ascii_case(&column.name)) {
            Some(known) => *known = column,
            None => self.columns.push(column),
        }
    }

    /// Drops a column with the indexes and foreign keys over it.
    pub fn drop_column(&mut self, name: &str) {
        self.columns.retain(|column| !column.name.eq_ignore_ascii_case(name));
        self.indexes.retain(|index| !index.columns().iter().any(|column| column.eq_ignore_ascii_case(name)));
        self.foreign_keys.retain(|key| !key.columns.iter().any(|column| column.eq_ignore_ascii_case(name)));
    }

    /// Renames a column wherever the table names it.
    pub fn rename_column(&mut self, from: &str, to: &str) {
        let columns = self.columns.iter_mut().map(|column| &mut column.name);
        let foreign = self.foreign_keys.iter_mut().flat_map(|key| &mut key.columns);
        let keys =
            self.indexes.iter_mut().flat_map(|index| &mut index.keys).filter_map(|key| match &mut key.part {
                KeyPart::Column(name) => Some(name),
                KeyPart::Expression(_) => None,
            });
        for name in columns.chain(foreign).chain(keys).filter(|name| name.eq_ignore_ascii_case(from)) {
            to.clone_into(name);
        }
    }

    /// Adds an index unless one of that name, or the very same one, is there.
    pub fn add_index(&mut self, mut index: Index) {
        index.spread_condition();
        let same = |known: &Index| match (&known.name, &index.name) {
            (Some(known), Some(name)) => known.eq_ignore_ascii_case(name),
            _ => known.is_like(&index) && known.unique == index.unique,
        };
        if !index.keys.is_empty() && !self.indexes.iter().any(same) {
            self.indexes.push(index);
        }
    }

    /// Drops an index by its name, or by the name it got without being given one.
    pub fn drop_index(&mut self, name: &str) {
        let owner = self.name.clone();
        self.indexes.retain(|index| index.origin == Origin::Primary || !index.answers_to(&owner, name));
    }

    /// Drops the indexes over exactly these columns: unique or plain ones where that is given, else those that are no
    /// constraint.
    pub fn drop_index_over(&mut self, columns: &[String], unique: Option<bool>) {
        self.indexes.retain(|index| {
            let own = index.columns();
            index.origin == Origin::Primary
                || unique.map_or(index.origin == Origin::Unique, |unique| unique != index.unique)
                || own.len() != columns.len()
                || own.iter().zip(columns).any(|(own, other)| !own.eq_ignore_ascii_case(other))
        });
    }

    /// Drops a primary key, unique key or foreign key by its name, or by the name it got without being given one.
    pub fn drop_constraint(&mut self, name: &str) {
        let owner = self.name.clone();
        self.indexes.retain(|index| !index.answers_to(&owner, name));
        self.foreign_keys.retain(|key| {
            let columns = key.columns.join("_");
            let by_default = |suffix: &&str| format!("{owner}_{columns}_{suffix}").eq_ignore_ascii_case(name);
            match &key.name {
                Some(given) => !given.eq_ignore_ascii_case(name),
                None => !["fkey", "foreign", "fk"].iter().any(by_default),
            }
        });
    }

    /// MySQL makes an index for a foreign key that has none; some tools do so elsewhere.
    pub fn index_foreign_keys(&mut self) {
        for foreign in &self.foreign_keys {
            let leads = |index: &Index| {
                let columns = index.columns();
                columns.len() >= foreign.columns.len()
                    && columns
                        .iter()
                        .zip(&foreign.columns)
                        .all(|(left, right)| left.eq_ignore_ascii_case(right))
            };
            if foreign.columns.is_empty() || self.indexes.iter().any(leads) {
                continue;
            }
            self.indexes.push(Index {
                name: foreign.name.clone(),
                keys: foreign.columns.iter().map(Key::column).collect(),
                origin: Origin::ForeignKey,
                place: foreign.place.clone(),
                ..Index::default()
            });
        }
    }

    /// A foreign key, unless it is there.
    pub fn add_foreign_key(&mut self, foreign: ForeignKey) {
        let same = |known: &ForeignKey| {
            known.columns == foreign.columns && known.table.eq_ignore_ascii_case(&foreign.table)
        };
        if !self.foreign_keys.iter().any(same) {
            self.foreign_keys.push(foreign);
        }
    }
}

impl Index {
    /// A condition that only leaves out rows without a value in the keys is no condition for who asks for a value.
    fn spread_condition(&mut self) {
        let Some(predicate) = &self.predicate else { return };
        let is_key = |name: &str| self.keys.iter().any(|key| key.text().eq_ignore_ascii_case(name));
        let words = words(predicate);
        let words: Vec<&str> =
            words.iter().map(String::as_str).filter(|word| !["(", ")"].contains(word)).collect();
        let mut parts = words.split(|word| word.eq_ignore_ascii_case("and"));
        let is_given = |part: &[&str]| match part {
            [name, is, not, null] => {
                is.eq_ignore_ascii_case("is")
                    && not.eq_ignore_ascii_case("not")
                    && null.eq_ignore_ascii_case("null")
                    && is_key(name.rsplit('.').next().unwrap_or(name))
            }
            // MongoDB's `{ path: { $exists: true } }`.
            ["{", name, ":", "{", "$", "exists", ":", "true", "}", "}"] => is_key(name),
            _ => false,
        };
        if parts.all(is_given) {
            self.predicate = None;
            self.sparse = true;
        }
    }

    /// The same rows in the same order, whatever the names and uniqueness.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let same = |left: &Key, right: &Key| match (&left.part, &right.part) {
            (KeyPart::Column(left), KeyPart::Column(right)) => left.eq_ignore_ascii_case(right),
            (KeyPart::Expression(left), KeyPart::Expression(right)) => {
                squeezed(left).eq_ignore_ascii_case(&squeezed(right))
            }
            _ => false,
        };
        let alike = |left: &Key, right: &Key| same(left, right) && left.descending == right.descending;
        self.keys.len() == other.keys.len()
            && self.keys.iter().zip(&other.keys).all(|(left, right)| alike(left, right))
            && self.method == other.method
            && self.predicate.is_some() == other.predicate.is_some()
    }

    /// Whether it has the name, given or by default: PostgreSQL's, and those of the usual tools.
    fn answers_to(&self, owner: &str, name: &str) -> bool {
        if let Some(given) = &self.name {
            return given.eq_ignore_ascii_case(name);
        }
        if self.origin == Origin::Primary {
            return format!("{owner}_pkey").eq_ignore_ascii_case(name);
        }
        let stem = format!("{owner}_{}", self.columns().join("_"));
        let suffixes: &[&str] = if self.unique {
            &["_key", "_unique", "_uk", "_unique_index", ""]
        } else {
            &["_index", "_idx", ""]
        };
        suffixes.iter().any(|suffix| format!("{stem}{suffix}").eq_ignore_ascii_case(name))
    }
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '"' | '`' | '(' | ')')).collect()
}
