//! Mongoose and the MongoDB driver: filters, chained options, pipelines.

use loadworthy_syntax::Kind;

use super::limit::Limits;
use super::options::Options;
use super::reader::{Reader, condition};
use super::{Bound, Filter, Include, Operation, Operator, Query, Selected, Yields};
use crate::values::{Site, Value};

pub(super) fn read(reader: &Reader<'_, '_>, query: &mut Query) {
    let name = reader.name();
    query.table_site = reader.receiver();
    query.table = table(reader);
    if name == "aggregate" {
        pipeline(reader, query);
        return;
    }
    (query.operation, query.yields) = operation(name, reader);
    query.filter = filter(reader, name);
    let options = reader.options(2);
    query.selected = selected(reader, &options);
    query.order = order(reader, &options);
    query.offset = reader.links(&["skip"]).find_map(|link| link.arguments.first().copied());
    query.offset = query.offset.or_else(|| options.get("skip"));
    query.includes = populated(reader);
    query.bound = match query.yields {
        Yields::Many => many(reader, &options, query),
        Yields::Stream | Yields::Unknown => Bound::Unknown,
        _ => Bound::One,
    };
}

fn many(reader: &Reader<'_, '_>, options: &Options, query: &Query) -> Bound {
    if let Some(bound) = reader.limit_of(options, "limit") {
        return bound;
    }
    match reader.bound_by(&["limit"]) {
        Bound::Unlimited if reader.name() == "distinct" || reader.has(&["distinct"]) => Bound::Unknown,
        Bound::Unlimited => match Reader::bound_by_list(query) {
            Some(list) => list,
            // `mongoose-paginate`: a page by itself.
            None if reader.name() == "paginate" => paginated(reader),
            None if options.is_open && !options.is_empty() && reader.argument(2).is_some() => Bound::Unknown,
            None => Bound::Unlimited,
        },
        bound => bound,
    }
}

fn paginated(reader: &Reader<'_, '_>) -> Bound {
    match reader.bound_in(&reader.options(1), "limit") {
        Bound::Unlimited => Bound::Constant(10),
        bound => bound,
    }
}

fn table(reader: &Reader<'_, '_>) -> Option<Box<str>> {
    let (file, node) = reader.receiver()?;
    if let Some(model) = reader.name().eq("save").then(|| reader.made_of((file, node))).flatten() {
        return reader.name_of(model);
    }
    let module = reader.module(file)?;
    // `db.collection("users").find()`, `mongoose.model("User").find()`
    if let Kind::Call { arguments, .. } = module.kind(node)
        && let Some(first) = module.list(arguments).next()
        && let Some(name) = reader.text((file, first))
    {
        return Some(named_by(&name).into());
    }
    if module.kind(node) == Kind::This {
        return model_of_schema(reader, (file, node));
    }
    reader.name_of((file, node))
}

/// `this.find()` in a function of a schema: the name that its model was made by.
fn model_of_schema(reader: &Reader<'_, '_>, this: Site) -> Option<Box<str>> {
    let values = reader.resolver.value_of(this);
    let made = values.iter().find_map(|value| match value {
        Value::External(external) => external.site(),
        _ => None,
    })?;
    let name = reader.resolver.argument(made, 0).and_then(|first| reader.text(first))?;
    Some(name.into())
}

/// `require("./models/Order")` is called after its file.
fn named_by(text: &str) -> &str {
    let name = text.rsplit('/').next().unwrap_or(text);
    if name.len() == text.len() { text } else { name.split('.').next().unwrap_or(name) }
}

fn operation(name: &str, reader: &Reader<'_, '_>) -> (Operation, Yields) {
    // `Model.find(…).countDocuments()`: the last word counts.
    let chained =
        ["countDocuments", "findOne", "distinct", "updateMany", "deleteMany", "updateOne", "deleteOne"];
    let name = reader.links(&chained).last().map_or(name, |link| &link.name);
    if reader.has(&["cursor", "stream", "forEach", "eachAsync", "next", "hasNext"]) {
        return (Operation::Read, Yields::Stream);
    }
    match name {
        "find" | "where" | "distinct" | "paginate" => (Operation::Read, Yields::Many),
        "findOne" | "findById" | "exists" | "populate" => (Operation::Read, Yields::One),
        "countDocuments" | "count" | "estimatedDocumentCount" => (Operation::Read, Yields::Summary),
        "create" | "insertOne" | "insertMany" => (Operation::Insert, Yields::Written),
        "save" if reader.is_of_new() => (Operation::Insert, Yields::Written),
        "save" => (Operation::Update, Yields::Written),
        "bulkWrite" | "bulkSave" | "updateOne" | "updateMany" | "replaceOne" | "update" => {
            (Operation::Update, Yields::Written)
        }
        "deleteOne" | "deleteMany" | "remove" => (Operation::Delete, Yields::Written),
        "withTransaction" | "startSession" | "transaction" | "withSession" => {
            (Operation::Transaction, Yields::Unknown)
        }
        name if name.starts_with("findOneAnd") || name.starts_with("findByIdAnd") => {
            let is_removal = name.ends_with("Delete") || name.ends_with("Remove");
            (if is_removal { Operation::Delete } else { Operation::Update }, Yields::One)
        }
        _ => (Operation::Other, Yields::Unknown),
    }
}

