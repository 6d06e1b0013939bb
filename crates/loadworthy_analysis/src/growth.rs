//! Containers that live as long as the process, who adds to them under which keys, and who takes from them.

use loadworthy_project::FileId;
use loadworthy_syntax::{ClassId, FunctionId, Kind, MemberKind, Module, NodeId, Unary};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::analysis::Analysis;
use crate::links::FunctionRef;
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
    /// Whether it happens only when the same entry is read and found to be old.
    pub is_on_read: bool,
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

/// Classes of which one object lives as long as the process: made at module level, or by a framework's injector.
#[must_use]
pub fn singletons(analysis: &Analysis<'_>, resolver: &Resolver<'_>) -> Singletons {
    let mut all = FxHashSet::default();
    for (file, module) in analysis.program().modules() {
        for call in module.calls() {
            let Kind::New { callee, .. } = module.kind(*call) else { continue };
            if module.enclosing_function(*call) != FunctionId::NONE {
                continue;
            }
            for value in resolver.value_of((file, callee)).iter() {
                if let Value::Class(file, class) = value {
                    all.insert((*file, *class));
                }
            }
        }
        for (at, class) in module.classes().iter().enumerate() {
            if !class.decorators.is_empty() {
                all.insert((file, ClassId::new(at)));
            }
        }
    }
    all
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
        match module.kind(target) {
            Kind::Index { object, index } => {
                let kinds = [ContainerKind::Object, ContainerKind::Array];
                self.add(site, object, (&kinds, Some((site.0, index)), Some((site.0, value))));
            }
            // `list.length = 0`, `list = []`, `this.cache = new Map()`: emptied, once it is not the first value.
            Kind::Member { object, name } if module.str(name) == "length" => self.remove(site, object),
            Kind::Name { .. } | Kind::Member { .. }
                if module.enclosing_function(site.1) != FunctionId::NONE && !self.is_in_constructor(site) =>
            {
                self.remove(site, target);
            }
            _ => {}
        }
    }

    fn is_in_constructor(&self, (file, node): Site) -> bool {
        let Some(module) = self.analysis.program().module(file) else { return false };
        let function = module.enclosing_function(node);
        module.classes().iter().flat_map(|class| &class.members).any(|member| {
            member.kind == MemberKind::Constructor
                && matches!(module.kind(member.value), Kind::Function(own) if own == function)
        })
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
        for container in
            self.containers_of((site.0, object)).into_iter().filter(|it| kinds.contains(&it.kind))
        {
            container.additions.push(Addition { site, key, value, function });
        }
    }

    fn remove(&mut self, site: Site, object: NodeId) {
        let function = self.analysis.owner(site);
        if function.1 == FunctionId::NONE {
            return;
        }
        let is_on_read = self.is_on_read(site, object);
        for container in self.containers_of((site.0, object)) {
            container.removals.push(Removal { site, function, is_on_read });
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

    /// Made at module level, as a static field, or as a field of an object that lives as long as the process.
    fn lives(&self, (file, node): Site) -> bool {
        let Some(module) = self.analysis.program().module(file) else { return false };
        let class = module.ancestors(node).find_map(|outer| match module.kind(outer) {
            Kind::Class(class) => Some(class),
            _ => None,
        });
        let is_in_function = module.enclosing_function(node) != FunctionId::NONE;
        match class {
            Some(class) if is_in_function => {
                self.is_in_constructor((file, node)) && self.singletons.contains(&(file, class))
            }
            Some(class) => {
                let is_static = module.class(class).is_some_and(|lowered| {
                    lowered.members.iter().any(|member| member.is_static && member.value == node)
                });
                is_static || self.singletons.contains(&(file, class))
            }
            None => !is_in_function && is_held(module, node),
        }
    }

    /// `if (entry.expires < Date.now()) cache.delete(key)` where the entry was just looked up.
    fn is_on_read(&self, (file, node): Site, object: NodeId) -> bool {
        let Some(module) = self.analysis.program().module(file) else { return false };
        let name = module.source(object);
        let function = module.enclosing_function(node);
        let is_guarded = module.ancestors(node).any(|outer| match module.kind(outer) {
            Kind::If { test, .. } => {
                let test = module.source(test).to_lowercase();
                ["date.now", "expire", "ttl", "timestamp", "age", "now"]
                    .iter()
                    .any(|word| test.contains(word))
            }
            _ => false,
        });
        let is_looped = !crate::loops::loops_around(module, (file, node)).is_empty()
            || self.analysis.graph().callers((file, function)).any(|edge| edge.repeat.is_some());
        let reads = || {
            let text = module.function(function).map_or("", |lowered| module.source(lowered.node));
            text.contains(&format!("{name}.get(")) || text.contains(&format!("{name}["))
        };
        is_guarded && !is_looped && reads()
    }
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
