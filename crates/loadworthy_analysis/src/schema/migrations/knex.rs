//! Knex migrations: `createTable("users", (table) => …)` and `alterTable`.

use loadworthy_schema::{Column, ForeignKey, Index, Key, Origin, Table, Tool};

use super::steps::Step;
use crate::schema::column::{Declared, Unique, index, values_of_type};
use crate::schema::reading::{Link, Reading};
use crate::values::Site;

pub(super) fn create_table(step: &mut Step<'_, '_, '_>) {
    let Some(callback) = step.arguments.get(1).copied() else { return };
    for name in step.tables() {
        let mut table = step.new_table(&name, Tool::Knex);
        build(step.reading, callback, &mut table);
        step.history.catalogue.create_table(table, false);
    }
}

pub(super) fn alter_table(step: &mut Step<'_, '_, '_>) {
    let Some(callback) = step.arguments.get(1).copied() else { return };
    let reading = step.reading;
    step.change(|table| build(reading, callback, table));
}

/// Runs the statements of a builder's callback.
fn build(reading: Reading<'_, '_>, callback: Site, table: &mut Table) {
    let Some(function) = reading.function(callback) else { return };
    for statement in reading.chains_on_parameter(function) {
        let (_, links) = reading.chain(statement);
        if let [Link { name, call: Some(call) }, modifiers @ ..] = links.as_slice() {
            Statement { reading, site: statement, arguments: reading.arguments(*call), modifiers }
                .apply(name, table);
        }
    }
}

/// `table.kind(arguments).modifier().modifier()`.
struct Statement<'a, 'r, 'p> {
    reading: Reading<'r, 'p>,
    site: Site,
    arguments: Vec<Site>,
    modifiers: &'a [Link],
}

