//! What functions keep between calls (variables of the module, fields of the object, entries of maps) and change across
//! an `await`: two calls that overlap see each other's half-done work.

use loadworthy_syntax::{Binary, BindingId, BindingKind, FunctionId, Kind, Module, NodeId};

use crate::access::{Decision, decision_by, results};

/// A value that is loaded when it is missed: `if (!client) client = await connect()`.
#[derive(Clone, Debug)]
pub struct Fill {
    /// The value as the code names it; of entries, the container.
    pub slot: String,
    /// Whether it is an entry of a container, one for each key.
    pub is_entry: bool,
    /// The test that finds it missing.
    pub test: NodeId,
    /// What is awaited before it is there.
    pub load: NodeId,
    /// Where it is set.
    pub set: NodeId,
}

/// A value that is emptied, and filled again after an `await`.
#[derive(Clone, Debug)]
pub struct Emptied {
    /// The value as the code names it.
    pub slot: String,
    /// Where it is emptied.
    pub reset: NodeId,
    /// What is awaited meanwhile.
    pub load: NodeId,
    /// Where it is filled again.
    pub fill: NodeId,
}

/// A place that outlives the call.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Slot {
    root: Root,
    /// Fields below it.
    path: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Root {
    Variable(BindingId),
    This,
    Global,
}

/// A write to a slot.
struct Write {
    slot: Slot,
    is_entry: bool,
    node: NodeId,
    value: NodeId,
}

/// The values that one function loads when it misses them, without a trace of the load while it runs.
#[must_use]
pub fn fills(module: &Module, function: FunctionId) -> Vec<Fill> {
    let writes = writes(module, function);
    let awaits = awaits(module, function);
    if writes.is_empty() || awaits.is_empty() || has_trace(module, function, &writes, &awaits) {
        return Vec::new();
    }
    let mut found: Vec<Fill> = Vec::new();
    for write in &writes {
        let Some(fill) = fill(module, function, write, &awaits) else { continue };
        if found.iter().all(|known| known.slot != fill.slot && known.load != fill.load) {
            found.push(fill);
        }
    }
    found
}

fn fill(module: &Module, function: FunctionId, write: &Write, awaits: &[NodeId]) -> Option<Fill> {
    let names = read_into(module, function, &write.slot);
    let reads = |test: NodeId| {
        names.iter().any(|name| module.references(*name).iter().any(|at| module.contains(test, *at)))
            || reads_slot(module, test, &write.slot)
    };
    let body = module.function(function)?.body;
    let test = match module.kind(write.node) {
        // `client ??= await connect()`
        Kind::Assign { operator: Some(Binary::Or | Binary::Nullish), target, .. } => target,
        _ => match decision_by(module, &reads, body, write.node)? {
            Decision::Inside { test, .. } | Decision::Guarded { test } => test,
        },
    };
    let after = module.node(test).span.end;
    let load = loaded_by(module, write, awaits, after)?;
    Some(Fill { slot: name_of(module, write), is_entry: write.is_entry, test, load, set: write.node })
}

/// What is awaited between the test and the value's being there: in the value itself, in the variable that it is, or
/// before a mark (`loaded = true`).
fn loaded_by(module: &Module, write: &Write, awaits: &[NodeId], after: u32) -> Option<NodeId> {
    let inside = |node: NodeId| awaits.iter().copied().find(|at| module.contains(node, *at));
    if let Some(own) = inside(write.value) {
        return Some(own);
    }
    let (start, end) = (after, module.node(write.node).span.start);
    let between = |at: &NodeId| {
        let span = module.node(*at).span;
        span.start >= start && span.end <= end
    };
    let is_mark = matches!(module.kind(write.value), Kind::Bool(true) | Kind::New { .. })
        || module.source(write.value).starts_with("Date.now()");
    if is_mark {
        return awaits.iter().copied().rfind(between);
    }
    awaits.iter().copied().filter(between).find(|at| {
        let names = results(module, *at);
        names.iter().any(|name| {
            module.references(*name).iter().any(|reference| module.contains(write.value, *reference))
        })
    })
}

