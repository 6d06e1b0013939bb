//! Reads the literals that declare models: objects with spreads, lists, constants of other modules, chains of calls.

use loadworthy_project::FileId;
use loadworthy_schema::Place;
use loadworthy_schema::sql::Dialect;
use loadworthy_syntax::{Class, ClassId, Kind, Module, NodeId, TypeForm, TypeId};

use super::packages::{self, is_of};
use crate::links::FunctionRef;
use crate::values::{External, Resolver, Root, Site, Step, Value};

/// Deepest nesting of spreads that is followed.
const MAX_SPREADS: usize = 8;

/// Deepest inheritance that is followed.
const MAX_BASES: usize = 16;

/// Reads nodes of any file of the program, migrations included.
#[derive(Clone, Copy)]
pub(super) struct Reading<'r, 'p> {
    pub(super) resolver: &'r Resolver<'p>,
}

/// `.name(…)` or `.name` in a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// Empty where the value itself is called.
    pub(super) name: String,
    /// The call; absent for a plain member.
    pub(super) call: Option<Site>,
}

/// A class of the program.
pub(super) type ClassRef = (FileId, ClassId);

/// What a type annotation says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Declared {
    /// Empty where it is none of a name.
    pub(super) name: String,
    pub(super) is_list: bool,
    /// The class, where the name is one of the program.
    pub(super) class: Option<ClassRef>,
    /// How many values it has, where the name is an enum of the program.
    pub(super) values: Option<u32>,
}

