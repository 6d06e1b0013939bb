//! Which application, router or plugin a registration belongs to, and when it is made.
//!
//! Values tell where an application comes from, but not through which parameter: a plugin's instance is another one in
//! each plugin, and a function that registers routes is called for one application after the other. So owners are traced
//! through parameters, fields and chains of calls by themselves, and only the rest is asked of the values.

use loadworthy_knowledge::{HandleId, LibId};
use loadworthy_project::{FileId, Resolution};
use loadworthy_syntax::{
    BindingId, BindingKind, ClassId, FunctionId, ImportId, ImportName, Kind, MemberKind, Module, NodeId,
};

use super::loops::{Loops, MAX_CALLS};
use super::registration::functions;
use crate::handles::{Folded, Held};
use crate::index::enclosing_class;
use crate::values::{External, Resolver, Site, Step, Value};

/// Longest chain of hand-overs that is followed.
const MAX_DEPTH: usize = 24;

/// Deepest inheritance that is followed.
const MAX_BASES: usize = 8;

/// Whether requests reach it by themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kin {
    /// An application.
    App,
    /// A router or plugin: only through a mount.
    Router,
    /// A parameter with the type of an application, which no call was seen to fill.
    Unseen,
}

/// An application, router or plugin instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Owner {
    /// What tells it from others: the call that makes it, the plugin's function, or the class whose objects have one each.
    pub(super) key: Site,
    /// Whether requests reach it by themselves.
    pub(super) kin: Kin,
    /// The calls that hand it over, outermost first.
    pub(super) via: Vec<Site>,
    /// The calls on it that give it back, innermost first (`new Hono().basePath("/v1")`).
    pub(super) chain: Vec<Site>,
}

/// Traces the owners of one library.
pub(super) struct Tracer<'r, 'p> {
    pub(super) resolver: &'r Resolver<'p>,
    pub(super) lib: LibId,
    /// What a handle of the library is, by name.
    pub(super) kin_of: fn(&str) -> Option<Kin>,
    /// The turn of the loops around the registration.
    pub(super) loops: &'r Loops,
    /// Functions that are run with an instance, where no call says so.
    pub(super) plugins: &'r [(FileId, FunctionId)],
}

