//! Models by `sequelize.define`, `Model.init`, and decorated classes.

use loadworthy_project::FileId;
use loadworthy_schema::names::{plural, snake};
use loadworthy_schema::{Column, Extent, Index, Key, KeyPart, Origin, Table, Tool};
use loadworthy_syntax::Kind;
use rustc_hash::FxHashMap;

use super::{attribute, classes, index_of};
use crate::index::enclosing_class;
use crate::schema::column::Declared;
use crate::schema::found::Holder;
use crate::schema::packages::{SEQUELIZE, is_of};
use crate::schema::reading::{ClassRef, Reading, package_of};
use crate::values::{External, Site, Value};

/// A model and what stands for it.
pub(super) struct Model {
    pub(super) file: FileId,
    pub(super) holders: Vec<Holder>,
    pub(super) table: Table,
    pub(super) options: Options,
    /// It declares no primary key: Sequelize adds `id`, except to a table between two models.
    pub(super) is_keyless: bool,
}

/// Options that decide names.
#[derive(Clone, Copy, Default)]
pub(super) struct Options {
    underscored: bool,
    frozen: bool,
    timestamps: bool,
}

pub(super) struct Models {
    pub(super) all: Vec<Model>,
    by_holder: FxHashMap<Holder, usize>,
    /// `define` of the connections, by package.
    defaults: FxHashMap<String, Options>,
}

impl Models {
    pub(super) fn find(reading: Reading<'_, '_>) -> Self {
        let defaults = connection_defaults(reading);
        let mut models = Self { all: Vec::new(), by_holder: FxHashMap::default(), defaults };
        for (file, module) in reading.modules() {
            for call in module.calls() {
                let site = (file, *call);
                match reading.called_name(site) {
                    "define" => models.define(reading, site),
                    "init" => models.init(reading, site),
                    _ => {}
                }
            }
        }
        classes::find(reading, &mut models);
        models
    }

    pub(super) fn add(&mut self, model: Model) {
        let at = self.all.len();
        for holder in &model.holders {
            self.by_holder.insert(*holder, at);
        }
        self.all.push(model);
    }

    /// `sequelize.define("User", attributes, options)`.
    fn define(&mut self, reading: Reading<'_, '_>, site: Site) {
        let arguments = reading.arguments(site);
        let [name, attributes, rest @ ..] = arguments.as_slice() else { return };
        let Some(receiver) = reading.receiver(site) else { return };
        if reading.object(*attributes).is_none() || !is_connection(reading, receiver) {
            return;
        }
        let Some(name) = reading.text(*name) else { return };
        let mut model = self.model(reading, &name, *attributes, rest.first().copied(), site);
        model.holders.push(Holder::Made(site));
        model.table.aliases.extend(reading.holder_name(site).map(str::to_owned));
        self.add(model);
    }

    /// `User.init(attributes, options)` of a class that extends `Model`.
    fn init(&mut self, reading: Reading<'_, '_>, site: Site) {
        let arguments = reading.arguments(site);
        let [attributes, rest @ ..] = arguments.as_slice() else { return };
        let Some(class) = reading.receiver(site).and_then(|receiver| class_of(reading, receiver)) else {
            return;
        };
        if !is_model(reading, class) || reading.object(*attributes).is_none() {
            return;
        }
        let options = rest.first().copied();
        let given = options.and_then(|options| reading.get_text(options, "modelName"));
        let name = given.unwrap_or_else(|| reading.class_name(class).to_owned());
        let mut model = self.model(reading, &name, *attributes, options, site);
        model.holders.push(Holder::Class(class.0, class.1));
        let class_name = reading.class_name(class);
        if class_name != name && !class_name.is_empty() {
            model.table.aliases.push(class_name.to_owned());
        }
        self.add(model);
    }

    fn model(
        &self,
        reading: Reading<'_, '_>,
        name: &str,
        attributes: Site,
        given: Option<Site>,
        site: Site,
    ) -> Model {
        let attributes = reading
            .entries(attributes)
            .into_iter()
            .map(|(attribute_name, value)| attribute(reading, &attribute_name, value))
            .collect();
        self.complete(reading, name, attributes, given, site)
    }

