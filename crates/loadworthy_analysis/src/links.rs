//! Who is called and passed where: the reverse of what the calls of all files say, found once for the whole program.
//!
//! Callees are found without following parameters (that is what these tables make possible).

use loadworthy_knowledge::{HandleId, LibId};
use loadworthy_project::FileId;
use loadworthy_syntax::{BindingId, ClassId, FunctionId, Kind, Module, NodeId};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::positions::positions;
use crate::program::Program;
use crate::providers::{Provided, Providers, providers};
use crate::values::{Resolver, Site, Value};

/// A function of the program.
pub type FunctionRef = (FileId, FunctionId);

/// A place where a function is handed to a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PassedSite {
    /// The call.
    pub call: Site,
    /// The argument that is, or holds, the function.
    pub argument: usize,
    /// The property of the argument that is the function; absent where it is the argument itself.
    pub property: Option<NodeId>,
}

/// A place where a library calls a function without being handed it by a call: an export of a file that it looks for, a
/// decorated method, a method of a class that extends one of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Position {
    /// The library.
    pub lib: LibId,
    /// What the function is a member of.
    pub of: HandleId,
    /// Its name there: the export, the decorator, the method.
    pub name: Box<str>,
}

/// Call sites, hand-overs and implementors of the whole program, each in the order of files and nodes.
#[derive(Debug, Default)]
pub struct Links {
    call_sites: FxHashMap<FunctionRef, Vec<Site>>,
    passed_sites: FxHashMap<FunctionRef, Vec<PassedSite>>,
    implementors: FxHashMap<(FileId, BindingId), Vec<(FileId, ClassId)>>,
    positions: FxHashMap<FunctionRef, Vec<Position>>,
    providers: Providers,
    methods: FxHashMap<Box<str>, Vec<FunctionRef>>,
}

/// What one file adds.
#[derive(Default)]
struct Part {
    calls: Vec<(FunctionRef, Site)>,
    passed: Vec<(FunctionRef, PassedSite)>,
    implements: Vec<((FileId, BindingId), (FileId, ClassId))>,
    positions: Vec<(FunctionRef, Position)>,
    provided: Vec<(Value, Provided)>,
    methods: Vec<(Box<str>, FunctionRef)>,
}

impl Links {
    /// Reads the calls of all files, on the threads of the current pool: those of functions that are reached without knowing
    /// what is passed for parameters. Read again in the light of these ([`Self::with_parameters`]), the calls of what is
    /// handed down as an argument are there, too.
    pub(crate) fn find(program: &Program<'_>) -> Self {
        Self::read(program, Resolver::blind)
    }

    /// As [`Self::find`], with what is passed for parameters as far as the links that the program has tell.
    pub(crate) fn with_parameters(program: &Program<'_>) -> Self {
        Self::read(program, Resolver::partial)
    }

