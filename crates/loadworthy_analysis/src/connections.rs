//! Connections: where clients and pools are made, where one connection is taken from a pool, and what happens while it is
//! held.

use loadworthy_knowledge::{Effect, HandleId, Kind as LibraryKind, LibId, Lifetime};
use loadworthy_project::FileId;
use loadworthy_syntax::{Binary, BindingId, FunctionId, Kind, MemberKind, Module, NodeId};

use crate::access::{results, uses};
use crate::analysis::Analysis;
use crate::calls::{Call, LibraryCall};
use crate::graph::Timing;
use crate::handles::Folded;
use crate::links::FunctionRef;
use crate::paths::{Act, Begin, Duty, Exit, ways};
use crate::values::{Resolver, Site, Value};

/// A client or pool that is made.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The construction or call.
    pub site: Site,
    /// What the library calls it.
    pub handle: HandleId,
    /// The functions whose runs make one: the function that holds the construction, or, for a field of a class, those that
    /// make objects of it.
    pub makers: Vec<FunctionRef>,
    /// Whether one is kept and used again.
    pub is_kept: bool,
    /// Whether it is closed in the same function.
    pub is_closed: bool,
}

/// Handles that own connections.
const OWNERS: [&str; 11] = [
    "client",
    "pool",
    "sequelize",
    "db",
    "connection",
    "redis",
    "dataSource",
    "orm",
    "knex",
    "sql",
    "cluster",
];

/// Every client and pool that is made inside a function or as a field.
#[must_use]
pub fn openings(analysis: &Analysis<'_>, resolver: &Resolver<'_>) -> Vec<Opening> {
    let mut found = Vec::new();
    for call in analysis.calls().iter() {
        let Some(handle) = opened(analysis, resolver, call) else { continue };
        let Some(module) = analysis.program().module(call.site.0) else { continue };
        let makers = makers(analysis, resolver, module, call);
        if makers.is_empty() || is_provider(module, call.function) {
            continue;
        }
        found.push(Opening {
            site: call.site,
            handle,
            makers,
            is_kept: is_kept(module, call.site.1) || is_kept_above(analysis, (call.site.0, call.function), 0),
            is_closed: is_closed(analysis, module, call),
        });
    }
    found
}

/// Every client and pool of a database that is made once, when its module is loaded, with its library. Of caches some need
/// several: one that subscribes can't do anything else.
#[must_use]
pub fn standing_clients(analysis: &Analysis<'_>, resolver: &Resolver<'_>) -> Vec<(Site, LibId)> {
    let calls = analysis.calls().iter().filter(|call| call.function == FunctionId::NONE);
    let standing = calls.filter_map(|call| {
        let lib = call.library.as_ref()?.lib;
        if !analysis.knowledge().library(lib).kind.is_database() {
            return None;
        }
        opened(analysis, resolver, call).map(|_| (call.site, lib))
    });
    standing.collect()
}

/// A factory that an injector runs once: `{ provide: X, useFactory: () => … }`.
fn is_provider(module: &Module, function: FunctionId) -> bool {
    let parent = module.function(function).map(|lowered| module.parent(lowered.node));
    matches!(parent.map(|node| module.kind(node)), Some(Kind::Property { key, .. }) if module.str(key).starts_with("use"))
}

/// The handle of a call that opens connections of its own.
fn opened(analysis: &Analysis<'_>, resolver: &Resolver<'_>, call: &Call<'_>) -> Option<HandleId> {
    let library = call.library.as_ref()?;
    let knowledge = analysis.knowledge();
    let row = knowledge.library(library.lib);
    let is_owner_kind = row.kind.is_database() || row.kind == LibraryKind::CacheRemote;
    if !is_owner_kind || row.lifetime != Some(Lifetime::Process) || library.on != HandleId::MODULE {
        return None;
    }
    // A handle over a connection that it is given (`drizzle(pool)`) owns none.
    let folded = resolver.folded(&resolver.value_of(call.site));
    let held = folded.iter().find_map(|folded| match folded {
        Folded::Held(held) if held.made_at == Some(call.site) => Some(held),
        _ => None,
    })?;
    let is_owner = OWNERS.contains(&knowledge.handle_name(held.handle));
    let module = analysis.program().module(call.site.0)?;
    let connects = matches!(library.effect(), Some(Effect::DbConnect | Effect::CacheConnect))
        || matches!(module.kind(call.site.1), Kind::New { .. }) && library.effect() != Some(Effect::Builder);
    (is_owner && connects).then_some(held.handle)
}

