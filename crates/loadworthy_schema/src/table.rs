//! A table with its columns, keys, indexes and relations, and what these can serve.

use crate::names::{same_column, same_table};

/// Where something was declared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// The file as the caller names it.
    pub file: String,
    /// Counted from 1.
    pub line: u32,
}

/// Something in a schema that could not be read, or that two sources tell differently.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Where it is.
    pub place: Place,
    /// What is wrong.
    pub message: String,
}

/// In whose language something is declared: a remedy is written in the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Tool {
    /// SQL, in a file or in a string.
    #[default]
    Sql,
    /// A Prisma schema.
    Prisma,
    /// Drizzle tables.
    Drizzle,
    /// Sequelize models or migrations.
    Sequelize,
    /// TypeORM entities or migrations.
    TypeOrm,
    /// MikroORM entities.
    MikroOrm,
    /// Mongoose schemas, plain or by decorators.
    Mongoose,
    /// Knex migrations.
    Knex,
    /// Kysely migrations.
    Kysely,
    /// Objection models.
    Objection,
    /// node-pg-migrate.
    NodePgMigrate,
    /// `createIndex` of the MongoDB driver.
    MongoDriver,
}

/// What holds the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Store {
    /// Tables of an SQL database.
    #[default]
    Relational,
    /// Collections of documents.
    Document,
}

/// How much of a table's indexes is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Extent {
    /// The table is only named somewhere: it may have any index.
    #[default]
    Named,
    /// A model declares it, with the indexes that its tool creates.
    Declared,
    /// Its creation was seen (SQL or a migration).
    Created,
}

/// A column of a table, or a path of a document.
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
    /// The most different values it can have, where the type says: 2 for a boolean, as many as an enum has.
    pub distinct: Option<u32>,
}

impl Column {
    /// Whether `name` names the column, in the database or in code.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        same_column(&self.name, name) || self.field.as_ref().is_some_and(|field| same_column(field, name))
    }

    /// The name in code.
    #[must_use]
    pub fn field(&self) -> &str {
        self.field.as_deref().unwrap_or(&self.name)
    }
}

/// One part of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// What it is over.
    pub part: KeyPart,
    /// `DESC`, or `-1`.
    pub descending: bool,
    /// The operator class in lower case, where one is given (`gin_trgm_ops`).
    pub operators: Option<String>,
}

/// What one part of an index is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPart {
    /// A column by its name in the database.
    Column(String),
    /// An expression as written.
    Expression(String),
}

impl Key {
    /// A column, ascending.
    #[must_use]
    pub fn column(name: impl Into<String>) -> Self {
        Self { part: KeyPart::Column(name.into()), descending: false, operators: None }
    }

    /// An expression, ascending.
    #[must_use]
    pub fn expression(text: impl Into<String>) -> Self {
        Self { part: KeyPart::Expression(text.into()), descending: false, operators: None }
    }

    /// The column, if it is one.
    #[must_use]
    pub fn as_column(&self) -> Option<&str> {
        match &self.part {
            KeyPart::Column(name) => Some(name),
            KeyPart::Expression(_) => None,
        }
    }

    /// As written, without the direction.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.part {
            KeyPart::Column(text) | KeyPart::Expression(text) => text,
        }
    }
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
    /// Made for a foreign key without being asked for: by MySQL, or by the tool.
    ForeignKey,
}

/// After how long a document is removed by a TTL index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Seconds after the time in the indexed field.
    Seconds(u64),
    /// Not a constant.
    Unknown,
}

/// Whether the model and the migrations of one table tell the same of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Agreement {
    /// Only one of the two is there.
    #[default]
    Single,
    /// Both have it.
    Both,
    /// The model has it, the migrations never create it (or drop it).
    OnlyDeclared,
    /// The migrations create it, the model does not have it.
    OnlyCreated,
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
    /// Leaves out rows without a value.
    pub sparse: bool,
    /// The method in lower case (`gin`, `hash`, `fulltext`, `text`, `2dsphere`); `None` is the B-tree.
    pub method: Option<String>,
    /// Removes old documents.
    pub expiry: Option<Expiry>,
    /// What it came from.
    pub origin: Origin,
    /// Where it was declared.
    pub place: Place,
    /// In whose language.
    pub tool: Tool,
    /// What model and migrations say of it.
    pub agreement: Agreement,
}

