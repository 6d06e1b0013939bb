//! Every query of the program: each chain of calls once, with its shape.

use loadworthy_knowledge::{Effect, Flag, HandleId, Knowledge, LibId, Op, Rows};
use loadworthy_project::FileId;
use loadworthy_syntax::{Kind, Module, NodeId};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::chain::{Chain, Walk};
use super::reader::Reader;
use super::{Bound, Family, Filter, Operation, Query, Selected, Yields};
use super::{drizzle, firestore, knex, kysely, mikro_orm, mongo, prisma, sequelize, sql, supabase, typeorm};
use crate::calls::{Call, Calls, LibraryCall};
use crate::links::FunctionRef;
use crate::program::Program;
use crate::values::{Resolver, Site};

/// Every query of the program.
#[derive(Debug, Default)]
pub struct Queries {
    all: Vec<Query>,
    by_call: FxHashMap<Site, usize>,
    told: Vec<Query>,
    told_by: FxHashMap<Site, Vec<usize>>,
}

impl Queries {
    /// Reads the queries of all files, on the threads of the current pool.
    pub(crate) fn find(program: &Program<'_>, calls: &Calls<'_>) -> Self {
        let count = program.project().files.len();
        let files: Vec<Vec<Query>> = (0..count)
            .into_par_iter()
            .map_init(|| Resolver::new(program), |resolver, at| of_file(resolver, calls, FileId::new(at)))
            .collect();
        let mut all: Vec<Query> = files.into_iter().flatten().collect();
        // A wrapper may call another one: `one(text)` calls `query(text)`, which calls the pool.
        let mut senders: FxHashMap<Site, Site> = FxHashMap::default();
        for _ in 0..MAX_WRAPPERS {
            let wrappers = wrappers(program, calls, &all, &senders);
            if wrappers.is_empty() {
                break;
            }
            let files: Vec<Vec<(Query, Site)>> = (0..count)
                .into_par_iter()
                .map_init(
                    || Resolver::new(program),
                    |resolver, at| wrapped(resolver, calls, &wrappers, FileId::new(at)),
                )
                .collect();
            // The one query in the wrapper is those of its callers.
            let inner: FxHashSet<Site> = wrappers.values().map(|wrapper| wrapper.query).collect();
            all.iter_mut().filter(|query| inner.contains(&query.site)).for_each(|query| query.is_part = true);
            for (query, sender) in files.into_iter().flatten() {
                senders.insert(query.site, sender);
                all.push(query);
            }
            all.sort_by_key(|query| query.site);
        }
        let told = super::told::told(&Resolver::new(program), calls, &all);
        let mut queries = Self { all, told, ..Self::default() };
        for (at, query) in queries.all.iter().enumerate() {
            for call in &query.calls {
                queries.by_call.entry(*call).or_insert(at);
            }
        }
        for (at, query) in queries.told.iter().enumerate() {
            queries.told_by.entry(query.site).or_default().push(at);
        }
        queries
    }

    /// The query of a helper as a call of the helper tells it: with the table and conditions that the call hands over.
    #[must_use]
    pub fn told_at(&self, call: Site, query: &Query) -> Option<&Query> {
        let told = self.told_by.get(&call)?.iter().filter_map(|at| self.told.get(*at));
        told.into_iter().find(|told| told.via == Some(query.site))
    }

    /// The query that a call belongs to.
    #[must_use]
    pub fn at(&self, call: Site) -> Option<&Query> {
        self.all.get(*self.by_call.get(&call)?)
    }

    /// Every query with its own table and conditions: that of a helper which is told them by its callers once for each call.
    pub fn shapes(&self) -> impl Iterator<Item = &Query> {
        let tellers: FxHashSet<Site> = self.told.iter().filter_map(|query| query.via).collect();
        self.all.iter().filter(move |query| !tellers.contains(&query.site)).chain(&self.told)
    }

    /// Every query, in the order of files and heads.
    pub fn iter(&self) -> impl Iterator<Item = &Query> {
        self.all.iter()
    }
}

fn of_file(resolver: &Resolver<'_>, calls: &Calls<'_>, file: FileId) -> Vec<Query> {
    let Some(module) = resolver.program().module(file) else { return Vec::new() };
    let knowledge = resolver.program().knowledge();
    calls
        .of_file(file)
        .iter()
        .filter_map(|call| {
            let library = call.library.as_ref()?;
            let is_head = is_head(knowledge, library) || is_of_row(knowledge, module, call.site.1, library);
            is_head.then(|| read(resolver, calls, module, call, library))?
        })
        .collect()
}

