//! One query for a list of keys, in the language of the query that takes one key.

use loadworthy_analysis::{Family, Operation, Operator, Query, Site, Yields};
use loadworthy_syntax::{Kind, Module, NodeId};

use crate::audit::Audit;

/// A query that finds by one key, as one that finds by many.
pub(super) struct Batch {
    /// The text of the query for all keys.
    pub(super) text: String,
    /// What the query is given for one row.
    pub(super) key: Site,
    /// The column that is compared.
    pub(super) column: String,
    /// Names that the text uses and the original did not: package and name.
    pub(super) imports: Vec<(&'static str, &'static str)>,
    /// Whether the rows are documents, whose ids are objects.
    pub(super) is_document: bool,
}

/// A piece of text in place of a range of the file.
type Piece = (u32, u32, String);

/// The query for all of `keys`; `None` where it finds by something else than one key, or is of a language that is not known.
pub(super) fn batch(audit: &Audit<'_, '_>, query: &Query, keys: &str) -> Option<Batch> {
    let module = audit.module(query.whole)?;
    let batching = Batching { query, module, keys };
    let (key, column) = batching.key()?;
    let mut imports = Vec::new();
    let mut pieces = batching.compared(key, &mut imports)?;
    pieces.extend(batching.methods());
    let text = batching.assembled(pieces)?;
    Some(Batch {
        text,
        key: (query.site.0, key),
        column,
        imports,
        is_document: matches!(query.family, Family::Mongoose | Family::MongoDriver),
    })
}

struct Batching<'b> {
    query: &'b Query,
    module: &'b Module,
    keys: &'b str,
}

