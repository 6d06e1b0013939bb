//! Drizzle tables: `pgTable`, `mysqlTable`, `sqliteTable`, their extra configuration, and `relations`.

use loadworthy_schema::sql::Dialect;
use loadworthy_schema::{
    Column, Extent, ForeignKey, Index, Key, Origin, Relation, Table, Tool, names::snake,
};
use loadworthy_syntax::Kind;
use rustc_hash::{FxHashMap, FxHashSet};

use super::found::{Found, Holder};
use super::packages::{DRIZZLE, is_of};
use super::reading::{Link, Reading, package_of};
use crate::values::{External, Site};

/// Reads every table of the program.
pub(super) fn read(reading: Reading<'_, '_>, found: &mut Found) {
    let tables = Tables::find(reading);
    let mut declared: Vec<(Site, Table)> =
        tables.sites.iter().filter_map(|site| Some((*site, tables.table(*site)?))).collect();
    let relations = relations(reading, &tables);
    for (site, table) in &mut declared {
        let own = relations.iter().filter(|relation| relation.table == *site);
        table.relations = own.map(|relation| relation.completed(&relations, &tables)).collect();
    }
    for (site, table) in declared {
        let dialect = tables.heads.get(&site).map(|head| head.dialect).unwrap_or_default();
        found.declare(vec![Holder::Made(site)], table, dialect);
    }
}

/// The calls that make tables.
struct Tables<'r, 'p> {
    reading: Reading<'r, 'p>,
    heads: FxHashMap<Site, Head>,
    /// In order of files and nodes.
    sites: Vec<Site>,
    /// Packages that have properties turned into `snake_case`.
    snake_scopes: FxHashSet<String>,
}

/// What the head of a table's call tells.
struct Head {
    name: String,
    dialect: Dialect,
}

impl<'r, 'p> Tables<'r, 'p> {
    fn find(reading: Reading<'r, 'p>) -> Self {
        let mut tables = Self {
            reading,
            heads: FxHashMap::default(),
            sites: Vec::new(),
            snake_scopes: FxHashSet::default(),
        };
        for (file, module) in reading.modules() {
            for call in module.calls() {
                let site = (file, *call);
                if let Some(head) = tables.head(site) {
                    tables.heads.insert(site, head);
                    tables.sites.push(site);
                }
            }
            if module.text().contains("casing") && is_snake_cased(reading, file) {
                tables.snake_scopes.insert(reading.scope(file).to_owned());
            }
        }
        tables
    }

    fn head(&self, site: Site) -> Option<Head> {
        let arguments = self.reading.arguments(site);
        let [name, columns, ..] = arguments.as_slice() else { return None };
        // Most calls are told apart by their form, before anything is resolved.
        let is_text = matches!(
            self.reading.kind(*name),
            Kind::String(_) | Kind::Template { .. } | Kind::Name { .. } | Kind::Member { .. }
        );
        let is_columns = matches!(
            self.reading.kind(*columns),
            Kind::Object(_) | Kind::Function(_) | Kind::Name { .. } | Kind::Call { .. } | Kind::Member { .. }
        );
        if !is_text || !is_columns {
            return None;
        }
        let externals = self.reading.externals(self.reading.callee(site)?);
        let (external, kind) = externals.iter().find_map(|external| Some((external, maker(external)?)))?;
        let written = self.reading.text(*name)?;
        let name = match kind {
            Maker::Plain => written,
            Maker::Creator(creator) => self.created_name(creator, &written),
        };
        Some(Head { name, dialect: dialect(package_of(external)) })
    }

    /// The name that the function given to `pgTableCreator` makes of a table's.
    fn created_name(&self, creator: Site, written: &str) -> String {
        let name = || {
            let (file, node) = *self.reading.returned(self.reading.argument(creator, 0)?).first()?;
            let module = self.reading.module(file)?;
            let Kind::Template { strings, values } = module.kind(node) else { return None };
            let mut values = module.list(values);
            let mut text = String::new();
            for part in module.atoms(strings) {
                text.push_str(part);
                if let Some(value) = values.next() {
                    let constant = self.reading.text((file, value));
                    text.push_str(constant.as_deref().unwrap_or(written));
                }
            }
            Some(text)
        };
        name().unwrap_or_else(|| written.to_owned())
    }