/// Whose runs make one; none where only the start of the process does.
fn makers(
    analysis: &Analysis<'_>,
    resolver: &Resolver<'_>,
    module: &Module,
    call: &Call<'_>,
) -> Vec<FunctionRef> {
    let (file, node) = call.site;
    if call.function != FunctionId::NONE {
        let constructor = class_of_constructor(module, call.function);
        return match constructor {
            Some(class) => makers_of_class(analysis, resolver, (file, class)),
            None => vec![(file, call.function)],
        };
    }
    let class = module.ancestors(node).find_map(|outer| match module.kind(outer) {
        Kind::Class(class) => Some(class),
        _ => None,
    });
    let Some(class) = class else { return Vec::new() };
    let is_static = module.class(class).is_some_and(|lowered| {
        lowered.members.iter().any(|member| {
            member.is_static
                && (member.value == node || module.ancestors(node).any(|outer| outer == member.value))
        })
    });
    if is_static { Vec::new() } else { makers_of_class(analysis, resolver, (file, class)) }
}

fn class_of_constructor(module: &Module, function: FunctionId) -> Option<loadworthy_syntax::ClassId> {
    let lowered = module.function(function)?;
    let class = module.class(lowered.class)?;
    let is_constructor = class
        .members
        .iter()
        .any(|member| member.kind == MemberKind::Constructor && member.value == lowered.node);
    is_constructor.then_some(lowered.class)
}

/// The functions that make objects of a class; those of its subclasses included by their own constructions.
fn makers_of_class(
    analysis: &Analysis<'_>,
    resolver: &Resolver<'_>,
    class: (FileId, loadworthy_syntax::ClassId),
) -> Vec<FunctionRef> {
    let mut makers: Vec<FunctionRef> = analysis
        .calls()
        .iter()
        .filter(|call| call.function != FunctionId::NONE)
        .filter(|call| {
            let Some(module) = analysis.program().module(call.site.0) else { return false };
            let Kind::New { callee, .. } = module.kind(call.site.1) else { return false };
            resolver.value_of((call.site.0, callee)).contains(&Value::Class(class.0, class.1))
                && !is_kept(module, call.site.1)
        })
        .map(|call| (call.site.0, call.function))
        .collect();
    makers.sort_unstable();
    makers.dedup();
    makers
}

/// Whether a call runs once although the function that holds it may run often: behind a test for what it makes, or in the
/// constructor of an object that may be made once.
#[must_use]
pub fn runs_once(analysis: &Analysis<'_>, module: &Module, call: &Call<'_>) -> bool {
    is_kept(module, call.site.1)
        || class_of_constructor(module, call.function).is_some()
        || is_kept_above(analysis, (call.site.0, call.function), 0)
}

/// Whether a place is only reached until something long-lived is there: `if (starting) return starting; starting = (async () => …)()`,
/// in its own function or before every call of it.
#[must_use]
pub fn runs_until_made(analysis: &Analysis<'_>, site: Site) -> bool {
    until_made(analysis, site, 0)
}

fn until_made(analysis: &Analysis<'_>, (file, node): Site, depth: usize) -> bool {
    let Some(module) = analysis.program().module(file) else { return false };
    if returned_before(module, node) {
        return true;
    }
    let function = (file, module.enclosing_function(node));
    if function.1 == FunctionId::NONE || depth >= MAX_CALLERS {
        return false;
    }
    let mut callers =
        analysis.graph().callers(function).filter(|edge| edge.timing == Timing::InFlow).peekable();
    callers.peek().is_some() && callers.all(|edge| until_made(analysis, edge.site, depth + 1))
}

/// Whether a statement before it returns what outlives the function, where that is there.
fn returned_before(module: &Module, node: NodeId) -> bool {
    let mut inner = node;
    for outer in module.ancestors(node) {
        match module.kind(outer) {
            Kind::Function(_) => return false,
            Kind::Block(statements) => {
                let mut before = module.list(statements).take_while(|statement| *statement != inner);
                if before.any(|statement| returns_long_lived(module, statement)) {
                    return true;
                }
            }
            _ => {}
        }
        inner = outer;
    }
    false
}

/// `if (client) return client;` of a variable of the file, or of a field.
fn returns_long_lived(module: &Module, statement: NodeId) -> bool {
    let Kind::If { test, then, .. } = module.kind(statement) else { return false };
    let last = match module.kind(then) {
        Kind::Block(list) => module.list(list).last().unwrap_or(then),
        _ => then,
    };
    let Kind::Return(value) = module.kind(last) else { return false };
    let outlives = match module.kind(value) {
        Kind::Name { binding, .. } => module
            .binding(binding)
            .is_some_and(|declared| module.enclosing_function(declared.node) == FunctionId::NONE),
        Kind::Member { .. } => true,
        _ => false,
    };
    outlives && module.source(test).contains(module.source(value))
}

