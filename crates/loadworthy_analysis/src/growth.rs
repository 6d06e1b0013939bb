//! Containers that live as long as the process, who adds to them under which keys, and who takes from them.

use loadworthy_knowledge::Runs;
use loadworthy_project::FileId;
use loadworthy_syntax::{Binary, ClassId, FunctionId, Kind, MemberKind, Module, NodeId, Unary};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::analysis::Analysis;
use crate::graph::Timing;
use crate::links::FunctionRef;
use crate::reach::Context;
use crate::values::{Resolver, Root, Site, Step, Value};

/// A container that lives as long as the process.
#[derive(Clone, Debug)]
pub struct Container {
    /// Where it is made.
    pub made_at: Site,
    /// What it is.
    pub kind: ContainerKind,
    /// Who adds to it, in the order of files and nodes.
    pub additions: Vec<Addition>,
    /// Who takes from it, or empties it.
    pub removals: Vec<Removal>,
}

/// Kinds of containers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContainerKind {
    /// `new Map()`
    Map,
    /// `new Set()`
    Set,
    /// `[]`
    Array,
    /// `{}`
    Object,
}

/// A place that adds.
#[derive(Clone, Copy, Debug)]
pub struct Addition {
    /// The call or assignment.
    pub site: Site,
    /// The key; the value of a list or set.
    pub key: Option<Site>,
    /// The value that is kept.
    pub value: Option<Site>,
    /// Whose code it is.
    pub function: FunctionRef,
}

/// A place that takes away.
#[derive(Clone, Copy, Debug)]
pub struct Removal {
    /// The call or assignment.
    pub site: Site,
    /// Whose code it is.
    pub function: FunctionRef,
    /// What goes with it.
    pub takes: Takes,
}

/// What a removal takes away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    /// An entry that is asked for and found to be old.
    OldOnRead,
    /// The entry that somebody names, when what it stands for changes.
    Named,
    /// What makes the container stay small: all of it, the oldest, what is over, what has ended.
    Enough,
}

impl Container {
    /// Whether what is taken away keeps it small. Where old entries go when they are asked for, the container is a cache, and
    /// naming single entries is how it is kept true rather than small; elsewhere it is how entries end.
    #[must_use]
    pub fn is_kept_small(&self) -> bool {
        let takes = |what| self.removals.iter().any(|removal| removal.takes == what);
        takes(Takes::Enough) || takes(Takes::Named) && !takes(Takes::OldOnRead)
    }
}

/// Every container that lives as long as the process and is added to inside a function.
#[must_use]
pub fn containers<'p>(analysis: &Analysis<'p>, resolver: &Resolver<'p>) -> Vec<Container> {
    let mut finder = Finder {
        analysis,
        resolver,
        found: FxHashMap::default(),
        singletons: singletons(analysis, resolver),
    };
    for (file, module) in analysis.program().modules() {
        finder.file(file, module);
    }
    let mut all: Vec<Container> = finder.found.into_values().filter(|it| !it.additions.is_empty()).collect();
    all.sort_by_key(|container| container.made_at);
    all
}

/// Classes of the program.
pub type Singletons = FxHashSet<(FileId, ClassId)>;

/// Classes of which one object lives as long as the process: made at module level or by what only the start runs, by a
/// framework's injector, kept by a class or module once it is made, or part of such an object.
#[must_use]
pub fn singletons(analysis: &Analysis<'_>, resolver: &Resolver<'_>) -> Singletons {
    let mut all = FxHashSet::default();
    // Who holds an object of which class.
    let mut parts: Vec<((FileId, ClassId), (FileId, ClassId))> = Vec::new();
    for (file, module) in analysis.program().modules() {
        for call in module.calls() {
            let Kind::New { callee, .. } = module.kind(*call) else { continue };
            let holder = holder_class(module, *call).map(|class| (file, class));
            let lives =
                || is_run_at_start(analysis, (file, *call)) || is_put_away(resolver, file, module, *call);
            if holder.is_none() && !lives() {
                continue;
            }
            for value in resolver.value_of((file, callee)).iter() {
                let Value::Class(file, class) = value else { continue };
                match holder {
                    Some(holder) => parts.push((holder, (*file, *class))),
                    None => {
                        all.insert((*file, *class));
                    }
                }
            }
        }
        for (at, class) in module.classes().iter().enumerate() {
            if !class.decorators.is_empty() {
                all.insert((file, ClassId::new(at)));
            }
        }
    }
    loop {
        let before = all.len();
        let held: Vec<_> = parts.iter().filter(|(holder, _)| all.contains(holder)).collect();
        all.extend(held.into_iter().map(|(_, part)| *part));
        if all.len() == before {
            return all;
        }
    }
}

