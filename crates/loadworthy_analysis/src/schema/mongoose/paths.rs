//! The paths of a schema: types, options, nested objects, lists and schemas within schemas.

use loadworthy_schema::{Column, Index, Key, Origin, Relation, Table, Tool};
use loadworthy_syntax::Kind;

use super::{Schemas, Source, expiry, index};
use crate::schema::column::values_of_type;
use crate::schema::reading::Reading;
use crate::values::Site;

/// Deepest nesting of objects and schemas that is followed.
const MAX_DEPTH: usize = 6;

/// Most paths of one schema: schemas that hold themselves several times over grow without an end.
const MAX_PATHS: usize = 1_000;

impl Schemas<'_, '_> {
    /// Adds the paths of a definition below `prefix`.
    pub(super) fn add_paths(&self, table: &mut Table, prefix: &str, definition: Site, depth: usize) {
        if depth > MAX_DEPTH || table.columns.len() > MAX_PATHS {
            return;
        }
        for (name, value) in self.reading.entries(definition) {
            let path = format!("{prefix}{name}");
            self.add_path(table, &path, value, depth);
        }
    }

    fn add_path(&self, table: &mut Table, path: &str, value: Site, depth: usize) {
        let reading = self.reading;
        let Some(options) = reading.object(value) else {
            self.add_typed(table, path, value, None, depth);
            return;
        };
        let declared = reading.get(options, "type");
        // `type: { type: String }` is a path named `type`.
        let is_path =
            |site: Site| reading.object(site).is_some_and(|object| reading.get(object, "type").is_some());
        match declared.filter(|declared| !is_path(*declared)) {
            Some(declared) => self.add_typed(table, path, declared, Some(options), depth),
            None if reading.entries(options).is_empty() => {
                self.add_column(table, path, "Mixed", false, None, None);
            }
            None => self.add_paths(table, &format!("{path}."), options, depth + 1),
        }
    }

    /// A path of the type that `declared` is.
    pub(super) fn add_typed(
        &self,
        table: &mut Table,
        path: &str,
        declared: Site,
        options: Option<Site>,
        depth: usize,
    ) {
        let reading = self.reading;
        let (element, is_list) = self.element(declared);
        if let Some(schema) = self.schema_of(element).filter(|_| depth <= MAX_DEPTH) {
            self.add_column(table, path, "Schema", is_list, options, None);
            self.add_schema(table, &format!("{path}."), schema, depth + 1);
            return;
        }
        // The element of a list has its own options: `[{ type: ObjectId, ref: "User" }]`.
        let inner = reading.object(element);
        let inner_type = inner.and_then(|inner| reading.get(inner, "type"));
        match (inner, inner_type) {
            (Some(inner), Some(inner_type)) => {
                if let Some(schema) = self.schema_of(inner_type) {
                    self.add_schema(table, &format!("{path}."), schema, depth + 1);
                }
                let name = type_name(reading, inner_type);
                self.add_column(table, path, &name, is_list, options, Some(inner));
            }
            (Some(inner), None) => {
                self.add_column(table, path, "Object", is_list, options, None);
                self.add_paths(table, &format!("{path}."), inner, depth + 1);
            }
            (None, _) => {
                let name = type_name(reading, element);
                self.add_column(table, path, &name, is_list, options, None);
            }
        }
    }

    /// `[X]` as `X`.
    fn element(&self, declared: Site) -> (Site, bool) {
        match self.reading.kind(declared) {
            Kind::Array(_) => (self.reading.elements(declared).first().copied().unwrap_or(declared), true),
            _ => (declared, false),
        }
    }

    /// The paths and indexes of a schema within another.
    fn add_schema(&self, table: &mut Table, prefix: &str, schema: Site, depth: usize) {
        match self.sources.get(&schema) {
            Some(Source::Object) => {
                if let Some(definition) = self.reading.argument(schema, 0) {
                    self.add_paths(table, prefix, definition, depth);
                }
            }
            Some(Source::Class(class)) if depth <= MAX_DEPTH => {
                self.add_class_paths(table, prefix, *class, depth);
            }
            _ => {}
        }
    }

