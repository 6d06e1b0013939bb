//! One catalogue from models and migrations. An index exists if either tells of it; where the two disagree, that is
//! noted.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::catalogue::Catalogue;
use crate::names::{same_column, singular, snake};
use crate::table::{
    Agreement, Column, Diagnostic, Extent, ForeignKey, Index, Origin, Relation, Store, Table, Tool,
};

/// What kind of source tells of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// Models: what the code believes the database to be.
    Declared,
    /// Migrations and SQL: what was done to it.
    Created,
}

/// The tables of one source. Their scopes are set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The tables.
    pub catalogue: Catalogue,
    /// What kind of source it is.
    pub telling: Telling,
}

/// All parts in one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Merged {
    /// The tables.
    pub catalogue: Catalogue,
    /// Where model and migrations disagree.
    pub notes: Vec<Diagnostic>,
    /// For each part, in the order given, and each of its tables the position in the catalogue.
    pub homes: Vec<Vec<usize>>,
}

/// One catalogue from all parts. A table is told by its name within its scope; a model and a migration also meet
/// across scopes, or by different spellings, if there is no other choice.
#[must_use]
pub fn merged(parts: Vec<Part>) -> Merged {
    let tellings: Vec<Telling> = parts.iter().map(|part| part.telling).collect();
    let (declared, created): (Vec<_>, Vec<_>) =
        parts.into_iter().partition(|part| part.telling == Telling::Declared);
    let (declared, declared_homes) = united(declared);
    let (created, created_homes) = united(created);
    let pairs = pairs(&declared, &created);
    let mut moved: Vec<usize> = Vec::new();
    let mut single = declared.len();
    for at in 0..created.len() {
        let model = pairs.iter().position(|pair| *pair == Some(at));
        moved.push(model.unwrap_or(single));
        single += usize::from(model.is_none());
    }
    let (mut declared_homes, mut created_homes) = (declared_homes.into_iter(), created_homes.into_iter());
    let home = |telling: &Telling| match telling {
        Telling::Declared => declared_homes.next().unwrap_or_default(),
        Telling::Created => {
            let homes = created_homes.next().unwrap_or_default();
            homes.into_iter().filter_map(|at| moved.get(at).copied()).collect()
        }
    };
    let homes = tellings.iter().map(home).collect();
    let (catalogue, notes) = joined(declared, created, &pairs);
    Merged { catalogue, notes, homes }
}

/// The models with their migrations, then the migrated tables without a model.
fn joined(
    declared: Vec<Table>,
    created: Vec<Table>,
    pairs: &[Option<usize>],
) -> (Catalogue, Vec<Diagnostic>) {
    let mut created: Vec<Option<Table>> = created.into_iter().map(Some).collect();
    let mut notes = Vec::new();
    let mut renamed = FxHashMap::default();
    let mut tables = Vec::new();
    for (model, pair) in declared.into_iter().zip(pairs) {
        let Some(history) = pair.and_then(|at| created.get_mut(at)).and_then(Option::take) else {
            tables.push(model);
            continue;
        };
        if model.name != history.name {
            renamed.insert((model.scope.clone(), model.name.clone()), history.name.clone());
        }
        tables.push(agreed(model, history, &mut notes));
    }
    tables.extend(created.into_iter().flatten());
    let mut catalogue = Catalogue { tables };
    rename_targets(&mut catalogue, &renamed);
    complete(&mut catalogue);
    (catalogue, notes)
}

/// Tables of one name in one scope are one table. Also the position of each part's tables.
fn united(parts: Vec<Part>) -> (Vec<Table>, Vec<Vec<usize>>) {
    let mut tables: Vec<Table> = Vec::new();
    let mut known: FxHashMap<(String, Store, String), usize> = FxHashMap::default();
    let mut homes = Vec::new();
    for part in parts {
        let mut own = Vec::new();
        for table in part.catalogue.tables {
            let key = (table.scope.clone(), table.store, table.name.to_lowercase());
            let at = *known.entry(key).or_insert(tables.len());
            own.push(at);
            match tables.get_mut(at) {
                Some(first) => unite(first, table),
                None => tables.push(table),
            }
        }
        homes.push(own);
    }
    (tables, homes)
}

