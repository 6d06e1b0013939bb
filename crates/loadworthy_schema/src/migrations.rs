//! Applies SQL migrations, in order, to a catalogue. A statement that cannot be read loses only itself.

use sqlparser::ast::{
    AlterColumnOperation, AlterTableOperation, ColumnDef, ColumnOption, CreateIndex, CreateTable, Expr,
    ForeignKeyConstraint, Ident, IndexColumn, ObjectName, ObjectType, RenameTableNameKind, Statement,
    TableConstraint,
};

use crate::catalogue::{Catalogue, Column, Diagnostic, ForeignKey, Index, Key, Origin, Place, Table};
use crate::sql::Dialect;
use crate::sql_parse::parse;
use crate::sql_tokens::words;
use crate::statements::split;

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
    let mut catalogue = Catalogue::default();
    let diagnostics = apply_to(&mut catalogue, migrations, dialect);
    (catalogue, diagnostics)
}

/// As [`apply`], on top of what is known.
pub fn apply_to(
    catalogue: &mut Catalogue,
    migrations: &[Migration<'_>],
    dialect: Dialect,
) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for migration in migrations {
        for piece in split(migration.text) {
            let place = Place { file: migration.file.to_owned(), line: piece.line };
            let names: Vec<String> = words(piece.text.get(..200).unwrap_or(piece.text));
            if !names.first().is_some_and(|first| is_ddl(first)) {
                continue;
            }
            let mut change = Change { catalogue: &mut *catalogue, place: place.clone() };
            match parse(piece.text, dialect) {
                Some(statements) => statements.iter().for_each(|statement| change.statement(statement)),
                None => {
                    if !change.by_words(&words(piece.text)) {
                        let start: String = piece.text.chars().take(60).collect();
                        diagnostics.push(Diagnostic { place, message: format!("cannot read `{start}`") });
                    }
                }
            }
        }
    }
    if dialect == Dialect::MySql {
        catalogue.tables.iter_mut().for_each(Table::index_foreign_keys);
    }
    diagnostics
}

fn is_ddl(word: &str) -> bool {
    ["CREATE", "ALTER", "DROP", "RENAME"].iter().any(|ddl| word.eq_ignore_ascii_case(ddl))
}

struct Change<'c> {
    catalogue: &'c mut Catalogue,
    place: Place,
}