    /// A path with its options: those of the path, then those of a list's element.
    pub(super) fn add_column(
        &self,
        table: &mut Table,
        path: &str,
        type_name: &str,
        is_list: bool,
        options: Option<Site>,
        inner: Option<Site>,
    ) {
        let reading = self.reading;
        let option = |key: &str| {
            let of = |site: Option<Site>| site.and_then(|site| reading.get(site, key));
            of(options).or_else(|| of(inner))
        };
        let is_set = |key: &str| option(key).and_then(|value| reading.flag(value)) == Some(true);
        let required = option("required").and_then(|required| {
            // `required: [true, "message"]`
            let first = reading.elements(required).first().copied().unwrap_or(required);
            reading.flag(first)
        });
        let values = option("enum").and_then(|values| enum_values(reading, values));
        let distinct = values_of_type(type_name).or(values).filter(|_| !is_list);
        table.columns.retain(|column| column.name != path);
        table.columns.push(Column {
            name: path.to_owned(),
            field: None,
            type_text: if is_list { format!("[{type_name}]") } else { type_name.to_owned() },
            nullable: required != Some(true),
            distinct,
        });
        let site = options.or(inner);
        if let Some(site) = site
            && let Some(found) = self.path_index(path, site, &option, is_set("unique"), is_set("sparse"))
        {
            table.add_index(found);
        }
        if let Some(target) = option("ref").and_then(|target| reference(reading, target)) {
            table.relations.push(Relation {
                field: path.to_owned(),
                target,
                many: is_list,
                local: vec![path.to_owned()],
                foreign: vec!["_id".to_owned()],
                through: None,
                place: site.map(|site| reading.place(site)).unwrap_or_default(),
            });
        }
    }

    /// `index: true`, `unique: true`, `sparse: true`, `text: true`, `expires: "7d"`, `index: { … }`.
    fn path_index(
        &self,
        path: &str,
        site: Site,
        option: &dyn Fn(&str) -> Option<Site>,
        unique: bool,
        sparse: bool,
    ) -> Option<Index> {
        let reading = self.reading;
        let given = option("index");
        let kind = given.and_then(|given| reading.text(given));
        let is_plain = given.is_some_and(|given| {
            reading.flag(given) == Some(true) || reading.number(given).is_some_and(|number| number != 0.0)
        });
        let expires = option("expires");
        let is_text = option("text").and_then(|text| reading.flag(text)) == Some(true);
        let detailed = given.filter(|given| reading.object(*given).is_some());
        let is_any = is_plain || unique || sparse || is_text || kind.is_some();
        if !is_any && expires.is_none() && detailed.is_none() {
            return None;
        }
        let base = detailed.map(|options| index(reading, options, Some(options), site)).unwrap_or_default();
        let unique = unique || base.unique;
        Some(Index {
            keys: vec![Key::column(path)],
            unique,
            sparse: sparse || base.sparse,
            method: kind.or_else(|| is_text.then(|| "text".to_owned())),
            expiry: expires.map(|expires| expiry(reading, expires)).or(base.expiry),
            origin: if unique { Origin::Unique } else { Origin::Declared },
            place: reading.place(site),
            tool: Tool::Mongoose,
            predicate: base.predicate,
            ..Index::default()
        })
    }
}

/// `["a", "b"]`, `{ values: [...] }`, `Object.values(State)`, or an object of constants.
fn enum_values(reading: Reading<'_, '_>, site: Site) -> Option<u32> {
    if let Some(values) = reading.get(site, "values") {
        return reading.count(values);
    }
    match reading.kind(site) {
        Kind::Call { .. } => reading.count(reading.argument(site, 0)?),
        _ => reading.count(site),
    }
}

/// The model that a `ref` names: by text, by the model itself, or by a function that gives one of them.
pub(super) fn reference(reading: Reading<'_, '_>, site: Site) -> Option<String> {
    let site = reading.unwrapped(site);
    if let Some(text) = reading.text(site) {
        return Some(text);
    }
    if let Some(class) = reading.class(site) {
        return Some(reading.class_name(class).to_owned());
    }
    // `ref: User.name` or `ref: User`.
    let (file, node) = site;
    match reading.kind(site) {
        Kind::Member { object, name } if reading.module(file)?.str(name) == "name" => {
            reading.written_name((file, object)).map(str::to_owned)
        }
        _ => reading.written_name((file, node)).map(str::to_owned),
    }
}

/// `ObjectId` of `mongoose.Schema.Types.ObjectId`.
fn type_name(reading: Reading<'_, '_>, site: Site) -> String {
    reading.text(site).or_else(|| reading.written_name(site).map(str::to_owned)).unwrap_or_default()
}
