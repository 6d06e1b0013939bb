//! The database as the program declares it: models of every library family, Prisma schemas, migrations and SQL, in one
//! catalogue, and the way from a value in code to its table.

mod behind;
mod column;
mod drizzle;
mod entities;
mod files;
mod found;
mod migrations;
mod mongo_driver;
mod mongoose;
mod objection;
mod packages;
mod reading;
mod sequelize;

use loadworthy_project::{FileId, Project};
use loadworthy_schema::sql::Dialect;
use loadworthy_schema::{
    Catalogue, Diagnostic, Part, Store, Table, Telling, merged,
    names::{singular, snake},
};
use loadworthy_syntax::ClassId;
use rustc_hash::FxHashMap;

use crate::query::Query;
use crate::values::{Resolver, Site, Step, Value};
use found::{Found, Holder};
use reading::{ClassRef, Reading};

/// The tables of a program and what stands for them in code.
#[derive(Debug)]
pub struct Models<'p> {
    project: &'p Project,
    catalogue: Catalogue,
    notes: Vec<Diagnostic>,
    holders: FxHashMap<Holder, usize>,
    /// By every name in lower case.
    exact: FxHashMap<String, Vec<usize>>,
    /// By every name, whatever its spelling.
    spelled: FxHashMap<String, Vec<usize>>,
}

/// Reads everything that says what the database looks like.
#[must_use]
pub fn models<'p>(resolver: &Resolver<'p>) -> Models<'p> {
    let reading = Reading { resolver };
    let mut found = Found::default();
    drizzle::read(reading, &mut found);
    sequelize::read(reading, &mut found);
    entities::read(reading, &mut found);
    mongoose::read(reading, &mut found);
    objection::read(reading, &mut found);
    mongo_driver::read(reading, &mut found);
    files::read(resolver.program().project(), &mut found);
    migrations::read(reading, &mut found);
    Models::new(resolver.program().project(), found)
}

impl<'p> Models<'p> {
    fn new(project: &'p Project, found: Found) -> Self {
        let Found { models, histories, mut notes } = found;
        let mut dialects = Vec::new();
        let mut parts = Vec::new();
        let mut owners = Vec::new();
        for model in models {
            owners.push(model.holders);
            dialects.push(model.dialect);
            let catalogue = Catalogue { tables: vec![model.table] };
            parts.push(Part { catalogue, telling: Telling::Declared });
        }
        for (catalogue, dialect) in histories {
            dialects.push(dialect);
            parts.push(Part { catalogue, telling: Telling::Created });
        }
        let merged = merged(parts);
        notes.extend(merged.notes);
        notes.sort();
        let mut catalogue = merged.catalogue;
        for (homes, dialect) in merged.homes.iter().zip(&dialects) {
            for home in homes.iter().filter(|_| *dialect == Dialect::MySql) {
                index_foreign_keys(catalogue.tables.get_mut(*home));
            }
        }
        let mut holders = FxHashMap::default();
        for (homes, owners) in merged.homes.iter().zip(owners) {
            let home = homes.first().copied().unwrap_or_default();
            holders.extend(owners.into_iter().map(|holder| (holder, home)));
        }
        let (exact, spelled) = (by_name(&catalogue, str::to_lowercase), by_name(&catalogue, spelling));
        Self { project, catalogue, notes, holders, exact, spelled }
    }

    /// All tables.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// What could not be read, and where models and migrations disagree.
    #[must_use]
    pub fn notes(&self) -> &[Diagnostic] {
        &self.notes
    }

