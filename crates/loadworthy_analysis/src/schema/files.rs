//! Schemas and migrations that are no JavaScript: Prisma schemas and SQL files.

use std::collections::BTreeMap;

use loadworthy_project::Project;
use loadworthy_schema::sql::Dialect;
use loadworthy_schema::{Table, prisma};

use super::found::Found;

pub(super) fn read(project: &Project, found: &mut Found) {
    for files in prisma_schemas(project) {
        read_prisma(project, &files, found);
    }
}

/// A schema is a file with a `datasource`, and the files without one in its folder and below. Of several such files in
/// one folder, `schema.prisma` is the one in use: the others are for other databases or environments.
fn prisma_schemas(project: &Project) -> Vec<Vec<(String, String)>> {
    let is_schema = |path: &&String| {
        std::path::Path::new(path.as_str()).extension().is_some_and(|extension| extension == "prisma")
    };
    let (mut roots, parts): (Vec<(String, String)>, Vec<_>) = project
        .other_files
        .iter()
        .filter(is_schema)
        .filter_map(|path| Some((path.clone(), project.read_other(path).ok()?)))
        .partition(|(_, text)| text.lines().any(|line| line.trim_start().starts_with("datasource ")));
    let main: Vec<String> =
        roots.iter().map(|root| root.0.clone()).filter(|path| path.ends_with("schema.prisma")).collect();
    let is_variant = |path: &str| {
        main.iter().any(|known| {
            known != path && folder(known) == folder(path) && file_name(known) == "schema.prisma"
        })
    };
    roots.retain(|(path, _)| !is_variant(path));
    let mut schemas: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (path, text) in &roots {
        schemas.entry(path.clone()).or_default().push((path.clone(), text.clone()));
    }
    for (path, text) in parts {
        let around =
            roots.iter().map(|root| &root.0).filter(|root| super::is_within(folder(&path), folder(root)));
        let root = around.max_by_key(|root| folder(root).len()).map_or_else(|| path.clone(), Clone::clone);
        schemas.entry(root).or_default().push((path, text));
    }
    schemas.into_values().collect()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

pub(super) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn read_prisma(project: &Project, files: &[(String, String)], found: &mut Found) {
    let texts: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let (schema, notes) = prisma::read_all(&texts);
    found.notes.extend(notes);
    let dialect = match schema.provider.as_deref() {
        Some("postgresql" | "postgres" | "cockroachdb") => Dialect::PostgreSql,
        // With `relationMode = "prisma"` there are no foreign keys to index.
        Some("mysql") if !schema.emulates_relations => Dialect::MySql,
        Some("sqlite") => Dialect::Sqlite,
        _ => Dialect::Unknown,
    };
    for table in schema.tables {
        let scope = scope(project, &table.place.file).to_owned();
        found.declare(Vec::new(), Table { scope, ..table }, dialect);
    }
}

/// The folder of the innermost package around a path.
pub(super) fn scope<'p>(project: &'p Project, path: &str) -> &'p str {
    let dirs = project.packages.iter().map(|package| package.dir.as_str());
    dirs.filter(|dir| super::is_within(path, dir)).max_by_key(|dir| dir.len()).unwrap_or("")
}