fn unite(first: &mut Table, second: Table) {
    if first.extent < second.extent {
        first.place = second.place;
        first.last_line = second.last_line;
        first.extent = second.extent;
    }
    let names = second.model.into_iter().chain(second.aliases);
    for name in names {
        if !first.is_exactly(&name) {
            first.aliases.push(name);
        }
    }
    for column in second.columns {
        if !first.columns.iter().any(|known| known.name.eq_ignore_ascii_case(&column.name)) {
            first.columns.push(column);
        }
    }
    for index in second.indexes {
        let same = |known: &Index| known.is_like(&index) && known.unique == index.unique;
        if !first.indexes.iter().any(same) {
            first.indexes.push(index);
        }
    }
    second.foreign_keys.into_iter().for_each(|foreign| first.add_foreign_key(foreign));
    for relation in second.relations {
        if first.relation(&relation.field).is_none() {
            first.relations.push(relation);
        }
    }
    for tool in second.tools {
        if !first.tools.contains(&tool) {
            first.tools.push(tool);
        }
    }
}

/// For each model the migrated table that is the same.
fn pairs(declared: &[Table], created: &[Table]) -> Vec<Option<usize>> {
    let exact = |table: &Table| (table.scope.clone(), table.store, table.name.to_lowercase());
    let spelled = |table: &Table| (table.scope.clone(), table.store, spelling(&table.name));
    let anywhere = |table: &Table| (String::new(), table.store, table.name.to_lowercase());
    let mut pairs: Vec<Option<usize>> = vec![None; declared.len()];
    for key in [&exact as &dyn Fn(&Table) -> Identity, &spelled, &anywhere] {
        pair_by(&mut pairs, declared, created, key);
    }
    pairs
}

type Identity = (String, Store, String);

/// Pairs what is still single and has an identity that no other single table on its side has.
fn pair_by(
    pairs: &mut [Option<usize>],
    declared: &[Table],
    created: &[Table],
    key: &dyn Fn(&Table) -> Identity,
) {
    let taken: FxHashSet<usize> = pairs.iter().flatten().copied().collect();
    let mut open: FxHashMap<Identity, Vec<usize>> = FxHashMap::default();
    for (at, table) in created.iter().enumerate().filter(|(at, _)| !taken.contains(at)) {
        open.entry(key(table)).or_default().push(at);
    }
    let mut wanted: FxHashMap<Identity, Vec<usize>> = FxHashMap::default();
    for (at, table) in declared.iter().enumerate() {
        if pairs.get(at).is_some_and(Option::is_none) {
            wanted.entry(key(table)).or_default().push(at);
        }
    }
    for (at, pair) in pairs.iter_mut().enumerate() {
        let Some(identity) = declared.get(at).map(key) else { continue };
        if let (None, Some([_]), Some([found])) =
            (&pair, wanted.get(&identity).map(Vec::as_slice), open.get(&identity).map(Vec::as_slice))
        {
            *pair = Some(*found);
        }
    }
}

/// `OrderItems`, `order_item` and `orderitems` alike.
fn spelling(name: &str) -> String {
    singular(&snake(name)).replace('_', "")
}

/// A model's table and what the migrations made of it.
fn agreed(model: Table, history: Table, notes: &mut Vec<Diagnostic>) -> Table {
    let mut table = model;
    if table.name != history.name && table.model.is_none() {
        table.model = Some(table.name.clone());
    }
    table.name = history.name;
    adopt_columns(&mut table, history.columns);
    let is_known = table.extent == Extent::Declared && history.extent == Extent::Created;
    agree_on_indexes(&mut table, history.indexes, is_known, notes);
    history.foreign_keys.into_iter().for_each(|foreign| table.add_foreign_key(foreign));
    table.extent = table.extent.max(history.extent);
    for tool in history.tools {
        if !table.tools.contains(&tool) {
            table.tools.push(tool);
        }
    }
    table
}

