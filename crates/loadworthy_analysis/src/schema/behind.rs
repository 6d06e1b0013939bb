//! The table behind an expression that is no model itself: a repository, an injected model, a name of a table.

use loadworthy_schema::Table;
use loadworthy_syntax::{BindingId, BindingKind, Class, Kind, Module, NodeId, TypeId};

use super::Models;
use super::reading::Reading;
use crate::index::enclosing_class;
use crate::values::{Resolver, Site, Step};

/// Most definitions that are followed from a name to what makes its value.
const MAX_HOPS: usize = 4;

impl Models<'_> {
    /// The table that an expression is about: a model or table, a text that names one, `getRepository(User)`,
    /// a `Repository<User>`, what `@InjectRepository(User)` or `@InjectModel(User.name)` provides.
    #[must_use]
    pub fn table_behind(&self, resolver: &Resolver<'_>, site: Site) -> Option<&Table> {
        Behind { models: self, reading: Reading { resolver } }.table(site, 0)
    }
}

struct Behind<'m, 'r, 'p> {
    models: &'m Models<'m>,
    reading: Reading<'r, 'p>,
}

impl<'m> Behind<'m, '_, '_> {
    fn table(&self, site: Site, hops: usize) -> Option<&'m Table> {
        let resolver = self.reading.resolver;
        if let Some(table) = self.models.table_at(resolver, site) {
            return Some(table);
        }
        if let Some(text) = resolver.text_of(site) {
            return self.models.table_named(site.0, &text);
        }
        self.handed(site).or_else(|| self.defined(site, hops))
    }

    /// A library's value that was made with a model: `dataSource.getRepository(User)`.
    fn handed(&self, site: Site) -> Option<&'m Table> {
        let externals = self.reading.externals(site);
        let calls = externals.iter().flat_map(|external| external.steps.iter().rev().filter_map(Step::site));
        calls.into_iter().find_map(|call| self.of_arguments(call))
    }

    fn of_arguments(&self, call: Site) -> Option<&'m Table> {
        self.reading.arguments(call).into_iter().find_map(|argument| self.of_argument(argument))
    }

    /// A model, or `User.name` of one. A parameter may be any model that some call passes.
    fn of_argument(&self, site: Site) -> Option<&'m Table> {
        let resolver = self.reading.resolver;
        if let Kind::Name { binding, .. } = self.reading.kind(site)
            && let Some(binding) = self.reading.module(site.0)?.binding(binding)
            && binding.kind == BindingKind::Parameter
        {
            return None;
        }
        self.models.table_at(resolver, site).or_else(|| match self.reading.kind(site) {
            Kind::Member { object, name } if self.reading.module(site.0)?.str(name) == "name" => {
                self.models.table_at(resolver, (site.0, object))
            }
            _ => None,
        })
    }

    fn defined(&self, (file, node): Site, hops: usize) -> Option<&'m Table> {
        let module = self.reading.module(file).filter(|_| hops < MAX_HOPS)?;
        match module.kind(node) {
            Kind::Await(value) => self.table((file, value), hops + 1),
            Kind::Call { callee, .. } => self.of_arguments((file, node)).or_else(|| {
                // A row: `User.findOne(…)`.
                let Kind::Member { object, .. } = module.kind(callee) else { return None };
                self.table((file, object), hops + 1)
            }),
            Kind::Name { binding, .. } if binding != BindingId::NONE => {
                self.of_binding(file, module, binding, hops)
            }
            Kind::Member { object, name } if module.kind(object) == Kind::This => {
                let class = module.class(enclosing_class(module, node)?)?;
                self.of_member((file, class), module, module.str(name))
            }
            // `class UserRepository` with `@EntityRepository(User)`.
            Kind::This => {
                let class = module.class(enclosing_class(module, node)?)?;
                class.decorators.iter().find_map(|decorator| self.of_arguments((file, *decorator)))
            }
            _ => None,
        }
    }

    fn of_binding(
        &self,
        file: loadworthy_project::FileId,
        module: &Module,
        id: BindingId,
        hops: usize,
    ) -> Option<&'m Table> {
        let binding = module.binding(id)?;
        let typed = self.of_type(file, module, binding.type_id);
        typed.or_else(|| self.of_parameter(file, module, binding.node)).or_else(|| {
            let source = source(module, binding.node)?;
            self.table((file, source), hops + 1)
        })
    }

    /// A field: by what is injected, else by its type.
    fn of_member(
        &self,
        (file, class): (loadworthy_project::FileId, &Class),
        module: &Module,
        name: &str,
    ) -> Option<&'m Table> {
        let mut members = class.members.iter().filter(|member| module.str(member.name) == name);
        members.find_map(|member| {
            let injected =
                member.decorators.iter().find_map(|decorator| self.of_arguments((file, *decorator)));
            injected
                .or_else(|| self.of_parameter(file, module, member.value))
                .or_else(|| self.of_type(file, module, member.type_id))
        })
    }

    fn of_parameter(
        &self,
        file: loadworthy_project::FileId,
        module: &Module,
        parameter: NodeId,
    ) -> Option<&'m Table> {
        let mut all = module.parameter_decorators().iter().filter(|it| it.parameter == parameter);
        all.find_map(|it| it.decorators.iter().find_map(|decorator| self.of_arguments((file, *decorator))))
    }

    /// The argument of `Repository<User>` or `Model<UserDocument>`.
    fn of_type(&self, file: loadworthy_project::FileId, module: &Module, id: TypeId) -> Option<&'m Table> {
        let argument = module.type_ref(id)?.argument;
        let declared = self.reading.declared_type(file, argument);
        let of_class = declared.class.and_then(|class| self.models.table_of_class(class));
        of_class.or_else(|| {
            let name = declared.name.strip_suffix("Document").unwrap_or(&declared.name);
            if name.is_empty() { None } else { self.models.table_named(file, name) }
        })
    }
}

/// What a declared name is taken from: the initial value, the list it is an element of, or the list whose method calls
/// the function that has it as its first parameter.
fn source(module: &Module, declared: NodeId) -> Option<NodeId> {
    let parent = module.parent(declared);
    match module.kind(parent) {
        Kind::Declarator { init, .. } if init.is_some() => Some(init),
        Kind::Declarator { .. } => {
            let variables = module.parent(parent);
            match module.kind(module.parent(variables)) {
                Kind::ForOf { target, iterable, .. } | Kind::ForAwait { target, iterable, .. }
                    if target == variables =>
                {
                    Some(iterable)
                }
                _ => None,
            }
        }
        Kind::ArrayPattern(_) => source(module, parent),
        Kind::Function(function) => {
            let first = module.list(module.function(function)?.parameters).next()?;
            let Kind::Call { callee, .. } = module.kind(module.parent(parent)) else { return None };
            let Kind::Member { object, name } = module.kind(callee) else { return None };
            (first == declared && PER_ELEMENT.contains(&module.str(name))).then_some(object)
        }
        _ => None,
    }
}

/// Methods of lists that call a function for each element.
const PER_ELEMENT: [&str; 7] = ["map", "forEach", "filter", "find", "some", "every", "flatMap"];