    fn read<'p>(program: &'p Program<'p>, resolver: fn(&'p Program<'p>) -> Resolver<'p>) -> Self {
        let files: Vec<FileId> = program.modules().map(|(file, _)| file).collect();
        let parts: Vec<Part> = files
            .par_iter()
            .map_init(
                || resolver(program),
                |resolver, file| {
                    program.module(*file).map(|module| part(resolver, *file, module)).unwrap_or_default()
                },
            )
            .collect();
        let mut links = Self::default();
        for part in parts {
            for (function, site) in part.calls {
                links.call_sites.entry(function).or_default().push(site);
            }
            for (function, site) in part.passed {
                links.passed_sites.entry(function).or_default().push(site);
            }
            for (name, function) in part.methods {
                links.methods.entry(name).or_default().push(function);
            }
            for (interface, class) in part.implements {
                links.implementors.entry(interface).or_default().push(class);
            }
            for (token, provided) in part.provided {
                links.providers.add(token, provided);
            }
            for (function, position) in part.positions {
                links.positions.entry(function).or_default().push(position);
            }
        }
        links
    }

    /// The calls of a function.
    #[must_use]
    pub fn call_sites(&self, file: FileId, function: FunctionId) -> &[Site] {
        self.call_sites.get(&(file, function)).map_or(&[], Vec::as_slice)
    }

    /// The calls that a function is handed to.
    #[must_use]
    pub fn passed_sites(&self, file: FileId, function: FunctionId) -> &[PassedSite] {
        self.passed_sites.get(&(file, function)).map_or(&[], Vec::as_slice)
    }

    /// Where libraries call a function without being handed it.
    #[must_use]
    pub fn positions(&self, file: FileId, function: FunctionId) -> &[Position] {
        self.positions.get(&(file, function)).map_or(&[], Vec::as_slice)
    }

    /// What is bound to an injection token.
    pub(crate) fn provided(&self, token: &Value) -> &[Provided] {
        self.providers.of(token)
    }

    /// The functions that are put on objects of a library's model under this name: `schema.methods.name = …`,
    /// `Model.prototype.name = …`.
    #[must_use]
    pub fn methods(&self, name: &str) -> &[FunctionRef] {
        self.methods.get(name).map_or(&[], Vec::as_slice)
    }

    /// The classes that say they implement an interface.
    #[must_use]
    pub fn implementors(&self, file: FileId, interface: BindingId) -> &[(FileId, ClassId)] {
        self.implementors.get(&(file, interface)).map_or(&[], Vec::as_slice)
    }
}

fn part(resolver: &Resolver<'_>, file: FileId, module: &Module) -> Part {
    let mut part = Part { methods: methods(file, module), ..Part::default() };
    for call in module.calls() {
        for callee in resolver.callees(file, module, *call) {
            part.calls.push((callee, (file, *call)));
        }
        let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = module.kind(*call) else {
            continue;
        };
        for (argument, node) in module.list(arguments).enumerate() {
            for (function, property) in functions_in(resolver, (file, node)) {
                part.passed.push((function, PassedSite { call: (file, *call), argument, property }));
            }
        }
    }
    part.positions = positions(resolver, file, module);
    if resolver.program().injects() {
        part.provided = providers(resolver, file, module);
    }
    for (id, class) in module.classes().iter().enumerate() {
        for implemented in &class.implements {
            let Some(binding) = module.type_ref(*implemented).map(|it| it.binding).filter(|it| it.is_some())
            else {
                continue;
            };
            let interfaces = resolver.declared_by((file, binding));
            part.implements.extend(interfaces.iter().filter_map(|value| match value {
                Value::Interface(file_of, binding) => Some(((*file_of, *binding), (file, ClassId::new(id)))),
                _ => None,
            }));
        }
    }
    part
}

/// `schema.methods.name = function () {…}`, `schema.statics.name = …`, `Model.prototype.name = …`.
fn methods(file: FileId, module: &Module) -> Vec<(Box<str>, FunctionRef)> {
    let words = [".methods", ".statics", ".prototype", ".method(", ".static("];
    if !words.iter().any(|word| module.text().contains(word)) {
        return Vec::new();
    }
    let mut methods = Vec::new();
    for node in module.node_ids() {
        if let Some((name, function)) = named_method(module, node) {
            methods.push((name, (file, function)));
        }
        let Kind::Assign { operator: None, target, value } = module.kind(node) else { continue };
        let (Kind::Member { object, name }, Kind::Function(function)) =
            (module.kind(target), module.kind(value))
        else {
            continue;
        };
        if let Kind::Member { name: holder, .. } = module.kind(object)
            && matches!(module.str(holder), "methods" | "statics" | "prototype")
        {
            methods.push((module.str(name).into(), (file, function)));
        }
    }
    methods
}

