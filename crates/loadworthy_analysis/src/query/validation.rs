//! The maximum that a validation schema allows a number of the client to have.

use loadworthy_project::FileId;
use loadworthy_syntax::{ClassId, FunctionId, Kind, Module, NodeId, TypeForm};

use super::Bound;
use super::limit::{Limits, most};
use super::options::Options;
use crate::handles::Outcome;
use crate::values::{Resolver, Site, Step, Value};

/// Reads validation schemas.
pub(super) struct Validation<'r, 'p> {
    resolver: &'r Resolver<'p>,
    of: Measure,
}

/// What is limited.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// A number.
    Number,
    /// The length of a list.
    Length,
}

/// A method of a schema's chain with its arguments.
struct Rule {
    name: Box<str>,
    arguments: Vec<Site>,
}

/// Deepest nesting of schemas.
const MAX_DEPTH: usize = 8;

impl<'r, 'p> Validation<'r, 'p> {
    pub(super) fn new(resolver: &'r Resolver<'p>, of: Measure) -> Self {
        Self { resolver, of }
    }

    /// `schema.parse(req.query).limit`.
    pub(super) fn of_outcome(&self, outcome: &Outcome, input: Site) -> Option<Bound> {
        let names: Vec<&str> = outcome
            .rest
            .iter()
            .filter_map(|step| match step {
                Step::Get(name) if !matches!(&**name, "data" | "value") => Some(&**name),
                _ => None,
            })
            .collect();
        let (file, call) = outcome.call;
        let module = self.resolver.program().module(file)?;
        let Kind::Call { callee, .. } = module.kind(call) else { return None };
        let Kind::Member { object, name } = module.kind(callee) else { return None };
        if !module.str(name).to_lowercase().contains("parse") && !module.str(name).starts_with("validate") {
            return None;
        }
        self.of_schema((file, object), &names, input)
    }

    /// What the schema says of the property; `None` where it has none of that name.
    pub(super) fn of_schema(&self, schema: Site, names: &[&str], input: Site) -> Option<Bound> {
        match names {
            [] => Some(self.number(schema, input, 0)),
            [name, rest @ ..] => {
                let property = self.property(schema, name, 0)?;
                self.of_schema(property, rest, input)
            }
        }
    }

