//! The steps of one file, in source order and without the way back.

use loadworthy_project::FileId;
use loadworthy_schema::migrations::History;
use loadworthy_schema::{Table, Tool};
use loadworthy_syntax::{Binary, Kind, MemberKind, Module, NodeId, Span};

use super::{knex, kysely, pg_migrate, sequelize, typeorm};
use crate::schema::reading::{Link, Reading};
use crate::values::Site;

/// Which steps of a file count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// A migration: all but those of `down`.
    Everything,
    /// Any other code: what it creates. What it drops may be for a test or a reset.
    Creation,
}

/// A step and what it is done to.
pub(super) struct Step<'a, 'r, 'p> {
    pub(super) reading: Reading<'r, 'p>,
    pub(super) history: &'a mut History,
    /// The call.
    pub(super) call: Site,
    pub(super) arguments: Vec<Site>,
    /// What follows in the chain.
    pub(super) rest: &'a [Link],
    pub(super) counts: Counts,
}

/// Applies the steps of a file.
pub(super) fn apply(reading: Reading<'_, '_>, file: FileId, counts: Counts, history: &mut History) {
    let Some(module) = reading.module(file) else { return };
    let back = if counts == Counts::Everything { ways_back(module) } else { Vec::new() };
    let mut events: Vec<NodeId> =
        module.node_ids().filter(|node| is_chain(module, *node) || is_text(module, *node)).collect();
    events.retain(|node| {
        let span = module.node(*node).span;
        !back.iter().any(|back| back.contains(span))
    });
    events.sort_by_key(|node| (module.node(*node).span.start, *node));
    for node in events {
        let site = (file, node);
        match module.kind(node) {
            Kind::Call { .. } => chain(reading, site, counts, history),
            _ => sql(reading, site, counts, history),
        }
    }
}

/// A call that is not itself the object of a further one.
fn is_chain(module: &Module, node: NodeId) -> bool {
    matches!(module.kind(node), Kind::Call { .. })
        && !matches!(module.kind(module.parent(node)), Kind::Member { object, .. } if object == node)
}

/// A string, template or sum of strings.
fn is_text(module: &Module, node: NodeId) -> bool {
    let is_sum = |node| matches!(module.kind(node), Kind::Binary { operator: Binary::Add, .. });
    matches!(
        module.kind(node),
        Kind::String(_) | Kind::Template { .. } | Kind::Binary { operator: Binary::Add, .. }
    ) && !is_sum(module.parent(node))
}

/// The spans of `down` functions.
fn ways_back(module: &Module) -> Vec<Span> {
    let is_back = |name: &str| matches!(name, "down" | "rollback" | "revert");
    let mut spans: Vec<Span> = module
        .functions()
        .iter()
        .filter(|function| is_back(module.str(function.name)))
        .map(|function| module.node(function.node).span)
        .collect();
    for class in module.classes() {
        let members = class.members.iter().filter(|member| {
            matches!(member.kind, MemberKind::Method | MemberKind::Field) && is_back(module.str(member.name))
        });
        spans.extend(members.map(|member| module.node(member.value).span));
    }
    for node in module.node_ids() {
        let value = match module.kind(node) {
            Kind::Property { key, value } if is_back(module.str(key)) => value,
            Kind::Assign { target, value, .. } => match module.kind(target) {
                Kind::Member { name, .. } if is_back(module.str(name)) => value,
                _ => continue,
            },
            Kind::Declarator { target, init } => match module.kind(target) {
                Kind::Binding(binding)
                    if module.binding(binding).is_some_and(|it| is_back(module.str(it.name))) =>
                {
                    init
                }
                _ => continue,
            },
            _ => continue,
        };
        spans.push(module.node(value).span);
    }
    spans
}

fn sql(reading: Reading<'_, '_>, site: Site, counts: Counts, history: &mut History) {
    // Most strings are no SQL: their source tells before anything is resolved.
    if !super::declares_by_sql(reading.source(site)) && counts == Counts::Creation {
        return;
    }
    let place = reading.place(site);
    for text in reading.sqls(site) {
        match counts {
            Counts::Everything => history.apply(&text, &place),
            Counts::Creation if text.contains('(') => history.declare(&text, &place),
            Counts::Creation => {}
        }
    }
}

fn chain(reading: Reading<'_, '_>, site: Site, counts: Counts, history: &mut History) {
    let (_, links) = reading.chain(site);
    for (at, link) in links.iter().enumerate() {
        let Some(call) = link.call else { continue };
        let rest = links.get(at + 1..).unwrap_or_default();
        let arguments = reading.arguments(call);
        let mut step = Step { reading, history: &mut *history, call, arguments, rest, counts };
        let is_chained = step.arguments.len() == 1
            && ["createTable", "alterTable", "createIndex"].contains(&link.name.as_str());
        step.apply(&link.name);
        // The rest of the chain was part of the step.
        if is_chained {
            break;
        }
    }
}