/// `schema.method("name", function () {…})`, `schema.static("name", …)`.
fn named_method(module: &Module, node: NodeId) -> Option<(Box<str>, FunctionId)> {
    let Kind::Call { callee, arguments } = module.kind(node) else { return None };
    let Kind::Member { name, .. } = module.kind(callee) else { return None };
    if !matches!(module.str(name), "method" | "static") {
        return None;
    }
    let mut arguments = module.list(arguments);
    let (Kind::String(name), Kind::Function(function)) =
        (module.kind(arguments.next()?), module.kind(arguments.next()?))
    else {
        return None;
    };
    Some((module.str(name).into(), function))
}

/// The functions that an argument is, or that the properties of an object literal are. An array literal hands over its
/// elements.
pub(crate) fn functions_in(
    resolver: &Resolver<'_>,
    (file, node): Site,
) -> Vec<(FunctionRef, Option<NodeId>)> {
    let Some(module) = resolver.program().module(file) else { return Vec::new() };
    match module.kind(node) {
        Kind::Function(function) => vec![((file, function), None)],
        Kind::Object(parts) => {
            let properties = module.list(parts).filter_map(|part| match module.kind(part) {
                Kind::Property { value, .. } if value.is_some() => Some((part, value)),
                _ => None,
            });
            let of = |(part, value): (NodeId, NodeId)| {
                let functions = match module.kind(value) {
                    Kind::Function(function) => vec![(file, function)],
                    Kind::Name { .. } | Kind::Member { .. } => {
                        functions_of(&resolver.value_of((file, value)))
                    }
                    _ => Vec::new(),
                };
                functions.into_iter().map(move |function| (function, Some(part)))
            };
            properties.flat_map(of).collect()
        }
        Kind::Array(items) => {
            module.list(items).flat_map(|item| functions_in(resolver, (file, item))).collect()
        }
        // `register(import("./plugin"))`: a module stands for its default export.
        Kind::Import(_) | Kind::Await(_) => {
            let values = resolver.value_of((file, node));
            let exported = resolver.member(&values, "default");
            functions_of(&values)
                .into_iter()
                .chain(functions_of(&exported))
                .map(|function| (function, None))
                .collect()
        }
        Kind::Name { .. } | Kind::Member { .. } | Kind::Call { .. } => {
            functions_of(&resolver.value_of((file, node)))
                .into_iter()
                .map(|function| (function, None))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Deepest nesting of an options object in which functions are looked for.
const MAX_NESTED: usize = 4;

/// The functions in objects inside of an options object, or in one that a variable of the file holds, with their
/// properties: `NextAuth({ callbacks: { session() {} } })`.
pub(crate) fn nested_functions_in(resolver: &Resolver<'_>, (file, node): Site) -> Vec<(FunctionRef, NodeId)> {
    let mut found = Vec::new();
    let object = match &*resolver.value_of((file, node)) {
        [Value::Object(at, object)] if *at == file => *object,
        _ => return found,
    };
    if let Some(module) = resolver.program().module(file) {
        collect_nested(module, (file, object), object == node, 0, &mut found);
    }
    found
}

/// `is_known`: the functions of the object itself are looked at elsewhere.
fn collect_nested(
    module: &Module,
    (file, object): Site,
    is_known: bool,
    depth: usize,
    found: &mut Vec<(FunctionRef, NodeId)>,
) {
    let Kind::Object(parts) = module.kind(object) else { return };
    for part in module.list(parts) {
        let Kind::Property { value, .. } = module.kind(part) else { continue };
        match module.kind(value) {
            Kind::Function(function) if !is_known => found.push(((file, function), part)),
            Kind::Object(_) if depth < MAX_NESTED => {
                collect_nested(module, (file, value), false, depth + 1, found);
            }
            _ => {}
        }
    }
}

fn functions_of(values: &[Value]) -> Vec<FunctionRef> {
    values
        .iter()
        .filter_map(|value| match value {
            Value::Function(file, function) => Some((*file, *function)),
            _ => None,
        })
        .collect()
}
