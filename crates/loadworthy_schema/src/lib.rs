//! What the database looks like: tables, keys and indexes from schemas and migrations, and the shape of SQL texts.
//! Pure: texts come in, facts go out.

pub mod catalogue;
pub mod migrations;
pub mod names;
pub mod prisma;
pub mod sql;
pub mod table;

mod history;
mod merge;
mod prisma_link;
mod small;
mod sql_parse;
mod sql_read;
mod sql_tokens;
mod statements;

pub use catalogue::Catalogue;
pub use merge::{Merged, Part, Telling, merged};
pub use table::{
    Agreement, Column, Diagnostic, Expiry, Extent, ForeignKey, Index, Key, KeyPart, Origin, Place, Relation,
    SortKey, Store, Table, Tool,
};
