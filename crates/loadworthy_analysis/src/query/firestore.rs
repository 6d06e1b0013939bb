//! Firestore: collections with chained or composed constraints.

use loadworthy_knowledge::Rows;
use loadworthy_syntax::Kind;

use super::limit::Limits;
use super::reader::{Reader, condition};
use super::{Bound, Operation, Operator, OrderBy, Query, Yields};
use crate::values::Site;

pub(super) fn read(reader: &Reader<'_, '_>, query: &mut Query) {
    (query.operation, query.yields) = match reader.name() {
        "set" | "update" | "setDoc" | "updateDoc" | "commit" => (Operation::Update, Yields::Written),
        "add" | "create" | "addDoc" => (Operation::Insert, Yields::Written),
        "delete" | "deleteDoc" => (Operation::Delete, Yields::Written),
        "runTransaction" => (Operation::Transaction, Yields::Unknown),
        "getDoc" => (Operation::Read, Yields::One),
        "get" if reader.call.member.is_some_and(|member| member.rows == Some(Rows::One)) => {
            (Operation::Read, Yields::One)
        }
        "getAll" => (Operation::Read, Yields::Many),
        "getCountFromServer" => (Operation::Read, Yields::Summary),
        _ if reader.has(&["count", "aggregate"]) => (Operation::Read, Yields::Summary),
        _ if reader.has(&["stream"]) => (Operation::Read, Yields::Stream),
        _ => (Operation::Read, Yields::Many),
    };
    query.table_site = collection(reader);
    query.table = query.table_site.and_then(|site| reader.name_of(site));
    if query.operation != Operation::Read {
        query.bound = if query.operation.is_write() { Bound::One } else { Bound::Unknown };
        return;
    }
    query.bound = match query.yields {
        Yields::Many => many(reader, query),
        Yields::Stream => Bound::Unknown,
        _ => Bound::One,
    };
}

/// Longest chain of calls that leads to a collection.
const MAX_CHAIN: usize = 12;

fn many(reader: &Reader<'_, '_>, query: &mut Query) -> Bound {
    let limits = Limits::new(reader.resolver);
    let mut bound = reader.bound_by(&["limit", "limitToLast"]);
    let own = std::iter::once((reader.name(), reader.arguments.as_slice()));
    let chained = reader.chain.links.iter().map(|link| (&*link.name, link.arguments.as_slice()));
    for (name, arguments) in own.chain(chained) {
        constraint(reader, name, arguments, query);
        if matches!(name, "limit" | "limitToLast")
            && let Some(first) = arguments.first()
        {
            bound = limits.of(*first);
        }
    }
    // `getDocs(query(collection(db, "x"), where(…), limit(10)))`
    for site in composed(reader) {
        let Some(module) = reader.module(site.0) else { continue };
        let Kind::Call { callee, arguments } = module.kind(site.1) else { continue };
        let arguments: Vec<Site> = module.list(arguments).map(|node| (site.0, node)).collect();
        let name = module.source(callee).rsplit('.').next().unwrap_or_default();
        constraint(reader, name, &arguments, query);
        if matches!(name, "limit" | "limitToLast")
            && let Some(first) = arguments.first()
        {
            bound = limits.of(*first);
        }
    }
    bound
}

fn constraint(reader: &Reader<'_, '_>, name: &str, arguments: &[Site], query: &mut Query) {
    match (name, arguments) {
        ("where", [column, sign, value]) => {
            let Some(column) = reader.text(*column) else { return };
            let operator = match reader.text(*sign).as_deref() {
                Some("==") => Operator::Equal,
                Some("in" | "array-contains-any") => Operator::In,
                Some("!=" | "not-in") => Operator::Not,
                Some("array-contains") => Operator::Contains,
                _ => Operator::Range,
            };
            query.filter.all.push(condition(&column, operator, Some(*value)));
        }
        ("orderBy", [column, rest @ ..]) => {
            let Some(column) = reader.text(*column) else { return };
            let direction = rest.first().map(|site| reader.text(*site));
            let is_descending = match direction {
                None => Some(false),
                Some(word) => word.map(|word| word == "desc"),
            };
            query.order.push(OrderBy { column: column.into(), is_descending });
        }
        _ => {}
    }
}

/// The constraints that `query(…)` composes.
fn composed(reader: &Reader<'_, '_>) -> Vec<Site> {
    let Some((file, node)) = reader.argument(0) else { return Vec::new() };
    let Some(module) = reader.module(file) else { return Vec::new() };
    let call = match module.kind(node) {
        Kind::Name { binding, .. } => {
            module.binding(binding).and_then(|it| match module.kind(module.parent(it.node)) {
                Kind::Declarator { init, .. } if init.is_some() => Some(init),
                _ => None,
            })
        }
        _ => Some(node),
    };
    let Some(Kind::Call { arguments, .. }) = call.map(|call| module.kind(call)) else { return Vec::new() };
    module.list(arguments).map(|argument| (file, argument)).collect()
}

/// What names the collection: of `db.collection("orders").doc(id)`, also where a variable holds it.
fn collection(reader: &Reader<'_, '_>) -> Option<Site> {
    let mut at = reader.origin(reader.receiver()?);
    // Down the chain, to the call that names it.
    for _ in 0..MAX_CHAIN {
        let (file, node) = at;
        let module = reader.module(file)?;
        let Kind::Call { callee, arguments } = module.kind(node) else { return Some(at) };
        let named = module.list(arguments).next().map(|argument| (file, argument));
        let Kind::Member { object, name } = module.kind(callee) else { return named };
        if matches!(module.str(name), "collection" | "collectionGroup") {
            return named;
        }
        match module.kind(object) {
            Kind::Call { .. } => at = (file, object),
            Kind::Name { .. } if reader.origin((file, object)) != (file, object) => {
                at = reader.origin((file, object));
            }
            _ => return named,
        }
    }
    None
}
