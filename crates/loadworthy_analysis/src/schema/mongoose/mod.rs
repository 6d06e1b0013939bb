//! Mongoose: schemas by `new Schema`, by the decorators of Nest and Typegoose, and the models made of them.

mod classes;
mod paths;

use loadworthy_schema::names::plural;
use loadworthy_schema::sql::Dialect;
use loadworthy_schema::{Column, Expiry, Extent, Index, Key, Origin, Relation, Store, Table, Tool};
use loadworthy_syntax::Kind;
use rustc_hash::FxHashMap;

use super::found::{Found, Holder};
use super::packages::{MONGOOSE, is_of};
use super::reading::{ClassRef, Reading, package_of};
use crate::values::{External, Site};

/// Reads every model of the program.
pub(super) fn read(reading: Reading<'_, '_>, found: &mut Found) {
    let mut schemas = Schemas::find(reading);
    schemas.complete();
    let mut models = Models::default();
    schemas.add_models(&mut models);
    schemas.add_class_models(&mut models);
    schemas.add_discriminators(&mut models);
    schemas.add_lookups(&mut models);
    for (table, holders) in models.tables {
        found.declare(holders, table, Dialect::Unknown);
    }
}

/// What one schema declares, as a table without a name.
#[derive(Clone, Default)]
struct Schema {
    table: Table,
    /// The `collection` option.
    collection: Option<String>,
}

/// Where a schema comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// `new Schema(definition, options)`.
    Object,
    /// `SchemaFactory.createForClass(Class)`.
    Class(ClassRef),
}

struct Schemas<'r, 'p> {
    reading: Reading<'r, 'p>,
    sources: FxHashMap<Site, Source>,
    /// In order of files and nodes.
    sites: Vec<Site>,
    read: FxHashMap<Site, Schema>,
    /// Classes with decorated paths.
    classes: Vec<ClassRef>,
}

#[derive(Default)]
struct Models {
    tables: Vec<(Table, Vec<Holder>)>,
}

impl<'r, 'p> Schemas<'r, 'p> {
    fn find(reading: Reading<'r, 'p>) -> Self {
        let mut schemas = Self {
            reading,
            sources: FxHashMap::default(),
            sites: Vec::new(),
            read: FxHashMap::default(),
            classes: classes::find(reading),
        };
        for (file, module) in reading.modules() {
            for call in module.calls() {
                let site = (file, *call);
                if let Some(source) = schemas.source(site) {
                    schemas.sources.insert(site, source);
                    schemas.sites.push(site);
                }
            }
        }
        schemas
    }

    fn source(&self, site: Site) -> Option<Source> {
        let name = self.reading.called_name(site);
        if name == "createForClass" {
            return Some(Source::Class(self.reading.class(self.reading.argument(site, 0)?)?));
        }
        if !matches!(self.reading.kind(site), Kind::New { .. }) && name != "Schema" {
            return None;
        }
        let externals = self.reading.externals(self.reading.callee(site)?);
        externals.iter().any(is_schema).then_some(Source::Object)
    }

    /// Reads each schema, then what is said of it afterwards: `schema.index(…)`, `schema.add(…)`, virtuals.
    fn complete(&mut self) {
        for site in self.sites.clone() {
            let schema = match self.sources.get(&site) {
                Some(Source::Object) => self.object_schema(site),
                Some(Source::Class(class)) => self.class_schema(*class),
                None => continue,
            };
            self.read.insert(site, schema);
        }
        for (file, module) in self.reading.modules() {
            for call in module.calls() {
                self.add_later((file, *call));
            }
        }
    }

    fn object_schema(&self, site: Site) -> Schema {
        let reading = self.reading;
        let mut schema = Schema::default();
        let options = reading.argument(site, 1);
        start(reading, options, &mut schema);
        schema.table.place = reading.place(site);
        schema.table.last_line = reading.last_line(site);
        if let Some(definition) = reading.argument(site, 0) {
            self.add_paths(&mut schema.table, "", definition, 0);
        }
        schema.table.place = reading.place(site);
        finish(reading, options, &mut schema);
        schema
    }

    fn add_later(&mut self, call: Site) {
        let reading = self.reading;
        let name = reading.called_name(call);
        if !["index", "add", "virtual", "set", "discriminator"].contains(&name) {
            return;
        }
        let Some(site) = reading.receiver(call).and_then(|receiver| self.schema_of(receiver)) else { return };
        let Some(mut schema) = self.read.remove(&site) else { return };
        let arguments = reading.arguments(call);
        match (name, arguments.as_slice()) {
            ("index", [fields, options @ ..]) => {
                let index = index(reading, *fields, options.first().copied(), call);
                schema.table.add_index(index);
            }
            ("add", [definition, ..]) => self.add_paths(&mut schema.table, "", *definition, 0),
            ("virtual", [name, options, ..]) => {
                if let Some(name) = reading.text(*name) {
                    schema.table.relations.extend(virtual_relation(reading, name, *options));
                }
            }
            ("set", [key, value]) if reading.text(*key).as_deref() == Some("collection") => {
                schema.collection = reading.text(*value);
            }
            _ => {}
        }
        self.read.insert(site, schema);
    }

