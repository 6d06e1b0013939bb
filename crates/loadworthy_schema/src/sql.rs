//! The shape of an SQL text: what it reads, by which columns it finds, in which order, and how many rows at most.
//!
//! The text is as it occurs in code: placeholders (`$1`, `?`, `:name`, `@p1`) and, for an interpolation, the marker
//! identifier `__lw_<number>__` that the caller put there. A text that does not parse keeps what its words tell.

use crate::sql_read;
use crate::sql_tokens;

/// Which SQL the text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// Not known: several are tried.
    #[default]
    Unknown,
    /// PostgreSQL and its relatives.
    PostgreSql,
    /// MySQL and `MariaDB`.
    MySql,
    /// SQLite.
    Sqlite,
}

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatementKind {
    /// Reads rows.
    Select,
    /// Adds rows.
    Insert,
    /// Changes rows.
    Update,
    /// Removes rows.
    Delete,
    /// Changes the schema.
    Ddl,
    /// `BEGIN`, `COMMIT`, `ROLLBACK`, `SAVEPOINT`.
    Transaction,
    /// Anything else.
    #[default]
    Other,
}

/// A column as a query names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnRef {
    /// The table, aliases resolved; `None` if the query does not say.
    pub table: Option<String>,
    /// The column.
    pub column: String,
}

/// A table that a statement names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableRef {
    /// Without its schema.
    pub name: String,
    /// The alias, where one is given.
    pub alias: Option<String>,
}

/// A joined table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Join {
    /// The joined table; empty for a subquery or an implicit join in `WHERE`.
    pub table: String,
    /// The pairs of columns set equal.
    pub on: Vec<(ColumnRef, ColumnRef)>,
}

/// A `LIKE`, `ILIKE` or regular expression match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Like {
    /// The column matched.
    pub column: ColumnRef,
    /// Whether the pattern starts with a wildcard; `None` if it is a parameter.
    pub leading_wildcard: Option<bool>,
    /// `ILIKE` and `~*`.
    pub ignores_case: bool,
}

/// A function, cast or operator around a column in a filter or order, which a plain index on it does not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionOn {
    /// In lower case: `lower`, `date`, `cast`, `->>`.
    pub function: String,
    /// The column inside.
    pub column: ColumnRef,
}

/// One part of an `ORDER BY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderKey {
    /// A column.
    Column {
        /// The column.
        column: ColumnRef,
        /// `DESC`.
        descending: bool,
    },
    /// `RANDOM()` or `RAND()`: reads and sorts everything.
    Random,
    /// Anything else, as written.
    Expression(String),
}

/// A `LIMIT` or `OFFSET`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Limit {
    /// There is none.
    #[default]
    None,
    /// A number in the text.
    Literal(u64),
    /// A placeholder, interpolation or expression.
    Parameter,
}

/// The shape of one statement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent clauses, present or not")]
pub struct SqlShape {
    /// What it does.
    pub kind: StatementKind,
    /// Whether it parsed; if not, only kind, tables, `has_where`, limit, offset and locks are known.
    pub parsed: bool,
    /// The tables of its own level (not of subqueries; not the names of its `WITH` parts).
    pub tables: Vec<TableRef>,
    /// Selected, inserted or updated columns.
    pub columns: Vec<ColumnRef>,
    /// `*` or `t.*` is selected.
    pub star: bool,
    /// Columns that must equal a value (`AND` only).
    pub equality: Vec<ColumnRef>,
    /// Columns that must be `IN` or `= ANY` of values or a subquery.
    pub membership: Vec<ColumnRef>,
    /// Columns compared with `<`, `>`, `BETWEEN`.
    pub ranges: Vec<ColumnRef>,
    /// Columns required to be null or not null.
    pub null_checks: Vec<ColumnRef>,
    /// Columns compared under an `OR`.
    pub alternatives: Vec<ColumnRef>,
    /// Pattern matches.
    pub likes: Vec<Like>,
    /// Functions on columns in filters and orders.
    pub functions: Vec<FunctionOn>,
    /// The order, first key first.
    pub order_by: Vec<OrderKey>,
    /// Grouped columns.
    pub group_by: Vec<ColumnRef>,
    /// Whether there is a `GROUP BY`.
    pub has_group_by: bool,
    /// Joins, those in `WHERE` last.
    pub joins: Vec<Join>,
    /// Aggregates without `GROUP BY`: one row.
    pub aggregate_only: bool,
    /// `DISTINCT`.
    pub distinct: bool,
    /// The most rows.
    pub limit: Limit,
    /// The rows skipped.
    pub offset: Limit,
    /// `FOR UPDATE` or `FOR SHARE`.
    pub for_update: bool,
    /// `SKIP LOCKED` or `NOWAIT`.
    pub skips_locked: bool,
    /// `ON CONFLICT`, `ON DUPLICATE KEY`, `INSERT IGNORE`, `REPLACE`.
    pub on_conflict: bool,
    /// Whether there is a `WHERE`.
    pub has_where: bool,
    /// An interpolation stands for a clause, table or condition: the query holds more than this shape.
    pub dynamic: bool,
    /// Rows given in `VALUES`.
    pub inserted_rows: usize,
    /// Subqueries, `WITH` parts and the sides of a `UNION`.
    pub subqueries: Vec<SqlShape>,
    /// Further statements in the same text.
    pub further: Vec<SqlShape>,
}

/// The shape of the first statement of `text`, with the others in [`SqlShape::further`].
#[must_use]
pub fn shape(text: &str, dialect: Dialect) -> SqlShape {
    sql_read::shapes(text, dialect).unwrap_or_else(|| sql_tokens::shape(text))
}

/// Whether the identifier stands for an interpolation.
#[must_use]
pub fn is_marker(identifier: &str) -> bool {
    identifier
        .strip_prefix("__lw_")
        .and_then(|rest| rest.strip_suffix("__"))
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}