impl Index {
    /// The columns, up to the first expression.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        self.keys.iter().map_while(Key::as_column).collect()
    }

    /// Whether it says, for whole rows, that two may not be alike.
    fn is_whole_key(&self) -> bool {
        let columns = self.columns().len();
        self.unique && self.predicate.is_none() && columns > 0 && columns == self.keys.len()
    }

    fn is_ordered(&self) -> bool {
        self.method.as_deref().is_none_or(|method| method == "btree")
    }

    fn is_hash(&self) -> bool {
        matches!(self.method.as_deref(), Some("hash" | "hashed"))
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

/// A way from the rows of a table to those of another, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Relation {
    /// The field or alias in code.
    pub field: String,
    /// The other table, in the database.
    pub target: String,
    /// Whether there may be many rows at the other end.
    pub many: bool,
    /// The columns of this table that are joined; empty if unknown.
    pub local: Vec<String>,
    /// The columns of the target they equal; empty if unknown.
    pub foreign: Vec<String>,
    /// The table between the two.
    pub through: Option<String>,
    /// Where it was declared.
    pub place: Place,
}

/// A key of a wanted order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortKey<'a> {
    /// The column, in any spelling.
    pub column: &'a str,
    /// `DESC`.
    pub descending: bool,
}

/// A table or collection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// Its name in the database.
    pub name: String,
    /// Its name in code (a model, entity or class), where that differs.
    pub model: Option<String>,
    /// Further names in code (the constant that holds it, the registered model name).
    pub aliases: Vec<String>,
    /// The folder of the package that declares it; empty for the root.
    pub scope: String,
    /// What holds its rows.
    pub store: Store,
    /// How much of its indexes is known.
    pub extent: Extent,
    /// In order of declaration.
    pub columns: Vec<Column>,
    /// Primary key, unique keys and indexes.
    pub indexes: Vec<Index>,
    /// In order of declaration.
    pub foreign_keys: Vec<ForeignKey>,
    /// In order of declaration.
    pub relations: Vec<Relation>,
    /// Where it was declared: the model's place, else the migration's.
    pub place: Place,
    /// The line on which that declaration ends; 0 where it is not known.
    pub last_line: u32,
    /// In whose languages, the model's first.
    pub tools: Vec<Tool>,
}