impl Declared {
    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

impl<'p> Reading<'_, 'p> {
    pub(super) fn module(self, file: FileId) -> Option<&'p Module> {
        self.resolver.program().lowered(file)
    }

    pub(super) fn kind(self, (file, node): Site) -> Kind {
        self.module(file).map_or(Kind::Hole, |module| module.kind(node))
    }

    /// Every lowered file: the audited ones, then migrations and scripts.
    pub(super) fn modules(self) -> impl Iterator<Item = (FileId, &'p Module)> + use<'p> {
        let program = self.resolver.program();
        program.modules().chain(program.migrations())
    }

    pub(super) fn place(self, (file, node): Site) -> Place {
        let line = self.module(file).map_or(1, |module| module.lines_of(node).0);
        Place { file: self.resolver.program().path(file).to_owned(), line }
    }

    /// The line on which a node ends.
    pub(super) fn last_line(self, (file, node): Site) -> u32 {
        self.module(file).map_or(0, |module| module.lines_of(node).1)
    }

    /// The folder of the package that holds a file.
    pub(super) fn scope(self, file: FileId) -> &'p str {
        let project = self.resolver.program().project();
        let package = project.file(file).and_then(|file| project.package(file.package));
        package.map_or("", |package| package.dir.as_str())
    }

    /// Whether the package of a file declares a dependency.
    pub(super) fn depends_on(self, file: FileId, dependency: &str) -> bool {
        let project = self.resolver.program().project();
        project.file(file).is_some_and(|file| project.depends_on(file.package, dependency))
    }

    /// The SQL that the package of a file speaks.
    pub(super) fn dialect(self, file: FileId) -> Dialect {
        let project = self.resolver.program().project();
        project.file(file).map_or(Dialect::Unknown, |file| packages::dialect(project, file.package))
    }

    pub(super) fn arguments(self, (file, call): Site) -> Vec<Site> {
        let Some(module) = self.module(file) else { return Vec::new() };
        match module.kind(call) {
            Kind::Call { arguments, .. } | Kind::New { arguments, .. } => {
                module.list(arguments).map(|node| (file, node)).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn argument(self, call: Site, at: usize) -> Option<Site> {
        self.arguments(call).into_iter().nth(at)
    }

    /// The one constant text of an expression.
    pub(super) fn text(self, site: Site) -> Option<String> {
        match self.kind(site) {
            Kind::Number(_) => None,
            _ => self.resolver.text_of(site),
        }
    }

    /// The constant texts that an expression may be: a loop variable over a list of names has several.
    pub(super) fn texts(self, site: Site) -> Vec<String> {
        if let Some(text) = self.text(site) {
            return vec![text];
        }
        let values = self.resolver.filled(&self.resolver.value_of(site));
        let text = |value: &Value| match value {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        };
        values.iter().filter_map(text).collect()
    }

    pub(super) fn number(self, site: Site) -> Option<f64> {
        self.resolver.number_of(site)
    }

    pub(super) fn flag(self, site: Site) -> Option<bool> {
        match &*self.resolver.value_of(site) {
            [Value::Bool(flag)] => Some(*flag),
            _ => None,
        }
    }

    /// The object literal that an expression is, or the call that merges some.
    pub(super) fn object(self, site: Site) -> Option<Site> {
        if matches!(self.kind(site), Kind::Object(_)) || self.is_merge(site) {
            return Some(site);
        }
        self.resolver.value_of(site).iter().find_map(|value| match value {
            Value::Object(file, node) => Some((*file, *node)),
            _ => None,
        })
    }

    /// The properties of an object in order, spreads included; the last of a name counts.
    pub(super) fn entries(self, site: Site) -> Vec<(String, Site)> {
        let mut entries = Vec::new();
        self.add_entries(site, 0, &mut entries);
        entries
    }

    /// `Object.assign({}, a, b)`, `merge(a, b)`.
    fn is_merge(self, site: Site) -> bool {
        matches!(self.kind(site), Kind::Call { .. })
            && ["assign", "merge", "extend", "defaults"].contains(&self.called_name(site))
            && self.arguments(site).iter().any(|argument| matches!(self.kind(*argument), Kind::Object(_)))
    }

    fn add_entries(self, site: Site, depth: usize, entries: &mut Vec<(String, Site)>) {
        let Some((file, object)) = self.object(site).filter(|_| depth < MAX_SPREADS) else { return };
        if self.is_merge((file, object)) {
            for argument in self.arguments((file, object)) {
                self.add_entries(argument, depth + 1, entries);
            }
            return;
        }
        let Some(module) = self.module(file) else { return };
        let Kind::Object(parts) = module.kind(object) else { return };
        for part in module.list(parts) {
            let (key, value) = match module.kind(part) {
                Kind::Property { key, value } => (module.str(key).to_owned(), value),
                Kind::ComputedProperty { key, value } => match self.text((file, key)) {
                    Some(key) => (key, value),
                    None => continue,
                },
                Kind::Spread(value) => {
                    self.add_entries((file, value), depth + 1, entries);
                    continue;
                }
                _ => continue,
            };
            match entries.iter_mut().find(|(known, _)| *known == key) {
                Some(known) => known.1 = (file, value),
                None => entries.push((key, (file, value))),
            }
        }
    }

    /// A property of an object.
    pub(super) fn get(self, object: Site, key: &str) -> Option<Site> {
        self.entries(object).into_iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    pub(super) fn get_text(self, object: Site, key: &str) -> Option<String> {
        self.text(self.get(object, key)?)
    }

    /// Whether a property is `true`.
    pub(super) fn is_set(self, object: Site, key: &str) -> bool {
        self.get(object, key).and_then(|value| self.flag(value)) == Some(true)
    }

    /// The elements of a list, spreads included; none where it is no list.
    pub(super) fn elements(self, site: Site) -> Vec<Site> {
        let mut elements = Vec::new();
        self.add_elements(site, 0, &mut elements);
        elements
    }

    fn add_elements(self, site: Site, depth: usize, elements: &mut Vec<Site>) {
        let Some((file, array)) = self.array(site).filter(|_| depth < MAX_SPREADS) else { return };
        let Some(module) = self.module(file) else { return };
        let Kind::Array(parts) = module.kind(array) else { return };
        for part in module.list(parts) {
            match module.kind(part) {
                Kind::Spread(value) => self.add_elements((file, value), depth + 1, elements),
                _ => elements.push((file, part)),
            }
        }
    }

    /// The array literal that an expression is.
    pub(super) fn array(self, site: Site) -> Option<Site> {
        if let Kind::Array(_) = self.kind(site) {
            return Some(site);
        }
        self.resolver.value_of(site).iter().find_map(|value| match value {
            Value::Array(file, node) => Some((*file, *node)),
            _ => None,
        })
    }

    /// A text, or the texts of a list.
    pub(super) fn names(self, site: Site) -> Vec<String> {
        match self.text(site) {
            Some(text) => vec![text],
            None => self.elements(site).into_iter().filter_map(|element| self.text(element)).collect(),
        }
    }

    /// How many values a list or an object of constants holds.
    pub(super) fn count(self, site: Site) -> Option<u32> {
        let elements = if self.array(site).is_some() {
            self.elements(site).len()
        } else {
            self.object(site).map(|object| self.entries(object).len())?
        };
        u32::try_from(elements).ok().filter(|count| *count > 0)
    }

    /// The function that an expression is.
    pub(super) fn function(self, site: Site) -> Option<FunctionRef> {
        match self.kind(site) {
            Kind::Function(function) => Some((site.0, function)),
            _ => self.resolver.value_of(site).iter().find_map(|value| match value {
                Value::Function(file, function) => Some((*file, *function)),
                _ => None,
            }),
        }
    }

    /// The chains in a function that start at its first parameter, outermost calls, in source order.
    pub(super) fn chains_on_parameter(self, (file, function): FunctionRef) -> Vec<Site> {
        let binding = || {
            let module = self.module(file)?;
            let first = module.list(module.function(function)?.parameters).next()?;
            match module.kind(first) {
                Kind::Binding(binding) => Some((module, binding)),
                _ => None,
            }
        };
        let Some((module, binding)) = binding() else { return Vec::new() };
        module.references(binding).iter().map(|name| (file, outermost(module, *name))).collect()
    }

    /// What a function gives back: the expressions it may return.
    pub(super) fn returned(self, site: Site) -> Vec<Site> {
        let Some((file, function)) = self.function(site) else { return Vec::new() };
        let index = self.resolver.program().index(file);
        index.map_or(&[][..], |index| index.returns(function)).iter().map(|node| (file, *node)).collect()
    }

    /// `() => X` as `X`, anything else as it is.
    pub(super) fn unwrapped(self, site: Site) -> Site {
        self.returned(site).first().copied().unwrap_or(site)
    }

    /// The steps of a library's value, from the package on.
    pub(super) fn links(external: &External) -> Vec<Link> {
        let mut links: Vec<Link> = Vec::new();
        for step in &*external.steps {
            match step {
                Step::Get(name) => links.push(Link { name: name.to_string(), call: None }),
                Step::Call(site) | Step::New(site) => match links.last_mut() {
                    Some(last) if last.call.is_none() => last.call = Some(*site),
                    _ => links.push(Link { name: String::new(), call: Some(*site) }),
                },
                Step::Type(_) | Step::Extended | Step::Element => {}
            }
        }
        links
    }

    /// A chain as written: its root and what is done to it. `t.uuid("id").primaryKey()` has the root `t`.
    pub(super) fn chain(self, (file, node): Site) -> (Site, Vec<Link>) {
        let mut links = Vec::new();
        let mut node = node;
        let Some(module) = self.module(file) else { return ((file, node), links) };
        loop {
            let (member, call) = match module.kind(node) {
                Kind::Call { callee, .. } => (callee, Some((file, node))),
                Kind::Await(value) => {
                    node = value;
                    continue;
                }
                _ => (node, None),
            };
            let Kind::Member { object, name } = module.kind(member) else { break };
            links.push(Link { name: module.str(name).to_owned(), call });
            node = object;
        }
        links.reverse();
        ((file, node), links)
    }

    /// The alternatives of an expression that come from a package.
    pub(super) fn externals(self, site: Site) -> Vec<External> {
        let values = self.resolver.filled(&self.resolver.value_of(site));
        let external = |value: &Value| match value {
            Value::External(external) => Some(external.clone()),
            _ => None,
        };
        values.iter().filter_map(external).collect()
    }

    /// The name of the function or method that a call is of, as written.
    pub(super) fn called_name(self, (file, call): Site) -> &'p str {
        let Some(module) = self.module(file) else { return "" };
        let (Kind::Call { callee, .. } | Kind::New { callee, .. }) = module.kind(call) else { return "" };
        match module.kind(callee) {
            Kind::Member { name, .. } | Kind::Name { name, .. } => module.str(name),
            _ => "",
        }
    }

    /// What a method is called on.
    pub(super) fn receiver(self, (file, call): Site) -> Option<Site> {
        let module = self.module(file)?;
        let Kind::Call { callee, .. } = module.kind(call) else { return None };
        match module.kind(callee) {
            Kind::Member { object, .. } => Some((file, object)),
            _ => None,
        }
    }

    /// The program's class that an expression is.
    pub(super) fn class(self, site: Site) -> Option<ClassRef> {
        self.resolver.value_of(site).iter().find_map(|value| match value {
            Value::Class(file, class) => Some((*file, *class)),
            _ => None,
        })
    }

    pub(super) fn class_at(self, (file, class): ClassRef) -> Option<(&'p Module, &'p Class)> {
        let module = self.module(file)?;
        Some((module, module.class(class)?))
    }

    pub(super) fn class_name(self, class: ClassRef) -> &'p str {
        self.class_at(class).map_or("", |(module, class)| module.str(class.name))
    }

    /// Every class of the program.
    pub(super) fn classes(self) -> impl Iterator<Item = ClassRef> + use<'p> {
        self.modules().flat_map(|(file, module)| {
            (0..module.classes().len()).map(move |class| (file, ClassId::new(class)))
        })
    }

    /// The class and the program's classes that it extends, innermost first.
    pub(super) fn lineage(self, class: ClassRef) -> Vec<ClassRef> {
        let mut lineage = vec![class];
        while let Some(base) = lineage.last().and_then(|class| self.base(*class)) {
            if lineage.contains(&base) || lineage.len() > MAX_BASES {
                break;
            }
            lineage.push(base);
        }
        lineage
    }

    fn base(self, class: ClassRef) -> Option<ClassRef> {
        let heritage = self.class_at(class)?.1.heritage.ok()?;
        self.class((class.0, heritage))
    }

    /// Decorators of the given packages: what is applied, and its call if it has arguments.
    pub(super) fn decorators(self, file: FileId, nodes: &[NodeId], packages: &[&str]) -> Vec<Link> {
        let link = |node: &NodeId| {
            let externals = self.externals((file, *node));
            let external = externals.iter().find(|external| is_of(package_of(external), packages))?;
            Self::links(external).into_iter().last()
        };
        nodes.iter().filter_map(link).collect()
    }

    /// The TypeScript type of a member.
    pub(super) fn declared_type(self, file: FileId, id: TypeId) -> Declared {
        let Some(module) = self.module(file) else { return Declared::default() };
        let Some(found) = module.type_ref(id) else { return Declared::default() };
        match found.form {
            TypeForm::Array => Declared { is_list: true, ..self.declared_type(file, found.argument) },
            TypeForm::String => Declared::named("string"),
            TypeForm::Number => Declared::named("number"),
            TypeForm::Boolean => Declared::named("boolean"),
            TypeForm::Reference => {
                let name = module.str(found.name);
                // `Ref<User>`, `Promise<User>`, `Collection<User>`: what they hold.
                if let (
                    "Array" | "Promise" | "Collection" | "Ref" | "IdentifiedReference" | "Relation",
                    Some(inner),
                ) = (name, found.argument.ok())
                {
                    let is_list = matches!(name, "Array" | "Collection");
                    let inner = self.declared_type(file, inner);
                    return Declared { is_list: is_list || inner.is_list, ..inner };
                }
                let declared = found.binding.ok().map(|binding| self.resolver.declared_by((file, binding)));
                let values = declared.as_deref().unwrap_or_default();
                let class = values.iter().find_map(|value| match value {
                    Value::Class(file, class) => Some((*file, *class)),
                    _ => None,
                });
                let values = values.iter().find_map(|value| match value {
                    Value::Object(file, node) => self.count((*file, *node)),
                    _ => None,
                });
                Declared { name: name.to_owned(), is_list: false, class, values }
            }
            TypeForm::Query | TypeForm::Member | TypeForm::Literal | TypeForm::Other => Declared::default(),
        }
    }

    /// The callee of a call or construction.
    pub(super) fn callee(self, (file, call): Site) -> Option<Site> {
        let module = self.module(file)?;
        match module.kind(call) {
            Kind::Call { callee, .. } | Kind::New { callee, .. } => Some((file, callee)),
            _ => None,
        }
    }

    /// The last name of an expression as written: `users` of `users` and of `schema.users`.
    pub(super) fn written_name(self, (file, node): Site) -> Option<&'p str> {
        let module = self.module(file)?;
        match module.kind(node) {
            Kind::Name { name, .. } | Kind::Member { name, .. } => Some(module.str(name)),
            _ => None,
        }
    }

    /// The name of the variable, property or export that an expression is the value of.
    pub(super) fn holder_name(self, (file, node): Site) -> Option<&'p str> {
        let module = self.module(file)?;
        let parent = module.parent(node);
        match module.kind(parent) {
            Kind::Declarator { target, init } if init == node => match module.kind(target) {
                Kind::Binding(binding) => module.binding(binding).map(|binding| module.str(binding.name)),
                _ => None,
            },
            Kind::Property { key, .. } => Some(module.str(key)),
            Kind::Assign { target, .. } => {
                self.written_name((file, target)).filter(|name| *name != "exports")
            }
            Kind::Await(_) | Kind::Binary { .. } | Kind::Conditional { .. } => {
                self.holder_name((file, parent))
            }
            _ => None,
        }
    }

    /// Source text.
    pub(super) fn source(self, (file, node): Site) -> &'p str {
        self.module(file).map_or("", |module| module.source(node))
    }

    /// SQL text of a string or template, its interpolations as markers or, where they are constant, as they are.
    pub(super) fn sql(self, site: Site) -> Option<String> {
        self.sqls(site).into_iter().next()
    }

    /// As [`Reading::sql`], once for each of the constants that interpolations may be: `` `ON ${table} (id)` `` in a loop
    /// over names, or with a part that depends on the database.
    pub(super) fn sqls(self, (file, node): Site) -> Vec<String> {
        let Some(module) = self.module(file) else { return Vec::new() };
        match module.kind(node) {
            Kind::Tagged { template, .. } => self.sqls((file, template)),
            Kind::Template { strings, values } => {
                let parts: Vec<&str> = module.atoms(strings).collect();
                let values: Vec<Vec<String>> =
                    module.list(values).map(|value| self.texts((file, value))).collect();
                let variants = values.iter().map(Vec::len).max().unwrap_or(1).max(1);
                (0..variants).map(|variant| interpolated(&parts, &values, variant)).collect()
            }
            _ => self.text((file, node)).into_iter().collect(),
        }
    }
}

/// A template with one of the alternatives for each interpolation; a marker where there is none.
fn interpolated(parts: &[&str], values: &[Vec<String>], variant: usize) -> String {
    let mut text = String::new();
    for (at, part) in parts.iter().enumerate() {
        text.push_str(part);
        let Some(alternatives) = values.get(at) else { continue };
        let marker = format!("__lw_{at}__");
        text.push_str(alternatives.get(variant).or(alternatives.last()).unwrap_or(&marker));
    }
    text
}

/// The end of the chain of members and calls that starts at a node.
fn outermost(module: &Module, start: NodeId) -> NodeId {
    let mut node = start;
    loop {
        let parent = module.parent(node);
        match module.kind(parent) {
            Kind::Member { object, .. } if object == node => node = parent,
            Kind::Call { callee, .. } if callee == node => node = parent,
            _ => return node,
        }
    }
}

/// The package of a library's value: `drizzle-orm` of `drizzle-orm/pg-core`.
pub(super) fn package_of(external: &External) -> &str {
    match &external.root {
        Root::Package(specifier) => specifier,
        Root::Global(_) | Root::Passed(..) => "",
    }
}