/// The class whose fields or constructor make an object.
fn holder_class(module: &Module, call: NodeId) -> Option<ClassId> {
    let class = class_around(module, call)?;
    let function = module.enclosing_function(call);
    let is_field = function == FunctionId::NONE
        && module.class(class)?.members.iter().any(|member| !member.is_static && member.value == call);
    (is_field || is_constructor(module, class, function)).then_some(class)
}

fn class_around(module: &Module, node: NodeId) -> Option<ClassId> {
    module.ancestors(node).find_map(|outer| match module.kind(outer) {
        Kind::Class(class) => Some(class),
        _ => None,
    })
}

fn is_constructor(module: &Module, class: ClassId, function: FunctionId) -> bool {
    module.class(class).is_some_and(|lowered| {
        lowered.members.iter().any(|member| {
            member.kind == MemberKind::Constructor
                && matches!(module.kind(member.value), Kind::Function(own) if own == function)
        })
    })
}

/// Whether only the start of the process runs a place.
fn is_run_at_start(analysis: &Analysis<'_>, site: Site) -> bool {
    analysis.owner(site).1 == FunctionId::NONE || analysis.contexts(site) == [Context::Startup]
}

/// Whether an object is put where the next run finds it: a variable of the module, a static field, the global object.
fn is_put_away(resolver: &Resolver<'_>, file: FileId, module: &Module, call: NodeId) -> bool {
    let Kind::Assign { target, value, .. } = module.kind(module.parent(call)) else { return false };
    if value != call {
        return false;
    }
    match module.kind(target) {
        Kind::Name { binding, .. } => module
            .binding(binding)
            .is_some_and(|bound| module.enclosing_function(bound.node) == FunctionId::NONE),
        Kind::Member { object, .. } => {
            matches!(module.source(object), "globalThis" | "global")
                || matches!(&*resolver.value_of((file, object)), [Value::Class(..)])
        }
        _ => false,
    }
}

struct Finder<'a, 'p> {
    analysis: &'a Analysis<'p>,
    resolver: &'a Resolver<'p>,
    found: FxHashMap<Site, Container>,
    singletons: FxHashSet<(FileId, ClassId)>,
}

/// Methods that add to a kind of container, with the position of the value; the key, or what counts as one, comes first.
const ADDS: [(&str, ContainerKind, usize); 4] = [
    ("set", ContainerKind::Map, 1),
    ("add", ContainerKind::Set, 0),
    ("push", ContainerKind::Array, 0),
    ("unshift", ContainerKind::Array, 0),
];

/// Methods that take away.
const REMOVES: [&str; 6] = ["delete", "clear", "shift", "pop", "splice", "remove"];

impl Finder<'_, '_> {
    fn file(&mut self, file: FileId, module: &Module) {
        for node in module.node_ids() {
            match module.kind(node) {
                Kind::Call { callee, arguments } => {
                    let Kind::Member { object, name } = module.kind(callee) else { continue };
                    let name = module.str(name);
                    let arguments: Vec<NodeId> = module.list(arguments).collect();
                    if let Some((_, kind, value)) = ADDS.iter().find(|(adds, ..)| *adds == name) {
                        let at = |index: usize| arguments.get(index).map(|node| (file, *node));
                        self.add((file, node), object, (&[*kind], at(0), at(*value)));
                    } else if REMOVES.contains(&name) {
                        self.remove((file, node), object);
                    }
                }
                Kind::Assign { target, value, .. } => self.assignment((file, node), module, target, value),
                Kind::Unary { operator: Unary::Delete, value } => {
                    if let Kind::Member { object, .. } | Kind::Index { object, .. } = module.kind(value) {
                        self.remove((file, node), object);
                    }
                }
                _ => {}
            }
        }
    }

