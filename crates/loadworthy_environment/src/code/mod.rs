//! What the code says, asked of the values that expressions resolve to.

pub(crate) mod aside;
pub(crate) mod clients;
pub(crate) mod imports;
pub(crate) mod settings;
pub(crate) mod variables;

use loadworthy_analysis::{Program, Resolver, Root, Site, Step, Value, Values};
use loadworthy_knowledge::Knowledge;
use loadworthy_project::{FileId, PackageId, Project};
use loadworthy_syntax::{Kind, Module, NodeId};

use crate::fact::Place;
use aside::Aside;

/// The program with what answers questions about it.
#[derive(Clone, Copy)]
pub(crate) struct Code<'c> {
    pub(crate) resolver: &'c Resolver<'c>,
    pub(crate) knowledge: &'c Knowledge,
    /// Files that are no part of the application.
    pub(crate) aside: &'c Aside,
}

/// A call or construction of something a package gives.
#[derive(Clone, Debug)]
pub(crate) struct Creation {
    pub(crate) site: Site,
    /// The import specifier.
    pub(crate) module: String,
    /// The names read from it, in order: `["TypeOrmModule", "forRoot"]`; empty for the export itself.
    pub(crate) path: Vec<String>,
    /// Nothing was called on the way: `mongoose.connect()`, not `mongoose.plugin().connect()`.
    pub(crate) is_direct: bool,
}

impl Creation {
    /// The last name: what is called.
    pub(crate) fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

impl<'c> Code<'c> {
    pub(crate) fn program(self) -> &'c Program<'c> {
        self.resolver.program()
    }

    pub(crate) fn project(self) -> &'c Project {
        self.program().project()
    }

    /// The audited files that belong to the application.
    pub(crate) fn modules(self) -> impl Iterator<Item = (FileId, &'c Module)> {
        self.program().modules().filter(move |(file, _)| !self.aside.is_by_hand(*file))
    }

