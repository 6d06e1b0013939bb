//! Functions around handlers (`asyncHandler(fn)`): whether they catch what the handler rejects with.

use loadworthy_knowledge::{Effect, Flag, Member};
use loadworthy_project::PackageId;
use loadworthy_syntax::{BindingId, BindingKind, FunctionId, Kind, Module, NodeId};

use crate::analysis::Analysis;
use crate::calls::{Call, Handed, package_name};
use crate::fate::{Fate, fate};
use crate::links::FunctionRef;
use crate::loading::specifiers;
use crate::values::Site;

/// What stands around a function where it is handed to a library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrapping {
    /// Nothing.
    Bare,
    /// A call of a function that catches its failure, or of one that is not known.
    Catching(Site),
    /// A call of a function that lets its failure pass.
    Leaking(Site),
    /// A call of a function that wants a value from it: it is no handler itself.
    Using(Site),
}

impl Analysis<'_> {
    /// What stands around a function where it is handed to a call: an argument, or an element of an array that is one.
    #[must_use]
    pub fn wrapping(&self, call: &Call<'_>, handed: &Handed) -> Wrapping {
        let file = call.site.0;
        let Some(module) = self.program().module(file) else { return Wrapping::Bare };
        let argument = match module.kind(call.site.1) {
            Kind::Call { arguments, .. } | Kind::New { arguments, .. } => {
                module.list(arguments).nth(handed.argument)
            }
            _ => None,
        };
        let Some(argument) = argument else { return Wrapping::Bare };
        let elements = match module.kind(argument) {
            Kind::Array(items) => module.list(items).collect(),
            _ => vec![argument],
        };
        let around = |node: &NodeId| self.calls().at((file, *node)).filter(|it| hands(it, handed.function));
        match elements.iter().find_map(around) {
            Some(wrapper) => self.judged(wrapper),
            None => self.wrapping_where_defined(call, handed.function),
        }
    }

    /// `const list = asyncHandler(async (req, res) => …)`, `exports.list = asyncHandler(list)`.
    fn wrapping_where_defined(&self, registration: &Call<'_>, (file, function): FunctionRef) -> Wrapping {
        let Some(module) = self.program().module(file) else { return Wrapping::Bare };
        let inline = module.function(function).map(|it| (file, module.parent(it.node)));
        let passed = self.program().links().passed_sites(file, function);
        let calls = passed.iter().filter_map(|site| self.calls().at(site.call));
        for wrapper in calls.filter(|call| call.site != registration.site) {
            if Some(wrapper.site) == inline || self.is_wrapper(wrapper) {
                let judged = self.judged(wrapper);
                if judged != Wrapping::Bare {
                    return judged;
                }
            }
        }
        Wrapping::Bare
    }

    /// Whether functions of the program that are called here run what they are given: what becomes of its failure is theirs
    /// to say.
    #[must_use]
    pub fn is_run_by_targets(&self, call: &Call<'_>) -> bool {
        call.targets.iter().any(|target| !self.runs_of_parameters(*target).is_empty())
    }

    /// Whether a call is one of a function that runs what it is given, or of a library that is known to catch.
    fn is_wrapper(&self, call: &Call<'_>) -> bool {
        let is_known = call.library.as_ref().is_some_and(|it| it.effect() == Some(Effect::ErrorForward));
        is_known || self.is_run_by_targets(call)
    }

    /// The packages that import something which hands the rejections of handlers on, for its side effect.
    #[must_use]
    pub fn patched_packages(&self) -> Vec<PackageId> {
        let rows = self.knowledge().members().iter();
        let is_patch = |row: &&Member| row.effect == Effect::ErrorForward && row.has(Flag::SideEffectImport);
        let patches: Vec<&str> = rows.filter(is_patch).filter_map(|row| row.module.as_deref()).collect();
        let mut packages = Vec::new();
        for (file, module) in self.program().modules() {
            let is_patched = specifiers(module).any(|specifier| patches.contains(&package_name(specifier)));
            if let Some(file) = self.program().project().file(file).filter(|_| is_patched)
                && !packages.contains(&file.package)
            {
                packages.push(file.package);
            }
        }
        packages
    }

    fn judged(&self, wrapper: &Call<'_>) -> Wrapping {
        if is_binding(self.program().module(wrapper.site.0), wrapper.site.1) {
            return Wrapping::Bare;
        }
        if wrapper.targets.iter().any(|target| self.uses(*target)) {
            return Wrapping::Using(wrapper.site);
        }
        let is_leaking = wrapper.targets.iter().any(|target| self.leaks(*target));
        let is_known_to_catch =
            wrapper.library.as_ref().is_some_and(|library| library.effect() == Some(Effect::ErrorForward));
        if is_leaking && !is_known_to_catch {
            Wrapping::Leaking(wrapper.site)
        } else {
            Wrapping::Catching(wrapper.site)
        }
    }

    /// Whether a wrapper runs the function that it is given without catching its failure.
    fn leaks(&self, target: FunctionRef) -> bool {
        let Some(module) = self.program().module(target.0) else { return false };
        let inner = self.runs_of_parameters(target);
        !inner.is_empty() && inner.iter().all(|call| fate(module, *call) == Fate::Escapes)
    }

    /// Whether a function takes a value from what it is given: `text(req, res)` in an expression.
    fn uses(&self, target: FunctionRef) -> bool {
        let Some(module) = self.program().module(target.0) else { return false };
        let inner = self.runs_of_parameters(target);
        let is_value = |call: &NodeId| {
            let is_passed_on =
                matches!(module.kind(module.parent(*call)), Kind::Call { .. } | Kind::Member { .. });
            fate(module, *call) == Fate::Unknown && !is_passed_on
        };
        !inner.is_empty() && inner.iter().all(is_value)
    }

    /// The calls inside a function of what it is given.
    fn runs_of_parameters(&self, (file, function): FunctionRef) -> Vec<NodeId> {
        let Some(module) = self.program().module(file) else { return Vec::new() };
        let Some(lowered) = module.function(function) else { return Vec::new() };
        let runs = |node: &NodeId| runs_parameter(module, *node, function);
        module.all_nodes(lowered.node).into_iter().filter(runs).collect()
    }
}

fn hands(call: &Call<'_>, function: FunctionRef) -> bool {
    call.handed.iter().any(|handed| handed.function == function)
}

/// `fn.bind(x)` is the function.
fn is_binding(module: Option<&Module>, node: NodeId) -> bool {
    let Some(module) = module else { return false };
    let Kind::Call { callee, .. } = module.kind(node) else { return false };
    matches!(module.kind(callee), Kind::Member { name, .. } if module.str(name) == "bind")
}

/// `fn(…)`, `fn.call(…)`, `fn.apply(…)` of a parameter of `function`.
fn runs_parameter(module: &Module, node: NodeId, function: FunctionId) -> bool {
    let Kind::Call { callee, .. } = module.kind(node) else { return false };
    let name = match module.kind(callee) {
        Kind::Member { object, name } if matches!(module.str(name), "call" | "apply") => object,
        _ => callee,
    };
    let Kind::Name { binding, .. } = module.kind(name) else { return false };
    is_parameter_of(module, binding, function)
}

fn is_parameter_of(module: &Module, binding: BindingId, function: FunctionId) -> bool {
    let Some(declared) = module.binding(binding) else { return false };
    declared.kind == BindingKind::Parameter && module.enclosing_function(declared.node) == function
}