    /// The schema that an expression is.
    fn schema_of(&self, site: Site) -> Option<Site> {
        let externals = self.reading.externals(site);
        externals.iter().filter_map(External::site).find(|site| self.sources.contains_key(site))
    }

    /// `model("User", schema, "collection")`.
    fn add_models(&self, models: &mut Models) {
        for (file, module) in self.reading.modules() {
            for call in module.calls() {
                let site = (file, *call);
                if self.reading.called_name(site) != "model" {
                    continue;
                }
                let arguments = self.reading.arguments(site);
                let [name, schema, rest @ ..] = arguments.as_slice() else { continue };
                let Some(schema) = self.schema_of(*schema).and_then(|site| self.read.get(&site)) else {
                    continue;
                };
                let Some(name) = self.model_name(*name) else { continue };
                let given = rest.first().and_then(|name| self.reading.text(*name));
                let mut table = table(self.reading, schema, &name, given, site);
                table.aliases.extend(self.reading.holder_name(site).map(str::to_owned));
                models.add(table, Holder::Made(site));
            }
        }
    }

    /// A text, or `User.name` of a class.
    fn model_name(&self, site: Site) -> Option<String> {
        self.reading.text(site).or_else(|| {
            let Kind::Member { object, name } = self.reading.kind(site) else { return None };
            let is_name = self.reading.module(site.0)?.str(name) == "name";
            let class = self.reading.class((site.0, object)).filter(|_| is_name)?;
            Some(self.reading.class_name(class).to_owned())
        })
    }

    /// `User.discriminator("Admin", schema)`: documents of the same collection.
    fn add_discriminators(&self, models: &mut Models) {
        for (file, module) in self.reading.modules() {
            for call in module.calls() {
                let site = (file, *call);
                if self.reading.called_name(site) != "discriminator" {
                    continue;
                }
                let arguments = self.reading.arguments(site);
                let [name, schema, ..] = arguments.as_slice() else { continue };
                let Some(schema) = self.schema_of(*schema).and_then(|site| self.read.get(&site)) else {
                    continue;
                };
                let base = self.reading.receiver(site).and_then(|receiver| models.of(self.reading, receiver));
                let Some((table, holders)) = base.and_then(|at| models.tables.get_mut(at)) else { continue };
                for column in &schema.table.columns {
                    if table.column(&column.name).is_none() {
                        table.columns.push(column.clone());
                    }
                }
                schema.table.indexes.iter().for_each(|index| table.add_index(index.clone()));
                table.relations.extend(schema.table.relations.iter().cloned());
                table.aliases.extend(self.reading.text(*name));
                table.aliases.extend(self.reading.holder_name(site).map(str::to_owned));
                holders.push(Holder::Made(site));
            }
        }
    }

    /// `mongoose.model("User")` gives the model registered elsewhere.
    fn add_lookups(&self, models: &mut Models) {
        for (file, module) in self.reading.modules() {
            for call in module.calls() {
                let site = (file, *call);
                if self.reading.called_name(site) != "model" {
                    continue;
                }
                let arguments = self.reading.arguments(site);
                let [name] = arguments.as_slice() else { continue };
                let Some(name) = self.model_name(*name) else { continue };
                let scope = self.reading.scope(file);
                let is_meant = |table: &Table| table.model.as_ref() == Some(&name);
                let near =
                    models.tables.iter().position(|(table, _)| is_meant(table) && table.scope == scope);
                let any = || models.tables.iter().position(|(table, _)| is_meant(table));
                if let Some((_, holders)) = near.or_else(any).and_then(|at| models.tables.get_mut(at)) {
                    holders.push(Holder::Made(site));
                }
            }
        }
    }
}

impl Models {
    fn add(&mut self, table: Table, holder: Holder) {
        self.tables.push((table, vec![holder]));
    }

    /// The model that an expression is.
    fn of(&self, reading: Reading<'_, '_>, site: Site) -> Option<usize> {
        let made: Vec<Holder> =
            reading.externals(site).iter().filter_map(External::site).map(Holder::Made).collect();
        self.tables.iter().position(|(_, holders)| holders.iter().any(|holder| made.contains(holder)))
    }
}

fn is_schema(external: &External) -> bool {
    let links = Reading::links(external);
    is_of(package_of(external), MONGOOSE)
        && matches!(links.as_slice(), [.., last] if last.name == "Schema" && last.call.is_none())
}

/// The collection of a model.
fn table(reading: Reading<'_, '_>, schema: &Schema, model: &str, given: Option<String>, site: Site) -> Table {
    let collection = given.or_else(|| schema.collection.clone());
    Table {
        name: collection.unwrap_or_else(|| plural(&model.to_lowercase())),
        model: Some(model.to_owned()),
        scope: reading.scope(site.0).to_owned(),
        ..schema.table.clone()
    }
}

