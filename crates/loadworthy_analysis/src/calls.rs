//! What every call of the program does: the functions it runs, the library member it is of, and the functions handed to
//! it. Found once, in parallel, and shared by everything after.

use loadworthy_knowledge::{Callback, Effect, Flag, HandleId, Knowledge, LibId, Member, Runs};
use loadworthy_project::FileId;
use loadworthy_syntax::{BindingKind, FunctionId, Kind, Module, NodeId};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::handles::{Called, Folded};
use crate::links::{FunctionRef, functions_in, nested_functions_in};
use crate::loops::loops_around;
use crate::methods::Methods;
use crate::program::Program;
use crate::values::{Resolver, Root, Site, Value};

/// A call, construction or tagged template.
#[derive(Clone, Debug)]
pub struct Call<'p> {
    /// The node.
    pub site: Site,
    /// The function whose code holds it; [`FunctionId::NONE`] at module level.
    pub function: FunctionId,
    /// Functions of the program that it may run.
    pub targets: Vec<FunctionRef>,
    /// The library member that it is of.
    pub library: Option<LibraryCall<'p>>,
    /// Functions that are arguments of it, or properties of an argument.
    pub handed: Vec<Handed>,
}

/// A call of a library's member.
#[derive(Clone, Debug)]
pub struct LibraryCall<'p> {
    /// The library.
    pub lib: LibId,
    /// What it is called on.
    pub on: HandleId,
    /// The member; empty where the object itself is called.
    pub name: Box<str>,
    /// Names read from the object before: `user` of `prisma.user.findMany`.
    pub path: Vec<Box<str>>,
    /// The import specifier the object came from.
    pub module: Option<Box<str>>,
    /// Where the object was made.
    pub made_at: Option<Site>,
    /// The options that it was made with.
    pub options: Option<Site>,
    /// What the member does; absent where the knowledge does not say.
    pub member: Option<&'p Member>,
    /// Whether `member` was stated for the installed version.
    pub is_exact: bool,
}

/// A function that is handed to a call.
#[derive(Clone, Debug)]
pub struct Handed {
    /// The function.
    pub function: FunctionRef,
    /// The argument.
    pub argument: usize,
    /// When it runs; absent where nothing is known of the callee.
    pub runs: Option<Runs>,
    /// Whether one run ends before the next begins.
    pub is_sequential: bool,
    /// For per-element runs: what holds the elements.
    pub elements: Option<Site>,
    /// Whether something limits how many run at once.
    pub is_limited: bool,
}

impl LibraryCall<'_> {
    /// What the member does.
    #[must_use]
    pub fn effect(&self) -> Option<Effect> {
        self.member.map(|member| member.effect)
    }

    /// Whether the member's row has a flag.
    #[must_use]
    pub fn has(&self, flag: Flag) -> bool {
        self.member.is_some_and(|member| member.has(flag))
    }
}

/// Every call of the program.
#[derive(Debug, Default)]
pub struct Calls<'p> {
    files: Vec<FileCalls<'p>>,
}

#[derive(Debug, Default)]
struct FileCalls<'p> {
    calls: Vec<Call<'p>>,
    at: FxHashMap<NodeId, usize>,
    /// Positions in `calls`, in the order of functions, then of the calls.
    by_function: Vec<usize>,
}

impl<'p> Calls<'p> {
    /// Reads the calls of all files, on the threads of the current pool.
    pub(crate) fn find(program: &'p Program<'p>) -> Self {
        let count = program.project().files.len();
        let methods = Methods::find(program);
        let files = (0..count)
            .into_par_iter()
            .map_init(
                || Reader {
                    resolver: Resolver::new(program),
                    knowledge: program.knowledge(),
                    methods: &methods,
                },
                |reader, at| reader.file(FileId::new(at)),
            )
            .collect();
        Self { files }
    }

