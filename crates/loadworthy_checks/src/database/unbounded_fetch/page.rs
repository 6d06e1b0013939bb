//! A page of a list that a handler sends as it is: the limit and the offset of its request, with a maximum, in a fixed order.

use loadworthy_analysis::{CLIENT_INPUT, Family, Folded, FunctionRef, Query, Route, Site, Value};
use loadworthy_knowledge::Op;
use loadworthy_project::Language;
use loadworthy_syntax::{BindingId, Kind, Module, NodeId};

use super::remedy::{MOST, PAGE};
use crate::audit::Audit;
use crate::database::rows::table_of;
use crate::edit::{add_option, after, indentation, insert, semicolon, shortened};
use crate::finding::{Applicability, Edit, Fix};

/// Names of the limit and of the offset, and others for where these are taken.
const NAMES: [(&str, &str); 2] = [("limit", "offset"), ("pageSize", "pageStart")];

/// The page, where the rows go nowhere else and the function has the request.
pub(super) fn page(audit: &Audit<'_, '_>, query: &Query, plain: Fix) -> Fix {
    let Some(edits) = edits(audit, query) else { return plain };
    let place = audit.statement(query.whole);
    let (before, after) = shortened(audit.source(place), &after(audit, place, &edits));
    Fix { before: Some(before), after: Some(after), edits, applicability: Applicability::Review, ..plain }
}

fn edits(audit: &Audit<'_, '_>, query: &Query) -> Option<Vec<Edit>> {
    let (file, whole) = query.whole;
    let module = audit.module(query.whole)?;
    let owner = audit.analysis.owner(query.whole);
    let request = request(audit, owner)?;
    let lists = audit.analysis.queries().iter().filter(|it| {
        it.bound.is_unbounded()
            && it.yields == loadworthy_analysis::Yields::Many
            && audit.analysis.owner(it.site) == owner
    });
    let is_only = lists.count() == 1 && query.via.is_none();
    (is_only && is_only_sent(module, whole)).then_some(())?;
    let function = module.function(owner.1)?.node;
    let is_taken = |name: &str| {
        module.bindings().iter().any(|it| module.str(it.name) == name && module.contains(function, it.node))
    };
    let (limit, offset) = NAMES.into_iter().find(|(limit, offset)| !is_taken(limit) && !is_taken(offset))?;
    let statement = audit.statement(query.whole).1;
    let is_line = matches!(module.kind(module.parent(statement)), Kind::Block(_));
    is_line.then_some(())?;
    let end = semicolon(module);
    let indentation = indentation(module, statement);
    let head = format!(
        "const {limit} = Math.min(Math.max(Number({request}.limit) || {PAGE}, 1), {MOST}){end}\n{indentation}const {offset} = Math.max(Number({request}.offset) || 0, 0){end}\n{indentation}"
    );
    let at = module.node(statement).span.start as usize;
    Some(vec![insert(audit, file, at, head)?, limited(audit, query, limit, offset)?])
}

/// `req.query` in the handler of nothing but reads.
fn request(audit: &Audit<'_, '_>, owner: FunctionRef) -> Option<String> {
    let routes: Vec<&Route> = audit
        .analysis
        .routes()
        .iter()
        .filter(|route| route.handler.as_ref().is_some_and(|it| it.functions.contains(&owner)))
        .collect();
    let is_validated = |route: &Route| {
        audit.source(route.site).contains("schema") || audit.source(route.site).contains("Schema")
    };
    if routes.is_empty() || routes.iter().any(|route| route.method != "GET" || is_validated(route)) {
        return None;
    }
    let module = audit.program().module(owner.0)?;
    let first = module.list(module.function(owner.1)?.parameters).next()?;
    let Kind::Binding(binding) = module.kind(first) else { return None };
    let name = module.str(module.binding(binding)?.name);
    let file = audit.program().project().file(owner.0)?;
    let written = module.source(first);
    // A type with arguments says which names the query has.
    let is_open = !matches!(file.language, Language::Ts | Language::Tsx) || !written.contains('<');
    (is_open && has_query(audit, (owner.0, first))).then(|| format!("{name}.query"))
}

/// Whether a parameter is a request whose member `query` holds what the client sent.
fn has_query(audit: &Audit<'_, '_>, parameter: Site) -> bool {
    let knowledge = audit.knowledge();
    audit.resolver.value_of(parameter).iter().any(|value| {
        let Value::External(external) = value else { return false };
        let Folded::Held(held) = audit.resolver.fold(external) else { return false };
        let query = knowledge.step(held.lib, held.handle, Op::Get, "query");
        held.path.is_empty() && query.is_some_and(|step| knowledge.handle_name(step.to) == CLIENT_INPUT)
    })
}

/// Whether the awaited rows of a query are sent, and nothing else is done with them.
fn is_only_sent(module: &Module, whole: NodeId) -> bool {
    let awaiting = module.parent(whole);
    if !matches!(module.kind(awaiting), Kind::Await(_)) {
        return false;
    }
    match module.kind(module.parent(awaiting)) {
        Kind::Declarator { target, .. } => match module.kind(target) {
            Kind::Binding(binding) => are_sent(module, binding, 0),
            _ => false,
        },
        _ => is_sent(module, awaiting, 0),
    }
}

