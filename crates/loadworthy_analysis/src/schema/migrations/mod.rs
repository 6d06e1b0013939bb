//! Migrations, applied in the order of their file names: SQL files, and steps in code of every library family. SQL in
//! strings of other code counts as far as it creates something.

mod knex;
mod kysely;
mod pg_migrate;
mod sequelize;
mod steps;
mod typeorm;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use loadworthy_project::{FileClass, FileId, Project};
use loadworthy_schema::migrations::History;
use loadworthy_schema::sql::Dialect;
use loadworthy_schema::{Catalogue, Diagnostic, Place};
use loadworthy_syntax::{ExportTarget, Kind, MemberKind, Module};

use super::files::{folder, scope};
use super::found::Found;
use super::packages;
use super::reading::Reading;

/// One migration.
enum Migration {
    /// The path of an SQL file.
    Sql(String),
    Code(FileId),
}

/// Reads every migration and everything else that creates tables or indexes step by step.
pub(super) fn read(reading: Reading<'_, '_>, found: &mut Found) {
    let project = reading.resolver.program().project();
    let mut folders: BTreeMap<String, Vec<(String, Migration)>> = BTreeMap::new();
    for path in project.other_files.iter().filter(|path| is_sql_migration(path)) {
        let (folder, name) = place_in_order(path);
        folders.entry(folder).or_default().push((name, Migration::Sql(path.clone())));
    }
    let mut others = Vec::new();
    for (file, module) in reading.modules() {
        let path = reading.resolver.program().path(file);
        let is_migration =
            project.file(file).is_some_and(|file| file.class == FileClass::Migration) || has_up(module);
        if is_migration {
            let name = path.rsplit('/').next().unwrap_or(path).to_owned();
            folders.entry(folder(path).to_owned()).or_default().push((name, Migration::Code(file)));
        } else if !is_client(project, file) && creates_tables(module) {
            others.push(file);
        }
    }
    for (folder, mut migrations) in folders {
        migrations.sort_by(|left, right| natural(&left.0, &right.0));
        note_duplicates(&folder, &migrations, found);
        read_folder(reading, &folder, &migrations, found);
    }
    for file in others {
        let mut history = History::new(reading.dialect(file));
        steps::apply(reading, file, steps::Counts::Creation, &mut history);
        keep(history, reading.dialect(file), reading.scope(file), found);
    }
}

/// What an app keeps on a device is not the server's database.
fn is_client(project: &Project, file: FileId) -> bool {
    project
        .file(file)
        .is_some_and(|file| file.class == FileClass::Client || packages::is_device_app(project, file.package))
}

fn read_folder(
    reading: Reading<'_, '_>,
    folder: &str,
    migrations: &[(String, Migration)],
    found: &mut Found,
) {
    let project = reading.resolver.program().project();
    let scope = scope(project, &format!("{folder}/"));
    let dialect = dialect_of(project, scope);
    let mut history = History::new(dialect);
    for (_, migration) in migrations {
        match migration {
            Migration::Sql(path) => match project.read_other(path) {
                Ok(text) => history.apply(&text, &Place { file: path.clone(), line: 1 }),
                Err(error) => found.notes.push(Diagnostic {
                    place: Place { file: path.clone(), line: 1 },
                    message: error.message,
                }),
            },
            Migration::Code(file) => steps::apply(reading, *file, steps::Counts::Everything, &mut history),
        }
    }
    keep(history, dialect, scope, found);
}

fn keep(history: History, dialect: Dialect, scope: &str, found: &mut Found) {
    let (catalogue, notes) = history.finish();
    found.notes.extend(notes);
    if catalogue.tables.is_empty() {
        return;
    }
    let mut tables = catalogue.tables;
    for table in &mut tables {
        scope.clone_into(&mut table.scope);
    }
    found.histories.push((Catalogue { tables }, dialect));
}

fn dialect_of(project: &Project, scope: &str) -> Dialect {
    let package = project.packages.iter().find(|package| package.dir == scope);
    package.map_or(Dialect::Unknown, |package| packages::dialect(project, package.id))
}

/// SQL files outside tests, without the way back and without data.
fn is_sql_migration(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let Some(stem) = lower.strip_suffix(".sql") else { return false };
    let mut folders = folder(stem).split('/');
    let is_aside = folders.any(|name| {
        [
            "test",
            "tests",
            "__tests__",
            "fixtures",
            "seeds",
            "seed",
            "seeders",
            "down",
            "rollback",
            "rollbacks",
        ]
        .contains(&name)
    });
    let name = stem.rsplit('/').next().unwrap_or(stem);
    let is_back = ["down", "rollback", "undo"].iter().any(|word| {
        name.strip_suffix(word).is_some_and(|rest| rest.is_empty() || rest.ends_with(['.', '-', '_']))
    });
    !is_aside && !is_back
}