    fn table(&self, site: Site) -> Option<Table> {
        let head = self.heads.get(&site)?;
        let reading = self.reading;
        let mut table = Table {
            name: head.name.clone(),
            aliases: reading.holder_name(site).map(str::to_owned).into_iter().collect(),
            scope: reading.scope(site.0).to_owned(),
            extent: Extent::Declared,
            place: reading.place(site),
            last_line: reading.last_line(site),
            tools: vec![Tool::Drizzle],
            ..Table::default()
        };
        let columns = reading.unwrapped(reading.argument(site, 1)?);
        for (property, value) in reading.entries(columns) {
            self.add_column(&mut table, &property, value);
        }
        if let Some(extra) = reading.argument(site, 2) {
            for returned in reading.returned(extra) {
                self.add_extras(&mut table, returned);
            }
        }
        Some(table)
    }

    fn add_column(&self, table: &mut Table, property: &str, site: Site) {
        let Some(links) = self.column_links(site) else { return };
        let [type_link, modifiers @ ..] = links.as_slice() else { return };
        // `pgEnum("state", […])("state")`, `customType({…})("x")`: the second call has the column's name.
        let (naming, modifiers) = match modifiers {
            [second, rest @ ..] if second.name.is_empty() => (second, rest),
            _ => (type_link, modifiers),
        };
        let given =
            naming.call.and_then(|call| self.reading.argument(call, 0)).and_then(|it| self.reading.text(it));
        let is_snake = self.snake_scopes.contains(&table.scope);
        let name = given.unwrap_or_else(|| if is_snake { snake(property) } else { property.to_owned() });
        let has = |wanted: &str| modifiers.iter().any(|link| link.name == wanted);
        let is_primary = has("primaryKey");
        table.add_column(Column {
            field: (name != property).then(|| property.to_owned()),
            name: name.clone(),
            type_text: type_link.name.clone(),
            nullable: !has("notNull") && !is_primary && !type_link.name.to_lowercase().contains("serial"),
            distinct: self.distinct(type_link, naming),
        });
        let place = self.reading.place(site);
        let key = |origin| Index {
            keys: vec![Key::column(&name)],
            unique: true,
            origin,
            place: place.clone(),
            tool: Tool::Drizzle,
            ..Index::default()
        };
        if is_primary {
            table.add_index(key(Origin::Primary));
        }
        if has("unique") {
            table.add_index(key(Origin::Unique));
        }
        for link in modifiers.iter().filter(|link| link.name == "references") {
            let target = link.call.and_then(|call| self.reading.argument(call, 0));
            if let Some((target, column)) = target.and_then(|target| self.referenced(target)) {
                table.add_foreign_key(ForeignKey {
                    columns: vec![name.clone()],
                    table: target,
                    referenced: vec![column],
                    place: place.clone(),
                    ..ForeignKey::default()
                });
            }
        }
    }

    /// What makes a column and what is done to it. In the callback form (`t => ({ id: t.uuid() })`) as written.
    fn column_links(&self, site: Site) -> Option<Vec<Link>> {
        let externals = self.reading.externals(site);
        if let Some(external) = externals.iter().find(|external| is_of(package_of(external), DRIZZLE)) {
            return Some(Reading::links(external))
                .filter(|links| links.iter().any(|link| link.call.is_some()));
        }
        let ((file, root), links) = self.reading.chain(site);
        let is_parameter = matches!(self.reading.kind((file, root)), Kind::Name { .. });
        (is_parameter && links.iter().any(|link| link.call.is_some())).then_some(links)
    }

    fn distinct(&self, type_link: &Link, naming: &Link) -> Option<u32> {
        let reading = self.reading;
        let arguments = |link: &Link| link.call.map(|call| reading.arguments(call)).unwrap_or_default();
        match type_link.name.as_str() {
            "boolean" => return Some(2),
            // `pgEnum(name, values)`, `mysqlEnum(name, values)` or `mysqlEnum(values)`.
            "pgEnum" | "mysqlEnum" | "singlestoreEnum" => {
                return arguments(type_link).into_iter().find_map(|argument| reading.count(argument));
            }
            _ => {}
        }
        let options = arguments(naming).into_iter().find(|argument| reading.object(*argument).is_some())?;
        if reading.get_text(options, "mode").as_deref() == Some("boolean") {
            return Some(2);
        }
        reading.count(reading.get(options, "enum")?)
    }