/// How many callers up a test for what is there already is looked for.
const MAX_CALLERS: usize = 3;

/// Whether every call of a function stands behind a test for what it makes: `if (this.isConnected) return; …; this.listen()`.
fn is_kept_above(analysis: &Analysis<'_>, function: FunctionRef, depth: usize) -> bool {
    if function.1 == FunctionId::NONE || depth >= MAX_CALLERS {
        return false;
    }
    let mut callers =
        analysis.graph().callers(function).filter(|edge| edge.timing == Timing::InFlow).peekable();
    callers.peek().is_some()
        && callers.all(|edge| {
            let module = analysis.program().module(edge.site.0);
            edge.caller.1 == FunctionId::NONE
                || module.is_some_and(|module| is_kept(module, edge.site.1))
                || is_kept_above(analysis, edge.caller, depth + 1)
        })
}

/// Made only once and used again: behind a test for the one that is there, or put where the next run finds it.
fn is_kept(module: &Module, call: NodeId) -> bool {
    let mut inner = call;
    for outer in module.ancestors(inner) {
        match module.kind(outer) {
            Kind::Function(_) => return false,
            Kind::Binary { operator: Binary::Or | Binary::Nullish, right, .. } if right == inner => {
                return true;
            }
            Kind::Assign { operator: Some(Binary::Or | Binary::Nullish), .. } => return true,
            Kind::If { test, .. } if test != inner && is_test_of_absence(module, test) => return true,
            Kind::Conditional { test, .. } if test != inner && is_test_of_absence(module, test) => {
                return true;
            }
            // `if (client) return client;` before it.
            Kind::Block(statements) => {
                let before = module.list(statements).take_while(|statement| *statement != inner);
                if before.into_iter().any(|statement| returns_what_is_there(module, statement)) {
                    return true;
                }
            }
            _ => {}
        }
        inner = outer;
    }
    false
}

fn is_test_of_absence(module: &Module, test: NodeId) -> bool {
    let source = module.source(test);
    source.starts_with('!')
        || source.contains("undefined")
        || source.contains("null")
        || source.contains(".has(")
        || source.contains("NODE_ENV")
}

fn returns_what_is_there(module: &Module, statement: NodeId) -> bool {
    let Kind::If { test, then, .. } = module.kind(statement) else { return false };
    let returned = match module.kind(then) {
        Kind::Return(value) => value,
        Kind::Block(list) => match module.list(list).last().map(|last| module.kind(last)) {
            Some(Kind::Return(value)) => value,
            _ => return false,
        },
        _ => return false,
    };
    // `if (this.isConnected) return;`
    if !returned.is_some() {
        return matches!(module.kind(test), Kind::Name { .. } | Kind::Member { .. });
    }
    !matches!(module.kind(returned), Kind::Bool(_) | Kind::Null)
}

fn is_closed(analysis: &Analysis<'_>, module: &Module, call: &Call<'_>) -> bool {
    let names = results(module, call.site.1);
    analysis.calls().of_file(call.site.0).iter().any(|other| {
        let closes = matches!(
            other.library.as_ref().and_then(LibraryCall::effect),
            Some(Effect::DbClose | Effect::DbRelease | Effect::CacheClose)
        );
        closes && uses(module, other.site.1, &names)
    })
}

/// One connection that is taken from a pool and given back later.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// The call that takes it.
    pub site: Site,
    /// The function that holds it.
    pub function: FunctionRef,
    /// The variable that holds it.
    pub holder: BindingId,
    /// It is held by a transaction, which ends it by `commit` or `rollback`.
    pub is_transaction: bool,
    /// Ways out of the function on which it is not given back.
    pub leaks: Vec<Exit>,
    /// Calls made while it is held that do not use it.
    pub meanwhile: Vec<Site>,
}

/// Every connection that a function takes from a pool into a variable of its own.
#[must_use]
pub fn checkouts(analysis: &Analysis<'_>) -> Vec<Checkout> {
    let acquires = analysis.effects(|effect| matches!(effect, Effect::DbAcquire | Effect::DbTransaction));
    let is_held = |call: &Call<'_>, library: &LibraryCall<'_>| {
        // One that is handed a function ends by itself.
        library.effect() == Some(Effect::DbAcquire)
            || call.handed.is_empty() && !is_carried(analysis, call.site.0)
    };
    acquires
        .filter(|(call, library)| is_held(call, library))
        .filter_map(|(call, library)| {
            checkout(analysis, call, library.effect() == Some(Effect::DbTransaction))
        })
        .collect()
}