/// Deepest nesting of wrappers.
const MAX_WRAPPERS: usize = 3;

/// A function that sends the SQL which it is given: `query(text, values)`.
struct Wrapper {
    /// The query in it.
    query: Site,
    /// The call of the library that sends it, here or in a wrapper that this one calls.
    sender: Site,
    /// The parameter that is the text.
    text: usize,
    /// It gives back what the library gives.
    is_plain: bool,
}

/// The wrappers of the program.
fn wrappers(
    program: &Program<'_>,
    calls: &Calls<'_>,
    all: &[Query],
    senders: &FxHashMap<Site, Site>,
) -> FxHashMap<FunctionRef, Wrapper> {
    let mut found: FxHashMap<FunctionRef, Wrapper> = FxHashMap::default();
    let unread = |query: &&Query| query.family == Family::Sql && query.sql.is_none() && !query.is_part;
    for query in all.iter().filter(unread) {
        let (file, node) = query.site;
        let Some(module) = program.module(file) else { continue };
        let Kind::Call { arguments, .. } = module.kind(node) else { continue };
        let Some(first) = module.list(arguments).next() else { continue };
        let Some(function) = module.function(query.function) else { continue };
        let parameters: Vec<NodeId> = module.list(function.parameters).collect();
        let text = parameter_behind(module, &parameters, first, 0);
        let Some(text) = text.filter(|_| calls.at(query.site).is_some()) else { continue };
        let is_plain = module
            .ancestors(node)
            .find(|outer| !matches!(module.kind(*outer), Kind::Await(_)))
            .is_some_and(|outer| matches!(module.kind(outer), Kind::Return(_) | Kind::Function(_)));
        let sender = senders.get(&query.site).copied().unwrap_or(query.site);
        let wrapper = Wrapper { query: query.site, sender, text, is_plain };
        found.entry((file, query.function)).or_insert(wrapper);
    }
    found
}

/// The position of the parameter that a text is, or is made of: `text`, `withMarks(text)`, `text.trim()`.
fn parameter_behind(module: &Module, parameters: &[NodeId], node: NodeId, depth: usize) -> Option<usize> {
    let next = |node: NodeId| parameter_behind(module, parameters, node, depth + 1);
    if depth > 3 {
        return None;
    }
    match module.kind(node) {
        Kind::Name { binding, .. } => {
            let is_it = |parameter: NodeId| match module.kind(parameter) {
                Kind::Default { target, .. } => module.kind(target) == Kind::Binding(binding),
                kind => kind == Kind::Binding(binding),
            };
            parameters.iter().position(|parameter| is_it(*parameter)).or_else(|| {
                let declared = module.binding(binding)?;
                match module.kind(module.parent(declared.node)) {
                    Kind::Declarator { init, .. } if init.is_some() => next(init),
                    _ => None,
                }
            })
        }
        Kind::Call { callee, arguments } => match module.kind(callee) {
            Kind::Member { object, .. } => next(object),
            _ => next(module.list(arguments).next()?),
        },
        _ => None,
    }
}

/// The queries of a file that go through wrappers, each with the call that sends it.
fn wrapped(
    resolver: &Resolver<'_>,
    calls: &Calls<'_>,
    wrappers: &FxHashMap<FunctionRef, Wrapper>,
    file: FileId,
) -> Vec<(Query, Site)> {
    let Some(module) = resolver.program().module(file) else { return Vec::new() };
    let of_call = |call: &Call<'_>| {
        let [target] = call.targets.as_slice() else { return None };
        let wrapper = wrappers.get(target).filter(|_| call.library.is_none())?;
        let library = calls.at(wrapper.sender)?.library.as_ref()?;
        let Kind::Call { arguments, .. } = module.kind(call.site.1) else { return None };
        let mut arguments: Vec<Site> = module.list(arguments).map(|node| (file, node)).collect();
        if wrapper.text >= arguments.len() {
            return None;
        }
        let text = arguments.remove(wrapper.text);
        arguments.insert(0, text);
        let mut query = read_with(resolver, calls, module, (call, library), arguments)?;
        query.is_pair &= wrapper.is_plain;
        Some((query, wrapper.sender))
    };
    calls.of_file(file).iter().filter_map(of_call).collect()
}

/// Objects that a query passes through while it is built: what is called on them belongs to its head.
const UNFINISHED: [&str; 10] = [
    "builder",
    "query",
    "queryBuilder",
    "cursor",
    "lookup",
    "prepared",
    "statement",
    "from()",
    "cte",
    "column",
];

