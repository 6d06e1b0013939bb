//! Helpers that are told which table to ask: `findOrThrow(Model, id, options)`, the base class of repositories. Each call
//! of such a helper is a query of its own, with the table, conditions and relations that the call hands over.

use loadworthy_project::FileId;
use loadworthy_syntax::{
    Binary, BindingId, BindingKind, ClassId, FunctionId, Kind, MemberKind, Module, NodeId,
};
use rustc_hash::FxHashMap;

use super::chain::{Chain, Walk};
use super::reader::Reader;
use super::{Family, Query};
use crate::calls::Calls;
use crate::index::enclosing_class;
use crate::values::{Resolver, Site, Value};

/// What stands for the parameters and fields of a helper at one call of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// By parameter; none where the call passes nothing for it.
    parameters: FxHashMap<(FileId, BindingId), Option<Site>>,
    /// A field of the helper's class, by its name.
    field: Option<(FileId, Box<str>, Site)>,
}

/// Longest chain of helpers that hand a parameter on.
const MAX_HOPS: usize = 4;
/// Most calls of one helper that are read.
const MAX_CALLS: usize = 200;
/// Most classes between a repository and its base.
const MAX_BASES: usize = 4;

impl Told {
    /// What an expression stands for: itself, or what is handed over for it; none where that is nothing.
    pub(super) fn at(&self, resolver: &Resolver<'_>, site: Site) -> Option<Site> {
        if self.parameters.is_empty() && self.field.is_none() {
            return Some(site);
        }
        let mut at = site;
        for _ in 0..MAX_HOPS * 2 {
            let Some(module) = resolver.program().module(at.0) else { return Some(at) };
            let next = match module.kind(at.1) {
                Kind::Name { binding, .. } => match self.parameters.get(&(at.0, binding)) {
                    Some(passed) => (*passed)?,
                    None => return Some(at),
                },
                // `filter ?? {}`: what stands in for nothing.
                Kind::Binary { operator: Binary::Or | Binary::Nullish, left, right } => {
                    match self.at(resolver, (at.0, left)) {
                        Some(other) if other == (at.0, left) => return Some(at),
                        Some(other) => other,
                        None => (at.0, right),
                    }
                }
                Kind::Member { object, name } if module.kind(object) == Kind::This => match &self.field {
                    Some((file, field, value)) if *file == at.0 && **field == *module.str(name) => *value,
                    _ => return Some(at),
                },
                _ => return Some(at),
            };
            if next == at {
                return Some(at);
            }
            at = next;
        }
        Some(at)
    }
}

/// How a helper is told its table.
enum Teller {
    /// By a parameter of this function.
    Parameter(FunctionId),
    /// By a field of this class.
    Field(ClassId, Box<str>),
}

/// The queries that calls of helpers stand for, in the order of the queries in the helpers.
pub(super) fn told(resolver: &Resolver<'_>, calls: &Calls<'_>, all: &[Query]) -> Vec<Query> {
    let of = |query: &Query| {
        let (teller, module) = teller(resolver, query)?;
        let is_in_closure = matches!(teller, Teller::Parameter(function) if function != query.function);
        let telling = Telling { resolver, calls, query, module, is_in_closure };
        Some(match teller {
            Teller::Parameter(function) => telling.by_parameter(function),
            Teller::Field(class, field) => telling.by_field(class, &field),
        })
    };
    let own = all.iter().filter(|query| query.is_sent() && query.sql.is_none());
    own.filter_map(of).flatten().collect()
}

/// What tells a query its table, where its own function does not say it.
fn teller<'p>(resolver: &Resolver<'p>, query: &Query) -> Option<(Teller, &'p Module)> {
    let module = resolver.program().module(query.site.0)?;
    let (Kind::Call { callee, arguments } | Kind::New { callee, arguments }) = module.kind(query.site.1)
    else {
        return None;
    };
    let first = module.list(arguments).next();
    let receiver = match module.kind(callee) {
        Kind::Member { object, .. } => Some(object),
        _ => None,
    };
    // `dataSource.getRepository(Entity)`, `db.collection(name)`
    let made = receiver.and_then(|object| match module.kind(object) {
        Kind::Call { arguments, .. } => module.list(arguments).next(),
        _ => None,
    });
    let entity = first.filter(|node| match query.family {
        Family::TypeOrm | Family::MikroOrm => is_class(resolver, (query.site.0, *node)),
        Family::Drizzle => matches!(callee_name(module, callee), "insert" | "update" | "delete"),
        Family::Knex => receiver.is_none(),
        _ => false,
    });
    let from = query.calls.iter().filter_map(|call| of_from(module, query, *call));
    let mut candidates = receiver.into_iter().chain(made).chain(entity).chain(from);
    candidates.find_map(|node| of_node(module, node)).map(|teller| (teller, module))
}