fn filter(reader: &Reader<'_, '_>, name: &str) -> Filter {
    if name.starts_with("findById") {
        let all = vec![condition("_id", Operator::Equal, reader.argument(0))];
        return Filter { all, ..Filter::default() };
    }
    let at = usize::from(name == "distinct");
    let is_data = matches!(name, "create" | "insertOne" | "insertMany" | "bulkWrite" | "save" | "populate");
    let mut filter = match reader.argument(at) {
        Some(site) if !is_data => reader.filter_of(site),
        _ => Filter::default(),
    };
    // `.where("a").equals(b)`, `.where({ … })`, `.find({ … })`
    for link in reader.links(&["where", "find", "and", "or", "nor", "elemMatch"]) {
        let Some(first) = link.arguments.first() else { continue };
        if reader.text(*first).is_some() || matches!(&*link.name, "or" | "nor") {
            filter.is_open = true;
            continue;
        }
        let mut more = reader.filter_of(*first);
        if link.is_optional {
            super::reader::make_optional(&mut more);
        }
        filter.all.append(&mut more.all);
        filter.any.append(&mut more.any);
        filter.is_open |= more.is_open;
    }
    filter
}

fn selected(reader: &Reader<'_, '_>, options: &Options) -> Selected {
    let chained = reader.links(&["select", "project"]).find_map(|link| link.arguments.first().copied());
    let own = chained.or_else(|| options.get("projection"));
    let site = own
        .or_else(|| reader.argument(1).filter(|_| matches!(reader.name(), "find" | "findOne" | "findById")));
    match site {
        Some(site) => {
            let options = reader.read(site);
            match options.get("projection") {
                Some(inner) => reader.columns_of(inner),
                None => reader.columns_of(site),
            }
        }
        None => Selected::All,
    }
}

fn order(reader: &Reader<'_, '_>, options: &Options) -> Vec<super::OrderBy> {
    let chained = reader.links(&["sort"]).find_map(|link| link.arguments.first().copied());
    chained.or_else(|| options.get("sort")).map(|site| reader.order_of(site)).unwrap_or_default()
}

/// `.populate("comments")`, `.populate({ path, options: { limit } , populate })`
fn populated(reader: &Reader<'_, '_>) -> Vec<Include> {
    let mut all = Vec::new();
    for link in reader.links(&["populate"]) {
        let Some(first) = link.arguments.first() else { continue };
        for item in reader.array(*first).unwrap_or_else(|| vec![*first]) {
            populate(reader, item, 0, &mut all);
        }
    }
    all
}

fn populate(reader: &Reader<'_, '_>, site: Site, depth: usize, all: &mut Vec<Include>) {
    if depth > 5 {
        return;
    }
    if let Some(text) = reader.text(site) {
        all.extend(text.split(' ').filter(|it| !it.is_empty()).map(|path| Include {
            relation: path.into(),
            site,
            bound: Bound::Unlimited,
            includes: Vec::new(),
        }));
        return;
    }
    let options = reader.read(site);
    let Some(path) = options.get("path").and_then(|path| reader.text(path)) else { return };
    let inner = options.get("options").map(|inner| reader.read(inner)).unwrap_or_default();
    let bound = reader
        .limit_of(&inner, "limit")
        .or_else(|| reader.limit_of(&options, "perDocumentLimit"))
        .unwrap_or(Bound::Unlimited);
    let mut includes = Vec::new();
    if let Some(nested) = options.get("populate") {
        for item in reader.array(nested).unwrap_or_else(|| vec![nested]) {
            populate(reader, item, depth + 1, &mut includes);
        }
    }
    all.push(Include { relation: path.into(), site, bound, includes });
}

/// `[{ $match }, { $group }, { $limit }]`
fn pipeline(reader: &Reader<'_, '_>, query: &mut Query) {
    query.operation = Operation::Read;
    query.yields = if reader.has(&["cursor", "forEach", "next"]) { Yields::Stream } else { Yields::Many };
    query.bound = Bound::Unlimited;
    let stages = reader.argument(0).and_then(|site| reader.array(site));
    let Some(stages) = stages else {
        query.bound = Bound::Unknown;
        query.filter.is_open = true;
        return;
    };
    let mut is_first = true;
    for stage in stages {
        let options = reader.read(stage);
        if options.is_open {
            query.filter.is_open = true;
            if options.iter().next().is_none() {
                query.bound = query.bound.clone().min_with(Bound::Unknown);
            }
        }
        for property in options.iter() {
            self::stage(reader, &property.name, property.value, is_first, query);
        }
        is_first = false;
    }
}

fn stage(reader: &Reader<'_, '_>, name: &str, value: Site, is_first: bool, query: &mut Query) {
    match name {
        "$match" if is_first => query.filter = reader.filter_of(value),
        "$sort" => query.order = reader.order_of(value),
        "$skip" => query.offset = Some(value),
        "$limit" => query.bound = query.bound.clone().min_with(Limits::new(reader.resolver).of(value)),
        "$sample" => query.bound = query.bound.clone().min_with(reader.bound_in(&reader.read(value), "size")),
        "$count" => query.yields = Yields::Summary,
        // One group over all rows, or as many as the key has values.
        "$group" => {
            let key = reader.read(value).get("_id");
            let is_whole = key.is_some_and(|(file, node)| {
                reader.module(file).is_some_and(|module| matches!(module.kind(node), Kind::Null))
            });
            query.selected = Selected::Unknown;
            if is_whole {
                query.yields = Yields::Summary;
                query.bound = Bound::One;
            } else {
                query.bound = query.bound.clone().min_with(Bound::Unknown);
            }
        }
        "$facet" => query.bound = query.bound.clone().min_with(Bound::Unknown),
        "$project" => query.selected = reader.columns_of(value),
        "$lookup" => {
            let options = reader.read(value);
            if let Some(relation) = options.get("from").and_then(|from| reader.text(from)) {
                query.includes.push(Include {
                    relation: relation.into(),
                    site: value,
                    // What becomes of the rows, the later stages decide.
                    bound: Bound::Unknown,
                    includes: Vec::new(),
                });
            }
        }
        _ => {}
    }
}