    fn assignment(&mut self, site: Site, module: &Module, target: NodeId, value: NodeId) {
        let is_nothing = module.kind(value) == Kind::Null || module.source(value) == "undefined";
        match module.kind(target) {
            // `entries[id] = undefined`
            Kind::Index { object, .. } if is_nothing => self.remove(site, object),
            Kind::Index { object, index } => {
                let kinds = [ContainerKind::Object, ContainerKind::Array];
                self.add(site, object, (&kinds, Some((site.0, index)), Some((site.0, value))));
            }
            // `list.length = 0`, `list = []`, `this.cache = new Map()`: emptied, once it is not the first value.
            Kind::Member { object, name } if module.str(name) == "length" => self.remove(site, object),
            Kind::Name { .. } | Kind::Member { .. }
                if module.enclosing_function(site.1) != FunctionId::NONE
                    && !is_in_constructor(module, site.1) =>
            {
                self.remove(site, target);
            }
            _ => {}
        }
    }

    fn add(
        &mut self,
        site: Site,
        object: NodeId,
        (kinds, key, value): (&[ContainerKind], Option<Site>, Option<Site>),
    ) {
        let function = self.analysis.owner(site);
        if function.1 == FunctionId::NONE {
            return;
        }
        let owner = |analysis: &Analysis<'_>, made_at| analysis.owner(made_at);
        let analysis = self.analysis;
        for container in
            self.containers_of((site.0, object)).into_iter().filter(|it| kinds.contains(&it.kind))
        {
            // A function of the start that keeps it shares it with the requests that it registers, or fills it for itself.
            let maker = owner(analysis, container.made_at);
            let is_shared = maker.1 == FunctionId::NONE
                || is_in_constructor_of(analysis, container.made_at)
                || maker != function && analysis.reach().runs(function, Context::PerRequest);
            if !is_shared {
                continue;
            }
            container.additions.push(Addition { site, key, value, function });
        }
    }

    fn remove(&mut self, site: Site, object: NodeId) {
        let function = self.analysis.owner(site);
        if function.1 == FunctionId::NONE {
            return;
        }
        let takes = self.takes(site, object);
        for container in self.containers_of((site.0, object)) {
            container.removals.push(Removal { site, function, takes });
        }
    }

    /// The long-lived containers that an expression may be.
    fn containers_of(&mut self, site: Site) -> Vec<&mut Container> {
        let values = self.resolver.value_of(site);
        let made: Vec<(Site, ContainerKind)> =
            values.iter().filter_map(Self::made).filter(|(at, _)| self.lives(*at)).collect();
        // Several candidates mean that it is not known which one grows.
        let [(made_at, kind)] = made.as_slice() else { return Vec::new() };
        let container = self.found.entry(*made_at).or_insert_with(|| Container {
            made_at: *made_at,
            kind: *kind,
            additions: Vec::new(),
            removals: Vec::new(),
        });
        vec![container]
    }

