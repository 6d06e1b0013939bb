//! The shape of every query: what it reads or writes, by which columns, in which order, and how many rows at most.
//!
//! A query is one chain of calls, however many variables and functions it goes through. What a dynamic part would add is
//! unknown, never guessed.

mod chain;
mod condition;
mod drizzle;
mod firestore;
mod joins;
mod knex;
mod kysely;
mod limit;
mod mikro_orm;
mod mongo;
mod options;
mod prisma;
mod queries;
mod reader;
mod row;
mod sequelize;
mod sql;
mod supabase;
mod told;
mod typeorm;
mod uses;
mod validation;

#[cfg(test)]
mod tests;

use loadworthy_knowledge::LibId;
use loadworthy_schema::sql::SqlShape;
use loadworthy_syntax::FunctionId;

use crate::values::Site;

pub use joins::{ColumnOf, Joined};
pub use limit::Limits;
pub use options::{Options, Property};
pub use queries::Queries;
pub use row::relation_uses;
pub use uses::{RowUse, row_uses};

/// One query of the program.
#[derive(Clone, Debug)]
pub struct Query {
    /// The call that begins it: `prisma.user.findMany(…)`, `db.select()`, `User.find(…)`.
    pub site: Site,
    /// The calls that belong to it, its head first.
    pub calls: Vec<Site>,
    /// The whole expression: the head with what is chained to it in place.
    pub whole: Site,
    /// The function whose code holds the head; [`FunctionId::NONE`] at module level.
    pub function: FunctionId,
    /// The library.
    pub lib: LibId,
    /// In which language it is written.
    pub family: Family,
    /// What it does.
    pub operation: Operation,
    /// What it gives back.
    pub yields: Yields,
    /// The table, model or collection, as the code names it.
    pub table: Option<Box<str>>,
    /// The expression that names the table.
    pub table_site: Option<Site>,
    /// Which rows.
    pub filter: Filter,
    /// In which order, first key first.
    pub order: Vec<OrderBy>,
    /// Which columns.
    pub selected: Selected,
    /// What is read along with each row.
    pub includes: Vec<Include>,
    /// Tables that a query builder joins.
    pub joins: Vec<Joined>,
    /// How many rows at most.
    pub bound: Bound,
    /// How many rows are skipped.
    pub offset: Option<Site>,
    /// The SQL it sends, where its text is in the code.
    pub sql: Option<Box<SqlShape>>,
    /// It is part of another query.
    pub is_part: bool,
    /// It gives `[rows, description]`.
    pub is_pair: bool,
    /// The query in a helper, where this is what one call of it asks for.
    pub via: Option<Site>,
}

impl Query {
    /// Whether it is a statement of its own: neither a part of another query nor what opens and closes a transaction.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        !self.is_part && self.operation != Operation::Transaction
    }

    /// Where its code stands: in the helper, where a call of one tells it.
    #[must_use]
    pub fn written_at(&self) -> Site {
        self.via.unwrap_or(self.site)
    }

    /// Whether it is the other query, as it stands or as a call of its helper tells it.
    #[must_use]
    pub fn stands_for(&self, other: &Self) -> bool {
        self.site == other.site || self.via == Some(other.site)
    }

    /// Statements that it sends: Prisma and Mongoose read each relation by a statement of its own, others join.
    #[must_use]
    pub fn statements(&self) -> u32 {
        fn nested(includes: &[Include]) -> usize {
            includes.iter().map(|include| 1 + nested(&include.includes)).sum()
        }
        let more =
            if matches!(self.family, Family::Prisma | Family::Mongoose) { nested(&self.includes) } else { 0 };
        u32::try_from(1 + more).unwrap_or(u32::MAX)
    }
}

/// The languages of queries: a remedy is written in the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// Prisma.
    Prisma,
    /// Sequelize.
    Sequelize,
    /// Mongoose.
    Mongoose,
    /// The MongoDB driver.
    MongoDriver,
    /// TypeORM.
    TypeOrm,
    /// MikroORM.
    MikroOrm,
    /// Drizzle.
    Drizzle,
    /// Knex.
    Knex,
    /// Objection.
    Objection,
    /// Kysely.
    Kysely,
    /// Supabase.
    Supabase,
    /// Firestore.
    Firestore,
    /// SQL texts.
    Sql,
    /// Anything else.
    Other,
}

/// What a query does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Reads.
    Read,
    /// Adds rows.
    Insert,
    /// Changes rows.
    Update,
    /// Removes rows.
    Delete,
    /// Adds or changes.
    Upsert,
    /// Runs others in one transaction.
    Transaction,
    /// Anything else, or not known.
    Other,
}

impl Operation {
    /// Whether it changes rows.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(self, Self::Insert | Self::Update | Self::Delete | Self::Upsert)
    }
}

