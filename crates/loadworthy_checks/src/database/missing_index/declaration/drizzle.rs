//! `index("…").on(…)` in the extra configuration of a table, which is an array or an object.

use loadworthy_analysis::Site;
use loadworthy_schema::Table;
use loadworthy_syntax::{Kind, List, Module, NodeId};

use super::{Declared, call_at, edited, quote, step};
use crate::audit::Audit;
use crate::database::missing_index::proposals::Proposal;
use crate::database::missing_index::remedy::index_name;
use crate::edit::{indentation, insert, lines_of};
use crate::finding::Edit;
use crate::imports::{Wanted, import};

/// The packages that the makers of tables come from.
const CORES: [&str; 4] = [
    "drizzle-orm/pg-core",
    "drizzle-orm/mysql-core",
    "drizzle-orm/sqlite-core",
    "drizzle-orm/singlestore-core",
];
/// The version from which the extra configuration may be an array, and an object is deprecated.
const ARRAYS_FROM: (u64, u64) = (0, 36);
/// The version from which keys of an index have a direction, on PostgreSQL.
const DIRECTIONS_FROM: (u64, u64) = (0, 31);

pub(super) fn declare(audit: &Audit<'_, '_>, proposal: &Proposal<'_>, table: &Table) -> Option<Declared> {
    let call = call_at(audit, &table.place.file, table.place.line, |module, _, arguments| {
        let [_, columns, ..] = arguments else { return false };
        matches!(module.kind(*columns), Kind::Object(_) | Kind::Function(_))
    })?;
    let module = audit.module(call)?;
    let core = module.sources().find_map(|source| CORES.iter().find(|core| **core == source))?;
    let imported = import(audit, call.0, core, Wanted::Named("index"))?;
    let maker = Maker { audit, proposal, table, module, call, index: &imported.name, core };
    let edit = maker.edit()?;
    let range = lines_of(module, call.1);
    let after = edited(module.text(), range, &[&edit]);
    let before = module.text().get(range.0..range.1)?;
    let mut declared = Declared::new(
        before,
        &after,
        vec![edit],
        "Then make the migration: `npx drizzle-kit generate` (or `push`, as the project does it).",
    );
    declared.edits.extend(imported.edit);
    Some(declared)
}

struct Maker<'m, 'a, 'p> {
    audit: &'m Audit<'a, 'p>,
    proposal: &'m Proposal<'m>,
    table: &'m Table,
    module: &'m Module,
    call: Site,
    /// What `index` is called in the file.
    index: &'m str,
    core: &'m str,
}

impl Maker<'_, '_, '_> {
    fn edit(&self) -> Option<Edit> {
        let arguments = super::arguments(self.module, self.call.1);
        let [_, _, extra, ..] = arguments.as_slice() else { return self.added() };
        let Kind::Function(function) = self.module.kind(*extra) else { return None };
        let function = self.module.function(function)?;
        let parameters: Vec<NodeId> = self.module.list(function.parameters).collect();
        let [parameter] = parameters.as_slice() else { return None };
        let parameter = self.module.source(*parameter).split(':').next()?.trim();
        if !parameter.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
            return None;
        }
        let line = self.line(parameter)?;
        match self.module.kind(function.body) {
            Kind::Array(items) => self.longer(function.body, items, &line),
            Kind::Object(parts) => self.longer(function.body, parts, &format!("{}: {line}", self.property())),
            _ => None,
        }
    }

    /// The extra configuration, where there is none: in place of the closing bracket, so that two do not both add it.
    fn added(&self) -> Option<Edit> {
        let span = self.module.node(self.call.1).span;
        let source = self.module.source(self.call.1);
        let inside = source.strip_suffix(')')?.trim_end();
        let inside = inside.strip_suffix(',').unwrap_or(inside);
        let outer = indentation(self.module, self.call.1);
        let inner = format!("{outer}{}", step(self.module));
        let line = self.line("table")?;
        let body = if self.is_at_least(ARRAYS_FROM) {
            format!("[\n{inner}{line},\n{outer}]")
        } else {
            format!("({{\n{inner}{}: {line},\n{outer}}})", self.property())
        };
        Some(Edit {
            file: self.table.place.file.clone(),
            start: span.start + u32::try_from(inside.len()).ok()?,
            end: span.end,
            replacement: format!(", (table) => {body})"),
        })
    }

    /// One more element.
    fn longer(&self, list: NodeId, items: List, line: &str) -> Option<Edit> {
        let items: Vec<NodeId> = self.module.list(items).collect();
        let Some(end) = items.last() else {
            let span = self.module.node(list).span;
            let (open, close) =
                if self.module.source(list).starts_with('[') { ("[", "]") } else { ("{ ", " }") };
            return Some(Edit {
                file: self.table.place.file.clone(),
                start: span.start,
                end: span.end,
                replacement: format!("{open}{line}{close}"),
            });
        };
        let is_one_line = !self.module.source(list).contains('\n');
        let gap =
            if is_one_line { String::from(" ") } else { format!("\n{}", indentation(self.module, *end)) };
        insert(self.audit, self.call.0, self.module.node(*end).span.end as usize, format!(",{gap}{line}"))
    }

    /// `index("orders_user_id_idx").on(table.userId)`.
    fn line(&self, parameter: &str) -> Option<String> {
        let has_directions = self.core.contains("pg-core") && self.is_at_least(DIRECTIONS_FROM);
        let mut keys = Vec::new();
        for key in self.proposal.keys() {
            let field = self.table.column(&key.column)?.field();
            let is_name =
                field.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '$');
            if !is_name {
                return None;
            }
            let direction = if key.is_descending && has_directions { ".desc()" } else { "" };
            keys.push(format!("{parameter}.{field}{direction}"));
        }
        let quote = quote(self.module.text());
        Some(format!("{}({quote}{}{quote}).on({})", self.index, index_name(self.proposal), keys.join(", ")))
    }

    /// `userIdCreatedAtIdx`.
    fn property(&self) -> String {
        let keys = self.proposal.keys();
        let mut name = String::new();
        for (at, key) in keys.iter().enumerate() {
            let field = self.table.column(&key.column).map_or(key.column.as_str(), |column| column.field());
            let mut letters = field.chars();
            match letters.next() {
                Some(first) if at > 0 => name.extend(first.to_uppercase()),
                Some(first) => name.push(first),
                None => {}
            }
            name.push_str(letters.as_str());
        }
        format!("{name}Idx")
    }

    fn is_at_least(&self, wanted: (u64, u64)) -> bool {
        let project = self.audit.program().project();
        let package = project.file(self.call.0).map(|file| file.package);
        let version = package.and_then(|package| project.version_of(package, "drizzle-orm"));
        version.is_none_or(|version| (version.major, version.minor) >= wanted)
    }
}