    /// The schema of a property of an object schema.
    fn property(&self, schema: Site, name: &str, depth: usize) -> Option<Site> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.rules(schema).into_iter().find_map(|rule| match &*rule.name {
            "object" | "extend" | "keys" | "shape" | "strictObject" | "looseObject" | "safeExtend" => {
                let first = rule.arguments.first()?;
                Options::of(self.resolver, *first).get(name)
            }
            "merge" | "and" | "concat" | "intersection" | "pipe" | "preprocess" | "union" | "optional" => {
                rule.arguments.iter().find_map(|argument| self.property(*argument, name, depth + 1))
            }
            _ => None,
        })
    }

    /// The most that a schema for a number allows.
    fn number(&self, schema: Site, input: Site, depth: usize) -> Bound {
        if depth > MAX_DEPTH {
            return Bound::Unknown;
        }
        let rules = self.rules(schema);
        if self.of == Measure::Length {
            return self.length(&rules, input);
        }
        let is_text = rules.iter().any(|rule| &*rule.name == "string")
            && !rules.iter().any(|rule| matches!(&*rule.name, "transform" | "pipe" | "number"));
        for rule in &rules {
            let first = rule.arguments.first().copied();
            match &*rule.name {
                "max" | "lte" | "lt" | "less" | "maximum" if !is_text => {
                    let most = first.and_then(|at| self.resolver.number_of(at)).and_then(most);
                    return Bound::Clamped(most);
                }
                "refine" | "superRefine" | "custom" | "test" | "check" | "enum" | "literal"
                | "nativeEnum" | "valid" | "oneOf" => return Bound::Clamped(None),
                "transform" => {
                    if let bound @ (Bound::Clamped(_) | Bound::Constant(_)) = self.transformed(first) {
                        return bound;
                    }
                }
                "pipe" | "preprocess" | "union" | "or" => {
                    let inner = rule.arguments.iter().map(|at| self.number(*at, input, depth + 1));
                    if let Some(bound) = inner.into_iter().find(|it| matches!(it, Bound::Clamped(_))) {
                        return bound;
                    }
                }
                _ => {}
            }
        }
        if rules.is_empty() { Bound::Unknown } else { Bound::ClientChosen { input } }
    }

    /// `z.array(item).max(50)`, `Joi.array().items(item).max(50)`
    fn length(&self, rules: &[Rule], input: Site) -> Bound {
        let limit = rules.iter().find(|rule| matches!(&*rule.name, "max" | "length"));
        match limit {
            Some(rule) => {
                let number = rule.arguments.first().and_then(|at| self.resolver.number_of(*at));
                Bound::Clamped(number.and_then(most))
            }
            None if rules.iter().any(|rule| &*rule.name == "tuple") => Bound::Clamped(None),
            None => Bound::ClientChosen { input },
        }
    }

    fn transformed(&self, function: Option<Site>) -> Bound {
        let Some((file, node)) = function else { return Bound::Unknown };
        let Some(module) = self.resolver.program().module(file) else { return Bound::Unknown };
        let Kind::Function(function) = module.kind(node) else { return Bound::Unknown };
        let returns = self.resolver.program().index(file).map_or(&[][..], |index| index.returns(function));
        let limits = Limits::new(self.resolver);
        returns.iter().map(|node| limits.of((file, *node))).reduce(Bound::or).unwrap_or(Bound::Unknown)
    }

    /// The methods of a schema's chain, outermost first, through variables.
    fn rules(&self, schema: Site) -> Vec<Rule> {
        let mut rules = Vec::new();
        let (mut file, mut node) = schema;
        while rules.len() < 32 {
            let Some(module) = self.resolver.program().module(file) else { break };
            match module.kind(node) {
                Kind::Call { callee, arguments } => {
                    let (name, object) = match module.kind(callee) {
                        Kind::Member { object, name } => (module.str(name), Some(object)),
                        Kind::Name { name, .. } => (module.str(name), None),
                        _ => break,
                    };
                    let arguments = module.list(arguments).map(|argument| (file, argument)).collect();
                    rules.push(Rule { name: name.into(), arguments });
                    match object {
                        Some(object) => node = object,
                        None => break,
                    }
                }
                _ => match self.made((file, node)) {
                    Some(site) if site != (file, node) => (file, node) = site,
                    _ => break,
                },
            }
        }
        rules
    }

    /// The expression that a name stands for.
    fn made(&self, site: Site) -> Option<Site> {
        match &*self.resolver.value_of(site) {
            [Value::External(external)] => external.steps.iter().rev().find_map(|step| match step {
                Step::Call(call) | Step::New(call) => Some(*call),
                _ => None,
            }),
            _ => None,
        }
    }

    /// What is known of a part of the request: by the schemas handed over beside the handler, or by the class that types
    /// it.
    pub(super) fn of_input(&self, input: Site, names: &[&str]) -> Option<Bound> {
        let (file, node) = input;
        let module = self.resolver.program().module(file)?;
        let name = names.last().copied().or_else(|| own_name(module, node))?;
        let function = module.enclosing_function(node);
        self.by_class(file, module, function, name)
            .or_else(|| self.beside_handler(file, function, name, input))
    }

    /// `@Max(100) limit: number` of the class that types a parameter of the function.
    fn by_class(&self, file: FileId, module: &Module, function: FunctionId, name: &str) -> Option<Bound> {
        let parameters = module.function(function)?.parameters;
        module.list(parameters).find_map(|parameter| {
            let Kind::Binding(binding) = module.kind(parameter) else { return None };
            let declared = module.type_ref(module.binding(binding)?.type_id)?;
            if declared.form != TypeForm::Reference || !declared.binding.is_some() {
                return None;
            }
            let classes = self.resolver.declared_by((file, declared.binding));
            classes.iter().find_map(|value| match value {
                Value::Class(file, class) => self.maximum_of_field(*file, *class, name),
                _ => None,
            })
        })
    }

    fn maximum_of_field(&self, file: FileId, id: ClassId, name: &str) -> Option<Bound> {
        let module = self.resolver.program().module(file)?;
        let class = module.class(id)?;
        if let Some(member) = class.members.iter().find(|it| module.str(it.name) == name) {
            return member.decorators.iter().find_map(|decorator| {
                let Kind::Call { callee, arguments } = module.kind(*decorator) else { return None };
                let is_limit = match self.of {
                    Measure::Number => matches!(module.source(callee), "Max" | "IsIn" | "IsEnum"),
                    Measure::Length => module.source(callee) == "ArrayMaxSize",
                };
                is_limit.then(|| {
                    let first = module.list(arguments).next();
                    let value = first.and_then(|node| self.resolver.number_of((file, node)));
                    Bound::Clamped(value.and_then(most))
                })
            });
        }
        let (file, class) = self.resolver.base(file, id)?;
        self.maximum_of_field(file, class, name)
    }

    /// `router.get("/", validate(schema), handler)`, `procedure.input(schema).query(handler)`.
    fn beside_handler(&self, file: FileId, function: FunctionId, name: &str, input: Site) -> Option<Bound> {
        let links = self.resolver.program().links();
        links.passed_sites(file, function).iter().find_map(|passed| {
            let (file, call) = passed.call;
            let module = self.resolver.program().module(file)?;
            let Kind::Call { callee, arguments } = module.kind(call) else { return None };
            let mut schemas: Vec<Site> = Vec::new();
            for argument in module.list(arguments) {
                schemas.push((file, argument));
                if let Kind::Call { arguments, .. } = module.kind(argument) {
                    schemas.extend(module.list(arguments).map(|node| (file, node)));
                }
            }
            let mut at = callee;
            while let Kind::Member { object, .. } = module.kind(at) {
                let Kind::Call { callee, arguments } = module.kind(object) else { break };
                schemas.extend(module.list(arguments).map(|node| (file, node)));
                at = callee;
            }
            schemas.into_iter().find_map(|schema| self.in_schema(schema, name, input, 0))
        })
    }

    /// The property wherever it stands in a schema: `{ query: z.object({ limit }) }`, `{ schema: { querystring: … } }`.
    fn in_schema(&self, schema: Site, name: &str, input: Site, depth: usize) -> Option<Bound> {
        if depth > 4 {
            return None;
        }
        if let Some(property) = self.property(schema, name, 0) {
            return Some(self.number(property, input, 0));
        }
        let options = Options::of(self.resolver, schema);
        if let Some(own) = options.get(name) {
            // JSON schema: `limit: { type: "integer", maximum: 100 }`.
            let rule = Options::of(self.resolver, own);
            let word = if self.of == Measure::Length { "maxItems" } else { "maximum" };
            if let Some(maximum) = rule.get(word) {
                return Some(Bound::Clamped(self.resolver.number_of(maximum).and_then(most)));
            }
        }
        let parts: Vec<Site> = options.iter().map(|it| it.value).collect();
        let nested = self.rules(schema).into_iter().find(|rule| &*rule.name == "object");
        let nested = nested.and_then(|rule| rule.arguments.first().copied());
        let nested = nested.map(|site| Options::of(self.resolver, site));
        let inner = nested.iter().flat_map(|it| it.iter().map(|property| property.value));
        parts.into_iter().chain(inner).find_map(|part| self.in_schema(part, name, input, depth + 1))
    }
}

/// `limit` of `req.query.limit`, or the name of the variable.
fn own_name(module: &Module, node: NodeId) -> Option<&str> {
    match module.kind(node) {
        Kind::Member { name, .. } | Kind::Name { name, .. } => Some(module.str(name)),
        _ => None,
    }
}
