//! A new migration beside those that are written by hand, numbered after the last.

use loadworthy_project::FileClass;
use loadworthy_schema::{Table, Tool};

use super::Declared;
use crate::audit::Audit;
use crate::database::missing_index::proposals::Proposal;
use crate::database::missing_index::remedy::{identifier, index_name, sql_keys};
use crate::finding::NewFile;

pub(super) fn declare(audit: &Audit<'_, '_>, proposal: &Proposal<'_>, table: &Table) -> Option<Declared> {
    let tool = table.tools.first().copied().unwrap_or_default();
    let project = audit.program().project();
    let folder = table.place.file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let extension = table.place.file.rsplit_once('.')?.1;
    // The last of the same kind in the folder that created the table.
    let code = project.files.iter().filter(|file| file.class == FileClass::Migration).map(|file| &file.path);
    let last = code
        .chain(&project.other_files)
        .filter(|path| path.rsplit_once('/').map_or("", |(folder, _)| folder) == folder)
        .filter(|path| path.ends_with(&format!(".{extension}")))
        .filter(|path| Numbered::of(path).is_some())
        .max_by_key(|path| Numbered::of(path).map(|it| (it.digits.len(), it.digits)))?;
    let numbered = Numbered::of(last)?;
    let text = text_of(audit, last)?;
    let name = index_name(proposal);
    let body = match tool {
        Tool::Knex | Tool::Objection => knex(proposal, &name, &text, extension)?,
        Tool::NodePgMigrate => pg_migrate(proposal, &name, &text, extension)?,
        Tool::Sql if extension == "sql" => sql(proposal, &name, &text),
        _ => return None,
    };
    let path = format!("{}add_{name}.{extension}", numbered.next(folder)?);
    Some(Declared {
        before: String::new(),
        after: body.clone(),
        edits: Vec::new(),
        files: vec![NewFile { path, text: body }],
        then: String::from("It is a new migration; run it as the project runs its others."),
    })
}

/// A file name that begins with a number or a time: `20170422213822_init.js`, `V3__orders.sql`, `0004-users.sql`.
struct Numbered<'n> {
    prefix: &'n str,
    digits: &'n str,
    separator: &'n str,
}

impl<'n> Numbered<'n> {
    fn of(path: &'n str) -> Option<Self> {
        let name = path.rsplit('/').next()?;
        let start = usize::from(name.starts_with('V'));
        let rest = name.get(start..)?;
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let separator =
            rest.get(digits..)?.find(|letter: char| !matches!(letter, '_' | '-')).map(|end| digits + end)?;
        if digits == 0 || digits == separator {
            return None;
        }
        Some(Self {
            prefix: name.get(..start)?,
            digits: rest.get(..digits)?,
            separator: rest.get(digits..separator)?,
        })
    }

    /// The head of the name of the next one, in its folder.
    fn next(&self, folder: &str) -> Option<String> {
        let number: u64 = self.digits.parse().ok()?;
        let width = self.digits.len();
        let slash = if folder.is_empty() { "" } else { "/" };
        Some(format!("{folder}{slash}{}{:0width$}{}", self.prefix, number.checked_add(1)?, self.separator))
    }
}

fn text_of(audit: &Audit<'_, '_>, path: &str) -> Option<String> {
    let project = audit.program().project();
    match project.file_by_path(path) {
        Some(file) => project.read(file).ok(),
        None => project.read_other(path).ok(),
    }
}

fn columns(proposal: &Proposal<'_>) -> String {
    let names: Vec<String> = proposal.keys().iter().map(|key| format!("'{}'", key.column)).collect();
    names.join(", ")
}

fn knex(proposal: &Proposal<'_>, name: &str, last: &str, extension: &str) -> Option<String> {
    let table = &proposal.name;
    let columns = columns(proposal);
    let up = format!("knex.schema.alterTable('{table}', (table) => table.index([{columns}], '{name}'))");
    let down =
        format!("knex.schema.alterTable('{table}', (table) => table.dropIndex([{columns}], '{name}'))");
    functions(last, extension, "knex", "import type { Knex } from 'knex';\n\n", "Knex", &up, &down)
}

fn pg_migrate(proposal: &Proposal<'_>, name: &str, last: &str, extension: &str) -> Option<String> {
    let table = &proposal.name;
    let columns = columns(proposal);
    let up = format!("pgm.createIndex('{table}', [{columns}], {{ name: '{name}' }})");
    let down = format!("pgm.dropIndex('{table}', [{columns}], {{ name: '{name}' }})");
    let import = "import { MigrationBuilder } from 'node-pg-migrate';\n\n";
    functions(last, extension, "pgm", import, "MigrationBuilder", &up, &down)
}

/// `up` and `down` in the form of the last migration.
fn functions(
    last: &str,
    extension: &str,
    parameter: &str,
    import: &str,
    kind: &str,
    up: &str,
    down: &str,
) -> Option<String> {
    let text = if matches!(extension, "ts" | "mts") {
        format!(
            "{import}export async function up({parameter}: {kind}): Promise<void> {{\n  await {up};\n}}\n\nexport async function down({parameter}: {kind}): Promise<void> {{\n  await {down};\n}}\n"
        )
    } else if last.contains("exports.up") || last.contains("module.exports") {
        format!(
            "exports.up = async ({parameter}) => {{\n  await {up};\n}};\n\nexports.down = async ({parameter}) => {{\n  await {down};\n}};\n"
        )
    } else if last.contains("export ") {
        format!(
            "export const up = async ({parameter}) => {{\n  await {up};\n}};\n\nexport const down = async ({parameter}) => {{\n  await {down};\n}};\n"
        )
    } else {
        return None;
    };
    Some(text)
}

/// Plain, as the others: `CONCURRENTLY` can't stand in the transaction that most runners open.
fn sql(proposal: &Proposal<'_>, name: &str, last: &str) -> String {
    let create = format!("CREATE INDEX {name} ON {} ({});\n", identifier(&proposal.name), sql_keys(proposal));
    if last.contains("-- migrate:up") {
        format!("-- migrate:up\n{create}\n-- migrate:down\nDROP INDEX {name};\n")
    } else if last.contains("-- Up Migration") {
        format!("-- Up Migration\n{create}\n-- Down Migration\nDROP INDEX {name};\n")
    } else {
        create
    }
}
