//! The tables of a database with their keys and indexes, and what these can serve.

use crate::names::{same_column, same_table, singular, snake};

/// Where something was declared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The file as the caller names it.
    pub file: String,
    /// Counted from 1.
    pub line: u32,
}

/// Something in a schema that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where it is.
    pub place: Place,
    /// What is wrong.
    pub message: String,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Column {
    /// Its name in the database.
    pub name: String,
    /// Its name in code, where that differs.
    pub field: Option<String>,
    /// The type as written.
    pub type_text: String,
    /// Whether it may be null.
    pub nullable: bool,
}

impl Column {
    /// Whether `name` names the column, in the database or in code.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        same_column(&self.name, name) || self.field.as_ref().is_some_and(|field| same_column(field, name))
    }
}

/// One part of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A column by its name in the database.
    Column(String),
    /// An expression as written.
    Expression(String),
}

/// What an index came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Origin {
    /// The primary key.
    Primary,
    /// A unique constraint or column.
    Unique,
    /// `CREATE INDEX`, `@@index` and the like.
    #[default]
    Declared,
    /// Made by the database for a foreign key (MySQL).
    ForeignKey,
}

/// An index, a primary key or a unique key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Index {
    /// Its name, where one is given.
    pub name: Option<String>,
    /// What it is over, in order.
    pub keys: Vec<Key>,
    /// Whether two rows may not have the same keys.
    pub unique: bool,
    /// The condition of a partial index, as written.
    pub predicate: Option<String>,
    /// The method in lower case (`gin`, `hash`, `fulltext`); `None` is the B-tree.
    pub method: Option<String>,
    /// What it came from.
    pub origin: Origin,
    /// Where it was declared.
    pub place: Place,
}

impl Index {
    /// The columns, up to the first expression.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let column = |key: &'_ Key| matches!(key, Key::Column(_));
        let leading = self.keys.iter().take_while(|key| column(key));
        leading
            .map(|key| match key {
                Key::Column(text) | Key::Expression(text) => text.as_str(),
            })
            .collect()
    }

    fn is_ordered(&self) -> bool {
        self.method.as_deref().is_none_or(|method| method == "btree")
    }

    fn is_hash(&self) -> bool {
        self.method.as_deref() == Some("hash")
    }
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForeignKey {
    /// Its name, where one is given.
    pub name: Option<String>,
    /// The columns of this table.
    pub columns: Vec<String>,
    /// The table referred to.
    pub table: String,
    /// The columns referred to; empty for its primary key.
    pub referenced: Vec<String>,
    /// Where it was declared.
    pub place: Place,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Its name in the database.
    pub name: String,
    /// Its name in code (a Prisma model), where that differs.
    pub model: Option<String>,
    /// In order of declaration.
    pub columns: Vec<Column>,
    /// Primary key, unique keys and indexes.
    pub indexes: Vec<Index>,
    /// In order of declaration.
    pub foreign_keys: Vec<ForeignKey>,
    /// Where it was declared.
    pub place: Place,
}