/// Most variables on the way from the rows to the response.
const MAX_HOPS: usize = 2;

fn are_sent(module: &Module, binding: BindingId, hops: usize) -> bool {
    let uses = module.references(binding);
    !uses.is_empty() && hops <= MAX_HOPS && uses.iter().all(|name| is_sent(module, *name, hops))
}

/// Whether a use of the rows is a part of the response, a test whether there are any, or the rows in another form that is sent.
fn is_sent(module: &Module, used: NodeId, hops: usize) -> bool {
    let mut inner = used;
    for outer in module.ancestors(used) {
        match module.kind(outer) {
            Kind::Call { callee, .. } if callee != inner => return sends(module, callee),
            Kind::Call { .. }
            | Kind::Object(_)
            | Kind::Binary { .. }
            | Kind::Unary { .. }
            | Kind::Conditional { .. } => {}
            // What says how many there are in all would say how many the page has.
            Kind::Property { key, .. } => {
                let key = module.str(key).to_lowercase();
                if key.contains("total") || key.contains("count") {
                    return false;
                }
            }
            Kind::Member { name, .. } => {
                if !matches!(module.str(name), "map" | "length") {
                    return false;
                }
            }
            Kind::If { test, .. } => return test == inner,
            Kind::Declarator { target, init } if init == inner => {
                let Kind::Binding(binding) = module.kind(target) else { return false };
                return are_sent(module, binding, hops + 1);
            }
            _ => return false,
        }
        inner = outer;
    }
    false
}

/// `res.json(…)`, `res.status(200).send(…)`, `reply.send(…)`.
fn sends(module: &Module, callee: NodeId) -> bool {
    matches!(module.kind(callee), Kind::Member { name, .. } if matches!(module.str(name), "json" | "send" | "render" | "jsonp"))
}

/// The query with limit and offset, in the order of its key where it has none.
fn limited(audit: &Audit<'_, '_>, query: &Query, limit: &str, offset: &str) -> Option<Edit> {
    let table = table_of(audit, query);
    let key = match table.map(loadworthy_schema::Table::primary_key).as_deref() {
        Some([key]) => Some((*key).to_owned()),
        _ => None,
    };
    let is_ordered = !query.order.is_empty();
    let pair = |limit_key: &str, offset_key: &str| {
        let part =
            |key: &str, name: &str| if key == name { name.to_owned() } else { format!("{key}: {name}") };
        format!("{}, {}", part(limit_key, limit), part(offset_key, offset))
    };
    let option = |order: &str, limits: String| {
        let order = match (is_ordered, &key) {
            (true, _) => String::new(),
            (false, Some(key)) => format!("{}, ", order.replace("id", key)),
            (false, None) => return None,
        };
        add_option(audit, query.site, 0, &format!("{order}{limits}"))
    };
    let chain = |order: String, limits: String| {
        let order = if is_ordered { String::new() } else { order };
        chained(audit, query, &[order, limits].concat())
    };
    match query.family {
        Family::Prisma => option("orderBy: { id: 'asc' }", pair("take", "skip")),
        Family::Sequelize => option("order: [['id', 'ASC']]", pair("limit", "offset")),
        Family::Mongoose => {
            chain(String::from(".sort({ _id: 1 })"), format!(".skip({offset}).limit({limit})"))
        }
        Family::Drizzle if query.calls.len() > 1 => {
            let (table, key) = (query.table.as_deref()?, key?);
            chain(format!(".orderBy({table}.{key})"), format!(".limit({limit}).offset({offset})"))
        }
        Family::Knex | Family::Objection => {
            chain(format!(".orderBy('{}')", key?), format!(".limit({limit}).offset({offset})"))
        }
        Family::Supabase => {
            chain(format!(".order('{}')", key?), format!(".range({offset}, {offset} + {limit} - 1)"))
        }
        _ => None,
    }
}

/// Calls at the end of a chain, before the one that runs it; each on a line of its own where the chain is written so.
fn chained(audit: &Audit<'_, '_>, query: &Query, calls: &str) -> Option<Edit> {
    let text = audit.source(query.whole);
    let ends = [".exec()", ".lean()", ".lean().exec()"];
    let kept = ends.iter().filter_map(|end| text.strip_suffix(end)).map(str::len).min().unwrap_or(text.len());
    let head = text.get(..kept)?.trim_end();
    head.ends_with(')').then_some(())?;
    let line =
        head.rsplit('\n').next().filter(|line| head.contains('\n') && line.trim_start().starts_with('.'));
    let calls = match line {
        Some(line) => {
            let indentation = line.get(..line.len() - line.trim_start().len())?;
            // A call begins where the one before has ended.
            let lines = calls.replace(").", &format!(")\n{indentation}."));
            format!("\n{indentation}{lines}")
        }
        None => calls.to_owned(),
    };
    let start = audit.module(query.whole)?.node(query.whole.1).span.start as usize;
    insert(audit, query.whole.0, start + head.len(), calls)
}
