//! Applies SQL migrations, in order, to a catalogue. A statement that cannot be read loses only itself.

use sqlparser::ast::{
    AlterColumnOperation, AlterTable, AlterTableOperation, AlterTypeOperation, ColumnDef, ColumnOption,
    CreateIndex, CreateTable, DataType, Expr, ForeignKeyConstraint, Ident, InTarget, IndexColumn, ObjectName,
    ObjectType, OrderBySort, RenameTableNameKind, Statement, TableConstraint, UserDefinedTypeRepresentation,
};

use crate::catalogue::Catalogue;
use crate::sql::{Dialect, is_marker};
use crate::sql_parse::parse;
use crate::sql_tokens::words;
use crate::statements::split;
use crate::table::{Column, Diagnostic, Extent, ForeignKey, Index, Key, Origin, Place, Table, Tool};

/// A migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration<'a> {
    /// The file as places name it.
    pub file: &'a str,
    /// Its SQL.
    pub text: &'a str,
}

/// The catalogue after all `migrations`, in the order given.
#[must_use]
pub fn apply(migrations: &[Migration<'_>], dialect: Dialect) -> (Catalogue, Vec<Diagnostic>) {
    let mut history = History::new(dialect);
    for migration in migrations {
        history.apply(migration.text, &Place { file: migration.file.to_owned(), line: 1 });
    }
    history.finish()
}

/// A database under migration: SQL texts and single steps, in their order.
#[derive(Debug, Default)]
pub struct History {
    /// What is there by now.
    pub catalogue: Catalogue,
    /// What could not be read.
    pub diagnostics: Vec<Diagnostic>,
    dialect: Dialect,
    /// Named enum types and how many values they have.
    enums: Vec<(String, u32)>,
}

impl History {
    /// Nothing yet.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, ..Self::default() }
    }

    /// Applies the statements of `text`, whose first line is `start`. Interpolations are markers, see [`crate::sql`].
    pub fn apply(&mut self, text: &str, start: &Place) {
        for piece in split(text) {
            let line = start.line.saturating_add(piece.line).saturating_sub(1);
            self.piece(piece.text, Place { file: start.file.clone(), line });
        }
    }

    /// As [`History::apply`], for SQL outside migrations: what it drops or renames may be for a test or a reset, so
    /// only what it creates or adds counts.
    pub fn declare(&mut self, text: &str, start: &Place) {
        for piece in split(text) {
            let head = words(beginning(piece.text));
            let is_taking = ["DROP", "RENAME"]
                .iter()
                .any(|verb| head.iter().take(4).any(|word| word.eq_ignore_ascii_case(verb)));
            // Prose may begin like a statement: only what parses counts, or an index in capitals.
            let is_sql =
                || parse(piece.text, self.dialect).is_some() || piece.text.starts_with("CREATE INDEX");
            if !is_taking && is_sql() {
                let line = start.line.saturating_add(piece.line).saturating_sub(1);
                self.piece(piece.text, Place { file: start.file.clone(), line });
            }
        }
    }

    fn piece(&mut self, text: &str, place: Place) {
        let head = words(beginning(text));
        match head.first() {
            Some(first) if first.eq_ignore_ascii_case("DO") => self.anonymous_block(text, &place),
            Some(first) if is_ddl(first) => self.statement(text, place),
            _ => {}
        }
    }

    fn statement(&mut self, text: &str, place: Place) {
        let mut change =
            Change { catalogue: &mut self.catalogue, enums: &mut self.enums, place: place.clone() };
        if let Some(statements) = parse(text, self.dialect) {
            for statement in &statements {
                change.statement(statement);
            }
            return;
        }
        let words = words(text);
        if !change.by_words(&words) && tells_of_columns(&words) {
            let start: String = text.chars().take(60).collect();
            self.diagnostics.push(Diagnostic { place, message: format!("cannot read `{start}`") });
        }
    }

    /// `DO $$ BEGIN …; EXCEPTION … END $$`: the statements inside, as far as they declare something.
    fn anonymous_block(&mut self, text: &str, place: &Place) {
        let Some((_, body)) = text.split_once("$$") else { return };
        let body = body.rsplit_once("$$").map_or(body, |(body, _)| body);
        for piece in split(body) {
            let upper = piece.text.to_ascii_uppercase();
            let start = ["CREATE ", "ALTER "].iter().filter_map(|verb| upper.find(verb)).min();
            if let Some((before, inside)) = start.and_then(|at| piece.text.split_at_checked(at)) {
                let above = u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX);
                let line = place.line.saturating_add(piece.line - 1).saturating_add(above);
                self.statement(inside, Place { file: place.file.clone(), line });
            }
        }
    }

    /// The catalogue and what could not be read; on MySQL with the indexes that it makes for foreign keys.
    #[must_use]
    pub fn finish(mut self) -> (Catalogue, Vec<Diagnostic>) {
        if self.dialect == Dialect::MySql {
            self.catalogue.tables.iter_mut().for_each(Table::index_foreign_keys);
        }
        (self.catalogue, self.diagnostics)
    }
}

