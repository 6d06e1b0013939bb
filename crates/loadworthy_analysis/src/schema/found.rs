//! What the readers of the library families found.

use loadworthy_project::FileId;
use loadworthy_schema::sql::Dialect;
use loadworthy_schema::{Catalogue, Diagnostic, Table};
use loadworthy_syntax::ClassId;

use crate::values::Site;

/// What stands for a table in code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Holder {
    /// The call that made it.
    Made(Site),
    /// A class.
    Class(FileId, ClassId),
}

/// Models, migrated databases, and what could not be read.
#[derive(Default)]
pub(super) struct Found {
    pub(super) models: Vec<Model>,
    pub(super) histories: Vec<(Catalogue, Dialect)>,
    pub(super) notes: Vec<Diagnostic>,
}

/// A table that code declares.
pub(super) struct Model {
    pub(super) holders: Vec<Holder>,
    pub(super) table: Table,
    pub(super) dialect: Dialect,
}

impl Found {
    pub(super) fn declare(&mut self, holders: Vec<Holder>, table: Table, dialect: Dialect) {
        self.models.push(Model { holders, table, dialect });
    }
}