/// The database's spelling wins; the model's becomes the name in code.
fn adopt_columns(table: &mut Table, columns: Vec<Column>) {
    for column in columns {
        let by_name = table.columns.iter().position(|known| known.name.eq_ignore_ascii_case(&column.name));
        let found =
            by_name.or_else(|| table.columns.iter().position(|known| same_column(&known.name, &column.name)));
        let Some(known) = found.and_then(|at| table.columns.get_mut(at)) else {
            table.columns.push(column);
            continue;
        };
        known.distinct = known.distinct.or(column.distinct);
        let old = known.name.clone();
        if old != column.name {
            known.field.get_or_insert_with(|| old.clone());
            rename_keys(table, &old, &column.name);
        }
    }
}

fn rename_keys(table: &mut Table, from: &str, to: &str) {
    table.rename_column(from, to);
    for relation in &mut table.relations {
        for name in relation.local.iter_mut().filter(|name| *name == from) {
            to.clone_into(name);
        }
    }
}

fn agree_on_indexes(table: &mut Table, created: Vec<Index>, is_known: bool, notes: &mut Vec<Diagnostic>) {
    let declared = table.indexes.len();
    let generates = table
        .tools
        .iter()
        .any(|tool| matches!(tool, Tool::Prisma | Tool::Drizzle | Tool::TypeOrm | Tool::MikroOrm));
    for mut index in created {
        let same = |known: &&mut Index| known.is_like(&index) && known.unique == index.unique;
        if let Some(known) = table.indexes.iter_mut().find(same) {
            known.agreement = Agreement::Both;
            known.name = known.name.take().or(index.name);
            continue;
        }
        if is_known && index.origin != Origin::ForeignKey {
            index.agreement = Agreement::OnlyCreated;
            let is_plain = index.method.is_none()
                && index.predicate.is_none()
                && index.columns().len() == index.keys.len();
            if generates && is_plain {
                notes.push(note(table, &index, "is created by a migration, but the model does not have it"));
            }
        }
        table.indexes.push(index);
    }
    if is_known {
        note_missing(table, declared, notes);
    }
}

/// What the first `declared` indexes, the model's, have that no migration creates. What the tool would have made by
/// itself does not count: migrations made the table.
fn note_missing(table: &mut Table, declared: usize, notes: &mut Vec<Diagnostic>) {
    let mut position = 0..;
    table.indexes.retain(|index| {
        let is_own = position.next().is_some_and(|at| at < declared);
        !(is_own && index.origin == Origin::ForeignKey && index.agreement == Agreement::Single)
    });
    let is_missing =
        |index: &&mut Index| index.agreement == Agreement::Single && index.origin != Origin::ForeignKey;
    let mut told = Vec::new();
    for index in table.indexes.iter_mut().filter(is_missing) {
        index.agreement = Agreement::OnlyDeclared;
        told.push(index.clone());
    }
    notes.extend(told.iter().map(|index| note(table, index, "is in the model, but no migration creates it")));
}

fn note(table: &Table, index: &Index, what: &str) -> Diagnostic {
    let keys: Vec<&str> = index.keys.iter().map(crate::table::Key::text).collect();
    let kind = match index.origin {
        Origin::Primary => "the primary key",
        Origin::Unique => "the unique key",
        _ => "the index",
    };
    let message = format!("{kind} of `{}` over ({}) {what}", table.name, keys.join(", "));
    Diagnostic { place: index.place.clone(), message }
}

fn rename_targets(catalogue: &mut Catalogue, renamed: &FxHashMap<(String, String), String>) {
    for table in &mut catalogue.tables {
        let scope = table.scope.clone();
        let foreign = table.foreign_keys.iter_mut().map(|foreign| &mut foreign.table);
        let targets = table.relations.iter_mut().map(|relation| &mut relation.target);
        for name in foreign.chain(targets) {
            if let Some(new) = renamed.get(&(scope.clone(), name.clone())) {
                name.clone_from(new);
            }
        }
    }
}