/// The table of `.from(table)` in the function of the query.
fn of_from(module: &Module, query: &Query, (file, call): Site) -> Option<NodeId> {
    let Kind::Call { callee, arguments } = module.kind(call) else { return None };
    let is_own = file == query.site.0 && query.family == Family::Drizzle;
    (is_own && callee_name(module, callee) == "from").then(|| module.list(arguments).next())?
}

fn callee_name(module: &Module, callee: NodeId) -> &str {
    match module.kind(callee) {
        Kind::Member { name, .. } => module.str(name),
        _ => "",
    }
}

fn is_class(resolver: &Resolver<'_>, site: Site) -> bool {
    let values = resolver.filled(&resolver.value_of(site));
    values.iter().any(|value| matches!(value, Value::Class(..)))
}

fn of_node(module: &Module, node: NodeId) -> Option<Teller> {
    match module.kind(node) {
        Kind::Name { binding, .. } => {
            let declared = module.binding(binding)?;
            if declared.kind != BindingKind::Parameter {
                return None;
            }
            let parent = module.parent(declared.node);
            match module.kind(parent) {
                Kind::Function(function) => Some(Teller::Parameter(function)),
                _ => None,
            }
        }
        Kind::Member { object, name } if module.kind(object) == Kind::This => {
            let class = enclosing_class(module, node)?;
            Some(Teller::Field(class, module.str(name).into()))
        }
        _ => None,
    }
}

/// One query of a helper while its calls are read.
struct Telling<'t, 'p> {
    resolver: &'t Resolver<'p>,
    calls: &'t Calls<'p>,
    query: &'t Query,
    module: &'p Module,
    /// The function that is told gives the one with the query back.
    is_in_closure: bool,
}

impl Telling<'_, '_> {
    fn by_parameter(&self, function: FunctionId) -> Vec<Query> {
        let mut found = Vec::new();
        let file = self.query.site.0;
        let sites = self.resolver.program().links().call_sites(file, function);
        // One call says all that there is to say in the helper itself.
        if sites.len() > 1 && sites.len() <= MAX_CALLS {
            for call in sites {
                self.at_call((file, function), *call, &Told::default(), 0, &mut found);
            }
        }
        found
    }

    /// The query as one call of the helper asks for it; where that call hands a parameter on, as the calls around do.
    fn at_call(
        &self,
        helper: (FileId, FunctionId),
        call: Site,
        outer: &Told,
        hops: usize,
        found: &mut Vec<Query>,
    ) {
        let mut told = outer.clone();
        if !add_parameters(self.resolver, helper, call, &mut told) {
            return;
        }
        let handed_on = self.teller_nodes().find_map(|node| {
            let own = (self.query.site.0, node);
            let (file, at) = told.at(self.resolver, own).filter(|site| *site != own)?;
            match of_node(self.resolver.program().module(file)?, at)? {
                Teller::Parameter(function) if (file, function) != helper => Some((file, function)),
                _ => None,
            }
        });
        let Some((file, function)) = handed_on else {
            found.extend(self.read(call, &told));
            return;
        };
        let sites = self.resolver.program().links().call_sites(file, function);
        if hops < MAX_HOPS && sites.len() <= MAX_CALLS {
            for outer in sites {
                self.at_call((file, function), *outer, &told, hops + 1, found);
            }
        }
    }

