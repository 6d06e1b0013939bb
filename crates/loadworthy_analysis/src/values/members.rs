//! Members, calls and constructions of values.

use std::sync::Arc;

use loadworthy_knowledge::{Effect, Kind as LibraryKind, Returns};
use loadworthy_project::FileId;
use loadworthy_syntax::{BindingId, ClassId, FunctionId, Kind, MemberKind, Module, NodeId, TypeForm, TypeId};

use super::alternatives::MAX_ALTERNATIVES;
use super::injection::parameter_decorators;
use super::memo::Question;
use super::{External, Resolver, Root, Site, Step, Value, Values, join, none, one};
use crate::handles::Folded;
use crate::index::is_carrier;

/// Types of the language that say the same of a value as their first argument.
const WRAPPING_TYPES: [&str; 9] =
    ["Omit", "Pick", "Partial", "Required", "Readonly", "NonNullable", "Awaited", "Parameters", "Promise"];

/// Deepest inheritance that is followed.
pub(super) const MAX_BASES: usize = 16;

/// Most classes that extend one which are asked what they fill its members with.
const MAX_HEIRS: usize = 16;

impl Resolver<'_> {
    /// `value.name` for each alternative.
    #[must_use]
    pub fn member(&self, values: &[Value], name: &str) -> Values {
        join(values.iter().map(|value| self.member_of(value, name)))
    }

    /// `object.name`, also where handlers or later statements put it there.
    pub(super) fn member_at(&self, module: &Module, file: FileId, object: NodeId, name: &str) -> Values {
        // `c.var.db` is `c.get("db")`.
        let is_carried = is_carrier(module, object)
            || matches!(module.kind(object), Kind::Member { object, name } if module.str(name) == "var" && is_carrier(module, object));
        if is_carried {
            let values = self.handed_on(name);
            if !values.is_empty() {
                return values;
            }
        }
        if name == "exports"
            && matches!(module.kind(object), Kind::Name { name, binding: BindingId::NONE } if module.str(name) == "module")
        {
            return self.export(file, "default");
        }
        let decorations = self.decorations(module, (file, object), name);
        if !decorations.is_empty() {
            return decorations;
        }
        let values = self.member(&self.value_of((file, object)), name);
        let Kind::Name { binding, .. } = module.kind(object) else { return values };
        // `User.findByEmail = function …`: statics that are added to what a library gave.
        let is_library = values.iter().all(|value| matches!(value, Value::External(_)));
        let added = self.program.index(file).map_or(&[][..], |index| index.members(binding, name));
        if added.is_empty() || !is_library {
            return values;
        }
        let own = join(added.iter().map(|value| self.value_of((file, *value))));
        if own.iter().any(|value| matches!(value, Value::Function(..))) { own } else { values }
    }

    /// `app.db`, `request.server.db`, `this.db` in a handler, where `app.decorate("db", …)` says what it is.
    fn decorations(&self, module: &Module, (file, object): Site, name: &str) -> Values {
        let sites = self.program.decorated(name);
        if sites.is_empty() || sites.len() > MAX_ALTERNATIVES {
            return none();
        }
        let is_this = || module.kind(object) == Kind::This && self.value_of((file, object)).is_empty();
        let is_application = || {
            let folded = self.folded(&self.value_of((file, object)));
            folded.iter().any(|folded| match folded {
                Folded::Held(held) => self.program.knowledge().library(held.lib).kind == LibraryKind::Web,
                _ => false,
            })
        };
        let is_server =
            || matches!(module.kind(object), Kind::Member { name, .. } if module.str(name) == "server");
        if is_this() || is_server() || is_application() {
            join(sites.iter().map(|site| self.value_of(*site)))
        } else {
            none()
        }
    }

    /// What handlers hand on under a name, where that says more than that it was passed to them.
    pub(super) fn handed_on(&self, name: &str) -> Values {
        let sites = self.program.handed_on(name);
        let known = sites.len() <= MAX_ALTERNATIVES;
        let values = join(sites.iter().filter(|_| known).map(|site| self.value_of(*site)));
        let says_more = values.iter().any(|value| !matches!(value, Value::Parameter(..)));
        if says_more { values } else { none() }
    }

    fn member_of(&self, value: &Value, name: &str) -> Values {
        match value {
            Value::Namespace(file) => self.export(*file, name),
            Value::Object(file, node) => self.property(*file, *node, name),
            Value::Instance(file, class) => self.class_member(*file, *class, name, false),
            Value::Class(file, class) => self.class_member(*file, *class, name, true),
            // `fn.bind(this)`, `fn.call(…)`, `fn.apply(…)` are the function.
            Value::Function(..) if matches!(name, "bind" | "call" | "apply") => one(value.clone()),
            // The default export of a package is the package: `require("x").default`.
            Value::External(external) if name == "default" && external.steps.is_empty() => one(value.clone()),
            Value::External(external) => self
                .registered(external, name)
                .map_or_else(|| one(Value::External(external.then(Step::Get(name.into())))), one),
            Value::Parameter(file, function, index) => {
                // A parameter that is handed on to itself comes back here.
                let question = Question::ArgumentMember(*file, *function, *index, self.memo.name(name));
                let of_arguments = || {
                    let mut values = self.member(&self.arguments(*file, *function, *index), name);
                    if values.is_empty() {
                        values = self.injected_name(*file, *function, name);
                    }
                    if values.is_empty() {
                        self.declared_member(*file, *function, *index, name)
                    } else {
                        values
                    }
                };
                self.memo.ask(question, of_arguments)
            }
            Value::Function(..)
            | Value::Array(..)
            | Value::Rest(..)
            | Value::Text(_)
            | Value::Number(_)
            | Value::Bool(_)
            | Value::Interface(..) => none(),
        }
    }

    /// `sequelize.models.playlist`: the class that was registered there, which extends one of the same package.
    fn registered(&self, external: &External, name: &str) -> Option<Value> {
        let Some(Step::Get(last)) = external.steps.last() else { return None };
        if &**last != "models" {
            return None;
        }
        let (file, class) = self.program.heir(name)?;
        let bases = self.heritage(file, class);
        let is_ours = |base: &Value| matches!(base, Value::External(base) if base.root == external.root);
        bases.iter().any(is_ours).then_some(Value::Class(file, class))
    }

    fn property(&self, file: FileId, object: NodeId, name: &str) -> Values {
        let question = Question::Property(file, object, self.memo.name(name));
        self.memo.ask(question, || self.find_property(file, object, name))
    }

    fn find_property(&self, file: FileId, object: NodeId, name: &str) -> Values {
        let Some(module) = self.module(file) else { return none() };
        let Kind::Object(list) = module.kind(object) else { return none() };
        // The last one counts, spreads included.
        for part in module.list(list).rev() {
            match module.kind(part) {
                Kind::Property { key, value } if module.str(key) == name => {
                    return self.value_of((file, value));
                }
                Kind::Spread(value) => {
                    let inner = self.member(&self.value_of((file, value)), name);
                    if !inner.is_empty() {
                        return inner;
                    }
                }
                _ => {}
            }
        }
        self.added_property(module, file, object, name)
    }

    /// What is put into the object after it was made: `const db = {}; db.User = …; db[model.name] = model;`.
    fn added_property(&self, module: &Module, file: FileId, object: NodeId, name: &str) -> Values {
        let Kind::Declarator { target, init } = module.kind(module.parent(object)) else { return none() };
        let (Kind::Binding(variable), Some(index)) = (module.kind(target), self.program.index(file)) else {
            return none();
        };
        if init != object {
            return none();
        }
        let assigned = index.members(variable, name);
        if !assigned.is_empty() {
            return join(assigned.iter().map(|value| self.value_of((file, *value))));
        }
        join(index.entries(variable).iter().map(|value| {
            let entries = self.loaded_results((file, *value));
            entries
                .into_iter()
                .flat_map(|values| values.to_vec())
                .filter(|it| self.is_called(it, name))
                .collect()
        }))
    }

    /// What an entry of a registry may be: of `require(path.join(dir, name))(sequelize)` the result of each file.
    fn loaded_results(&self, (file, node): Site) -> Vec<Values> {
        let Some(module) = self.module(file) else { return Vec::new() };
        let init = match module.kind(node) {
            Kind::Name { binding, .. } => {
                let declared = module.binding(binding).map_or(NodeId::NONE, |binding| binding.node);
                match module.kind(module.parent(declared)) {
                    Kind::Declarator { init, .. } => init,
                    _ => node,
                }
            }
            _ => node,
        };
        let loaded = match module.kind(init) {
            Kind::Call { callee, .. } => self.loaded_exports((file, callee)),
            _ => Vec::new(),
        };
        if loaded.is_empty() {
            return vec![self.value_of((file, node))];
        }
        loaded
            .into_iter()
            .map(|export| match export {
                Value::Function(file, function) => self.result(file, function),
                other => one(other),
            })
            .collect()
    }

    /// Whether a class or model has a name: `class User`, `sequelize.define("User", …)`.
    fn is_called(&self, value: &Value, name: &str) -> bool {
        match value {
            Value::Class(file, class) => {
                let module = self.module(*file);
                let own = module.and_then(|module| Some(module.str(module.class(*class)?.name)));
                own.is_some_and(|own| own.eq_ignore_ascii_case(name))
            }
            Value::External(external) => {
                let text =
                    external.site().and_then(|site| self.argument(site, 0)).and_then(|it| self.text_of(it));
                text.is_some_and(|text| text.eq_ignore_ascii_case(name))
            }
            _ => false,
        }
    }

    /// What any property of object literals is; nothing where they have more than are kept apart.
    pub(super) fn any_property(&self, values: &[Value]) -> Values {
        join(values.iter().filter_map(|value| {
            let Value::Object(file, object) = value else { return None };
            let module = self.module(*file)?;
            let Kind::Object(parts) = module.kind(*object) else { return None };
            if parts.len() > MAX_ALTERNATIVES {
                return None;
            }
            let properties = module.list(parts).filter_map(|part| match module.kind(part) {
                Kind::Property { value, .. } if value.is_some() => Some(self.value_of((*file, value))),
                _ => None,
            });
            Some(join(properties))
        }))
    }

    fn class_member(&self, file: FileId, class: ClassId, name: &str, is_static: bool) -> Values {
        let question = Question::ClassMember(file, class, self.memo.name(name), is_static);
        self.memo.ask(question, || self.find_class_member(file, class, name, is_static))
    }

    fn find_class_member(&self, file: FileId, class: ClassId, name: &str, is_static: bool) -> Values {
        let found = self.inherited_member(file, class, name, is_static);
        if found.is_empty() && !is_static { self.member_of_heirs(file, class, name) } else { found }
    }

    /// What classes that extend this one fill a member with that it only declares: `protected abstract model`.
    fn member_of_heirs(&self, file: FileId, class: ClassId, name: &str) -> Values {
        let Some(module) = self.module(file) else { return none() };
        let Some(own) = module.class(class).map(|it| module.str(it.name)) else { return none() };
        let heirs = self.program.extending(own).iter().take(MAX_HEIRS);
        let heirs = heirs.filter(|heir| self.base(heir.0, heir.1) == Some((file, class)));
        let filled: Vec<Values> = heirs.map(|heir| self.own_member(heir.0, heir.1, name, false)).collect();
        let joined = join(filled.iter().cloned());
        // Too many to keep apart: the first says what they are.
        if joined.is_empty() {
            filled.into_iter().find(|it| !it.is_empty()).unwrap_or_default()
        } else {
            joined
        }
    }

    fn inherited_member(&self, file: FileId, class: ClassId, name: &str, is_static: bool) -> Values {
        let mut current = (file, class);
        for _ in 0..MAX_BASES {
            let own = self.own_member(current.0, current.1, name, is_static);
            if !own.is_empty() {
                return own;
            }
            let bases = self.heritage(current.0, current.1);
            match bases.iter().find(|base| matches!(base, Value::Class(..) | Value::External(_))) {
                Some(Value::Class(file, class)) => current = (*file, *class),
                Some(Value::External(external)) => {
                    let base = if is_static { external.clone() } else { external.then(Step::Extended) };
                    return one(Value::External(base.then(Step::Get(name.into()))));
                }
                _ => break,
            }
        }
        none()
    }

    /// What `super` stands for in a class.
    pub(super) fn above(&self, file: FileId, class: ClassId, is_static: bool) -> Values {
        let above = self.heritage(file, class).iter().find_map(|base| match base {
            Value::Class(file, class) if is_static => Some(Value::Class(*file, *class)),
            Value::Class(file, class) => Some(Value::Instance(*file, *class)),
            Value::External(external) if is_static => Some(Value::External(external.clone())),
            Value::External(external) => Some(Value::External(external.then(Step::Extended))),
            _ => None,
        });
        above.map_or_else(none, one)
    }

    pub(super) fn heritage(&self, file: FileId, class: ClassId) -> Values {
        let class = self.module(file).and_then(|module| module.class(class));
        class
            .and_then(|class| class.heritage.ok())
            .map_or_else(none, |heritage| self.value_of((file, heritage)))
    }

    fn own_member(&self, file: FileId, class: ClassId, name: &str, is_static: bool) -> Values {
        let Some(module) = self.module(file) else { return none() };
        let Some(lowered) = module.class(class) else { return none() };
        let members =
            lowered.members.iter().filter(|it| it.is_static == is_static && module.str(it.name) == name);
        let mut found = Vec::new();
        for member in members {
            found.push(match (member.kind, module.kind(member.value)) {
                (MemberKind::Getter, Kind::Function(function)) => self.result(file, function),
                (MemberKind::Method, _) => self.value_of((file, member.value)),
                (MemberKind::Field, _) if member.value.is_some() => self.value_of((file, member.value)),
                (MemberKind::Field | MemberKind::ParameterProperty, _) => {
                    let decorators = match member.kind {
                        MemberKind::ParameterProperty => parameter_decorators(module, member.value),
                        _ => member.decorators.clone(),
                    };
                    let injected = self.injected(file, &decorators);
                    let known = if injected.is_empty() { self.typed(file, member.type_id) } else { injected };
                    if member.kind == MemberKind::ParameterProperty {
                        self.narrowed(known, (file, member.value))
                    } else {
                        known
                    }
                }
                _ => none(),
            });
        }
        if let Some(index) = self.program.index(file) {
            let assigned = index.fields(class, name).iter().map(|value| self.value_of((file, *value)));
            found.extend(assigned);
        }
        let declared = found.first().cloned();
        let values = join(found);
        // Too many alternatives to keep apart; the first says of what kind they are.
        if values.is_empty() { declared.unwrap_or_default() } else { values }
    }

    /// What is passed for a parameter, where its type says nothing, or no more than a class above.
    fn narrowed(&self, typed: Values, parameter: Site) -> Values {
        let [Value::Instance(file, class)] = &*typed else {
            return if typed.is_empty() { self.value_of(parameter) } else { typed };
        };
        let passed = self.value_of(parameter);
        let is_below = |value: &Value| match value {
            Value::Instance(below, heir) => self.extends((*below, *heir), (*file, *class)),
            _ => false,
        };
        if !passed.is_empty() && passed.iter().all(is_below) { passed } else { typed }
    }

    fn extends(&self, mut class: (FileId, ClassId), above: (FileId, ClassId)) -> bool {
        for _ in 0..MAX_BASES {
            if class == above {
                return true;
            }
            let Some(base) = self.base(class.0, class.1) else { return false };
            class = base;
        }
        false
    }

    /// What a value of a declared type is.
    #[must_use]
    pub fn typed_value(&self, file: FileId, type_id: TypeId) -> Values {
        self.typed(file, type_id)
    }

    /// What a value of a declared type is: an object of that class, or of a class that implements it.
    pub(super) fn typed(&self, file: FileId, type_id: TypeId) -> Values {
        if !type_id.is_some() {
            return none();
        }
        self.memo.ask(Question::Type(file, type_id), || self.find_typed(file, type_id))
    }

    fn find_typed(&self, file: FileId, type_id: TypeId) -> Values {
        let Some(module) = self.module(file) else { return none() };
        let Some(declared) = module.type_ref(type_id) else { return none() };
        match declared.form {
            TypeForm::Reference if declared.binding.is_some() => {}
            // `Omit<PrismaClient, "$connect">`
            TypeForm::Reference if WRAPPING_TYPES.contains(&module.str(declared.name)) => {
                return self.typed(file, declared.argument);
            }
            // `ReturnType<typeof connect>`
            TypeForm::Reference if module.str(declared.name) == "ReturnType" => {
                let functions = self.typed(file, declared.argument);
                return join(functions.iter().map(|value| match value {
                    Value::Function(file, function) => self.result(*file, *function),
                    _ => none(),
                }));
            }
            TypeForm::Query => return self.binding(file, declared.binding),
            TypeForm::Member => {
                return self.typed_member((file, declared.argument), module.str(declared.name), 0);
            }
            TypeForm::Literal => return self.typed(file, declared.argument),
            _ => return none(),
        }
        let values = self.binding(file, declared.binding);
        join(values.iter().map(|value| match value {
            // An abstract class may be a token for one that extends it.
            Value::Class(file, class) => {
                let bound = if self.program.injects() { self.bound(value, 0) } else { none() };
                if bound.is_empty() { one(Value::Instance(*file, *class)) } else { bound }
            }
            Value::Interface(file, binding) => {
                let alias =
                    self.module(*file).and_then(|module| module.binding(*binding)).map(|it| it.type_id);
                let aliased = alias.map_or_else(none, |type_id| self.typed(*file, type_id));
                join([self.implementors(*file, *binding), aliased])
            }
            Value::External(external) => {
                one(Value::External(external.then(Step::Type(module.str(declared.name).into()))))
            }
            _ => none(),
        }))
    }

    /// What a member of a declared type is: by the type's own members, or as a member of its values.
    pub(super) fn typed_member(&self, (file, type_id): (FileId, TypeId), name: &str, depth: usize) -> Values {
        let declared = self.module(file).and_then(|module| Some((module, module.type_ref(type_id)?)));
        let Some((module, declared)) = declared.filter(|_| depth < MAX_BASES) else { return none() };
        let own = match declared.form {
            TypeForm::Literal => match module.type_member(type_id, name) {
                Some(member) => return self.typed(file, member),
                None => return self.typed_member((file, declared.argument), name, depth + 1),
            },
            TypeForm::Reference if declared.binding.is_some() => {
                let types = self.binding(file, declared.binding);
                join(types.iter().map(|value| match value {
                    Value::Interface(file, binding) => {
                        let alias =
                            self.module(*file).and_then(|it| it.binding(*binding)).map(|it| it.type_id);
                        alias.map_or_else(none, |alias| self.typed_member((*file, alias), name, depth + 1))
                    }
                    _ => none(),
                }))
            }
            TypeForm::Reference if WRAPPING_TYPES.contains(&module.str(declared.name)) => {
                self.typed_member((file, declared.argument), name, depth + 1)
            }
            _ => none(),
        };
        if own.is_empty() { self.member(&self.typed(file, type_id), name) } else { own }
    }

    /// What a member of a parameter is by the parameter's declared type.
    fn declared_member(&self, file: FileId, function: FunctionId, index: usize, name: &str) -> Values {
        let Some(module) = self.module(file) else { return none() };
        let parameters = module.function(function).map(|it| it.parameters);
        let Some(pattern) = parameters.and_then(|list| module.list(list).nth(index)) else { return none() };
        let target = match module.kind(pattern) {
            Kind::Default { target, .. } => target,
            _ => pattern,
        };
        let Kind::Binding(binding) = module.kind(target) else { return none() };
        let type_id = module.binding(binding).map_or(TypeId::NONE, |it| it.type_id);
        self.typed_member((file, type_id), name, 0)
    }

    /// What a call gives back.
    pub(super) fn called(&self, values: &[Value], site: Site) -> Values {
        join(values.iter().map(|value| match value {
            Value::Function(file, function) => self.unwrapped(*file, *function, site),
            Value::External(external) => {
                if gives_first(external) {
                    return self.argument(site, 0).map_or_else(none, |first| self.value_of(first));
                }
                let is_back = gives_back(external) || self.wraps_handlers(external);
                let handed_back = if is_back { self.handed_function(site) } else { none() };
                if handed_back.is_empty() {
                    one(Value::External(external.then(Step::Call(site))))
                } else {
                    handed_back
                }
            }
            _ => none(),
        }))
    }

    /// Whether a package's export gives back the handler that it is handed, its failures passed on: what the framework
    /// passes to the one, the other gets.
    fn wraps_handlers(&self, external: &External) -> bool {
        let (Root::Package(_), [] | [Step::Get(_)]) = (&external.root, &*external.steps) else {
            return false;
        };
        let (on, name) = match self.fold(external) {
            Folded::Held(on) => (on, Arc::from("")),
            Folded::Member(on, name) => (on, name),
            Folded::Result(_) | Folded::Unknown => return false,
        };
        let knowledge = self.program.knowledge();
        let found = knowledge.member_nearest(on.lib, on.handle, &name, on.module.as_deref(), None);
        found.is_some_and(|found| {
            found.row.effect == Effect::ErrorForward && found.row.returns == Returns::Middleware
        })
    }

    /// The function that is the first argument of a call.
    fn handed_function(&self, (file, call): Site) -> Values {
        let argument = self.module(file).and_then(|module| match module.kind(call) {
            Kind::Call { arguments, .. } => module.list(arguments).next(),
            _ => None,
        });
        let values = argument.map_or_else(none, |node| self.value_of((file, node)));
        values.iter().filter(|value| matches!(value, Value::Function(..))).cloned().collect()
    }

    /// `catchErrors(handler)` is the handler: a function that gives back a closure of its own, called with functions,
    /// stands for those functions. Which closure it gives back says nothing about this call.
    fn unwrapped(&self, file: FileId, function: FunctionId, (caller, call): Site) -> Values {
        let result = self.result(file, function);
        let is_closure = |value: &Value| match value {
            Value::Function(inner_file, inner) => {
                let parent =
                    self.module(*inner_file).and_then(|module| module.function(*inner)).map(|it| it.parent);
                *inner_file == file && parent == Some(function)
            }
            _ => false,
        };
        if result.is_empty() {
            return self.kept_result(file, function, (caller, call));
        }
        if !result.iter().any(is_closure) {
            return result;
        }
        let Some(module) = self.module(caller) else { return result };
        let Kind::Call { arguments, .. } = module.kind(call) else { return result };
        let passed = join(module.list(arguments).map(|argument| {
            let values = self.value_of((caller, argument));
            values.iter().filter(|value| matches!(value, Value::Function(..))).cloned().collect()
        }));
        if passed.is_empty() { result } else { passed }
    }

    /// `singleton("db", () => new Client())`: a function of which nothing else is known gives back what the function that
    /// it is given gives, if it calls that.
    fn kept_result(&self, file: FileId, function: FunctionId, (caller, call): Site) -> Values {
        let (Some(module), Some(passing)) = (self.module(file), self.module(caller)) else { return none() };
        let Some(parameters) = module.function(function).map(|it| it.parameters) else { return none() };
        let Kind::Call { arguments, .. } = passing.kind(call) else { return none() };
        let made = module.list(parameters).zip(passing.list(arguments)).map(|(parameter, argument)| {
            let Kind::Binding(binding) = module.kind(parameter) else { return none() };
            let is_called = module.references(binding).iter().any(|name| {
                matches!(module.kind(module.parent(*name)), Kind::Call { callee, .. } if callee == *name)
            });
            if !is_called {
                return none();
            }
            let values = self.value_of((caller, argument));
            join(values.iter().map(|value| match value {
                Value::Function(file, function) => self.result(*file, *function),
                _ => none(),
            }))
        });
        join(made)
    }

    pub(super) fn constructed(values: &[Value], site: Site) -> Values {
        join(values.iter().map(|value| match value {
            Value::Class(file, class) => one(Value::Instance(*file, *class)),
            Value::External(external) => one(Value::External(external.then(Step::New(site)))),
            _ => none(),
        }))
    }

    /// The values a function gives back; a promise counts as what it promises.
    #[must_use]
    pub fn result(&self, file: FileId, function: FunctionId) -> Values {
        let answer = || {
            let Some(index) = self.program.index(file) else { return none() };
            let returned = join(index.returns(function).iter().map(|value| self.value_of((file, *value))));
            if !returned.is_empty() {
                return returned;
            }
            // What its code does not tell, its declared type may.
            let declared = self.module(file).and_then(|module| module.function(function));
            declared.map_or_else(none, |declared| self.typed(file, declared.return_type))
        };
        self.memo.ask(Question::Result(file, function), answer)
    }
}

impl External {
    /// One step further.
    #[must_use]
    pub fn then(&self, step: Step) -> Self {
        let steps: Arc<[Step]> = self.steps.iter().cloned().chain(std::iter::once(step)).collect();
        Self { root: self.root.clone(), steps }
    }
}

/// Whether a call of it gives back its first argument: `Object.assign(target, …)`, `Object.freeze(object)`.
fn gives_first(external: &External) -> bool {
    let (Root::Global(root), [Step::Get(name)]) = (&external.root, &*external.steps) else { return false };
    &**root == "Object" && matches!(&**name, "assign" | "freeze" | "seal" | "preventExtensions")
}

/// Whether a call of it gives back the function that it is handed, as good as unchanged: a memoised callback or component.
fn gives_back(external: &External) -> bool {
    let last = external.steps.last();
    matches!(last, Some(Step::Get(name)) if matches!(&**name, "useCallback" | "memo" | "forwardRef" | "useEffectEvent"))
}

#[cfg(test)]
mod tests;
