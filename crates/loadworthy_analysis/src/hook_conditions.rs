//! What has to change for a hook to do its work: `if (!this.isModified("password")) return next();`.
//!
//! A hook that asks this costs nothing at most saves. A save runs its work where the document is new or the code around it
//! writes one of the fields.

use loadworthy_knowledge::Hook;
use loadworthy_syntax::{BindingId, BindingKind, FunctionId, Kind, Module, NodeId, Unary};

use crate::calls::{Call, Calls};
use crate::links::FunctionRef;
use crate::program::Program;
use crate::values::{Resolver, Site, Step, Value};

/// The fields of which one has to have changed for a hook to do any of its work; `None` where it also works otherwise.
pub(crate) fn condition_of(
    program: &Program<'_>,
    calls: &Calls<'_>,
    hook: &Hook,
    (file, function): FunctionRef,
) -> Option<Vec<String>> {
    if hook.asks.is_empty() {
        return None;
    }
    let module = program.module(file)?;
    let body = module.function(function)?.body;
    let asking = Asking { module, names: &hook.asks };
    let is_work = |call: &&Call<'_>| {
        let has_effect = call.library.as_ref().is_some_and(|library| library.effect().is_some());
        has_effect || matches!(module.kind(module.parent(call.site.1)), Kind::Await(_))
    };
    let works = calls
        .iter()
        .filter(|call| call.site.0 == file && module.contains(body, call.site.1))
        .filter(|call| asking.field_of(call.site.1).is_none())
        .filter(is_work);
    let mut fields = Vec::new();
    for call in works {
        let needed = asking.needed_for(body, call.site.1);
        if needed.is_empty() {
            return None;
        }
        fields.extend(needed);
    }
    fields.sort_unstable();
    fields.dedup();
    (!fields.is_empty()).then_some(fields)
}

struct Asking<'m> {
    module: &'m Module,
    names: &'m [String],
}

impl Asking<'_> {
    /// The field that a call asks about.
    fn field_of(&self, node: NodeId) -> Option<String> {
        let Kind::Call { callee, arguments } = self.module.kind(node) else { return None };
        let Kind::Member { name, .. } = self.module.kind(callee) else { return None };
        let name = self.module.str(name);
        if !self.names.iter().any(|it| it == name) {
            return None;
        }
        match self.module.kind(self.module.list(arguments).next()?) {
            Kind::String(field) => Some(self.module.str(field).to_owned()),
            _ => None,
        }
    }

    /// Fields of which one has to have changed for a node of a function's body to be reached.
    fn needed_for(&self, body: NodeId, node: NodeId) -> Vec<String> {
        let mut needed = Vec::new();
        let mut inner = node;
        for outer in self.module.ancestors(node) {
            match self.module.kind(outer) {
                Kind::If { test, then, otherwise } => {
                    if then == inner {
                        needed.extend(self.implied(test, true));
                    } else if otherwise == inner {
                        needed.extend(self.implied(test, false));
                    }
                }
                Kind::Block(statements) => {
                    let before = self.module.list(statements).take_while(|statement| *statement != inner);
                    needed.extend(before.flat_map(|statement| self.needed_after(statement)));
                }
                _ => {}
            }
            if outer == body {
                break;
            }
            inner = outer;
        }
        needed
    }

    /// Fields of which one has to have changed for the code after `if (…) return;` to be reached.
    fn needed_after(&self, statement: NodeId) -> Vec<String> {
        match self.module.kind(statement) {
            Kind::If { test, then, .. } if self.leaves(then) => self.implied(test, false),
            _ => Vec::new(),
        }
    }

    fn leaves(&self, node: NodeId) -> bool {
        match self.module.kind(node) {
            Kind::Return(_) | Kind::Throw(_) => true,
            Kind::Block(statements) => {
                self.module.list(statements).next_back().is_some_and(|last| self.leaves(last))
            }
            _ => false,
        }
    }

    /// Fields of which one has changed where a condition is what is given.
    fn implied(&self, test: NodeId, holds: bool) -> Vec<String> {
        use loadworthy_syntax::Binary::{And, Or};
        if let Some(field) = self.field_of(test) {
            return if holds { vec![field] } else { Vec::new() };
        }
        match self.module.kind(test) {
            Kind::Unary { operator: Unary::Not, value } => self.implied(value, !holds),
            Kind::Binary { operator: operator @ (And | Or), left, right } => {
                let (mut left, right) = (self.implied(left, holds), self.implied(right, holds));
                // Both sides are what is given, or only one of them.
                let is_both = (operator == And) == holds;
                if !is_both && (left.is_empty() || right.is_empty()) {
                    return Vec::new();
                }
                left.extend(right);
                left
            }
            _ => Vec::new(),
        }
    }
}