    /// `() => users.id`: the table and the property.
    fn referenced(&self, function: Site) -> Option<(String, String)> {
        let (file, node) = *self.reading.returned(function).first()?;
        let Kind::Member { object, name } = self.reading.kind((file, node)) else { return None };
        let column = self.reading.module(file)?.str(name).to_owned();
        Some((self.table_name((file, object))?, column))
    }

    /// The table that an expression is: by its value, else by how it is written.
    fn table_name(&self, site: Site) -> Option<String> {
        match self.table_site(site).and_then(|site| self.heads.get(&site)) {
            Some(head) => Some(head.name.clone()),
            None => self.reading.written_name(site).map(str::to_owned),
        }
    }

    fn table_site(&self, site: Site) -> Option<Site> {
        let externals = self.reading.externals(site);
        externals.iter().filter_map(External::site).find(|site| self.heads.contains_key(site))
    }

    /// The third argument gives back an object or a list of indexes and constraints.
    fn add_extras(&self, table: &mut Table, returned: Site) {
        let mut extras = self.reading.elements(returned);
        extras.extend(self.reading.entries(returned).into_iter().map(|(_, value)| value));
        for extra in extras {
            let externals = self.reading.externals(extra);
            let Some(external) = externals.iter().find(|external| is_of(package_of(external), DRIZZLE))
            else {
                continue;
            };
            self.add_extra(table, extra, &Reading::links(external));
        }
    }

    fn add_extra(&self, table: &mut Table, site: Site, links: &[Link]) {
        let Some((Link { name: kind, call: Some(head) }, rest)) = links.split_first() else { return };
        let on = rest.iter().find(|link| ["on", "onOnly", "using"].contains(&link.name.as_str()));
        let (origin, unique) = match kind.as_str() {
            "index" => (Origin::Declared, false),
            "uniqueIndex" => (Origin::Declared, true),
            "unique" => (Origin::Unique, true),
            "primaryKey" => (Origin::Primary, true),
            "foreignKey" => return self.add_foreign_key(table, site, *head),
            _ => return,
        };
        let mut keys =
            on.and_then(|link| link.call).map(|call| self.reading.arguments(call)).unwrap_or_default();
        let mut method = None;
        if on.is_some_and(|link| link.name == "using") && !keys.is_empty() {
            method = self.reading.text(keys.remove(0)).map(|name| name.to_lowercase());
        }
        if kind == "primaryKey" {
            let columns = self.reading.argument(*head, 0).and_then(|it| self.reading.get(it, "columns"));
            keys = columns.map_or_else(|| self.reading.arguments(*head), |list| self.reading.elements(list));
        }
        let filter = rest.iter().find(|link| link.name == "where").and_then(|link| link.call);
        let given = self.reading.argument(*head, 0).and_then(|it| self.reading.text(it));
        table.add_index(Index {
            name: given,
            keys: keys.into_iter().map(|key| self.key(table, key)).collect(),
            unique,
            predicate: filter
                .and_then(|call| self.reading.argument(call, 0))
                .map(|it| self.condition(table, it)),
            method: method.filter(|method| method != "btree"),
            origin,
            place: self.reading.place(site),
            tool: Tool::Drizzle,
            ..Index::default()
        });
    }

    /// SQL with its columns by name: `` sql`${t.deletedAt} is null` `` as `deleted_at is null`.
    fn condition(&self, table: &Table, site: Site) -> String {
        let source = || self.reading.source(site).to_owned();
        let Kind::Tagged { template, .. } = self.reading.kind(site) else { return source() };
        let Some(module) = self.reading.module(site.0) else { return source() };
        let Kind::Template { strings, values } = module.kind(template) else {
            return self.reading.text((site.0, template)).unwrap_or_else(source).trim().to_owned();
        };
        let mut values = module.list(values);
        let mut text = String::new();
        for part in module.atoms(strings) {
            text.push_str(part);
            if let Some(value) = values.next() {
                text.push_str(self.key(table, (site.0, value)).text());
            }
        }
        text.trim().to_owned()
    }

