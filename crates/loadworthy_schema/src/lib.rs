//! What the database looks like: tables, keys and indexes from schemas and migrations, and the shape of SQL texts.
//! Pure: texts come in, facts go out.

pub mod catalogue;
pub mod migrations;
pub mod names;
pub mod prisma;
pub mod sql;

mod sql_parse;
mod sql_read;
mod sql_tokens;
mod statements;

pub use catalogue::{Catalogue, Column, Diagnostic, ForeignKey, Index, Key, Origin, Place, Table};
