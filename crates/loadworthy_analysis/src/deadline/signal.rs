//! Whether a timer aborts a signal.

use loadworthy_syntax::{Binary, BindingId, Kind, Module, NodeId, Unary};

use super::options::{Given, Wanted, is_parameter};
use super::{Deadlines, MAX_DEPTH};
use crate::values::{External, Root, Site, Step, Value};

impl Deadlines<'_, '_> {
    pub(super) fn signal(&self, (file, node): Site, depth: u32) -> Given {
        let Some(module) = self.analysis.program().module(file) else { return Given::Unknown((file, node)) };
        if depth > MAX_DEPTH {
            return Given::Unknown((file, node));
        }
        let next = |node: NodeId| self.signal((file, node), depth + 1);
        match module.kind(node) {
            Kind::Null | Kind::Bool(false) | Kind::Unary { operator: Unary::Void, .. } => Given::Absent,
            Kind::Name { name, binding } if !binding.is_some() && module.str(name) == "undefined" => {
                Given::Absent
            }
            Kind::Conditional { then, otherwise, .. } => next(then).or_else(|| next(otherwise)),
            Kind::Binary { operator: Binary::Or | Binary::Nullish | Binary::And, left, right } => {
                next(left).or_else(|| next(right))
            }
            Kind::Name { binding, .. } if is_parameter(module, binding) => {
                self.passed_signal((file, node), &[], binding, depth)
            }
            Kind::Member { object, name } => match module.kind(object) {
                Kind::Name { binding, .. } if is_parameter(module, binding) => {
                    self.passed_signal((file, node), &[module.str(name)], binding, depth)
                }
                _ => self.signal_value((file, node), depth),
            },
            _ => self.signal_value((file, node), depth),
        }
    }

    /// The signal that callers pass, or that a library does: that one ends with the request or the component, not with
    /// time.
    fn passed_signal(&self, site: Site, path: &[&str], binding: BindingId, depth: u32) -> Given {
        let values = self.resolver.value_of(site);
        let is_library =
            |value: &Value| matches!(value, Value::External(it) if matches!(it.root, Root::Passed(..)));
        if !values.is_empty() && values.iter().all(is_library) {
            return Given::Signal(site);
        }
        self.parameter(site, binding, path, Wanted::Signal, depth + 1)
    }

    fn signal_value(&self, site: Site, depth: u32) -> Given {
        let values = self.resolver.filled(&self.resolver.value_of(site));
        let of = |value: &Value| match value {
            Value::External(external) => self.external_signal(external, site, depth),
            _ => Given::Unknown(site),
        };
        values.iter().map(of).reduce(|all, one| all.or_else(|| one)).unwrap_or(Given::Unknown(site))
    }

    fn external_signal(&self, external: &External, site: Site, depth: u32) -> Given {
        let name_of = |step: &Step| match step {
            Step::Get(name) => Some(name.to_string()),
            _ => None,
        };
        let steps: Vec<Option<String>> = external.steps.iter().map(name_of).collect();
        let names: Vec<&str> = steps.iter().flatten().map(String::as_str).collect();
        match (&external.root, names.as_slice(), external.site()) {
            (Root::Global(root), ["timeout"], Some(call)) if &**root == "AbortSignal" => Given::Set {
                millis: self.resolver.argument(call, 0).and_then(|at| self.resolver.number_of(at)),
                by: call,
            },
            (Root::Global(root), ["any"], Some(call)) if &**root == "AbortSignal" => {
                self.any_signal(call, depth)
            }
            (Root::Passed(..), _, _) => Given::Signal(site),
            // `new AbortController().signal`, of the platform or a package.
            (_, ["signal" | "AbortController", ..], Some(made)) => self.controller(made, site),
            _ => Given::Unknown(site),
        }
    }

    fn any_signal(&self, (file, call): Site, depth: u32) -> Given {
        let Some(module) = self.analysis.program().module(file) else { return Given::Unknown((file, call)) };
        let Some((_, list)) = self.resolver.argument((file, call), 0) else { return Given::Absent };
        let Kind::Array(items) = module.kind(list) else { return Given::Unknown((file, list)) };
        let signals = module.list(items).map(|item| self.signal((file, item), depth + 1));
        signals.fold(Given::Signal((file, call)), |all, one| all.or_else(|| one))
    }

    /// `const controller = new AbortController()`: whether a timer aborts it.
    fn controller(&self, (file, made): Site, site: Site) -> Given {
        let Some(module) = self.analysis.program().module(file) else { return Given::Unknown(site) };
        let binding = match module.kind(module.parent(made)) {
            Kind::Declarator { target, .. } | Kind::Assign { target, .. } => match module.kind(target) {
                Kind::Binding(binding) | Kind::Name { binding, .. } if binding.is_some() => binding,
                _ => return Given::Unknown(site),
            },
            Kind::Binary { .. } | Kind::Conditional { .. } | Kind::Return(_) => return Given::Unknown(site),
            _ => return Given::Signal(site),
        };
        for name in module.references(binding) {
            if let Some(timer) = timer_around(module, *name) {
                let millis =
                    self.resolver.argument((file, timer), 1).and_then(|at| self.resolver.number_of(at));
                return Given::Set { millis, by: (file, timer) };
            }
            // `abortAfter(controller, 500)`: another function may set the timer.
            let parent = module.parent(*name);
            if matches!(module.kind(parent), Kind::Call { callee, .. } if callee != *name) {
                return Given::Set { millis: None, by: (file, parent) };
            }
        }
        Given::Signal(site)
    }
}

/// The `setTimeout` whose callback holds the node, or runs the function that does.
pub(super) fn timer_around(module: &Module, node: NodeId) -> Option<NodeId> {
    let direct = module.ancestors(node).find(|outer| is_timer(module, *outer));
    if direct.is_some() {
        return direct;
    }
    let function = module.function(module.enclosing_function(node))?;
    let binding = match module.kind(module.parent(function.node)) {
        Kind::Declarator { target, .. } => match module.kind(target) {
            Kind::Binding(binding) => binding,
            _ => return None,
        },
        _ => module.bindings().iter().position(|it| it.node == function.node).map(BindingId::new)?,
    };
    module.references(binding).iter().find_map(|name| {
        let parent = module.parent(*name);
        is_timer(module, parent).then_some(parent)
    })
}

/// `setTimeout(…)`.
pub(super) fn is_timer(module: &Module, node: NodeId) -> bool {
    let Kind::Call { callee, .. } = module.kind(node) else { return false };
    match module.kind(callee) {
        Kind::Name { name, .. } | Kind::Member { name, .. } => module.str(name) == "setTimeout",
        _ => false,
    }
}