/// `_id` comes first.
fn start(reading: Reading<'_, '_>, options: Option<Site>, schema: &mut Schema) {
    schema.table.store = Store::Document;
    schema.table.extent = Extent::Declared;
    schema.table.tools = vec![Tool::Mongoose];
    schema.collection = options.and_then(|options| reading.get_text(options, "collection"));
    schema.table.columns.push(Column {
        name: "_id".to_owned(),
        type_text: "ObjectId".to_owned(),
        ..Column::default()
    });
    schema.table.indexes.push(Index {
        keys: vec![Key::column("_id")],
        unique: true,
        origin: Origin::Primary,
        tool: Tool::Mongoose,
        ..Index::default()
    });
}

/// `timestamps: true | { createdAt: "created" }`.
fn finish(reading: Reading<'_, '_>, options: Option<Site>, schema: &mut Schema) {
    let Some(timestamps) = options.and_then(|options| reading.get(options, "timestamps")) else { return };
    if reading.flag(timestamps) == Some(false) {
        return;
    }
    for path in ["createdAt", "updatedAt"] {
        let option = reading.get(timestamps, path);
        if option.and_then(|option| reading.flag(option)) == Some(false) {
            continue;
        }
        let name = option.and_then(|option| reading.text(option)).unwrap_or_else(|| path.to_owned());
        if schema.table.column(&name).is_none() {
            schema.table.columns.push(Column { name, type_text: "Date".to_owned(), ..Column::default() });
        }
    }
}

/// `schema.index({ a: 1, b: -1 }, { unique, sparse, expireAfterSeconds, partialFilterExpression, name })`.
pub(super) fn index(reading: Reading<'_, '_>, fields: Site, options: Option<Site>, at: Site) -> Index {
    let option = |key: &str| options.and_then(|options| reading.get(options, key));
    let is_set = |key: &str| option(key).and_then(|value| reading.flag(value)) == Some(true);
    let mut method = None;
    let mut keys = Vec::new();
    for (path, kind) in reading.entries(fields) {
        let descending = reading.number(kind).is_some_and(|number| number < 0.0);
        let named = reading.text(kind);
        let is_descending = matches!(named.as_deref(), Some("desc" | "descending" | "-1"));
        if let Some(kind @ ("text" | "2dsphere" | "2d" | "hashed" | "geoHaystack")) = named.as_deref() {
            method = Some(kind.to_owned());
        }
        keys.push(Key { descending: descending || is_descending, ..Key::column(path) });
    }
    let unique = is_set("unique");
    Index {
        name: option("name").and_then(|name| reading.text(name)),
        keys,
        unique,
        predicate: option("partialFilterExpression").map(|filter| reading.source(filter).to_owned()),
        sparse: is_set("sparse"),
        method,
        expiry: option("expireAfterSeconds").or_else(|| option("expires")).map(|it| expiry(reading, it)),
        origin: if unique { Origin::Unique } else { Origin::Declared },
        place: reading.place(at),
        tool: Tool::Mongoose,
        ..Index::default()
    }
}

/// Seconds as a number, or a text like `7d`.
pub(super) fn expiry(reading: Reading<'_, '_>, site: Site) -> Expiry {
    if let Some(seconds) = reading.number(site).filter(|seconds| *seconds >= 0.0) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float to integer cast saturates"
        )]
        return Expiry::Seconds(seconds as u64);
    }
    reading.text(site).and_then(|text| seconds(&text)).map_or(Expiry::Unknown, Expiry::Seconds)
}

/// `7d`, `1.5 hours`, `30 days`, `90s`; a bare number is milliseconds, as in the `ms` package.
fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let unit: f64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "ms" => 0.001,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 604_800.0,
        "y" | "yr" | "year" | "years" => 31_557_600.0,
        _ => return None,
    };
    let seconds = number.parse::<f64>().ok()? * unit;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float to integer cast saturates"
    )]
    Some(seconds as u64)
}

/// `schema.virtual("posts", { ref: "Post", localField: "_id", foreignField: "author" })`.
fn virtual_relation(reading: Reading<'_, '_>, field: String, options: Site) -> Option<Relation> {
    let text = |key: &str| reading.get_text(options, key);
    Some(Relation {
        field,
        target: paths::reference(reading, reading.get(options, "ref")?)?,
        many: !reading.is_set(options, "justOne"),
        local: text("localField").into_iter().collect(),
        foreign: text("foreignField").into_iter().collect(),
        through: None,
        place: reading.place(options),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_like_the_ms_package() {
        for (text, expected) in [
            ("7d", Some(604_800)),
            ("1.5 hours", Some(5_400)),
            ("90s", Some(90)),
            ("60000", Some(60)),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