fn is_unfinished(knowledge: &Knowledge, lib: LibId, handle: HandleId) -> bool {
    knowledge.library(lib).kind.is_database() && UNFINISHED.contains(&knowledge.handle_name(handle))
}

/// Whether a call begins a query.
fn is_head(knowledge: &Knowledge, call: &LibraryCall<'_>) -> bool {
    // What is called on the rows of a query is no part of it, though one object may stand for both.
    let is_own = call.member.is_some_and(|member| member.has(Flag::OwnTrip));
    if !is_database(knowledge, call.lib) || is_unfinished(knowledge, call.lib, call.on) && !is_own {
        return false;
    }
    if call.effect().is_some_and(|effect| effect.is_database_trip() && effect != Effect::BatchLoad) {
        return true;
    }
    // `knex("users")`, `db.selectFrom("users")`: a query once it is awaited or ended.
    let step = knowledge.step_in(call.lib, call.on, Op::Call, &call.name, call.module.as_deref());
    step.is_some_and(|step| {
        is_unfinished(knowledge, step.lib, step.to) && !IS_PART.contains(&knowledge.handle_name(step.to))
    })
}

/// `await ticket.populate("holder")` on a row that was waited for: a statement of its own, though one object stands for the
/// query and its row.
fn is_of_row(knowledge: &Knowledge, module: &Module, call: NodeId, library: &LibraryCall<'_>) -> bool {
    if !is_unfinished(knowledge, library.lib, library.on)
        || !matches!(module.kind(module.parent(call)), Kind::Await(_))
    {
        return false;
    }
    let row = knowledge.handle("document");
    let member = row.and_then(|row| knowledge.member(library.lib, row, &library.name, None, None));
    let Kind::Call { callee, .. } = module.kind(call) else { return false };
    let Kind::Member { object, .. } = module.kind(callee) else { return false };
    let Kind::Name { binding, .. } = module.kind(object) else { return false };
    let Some(declared) = module.binding(binding) else { return false };
    let is_row = match module.kind(module.parent(declared.node)) {
        Kind::Declarator { init, .. } if init.is_some() => matches!(module.kind(init), Kind::Await(_)),
        // The variable of `for (const row of rows)`, the parameter of a callback.
        Kind::Declarator { .. } | Kind::Function(_) => true,
        _ => false,
    };
    is_row && member.is_some_and(|member| member.effect.is_database_trip())
}

/// Of these, parts of queries come, never a query.
const IS_PART: [&str; 2] = ["cte", "column"];

fn is_database(knowledge: &Knowledge, lib: LibId) -> bool {
    knowledge.library(lib).kind.is_database()
}

fn read(
    resolver: &Resolver<'_>,
    calls: &Calls<'_>,
    module: &Module,
    call: &Call<'_>,
    library: &LibraryCall<'_>,
) -> Option<Query> {
    let arguments = match module.kind(call.site.1) {
        Kind::Call { arguments, .. } | Kind::New { arguments, .. } => {
            module.list(arguments).map(|node| (call.site.0, node)).collect()
        }
        _ => Vec::new(),
    };
    read_with(resolver, calls, module, (call, library), arguments)
}

/// Reads a query that is sent by `library` with these arguments.
fn read_with(
    resolver: &Resolver<'_>,
    calls: &Calls<'_>,
    module: &Module,
    (call, library): (&Call<'_>, &LibraryCall<'_>),
    arguments: Vec<Site>,
) -> Option<Query> {
    let knowledge = resolver.program().knowledge();
    let walk = Walk { resolver, calls, ends: &ENDS };
    let chain = walk.chain(call.site);
    if !is_run(calls, library, &chain) {
        return None;
    }
    let mut query = blank(call, library, &chain);
    query.is_part = is_part(calls, module, query.whole);
    let reader = Reader { resolver, call: library, head: call.site, arguments, chain: &chain, told: None };
    by_library(&reader, knowledge, &mut query);
    Some(query)
}

/// Members after which a chain is no query any more, but its rows.
pub(super) const ENDS: [&str; 10] = [
    "then",
    "catch",
    "finally",
    "toArray",
    "getMany",
    "getOne",
    "getRawMany",
    "getRawOne",
    "executeTakeFirst",
    "toSQL",
];

/// Whether the chain goes to the database: its head or a link does, or it is of a kind that runs when it is awaited.
fn is_run(calls: &Calls<'_>, head: &LibraryCall<'_>, chain: &Chain) -> bool {
    let goes = |library: &LibraryCall<'_>| {
        library.effect().is_some_and(|effect| effect.is_database_trip() && effect != Effect::BatchLoad)
    };
    let is_lazy = |library: &LibraryCall<'_>| {
        library.effect() == Some(Effect::Builder)
            && library.member.is_some_and(|member| member.returns.is_awaitable())
    };
    if goes(head) {
        return true;
    }
    let links = chain.links.iter().filter_map(|link| calls.at(link.call)?.library.as_ref());
    is_lazy(head) || links.into_iter().any(|library| goes(library) || is_lazy(library))
}