/// Whether a save may have changed one of some fields: the document is new, or the code around writes to it.
pub(crate) fn may_change(
    program: &Program<'_>,
    resolver: &Resolver<'_>,
    calls: &Calls<'_>,
    call: &Call<'_>,
    fields: &[String],
) -> bool {
    let Some(document) = document_of(program, call.site) else { return true };
    if is_new(resolver, document) || writes_around(program, calls, call.site, fields) {
        return true;
    }
    // A helper that saves what it is given: its callers write.
    let (file, node) = document;
    let Some(module) = program.module(file) else { return true };
    let is_parameter = match module.kind(node) {
        Kind::Name { binding, .. } => is_parameter(module, binding),
        Kind::This => true,
        _ => false,
    };
    let own = (call.site.0, call.function);
    is_parameter
        && calls
            .iter()
            .filter(|it| it.targets.contains(&own))
            .any(|it| writes_around(program, calls, it.site, fields))
}

fn is_parameter(module: &Module, binding: BindingId) -> bool {
    module.binding(binding).is_some_and(|it| it.kind == BindingKind::Parameter)
}

/// `user` of `user.save()`.
fn document_of(program: &Program<'_>, (file, call): Site) -> Option<Site> {
    let module = program.module(file)?;
    let Kind::Call { callee, .. } = module.kind(call) else { return None };
    let Kind::Member { object, .. } = module.kind(callee) else { return None };
    Some((file, object))
}

fn is_new(resolver: &Resolver<'_>, document: Site) -> bool {
    resolver.filled(&resolver.value_of(document)).iter().any(|value| match value {
        Value::External(external) => matches!(external.steps.last(), Some(Step::New(_))),
        _ => false,
    })
}

/// Whether the function around a call, or one that it calls there, writes to one of some fields.
fn writes_around(program: &Program<'_>, calls: &Calls<'_>, (file, node): Site, fields: &[String]) -> bool {
    let Some(module) = program.module(file) else { return true };
    let outermost = module.outermost_function(node);
    if writes(module, outermost, fields) {
        return true;
    }
    let around = module.function(outermost).map_or(module.root(), |it| it.node);
    calls
        .iter()
        .filter(|call| call.site.0 == file && module.contains(around, call.site.1))
        .flat_map(|call| &call.targets)
        .any(|(file, target)| program.module(*file).is_none_or(|module| writes(module, *target, fields)))
}

/// Whether a function writes to a member with one of some names, or to members that the code does not name.
fn writes(module: &Module, function: FunctionId, fields: &[String]) -> bool {
    let node = module.function(function).map_or(module.root(), |it| it.node);
    module.all_nodes(node).into_iter().any(|node| match module.kind(node) {
        Kind::Assign { target, .. } => match module.kind(target) {
            Kind::Member { name, .. } => fields.iter().any(|field| field == module.str(name)),
            Kind::Index { .. } => true,
            _ => false,
        },
        Kind::Call { callee, .. } => match module.kind(callee) {
            Kind::Member { name, .. } => WRITING.contains(&module.str(name)),
            _ => false,
        },
        _ => false,
    })
}

/// Members that write to fields which their arguments hold: `user.set(changes)`, `Object.assign(user, changes)`.
const WRITING: [&str; 3] = ["assign", "overwrite", "set"];