/// Tables by any of their names within a scope; a name in the database goes before one in code.
struct Directory {
    by_name: FxHashMap<(String, String), usize>,
}

impl Directory {
    fn new(catalogue: &Catalogue) -> Self {
        let mut by_name = FxHashMap::default();
        for (at, table) in catalogue.tables.iter().enumerate() {
            by_name.entry((table.scope.clone(), table.name.to_lowercase())).or_insert(at);
        }
        for (at, table) in catalogue.tables.iter().enumerate() {
            for name in table.names().skip(1) {
                by_name.entry((table.scope.clone(), name.to_lowercase())).or_insert(at);
            }
        }
        Self { by_name }
    }

    fn find<'c>(&self, catalogue: &'c Catalogue, scope: &str, name: &str) -> Option<&'c Table> {
        let at = self.by_name.get(&(scope.to_owned(), name.to_lowercase()))?;
        catalogue.tables.get(*at)
    }
}

/// Targets and columns of foreign keys and relations as the database names them; the side of a relation without a key
/// takes it from the foreign key at the other.
fn complete(catalogue: &mut Catalogue) {
    let directory = Directory::new(catalogue);
    let foreign_key = |table: &Table, foreign: &ForeignKey| {
        let mut foreign = foreign.clone();
        if let Some(target) = directory.find(catalogue, &table.scope, &foreign.table) {
            foreign.table.clone_from(&target.name);
            foreign.referenced = named(target, &foreign.referenced);
            if foreign.referenced.is_empty() {
                foreign.referenced = target.primary_key().into_iter().map(str::to_owned).collect();
            }
        }
        foreign.columns = named(table, &foreign.columns);
        foreign
    };
    let keys: Vec<Vec<ForeignKey>> = catalogue
        .tables
        .iter()
        .map(|table| table.foreign_keys.iter().map(|foreign| foreign_key(table, foreign)).collect())
        .collect();
    for (table, keys) in catalogue.tables.iter_mut().zip(keys) {
        table.foreign_keys.clear();
        for key in keys {
            table.add_foreign_key(key);
        }
    }
    let relation = |table: &Table, relation: &Relation| {
        let target = directory.find(catalogue, &table.scope, &relation.target);
        completed(table, target, relation)
    };
    let relations: Vec<Vec<Relation>> = catalogue
        .tables
        .iter()
        .map(|table| table.relations.iter().map(|found| relation(table, found)).collect())
        .collect();
    for (table, relations) in catalogue.tables.iter_mut().zip(relations) {
        table.relations = relations;
    }
}

fn named(table: &Table, columns: &[String]) -> Vec<String> {
    let name =
        |column: &String| table.column(column).map_or_else(|| column.clone(), |known| known.name.clone());
    columns.iter().map(name).collect()
}