impl Table {
    /// Whether `name` names the table, in the database or in code.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        self.names().any(|known| same_table(known, name))
    }

    /// As [`Table::is_named`], by the letter (case aside).
    #[must_use]
    pub fn is_exactly(&self, name: &str) -> bool {
        self.names().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// All of its names: in the database, of the model, in code.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str())
            .chain(self.model.as_deref())
            .chain(self.aliases.iter().map(String::as_str))
    }

    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        let exact = |column: &&Column| column.name == name || column.field.as_deref() == Some(name);
        let spelled = || self.columns.iter().find(|column| column.is_named(name));
        let found = self.columns.iter().find(exact);
        // Paths of documents are what they are: `address.city` is not `city`.
        if self.store == Store::Document { found } else { found.or_else(spelled) }
    }

    /// The relation of that name in code.
    #[must_use]
    pub fn relation(&self, field: &str) -> Option<&Relation> {
        self.relations.iter().find(|relation| relation.field == field)
    }

    /// The columns of the primary key; empty if unknown.
    #[must_use]
    pub fn primary_key(&self) -> Vec<&str> {
        let primary = self.indexes.iter().find(|index| index.origin == Origin::Primary);
        primary.map(Index::columns).unwrap_or_default()
    }

    /// The column sets of which each names at most one row: primary and unique keys, partial ones left out.
    pub fn unique_keys(&self) -> impl Iterator<Item = Vec<&str>> {
        self.indexes.iter().filter(|index| index.is_whole_key()).map(Index::columns)
    }

    /// Whether equality on `columns` finds at most one row: they cover a primary or unique key.
    #[must_use]
    pub fn is_unique(&self, columns: &[&str]) -> bool {
        self.unique_keys().any(|key| key.iter().all(|column| self.has(columns, column)))
    }

    /// The index that finds rows by equality on all of `equality` (in any order) and yields them in `order`; a range
    /// counts as the first key of the order. A unique key within `equality` serves any order. Partial indexes come
    /// last: their condition may not hold.
    #[must_use]
    pub fn index_serving(&self, equality: &[&str], order: &[&str]) -> Option<&Index> {
        self.find_serving(equality, |index| self.is_served_by(index, equality, order))
    }

    /// As [`Table::index_serving`], with the directions of the order: an index is read forwards or backwards, so it
    /// serves an order whose directions are all its own or all the opposite.
    #[must_use]
    pub fn index_sorting(&self, equality: &[&str], order: &[SortKey<'_>]) -> Option<&Index> {
        let names: Vec<&str> = order.iter().map(|key| key.column).collect();
        self.find_serving(equality, |index| {
            self.is_served_by(index, equality, &names) && self.has_directions(index, equality, order)
        })
    }

    fn find_serving(&self, equality: &[&str], serves: impl Fn(&Index) -> bool) -> Option<&Index> {
        let one_row = |index: &Index| {
            let columns = index.columns();
            index.unique
                && !columns.is_empty()
                && columns.len() == index.keys.len()
                && columns.iter().all(|column| self.has(equality, column))
        };
        let serves = |index: &&Index| one_row(index) || serves(index);
        let whole = self.indexes.iter().filter(|index| index.predicate.is_none()).find(serves);
        whole.or_else(|| self.indexes.iter().find(serves))
    }

    /// An index whose first column is among `columns`: it narrows the rows, though it may not serve all of them.
    #[must_use]
    pub fn index_narrowing(&self, columns: &[&str]) -> Option<&Index> {
        self.indexes.iter().find(|index| {
            index.predicate.is_none()
                && (index.is_ordered() || (index.is_hash() && index.keys.len() == 1))
                && index.columns().first().is_some_and(|first| self.has(columns, first))
        })
    }

    /// An index of trigrams over a column: it finds texts by any part of them (`LIKE '%x%'`).
    #[must_use]
    pub fn index_of_trigrams(&self, column: &str) -> Option<&Index> {
        let is_over = |key: &Key| {
            let has_trigrams = key.operators.as_ref().is_some_and(|operators| operators.contains("trgm"));
            has_trigrams && key.as_column().is_some_and(|name| self.same(name, column))
        };
        self.indexes.iter().find(|index| index.keys.iter().any(is_over))
    }

    /// Whether the two names are the same column of this table, however spelled.
    fn same(&self, left: &str, right: &str) -> bool {
        if self.store == Store::Document {
            let name = |name| self.column(name).map_or(name, |column| column.name.as_str());
            return left == right || name(left) == name(right);
        }
        same_column(left, right) || self.column(left).is_some_and(|column| column.is_named(right))
    }

    fn has(&self, names: &[&str], column: &str) -> bool {
        names.iter().any(|name| self.same(name, column))
    }

    /// Whether `index` finds the rows by `equality` and yields them in `order`.
    fn is_served_by(&self, index: &Index, equality: &[&str], order: &[&str]) -> bool {
        if equality.is_empty() && (order.is_empty() || index.sparse) {
            return false;
        }
        let columns = index.columns();
        let Some((leading, rest)) = columns.split_at_checked(equality.len()) else { return false };
        let order: Vec<&&str> = order.iter().filter(|name| !self.has(equality, name)).collect();
        let found = leading.iter().all(|column| self.has(equality, column))
            && equality.iter().all(|name| self.has(leading, name));
        let sorted = rest.len() >= order.len()
            && rest.iter().zip(&order).all(|(column, name)| self.same(name, column));
        found && sorted && (index.is_ordered() || (index.is_hash() && order.is_empty() && rest.is_empty()))
    }

    fn has_directions(&self, index: &Index, equality: &[&str], order: &[SortKey<'_>]) -> bool {
        let wanted = order.iter().filter(|key| !self.has(equality, key.column));
        let turned: Vec<bool> = index
            .keys
            .iter()
            .skip(equality.len())
            .zip(wanted)
            .map(|(key, wanted)| key.descending != wanted.descending)
            .collect();
        turned.iter().all(|turn| *turn) || turned.iter().all(|turn| !*turn)
    }
}