    fn add_foreign_key(&self, table: &mut Table, site: Site, call: Site) {
        let list = |key: &str| {
            let list = self.reading.argument(call, 0).and_then(|options| self.reading.get(options, key));
            list.map(|list| self.reading.elements(list)).unwrap_or_default()
        };
        let property = |site: &Site| self.reading.written_name(*site).map(str::to_owned);
        let (columns, foreign) = (list("columns"), list("foreignColumns"));
        let Some(Kind::Member { object, .. }) = foreign.first().map(|site| self.reading.kind(*site)) else {
            return;
        };
        let Some(target) = foreign.first().and_then(|site| self.table_name((site.0, object))) else { return };
        let columns = columns.iter().filter_map(property).map(|name| column_name(table, &name)).collect();
        table.add_foreign_key(ForeignKey {
            columns,
            table: target,
            referenced: foreign.iter().filter_map(property).collect(),
            place: self.reading.place(site),
            ..ForeignKey::default()
        });
    }

    /// `t.a`, `t.a.desc()`, `desc(t.a)`, or SQL.
    fn key(&self, table: &Table, site: Site) -> Key {
        let (root, links) = self.reading.chain(site);
        if let (Kind::Name { .. }, [Link { name, call: None }, modifiers @ ..]) =
            (self.reading.kind(root), links.as_slice())
        {
            let descending = modifiers.iter().any(|link| link.name == "desc");
            let operators = modifiers.iter().find(|link| link.name == "op").and_then(|link| link.call);
            let operators = operators.and_then(|call| self.reading.text(self.reading.argument(call, 0)?));
            return Key { descending, operators, ..Key::column(column_name(table, name)) };
        }
        match self.reading.kind(site) {
            Kind::Call { .. } if ["asc", "desc"].contains(&self.reading.called_name(site)) => {
                let descending = self.reading.called_name(site) == "desc";
                let inner = self.reading.argument(site, 0).map(|inner| self.key(table, inner));
                inner.map_or_else(
                    || Key::expression(self.reading.source(site)),
                    |key| Key { descending, ..key },
                )
            }
            Kind::Tagged { .. } => self.sql_key(table, site),
            _ => Key::expression(self.reading.source(site)),
        }
    }

    /// `` sql`${t.a} DESC` `` and `` sql`name gin_trgm_ops` `` are columns, `` sql`lower(${t.a})` `` an expression.
    fn sql_key(&self, table: &Table, site: Site) -> Key {
        let text = self.condition(table, site);
        let mut words = text.split_whitespace();
        let first = words.next().unwrap_or_default().trim_matches('"');
        let rest = words.collect::<Vec<_>>().join(" ").to_ascii_lowercase();
        let is_plain = first.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        let is_order = ["", "asc", "desc", "desc nulls last", "asc nulls last"].contains(&rest.as_str());
        if is_plain && (is_order || rest.ends_with("_ops")) {
            let bare = first.rsplit('.').next().unwrap_or(first);
            let operators = rest.ends_with("_ops").then(|| rest.clone());
            return Key { descending: rest.starts_with("desc"), operators, ..Key::column(bare) };
        }
        Key::expression(text)
    }
}

/// What makes a table.
enum Maker {
    Plain,
    /// The call of `pgTableCreator`.
    Creator(Site),
}

fn maker(external: &External) -> Option<Maker> {
    if !is_of(package_of(external), DRIZZLE) {
        return None;
    }
    let links = Reading::links(external);
    let (head, rest) = links.split_first()?;
    match (head.name.as_str(), head.call, rest) {
        (
            "pgTable" | "mysqlTable" | "sqliteTable" | "singlestoreTable" | "gelTable" | "cockroachTable",
            None,
            [],
        ) => Some(Maker::Plain),
        ("pgTableCreator" | "mysqlTableCreator" | "sqliteTableCreator", Some(creator), []) => {
            Some(Maker::Creator(creator))
        }
        ("pgSchema" | "mysqlSchema" | "mysqlDatabase", Some(_), [Link { name, call: None }])
            if name == "table" =>
        {
            Some(Maker::Plain)
        }
        _ => None,
    }
}