/// Whether the code leaves a trace of a load that is under way: a promise that is kept, a mark that is set before the first
/// `await`, a lock.
fn has_trace(module: &Module, function: FunctionId, writes: &[Write], awaits: &[NodeId]) -> bool {
    let first = awaits.iter().map(|at| module.node(*at).span.start).min().unwrap_or(u32::MAX);
    let keeps_promise = writes.iter().any(|write| {
        let value = write.value;
        match module.kind(value) {
            Kind::Call { .. } | Kind::New { .. } => {
                let is_awaited = awaits.iter().any(|at| module.contains(value, *at));
                !is_awaited && is_promise(module, function, value)
            }
            // `const promise = load(); pending.set(key, promise);`
            Kind::Name { binding, .. } => {
                let node = module.binding(binding).map(|declared| module.parent(declared.node));
                let Some(Kind::Declarator { init, .. }) = node.map(|node| module.kind(node)) else {
                    return false;
                };
                matches!(module.kind(init), Kind::Call { .. } | Kind::New { .. })
                    && is_promise(module, function, init)
            }
            _ => false,
        }
    });
    let marks_first = writes.iter().any(|write| {
        matches!(module.kind(write.value), Kind::Bool(true)) && module.node(write.node).span.start < first
    });
    keeps_promise || marks_first || names_lock(module, function)
}

/// Whether the function uses a name that tells of a lock or a shared load.
fn names_lock(module: &Module, function: FunctionId) -> bool {
    let Some(lowered) = module.function(function) else { return true };
    module.all_nodes(lowered.node).into_iter().any(|node| match module.kind(node) {
        Kind::Name { name, .. } | Kind::Member { name, .. } => {
            let name = module.str(name);
            let lower = name.to_lowercase();
            name != "Promise" && LOCK_WORDS.iter().any(|word| lower.contains(word))
        }
        _ => false,
    })
}

/// What code names that lets one caller in at a time, or shares a load.
const LOCK_WORDS: [&str; 11] = [
    "mutex",
    "semaphore",
    "lock",
    "acquire",
    "runexclusive",
    "inflight",
    "in_flight",
    "singleflight",
    "pending",
    "promise",
    "dedupe",
];

/// An immediately called async function, `new Promise`, or a call that is awaited or chained elsewhere in the function.
fn is_promise(module: &Module, function: FunctionId, value: NodeId) -> bool {
    match module.kind(value) {
        Kind::New { callee, .. } => module.source(callee) == "Promise",
        Kind::Call { callee, .. } => {
            let is_async = match module.kind(callee) {
                Kind::Function(id) => module.function(id).is_some_and(|it| it.is_async),
                Kind::Member { name, .. } => matches!(module.str(name), "then" | "finally" | "catch"),
                _ => false,
            };
            is_async || is_async_call(module, function, callee)
        }
        _ => false,
    }
}

/// A call of an async function of the same file.
fn is_async_call(module: &Module, _: FunctionId, callee: NodeId) -> bool {
    let name = match module.kind(callee) {
        Kind::Name { name, .. } | Kind::Member { name, .. } => module.str(name),
        _ => return false,
    };
    module.functions().iter().any(|it| it.is_async && module.str(it.name) == name)
}

/// The values that one function empties before an `await` and fills after it.
#[must_use]
pub fn emptied(module: &Module, function: FunctionId) -> Vec<Emptied> {
    let writes = writes(module, function);
    let awaits = awaits(module, function);
    let mut found: Vec<Emptied> = Vec::new();
    for reset in writes.iter().filter(|write| !write.is_entry && is_empty(module, write.value)) {
        let start = module.node(reset.node).span.end;
        let later = writes.iter().filter(|write| {
            write.slot.root == reset.slot.root
                && write.slot.path.starts_with(&reset.slot.path)
                && module.node(write.node).span.start > start
                && !is_empty(module, write.value)
        });
        for fill in later {
            let end = module.node(fill.node).span.end;
            let load = awaits.iter().copied().find(|at| {
                let span = module.node(*at).span;
                span.start > start && span.end <= end
            });
            let load = load.or_else(|| chained(module, start, fill.node));
            let Some(load) = load else { continue };
            let slot = name_of(module, reset);
            if !is_same_branch(module, reset.node, fill.node) || found.iter().any(|known| known.slot == slot)
            {
                continue;
            }
            found.push(Emptied { slot, reset: reset.node, load, fill: fill.node });
        }
    }
    found
}

/// The promise in whose `.then(…)` a place is.
fn chained(module: &Module, after: u32, inner: NodeId) -> Option<NodeId> {
    module.ancestors(inner).find(|outer| {
        let Kind::Call { callee, .. } = module.kind(*outer) else { return false };
        matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name) == "then")
            && !module.contains(callee, inner)
            && module.node(*outer).span.start >= after
    })
}

/// Whether the first place is always passed before the second: its block holds the second.
fn is_same_branch(module: &Module, first: NodeId, second: NodeId) -> bool {
    let block = module
        .ancestors(first)
        .find(|outer| matches!(module.kind(*outer), Kind::Block(_) | Kind::Case { .. }));
    block.is_some_and(|block| module.contains(block, second))
}