/// Enough to see what kind of statement it is.
fn beginning(text: &str) -> &str {
    let end = text.char_indices().nth(200).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// Whether a statement is about columns or keys, and not about storage.
fn tells_of_columns(words: &[String]) -> bool {
    const TELLING: &[&str] =
        &["CREATE", "ADD", "DROP", "RENAME", "INDEX", "KEY", "UNIQUE", "CHANGE", "MODIFY"];
    words.iter().any(|word| TELLING.iter().any(|telling| word.eq_ignore_ascii_case(telling)))
}

fn is_ddl(word: &str) -> bool {
    ["CREATE", "ALTER", "DROP", "RENAME"].iter().any(|ddl| word.eq_ignore_ascii_case(ddl))
}

struct Change<'c> {
    catalogue: &'c mut Catalogue,
    enums: &'c mut Vec<(String, u32)>,
    place: Place,
}

impl Change<'_> {
    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::CreateTable(create) => self.create_table(create),
            Statement::CreateIndex(create) => self.create_index(create),
            Statement::AlterTable(alter) => self.alter(alter),
            Statement::RenameTable(renames) => {
                for rename in renames {
                    self.catalogue.rename_table(&last(&rename.old_name), &last(&rename.new_name));
                }
            }
            Statement::Drop { object_type: ObjectType::Table, names, .. } => {
                for name in names {
                    self.catalogue.remove(&last(name));
                }
            }
            Statement::Drop { object_type: ObjectType::Index, names, table, .. } => {
                for name in names {
                    let table = table.as_ref().map(last);
                    self.catalogue.drop_index(table.as_deref(), &last(name));
                }
            }
            Statement::CreateType {
                name,
                representation: Some(UserDefinedTypeRepresentation::Enum { labels }),
            } => self.enums.push((last(name), count(labels.len()))),
            Statement::AlterType(alter) => {
                let known = self.enums.iter_mut().find(|(name, _)| *name == last(&alter.name));
                if let (Some((_, values)), AlterTypeOperation::AddValue(_)) = (known, &alter.operation) {
                    *values = values.saturating_add(1);
                }
            }
            _ => {}
        }
    }

    fn create_table(&mut self, create: &CreateTable) {
        let name = last(&create.name);
        if is_marker(&name) {
            return;
        }
        let mut table =
            Table { name, place: self.place.clone(), extent: Extent::Created, ..Table::default() };
        table.tools.push(Tool::Sql);
        for column in &create.columns {
            self.add_column(&mut table, column);
        }
        for constraint in &create.constraints {
            self.add_constraint(&mut table, constraint);
        }
        self.catalogue.create_table(table, create.if_not_exists);
    }

    fn add_column(&self, table: &mut Table, definition: &ColumnDef) {
        let name = definition.name.value.clone();
        let key = |given: Option<&Ident>, origin| Index {
            name: given.map(|name| name.value.clone()),
            keys: vec![Key::column(name.clone())],
            unique: true,
            origin,
            place: self.place.clone(),
            ..Index::default()
        };
        let mut nullable = true;
        let mut distinct = self.distinct(&definition.data_type);
        for option in definition.options.iter().map(|option| &option.option) {
            match option {
                ColumnOption::NotNull => nullable = false,
                ColumnOption::PrimaryKey(primary) => {
                    nullable = false;
                    table.add_index(key(primary.name.as_ref(), Origin::Primary));
                }
                ColumnOption::Unique(unique) => {
                    table.add_index(key(unique.name.as_ref(), Origin::Unique));
                }
                ColumnOption::ForeignKey(foreign) => {
                    let mut foreign = self.foreign_key(foreign);
                    foreign.columns = vec![name.clone()];
                    table.add_foreign_key(foreign);
                }
                ColumnOption::Check(check) => {
                    distinct = distinct.or(listed(&check.expr).map(|(_, values)| values));
                }
                _ => {}
            }
        }
        let type_text = definition.data_type.to_string();
        table.add_column(Column { name, field: None, type_text, nullable, distinct });
    }

    /// The most values of a type, where it says so.
    fn distinct(&self, data_type: &DataType) -> Option<u32> {
        match data_type {
            DataType::Boolean | DataType::Bool | DataType::TinyInt(Some(1)) => Some(2),
            DataType::Enum(members, _) => Some(count(members.len())),
            DataType::Custom(name, _) => {
                self.enums.iter().find(|(known, _)| *known == last(name)).map(|(_, values)| *values)
            }
            _ => None,
        }
    }

    fn add_constraint(&self, table: &mut Table, constraint: &TableConstraint) {
        let index = |name: Option<&Ident>, columns: &[IndexColumn], origin: Origin| Index {
            name: name.map(|name| name.value.clone()),
            keys: columns.iter().map(key).collect(),
            unique: origin != Origin::Declared,
            origin,
            place: self.place.clone(),
            ..Index::default()
        };
        match constraint {
            TableConstraint::Unique(unique) => {
                let name = unique.name.as_ref().or(unique.index_name.as_ref());
                table.add_index(index(name, &unique.columns, Origin::Unique));
            }
            TableConstraint::PrimaryKey(primary) => {
                table.add_index(index(primary.name.as_ref(), &primary.columns, Origin::Primary));
            }
            TableConstraint::ForeignKey(foreign) => table.add_foreign_key(self.foreign_key(foreign)),
            TableConstraint::Index(plain) => {
                let mut found = index(plain.name.as_ref(), &plain.columns, Origin::Declared);
                found.method = plain.index_type.as_ref().and_then(method);
                table.add_index(found);
            }
            TableConstraint::FulltextOrSpatial(special) => {
                let mut found = index(special.opt_index_name.as_ref(), &special.columns, Origin::Declared);
                found.method = Some(if special.fulltext { "fulltext" } else { "spatial" }.to_owned());
                table.add_index(found);
            }
            TableConstraint::PrimaryKeyUsingIndex(using) | TableConstraint::UniqueUsingIndex(using) => {
                let primary = matches!(constraint, TableConstraint::PrimaryKeyUsingIndex(_));
                let named =
                    table.indexes.iter_mut().find(|index| is(index.name.as_deref(), &using.index_name.value));
                if let Some(named) = named {
                    named.unique = true;
                    named.origin = if primary { Origin::Primary } else { Origin::Unique };
                }
            }
            TableConstraint::Check(check) => {
                let Some((name, values)) = listed(&check.expr) else { return };
                if let Some(column) = table.columns.iter_mut().find(|column| column.name == name) {
                    column.distinct = Some(values);
                }
            }
            TableConstraint::Exclude(_) => {}
        }
    }

    fn foreign_key(&self, foreign: &ForeignKeyConstraint) -> ForeignKey {
        let names = |idents: &[Ident]| idents.iter().map(|name| name.value.clone()).collect();
        ForeignKey {
            name: foreign.name.as_ref().map(|name| name.value.clone()),
            columns: names(&foreign.columns),
            table: last(&foreign.foreign_table),
            referenced: names(&foreign.referred_columns),
            place: self.place.clone(),
        }
    }

    fn create_index(&mut self, create: &CreateIndex) {
        let index = Index {
            name: create.name.as_ref().map(last),
            keys: create.columns.iter().map(key).collect(),
            unique: create.unique,
            predicate: create.predicate.as_ref().map(ToString::to_string),
            method: create.using.as_ref().and_then(method),
            place: self.place.clone(),
            ..Index::default()
        };
        self.add_index(&last(&create.table_name), index);
    }

    /// An index on a table whose creation was not seen declares the table.
    fn add_index(&mut self, table: &str, mut index: Index) {
        index.name = index.name.filter(|name| !is_marker(name));
        let is_open = index.keys.iter().any(|key| is_marker(key.text()));
        if !is_marker(table) && !is_open {
            self.catalogue.change_table(table, &self.place, |table| table.add_index(index));
        }
    }

    fn alter(&mut self, alter: &AlterTable) {
        let mut name = last(&alter.name);
        for operation in &alter.operations {
            match operation {
                _ if is_marker(&name) => {}
                AlterTableOperation::RenameTable { table_name } => {
                    let (RenameTableNameKind::As(to) | RenameTableNameKind::To(to)) = table_name;
                    self.catalogue.rename_table(&name, &last(to));
                    name = last(to);
                }
                _ => self.alter_table(&name, operation),
            }
        }
    }

    fn alter_table(&mut self, name: &str, operation: &AlterTableOperation) {
        let place = self.place.clone();
        let mut none = Catalogue::default();
        let mut known = std::mem::take(self.enums);
        let adder = Change { catalogue: &mut none, enums: &mut known, place: place.clone() };
        self.catalogue.change_table(name, &place, |table| adder.change(table, operation));
        *self.enums = known;
    }

    fn change(&self, table: &mut Table, operation: &AlterTableOperation) {
        match operation {
            AlterTableOperation::AddConstraint { constraint, .. } => self.add_constraint(table, constraint),
            AlterTableOperation::AddColumn { column_def, .. } => self.add_column(table, column_def),
            AlterTableOperation::DropColumn { column_names, .. } => {
                for column in column_names {
                    table.drop_column(&column.value);
                }
            }
            AlterTableOperation::DropConstraint { name, .. } => table.drop_constraint(&name.value),
            AlterTableOperation::DropIndex { name } => table.drop_index(&name.value),
            AlterTableOperation::DropPrimaryKey { .. } => {
                table.indexes.retain(|index| index.origin != Origin::Primary);
            }
            AlterTableOperation::DropForeignKey { name, .. } => {
                table.foreign_keys.retain(|foreign| !is(foreign.name.as_deref(), &name.value));
            }
            AlterTableOperation::RenameColumn { old_column_name, new_column_name } => {
                table.rename_column(&old_column_name.value, &new_column_name.value);
            }
            AlterTableOperation::ChangeColumn { old_name, new_name, data_type, options, .. } => {
                table.rename_column(&old_name.value, &new_name.value);
                self.retype(table, &new_name.value, data_type, Some(options));
            }
            AlterTableOperation::ModifyColumn { col_name, data_type, options, .. } => {
                self.retype(table, &col_name.value, data_type, Some(options));
            }
            AlterTableOperation::AlterColumn { column_name, op } => {
                self.alter_column(table, &column_name.value, op);
            }
            _ => {}
        }
    }

    fn alter_column(&self, table: &mut Table, name: &str, operation: &AlterColumnOperation) {
        if let AlterColumnOperation::SetDataType { data_type, .. } = operation {
            self.retype(table, name, data_type, None);
        }
        let found = table.columns.iter_mut().find(|column| is(Some(&column.name), name));
        match (found, operation) {
            (Some(column), AlterColumnOperation::SetNotNull) => column.nullable = false,
            (Some(column), AlterColumnOperation::DropNotNull) => column.nullable = true,
            _ => {}
        }
    }

    fn retype(&self, table: &mut Table, name: &str, data_type: &DataType, options: Option<&[ColumnOption]>) {
        let found = table.columns.iter_mut().find(|column| is(Some(&column.name), name));
        let Some(column) = found else { return };
        column.type_text = data_type.to_string();
        column.distinct = self.distinct(data_type);
        if let Some(options) = options {
            column.nullable = !options.contains(&ColumnOption::NotNull);
        }
    }

    /// `CREATE TABLE name …` and `CREATE [UNIQUE] INDEX name ON table [USING method] (columns)` by their words.
    fn by_words(&mut self, words: &[String]) -> bool {
        let upper: Vec<String> = words.iter().map(|word| word.to_ascii_uppercase()).collect();
        let at = |word: &str| upper.iter().position(|known| known == word);
        let word = |at: usize| words.get(at).map(String::as_str);
        let ignored = ["IF", "NOT", "EXISTS", "CONCURRENTLY", "ONLY"];
        let name_after = |at: usize| {
            let mut rest = upper.iter().zip(words).skip(at + 1);
            rest.find(|(upper, _)| !ignored.contains(&upper.as_str())).map(|(_, word)| bare(word))
        };
        if upper.starts_with(&["DROP".to_owned(), "INDEX".to_owned()]) {
            // PostgreSQL's `CONCURRENTLY`, which the parser does not know.
            let names = upper.iter().zip(words).skip(2).take_while(|(upper, _)| *upper != "ON");
            for (_, name) in names.filter(|(upper, _)| !ignored.contains(&upper.as_str()) && *upper != ",") {
                self.catalogue.drop_index(None, &bare(name));
            }
            return true;
        }
        let creates = upper.first().is_some_and(|first| first == "CREATE");
        match (at("INDEX").filter(|at| *at <= 2), at("ON"), at("TABLE").filter(|at| *at <= 3)) {
            (Some(index), Some(on), _) if creates => {
                let (Some(table), Some(open)) = (name_after(on), upper.iter().position(|word| word == "("))
                else {
                    return false;
                };
                let close =
                    upper.iter().skip(open).position(|word| word == ")").map_or(words.len(), |at| open + at);
                let inside = words.get(open + 1..close).unwrap_or_default();
                let columns = inside.split(|word| word == ",").filter_map(|part| part.first());
                let method = at("USING").and_then(|at| word(at + 1)).map(str::to_lowercase);
                let found = Index {
                    name: name_after(index).filter(|name| !name.eq_ignore_ascii_case("ON")),
                    keys: columns.map(|column| Key::column(column.as_str())).collect(),
                    unique: at("UNIQUE").is_some(),
                    predicate: at("WHERE").map(|at| words.get(at + 1..).unwrap_or_default().join(" ")),
                    method: method.filter(|method| method != "btree"),
                    place: self.place.clone(),
                    ..Index::default()
                };
                self.add_index(&table, found);
                true
            }
            (None, _, Some(table)) if creates => {
                let Some(name) = name_after(table) else { return false };
                self.catalogue.change_table(&name, &self.place, |_| {});
                false
            }
            _ => !["TABLE", "INDEX"].iter().any(|word| at(word).is_some_and(|at| at <= 3)),
        }
    }
}