/// Whether queries find the transaction by themselves: `Sequelize.useCLS(namespace)`.
fn is_carried(analysis: &Analysis<'_>, file: FileId) -> bool {
    let project = analysis.program().project();
    let package = |file: FileId| project.file(file).map(|it| it.package);
    let own = package(file);
    analysis
        .program()
        .modules()
        .any(|(other, module)| package(other) == own && module.text().contains("useCLS("))
}

fn checkout(analysis: &Analysis<'_>, call: &Call<'_>, is_transaction: bool) -> Option<Checkout> {
    let (file, node) = call.site;
    let module = analysis.program().module(file)?;
    let [holder] = results(module, node)[..] else { return None };
    if call.function == FunctionId::NONE {
        return None;
    }
    let duty = Release { analysis, file, module, acquired: node, holder, is_transaction };
    let open = ways(module, call.function, Begin::AtAct, &duty);
    // Never given back anywhere in sight: it may live as long as its owner.
    let leaks = if open.discharged_by.is_empty() && !is_plainly_local(module, holder, call.function) {
        Vec::new()
    } else {
        open.open
    };
    let released = open.discharged_by.iter().map(|node| module.node(*node).span.end).max();
    let meanwhile = analysis
        .calls()
        .of_file(file)
        .iter()
        .filter(|other| other.function == call.function && other.site != call.site)
        .filter(|other| {
            let span = module.node(other.site.1).span;
            span.start > module.node(node).span.end && released.is_none_or(|end| span.end < end)
        })
        .filter(|other| !uses(module, other.site.1, &[holder]))
        .map(|other| other.site)
        .collect();
    Some(Checkout {
        site: call.site,
        function: (file, call.function),
        holder,
        is_transaction,
        leaks,
        meanwhile,
    })
}

/// Declared in the function and never handed on: not returned, stored or passed.
fn is_plainly_local(module: &Module, holder: BindingId, function: FunctionId) -> bool {
    let declared = module.binding(holder).map(|declared| module.enclosing_function(declared.node));
    declared == Some(function)
        && module.references(holder).iter().all(|name| {
            matches!(module.kind(module.parent(*name)), Kind::Member { object, .. } if object == *name)
        })
}

struct Release<'a, 'p> {
    analysis: &'a Analysis<'p>,
    file: FileId,
    module: &'a Module,
    acquired: NodeId,
    holder: BindingId,
    is_transaction: bool,
}

impl Duty for Release<'_, '_> {
    fn act(&self, node: NodeId) -> Act {
        if node == self.acquired {
            return Act::Begins;
        }
        match self.module.kind(node) {
            Kind::Call { callee, arguments } => {
                let names = &[self.holder];
                let is_own = matches!(self.module.kind(callee), Kind::Member { object, .. }
                    if uses(self.module, object, names));
                let releases = self
                    .analysis
                    .calls()
                    .at((self.file, node))
                    .and_then(|call| call.library.as_ref())
                    .and_then(LibraryCall::effect)
                    .is_some_and(|effect| matches!(effect, Effect::DbRelease | Effect::DbClose));
                let is_called_so = matches!(self.module.kind(callee), Kind::Member { name, .. }
                    if matches!(self.module.str(name), "release" | "end" | "destroy" | "close")
                        || self.is_transaction && matches!(self.module.str(name), "commit" | "rollback"));
                let is_handed_on = !is_own
                    && self.module.list(arguments).any(|argument| {
                        matches!(self.module.kind(argument), Kind::Name { binding, .. } if binding == self.holder)
                    });
                let takes_over = is_handed_on && self.takes_over(node);
                if is_own && (releases || is_called_so) || is_handed_on && releases || takes_over {
                    Act::Discharges
                } else {
                    Act::Nothing
                }
            }
            Kind::Return(value) if value.is_some() && is_name(self.module, value, self.holder) => {
                Act::Discharges
            }
            _ => Act::Nothing,
        }
    }

    fn assume(&self, test: NodeId, holds: bool) -> crate::paths::Assumption {
        // `if (client) client.release()`
        if !holds && is_name(self.module, test, self.holder) {
            return crate::paths::Assumption::Impossible;
        }
        crate::paths::Assumption::Nothing
    }
}

impl Release<'_, '_> {
    /// A function of the program that gives back what it is handed.
    fn takes_over(&self, node: NodeId) -> bool {
        let Some(call) = self.analysis.calls().at((self.file, node)) else { return false };
        call.targets.iter().any(|target| {
            self.analysis
                .works()
                .of(*target)
                .any(|effect| matches!(effect, Effect::DbRelease | Effect::DbClose))
        })
    }
}

fn is_name(module: &Module, node: NodeId, wanted: BindingId) -> bool {
    matches!(module.kind(node), Kind::Name { binding, .. } if binding == wanted)
}