fn is_empty(module: &Module, value: NodeId) -> bool {
    match module.kind(value) {
        Kind::Array(list) | Kind::Object(list) => list.len() == 0,
        Kind::New { callee, arguments } => {
            arguments.len() == 0 && matches!(module.source(callee), "Map" | "Set")
        }
        // `cache.clear()`
        Kind::Call { callee, .. } => {
            matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name) == "clear")
        }
        _ => false,
    }
}

fn awaits(module: &Module, function: FunctionId) -> Vec<NodeId> {
    let Some(lowered) = module.function(function) else { return Vec::new() };
    let own = |node: &NodeId| module.enclosing_function(*node) == function;
    let all = module.all_nodes(lowered.node).into_iter();
    all.filter(|node| matches!(module.kind(*node), Kind::Await(_))).filter(own).collect()
}

fn writes(module: &Module, function: FunctionId) -> Vec<Write> {
    let Some(lowered) = module.function(function) else { return Vec::new() };
    let mut found = Vec::new();
    for node in module.all_nodes(lowered.node) {
        match module.kind(node) {
            Kind::Assign { target, value, operator } => {
                if !matches!(operator, None | Some(Binary::Or | Binary::Nullish)) {
                    continue;
                }
                if let Kind::Index { object, .. } = module.kind(target) {
                    if let Some(slot) = slot(module, object) {
                        found.push(Write { slot, is_entry: true, node, value });
                    }
                } else if let Some(slot) = slot(module, target) {
                    found.push(Write { slot, is_entry: false, node, value });
                }
            }
            Kind::Call { callee, arguments } => {
                let Kind::Member { object, name } = module.kind(callee) else { continue };
                let at = match module.str(name) {
                    "set" => 1,
                    "add" | "push" => 0,
                    "clear" => {
                        if let Some(slot) = slot(module, object) {
                            found.push(Write { slot, is_entry: false, node, value: node });
                        }
                        continue;
                    }
                    _ => continue,
                };
                let (Some(slot), Some(value)) = (slot(module, object), module.list(arguments).nth(at)) else {
                    continue;
                };
                found.push(Write { slot, is_entry: true, node, value });
            }
            _ => {}
        }
    }
    found
}

/// The place that an expression names, if it outlives the call.
fn slot(module: &Module, node: NodeId) -> Option<Slot> {
    match module.kind(node) {
        Kind::Name { binding, name } => {
            if !binding.is_some() {
                return matches!(module.str(name), "global" | "globalThis")
                    .then(|| Slot { root: Root::Global, path: String::new() });
            }
            let declared = module.binding(binding)?;
            let is_value = matches!(
                declared.kind,
                BindingKind::Variable | BindingKind::Constant | BindingKind::Import(_)
            );
            let is_shared = matches!(declared.kind, BindingKind::Import(_))
                || module.enclosing_function(declared.node) == FunctionId::NONE;
            (is_value && is_shared).then(|| Slot { root: Root::Variable(binding), path: String::new() })
        }
        Kind::This => Some(Slot { root: Root::This, path: String::new() }),
        Kind::Member { object, name } => {
            let of = slot(module, object)?;
            Some(Slot { path: format!("{}.{}", of.path, module.str(name)), ..of })
        }
        _ => None,
    }
}

/// Whether an expression reads the slot.
fn reads_slot(module: &Module, node: NodeId, wanted: &Slot) -> bool {
    let mut all = module.all_nodes(node).into_iter();
    all.any(|inner| {
        matches!(module.kind(inner), Kind::Name { .. } | Kind::Member { .. })
            && slot(module, inner).is_some_and(|found| found == *wanted)
    })
}

/// The variables of the function that hold what the slot had: `const cached = cache.get(key)`.
fn read_into(module: &Module, function: FunctionId, wanted: &Slot) -> Vec<BindingId> {
    let mut found = Vec::new();
    for (at, declared) in module.bindings().iter().enumerate() {
        let Kind::Declarator { init, .. } = module.kind(module.parent(declared.node)) else { continue };
        if module.enclosing_function(declared.node) == function && reads_slot(module, init, wanted) {
            found.push(BindingId::new(at));
        }
    }
    found
}

fn name_of(module: &Module, write: &Write) -> String {
    match module.kind(write.node) {
        Kind::Assign { target, .. } => match module.kind(target) {
            Kind::Index { object, .. } => module.source(object).to_owned(),
            _ => module.source(target).to_owned(),
        },
        Kind::Call { callee, .. } => match module.kind(callee) {
            Kind::Member { object, .. } => module.source(object).to_owned(),
            _ => module.source(callee).to_owned(),
        },
        _ => module.source(write.node).to_owned(),
    }
}