    /// The call at a node.
    #[must_use]
    pub fn at(&self, (file, node): Site) -> Option<&Call<'p>> {
        let file = self.files.get(file.index())?;
        file.calls.get(*file.at.get(&node)?)
    }

    /// Every call, in the order of files and nodes.
    pub fn iter(&self) -> impl Iterator<Item = &Call<'p>> + '_ {
        self.files.iter().flat_map(|file| file.calls.iter())
    }

    /// The calls of one file, in the order of their heads.
    #[must_use]
    pub fn of_file(&self, file: FileId) -> &[Call<'p>] {
        self.files.get(file.index()).map_or(&[], |file| &file.calls)
    }

    /// The calls in the own code of one function, its inner functions aside, in the order of their heads.
    pub fn of_function(&self, (file, function): FunctionRef) -> impl Iterator<Item = &Call<'p>> + '_ {
        let (calls, order) = self
            .files
            .get(file.index())
            .map_or((&[][..], &[][..]), |file| (file.calls.as_slice(), file.by_function.as_slice()));
        let owner = move |at: &usize| calls.get(*at).map_or(FunctionId::NONE, |call| call.function);
        let start = order.partition_point(|at| owner(at) < function);
        let own = order.get(start..).unwrap_or_default().iter().take_while(move |at| owner(at) == function);
        own.filter_map(move |at| calls.get(*at))
    }
}

struct Reader<'m, 'p> {
    resolver: Resolver<'p>,
    knowledge: &'p Knowledge,
    methods: &'m Methods,
}

/// A parameter that is called once for each element of another.
struct RepeatedParameter {
    /// The parameter that holds the elements.
    elements: usize,
    is_sequential: bool,
    is_limited: bool,
}

/// `run(items.slice(i, i + size))`: many elements a call.
fn takes_chunk(module: &Module, call: NodeId) -> bool {
    let Kind::Call { arguments, .. } = module.kind(call) else { return false };
    module.list(arguments).next().is_some_and(|first| {
        let text = module.source(first).to_lowercase();
        ["slice", "chunk", "batch"].iter().any(|word| text.contains(word))
    })
}

/// Whether a parameter is named like a limit on how many run at once.
fn limits_concurrency(parameter: &str) -> bool {
    let lower = parameter.to_lowercase();
    ["concurren", "limit", "batch", "parallel", "chunk"].iter().any(|word| lower.contains(word))
}

/// Where a function stands among the arguments of a call.
#[derive(Clone, Copy)]
struct Position {
    argument: usize,
    count: usize,
    property: Option<NodeId>,
}