/// The folder of a migration's history and its name there: `migrations/20240101_init/migration.sql` is named by its
/// folder.
fn place_in_order(path: &str) -> (String, String) {
    let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
    match dir.rsplit_once('/') {
        Some((outer, inner)) if ["migration.sql", "up.sql"].contains(&name) => {
            (outer.to_owned(), format!("{inner}/{name}"))
        }
        _ => (dir.to_owned(), name.to_owned()),
    }
}

/// By the letter, numbers by their value: `2_b` before `10_a`.
fn natural(left: &str, right: &str) -> Ordering {
    let (mut left_rest, mut right_rest) = (left, right);
    while !left_rest.is_empty() && !right_rest.is_empty() {
        let (left_part, left_after) = part(left_rest);
        let (right_part, right_after) = part(right_rest);
        let order = match (left_part.parse::<u128>(), right_part.parse::<u128>()) {
            (Ok(left), Ok(right)) => left.cmp(&right),
            _ => left_part.cmp(right_part),
        };
        if order != Ordering::Equal {
            return order;
        }
        (left_rest, right_rest) = (left_after, right_after);
    }
    left_rest.len().cmp(&right_rest.len()).then_with(|| left.cmp(right))
}

/// The digits or the other letters at the beginning, and the rest.
fn part(text: &str) -> (&str, &str) {
    let is_digit = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn note_duplicates(folder: &str, migrations: &[(String, Migration)], found: &mut Found) {
    let number = |name: &str| {
        let digits = part(name).0;
        digits.parse::<u128>().ok().map(|value| (value, digits.to_owned()))
    };
    for pair in migrations.windows(2) {
        let [(first, _), (second, _)] = pair else { continue };
        if let (Some((left, digits)), Some((right, _))) = (number(first), number(second))
            && left == right
            // `1_init.js` and its `1_init.js.sql` are one.
            && !second.starts_with(first.rsplit_once('.').map_or(first.as_str(), |(stem, _)| stem))
        {
            let message = format!("`{first}` and `{second}` have the same number {digits}: applied by name");
            let file = if folder.is_empty() { second.clone() } else { format!("{folder}/{second}") };
            found.notes.push(Diagnostic { place: Place { file, line: 1 }, message });
        }
    }
}

/// Whether a module exports a function `up`, or a class with such a method.
fn has_up(module: &Module) -> bool {
    let exported = module.exports().iter().any(|export| {
        module.str(export.name) == "up"
            || match export.target {
                ExportTarget::Value(node) => has_method(module, node),
                ExportTarget::Binding(binding) => {
                    module.binding(binding).is_some_and(|binding| has_method(module, binding.node))
                }
                _ => false,
            }
    });
    exported && (DECLARING.iter().any(|word| module.text().contains(word)) || declares_by_sql(module.text()))
}

/// An object or class with `up` and `down`.
fn has_method(module: &Module, node: loadworthy_syntax::NodeId) -> bool {
    match module.kind(node) {
        Kind::Class(class) => module.class(class).is_some_and(|class| {
            let is_up = |name| {
                move |member: &&loadworthy_syntax::ClassMember| {
                    member.kind == MemberKind::Method && module.str(member.name) == name
                }
            };
            class.members.iter().any(|member| is_up("up")(&member))
        }),
        Kind::Object(parts) => module
            .list(parts)
            .any(|part| matches!(module.kind(part), Kind::Property { key, .. } if module.str(key) == "up")),
        _ => false,
    }
}

/// Words of migrations in code.
const DECLARING: [&str; 10] = [
    "createTable",
    "alterTable",
    "createIndex",
    "addIndex",
    "addColumn",
    "addConstraint",
    "schema.table",
    "removeIndex",
    "dropIndex",
    "addSql",
];

fn creates_tables(module: &Module) -> bool {
    let text = module.text();
    text.contains("createTable") || text.contains(".alterTable(") || declares_by_sql(text)
}

fn declares_by_sql(text: &str) -> bool {
    const STATEMENTS: [&str; 8] = [
        "CREATE TABLE",
        "CREATE INDEX",
        "CREATE UNIQUE INDEX",
        "ALTER TABLE",
        "create table",
        "create index",
        "create unique index",
        "alter table",
    ];
    STATEMENTS.iter().any(|statement| text.contains(statement))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_by_value() {
        let mut names = vec!["10_b.js", "2_a.js", "20240101_x.sql", "2_b.js", "a.js", "1"];
        names.sort_by(|left, right| natural(left, right));
        assert_eq!(names, ["1", "2_a.js", "2_b.js", "10_b.js", "20240101_x.sql", "a.js"]);
    }

    #[test]
    fn the_way_back_and_data_are_no_migrations() {
        for path in ["db/001.sql", "a/migrations/1_x/migration.sql", "x/shutdown.sql", "001_x.up.sql"] {
            assert!(is_sql_migration(path), "{path}");
        }
        for path in ["db/001.down.sql", "a/1-down.sql", "seeds/a.sql", "test/a.sql", "a/down.sql", "a.txt"] {
            assert!(!is_sql_migration(path), "{path}");
        }
    }
}