    fn made(value: &Value) -> Option<(Site, ContainerKind)> {
        match value {
            Value::Array(file, node) => Some(((*file, *node), ContainerKind::Array)),
            Value::Object(file, node) => Some(((*file, *node), ContainerKind::Object)),
            Value::External(external) => {
                let Root::Global(name) = &external.root else { return None };
                let [Step::New(site)] = &*external.steps else { return None };
                match &**name {
                    "Map" => Some((*site, ContainerKind::Map)),
                    "Set" => Some((*site, ContainerKind::Set)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Made at module level or by what only the start runs, as a static field, or as a field of an object that lives as long
    /// as the process.
    fn lives(&self, (file, node): Site) -> bool {
        let Some(module) = self.analysis.program().module(file) else { return false };
        let is_in_function = module.enclosing_function(node) != FunctionId::NONE;
        match class_around(module, node) {
            Some(class) if is_in_function => {
                is_in_constructor(module, node) && self.singletons.contains(&(file, class))
            }
            Some(class) => {
                let is_static = module.class(class).is_some_and(|lowered| {
                    lowered.members.iter().any(|member| member.is_static && member.value == node)
                });
                is_static || self.singletons.contains(&(file, class))
            }
            None => is_held(module, node) && is_run_at_start(self.analysis, (file, node)),
        }
    }

    /// What a removal takes away.
    fn takes(&self, (file, node): Site, object: NodeId) -> Takes {
        let Some(module) = self.analysis.program().module(file) else { return Takes::Enough };
        let method = match module.kind(node) {
            Kind::Call { callee, .. } => match module.kind(callee) {
                Kind::Member { name, .. } => module.str(name),
                _ => "",
            },
            Kind::Unary { .. } => "delete",
            Kind::Assign { target, .. } if matches!(module.kind(target), Kind::Index { .. }) => "delete",
            _ => "",
        };
        if !matches!(method, "delete" | "remove") || is_run_by(module, node, &ENDS) {
            return Takes::Enough;
        }
        let tests = tests_around(module, node);
        let mentions = |words: &[&str]| tests.iter().any(|test| words.iter().any(|word| test.contains(word)));
        if mentions(&SIZES) {
            return Takes::Enough;
        }
        let name = module.source(object);
        let function = module.enclosing_function(node);
        let text = |function: FunctionRef| {
            let module = self.analysis.program().module(function.0)?;
            Some(module.source(module.function(function.1)?.node))
        };
        let callers = || self.analysis.graph().callers((file, function));
        let is_looped = !crate::loops::loops_around(module, (file, node)).is_empty()
            || callers().any(|edge| {
                edge.repeat.is_some()
                    && edge.caller.0 == file
                    && text(edge.caller).is_some_and(|text| text.contains(name))
            });
        if is_looped {
            // All of them, or the old ones; those whose keys begin alike are named.
            let is_sweep = tests.is_empty() || mentions(&TIMES);
            return if is_sweep { Takes::Enough } else { Takes::Named };
        }
        let reads = || {
            let text = text((file, function)).unwrap_or_default();
            text.contains(&format!("{name}.get(")) || text.contains(&format!("{name}["))
        };
        if mentions(&TIMES) && reads() {
            return Takes::OldOnRead;
        }
        let is_timed = callers().any(|edge| {
            let module = self.analysis.program().module(edge.site.0);
            matches!(edge.timing, Timing::By(Runs::Timer | Runs::Delayed))
                || module.is_some_and(|module| is_run_by(module, edge.site.1, &TIMERS))
        });
        if is_timed { Takes::Enough } else { Takes::Named }
    }
}

/// Words of a test for the age of an entry, and for the number of entries.
const TIMES: [&str; 7] = ["date.now", "expire", "expiry", "ttl", "timestamp", "age", "now"];
const SIZES: [&str; 5] = [".size", ".length", "max", "limit", "count"];

/// Calls whose callback runs when something has ended or its time has come.
const ENDS: [&str; 9] =
    ["setTimeout", "setInterval", "on", "once", "addEventListener", "then", "finally", "catch", "schedule"];

const TIMERS: [&str; 2] = ["setTimeout", "setInterval"];

/// Whether a place runs in `finally`, or in a callback of such a call.
fn is_run_by(module: &Module, node: NodeId, names: &[&str]) -> bool {
    let mut inner = node;
    for outer in module.ancestors(node) {
        let ends = match module.kind(outer) {
            Kind::Try { finalizer, .. } => finalizer == inner,
            Kind::Call { callee, .. } if callee != inner => match module.kind(callee) {
                Kind::Member { name, .. } | Kind::Name { name, .. } => names.contains(&module.str(name)),
                _ => false,
            },
            _ => false,
        };
        if ends {
            return true;
        }
        inner = outer;
    }
    false
}

/// The conditions around a node, in small letters.
fn tests_around(module: &Module, node: NodeId) -> Vec<String> {
    let mut tests = Vec::new();
    let mut inner = node;
    for outer in module.ancestors(node) {
        let test = match module.kind(outer) {
            Kind::If { test, .. } | Kind::Conditional { test, .. } if test != inner => Some(test),
            Kind::Binary { operator: Binary::And | Binary::Or, left, .. } if left != inner => Some(left),
            _ => None,
        };
        tests.extend(test.map(|test| module.source(test).to_lowercase()));
        inner = outer;
    }
    tests
}

fn is_in_constructor(module: &Module, node: NodeId) -> bool {
    let function = module.enclosing_function(node);
    class_around(module, node).is_some_and(|class| is_constructor(module, class, function))
}

fn is_in_constructor_of(analysis: &Analysis<'_>, (file, node): Site) -> bool {
    analysis.program().module(file).is_some_and(|module| is_in_constructor(module, node))
}

/// The value of a variable or property at module level, not an argument on its way somewhere.
fn is_held(module: &Module, node: NodeId) -> bool {
    match module.kind(module.parent(node)) {
        Kind::Declarator { init, .. } => init == node,
        Kind::Assign { value, .. } | Kind::Property { value, .. } => value == node,
        Kind::Binary { .. } => is_held(module, module.parent(node)),
        _ => false,
    }
}