pub(super) fn blank(call: &Call<'_>, library: &LibraryCall<'_>, chain: &Chain) -> Query {
    let mut calls = vec![call.site];
    calls.extend(chain.links.iter().map(|link| link.call));
    Query {
        site: call.site,
        calls,
        whole: chain.whole.unwrap_or(call.site),
        function: call.function,
        lib: library.lib,
        family: Family::Other,
        operation: Operation::Other,
        yields: Yields::Unknown,
        table: None,
        table_site: None,
        filter: Filter::default(),
        order: Vec::new(),
        selected: Selected::Unknown,
        includes: Vec::new(),
        joins: Vec::new(),
        bound: Bound::Unknown,
        offset: None,
        sql: None,
        is_part: false,
        is_pair: false,
        via: None,
    }
}

/// An argument of another query: a subquery, or a fragment of SQL.
fn is_part(calls: &Calls<'_>, module: &Module, (file, whole): Site) -> bool {
    let mut inner = whole;
    for outer in module.ancestors(whole) {
        match module.kind(outer) {
            Kind::Function(_) | Kind::Await(_) | Kind::Block(_) => return false,
            Kind::Call { callee, .. } if callee != inner => {
                let known = calls.at((file, outer)).and_then(|call| call.library.as_ref());
                if let Some(library) = known
                    && let Some(member) = library.member
                    && is_composing(member.effect)
                    && !member.has(Flag::Batch)
                {
                    return true;
                }
            }
            _ => {}
        }
        inner = outer;
    }
    false
}

fn is_composing(effect: Effect) -> bool {
    matches!(effect, Effect::Builder | Effect::DbQuery | Effect::DbWrite)
}

pub(super) fn by_library(reader: &Reader<'_, '_>, knowledge: &Knowledge, query: &mut Query) {
    query.family = family(&knowledge.library(query.lib).id);
    match query.family {
        Family::Prisma => prisma::read(reader, query),
        Family::Sequelize => sequelize::read(reader, query),
        Family::Mongoose | Family::MongoDriver => mongo::read(reader, query),
        Family::TypeOrm => typeorm::read(reader, query),
        Family::MikroOrm => mikro_orm::read(reader, query),
        Family::Drizzle => drizzle::read(reader, query),
        Family::Knex | Family::Objection => knex::read(reader, query),
        Family::Kysely => kysely::read(reader, query),
        Family::Supabase => supabase::read(reader, query),
        Family::Firestore => firestore::read(reader, query),
        Family::Sql => sql::read(reader, query),
        Family::Other => by_row(reader, query),
    }
    if query.operation == Operation::Other && query.yields == Yields::Unknown {
        by_row(reader, query);
    }
}

fn family(library: &str) -> Family {
    match library {
        "prisma" => Family::Prisma,
        "sequelize" => Family::Sequelize,
        "mongoose" | "mongoose-paginate-v2" => Family::Mongoose,
        "mongodb" => Family::MongoDriver,
        "typeorm" => Family::TypeOrm,
        "mikro-orm" => Family::MikroOrm,
        "drizzle" => Family::Drizzle,
        "knex" => Family::Knex,
        "objection" => Family::Objection,
        "kysely" => Family::Kysely,
        "supabase" => Family::Supabase,
        "firestore" => Family::Firestore,
        "pg" | "postgres" | "mysql2" | "better-sqlite3" | "sqlite3" => Family::Sql,
        _ => Family::Other,
    }
}

/// What the knowledge's row says.
fn by_row(reader: &Reader<'_, '_>, query: &mut Query) {
    let Some(member) = reader.call.member else { return };
    query.operation = match member.effect {
        Effect::DbTransaction => Operation::Transaction,
        Effect::DbWrite => Operation::Update,
        Effect::DbQuery | Effect::DbStream => Operation::Read,
        _ => query.operation,
    };
    (query.yields, query.bound) = match member.rows {
        Some(Rows::One) => (Yields::One, Bound::One),
        Some(Rows::Count) => (Yields::Summary, Bound::One),
        Some(Rows::Cursor) => (Yields::Stream, Bound::Unknown),
        Some(Rows::Many) => (Yields::Many, Bound::Unknown),
        _ => (query.yields, Bound::Unknown),
    };
}
