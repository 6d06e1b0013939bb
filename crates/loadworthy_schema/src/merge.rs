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

/// One catalogue from all parts. A table is told by its name within its scope; a model and a migration also meet
/// across scopes, or by different spellings, if there is no other choice.
#[must_use]
pub fn merged(parts: Vec<Part>) -> (Catalogue, Vec<Diagnostic>) {
    let (declared, created): (Vec<_>, Vec<_>) =
        parts.into_iter().partition(|part| part.telling == Telling::Declared);
    let (declared, created) = (united(declared), united(created));
    let pairs = pairs(&declared, &created);
    let taken: FxHashSet<usize> = pairs.iter().flatten().copied().collect();
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
    let rest = created.into_iter().enumerate().filter(|(at, _)| !taken.contains(at));
    tables.extend(rest.filter_map(|(_, table)| table));
    let mut catalogue = Catalogue { tables };
    rename_targets(&mut catalogue, &renamed);
    complete_relations(&mut catalogue);
    (catalogue, notes)
}

/// Tables of one name in one scope are one table.
fn united(parts: Vec<Part>) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut known: FxHashMap<(String, Store, String), usize> = FxHashMap::default();
    for table in parts.into_iter().flat_map(|part| part.catalogue.tables) {
        let key = (table.scope.clone(), table.store, table.name.to_lowercase());
        if let Some(first) = known.get(&key).and_then(|at| tables.get_mut(*at)) {
            unite(first, table);
        } else {
            known.insert(key, tables.len());
            tables.push(table);
        }
    }
    tables
}

fn unite(first: &mut Table, second: Table) {
    if first.extent < second.extent {
        first.place = second.place;
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
    let mut missing: Vec<bool> = vec![is_known; table.indexes.len()];
    let generates = table
        .tools
        .iter()
        .any(|tool| matches!(tool, Tool::Prisma | Tool::Drizzle | Tool::TypeOrm | Tool::MikroOrm));
    for mut index in created {
        let same = |known: &Index| known.is_like(&index) && known.unique == index.unique;
        if let Some(at) = table.indexes.iter().position(same) {
            if let (Some(known), Some(missing)) = (table.indexes.get_mut(at), missing.get_mut(at)) {
                *missing = false;
                known.agreement = Agreement::Both;
                known.name = known.name.take().or(index.name);
            }
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
    let mut told = Vec::new();
    for (index, missing) in table.indexes.iter_mut().zip(&missing) {
        if *missing && index.origin != Origin::ForeignKey {
            index.agreement = Agreement::OnlyDeclared;
            told.push(index.clone());
        }
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
        let new = |name: &str| renamed.get(&(scope.clone(), name.to_owned()));
        let foreign = table.foreign_keys.iter_mut().map(|foreign| &mut foreign.table);
        let targets = table.relations.iter_mut().map(|relation| &mut relation.target);
        for name in foreign.chain(targets) {
            if let Some(new) = new(name) {
                name.clone_from(new);
            }
        }
    }
}

/// Columns of relations as the database names them; the side without a key takes it from the foreign key at the other.
fn complete_relations(catalogue: &mut Catalogue) {
    let by_name: FxHashMap<(String, String), usize> = catalogue
        .tables
        .iter()
        .enumerate()
        .map(|(at, table)| ((table.scope.clone(), table.name.to_lowercase()), at))
        .collect();
    let mut all = Vec::new();
    for table in &catalogue.tables {
        let complete = |relation: &Relation| {
            let target = by_name
                .get(&(table.scope.clone(), relation.target.to_lowercase()))
                .and_then(|at| catalogue.tables.get(*at));
            completed(table, target, relation)
        };
        all.push(table.relations.iter().map(complete).collect::<Vec<_>>());
    }
    for (table, relations) in catalogue.tables.iter_mut().zip(all) {
        table.relations = relations;
    }
}

fn completed(table: &Table, target: Option<&Table>, relation: &Relation) -> Relation {
    let mut relation = relation.clone();
    let Some(target) = target else { return relation };
    let name = |table: &Table, name: &String| {
        table.column(name).map_or_else(|| name.clone(), |column| column.name.clone())
    };
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
    relation.local = relation.local.iter().map(|column| name(table, column)).collect();
    relation.foreign = relation.foreign.iter().map(|column| name(target, column)).collect();
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
        merged(vec![
            Part { catalogue: Catalogue { tables: declared }, telling: Telling::Declared },
            Part { catalogue: Catalogue { tables: created }, telling: Telling::Created },
        ])
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
}