    /// What may tell the table.
    fn teller_nodes(&self) -> impl Iterator<Item = NodeId> {
        let (module, query) = (self.module, self.query);
        let head = match module.kind(query.site.1) {
            Kind::Call { callee, arguments } | Kind::New { callee, arguments } => Some((callee, arguments)),
            _ => None,
        };
        let receiver = head.and_then(|(callee, _)| match module.kind(callee) {
            Kind::Member { object, .. } => Some(object),
            _ => None,
        });
        let made = receiver.and_then(|object| match module.kind(object) {
            Kind::Call { arguments, .. } => module.list(arguments).next(),
            _ => None,
        });
        let first = head.and_then(|(_, arguments)| module.list(arguments).next()).filter(|_| {
            matches!(query.family, Family::TypeOrm | Family::MikroOrm | Family::Drizzle | Family::Knex)
        });
        let from: Vec<NodeId> = query.calls.iter().filter_map(|call| of_from(module, query, *call)).collect();
        receiver.into_iter().chain(made).chain(from).chain(first)
    }

    /// The calls of a method of a base class, on objects of the classes below it.
    fn by_field(&self, base: ClassId, field: &str) -> Vec<Query> {
        let file = self.query.site.0;
        let sites = self.resolver.program().links().call_sites(file, self.query.function);
        if sites.len() > MAX_CALLS {
            return Vec::new();
        }
        let mut found = Vec::new();
        for call in sites {
            let Some(class) = self.class_of_receiver(*call) else { continue };
            let Some(value) = self.field_of(class, (file, base), field) else { continue };
            let mut told = Told { field: Some((file, field.into(), value)), ..Told::default() };
            if add_parameters(self.resolver, (file, self.query.function), *call, &mut told) {
                found.extend(self.read(*call, &told));
            }
        }
        found
    }

    /// The one class that the object of a method call is of.
    fn class_of_receiver(&self, (file, call): Site) -> Option<(FileId, ClassId)> {
        let module = self.resolver.program().module(file)?;
        let Kind::Call { callee, .. } = module.kind(call) else { return None };
        let Kind::Member { object, .. } = module.kind(callee) else { return None };
        if matches!(module.kind(object), Kind::This | Kind::Super) {
            return enclosing_class(module, object).map(|class| (file, class));
        }
        let values = self.resolver.filled(&self.resolver.value_of((file, object)));
        let mut classes: Vec<(FileId, ClassId)> = Vec::new();
        for value in values.iter() {
            match value {
                Value::Instance(file, class) => classes.push((*file, *class)),
                Value::Interface(file, binding) => {
                    classes.extend(self.resolver.program().links().implementors(*file, *binding));
                }
                _ => return None,
            }
        }
        classes.dedup();
        if let [class] = classes.as_slice() { Some(*class) } else { None }
    }

    /// What a class below `base` fills a field of it with: by its own initial value, or through `super(…)`.
    fn field_of(&self, class: (FileId, ClassId), base: (FileId, ClassId), field: &str) -> Option<Site> {
        let mut at = class;
        for _ in 0..MAX_BASES {
            if at == base {
                return None;
            }
            let module = self.resolver.program().module(at.0)?;
            let lowered = module.class(at.1)?;
            let own = lowered.members.iter().find(|member| {
                member.kind == MemberKind::Field && module.str(member.name) == field && member.value.is_some()
            });
            if let Some(own) = own {
                return Some((at.0, own.value));
            }
            let next = self.resolver.base(at.0, at.1)?;
            if next == base {
                let position = self.position_of(base, field)?;
                return super_argument(module, at.1, position).map(|node| (at.0, node));
            }
            at = next;
        }
        None
    }

    /// The parameter of a constructor that fills a field.
    fn position_of(&self, (file, class): (FileId, ClassId), field: &str) -> Option<usize> {
        let module = self.resolver.program().module(file)?;
        let class = module.class(class)?;
        let constructor = class.members.iter().find(|member| member.kind == MemberKind::Constructor)?;
        let Kind::Function(function) = module.kind(constructor.value) else { return None };
        let parameters: Vec<NodeId> = module.list(module.function(function)?.parameters).collect();
        let property = class
            .members
            .iter()
            .find(|member| member.kind == MemberKind::ParameterProperty && module.str(member.name) == field);
        if let Some(property) = property {
            return parameters.iter().position(|parameter| *parameter == property.value);
        }
        parameters.iter().position(|parameter| {
            let Kind::Binding(binding) = module.kind(*parameter) else { return false };
            module.references(binding).iter().any(|name| fills(module, *name, field))
        })
    }

