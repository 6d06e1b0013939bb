//! Writes a small project, reads its models and asks about them.

use std::fs;
use std::path::Path;

use loadworthy_analysis::{Models, Program, Resolver, models};
use loadworthy_knowledge::Knowledge;
use loadworthy_project::{DiscoverOptions, FileId, Project};
use loadworthy_schema::{Index, Key, Origin, Table};

/// What is asked of the models of a project.
pub(crate) struct Asked<'a> {
    pub(crate) project: &'a Project,
    pub(crate) resolver: &'a Resolver<'a>,
    pub(crate) models: &'a Models<'a>,
}

impl Asked<'_> {
    pub(crate) fn file(&self, path: &str) -> FileId {
        self.project.file_by_path(path).expect(path)
    }

    /// All tables, one a line: see [`line`].
    pub(crate) fn lines(&self) -> Vec<String> {
        self.models.catalogue().tables.iter().map(line).collect()
    }

    pub(crate) fn table(&self, name: &str) -> &Table {
        self.models.catalogue().table(name).expect(name)
    }

    pub(crate) fn notes(&self) -> Vec<&str> {
        self.models.notes().iter().map(|note| note.message.as_str()).collect()
    }
}

/// Writes the files, reads the models and asks.
pub(crate) fn with(files: &[(&str, &str)], ask: impl FnOnce(&Asked<'_>)) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).unwrap();
        fs::write(path, text).unwrap();
    }
    let project = Project::discover(folder.path(), &DiscoverOptions::default()).unwrap();
    let program = Program::load(&project, Knowledge::builtin(), 1).unwrap();
    let resolver = Resolver::new(&program);
    let models = models(&resolver);
    ask(&Asked { project: &project, resolver: &resolver, models: &models });
}

/// `users(id, email?) pk(id) unique(email) index(a, b-) fk(team_id>teams.id) posts>posts*(id=user_id)`.
pub(crate) fn line(table: &Table) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            let field = column.field.as_ref().map(|field| format!("={field}")).unwrap_or_default();
            let distinct = column.distinct.map(|values| format!("#{values}")).unwrap_or_default();
            format!("{}{field}{}{distinct}", column.name, if column.nullable { "?" } else { "" })
        })
        .collect();
    let mut parts = vec![format!("{}({})", table.name, columns.join(", "))];
    parts.extend(table.indexes.iter().map(index));
    parts.extend(
        table
            .foreign_keys
            .iter()
            .map(|key| format!("fk({}>{}.{})", key.columns.join(","), key.table, key.referenced.join(","))),
    );
    parts.extend(table.relations.iter().map(|relation| {
        let many = if relation.many { "*" } else { "" };
        let (local, foreign) = (relation.local.join(","), relation.foreign.join(","));
        format!("{}>{}{many}({local}={foreign})", relation.field, relation.target)
    }));
    parts.join(" ")
}

fn index(index: &Index) -> String {
    let kind = match (index.origin, index.unique) {
        (Origin::Primary, _) => "pk",
        (Origin::ForeignKey, _) => "implicit",
        (_, true) => "unique",
        (_, false) => "index",
    };
    let key = |key: &Key| format!("{}{}", key.text(), if key.descending { "-" } else { "" });
    let keys: Vec<String> = index.keys.iter().map(key).collect();
    let method = index.method.as_ref().map(|method| format!("{method} ")).unwrap_or_default();
    let partial = index.predicate.as_ref().map(|text| format!(" where {text}")).unwrap_or_default();
    let sparse = if index.sparse { " sparse" } else { "" };
    let expiry = index.expiry.map(|expiry| format!(" {expiry:?}")).unwrap_or_default();
    format!("{kind}({method}{}{partial}{sparse}{expiry})", keys.join(", "))
}