    /// Whether nothing tells what the database looks like.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.catalogue.tables.is_empty()
    }

    /// The table that a value stands for: a table constant, a model, a class of entities.
    #[must_use]
    pub fn table_of(&self, value: &Value) -> Option<&Table> {
        let at = match value {
            Value::Class(file, class) | Value::Instance(file, class) => self.class(*file, *class),
            Value::External(external) => {
                let sites = external.steps.iter().rev().filter_map(Step::site);
                sites.map(Holder::Made).find_map(|holder| self.holders.get(&holder)).copied()
            }
            _ => None,
        };
        at.and_then(|at| self.catalogue.tables.get(at))
    }

    fn class(&self, file: FileId, class: ClassId) -> Option<usize> {
        self.holders.get(&Holder::Class(file, class)).copied()
    }

    fn table_of_class(&self, (file, class): ClassRef) -> Option<&Table> {
        self.class(file, class).and_then(|at| self.catalogue.tables.get(at))
    }

    /// The table that an expression stands for.
    #[must_use]
    pub fn table_at(&self, resolver: &Resolver<'_>, site: Site) -> Option<&Table> {
        let values = resolver.filled(&resolver.value_of(site));
        values.iter().find_map(|value| self.table_of(value))
    }

    /// The table that a query is about: by the expression that names it, else by the name.
    #[must_use]
    pub fn table_of_query(&self, resolver: &Resolver<'_>, query: &Query) -> Option<&Table> {
        let by_value = query.table_site.and_then(|site| self.table_behind(resolver, site));
        by_value.or_else(|| self.table_named(query.site.0, query.table.as_deref()?))
    }

    /// The table that the call at `site` makes.
    #[must_use]
    pub fn table_made_at(&self, site: Site) -> Option<&Table> {
        let at = self.holders.get(&Holder::Made(site))?;
        self.catalogue.tables.get(*at)
    }

    /// The table that code in `file` means by a name: of SQL, of a model, of a constant. The file's own package goes
    /// first, then those around it, then those it depends on; between others there is no choice.
    #[must_use]
    pub fn table_named(&self, file: FileId, name: &str) -> Option<&Table> {
        let bare = name.rsplit('.').next().unwrap_or(name);
        let exact = self.exact.get(&bare.to_lowercase()).and_then(|all| self.nearest(file, all));
        let spelled = || self.spelled.get(&spelling(bare)).and_then(|all| self.nearest(file, all));
        exact.or_else(spelled)
    }

    fn nearest(&self, file: FileId, candidates: &[usize]) -> Option<&Table> {
        let tables = || candidates.iter().filter_map(|at| self.catalogue.tables.get(*at));
        let file = self.project.file(file)?;
        let dir = &self.project.package(file.package)?.dir;
        let around = tables().filter(|table| is_within(dir, &table.scope));
        let dependency = || {
            let is_used = |table: &&Table| {
                let packages = self.project.packages.iter().filter(|package| package.dir == table.scope);
                let mut names = packages.filter_map(|package| package.name.as_deref());
                names.any(|name| self.project.depends_on(file.package, name))
            };
            tables().find(is_used)
        };
        let only = || if let [only] = candidates { self.catalogue.tables.get(*only) } else { None };
        around
            .max_by_key(|table| (table.scope.len(), table.store == Store::Relational))
            .or_else(dependency)
            .or_else(only)
    }
}

fn index_foreign_keys(table: Option<&mut Table>) {
    if let Some(table) = table.filter(|table| table.store == Store::Relational) {
        table.index_foreign_keys();
    }
}

fn is_within(dir: &str, outer: &str) -> bool {
    outer.is_empty() || dir.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// `OrderItems`, `order_item` and `orderitems` alike.
fn spelling(name: &str) -> String {
    singular(&snake(name)).replace('_', "")
}

fn by_name<F: Fn(&str) -> String>(catalogue: &Catalogue, form: F) -> FxHashMap<String, Vec<usize>> {
    let mut tables: FxHashMap<String, Vec<usize>> = FxHashMap::default();
    for (at, table) in catalogue.tables.iter().enumerate() {
        for name in table.names() {
            let all = tables.entry(form(name)).or_default();
            if !all.contains(&at) {
                all.push(at);
            }
        }
    }
    tables
}
