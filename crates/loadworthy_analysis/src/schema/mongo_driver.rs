//! Indexes that code creates by the MongoDB driver: `db.collection("users").createIndex({ email: 1 })`.

use std::collections::BTreeMap;

use loadworthy_schema::sql::Dialect;
use loadworthy_schema::{Catalogue, Extent, Index, Key, Origin, Store, Table, Tool};
use loadworthy_syntax::{BindingId, Kind};

use super::found::{Found, Holder};
use super::mongoose::index;
use super::reading::{Link, Reading};
use crate::index::enclosing_class;
use crate::values::{External, Site};

/// Most definitions that are followed from a name to `collection("…")`.
const MAX_HOPS: usize = 4;

/// Reads every creation of an index.
pub(super) fn read(reading: Reading<'_, '_>, found: &mut Found) {
    let mut tables: BTreeMap<(String, String), Table> = BTreeMap::new();
    for (file, module) in reading.modules() {
        for call in module.calls() {
            let site = (file, *call);
            let indexes = match reading.called_name(site) {
                "createIndex" | "ensureIndex" => one(reading, site),
                "createIndexes" => several(reading, site),
                _ => continue,
            };
            if indexes.is_empty() {
                continue;
            }
            let Some(name) = collection_of(reading, found, site) else { continue };
            let scope = reading.scope(file);
            let key = (scope.to_owned(), name.clone());
            let table = tables.entry(key).or_insert_with(|| collection(reading, scope, name, site));
            for index in indexes {
                table.add_index(index);
            }
        }
    }
    let tables = tables.into_values().collect();
    found.histories.push((Catalogue { tables }, Dialect::Unknown));
}

/// `createIndex(keys, options)`, or of the database `createIndex("users", keys, options)`.
fn one(reading: Reading<'_, '_>, call: Site) -> Vec<Index> {
    let arguments = reading.arguments(call);
    let (keys, options) = match arguments.as_slice() {
        [keys, options @ ..] if reading.object(*keys).is_some() => (*keys, options.first()),
        [name, keys, options @ ..] if reading.text(*name).is_some() && reading.object(*keys).is_some() => {
            // Of a collection, a text is the key itself.
            if reading.receiver(call).is_some_and(|receiver| named_collection(reading, receiver, 0).is_some())
            {
                return vec![plain(reading, *name, Some(*keys), call)];
            }
            (*keys, options.first())
        }
        [key, options @ ..] if reading.text(*key).is_some() => {
            return vec![plain(reading, *key, options.first().copied(), call)];
        }
        _ => return Vec::new(),
    };
    vec![Index { tool: Tool::MongoDriver, ..index(reading, keys, options.copied(), call) }]
}

/// `createIndex("email", options)`.
fn plain(reading: Reading<'_, '_>, key: Site, options: Option<Site>, call: Site) -> Index {
    let keys = reading.text(key).map(Key::column).into_iter().collect();
    Index { keys, tool: Tool::MongoDriver, ..index(reading, call, options, call) }
}

/// `createIndexes([{ key, unique }])`.
fn several(reading: Reading<'_, '_>, call: Site) -> Vec<Index> {
    let list = reading.argument(call, 0).map(|list| reading.elements(list)).unwrap_or_default();
    let specification = |site: Site| {
        let keys = reading.get(site, "key")?;
        Some(Index { tool: Tool::MongoDriver, ..index(reading, keys, Some(site), call) })
    };
    list.into_iter().filter_map(specification).collect()
}

fn collection_of(reading: Reading<'_, '_>, found: &Found, call: Site) -> Option<String> {
    let receiver = reading.receiver(call)?;
    let uses_driver = ["mongodb", "mongoose"].iter().any(|package| reading.depends_on(call.0, package));
    let of_database = || {
        let arguments = reading.arguments(call);
        let [name, keys, ..] = arguments.as_slice() else { return None };
        reading.object(*keys)?;
        reading.text(*name).filter(|_| uses_driver)
    };
    named_collection(reading, receiver, 0).or_else(|| of_model(reading, found, receiver)).or_else(of_database)
}

/// The name in the `collection("…")` that an expression goes back to.
fn named_collection(reading: Reading<'_, '_>, site: Site, hops: usize) -> Option<String> {
    let name = |links: &[Link]| {
        let call = links.iter().rev().find(|link| link.name == "collection").and_then(|link| link.call)?;
        reading.text(reading.argument(call, 0)?)
    };
    let externals = reading.externals(site);
    let by_value = externals.iter().find_map(|external| name(&Reading::links(external)));
    by_value.or_else(|| {
        let (root, links) = reading.chain(site);
        name(&links).or_else(|| {
            let definition = definition(reading, if links.is_empty() { root } else { site })?;
            if hops < MAX_HOPS { named_collection(reading, definition, hops + 1) } else { None }
        })
    })
}

/// Where a variable or a field of `this` gets its value.
fn definition(reading: Reading<'_, '_>, (file, node): Site) -> Option<Site> {
    let module = reading.module(file)?;
    match module.kind(node) {
        Kind::Await(value) => Some((file, value)),
        Kind::Name { binding, .. } if binding != BindingId::NONE => {
            let declared = module.binding(binding)?.node;
            match module.kind(module.parent(declared)) {
                Kind::Declarator { init, .. } if init.is_some() => Some((file, init)),
                _ => None,
            }
        }
        Kind::Member { object, name } if module.kind(object) == Kind::This => {
            let class = enclosing_class(module, node)?;
            let index = reading.resolver.program().index(file)?;
            index.fields(class, module.str(name)).first().map(|value| (file, *value))
        }
        _ => None,
    }
}

/// `User.collection` of a Mongoose model.
fn of_model(reading: Reading<'_, '_>, found: &Found, site: Site) -> Option<String> {
    let made: Vec<Holder> =
        reading.externals(site).iter().filter_map(External::site).map(Holder::Made).collect();
    let is_held = |holders: &[Holder]| holders.iter().any(|holder| made.contains(holder));
    let model = found.models.iter().find(|model| is_held(&model.holders))?;
    (model.table.store == Store::Document).then(|| model.table.name.clone())
}

/// A collection that is only known by its indexes.
fn collection(reading: Reading<'_, '_>, scope: &str, name: String, call: Site) -> Table {
    let place = reading.place(call);
    let key = Index {
        keys: vec![Key::column("_id")],
        unique: true,
        origin: Origin::Primary,
        place: place.clone(),
        tool: Tool::MongoDriver,
        ..Index::default()
    };
    Table {
        name,
        scope: scope.to_owned(),
        store: Store::Document,
        extent: Extent::Named,
        indexes: vec![key],
        place,
        tools: vec![Tool::MongoDriver],
        ..Table::default()
    }
}