impl Step<'_, '_, '_> {
    fn apply(&mut self, name: &str) {
        let creates = self.counts == Counts::Creation;
        match name {
            "createTable" | "createTableIfNotExists" => self.create_table(),
            "alterTable" | "table" => self.alter_table(),
            "createIndex" | "addIndex" | "createIndices" => self.create_index(name),
            "addColumn" | "addColumns" => self.add_columns(),
            "addConstraint" | "createConstraint" => self.add_constraint(),
            "createForeignKey" | "createForeignKeys" | "createUniqueConstraint" | "createPrimaryKey" => {
                typeorm::add_key(self, name);
            }
            "changeColumn" => self.change_column(),
            _ if creates => {}
            "dropTable" | "dropTableIfExists" => {
                for name in self.tables() {
                    self.history.catalogue.remove(&name);
                }
            }
            "renameTable" => self.rename_table(),
            "removeColumn" | "dropColumn" | "dropColumns" => self.drop_columns(),
            "renameColumn" => self.rename_column(),
            "removeIndex" | "dropIndex" => self.drop_index(),
            "removeConstraint" | "dropConstraint" | "dropUniqueConstraint" | "dropForeignKey" => {
                self.drop_constraint();
            }
            _ => {}
        }
    }

    fn is_pg_migrate(&self) -> bool {
        self.reading.depends_on(self.call.0, "node-pg-migrate")
    }

    fn create_table(&mut self) {
        match self.arguments.as_slice() {
            [first, ..] if typeorm::made(self.reading, *first).is_some() => typeorm::create_table(self),
            [_, second, ..] if self.is_function(*second) => knex::create_table(self),
            [_, second, ..] if self.reading.object(*second).is_some() => {
                if self.is_pg_migrate() {
                    pg_migrate::create_table(self);
                } else {
                    sequelize::create_table(self);
                }
            }
            [_] => kysely::create_table(self),
            _ => {}
        }
    }

    fn is_function(&self, site: Site) -> bool {
        self.reading.function(site).is_some()
    }

    fn alter_table(&mut self) {
        match self.arguments.as_slice() {
            [_, second, ..] if self.is_function(*second) => knex::alter_table(self),
            [_] => kysely::alter_table(self),
            _ => {}
        }
    }

    fn create_index(&mut self, name: &str) {
        match self.arguments.as_slice() {
            [_, second, ..] if typeorm::is_made(self.reading, *second) => typeorm::create_index(self),
            [_] if name == "createIndex" => kysely::create_index(self),
            [_, ..] if self.is_pg_migrate() => pg_migrate::create_index(self),
            [_, _, ..] if name == "addIndex" => sequelize::add_index(self),
            _ => {}
        }
    }

    fn add_columns(&mut self) {
        match self.arguments.as_slice() {
            [_, second, ..] if typeorm::is_made(self.reading, *second) => typeorm::add_columns(self),
            [_, second] if self.reading.object(*second).is_some() => pg_migrate::add_columns(self),
            [_, _, _, ..] => sequelize::add_column(self),
            _ => {}
        }
    }

    fn add_constraint(&mut self) {
        if self.is_pg_migrate() {
            pg_migrate::add_constraint(self);
        } else {
            sequelize::add_constraint(self);
        }
    }

    fn change_column(&mut self) {
        match self.arguments.as_slice() {
            [_, _, third, ..] if typeorm::is_made(self.reading, *third) => typeorm::change_column(self),
            [_, _, _, ..] => sequelize::change_column(self),
            _ => {}
        }
    }

    fn rename_table(&mut self) {
        if let [from, to, ..] = self.arguments.as_slice()
            && let (Some(from), Some(to)) = (self.reading.text(*from), self.reading.text(*to))
        {
            self.history.catalogue.rename_table(&from, &to);
        }
    }

    fn rename_column(&mut self) {
        let [_, from, to, ..] = self.arguments.as_slice() else { return };
        if let (Some(from), Some(to)) = (self.reading.text(*from), self.reading.text(*to)) {
            self.change(|table| table.rename_column(&from, &to));
        }
    }

    fn drop_columns(&mut self) {
        let Some(second) = self.arguments.get(1) else { return };
        for name in self.reading.names(*second) {
            self.change(|table| table.drop_column(&name));
        }
    }

    /// `dropIndex(name)`, `removeIndex(table, name)`, `removeIndex(table, columns)`.
    fn drop_index(&mut self) {
        match self.arguments.as_slice() {
            [name] => {
                if let Some(name) = self.reading.text(*name) {
                    self.history.catalogue.drop_index(None, &name);
                }
            }
            [_, second, ..] => {
                let second = *second;
                let given = self.arguments.get(2).and_then(|options| self.reading.get_text(*options, "name"));
                if let Some(name) = given.or_else(|| self.reading.text(second)) {
                    self.change(|table| table.drop_index(&name));
                }
                let columns = self.reading.names(second);
                self.change(|table| table.drop_index_over(&columns, None));
            }
            [] => {}
        }
    }

    fn drop_constraint(&mut self) {
        let name = self.arguments.get(1).and_then(|name| self.reading.text(*name));
        if let Some(name) = name {
            self.change(|table| table.drop_constraint(&name));
        }
    }

    /// The tables that the first argument names: a text, an element of a list of texts, or `{ tableName }`.
    pub(super) fn tables(&self) -> Vec<String> {
        let Some(first) = self.arguments.first() else { return Vec::new() };
        let given = ["tableName", "name"].iter().find_map(|key| self.reading.get_text(*first, key));
        let names = given.map_or_else(|| self.reading.texts(*first), |name| vec![name]);
        names.iter().map(|name| name.rsplit('.').next().unwrap_or(name).to_owned()).collect()
    }

    /// Changes the tables that the first argument names.
    pub(super) fn change(&mut self, change: impl Fn(&mut Table)) {
        let place = self.reading.place(self.call);
        for name in self.tables() {
            self.history.catalogue.change_table(&name, &place, &change);
        }
    }

    /// A new table of that name, by `tool`.
    pub(super) fn new_table(&self, name: &str, tool: Tool) -> Table {
        Table {
            name: name.to_owned(),
            extent: loadworthy_schema::Extent::Created,
            place: self.reading.place(self.call),
            tools: vec![tool],
            ..Table::default()
        }
    }
}