impl<'p> Reader<'_, 'p> {
    fn file(&self, file: FileId) -> FileCalls<'p> {
        let Some(module) = self.resolver.program().module(file) else { return FileCalls::default() };
        let calls: Vec<Call<'p>> = module.calls().iter().map(|node| self.call(file, module, *node)).collect();
        let at = calls.iter().enumerate().map(|(index, call)| (call.site.1, index)).collect();
        let mut by_function: Vec<usize> = (0..calls.len()).collect();
        by_function.sort_by_key(|at| calls.get(*at).map(|call| call.function));
        FileCalls { calls, at, by_function }
    }

    fn call(&self, file: FileId, module: &Module, node: NodeId) -> Call<'p> {
        let site = (file, node);
        let members = self.resolver.called_members(site);
        let mut targets = self.targets(file, module, node);
        let mut library = if targets.is_empty() { self.library(file, module, node, &members) } else { None };
        if targets.is_empty() && library.as_ref().is_none_or(|library| library.member.is_none()) {
            targets = self.methods(module, node);
            library = library.filter(|_| targets.is_empty());
        }
        if let Some(made_at) =
            library.as_ref().filter(|it| it.has(Flag::RunsHanded)).and_then(|it| it.made_at)
        {
            targets = self.handed_at(made_at);
        }
        // `row.getFiles()`: a method that a model's class has is none that the library makes for an association.
        if let Some(own) = library.as_ref().and_then(|library| self.own_methods(library)) {
            targets = own.to_vec();
            library = None;
        }
        let handed = self.handed(file, module, node, library.as_ref(), &targets);
        Call { site, function: module.enclosing_function(node), targets, library, handed }
    }

    /// The methods of the program's own models that have the name of a member which a library knows by a pattern alone.
    fn own_methods(&self, library: &LibraryCall<'p>) -> Option<&'p [FunctionRef]> {
        let is_pattern = !library.member?.names.iter().any(|name| **name == *library.name);
        let methods = self.resolver.program().heir_methods(&library.name);
        (is_pattern && !methods.is_empty() && methods.len() <= MAX_METHODS).then_some(methods)
    }

    fn targets(&self, file: FileId, module: &Module, node: NodeId) -> Vec<FunctionRef> {
        let mut targets = self.resolver.callees(file, module, node);
        if targets.is_empty()
            && let Kind::Call { callee, .. } = module.kind(node)
        {
            let filled = self.resolver.filled(&self.resolver.value_of((file, callee)));
            targets.extend(filled.iter().filter_map(|value| match value {
                Value::Function(file, function) => Some((*file, *function)),
                _ => None,
            }));
        }
        if targets.is_empty()
            && let Kind::Call { callee, .. } = module.kind(node)
        {
            targets.extend(self.by_name(file, module, callee));
        }
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// The functions that an object was made with: `new Breaker(load)`.
    fn handed_at(&self, made_at: Site) -> Vec<FunctionRef> {
        let Some(first) = self.resolver.argument(made_at, 0) else { return Vec::new() };
        let values = self.resolver.filled(&self.resolver.value_of(first));
        let functions = values.iter().filter_map(|value| match value {
            Value::Function(file, function) => Some((*file, *function)),
            _ => None,
        });
        functions.collect()
    }

    /// A method that only one class or object has, on an object of which nothing is known.
    fn by_name(&self, file: FileId, module: &Module, callee: NodeId) -> Option<FunctionRef> {
        let Kind::Member { object, name } = module.kind(callee) else { return None };
        let found = self.methods.only(self.resolver.program(), file, module.str(name))?;
        let receiver = self.resolver.filled(&self.resolver.value_of((file, object)));
        let is_unknown = receiver.iter().all(|value| match value {
            Value::External(external) => matches!(external.root, Root::Global(_)),
            Value::Parameter(..) | Value::Interface(..) => true,
            _ => false,
        });
        is_unknown.then_some(found)
    }

    /// A method that the program puts on the objects of a library's model, known by its name alone.
    fn methods(&self, module: &Module, node: NodeId) -> Vec<FunctionRef> {
        let Kind::Call { callee, .. } = module.kind(node) else { return Vec::new() };
        let Kind::Member { name, .. } = module.kind(callee) else { return Vec::new() };
        let methods = self.resolver.program().links().methods(module.str(name));
        if methods.len() <= MAX_METHODS { methods.to_vec() } else { Vec::new() }
    }

    /// A member whose name no other library has, called on an object that nothing is known of, in a package that depends on
    /// the library.
    fn unmistakable(&self, file: FileId, name: &str) -> Option<LibraryCall<'p>> {
        let project = self.resolver.program().project();
        let package = project.file(file)?.package;
        let (lib, on, row) = self.knowledge.unmistakable(name)?;
        let packages = self.knowledge.library(lib).packages.iter();
        if !packages.into_iter().any(|name| project.depends_on(package, package_name(name))) {
            return None;
        }
        Some(LibraryCall {
            lib,
            on,
            name: name.into(),
            path: Vec::new(),
            module: None,
            made_at: None,
            options: None,
            member: Some(row),
            is_exact: false,
        })
    }

    fn library(
        &self,
        file: FileId,
        module: &Module,
        node: NodeId,
        members: &[Called],
    ) -> Option<LibraryCall<'p>> {
        let calls = members.iter().map(|called| self.library_call(file, called));
        // Of several objects that it may be, the one whose member does something counts, and among those one that was seen
        // to be made: a declared type says less.
        let rank = |call: &LibraryCall<'p>| (call.member.is_some(), call.made_at.is_some());
        let best = calls.reduce(|best, other| if rank(&other) > rank(&best) { other } else { best });
        // `(secure ? https : http).get(…)` is one member, whichever object it is of.
        let is_one = members.windows(2).all(|two| match two {
            [a, b] => (a.on.lib, a.on.handle, &a.name) == (b.on.lib, b.on.handle, &b.name),
            _ => true,
        });
        let best = best.filter(|call| call.member.is_some() || is_one);
        let best = best.map(|call| self.by_class_argument(file, module, node, call));
        // `req.body.items.map(…)`, `rows.map(…)`: what hangs on an object of a library, or what one gave, is a value like any
        // other where the member is none that it is known to have.
        let is_value = |call: &LibraryCall<'p>| {
            !call.path.is_empty()
                || call.made_at.is_some()
                    && self.knowledge.callback(call.lib, call.on, &call.name, 0, 1).is_none()
        };
        if best.as_ref().is_some_and(|call| call.member.is_none() && is_value(call))
            && let Some(call) = self.prototype_method(module, node)
        {
            return Some(call);
        }
        best.or_else(|| self.builtin(file, module, node))
    }

    /// `client.send(new PutObjectCommand(input))`: the class of the first argument says what the call does.
    fn by_class_argument(
        &self,
        file: FileId,
        module: &Module,
        node: NodeId,
        call: LibraryCall<'p>,
    ) -> LibraryCall<'p> {
        let Kind::Call { arguments, .. } = module.kind(node) else { return call };
        let made = module.list(arguments).next().map(|first| module.kind(first));
        let Some(Kind::New { callee, .. }) = made else { return call };
        let class = module.source(callee).rsplit('.').next().unwrap_or_default();
        let version = self.version(file, call.module.as_deref());
        let found = self.knowledge.member_nearest(call.lib, call.on, class, call.module.as_deref(), version);
        match found.filter(|found| found.row.flags.contains(&Flag::ClassArg)) {
            Some(found) => LibraryCall { member: Some(found.row), is_exact: found.is_exact, ..call },
            None => call,
        }
    }

    fn library_call(&self, file: FileId, called: &Called) -> LibraryCall<'p> {
        let on = &called.on;
        let version = self.version(file, on.module.as_deref());
        let found =
            self.knowledge.member_nearest(on.lib, on.handle, &called.name, on.module.as_deref(), version);
        LibraryCall {
            lib: on.lib,
            on: on.handle,
            name: (&*called.name).into(),
            path: on.path.iter().map(|name| (&**name).into()).collect(),
            module: on.module.as_deref().map(Into::into),
            made_at: on.made_at,
            options: on.options,
            member: found.as_ref().map(|found| found.row),
            is_exact: found.is_some_and(|found| found.is_exact),
        }
    }

    fn version(&self, file: FileId, module: Option<&str>) -> Option<&'p str> {
        let project = self.resolver.program().project();
        let package = project.file(file)?.package;
        project.version_of(package, package_name(module?)).map(|version| version.text.as_str())
    }

    /// A method of the language: the receiver is no known object of a library.
    fn builtin(&self, file: FileId, module: &Module, node: NodeId) -> Option<LibraryCall<'p>> {
        let Kind::Call { callee, .. } = module.kind(node) else { return None };
        let Kind::Member { object, name } = module.kind(callee) else { return None };
        let receiver = self.resolver.folded(&self.resolver.value_of((file, object)));
        if receiver.iter().any(|folded| matches!(folded, Folded::Held(_))) {
            return None;
        }
        if let Some(call) = self.unmistakable(file, module.str(name)) {
            return Some(call);
        }
        self.prototype_method(module, node)
    }

    /// A method of the language's own objects, by its name.
    fn prototype_method(&self, module: &Module, node: NodeId) -> Option<LibraryCall<'p>> {
        let Kind::Call { callee, .. } = module.kind(node) else { return None };
        let Kind::Member { name, .. } = module.kind(callee) else { return None };
        let (lib, name) = (self.knowledge.library_id(CORE)?, module.str(name));
        let on = PROTOTYPES.iter().filter_map(|prototype| self.knowledge.handle(prototype)).find(|on| {
            self.knowledge.callback(lib, *on, name, 0, 1).is_some()
                || self.knowledge.member_nearest(lib, *on, name, None, None).is_some()
        })?;
        let found = self.knowledge.member_nearest(lib, on, name, None, None);
        Some(LibraryCall {
            lib,
            on,
            name: name.into(),
            path: Vec::new(),
            module: None,
            made_at: None,
            options: None,
            member: found.map(|found| found.row),
            is_exact: true,
        })
    }

    fn handed(
        &self,
        file: FileId,
        module: &Module,
        node: NodeId,
        library: Option<&LibraryCall<'p>>,
        targets: &[FunctionRef],
    ) -> Vec<Handed> {
        let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = module.kind(node) else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for (argument, value) in module.list(arguments).enumerate() {
            for (function, property) in functions_in(&self.resolver, (file, value)) {
                let at = Position { argument, count: arguments.len(), property };
                let handed = match library {
                    Some(call) => self.by_library((file, node), call, at, function),
                    None => Some(self.by_program((file, node), targets, at, function)),
                };
                all.extend(handed);
            }
            // Deep in options, or in options that a variable holds: where the library is known to call them.
            let Some(call) = library.filter(|call| self.knowledge.calls_properties(call.lib)) else {
                continue;
            };
            for (function, part) in nested_functions_in(&self.resolver, (file, value)) {
                let at = Position { argument, count: arguments.len(), property: Some(part) };
                let handed = self.by_library((file, node), call, at, function);
                all.extend(handed.filter(|handed| handed.runs.is_some()));
            }
        }
        all
    }

    fn by_library(
        &self,
        (file, node): Site,
        call: &LibraryCall<'p>,
        at: Position,
        function: FunctionRef,
    ) -> Option<Handed> {
        let module = self.resolver.program().module(file)?;
        let row = match at.property {
            None => self.knowledge.callback(call.lib, call.on, &call.name, at.argument, at.count),
            Some(part) => match module.kind(part) {
                Kind::Property { key, .. } => self.knowledge.callback_property(
                    call.lib,
                    call.on,
                    &call.name,
                    at.argument,
                    at.count,
                    module.str(key),
                ),
                _ => None,
            },
        };
        let elements =
            row.filter(|row| row.runs == Runs::PerElement).and_then(|row| elements(file, module, node, row));
        Some(Handed {
            function,
            argument: at.argument,
            runs: row.map(|row| row.runs),
            is_sequential: row.is_some_and(|row| row.sequential),
            elements,
            is_limited: row.is_some_and(Callback::is_limitable),
        })
    }

    /// What a function of the program does with a function that it is given.
    fn by_program(&self, call: Site, targets: &[FunctionRef], at: Position, function: FunctionRef) -> Handed {
        let unknown = Handed {
            function,
            argument: at.argument,
            runs: None,
            is_sequential: false,
            elements: None,
            is_limited: false,
        };
        if at.property.is_some() {
            return unknown;
        }
        let repeated = targets.iter().find_map(|target| self.repeats_parameter(*target, at.argument));
        if let Some(repeated) = repeated
            && let Some(elements) = self.resolver.argument(call, repeated.elements)
        {
            return Handed {
                runs: Some(Runs::PerElement),
                elements: Some(elements),
                is_sequential: repeated.is_sequential,
                is_limited: repeated.is_limited,
                ..unknown
            };
        }
        let runs = targets.iter().find_map(|target| self.parameter_runs(*target, at.argument));
        Handed { runs, ..unknown }
    }

    /// `async function forEachOf(items, run) { for (const item of items) await run(item); }`: a function that calls its
    /// parameter once for each element of another parameter.
    fn repeats_parameter(&self, (file, function): FunctionRef, argument: usize) -> Option<RepeatedParameter> {
        let module = self.resolver.program().module(file)?;
        let parameters: Vec<NodeId> = module.list(module.function(function)?.parameters).collect();
        let Kind::Binding(binding) = module.kind(*parameters.get(argument)?) else { return None };
        let position = |(_, node): Site| {
            let Kind::Name { binding, .. } = module.kind(node) else { return None };
            parameters.iter().position(|parameter| module.kind(*parameter) == Kind::Binding(binding))
        };
        let is_limited = parameters.iter().any(|parameter| limits_concurrency(module.source(*parameter)));
        module.references(binding).iter().find_map(|name| {
            let call = module.parent(*name);
            if !matches!(module.kind(call), Kind::Call { callee, .. } if callee == *name)
                || takes_chunk(module, call)
            {
                return None;
            }
            let looped = loops_around(module, (file, call)).into_iter().filter_map(|repeat| repeat.source);
            if let Some(elements) = looped.into_iter().find_map(position) {
                return Some(RepeatedParameter { elements, is_sequential: !is_limited, is_limited });
            }
            // `items.map((item) => run(item))`
            let closure = module.function(module.enclosing_function(call))?.node;
            let Kind::Call { callee, .. } = module.kind(module.parent(closure)) else { return None };
            let Kind::Member { object, name } = module.kind(callee) else { return None };
            let elements =
                position((file, object)).filter(|_| matches!(module.str(name), "map" | "forEach"))?;
            Some(RepeatedParameter { elements, is_sequential: false, is_limited })
        })
    }

    /// `Now` where the function calls its parameter itself; none where a closure or nobody does.
    fn parameter_runs(&self, (file, function): FunctionRef, argument: usize) -> Option<Runs> {
        let module = self.resolver.program().module(file)?;
        let parameters = module.function(function)?.parameters;
        let Kind::Binding(binding) = module.kind(module.list(parameters).nth(argument)?) else { return None };
        debug_assert!(module.binding(binding).is_some_and(|it| it.kind == BindingKind::Parameter));
        let is_called = module.references(binding).iter().any(|name| {
            matches!(module.kind(module.parent(*name)), Kind::Call { callee, .. } if callee == *name)
                && module.enclosing_function(*name) == function
        });
        is_called.then_some(Runs::Now)
    }
}

/// Methods of one name that are told apart by nothing but their objects.
const MAX_METHODS: usize = 3;

/// The library of the language's own objects.
const CORE: &str = "node:core";

/// Objects whose methods are recognised by name where the receiver is unknown, the likeliest first.
const PROTOTYPES: [&str; 4] = ["Array.prototype", "Promise", "RegExp.prototype", "emitter"];

/// What holds the elements that a callback runs for.
fn elements(file: FileId, module: &Module, node: NodeId, row: &Callback) -> Option<Site> {
    let (Kind::Call { callee, arguments } | Kind::New { callee, arguments }) = module.kind(node) else {
        return None;
    };
    match row.elements {
        Some(at) => module.list(arguments).nth(at).map(|node| (file, node)),
        None => match module.kind(callee) {
            Kind::Member { object, .. } => Some((file, object)),
            _ => None,
        },
    }
}

/// `@scope/name` of `@scope/name/sub`, `name` of `name/sub`.
#[must_use]
pub fn package_name(specifier: &str) -> &str {
    let segments = if specifier.starts_with('@') { 2 } else { 1 };
    let end = specifier.match_indices('/').nth(segments - 1).map(|(at, _)| at);
    end.and_then(|at| specifier.get(..at)).unwrap_or(specifier)
}