impl Batching<'_> {
    /// The only value that rows must equal, and its column.
    fn key(&self) -> Option<(NodeId, String)> {
        let filter = &self.query.filter;
        if !filter.any.is_empty() || filter.is_open {
            return None;
        }
        let mut values = filter.all.iter().filter(|it| {
            // A constant is the same for every key.
            it.operator != Operator::Equal || it.value.is_none_or(|value| !self.is_constant(value.1))
        });
        let condition = values.next()?;
        let value = condition.value.filter(|value| value.0 == self.query.site.0)?;
        let is_single =
            values.next().is_none() && condition.operator == Operator::Equal && !condition.is_optional;
        let is_inside = self.module.contains(self.query.whole.1, value.1);
        let column = condition.column.rsplit('.').next().unwrap_or(&condition.column);
        (is_single && is_inside).then(|| (value.1, column.to_owned()))
    }

    fn is_constant(&self, value: NodeId) -> bool {
        matches!(self.module.kind(value), Kind::String(_) | Kind::Number(_) | Kind::Bool(_) | Kind::Null)
    }

    /// The comparison with a list in place of that with one value.
    fn compared(&self, key: NodeId, imports: &mut Vec<(&'static str, &'static str)>) -> Option<Vec<Piece>> {
        let keys = self.keys;
        let parent = self.module.parent(key);
        match self.query.family {
            Family::Prisma => self.property(key, &format!("{{ in: {keys} }}")),
            Family::Mongoose | Family::MongoDriver => match self.module.kind(parent) {
                // `findById(key)`.
                Kind::Call { .. } => Some(vec![self.piece(key, format!("{{ _id: {{ $in: {keys} }} }}"))]),
                _ => self.property(key, &format!("{{ $in: {keys} }}")),
            },
            Family::Sequelize => match self.module.kind(parent) {
                // `findByPk(key)`.
                Kind::Call { .. } => Some(vec![self.piece(key, format!("{{ where: {{ id: {keys} }} }}"))]),
                _ => self.property(key, keys),
            },
            Family::TypeOrm => {
                imports.push(("typeorm", "In"));
                match self.module.kind(parent) {
                    // `delete(key)`, `update(key, …)`.
                    Kind::Call { .. } if self.query.operation.is_write() => {
                        imports.clear();
                        Some(vec![self.piece(key, keys.to_owned())])
                    }
                    Kind::Call { .. } => None,
                    _ => self.property(key, &format!("In({keys})")),
                }
            }
            Family::Drizzle => {
                let Kind::Call { callee, .. } = self.module.kind(parent) else { return None };
                if !self.module.source(callee).ends_with("eq") {
                    return None;
                }
                imports.push(("drizzle-orm", "inArray"));
                Some(vec![self.piece(callee, String::from("inArray")), self.piece(key, keys.to_owned())])
            }
            Family::Supabase => {
                let Kind::Call { callee, .. } = self.module.kind(parent) else { return None };
                let Kind::Member { object, name } = self.module.kind(callee) else { return None };
                if self.module.str(name) != "eq" {
                    return None;
                }
                let start = self.module.node(object).span.end;
                let end = self.module.node(callee).span.end;
                Some(vec![(start, end, String::from(".in")), self.piece(key, keys.to_owned())])
            }
            Family::Knex | Family::Objection => self.where_in(key),
            Family::Sql => self.sql(key),
            _ => None,
        }
    }

    /// Another value for a property; `{ id }` becomes `{ id: … }`.
    fn property(&self, key: NodeId, value: &str) -> Option<Vec<Piece>> {
        let parent = self.module.parent(key);
        let Kind::Property { key: name, .. } = self.module.kind(parent) else { return None };
        let is_short = self.module.node(parent).span == self.module.node(key).span;
        let value = if is_short { format!("{}: {value}", self.module.str(name)) } else { value.to_owned() };
        Some(vec![self.piece(key, value)])
    }

    /// `.where({ id: key })` and `.where("id", key)` as `.whereIn("id", keys)`.
    fn where_in(&self, key: NodeId) -> Option<Vec<Piece>> {
        let call =
            self.module.ancestors(key).find(|it| matches!(self.module.kind(*it), Kind::Call { .. }))?;
        let Kind::Call { callee, arguments } = self.module.kind(call) else { return None };
        let Kind::Member { object, name } = self.module.kind(callee) else { return None };
        if !["where", "andWhere"].contains(&self.module.str(name)) {
            return None;
        }
        let arguments: Vec<NodeId> = self.module.list(arguments).collect();
        let column = match arguments.as_slice() {
            [object] => {
                let Kind::Object(parts) = self.module.kind(*object) else { return None };
                let mut parts = self.module.list(parts);
                let (Some(only), None) = (parts.next(), parts.next()) else { return None };
                let Kind::Property { key, .. } = self.module.kind(only) else { return None };
                format!("'{}'", self.module.str(key))
            }
            [column, _] => self.module.source(*column).to_owned(),
            _ => return None,
        };
        let start = self.module.node(object).span.end;
        let end = self.module.node(call).span.end;
        Some(vec![(start, end, format!(".whereIn({column}, {})", self.keys))])
    }

    /// `= $1` as `= ANY($1)`, `= ?` as `IN (?)`.
    fn sql(&self, key: NodeId) -> Option<Vec<Piece>> {
        let call =
            self.module.ancestors(key).find(|it| matches!(self.module.kind(*it), Kind::Call { .. }))?;
        let Kind::Call { arguments, .. } = self.module.kind(call) else { return None };
        let text = self.module.list(arguments).next()?;
        if !matches!(self.module.kind(text), Kind::String(_) | Kind::Template { .. }) {
            return None;
        }
        let source = self.module.source(text);
        let changed = if source.matches('$').count() == 1 && source.contains("= $1") {
            source.replace("= $1", "= ANY($1)")
        } else if source.matches('?').count() == 1 && source.contains("= ?") {
            source.replace("= ?", "IN (?)")
        } else {
            return None;
        };
        Some(vec![self.piece(text, changed), self.piece(key, self.keys.to_owned())])
    }

    /// Methods of one row as those of many.
    fn methods(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for call in &self.query.calls {
            let Kind::Call { callee, arguments } = self.module.kind(call.1) else { continue };
            let Kind::Member { object, name } = self.module.kind(callee) else { continue };
            let name = self.module.str(name);
            let after_object = self.module.node(object).span.end;
            let end = self.module.node(callee).span.end;
            if let Some(many) = self.many(name) {
                pieces.push((after_object, end, format!(".{many}")));
            }
            let first = self.module.list(arguments).next().map(|it| self.module.source(it));
            let is_single = match name {
                "first" | "single" | "maybeSingle" | "executeTakeFirst" => true,
                "limit" | "take" => first == Some("1"),
                _ => false,
            };
            if is_single && !matches!(self.query.family, Family::Prisma) {
                pieces.push((after_object, self.module.node(call.1).span.end, String::new()));
            }
        }
        pieces
    }

    fn many(&self, name: &str) -> Option<&'static str> {
        Some(match (self.query.family, name) {
            (
                Family::Prisma | Family::Drizzle,
                "findUnique" | "findFirst" | "findUniqueOrThrow" | "findFirstOrThrow",
            ) => "findMany",
            (Family::Prisma, "update")
            | (Family::Mongoose, "findByIdAndUpdate" | "findOneAndUpdate")
            | (Family::Mongoose | Family::MongoDriver, "updateOne") => "updateMany",
            (Family::Prisma, "delete")
            | (Family::Mongoose, "findByIdAndDelete" | "findOneAndDelete" | "findByIdAndRemove")
            | (Family::Mongoose | Family::MongoDriver, "deleteOne") => "deleteMany",
            (Family::Mongoose | Family::MongoDriver, "findById" | "findOne")
            | (Family::TypeOrm, "findOne" | "findOneOrFail") => "find",
            (Family::Sequelize, "findByPk" | "findOne") => "findAll",
            (Family::TypeOrm, "findOneBy" | "findOneByOrFail") => "findBy",
            _ => return None,
        })
    }

    fn piece(&self, node: NodeId, text: String) -> Piece {
        let span = self.module.node(node).span;
        (span.start, span.end, text)
    }

    /// The text of the query with the pieces in place; `None` where two of them overlap.
    fn assembled(&self, mut pieces: Vec<Piece>) -> Option<String> {
        let span = self.module.node(self.query.whole.1).span;
        pieces.sort();
        pieces.retain(|piece| piece.0 >= span.start && piece.1 <= span.end);
        let (mut text, mut at) = (String::new(), span.start as usize);
        for (start, end, piece) in pieces {
            text.push_str(self.module.text().get(at..start as usize)?);
            text.push_str(&piece);
            at = end as usize;
        }
        text.push_str(self.module.text().get(at..span.end as usize)?);
        let is_iterated = self.query.family == Family::MongoDriver && self.query.operation == Operation::Read;
        if is_iterated && !text.contains("toArray") {
            text.push_str(".toArray()");
        }
        Some(text)
    }
}

/// Whether what the code has of the query is one row, and not a list of them.
pub(super) fn gives_one(query: &Query) -> bool {
    // A statement of SQL or of a builder gives a list even of one row.
    match query.family {
        Family::Drizzle => query.yields == Yields::One && query.calls.len() <= 1,
        Family::Sql | Family::Kysely => false,
        _ => query.yields == Yields::One,
    }
}
