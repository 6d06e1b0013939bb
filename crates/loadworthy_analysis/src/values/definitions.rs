//! What a declared name is: its initial value, everything assigned to it, its import, its type, or its arguments.

use std::sync::Arc;

use loadworthy_knowledge::{HandleId, LibId};
use loadworthy_project::FileId;
use loadworthy_syntax::{
    BindingId, BindingKind, ClassId, FunctionId, ImportName, Kind, List, MemberKind, Module, NodeId,
};

use super::injection::parameter_decorators;
use super::members::MAX_BASES;
use super::memo::Question;
use super::{External, Resolver, Root, Site, Value, Values, is_require, join, none, one};
use crate::handles::Folded;
use crate::index::enclosing_class;
use crate::links::Position;

/// Most call sites that are asked what they pass.
const MAX_CALL_SITES: usize = 64;

/// Where the resolver of a GraphQL field is passed the context of the request.
const CONTEXT: usize = 2;

/// How often a callback is handed on before a library gets it, at most.
const MAX_HANDED_ON: usize = 3;

impl Resolver<'_> {
    /// What a declared name stands for.
    #[must_use]
    pub fn declared_by(&self, (file, binding): (FileId, BindingId)) -> Values {
        self.binding(file, binding)
    }

    /// What a name may stand for.
    pub(super) fn binding(&self, file: FileId, id: BindingId) -> Values {
        let Some(module) = self.module(file) else { return none() };
        let Some(binding) = module.binding(id) else { return none() };
        match binding.kind {
            BindingKind::Import(import) => {
                let Some(import) = module.import(import) else { return none() };
                let source = module.str(import.source);
                match import.name {
                    ImportName::Named(name) => self.imported(file, source, module.str(name)),
                    ImportName::Default => self.imported(file, source, "default"),
                    ImportName::Namespace => self.required(file, source, false),
                }
            }
            BindingKind::Function | BindingKind::Class => match module.kind(binding.node) {
                Kind::Function(function) => one(Value::Function(file, function)),
                Kind::Class(class) => one(Value::Class(file, class)),
                _ => none(),
            },
            BindingKind::Constant => self.declared(file, id),
            BindingKind::Variable => join([self.declared(file, id), self.assigned(file, module, id)]),
            BindingKind::Parameter => {
                let declared = self.declared(file, id);
                // What is passed says more than a type; a type more than a parameter nobody was seen to fill.
                let passed = self.filled(&declared);
                let typed = self.typed(file, binding.type_id);
                // A row that a library gave is an object of the declared class, too.
                if let [Value::Rest(..)] = &*passed {
                    return if typed.is_empty() { passed } else { join([passed, typed]) };
                }
                let is_row = passed.iter().all(|value| matches!(value, Value::External(_)))
                    && typed.iter().any(|value| matches!(value, Value::Instance(..)));
                // What a package gives of which nothing is known says less than the type.
                let is_unknown = !typed.is_empty()
                    && passed.iter().all(|value| match value {
                        Value::External(external) => matches!(self.fold(external), Folded::Unknown),
                        _ => false,
                    });
                if !passed.is_empty() && !is_unknown {
                    return if is_row { join([passed, typed]) } else { passed };
                }
                if typed.is_empty() { declared } else { typed }
            }
            BindingKind::Type => one(Value::Interface(file, id)),
            BindingKind::Catch => none(),
        }
    }

    /// By its declaration; by its declared type where that gives nothing.
    fn declared(&self, file: FileId, id: BindingId) -> Values {
        let Some(module) = self.module(file) else { return none() };
        let Some(binding) = module.binding(id) else { return none() };
        let values = self.pattern_value(file, binding.node);
        if values.is_empty() { self.typed(file, binding.type_id) } else { values }
    }

    fn assigned(&self, file: FileId, module: &Module, id: BindingId) -> Values {
        join(module.references(id).iter().filter_map(|name| {
            let parent = module.parent(*name);
            match module.kind(parent) {
                Kind::Assign { target, value, .. } if target == *name => Some(self.value_of((file, value))),
                _ => None,
            }
        }))
    }

    /// The values with each parameter replaced by what its call sites pass, where any is known.
    #[must_use]
    pub fn filled(&self, values: &[Value]) -> Values {
        join(values.iter().map(|value| match value {
            Value::Parameter(file, function, index) => self.arguments(*file, *function, *index),
            other => one(other.clone()),
        }))
    }

    /// What the call sites pass for a parameter, or a library where the function is a callback.
    pub(super) fn arguments(&self, file: FileId, function: FunctionId, index: usize) -> Values {
        let Some(links) = self.links() else { return none() };
        let sites = links.call_sites(file, function);
        let passed = sites.iter().take(MAX_CALL_SITES).filter_map(|(caller, call)| {
            let module = self.module(*caller)?;
            let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = module.kind(*call) else {
                return None;
            };
            Some(self.argument_value((*caller, module), arguments, index))
        });
        let by_library = || self.handed(file, function, index);
        let question = Question::Argument(file, function, index);
        self.memo.ask(question, || {
            let all: Vec<Values> = passed.chain(std::iter::once_with(by_library)).collect();
            let joined = join(all.iter().cloned());
            // Too many to keep apart, but all of one kind: the first says of which.
            if joined.is_empty() { one_kind(&all).map_or(joined, one) } else { joined }
        })
    }

    /// `f(a, ...rest)`: what stands at a position, counted through lists that are spread.
    fn argument_value(&self, (file, module): (FileId, &Module), arguments: List, index: usize) -> Values {
        for (at, argument) in module.list(arguments).enumerate().take(index.saturating_add(1)) {
            if let Kind::Spread(list) = module.kind(argument) {
                return self.elements(&self.value_of((file, list)), Some(index - at));
            }
            if at == index {
                return self.value_of((file, argument));
            }
        }
        none()
    }

    /// What the call sites pass at a position before the last.
    pub(super) fn arguments_from_end(&self, file: FileId, function: FunctionId, back: usize) -> Values {
        let Some(links) = self.links() else { return none() };
        let sites = links.call_sites(file, function);
        let passed: Vec<Values> = sites
            .iter()
            .take(MAX_CALL_SITES)
            .filter_map(|(caller, call)| {
                let module = self.module(*caller)?;
                let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = module.kind(*call) else {
                    return None;
                };
                let index = arguments.len().checked_sub(back)?;
                Some(self.argument_value((*caller, module), arguments, index))
            })
            .collect();
        let joined = join(passed.iter().cloned());
        if joined.is_empty() { one_kind(&passed).map_or(joined, one) } else { joined }
    }

    /// What a library passes for a parameter of a function that it calls: a callback, one that stands where the library
    /// looks for it, one that its type says is a callback; or what a decorator of the parameter asks for.
    fn handed(&self, file: FileId, function: FunctionId, index: usize) -> Values {
        let Some(links) = self.links() else { return none() };
        let decorated = self.decorated(file, function, index);
        if !decorated.is_empty() {
            return passed_by_libraries(decorated);
        }
        let mut held = Vec::new();
        let mut elements = Vec::new();
        for passed in links.passed_sites(file, function) {
            let (caller, call) = passed.call;
            let handles = self.handles_passed(caller, call, passed.argument, index);
            if handles.is_empty() && passed.property.is_none() {
                elements.push(self.element_passed(passed.call, passed.argument, index));
            }
            held.extend(handles);
            if passed.property.is_none() {
                let (given, handles) = self.called_back(passed.call, passed.argument, index, 0);
                elements.push(given);
                held.extend(handles);
            }
        }
        let positions = links.positions(file, function);
        held.extend(positions.iter().filter_map(|position| self.handles_of_position(position, index)));
        if index == CONTEXT && positions.iter().any(|position| self.is_resolver(position)) {
            let contexts = self.program.contexts().iter();
            elements.extend(contexts.map(|(file, function)| self.result(*file, *function)));
        }
        let elements = join(elements);
        if held.is_empty() && elements.is_empty() {
            held.extend(self.of_contextual_type(file, function, index));
        }
        join([passed_by_libraries(held), elements, self.injected_parameter(file, function, index)])
    }

    fn is_resolver(&self, position: &Position) -> bool {
        self.program.knowledge().handle_name(position.of) == "resolver map"
    }

    /// What a function of the program passes to a callback that it is handed, or what the library does to which it hands the
    /// callback on: `withTransaction(async (tx) => …)`.
    fn called_back(
        &self,
        (passer, call): Site,
        argument: usize,
        index: usize,
        depth: usize,
    ) -> (Values, Vec<(LibId, HandleId)>) {
        let mut given = Vec::new();
        let mut handles = Vec::new();
        let target = self.module(passer).map(|passing| passing.kind(call));
        let Some(Kind::Call { callee: target, .. }) = target else { return (none(), handles) };
        for target in self.value_of((passer, target)).iter() {
            let Value::Function(file, function) = target else { continue };
            let Some(module) = self.module(*file) else { continue };
            let parameters = module.function(*function).map(|it| it.parameters);
            let pattern = parameters.and_then(|list| module.list(list).nth(argument));
            let Some(Kind::Binding(callback)) = pattern.map(|pattern| module.kind(pattern)) else { continue };
            for name in module.references(callback) {
                let parent = module.parent(*name);
                let Kind::Call { callee, arguments } = module.kind(parent) else { continue };
                if callee == *name {
                    given.extend(
                        module.list(arguments).nth(index).map(|passed| self.value_of((*file, passed))),
                    );
                } else if let Some(at) = module.list(arguments).position(|it| it == *name)
                    && depth < MAX_HANDED_ON
                {
                    handles.extend(self.handles_passed(*file, parent, at, index));
                    let (values, more) = self.called_back((*file, parent), at, index, depth + 1);
                    given.push(values);
                    handles.extend(more);
                }
            }
        }
        (join(given), handles)
    }

    /// What a callback that runs for each element is passed: an element; what `then` passes on: what was promised.
    fn element_passed(&self, call: Site, argument: usize, parameter: usize) -> Values {
        let Some(elements) = self.elements_of_callback(call, argument, parameter) else { return none() };
        let values = self.filled(&self.value_of(elements.list));
        if elements.is_whole { values } else { self.elements(&values, None) }
    }

    /// `@Body() input`: what the decorators of a method's parameter ask for. Those of constructors inject services.
    fn decorated(&self, file: FileId, function: FunctionId, index: usize) -> Vec<(LibId, HandleId)> {
        let Some(module) = self.module(file) else { return Vec::new() };
        let Some(lowered) = module.function(function).filter(|it| it.class.is_some()) else {
            return Vec::new();
        };
        let Some(pattern) = module.list(lowered.parameters).nth(index) else { return Vec::new() };
        if module.str(lowered.name) == "constructor" {
            return Vec::new();
        }
        let decorators = parameter_decorators(module, pattern).into_iter();
        let asked = decorators.flat_map(|decorator| self.decorators_of((file, decorator)));
        asked.filter_map(|(lib, name)| self.program().knowledge().injected(lib, &name)).collect()
    }

    /// `const list: RequestHandler = (req, res) => …`
    fn of_contextual_type(
        &self,
        file: FileId,
        function: FunctionId,
        index: usize,
    ) -> Option<(LibId, HandleId)> {
        let module = self.module(file)?;
        let node = module.function(function)?.node;
        let Kind::Declarator { target, init } = module.kind(module.parent(node)) else { return None };
        let Kind::Binding(binding) = module.kind(target) else { return None };
        if init != node {
            return None;
        }
        let typed = self.typed(file, module.binding(binding)?.type_id);
        self.folded(&typed).into_iter().find_map(|folded| match folded {
            Folded::Held(held) => {
                self.program().knowledge().callback_param(held.lib, held.handle, "", 0, 1, index, None)
            }
            _ => None,
        })
    }

    fn implementors_of(&self, file: FileId, binding: BindingId) -> &[(FileId, ClassId)] {
        self.links().map_or(&[], |links| links.implementors(file, binding))
    }

    /// Objects of the classes that implement an interface.
    pub(super) fn implementors(&self, file: FileId, binding: BindingId) -> Values {
        let classes = self.implementors_of(file, binding);
        classes.iter().map(|(file, class)| Value::Instance(*file, *class)).collect()
    }

    /// The functions of the program that a call or construction runs.
    pub(crate) fn callees(&self, file: FileId, module: &Module, call: NodeId) -> Vec<(FileId, FunctionId)> {
        let (callee, is_new) = match module.kind(call) {
            Kind::Call { callee, .. } => (callee, false),
            Kind::New { callee, .. } => (callee, true),
            _ => return Vec::new(),
        };
        if module.kind(callee) == Kind::Super {
            return self.base_constructor(file, module, callee).into_iter().collect();
        }
        let values = self.value_of((file, callee));
        if values.is_empty() {
            return self.loaded_functions((file, callee));
        }
        values
            .iter()
            .filter_map(|value| match value {
                // `new Strategy()` of a function is an older class.
                Value::Function(file, function) => Some((*file, *function)),
                Value::Class(file, class) if is_new => self.constructor(*file, *class),
                _ => None,
            })
            .collect()
    }

    /// `require(path.join(dir, name))(app)`: what the files that may be loaded export.
    fn loaded_functions(&self, callee: (FileId, NodeId)) -> Vec<(FileId, FunctionId)> {
        let exports = self.loaded_exports(callee);
        let functions = exports.iter().filter_map(|value| match value {
            Value::Function(file, function) => Some((*file, *function)),
            _ => None,
        });
        functions.collect()
    }

    /// What the files export as a whole that a `require` or `import` of no constant may load; through a constant, an
    /// `await` and `.default` as well.
    #[must_use]
    pub fn loaded_exports(&self, (file, node): (FileId, NodeId)) -> Vec<Value> {
        let Some(module) = self.module(file) else { return Vec::new() };
        let mut node = node;
        // `const route = require(…)`, `(await import(…)).default`: a few steps at most.
        for _ in 0..4 {
            node = match module.kind(node) {
                Kind::Name { binding, .. } if binding.is_some() => {
                    let declared = module.binding(binding).map_or(NodeId::NONE, |binding| binding.node);
                    let mut parent = module.parent(declared);
                    // `const { default: route } = await import(…)`
                    if matches!(module.kind(parent), Kind::Property { key, .. } if module.str(key) == "default")
                    {
                        parent = module.parent(module.parent(parent));
                    }
                    match module.kind(parent) {
                        Kind::Declarator { init, .. } => init,
                        _ => return Vec::new(),
                    }
                }
                Kind::Await(value) => value,
                Kind::Member { object, name } if module.str(name) == "default" => object,
                Kind::Call { callee, arguments } if is_require(module, callee) => {
                    let Some(source) = module.list(arguments).next() else { return Vec::new() };
                    return self.whole_exports(&self.loaded_files((file, source)));
                }
                Kind::Import(source) => return self.whole_exports(&self.loaded_files((file, source))),
                _ => return Vec::new(),
            };
        }
        Vec::new()
    }

    fn whole_exports(&self, files: &[FileId]) -> Vec<Value> {
        files.iter().flat_map(|file| self.export(*file, "default").to_vec()).collect()
    }

    /// The constructor that `super(…)` runs.
    fn base_constructor(&self, file: FileId, module: &Module, node: NodeId) -> Option<(FileId, FunctionId)> {
        let (file, class) = self.base(file, enclosing_class(module, node)?)?;
        self.constructor(file, class)
    }

    /// The constructor that making an object runs: the class's own, or the one it has from a class above.
    fn constructor(&self, file: FileId, class: ClassId) -> Option<(FileId, FunctionId)> {
        let mut current = (file, class);
        for _ in 0..MAX_BASES {
            let module = self.module(current.0)?;
            let members = &module.class(current.1)?.members;
            let own = members.iter().find(|it| it.kind == MemberKind::Constructor);
            match own.map(|it| module.kind(it.value)) {
                Some(Kind::Function(function)) => return Some((current.0, function)),
                Some(_) => return None,
                None => current = self.base(current.0, current.1)?,
            }
        }
        None
    }

    /// The class of the program that a class extends.
    pub(crate) fn base(&self, file: FileId, class: ClassId) -> Option<(FileId, ClassId)> {
        self.heritage(file, class).iter().find_map(|base| match base {
            Value::Class(file, class) => Some((*file, *class)),
            _ => None,
        })
    }
}

/// The first of many values that one package gives: `prisma.user`, `prisma.order`, …
fn one_kind(all: &[Values]) -> Option<Value> {
    let mut values = all.iter().flat_map(|values| values.iter());
    let first = values.next()?;
    let Value::External(External { root: Root::Package(package), .. }) = first else { return None };
    let is_alike = |value: &Value| matches!(value, Value::External(External { root: Root::Package(other), .. }) if other == package);
    values.all(is_alike).then(|| first.clone())
}

fn passed_by_libraries(held: Vec<(LibId, HandleId)>) -> Values {
    let values = held.into_iter().map(|(lib, handle)| {
        one(Value::External(External { root: Root::Passed(lib, handle), steps: Arc::default() }))
    });
    join(values)
}