/// What a query gives back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Yields {
    /// One row or none.
    One,
    /// A list of rows.
    Many,
    /// A number or other summary.
    Summary,
    /// Rows as they come.
    Stream,
    /// Nothing but what was written.
    Written,
    /// Not known.
    Unknown,
}

/// The rows that a query is about.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Filter {
    /// Conditions that must all hold.
    pub all: Vec<Condition>,
    /// Conditions of which one must hold (`OR`), of each group one.
    pub any: Vec<Vec<Condition>>,
    /// There may be more conditions than these.
    pub is_open: bool,
}

impl Filter {
    /// The columns that must equal one value.
    pub fn equal_columns(&self) -> impl Iterator<Item = &str> {
        self.all.iter().filter(|it| it.operator == Operator::Equal && !it.is_optional).map(|it| &*it.column)
    }

    /// Whether no row is left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.any.is_empty() && !self.is_open
    }
}

/// A condition on a column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    /// The column as the code names it; a path with dots in documents and relations.
    pub column: Box<str>,
    /// The comparison.
    pub operator: Operator,
    /// What it is compared with.
    pub value: Option<Site>,
    /// It is added only in some cases.
    pub is_optional: bool,
}

/// How a column is compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operator {
    /// `=`
    Equal,
    /// `IN`, `= ANY`
    In,
    /// `<`, `>`, `BETWEEN`
    Range,
    /// `LIKE 'x%'`, `startsWith`
    Prefix,
    /// `LIKE '%x%'`, `contains`, an unanchored regular expression
    Contains,
    /// A pattern that is not known.
    Pattern,
    /// `IS NULL`, `IS NOT NULL`, `$exists`
    Null,
    /// `<>`, `NOT IN`
    Not,
    /// A function or cast is applied to the column first.
    Function,
    /// Full text or another special index.
    Search,
    /// A related row must exist.
    Related,
    /// Anything else.
    Other,
}

/// A key of an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderBy {
    /// The column as the code names it.
    pub column: Box<str>,
    /// Largest first; absent where it is chosen when the code runs.
    pub is_descending: Option<bool>,
}

/// The columns that a query reads.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Selected {
    /// All of them.
    All,
    /// These.
    Columns(Vec<Box<str>>),
    /// Not known.
    #[default]
    Unknown,
}

/// Something that is read along with each row.
#[derive(Clone, PartialEq, Debug)]
pub struct Include {
    /// The relation, path or alias.
    pub relation: Box<str>,
    /// Where it is asked for.
    pub site: Site,
    /// How many of it for one row at most.
    pub bound: Bound,
    /// What is read along with it.
    pub includes: Vec<Include>,
}

/// How many rows at most.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Bound {
    /// One.
    One,
    /// A number of the code.
    Constant(u64),
    /// Chosen when the code runs, with a maximum; the number where it is constant.
    Clamped(Option<u64>),
    /// As many as a list has.
    List(Site),
    /// There is a limit, which the code does not tell.
    Unknown,
    /// The client's number, without a maximum.
    ClientChosen {
        /// Where it is read.
        input: Site,
    },
    /// A clamp the wrong way around: `x > 50 ? x : 50`.
    Inverted {
        /// The clamp.
        at: Site,
    },
    /// The option is there and switches the limit off: `undefined`, `0`, `-1`.
    Off {
        /// The option.
        at: Site,
    },
    /// None.
    Unlimited,
}

impl Bound {
    /// Whether nothing that the code says limits the rows.
    #[must_use]
    pub const fn is_unbounded(&self) -> bool {
        matches!(self, Self::ClientChosen { .. } | Self::Inverted { .. } | Self::Off { .. } | Self::Unlimited)
    }

    /// The most rows, where that is a number of the code.
    #[must_use]
    pub const fn most(&self) -> Option<u64> {
        match self {
            Self::One => Some(1),
            Self::Constant(most) | Self::Clamped(Some(most)) => Some(*most),
            _ => None,
        }
    }

    /// Of two ways that the code may go, the one with more rows.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Constant(left), Self::Constant(right)) => Self::Constant(*left.max(right)),
            (Self::Clamped(Some(left)), Self::Clamped(Some(right))) => Self::Clamped(Some(*left.max(right))),
            _ if other.rank() > self.rank() => other,
            _ => self,
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::One => 0,
            Self::Constant(_) => 1,
            Self::Clamped(_) => 2,
            Self::List(_) => 3,
            Self::Unknown => 4,
            Self::ClientChosen { .. } => 5,
            Self::Inverted { .. } => 6,
            Self::Off { .. } => 7,
            Self::Unlimited => 8,
        }
    }
}

impl Bound {
    /// Of two limits that both hold, the tighter.
    #[must_use]
    fn min_with(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Constant(left), Self::Constant(right)) => Self::Constant(*left.min(right)),
            (Self::Unlimited, _) => other,
            (_, Self::Unlimited) => self,
            _ if other.rank() < self.rank() => other,
            _ => self,
        }
    }
}