impl Table {
    /// Whether `name` names the table, in the database or in code.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        same_table(&self.name, name) || self.model.as_ref().is_some_and(|model| same_table(model, name))
    }

    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.is_named(name))
    }

    /// The columns of the primary key; empty if unknown.
    #[must_use]
    pub fn primary_key(&self) -> Vec<&str> {
        let primary = self.indexes.iter().find(|index| index.origin == Origin::Primary);
        primary.map(Index::columns).unwrap_or_default()
    }

    /// The column sets of which each names at most one row: primary and unique keys, partial ones left out.
    pub fn unique_keys(&self) -> impl Iterator<Item = Vec<&str>> {
        let whole = |index: &&Index| {
            index.unique && index.predicate.is_none() && index.columns().len() == index.keys.len()
        };
        self.indexes.iter().filter(whole).map(Index::columns).filter(|keys| !keys.is_empty())
    }

    /// Whether the two names are the same column of this table, however spelled.
    fn same(&self, left: &str, right: &str) -> bool {
        same_column(left, right) || self.column(left).is_some_and(|column| column.is_named(right))
    }

    fn has(&self, names: &[&str], column: &str) -> bool {
        names.iter().any(|name| self.same(name, column))
    }

    /// Whether `index` finds the rows by `equality` and yields them in `order`.
    fn is_served_by(&self, index: &Index, equality: &[&str], order: &[&str]) -> bool {
        let columns = index.columns();
        let Some((leading, rest)) = columns.split_at_checked(equality.len()) else { return false };
        let order: Vec<&&str> = order.iter().filter(|name| !self.has(equality, name)).collect();
        let found = leading.iter().all(|column| self.has(equality, column))
            && equality.iter().all(|name| self.has(leading, name));
        let sorted = rest.len() >= order.len()
            && rest.iter().zip(&order).all(|(column, name)| self.same(name, column));
        found && sorted && (index.is_ordered() || (index.is_hash() && order.is_empty() && rest.is_empty()))
    }
}

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
        let exact = |table: &Table| {
            table.name.eq_ignore_ascii_case(bare)
                || table.model.as_ref().is_some_and(|model| model.eq_ignore_ascii_case(bare))
        };
        let exactly = self.tables.iter().position(exact);
        exactly.or_else(|| self.tables.iter().position(|table| table.is_named(name)))
    }

    /// Adds a table, in place of one of the very same name.
    pub fn add(&mut self, table: Table) {
        match self.tables.iter_mut().find(|known| known.name.eq_ignore_ascii_case(&table.name)) {
            Some(known) => *known = table,
            None => self.tables.push(table),
        }
    }

    /// Removes and returns the table of the very same name.
    pub fn remove(&mut self, name: &str) -> Option<Table> {
        let at = self.tables.iter().position(|table| table.name.eq_ignore_ascii_case(name))?;
        Some(self.tables.remove(at))
    }

    /// Whether equality on `columns` finds at most one row: they cover a primary or unique key.
    #[must_use]
    pub fn is_unique(&self, table: &str, columns: &[&str]) -> bool {
        self.table(table).is_some_and(|table| {
            table.unique_keys().any(|key| key.iter().all(|column| table.has(columns, column)))
        })
    }

    /// The index that finds rows by equality on all of `equality` (in any order) and yields them in `order`.
    /// A unique key within `equality` serves any order. Partial indexes come last: their condition may not hold.
    #[must_use]
    pub fn index_serving(&self, table: &str, equality: &[&str], order: &[&str]) -> Option<&Index> {
        let table = self.table(table)?;
        if equality.is_empty() && order.is_empty() {
            return None;
        }
        let one_row = |index: &&Index| {
            let columns = index.columns();
            index.unique
                && !columns.is_empty()
                && columns.len() == index.keys.len()
                && columns.iter().all(|column| table.has(equality, column))
        };
        let serves = |index: &&Index| one_row(index) || table.is_served_by(index, equality, order);
        let whole = table.indexes.iter().filter(|index| index.predicate.is_none()).find(serves);
        whole.or_else(|| table.indexes.iter().find(serves))
    }

    /// An index whose first column is among `columns`: it narrows the rows, though it may not serve all of them.
    #[must_use]
    pub fn index_narrowing(&self, table: &str, columns: &[&str]) -> Option<&Index> {
        let table = self.table(table)?;
        table.indexes.iter().find(|index| {
            index.predicate.is_none()
                && (index.is_ordered() || (index.is_hash() && index.keys.len() == 1))
                && index.columns().first().is_some_and(|first| table.has(columns, first))
        })
    }

    /// Why the table is small whatever the load, if its name and shape say so.
    #[must_use]
    pub fn is_small(&self, table: &str) -> Option<String> {
        let name = singular(&snake(table));
        let last = name.rsplit('_').next().unwrap_or(&name);
        let lookup = LOOKUPS.contains(&name.as_str());
        let suffixed = name != last && SUFFIXES.contains(&last);
        match self.table(table) {
            _ if !lookup && !suffixed => None,
            Some(known) => known.owner().is_none().then(|| {
                format!("`{}` is named like a lookup table and belongs to no other table", known.name)
            }),
            None => lookup.then(|| format!("`{table}` is named like a lookup table")),
        }
    }
}

impl Table {
    /// A table each of whose rows this one's rows belong to: then it grows with that one.
    fn owner(&self) -> Option<&str> {
        let foreign = self.foreign_keys.iter().map(|key| key.table.as_str());
        let named = self
            .columns
            .iter()
            .filter_map(|column| OWNERS.iter().find(|owner| same_column(&column.name, owner)).copied());
        foreign.filter(|table| !self.is_named(table) && !is_lookup(table)).chain(named).next()
    }
}

fn is_lookup(table: &str) -> bool {
    LOOKUPS.contains(&singular(&snake(table)).as_str())
}

/// Singular names of tables that hold a fixed, short list.
const LOOKUPS: &[&str] = &[
    "role",
    "permission",
    "category",
    "setting",
    "app_setting",
    "system_setting",
    "site_setting",
    "config",
    "configuration",
    "country",
    "currency",
    "language",
    "locale",
    "timezone",
    "plan",
    "subscription_plan",
    "pricing_plan",
    "tier",
    "status",
    "type",
    "kind",
    "unit",
    "priority",
    "level",
    "color",
    "colour",
    "size",
    "region",
    "continent",
    "state",
    "province",
    "genre",
    "feature_flag",
    "feature",
    "tax_rate",
    "shipping_method",
    "payment_method_type",
    "weekday",
    "schema_migration",
    "migration",
];

/// Last words that make any name a lookup, if nothing owns its rows.
const SUFFIXES: &[&str] =
    &["type", "status", "kind", "category", "level", "priority", "role", "plan", "setting"];

/// Columns that tie a row to a user, tenant or order even without a declared foreign key.
const OWNERS: &[&str] = &[
    "user_id",
    "account_id",
    "customer_id",
    "tenant_id",
    "organization_id",
    "organisation_id",
    "org_id",
    "team_id",
    "order_id",
    "product_id",
    "post_id",
    "project_id",
    "workspace_id",
    "company_id",
    "owner_id",
];