impl<'p> Tracer<'_, 'p> {
    /// The owners that an expression may be.
    pub(super) fn owners(&self, site: Site) -> Vec<Owner> {
        let mut owners = self.trace(site, 0);
        if owners.is_empty() {
            owners.extend(self.typed(site));
        }
        let mut seen = Vec::new();
        owners.retain(|owner| {
            let is_new = !seen.contains(owner);
            seen.push(owner.clone());
            is_new
        });
        owners
    }

    fn module(&self, file: FileId) -> Option<&'p Module> {
        self.resolver.program().module(file)
    }

    fn trace(&self, (file, node): Site, depth: usize) -> Vec<Owner> {
        let Some(module) = self.module(file) else { return Vec::new() };
        if depth > MAX_DEPTH {
            return Vec::new();
        }
        let inner = |node: NodeId| self.trace((file, node), depth + 1);
        let traced = match module.kind(node) {
            Kind::Name { binding, .. } if binding.is_some() => self.named(file, module, binding, depth),
            Kind::Await(value) | Kind::Assign { value, .. } => inner(value),
            Kind::Conditional { then, otherwise, .. } => [inner(then), inner(otherwise)].concat(),
            Kind::Binary { left, right, .. } => [inner(left), inner(right)].concat(),
            Kind::Member { object, name } => {
                self.of_object((file, object), module.str(name), depth).unwrap_or_default()
            }
            Kind::Call { callee, .. } => self.chained((file, node), callee, depth),
            _ => Vec::new(),
        };
        if traced.is_empty() { self.by_value((file, node)) } else { traced }
    }

    fn named(&self, file: FileId, module: &Module, id: BindingId, depth: usize) -> Vec<Owner> {
        let Some(binding) = module.binding(id) else { return Vec::new() };
        match binding.kind {
            BindingKind::Parameter => match parameter_of(module, binding.node) {
                Some((function, index, path)) => self.parameter(file, (function, index), &path, depth),
                None => Vec::new(),
            },
            BindingKind::Constant | BindingKind::Variable => {
                if let Some((function, index, path)) = parameter_of(module, binding.node) {
                    return self.parameter(file, (function, index), &path, depth);
                }
                let init = match module.kind(module.parent(binding.node)) {
                    Kind::Declarator { target, init } if target == binding.node => init.ok(),
                    _ => None,
                };
                let assigned =
                    module.references(id).iter().filter_map(|name| match module.kind(module.parent(*name)) {
                        Kind::Assign { operator: None, target, value } if target == *name => Some(value),
                        _ => None,
                    });
                init.into_iter()
                    .chain(assigned)
                    .flat_map(|value| self.trace((file, value), depth + 1))
                    .collect()
            }
            BindingKind::Import(import) => match self.exported(file, module, import) {
                Some(site) => self.trace(site, depth + 1),
                None => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// The declaration or value behind an import.
    fn exported(&self, file: FileId, module: &Module, import: ImportId) -> Option<Site> {
        let import = module.import(import)?;
        let name = match import.name {
            ImportName::Named(name) => module.str(name),
            ImportName::Default => "default",
            ImportName::Namespace => return None,
        };
        match *self.resolver.program().resolve(file, module.str(import.source)) {
            Resolution::File(target) => self.resolver.export_site(target, name),
            _ => None,
        }
    }

    /// What call sites pass for a parameter; the function itself where it is a plugin, or where only the type is known.
    fn parameter(
        &self,
        file: FileId,
        (function, index): (FunctionId, usize),
        path: &[String],
        depth: usize,
    ) -> Vec<Owner> {
        let links = self.resolver.program().links();
        let mut owners = Vec::new();
        let turn = self.loops.call_of((file, function));
        for (caller, call) in links.call_sites(file, function).iter().take(MAX_CALLS) {
            if turn.is_some_and(|turn| turn != (*caller, *call)) {
                continue;
            }
            let Some(argument) = self.resolver.argument((*caller, *call), index) else { continue };
            for mut owner in self.at_path(argument, path, depth) {
                owner.via.push((*caller, *call));
                owners.push(owner);
            }
        }
        if owners.is_empty() && path.is_empty() {
            owners.extend(self.plugin(file, function, index).or_else(|| self.by_type(file, function, index)));
        }
        owners
    }

    fn at_path(&self, site: Site, path: &[String], depth: usize) -> Vec<Owner> {
        let Some((name, rest)) = path.split_first() else { return self.trace(site, depth + 1) };
        let sites = self
            .resolver
            .value_of(site)
            .iter()
            .filter_map(|value| match value {
                Value::Object(file, object) => {
                    property(self.module(*file)?, *object, name).map(|it| (*file, it))
                }
                _ => None,
            })
            .collect::<Vec<_>>();
        sites.into_iter().flat_map(|site| self.at_path(site, rest, depth + 1)).collect()
    }

    /// The instance that the library passes to a plugin's function.
    fn plugin(&self, file: FileId, function: FunctionId, index: usize) -> Option<Owner> {
        let passed = self.resolver.program().links().passed_sites(file, function);
        let is_listed = index == 0 && self.plugins.contains(&(file, function));
        let is_instance = is_listed
            || passed.iter().any(|passed| {
                let (caller, call) = passed.call;
                let handles = self.resolver.handles_passed(caller, call, passed.argument, index);
                handles.into_iter().any(|(lib, handle)| lib == self.lib && self.kin(handle).is_some())
            });
        let node = self.module(file)?.function(function)?.node;
        is_instance.then(|| Owner::new((file, node), Kin::Router))
    }

    fn by_type(&self, file: FileId, function: FunctionId, index: usize) -> Option<Owner> {
        let module = self.module(file)?;
        let lowered = module.function(function)?;
        let pattern = module.list(lowered.parameters).nth(index)?;
        let target = match module.kind(pattern) {
            Kind::Default { target, .. } => target,
            _ => pattern,
        };
        let Kind::Binding(binding) = module.kind(target) else { return None };
        let values = self.resolver.declared_by((file, binding));
        let kin = self.resolver.folded(&values).into_iter().find_map(|folded| match folded {
            Folded::Held(held) => self.kin_of_held(&held),
            _ => None,
        })?;
        let kin = if kin == Kin::App { Kin::Unseen } else { kin };
        Some(Owner::new((file, lowered.node), kin))
    }

    /// `args.app` with a type that says that it is an application: which one, nothing tells.
    fn typed(&self, (file, node): Site) -> Option<Owner> {
        let module = self.module(file)?;
        let function = module.function(module.outermost_function(node))?.node;
        let values = self.resolver.value_of((file, node));
        let is_declared =
            |value: &Value| matches!(value, Value::External(external) if external.site().is_none());
        let declared: Vec<Value> = values.iter().filter(|value| is_declared(value)).cloned().collect();
        let kin = self.resolver.folded(&declared).into_iter().find_map(|folded| match folded {
            Folded::Held(held) => self.kin_of_held(&held),
            _ => None,
        })?;
        Some(Owner::new((file, function), if kin == Kin::App { Kin::Unseen } else { kin }))
    }

    /// `router.get(…)` where that gives back the router.
    fn chained(&self, site: Site, callee: NodeId, depth: usize) -> Vec<Owner> {
        let Some(module) = self.module(site.0) else { return Vec::new() };
        if let Some(owner) = self.made_by_factory(site, callee) {
            return vec![owner];
        }
        let Kind::Member { object, name } = module.kind(callee) else { return Vec::new() };
        if let Some(owners) = self.of_object((site.0, object), module.str(name), depth) {
            return owners;
        }
        if self.by_value(site).is_empty() {
            return Vec::new();
        }
        let mut owners = self.trace((site.0, object), depth + 1);
        for owner in &mut owners {
            owner.chain.push(site);
        }
        owners
    }

    /// `makeRouter(controller)`: each call makes another router.
    fn made_by_factory(&self, site: Site, callee: NodeId) -> Option<Owner> {
        let run = functions(&self.resolver.value_of((site.0, callee)));
        let factory = run.into_iter().find(|function| self.is_factory(*function))?;
        let made =
            self.by_value(site).into_iter().find(|owner| self.function_around(owner.key) == Some(factory))?;
        Some(Owner { key: site, ..made })
    }

    /// Called in several places with something to make a difference.
    fn is_factory(&self, (file, function): (FileId, FunctionId)) -> bool {
        let has_parameters = self
            .module(file)
            .and_then(|module| module.function(function))
            .is_some_and(|lowered| !lowered.parameters.is_empty());
        let calls = self.resolver.program().links().call_sites(file, function).len();
        has_parameters && (2..=MAX_CALLS).contains(&calls)
    }

    fn function_around(&self, (file, node): Site) -> Option<(FileId, FunctionId)> {
        Some((file, self.module(file)?.enclosing_function(node).ok()?))
    }

    /// The field, getter or method `name` of an object of a class of the program.
    fn of_object(&self, object: Site, name: &str, depth: usize) -> Option<Vec<Owner>> {
        let module = self.module(object.0)?;
        let classes: Vec<_> = if module.kind(object.1) == Kind::This {
            vec![(object.0, enclosing_class(module, object.1)?)]
        } else {
            let values = self.resolver.value_of(object);
            let classes = values.iter().filter_map(|value| match value {
                Value::Instance(file, class) => Some((*file, *class)),
                _ => None,
            });
            classes.collect()
        };
        let owners: Vec<_> =
            classes.into_iter().flat_map(|class| self.of_class(class, name, depth + 1)).collect();
        (!owners.is_empty()).then_some(owners)
    }

    fn of_class(&self, class: (FileId, ClassId), name: &str, depth: usize) -> Vec<Owner> {
        let mut current = class;
        for _ in 0..MAX_BASES {
            let owners = self.of_own(current, class, name, depth);
            if !owners.is_empty() {
                return owners;
            }
            match self.resolver.base(current.0, current.1) {
                Some(base) => current = base,
                None => break,
            }
        }
        Vec::new()
    }

    /// A member of the class itself, of an object of `concrete`: each class that inherits a router has one of its own.
    fn of_own(
        &self,
        class: (FileId, ClassId),
        concrete: (FileId, ClassId),
        name: &str,
        depth: usize,
    ) -> Vec<Owner> {
        let (file, id) = class;
        let Some(module) = self.module(file) else { return Vec::new() };
        let Some(lowered) = module.class(id) else { return Vec::new() };
        if depth > MAX_DEPTH {
            return Vec::new();
        }
        let mut owners = Vec::new();
        for member in lowered.members.iter().filter(|it| module.str(it.name) == name) {
            owners.extend(match (member.kind, module.kind(member.value)) {
                (MemberKind::ParameterProperty, _) => {
                    match parameter_of(module, inner_binding(module, member.value)) {
                        Some((function, index, path)) => {
                            self.parameter(file, (function, index), &path, depth)
                        }
                        None => Vec::new(),
                    }
                }
                (MemberKind::Field, _) if member.value.is_some() => {
                    self.trace((file, member.value), depth + 1)
                }
                (MemberKind::Getter | MemberKind::Method, Kind::Function(function)) => {
                    self.of_returned((file, function), concrete, depth)
                }
                _ => Vec::new(),
            });
        }
        if let Some(index) = self.resolver.program().index(file) {
            let assigned = index.fields(id, name).iter();
            owners.extend(assigned.flat_map(|value| self.trace((file, *value), depth + 1)));
        }
        if class != concrete && !owners.is_empty() {
            let node = self.module(concrete.0).and_then(|it| it.class(concrete.1)).map(|it| it.node);
            return node.map(|node| Owner::new((concrete.0, node), Kin::Router)).into_iter().collect();
        }
        owners
    }

    /// `get router() { return this.inner }`, `routes() { … return this.router }`.
    fn of_returned(
        &self,
        (file, function): (FileId, FunctionId),
        concrete: (FileId, ClassId),
        depth: usize,
    ) -> Vec<Owner> {
        let Some(module) = self.module(file) else { return Vec::new() };
        let Some(index) = self.resolver.program().index(file) else { return Vec::new() };
        let fields = index.returns(function).iter().filter_map(|value| match module.kind(*value) {
            Kind::Member { object, name } if module.kind(object) == Kind::This => Some(module.str(name)),
            _ => None,
        });
        fields.flat_map(|name| self.of_class(concrete, name, depth + 1)).collect()
    }

    fn by_value(&self, site: Site) -> Vec<Owner> {
        // In a turn of a loop, what its variables stand for: `app.use(it.path, it.router)` is one router for one path.
        let values = self.resolver.filled(&self.loops.value_of(self.resolver, site));
        let origins = |values: &[Value]| -> Vec<Owner> {
            let origins = values.iter().filter_map(|value| match value {
                Value::External(external) => self.origin(external),
                _ => None,
            });
            origins.collect()
        };
        if values.is_empty() { origins(&self.resolver.loaded_exports(site)) } else { origins(&values) }
    }

    /// The owners whose result of a call of one of these members an expression is: `router.routes()`, also through a
    /// function or constant.
    pub(super) fn results(&self, (file, node): Site, names: &[&str]) -> Vec<Owner> {
        if let Some(module) = self.module(file)
            && let Kind::Call { callee, .. } = module.kind(node)
            && let Kind::Member { object, name } = module.kind(callee)
            && names.contains(&module.str(name))
        {
            let owners = self.owners((file, object));
            if !owners.is_empty() {
                return owners;
            }
        }
        let values = self.resolver.filled(&self.resolver.value_of((file, node)));
        let origins = values.iter().filter_map(|value| {
            let Value::External(external) = value else { return None };
            let [steps @ .., Step::Get(name), Step::Call(_)] = &*external.steps else { return None };
            let owner = External { root: external.root.clone(), steps: steps.into() };
            if names.contains(&&**name) { self.origin(&owner) } else { None }
        });
        origins.collect()
    }

    /// The first step that gave an owner, if every later one gives it back.
    fn origin(&self, external: &External) -> Option<Owner> {
        let mut origin: Option<Owner> = None;
        for (at, step) in external.steps.iter().enumerate() {
            let path = External {
                root: external.root.clone(),
                steps: external.steps.iter().take(at + 1).cloned().collect(),
            };
            let kin = match self.resolver.fold(&path) {
                Folded::Held(held) => self.kin_of_held(&held),
                _ => None,
            };
            match (&mut origin, kin, step) {
                (Some(origin), Some(_), Step::Call(site)) => origin.chain.push(*site),
                (None, Some(kin), Step::Call(site) | Step::New(site)) => {
                    origin = Some(Owner::new(self.key(*site), kin));
                }
                // A member of an owner may lead back to it in the next step.
                (_, None, Step::Get(_)) | (Some(_), Some(_), Step::Get(_)) | (None, _, _) => {}
                (Some(_), _, _) => return None,
            }
        }
        match self.resolver.fold(external) {
            Folded::Held(held) if self.kin_of_held(&held).is_some() => origin,
            _ => None,
        }
    }

    /// The call of the factory that this turn is about, for what the factory makes.
    fn key(&self, made: Site) -> Site {
        let around = self.function_around(made).filter(|function| self.is_factory(*function));
        around.and_then(|function| self.loops.call_of(function)).unwrap_or(made)
    }

    fn kin_of_held(&self, held: &Held) -> Option<Kin> {
        if held.lib == self.lib { self.kin(held.handle) } else { None }
    }

    fn kin(&self, handle: HandleId) -> Option<Kin> {
        (self.kin_of)(self.resolver.program().knowledge().handle_name(handle))
    }

    /// The key of the base class's router, which a class's own router inherits the routes of.
    pub(super) fn inherited(&self, key: Site) -> Option<Site> {
        let Kind::Class(class) = self.module(key.0)?.kind(key.1) else { return None };
        let (file, base) = self.resolver.base(key.0, class)?;
        let module = self.module(file)?;
        let lowered = module.class(base)?;
        let names = lowered.members.iter().filter(|it| it.kind == MemberKind::Field);
        names
            .flat_map(|it| self.of_class((file, base), module.str(it.name), 0))
            .map(|owner| owner.key)
            .find(|base_key| *base_key != key)
    }
}

impl Owner {
    fn new(key: Site, kin: Kin) -> Self {
        Self { key, kin, via: Vec::new(), chain: Vec::new() }
    }
}

/// The function, position and property path that a parameter's name stands for.
fn parameter_of(module: &Module, binding: NodeId) -> Option<(FunctionId, usize, Vec<String>)> {
    let mut path = Vec::new();
    let mut node = binding;
    loop {
        let parent = module.parent(node);
        match module.kind(parent) {
            Kind::Property { key, .. } => path.push(module.str(key).to_owned()),
            Kind::Default { target, .. } if target == node => {}
            Kind::ObjectPattern(_) => {}
            Kind::ArrayPattern(parts) => {
                let offset = module.list(parts).position(|it| it == node)?;
                let (function, from) = rest_parameter(module, parent)?;
                path.reverse();
                return Some((function, from.saturating_add(offset), path));
            }
            Kind::Function(function) => {
                let index = module.list(module.function(function)?.parameters).position(|it| it == node)?;
                path.reverse();
                return Some((function, index, path));
            }
            _ => return None,
        }
        node = parent;
    }
}

/// The function and first position of the rest parameter that a pattern takes apart: `...[app, db]`, or `const [app, db] = args`.
fn rest_parameter(module: &Module, pattern: NodeId) -> Option<(FunctionId, usize)> {
    let parent = module.parent(pattern);
    let rest = match module.kind(parent) {
        Kind::Rest(_) => parent,
        Kind::Declarator { init, .. } => {
            let Kind::Name { binding, .. } = module.kind(init) else { return None };
            module.parent(module.binding(binding)?.node)
        }
        _ => return None,
    };
    let (Kind::Rest(_), Kind::Function(function)) = (module.kind(rest), module.kind(module.parent(rest)))
    else {
        return None;
    };
    let from = module.list(module.function(function)?.parameters).position(|it| it == rest)?;
    Some((function, from))
}

/// The name of a pattern that may have a default.
fn inner_binding(module: &Module, pattern: NodeId) -> NodeId {
    match module.kind(pattern) {
        Kind::Default { target, .. } => target,
        _ => pattern,
    }
}

/// The value of a property of an object literal.
pub(super) fn property(module: &Module, object: NodeId, name: &str) -> Option<NodeId> {
    let Kind::Object(parts) = module.kind(object) else { return None };
    module.list(parts).rev().find_map(|part| match module.kind(part) {
        Kind::Property { key, value } if module.str(key) == name => value.ok(),
        _ => None,
    })
}

/// A place in the flow of a program: the calls that lead there, outermost first, by file and end.
pub(super) type Moment = Vec<(FileId, u32)>;

/// When the call at a site runs, as seen from the module whose code leads there. `via`: the calls that are known to lead
/// there.
pub(super) fn moment(resolver: &Resolver<'_>, via: &[Site], site: Site) -> Moment {
    let mut sites = vec![site];
    sites.extend(via.iter().rev());
    let mut outermost = via.first().copied().unwrap_or(site);
    while sites.len() < MAX_DEPTH
        && let Some(caller) = caller_of(resolver, outermost)
        && !sites.contains(&caller)
    {
        sites.push(caller);
        outermost = caller;
    }
    let program = resolver.program();
    let end =
        |(file, node): Site| (file, program.module(file).map_or(0, |module| module.node(node).span.end));
    sites.into_iter().rev().map(end).collect()
}

/// The first call of the function around a node, or the call that it is handed to.
fn caller_of(resolver: &Resolver<'_>, (file, node): Site) -> Option<Site> {
    let module = resolver.program().module(file)?;
    let function = module.enclosing_function(node).ok()?;
    let links = resolver.program().links();
    let called = links.call_sites(file, function).first().copied();
    called.or_else(|| links.passed_sites(file, function).first().map(|passed| passed.call))
}