fn completed(table: &Table, target: Option<&Table>, relation: &Relation) -> Relation {
    let mut relation = relation.clone();
    let Some(target) = target else { return relation };
    relation.target.clone_from(&target.name);
    if relation.local.is_empty() && relation.foreign.is_empty() && relation.through.is_none() {
        let towards = |from: &Table, to: &Table| -> Option<ForeignKey> {
            let mut keys = from.foreign_keys.iter().filter(|key| key.table.eq_ignore_ascii_case(&to.name));
            keys.next().filter(|_| keys.next().is_none()).cloned()
        };
        let primary = |table: &Table| table.primary_key().into_iter().map(str::to_owned).collect();
        let referenced = |key: &ForeignKey, table: &Table| {
            if key.referenced.is_empty() { primary(table) } else { key.referenced.clone() }
        };
        if let Some(key) = towards(table, target).filter(|_| !relation.many) {
            (relation.local, relation.foreign) = (key.columns.clone(), referenced(&key, target));
        } else if let Some(key) = towards(target, table) {
            (relation.local, relation.foreign) = (referenced(&key, table), key.columns.clone());
        }
    }
    relation.local = named(table, &relation.local);
    relation.foreign = named(target, &relation.foreign);
    relation
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Key, Place};

    fn table(scope: &str, name: &str, extent: Extent, indexes: &[&[&str]]) -> Table {
        let index = |columns: &&[&str]| Index {
            keys: columns.iter().copied().map(Key::column).collect(),
            place: Place { file: name.to_owned(), line: 1 },
            ..Index::default()
        };
        Table {
            name: name.to_owned(),
            scope: scope.to_owned(),
            extent,
            indexes: indexes.iter().map(index).collect(),
            ..Table::default()
        }
    }

    fn merge(declared: Vec<Table>, created: Vec<Table>) -> (Catalogue, Vec<Diagnostic>) {
        let merged = merged(vec![
            Part { catalogue: Catalogue { tables: declared }, telling: Telling::Declared },
            Part { catalogue: Catalogue { tables: created }, telling: Telling::Created },
        ]);
        (merged.catalogue, merged.notes)
    }

    #[test]
    fn an_index_exists_if_model_or_migration_has_it() {
        let model = table("", "posts", Extent::Declared, &[&["a"], &["b"]]);
        let history = table("", "posts", Extent::Created, &[&["b"], &["c"]]);
        let (catalogue, notes) = merge(vec![model], vec![history]);
        let table = catalogue.table("posts").expect("merged");
        let found: Vec<_> =
            table.indexes.iter().map(|index| (index.columns().join(","), index.agreement)).collect();
        let expected = [
            ("a".to_owned(), Agreement::OnlyDeclared),
            ("b".to_owned(), Agreement::Both),
            ("c".to_owned(), Agreement::OnlyCreated),
        ];
        assert_eq!(found, expected);
        assert_eq!(notes.len(), 1, "{notes:?}");
    }

    #[test]
    fn tables_only_named_by_migrations_make_no_conflict() {
        let model = table("", "posts", Extent::Declared, &[&["a"]]);
        let history = table("", "posts", Extent::Named, &[&["c"]]);
        let (catalogue, notes) = merge(vec![model], vec![history]);
        assert_eq!(notes, []);
        assert!(catalogue.tables[0].indexes.iter().all(|index| index.agreement == Agreement::Single));
    }

    #[test]
    fn a_model_meets_its_migration_by_spelling_only_without_an_exact_one() {
        let models = vec![table("", "User", Extent::Declared, &[]), table("", "team", Extent::Declared, &[])];
        let history = vec![
            table("", "users", Extent::Created, &[&["email"]]),
            table("", "team", Extent::Created, &[]),
            table("", "teams", Extent::Created, &[]),
        ];
        let (catalogue, _) = merge(models, history);
        let names: Vec<_> = catalogue.tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["users", "team", "teams"]);
        assert_eq!(catalogue.tables[0].model.as_deref(), Some("User"));
    }

    #[test]
    fn packages_with_tables_of_one_name_keep_them_apart() {
        let models =
            vec![table("a", "users", Extent::Declared, &[]), table("b", "users", Extent::Declared, &[])];
        let history = vec![table("c", "users", Extent::Created, &[&["x"]])];
        assert_eq!(merge(models, history).0.tables.len(), 3);
        let one = merge(
            vec![table("a", "users", Extent::Declared, &[])],
            vec![table("db", "users", Extent::Created, &[&["x"]])],
        );
        assert_eq!(one.0.tables.len(), 1);
    }

    #[test]
    fn every_table_of_every_part_has_a_home() {
        let part = |telling, names: &[&str]| {
            let tables = names.iter().map(|name| table("", name, Extent::Created, &[])).collect();
            Part { catalogue: Catalogue { tables }, telling }
        };
        let merged = merged(vec![
            part(Telling::Created, &["a", "b"]),
            part(Telling::Declared, &["b", "c"]),
            part(Telling::Created, &["d", "a"]),
        ]);
        let names: Vec<_> = merged.catalogue.tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["b", "c", "a", "d"]);
        assert_eq!(merged.homes, [vec![2, 0], vec![0, 1], vec![3, 2]]);
    }
}