    /// A model of its attributes and options: names, `id`, timestamps, indexes.
    pub(super) fn complete(
        &self,
        reading: Reading<'_, '_>,
        name: &str,
        attributes: Vec<Declared>,
        given: Option<Site>,
        site: Site,
    ) -> Model {
        let scope = reading.scope(site.0);
        let options = self.options(reading, scope, given);
        let text = |key: &str| given.and_then(|given| reading.get_text(given, key));
        let mut table = Table {
            name: text("tableName").unwrap_or_else(|| options.table_name(name)),
            model: Some(name.to_owned()),
            scope: scope.to_owned(),
            extent: Extent::Declared,
            place: reading.place(site),
            last_line: reading.last_line(site),
            tools: vec![Tool::Sequelize],
            ..Table::default()
        };
        let is_keyless = !attributes.iter().any(|attribute| attribute.is_primary);
        if is_keyless {
            add_id(&mut table);
        }
        for mut attribute in attributes {
            options.name(&mut attribute.column);
            attribute.add_to(&mut table);
        }
        add_timestamps(reading, given, options, &mut table);
        let indexes = given.and_then(|given| reading.get(given, "indexes"));
        for site in indexes.map(|list| reading.elements(list)).unwrap_or_default() {
            let mut index = index_of(reading, site);
            name_keys(&table, &mut index);
            table.add_index(index);
        }
        Model { file: site.0, holders: Vec::new(), table, options, is_keyless }
    }

    fn options(&self, reading: Reading<'_, '_>, scope: &str, given: Option<Site>) -> Options {
        let default = self.defaults.get(scope).copied();
        let default = default.unwrap_or(Options { timestamps: true, ..Options::default() });
        given.map_or(default, |given| default.with(reading, given))
    }

    /// The model that an expression is: by its value, else by name (`models.User`, `db.users`).
    pub(super) fn of(&self, reading: Reading<'_, '_>, site: Site) -> Option<usize> {
        if let Some(class) = class_of(reading, site)
            && let Some(at) = self.by_holder.get(&Holder::Class(class.0, class.1))
        {
            return Some(*at);
        }
        let externals = reading.externals(site);
        let mut made = externals.iter().filter_map(External::site).map(Holder::Made);
        if let Some(at) = made.find_map(|holder| self.by_holder.get(&holder)) {
            return Some(*at);
        }
        self.named(reading.scope(site.0), reading.written_name(site)?)
    }

    pub(super) fn named(&self, scope: &str, name: &str) -> Option<usize> {
        let is_named = |model: &Model| model.table.is_exactly(name);
        let near = self.all.iter().position(|model| model.table.scope == scope && is_named(model));
        near.or_else(|| self.all.iter().position(is_named))
    }
}

impl Options {
    fn with(self, reading: Reading<'_, '_>, site: Site) -> Self {
        let flag = |key: &str| reading.get(site, key).and_then(|value| reading.flag(value));
        Self {
            underscored: flag("underscored").unwrap_or(self.underscored),
            frozen: flag("freezeTableName").unwrap_or(self.frozen),
            timestamps: flag("timestamps").unwrap_or(self.timestamps),
        }
    }

    fn table_name(self, model: &str) -> String {
        let name = if self.frozen { model.to_owned() } else { plural(model) };
        if self.underscored { snake(&name) } else { name }
    }

    /// The column of an attribute.
    pub(super) fn column_name(self, attribute: &str) -> String {
        if self.underscored { snake(attribute) } else { attribute.to_owned() }
    }

    /// `field` wins over `underscored`.
    fn name(self, column: &mut Column) {
        if column.field.is_none() {
            let name = self.column_name(&column.name);
            if name != column.name {
                column.field = Some(std::mem::replace(&mut column.name, name));
            }
        }
    }
}