impl Change<'_> {
    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::CreateTable(create) => self.create_table(create),
            Statement::CreateIndex(create) => self.create_index(create),
            Statement::AlterTable(alter) => {
                let mut name = last(&alter.name);
                for operation in &alter.operations {
                    if let Some(renamed) = self.alter(&name, operation) {
                        name = renamed;
                    }
                }
            }
            Statement::RenameTable(renames) => {
                for rename in renames {
                    self.rename_table(&last(&rename.old_name), last(&rename.new_name));
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
                    self.drop_index(table.as_deref(), &last(name));
                }
            }
            _ => {}
        }
    }

    fn create_table(&mut self, create: &CreateTable) {
        let name = last(&create.name);
        if create.if_not_exists && self.exact(&name).is_some() {
            return;
        }
        let mut table = Table { name, place: self.place.clone(), ..Table::default() };
        for column in &create.columns {
            self.add_column(&mut table, column);
        }
        for constraint in &create.constraints {
            self.add_constraint(&mut table, constraint);
        }
        self.catalogue.add(table);
    }

    fn add_column(&self, table: &mut Table, definition: &ColumnDef) {
        let name = definition.name.value.clone();
        let options = || definition.options.iter().map(|option| &option.option);
        let key = |given: Option<&Ident>, origin| Index {
            name: given.map(|name| name.value.clone()),
            keys: vec![Key::Column(name.clone())],
            unique: true,
            origin,
            place: self.place.clone(),
            ..Index::default()
        };
        let mut nullable = true;
        for option in options() {
            match option {
                ColumnOption::NotNull => nullable = false,
                ColumnOption::PrimaryKey(primary) => {
                    nullable = false;
                    table.indexes.push(key(primary.name.as_ref(), Origin::Primary));
                }
                ColumnOption::Unique(unique) => {
                    table.indexes.push(key(unique.name.as_ref(), Origin::Unique));
                }
                ColumnOption::ForeignKey(foreign) => {
                    let mut foreign = self.foreign_key(foreign);
                    foreign.columns = vec![name.clone()];
                    table.foreign_keys.push(foreign);
                }
                _ => {}
            }
        }
        let type_text = definition.data_type.to_string();
        table.columns.retain(|column| !column.name.eq_ignore_ascii_case(&name));
        table.columns.push(Column { name, field: None, type_text, nullable });
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
                table.indexes.push(index(name, &unique.columns, Origin::Unique));
            }
            TableConstraint::PrimaryKey(primary) => {
                table.indexes.push(index(primary.name.as_ref(), &primary.columns, Origin::Primary));
            }
            TableConstraint::ForeignKey(foreign) => table.foreign_keys.push(self.foreign_key(foreign)),
            TableConstraint::Index(plain) => {
                let mut found = index(plain.name.as_ref(), &plain.columns, Origin::Declared);
                found.method = plain.index_type.as_ref().and_then(method);
                table.indexes.push(found);
            }
            TableConstraint::FulltextOrSpatial(special) => {
                let mut found = index(special.opt_index_name.as_ref(), &special.columns, Origin::Declared);
                found.method = Some(if special.fulltext { "fulltext" } else { "spatial" }.to_owned());
                table.indexes.push(found);
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
            _ => {}
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
            origin: Origin::Declared,
            place: self.place.clone(),
        };
        self.add_index(&last(&create.table_name), index);
    }

    /// An index on a table whose creation was not seen declares the table.
    fn add_index(&mut self, table: &str, index: Index) {
        self.change_table(table, |table| {
            let same = |known: &Index| known.name.is_some() && known.name == index.name;
            if !table.indexes.iter().any(same) {
                table.indexes.push(index);
            }
        });
    }

    fn change_table(&mut self, name: &str, change: impl FnOnce(&mut Table)) {
        let mut table = self.catalogue.remove_in_place(name).unwrap_or_else(|| Table {
            name: name.to_owned(),
            place: self.place.clone(),
            ..Table::default()
        });
        change(&mut table);
        self.catalogue.add(table);
    }

    fn exact(&mut self, name: &str) -> Option<&mut Table> {
        self.catalogue.tables.iter_mut().find(|table| table.name.eq_ignore_ascii_case(name))
    }

    fn drop_index(&mut self, table: Option<&str>, name: &str) {
        let of = |known: &&mut Table| table.is_none_or(|table| known.name.eq_ignore_ascii_case(table));
        for known in self.catalogue.tables.iter_mut().filter(of) {
            known.indexes.retain(|index| !is(index.name.as_deref(), name));
        }
    }

    /// Applies one operation; the new name if it renames the table.
    fn alter(&mut self, name: &str, operation: &AlterTableOperation) -> Option<String> {
        if let AlterTableOperation::RenameTable { table_name } = operation {
            let (RenameTableNameKind::As(to) | RenameTableNameKind::To(to)) = table_name;
            self.rename_table(name, last(to));
            return Some(last(to));
        }
        let adder = Change { catalogue: &mut Catalogue::default(), place: self.place.clone() };
        self.change_table(name, |table| adder.alter_table(table, operation));
        None
    }

    fn alter_table(&self, table: &mut Table, operation: &AlterTableOperation) {
        match operation {
            AlterTableOperation::AddConstraint { constraint, .. } => self.add_constraint(table, constraint),
            AlterTableOperation::AddColumn { column_def, .. } => self.add_column(table, column_def),
            AlterTableOperation::DropColumn { column_names, .. } => {
                for column in column_names {
                    drop_column(table, &column.value);
                }
            }
            AlterTableOperation::DropConstraint { name, .. } => drop_constraint(table, &name.value),
            AlterTableOperation::DropIndex { name } => {
                table.indexes.retain(|index| !is(index.name.as_deref(), &name.value));
            }
            AlterTableOperation::DropPrimaryKey { .. } => {
                table.indexes.retain(|index| index.origin != Origin::Primary);
            }
            AlterTableOperation::DropForeignKey { name, .. } => {
                table.foreign_keys.retain(|foreign| !is(foreign.name.as_deref(), &name.value));
            }
            AlterTableOperation::RenameColumn { old_column_name, new_column_name } => {
                rename_column(table, &old_column_name.value, &new_column_name.value);
            }
            AlterTableOperation::ChangeColumn { old_name, new_name, data_type, options, .. } => {
                rename_column(table, &old_name.value, &new_name.value);
                retype(table, &new_name.value, &data_type.to_string(), options);
            }
            AlterTableOperation::ModifyColumn { col_name, data_type, options, .. } => {
                retype(table, &col_name.value, &data_type.to_string(), options);
            }
            AlterTableOperation::AlterColumn { column_name, op } => {
                let found =
                    table.columns.iter_mut().find(|column| is(Some(&column.name), &column_name.value));
                let Some(column) = found else { return };
                match op {
                    AlterColumnOperation::SetNotNull => column.nullable = false,
                    AlterColumnOperation::DropNotNull => column.nullable = true,
                    AlterColumnOperation::SetDataType { data_type, .. } => {
                        column.type_text = data_type.to_string();
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn rename_table(&mut self, from: &str, to: String) {
        for table in &mut self.catalogue.tables {
            let foreign = table.foreign_keys.iter_mut().filter(|key| is(Some(&key.table), from));
            foreign.for_each(|key| key.table.clone_from(&to));
        }
        if let Some(mut table) = self.catalogue.remove(from) {
            table.name = to;
            self.catalogue.add(table);
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
                    keys: columns.map(|column| Key::Column(column.clone())).collect(),
                    unique: at("UNIQUE").is_some(),
                    predicate: at("WHERE").map(|at| words.get(at + 1..).unwrap_or_default().join(" ")),
                    method: method.filter(|method| method != "btree"),
                    origin: Origin::Declared,
                    place: self.place.clone(),
                };
                self.add_index(&table, found);
                true
            }
            (None, _, Some(table)) if creates => {
                let Some(name) = name_after(table) else { return false };
                self.change_table(&name, |_| {});
                false
            }
            _ => !["TABLE", "INDEX"].iter().any(|word| at(word).is_some_and(|at| at <= 3)),
        }
    }
}

impl Catalogue {
    /// Takes a table out to change it, leaving its place for [`Catalogue::add`].
    fn remove_in_place(&mut self, name: &str) -> Option<Table> {
        let found = self.tables.iter_mut().find(|table| table.name.eq_ignore_ascii_case(name))?;
        let left = Table { name: found.name.clone(), ..Table::default() };
        Some(std::mem::replace(found, left))
    }
}

fn drop_column(table: &mut Table, name: &str) {
    table.columns.retain(|column| !is(Some(&column.name), name));
    table.indexes.retain(|index| !index.columns().iter().any(|column| is(Some(column), name)));
    table.foreign_keys.retain(|key| !key.columns.iter().any(|column| is(Some(column), name)));
}

/// By its name, or by the name PostgreSQL gives to a constraint without one.
fn drop_constraint(table: &mut Table, name: &str) {
    let owner = table.name.clone();
    table.indexes.retain(|index| {
        let given = match (&index.name, index.origin) {
            (Some(given), _) => given.clone(),
            (None, Origin::Primary) => format!("{owner}_pkey"),
            (None, _) => format!("{owner}_{}_key", index.columns().join("_")),
        };
        !given.eq_ignore_ascii_case(name)
    });
    table.foreign_keys.retain(|key| {
        let given = || format!("{owner}_{}_fkey", key.columns.join("_"));
        !key.name.clone().unwrap_or_else(given).eq_ignore_ascii_case(name)
    });
}

fn rename_column(table: &mut Table, from: &str, to: &str) {
    let columns = table.columns.iter_mut().map(|column| &mut column.name);
    let foreign = table.foreign_keys.iter_mut().flat_map(|key| &mut key.columns);
    let keys = table.indexes.iter_mut().flat_map(|index| &mut index.keys).filter_map(|key| match key {
        Key::Column(name) => Some(name),
        Key::Expression(_) => None,
    });
    for name in columns.chain(foreign).chain(keys).filter(|name| name.eq_ignore_ascii_case(from)) {
        to.clone_into(name);
    }
}

fn retype(table: &mut Table, name: &str, type_text: &str, options: &[ColumnOption]) {
    if let Some(column) = table.columns.iter_mut().find(|column| column.name.eq_ignore_ascii_case(name)) {
        type_text.clone_into(&mut column.type_text);
        column.nullable = !options.contains(&ColumnOption::NotNull);
    }
}

impl Table {
    /// MySQL makes an index for a foreign key that has none.
    pub(crate) fn index_foreign_keys(&mut self) {
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
                keys: foreign.columns.iter().cloned().map(Key::Column).collect(),
                origin: Origin::ForeignKey,
                place: foreign.place.clone(),
                ..Index::default()
            });
        }
    }
}

fn key(column: &IndexColumn) -> Key {
    match &column.column.expr {
        Expr::Identifier(name) => Key::Column(name.value.clone()),
        // MySQL prefix length: `name(10)`.
        Expr::Function(function)
            if function.args.to_string().trim_matches(['(', ')']).parse::<u32>().is_ok() =>
        {
            Key::Column(last(&function.name))
        }
        other => Key::Expression(other.to_string()),
    }
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