fn dialect(specifier: &str) -> Dialect {
    match specifier.rsplit('/').next() {
        Some("pg-core" | "cockroach-core") => Dialect::PostgreSql,
        Some("mysql-core" | "singlestore-core") => Dialect::MySql,
        Some("sqlite-core") => Dialect::Sqlite,
        _ => Dialect::Unknown,
    }
}

/// `casing: "snake_case"` in the options of the client.
fn is_snake_cased(reading: Reading<'_, '_>, file: loadworthy_project::FileId) -> bool {
    let Some(module) = reading.module(file) else { return false };
    module.node_ids().any(|node| match module.kind(node) {
        Kind::Property { key, value } if module.str(key) == "casing" => {
            matches!(module.kind(value), Kind::String(text) if module.str(text) == "snake_case")
        }
        _ => false,
    })
}

/// The column of a property.
fn column_name(table: &Table, property: &str) -> String {
    let column = table.columns.iter().find(|column| column.field() == property);
    column.map_or_else(|| property.to_owned(), |column| column.name.clone())
}

/// One entry of `relations(table, …)`.
struct Declared {
    table: Site,
    target: Site,
    /// Name pairing both sides.
    name: Option<String>,
    relation: Relation,
}

impl Declared {
    /// The side without columns takes them from the other.
    fn completed(&self, all: &[Self], tables: &Tables<'_, '_>) -> Relation {
        let mut relation = self.relation.clone();
        if let Some(head) = tables.heads.get(&self.target) {
            relation.target.clone_from(&head.name);
        }
        if relation.local.is_empty() {
            let others: Vec<&Self> = all
                .iter()
                .filter(|other| other.table == self.target && other.target == self.table)
                .filter(|other| !other.relation.local.is_empty())
                .collect();
            let named = others.iter().find(|other| other.name.is_some() && other.name == self.name);
            let only = if let [only] = others.as_slice() { Some(only) } else { None };
            if let Some(other) = named.or(only) {
                relation.local.clone_from(&other.relation.foreign);
                relation.foreign.clone_from(&other.relation.local);
            }
        }
        relation
    }
}

fn relations(reading: Reading<'_, '_>, tables: &Tables<'_, '_>) -> Vec<Declared> {
    let mut all = Vec::new();
    for (file, module) in reading.modules() {
        for call in module.calls() {
            let site = (file, *call);
            if reading.called_name(site) != "relations" {
                continue;
            }
            let arguments = reading.arguments(site);
            let [table, function] = arguments.as_slice() else { continue };
            let Some(table) = tables.table_site(*table) else { continue };
            for (field, value) in reading.entries(reading.unwrapped(*function)) {
                all.extend(relation(reading, tables, table, field, value));
            }
        }
    }
    all
}

/// `one(users, { fields: [posts.authorId], references: [users.id] })`, `many(posts)`.
fn relation(
    reading: Reading<'_, '_>,
    tables: &Tables<'_, '_>,
    table: Site,
    field: String,
    value: Site,
) -> Option<Declared> {
    let many = match reading.called_name(value) {
        "many" => true,
        "one" => false,
        _ => return None,
    };
    let target = tables.table_site(reading.argument(value, 0)?)?;
    let options = reading.argument(value, 1);
    let columns = |key: &str| {
        let list = options.and_then(|options| reading.get(options, key));
        let columns = list.map(|list| reading.elements(list)).unwrap_or_default();
        columns.into_iter().filter_map(|column| reading.written_name(column).map(str::to_owned)).collect()
    };
    let relation = Relation {
        field,
        many,
        local: columns("fields"),
        foreign: columns("references"),
        place: reading.place(value),
        ..Relation::default()
    };
    let name = options.and_then(|options| reading.get_text(options, "relationName"));
    Some(Declared { table, target, name, relation })
}