impl Statement<'_, '_, '_> {
    fn apply(&self, kind: &str, table: &mut Table) {
        match kind {
            "index" | "unique" => self.add_index(table, kind == "unique"),
            "primary" => {
                let keys = self.keys();
                let place = self.reading.place(self.site);
                let origin = Origin::Primary;
                table.add_index(Index {
                    keys,
                    unique: true,
                    origin,
                    place,
                    tool: Tool::Knex,
                    ..Index::default()
                });
            }
            "foreign" => self.add_foreign_key(table),
            "timestamps" => self.add_timestamps(table),
            "dropColumn" | "dropColumns" => {
                for name in self.arguments.iter().flat_map(|argument| self.reading.names(*argument)) {
                    table.drop_column(&name);
                }
            }
            "dropIndex" | "dropUnique" => self.drop_index(table, kind == "dropUnique"),
            "dropPrimary" => table.indexes.retain(|index| index.origin != Origin::Primary),
            "dropForeign" => {
                let columns = self.names(0);
                table.foreign_keys.retain(|key| key.columns != columns);
            }
            "renameColumn" => {
                if let ([from], [to]) = (self.names(0).as_slice(), self.names(1).as_slice()) {
                    table.rename_column(from, to);
                }
            }
            "setNullable" | "dropNullable" | "comment" | "engine" | "charset" | "collate" | "inherits"
            | "check" | "queryContext" | "dropTimestamps" | "dropChecks" => {}
            _ => self.add_column(kind, table),
        }
    }

    fn names(&self, argument: usize) -> Vec<String> {
        self.arguments.get(argument).map(|site| self.reading.names(*site)).unwrap_or_default()
    }

    /// The keys of an index: names, or expressions in `knex.raw`.
    fn keys(&self) -> Vec<Key> {
        let Some(first) = self.arguments.first() else { return Vec::new() };
        let elements = match self.reading.text(*first) {
            Some(_) => vec![*first],
            None => self.reading.elements(*first),
        };
        let raw = |site: Site| {
            let text = self.reading.argument(site, 0).and_then(|text| self.reading.sql(text));
            Key::expression(text.unwrap_or_else(|| self.reading.source(site).to_owned()))
        };
        let key = |site: Site| self.reading.text(site).map_or_else(|| raw(site), Key::column);
        elements.into_iter().map(key).collect()
    }

    fn add_index(&self, table: &mut Table, unique: bool) {
        let options = self.arguments.get(1).filter(|site| self.reading.object(**site).is_some());
        let option = |key: &str| options.and_then(|options| self.reading.get_text(*options, key));
        let name = self.arguments.get(1).and_then(|name| self.reading.text(*name));
        // `index(columns, name, "gin")` or `index(columns, name, { indexType, predicate })`.
        let third = self.arguments.get(2);
        let method = third.and_then(|third| {
            self.reading.text(*third).or_else(|| self.reading.get_text(*third, "indexType"))
        });
        let is_partial =
            [options, third].into_iter().flatten().any(|it| self.reading.get(*it, "predicate").is_some());
        table.add_index(Index {
            name: name.or_else(|| option("indexName")),
            keys: self.keys(),
            predicate: is_partial.then(|| "given by `predicate`".to_owned()),
            method: method
                .map(|method| method.to_lowercase())
                .filter(|method| method != "btree" && method != "unique"),
            ..index(&[], unique, self.reading.place(self.site), Tool::Knex)
        });
    }

    fn drop_index(&self, table: &mut Table, unique: bool) {
        match self.names(1).first() {
            Some(name) => table.drop_index(name),
            None => table.drop_index_over(&self.names(0), Some(unique)),
        }
    }

    fn modifier(&self, name: &str) -> Option<Site> {
        self.modifiers.iter().find(|link| link.name == name).and_then(|link| link.call)
    }

    fn modifier_text(&self, name: &str) -> Option<String> {
        self.reading.text(self.reading.argument(self.modifier(name)?, 0)?)
    }

    /// `references("id").inTable("users")` or `references("users.id")`.
    fn target(&self) -> Option<(String, Vec<String>)> {
        let columns = self.reading.names(self.reading.argument(self.modifier("references")?, 0)?);
        if let Some(table) = self.modifier_text("inTable") {
            return Some((table, columns));
        }
        let (table, column) = columns.first()?.rsplit_once('.')?;
        Some((table.to_owned(), vec![column.to_owned()]))
    }

    fn add_foreign_key(&self, table: &mut Table) {
        let Some((target, referenced)) = self.target() else { return };
        let place = self.reading.place(self.site);
        table.add_foreign_key(ForeignKey {
            columns: self.names(0),
            table: target,
            referenced,
            place,
            ..ForeignKey::default()
        });
    }

    fn add_timestamps(&self, table: &mut Table) {
        let is_camel = self.arguments.get(2).and_then(|it| self.reading.flag(*it)) == Some(true);
        let names = if is_camel { ["createdAt", "updatedAt"] } else { ["created_at", "updated_at"] };
        for name in names {
            table.add_column(Column {
                name: name.to_owned(),
                type_text: "timestamp".to_owned(),
                nullable: true,
                ..Column::default()
            });
        }
    }

    fn add_column(&self, kind: &str, table: &mut Table) {
        let is_serial = kind.to_lowercase().ends_with("increments");
        let mut names = self.arguments.first().map(|name| self.reading.texts(*name)).unwrap_or_default();
        if names.is_empty() && is_serial {
            names.push("id".to_owned());
        }
        let has = |name: &str| self.modifier(name).is_some();
        let values = self.arguments.get(1).filter(|_| matches!(kind, "enu" | "enum"));
        for name in names {
            let is_primary = is_serial || has("primary");
            let target = self.target();
            Declared {
                column: Column {
                    name,
                    field: None,
                    type_text: kind.to_owned(),
                    nullable: !is_primary && !has("notNullable"),
                    distinct: values_of_type(kind).or_else(|| self.reading.count(*values?)),
                },
                is_primary,
                unique: if has("unique") { Unique::Alone } else { Unique::No },
                is_indexed: has("index"),
                references: target.map(|(table, columns)| (table, columns.into_iter().next())),
                place: self.reading.place(self.site),
                tool: Tool::Knex,
            }
            .add_to(table);
        }
    }
}
