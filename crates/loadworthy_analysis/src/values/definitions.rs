//! What a declared name is: its initial value, everything assigned to it, its import, its type, or its arguments.

use loadworthy_project::FileId;
use loadworthy_syntax::{BindingId, BindingKind, FunctionId, ImportName, Kind, Module, NodeId};
use rustc_hash::FxHashMap;

use super::{Resolver, Site, Value, Values, join, none, one};

impl Resolver<'_> {
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
                if !passed.is_empty() {
                    return passed;
                }
                let typed = self.typed(file, binding.type_id);
                if typed.is_empty() { declared } else { typed }
            }
            BindingKind::Catch | BindingKind::Type => none(),
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

    /// What the call sites pass for a parameter.
    pub(super) fn arguments(&self, file: FileId, function: FunctionId, index: usize) -> Values {
        let Some(sites) = self.call_sites.get(&(file, function)) else { return none() };
        join(sites.iter().filter_map(|(caller, call)| {
            let module = self.module(*caller)?;
            let (Kind::Call { arguments, .. } | Kind::New { arguments, .. }) = module.kind(*call) else {
                return None;
            };
            let argument = module.list(arguments).nth(index)?;
            Some(self.value_of((*caller, argument)))
        }))
    }

    /// Calls of each function of the program, as far as their callee is known without following parameters.
    pub(super) fn find_call_sites(&self) -> FxHashMap<(FileId, FunctionId), Vec<Site>> {
        let mut sites: FxHashMap<_, Vec<Site>> = FxHashMap::default();
        for (file, module) in self.program.modules() {
            for call in module.calls() {
                for callee in self.callees(file, module, *call) {
                    sites.entry(callee).or_default().push((file, *call));
                }
            }
        }
        sites
    }

    fn callees(&self, file: FileId, module: &Module, call: NodeId) -> Vec<(FileId, FunctionId)> {
        let (callee, is_new) = match module.kind(call) {
            Kind::Call { callee, .. } => (callee, false),
            Kind::New { callee, .. } => (callee, true),
            _ => return Vec::new(),
        };
        let values = self.value_of((file, callee));
        values
            .iter()
            .filter_map(|value| match value {
                Value::Function(file, function) if !is_new => Some((*file, *function)),
                Value::Class(file, class) if is_new => self.constructor(*file, *class),
                _ => None,
            })
            .collect()
    }

    fn constructor(&self, file: FileId, class: loadworthy_syntax::ClassId) -> Option<(FileId, FunctionId)> {
        let module = self.module(file)?;
        let members = &module.class(class)?.members;
        let constructor = members.iter().find(|it| it.kind == loadworthy_syntax::MemberKind::Constructor)?;
        match module.kind(constructor.value) {
            Kind::Function(function) => Some((file, function)),
            _ => None,
        }
    }
}