/// `column IN ('a', 'b')`: the column and the number of values.
fn listed(condition: &Expr) -> Option<(String, u32)> {
    match condition {
        Expr::Nested(inner) => listed(inner),
        Expr::In { expr, target: InTarget::List(list), negated: false, .. } => match expr.as_ref() {
            Expr::Identifier(name) => Some((name.value.clone(), count(list.len()))),
            _ => None,
        },
        _ => None,
    }
}

fn count(values: usize) -> u32 {
    u32::try_from(values).unwrap_or(u32::MAX)
}

fn key(column: &IndexColumn) -> Key {
    let descending = matches!(column.column.options.sort, Some(OrderBySort::Desc));
    let plain = match &column.column.expr {
        Expr::Identifier(name) => Key::column(name.value.clone()),
        // MySQL prefix length: `name(10)`.
        Expr::Function(function)
            if function.args.to_string().trim_matches(['(', ')']).parse::<u32>().is_ok() =>
        {
            Key::column(last(&function.name))
        }
        other => Key::expression(other.to_string()),
    };
    let operators = column.operator_class.as_ref().map(|class| last(class).to_lowercase());
    Key { descending, operators, ..plain }
}

fn method(found: &sqlparser::ast::IndexType) -> Option<String> {
    let name = found.to_string().to_lowercase();
    (name != "btree").then_some(name)
}

fn is(known: Option<&str>, name: &str) -> bool {
    known.is_some_and(|known| known.eq_ignore_ascii_case(name))
}

fn last(name: &ObjectName) -> String {
    let part = name.0.last().and_then(|part| part.as_ident());
    part.map(|name| name.value.clone()).unwrap_or_default()
}

fn bare(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_owned()
}