    /// The query of the helper with what one call hands over.
    fn read(&self, call: Site, told: &Told) -> Option<Query> {
        let known = self.calls.at(self.query.site)?;
        let library = known.library.as_ref()?;
        let walk = Walk { resolver: self.resolver, calls: self.calls, ends: &super::queries::ENDS };
        let chain = self.chain(&walk.chain(self.query.site), told);
        let arguments = match self.module.kind(self.query.site.1) {
            Kind::Call { arguments, .. } | Kind::New { arguments, .. } => {
                self.module.list(arguments).map(|node| (self.query.site.0, node)).collect()
            }
            _ => Vec::new(),
        };
        let reader = Reader {
            resolver: self.resolver,
            call: library,
            head: self.query.site,
            arguments,
            chain: &chain,
            told: Some(told),
        };
        let mut query = super::queries::blank(known, library, &chain);
        super::queries::by_library(&reader, self.resolver.program().knowledge(), &mut query);
        query.table_site = query.table_site.and_then(|site| told.at(self.resolver, site));
        query.via = Some(self.query.site);
        // What a function gives back runs where it is written, not where it was made.
        if !self.is_in_closure {
            query.site = call;
            query.whole = call;
            query.function = self.calls.at(call).map_or(FunctionId::NONE, |call| call.function);
        }
        query.calls = vec![query.site];
        Some(query)
    }

    /// What the helper itself chains to its query, with what is handed over for it.
    fn chain(&self, whole: &Chain, told: &Told) -> Chain {
        let body = self.module.function(self.query.function).map(|it| it.node);
        let is_own = |(file, node): Site| {
            file == self.query.site.0 && body.is_none_or(|body| self.module.contains(body, node))
        };
        let links = whole.links.iter().filter(|link| is_own(link.call)).cloned().map(|mut link| {
            link.arguments = link.arguments.iter().map_while(|site| told.at(self.resolver, *site)).collect();
            link
        });
        Chain { links: links.collect(), whole: whole.whole, is_open: whole.is_open }
    }
}

/// What a call hands over for each parameter; false where that can't be told.
fn add_parameters(
    resolver: &Resolver<'_>,
    (file, function): (FileId, FunctionId),
    (caller, call): Site,
    told: &mut Told,
) -> bool {
    let program = resolver.program();
    let (Some(module), Some(calling)) = (program.module(file), program.module(caller)) else { return false };
    let Kind::Call { arguments, .. } = calling.kind(call) else { return false };
    let arguments: Vec<NodeId> = calling.list(arguments).collect();
    if arguments.iter().any(|node| matches!(calling.kind(*node), Kind::Spread(_))) {
        return false;
    }
    let Some(parameters) = module.function(function).map(|it| it.parameters) else { return false };
    for (at, parameter) in module.list(parameters).enumerate() {
        let passed = arguments.get(at).map(|node| (caller, *node));
        match module.kind(parameter) {
            Kind::Binding(binding) => {
                told.parameters.insert((file, binding), passed);
            }
            Kind::Default { target, value } => {
                if let Kind::Binding(binding) = module.kind(target) {
                    told.parameters.insert((file, binding), passed.or(Some((file, value))));
                }
            }
            _ => {}
        }
    }
    true
}

/// `super(Model)` in the constructor of a class: its argument at `position`.
fn super_argument(module: &Module, class: ClassId, position: usize) -> Option<NodeId> {
    module.calls().iter().find_map(|call| {
        let Kind::Call { callee, arguments } = module.kind(*call) else { return None };
        let is_own = module.kind(callee) == Kind::Super && enclosing_class(module, *call) == Some(class);
        is_own.then(|| module.list(arguments).nth(position))?
    })
}

/// `this.field = name`
fn fills(module: &Module, name: NodeId, field: &str) -> bool {
    let Kind::Assign { target, value, operator: None } = module.kind(module.parent(name)) else {
        return false;
    };
    value == name
        && matches!(module.kind(target), Kind::Member { object, name }
            if module.kind(object) == Kind::This && module.str(name) == field)
}