fn add_id(table: &mut Table) {
    table.columns.push(Column {
        name: "id".to_owned(),
        type_text: "INTEGER".to_owned(),
        ..Column::default()
    });
    table.indexes.push(Index {
        keys: vec![Key::column("id")],
        unique: true,
        origin: Origin::Primary,
        place: table.place.clone(),
        tool: Tool::Sequelize,
        ..Index::default()
    });
}

fn add_timestamps(reading: Reading<'_, '_>, given: Option<Site>, options: Options, table: &mut Table) {
    let is_paranoid = given.is_some_and(|given| reading.is_set(given, "paranoid"));
    let names: &[&str] =
        if is_paranoid { &["createdAt", "updatedAt", "deletedAt"] } else { &["createdAt", "updatedAt"] };
    for attribute in names.iter().filter(|_| options.timestamps) {
        let option = given.and_then(|given| reading.get(given, attribute));
        if option.and_then(|option| reading.flag(option)) == Some(false) {
            continue;
        }
        let attribute =
            option.and_then(|option| reading.text(option)).unwrap_or_else(|| (*attribute).to_owned());
        if table.column(&attribute).is_none() {
            let name = options.column_name(&attribute);
            table.columns.push(Column {
                field: (name != attribute).then_some(attribute),
                name,
                type_text: "DATE".to_owned(),
                ..Column::default()
            });
        }
    }
}

/// Indexes name attributes or columns; the database knows columns.
pub(super) fn name_keys(table: &Table, index: &mut Index) {
    for key in &mut index.keys {
        if let KeyPart::Column(name) = &mut key.part
            && let Some(column) = table.columns.iter().find(|column| column.field() == name)
        {
            name.clone_from(&column.name);
        }
    }
}

/// A class by its value; `this` and `super` as the class around.
pub(super) fn class_of(reading: Reading<'_, '_>, site: Site) -> Option<ClassRef> {
    match reading.kind(site) {
        Kind::This | Kind::Super => {
            let module = reading.module(site.0)?;
            enclosing_class(module, site.1).map(|class| (site.0, class))
        }
        _ => reading.class(site),
    }
}

/// Whether a class, or one that it extends, extends the library's `Model`.
pub(super) fn is_model(reading: Reading<'_, '_>, class: ClassRef) -> bool {
    reading.lineage(class).into_iter().any(|class| {
        let heritage = reading.class_at(class).and_then(|(_, found)| found.heritage.ok());
        let externals = heritage.map(|heritage| reading.externals((class.0, heritage))).unwrap_or_default();
        externals.iter().any(|external| is_of(package_of(external), SEQUELIZE))
    })
}

/// A connection, or something unknown in a package that uses the library.
fn is_connection(reading: Reading<'_, '_>, site: Site) -> bool {
    let values = reading.resolver.value_of(site);
    let is_library = |value: &Value| match value {
        Value::External(external) => is_of(package_of(external), SEQUELIZE),
        _ => false,
    };
    let is_open = values.iter().all(|value| matches!(value, Value::Parameter(..)));
    let filled = reading.resolver.filled(&values);
    filled.iter().any(is_library)
        || (is_open && SEQUELIZE.iter().any(|package| reading.depends_on(site.0, package)))
}

/// `new Sequelize(…, { define: { … } })` by package.
fn connection_defaults(reading: Reading<'_, '_>) -> FxHashMap<String, Options> {
    let mut defaults = FxHashMap::default();
    for (file, module) in reading.modules() {
        for call in module.calls().iter().filter(|call| matches!(module.kind(**call), Kind::New { .. })) {
            let site = (file, *call);
            let externals = reading.callee(site).map(|callee| reading.externals(callee)).unwrap_or_default();
            if !externals.iter().any(|external| is_of(package_of(external), SEQUELIZE)) {
                continue;
            }
            let mut options = reading.arguments(site).into_iter();
            if let Some(define) = options.find_map(|options| reading.get(options, "define")) {
                let base = Options { timestamps: true, ..Options::default() };
                defaults.insert(reading.scope(file).to_owned(), base.with(reading, define));
            }
        }
    }
    defaults
}