    pub(crate) fn module(self, file: FileId) -> Option<&'c Module> {
        self.program().module(file)
    }

    pub(crate) fn package_of(self, file: FileId) -> Option<PackageId> {
        self.project().file(file).map(|file| file.package)
    }

    pub(crate) fn place(self, (file, node): Site, note: impl Into<String>) -> Place {
        let line = self.module(file).map_or(1, |module| module.lines_of(node).0);
        Place::at(self.program().path(file), line, note)
    }

    /// The arguments of a call or construction.
    pub(crate) fn arguments(self, (file, call): Site) -> Vec<Site> {
        let Some(module) = self.module(file) else { return Vec::new() };
        let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = module.kind(call) else {
            return Vec::new();
        };
        module.list(arguments).map(|argument| (file, argument)).collect()
    }

    /// The name of a constant property or the text of a constant expression.
    pub(crate) fn text(self, site: Site) -> Option<String> {
        self.resolver.text_of(site)
    }

    /// Object literals that an expression may be; those that a function gives back count too.
    pub(crate) fn objects(self, site: Site) -> Vec<Site> {
        let values = self.resolver.filled(&self.resolver.value_of(site));
        self.objects_of(&values)
    }

    /// Like [`Code::objects`], with conditions on `NODE_ENV` decided for production.
    pub(crate) fn production_objects(self, site: Site) -> Vec<Site> {
        self.production_objects_within(site, 12)
    }

    fn production_objects_within(self, (file, node): Site, depth: u32) -> Vec<Site> {
        let Some(module) = self.module(file).filter(|_| depth > 0) else { return Vec::new() };
        match module.kind(node) {
            Kind::Conditional { test, then, otherwise } => match self.in_production((file, test)) {
                Some(true) => self.production_objects_within((file, then), depth - 1),
                Some(false) => self.production_objects_within((file, otherwise), depth - 1),
                None => self.objects((file, node)),
            },
            Kind::Member { object, name } => {
                let holders = self.production_objects_within((file, object), depth - 1);
                if holders.is_empty() {
                    return self.objects((file, node));
                }
                let name = module.str(name);
                let values = holders.into_iter().filter_map(|holder| self.property(holder, name));
                values.flat_map(|value| self.production_objects_within(value, depth - 1)).collect()
            }
            Kind::Name { binding, .. } => {
                let declared = module.binding(binding).map(|binding| binding.node);
                match declared.map(|declared| module.kind(module.parent(declared))) {
                    Some(Kind::Declarator { init, .. })
                        if matches!(module.kind(init), Kind::Conditional { .. } | Kind::Member { .. }) =>
                    {
                        self.production_objects_within((file, init), depth - 1)
                    }
                    _ => self.objects((file, node)),
                }
            }
            _ => self.objects((file, node)),
        }
    }

    pub(crate) fn objects_of(self, values: &[Value]) -> Vec<Site> {
        let mut found = Vec::new();
        for value in values {
            match value {
                Value::Object(file, node) => found.push((*file, *node)),
                Value::Function(file, function) => {
                    let result: Values = self.resolver.result(*file, *function);
                    found.extend(result.iter().filter_map(|value| match value {
                        Value::Object(file, node) => Some((*file, *node)),
                        _ => None,
                    }));
                }
                _ => {}
            }
        }
        found
    }

    /// The value of a property of an object literal, spreads included; the last one counts.
    pub(crate) fn property(self, object: Site, name: &str) -> Option<Site> {
        self.property_within(object, name, 4)
    }

    fn property_within(self, (file, object): Site, name: &str, depth: u32) -> Option<Site> {
        let module = self.module(file)?;
        let Kind::Object(list) = module.kind(object) else { return None };
        for part in module.list(list).rev() {
            match module.kind(part) {
                Kind::Property { key, value } if module.str(key) == name => return Some((file, value)),
                Kind::Spread(value) if depth > 0 => {
                    let inner = self.objects((file, value));
                    let found =
                        inner.into_iter().find_map(|object| self.property_within(object, name, depth - 1));
                    if found.is_some() {
                        return found;
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The value at a dotted path of properties.
    pub(crate) fn option(self, object: Site, path: &str) -> Option<Site> {
        let mut keys = path.split('.');
        let mut site = self.property(object, keys.next()?)?;
        for key in keys {
            site = self.production_objects(site).into_iter().find_map(|object| self.property(object, key))?;
        }
        Some(site)
    }

    /// Every call and construction of something a package gives, in source order.
    pub(crate) fn creations(self) -> Vec<Creation> {
        let mut found = Vec::new();
        for (file, module) in self.modules() {
            for call in module.calls() {
                found.extend(self.creation((file, *call)));
            }
            self.extended(file, module, &mut found);
        }
        found
    }

    fn creation(self, site: Site) -> Option<Creation> {
        self.resolver.value_of(site).iter().find_map(|value| {
            let Value::External(external) = value else { return None };
            let Root::Package(package) = &external.root else { return None };
            let (last, before) = external.steps.split_last()?;
            if last.site() != Some(site) {
                return None;
            }
            let path = names(before);
            let is_direct = path.len() == before.len();
            Some(Creation { site, module: package.to_string(), path, is_direct })
        })
    }

    /// `class X extends PrismaClient`: an object of it is one of the package's, made by `super(…)`.
    fn extended(self, file: FileId, module: &Module, found: &mut Vec<Creation>) {
        for class in module.classes() {
            let Some(heritage) = class.heritage.ok() else { continue };
            for value in self.resolver.value_of((file, heritage)).iter() {
                let Value::External(external) = value else { continue };
                let Root::Package(package) = &external.root else { continue };
                let path = names(&external.steps);
                let is_direct = path.len() == external.steps.len();
                let site = super_call(module, class.node).unwrap_or(class.node);
                found.push(Creation { site: (file, site), module: package.to_string(), path, is_direct });
            }
        }
    }
}

/// The names that a path reads.
fn names(steps: &[Step]) -> Vec<String> {
    steps
        .iter()
        .filter_map(|step| match step {
            Step::Get(name) => Some(name.to_string()),
            _ => None,
        })
        .collect()
}

/// The `super(…)` of a class's own constructor.
fn super_call(module: &Module, class: NodeId) -> Option<NodeId> {
    module.calls().iter().copied().find(|call| {
        module.contains(class, *call)
            && matches!(module.kind(*call), Kind::Call { callee, .. } if module.kind(callee) == Kind::Super)
    })
}
